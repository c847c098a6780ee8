/*
 * Ranges by rank and by digest.
 *
 * A slice of the digest space holds a binomial number of bundles: with a mean of capacity - 2 sigma
 * one slice in 44 is too full and is halved, which costs one claim more.  One sigma would save 3 %
 * of the claims and halve every sixth; three would need 3 % more claims for nothing.
 *
 * Only whole multiples of 1/modulo can begin a slice, and modulo grows while bundles come in.  So a
 * sweep looks at some larger modulos, too, and takes the slice that covers most of what lies ahead:
 * overlapping with what was just covered costs half a slice on average otherwise.
 */
#include "src/sync/range.h"

enum {
    MODULOS_TRIED = 64,
    /* Bundles looked at to measure a range that is not in an index: a tenth of what a claim may
     * cost once in a while, and enough to slice one time that 65,536 bundles share. */
    MEASURE_WORK_MAX = 65536,
};

static uint32_t square_root(uint32_t n)
{
    uint32_t root = 0;
    for (uint32_t bit = 1u << 15; bit != 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    }
    return root;
}

uint32_t hsay_range_slices(uint64_t count, uint32_t capacity)
{
    uint32_t spread = 2 * square_root(capacity);
    uint32_t mean = spread < capacity / 2 ? capacity - spread : capacity - capacity / 2;
    uint64_t slices = count / mean + (count % mean != 0);
    if (slices < 1)
        return 1;
    return slices > HSAY_MODULO_MAX ? (uint32_t)HSAY_MODULO_MAX : (uint32_t)slices;
}

int hsay_range_rank(const struct hsay_store *store, uint64_t time, uint64_t *rank)
{
    const struct hsay_position at = {.time = time};
    return store->ops->rank_of(store->self, &at, rank);
}

/* Too large, and too dear to measure, are one answer: HSAY_EBUDGET. */
static int measure(const struct hsay_chooser *c, const struct hsay_range *range,
                   struct hsay_sum *sum)
{
    int rc = c->store->ops->sum(c->store->self, range, MEASURE_WORK_MAX, sum);
    if (rc == HSAY_OK && sum->count > c->capacity)
        rc = HSAY_EBUDGET;
    return rc;
}

/* ---- halving ------------------------------------------------------------------------------ */

static int halve_slice(struct hsay_range *range)
{
    if (range->modulo > HSAY_MODULO_MAX / 2)
        return HSAY_ENOENT;
    range->modulo *= 2;
    if (range->slicing == HSAY_SLICE_DIGEST)
        range->offset *= 2;
    return HSAY_OK;
}

/* To the times below that of the middle bundle.  When the first half all has one time, only that
 * time stays, and when there is only one time, it is sliced by digest. */
static int halve_times(const struct hsay_store *store, struct hsay_range *range)
{
    if (range->time_low == range->time_high) {
        range->slicing = HSAY_SLICE_DIGEST;
        range->modulo = 2;
        return HSAY_OK;
    }
    uint64_t first, end;
    int rc = hsay_range_rank(store, range->time_low, &first);
    if (rc == HSAY_OK)
        rc = hsay_range_rank(store, range->time_high + 1, &end);
    if (rc != HSAY_OK)
        return rc;

    struct hsay_position low, middle;
    rc = store->ops->at_rank(store->self, first, &low);
    if (rc == HSAY_OK)
        rc = store->ops->at_rank(store->self, first + (end - first) / 2, &middle);
    if (rc != HSAY_OK)
        return rc;
    if (middle.time > low.time) {
        range->time_high = middle.time - 1;
    } else {
        range->time_low = low.time;
        range->time_high = low.time;
    }
    return HSAY_OK;
}

int hsay_range_fit(const struct hsay_chooser *c, const struct hsay_range *range,
                   struct hsay_choice *out)
{
    out->range = *range;
    int rc;
    while ((rc = measure(c, &out->range, &out->sum)) == HSAY_EBUDGET) {
        if (out->range.slicing == HSAY_SLICE_NONE)
            rc = halve_times(c->store, &out->range);
        else
            rc = halve_slice(&out->range);
        if (rc != HSAY_OK)
            break;
    }
    return rc;
}

/* ---- the newest --------------------------------------------------------------------------- */

/* From the time of the oldest bundle that fits on; or above that time, when it reaches further back
 * than the filter: all of a time or nothing of it.  A sweep sees what that leaves out. */
int hsay_range_newest(const struct hsay_chooser *c, struct hsay_choice *out)
{
    out->range = hsay_range_everything();
    if (c->held > c->capacity) {
        uint64_t first = c->held - c->capacity, rank;
        struct hsay_position oldest;
        int rc = c->store->ops->at_rank(c->store->self, first, &oldest);
        if (rc == HSAY_OK)
            rc = hsay_range_rank(c->store, oldest.time, &rank);
        if (rc != HSAY_OK)
            return rc;
        out->range.time_low = oldest.time + (rank != first);
    }
    if (out->range.time_low > HSAY_TIME_MAX)
        return HSAY_ENOENT;
    int rc = measure(c, &out->range, &out->sum);
    if (rc == HSAY_OK && out->sum.count == 0)
        rc = HSAY_ENOENT; /* one time at the top has more than a filter holds */
    return rc == HSAY_EBUDGET ? HSAY_ENOENT : rc;
}

/* ---- the sweep ---------------------------------------------------------------------------- */

/* floor(point * modulo / 2^64): the slice that the point lies in. */
static uint32_t slice_at(uint64_t point, uint32_t modulo)
{
    return (uint32_t)(hsay_mul_q32(point, modulo) >> 32);
}

/* Where a slice ends: ceil((offset + 1) * 2^64 / modulo), which is 2^64 or 0 for the last.  A long
 * division in two steps of 32 bits. */
static uint64_t slice_end(uint32_t modulo, uint32_t offset)
{
    uint64_t next = (uint64_t)offset + 1;
    if (next == modulo)
        return 0;
    uint64_t high = (next << 32) / modulo, rest = (next << 32) % modulo;
    uint64_t low = (rest << 32) / modulo;
    return (high << 32 | low) + ((rest << 32) % modulo != 0);
}

static uint32_t best_modulo(uint64_t point, uint32_t least)
{
    uint32_t best = least;
    uint64_t best_ahead = 0;
    for (uint32_t m = least; m < least + MODULOS_TRIED && m <= HSAY_MODULO_MAX; m++) {
        /* The slice is 1/m wide and its part before the point is frac(point * m) / m. */
        uint64_t ahead = (UINT64_MAX - point * m) / m;
        if (ahead > best_ahead) {
            best = m;
            best_ahead = ahead;
        }
    }
    return best;
}

int hsay_range_sweep(const struct hsay_chooser *c, uint64_t *point, struct hsay_choice *out)
{
    out->range = hsay_range_everything();
    out->range.slicing = HSAY_SLICE_DIGEST;
    uint32_t modulo = best_modulo(*point, hsay_range_slices(c->held, c->capacity));
    int rc = HSAY_EBUDGET;
    for (; rc == HSAY_EBUDGET && modulo <= HSAY_MODULO_MAX; modulo *= 2) {
        out->range.modulo = modulo;
        out->range.offset = slice_at(*point, modulo);
        rc = measure(c, &out->range, &out->sum);
    }
    *point = slice_end(out->range.modulo, out->range.offset);
    return rc == HSAY_EBUDGET ? HSAY_ENOENT : rc;
}
