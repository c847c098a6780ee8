/*
 * A Bloom filter whose positions all come from one call of XXH3.
 *
 * XXH3_128bits of the 16 digest bytes, seeded with the salt, gives two 64-bit numbers.  From such a
 * number x and m bits:
 *
 *     x * m = position * 2^64 + rest        a position, and a rest to go on with
 *     rest * m = next position * 2^64 + ...
 *
 * Four positions taken so are the digits of floor(x * m^4 / 2^64) in base m: each four of them
 * stand for floor(2^64 / m^4) of the 2^64 numbers or for one more, that is 1,259 or 1,260 at the
 * largest m of 11,000.  Positions 0, 2, 4, 6 come from the low half, 1, 3, 5, 7 from the high one,
 * and 8 to 15 in the same way from the two halves mixed with each other.  Up to eight positions
 * are therefore independent and as good as uniform: the filter is the one of the textbook, with
 * 0.997 of its wrong answers in 10 million.
 *
 * Dropped: double hashing, position i = a + i * b mod m.  It gives 1.019 of the wrong answers of
 * the textbook, because a progression overlaps itself and others in runs, and saves nothing
 * (bench/bench_bloom.c has both).  So does cutting fixed pieces from the hash: 128 bits are 18 for
 * each of 7 positions but 8 for each of 16.
 *
 * XXH3 defines its results as numbers, the same on every machine, and the bits are set byte by
 * byte: so is the wire form.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <assert.h>
#include <string.h>

#include "bloom/bloom.h"
#include "hearsay/error.h"
#include "hearsay/params.h"

enum { POSITIONS_PER_HASH = 8 };

static_assert(HSAY_FILTER_HASHES_MAX == 2 * POSITIONS_PER_HASH, "one hash and one mix of it");
static_assert(HSAY_FILTER_MAX_BYTES * 8 < 1 << 14,
              "four positions leave 8 of 64 bits against bias");

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128;
#endif

struct hash {
    uint64_t next, after_next;
};

static inline struct hash hash_of(const struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(digest->byte, HSAY_DIGEST_BYTES, bloom->salt);

    return (struct hash){hash.low64, hash.high64};
}

static inline uint32_t take_position(struct hash *hash, uint64_t m)
{
#ifdef __SIZEOF_INT128__
    uint128 product = (uint128)hash->next * m;
    uint64_t high = (uint64_t)(product >> 64);
    uint64_t rest = (uint64_t)product;
#else
    uint64_t high = ((hash->next >> 32) * m + ((hash->next & UINT32_MAX) * m >> 32)) >> 32;
    uint64_t rest = hash->next * m;
#endif
    *hash = (struct hash){hash->after_next, rest};
    return (uint32_t)high;
}

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static struct hash second_hash(const struct hash *hash)
{
    return (struct hash){mix(hash->next + hash->after_next), mix(hash->next - hash->after_next)};
}

static inline void set_bits(uint8_t *bits, uint64_t m, struct hash hash, uint32_t count)
{
#pragma GCC unroll 8
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = take_position(&hash, m);
        bits[position / 8] |= (uint8_t)(1u << position % 8);
    }
}

static inline uint32_t get_bits(const uint8_t *bits, uint64_t m, struct hash hash, uint32_t count)
{
    uint32_t all = 1;

#pragma GCC unroll 8
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = take_position(&hash, m);
        all &= (uint32_t)bits[position / 8] >> position % 8;
    }
    return all;
}

static bool is_valid_size(size_t bytes, uint8_t hashes)
{
    return bytes >= HSAY_FILTER_MIN_BYTES && bytes <= HSAY_FILTER_MAX_BYTES && hashes >= 1 &&
           hashes <= HSAY_FILTER_HASHES_MAX;
}

int hsay_bloom_init(struct hsay_bloom *bloom, uint8_t *bits, uint32_t bytes, uint8_t hashes,
                    uint64_t salt)
{
    if (!is_valid_size(bytes, hashes))
        return HSAY_EINVAL;
    memset(bits, 0, bytes);
    *bloom = (struct hsay_bloom){bits, bytes * 8, hashes, salt};
    return 0;
}

int hsay_bloom_view(struct hsay_bloom *bloom, struct hsay_span bits, uint8_t hashes, uint64_t salt)
{
    if (!is_valid_size(bits.size, hashes))
        return HSAY_EBAD;

    /* The cast takes const away; the header forbids hsay_bloom_add on a view. */
    struct hsay_bloom view = {(uint8_t *)bits.data, (uint32_t)bits.size * 8, hashes, salt};

    if (hsay_bloom_ones(&view) * 1000 > view.bit_count * HSAY_FILTER_FILL_MAX_PERMILLE)
        return HSAY_EBAD;
    *bloom = view;
    return 0;
}

static void add_any(struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    struct hash hash = hash_of(bloom, digest);
    uint32_t count = bloom->hashes;

    if (count > POSITIONS_PER_HASH) {
        set_bits(bloom->bits, bloom->bit_count, hash, POSITIONS_PER_HASH);
        hash = second_hash(&hash);
        count -= POSITIONS_PER_HASH;
    }
    set_bits(bloom->bits, bloom->bit_count, hash, count);
}

/* With the number known, the compiler writes the usual case without a loop: half the time. */
void hsay_bloom_add(struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    if (bloom->hashes == HSAY_FILTER_HASHES)
        set_bits(bloom->bits, bloom->bit_count, hash_of(bloom, digest), HSAY_FILTER_HASHES);
    else
        add_any(bloom, digest);
}

static bool has_any(const struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    struct hash hash = hash_of(bloom, digest);
    uint32_t count = bloom->hashes;
    uint32_t all = 1;

    if (count > POSITIONS_PER_HASH) {
        all = get_bits(bloom->bits, bloom->bit_count, hash, POSITIONS_PER_HASH);
        hash = second_hash(&hash);
        count -= POSITIONS_PER_HASH;
    }
    return all & get_bits(bloom->bits, bloom->bit_count, hash, count);
}

/* Looks at all positions: leaving at the first zero costs a mispredicted branch, which is more
 * than the reads it saves. */
bool hsay_bloom_has(const struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    if (bloom->hashes != HSAY_FILTER_HASHES)
        return has_any(bloom, digest);
    return get_bits(bloom->bits, bloom->bit_count, hash_of(bloom, digest), HSAY_FILTER_HASHES);
}

/* Adds up neighbours, then pairs, then bytes: __builtin_popcount would call into libgcc. */
static uint32_t ones_of_word(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
}

uint32_t hsay_bloom_ones(const struct hsay_bloom *bloom)
{
    uint32_t bytes = bloom->bit_count / 8;
    uint32_t ones = 0;

    for (uint32_t i = 0; i < bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bloom->bits + i, bytes - i < 8 ? bytes - i : 8);
        ones += ones_of_word(word);
    }
    return ones;
}

uint32_t hsay_bloom_fill_permille(const struct hsay_bloom *bloom)
{
    return hsay_bloom_ones(bloom) * 1000 / bloom->bit_count;
}
