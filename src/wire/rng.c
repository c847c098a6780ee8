#include "src/wire/rng.h"

#include <assert.h>
#include <string.h>

static const uint8_t rng_label[] = {'h', 'e', 'a', 'r', 's', 'a', 'y',
                                    ' ', 'r', 'n', 'g', ' ', '1'};

static void rng_refill(struct hsay_rng *rng, const struct hsay_crypto *crypto)
{
    const struct hsay_span key = {rng->key, sizeof rng->key};
    const struct hsay_span label = {rng_label, sizeof rng_label};
    uint8_t block[sizeof rng->key + sizeof rng->pool];

    crypto->ops->hash(crypto->self, block, sizeof block, key, &label, 1);
    memcpy(rng->key, block, sizeof rng->key);
    memcpy(rng->pool, block + sizeof rng->key, sizeof rng->pool);
    rng->left = sizeof rng->pool;
}

void hsay_rng_init(struct hsay_rng *rng, const uint8_t seed[32])
{
    memset(rng, 0, sizeof *rng);
    memcpy(rng->key, seed, sizeof rng->key);
}

void hsay_rng_bytes(struct hsay_rng *rng, const struct hsay_crypto *crypto, void *out, size_t size)
{
    uint8_t *at = out;

    while (size > 0) {
        if (rng->left == 0)
            rng_refill(rng, crypto);
        size_t part = size < rng->left ? size : rng->left;
        rng->left = (uint8_t)(rng->left - part);
        memcpy(at, rng->pool + rng->left, part);
        memset(rng->pool + rng->left, 0, part);
        at += part;
        size -= part;
    }
}

uint64_t hsay_rng_u64(struct hsay_rng *rng, const struct hsay_crypto *crypto)
{
    uint8_t byte[8];
    uint64_t v = 0;

    hsay_rng_bytes(rng, crypto, byte, sizeof byte);
    for (size_t i = 0; i < sizeof byte; i++)
        v = v << 8 | byte[i];
    return v;
}

/* The upper 64 bits of a * b, by halves: a compiler need not know 128-bit integers.  No sum below
 * overflows: (2^32 - 1)^2 + 2 * (2^32 - 1) = 2^64 - 1. */
static uint64_t mul_high(uint64_t a, uint64_t b)
{
    const uint64_t half = UINT32_MAX;
    uint64_t low = (a & half) * (b & half);
    uint64_t mid = (a >> 32) * (b & half) + (low >> 32);
    uint64_t cross = (a & half) * (b >> 32) + (mid & half);
    return (a >> 32) * (b >> 32) + (mid >> 32) + (cross >> 32);
}

uint64_t hsay_rng_below(struct hsay_rng *rng, const struct hsay_crypto *crypto, uint64_t bound)
{
    assert(bound >= 1);
    return mul_high(hsay_rng_u64(rng, crypto), bound);
}
