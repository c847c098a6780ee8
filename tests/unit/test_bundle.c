/* Goal: a bundle has exactly one encoding, everything else is refused, and a signature holds for
 * one overlay and every byte before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/sync/bundle.h"
#include "src/wire/cursor.h"
#include "tests/store/fixture.h"
#include "tests/vectors/vectors.h"

static const struct hsay_crypto *crypto;
static struct hsay_key overlay;

static int set_up(void **state)
{
    (void)state;
    crypto = fixture_crypto();
    vector_copy("derive.hex", "overlay.key", overlay.byte, sizeof overlay.byte);
    return 0;
}

/* The encoder of these tests: knows nothing of bounds. */
static size_t encode(uint8_t *out, size_t room, const struct hsay_bundle *b)
{
    struct hsay_writer w = hsay_writer(out, room);
    hsay_write_u8(&w, 1);
    hsay_write_u8(&w, b->flags);
    hsay_write_bytes(&w, b->author.byte, sizeof b->author.byte);
    hsay_write_varint(&w, b->type);
    hsay_write_varint(&w, b->sequence);
    hsay_write_varint(&w, b->time);
    hsay_write_varint(&w, b->expiry_s);
    hsay_write_u8(&w, b->parent_count);
    hsay_write_bytes(&w, b->parents.data, b->parents.size);
    hsay_write_varint(&w, b->payload.size);
    hsay_write_bytes(&w, b->payload.data, b->payload.size);
    hsay_write_bytes(&w, b->signature.data, b->signature.size);
    assert_false(w.bad);
    return hsay_write_size(&w);
}

static void agrees_with_the_vectors(void **state)
{
    static const char *const name[] = {"plain", "parent", "large"};
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        char id_name[64] = "";
        struct hsay_id id;
        struct hsay_bundle b;
        struct vector bytes = vector_get("bundle.hex", name[i]);
        vector_copy("bundle.hex", strcat(strcat(id_name, name[i]), ".id"), id.byte, sizeof id.byte);

        assert_int_equal(hsay_bundle_decode(&b, crypto, vector_span(&bytes)), HSAY_OK);
        assert_memory_equal(&b.id, &id, sizeof id);
        assert_memory_equal(&b.digest, &id, sizeof b.digest);
        assert_true(hsay_bundle_verify(&b, crypto, &overlay));
        struct hsay_key other = overlay;
        other.byte[0] ^= 1;
        assert_false(hsay_bundle_verify(&b, crypto, &other));
    }
}

static void makes_the_vectors(void **state)
{
    struct vector plain = vector_get("bundle.hex", "plain");
    uint8_t seed[32], secret[HSAY_SECRET_BYTES], out[HSAY_BUNDLE_MAX_BYTES];
    struct hsay_key author;
    struct hsay_bundle expected, made;
    (void)state;
    vector_copy("bundle.hex", "author.1.seed", seed, sizeof seed);
    hsay_sodium_author_from_seed(&author, secret, seed);
    assert_int_equal(hsay_bundle_decode(&expected, crypto, vector_span(&plain)), HSAY_OK);
    const struct hsay_draft draft = {
        .flags = expected.flags,
        .type = expected.type,
        .author_secret = secret,
        .payload = expected.payload,
    };
    const struct hsay_bundle_plan plan = {&draft, expected.sequence, expected.time};
    assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &plan), HSAY_OK);
    assert_int_equal(made.bytes.size, plain.size);
    assert_memory_equal(out, plain.byte, plain.size);
    assert_memory_equal(&made.author, &author, sizeof author);
}

/* ---- random drafts -------------------------------------------------------------------------- */

struct random_draft {
    struct hsay_draft draft;
    struct hsay_bundle_plan plan;
    struct hsay_id parent[HSAY_PARENTS_MAX];
    uint8_t payload[HSAY_PAYLOAD_MAX_BYTES];
    uint8_t secret[HSAY_SECRET_BYTES];
};

/* Numbers of all sizes of varints. */
static uint64_t any_number(uint64_t *random)
{
    return fixture_random(random) >> (2 + fixture_random(random) % 62);
}

static void random_draft(struct random_draft *r, uint64_t *random)
{
    static const uint8_t flags[] = {0, 1, 4, 5};
    struct hsay_key author;
    uint8_t seed[32] = {(uint8_t)fixture_random(random)};
    hsay_sodium_author_from_seed(&author, r->secret, seed);
    for (size_t i = 0; i < sizeof r->parent; i++)
        ((uint8_t *)r->parent)[i] = (uint8_t)fixture_random(random);
    for (size_t i = 0; i < sizeof r->payload; i++)
        r->payload[i] = (uint8_t)fixture_random(random);
    uint8_t parents = (uint8_t)(fixture_random(random) % (HSAY_PARENTS_MAX + 1));
    size_t room = HSAY_BUNDLE_MAX_BYTES - 133u - parents * (size_t)HSAY_ID_BYTES;
    if (room > HSAY_PAYLOAD_MAX_BYTES)
        room = HSAY_PAYLOAD_MAX_BYTES;
    r->draft = (struct hsay_draft){
        .flags = flags[fixture_random(random) % 4],
        .parent_count = parents,
        .parent = r->parent,
        .type = any_number(random),
        .expiry_s = any_number(random),
        .author_secret = r->secret,
        .payload = {r->payload, fixture_random(random) % (room + 1)},
    };
    r->plan = (struct hsay_bundle_plan){
        .draft = &r->draft, .sequence = any_number(random) + 1, .time = any_number(random) + 1};
}

static void what_is_made_decodes_to_itself(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct random_draft r;
        struct hsay_bundle made, decoded;
        struct hsay_record record;
        uint8_t out[HSAY_BUNDLE_MAX_BYTES], again[HSAY_BUNDLE_MAX_BYTES];
        random_draft(&r, &random);
        assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &r.plan), HSAY_OK);
        assert_int_equal(hsay_bundle_decode(&decoded, crypto, made.bytes), HSAY_OK);
        assert_true(hsay_bundle_verify(&decoded, crypto, &overlay));
        assert_int_equal(decoded.sequence, r.plan.sequence);
        assert_int_equal(decoded.time, r.plan.time);
        assert_int_equal(decoded.type, r.draft.type);
        assert_int_equal(decoded.payload.size, r.draft.payload.size);
        assert_memory_equal(decoded.payload.data, r.payload, decoded.payload.size);
        assert_int_equal(encode(again, sizeof again, &decoded), made.bytes.size);
        assert_memory_equal(again, out, made.bytes.size);

        hsay_bundle_record(&decoded, &record);
        assert_int_equal(record.at.time, decoded.time);
        assert_memory_equal(&record.at.digest, &decoded.id, sizeof record.at.digest);
        assert_int_equal(record.expiry_s, decoded.expiry_s);
        assert_ptr_equal(record.bytes.data, out);
    }
}

/* Any byte changed: refused, or another bundle of one encoding, which its author did not sign. */
static void no_byte_can_change(void **state)
{
    uint64_t random = 2;
    struct random_draft r;
    struct hsay_bundle made, b;
    uint8_t out[HSAY_BUNDLE_MAX_BYTES], again[HSAY_BUNDLE_MAX_BYTES];
    (void)state;
    random_draft(&r, &random);
    r.draft.payload.size = 40;
    assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &r.plan), HSAY_OK);
    for (size_t i = 0; i < made.bytes.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            out[i] ^= (uint8_t)(1u << bit);
            if (hsay_bundle_decode(&b, crypto, made.bytes) == HSAY_OK) {
                assert_int_equal(encode(again, sizeof again, &b), made.bytes.size);
                assert_memory_equal(again, out, made.bytes.size);
                assert_memory_not_equal(&b.id, &made.id, sizeof b.id);
                if (bit == 0)
                    assert_false(hsay_bundle_verify(&b, crypto, &overlay));
            }
            out[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void no_other_length_decodes(void **state)
{
    struct vector large = vector_get("bundle.hex", "large");
    struct hsay_bundle b;
    (void)state;
    for (size_t size = 0; size < sizeof large.byte && size <= HSAY_BUNDLE_MAX_BYTES + 8; size++) {
        int rc = hsay_bundle_decode(&b, crypto, (struct hsay_span){large.byte, size});
        assert_int_equal(rc == HSAY_OK, size == large.size);
    }
}

/* ---- what is refused ------------------------------------------------------------------------- */

static struct hsay_bundle good_bundle(struct vector *bytes)
{
    struct hsay_bundle b;
    *bytes = vector_get("bundle.hex", "parent");
    assert_int_equal(hsay_bundle_decode(&b, crypto, vector_span(bytes)), HSAY_OK);
    return b;
}

static void assert_refused(const struct hsay_bundle *b)
{
    uint8_t bytes[2 * HSAY_BUNDLE_MAX_BYTES];
    struct hsay_bundle out;
    struct hsay_span span = {bytes, encode(bytes, sizeof bytes, b)};
    assert_int_equal(hsay_bundle_decode(&out, crypto, span), HSAY_EBAD);
}

static void fields_out_of_bounds_are_refused(void **state)
{
    static const uint8_t payload[HSAY_PAYLOAD_MAX_BYTES + 1];
    struct vector bytes;
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        struct hsay_bundle b = good_bundle(&bytes);
        b.flags = (uint8_t)flags;
        if (flags != 0 && flags != 1 && flags != 4 && flags != 5)
            assert_refused(&b);
    }
    struct hsay_bundle b = good_bundle(&bytes);
    b.sequence = 0;
    assert_refused(&b);
    b = good_bundle(&bytes);
    b.time = 0;
    assert_refused(&b);
    b = good_bundle(&bytes);
    b.payload = (struct hsay_span){payload, sizeof payload};
    b.parents.size = b.parent_count = 0;
    assert_refused(&b);
}

static void parents_are_few_ascending_and_different(void **state)
{
    struct vector bytes;
    uint8_t parents[5 * HSAY_ID_BYTES] = {0};
    struct hsay_bundle b = good_bundle(&bytes);
    (void)state;
    for (size_t i = 0; i < 5; i++)
        parents[i * HSAY_ID_BYTES] = (uint8_t)(i + 1);
    b.parents = (struct hsay_span){parents, sizeof parents};
    b.parent_count = 5;
    assert_refused(&b);

    b.parents.size = 2 * HSAY_ID_BYTES;
    b.parent_count = 2;
    parents[0] = 2; /* equal */
    assert_refused(&b);
    parents[0] = 3; /* falling */
    assert_refused(&b);
    b.parent_count = 1; /* one more than stated */
    assert_refused(&b);
}

static void another_version_is_told_apart(void **state)
{
    struct vector bytes = vector_get("bundle.hex", "plain");
    struct hsay_bundle b;
    (void)state;
    bytes.byte[0] = 2;
    assert_int_equal(hsay_bundle_decode(&b, crypto, vector_span(&bytes)), HSAY_EVERSION);
}

static void long_varints_are_refused(void **state)
{
    struct vector plain = vector_get("bundle.hex", "plain");
    struct hsay_bundle b;
    size_t type_at = 2 + HSAY_KEY_BYTES;
    (void)state;
    /* type 1 as two bytes: 40 01 */
    memmove(plain.byte + type_at + 1, plain.byte + type_at, plain.size - type_at);
    plain.byte[type_at] = 0x40;
    plain.size++;
    assert_int_equal(hsay_bundle_decode(&b, crypto, vector_span(&plain)), HSAY_EBAD);
}

static void assert_not_made(const struct random_draft *r)
{
    struct hsay_bundle made;
    uint8_t out[HSAY_BUNDLE_MAX_BYTES];
    assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &r->plan), HSAY_EINVAL);
}

static void drafts_out_of_bounds_are_refused(void **state)
{
    static const uint8_t payload[HSAY_PAYLOAD_MAX_BYTES + 1];
    uint64_t random = 3;
    struct random_draft r;
    (void)state;
    random_draft(&r, &random);
    r.draft.parent_count = 0;
    r.draft.payload = (struct hsay_span){payload, sizeof payload};
    assert_not_made(&r);

    random_draft(&r, &random);
    r.draft.flags = 2;
    assert_not_made(&r);
    random_draft(&r, &random);
    r.draft.type = HSAY_TIME_MAX + 1;
    assert_not_made(&r);
    random_draft(&r, &random);
    r.draft.expiry_s = HSAY_TIME_MAX + 1;
    assert_not_made(&r);
    random_draft(&r, &random);
    r.plan.sequence = 0;
    assert_not_made(&r);
    random_draft(&r, &random);
    r.plan.time = HSAY_TIME_MAX + 1;
    assert_not_made(&r);

    random_draft(&r, &random);
    r.draft.parent_count = 2;
    r.parent[1] = r.parent[0];
    r.draft.payload.size = 0;
    assert_not_made(&r);
    r.draft.parent_count = HSAY_PARENTS_MAX + 1;
    assert_not_made(&r);
}

/* 900 bytes fit with no parents, and with four of them what the rest of 1,040 leaves. */
static void the_largest_fit(void **state)
{
    uint64_t random = 4;
    struct random_draft r;
    struct hsay_bundle made;
    uint8_t out[HSAY_BUNDLE_MAX_BYTES];
    (void)state;
    random_draft(&r, &random);
    r.draft.type = r.draft.expiry_s = r.plan.sequence = r.plan.time = HSAY_TIME_MAX;
    r.draft.parent_count = 0;
    r.draft.payload = (struct hsay_span){r.payload, HSAY_PAYLOAD_MAX_BYTES};
    assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &r.plan), HSAY_OK);
    assert_int_equal(made.bytes.size, 1033);

    r.draft.parent_count = HSAY_PARENTS_MAX;
    r.draft.payload.size = HSAY_BUNDLE_MAX_BYTES - 1033 + 900 - HSAY_PARENTS_MAX * HSAY_ID_BYTES;
    assert_int_equal(hsay_bundle_make(out, &made, crypto, &overlay, &r.plan), HSAY_OK);
    assert_int_equal(made.bytes.size, HSAY_BUNDLE_MAX_BYTES);
    r.draft.payload.size++;
    assert_not_made(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_vectors),
        cmocka_unit_test(makes_the_vectors),
        cmocka_unit_test(what_is_made_decodes_to_itself),
        cmocka_unit_test(no_byte_can_change),
        cmocka_unit_test(no_other_length_decodes),
        cmocka_unit_test(fields_out_of_bounds_are_refused),
        cmocka_unit_test(parents_are_few_ascending_and_different),
        cmocka_unit_test(another_version_is_told_apart),
        cmocka_unit_test(long_varints_are_refused),
        cmocka_unit_test(drafts_out_of_bounds_are_refused),
        cmocka_unit_test(the_largest_fit),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
