/* Goal: bounded reading and writing can not be made to run over, forget an error, or accept a
 * second form of a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hearsay/params.h"
#include "src/wire/cursor.h"

static const struct {
    uint64_t value;
    uint8_t size;
    uint8_t byte[8];
} varints[] = {
    {0, 1, {0x00}},
    {37, 1, {0x25}}, /* this, 15293, 494878333 and the last but one: RFC 9000, appendix A.1 */
    {63, 1, {0x3f}},
    {64, 2, {0x40, 0x40}},
    {15293, 2, {0x7b, 0xbd}},
    {16383, 2, {0x7f, 0xff}},
    {16384, 4, {0x80, 0x00, 0x40, 0x00}},
    {494878333, 4, {0x9d, 0x7f, 0x3e, 0x7d}},
    {1073741823, 4, {0xbf, 0xff, 0xff, 0xff}},
    {1073741824, 8, {0xc0, 0, 0, 0, 0x40, 0, 0, 0}},
    {151288809941952652, 8, {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c}},
    {HSAY_TIME_MAX, 8, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
};

static void varint_has_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof varints / sizeof varints[0]; i++) {
        uint8_t out[8];
        struct hsay_writer w = hsay_writer(out, sizeof out);
        hsay_write_varint(&w, varints[i].value);
        assert_false(w.bad);
        assert_int_equal(hsay_write_size(&w), varints[i].size);
        assert_int_equal(hsay_varint_size(varints[i].value), varints[i].size);
        assert_memory_equal(out, varints[i].byte, varints[i].size);

        struct hsay_reader r = hsay_reader((struct hsay_span){varints[i].byte, varints[i].size});
        assert_true(hsay_read_varint(&r) == varints[i].value);
        assert_true(hsay_read_done(&r));
    }
}

static void varint_in_a_longer_form_is_refused(void **state)
{
    static const uint8_t longer[][8] = {{0x40, 0x3f},
                                        {0x80, 0, 0, 0},
                                        {0x80, 0, 0x3f, 0xff},
                                        {0xc0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff}};

    (void)state;
    for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++) {
        size_t size = (size_t)1 << (longer[i][0] >> 6);
        struct hsay_reader r = hsay_reader((struct hsay_span){longer[i], size});
        assert_true(hsay_read_varint(&r) == 0);
        assert_true(r.bad);
    }
}

static void varint_that_is_cut_or_too_large_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof varints / sizeof varints[0]; i++) {
        for (size_t size = 0; size < varints[i].size; size++) {
            struct hsay_reader r = hsay_reader((struct hsay_span){varints[i].byte, size});
            assert_true(hsay_read_varint(&r) == 0);
            assert_true(r.bad);
        }
    }
    uint8_t out[16];
    struct hsay_writer w = hsay_writer(out, sizeof out);
    hsay_write_varint(&w, HSAY_TIME_MAX + 1);
    assert_true(w.bad);
    assert_int_equal(hsay_write_size(&w), 0);
}

static void an_error_sticks(void **state)
{
    static const uint8_t four[4] = {1, 2, 3, 4};
    struct hsay_reader r = hsay_reader((struct hsay_span){four, sizeof four});
    uint8_t copy[4] = {9, 9, 9, 9};

    (void)state;
    assert_int_equal(hsay_read_u16(&r), 0x0102);
    assert_int_equal(hsay_read_u32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(hsay_read_u8(&r), 0);
    hsay_read_bytes(&r, copy, sizeof copy);
    assert_memory_equal(copy, "\0\0\0\0", 4);
    assert_int_equal(hsay_read_span(&r, 1).size, 0);
    assert_int_equal(hsay_read_left(&r), 2);
    assert_false(hsay_read_done(&r));

    uint8_t out[4] = {0};
    struct hsay_writer w = hsay_writer(out, sizeof out);
    hsay_write_u16(&w, 0x0102);
    hsay_write_u32(&w, 7);
    assert_true(w.bad);
    hsay_write_u8(&w, 5);
    hsay_write_bytes(&w, four, 1);
    assert_int_equal(hsay_write_size(&w), 2);
    assert_memory_equal(out, "\1\2\0\0", 4);
}

static void left_over_bytes_are_not_done(void **state)
{
    static const uint8_t two[2] = {1, 2};
    struct hsay_reader r = hsay_reader((struct hsay_span){two, sizeof two});

    (void)state;
    assert_int_equal(hsay_read_u8(&r), 1);
    assert_false(hsay_read_done(&r));
    assert_int_equal(hsay_read_u8(&r), 2);
    assert_true(hsay_read_done(&r));
    assert_int_equal(hsay_read_span(&r, 0).size, 0);
    assert_true(hsay_read_done(&r));
    hsay_read_span(&r, SIZE_MAX);
    assert_false(hsay_read_done(&r));
}

static void integers_are_big_endian(void **state)
{
    static const uint8_t expected[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t out[15];
    struct hsay_writer w = hsay_writer(out, sizeof out);

    (void)state;
    hsay_write_u8(&w, 1);
    hsay_write_u16(&w, 0x0203);
    hsay_write_u32(&w, 0x04050607);
    hsay_write_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(w.bad);
    assert_int_equal(hsay_write_left(&w), 0);
    assert_memory_equal(out, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varint_has_one_form),
        cmocka_unit_test(varint_in_a_longer_form_is_refused),
        cmocka_unit_test(varint_that_is_cut_or_too_large_is_refused),
        cmocka_unit_test(an_error_sticks),
        cmocka_unit_test(left_over_bytes_are_not_done),
        cmocka_unit_test(integers_are_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
