/* Goal: every message has one encoding, which decodes to the right fields; everything else is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/wire/message.h"
#include "tests/vectors/vectors.h"

#define REQUEST_ID UINT64_C(0x0102030405060708)

static struct hsay_span tail_of(const struct hsay_message *m)
{
    switch (m->type) {
    case HSAY_MSG_INTRO_RESPONSE:
        return m->intro_response.bundles;
    case HSAY_MSG_BUNDLES:
        return m->bundles.bundles;
    case HSAY_MSG_DIRECT:
        return m->direct.payload;
    default:
        return (struct hsay_span){NULL, 0};
    }
}

static size_t encode(uint8_t *out, size_t room, const struct hsay_message *m)
{
    struct hsay_writer w = hsay_writer(out, room);
    struct hsay_span tail = tail_of(m);

    hsay_message_encode(&w, m);
    if (!w.bad)
        assert_int_equal(hsay_write_size(&w), hsay_message_size(m));
    hsay_write_bytes(&w, tail.data, tail.size);
    return w.bad ? 0 : hsay_write_size(&w);
}

static void good_messages_come_back_the_same(void **state)
{
    struct vector v;
    size_t seen = 0;

    (void)state;
    while (vector_next("message.hex", "good.", &seen, &v)) {
        struct hsay_message m;
        uint8_t out[VECTOR_MAX_BYTES];
        assert_int_equal(hsay_message_decode(&m, vector_span(&v)), 0);
        assert_int_equal(encode(out, sizeof out, &m), v.size);
        assert_memory_equal(out, v.byte, v.size);
        for (size_t room = 0; room < v.size; room++)
            assert_int_equal(encode(out, room, &m), 0);
        assert_int_equal(encode(out, v.size, &m), v.size);
    }
    assert_int_equal(seen, 24);
}

static void unknown_extensions_are_left_out(void **state)
{
    struct vector v;
    size_t seen = 0;
    char name[80];

    (void)state;
    while (vector_next("message.hex", "extended.", &seen, &v)) {
        snprintf(name, sizeof name, "shorter.%s", strchr(v.name, '.') + 1);
        struct vector shorter = vector_get("message.hex", name);
        struct hsay_message m;
        uint8_t out[VECTOR_MAX_BYTES];
        assert_int_equal(hsay_message_decode(&m, vector_span(&v)), 0);
        assert_int_equal(encode(out, sizeof out, &m), shorter.size);
        assert_memory_equal(out, shorter.byte, shorter.size);
    }
    assert_int_equal(seen, 9);
}

static void bad_messages_are_refused(void **state)
{
    struct hsay_message m;
    struct vector v;
    size_t seen = 0;

    (void)state;
    while (vector_next("message.hex", "bad.", &seen, &v)) {
        if (hsay_message_decode(&m, vector_span(&v)) != HSAY_EBAD)
            fail_msg("%s was not refused", v.name);
    }
    assert_true(seen > 40);
    assert_int_equal(hsay_message_decode(&m, (struct hsay_span){v.byte, 0}), HSAY_EBAD);
}

/* Only the tail may be cut: what is left is then another message with a shorter tail. */
static void cut_messages_are_refused(void **state)
{
    struct vector v;
    size_t seen = 0;

    (void)state;
    while (vector_next("message.hex", "good.", &seen, &v)) {
        struct hsay_message m;
        assert_int_equal(hsay_message_decode(&m, vector_span(&v)), 0);
        size_t whole = v.size - tail_of(&m).size;
        for (size_t size = 0; size < v.size; size++) {
            int rc = hsay_message_decode(&m, (struct hsay_span){v.byte, size});
            assert_int_equal(rc, size < whole ? HSAY_EBAD : 0);
        }
    }
}

static struct hsay_message decoded(struct vector *v, const char *name)
{
    struct hsay_message m;

    *v = vector_get("message.hex", name);
    assert_int_equal(hsay_message_decode(&m, vector_span(v)), 0);
    return m;
}

static void check_addr(const struct hsay_addr *addr, uint8_t kind, uint16_t port, const char *byte)
{
    struct hsay_addr expected = {.kind = kind, .port = port};

    memcpy(expected.byte, byte, kind == HSAY_ADDR_IP4 ? 4 : 16);
    assert_memory_equal(addr, &expected, sizeof expected);
}

static void a_request_has_its_fields(void **state)
{
    struct vector v;
    struct hsay_message m = decoded(&v, "good.request.bloom");
    const struct hsay_intro_request *q = &m.intro_request;

    (void)state;
    assert_int_equal(m.type, HSAY_MSG_INTRO_REQUEST);
    assert_true(q->id == REQUEST_ID);
    assert_int_equal(q->flags, HSAY_REQUEST_INTRODUCE);
    check_addr(&q->to, HSAY_ADDR_HANDLE, 1,
               "\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");
    assert_int_equal(q->lan.kind, HSAY_ADDR_NONE);
    assert_int_equal(q->global_time, 5);
    assert_int_equal(q->answer_bytes, 65536);
    assert_int_equal(q->newest_count, HSAY_NEWEST_MAX);
    for (size_t i = 0; i < HSAY_NEWEST_MAX; i++)
        assert_int_equal(q->newest[i], i);
    assert_int_equal(q->padding, 0);
    m = decoded(&v, "good.request.flags");
    assert_int_equal(q->flags, HSAY_REQUEST_INTRODUCE);
    assert_int_equal(q->nat, HSAY_NAT_FLAGS);
    check_addr(&q->to, HSAY_ADDR_IP6, 6421, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
    check_addr(&q->lan, HSAY_ADDR_IP4, 6421, "\12\1\2\3");
    m = decoded(&v, "good.request.padded_200");
    assert_int_equal(q->padding, 200);
}

static void a_claim_has_its_fields(void **state)
{
    struct vector v;
    struct hsay_message m = decoded(&v, "good.request.bloom");
    const struct hsay_claim *claim = &m.intro_request.claim;

    (void)state;
    assert_int_equal(claim->kind, HSAY_CLAIM_BLOOM);
    assert_int_equal(claim->range.time_low, 63);
    assert_int_equal(claim->range.time_high, 64);
    assert_int_equal(claim->range.slicing, HSAY_SLICE_DIGEST);
    assert_int_equal(claim->range.modulo, 65536);
    assert_int_equal(claim->range.offset, 65535);
    assert_int_equal(claim->count, 16383);
    assert_true(claim->fingerprint == UINT64_C(0x1122334455667788));
    assert_int_equal(claim->hashes, 7);
    assert_true(claim->salt == UINT64_C(0xdeadbeefcafef00d));
    assert_int_equal(claim->bits.size, 8);
    assert_memory_equal(claim->bits.data, "\1\2\3\4\5\6\7\10", 8);
    m = decoded(&v, "good.request.sum");
    assert_int_equal(claim->kind, HSAY_CLAIM_SUM);
    assert_true(claim->range.time_high == HSAY_TIME_MAX);
    m = decoded(&v, "good.request.empty");
    assert_int_equal(claim->kind, HSAY_CLAIM_EMPTY);
    m = decoded(&v, "good.request.plain");
    assert_int_equal(claim->kind, HSAY_CLAIM_NONE);
}

static void a_response_has_its_fields(void **state)
{
    struct vector v;
    struct hsay_message m = decoded(&v, "good.response.introduced");
    const struct hsay_intro_response *a = &m.intro_response;

    (void)state;
    assert_true(a->id == REQUEST_ID);
    assert_int_equal(a->flags, 7);
    assert_int_equal(a->nat, HSAY_NAT_FLAGS);
    assert_int_equal(a->introduced.nat, HSAY_NAT_FLAGS);
    assert_int_equal(a->token.byte[0], 0x70);
    assert_int_equal(a->token.byte[15], 0x7f);
    check_addr(&a->to, HSAY_ADDR_IP4, 40000, "\313\0\161\11");
    assert_int_equal(a->global_time, 9);
    assert_int_equal(a->want, 0xffff);
    assert_int_equal(a->datagrams, 255);
    assert_int_equal(a->count, 100000);
    assert_true(a->fingerprint == UINT64_MAX);
    check_addr(&a->introduced.addr, HSAY_ADDR_IP4, 40000, "\313\0\161\11");
    check_addr(&a->introduced.lan, HSAY_ADDR_IP4, 6421, "\12\1\2\3");
    m = decoded(&v, "good.response.bundles");
    assert_int_equal(a->bundles.size, 100);
    assert_ptr_equal(a->bundles.data, v.byte + v.size - 100);
    assert_int_equal(a->introduced.lan.kind, HSAY_ADDR_NONE);
}

static void the_others_have_their_fields(void **state)
{
    struct vector v;
    struct hsay_message m = decoded(&v, "good.puncture_request.lan");

    (void)state;
    assert_true(m.puncture_request.id == REQUEST_ID);
    check_addr(&m.puncture_request.target.addr, HSAY_ADDR_IP6, 6421,
               "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
    check_addr(&m.puncture_request.target.lan, HSAY_ADDR_IP4, 6421, "\12\1\2\3");
    assert_memory_equal(m.puncture_request.target.key.byte, v.byte + v.size - 34, 32);
    assert_int_equal(m.puncture_request.target.nat, HSAY_NAT_IS_PUBLIC | HSAY_NAT_SEARCHES);
    m = decoded(&v, "good.puncture.plain");
    assert_true(m.puncture.id == REQUEST_ID);
    m = decoded(&v, "good.bundles.answer");
    assert_true(m.bundles.id == REQUEST_ID && m.bundles.flags == HSAY_BUNDLES_LAST);
    assert_int_equal(m.bundles.bundles.size, 50);
    m = decoded(&v, "good.bundles.mail");
    assert_true(m.bundles.id == 0 && m.bundles.flags == HSAY_BUNDLES_MAIL);
    m = decoded(&v, "good.fetch.48");
    assert_true(m.fetch.id == REQUEST_ID);
    assert_int_equal(m.fetch.count, HSAY_FETCH_MAX);
    assert_int_equal(m.fetch.digests[48 * 16 - 1], 0xff);
    assert_int_equal(m.fetch.padding, 23);
    m = decoded(&v, "good.direct.plain");
    assert_int_equal(m.direct.type, 77);
    assert_memory_equal(m.direct.payload.data, "payload", 7);
    m = decoded(&v, "good.probe.plain");
    assert_true(m.probe.id == REQUEST_ID);
    assert_int_equal(m.probe.port, 40000);
    assert_int_equal(m.probe.token.byte[15], 0x4f);
}

static void padding_is_exact_from_three_bytes_on(void **state)
{
    struct vector v;
    struct hsay_message m = decoded(&v, "good.request.plain");
    uint8_t out[VECTOR_MAX_BYTES];
    size_t bare = hsay_message_size(&m);

    (void)state;
    for (size_t padding = 0; padding < 1200; padding++) {
        struct hsay_message back;
        size_t expected = padding == 1 || padding == 2 ? 3 : padding;
        m.intro_request.padding = padding;
        assert_int_equal(hsay_message_size(&m), bare + expected);
        size_t size = encode(out, sizeof out, &m);
        assert_int_equal(size, bare + expected);
        assert_int_equal(hsay_message_decode(&back, (struct hsay_span){out, size}), 0);
        assert_int_equal(back.intro_request.padding, expected);
    }
    static uint8_t large[70000];
    m.intro_request.padding = 3 + UINT16_MAX;
    assert_int_equal(encode(large, sizeof large, &m), bare + 3 + UINT16_MAX);
    m.intro_request.padding = 3 + UINT16_MAX + 1;
    assert_int_equal(encode(large, sizeof large, &m), 0);
}

/* No single byte of a message may change without being noticed or seen in the fields. */
static void another_byte_is_another_message(void **state)
{
    struct vector v;
    size_t seen = 0;

    (void)state;
    while (vector_next("message.hex", "good.", &seen, &v)) {
        for (size_t i = 0; i < v.size; i++) {
            struct hsay_message m;
            uint8_t out[VECTOR_MAX_BYTES];
            v.byte[i] ^= 0x21;
            if (hsay_message_decode(&m, vector_span(&v)) == 0) {
                size_t size = encode(out, sizeof out, &m);
                bool same = size == v.size && memcmp(out, v.byte, size) == 0;
                assert_true(same || size < v.size);
            }
            v.byte[i] ^= 0x21;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_messages_come_back_the_same),
        cmocka_unit_test(unknown_extensions_are_left_out),
        cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(cut_messages_are_refused),
        cmocka_unit_test(a_request_has_its_fields),
        cmocka_unit_test(a_claim_has_its_fields),
        cmocka_unit_test(a_response_has_its_fields),
        cmocka_unit_test(the_others_have_their_fields),
        cmocka_unit_test(padding_is_exact_from_three_bytes_on),
        cmocka_unit_test(another_byte_is_another_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
