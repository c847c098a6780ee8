/*
 * Chance for the core: a chain of BLAKE2b over a 32-byte seed.  Good enough for salts, request ids
 * and nonces, and the same seed gives the same numbers on any machine.
 *
 * Each refill hashes the key into 64 bytes: 32 for the pool and 32 that replace the key (fast key
 * erasure), and bytes handed out are wiped.  So a node's memory does not tell which salts and
 * nonces it used before.
 */
#ifndef HEARSAY_WIRE_RNG_H
#define HEARSAY_WIRE_RNG_H

#include "hearsay/crypto.h"

struct hsay_rng {
    uint8_t key[32];
    uint8_t pool[32];
    uint8_t left; /* bytes of the pool not yet handed out, taken from its end */
};

/* Two nodes must never share a seed: they would share their nonces too. */
void hsay_rng_init(struct hsay_rng *rng, const uint8_t seed[32]);
void hsay_rng_bytes(struct hsay_rng *rng, const struct hsay_crypto *crypto, void *out, size_t size);
uint64_t hsay_rng_u64(struct hsay_rng *rng, const struct hsay_crypto *crypto);

/* Uniform in 0 .. bound - 1; bound >= 1.  (Multiplication of 64 by 64 bits: the bias is below
 * bound / 2^64.) */
uint64_t hsay_rng_below(struct hsay_rng *rng, const struct hsay_crypto *crypto, uint64_t bound);

#endif
