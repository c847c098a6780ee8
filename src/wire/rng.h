/*
 * Chance for the core: BLAKE2b in counter mode over a 32-byte seed.  Good enough for salts, request
 * ids and nonces, and the same seed gives the same numbers on any machine.
 *
 * Each refill also replaces the key (fast key erasure), so that a node's memory does not tell which
 * salts it used before.
 */
#ifndef HEARSAY_WIRE_RNG_H
#define HEARSAY_WIRE_RNG_H

#include "hearsay/crypto.h"

struct hsay_rng {
    uint8_t key[32];
    uint8_t pool[32];
    uint8_t left; /* bytes of the pool not yet handed out, taken from its end */
};

void hsay_rng_init(struct hsay_rng *rng, const uint8_t seed[32]);
void hsay_rng_bytes(struct hsay_rng *rng, const struct hsay_crypto *crypto, void *out, size_t size);
uint64_t hsay_rng_u64(struct hsay_rng *rng, const struct hsay_crypto *crypto);

/* Uniform in 0 .. bound - 1; bound >= 1.  (Multiplication of 64 by 64 bits: the bias is below
 * bound / 2^64.) */
uint64_t hsay_rng_below(struct hsay_rng *rng, const struct hsay_crypto *crypto, uint64_t bound);

#endif
