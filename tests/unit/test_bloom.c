/*
 * Goal of this test: the filter never loses what was added, lies as rarely as the theory says, has
 * the same bits on every machine and for ever, and a stranger's filter is refused where it should.
 *
 * All digests and salts come from fixed seeds, so the counts are exact.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

#include "bloom/bloom.h"
#include "hearsay/error.h"
#include "hearsay/params.h"

enum { ERROR_PPM = 10000 };

static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct hsay_digest random_digest(uint64_t *state)
{
    struct hsay_digest digest;

    for (int i = 0; i < HSAY_DIGEST_BYTES; i += 8) {
        uint64_t x = random_next(state);
        for (int j = 0; j < 8; j++)
            digest.byte[i + j] = (uint8_t)(x >> 8 * j);
    }
    return digest;
}

struct filter {
    struct hsay_bloom bloom;
    struct hsay_bloom_shape shape;
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
};

static void filter_init(struct filter *filter, uint32_t bytes, uint32_t error_ppm, uint64_t salt)
{
    hsay_bloom_shape(&filter->shape, bytes, error_ppm);
    assert_int_equal(filter->shape.bytes, bytes);
    assert_int_equal(
        hsay_bloom_init(&filter->bloom, filter->bits, bytes, filter->shape.hashes, salt), 0);
}

static void add_random(struct filter *filter, uint32_t count, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++) {
        struct hsay_digest digest = random_digest(&seed);
        hsay_bloom_add(&filter->bloom, &digest);
    }
}

static uint32_t count_present(const struct filter *filter, uint32_t count, uint64_t seed)
{
    uint32_t present = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct hsay_digest digest = random_digest(&seed);
        present += hsay_bloom_has(&filter->bloom, &digest);
    }
    return present;
}

/* --- the wire form --------------------------------------------------------------------------- */

/* The digits in base m of floor(x * m^4 / 2^64), by long multiplication on 16-bit limbs: another
 * way than that of the filter, and with the hash from the shared library. */
static void four_digits(uint32_t *digit, uint64_t x, uint32_t m)
{
    uint32_t limb[4];

    for (int i = 0; i < 4; i++)
        limb[i] = (uint32_t)(x >> 16 * i) & 0xffff;
    for (int d = 0; d < 4; d++) {
        uint32_t carry = 0;
        for (int i = 0; i < 4; i++) {
            uint32_t product = limb[i] * m + carry;
            limb[i] = product & 0xffff;
            carry = product >> 16;
        }
        digit[d] = carry;
    }
}

static uint64_t finalise(uint64_t z)
{
    uint64_t state = z - UINT64_C(0x9e3779b97f4a7c15);
    return random_next(&state);
}

static void reference_positions(uint32_t position[16], uint32_t m, const struct hsay_digest *digest,
                                uint64_t salt)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(digest->byte, 16, salt);
    uint64_t half[4] = {hash.low64, hash.high64, finalise(hash.low64 + hash.high64),
                        finalise(hash.low64 - hash.high64)};

    for (int h = 0; h < 4; h++) {
        uint32_t digit[4];
        four_digits(digit, half[h], m);
        for (int d = 0; d < 4; d++)
            position[h / 2 * 8 + 2 * d + h % 2] = digit[d];
    }
}

static void test_bits_are_those_of_the_description(void **state)
{
    (void)state;
    uint64_t random = 11;

    for (int i = 0; i < 20000; i++) {
        uint32_t bytes = 8 + (uint32_t)(random_next(&random) % 1368);
        uint8_t hashes = (uint8_t)(1 + random_next(&random) % 16);
        uint64_t salt = random_next(&random);
        struct hsay_digest digest = random_digest(&random);
        uint8_t bits[HSAY_FILTER_MAX_BYTES];
        uint8_t expected[HSAY_FILTER_MAX_BYTES] = {0};
        uint32_t position[16];
        struct hsay_bloom bloom;

        reference_positions(position, bytes * 8, &digest, salt);
        for (int k = 0; k < hashes; k++)
            expected[position[k] / 8] |= (uint8_t)(1 << position[k] % 8);
        assert_int_equal(hsay_bloom_init(&bloom, bits, bytes, hashes, salt), 0);
        hsay_bloom_add(&bloom, &digest);
        assert_memory_equal(bits, expected, bytes);
    }
}

struct vector {
    uint64_t salt;
    uint8_t bytes, hashes, digests; /* digest 0 is 00 01 .. 0f, digest i 16 times i */
    uint8_t bits[16];
};

static void test_vectors(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {0, 8, 7, 1, {0x04, 0x00, 0x14, 0x10, 0x03, 0x02, 0x00, 0x00}},
        {UINT64_C(0x0123456789abcdef), 8, 7, 3, {0xd4, 0x12, 0xb0, 0x48, 0x10, 0x70, 0x12, 0xc8}},
        {UINT64_MAX, 11, 16, 2, {0x12, 0x21, 0x04, 0x19, 0x26, 0x35, 0xb0, 0x84, 0x30, 0x01, 0x69}},
        {UINT64_C(0x8000000000000000),
         16,
         8,
         4,
         {0x10, 0x30, 0x00, 0x9d, 0x90, 0x00, 0x0a, 0x08, 0x01, 0x49, 0x44, 0x14, 0xd0, 0x64, 0x80,
          0x09}},
        {1,
         16,
         9,
         4,
         {0x04, 0x22, 0x8b, 0xc1, 0x1a, 0x02, 0x00, 0x80, 0xb8, 0x09, 0x41, 0x50, 0x52, 0x84, 0x00,
          0x4a}},
    };

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *v = &vectors[i];
        uint8_t bits[16];
        struct hsay_bloom bloom;

        assert_int_equal(hsay_bloom_init(&bloom, bits, v->bytes, v->hashes, v->salt), 0);
        for (int d = 0; d < v->digests; d++) {
            struct hsay_digest digest;
            for (int b = 0; b < HSAY_DIGEST_BYTES; b++)
                digest.byte[b] = (uint8_t)(d == 0 ? b : d);
            hsay_bloom_add(&bloom, &digest);
        }
        if (memcmp(bits, v->bits, v->bytes) != 0) {
            print_error("vector %zu is now:", i);
            for (int b = 0; b < v->bytes; b++)
                print_error(" 0x%02x,", bits[b]);
            print_error("\n");
        }
        assert_memory_equal(bits, v->bits, v->bytes);
    }
}

static void test_vector_of_a_full_filter(void **state)
{
    (void)state;
    struct filter filter;

    filter_init(&filter, 1066, ERROR_PPM, UINT64_C(0x0123456789abcdef));
    assert_int_equal(filter.shape.capacity, 889);
    add_random(&filter, filter.shape.capacity, 1);
    assert_int_equal(XXH64(filter.bits, 1066, 0), UINT64_C(0x3837d0c0fdb9a9c9));
    assert_int_equal(hsay_bloom_ones(&filter.bloom), 4402);
}

/* --- never a false "no" ---------------------------------------------------------------------- */

static void test_nothing_added_is_lost(void **state)
{
    (void)state;
    uint64_t random = 12;

    for (int i = 0; i < 400; i++) {
        uint32_t bytes = 8 + (uint32_t)(random_next(&random) % 1368);
        uint8_t hashes = (uint8_t)(1 + random_next(&random) % 16);
        uint32_t count = 1 + (uint32_t)(random_next(&random) % 1200);
        uint64_t salt = random_next(&random);
        uint64_t seed = random_next(&random);
        struct filter filter;

        assert_int_equal(hsay_bloom_init(&filter.bloom, filter.bits, bytes, hashes, salt), 0);
        add_random(&filter, count, seed);
        assert_int_equal(count_present(&filter, count, seed), count);
    }
}

static void test_an_empty_filter_has_nothing(void **state)
{
    (void)state;
    struct filter filter;

    filter_init(&filter, 1066, ERROR_PPM, 1);
    assert_int_equal(count_present(&filter, 100000, 13), 0);
    assert_int_equal(hsay_bloom_ones(&filter.bloom), 0);
}

static void test_memory_around_the_bits_stays(void **state)
{
    (void)state;

    for (uint32_t bytes = 8; bytes < 80; bytes++) {
        uint8_t room[96];
        struct hsay_bloom bloom;
        uint64_t seed = bytes;

        memset(room, 0xa5, sizeof room);
        assert_int_equal(hsay_bloom_init(&bloom, room + 8, bytes, 16, bytes), 0);
        for (int i = 0; i < 500; i++) {
            struct hsay_digest digest = random_digest(&seed);
            hsay_bloom_add(&bloom, &digest);
        }
        assert_int_equal(hsay_bloom_ones(&bloom), bytes * 8);
        for (uint32_t i = 0; i < 8; i++) {
            assert_int_equal(room[i], 0xa5);
            assert_int_equal(room[8 + bytes + i], 0xa5);
        }
    }
}

/* --- how often a wrong "yes" ----------------------------------------------------------------- */

static double theory(const struct hsay_bloom_shape *shape)
{
    double k = shape->hashes;
    return pow(-expm1(-k * shape->capacity / shape->bits), k);
}

/* One filter of each of these sizes, 200,000 queries each: a standard deviation of 0.7 % of the
 * sum from counting and 1.2 % from the fills, hence 5 %. */
static void test_wrong_answers_at_capacity(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1000, 1024, 1041, 1066, 1083, 1099, 1100, 1150, 1270, 1375};
    double expected = 0, counted = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct filter filter;

        filter_init(&filter, sizes[i], ERROR_PPM, 1000 + i);
        add_random(&filter, filter.shape.capacity, 2000 + i);
        expected += theory(&filter.shape) * 200000;
        counted += count_present(&filter, 200000, 3000 + i);
    }
    assert_true(counted > 0.95 * expected && counted < 1.05 * expected);
    assert_int_equal((int)counted, 20138);
}

/* Other numbers of positions, the second hash among them; each summed over 20 filters. */
static void test_wrong_answers_at_other_rates(void **state)
{
    (void)state;
    static const uint32_t rates[] = {500000, 250000, 100000, 30000, 1000, 500, 100};

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double expected = 0, counted = 0;

        for (uint32_t j = 0; j < 20; j++) {
            struct filter filter;

            filter_init(&filter, 1041, rates[i], 4000 + j);
            add_random(&filter, filter.shape.capacity, 5000 + j);
            expected += theory(&filter.shape) * 40000;
            counted += count_present(&filter, 40000, 6000 + j);
        }
        assert_true(fabs(counted - expected) < 0.03 * expected + 4 * sqrt(expected));
        assert_true(expected <= 1.03 * 20 * 40000.0 * rates[i] / 1e6);
    }
}

/* Salts that differ by one only, which is the worst that a counter for a salt could do. */
static void test_a_fresh_salt_clears_a_wrong_answer(void **state)
{
    (void)state;
    enum { QUERIES = 300000 };
    struct filter filter[3];
    uint32_t wrong[3] = {0};
    uint64_t seed = 77;

    for (uint64_t i = 0; i < 3; i++) {
        filter_init(&filter[i], 1066, ERROR_PPM, 9000 + i);
        add_random(&filter[i], filter[i].shape.capacity, 76);
    }
    for (int q = 0; q < QUERIES; q++) {
        struct hsay_digest digest = random_digest(&seed);
        for (int i = 0; i < 3 && hsay_bloom_has(&filter[i].bloom, &digest); i++)
            wrong[i]++;
    }
    assert_in_range(wrong[0], QUERIES / 125, QUERIES / 83); /* 1 % */
    assert_in_range(wrong[1], 10, 60);                      /* 1 % of these: 30 */
    assert_in_range(wrong[2], 0, 4);                        /* 1 % of these: 0.3 */

    /* Negative control: without a fresh salt the second filter repeats every mistake. */
    filter_init(&filter[1], 1066, ERROR_PPM, 9000);
    add_random(&filter[1], filter[1].shape.capacity, 76);
    assert_int_equal(count_present(&filter[1], QUERIES, 77), wrong[0]);
}

/* --- an author who grinds -------------------------------------------------------------------- */

static bool sets_only_new_bits(const struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    uint32_t position[16];

    reference_positions(position, bloom->bit_count, digest, bloom->salt);
    for (int k = 0; k < bloom->hashes; k++) {
        if (bloom->bits[position[k] / 8] >> position[k] % 8 & 1)
            return false;
        for (int j = 0; j < k; j++) {
            if (position[j] == position[k])
                return false;
        }
    }
    return true;
}

/* Somebody who knows the salt makes bundles until each sets seven bits that nothing else sets. */
static void test_ground_items_need_a_known_salt(void **state)
{
    (void)state;
    static struct hsay_digest ground[889];
    struct filter known, fresh;
    uint64_t seed = 88;

    filter_init(&known, 1066, ERROR_PPM, 8000);
    filter_init(&fresh, 1066, ERROR_PPM, 8001);
    for (int i = 0; i < 889; i++) {
        do
            ground[i] = random_digest(&seed);
        while (!sets_only_new_bits(&known.bloom, &ground[i]));
        hsay_bloom_add(&known.bloom, &ground[i]);
        hsay_bloom_add(&fresh.bloom, &ground[i]);
    }

    /* Frozen salt: 889 * 7 bits of 8,528 are ones, 0.73^7 = 11 %; and a receiver refuses that. */
    assert_int_equal(hsay_bloom_ones(&known.bloom), 889 * 7);
    assert_in_range(count_present(&known, 100000, 89), 10001, 12000);
    struct hsay_bloom view;
    struct hsay_span bits = {known.bits, 1066};
    assert_int_equal(hsay_bloom_view(&view, bits, 7, 8000), HSAY_EBAD);

    /* Fresh salt: as good as any digests. */
    assert_in_range(count_present(&fresh, 100000, 89), 880, 1120);
    bits.data = fresh.bits;
    assert_int_equal(hsay_bloom_view(&view, bits, 7, 8001), 0);
}

/* --- what a receiver takes ------------------------------------------------------------------- */

static int view_of(size_t bytes, uint8_t hashes, uint32_t ones)
{
    uint8_t bits[HSAY_FILTER_MAX_BYTES + 1] = {0};
    struct hsay_bloom bloom = {NULL, 1, 2, 3};
    const struct hsay_bloom before = bloom;

    for (uint32_t i = 0; i < ones; i++)
        bits[i / 8] |= (uint8_t)(1 << i % 8);

    int rc = hsay_bloom_view(&bloom, (struct hsay_span){bits, bytes}, hashes, 9);

    if (rc)
        assert_memory_equal(&bloom, &before, sizeof bloom);
    else
        assert_int_equal(hsay_bloom_ones(&bloom), ones);
    return rc;
}

static void test_view_bounds(void **state)
{
    (void)state;
    assert_int_equal(view_of(7, 7, 0), HSAY_EBAD);
    assert_int_equal(view_of(8, 7, 0), 0);
    assert_int_equal(view_of(1375, 7, 0), 0);
    assert_int_equal(view_of(1376, 7, 0), HSAY_EBAD);
    assert_int_equal(view_of(0, 7, 0), HSAY_EBAD);
    assert_int_equal(view_of(SIZE_MAX, 7, 0), HSAY_EBAD);
    assert_int_equal(view_of(8, 0, 0), HSAY_EBAD);
    assert_int_equal(view_of(8, 1, 0), 0);
    assert_int_equal(view_of(8, 16, 0), 0);
    assert_int_equal(view_of(8, 17, 0), HSAY_EBAD);
    assert_int_equal(view_of(8, 255, 0), HSAY_EBAD);
}

static void test_view_refuses_what_is_too_full(void **state)
{
    (void)state;
    for (uint32_t bytes = 8; bytes <= HSAY_FILTER_MAX_BYTES; bytes++) {
        uint32_t most = bytes * 8 * 6 / 10;
        assert_int_equal(view_of(bytes, 7, most), 0);
        assert_int_equal(view_of(bytes, 7, most + 1), HSAY_EBAD);
    }
    assert_int_equal(view_of(1066, 7, 1066 * 8), HSAY_EBAD);
}

static void test_init_bounds(void **state)
{
    (void)state;
    uint8_t bits[HSAY_FILTER_MAX_BYTES + 1];
    struct hsay_bloom bloom;

    memset(bits, 0xa5, sizeof bits);
    assert_int_equal(hsay_bloom_init(&bloom, bits, 7, 7, 0), HSAY_EINVAL);
    assert_int_equal(hsay_bloom_init(&bloom, bits, 1376, 7, 0), HSAY_EINVAL);
    assert_int_equal(hsay_bloom_init(&bloom, bits, 8, 0, 0), HSAY_EINVAL);
    assert_int_equal(hsay_bloom_init(&bloom, bits, 8, 17, 0), HSAY_EINVAL);
    assert_int_equal(bits[0], 0xa5);
    assert_int_equal(hsay_bloom_init(&bloom, bits, 1375, 16, 0), 0);
    assert_int_equal(bits[1374], 0);
    assert_int_equal(bits[1375], 0xa5);
}

/* Every size, filled to its capacity: no receiver may refuse it. */
static void test_no_honest_filter_is_refused(void **state)
{
    (void)state;
    static const uint32_t rates[] = {10000, 100000, 300000, 350000, 500000, 16};
    uint64_t random = 14;

    for (uint32_t bytes = 8; bytes <= HSAY_FILTER_MAX_BYTES; bytes++) {
        for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
            struct filter filter;
            struct hsay_bloom view;
            struct hsay_span bits = {filter.bits, bytes};

            filter_init(&filter, bytes, rates[r], random_next(&random));
            add_random(&filter, filter.shape.capacity, random_next(&random));
            assert_int_equal(hsay_bloom_view(&view, bits, filter.shape.hashes, filter.bloom.salt),
                             0);
        }
    }
}

static void test_a_view_answers_like_its_original(void **state)
{
    (void)state;
    struct filter filter;
    struct hsay_bloom view;
    uint64_t seed = 15;

    filter_init(&filter, 1066, ERROR_PPM, 7);
    add_random(&filter, 800, 15);
    assert_int_equal(hsay_bloom_view(&view, (struct hsay_span){filter.bits, 1066}, 7, 7), 0);
    for (int i = 0; i < 20000; i++) {
        struct hsay_digest digest = random_digest(&seed);
        assert_int_equal(hsay_bloom_has(&view, &digest), hsay_bloom_has(&filter.bloom, &digest));
    }
}

/* --- sizes ----------------------------------------------------------------------------------- */

static void test_shapes(void **state)
{
    (void)state;
    static const struct {
        uint32_t room, error_ppm;
        struct hsay_bloom_shape shape;
    } table[] = {
        {1270, 500000, {1270, 10160, 1, 7042}},
        {1270, 100000, {1270, 10160, 3, 2119}},
        {1270, 10000, {1270, 10160, 7, 1059}},
        {1270, 1000, {1270, 10160, 10, 706}},
        {1066, 10000, {1066, 8528, 7, 889}},
        {1100, 10000, {1100, 8800, 7, 918}},
        {342, 10000, {342, 2736, 7, 285}},
        {128, 10000, {128, 1024, 7, 106}},
        {127, 10000, {127, 1016, 7, 87}},
        {8, 10000, {8, 64, 7, 5}},
        {7, 10000, {0, 0, 7, 0}},
        {0, 10000, {0, 0, 7, 0}},
        {1375, 10000, {1375, 11000, 7, 1147}},
        {1376, 10000, {1375, 11000, 7, 1147}},
        {UINT32_MAX, 10000, {1375, 11000, 7, 1147}},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct hsay_bloom_shape shape;
        hsay_bloom_shape(&shape, table[i].room, table[i].error_ppm);
        assert_int_equal(shape.bytes, table[i].shape.bytes);
        assert_int_equal(shape.bits, table[i].shape.bits);
        assert_int_equal(shape.hashes, table[i].shape.hashes);
        assert_int_equal(shape.capacity, table[i].shape.capacity);
    }
}

static void test_shape_of_any_error(void **state)
{
    (void)state;
    for (uint32_t ppm = 0; ppm <= 1100000; ppm += ppm < 5000 ? 1 : 997) {
        struct hsay_bloom_shape shape;
        double p = fmin(fmax(ppm, 16), 500000) / 1e6;

        hsay_bloom_shape(&shape, 1100, ppm);
        assert_in_range(shape.hashes, 1, HSAY_FILTER_HASHES_MAX);
        assert_int_equal(shape.hashes, (int)floor(-log2(p) + 0.5));
        assert_true(shape.capacity <= 8800 * M_LN2 * M_LN2 / -log(p) + 1e-6);
        assert_true(shape.capacity >= floor(8800 * M_LN2 * M_LN2 / -log(p) - 1e-6) ||
                    shape.capacity == 8800 * 750 / (1000u * shape.hashes));
    }
}

static void test_bytes_for_is_the_smallest(void **state)
{
    (void)state;
    static const uint32_t rates[] = {1, 16, 1000, 10000, 100000, 500000, 1000000};

    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        struct hsay_bloom_shape shape, smaller;

        hsay_bloom_shape(&shape, HSAY_FILTER_MAX_BYTES, rates[r]);
        for (uint32_t items = 0, most = shape.capacity; items <= most; items++) {
            uint32_t bytes = hsay_bloom_bytes_for(items, rates[r]);
            hsay_bloom_shape(&shape, bytes, rates[r]);
            assert_int_equal(shape.bytes, bytes);
            assert_true(shape.capacity >= items);
            hsay_bloom_shape(&smaller, bytes - 1, rates[r]);
            assert_true(bytes == HSAY_FILTER_MIN_BYTES || smaller.capacity < items);
        }
        hsay_bloom_shape(&shape, HSAY_FILTER_MAX_BYTES, rates[r]);
        assert_int_equal(hsay_bloom_bytes_for(shape.capacity + 1, rates[r]), HSAY_FILTER_MAX_BYTES);
        assert_int_equal(hsay_bloom_bytes_for(UINT32_MAX, rates[r]), HSAY_FILTER_MAX_BYTES);
    }
}

/* --- what it tells about itself -------------------------------------------------------------- */

static void test_explain(void **state)
{
    (void)state;

    for (uint32_t bytes = 8; bytes <= HSAY_FILTER_MAX_BYTES; bytes += 13) {
        for (uint8_t hashes = 1; hashes <= HSAY_FILTER_HASHES_MAX; hashes += 3) {
            uint8_t bits[HSAY_FILTER_MAX_BYTES];
            struct hsay_bloom bloom;

            assert_int_equal(hsay_bloom_init(&bloom, bits, bytes, hashes, 0), 0);
            for (uint32_t i = 0; i < bytes; i++) {
                struct hsay_bloom_facts facts;
                double share = (double)i / bytes;

                hsay_bloom_explain(&bloom, &facts);
                assert_int_equal(facts.ones, 8 * i);
                assert_int_equal(facts.fill_permille, 1000 * i / bytes);
                assert_int_equal(facts.fill_permille, hsay_bloom_fill_permille(&bloom));
                assert_true(fabs(facts.error_ppm - 1e6 * pow(share, hashes)) < 1);
                assert_true(fabs(facts.items - -log1p(-share) * bytes * 8 / hashes) < 0.75);
                bits[i] = 0xff;
            }
        }
    }
}

static void test_explain_all_ones(void **state)
{
    (void)state;
    uint8_t bits[100];
    struct hsay_bloom bloom;
    struct hsay_bloom_facts facts;

    assert_int_equal(hsay_bloom_init(&bloom, bits, sizeof bits, 7, 0), 0);
    memset(bits, 0xff, sizeof bits);
    hsay_bloom_explain(&bloom, &facts);
    assert_int_equal(facts.ones, 800);
    assert_int_equal(facts.fill_permille, 1000);
    assert_int_equal(facts.error_ppm, 1000000);
    assert_int_equal(facts.items, UINT32_MAX);
}

static void test_explain_tells_how_many(void **state)
{
    (void)state;
    struct filter filter;
    struct hsay_bloom_facts facts;

    filter_init(&filter, 1066, ERROR_PPM, 16);
    add_random(&filter, 889, 17);
    hsay_bloom_explain(&filter.bloom, &facts);
    assert_in_range(facts.items, 870, 908);
    assert_in_range(facts.error_ppm, 9000, 11000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_are_those_of_the_description),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_vector_of_a_full_filter),
        cmocka_unit_test(test_nothing_added_is_lost),
        cmocka_unit_test(test_an_empty_filter_has_nothing),
        cmocka_unit_test(test_memory_around_the_bits_stays),
        cmocka_unit_test(test_wrong_answers_at_capacity),
        cmocka_unit_test(test_wrong_answers_at_other_rates),
        cmocka_unit_test(test_a_fresh_salt_clears_a_wrong_answer),
        cmocka_unit_test(test_ground_items_need_a_known_salt),
        cmocka_unit_test(test_view_bounds),
        cmocka_unit_test(test_view_refuses_what_is_too_full),
        cmocka_unit_test(test_init_bounds),
        cmocka_unit_test(test_no_honest_filter_is_refused),
        cmocka_unit_test(test_a_view_answers_like_its_original),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_shape_of_any_error),
        cmocka_unit_test(test_bytes_for_is_the_smallest),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_all_ones),
        cmocka_unit_test(test_explain_tells_how_many),
    };

    return cmocka_run_group_tests_name("bloom", tests, NULL, NULL);
}
