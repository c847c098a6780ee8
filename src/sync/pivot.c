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

/* A side of a pivot: a range of times, and the time just outside it, where it had to stop. */
struct side {
    uint64_t time_low;
    uint64_t time_high;
    uint64_t stop;
    bool stopped;
};

static int right_of(const struct hsay_chooser *c, uint64_t pivot, struct side *out)
{
    uint64_t first;
    *out = (struct side){.time_low = pivot, .time_high = HSAY_TIME_MAX};
    int rc = hsay_range_rank(c->store, pivot, &first);
    if (rc != HSAY_OK || c->held - first <= c->capacity)
        return rc;
    struct hsay_position next;
    rc = c->store->ops->at_rank(c->store->self, first + c->capacity, &next);
    if (rc == HSAY_OK) {
        out->stop = next.time;
        out->stopped = true;
        out->time_high = next.time - 1; /* times begin at 1 */
    }
    return rc;
}

static int left_of(const struct hsay_chooser *c, uint64_t pivot, struct side *out)
{
    uint64_t end;
    *out = (struct side){.time_high = pivot};
    int rc = hsay_range_rank(c->store, pivot + 1, &end);
    if (rc != HSAY_OK || end <= c->capacity)
        return rc;
    struct hsay_position next;
    rc = c->store->ops->at_rank(c->store->self, end - c->capacity - 1, &next);
    if (rc == HSAY_OK) {
        out->stop = next.time;
        out->stopped = true;
        out->time_low = next.time + 1;
    }
    return rc;
}

/* Zero when the time that stopped it is the pivot's own. */
static uint64_t span_of(const struct side *side)
{
    return side->time_high < side->time_low ? 0 : side->time_high - side->time_low + 1;
}

static int slice_of_time(const struct hsay_chooser *c, uint64_t time, uint64_t count,
                         struct hsay_choice *out)
{
    uint32_t modulo = hsay_range_slices(count, c->capacity);
    const struct hsay_range range = {
        .time_low = time,
        .time_high = time,
        .modulo = modulo,
        .offset = (uint32_t)hsay_rng_below(c->rng, c->crypto, modulo),
        .slicing = HSAY_SLICE_DIGEST,
    };
    return hsay_range_fit(c, &range, out);
}

/* A side as a range; or, when more bundles share the time that stopped it than a filter holds, that
 * time: always if nothing else is left of the side, else every second time. */
static int take_side(const struct hsay_chooser *c, const struct side *side, struct hsay_choice *out)
{
    if (side->stopped) {
        uint64_t first, end;
        int rc = hsay_range_rank(c->store, side->stop, &first);
        if (rc == HSAY_OK)
            rc = hsay_range_rank(c->store, side->stop + 1, &end);
        if (rc != HSAY_OK)
            return rc;
        bool dense = end - first > c->capacity;
        if (span_of(side) == 0 || (dense && hsay_rng_below(c->rng, c->crypto, 2) == 0))
            return slice_of_time(c, side->stop, end - first, out);
    }
    struct hsay_range range = hsay_range_everything();
    range.time_low = side->time_low;
    range.time_high = side->time_high;
    return hsay_range_fit(c, &range, out);
}

int hsay_pivot_range(const struct hsay_chooser *c, struct hsay_choice *out)
{
    struct hsay_position newest;
    int rc = c->store->ops->at_rank(c->store->self, c->held - 1, &newest);
    if (rc != HSAY_OK)
        return rc;
    uint64_t pivot = hsay_pivot_draw(c->rng, c->crypto, newest.time);
    struct side right, left;
    rc = right_of(c, pivot, &right);
    if (rc != HSAY_OK)
        return rc;
    if (!right.stopped) { /* fewer than a capacity to the right: filled up with those below */
        rc = hsay_range_newest(c, out);
        if (rc != HSAY_ENOENT)
            return rc;
        pivot = newest.time; /* which more bundles share than fit: it stops the left side at once */
    }
    rc = left_of(c, pivot, &left);
    if (rc != HSAY_OK)
        return rc;
    bool to_right = right.stopped && span_of(&right) >= span_of(&left);
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
