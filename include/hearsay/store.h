/*
 * The store port: what the core asks of a place that holds the bundles of one overlay.
 *
 * Three backends pass one conformance suite: memory (store_mem.h), LMDB (store_lmdb.h), and
 * the simulator's.  A store must live until the node has left its overlay.  One thread.
 *
 * Lifetimes: a span handed out by get, next or author_next is valid until the next call of put,
 * remove or commit on the same store.  Cursors become invalid at put, remove and commit.
 *
 * Durability: put and remove are visible to every later call at once, and survive a crash after the
 * next commit that returned 0.  The core calls put; the *caller* of the core calls commit once per
 * loop turn, before it sends what the outbox holds.  So an own bundle is durable before it leaves,
 * and a filter never claims what a crash can take back.
 */
#ifndef HEARSAY_STORE_H
#define HEARSAY_STORE_H

#include "hearsay/types.h"

/* One stored bundle.  `bytes` is the canonical form, signature included; empty where the call did
 * not ask for bodies.  The other fields repeat what the bytes say, so that no store parses. */
struct hsay_record {
    struct hsay_position at;
    struct hsay_key author;
    uint64_t sequence;
    uint64_t expiry_s; /* wall clock; 0 = never */
    uint8_t flags;     /* enum hsay_bundle_flag of node.h */
    struct hsay_span bytes;
};

/* A place in a walk.  Lives wherever the caller likes; the words belong to the store. */
struct hsay_cursor {
    struct hsay_range range;
    uint64_t left; /* items still to come, if the store knows; else UINT64_MAX */
    uint64_t word[6];
};

struct hsay_store_info {
    uint64_t bundles;
    uint64_t bundle_bytes; /* canonical bytes, sum */
    uint64_t quota_bytes;  /* 0 = none */
    uint64_t disk_bytes;   /* what the backend occupies; 0 in memory */
    uint64_t time_max;     /* largest global time held; 0 when empty */
    bool full;             /* the last put was refused for space */
};

struct hsay_store_ops {
    /* HSAY_EEXIST had it; HSAY_ENOSPC quota, map or disk (nothing changed, walks go on working);
     * HSAY_ESTORE broken; HSAY_ENOMEM (nothing changed).  The store does not look into the bytes.
     */
    int (*put)(void *self, const struct hsay_record *record);

    /* HSAY_ENOENT.  The record's bytes are checked: their hash is the id whose first half is the
     * digest, else HSAY_ECORRUPT (and the bundle is as good as missing: remove it, fetch it anew).
     */
    int (*get)(void *self, const struct hsay_digest *digest, struct hsay_record *out);

    /* Position of a digest without touching a body.  HSAY_ENOENT. */
    int (*find)(void *self, const struct hsay_digest *digest, struct hsay_position *out);

    /* A bundle whose digest begins with these 8 bytes, read big-endian: the lowest such digest.
     * HSAY_ENOENT. */
    int (*find_short)(void *self, uint64_t short_digest, struct hsay_position *out);

    /* HSAY_ENOENT.  Frees its quota. */
    int (*remove)(void *self, const struct hsay_digest *digest);

    /* Count and sum of a range, from an index: O(log n) for HSAY_SLICE_NONE, and for
     * HSAY_SLICE_DIGEST over all time; else at most `work_max` items are looked at and
     * HSAY_EBUDGET is returned when that does not do. */
    int (*sum)(void *self, const struct hsay_range *range, uint64_t work_max, struct hsay_sum *out);

    /* The item of rank `rank` (0 = lowest) in time order over the whole store; O(log n).
     * HSAY_ENOENT past the end. */
    int (*at_rank)(void *self, uint64_t rank, struct hsay_position *out);

    /* How many items stand before `at` in time order; O(log n). */
    int (*rank_of)(void *self, const struct hsay_position *at, uint64_t *rank);

    /* Start a walk over the range.  HSAY_SLICE_NONE walks in time order, HSAY_SLICE_DIGEST in
     * digest order (items outside the time range are skipped), HSAY_SLICE_TIME in time order by
     * leaps. It begins at the `skip`-th item of the walk in that order (taken modulo the number of
     * items where the store knows it) and wraps around once, so that each item comes exactly once.
     * Where it does not know the number (a slice by time, or one that the time range cuts), skip
     * counts what has to be passed over too.  HSAY_EINVAL: no such slice. */
    int (*walk)(void *self, const struct hsay_range *range, uint64_t skip, struct hsay_cursor *out);

    /* The next item; HSAY_ENOENT at the end.  With `want_bytes` the body is read and checked as get
     * does.  Looks at no more than `*work` items that are not in the range, takes them off *work,
     * and returns HSAY_EBUDGET when it reaches 0 (the walk may go on later).  `at` may be NULL;
     * `out` is left alone without want_bytes.  HSAY_ECORRUPT: *at tells which, and the walk may go
     * on. HSAY_EINVAL: the cursor is no longer valid. */
    int (*next)(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                struct hsay_position *at, struct hsay_record *out);

    /* The author's bundle with the lowest sequence >= `sequence`, with bytes, checked as get does;
     * HSAY_ENOENT.  Two bundles in one slot come one after the other: pass the digest of the first
     * in `after` (else NULL). */
    int (*author_next)(void *self, const struct hsay_key *author, uint64_t sequence,
                       const struct hsay_digest *after, struct hsay_record *out);

    /* The author's highest sequence below `below` and its global time (of the two in a forked slot:
     * the larger); HSAY_ENOENT if none.  UINT64_MAX: of all. */
    int (*author_before)(void *self, const struct hsay_key *author, uint64_t below,
                         uint64_t *sequence, uint64_t *time);

    /* The next record with 0 < expiry_s <= wall_s, without bytes; HSAY_ENOENT. */
    int (*expired)(void *self, uint64_t wall_s, struct hsay_record *out);

    /* Make everything so far durable.  HSAY_ENOSPC: the disk is full, what was put since the last
     * commit is gone again and the store is as it was then; HSAY_ESTORE: as above, and broken. */
    int (*commit)(void *self);

    void (*info)(void *self, struct hsay_store_info *out);
};

struct hsay_store {
    const struct hsay_store_ops *ops;
    void *self;
};

#endif
