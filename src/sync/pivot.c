/*
 * Dispersy's strategies "largest" (pivot) and "modulo", as its paper and its last code have them,
 * but for one thing: a time that more bundles share than a filter holds was in no range of theirs,
 * ever. Here such a time is sliced by digest when a pivot comes to lie beside it.
 */
#include "src/sync/pivot.h"

#define LN2_Q32 UINT64_C(2977044472) /* ln 2 * 2^32 = 2,977,044,471.8 */

/*
 * By way of log2: the whole part from the leading bit, then a bit of the fraction per squaring, as
 * (x^2)^(1/2) = x.  x keeps 31 bits behind the point.  Errors, in units of 2^-31 of log2: cutting u
 * 1.45, squaring 1.45 (each rounding counts half of the one before), the last bit 0.5; times ln 2
 * that is 2.4.  The rounding of LN2_Q32 is 0.2 * 2^-32 of the whole, which is at most 64: 6.4.
 * Together 8.8 * 2^-31 < 2^-27.
 */
uint64_t hsay_pivot_neg_ln_q32(uint64_t u)
{
    uint64_t whole = 64; /* minus the place of the leading bit */
    while (u >> 63 == 0) {
        u <<= 1;
        whole++;
    }
    whole -= 63;

    uint64_t x = u >> 32; /* 1 <= x < 2 */
    uint64_t fraction = 0;
    for (int i = 0; i < 32; i++) {
        x = x * x >> 31;
        fraction = fraction << 1 | x >> 32;
        x >>= x >> 32;
    }
    return hsay_mul_q32((whole << 32) - fraction, LN2_Q32);
}

uint64_t hsay_pivot_draw(struct hsay_rng *rng, const struct hsay_crypto *crypto, uint64_t time)
{
    uint64_t drawn = hsay_rng_u64(rng, crypto);
    uint64_t exponential = hsay_pivot_neg_ln_q32(drawn == 0 ? 1 : drawn);
    if (exponential < UINT64_C(2) << 32) { /* the product stays below 2^63: time is below 2^62 */
        uint64_t back = hsay_mul_q32(time, exponential) / 2;
        if (back < time)
            return time - back;
    }
    return hsay_rng_below(rng, crypto, time + (time == 0));
}

/* A side of a pivot: a range of times; the time just outside it, where it had to stop; and how many
 * bundles share that time, if they are more than a filter holds. */
struct side {
    uint64_t time_low;
    uint64_t time_high;
    uint64_t stop;
    uint64_t dense;
};

static int stop_at(const struct hsay_chooser *c, uint64_t rank, struct side *side)
{
    struct hsay_position at;
    uint64_t first, end;
    int rc = c->store->ops->at_rank(c->store->self, rank, &at);
    if (rc == HSAY_OK)
        rc = hsay_range_rank(c->store, at.time, &first);
    if (rc == HSAY_OK)
        rc = hsay_range_rank(c->store, at.time + 1, &end);
    if (rc != HSAY_OK)
        return rc;
    side->stop = at.time;
    side->dense = end - first > c->capacity ? end - first : 0;
    return HSAY_OK;
}

/* To the bundle of rank `end`, without its time. */
static int stop_above(const struct hsay_chooser *c, uint64_t end, struct side *side)
{
    int rc = stop_at(c, end, side);
    side->time_high = side->stop - 1; /* times begin at 1 */
    return rc;
}

/* From the bundle of rank `last` down on, without its time. */
static int stop_below(const struct hsay_chooser *c, uint64_t last, struct side *side)
{
    int rc = stop_at(c, last, side);
    side->time_low = side->stop + 1;
    return rc;
}

/* A side that has too few bundles is open to its end and filled up from the other side. */
static int right_of(const struct hsay_chooser *c, uint64_t pivot, struct side *out)
{
    uint64_t first;
    *out = (struct side){.time_low = pivot, .time_high = HSAY_TIME_MAX};
    int rc = hsay_range_rank(c->store, pivot, &first);
    if (rc != HSAY_OK)
        return rc;
    if (c->held - first <= c->capacity)
        return stop_below(c, c->held - c->capacity - 1, out);
    return stop_above(c, first + c->capacity, out);
}

static int left_of(const struct hsay_chooser *c, uint64_t pivot, struct side *out)
{
    uint64_t end;
    *out = (struct side){.time_low = 1, .time_high = pivot};
    int rc = hsay_range_rank(c->store, pivot + 1, &end);
    if (rc != HSAY_OK)
        return rc;
    if (end <= c->capacity)
        return stop_above(c, c->capacity, out);
    return stop_below(c, end - c->capacity - 1, out);
}

/* Zero when the time that stopped it is the pivot's own. */
static uint64_t span_of(const struct side *side)
{
    return side->time_high < side->time_low ? 0 : side->time_high - side->time_low + 1;
}

/* What spans more.  Equal spans are no rare thing where each bundle has its own time; were it
 * always the right one then, nothing but a pivot right there would cover the oldest. */
static bool is_right_wider(const struct hsay_chooser *c, const struct side *right,
                           const struct side *left)
{
    if (span_of(right) == span_of(left))
        return hsay_rng_below(c->rng, c->crypto, 2) == 0;
    return span_of(right) > span_of(left);
}

static int take_dense(const struct hsay_chooser *c, const struct side *side,
                      struct hsay_choice *out)
{
    uint32_t modulo = hsay_range_slices(side->dense, c->capacity);
    const struct hsay_range range = {
        .time_low = side->stop,
        .time_high = side->stop,
        .modulo = modulo,
        .offset = (uint32_t)hsay_rng_below(c->rng, c->crypto, modulo),
        .slicing = HSAY_SLICE_DIGEST,
    };
    return hsay_range_fit(c, &range, out);
}

/* What is left of it when a dense time cut it short may hold nothing. */
static int take_side(const struct hsay_chooser *c, const struct side *side, struct hsay_choice *out)
{
    if (side->dense != 0 && hsay_rng_below(c->rng, c->crypto, 2) == 0)
        return take_dense(c, side, out);
    struct hsay_range range = hsay_range_everything();
    range.time_low = side->time_low;
    range.time_high = side->time_high;
    int rc = span_of(side) == 0 ? HSAY_ENOENT : hsay_range_fit(c, &range, out);
    bool nothing = rc == HSAY_ENOENT || (rc == HSAY_OK && out->sum.count == 0);
    return nothing && side->dense != 0 ? take_dense(c, side, out) : rc;
}

int hsay_pivot_range(const struct hsay_chooser *c, struct hsay_choice *out)
{
    struct hsay_position newest;
    struct side right, left;
    int rc = c->store->ops->at_rank(c->store->self, c->held - 1, &newest);
    if (rc != HSAY_OK)
        return rc;
    uint64_t pivot = hsay_pivot_draw(c->rng, c->crypto, newest.time);
    rc = right_of(c, pivot, &right);
    if (rc == HSAY_OK)
        rc = left_of(c, pivot, &left);
    if (rc != HSAY_OK)
        return rc;

    /* When all to the right of the pivot fits, the left is not looked at.  Beside a dense time one
     * side is as good as the other, and each has to share its turns with that time: what a dense
     * time cuts short would never be the wider side. */
    bool to_right = right.time_high == HSAY_TIME_MAX;
    if (right.dense != 0 || left.dense != 0)
        to_right = hsay_rng_below(c->rng, c->crypto, 2) == 0;
    else if (!to_right)
        to_right = is_right_wider(c, &right, &left);
    return take_side(c, to_right ? &right : &left, out);
}

int hsay_modulo_range(const struct hsay_chooser *c, struct hsay_choice *out)
{
    struct hsay_range range = hsay_range_everything();
    range.slicing = HSAY_SLICE_TIME;
    uint64_t modulo = (c->held + c->capacity - 1) / c->capacity;
    if (modulo > HSAY_MODULO_MAX)
        return HSAY_ENOENT;
    range.modulo = (uint32_t)modulo;
    range.offset = (uint32_t)hsay_rng_below(c->rng, c->crypto, range.modulo);
    return hsay_range_fit(c, &range, out);
}
