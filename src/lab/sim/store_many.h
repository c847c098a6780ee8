/*
 * The order of a large store: trees over depot numbers.
 *
 * Time and digests are ordered by the same index as in the daemon's stores (store_index.h); two
 * more sets find an author's bundles and what expires.  About 100 bytes a bundle.
 */
#ifndef HEARSAY_LAB_STORE_MANY_H
#define HEARSAY_LAB_STORE_MANY_H

#include "src/lab/sim/depot.h"
#include "src/port/store_index.h"

struct lab_many {
    const struct lab_depot *depot;
    struct hsay_store_index index; /* marks are depot numbers */
    struct hsay_ordset by_author;  /* hash of the author, sequence, depot number */
    struct hsay_ordset by_expiry;  /* expiry, digest */
};

void lab_many_init(struct lab_many *many, const struct lab_depot *depot);
void lab_many_free(struct lab_many *many);

/* Heap taken, that of `many` itself included. */
size_t lab_many_memory(const struct lab_many *many);

/* It must not be in there yet.  HSAY_ENOMEM. */
int lab_many_add(struct lab_many *many, uint32_t number);

/* It must be in there; takes no memory. */
void lab_many_drop(struct lab_many *many, uint32_t number);

/* HSAY_ENOENT. */
int lab_many_find(const struct lab_many *many, const struct hsay_digest *digest, uint32_t *number);

/* These are as in hearsay/store.h; what else that asks for, the index has. */
int lab_many_author_next(const struct lab_many *many, const struct hsay_key *author,
                         uint64_t sequence, const struct hsay_digest *after,
                         struct hsay_record *out);
int lab_many_author_before(const struct lab_many *many, const struct hsay_key *author,
                           uint64_t below, uint64_t *sequence, uint64_t *time);
int lab_many_expired(const struct lab_many *many, uint64_t wall_s, struct hsay_record *out);

#endif
