/*
 * The order of a store, held in memory: which bundle stands where in time and among the digests.
 *
 * Both stores answer find, sum, at_rank, rank_of, walk and next from it; only bodies come from
 * elsewhere: each bundle carries a mark, 8 bytes by which the store knows it.  65 to 75 bytes a
 * bundle.  What the calls promise is said in store.h.
 */
#ifndef HEARSAY_STORE_INDEX_H
#define HEARSAY_STORE_INDEX_H

#include "hearsay/store.h"
#include "src/port/ordset.h"

struct hsay_store_index {
    struct hsay_ordset by_time;   /* time, digest */
    struct hsay_ordset by_digest; /* digest, time -> mark */
    uint64_t generation;          /* changes with the set; tells a stale cursor */
};

void hsay_store_index_init(struct hsay_store_index *index);
void hsay_store_index_free(struct hsay_store_index *index);

/* The digest must not be there, at whatever time: the caller has looked.  HSAY_ENOMEM. */
int hsay_store_index_add(struct hsay_store_index *index, const struct hsay_position *at,
                         uint64_t mark);

/* HSAY_ENOENT; takes no memory. */
int hsay_store_index_drop(struct hsay_store_index *index, const struct hsay_position *at);

uint64_t hsay_store_index_count(const struct hsay_store_index *index);

/* 0 when empty. */
uint64_t hsay_store_index_time_max(const struct hsay_store_index *index);

/* The mark may be NULL where it is of no interest; so may the position. */
int hsay_store_index_find(const struct hsay_store_index *index, const struct hsay_digest *digest,
                          struct hsay_position *out, uint64_t *mark);
int hsay_store_index_find_short(const struct hsay_store_index *index, uint64_t short_digest,
                                struct hsay_position *out);
int hsay_store_index_sum(const struct hsay_store_index *index, const struct hsay_range *range,
                         uint64_t work_max, struct hsay_sum *out);
int hsay_store_index_at_rank(const struct hsay_store_index *index, uint64_t rank,
                             struct hsay_position *out);
int hsay_store_index_rank_of(const struct hsay_store_index *index, const struct hsay_position *at,
                             uint64_t *rank);
int hsay_store_index_walk(const struct hsay_store_index *index, const struct hsay_range *range,
                          uint64_t skip, struct hsay_cursor *out);

/* HSAY_EINVAL for a cursor that a put, remove or failed commit has made invalid. */
int hsay_store_index_next(const struct hsay_store_index *index, struct hsay_cursor *cursor,
                          uint32_t *work, struct hsay_position *at);

#endif
