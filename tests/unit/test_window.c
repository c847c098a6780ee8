/* Goal: no claim and no author moves the bound faster than its rate, and a newcomer is not kept
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hearsay/params.h"
#include "src/sync/window.h"

static const hsay_time start = {UINT64_C(7000000000)};
static struct hsay_window_voice voice[HSAY_WINDOW_VOICES_MAX]; /* of the one window at a time */

static hsay_time after_ms(uint64_t ms)
{
    return hsay_time_add_ms(start, ms);
}

static struct hsay_window window_at(uint64_t own)
{
    struct hsay_window w;
    hsay_window_init(&w, voice, HSAY_WINDOW_VOICES_MAX, start, own);
    return w;
}

static struct hsay_window settled_at(uint64_t own, uint64_t others)
{
    struct hsay_window w = window_at(own);
    for (uint64_t group = 1; group <= 3; group++)
        hsay_window_on_claim(&w, start, group, others);
    return w;
}

static void begins_a_window_above_what_is_held(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    assert_int_equal(hsay_window_limit(&w, start), 10000);
    w = window_at(5000);
    assert_int_equal(hsay_window_limit(&w, after_ms(3600000)), 15000);
    w = window_at(HSAY_TIME_MAX - 1);
    assert_int_equal(hsay_window_limit(&w, after_ms(3600000)), HSAY_TIME_MAX);
}

static void a_newcomer_takes_the_only_voice_at_once(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    hsay_window_on_claim(&w, start, 1, UINT64_C(1000000000000));
    assert_int_equal(hsay_window_limit(&w, start), UINT64_C(1000000010000));
    hsay_window_on_claim(&w, start, 1, UINT64_C(2000000000000)); /* the same, later */
    assert_int_equal(hsay_window_limit(&w, start), UINT64_C(2000000010000));
}

static void impossible_claims_count_for_nothing(void **state)
{
    static const uint64_t claim[] = {0,
                                     HSAY_TIME_MAX,
                                     HSAY_TIME_MAX - HSAY_TIME_WINDOW + 1,
                                     UINT64_C(1) << 62,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof claim / sizeof claim[0]; i++) {
        struct hsay_window w = window_at(100);
        for (uint64_t group = 1; group < 20; group++)
            hsay_window_on_claim(&w, start, group, claim[i]);
        assert_int_equal(hsay_window_limit(&w, after_ms(1000000)), 10100);
        assert_false(w.settled);
    }
}

static void the_third_group_settles_it(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    hsay_window_on_claim(&w, start, 1, UINT64_C(1) << 60); /* a liar is first */
    assert_int_equal(hsay_window_limit(&w, start), (UINT64_C(1) << 60) + 10000);
    hsay_window_on_claim(&w, start, 2, 70000);
    assert_false(w.settled);
    hsay_window_on_claim(&w, start, 3, 80000);
    assert_true(w.settled);
    assert_int_equal(hsay_window_limit(&w, start), 90000);
}

static void a_second_newcomer_does_not_hold_us_back(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    hsay_window_on_claim(&w, start, 1, 5);
    hsay_window_on_claim(&w, start, 2, 1000000);
    assert_int_equal(hsay_window_limit(&w, start), 1010000);
}

static void one_group_moves_nothing_once_three_spoke(void **state)
{
    (void)state;
    struct hsay_window w = settled_at(0, 50000);
    for (uint64_t i = 0; i < 1000; i++)
        hsay_window_on_claim(&w, after_ms(i * 5000), 9, UINT64_C(1) << 61);
    assert_int_equal(hsay_window_limit(&w, after_ms(6000000)), 60000);
    for (uint64_t i = 0; i < 1000; i++)
        hsay_window_on_claim(&w, after_ms(i * 5000), 9, 1);
    assert_int_equal(hsay_window_limit(&w, after_ms(6000000)), 60000);
}

static void half_of_the_groups_raise_nothing(void **state)
{
    (void)state;
    struct hsay_window w = settled_at(0, 50000);
    hsay_window_on_claim(&w, start, 4, 50000);
    for (uint64_t group = 5; group <= 8; group++)
        hsay_window_on_claim(&w, start, group, UINT64_C(1) << 61);
    assert_int_equal(hsay_window_limit(&w, after_ms(6000000)), 60000);
}

/* An author at the bound all the time, and eight voices that follow: a day brings 24 * 720 windows,
 * besides the first. */
static void the_worst_ratchet_is_bounded(void **state)
{
    (void)state;
    struct hsay_window w = settled_at(0, 1);
    uint64_t limit = 10001;
    for (uint64_t ms = 0; ms <= 86400000; ms += 500) {
        hsay_time now = after_ms(ms);
        hsay_window_on_stored(&w, now, limit);
        for (uint64_t group = 1; group <= 8; group++)
            hsay_window_on_claim(&w, now, group, UINT64_C(1) << 60);
        limit = hsay_window_limit(&w, now);
        assert_true(limit <= 10001 + (ms / 5000) * 10000);
    }
    assert_true(limit >= UINT64_C(172800000)); /* and an honest flood is not slower than that */
}

/* The same before anybody settled anything: our own highest time goes by steps alone, whatever
 * honest voices say in between. */
static void a_ratchet_needs_time_without_voices_too(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    uint64_t limit = 10000;
    for (uint64_t ms = 0; ms <= 100000; ms += 100) {
        hsay_time now = after_ms(ms);
        hsay_window_on_stored(&w, now, limit);
        hsay_window_on_claim(&w, now, 1 + ms / 100 % 2, 40);
        limit = hsay_window_limit(&w, now);
        assert_true(limit <= 10040 + (ms / 5000) * 10000);
    }
}

static void the_bound_moves_once_per_step(void **state)
{
    (void)state;
    struct hsay_window w = window_at(0);
    hsay_window_on_stored(&w, start, 10000);
    assert_int_equal(hsay_window_limit(&w, after_ms(4999)), 10000);
    assert_int_equal(hsay_window_limit(&w, after_ms(5000)), 20000);
    assert_int_equal(hsay_window_limit(&w, after_ms(3600000)), 20000);
    hsay_window_on_stored(&w, after_ms(3600000), 12000);
    assert_int_equal(hsay_window_limit(&w, after_ms(3600000)), 22000);
}

static void never_above_the_largest_time(void **state)
{
    (void)state;
    struct hsay_window w = settled_at(HSAY_TIME_MAX - 5, HSAY_TIME_MAX - HSAY_TIME_WINDOW);
    assert_int_equal(hsay_window_limit(&w, after_ms(50000)), HSAY_TIME_MAX);
    hsay_window_on_stored(&w, after_ms(60000), HSAY_TIME_MAX);
    assert_int_equal(hsay_window_limit(&w, after_ms(100000)), HSAY_TIME_MAX);
}

/* The fewest voices that settle anything: the oldest gives way to a fourth. */
static void three_places_are_enough(void **state)
{
    struct hsay_window w;
    (void)state;
    hsay_window_init(&w, voice, HSAY_WINDOW_SETTLES, start, 0);
    for (uint64_t group = 1; group <= 3; group++)
        hsay_window_on_claim(&w, start, group, 50000);
    assert_true(w.settled);
    hsay_window_on_claim(&w, start, 4, 70000);
    hsay_window_on_claim(&w, start, 5, UINT64_C(1) << 61);
    assert_int_equal(hsay_window_limit(&w, after_ms(60000)), 70000);
    assert_int_equal(hsay_window_limit(&w, after_ms(600000)), 80000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_a_window_above_what_is_held),
        cmocka_unit_test(a_newcomer_takes_the_only_voice_at_once),
        cmocka_unit_test(impossible_claims_count_for_nothing),
        cmocka_unit_test(the_third_group_settles_it),
        cmocka_unit_test(a_second_newcomer_does_not_hold_us_back),
        cmocka_unit_test(one_group_moves_nothing_once_three_spoke),
        cmocka_unit_test(half_of_the_groups_raise_nothing),
        cmocka_unit_test(the_worst_ratchet_is_bounded),
        cmocka_unit_test(a_ratchet_needs_time_without_voices_too),
        cmocka_unit_test(the_bound_moves_once_per_step),
        cmocka_unit_test(never_above_the_largest_time),
        cmocka_unit_test(three_places_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
