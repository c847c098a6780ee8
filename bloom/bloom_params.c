/*
 * How large, how full, how wrong: the formulas of the filter in integers, so that every machine
 * makes the same choice.
 *
 * For m bits, n digests and k positions each, a share e^(-kn/m) of the bits stays zero and a wrong
 * "yes" has the chance (1 - e^(-kn/m))^k.  For a wanted error p the best k is log2(1/p) and then
 * n = m (ln 2)^2 / |ln p| = m ln 2 / log2(1/p).  Logarithms are fixed-point numbers with 32 bits
 * after the point.
 */
#include <assert.h>

#include "bloom/bloom.h"
#include "hearsay/params.h"

#define LN2_Q32 UINT64_C(2977044472) /* ln 2 * 2^32 */

enum {
    PPM = 1000000,
    ERROR_PPM_MIN = 16,     /* 2^-16 = 15.3 ppm: the most positions there are */
    ERROR_PPM_MAX = 500000, /* one position, half of the bits set */

    /* Positions set per 1000 bits, so that an honest filter is never refused for its fill.  Below
     * 1,024 bits chance could push it over 60 %, therefore not even 1000 * k * n / m may: 600.
     * From 1,024 bits on 750 positions give a fill of 1 - e^-0.75 = 52.8 % with a standard
     * deviation of 0.28 / sqrt(m) <= 0.88 %, and 60 % is 8.2 of those away (5 e-16).  At 1 % and
     * k = 7 the formula asks for 730 and is not touched. */
    GUARDED_BITS = 1024,
    GUARDED_LOAD_PERMILLE = HSAY_FILTER_FILL_MAX_PERMILLE,
    LOAD_MAX_PERMILLE = 750,
};

static_assert((uint64_t)HSAY_FILTER_MAX_BYTES * 8 < 1 << 14, "products below stay within 64 bits");

/* log2(a / b) * 2^32 for a >= b >= 1, both below 2^31: the whole part by halving, then a bit of
 * the fraction for each squaring, as (x^2)^(1/2) = x. */
static uint64_t log2_q32(uint64_t a, uint64_t b)
{
    uint64_t whole = 0;

    assert(a >= b && b >= 1);
    while (a >= 2 * b) {
        b *= 2;
        whole++;
    }

    uint64_t x = (a << 31) / b; /* 1 <= x < 2, with 31 bits after the point */
    uint64_t fraction = 0;

    for (int i = 0; i < 32; i++) {
        x = x * x >> 31;
        fraction = fraction << 1 | x >> 32;
        if (x >> 32)
            x >>= 1;
    }
    return whole << 32 | fraction;
}

static uint64_t positions_wanted_q32(uint32_t error_ppm)
{
    if (error_ppm < ERROR_PPM_MIN)
        error_ppm = ERROR_PPM_MIN;
    if (error_ppm > ERROR_PPM_MAX)
        error_ppm = ERROR_PPM_MAX;
    return log2_q32(PPM, error_ppm);
}

static uint8_t hashes_for(uint64_t wanted_q32)
{
    return (uint8_t)((wanted_q32 + (UINT64_C(1) << 31)) >> 32);
}

static uint32_t capacity_for(uint32_t bits, uint64_t wanted_q32)
{
    uint32_t load = bits < GUARDED_BITS ? GUARDED_LOAD_PERMILLE : LOAD_MAX_PERMILLE;
    uint32_t bound = bits * load / (1000u * hashes_for(wanted_q32));
    uint32_t capacity = (uint32_t)(bits * LN2_Q32 / wanted_q32);

    return capacity < bound ? capacity : bound;
}

void hsay_bloom_shape(struct hsay_bloom_shape *shape, uint32_t bytes, uint32_t error_ppm)
{
    uint64_t wanted = positions_wanted_q32(error_ppm);

    if (bytes < HSAY_FILTER_MIN_BYTES)
        bytes = 0;
    if (bytes > HSAY_FILTER_MAX_BYTES)
        bytes = HSAY_FILTER_MAX_BYTES;
    *shape = (struct hsay_bloom_shape){
        .bytes = bytes,
        .bits = bytes * 8,
        .hashes = hashes_for(wanted),
        .capacity = capacity_for(bytes * 8, wanted),
    };
}

uint32_t hsay_bloom_bytes_for(uint32_t items, uint32_t error_ppm)
{
    uint64_t wanted = positions_wanted_q32(error_ppm);
    uint32_t low = HSAY_FILTER_MIN_BYTES;
    uint32_t high = HSAY_FILTER_MAX_BYTES;

    while (low < high) { /* capacity never falls when bytes grow */
        uint32_t middle = (low + high) / 2;
        if (capacity_for(middle * 8, wanted) >= items)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint32_t error_ppm_of(uint32_t ones, uint32_t bits, uint32_t hashes)
{
    uint64_t share_q31 = ((uint64_t)ones << 31) / bits;
    uint64_t power_q31 = UINT64_C(1) << 31;

    for (uint32_t i = 0; i < hashes; i++)
        power_q31 = power_q31 * share_q31 >> 31;
    return (uint32_t)((power_q31 * PPM + (UINT64_C(1) << 30)) >> 31);
}

/* The n for which e^(-kn/m) is the share of zeroes: m ln 2 log2(bits / zeroes) / k. */
static uint32_t items_of(uint32_t ones, uint32_t bits, uint32_t hashes)
{
    if (ones == bits)
        return UINT32_MAX;

    uint64_t log_q16 = log2_q32(bits, bits - ones) >> 16;
    uint64_t items_q16 = ((bits * LN2_Q32 >> 16) * log_q16 >> 16) / hashes;

    return (uint32_t)((items_q16 + (1u << 15)) >> 16);
}

void hsay_bloom_explain(const struct hsay_bloom *bloom, struct hsay_bloom_facts *facts)
{
    uint32_t ones = hsay_bloom_ones(bloom);

    *facts = (struct hsay_bloom_facts){
        .ones = ones,
        .fill_permille = ones * 1000 / bloom->bit_count,
        .error_ppm = error_ppm_of(ones, bloom->bit_count, bloom->hashes),
        .items = items_of(ones, bloom->bit_count, bloom->hashes),
    };
}
