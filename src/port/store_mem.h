/*
 * The store in memory for who embeds it in something of his own, and can make it fail.
 *
 * It honours the durability rules of store.h as if there were a disk, so that a caller's handling
 * of lost commits can be tried with it.  Applications take hearsay/store_mem.h.
 */
#ifndef HEARSAY_PORT_STORE_MEM_H
#define HEARSAY_PORT_STORE_MEM_H

#include "hearsay/store_mem.h"
#include "src/port/store_index.h"

enum { HSAY_STORE_MEM_LEVELS = 12 };

struct hsay_store_mem_body;
struct hsay_store_mem_undo;

/* What shall go wrong.  A countdown of 1 means the next call; 0 means never. */
struct hsay_store_mem_fault {
    unsigned put_countdown;
    unsigned commit_countdown; /* the commit takes back what was put since the one before */
    int error;                 /* what the call returns: HSAY_ENOSPC, HSAY_ESTORE ... */
};

/* Everything in here belongs to the store; `fault` may be set at any time. */
struct hsay_store_mem {
    struct hsay_store_index index; /* marks are bodies */
    struct hsay_ordset by_expiry;  /* expiry, digest */
    struct hsay_store_mem_body *author_head[HSAY_STORE_MEM_LEVELS];
    struct hsay_store_mem_undo *undo;
    uint64_t undo_count;
    uint64_t undo_size;
    const struct hsay_crypto *crypto;
    uint64_t quota_bytes;
    uint64_t bundle_bytes;
    uint64_t serial;
    bool full;
    bool broken;
    struct hsay_store_mem_fault fault;
};

/* quota_bytes bounds the canonical bytes; 0 = no bound.  With a crypto port, which must outlive the
 * store, bodies are checked at each reading; with NULL they are not.  Cannot fail. */
void hsay_store_mem_init(struct hsay_store_mem *mem, uint64_t quota_bytes,
                         const struct hsay_crypto *crypto);

/* Gives all memory back.  The store is empty afterwards, with the same quota. */
void hsay_store_mem_free(struct hsay_store_mem *mem);

/* The port of this store, good as long as `mem` stays where it is. */
struct hsay_store hsay_store_mem_port(struct hsay_store_mem *mem);

/* For tests: as if the process had died now and come back; what was not committed is gone.
 * HSAY_ESTORE when there was no memory to do it. */
int hsay_store_mem_crash(struct hsay_store_mem *mem);

/* For tests: turns over one bit of a stored body.  HSAY_ENOENT. */
int hsay_store_mem_damage(struct hsay_store_mem *mem, const struct hsay_digest *digest);

#endif
