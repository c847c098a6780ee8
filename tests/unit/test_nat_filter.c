/*
 * Goal of this test: what is said of a filter follows from three network groups or is not said;
 * what is not remembered is no evidence, and silence none against a packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nat/addr_class.h"
#include "nat/filter.h"

static struct hsay_filter filter;
static hsay_time now;

static int set_up(void **state)
{
    (void)state;
    now = (hsay_time){UINT64_C(7000000000)};
    hsay_filter_init(&filter, now);
    return 0;
}

static void pass_ms(uint64_t ms)
{
    now = hsay_time_add_ms(now, ms);
}

static struct hsay_addr peer(int group, int number, uint16_t port)
{
    return (struct hsay_addr){
        HSAY_ADDR_IP4,
        0,
        port,
        {(uint8_t)(20 + group / 200), (uint8_t)(group % 200), 1, (uint8_t)number}};
}

static void sent(int group, int number, uint16_t port)
{
    struct hsay_addr to = peer(group, number, port);
    hsay_filter_on_traffic(&filter, now, &to);
}

static void came(int group, int number, uint16_t port)
{
    struct hsay_addr from = peer(group, number, port);
    hsay_filter_on_packet(&filter, now, &from);
    hsay_filter_on_traffic(&filter, now, &from);
}

static void silent(enum hsay_filter_sign sign, int group, uint16_t asker)
{
    struct hsay_filter_silence s = {.peer = peer(group, 1, 6421),
                                    .asker = asker,
                                    .sign = (uint8_t)sign,
                                    .waited_ms = 1000,
                                    .rtt_ms = 100};
    hsay_filter_on_silence(&filter, now, &s);
}

static struct hsay_filter_result result_of(uint8_t family)
{
    struct hsay_filter_result r;
    hsay_filter_result(&filter, now, family, &r);
    return r;
}

static void expect(enum hsay_filter_kind kind, unsigned groups)
{
    struct hsay_filter_result r = result_of(HSAY_ADDR_IP4);
    assert_int_equal(r.kind, kind);
    assert_int_equal(r.groups, groups);
}

/* --- what is said ---------------------------------------------------------------------------- */

static void test_all_are_let_in(void **state)
{
    (void)state;
    expect(HSAY_FILTER_UNKNOWN, 0);
    came(1, 1, 6421);
    came(2, 1, 6421);
    expect(HSAY_FILTER_UNKNOWN, 0);
    came(3, 1, 6421);
    expect(HSAY_FILTER_NONE, 3);
    assert_int_equal(result_of(HSAY_ADDR_IP6).kind, HSAY_FILTER_UNKNOWN);
}

static void test_filters_by_address(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        sent(i, 1, 6421);
        came(i, 1, 7000);
        expect(HSAY_FILTER_UNKNOWN, 0); /* they were let in: does it filter at all? */
    }
    for (int i = 4; i <= 6; i++)
        silent(HSAY_FILTER_KEPT_OUT, i, (uint16_t)i);
    expect(HSAY_FILTER_ADDRESS, 3);
}

static void test_filters_by_port(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        silent(HSAY_FILTER_KEPT_OUT, i, (uint16_t)i);
    expect(HSAY_FILTER_SOME, 3);
    for (int i = 4; i <= 8; i++) {
        expect(HSAY_FILTER_SOME, 3);
        silent(HSAY_FILTER_UNHEARD, i, (uint16_t)i);
    }
    expect(HSAY_FILTER_PORT, 5);
    sent(9, 1, 6421);
    came(9, 1, 7000); /* one was let in from another port: so it is not by port */
    expect(HSAY_FILTER_SOME, 3);
}

static void test_silence_is_none_against_a_packet(void **state)
{
    (void)state;
    for (int i = 1; i <= 8; i++) {
        silent(HSAY_FILTER_KEPT_OUT, i, (uint16_t)i);
        silent(HSAY_FILTER_UNHEARD, i, (uint16_t)i);
    }
    expect(HSAY_FILTER_PORT, 8);
    came(21, 1, 6421);
    expect(HSAY_FILTER_UNKNOWN, 0);
    came(22, 1, 6421);
    came(23, 1, 6421);
    expect(HSAY_FILTER_NONE, 3);
}

/* Who is never heard may be gone: three that are do not make a filter. */
static void test_unheard_alone_is_nothing(void **state)
{
    (void)state;
    for (int i = 1; i <= 8; i++)
        silent(HSAY_FILTER_UNHEARD, i, (uint16_t)i);
    expect(HSAY_FILTER_UNKNOWN, 0);
}

/* --- who lies -------------------------------------------------------------------------------- */

static void test_two_networks_with_many_addresses(void **state)
{
    (void)state;
    for (int i = 1; i < 250; i++)
        came(1 + i % 2, i, (uint16_t)(2000 + i));
    expect(HSAY_FILTER_UNKNOWN, 0);
    came(3, 1, 6421); /* the control */
    expect(HSAY_FILTER_NONE, 3);
}

/* One introducer that never asks for a puncture, whomever it names; one peer that never sends any,
 * whoever names it. */
static void test_one_of_a_pair_lies(void **state)
{
    (void)state;
    for (int i = 1; i < 100; i++)
        silent(HSAY_FILTER_KEPT_OUT, i, 77);
    set_up(NULL);
    for (int i = 1; i < 100; i++)
        silent(HSAY_FILTER_KEPT_OUT, 1, (uint16_t)i);
    expect(HSAY_FILTER_UNKNOWN, 0);
    silent(HSAY_FILTER_KEPT_OUT, 2, 101);
    expect(HSAY_FILTER_UNKNOWN, 0);
    silent(HSAY_FILTER_KEPT_OUT, 3, 101);
    silent(HSAY_FILTER_KEPT_OUT, 2, 102);
    expect(HSAY_FILTER_UNKNOWN, 0);
    silent(HSAY_FILTER_KEPT_OUT, 3, 102); /* the control */
    expect(HSAY_FILTER_SOME, 3);
}

/* --- what is remembered ---------------------------------------------------------------------- */

static void test_what_was_sent_is_no_evidence(void **state)
{
    (void)state;
    for (int i = 1; i <= 9; i++)
        sent(i, 1, 6421);
    pass_ms(HSAY_FILTER_MEMORY_MS - 1);
    for (int i = 1; i <= 9; i++)
        came(i, 1, 6421);
    expect(HSAY_FILTER_UNKNOWN, 0);
    assert_int_equal(result_of(HSAY_ADDR_IP4).signs[HSAY_FILTER_LET_IN], 0);
    assert_int_equal(result_of(HSAY_ADDR_IP4).signs[HSAY_FILTER_OTHER_PORT], 0);
}

/* At any time and after any pause: what is younger than a NAT's memory is known. */
static void test_memory_over_time(void **state)
{
    uint64_t chance = 99;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct hsay_addr to = peer(i % 250, i / 250, (uint16_t)(1024 + i));
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        hsay_filter_on_traffic(&filter, now, &to);
        pass_ms((chance >> 33) % HSAY_FILTER_MEMORY_MS);
        assert_false(hsay_filter_is_untouched(&filter, now, &to));
        assert_false(hsay_filter_is_news(&filter, now, &to));
        pass_ms((chance >> 20) % 2000);
    }
    pass_ms(2 * HSAY_FILTER_MEMORY_MS); /* the control: it does forget */
    for (int i = 0; i < 250; i++) {
        struct hsay_addr to = peer(i, 1, 1024);
        assert_true(hsay_filter_is_untouched(&filter, now, &to));
    }
}

/* Full of what was sent it knows of nobody that it was not, and then it says nothing. */
static void test_a_full_memory_is_no_evidence(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++)
        sent(i % 250, i / 250, (uint16_t)i);
    for (int i = 300; i < 400; i++)
        came(i, 99, 6421);
    expect(HSAY_FILTER_UNKNOWN, 0);
}

static void test_another_life_is_not_known(void **state)
{
    (void)state;
    hsay_filter_blind(&filter, now);
    pass_ms(HSAY_FILTER_MEMORY_MS - 1000);
    for (int i = 1; i <= 9; i++)
        came(i, 1, 6421);
    expect(HSAY_FILTER_UNKNOWN, 0);
    pass_ms(1000);
    for (int i = 1; i <= 9; i++)
        came(i, 1, 6421); /* these have been heard since */
    expect(HSAY_FILTER_UNKNOWN, 0);
    for (int i = 11; i <= 13; i++)
        came(i, 1, 6421);
    expect(HSAY_FILTER_NONE, 3);
}

static void test_voices_end(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        came(i, 1, 6421);
        pass_ms(60000);
    }
    expect(HSAY_FILTER_NONE, 3);
    pass_ms(HSAY_FILTER_LIFETIME_MS - 180000 + 1000);
    expect(HSAY_FILTER_UNKNOWN, 0);
    came(1, 2, 6421);
    expect(HSAY_FILTER_NONE, 3);
    hsay_filter_reset(&filter);
    expect(HSAY_FILTER_UNKNOWN, 0);
    struct hsay_addr known = peer(1, 2, 6421);
    assert_false(hsay_filter_is_untouched(&filter, now, &known));
}

/* --- what is late ---------------------------------------------------------------------------- */

static void test_what_may_still_come(void **state)
{
    struct hsay_filter_silence s = {.asker = 1, .sign = HSAY_FILTER_KEPT_OUT, .rtt_ms = 100};
    (void)state;
    for (int i = 1; i <= 3; i++) {
        s.peer = peer(i, 1, 6421);
        s.asker = (uint16_t)i;
        s.waited_ms = 2 * s.rtt_ms + HSAY_FILTER_LATE_MS - 1;
        hsay_filter_on_silence(&filter, now, &s);
    }
    expect(HSAY_FILTER_UNKNOWN, 0);
    for (int i = 1; i <= 3; i++) {
        s.peer = peer(i, 1, 6421);
        s.asker = (uint16_t)i;
        s.waited_ms = 2 * s.rtt_ms + HSAY_FILTER_LATE_MS;
        hsay_filter_on_silence(&filter, now, &s);
    }
    expect(HSAY_FILTER_SOME, 3);
}

static void test_what_is_no_voice(void **state)
{
    struct hsay_addr handle = {HSAY_ADDR_HANDLE, 0, 1, {1}}, none = {0};
    struct hsay_filter before = filter;
    (void)state;
    hsay_filter_on_packet(&filter, now, &handle);
    hsay_filter_on_packet(&filter, now, &none);
    silent(HSAY_FILTER_KEPT_OUT, 1, 0); /* nobody was to ask it */
    assert_memory_equal(&filter, &before, sizeof filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_are_let_in, set_up),
        cmocka_unit_test_setup(test_filters_by_address, set_up),
        cmocka_unit_test_setup(test_filters_by_port, set_up),
        cmocka_unit_test_setup(test_silence_is_none_against_a_packet, set_up),
        cmocka_unit_test_setup(test_unheard_alone_is_nothing, set_up),
        cmocka_unit_test_setup(test_two_networks_with_many_addresses, set_up),
        cmocka_unit_test_setup(test_one_of_a_pair_lies, set_up),
        cmocka_unit_test_setup(test_what_was_sent_is_no_evidence, set_up),
        cmocka_unit_test_setup(test_memory_over_time, set_up),
        cmocka_unit_test_setup(test_a_full_memory_is_no_evidence, set_up),
        cmocka_unit_test_setup(test_another_life_is_not_known, set_up),
        cmocka_unit_test_setup(test_voices_end, set_up),
        cmocka_unit_test_setup(test_what_may_still_come, set_up),
        cmocka_unit_test_setup(test_what_is_no_voice, set_up),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
