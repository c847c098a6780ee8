/*
 * Invariants of what a host holds, and of what it says that it holds.
 *
 * The registry knows each bundle that a host published and committed.  Of a bundle that it does not
 * know somebody else may be the author (an attacker, or who filled stores before the run): then its
 * signature is to be one that was really made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/bundle.h"
#include "src/lab/sim/invariant_parts.h"
#include "src/lab/sim/memory.h"
#include "src/node/state.h"

enum { CLAIM_WORK_MAX = 4096, REGISTRY_FIRST = 64 };

/* ---- the registry ---- */

static uint8_t *fate_of(struct lab_registry *registry, uint32_t number)
{
    if (number >= registry->fate_max) {
        uint32_t max = registry->fate_max != 0 ? registry->fate_max : REGISTRY_FIRST;
        while (max <= number)
            max *= 2;
        registry->fate = lab_realloc(registry->fate, max);
        memset(registry->fate + registry->fate_max, 0, max - registry->fate_max);
        registry->fate_max = max;
    }
    return &registry->fate[number];
}

static enum lab_fate known_fate(const struct lab_registry *registry, uint32_t number)
{
    return number < registry->fate_max ? (enum lab_fate)registry->fate[number] : LAB_FATE_UNKNOWN;
}

static void enter(struct lab_registry *registry, struct lab_watched *watched,
                  const struct lab_published *published)
{
    if (registry->count == registry->max) {
        registry->max = registry->max != 0 ? 2 * registry->max : REGISTRY_FIRST;
        registry->entry = lab_realloc(registry->entry, registry->max * sizeof *registry->entry);
    }
    struct lab_published *entry = &registry->entry[registry->count++];
    *entry = *published;
    if (watched == NULL)
        return;
    entry->before = watched->own;
    watched->own = registry->count;
}

/* The bytes of a new bundle have the id that their digest is a half of. */
static bool is_whole(const struct lab_sim *sim, const struct hsay_event *e)
{
    const struct hsay_crypto *crypto = &sim->crypto.sodium;
    uint8_t id[HSAY_ID_BYTES];
    crypto->ops->hash(crypto->self, id, sizeof id, (struct hsay_span){NULL, 0}, &e->bytes, 1);
    return memcmp(id, &e->position.digest, HSAY_DIGEST_BYTES) == 0;
}

static const struct hsay_event *publication_of(const struct hsay_outbox *out)
{
    for (size_t i = 0; i < out->event_count; i++)
        if (out->event[i].kind == HSAY_EVENT_BUNDLE && out->event[i].own)
            return &out->event[i];
    return NULL;
}

void lab_invariant_publication(struct lab_invariants *all, struct lab_turn *turn)
{
    const struct hsay_event *e = publication_of(turn->call->out);
    uint32_t number;
    if (e == NULL || lab_depot_find(&all->sim->depot, &e->position.digest, &number) != 0)
        return;
    bool committed = turn->end == LAB_TURN_COMMITTED;
    *fate_of(&all->registry, number) = committed ? LAB_FATE_PUBLISHED : LAB_FATE_TAKEN_BACK;
    if (!is_whole(all->sim, e))
        lab_turn_broke(turn, LAB_INVARIANT_ALTERED, "a publication's digest is not of its bytes");
    if (!committed)
        return;
    struct lab_published published = {
        .digest = e->position.digest, .host = turn->call->host, .wipes = turn->host->wipes};
    enter(&all->registry, turn->watched, &published);
}

bool lab_invariants_published(const struct lab_invariants *all, const struct hsay_digest *digest)
{
    uint32_t number;
    return lab_depot_find(&all->sim->depot, digest, &number) == 0 &&
           known_fate(&all->registry, number) == LAB_FATE_PUBLISHED;
}

void lab_invariant_own(struct lab_invariants *all, struct lab_watched *watched, const char *when)
{
    const struct lab_host *host = &all->sim->host[watched->number];
    char text[100];
    for (uint32_t i = watched->own; i != 0; i = all->registry.entry[i - 1].before) {
        const struct lab_published *p = &all->registry.entry[i - 1];
        if (p->wipes != host->wipes || lab_store_holds(&host->store, &p->digest))
            continue;
        snprintf(text, sizeof text, "%s it does not hold its own bundle number %u", when, i);
        lab_invariants_tell(all, LAB_INVARIANT_LOST, watched->number, text);
    }
}

/* ---- what is stored ---- */

static void broke_bundle(struct lab_turn *turn, enum lab_invariant invariant,
                         const struct hsay_event *e, const char *what)
{
    const uint8_t *d = e->position.digest.byte;
    lab_turn_broke(turn, invariant, "bundle %02x%02x%02x%02x of time %llu: %s", d[0], d[1], d[2],
                   d[3], (unsigned long long)e->position.time, what);
}

/* Nobody told us of it; then at least its author signed it. */
static bool is_signed(const struct lab_turn *turn, const struct hsay_event *e)
{
    struct lab_crypto own;
    struct hsay_bundle b;
    lab_crypto_init(&own, &turn->all->sim->crypto);
    struct hsay_crypto port = lab_crypto_port(&own);
    return hsay_bundle_decode(&b, &port, e->bytes) == 0 &&
           memcmp(&b.digest, &e->position.digest, sizeof b.digest) == 0 &&
           hsay_bundle_verify(&b, &port, &turn->all->sim->overlay);
}

static void check_bytes(struct lab_turn *turn, const struct hsay_event *e)
{
    const struct lab_depot *depot = &turn->all->sim->depot;
    uint32_t number;
    if (lab_depot_find(depot, &e->position.digest, &number) != 0) {
        broke_bundle(turn, LAB_INVARIANT_UNPUBLISHED, e, "no store ever held it");
        return;
    }
    const struct hsay_record *r = &lab_depot_at(depot, number)->record;
    if (r->bytes.size != e->bytes.size ||
        memcmp(r->bytes.data, e->bytes.data, e->bytes.size) != 0 || r->at.time != e->position.time)
        broke_bundle(turn, LAB_INVARIANT_ALTERED, e, "not the bytes that were published");
    enum lab_fate fate = known_fate(&turn->all->registry, number);
    if (fate == LAB_FATE_TAKEN_BACK)
        broke_bundle(turn, LAB_INVARIANT_UNPUBLISHED, e, "its author could not commit it");
    else if (fate == LAB_FATE_UNKNOWN && !is_signed(turn, e))
        broke_bundle(turn, LAB_INVARIANT_UNPUBLISHED, e, "nobody signed it");
}

static void check_source(struct lab_turn *turn, const struct hsay_event *e)
{
    const struct hsay_packet *packet = turn->call->packet;
    if (packet == NULL)
        broke_bundle(turn, LAB_INVARIANT_STRANGER, e, "stored though no packet came");
    else if (!turn->answer && !lab_invariant_awaited(turn, &packet->from) &&
             !lab_turn_has_token(turn))
        broke_bundle(turn, LAB_INVARIANT_STRANGER, e, "from who was not asked and shows no token");
}

static void check_bundle(struct lab_turn *turn, const struct hsay_event *e)
{
    const struct hsay_window *window = &turn->host->node->overlay[0].window;
    if (!lab_store_holds(&turn->host->store, &e->position.digest))
        broke_bundle(turn, LAB_INVARIANT_LOST, e, "told of, but not in the store");
    if (e->position.time > window->limit)
        broke_bundle(turn, LAB_INVARIANT_WINDOW, e, "its time is above the bound");
    if (!e->own) {
        check_bytes(turn, e);
        check_source(turn, e);
    }
}

/* ---- how much is stored ---- */

static uint64_t count_events(const struct hsay_outbox *out, enum hsay_event_kind kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < out->event_count; i++)
        count += out->event[i].kind == kind;
    return count;
}

/* Other hands than the host's may have filled its store before this call, but taken nothing. */
void lab_invariant_before_commit(struct lab_turn *turn)
{
    struct lab_watched *w = turn->watched;
    uint64_t held = lab_store_count(&turn->host->store);
    uint64_t put = count_events(turn->call->out, HSAY_EVENT_BUNDLE);
    w->base = held > put ? held - put : 0;
    if (w->base < w->durable && count_events(turn->call->out, HSAY_EVENT_FORK) == 0)
        lab_turn_broke(turn, LAB_INVARIANT_LOST, "of %llu bundles %llu are left",
                       (unsigned long long)w->durable, (unsigned long long)w->base);
}

static void check_count(struct lab_turn *turn)
{
    struct lab_watched *w = turn->watched;
    uint64_t held = lab_store_count(&turn->host->store);
    bool committed = turn->end == LAB_TURN_COMMITTED;
    uint64_t put = committed ? count_events(turn->call->out, HSAY_EVENT_BUNDLE) : 0;
    if (held < w->base + put)
        lab_turn_broke(turn, LAB_INVARIANT_LOST, "%llu bundles where %llu should be",
                       (unsigned long long)held, (unsigned long long)(w->base + put));
    else if (held > w->base + put)
        lab_turn_broke(turn, LAB_INVARIANT_UNSYNCED, "%llu bundles where %llu should be",
                       (unsigned long long)held, (unsigned long long)(w->base + put));
    w->durable = held;
}

/* ---- what is claimed ---- */

static bool holds_so_many(const struct lab_turn *turn, const struct hsay_event *e, uint8_t slicing)
{
    struct hsay_store store = lab_store_port((struct lab_store *)&turn->host->store);
    struct hsay_range range = {
        .time_low = e->number[HSAY_STEP_TIME_LOW],
        .time_high = e->number[HSAY_STEP_TIME_HIGH],
        .modulo = (uint32_t)e->number[HSAY_STEP_MODULO],
        .offset = (uint32_t)e->number[HSAY_STEP_OFFSET],
        .slicing = slicing,
    };
    struct hsay_sum sum;
    int rc = store.ops->sum(store.self, &range, CLAIM_WORK_MAX, &sum);
    return rc != 0 || e->number[HSAY_STEP_CLAIM_COUNT] <= sum.count; /* too much work: not known */
}

/* The event does not say how the range is sliced: by digest, or as Dispersy did, by time. */
static void check_claim(struct lab_turn *turn, const struct hsay_event *e)
{
    bool sliced = e->number[HSAY_STEP_MODULO] > 1;
    if (e->number[HSAY_STEP_CLAIM_KIND] == 0 ||
        holds_so_many(turn, e, sliced ? HSAY_SLICE_DIGEST : HSAY_SLICE_NONE) ||
        (sliced && turn->all->sim->config.overlay.policy == HSAY_POLICY_PAPER &&
         holds_so_many(turn, e, HSAY_SLICE_TIME)))
        return;
    lab_turn_broke(turn, LAB_INVARIANT_CLAIM, "a claim counts %llu bundles, more than it holds",
                   (unsigned long long)e->number[HSAY_STEP_CLAIM_COUNT]);
}

void lab_invariant_store(struct lab_turn *turn)
{
    const struct hsay_outbox *out = turn->call->out;
    bool fork = count_events(out, HSAY_EVENT_FORK) != 0;
    if (!fork)
        check_count(turn);
    turn->watched->durable = lab_store_count(&turn->host->store);
    if (fork && turn->all->sim->config.extra == 0)
        lab_turn_broke(turn, LAB_INVARIANT_FORK, "an author signed two bundles for one place");
    for (size_t i = 0; turn->end == LAB_TURN_COMMITTED && i < out->event_count; i++) {
        const struct hsay_event *e = &out->event[i];
        if (e->kind == HSAY_EVENT_BUNDLE)
            check_bundle(turn, e);
        else if (e->kind == HSAY_EVENT_STEP)
            check_claim(turn, e);
    }
}
