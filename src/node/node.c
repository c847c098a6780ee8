/*
 * A node's life: its memory, its overlays, and time passing.
 */
#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/node/answers.h"
#include "src/node/call.h"
#include "src/node/catchup.h"
#include "src/node/mail.h"
#include "src/node/outbox.h"
#include "src/node/step.h"
#include "src/node/taking.h"

enum {
    ANSWER_BYTES_DEFAULT =
        65536, /* 54 datagrams: half of a default socket buffer, as Linux counts */
    DATAGRAM_LEAST_BYTES = HSAY_DATAGRAM_DEFAULT_BYTES,
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

static void default_u16(uint16_t *field, uint16_t value)
{
    if (*field == 0)
        *field = value;
}

static void default_u32(uint32_t *field, uint32_t value)
{
    if (*field == 0)
        *field = value;
}

void hsay_node_config_default(struct hsay_node_config *c)
{
    default_u16(&c->overlays_max, 4);
    default_u16(&c->candidates_max, 64);
    default_u16(&c->lans_max, c->candidates_max);
    default_u16(&c->pending_max, 16);
    default_u16(&c->book_max, 256);
    default_u16(&c->rumors_max, 64);
    default_u16(&c->wants_max, 16);
    default_u16(&c->voices_max, HSAY_WINDOW_VOICES_MAX);
    default_u16(&c->votes_max, HSAY_VOTE_TABLE_MAX);
    default_u16(&c->punctures_max, 32);
    default_u32(&c->keyring_max, 1024);
    default_u32(&c->ledger_max, 1024);
    default_u32(&c->gate_max, 256);
    default_u32(&c->replay_max, c->gate_max);
    default_u32(&c->datagram_bytes, HSAY_DATAGRAM_DEFAULT_BYTES);
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool is_within(uint32_t n, uint32_t least, uint32_t most)
{
    return least <= n && n <= most;
}

static bool config_is_good(const struct hsay_node_config *c)
{
    return is_within(c->overlays_max, 1, UINT8_MAX) && c->lans_max <= c->candidates_max &&
           is_within(c->voices_max, HSAY_WINDOW_SETTLES, HSAY_WINDOW_VOICES_MAX) &&
           is_within(c->votes_max, HSAY_VOTE_AGREE_GROUPS, HSAY_VOTE_TABLE_MAX) &&
           (c->keyring_max < 4 || c->keyring_max % 4 == 0) && is_power_of_two(c->ledger_max) &&
           is_power_of_two(c->gate_max) &&
           is_within(c->datagram_bytes, DATAGRAM_LEAST_BYTES, HSAY_DATAGRAM_MAX_BYTES);
}

/* ---- memory: one block, cut up in this order ---- */

struct carving {
    uint8_t *base; /* NULL: only measure */
    size_t used;
};

static size_t aligned(size_t size, size_t align)
{
    return (size + align - 1) / align * align;
}

static void *carve(struct carving *c, size_t count, size_t size, size_t align)
{
    size_t at = aligned(c->used, align);
    c->used = at + count * size;
    return c->base != NULL ? c->base + at : NULL;
}
#define CARVE(carving, count, type) carve(carving, count, sizeof(type), alignof(type))

/* Where each table of a node lies. */
struct tables {
    struct hsay_node *node;
    struct hsay_overlay *overlay;
    struct hsay_node_stats *stats;
    struct hsay_keyring_entry *keyring;
    struct hsay_ledger_entry *ledger;
    struct hsay_gate_bucket *gate;
    struct hsay_vote_entry *vote;
    struct hsay_puncture_entry *puncture;
    uint64_t *replay;
    struct hsay_candidate *candidate;
    struct hsay_candidate_lan *lan;
    struct hsay_pending *pending;
    uint64_t *newest;
    struct hsay_book_entry *book;
    struct hsay_rumor *rumor;
    struct hsay_want *want;
    struct hsay_window_voice *voice;
};

/* No request names more rumors than there are. */
static uint8_t newest_max(const struct hsay_node_config *config)
{
    return config->rumors_max < HSAY_NEWEST_MAX ? (uint8_t)config->rumors_max : HSAY_NEWEST_MAX;
}

static size_t carve_tables(struct tables *t, const struct hsay_node_config *config, void *memory)
{
    struct carving c = {memory, 0};
    size_t overlays = config->overlays_max;
    t->node = CARVE(&c, 1, struct hsay_node);
    t->overlay = CARVE(&c, overlays, struct hsay_overlay);
    t->stats = config->stats;
    if (t->stats == NULL)
        t->stats = CARVE(&c, 1, struct hsay_node_stats);
    t->vote = CARVE(&c, config->votes_max, struct hsay_vote_entry);
    t->replay = CARVE(&c, config->replay_max, uint64_t);
    t->pending = CARVE(&c, overlays * config->pending_max, struct hsay_pending);
    t->newest = CARVE(&c, overlays * config->pending_max * newest_max(config), uint64_t);
    t->rumor = CARVE(&c, overlays * config->rumors_max, struct hsay_rumor);
    t->want = CARVE(&c, overlays * config->wants_max, struct hsay_want);
    t->voice = CARVE(&c, overlays * config->voices_max, struct hsay_window_voice);
    t->candidate = CARVE(&c, overlays * config->candidates_max, struct hsay_candidate);
    t->lan = CARVE(&c, overlays * config->lans_max, struct hsay_candidate_lan);
    t->book = CARVE(&c, overlays * config->book_max, struct hsay_book_entry);
    t->keyring = CARVE(&c, config->keyring_max, struct hsay_keyring_entry);
    t->ledger = CARVE(&c, config->ledger_max, struct hsay_ledger_entry);
    t->puncture = CARVE(&c, config->punctures_max, struct hsay_puncture_entry);
    t->gate = CARVE(&c, (size_t)config->gate_max + 1, struct hsay_gate_bucket);
    return aligned(c.used, alignof(max_align_t)); /* so that nodes may stand in a row */
}

size_t hsay_node_size(const struct hsay_node_config *given)
{
    struct hsay_node_config config = *given;
    struct tables tables;
    hsay_node_config_default(&config);
    return carve_tables(&tables, &config, NULL);
}

static void init_shared(struct hsay_node *node, const struct hsay_node_config *c,
                        const struct tables *t)
{
    const struct hsay_crypto *crypto = &node->crypto;
    struct hsay_rng *rng = &node->rng;
    hsay_rng_bytes(rng, crypto, node->token_secret, sizeof node->token_secret);
    hsay_keyring_init(&node->keyring, t->keyring, c->keyring_max, hsay_rng_u64(rng, crypto));
    hsay_ledger_init(&node->ledger, t->ledger, c->ledger_max, c->datagram_bytes,
                     hsay_rng_u64(rng, crypto));
    hsay_gate_init(&node->gate, t->gate, c->gate_max, gate_rates, hsay_rng_u64(rng, crypto));
    hsay_puncture_init(&node->punctures, t->puncture, c->punctures_max, hsay_rng_u64(rng, crypto));
    hsay_vote_init(&node->votes, t->vote, (uint8_t)c->votes_max, HSAY_VOTE_AGREE_GROUPS);
    node->replay = t->replay;
    node->replay_max = c->replay_max;
    node->replay_salt = hsay_rng_u64(rng, crypto);
}

/* Hands out the memory; what is in it is set when the overlay is joined. */
static void init_overlays(struct hsay_node *node, const struct hsay_node_config *c,
                          const struct tables *t)
{
    static const struct hsay_walk_times no_times;
    for (size_t i = 0; i < c->overlays_max; i++) {
        struct hsay_overlay *o = &node->overlay[i];
        hsay_candidates_init(&o->candidates, t->candidate + i * c->candidates_max,
                             c->candidates_max, t->lan + i * c->lans_max, c->lans_max, &no_times);
        hsay_pendings_init(&o->pendings, t->pending + i * c->pending_max, c->pending_max,
                           t->newest + i * c->pending_max * newest_max(c), newest_max(c));
        hsay_book_init(&o->book, t->book + i * c->book_max, c->book_max);
        hsay_rumors_init(&o->rumors, t->rumor + i * c->rumors_max, c->rumors_max,
                         t->want + i * c->wants_max, c->wants_max);
        hsay_window_init(&o->window, t->voice + i * c->voices_max, (uint8_t)c->voices_max,
                         (hsay_time){0}, 0);
    }
}

int hsay_node_init(void *memory, const struct hsay_node_config *given,
                   const struct hsay_crypto *crypto, const uint8_t seed[32], struct hsay_now now,
                   struct hsay_node **out)
{
    struct hsay_node_config config = *given;
    struct tables tables;
    (void)now;
    hsay_node_config_default(&config);
    if (!config_is_good(&config))
        return HSAY_EINVAL;
    memset(memory, 0, carve_tables(&tables, &config, memory));
    struct hsay_node *node = tables.node;
    memcpy(node->secret, config.node_secret, sizeof node->secret);
    node->overlay = tables.overlay;
    node->overlays_max = (uint8_t)config.overlays_max;
    node->datagram_bytes = config.datagram_bytes;
    node->verify_outside = config.verify_outside;
    node->stats = tables.stats;
    node->crypto = *crypto;
    crypto->ops->node_public(crypto->self, &node->key, config.node_secret);
    hsay_rng_init(&node->rng, seed);
    init_shared(node, &config, &tables);
    init_overlays(node, &config, &tables);
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
    default_u32(&c->step_ms, HSAY_STEP_MS);
    default_u32(&c->answer_bytes, ANSWER_BYTES_DEFAULT);
    default_u32(&c->answer_bytes_max, ANSWER_BYTES_DEFAULT);
    default_u32(&c->mail_fanout, HSAY_MAIL_FANOUT);
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
        .again_ms = (uint32_t)(HSAY_WALK_AGAIN_MS * part / HSAY_STEP_MS),
    };
}

static void start_overlay(struct hsay_overlay *o, struct hsay_now now,
                          const struct hsay_overlay_config *config,
                          const struct hsay_seal_keys *keys)
{
    struct hsay_store_info info;
    struct hsay_walk_times times = walk_times(config->step_ms);
    o->config = (struct hsay_overlay_ways){
        .store = config->store,
        .step_ms = config->step_ms,
        .answer_bytes = config->answer_bytes,
        .answer_bytes_max = config->answer_bytes_max,
        .mail_fanout = config->mail_fanout,
        .policy = config->policy,
        .fixed_step = config->fixed_step,
        .pull_only = config->pull_only,
        .no_step = config->no_step,
    };
    o->keys = *keys;
    config->store.ops->info(config->store.self, &info);
    hsay_candidates_init(&o->candidates, o->candidates.entry, o->candidates.entry_max,
                         o->candidates.lan, o->candidates.lan_max, &times);
    hsay_pendings_init(&o->pendings, o->pendings.entry, o->pendings.entry_max, o->pendings.newest,
                       o->pendings.newest_max);
    hsay_book_init(&o->book, o->book.entry, o->book.entry_max);
    hsay_rumors_init(&o->rumors, o->rumors.entry, o->rumors.entry_max, o->rumors.want,
                     o->rumors.want_max);
    hsay_window_init(&o->window, o->window.voice, o->window.voice_max, now.mono, info.time_max);
    hsay_claims_init(&o->claims, config->policy);
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

int hsay_node_join(struct hsay_node *node, struct hsay_now now,
                   const struct hsay_overlay_config *given, uint16_t *overlay)
{
    struct hsay_overlay_config config = *given;
    struct hsay_seal_keys keys;
    int place = -1;
    if (config.secret.size != 0 && config.secret.size != HSAY_KEY_BYTES)
        return HSAY_EINVAL;
    hsay_seal_derive(&keys, &node->crypto, &config.overlay, config.secret);
    for (int i = node->overlays_max - 1; i >= 0; i--) {
        struct hsay_overlay *o = &node->overlay[i];
        if (!o->used)
            place = i;
        else if (memcmp(o->keys.tag, keys.tag, sizeof keys.tag) == 0)
            return HSAY_EEXIST;
    }
    if (place < 0)
        return HSAY_ENOSPC;
    if (config.policy > HSAY_POLICY_CODE2019 || config.store.ops == NULL)
        return HSAY_EINVAL;
    overlay_defaults(&config);
    start_overlay(&node->overlay[place], now, &config, &keys);
    *overlay = (uint16_t)place;
    return 0;
}

int hsay_node_leave(struct hsay_node *node, uint16_t overlay)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    if (o == NULL)
        return HSAY_ENOENT;
    hsay_keyring_drop(&node->keyring, (uint8_t)overlay);
    o->used = false;
    return 0;
}

int hsay_node_add_peer(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                       const struct hsay_peer *given, enum hsay_bucket bucket)
{
    struct hsay_overlay *o = hsay_node_overlay(node, overlay);
    struct hsay_peer peer = *given;
    struct hsay_addr_policy policy = {.own = {node->bound}, .low_ports_ok = true};
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
    node->bound = *bound;
    hsay_addr_normalise(&node->bound);
}

void hsay_node_wake(struct hsay_node *node, struct hsay_now now)
{
    hsay_vote_reset(&node->votes);
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used)
            hsay_step_refresh(&node->overlay[i], now);
}

/* ---- time ---- */

void hsay_node_outbox_need(const struct hsay_node *node, struct hsay_outbox_need *need)
{
    size_t answer = 0;
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used && node->overlay[i].config.answer_bytes_max > answer)
            answer = node->overlay[i].config.answer_bytes_max;
    /* A datagram that ends because the next bundle does not fit is at least so full. */
    size_t least = node->datagram_bytes > HSAY_BUNDLE_MAX_BYTES + 256u
                       ? node->datagram_bytes - HSAY_BUNDLE_MAX_BYTES
                       : 256;
    size_t datagrams = answer / least + 1 < 255 ? answer / least + 1 : 255;
    need->letters = datagrams + HSAY_CALL_LETTERS_EXTRA;
    need->events = HSAY_CALL_EVENTS_MAX;
    need->bytes =
        need->letters * node->datagram_bytes + HSAY_CALL_EVENTS_MAX / 2 * HSAY_BUNDLE_MAX_BYTES;
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

static void tell_address(struct hsay_call *call)
{
    struct hsay_node *node = call->node;
    static const uint8_t families[] = {HSAY_ADDR_IP6, HSAY_ADDR_IP4};
    for (size_t i = 0; i < sizeof families; i++) {
        struct hsay_vote_result seen;
        hsay_vote_result(&node->votes, call->now.mono, families[i], &node->bound, &seen);
        if (!seen.confirmed || hsay_addr_equal(&seen.addr, &node->known_address))
            continue;
        struct hsay_event *e =
            hsay_outbox_event(call->out, HSAY_EVENT_ADDRESS, call->overlay_number);
        node->known_address = seen.addr;
        if (e != NULL)
            e->peer.addr = seen.addr;
        return;
    }
}

static hsay_time overlay_deadline(const struct hsay_overlay *o)
{
    hsay_time due = hsay_time_min(o->step_due, o->mail_due);
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
    if (step) { /* slow affairs, at the pace of the walk */
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
            hsay_time_before(now.mono, overlay_deadline(call.overlay)))
            continue;
        if (!hsay_outbox_has_room(out, &need))
            break; /* its deadline stays due: the caller comes again with an empty outbox */
        run_overlay(&call);
        if (error == 0)
            error = call.error;
    }
    return error;
}

hsay_time hsay_node_deadline(const struct hsay_node *node)
{
    hsay_time due = HSAY_TIME_NEVER;
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used)
            due = hsay_time_min(due, overlay_deadline(&node->overlay[i]));
    return due;
}
