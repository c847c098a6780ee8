/* Goal: new bundles are named while somebody wants them and no longer, mailed once, and wanted from
 * one peer at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/sync/rumor.h"

enum { ENTRIES = 8, WANTS = 16 };

static struct hsay_rumors rumors;
static struct hsay_rumor entry[ENTRIES];
static struct hsay_want want[WANTS];
static const hsay_time start = {UINT64_C(5000000000)};

static int set_up(void **state)
{
    (void)state;
    hsay_rumors_init(&rumors, entry, ENTRIES, want, WANTS);
    return 0;
}

static struct hsay_digest digest(uint8_t number)
{
    return (struct hsay_digest){{0, 0, 0, 0, 0, 0, 0, number, number}};
}

static void add(uint8_t number, bool own)
{
    struct hsay_digest d = digest(number);
    hsay_rumor_add(&rumors, start, &d, own);
}

static size_t hot_at(uint64_t ms, struct hsay_digest *out, size_t max)
{
    return hsay_rumor_hot(&rumors, hsay_time_add_ms(start, ms), out, max);
}

static void the_youngest_come_first(void **state)
{
    struct hsay_digest out[ENTRIES];
    (void)state;
    assert_int_equal(hot_at(0, out, ENTRIES), 0);
    for (uint8_t i = 1; i <= 11; i++)
        add(i, false);
    assert_int_equal(hot_at(0, out, ENTRIES), ENTRIES);
    for (uint8_t i = 0; i < ENTRIES; i++)
        assert_int_equal(out[i].byte[7], 11 - i);
    assert_int_equal(hot_at(0, out, 3), 3);
    assert_int_equal(out[2].byte[7], 9);
}

static void a_rumor_ends_after_its_lifetime(void **state)
{
    struct hsay_digest out[1];
    (void)state;
    add(1, false);
    assert_int_equal(hot_at(HSAY_RUMOR_LIFETIME_MS - 1, out, 1), 1);
    assert_int_equal(hot_at(HSAY_RUMOR_LIFETIME_MS, out, 1), 0);
}

static void two_in_a_row_that_knew_it_end_it(void **state)
{
    struct hsay_digest out[2];
    (void)state;
    add(1, false);
    add(2, false);
    hsay_rumor_on_told(&rumors, 1, false);
    hsay_rumor_on_told(&rumors, 1, true);
    hsay_rumor_on_told(&rumors, 1, false);
    assert_int_equal(hot_at(0, out, 2), 2);
    hsay_rumor_on_told(&rumors, 1, false);
    assert_int_equal(hot_at(0, out, 2), 1);
    assert_int_equal(out[0].byte[7], 2);
    hsay_rumor_on_told(&rumors, 1, true); /* a late answer does not revive it */
    assert_int_equal(hot_at(0, out, 2), 1);
    hsay_rumor_on_told(&rumors, 77, false); /* a peer may say what it likes */
}

static void own_bundles_are_mailed_once_and_in_order(void **state)
{
    struct hsay_digest out;
    (void)state;
    add(1, true);
    add(2, false);
    add(3, true);
    assert_true(hsay_rumor_has_mail(&rumors));
    assert_true(hsay_rumor_take_mail(&rumors, &out));
    assert_int_equal(out.byte[7], 1);
    assert_true(hsay_rumor_take_mail(&rumors, &out));
    assert_int_equal(out.byte[7], 3);
    assert_false(hsay_rumor_has_mail(&rumors));
    assert_false(hsay_rumor_take_mail(&rumors, &out));
}

static bool want_at(uint64_t ms, uint64_t short_digest)
{
    return hsay_rumor_want(&rumors, hsay_time_add_ms(start, ms), short_digest);
}

static void wanted_from_one_peer_at_a_time(void **state)
{
    (void)state;
    assert_true(want_at(0, 0));
    assert_true(want_at(0, 5));
    assert_false(want_at(0, 5));
    assert_false(want_at(HSAY_RUMOR_WANT_MS - 1, 5));
    assert_true(want_at(HSAY_RUMOR_WANT_MS, 5));
    assert_false(want_at(HSAY_RUMOR_WANT_MS + 1, 5));
    for (uint64_t other = 100; other < 100 + WANTS; other++)
        assert_true(want_at(HSAY_RUMOR_WANT_MS + 2, other));
    assert_true(want_at(HSAY_RUMOR_WANT_MS + 3, 5)); /* pushed out of the memory */
}

static void no_room_at_all_is_fine(void **state)
{
    struct hsay_digest d = digest(1);
    (void)state;
    hsay_rumors_init(&rumors, NULL, 0, want, 1);
    hsay_rumor_add(&rumors, start, &d, true);
    hsay_rumor_on_told(&rumors, 1, false);
    assert_int_equal(hot_at(0, &d, 1), 0);
    assert_false(hsay_rumor_has_mail(&rumors));
    assert_false(hsay_rumor_take_mail(&rumors, &d));
}

static void a_short_digest_is_its_first_half(void **state)
{
    struct hsay_digest d = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};
    (void)state;
    assert_true(hsay_digest_short(&d) == UINT64_C(0x0102030405060708));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_youngest_come_first, set_up),
        cmocka_unit_test_setup(a_rumor_ends_after_its_lifetime, set_up),
        cmocka_unit_test_setup(two_in_a_row_that_knew_it_end_it, set_up),
        cmocka_unit_test_setup(own_bundles_are_mailed_once_and_in_order, set_up),
        cmocka_unit_test_setup(wanted_from_one_peer_at_a_time, set_up),
        cmocka_unit_test_setup(no_room_at_all_is_fine, set_up),
        cmocka_unit_test_setup(a_short_digest_is_its_first_half, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
