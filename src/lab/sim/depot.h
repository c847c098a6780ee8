/*
 * The depot: every bundle of a simulation, held once for all hosts.
 *
 * A thousand hosts that hold ten thousand bundles each would take gigabytes if each kept bytes of
 * its own.  Here they share them: a bundle is interned by its digest and goes by a number of 32
 * bits from then on.  The depot forgets nothing before it is freed: a bundle that every host has
 * removed stays, for some host may be given it again.
 *
 * Any number of threads may call any of these at a time, but for init and free.  Which number a
 * bundle gets depends on who came first, so nothing that is shown or decided may depend on the
 * order of numbers.
 */
#ifndef HEARSAY_LAB_DEPOT_H
#define HEARSAY_LAB_DEPOT_H

#include <pthread.h>
#include <stdatomic.h>

#include "hearsay/crypto.h"
#include "hearsay/store.h"

enum {
    LAB_DEPOT_CHUNKS = 22, /* each has twice as many bundles as the one before: less than 2^31 */
};
#define LAB_DEPOT_CHUNK_FIRST 512u

/* One bundle, the same for as long as the depot lives. */
struct lab_depot_bundle {
    struct hsay_record record; /* its bytes are the depot's */
    uint64_t author_hash;      /* two authors seldom share one; its order means nothing */
};

/* Its position again, the digest as two numbers read big-endian: what orders and sums look at over
 * and over is kept close together. */
struct lab_depot_key {
    uint64_t time;
    uint64_t high;
    uint64_t low;
};

struct lab_depot_table;
struct lab_depot_block;

/* Everything in here belongs to the depot. */
struct lab_depot {
    const struct hsay_crypto *crypto;
    struct lab_depot_bundle *bundle[LAB_DEPOT_CHUNKS];
    struct lab_depot_key *key[LAB_DEPOT_CHUNKS];
    _Atomic(struct lab_depot_table *) table;
    struct lab_depot_block *block; /* where bodies go; under the lock */
    _Atomic uint32_t count;
    _Atomic uint64_t bytes;
    _Atomic uint64_t memory_bytes;
    pthread_mutex_t lock; /* held by who adds a bundle */
};

/* With a crypto port, which must outlive the depot, the id of a bundle is checked when it comes in
 * for the first time, and never again; with NULL it is not.  Cannot fail. */
void lab_depot_init(struct lab_depot *depot, const struct hsay_crypto *crypto);

/* Gives all memory back.  No store may use the depot any more. */
void lab_depot_free(struct lab_depot *depot);

/* The number of this bundle, which is copied if it is new.  HSAY_ECORRUPT: another bundle has this
 * digest, or the digest is not that of the bytes; HSAY_ENOMEM.  Both change nothing. */
int lab_depot_intern(struct lab_depot *depot, const struct hsay_record *record, uint32_t *number);

/* HSAY_ENOENT: nobody has interned it so far. */
int lab_depot_find(const struct lab_depot *depot, const struct hsay_digest *digest,
                   uint32_t *number);

/* How many bundles there are, and what their canonical bytes add up to. */
uint64_t lab_depot_count(const struct lab_depot *depot);
uint64_t lab_depot_bytes(const struct lab_depot *depot);

/* Heap taken. */
uint64_t lab_depot_memory(const struct lab_depot *depot);

struct lab_depot_place {
    unsigned chunk;
    uint32_t index;
};

static inline struct lab_depot_place lab_depot_place(uint32_t number)
{
    uint32_t from_first = number + LAB_DEPOT_CHUNK_FIRST;
    unsigned chunk = 31u - (unsigned)__builtin_clz(from_first / LAB_DEPOT_CHUNK_FIRST);
    return (struct lab_depot_place){chunk, from_first - (LAB_DEPOT_CHUNK_FIRST << chunk)};
}

/* The bundle of a number that intern or find gave out.  The pointer is good until free; no lock is
 * taken. */
static inline const struct lab_depot_bundle *lab_depot_at(const struct lab_depot *depot,
                                                          uint32_t number)
{
    struct lab_depot_place place = lab_depot_place(number);
    return &depot->bundle[place.chunk][place.index];
}

/* Likewise. */
static inline const struct lab_depot_key *lab_depot_key_at(const struct lab_depot *depot,
                                                           uint32_t number)
{
    struct lab_depot_place place = lab_depot_place(number);
    return &depot->key[place.chunk][place.index];
}

#endif
