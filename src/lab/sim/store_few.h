/*
 * The order of a store in sorted arrays: its depot numbers by time, by digest, and by author.
 *
 * The simulator has a million hosts with one bundle each, and a thousand with ten thousand.  Arrays
 * of numbers take 12 to 18 bytes a bundle and nothing while there is none; trees take 100, and
 * begin at some thousand.  Moving half of an array aside for a new number costs less than the way
 * down three trees, up to some ten thousand bundles.  What the calls answer is to the letter what
 * src/port/store_index.h answers for the same bundles: the same steps, the same work counted, the
 * same errors.
 */
#ifndef HEARSAY_LAB_STORE_FEW_H
#define HEARSAY_LAB_STORE_FEW_H

#include "src/lab/sim/depot.h"

struct lab_few_list {
    uint32_t generation; /* changes with the list; tells a stale cursor */
    uint16_t count;
    uint16_t size;
    uint32_t expiring;   /* how many of them expire one day */
    uint32_t orders;     /* four, or three as long as nothing ever expired here */
    uint64_t total_high; /* the sum of all digests */
    uint64_t total_low;
    uint32_t number[]; /* `size` places for each order: time, digest, author, expiry */
};

/* All zero but for the depot, it is empty. */
struct lab_few {
    struct lab_depot *depot;
    struct lab_few_list *list; /* NULL until the first bundle comes */
};

static inline uint32_t lab_few_count(const struct lab_few *few)
{
    return few->list == NULL ? 0 : few->list->count;
}

/* The bundles, 0 .. count - 1, in the order of time. */
static inline uint32_t lab_few_number(const struct lab_few *few, uint32_t rank)
{
    return few->list->number[rank];
}

void lab_few_free(struct lab_few *few);

/* Heap taken. */
size_t lab_few_memory(const struct lab_few *few);

/* It must not be in there yet.  HSAY_ENOMEM; never for what has just been dropped. */
int lab_few_add(struct lab_few *few, uint32_t number);

/* It must be in there. */
void lab_few_drop(struct lab_few *few, uint32_t number);

/* HSAY_ENOENT. */
int lab_few_find(const struct lab_few *few, const struct hsay_digest *digest, uint32_t *number);

/* These are as in hearsay/store.h. */
int lab_few_find_short(const struct lab_few *few, uint64_t short_digest, struct hsay_position *out);
int lab_few_sum(const struct lab_few *few, const struct hsay_range *range, uint64_t work_max,
                struct hsay_sum *out);
int lab_few_at_rank(const struct lab_few *few, uint64_t rank, struct hsay_position *out);
int lab_few_rank_of(const struct lab_few *few, const struct hsay_position *at, uint64_t *rank);
int lab_few_walk(const struct lab_few *few, const struct hsay_range *range, uint64_t skip,
                 struct hsay_cursor *out);
int lab_few_next(const struct lab_few *few, struct hsay_cursor *cursor, uint32_t *work,
                 uint32_t *number);
int lab_few_author_next(const struct lab_few *few, const struct hsay_key *author, uint64_t sequence,
                        const struct hsay_digest *after, struct hsay_record *out);
int lab_few_author_before(const struct lab_few *few, const struct hsay_key *author, uint64_t below,
                          uint64_t *sequence, uint64_t *time);
int lab_few_expired(const struct lab_few *few, uint64_t wall_s, struct hsay_record *out);

#endif
