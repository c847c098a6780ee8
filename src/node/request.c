#include "src/node/request.h"

#include <assert.h>
#include <string.h>

#include "src/node/attempt.h"
#include "src/node/catchup.h"
#include "src/node/keeping.h"
#include "src/node/outbox.h"
#include "src/node/own_nat.h"
#include "src/node/send.h"
#include "src/node/way.h"

enum {
    /* A stranger is answered with no more bytes than it sent, so a first request is at least so
     * large that token, an introduction over IPv6 (19 + 19 + 32) and the introduced peer's puncture
     * (96) have room: 70 seal + 87 fixed fields + 71 + 96, rounded up. */
    FIRST_REQUEST_MIN_BYTES = 336,
};

static void name_rumors(struct hsay_call *call, struct hsay_intro_request *r)
{
    const struct hsay_overlay *o = call->overlay;
    struct hsay_digest hot[HSAY_NEWEST_MAX];
    if (o->config.pull_only)
        return;
    size_t count = hsay_rumor_hot(&o->rumors, call->now.mono, hot, o->pendings.newest_max);
    for (size_t i = 0; i < count; i++)
        r->newest[i] = hsay_digest_short(&hot[i]);
    r->newest_count = (uint8_t)count;
}

/* What every request says of us. */
static void fill_ours(struct hsay_call *call, const struct hsay_peer *to,
                      struct hsay_intro_request *r)
{
    struct hsay_node *node = call->node;
    r->id = hsay_rng_u64(&node->rng, &node->crypto);
    r->nat = hsay_own_nat_flags(call, to->addr.kind);
    r->to = to->addr;
    if (!hsay_key_is_zero(&to->key))
        hsay_send_make_token(call, to, &r->token);
    r->lan = hsay_way_own_lan(call, &to->addr);
    r->global_time = call->overlay->window.own;
}

static void fill_request(struct hsay_call *call, const struct hsay_request_plan *plan,
                         struct hsay_intro_request *r)
{
    fill_ours(call, &(struct hsay_peer){plan->to->addr, plan->to->key}, r);
    if (plan->introduce)
        r->flags |= HSAY_REQUEST_INTRODUCE;
    r->answer_bytes = call->overlay->catchup.budget_bytes;
    name_rumors(call, r);
}

/* The claim takes what room the other fields leave. */
static int fill_claim(struct hsay_call *call, const struct hsay_request_plan *plan,
                      struct hsay_message *m, size_t room, uint8_t *bits)
{
    struct hsay_overlay *o = call->overlay;
    size_t without = hsay_message_size(m) - 1; /* a claim of kind NONE is its kind byte */
    struct hsay_claim_want want = {
        .kind = plan->claim_kind,
        .room_bytes = room > without ? room - without : 0,
        .behind = o->catchup.behind,
        .newest_same = o->catchup.newest_same,
        .again = plan->again,
    };
    return hsay_claim_make(&o->claims, &o->config.store, &call->node->rng, &call->node->crypto,
                           &want, bits, &m->intro_request.claim);
}

/* A stranger's request pays for its answer with its own size. */
static void pad_first(struct hsay_intro_request *r, size_t size, size_t room, size_t around)
{
    size_t aim = FIRST_REQUEST_MIN_BYTES - around;
    if (r->claim.kind == HSAY_CLAIM_EMPTY || r->claim.kind == HSAY_CLAIM_BLOOM || aim > room)
        aim = room;
    r->padding = hsay_message_padding(size, aim);
}

static void remember(struct hsay_call *call, const struct hsay_request_plan *plan,
                     const struct hsay_intro_request *r, struct hsay_pending *p)
{
    const struct hsay_pendings *pendings = &call->overlay->pendings;
    assert(r->newest_count <= pendings->newest_max);
    memset(p, 0, sizeof *p);
    p->kind = HSAY_PENDING_INTRO;
    p->id = r->id;
    p->to = (struct hsay_peer){plan->to->addr, plan->to->key};
    p->sent = call->now.mono;
    p->range = r->claim.range;
    p->claim_kind = r->claim.kind;
    p->claim_count = hsay_pending_holds(r->claim.count);
    p->bucket = (uint8_t)plan->bucket;
    p->introduce = plan->introduce;
    p->nat = r->nat & (unsigned)HSAY_NAT_FLAGS;
    p->newest_count = r->newest_count;
    memcpy(hsay_pending_newest(pendings, p), r->newest, r->newest_count * sizeof *r->newest);
}

static void report_step(struct hsay_call *call, const struct hsay_request_plan *plan,
                        const struct hsay_intro_request *r)
{
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_STEP, call->overlay_number);
    if (e == NULL) {
        hsay_drop(call->node, HSAY_DROP_OUTBOX);
        return;
    }
    e->bucket = (uint8_t)plan->bucket;
    e->peer = (struct hsay_peer){plan->to->addr, plan->to->key};
    e->number[HSAY_STEP_CLAIM_KIND] = r->claim.kind;
    e->number[HSAY_STEP_TIME_LOW] = r->claim.range.time_low;
    e->number[HSAY_STEP_TIME_HIGH] = r->claim.range.time_high;
    e->number[HSAY_STEP_MODULO] = r->claim.range.modulo;
    e->number[HSAY_STEP_OFFSET] = r->claim.range.offset;
    e->number[HSAY_STEP_CLAIM_COUNT] = r->claim.count;
    e->number[HSAY_STEP_FILTER_BYTES] = r->claim.bits.size;
    e->number[HSAY_STEP_ANSWER_BYTES] = r->answer_bytes;
    e->number[HSAY_STEP_REQUEST_ID] = r->id;
}

static bool write_request(struct hsay_call *call, const struct hsay_request_plan *plan,
                          struct hsay_sending *s, struct hsay_message *m)
{
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    size_t room = hsay_write_left(&s->w);
    int rc = fill_claim(call, plan, m, room, bits);
    if (rc != 0) {
        hsay_call_failed(call, rc);
        hsay_send_abandon(call, s);
        return false;
    }
    if (s->as.token == NULL)
        pad_first(&m->intro_request, hsay_message_size(m), room, s->size - room);
    hsay_message_encode(&s->w, m);
    return hsay_send_end(call, s);
}

bool hsay_request_send(struct hsay_call *call, const struct hsay_request_plan *plan, uint64_t *id)
{
    struct hsay_pending *p = hsay_pending_new(&call->overlay->pendings);
    if (p == NULL)
        return false;
    struct hsay_send_to to;
    struct hsay_sending s;
    bool untouched = hsay_own_nat_is_untouched(call, &plan->to->addr);
    hsay_send_to_candidate(call, plan->to, &to);
    if (!hsay_send_begin(call, &s, &to))
        return false;
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    fill_request(call, plan, &m.intro_request);
    if (!write_request(call, plan, &s, &m))
        return false;
    remember(call, plan, &m.intro_request, p);
    p->untouched = untouched;
    hsay_attempt_on_request(call, plan->to, p);
    hsay_candidate_on_asked(&call->overlay->candidates, plan->to, call->now.mono);
    hsay_keeping_on_asked(call, plan->to, to.token != NULL);
    hsay_count(call->node, HSAY_COUNT_STEPS, 1);
    hsay_count(call->node,
               m.intro_request.claim.kind == HSAY_CLAIM_SUM ? HSAY_COUNT_CLAIMS_SUM
                                                            : HSAY_COUNT_CLAIMS_FILTER,
               1);
    report_step(call, plan, &m.intro_request);
    *id = m.intro_request.id;
    return true;
}

bool hsay_request_way(struct hsay_call *call, const struct hsay_send_to *to)
{
    struct hsay_pending *p = hsay_pending_new(&call->overlay->pendings);
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    struct hsay_sending s;
    if (p == NULL || !hsay_send_begin(call, &s, to))
        return false;
    size_t room = hsay_write_left(&s.w);
    fill_ours(call, &to->peer, &m.intro_request);
    pad_first(&m.intro_request, hsay_message_size(&m), room, s.size - room);
    hsay_message_encode(&s.w, &m);
    hsay_count(call->node, HSAY_COUNT_WAYS_TRIED, 1);
    if (hsay_send_end(call, &s)) {
        p->kind = HSAY_PENDING_WAY;
        p->id = m.intro_request.id;
        p->to = to->peer;
        p->sent = call->now.mono;
    }
    return true;
}

bool hsay_request_fetch(struct hsay_call *call, struct hsay_candidate *c,
                        const struct hsay_digest *digest, size_t count)
{
    struct hsay_pending *p = hsay_pending_new(&call->overlay->pendings);
    if (p == NULL || count == 0 || count > HSAY_FETCH_MAX || hsay_key_is_zero(&c->key))
        return false; /* a first contact, without a key, may only be an introduction-request */
    struct hsay_message m = {.type = HSAY_MSG_FETCH};
    m.fetch.id = hsay_rng_u64(&call->node->rng, &call->node->crypto);
    m.fetch.count = (uint8_t)count;
    m.fetch.digests = digest->byte;
    struct hsay_send_to to;
    hsay_send_to_candidate(call, c, &to);
    if (!hsay_send_message(call, &to, &m))
        return false;
    memset(p, 0, sizeof *p);
    p->kind = HSAY_PENDING_FETCH;
    p->id = m.fetch.id;
    p->to = (struct hsay_peer){c->addr, c->key};
    p->sent = call->now.mono;
    return true;
}

void hsay_request_report(struct hsay_call *call, const struct hsay_pending *p, bool timed_out)
{
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_ANSWER, call->overlay_number);
    if (e == NULL) {
        hsay_drop(call->node, HSAY_DROP_OUTBOX);
        return;
    }
    e->bucket = p->bucket;
    e->peer = p->to;
    e->number[HSAY_ANSWER_RESULT] = timed_out;
    e->number[HSAY_ANSWER_RTT_US] =
        p->heard.ns > p->sent.ns ? (p->heard.ns - p->sent.ns) / 1000 : 0;
    e->number[HSAY_ANSWER_BUNDLES] = p->bundles_got;
    e->number[HSAY_ANSWER_NEW] = p->bundles_new;
    e->number[HSAY_ANSWER_MORE] = p->more;
    e->number[HSAY_ANSWER_SAME] = p->same;
    e->number[HSAY_ANSWER_PEER_COUNT] = p->peer_count;
    e->number[HSAY_ANSWER_INTRODUCED] = p->introduced;
    e->number[HSAY_ANSWER_REQUEST_ID] = p->id;
}
