/*
 * The store port in memory: bodies on the heap, gone with the process.
 *
 * For tools, tests and nodes that keep nothing.  A node that forgets its own bundles must not
 * publish with the same author key before its peers have given them back.
 */
#ifndef HEARSAY_STORE_MEM_H
#define HEARSAY_STORE_MEM_H

#include "hearsay/crypto.h"
#include "hearsay/store.h"

/* An empty store.  quota_bytes bounds the canonical bytes, 0 = no bound; about 200 bytes of heap a
 * bundle come on top.  With a crypto port, which must outlive the store, bodies are checked at each
 * reading; with NULL they are not.  HSAY_ENOMEM. */
int hsay_store_mem_open(struct hsay_store *out, uint64_t quota_bytes,
                        const struct hsay_crypto *crypto);

/* Gives all memory back.  No overlay may use it any more.  A store that open did not fill in, all
 * zero, is fine. */
void hsay_store_mem_close(struct hsay_store *store);

#endif
