/* Goal: filters, bundles and fingerprints are what an independent implementation of the protocol
 * makes of the same input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bloom/bloom.h"
#include "hearsay/crypto_sodium.h"
#include "src/sync/bundle.h"
#include "src/sync/claim.h"
#include "tests/vectors/vectors.h"

static struct hsay_crypto crypto;

static int set_up(void **state)
{
    (void)state;
    hsay_crypto_sodium(&crypto);
    return hsay_sodium_init();
}

static struct vector of(const char *file, const char *group, const char *field)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", group, field);
    return vector_get(file, name);
}

static uint64_t number(struct vector v)
{
    struct hsay_reader r = hsay_reader(vector_span(&v));

    return hsay_read_be(&r, v.size);
}

/* The first half of BLAKE2b-256 of a number. */
static struct hsay_digest digest_of(uint64_t n)
{
    uint8_t bytes[8], hash[32];
    struct hsay_writer w = hsay_writer(bytes, sizeof bytes);
    const struct hsay_span part = {bytes, sizeof bytes};
    struct hsay_digest digest;

    hsay_write_u64(&w, n);
    crypto.ops->hash(crypto.self, hash, sizeof hash, (struct hsay_span){NULL, 0}, &part, 1);
    memcpy(digest.byte, hash, sizeof digest.byte);
    return digest;
}

static void check_filter(const char *group)
{
    struct vector expected = of("filter.hex", group, "bits");
    uint64_t count = number(of("filter.hex", group, "count"));
    uint8_t hashes = (uint8_t)number(of("filter.hex", group, "hashes"));
    uint64_t salt = number(of("filter.hex", group, "salt"));
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_bloom bloom;

    assert_int_equal(hsay_bloom_init(&bloom, bits, (uint32_t)expected.size, hashes, salt), 0);
    for (uint64_t n = 0; n < count; n++) {
        struct hsay_digest digest = digest_of(n);
        hsay_bloom_add(&bloom, &digest);
    }
    assert_memory_equal(bits, expected.byte, expected.size);
}

static void filters_agree(void **state)
{
    (void)state;
    check_filter("none");
    check_filter("one");
    check_filter("three");
    check_filter("hundred");
    check_filter("sixteen");
    check_filter("largest");
}

/* A signature is a function of key and text (RFC 8032), so that making it anew gives the same. */
static void check_made_again(const struct hsay_bundle *b, const char *seed_name)
{
    struct vector seed = vector_get("bundle.hex", seed_name);
    struct hsay_key author, overlay;
    struct hsay_id parent[HSAY_PARENTS_MAX];
    uint8_t secret[HSAY_SECRET_BYTES], out[HSAY_BUNDLE_MAX_BYTES];
    struct hsay_bundle made;

    vector_copy("derive.hex", "overlay.key", overlay.byte, sizeof overlay.byte);
    hsay_sodium_author_from_seed(&author, secret, seed.byte);
    memcpy(parent, b->parents.data, b->parents.size);
    const struct hsay_draft draft = {.flags = b->flags,
                                     .parent_count = b->parent_count,
                                     .type = b->type,
                                     .expiry_s = b->expiry_s,
                                     .parent = parent,
                                     .author_secret = secret,
                                     .payload = b->payload};
    const struct hsay_bundle_plan plan = {&draft, b->sequence, b->time};
    assert_int_equal(hsay_bundle_make(out, &made, &crypto, &overlay, &plan), 0);
    assert_int_equal(made.bytes.size, b->bytes.size);
    assert_memory_equal(made.bytes.data, b->bytes.data, b->bytes.size);
    assert_true(hsay_bundle_verify(b, &crypto, &overlay));
}

static void check_bundle(const char *name, const char *seed_name, struct hsay_sum *sum)
{
    struct vector v = vector_get("bundle.hex", name), id = of("bundle.hex", name, "id");
    struct hsay_bundle b;
    uint64_t half[2];

    assert_int_equal(hsay_bundle_decode(&b, &crypto, vector_span(&v)), 0);
    assert_memory_equal(b.id.byte, id.byte, sizeof b.id.byte);
    assert_memory_equal(b.digest.byte, id.byte, sizeof b.digest.byte);
    check_made_again(&b, seed_name);
    struct hsay_reader r = hsay_reader((struct hsay_span){b.digest.byte, sizeof b.digest.byte});
    half[0] = hsay_read_u64(&r);
    half[1] = hsay_read_u64(&r);
    sum->low += half[1];
    sum->high += half[0] + (sum->low < half[1]);
    sum->count++;
}

static void bundles_and_their_fingerprint_agree(void **state)
{
    struct hsay_sum sum = {0, 0, 0};
    uint8_t bytes[16];
    struct hsay_writer w = hsay_writer(bytes, sizeof bytes);

    (void)state;
    assert_true(hsay_claim_fingerprint(&crypto, &sum) ==
                number(vector_get("bundle.hex", "sum.empty.fingerprint")));
    check_bundle("plain", "author.1.seed", &sum);
    check_bundle("parent", "author.1.seed", &sum);
    check_bundle("large", "author.2.seed", &sum);
    struct vector total = vector_get("bundle.hex", "sum.three");
    hsay_write_u64(&w, sum.high);
    hsay_write_u64(&w, sum.low);
    assert_memory_equal(bytes, total.byte, sizeof bytes);
    assert_true(hsay_claim_fingerprint(&crypto, &sum) ==
                number(vector_get("bundle.hex", "sum.three.fingerprint")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_agree),
        cmocka_unit_test(bundles_and_their_fingerprint_agree),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
