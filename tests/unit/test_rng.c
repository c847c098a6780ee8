/* Goal: the same numbers everywhere, none handed out twice, and no way back to those used before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/wire/rng.h"
#include "tests/vectors/vectors.h"

static struct hsay_crypto crypto;

static int set_up(void **state)
{
    (void)state;
    hsay_crypto_sodium(&crypto);
    return hsay_sodium_init();
}

static void seeded(struct hsay_rng *rng)
{
    uint8_t seed[32];

    vector_copy("derive.hex", "rng.seed", seed, sizeof seed);
    hsay_rng_init(rng, seed);
}

static void agrees_with_the_vectors(void **state)
{
    struct hsay_rng rng;
    uint8_t expected[96], out[96];

    (void)state;
    vector_copy("derive.hex", "rng.pools", expected, sizeof expected);
    seeded(&rng);
    for (size_t at = 0; at < sizeof out; at += 32)
        hsay_rng_bytes(&rng, &crypto, out + at, 32);
    assert_memory_equal(out, expected, sizeof out);
    seeded(&rng);
    hsay_rng_bytes(&rng, &crypto, out, sizeof out);
    assert_memory_equal(out, expected, sizeof out);
}

/* A pool is handed out from its end, in pieces of any size, and each of its bytes once. */
static void pieces_come_from_the_end(void **state)
{
    struct hsay_rng rng;
    uint8_t pool[32], out[32];

    (void)state;
    seeded(&rng);
    hsay_rng_bytes(&rng, &crypto, pool, sizeof pool);
    seeded(&rng);
    hsay_rng_bytes(&rng, &crypto, out + 27, 5);
    hsay_rng_bytes(&rng, &crypto, out + 1, 26);
    hsay_rng_bytes(&rng, &crypto, out, 1);
    assert_memory_equal(out, pool, sizeof out);
    seeded(&rng);
    uint64_t v = 0;
    for (size_t i = 24; i < 32; i++)
        v = v << 8 | pool[i];
    assert_true(hsay_rng_u64(&rng, &crypto) == v);
}

static void nothing_used_stays_in_memory(void **state)
{
    struct hsay_rng rng;
    uint8_t first[32], out[32], zeros[32] = {0};

    (void)state;
    seeded(&rng);
    memcpy(first, rng.key, sizeof first);
    hsay_rng_bytes(&rng, &crypto, out, sizeof out);
    assert_memory_equal(rng.pool, zeros, sizeof zeros);
    assert_memory_not_equal(rng.key, first, sizeof first);
}

static void below_keeps_its_bound(void **state)
{
    static const uint64_t bounds[] = {1, 2, 3, 7, 1000, UINT64_C(1) << 32, UINT64_MAX};
    struct hsay_rng rng;

    (void)state;
    seeded(&rng);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        for (int n = 0; n < 2000; n++)
            assert_true(hsay_rng_below(&rng, &crypto, bounds[i]) < bounds[i]);
    }
}

/* 70,000 draws of 7: each value 10,000 times, with a standard deviation of 93; 6 of them is 560. */
static void below_is_even(void **state)
{
    struct hsay_rng rng;
    int seen[7] = {0};

    (void)state;
    seeded(&rng);
    for (int n = 0; n < 70000; n++)
        seen[hsay_rng_below(&rng, &crypto, 7)]++;
    for (size_t i = 0; i < 7; i++)
        assert_in_range(seen[i], 10000 - 560, 10000 + 560);
}

/* The multiplication by halves: the same draw against a bound of 2^63 and of 2^64 - 1 differs only
 * by the shift, to within one. */
static void below_multiplies_well(void **state)
{
    struct hsay_rng a, b, c;

    (void)state;
    seeded(&a);
    seeded(&b);
    seeded(&c);
    for (int n = 0; n < 1000; n++) {
        uint64_t v = hsay_rng_u64(&a, &crypto);
        assert_true(hsay_rng_below(&b, &crypto, UINT64_C(1) << 63) == v >> 1);
        uint64_t most = hsay_rng_below(&c, &crypto, UINT64_MAX);
        assert_true(most == (v == 0 ? 0 : v - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_vectors),
        cmocka_unit_test(pieces_come_from_the_end),
        cmocka_unit_test(nothing_used_stays_in_memory),
        cmocka_unit_test(below_keeps_its_bound),
        cmocka_unit_test(below_is_even),
        cmocka_unit_test(below_multiplies_well),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
