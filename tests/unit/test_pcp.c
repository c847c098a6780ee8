/*
 * Goal of this test: a MAP request has the bytes of RFC 6887, and only the answer to it is
 * believed: every shorter or longer datagram, every altered field that matters, another's nonce,
 * and another sender are passed over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The daemon is no library, so its pure parts are taken in as they are. */
#include "src/daemon/pcp.c"

/* The fields of a response that are looked at. */
enum { AT_VERSION = 0, AT_OPCODE = 1, AT_RESULT = 3, AT_LIFETIME = 4, AT_NONCE = 24 };
enum { AT_PROTOCOL = 36, AT_INTERNAL = 40, AT_EXTERNAL = 42, AT_ADDRESS = 44 };

static const struct pcp_map asked = {
    .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
    .client = {.kind = HSAY_ADDR_IP4, .port = 6421, .byte = {192, 168, 7, 2}},
    .lifetime_s = 7200,
};

static const uint8_t request[PCP_MAP_BYTES] = {
    2,  1, 0, 0, 0,    0,    0x1c, 0x20, /* version, opcode, lifetime */
    0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 192, 168, 7, 2, /* client */
    1,  2, 3, 4, 5,    6,    7,    8,    9, 10, 11,   12,                   /* nonce */
    17, 0, 0, 0, 0x19, 0x15, 0x19, 0x15,                                    /* UDP, ports */
    0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 0,   0,   0, 0, /* any address */
};

static const uint8_t response[PCP_MAP_BYTES] = {
    2,  0x81, 0,    0, 0,    0,    0x0e, 0x10,                                 /* an hour */
    0,  0,    0x10, 0, 0,    0,    0,    0,    0, 0,  0,    0,    0,  0, 0, 0, /* epoch, reserved */
    1,  2,    3,    4, 5,    6,    7,    8,    9, 10, 11,   12,                /* nonce */
    17, 0,    0,    0, 0x19, 0x15, 0x23, 0x28, /* 6421 is 9000 outside */
    0,  0,    0,    0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 11, 0, 0, 1, /* 11.0.0.1 */
};

static enum pcp_verdict decode(struct pcp_answer *out, const struct pcp_map *to, const void *bytes,
                               size_t size)
{
    return pcp_decode(out, to, (struct hsay_span){bytes, size});
}

/* ---- requests ------------------------------------------------------------------------------- */

static void test_request(void **state)
{
    uint8_t bytes[PCP_MAP_BYTES];

    (void)state;
    pcp_encode(bytes, &asked);
    assert_memory_equal(bytes, request, sizeof bytes);
}

static void test_request_again(void **state)
{
    struct pcp_map map = asked;
    uint8_t bytes[PCP_MAP_BYTES];

    (void)state;
    map.external = (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = 9000, .byte = {11, 0, 0, 1}};
    pcp_encode(bytes, &map);
    assert_memory_equal(bytes, request, AT_EXTERNAL);
    assert_memory_equal(bytes + AT_EXTERNAL, response + AT_EXTERNAL, PCP_MAP_BYTES - AT_EXTERNAL);
}

static void test_request_removal(void **state)
{
    struct pcp_map map = asked;
    uint8_t bytes[PCP_MAP_BYTES];

    (void)state;
    map.lifetime_s = 0;
    map.external = (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = 9000, .byte = {11, 0, 0, 1}};
    pcp_encode(bytes, &map);
    assert_memory_equal(bytes + AT_LIFETIME, "\0\0\0\0", 4);
    assert_memory_equal(bytes + AT_EXTERNAL, "\0\0", 2);
    assert_memory_equal(bytes + AT_ADDRESS, request + AT_ADDRESS, 16);
}

static void test_request_ip6(void **state)
{
    struct pcp_map map = asked;
    uint8_t bytes[PCP_MAP_BYTES];
    static const uint8_t any[16];

    (void)state;
    map.client = (struct hsay_addr){.kind = HSAY_ADDR_IP6, .port = 6421, .byte = {0xfd, [15] = 2}};
    pcp_encode(bytes, &map);
    assert_memory_equal(bytes + 8, map.client.byte, 16);
    assert_memory_equal(bytes + AT_ADDRESS, any, 16);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void test_granted(void **state)
{
    struct pcp_answer answer;
    char text[HSAY_ADDR_TEXT_BYTES];

    (void)state;
    assert_int_equal(decode(&answer, &asked, response, sizeof response), PCP_GRANTED);
    assert_int_equal(answer.lifetime_s, 3600);
    hsay_addr_format(text, sizeof text, &answer.external);
    assert_string_equal(text, "11.0.0.1:9000");
}

static void test_other_sizes(void **state)
{
    uint8_t bytes[PCP_MAX_BYTES + 100] = {0};
    struct pcp_answer answer;

    (void)state;
    memcpy(bytes, response, sizeof response);
    for (size_t size = 0; size < sizeof bytes; size++) {
        enum pcp_verdict verdict = decode(&answer, &asked, bytes, size);

        assert_int_equal(verdict, size == sizeof response ? PCP_GRANTED : PCP_OTHER);
    }
}

/* Every bit of every field that ties an answer to its question. */
static void test_altered(void **state)
{
    static const struct {
        size_t at, size;
    } field[] = {{AT_VERSION, 1},
                 {AT_OPCODE, 1},
                 {AT_NONCE, PCP_NONCE_BYTES},
                 {AT_PROTOCOL, 1},
                 {AT_INTERNAL, 2}};
    struct pcp_answer answer;

    (void)state;
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        for (size_t bit = 0; bit < 8 * field[i].size; bit++) {
            uint8_t bytes[PCP_MAP_BYTES];

            memcpy(bytes, response, sizeof bytes);
            bytes[field[i].at + bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
        }
    }
    assert_int_equal(decode(&answer, &asked, request, sizeof request), PCP_OTHER);
}

static void set(uint8_t bytes[PCP_MAP_BYTES], size_t at, const void *value, size_t size)
{
    memcpy(bytes, response, PCP_MAP_BYTES);
    memcpy(bytes + at, value, size);
}

static void test_empty_grants(void **state)
{
    uint8_t bytes[PCP_MAP_BYTES];
    struct pcp_answer answer;
    struct pcp_map removal = asked;
    static const uint8_t zero[16], ip6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};

    (void)state;
    removal.lifetime_s = 0;
    set(bytes, AT_LIFETIME, zero, 4);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
    assert_int_equal(decode(&answer, &removal, bytes, sizeof bytes), PCP_GRANTED);
    set(bytes, AT_EXTERNAL, zero, 2);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
    set(bytes, AT_ADDRESS, zero, 16);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
    set(bytes, AT_ADDRESS + 12, zero, 4);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
    set(bytes, AT_ADDRESS + 12, "\xe0\0\0\1", 4);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
    set(bytes, AT_ADDRESS, ip6, 16);
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
}

static void test_refused(void **state)
{
    uint8_t bytes[PCP_MAP_BYTES];
    struct pcp_answer answer;

    (void)state;
    for (unsigned result = 2; result < 256; result++) {
        uint8_t byte = (uint8_t)result;

        set(bytes, AT_RESULT, &byte, 1);
        assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_REFUSED);
        assert_int_equal(answer.result, result);
        assert_true(strlen(pcp_result_text(byte)) > 4);
    }
    assert_string_equal(pcp_result_text(2), "not authorized");
    bytes[AT_NONCE] ^= 1;
    assert_int_equal(decode(&answer, &asked, bytes, sizeof bytes), PCP_OTHER);
}

static void test_not_spoken(void **state)
{
    static const uint8_t natpmp[8] = {0, 0x81, 0, 1, 0, 0, 0, 9};
    uint8_t other[24] = {1, 0x81, 0, 1};
    struct pcp_answer answer;

    (void)state;
    assert_int_equal(decode(&answer, &asked, natpmp, sizeof natpmp), PCP_NOT_SPOKEN);
    assert_int_equal(decode(&answer, &asked, natpmp, 3), PCP_OTHER);
    assert_int_equal(decode(&answer, &asked, other, sizeof other), PCP_NOT_SPOKEN);
    assert_int_equal(decode(&answer, &asked, other, sizeof other - 1), PCP_OTHER);
    other[1] = 1;
    assert_int_equal(decode(&answer, &asked, other, sizeof other), PCP_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),         cmocka_unit_test(test_request_again),
        cmocka_unit_test(test_request_removal), cmocka_unit_test(test_request_ip6),
        cmocka_unit_test(test_granted),         cmocka_unit_test(test_other_sizes),
        cmocka_unit_test(test_altered),         cmocka_unit_test(test_empty_grants),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_not_spoken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
