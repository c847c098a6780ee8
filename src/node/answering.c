/*
 * Answering an introduction-request: one response, and behind it as many bundles messages as the
 * asker's budget, ours and the ledger allow.
 *
 * The response is written first but sealed last, since it says how many bundles messages follow and
 * whether there is more; its place in the outbox is kept.  A stranger gets the response alone.
 */
#include "src/node/answering.h"

#include <string.h>

#include "nat/addr_class.h"
#include "src/node/catchup.h"
#include "src/node/keeping.h"
#include "src/node/lot.h"
#include "src/node/own_nat.h"
#include "src/node/send.h"
#include "src/node/step.h"
#include "src/node/way.h"
#include "src/wire/pack.h"

enum {
    PUNCTURE_BYTES = HSAY_SEAL_BYTES + HSAY_PUNCTURE_MESSAGE_BYTES,
    INTRODUCED_BYTES_MAX = 19 + 19 + HSAY_KEY_BYTES + 1,
    DATAGRAMS_MAX = 255,
};

/* One answer in the making. */
struct giving {
    struct hsay_answer answer;
    struct hsay_packer packer;
    struct hsay_lot lot;
    bool spent;      /* the budget ended it */
    uint64_t budget; /* bundle bytes that may still be given */
    uint64_t given;
    uint32_t datagrams;
    uint64_t id;
    struct hsay_addr lan; /* of the asker, if we may believe it */
    bool refused;
};

static void count_given(struct hsay_call *call, struct giving *g, size_t bundle_bytes)
{
    g->budget -= bundle_bytes;
    g->given += bundle_bytes;
    hsay_count(call->node, HSAY_COUNT_BUNDLES_OUT, 1);
    hsay_count(call->node, HSAY_COUNT_BUNDLE_BYTES_OUT, bundle_bytes);
}

/* The next bundle to give; false if there is none.  A stranger is given the one datagram that it
 * paid for: nothing is drawn from the store that would not go into it. */
static bool next_bundle(struct hsay_call *call, struct giving *g, struct hsay_span *bundle)
{
    struct hsay_lot *lot = &g->lot;
    unsigned max = call->account.validated ? HSAY_LOT_MAX : 1;
    if (lot->first == lot->past && !g->spent)
        g->spent = hsay_lot_draw(lot, &g->answer, max, g->budget);
    if (lot->first == lot->past)
        return false;
    const struct hsay_lot_item *item = &lot->item[lot->first];
    *bundle = (struct hsay_span){item->bytes, item->size};
    return true;
}

/* As many bundles as this datagram has room for.  True if one of them was left for the next. */
static bool fill(struct hsay_call *call, struct giving *g, struct hsay_writer *w)
{
    struct hsay_span bundle;
    memset(&g->packer, 0, sizeof g->packer);
    while (next_bundle(call, g, &bundle)) {
        if (!hsay_pack_add(&g->packer, w, bundle))
            return true;
        g->lot.first++;
        count_given(call, g, bundle.size);
    }
    return false;
}

/* The datagram being filled is the answer's last one. */
static void mark_last(struct hsay_sending *s, uint64_t id)
{
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES,
                             .bundles = {.id = id, .flags = HSAY_BUNDLES_LAST}};
    struct hsay_writer head = hsay_writer(s->w.start, hsay_message_size(&m));
    hsay_message_encode(&head, &m);
}

static bool begin_bundles(struct hsay_call *call, uint64_t id, struct hsay_sending *s)
{
    struct hsay_send_to to;
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.id = id}};
    hsay_send_to_source(call, &to);
    if (!hsay_send_begin(call, s, &to))
        return false;
    hsay_message_encode(&s->w, &m);
    return true;
}

/* The bundles messages behind the response.  What is left over then is "more". */
static void give_datagrams(struct hsay_call *call, struct giving *g)
{
    bool left = true;
    while (left && g->datagrams < DATAGRAMS_MAX) {
        struct hsay_sending s;
        if (!begin_bundles(call, g->id, &s))
            break;
        size_t empty = hsay_write_size(&s.w);
        left = fill(call, g, &s.w);
        if (hsay_write_size(&s.w) == empty) { /* larger than any datagram has room for */
            hsay_send_abandon(call, &s);
            break;
        }
        if (!left)
            mark_last(&s, g->id);
        if (!hsay_send_end(call, &s))
            break;
        g->datagrams++;
    }
    if (left)
        g->answer.more = true;
}

static uint16_t wanted(struct hsay_call *call, const struct hsay_intro_request *r)
{
    struct hsay_overlay *o = call->overlay;
    const struct hsay_store *store = &o->config.store;
    uint16_t want = 0;
    if (!call->account.validated) /* else anybody could make us wait for what it never sends */
        return 0;
    for (unsigned i = 0; i < r->newest_count; i++) {
        struct hsay_position held;
        if (store->ops->find_short(store->self, r->newest[i], &held) == HSAY_ENOENT &&
            hsay_rumor_want(&o->rumors, call->now.mono, r->newest[i]))
            want |= (uint16_t)(1u << i);
    }
    return want;
}

/* Tell the introduced peer to puncture towards the asker's address as we see it. */
static bool ask_puncture(struct hsay_call *call, struct hsay_candidate *c,
                         const struct hsay_intro_request *r, const struct hsay_addr *lan)
{
    struct hsay_send_to to;
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = r->id;
    m.puncture_request.target.addr = call->from.addr;
    m.puncture_request.target.key = call->from.key;
    m.puncture_request.target.nat = r->nat;
    if (lan != NULL)
        m.puncture_request.target.lan = *lan;
    hsay_send_to_candidate(call, c, &to);
    return hsay_send_message(call, &to, &m);
}

/* Somebody for the asker to meet, with the puncture on its way; false if there is nobody, or if the
 * response itself would no longer have room in what the asker paid for. */
static bool introduce(struct hsay_call *call, const struct hsay_intro_request *r,
                      const struct giving *g, struct hsay_message *m)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_introduced *introduced = &m->intro_response.introduced;
    size_t response = HSAY_SEAL_BYTES + hsay_message_size(m) + INTRODUCED_BYTES_MAX;
    if ((r->flags & HSAY_REQUEST_INTRODUCE) == 0 ||
        hsay_ledger_room(&call->node->ledger, &call->account) < response + PUNCTURE_BYTES)
        return false;
    struct hsay_chance chance = hsay_call_chance(call);
    struct hsay_candidate *c =
        hsay_walk_introduce(&o->walk, &o->candidates, call->now.mono, &chance, &call->from, r->nat);
    if (c == NULL || !hsay_ledger_charge(&call->account, PUNCTURE_BYTES))
        return false;
    struct hsay_addr place =
        hsay_walk_meeting_place(&o->candidates, c, call->now.mono, &call->from.addr);
    bool in_one_lan = hsay_addr_same_host(&place, &call->from.addr) && !hsay_addr_is_local(&place);
    if (!ask_puncture(call, c, r, in_one_lan ? &g->lan : NULL))
        return false;
    introduced->addr = place;
    introduced->key = c->key;
    if (hsay_addr_equal(&place, &c->addr)) /* what is known of its NAT is of this address */
        introduced->nat = c->nat;
    if (in_one_lan)
        introduced->lan = hsay_candidate_lan(&o->candidates, c);
    hsay_walk_on_introduction(&o->walk, c);
    hsay_step_hand_on(call, c);
    hsay_count(call->node, HSAY_COUNT_INTRODUCED_OUT, 1);
    hsay_count(call->node, HSAY_COUNT_PUNCTURES_ASKED, 1);
    return true;
}

static void fill_response(struct hsay_call *call, const struct hsay_intro_request *r,
                          const struct giving *g, struct hsay_intro_response *a)
{
    a->id = r->id;
    a->to = call->from.addr;
    a->global_time = call->overlay->window.own;
    a->want = wanted(call, r);
    a->count = g->answer.sum.count;
    a->fingerprint = g->answer.fingerprint;
    a->flags = g->refused ? HSAY_RESPONSE_REFUSED : 0;
    a->nat = hsay_own_nat_flags(call, call->from.addr.kind); /* all that the asker knows of it */
    hsay_send_make_token(call, &call->from, &a->token);
}

/* What is known only when all is given; fields of fixed size, so that the response stays as long.
 */
static void fill_verdict(const struct giving *g, struct hsay_intro_response *a)
{
    if (g->answer.same)
        a->flags |= HSAY_RESPONSE_SAME;
    if (g->answer.more)
        a->flags |= HSAY_RESPONSE_MORE;
    a->datagrams = (uint8_t)g->datagrams;
}

static void begin_answer(struct hsay_call *call, const struct hsay_intro_request *r,
                         struct giving *g)
{
    struct hsay_overlay *o = call->overlay;
    memset(g, 0, sizeof *g);
    g->id = r->id;
    if (call->account.validated)
        g->lan = hsay_way_told_lan(call, &r->lan, &call->from.addr);
    g->budget = r->answer_bytes;
    if (g->budget > o->config.answer_bytes_max)
        g->budget = o->config.answer_bytes_max;
    if (r->claim.kind == HSAY_CLAIM_NONE)
        return;
    int rc = hsay_answer_begin(&g->answer, &o->config.store, &call->node->rng, &call->node->crypto,
                               &r->claim, HSAY_TIME_MAX, call->now.wall_s);
    g->refused = rc != 0;
    if (g->refused)
        hsay_drop(call->node, HSAY_DROP_CLAIM);
}

/* A validated asker's appetite is bounded per network group; a stranger's by the ledger. */
static bool may_give(struct hsay_call *call)
{
    return !call->account.validated ||
           hsay_gate_open(&call->node->gate, call->now.mono, HSAY_GATE_ANSWER, call->group);
}

static void charge_given(struct hsay_call *call, const struct giving *g)
{
    if (call->account.validated)
        hsay_gate_charge(&call->node->gate, call->now.mono, HSAY_GATE_ANSWER, call->group,
                         (uint32_t)(g->given / 1024 + 1));
}

/* Bundles into the response, and datagrams behind it. */
static void draw(struct hsay_call *call, struct giving *g, struct hsay_sending *response)
{
    if (!g->answer.draws || g->budget == 0 || !may_give(call)) {
        g->answer.more |= g->answer.draws;
        return;
    }
    if (fill(call, g, &response->w)) {
        if (call->account.validated)
            give_datagrams(call, g);
        else
            g->answer.more = true;
    }
    charge_given(call, g);
}

static void respond(struct hsay_call *call, const struct hsay_intro_request *r, struct giving *g)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    struct hsay_sending s;
    struct hsay_send_to to;
    fill_response(call, r, g, &m.intro_response);
    introduce(call, r, g, &m);
    hsay_send_to_source(call, &to);
    if (!hsay_send_begin(call, &s, &to))
        return;
    hsay_send_hold(call, &s);
    uint8_t *head = s.w.at;
    hsay_message_encode(&s.w, &m);
    if (s.w.bad) { /* more than the asker paid for */
        hsay_send_end(call, &s);
        return;
    }
    draw(call, g, &s);
    fill_verdict(g, &m.intro_response);
    struct hsay_writer again = hsay_writer(head, hsay_message_size(&m));
    hsay_message_encode(&again, &m);
    hsay_send_end(call, &s);
}

/* The asker told us something besides its question: that it is there, and what it holds.  Of a
 * stranger nothing is kept: else its address, which may be forged, would be sent a request some
 * day. */
static void learn(struct hsay_call *call, const struct hsay_intro_request *r,
                  const struct giving *g)
{
    struct hsay_overlay *o = call->overlay;
    if (!call->account.validated)
        return;
    hsay_ledger_heard(&call->node->ledger, &call->from.addr);
    struct hsay_candidate *c =
        hsay_candidate_on_request(&o->candidates, call->now.mono, &call->from, true);
    /* At a worse address than its candidate has: what it says is of that one. */
    if (c != NULL && hsay_addr_equal(&c->addr, &call->from.addr)) {
        hsay_candidate_on_nat(c, r->nat);
        if (g->lan.kind != HSAY_ADDR_NONE)
            hsay_candidate_on_way(&o->candidates, call->now.mono, c, &g->lan);
        hsay_candidate_on_token(c, &r->token);
        hsay_keeping_on_visit(call, c);
        if (c->contacted_at == 0 && c->asked_at == 0)
            hsay_step_return_visit(call, c);
    }
    hsay_catchup_on_claim(call, &r->claim, &g->answer);
}

/* The place is salted, so that nobody can make one id push out another. */
static bool seen_before(struct hsay_node *node, uint64_t id)
{
    uint64_t mixed = (id ^ node->replay_salt) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t *place = &node->replay[(mixed >> 32) % node->replay_max];
    if (*place == id)
        return true;
    *place = id;
    return false;
}

void hsay_answering_on_intro_request(struct hsay_call *call, const struct hsay_message *m)
{
    const struct hsay_intro_request *r = &m->intro_request;
    struct giving g;
    if (seen_before(call->node, r->id)) {
        hsay_drop(call->node, HSAY_DROP_REPLAY);
        return;
    }
    hsay_count(call->node, HSAY_COUNT_REQUESTS, 1);
    begin_answer(call, r, &g);
    respond(call, r, &g);
    learn(call, r, &g);
}

/* One bundle of a fetch into the datagram, a further datagram if it does not fit.  False: stop. */
static bool give_one(struct hsay_call *call, struct giving *g, struct hsay_sending *s,
                     const struct hsay_record *record)
{
    if (record->bytes.size > g->budget)
        return false;
    if (!hsay_pack_add(&g->packer, &s->w, record->bytes)) {
        if (!hsay_send_end(call, s) || !begin_bundles(call, g->id, s))
            return false;
        memset(&g->packer, 0, sizeof g->packer);
        if (!hsay_pack_add(&g->packer, &s->w, record->bytes))
            return true;
    }
    count_given(call, g, record->bytes.size);
    return true;
}

void hsay_answering_on_fetch(struct hsay_call *call, const struct hsay_message *m)
{
    const struct hsay_fetch *f = &m->fetch;
    const struct hsay_store *store = &call->overlay->config.store;
    struct giving g = {.id = f->id, .budget = call->overlay->config.answer_bytes_max};
    struct hsay_sending s;
    if (seen_before(call->node, f->id)) {
        hsay_drop(call->node, HSAY_DROP_REPLAY);
        return;
    }
    if (!may_give(call)) {
        hsay_drop(call->node, HSAY_DROP_LEDGER);
        return;
    }
    if (!begin_bundles(call, g.id, &s))
        return;
    for (unsigned i = 0; i < f->count; i++) {
        struct hsay_digest digest;
        struct hsay_record record;
        memcpy(digest.byte, f->digests + i * HSAY_DIGEST_BYTES, sizeof digest.byte);
        if (store->ops->get(store->self, &digest, &record) == 0 && !give_one(call, &g, &s, &record))
            break;
    }
    if (s.room != NULL)
        mark_last(&s, g.id);
    hsay_send_end(call, &s);
    charge_given(call, &g);
}
