#include "src/node/step.h"

#include "src/node/catchup.h"
#include "src/node/keeping.h"
#include "src/node/own_nat.h"
#include "src/node/request.h"
#include "src/node/way.h"

enum {
    /* While fresh, a step every quarter second (a twentieth of the step) as long as there is
     * somebody new to visit, or more are known than at the step before, and the table is not well
     * filled: with one tracker and twenty nodes all know nearly all after ten seconds.  When
     * nobody new was found for some steps in a row, the gap doubles each time. */
    FRESH_MS = 10000,
    FRESH_DIVISOR = 20,
    WELL_FILLED = 20,
    STALE_MAX = 10,
    /* Introductions are asked for in each request while nearly alone, and while fresh until as many
     * are known as a table should hold; afterwards as the walk needs them. */
    ALONE_BELOW = 3,
    INTRODUCE_BELOW = 24,
    /* One step of so many looks into the address book even if many are contacted: they may all be
     * on this side of a cut, and nobody but the book remembers the other. */
    BOOK_EVERY = 16,
    /* Of the places for requests, visits are returned within a half, for the visitors may be one
     * machine with many keys that never answers; the walk goes on within three quarters; the rest
     * is for catching up. */
    PLACES_PARTS = 4,
    PLACES_RETURN_VISITS = 2,
    PLACES_WALK = 3,
    /* Seven new votes outnumber the old ones of a full table of twelve; some are lost. */
    ASK_AROUND_STEPS = 12,
    ASK_AROUND_EVERY_S = 60,
};

static bool has_places(const struct hsay_overlay *o, unsigned parts)
{
    return hsay_pending_count(&o->pendings) * PLACES_PARTS < (size_t)o->pendings.entry_max * parts;
}

/* A small table can not hold as many: three quarters of it will do.  A large one is that of a
 * tracker, which should have more to introduce than the same twenty to everybody. */
static unsigned well_filled(const struct hsay_overlay *o)
{
    unsigned most = o->candidates.entry_max - o->candidates.entry_max / 4u;
    unsigned enough = WELL_FILLED;
    if (o->candidates.entry_max / 4u > enough)
        enough = o->candidates.entry_max / 4u;
    return most < enough ? most : enough;
}

void hsay_step_refresh(struct hsay_overlay *o, struct hsay_now now)
{
    o->fresh_until =
        hsay_time_add_ms(now.mono, FRESH_MS * (uint64_t)o->config.step_ms / HSAY_STEP_MS);
    o->fresh_gap_ms = o->config.step_ms / FRESH_DIVISOR;
    if (!o->config.no_step)
        o->step_due = now.mono;
}

static uint16_t second_of(const struct hsay_call *call)
{
    return (uint16_t)(call->now.mono.ns / 1000000000u);
}

/* The second comes round after 18 hours: then, at worst, one minute is waited for too much. */
void hsay_step_ask_around(struct hsay_call *call, bool elsewhere)
{
    struct hsay_overlay *o = call->overlay;
    if (!elsewhere) {
        o->asking_left /= 2;
        return;
    }
    uint16_t since_s = (uint16_t)(second_of(call) - o->asking_s);
    if (o->config.fixed_step || o->config.no_step || o->config.policy != HSAY_POLICY_HEARSAY ||
        (since_s < ASK_AROUND_EVERY_S && o->asking_s != 0))
        return;
    o->asking_s = second_of(call);
    o->asking_left = ASK_AROUND_STEPS;
    o->step_due = call->now.mono;
}

void hsay_step_on_moved(struct hsay_call *call)
{
    call->overlay->asking_s = 0;
}

static bool is_fresh(const struct hsay_call *call)
{
    return hsay_time_before(call->now.mono, call->overlay->fresh_until);
}

/* Candidates that are alive; contacted ones; and of these, those that the operator did not name and
 * that answered last time. */
struct company {
    unsigned known, contacted, own;
};

static struct company company(const struct hsay_call *call)
{
    const struct hsay_candidates *table = &call->overlay->candidates;
    struct company all = {0};
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        enum hsay_bucket bucket = hsay_candidate_bucket(table, c, call->now.mono);
        if (bucket == HSAY_BUCKET_NONE || bucket == HSAY_BUCKET_BOOK ||
            hsay_candidate_is_silent(table, c, call->now.mono))
            continue;
        bool contacted = hsay_candidate_is_contacted(table, c, call->now.mono);
        all.known++;
        all.contacted += contacted;
        all.own += contacted && (c->marks & HSAY_MARK_TRUSTED) == 0 && c->timeouts == 0;
    }
    return all;
}

/* A step early or late by up to an eighth keeps nodes that started together from walking in step.
 */
static uint64_t with_jitter(struct hsay_call *call, uint64_t ms)
{
    struct hsay_node *node = call->node;
    if (call->overlay->config.fixed_step)
        return ms;
    return ms - ms / 8 + hsay_rng_below(&node->rng, &node->crypto, ms / 4 + 1);
}

static void plan_next(struct hsay_call *call, unsigned contacted, bool somebody_new)
{
    struct hsay_overlay *o = call->overlay;
    uint64_t ms = hsay_catchup_step_ms(call);
    if (is_fresh(call) && !o->config.fixed_step && contacted < well_filled(o)) {
        if (somebody_new)
            o->stale = 0;
        else if (o->stale < UINT8_MAX)
            o->stale++;
        if (o->stale == 0)
            o->fresh_gap_ms = o->config.step_ms / FRESH_DIVISOR;
        else if (o->stale >= STALE_MAX && o->fresh_gap_ms <= UINT32_MAX / 2)
            o->fresh_gap_ms *= 2;
        ms = o->fresh_gap_ms < ms ? o->fresh_gap_ms : ms;
    }
    if (o->asking_left > 0 && ms > o->config.step_ms / FRESH_DIVISOR)
        ms = o->config.step_ms / FRESH_DIVISOR;
    o->step_due = hsay_time_add_ms(call->now.mono, with_jitter(call, ms != 0 ? ms : 1));
}

/* One of those that answered us some day becomes a candidate again. */
static void open_book(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    size_t count = 0;
    while (hsay_book_at(&o->book, count) != NULL)
        count++;
    if (count == 0)
        return;
    size_t index = hsay_rng_below(&call->node->rng, &call->node->crypto, count);
    const struct hsay_peer *peer = hsay_book_at(&o->book, index);
    struct hsay_peer place = {.addr = peer->addr};
    struct hsay_candidate *there = hsay_candidate_find(&o->candidates, &place);
    if (there == NULL ||
        hsay_candidate_bucket(&o->candidates, there, call->now.mono) == HSAY_BUCKET_NONE)
        hsay_candidate_on_named(&o->candidates, call->now.mono, peer, HSAY_BUCKET_BOOK);
}

static bool was_network_asked(const struct hsay_call *call, uint32_t group, uint64_t within_ms)
{
    const struct hsay_candidates *table = &call->overlay->candidates;
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        if (c->group == group && (c->marks & HSAY_MARK_USED) != 0 &&
            hsay_candidate_age_ms(table, c->asked_at, call->now.mono) <= within_ms)
            return true;
    }
    return false;
}

/* One that we know, of a network that was not asked yet: each has one vote. */
static struct hsay_candidate *next_to_ask(const struct hsay_call *call)
{
    const struct hsay_overlay *o = call->overlay;
    uint64_t since_ms = 1000 * (1 + (uint64_t)(uint16_t)(second_of(call) - o->asking_s));
    for (size_t i = 0; i < o->candidates.entry_max; i++) {
        struct hsay_candidate *c = &o->candidates.entry[i];
        if (hsay_candidate_is_contacted(&o->candidates, c, call->now.mono) &&
            !was_network_asked(call, c->group, since_ms))
            return c;
    }
    return NULL;
}

/* Whom the walk says; and where it has nobody for now, because all were visited lately, a peer that
 * we know: in a small overlay there is nobody else, and things may have changed there. */
static struct hsay_candidate *choose(struct hsay_call *call, enum hsay_bucket *bucket, bool *is_new)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_chance chance = hsay_call_chance(call);
    struct hsay_candidate *behind = hsay_catchup_partner(call);
    bool doubted = hsay_catchup_is_in_vain(call) && o->steps % 2 == 0;
    if (o->config.fixed_step && o->config.policy == HSAY_POLICY_HEARSAY && behind != NULL &&
        !doubted) {
        *is_new = false; /* its step is all that a node of fixed pace has to catch up with */
        *bucket = hsay_candidate_bucket(&o->candidates, behind, call->now.mono);
        return behind;
    }
    struct hsay_candidate *c = o->asking_left > 0 ? next_to_ask(call) : NULL;
    if (o->asking_left > 0)
        o->asking_left--;
    if (c != NULL) {
        *is_new = false;
        *bucket = hsay_candidate_bucket(&o->candidates, c, call->now.mono);
        return c;
    }
    c = hsay_walk_visit(&o->walk, &o->candidates, call->now.mono, &chance, bucket);
    *is_new = c != NULL && c->contacted_at == 0;
    if (c != NULL || o->config.policy != HSAY_POLICY_HEARSAY)
        return c;
    c = hsay_walk_sync_partner(&o->walk, &o->candidates, call->now.mono, &chance);
    if (c != NULL)
        *bucket = hsay_candidate_bucket(&o->candidates, c, call->now.mono);
    return c;
}

/* For certain: before others have said where they see us, all may be as it seems. */
static bool is_behind_nat(const struct hsay_call *call, uint8_t family)
{
    return hsay_own_nat_seen(call->node, call->now.mono, family).kind != HSAY_NAT_UNKNOWN &&
           (hsay_own_nat_flags(call, family) & HSAY_NAT_IS_PUBLIC) == 0;
}

/* A trusted one is asked by everybody, and would make those that it knows known to all: only
 * whoever has nobody else, or has lost them, asks it. */
static bool wants_introduction(struct hsay_call *call, const struct hsay_candidate *to,
                               enum hsay_bucket from, const struct company *all)
{
    struct hsay_overlay *o = call->overlay;
    if (o->config.fixed_step || o->config.policy != HSAY_POLICY_HEARSAY ||
        all->contacted < ALONE_BELOW || all->own == 0)
        return true;
    if (is_fresh(call))
        return all->known < INTRODUCE_BELOW;
    return from != HSAY_BUCKET_TRUSTED &&
           !hsay_walk_is_out_of_turn(to, from, is_behind_nat(call, to->addr.kind)) &&
           hsay_walk_wants_introduction(&o->walk, &o->candidates, call->now.mono, o->steps);
}

void hsay_step_run(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    if (hsay_time_before(call->now.mono, o->step_due))
        return;
    bool is_new;
    const struct company all = company(call);
    struct hsay_request_plan plan = {0};
    o->steps++;
    if (all.contacted < ALONE_BELOW || o->steps % BOOK_EVERY == 0)
        open_book(call);
    plan.to = choose(call, &plan.bucket, &is_new);
    plan_next(call, all.contacted, is_new || all.known > o->known);
    o->known = all.known;
    if (plan.to == NULL || !has_places(o, PLACES_WALK))
        return;
    plan.introduce = wants_introduction(call, plan.to, plan.bucket, &all);
    plan.claim_kind = hsay_catchup_claim_kind(call, plan.to);
    uint64_t id;
    if (hsay_request_send(call, &plan, &id))
        hsay_catchup_on_step(call, id);
    hsay_way_try(call, plan.to);
}

void hsay_step_hasten(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    if (!o->config.fixed_step && !o->config.no_step && o->config.policy == HSAY_POLICY_HEARSAY)
        o->step_due = hsay_time_min(o->step_due, call->now.mono);
}

void hsay_step_return_visit(struct hsay_call *call, struct hsay_candidate *c)
{
    struct hsay_overlay *o = call->overlay;
    const struct company all = company(call);
    if (o->config.fixed_step || o->config.no_step || o->config.policy != HSAY_POLICY_HEARSAY ||
        all.contacted >= (is_fresh(call) ? well_filled(o) : ALONE_BELOW) ||
        !has_places(o, PLACES_RETURN_VISITS))
        return;
    struct hsay_request_plan plan = {.to = c,
                                     .bucket = HSAY_BUCKET_REQUESTED,
                                     .claim_kind = HSAY_CLAIM_SUM,
                                     .introduce =
                                         wants_introduction(call, c, HSAY_BUCKET_REQUESTED, &all)};
    uint64_t id;
    hsay_request_send(call, &plan, &id);
    hsay_way_try(call, c);
}

void hsay_step_hand_on(struct hsay_call *call, struct hsay_candidate *c)
{
    struct hsay_overlay *o = call->overlay;
    if (o->catchup.synced && !is_fresh(call) && !hsay_keeping_pays_for(call, c))
        hsay_walk_hand_on(&o->walk, &o->candidates, call->now.mono, c);
}
