/*
 * What the tests of src/sync share: a crypto port that counts signatures and is cheap, bundles by
 * number, and stores filled with records that nobody ever signed.
 */
#ifndef HEARSAY_TESTS_SYNC_FIXTURE_H
#define HEARSAY_TESTS_SYNC_FIXTURE_H

#include "src/port/store_mem.h"
#include "src/sync/bundle.h"
#include "src/wire/rng.h"

/* Hashes are real.  A signature is a hash over author and message: anybody can make one, which is
 * what some tests are about. */
struct sync_crypto {
    struct hsay_crypto port;
    struct hsay_crypto_ops ops;
    unsigned verified;
};
void sync_crypto_init(struct sync_crypto *crypto);

/* The secret of author `number`; its second half is the public key. */
void sync_author(uint8_t secret[HSAY_SECRET_BYTES], struct hsay_key *author, unsigned number);

struct sync_plan {
    unsigned author;
    uint64_t sequence;
    uint64_t time;
    uint64_t expiry_s;
    unsigned payload; /* makes bundles of one slot differ */
};
struct sync_bundle {
    struct hsay_bundle b;
    uint8_t bytes[HSAY_BUNDLE_MAX_BYTES];
};
/* `out` must stay where it is: the bundle's spans point into it. */
void sync_bundle_make(struct sync_bundle *out, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, const struct sync_plan *plan);

/* A record with a random digest that its bytes (`size` zeros, at most 1,024) do not have: for
 * stores without a crypto port. */
struct hsay_record sync_record(uint64_t *random, uint64_t time, size_t size);

/* Ends the program unless the store takes it. */
void sync_put(const struct hsay_store *store, const struct hsay_record *record);

void sync_rng(struct hsay_rng *rng, uint64_t seed);

#endif
