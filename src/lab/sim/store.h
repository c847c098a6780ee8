/*
 * The store of one simulated host: which of the depot's bundles it holds.
 *
 * 64 bytes while it is empty.  Up to some ten thousand bundles it is sorted arrays (store_few.h),
 * beyond that trees (store_many.h); nobody can tell which by what it answers.  It honours the
 * durability rules of hearsay/store.h as if there were a disk, and can be made to fail.
 *
 * One thread at a time; stores of other hosts may share the depot in other threads.
 */
#ifndef HEARSAY_LAB_STORE_H
#define HEARSAY_LAB_STORE_H

#include "src/lab/sim/depot.h"
#include "src/lab/sim/store_few.h"
#include "src/port/store_mem.h"

/* Measured with rising times, as bundles come: a put into arrays costs half of one into trees at
 * 10,000 bundles and as much at 30,000, where a sum of all but a few costs 20 times as much. */
enum { LAB_STORE_FEW_MAX = 1 << 14, LAB_STORE_FEW_LIMIT = 1 << 15 };

struct lab_many;
struct lab_store_undo;

/* Everything in here belongs to the store, but for the last two. */
struct lab_store {
    struct lab_few few;    /* empty as soon as there is `many` */
    struct lab_many *many; /* NULL while there are few */
    struct lab_store_undo *undo;
    uint64_t quota_bytes;
    uint64_t bundle_bytes;
    bool full;
    bool broken;
    uint16_t few_max; /* may be set while the store is empty, up to LAB_STORE_FEW_LIMIT */
    struct hsay_store_mem_fault *fault; /* the caller's, what shall go wrong; NULL: nothing */
};

/* An empty store.  The depot must outlive it; quota_bytes bounds the canonical bytes, 0 = no bound.
 * Cannot fail. */
void lab_store_init(struct lab_store *store, struct lab_depot *depot, uint64_t quota_bytes);

/* Gives all memory back; the depot keeps the bundles.  The store is as after init. */
void lab_store_free(struct lab_store *store);

/* The port of this store, good as long as `store` stays where it is.  Beyond what store.h says, put
 * returns HSAY_ECORRUPT for what the depot does not take.  Bytes handed out live as long as the
 * depot. */
struct hsay_store lab_store_port(struct lab_store *store);

/* As if the host had died now and come back: what was not committed is gone.  HSAY_ESTORE when
 * there was no memory to do it, and from then on. */
int lab_store_crash(struct lab_store *store);

uint64_t lab_store_count(const struct lab_store *store);
bool lab_store_holds(const struct lab_store *store, const struct hsay_digest *digest);

/* Heap taken, without the store itself and without the depot. */
size_t lab_store_memory(const struct lab_store *store);

#endif
