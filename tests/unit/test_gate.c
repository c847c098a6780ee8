/* Goal: a group gets its rate and its burst and no more, all groups together get the node's, and no
 * jump of the clock and no size of a number gives more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "src/wire/gate.h"

enum { BUCKETS = 16 };

static struct hsay_gate gate;
static struct hsay_gate_bucket bucket[BUCKETS + 1];
static struct hsay_gate_rate rate[HSAY_GATE_WORK_COUNT];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < HSAY_GATE_WORK_COUNT; i++) {
        rate[i] = (struct hsay_gate_rate){
            .group_per_second = 10, .group_burst = 20, .node_per_second = 1000, .node_burst = 1000};
    }
    hsay_gate_init(&gate, bucket, BUCKETS, rate, 42);
    return 0;
}

static hsay_time ms(uint64_t n)
{
    return hsay_time_add_ms((hsay_time){0}, n);
}

static unsigned taken(uint64_t at_ms, enum hsay_gate_work work, uint64_t group, unsigned tries)
{
    unsigned n = 0;

    while (tries-- > 0)
        n += hsay_gate_take(&gate, ms(at_ms), work, group, 1);
    return n;
}

static void a_burst_and_then_the_rate(void **state)
{
    (void)state;
    assert_int_equal(taken(5000, HSAY_GATE_PACKET, 1, 100), 20);
    assert_false(hsay_gate_open(&gate, ms(5000), HSAY_GATE_PACKET, 1));
    assert_int_equal(taken(5099, HSAY_GATE_PACKET, 1, 100), 0);
    assert_int_equal(taken(5100, HSAY_GATE_PACKET, 1, 100), 1);
    assert_int_equal(taken(5350, HSAY_GATE_PACKET, 1, 100), 2);
    assert_true(hsay_gate_open(&gate, ms(5400), HSAY_GATE_PACKET, 1));
    assert_int_equal(taken(5400, HSAY_GATE_PACKET, 1, 100), 1);
    assert_int_equal(taken(100000, HSAY_GATE_PACKET, 1, 100), 20);
}

static void kinds_of_work_do_not_mix(void **state)
{
    (void)state;
    assert_int_equal(taken(0, HSAY_GATE_AGREE, 1, 100), 20);
    assert_int_equal(taken(0, HSAY_GATE_FORGED, 1, 100), 20);
    assert_int_equal(taken(0, HSAY_GATE_ANSWER, 1, 100), 20);
}

static void what_is_refused_takes_nothing(void **state)
{
    (void)state;
    assert_false(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, 21));
    assert_false(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, UINT32_MAX));
    assert_true(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, 20));
    assert_false(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, 1));
    assert_true(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, 0));
}

static void groups_share_only_the_node(void **state)
{
    unsigned all = 0;

    (void)state;
    for (uint64_t group = 0; group < 4096; group++)
        all += taken(0, HSAY_GATE_PACKET, group, 2);
    assert_int_equal(all, 20 * BUCKETS);

    rate[HSAY_GATE_PACKET].node_burst = 100;
    hsay_gate_init(&gate, bucket, BUCKETS, rate, 42);
    all = 0;
    for (uint64_t group = 0; group < 4096; group++)
        all += taken(0, HSAY_GATE_PACKET, group, 2);
    assert_int_equal(all, 100);
    for (uint64_t group = 0; group < 4096; group++)
        assert_false(hsay_gate_open(&gate, ms(0), HSAY_GATE_PACKET, group));
}

static void a_salt_moves_the_groups(void **state)
{
    unsigned same = 0;

    (void)state;
    for (uint64_t salt = 0; salt < 200; salt++) {
        hsay_gate_init(&gate, bucket, BUCKETS, rate, salt);
        taken(0, HSAY_GATE_PACKET, 1, 20);
        same += !hsay_gate_open(&gate, ms(0), HSAY_GATE_PACKET, 2);
    }
    assert_in_range(same, 1, 40); /* 12.5 expected */
}

static void a_clock_that_jumps_gives_one_burst_at_most(void **state)
{
    static const uint64_t jumps[] = {0,           86400000,    UINT32_MAX,          2147483648u,
                                     4294967296u, 4294967395u, UINT64_MAX / 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++)
        assert_true(taken(jumps[i], HSAY_GATE_PACKET, 1, 100) <= 20);
    assert_int_equal(taken(jumps[0], HSAY_GATE_PACKET, 3, 100), 20);
    for (uint64_t back = 0; back < 100; back++)
        assert_int_equal(taken(1000000 - back * 100, HSAY_GATE_AGREE, 4, 100), back == 0 ? 20 : 0);
}

static void what_is_overdrawn_drains_first(void **state)
{
    (void)state;
    assert_int_equal(taken(0, HSAY_GATE_ANSWER, 1, 19), 19);
    assert_true(hsay_gate_open(&gate, ms(0), HSAY_GATE_ANSWER, 1));
    hsay_gate_charge(&gate, ms(0), HSAY_GATE_ANSWER, 1, 11); /* 30 of 20, ten a second */
    assert_false(hsay_gate_open(&gate, ms(1000), HSAY_GATE_ANSWER, 1));
    assert_true(hsay_gate_open(&gate, ms(1200), HSAY_GATE_ANSWER, 1));
    assert_int_equal(taken(1200, HSAY_GATE_ANSWER, 1, 5), 2);
}

static void large_rates_do_not_overflow(void **state)
{
    (void)state;
    for (size_t i = 0; i < HSAY_GATE_WORK_COUNT; i++)
        rate[i] = (struct hsay_gate_rate){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    hsay_gate_init(&gate, bucket, BUCKETS, rate, 42);
    assert_true(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, UINT32_MAX / 1000));
    assert_false(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, 1));
    assert_false(hsay_gate_take(&gate, ms(0), HSAY_GATE_ANSWER, 1, UINT32_MAX));
    assert_true(hsay_gate_take(&gate, ms(2), HSAY_GATE_ANSWER, 1, UINT32_MAX / 1000));
    hsay_gate_charge(&gate, ms(2), HSAY_GATE_ANSWER, 1, UINT32_MAX);
    assert_false(hsay_gate_open(&gate, ms(2), HSAY_GATE_ANSWER, 1));
}

static void without_a_rate_nothing_passes(void **state)
{
    (void)state;
    rate[HSAY_GATE_AGREE] = (struct hsay_gate_rate){0, 0, 0, 0};
    hsay_gate_init(&gate, bucket, BUCKETS, rate, 42);
    assert_int_equal(taken(0, HSAY_GATE_AGREE, 1, 5), 0);
    assert_int_equal(taken(1000000, HSAY_GATE_AGREE, 1, 5), 0);
    assert_false(hsay_gate_open(&gate, ms(1000000), HSAY_GATE_AGREE, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_burst_and_then_the_rate, set_up),
        cmocka_unit_test_setup(kinds_of_work_do_not_mix, set_up),
        cmocka_unit_test_setup(what_is_refused_takes_nothing, set_up),
        cmocka_unit_test_setup(groups_share_only_the_node, set_up),
        cmocka_unit_test_setup(a_salt_moves_the_groups, set_up),
        cmocka_unit_test_setup(a_clock_that_jumps_gives_one_burst_at_most, set_up),
        cmocka_unit_test_setup(what_is_overdrawn_drains_first, set_up),
        cmocka_unit_test_setup(large_rates_do_not_overflow, set_up),
        cmocka_unit_test_setup(without_a_rate_nothing_passes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
