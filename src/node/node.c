/*
 * A node's life: its start, its overlays, and time passing.
 */
#include <string.h>

#include "nat/addr_class.h"
#include "src/node/answers.h"
#include "src/node/call.h"
#include "src/node/catchup.h"
#include "src/node/keeping.h"
#include "src/node/mail.h"
#include "src/node/memory.h"
#include "src/node/outbox.h"
#include "src/node/search.h"
#include "src/node/step.h"
#include "src/node/taking.h"
#include "src/node/trials.h"
#include "src/wire/salted.h"

enum {
    ANSWER_BYTES_DEFAULT =
        65536, /* 54 datagrams: half of a default socket buffer, as Linux counts */
};

/* Work that strangers, forgers and hungry peers may cause; see gate.h.  Sized for one core: 20,000
 * strangers' packets cost 40 ms of each second, 500 X25519 15 ms, 2,000 forged signatures 100 ms.
 */
static const struct hsay_gate_rate gate_rates[HSAY_GATE_WORK_COUNT] = {
    [HSAY_GATE_PACKET] = {.group_per_second = 200,
                          .group_burst = 400,
                          .node_per_second = 20000,
                          .node_burst = 20000},
    [HSAY_GATE_AGREE] = {.group_per_second = 20,
                         .group_burst = 60,
                         .node_per_second = 500,
                         .node_burst = 1000},
    [HSAY_GATE_FORGED] = {.group_per_second = 20,
                          .group_burst = 40,
                          .node_per_second = 2000, /* a tenth of a core; else ten groups of forgers
                                                    * close the door for everybody */
                          .node_burst = 4000},
    [HSAY_GATE_ANSWER] = {.group_per_second = 32768,
                          .group_burst = 65536,
                          .node_per_second = 131072,
                          .node_burst = 262144},
};

static void init_shared(struct hsay_node *node, const struct hsay_node_config *c,
                        const struct hsay_memory *m)
{
    const struct hsay_crypto *crypto = &node->crypto;
    struct hsay_rng *rng = &node->rng;
    hsay_rng_bytes(rng, crypto, node->token_secret, sizeof node->token_secret);
    hsay_keyring_init(&node->keyring, m->keyring, c->keyring_max, hsay_rng_u64(rng, crypto));
    hsay_ledger_init(&node->ledger, m->ledger, c->ledger_max, c->datagram_bytes,
                     hsay_rng_u64(rng, crypto));
    hsay_gate_init(&node->gate, m->gate, c->gate_max, gate_rates, hsay_rng_u64(rng, crypto));
    hsay_puncture_init(&node->punctures, m->puncture, c->punctures_max, hsay_rng_u64(rng, crypto));
    hsay_vote_init(&node->votes, m->vote, (uint8_t)c->votes_max, HSAY_VOTE_AGREE_GROUPS);
    node->replay = m->replay;
    node->replay_max = c->replay_max;
    node->replay_salt = hsay_rng_u64(rng, crypto);
}

static void init_extras(struct hsay_node *node, struct hsay_now now,
                        const struct hsay_node_config *c, const struct hsay_memory *m)
{
    node->extras = m->extras;
    if (node->extras != NULL)
        *node->extras = m->part;
    struct hsay_filter *filter = hsay_node_filter(node);
    struct hsay_search *search = hsay_node_search(node);
    node->ledger.search = search != NULL ? &search->account : NULL;
    if (filter != NULL)
        hsay_filter_init(filter, now.mono);
    if (filter != NULL && c->lived_before)
        hsay_filter_blind(filter, now.mono);
    hsay_keeping_on_wake(node);
}

/* Hands out the memory; what is in it is set when the overlay is joined. */
static void init_overlays(struct hsay_node *node, const struct hsay_node_config *c,
                          const struct hsay_memory *m)
{
    static const struct hsay_walk_times no_times;
    for (size_t i = 0; i < c->overlays_max; i++) {
        struct hsay_overlay *o = &node->overlay[i];
        hsay_candidates_init(&o->candidates, m->candidate + i * c->candidates_max,
                             c->candidates_max, m->way + i * c->ways_max, c->ways_max, &no_times);
        hsay_pendings_init(&o->pendings, m->pending + i * c->pending_max, c->pending_max,
                           m->newest + i * c->pending_max * hsay_memory_newest_max(c),
                           hsay_memory_newest_max(c));
        hsay_book_init(&o->book, m->book + i * c->book_max, c->book_max);
        hsay_rumors_init(&o->rumors, m->rumor + i * c->rumors_max, c->rumors_max,
                         m->want + i * c->wants_max, c->wants_max);
        hsay_window_init(&o->window, m->voice + i * c->voices_max, (uint8_t)c->voices_max,
                         (hsay_time){0}, 0);
    }
}

int hsay_node_init(void *memory, const struct hsay_node_config *given,
                   const struct hsay_crypto *crypto, const uint8_t seed[32], struct hsay_now now,
                   struct hsay_node **out)
{
    struct hsay_node_config config = *given;
    struct hsay_memory m;
    hsay_node_config_default(&config);
    if (!hsay_memory_config_is_good(&config))
        return HSAY_EINVAL;
    memset(memory, 0, hsay_memory_carve(&m, &config, memory));
    struct hsay_node *node = m.node;
    memcpy(node->secret, config.node_secret, sizeof node->secret);
    node->overlay = m.overlay;
    node->own_keys = m.keys;
    node->overlays_max = (uint8_t)config.overlays_max;
    node->verify_outside = config.verify_outside;
    node->stats = m.stats;
    node->crypto = *crypto;
    crypto->ops->node_public(crypto->self, &node->key, config.node_secret);
    hsay_rng_init(&node->rng, seed);
    init_shared(node, &config, &m);
    init_extras(node, now, &config, &m);
    init_overlays(node, &config, &m);
    *out = node;
    return 0;
}

/* ---- overlays ---- */

struct hsay_overlay *hsay_node_overlay(struct hsay_node *node, uint16_t number)
{
    if (number >= node->overlays_max || !node->overlay[number].used)
        return NULL;
    return &node->overlay[number];
}

bool hsay_call_begin(struct hsay_call *call, struct hsay_node *node, struct hsay_now now,
                     uint16_t overlay, struct hsay_outbox *out)
{
    memset(call, 0, sizeof *call);
    call->node = node;
    call->overlay = hsay_node_overlay(node, overlay);
    call->overlay_number = overlay;
    call->now = now;
    call->out = out;
    return call->overlay != NULL;
}

static void overlay_defaults(struct hsay_overlay_config *c)
{
    if (c->step_ms == 0)
        c->step_ms = HSAY_STEP_MS;
    if (c->answer_bytes == 0)
        c->answer_bytes = ANSWER_BYTES_DEFAULT;
    if (c->answer_bytes_max == 0)
        c->answer_bytes_max = ANSWER_BYTES_DEFAULT;
    if (c->mail_fanout == 0)
        c->mail_fanout = HSAY_MAIL_FANOUT;
    if (c->wait_ms == 0)
        c->wait_ms = HSAY_REQUEST_LIFETIME_MS;
}

/* Lifetimes are made for a step of 5 s; a faster walk lives faster, a slower one not slower, since
 * NATs do not wait. */
static struct hsay_walk_times walk_times(uint32_t step_ms)
{
    uint64_t part = step_ms < HSAY_STEP_MS ? step_ms : HSAY_STEP_MS;
    return (struct hsay_walk_times){
        .contacted_ms = (uint32_t)(HSAY_CONTACTED_LIFETIME_MS * part / HSAY_STEP_MS),
        .requested_ms = (uint32_t)(HSAY_REQUESTED_LIFETIME_MS * part / HSAY_STEP_MS),
        .introduced_ms = (uint32_t)(HSAY_INTRODUCED_LIFETIME_MS * part / HSAY_STEP_MS),
        .introduced_public_ms =
            (uint32_t)(HSAY_INTRODUCED_PUBLIC_LIFETIME_MS * part / HSAY_STEP_MS),
        .again_ms = (uint32_t)(HSAY_WALK_AGAIN_MS * part / HSAY_STEP_MS),
    };
}

static void start_overlay(struct hsay_overlay *o, struct hsay_now now,
                          const struct hsay_overlay_config *config)
{
    struct hsay_store_info info;
    struct hsay_walk_times times = walk_times(config->step_ms);
    o->config = (struct hsay_overlay_ways){
        .store = config->store,
        .step_ms = config->step_ms,
        .answer_bytes = config->answer_bytes,
        .answer_bytes_max = config->answer_bytes_max,
        .mail_fanout = config->mail_fanout,
        .wait_ms = config->wait_ms,
        .policy = config->policy,
        .fixed_step = config->fixed_step,
        .pull_only = config->pull_only,
        .no_step = config->no_step,
    };
    o->keys = config->keys;
    config->store.ops->info(config->store.self, &info);
    hsay_candidates_init(&o->candidates, o->candidates.entry, o->candidates.entry_max,
                         o->candidates.way, o->candidates.way_max, &times);
    hsay_pendings_init(&o->pendings, o->pendings.entry, o->pendings.entry_max, o->pendings.newest,
                       o->pendings.newest_max);
    hsay_book_init(&o->book, o->book.entry, o->book.entry_max);
    hsay_rumors_init(&o->rumors, o->rumors.entry, o->rumors.entry_max, o->rumors.want,
                     o->rumors.want_max);
    hsay_window_init(&o->window, o->window.voice, o->window.voice_max, now.mono, info.time_max);
    hsay_claims_init(&o->claims, config->policy);
    o->claims.ranges = config->ranges;
    hsay_catchup_init(&o->catchup);
    if (o->catchup.budget_bytes > config->answer_bytes || config->fixed_step)
        o->catchup.budget_bytes = config->answer_bytes;
    o->walk = (struct hsay_walk){.policy = config->policy};
    o->contact_at = (hsay_time){0};
    o->mail_due = HSAY_TIME_NEVER;
    o->step_due = HSAY_TIME_NEVER;
    o->used = true;
    hsay_step_refresh(o, now);
}

int hsay_overlay_keys(struct hsay_seal_keys *keys, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, struct hsay_span secret)
{
    if (secret.size != 0 && secret.size != HSAY_KEY_BYTES)
        return HSAY_EINVAL;
    hsay_seal_derive(keys, crypto, overlay, secret);
    return 0;
}

static int find_keys(const struct hsay_node *node, const struct hsay_overlay_config *config,
                     struct hsay_seal_keys *keys)
{
    if (config->keys == NULL && node->own_keys == NULL)
        return HSAY_EINVAL;
    if (config->keys == NULL)
        return hsay_overlay_keys(keys, &node->crypto, &config->overlay, config->secret);
    *keys = *config->keys;
    return 0;
}

/* The lowest that is free. */
static int find_place(const struct hsay_node *node, const struct hsay_seal_keys *keys, int *place)
{
    *place = -1;
    for (int i = node->overlays_max - 1; i >= 0; i--) {
        const struct hsay_overlay *o = &node->overlay[i];
        if (!o->used)
            *place = i;
        else if (memcmp(o->keys->tag, keys->tag, sizeof keys->tag) == 0)
            return HSAY_EEXIST;
    }
    return *place < 0 ? HSAY_ENOSPC : 0;
}

int hsay_node_join(struct hsay_node *node, struct hsay_now now,
                   const struct hsay_overlay_config *given, uint16_t *overlay)
{
    struct hsay_overlay_config config = *given;
    struct hsay_seal_keys keys;
    int place;
    int rc = find_keys(node, &config, &keys);
    if (rc == 0)
        rc = find_place(node, &keys, &place);
    if (rc != 0)
        return rc;
    if (config.policy > HSAY_POLICY_CODE2019 || config.ranges > HSAY_RANGES_SWEEP ||
        config.store.ops == NULL || config.wait_ms > HSAY_REQUEST_LIFETIME_MS)
        return HSAY_EINVAL;
    overlay_defaults(&config);
    if (node->own_keys != NULL) {
        node->own_keys[place] = keys;
        config.keys = &node->own_keys[place];
    }
    start_overlay(&node->overlay[place], now, &config);
    *overlay = (uint16_t)place;
    return 0;
}

int hsay_node_leave(struct hsay_node *node, uint16_t overlay)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    if (o == NULL)
        return HSAY_ENOENT;
    hsay_keyring_drop(&node->keyring, (uint8_t)overlay);
    hsay_search_leave(node, overlay);
    hsay_keeping_drop(node, overlay);
    hsay_trials_drop(node, overlay);
    o->used = false;
    return 0;
}

int hsay_node_add_peer(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                       const struct hsay_peer *given, enum hsay_bucket bucket)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    struct hsay_peer peer = *given;
    struct hsay_addr_policy policy = {.own = {node->bound, *hsay_node_bound(node, HSAY_ADDR_IP6)},
                                      .low_ports_ok = true};
    if (o == NULL)
        return HSAY_ENOENT;
    hsay_addr_normalise(&peer.addr);
    if (!hsay_addr_sendable(&peer.addr, &policy) ||
        memcmp(&peer.key, &node->key, sizeof peer.key) == 0)
        return HSAY_EINVAL;
    struct hsay_introduced told = {.addr = peer.addr, .key = peer.key};
    struct hsay_candidate *c =
        bucket == HSAY_BUCKET_INTRODUCED
            ? hsay_candidate_on_introduced(&o->candidates, now.mono, &told, &peer.addr)
            : hsay_candidate_on_named(&o->candidates, now.mono, &peer, bucket);
    if (c == NULL)
        return HSAY_ENOSPC;
    if (o->contact_at.ns == 0)
        hsay_step_refresh(o, now);
    return 0;
}

void hsay_node_set_local(struct hsay_node *node, const struct hsay_addr *bound)
{
    struct hsay_addr addr = *bound;
    hsay_addr_normalise(&addr);
    if (addr.kind == HSAY_ADDR_NONE)
        *hsay_node_bound(node, HSAY_ADDR_IP6) = addr;
    *hsay_node_bound(node, addr.kind) = addr;
}

void hsay_node_wake(struct hsay_node *node, struct hsay_now now)
{
    hsay_vote_reset(&node->votes);
    if (hsay_node_filter(node) != NULL)
        hsay_filter_reset(hsay_node_filter(node));
    hsay_search_wake(node);
    hsay_keeping_on_wake(node);
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used)
            hsay_step_refresh(&node->overlay[i], now);
}

/* ---- time ---- */

void hsay_node_outbox_need(const struct hsay_node *node, struct hsay_outbox_need *need)
{
    size_t answer = 0, pending = 0;
    for (unsigned i = 0; i < node->overlays_max; i++) {
        const struct hsay_overlay *o = &node->overlay[i];
        if (o->used && o->config.answer_bytes_max > answer)
            answer = o->config.answer_bytes_max;
        if (o->used && o->pendings.entry_max > pending)
            pending = o->pendings.entry_max;
    }
    /* A datagram that ends because the next bundle does not fit is at least so full. */
    size_t least = node->ledger.datagram_bytes > HSAY_BUNDLE_MAX_BYTES + 256u
                       ? node->ledger.datagram_bytes - HSAY_BUNDLE_MAX_BYTES
                       : 256;
    size_t datagrams = answer / least + 1 < 255 ? answer / least + 1 : 255;
    need->letters = datagrams + HSAY_CALL_LETTERS_EXTRA;
    /* After a sleep all requests are over at once. */
    need->events = 2 * pending + HSAY_CALL_EVENTS_EXTRA;
    if (need->events < HSAY_CALL_EVENTS_MAX)
        need->events = HSAY_CALL_EVENTS_MAX;
    need->bytes = need->letters * node->ledger.datagram_bytes +
                  HSAY_CALL_EVENTS_MAX / 2 * HSAY_BUNDLE_MAX_BYTES;
}

static void remove_expired(struct hsay_call *call)
{
    const struct hsay_store *store = &call->overlay->config.store;
    struct hsay_record record;
    for (int i = 0; i < 16 && call->now.wall_s != 0; i++) {
        if (store->ops->expired(store->self, call->now.wall_s, &record) != 0)
            return;
        store->ops->remove(store->self, &record.at.digest);
    }
}

/* Enough to tell a new address from the last one; never 0. */
static uint16_t name_of(const struct hsay_node *node, const struct hsay_addr *addr)
{
    uint64_t hash = hsay_salted(node->replay_salt, (const uint8_t *)addr, sizeof *addr);
    return (uint16_t)(hash | 1);
}

static void tell_address(struct hsay_call *call)
{
    struct hsay_node *node = call->node;
    for (unsigned ip6 = 0; ip6 < 2; ip6++) {
        const struct hsay_addr *seen = &node->votes.confirmed[ip6];
        uint16_t name = name_of(node, seen);
        if (seen->kind == HSAY_ADDR_NONE || name == node->told[ip6])
            continue;
        struct hsay_event *e =
            hsay_outbox_event(call->out, HSAY_EVENT_ADDRESS, call->overlay_number);
        node->told[ip6] = name;
        if (e != NULL)
            e->peer.addr = *seen;
        else
            hsay_drop(node, HSAY_DROP_OUTBOX);
    }
}

static hsay_time overlay_deadline(const struct hsay_node *node, uint16_t number)
{
    const struct hsay_overlay *o = &node->overlay[number];
    hsay_time due = hsay_time_min(o->step_due, o->mail_due);
    due = hsay_time_min(due, hsay_trials_deadline(node, number));
    due = hsay_time_min(due, hsay_keeping_deadline(node, number));
    due = hsay_time_min(due, hsay_catchup_deadline(o));
    return hsay_time_min(due, hsay_answers_deadline(o));
}

static void run_overlay(struct hsay_call *call)
{
    bool step = !hsay_time_before(call->now.mono, call->overlay->step_due);
    hsay_answers_overdue(call);
    hsay_mail_run(call);
    hsay_catchup_run(call);
    hsay_step_run(call);
    hsay_trials_run(call);
    hsay_keeping_run(call);
    if (step) { /* slow affairs, at the pace of the walk */
        hsay_trials_begin(call);
        remove_expired(call);
        tell_address(call);
    }
}

int hsay_node_on_time(struct hsay_node *node, struct hsay_now now, struct hsay_outbox *out)
{
    struct hsay_outbox_need need;
    int error = 0;
    hsay_node_outbox_need(node, &need);
    for (unsigned i = 0; i < node->overlays_max; i++) {
        struct hsay_call call;
        if (!hsay_call_begin(&call, node, now, (uint16_t)i, out) ||
            hsay_time_before(now.mono, overlay_deadline(node, (uint16_t)i)))
            continue;
        if (!hsay_outbox_has_room(out, &need))
            break; /* its deadline stays due: the caller comes again with an empty outbox */
        run_overlay(&call);
        if (error == 0)
            error = call.error;
    }
    if (hsay_outbox_has_room(out, &need))
        hsay_search_run(node, now, out);
    return error;
}

hsay_time hsay_node_deadline(const struct hsay_node *node)
{
    hsay_time due = hsay_search_deadline(node);
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used)
            due = hsay_time_min(due, overlay_deadline(node, (uint16_t)i));
    return due;
}

bool hsay_node_uses_socket(const struct hsay_node *node, struct hsay_now now, uint16_t socket)
{
    return hsay_trials_uses_socket(node, socket) || hsay_search_uses(node, now.mono, socket);
}
