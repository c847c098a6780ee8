/*
 * The ranges a claim can have, and finding one that fits a filter.  Private to src/sync: claim.c
 * says when each is taken.
 */
#ifndef HEARSAY_SYNC_RANGE_H
#define HEARSAY_SYNC_RANGE_H

#include "hearsay/node.h"
#include "src/wire/rng.h"

/* What there is to choose from. */
struct hsay_chooser {
    const struct hsay_store *store;
    struct hsay_rng *rng;
    const struct hsay_crypto *crypto;
    uint64_t held;     /* bundles in the store */
    uint32_t capacity; /* of the filter, at least 1 */
};

/* A range of which we hold no more than a filter takes, and what we hold of it. */
struct hsay_choice {
    struct hsay_range range;
    struct hsay_sum sum;
};

static inline struct hsay_range hsay_range_everything(void)
{
    return (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
}

/* floor(a * q / 2^32), where the caller knows that it stays below 2^64. */
static inline uint64_t hsay_mul_q32(uint64_t a, uint64_t q)
{
    uint64_t a_high = a >> 32, a_low = a & UINT32_MAX, q_low = q & UINT32_MAX;
    return a_high * q + a_low * (q >> 32) + (a_low * q_low >> 32);
}

/* How many slices `count` bundles need so that each almost surely fits the filter. */
uint32_t hsay_range_slices(uint64_t count, uint32_t capacity);

/* How many bundles stand before this time. */
int hsay_range_rank(const struct hsay_store *store, uint64_t time, uint64_t *rank);

/* Each of the following returns HSAY_OK; HSAY_ENOENT when there is no such range that fits; else
 * what the store returns. */

/* This range, or the largest of its halves, quarters ... beginning at the same place that fits. */
int hsay_range_fit(const struct hsay_chooser *c, const struct hsay_range *range,
                   struct hsay_choice *out);

/* The newest bundles, as many as fit. */
int hsay_range_newest(const struct hsay_chooser *c, struct hsay_choice *out);

/* The slice of the digest space that begins at or closely before *point, which moves to its end
 * (also after HSAY_ENOENT, so that a sweep never stands still). */
int hsay_range_sweep(const struct hsay_chooser *c, uint64_t *point, struct hsay_choice *out);

#endif
