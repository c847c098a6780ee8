/*
 * Goal of this test: what is believed of a NAT's timer is true of it, also when datagrams are lost
 * and when the timer changes; nothing is sent for a path that needs nothing, and no more than one
 * datagram in 8 s for one that does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hearsay/params.h"
#include "nat/lifetime.h"

enum { NONE = 100000000, BEFORE_MS = 6000, STEP_MS = 500 };

/* ---- a NAT with a timer, and trials of it ---- */

struct nat {
    struct hsay_lifetime l;
    hsay_time now;
    uint32_t timer_ms, lone_ms;
    uint32_t lost_permille; /* of the trials: they look like a mapping that is gone */
    uint32_t vain_permille;
    hsay_time ends[HSAY_LIFETIME_TRIALS]; /* ns 0: not running */
    uint32_t trials;
    uint64_t random;
};

static uint64_t draw(struct nat *n, uint64_t bound)
{
    n->random = n->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (n->random >> 33) % bound;
}

static void set_up(struct nat *n, uint32_t timer_ms)
{
    *n = (struct nat){
        .timer_ms = timer_ms, .lone_ms = timer_ms, .random = 77, .now = {UINT64_C(5000000000)}};
    hsay_lifetime_init(&n->l);
}

static enum hsay_lifetime_outcome outcome(struct nat *n, unsigned gap)
{
    if (draw(n, 1000) < n->vain_permille)
        return HSAY_LIFETIME_NOTHING;
    uint32_t timer_ms = gap == HSAY_LIFETIME_LONE ? n->lone_ms : n->timer_ms;
    if (draw(n, 1000) < n->lost_permille || hsay_lifetime_gap_ms(&n->l, gap) >= timer_ms)
        return HSAY_LIFETIME_DIED;
    return HSAY_LIFETIME_LIVED;
}

static void turn(struct nat *n)
{
    int gap;
    n->now = hsay_time_add_ms(n->now, STEP_MS);
    for (unsigned g = 0; g < HSAY_LIFETIME_TRIALS; g++) {
        if (n->ends[g].ns == 0 || hsay_time_before(n->now, n->ends[g]))
            continue;
        n->ends[g] = (hsay_time){0};
        hsay_lifetime_on_outcome(&n->l, n->now, g, outcome(n, g));
    }
    while ((gap = hsay_lifetime_next(&n->l, n->now)) >= 0) {
        assert_int_equal(n->ends[gap].ns, 0);
        n->ends[gap] =
            hsay_time_add_ms(n->now, BEFORE_MS + hsay_lifetime_gap_ms(&n->l, (unsigned)gap));
        n->trials++;
    }
}

static void pass(struct nat *n, uint32_t s)
{
    for (uint32_t i = 0; i < s * 1000 / STEP_MS; i++)
        turn(n);
}

static uint32_t at_least_s(const struct nat *n)
{
    return hsay_lifetime_verdict(&n->l).at_least_ms / 1000;
}

static uint32_t below_s(const struct nat *n)
{
    return hsay_lifetime_verdict(&n->l).below_ms / 1000;
}

static uint32_t keep_s(const struct nat *n)
{
    return hsay_lifetime_keep_ms(&n->l, n->now) / 1000;
}

/* ---- without losses ---- */

static const struct {
    uint32_t timer_s, at_least_s, below_s, keep_s, trials_max;
} timer[] = {
    {5, 0, 9, 0, 17},   /* none could be kept with one datagram in 8 s */
    {10, 9, 14, 8, 16}, /* one lives, six fail twice, and the lone one in vain */
    {15, 14, 19, 10, 15}, {20, 19, 28, 14, 14}, {30, 28, 43, 21, 13}, {45, 43, 58, 32, 12},
    {60, 58, 110, 0, 9},  {120, 110, 0, 0, 8},  {180, 110, 0, 0, 8},  {NONE / 1000, 110, 0, 0, 8},
};

static void test_timers_are_found(void **state)
{
    struct nat n;
    (void)state;
    for (size_t i = 0; i < sizeof timer / sizeof *timer; i++) {
        set_up(&n, timer[i].timer_s * 1000);
        pass(&n, 300);
        assert_int_equal(at_least_s(&n), timer[i].at_least_s);
        assert_int_equal(below_s(&n), timer[i].below_s);
        assert_int_equal(keep_s(&n), timer[i].keep_s);
        assert_in_range(n.trials, 1, timer[i].trials_max);
        assert_int_equal(n.l.ended, n.trials);
    }
}

/* 9 s and 6 s to begin: then a timer of 10 s is known to be no shorter. */
static void test_what_lives_is_believed_at_once(void **state)
{
    struct nat n;
    (void)state;
    set_up(&n, 60000);
    pass(&n, 17);
    assert_int_equal(at_least_s(&n), 9);
    pass(&n, 19);
    assert_int_equal(at_least_s(&n), 28);
    assert_int_equal(below_s(&n), 0);
    pass(&n, 32);
    assert_int_equal(at_least_s(&n), 58);
}

/* ---- mappings that were used once ---- */

static uint32_t keep_new_s(const struct nat *n)
{
    return hsay_lifetime_keep_new_ms(&n->l, n->now) / 1000;
}

static const struct {
    uint32_t timer_s, lone_s, keep_s, keep_new_s;
} lone[] = {
    {180, 180, 0, 0}, {180, 60, 0, 0}, {180, 30, 0, 21}, {180, 20, 0, 8}, {60, 30, 0, 21},
    {30, 30, 21, 21}, {30, 15, 21, 8}, {10, 10, 8, 8},   {5, 5, 0, 0},
};

static void test_lone_ones_are_found(void **state)
{
    struct nat n;
    (void)state;
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++) {
        set_up(&n, lone[i].timer_s * 1000);
        n.lone_ms = lone[i].lone_s * 1000;
        pass(&n, 400);
        assert_int_equal(keep_s(&n), lone[i].keep_s);
        assert_int_equal(keep_new_s(&n), lone[i].keep_new_s);
    }
    set_up(&n, 180000); /* and when it changes, with the other or alone */
    pass(&n, 300);
    n.lone_ms = 30000;
    pass(&n, HSAY_LIFETIME_ROUND_MS / 1000 + 400);
    assert_int_equal(keep_new_s(&n), 21);
    n.timer_ms = n.lone_ms = 10000;
    pass(&n, HSAY_LIFETIME_ROUND_MS / 1000 + 700);
    assert_int_equal(keep_new_s(&n), 8);
}

/* ---- before anything is known ---- */

static void test_the_worst_is_assumed_for_a_while(void **state)
{
    struct hsay_lifetime l;
    hsay_time now = {UINT64_C(900000000000)};
    (void)state;
    hsay_lifetime_init(&l);
    assert_int_equal(hsay_lifetime_keep_ms(&l, now), 0);
    assert_int_equal(hsay_lifetime_keep_new_ms(&l, now), 0);
    hsay_lifetime_on_used(&l, now);
    hsay_lifetime_on_used(&l, hsay_time_add_ms(now, 50000));
    now = hsay_time_add_ms(now, HSAY_LIFETIME_ASSUMED_MS - 1);
    assert_int_equal(hsay_lifetime_keep_ms(&l, now), HSAY_LIFETIME_KEEP_MIN_MS);
    assert_int_equal(hsay_lifetime_keep_new_ms(&l, now), HSAY_LIFETIME_KEEP_MIN_MS);
    now = hsay_time_add_ms(now, 1);
    assert_int_equal(hsay_lifetime_keep_ms(&l, now), 0);
    assert_int_equal(hsay_lifetime_keep_new_ms(&l, now), 0);
}

/* ---- later rounds ---- */

/* Two trials where nothing has changed. */
static void test_it_is_looked_at_again(void **state)
{
    struct nat n;
    (void)state;
    set_up(&n, 30000);
    pass(&n, 300);
    uint32_t first = n.trials;
    pass(&n, HSAY_LIFETIME_ROUND_MS / 1000 - 300);
    assert_int_equal(n.trials, first);
    pass(&n, 500);
    assert_int_equal(n.trials, first + 4); /* 28 s lived, lone, too; 43 s died twice */
    assert_int_equal(at_least_s(&n), 28);
    assert_int_equal(below_s(&n), 43);
}

static void test_changes_are_found(void **state)
{
    static const uint32_t to_s[] = {5, 10, 20, 30, 60, 200};
    struct nat n;
    (void)state;
    for (size_t from = 0; from < sizeof to_s / sizeof *to_s; from++)
        for (size_t to = 0; to < sizeof to_s / sizeof *to_s; to++) {
            struct nat fresh;
            set_up(&n, to_s[from] * 1000);
            set_up(&fresh, to_s[to] * 1000);
            pass(&n, 300);
            pass(&fresh, 300);
            n.timer_ms = n.lone_ms = to_s[to] * 1000;
            pass(&n, HSAY_LIFETIME_ROUND_MS / 1000 + 700);
            assert_int_equal(at_least_s(&n), at_least_s(&fresh));
            assert_int_equal(below_s(&n), below_s(&fresh));
        }
}

/* ---- losses ---- */

/* One trial in 28 fails for losses at 10 % loss each way, as two probes must be lost.  What is
 * believed to live did. */
static void test_losses_do_not_decide(void **state)
{
    static const uint32_t timers_s[] = {10, 30, 60, 180};
    unsigned right = 0, wrong = 0, all = 0;
    (void)state;
    for (size_t i = 0; i < sizeof timers_s / sizeof *timers_s; i++)
        for (unsigned seed = 0; seed < 500; seed++) {
            struct nat n, exact;
            set_up(&n, timers_s[i] * 1000);
            set_up(&exact, timers_s[i] * 1000);
            n.random = seed;
            n.lost_permille = 36;
            n.vain_permille = 100;
            pass(&n, 600);
            pass(&exact, 600);
            assert_true(at_least_s(&n) < timers_s[i]);
            right += at_least_s(&n) == at_least_s(&exact) && below_s(&n) == below_s(&exact);
            wrong += below_s(&n) != 0 && below_s(&n) <= timers_s[i];
            all++;
        }
    print_message("%u of %u are exact, %u wrong, the others wide\n", right, all, wrong);
    assert_true(right * 100 >= all * 95);
    assert_true(wrong * 100 <= all);
}

/* The control: without the second trial more of them would be wrong. */
static void test_one_failure_is_none(void **state)
{
    struct nat n;
    (void)state;
    set_up(&n, 200000);
    n.lost_permille = 1000;
    pass(&n, 17);
    n.lost_permille = 0;
    pass(&n, 400);
    assert_int_equal(at_least_s(&n), 110);
    assert_int_equal(below_s(&n), 0);
}

/* Nobody answers: it is tried again after a minute, and nothing is believed. */
static void test_trials_in_vain(void **state)
{
    struct nat n;
    (void)state;
    set_up(&n, 30000);
    n.vain_permille = 1000;
    pass(&n, 3600);
    assert_int_equal(at_least_s(&n), 0);
    assert_int_equal(below_s(&n), 0);
    assert_int_equal(n.l.ended, 0);
    print_message("%u trials\n", n.trials);
    assert_in_range(n.trials, 24, 24 * 10);
    n.vain_permille = 0;
    pass(&n, 900);
    assert_int_equal(at_least_s(&n), 28);
}

/* ---- what it costs ---- */

static void test_keeping_is_bounded(void **state)
{
    struct nat n;
    (void)state;
    for (uint32_t timer_s = 1; timer_s < 200; timer_s++) {
        set_up(&n, timer_s * 1000);
        for (unsigned s = 0; s < 600; s++) {
            uint32_t ms = hsay_lifetime_keep_ms(&n.l, n.now);
            assert_true(ms == 0 ||
                        (ms >= HSAY_LIFETIME_KEEP_MIN_MS && ms < HSAY_CONTACTED_LIFETIME_MS));
            pass(&n, 1);
        }
        if (timer_s > 9 && timer_s <= 58)
            assert_in_range(hsay_lifetime_keep_ms(&n.l, n.now), 8000, timer_s * 1000 - 1);
        else if (timer_s != 58)
            assert_int_equal(hsay_lifetime_keep_ms(&n.l, n.now), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_are_found),
        cmocka_unit_test(test_what_lives_is_believed_at_once),
        cmocka_unit_test(test_lone_ones_are_found),
        cmocka_unit_test(test_the_worst_is_assumed_for_a_while),
        cmocka_unit_test(test_it_is_looked_at_again),
        cmocka_unit_test(test_changes_are_found),
        cmocka_unit_test(test_losses_do_not_decide),
        cmocka_unit_test(test_one_failure_is_none),
        cmocka_unit_test(test_trials_in_vain),
        cmocka_unit_test(test_keeping_is_bounded),
    };
    return cmocka_run_group_tests_name("nat lifetime", tests, NULL, NULL);
}
