/*
 * The filter against its floor and against its theory.
 *
 * Ratios are medians over rounds in which filter and floor take turns, so that a slow second hits
 * both.  The floor is XXH3_64bits of 32 bytes: what it costs to look at one bundle id at all.
 * Wrong answers are counted over 10 million queries in filters of every size from 1,000 to 1,100
 * bytes, each with its own salt and as many digests as its capacity.  Seeds are fixed, so the
 * counts are the same on every machine.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bloom/bloom.h"
#include "hearsay/params.h"

enum {
    ERROR_PPM = 10000,
    BYTES_LOW = 1000,
    BYTES_HIGH = 1100,
    QUERIES = 10000000,
    ROUNDS = 31,
    FILTERS_PER_ROUND = 200,
    DIGEST_COUNT = 1 << 15, /* half a megabyte: several times what one filter is made of */
};

static struct hsay_digest digests[DIGEST_COUNT];
static volatile uint64_t sink;

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static struct hsay_digest random_digest(uint64_t *state)
{
    struct hsay_digest digest;

    for (int i = 0; i < HSAY_DIGEST_BYTES; i += 8) {
        uint64_t x = next_random(state);
        for (int j = 0; j < 8; j++)
            digest.byte[i + j] = (uint8_t)(x >> 8 * j);
    }
    return digest;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return values[count / 2];
}

/* --- time ------------------------------------------------------------------------------------ */

struct work {
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_bloom_shape shape;
    uint64_t salt;
};

static const struct hsay_digest *digests_from(uint64_t salt, uint32_t count)
{
    return digests + salt * 977 % (DIGEST_COUNT - count);
}

static double floor_ns(struct work *work)
{
    double start = seconds();
    uint64_t sum = 0;

    for (int f = 0; f < FILTERS_PER_ROUND; f++) {
        const struct hsay_digest *d = digests_from(++work->salt, 2 * work->shape.capacity);
        for (uint32_t i = 0; i < work->shape.capacity; i++)
            sum += XXH3_64bits(d[2 * i].byte, HSAY_ID_BYTES);
    }
    sink += sum;
    return (seconds() - start) * 1e9 / FILTERS_PER_ROUND / work->shape.capacity;
}

static double build_ns(struct work *work)
{
    double start = seconds();

    for (int f = 0; f < FILTERS_PER_ROUND; f++) {
        struct hsay_bloom bloom;
        const struct hsay_digest *d = digests_from(++work->salt, work->shape.capacity);

        hsay_bloom_init(&bloom, work->bits, work->shape.bytes, work->shape.hashes, work->salt);
        for (uint32_t i = 0; i < work->shape.capacity; i++)
            hsay_bloom_add(&bloom, &d[i]);
        sink += work->bits[0];
    }
    return (seconds() - start) * 1e9 / FILTERS_PER_ROUND / work->shape.capacity;
}

/* Queries of one filter that holds the first digests: the first again, or the last. */
static double query_ns(struct work *work, bool present)
{
    struct hsay_bloom bloom;
    uint32_t count = work->shape.capacity;
    const struct hsay_digest *d = present ? digests : digests + DIGEST_COUNT - count;
    uint64_t sum = 0;

    hsay_bloom_init(&bloom, work->bits, work->shape.bytes, work->shape.hashes, ++work->salt);
    for (uint32_t i = 0; i < count; i++)
        hsay_bloom_add(&bloom, &digests[i]);

    double start = seconds();

    for (int f = 0; f < FILTERS_PER_ROUND; f++) {
        for (uint32_t i = 0; i < count; i++)
            sum += hsay_bloom_has(&bloom, &d[i]);
    }
    sink += sum;
    return (seconds() - start) * 1e9 / FILTERS_PER_ROUND / count;
}

static void measure_time(void)
{
    static struct work work;
    double hash[ROUNDS], build[ROUNDS], absent[ROUNDS], present[ROUNDS];

    hsay_bloom_shape(&work.shape, BYTES_HIGH, ERROR_PPM);
    for (int i = 0; i < ROUNDS; i++) {
        hash[i] = floor_ns(&work);
        build[i] = build_ns(&work) / hash[i];
        absent[i] = query_ns(&work, false) / hash[i];
        present[i] = query_ns(&work, true) / hash[i];
    }
    printf("filter_hash_floor %.2f ns\n", median(hash, ROUNDS));
    printf("filter_build_ratio %.3f x\n", median(build, ROUNDS));
    printf("filter_query_ratio %.3f x\n", median(absent, ROUNDS));
    printf("filter_query_present_ratio %.3f x\n", median(present, ROUNDS));
}

/* --- wrong answers --------------------------------------------------------------------------- */

/* The way that was dropped, for comparison: position i is a + i * b modulo m. */
static void double_hashing(uint32_t *position, const struct hsay_bloom *bloom,
                           const struct hsay_digest *digest)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(digest->byte, HSAY_DIGEST_BYTES, bloom->salt);
    uint64_t a = hash.low64 % bloom->bit_count;
    uint64_t b = hash.high64 % bloom->bit_count;

    for (uint32_t i = 0; i < bloom->hashes; i++)
        position[i] = (uint32_t)((a + i * b) % bloom->bit_count);
}

static void double_hashing_add(struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    uint32_t position[HSAY_FILTER_HASHES_MAX];

    double_hashing(position, bloom, digest);
    for (uint32_t i = 0; i < bloom->hashes; i++)
        bloom->bits[position[i] / 8] |= (uint8_t)(1u << position[i] % 8);
}

static bool double_hashing_has(const struct hsay_bloom *bloom, const struct hsay_digest *digest)
{
    uint32_t position[HSAY_FILTER_HASHES_MAX];

    double_hashing(position, bloom, digest);
    for (uint32_t i = 0; i < bloom->hashes; i++) {
        if (!(bloom->bits[position[i] / 8] >> position[i] % 8 & 1))
            return false;
    }
    return true;
}

struct way {
    void (*add)(struct hsay_bloom *, const struct hsay_digest *);
    bool (*has)(const struct hsay_bloom *, const struct hsay_digest *);
};

struct wrong {
    double counted;
    double by_formula; /* (1 - e^(-kn/m))^k */
    double by_fill;    /* (ones / m)^k */
};

static void count_wrong(struct wrong *wrong, const struct way *way, uint32_t bytes,
                        uint64_t *random)
{
    static uint8_t bits[HSAY_FILTER_MAX_BYTES];
    const uint32_t queries = QUERIES / (BYTES_HIGH - BYTES_LOW + 1) + 1;
    struct hsay_bloom_shape shape;
    struct hsay_bloom bloom;

    hsay_bloom_shape(&shape, bytes, ERROR_PPM);
    hsay_bloom_init(&bloom, bits, shape.bytes, shape.hashes, next_random(random));
    for (uint32_t i = 0; i < shape.capacity; i++) {
        struct hsay_digest digest = random_digest(random);
        way->add(&bloom, &digest);
    }

    double k = shape.hashes;
    double share = -expm1(-k * shape.capacity / shape.bits);

    wrong->by_formula += pow(share, k) * queries;
    wrong->by_fill += pow((double)hsay_bloom_ones(&bloom) / shape.bits, k) * queries;
    for (uint32_t i = 0; i < queries; i++) {
        struct hsay_digest digest = random_digest(random);
        wrong->counted += way->has(&bloom, &digest);
    }
}

static struct wrong measure_wrong(struct way way)
{
    struct wrong wrong = {0};
    uint64_t random = 20190523;

    for (uint32_t bytes = BYTES_LOW; bytes <= BYTES_HIGH; bytes++)
        count_wrong(&wrong, &way, bytes, &random);
    return wrong;
}

int main(void)
{
    uint64_t random = 1;

    for (int i = 0; i < DIGEST_COUNT; i++)
        digests[i] = random_digest(&random);
    measure_time();

    struct wrong ours = measure_wrong((struct way){hsay_bloom_add, hsay_bloom_has});
    struct wrong dropped = measure_wrong((struct way){double_hashing_add, double_hashing_has});

    printf("false_positive_ratio %.4f x\n", ours.counted / ours.by_formula);
    printf("false_positive_fill_ratio %.4f x\n", ours.counted / ours.by_fill);
    printf("false_positive_double_hashing_ratio %.4f x\n", dropped.counted / dropped.by_formula);
    printf("false_positive_queries %d\n", QUERIES);
    return 0;
}
