#include "src/node/catchup.h"

#include <string.h>

#include "src/node/outbox.h"
#include "src/node/request.h"
#include "src/walk/peer.h"

enum {
    /* A first request for 16 KiB fits any socket buffer; 4 KiB is below what one step of Dispersy's
     * asks for. */
    BUDGET_FIRST_BYTES = 16384,
    BUDGET_MIN_BYTES = 4096,
    /* With more than a quarter of an answer lost we ask for less, else for more.  Bad paths lose a
     * tenth by chance, and then a quarter of many datagrams hardly ever. */
    LOSS_MANY = 4,
    /* Filters in a row that brought nothing: one false positive in a hundred hides a bundle from
     * one, one in 10,000 from two. */
    QUIET_MAX = 2,
    /* What a filter in a datagram holds, at least: below that, one filter is enough for all; and a
     * slice of so many is worth a filter instead of a closer look. */
    FILTER_HOLDS = 800,
    /* Answers in a row that brought nothing, whatever the peer says of itself, and it is left to
     * the walk.  With a difference in every third slice, and every second request for the newest,
     * one request in seven finds something: 32 in vain come of it once in a hundred times.  The
     * first cost nothing but the round trip; then each waits 50 ms longer than the last, 15 s in
     * all. */
    QUIET_ENOUGH = 32,
    QUIET_AT_ONCE = 8,
    QUIET_DELAY_MS = 50,
    /* Claims of others that were followed in a row, and nothing new came: from the second on the
     * delay doubles, up to a step. */
    HINTS_AT_ONCE = 2,
    HINTS_MAX = 8,
    /* A closer look halves the slice for 260 bytes each time, log2(slices) times; a filter costs
     * 1,300 and sweeps one slice.  So zooming pays up to a difference in every third slice. */
    ZOOM_SHARE = 3,
    /* The whole digest space, in the unit that sweeps are counted in: the smallest slice. */
    SWEPT_ALL = HSAY_MODULO_MAX,
    /* After so many comparisons in a row found the same, none was lost, and nobody claimed more,
     * the step may stretch to twice its length.  No more: who was passed over by mail and rumor
     * learns of news by its own step alone. */
    SAMES_BEFORE_STRETCH = 6,
    STRETCH_MAX = 2,
    /* Behind a filter, of which only a part was looked at, what the asker seems to hold and we lack
     * is an estimate.  Counts alone are exact: one bundle that nobody else has is worth a look. */
    LACKING_NOISE = 64,
    /* A difference that was found may be on its way already (mail, an answer to another). */
    CLAIM_DELAY_MS = 20,
    /* News come in bursts, and each look costs a datagram: so few that are known to be missing, the
     * false positives of filters before, may wait for the next burst. */
    LEVEL_DELAY_MS = 50,
    FEW = 16,
    /* A hot node's step: half a second to a second instead of five. */
    HOT_DIVISOR = 10,
    VAIN_MAX = 3,
    /* Steps in a row that were lost and are taken again at once. */
    LOSSES_MAX = 3,
    /* No store is larger; what a peer says may be anything. */
    COUNT_MAX = 1 << 30,
    /* Nobody can be asked now: all that we know, or all that we may, are being waited for. */
    BUSY_DELAY_MS = 500,
};

void hsay_catchup_init(struct hsay_catchup *c)
{
    memset(c, 0, sizeof *c);
    c->due = HSAY_TIME_NEVER;
    c->next_kind = HSAY_CLAIM_BLOOM;
    c->budget_bytes = BUDGET_FIRST_BYTES;
}

static bool is_everything(const struct hsay_range *r)
{
    return r->slicing == HSAY_SLICE_NONE && r->time_low == 0 && r->time_high == HSAY_TIME_MAX;
}

static uint64_t held(const struct hsay_call *call)
{
    const struct hsay_store *store = &call->overlay->config.store;
    struct hsay_store_info info;
    store->ops->info(store->self, &info);
    return info.bundles;
}

/* What a peer holds of a range says about how much it holds in all. */
static void note_holds(struct hsay_catchup *c, const struct hsay_peer *peer,
                       const struct hsay_range *range, uint64_t count)
{
    uint64_t all = (count < COUNT_MAX ? count : COUNT_MAX) * range->modulo;
    bool same_peer = hsay_peer_name(&peer->key) == c->richest;
    if ((range->slicing == HSAY_SLICE_NONE && !is_everything(range)) ||
        (all < c->richest_holds && !same_peer))
        return;
    c->richest = hsay_peer_name(&peer->key);
    c->richest_holds = all;
}

static void set_synced(struct hsay_call *call, bool synced)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    if (c->synced == synced)
        return;
    c->synced = synced;
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_SYNCED, call->overlay_number);
    if (e != NULL)
        e->number[0] = synced;
    else
        hsay_drop(call->node, HSAY_DROP_OUTBOX);
}

/* with: 0 if whoever it was stays. */
static void ask_at(struct hsay_call *call, hsay_time at, uint64_t with)
{
    struct hsay_overlay *o = call->overlay;
    if (with != 0)
        o->catchup.with = with;
    if (!o->config.fixed_step && !o->config.no_step)
        o->catchup.due = hsay_time_min(o->catchup.due, at);
}

static void next_claim(struct hsay_catchup *c, uint8_t kind, const struct hsay_range *range)
{
    c->next_kind = kind;
    c->next_ranged = range != NULL;
    if (range != NULL)
        c->next_range = *range;
}

static void forget_peer(struct hsay_catchup *c)
{
    c->zooming = false;
    c->levelled = false;
    c->newest_same = false;
    c->quiet = 0;
    c->behind = 0;
    c->swept = 0;
}

/* News make a node hot: its next step comes after a tenth of the usual time, to pass them on and to
 * see whether there are more; and so on until a peer has nothing new to say.  A node that is not
 * the same as the last it asked goes on as well, twice as slow each time that this was in vain. */
static void step_soon(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_catchup *c = &o->catchup;
    if (c->brought)
        c->vain = 0;
    else if (c->synced || c->vain >= VAIN_MAX)
        return;
    if (o->config.fixed_step || o->config.no_step)
        return;
    uint64_t ms = (uint64_t)(o->config.step_ms / HOT_DIVISOR) << c->vain;
    c->vain = c->brought ? 0 : (uint8_t)(c->vain + 1);
    c->brought = false;
    ms += hsay_rng_below(&call->node->rng, &call->node->crypto, ms + 1);
    o->step_due = hsay_time_min(o->step_due, hsay_time_add_ms(call->now.mono, ms));
}

/* A new dialogue: compare first, since what it lacked may have come from elsewhere by then. */
static void begin_with(struct hsay_call *call, uint64_t peer, uint64_t delay_ms)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    if (c->hints >= HINTS_AT_ONCE)
        delay_ms = (uint64_t)CLAIM_DELAY_MS << c->hints;
    if (delay_ms > call->overlay->config.step_ms)
        delay_ms = call->overlay->config.step_ms;
    if (c->hints < HINTS_MAX)
        c->hints++;
    forget_peer(c);
    next_claim(c, HSAY_CLAIM_SUM, NULL);
    ask_at(call, hsay_time_add_ms(call->now.mono, delay_ms), peer);
    c->called = c->due.ns != HSAY_TIME_NEVER.ns;
}

uint8_t hsay_catchup_claim_kind(const struct hsay_call *call, const struct hsay_candidate *to)
{
    const struct hsay_overlay *o = call->overlay;
    if (o->config.fixed_step && o->catchup.sames < SAMES_BEFORE_STRETCH)
        return HSAY_CLAIM_BLOOM; /* no second request follows a comparison before the next step */
    if (o->config.policy != HSAY_POLICY_HEARSAY)
        return HSAY_CLAIM_BLOOM; /* Dispersy knows no other */
    if (to->timeouts > 0)
        return HSAY_CLAIM_SUM; /* it may be dead: a small packet */
    bool stranger = !hsay_candidate_has_token(&o->candidates, to, call->now.mono);
    return o->catchup.known_behind || (stranger && !o->catchup.synced) ? HSAY_CLAIM_BLOOM
                                                                       : HSAY_CLAIM_SUM;
}

uint64_t hsay_catchup_step_ms(const struct hsay_call *call)
{
    const struct hsay_overlay *o = call->overlay;
    unsigned sames = o->catchup.sames;
    if (o->config.fixed_step || o->config.policy != HSAY_POLICY_HEARSAY || !o->catchup.synced ||
        sames < SAMES_BEFORE_STRETCH)
        return o->config.step_ms; /* Dispersy's steps do not stretch */
    unsigned stretch = 1 + (sames - SAMES_BEFORE_STRETCH);
    return (uint64_t)o->config.step_ms * (stretch < STRETCH_MAX ? stretch : STRETCH_MAX);
}

void hsay_catchup_on_claim(struct hsay_call *call, const struct hsay_claim *claim,
                           const struct hsay_answer *ours)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    uint64_t lacking = hsay_answer_lacking(ours);
    if (claim->kind != HSAY_CLAIM_NONE)
        note_holds(c, &call->from, &claim->range, claim->count);
    uint64_t noise = claim->kind == HSAY_CLAIM_BLOOM ? claim->count / LACKING_NOISE : 0;
    if (claim->kind == HSAY_CLAIM_NONE || lacking <= noise)
        return;
    c->known_behind = true;
    c->sames = 0;
    set_synced(call, false);
    if (c->outstanding != 0) {
        c->hinted = hsay_peer_name(&call->from.key);
        return;
    }
    begin_with(call, hsay_peer_name(&call->from.key), CLAIM_DELAY_MS);
}

/* The peer in hand has nothing more for us, or is silent: on to the one that has. */
static bool turn_to_hinted(struct hsay_call *call)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    uint64_t hinted = c->hinted;
    if (hinted == 0)
        return false;
    c->hinted = 0;
    c->known_behind = true;
    begin_with(call, hinted, 0);
    return true;
}

static void set_budget(struct hsay_overlay *o, uint64_t bytes)
{
    if (bytes < BUDGET_MIN_BYTES)
        bytes = BUDGET_MIN_BYTES;
    if (bytes > o->config.answer_bytes)
        bytes = o->config.answer_bytes;
    o->catchup.budget_bytes = (uint32_t)bytes;
}

/* What is lost, or of no use (our store is full, say), is asked for in smaller pieces.  A queue
 * that is too short loses the end of an answer, and a large part of it; a few that are missing were
 * lost by chance, and would be from any number of smaller answers, too. */
static void adapt_budget(struct hsay_overlay *o, const struct hsay_pending *p, unsigned lost)
{
    uint64_t bytes = o->catchup.budget_bytes;
    unsigned told = p->datagrams_told, got = p->datagrams_got;
    unsigned all = 1 + (told > got ? told : got); /* the response, too */
    if (lost * LOSS_MANY > all || (p->bundles_got != 0 && p->bundles_new == 0))
        set_budget(o, bytes / 2);
    else if (p->more)
        set_budget(o, bytes * 2);
}

static void on_same(struct hsay_call *call)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    bool fresh = hsay_time_before(call->now.mono, call->overlay->fresh_until);
    c->known_behind = false;
    if (!c->called) /* that others hold the same is no answer to who claims more */
        c->due = HSAY_TIME_NEVER;
    forget_peer(c);
    step_soon(call);
    if (c->sames < UINT8_MAX && !fresh)
        c->sames++;
    set_synced(call, !turn_to_hinted(call) && !c->called);
}

/* This peer has nothing more for us: on to the one that has, or leave it to the next step. */
static void end_with_peer(struct hsay_call *call)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    c->known_behind = false;
    forget_peer(c);
    if (!turn_to_hinted(call))
        step_soon(call);
}

/* ---- zooming: few differences among many bundles are found by comparing halves ---- */

static uint64_t slices(uint64_t all)
{
    return all / FILTER_HOLDS + 1;
}

/* Slices of the digest space that no filter went over with this peer; after a turn, all. */
static uint64_t slices_left(const struct hsay_catchup *c, uint64_t all)
{
    return slices(all) * (SWEPT_ALL - c->swept) / SWEPT_ALL;
}

/* Few are missing among many, and they are not the newest: find them by comparing instead of
 * sweeping for them.  What is still missing while a sweep is under way is in its rest: by the same
 * rule it goes on to its end, unless it found more than its share. */
static bool zoom_pays(const struct hsay_catchup *c, uint64_t all)
{
    return all > FILTER_HOLDS && c->newest_same && c->behind * ZOOM_SHARE < slices_left(c, all);
}

/* A slice was asked for, and all of it came. */
static void note_swept(struct hsay_catchup *c, const struct hsay_pending *p)
{
    if (p->range.slicing == HSAY_SLICE_DIGEST && !c->zooming && !p->more)
        c->swept = (uint16_t)(c->swept + SWEPT_ALL / p->range.modulo);
}

/* How many more the peer holds of the range that was compared; what it says may be anything. */
static int64_t extra_of(const struct hsay_pending *p)
{
    uint64_t theirs = p->peer_count < COUNT_MAX ? p->peer_count : COUNT_MAX;
    uint64_t ours = p->claim_count < COUNT_MAX ? p->claim_count : COUNT_MAX;
    return (int64_t)theirs - (int64_t)ours;
}

static uint64_t coin(struct hsay_call *call)
{
    return hsay_rng_below(&call->node->rng, &call->node->crypto, 2);
}

/* The one that answered `p` is asked about a part of what it was asked about then. */
static void ask_closer(struct hsay_call *call, const struct hsay_pending *p, uint8_t kind,
                       const struct hsay_range *part)
{
    next_claim(&call->overlay->catchup, kind, part);
    ask_at(call, call->now.mono, hsay_peer_name(&p->to.key));
}

static void zoom_begin(struct hsay_call *call, const struct hsay_pending *everything)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    c->zooming = true;
    c->probe_extra = extra_of(everything);
    const struct hsay_range half = {.time_high = HSAY_TIME_MAX,
                                    .modulo = 2,
                                    .offset = (uint32_t)coin(call),
                                    .slicing = HSAY_SLICE_DIGEST};
    ask_closer(call, everything, HSAY_CLAIM_SUM, &half);
}

/* One half was compared.  If it is the same the difference is in the other; else it is where the
 * peer holds more. */
static void on_probed(struct hsay_call *call, const struct hsay_pending *p)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    int64_t here = extra_of(p);
    int64_t there = c->probe_extra - here;
    bool stay = !p->same && here >= there;
    struct hsay_range part = p->range;
    c->probe_extra = stay ? here : there;
    if (!stay)
        part.offset ^= 1;
    if (p->claim_count <= FILTER_HOLDS || part.modulo > HSAY_MODULO_MAX / 2) {
        ask_closer(call, p, HSAY_CLAIM_BLOOM, &part);
        return;
    }
    part.modulo *= 2;
    part.offset = part.offset * 2 + (uint32_t)coin(call);
    ask_closer(call, p, HSAY_CLAIM_SUM, &part);
}

/* ---- answers ---- */

/* Everything was compared, and differs. */
static void on_different(struct hsay_call *call, const struct hsay_pending *p)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    bool levelled = c->levelled;
    set_synced(call, false);
    c->sames = 0;
    c->levelled = false;
    c->known_behind = true;
    c->behind = p->peer_count > p->claim_count ? p->peer_count - p->claim_count : 0;
    if (c->behind == 0 && levelled) { /* it is the peer that lacks */
        end_with_peer(call);
    } else if (zoom_pays(c, p->claim_count)) {
        zoom_begin(call, p);
    } else {
        next_claim(c, HSAY_CLAIM_BLOOM, NULL);
        ask_at(call, call->now.mono, hsay_peer_name(&p->to.key));
    }
}

/* What the answer to a filter says about how things stand between the peer and us: what was known
 * to be missing, less what came; and at least what its range still lacks. */
static void note_filled(struct hsay_catchup *c, const struct hsay_pending *p)
{
    uint64_t extra = p->peer_count > p->claim_count ? p->peer_count - p->claim_count : 0;
    uint64_t fresh = p->bundles_new;
    c->behind = c->behind > fresh ? c->behind - fresh : 0;
    if (extra > fresh && c->behind < extra - fresh)
        c->behind = extra - fresh;
    c->quiet = fresh > 0 ? 0 : (uint16_t)(c->quiet + 1);
    if (p->range.slicing == HSAY_SLICE_NONE && p->range.time_low != 0 &&
        p->range.time_high == HSAY_TIME_MAX)
        c->newest_same = extra <= fresh && !p->more;
}

/* Has this peer nothing more?  When it holds no more than we: after a filter over everything, or
 * two over parts.  When it says that it does: after a whole sweep in vain, or many requests. */
static bool is_fruitless(const struct hsay_catchup *c, const struct hsay_pending *p)
{
    if (c->quiet >= QUIET_ENOUGH)
        return true;
    if (p->more)
        return false;
    if (c->behind != 0)
        return c->quiet >= 2 * slices((uint64_t)p->claim_count * p->range.modulo) + QUIET_MAX;
    return c->quiet >= (is_everything(&p->range) ? 1 : QUIET_MAX);
}

/* When to go on after the answer to a filter. */
static uint64_t next_delay_ms(const struct hsay_catchup *c, const struct hsay_pending *p)
{
    if (c->quiet > QUIET_AT_ONCE)
        return (c->quiet - QUIET_AT_ONCE) * (uint64_t)QUIET_DELAY_MS;
    return !p->more && c->behind <= FEW ? LEVEL_DELAY_MS : 0;
}

/* An answer to a filter: go on while it brings something.  Where it brought all that was known to
 * be missing, a comparison follows. */
static void on_filled(struct hsay_call *call, const struct hsay_pending *p)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    note_filled(c, p);
    note_swept(c, p);
    if (is_fruitless(c, p)) {
        end_with_peer(call);
        return;
    }
    bool level = c->quiet == 0 && c->behind == 0 && !p->more;
    bool compare = !p->more && (level || c->zooming || zoom_pays(c, held(call)));
    c->known_behind |= c->quiet == 0 || p->more;
    c->levelled = level && is_everything(&p->range);
    c->zooming = false;
    next_claim(c, compare ? HSAY_CLAIM_SUM : HSAY_CLAIM_BLOOM, p->more ? &p->range : NULL);
    ask_at(call, hsay_time_add_ms(call->now.mono, next_delay_ms(c, p)), hsay_peer_name(&p->to.key));
}

void hsay_catchup_on_answer(struct hsay_call *call, const struct hsay_pending *p, unsigned lost)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    adapt_budget(call->overlay, p, lost);
    if (c->outstanding == p->id)
        c->outstanding = 0;
    c->losses = 0;
    if (p->claim_kind == HSAY_CLAIM_NONE)
        return;
    bool in_vain = p->claim_kind != HSAY_CLAIM_SUM && p->bundles_new == 0 && !p->same;
    note_holds(c, &p->to, &p->range, in_vain ? 0 : p->peer_count); /* what it gives counts */
    if (is_everything(&p->range) && p->same)
        on_same(call);
    else if (p->claim_kind != HSAY_CLAIM_SUM)
        on_filled(call, p);
    else if (is_everything(&p->range))
        on_different(call, p);
    else
        on_probed(call, p);
}

/* The walk's step was lost: take it again, with whoever comes next, and not for ever. */
static void step_again(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    if (o->config.fixed_step || o->config.no_step || o->catchup.losses >= LOSSES_MAX)
        return;
    o->catchup.losses++;
    o->step_due = call->now.mono;
}

void hsay_catchup_on_timeout(struct hsay_call *call, const struct hsay_pending *p)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    set_budget(call->overlay, c->budget_bytes / 2);
    c->sames = 0;
    if (c->outstanding != p->id)
        return;
    c->outstanding = 0;
    c->with = 0;
    if (turn_to_hinted(call))
        return;
    forget_peer(c);
    next_claim(c, c->known_behind ? HSAY_CLAIM_BLOOM : HSAY_CLAIM_SUM, NULL);
    if (c->known_behind)
        ask_at(call, call->now.mono, 0);
    else
        step_again(call);
}

void hsay_catchup_on_news(struct hsay_call *call, bool newest)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    if (newest) /* who has one such has more: the peer's newest are others than those compared */
        c->newest_same = false;
    c->sames = 0;
    c->hints = 0;
    c->brought = true;
    if (!c->known_behind)
        step_soon(call);
}

void hsay_catchup_on_step(struct hsay_call *call, uint64_t id)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    if (c->outstanding == 0)
        c->outstanding = id;
}

static struct hsay_candidate *live_candidate(struct hsay_call *call, uint64_t name)
{
    return hsay_candidate_by_name(&call->overlay->candidates, call->now.mono, name);
}

struct hsay_candidate *hsay_catchup_partner(struct hsay_call *call)
{
    struct hsay_catchup *c = &call->overlay->catchup;
    struct hsay_candidate *richest = NULL;
    if (c->richest_holds > held(call))
        richest = live_candidate(call, c->richest);
    if (c->known_behind && (c->next_ranged || richest == NULL))
        return live_candidate(call, c->with);
    return richest;
}

bool hsay_catchup_is_in_vain(const struct hsay_call *call)
{
    const struct hsay_catchup *c = &call->overlay->catchup;
    return c->quiet != 0 || c->hints >= HINTS_AT_ONCE;
}

static struct hsay_candidate *choose(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_chance chance = hsay_call_chance(call);
    struct hsay_candidate *c = live_candidate(call, o->catchup.with);
    return c != NULL ? c
                     : hsay_walk_sync_partner(&o->walk, &o->candidates, call->now.mono, &chance);
}

void hsay_catchup_run(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    struct hsay_catchup *c = &o->catchup;
    if (c->outstanding != 0 || hsay_time_before(call->now.mono, c->due))
        return;
    c->due = hsay_time_add_ms(call->now.mono, BUSY_DELAY_MS);
    struct hsay_request_plan plan = {.to = choose(call)};
    if (plan.to == NULL)
        return;
    bool hearsay = o->config.policy == HSAY_POLICY_HEARSAY; /* Dispersy knows only filters */
    plan.bucket = hsay_candidate_bucket(&o->candidates, plan.to, call->now.mono);
    plan.claim_kind = hearsay ? c->next_kind : HSAY_CLAIM_BLOOM;
    plan.again = c->next_ranged ? &c->next_range : NULL;
    if (hsay_request_send(call, &plan, &c->outstanding)) {
        c->due = HSAY_TIME_NEVER;
        c->called = false;
    }
}

hsay_time hsay_catchup_deadline(const struct hsay_overlay *o)
{
    return o->catchup.outstanding == 0 ? o->catchup.due : HSAY_TIME_NEVER;
}
