#include "nat/lifetime.h"

#include <assert.h>
#include <string.h>

#include "hearsay/params.h"

enum {
    ALL = (1 << HSAY_LIFETIME_GAPS) - 1,
    VAIN_MAX = 3, /* then the gap is left for another round */
    LONE_LONG = 6,
    LONE_SHORT = 4, /* gaps, counted from 1 */
};

static const uint32_t gap_ms[HSAY_LIFETIME_GAPS] = {9000,  14000, 19000, 28000,
                                                    43000, 58000, 110000};

static_assert(HSAY_LIFETIME_TRIALS <= 8, "bits of a byte");

static const struct hsay_lifetime_range nothing = {0, HSAY_LIFETIME_GAPS};

void hsay_lifetime_init(struct hsay_lifetime *l)
{
    memset(l, 0, sizeof *l);
    l->known = l->round = nothing;
}

uint32_t hsay_lifetime_gap_ms(const struct hsay_lifetime *l, unsigned trial)
{
    assert(trial < HSAY_LIFETIME_TRIALS && (trial != HSAY_LIFETIME_LONE || l->lone_tried > 0));
    return gap_ms[trial != HSAY_LIFETIME_LONE ? trial : l->lone_tried - 1u];
}

static bool is_known(const struct hsay_lifetime *l)
{
    return l->known.lived > 0 || l->known.died < HSAY_LIFETIME_GAPS;
}

/* --- rounds ---------------------------------------------------------------------------------- */

/* Between what lived and what died nothing is left to try. */
static bool is_complete(const struct hsay_lifetime *l)
{
    return l->known.lived == l->known.died;
}

/* What is missing; and what is known is looked at once more, and no more: two trials. */
static uint8_t plan(const struct hsay_lifetime *l)
{
    unsigned below_died = (1u << l->known.died) - 1, lived = (1u << l->known.lived) - 1;
    unsigned edges = 3u << l->known.lived >> 1;

    return (uint8_t)((is_complete(l) ? edges : below_died & ~lived) & ALL);
}

/* The longest of these within so many gaps. */
static uint8_t lone_within(unsigned gaps)
{
    if (gaps >= LONE_LONG)
        return LONE_LONG;
    return gaps >= LONE_SHORT ? LONE_SHORT : 0;
}

static void begin_round(struct hsay_lifetime *l)
{
    l->in_round = true;
    l->planned = plan(l);
    l->lone_tried = lone_within(l->known.died);
    l->failed = 0;
    l->round = nothing;
    memset(l->vain, 0, sizeof l->vain);
}

static bool is_open(const struct hsay_lifetime *l, unsigned gap)
{
    if (gap == HSAY_LIFETIME_LONE)
        return l->lone_tried > 0 && l->vain[gap] < VAIN_MAX;
    return (l->planned >> gap & 1) != 0 && gap >= l->round.lived && gap < l->round.died &&
           l->vain[gap] < VAIN_MAX;
}

static bool is_over(const struct hsay_lifetime *l)
{
    for (unsigned gap = 0; gap < HSAY_LIFETIME_TRIALS; gap++)
        if (is_open(l, gap))
            return false;
    return l->running == 0;
}

/* What this round did not try is as it was. */
static void end_round(struct hsay_lifetime *l, hsay_time now)
{
    const struct hsay_lifetime_range *r = &l->round;

    if (r->died < HSAY_LIFETIME_GAPS)
        l->known.died = r->died;
    if (r->lived > 0 || l->known.lived > l->known.died)
        l->known.lived = r->lived > 0 ? r->lived : l->known.died;
    if (l->lone_lived > l->known.lived)
        l->lone_lived = lone_within(l->known.lived);
    l->in_round = false;
    l->round_at =
        hsay_time_add_ms(now, is_complete(l) ? HSAY_LIFETIME_ROUND_MS : HSAY_LIFETIME_RETRY_MS);
}

int hsay_lifetime_next(struct hsay_lifetime *l, hsay_time now)
{
    if (!l->in_round && hsay_time_before(now, l->round_at))
        return -1;
    if (!l->in_round)
        begin_round(l);
    for (unsigned gap = 0; gap < HSAY_LIFETIME_TRIALS; gap++)
        if (is_open(l, gap) && (l->running >> gap & 1) == 0) {
            l->running |= (uint8_t)(1u << gap);
            return (int)gap;
        }
    return -1;
}

/* --- outcomes -------------------------------------------------------------------------------- */

static void on_lived(struct hsay_lifetime *l, unsigned gap)
{
    struct hsay_lifetime_range *r = &l->round;

    if (r->lived < gap + 1)
        r->lived = (uint8_t)(gap + 1);
    if (r->died <= gap) /* those were losses */
        r->died = HSAY_LIFETIME_GAPS;
    l->planned |= (uint8_t)(2u << gap & ALL);
    if (l->known.lived < r->lived)
        l->known.lived = r->lived;
    if (l->known.died <= gap)
        l->known.died = HSAY_LIFETIME_GAPS;
}

/* Less than what is known: all shorter ones are to be tried again. */
static void on_died(struct hsay_lifetime *l, unsigned gap)
{
    bool again = (l->failed >> gap & 1) != 0;

    l->failed |= (uint8_t)(1u << gap);
    if (!again || gap < l->round.lived)
        return;
    if (gap < l->round.died)
        l->round.died = (uint8_t)gap;
    if (gap < l->known.lived)
        l->planned = ALL;
}

static void on_lone(struct hsay_lifetime *l, bool lived)
{
    const uint8_t bit = 1u << HSAY_LIFETIME_LONE;

    if (!lived && (l->failed & bit) == 0) {
        l->failed |= bit;
        return;
    }
    l->failed &= (uint8_t)~bit;
    if (lived)
        l->lone_lived = l->lone_tried;
    else if (l->lone_lived >= l->lone_tried)
        l->lone_lived = 0;
    l->lone_tried = !lived && l->lone_tried == LONE_LONG ? LONE_SHORT : 0;
}

/* No lone mapping lives through what one in use died of. */
static void narrow_lone(struct hsay_lifetime *l)
{
    const uint8_t bit = 1u << HSAY_LIFETIME_LONE;

    if (l->lone_tried <= l->round.died || (l->running & bit) != 0)
        return;
    l->lone_tried = lone_within(l->round.died);
    l->failed &= (uint8_t)~bit;
}

void hsay_lifetime_on_outcome(struct hsay_lifetime *l, hsay_time now, unsigned trial,
                              enum hsay_lifetime_outcome outcome)
{
    bool lived = outcome == HSAY_LIFETIME_LIVED;

    assert(trial < HSAY_LIFETIME_TRIALS && (l->running >> trial & 1) != 0);
    l->running &= (uint8_t) ~(1u << trial);
    l->ended += outcome != HSAY_LIFETIME_NOTHING;
    if (outcome == HSAY_LIFETIME_NOTHING)
        l->vain[trial]++;
    else if (trial == HSAY_LIFETIME_LONE)
        on_lone(l, lived);
    else if (lived)
        on_lived(l, trial);
    else
        on_died(l, trial);
    narrow_lone(l);
    if (is_over(l))
        end_round(l, now);
}

/* --- what follows ---------------------------------------------------------------------------- */

void hsay_lifetime_on_used(struct hsay_lifetime *l, hsay_time now)
{
    if (l->begun.ns == 0)
        l->begun = now;
}

struct hsay_lifetime_verdict hsay_lifetime_verdict(const struct hsay_lifetime *l)
{
    const struct hsay_lifetime_range *r = &l->known;

    return (struct hsay_lifetime_verdict){
        .at_least_ms = r->lived > 0 ? gap_ms[r->lived - 1] : 0,
        .below_ms = r->died < HSAY_LIFETIME_GAPS ? gap_ms[r->died] : 0,
        .lone_at_least_ms = l->lone_lived > 0 ? gap_ms[l->lone_lived - 1] : 0,
    };
}

static bool is_assumed(const struct hsay_lifetime *l, hsay_time now)
{
    return l->begun.ns != 0 &&
           hsay_time_before(now, hsay_time_add_ms(l->begun, HSAY_LIFETIME_ASSUMED_MS));
}

/* So that one a little late is not too late. */
static uint32_t within_ms(uint32_t lived_ms)
{
    uint32_t ms = lived_ms / 4 * 3;

    if (lived_ms >= HSAY_CONTACTED_LIFETIME_MS)
        return 0;
    return ms > HSAY_LIFETIME_KEEP_MIN_MS ? ms : HSAY_LIFETIME_KEEP_MIN_MS;
}

static uint32_t keep_ms(const struct hsay_lifetime *l, hsay_time now, uint32_t lived_ms)
{
    if (!is_known(l))
        return is_assumed(l, now) ? HSAY_LIFETIME_KEEP_MIN_MS : 0;
    return l->known.died == 0 ? 0 : within_ms(lived_ms);
}

uint32_t hsay_lifetime_keep_ms(const struct hsay_lifetime *l, hsay_time now)
{
    return keep_ms(l, now, hsay_lifetime_verdict(l).at_least_ms);
}

uint32_t hsay_lifetime_keep_new_ms(const struct hsay_lifetime *l, hsay_time now)
{
    return keep_ms(l, now, hsay_lifetime_verdict(l).lone_at_least_ms);
}
