/*
 * Goal of this test: nobody can make us send more punctures than the limits say, to anyone; an
 * honest overlay is not hindered by them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hearsay/params.h"
#include "nat/puncture.h"

enum { PLACES = 32 };

static struct hsay_puncture_table table;
static struct hsay_puncture_entry entry[PLACES];
static hsay_time now;
static uint64_t random_state;

static int set_up(void **state)
{
    (void)state;
    hsay_puncture_init(&table, entry, PLACES, 31);
    now = (hsay_time){UINT64_C(123456789)};
    random_state = 32;
    return 0;
}

static uint64_t random_next(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void pass(uint64_t ms)
{
    now = hsay_time_add_ms(now, ms);
}

static struct hsay_addr target(uint32_t number)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4, .port = 6421, .byte = {20}};

    addr.byte[1] = (uint8_t)(number >> 16);
    addr.byte[2] = (uint8_t)(number >> 8);
    addr.byte[3] = (uint8_t)number;
    return addr;
}

/* As if a peer of the world that we have just answered asked. */
static struct hsay_puncture_ask ask_for(uint32_t number)
{
    struct hsay_puncture_ask ask = {.target = target(number), .asker_at = now};

    ask.policy.introducer = target(0xffffff);
    return ask;
}

static enum hsay_puncture_verdict try(uint32_t number)
{
    struct hsay_puncture_ask ask = ask_for(number);

    return hsay_puncture_try(&table, now, &ask);
}

static void answer(uint32_t number)
{
    struct hsay_addr from = target(number);

    hsay_puncture_on_packet(&table, &from);
}

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct hsay_puncture_entry), 8);
    assert_true(sizeof table <= 272);
}

static void test_only_for_peers_in_contact(void **state)
{
    (void)state;
    struct hsay_puncture_ask ask = ask_for(1);

    pass(100000);
    ask.asker_at = HSAY_TIME_NEVER;
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_STRANGER);
    ask.asker_at.ns = now.ns - UINT64_C(60001000000);
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_STRANGER);
    ask.asker_at.ns = now.ns - UINT64_C(60000000000);
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_OK);
}

static void test_only_to_where_we_may_send(void **state)
{
    (void)state;
    struct hsay_puncture_ask ask = ask_for(1);

    ask.target = (struct hsay_addr){HSAY_ADDR_IP4, 0, 6421, {127, 0, 0, 1}};
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_TARGET);
    ask.target = (struct hsay_addr){HSAY_ADDR_IP4, 0, 53, {20, 0, 0, 1}};
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_TARGET);
    ask.target = ask.policy.own[0] = target(7);
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_TARGET);
    ask.target = (struct hsay_addr){HSAY_ADDR_IP4, 0, 6421, {127, 0, 0, 1}};
    ask.policy.introducer = (struct hsay_addr){HSAY_ADDR_IP4, 0, 6422, {127, 0, 0, 1}};
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_OK);
}

static void test_gap(void **state)
{
    (void)state;
    assert_int_equal(try(1), HSAY_PUNCTURE_OK);
    assert_int_equal(try(1), HSAY_PUNCTURE_GAP);
    pass(4999);
    answer(1); /* an answer does not shorten it */
    assert_int_equal(try(1), HSAY_PUNCTURE_GAP);
    pass(1);
    assert_int_equal(try(1), HSAY_PUNCTURE_OK); /* a walk of exactly 5 s is not hindered */
}

static void test_mapped_target_is_the_same(void **state)
{
    (void)state;
    struct hsay_puncture_ask ask = ask_for(1);

    assert_int_equal(try(1), HSAY_PUNCTURE_OK);
    ask.target = (struct hsay_addr){HSAY_ADDR_IP6, 0, 6421, {[10] = 255, 255, 20, 0, 0, 1}};
    assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_GAP);
}

static void test_silent_target(void **state)
{
    (void)state;
    for (int i = 0; i < HSAY_PUNCTURE_UNANSWERED_MAX; i++) {
        assert_int_equal(try(1), HSAY_PUNCTURE_OK);
        pass(5000);
    }
    assert_int_equal(try(1), HSAY_PUNCTURE_SILENT);
    pass(HSAY_SILENT_PERIOD_MS - 5001);
    assert_int_equal(try(1), HSAY_PUNCTURE_SILENT);
    pass(1);
    for (int i = 0; i < HSAY_PUNCTURE_UNANSWERED_MAX; i++) {
        assert_int_equal(try(1), HSAY_PUNCTURE_OK);
        pass(5000);
    }
    assert_int_equal(try(1), HSAY_PUNCTURE_SILENT);
    answer(1);
    assert_int_equal(try(1), HSAY_PUNCTURE_OK);
}

static void test_a_target_that_answers(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(try(1), HSAY_PUNCTURE_OK);
        answer(1);
        pass(5000);
    }
}

static void test_answers_from_elsewhere_change_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try(1), HSAY_PUNCTURE_OK);
        answer(2);
        pass(5000);
    }
    struct hsay_addr other_port = target(1);
    other_port.port++;
    hsay_puncture_on_packet(&table, &other_port);
    assert_int_equal(try(1), HSAY_PUNCTURE_SILENT);
}

/* Every moment of 100 s, a new target at each: never 21 within a second, however it is cut. */
static void test_rate_in_any_second(void **state)
{
    (void)state;
    enum { SECONDS = 100, RING = HSAY_PUNCTURE_PER_SECOND_MAX };
    hsay_time sent[RING] = {{0}};
    uint32_t count = 0;

    for (uint32_t i = 0; now.ns < UINT64_C(1000000000) * SECONDS; i++) {
        if (try(i) == HSAY_PUNCTURE_OK) {
            hsay_time before = sent[count % RING];
            assert_true(count < RING || now.ns - before.ns > UINT64_C(1000000000));
            sent[count++ % RING] = now;
        }
        now.ns += random_next() % 1700000;
    }
    /* 32 targets in 5 s are what the table remembers. */
    assert_in_range(count, SECONDS * 6, SECONDS * 13 / 2 + PLACES);
}

/* As many targets in turn as one likes: none of them gets two within 5 s. */
static void test_gap_holds_whatever_the_number_of_targets(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 16, 31, 32, 33, 34, 64, 100, 1000};

    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        static hsay_time last[1000];
        uint32_t sent = 0;

        set_up(NULL);
        memset(last, 0, sizeof last);
        for (int i = 0; i < 60000; i++) {
            uint32_t number = (uint32_t)(random_next() % counts[c]);
            if (try(number) == HSAY_PUNCTURE_OK) {
                assert_true(last[number].ns == 0 ||
                            hsay_time_ms_between(last[number], now) >= HSAY_PUNCTURE_GAP_MS - 1);
                last[number] = now;
                answer(number);
                sent++;
            }
            pass(3);
        }
        assert_true(sent >= 36 * (counts[c] < 25 ? counts[c] : 25) * 9 / 10);
    }
}

static void test_silent_ones_are_forgotten_last(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try(9999), HSAY_PUNCTURE_OK);
        pass(5000);
    }
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(try(i), HSAY_PUNCTURE_OK);
        answer(i);
        pass(200);
    }
    assert_int_equal(try(9999), HSAY_PUNCTURE_SILENT);
    assert_int_equal(try(0), HSAY_PUNCTURE_OK);
}

static void test_a_million_tries_for_strangers(void **state)
{
    (void)state;
    const struct hsay_puncture_table before = table;
    struct hsay_puncture_entry entry_before[PLACES];

    memcpy(entry_before, entry, sizeof entry);
    for (int i = 0; i < 1000000; i++) {
        struct hsay_puncture_ask ask = ask_for((uint32_t)random_next());
        ask.asker_at = HSAY_TIME_NEVER;
        assert_int_equal(hsay_puncture_try(&table, now, &ask), HSAY_PUNCTURE_STRANGER);
    }
    assert_memory_equal(&table, &before, sizeof table);
    assert_memory_equal(entry, entry_before, sizeof entry);
}

static void test_salt_decides_what_collides(void **state)
{
    (void)state;
    struct hsay_puncture_table other;
    struct hsay_puncture_entry other_entry[PLACES];
    struct hsay_puncture_ask ask = ask_for(1);

    hsay_puncture_init(&other, other_entry, PLACES, 33);
    assert_int_equal(try(1), HSAY_PUNCTURE_OK);
    assert_int_equal(hsay_puncture_try(&other, now, &ask), HSAY_PUNCTURE_OK);
    assert_true(table.entry[0].tag != other.entry[0].tag);
}

static void test_pairs(void **state)
{
    (void)state;
    for (uint8_t a = 0; a <= HSAY_NAT_FLAGS; a++) {
        for (uint8_t b = 0; b <= HSAY_NAT_FLAGS; b++) {
            bool both = (a & HSAY_NAT_IS_SYMMETRIC) != 0 && (b & HSAY_NAT_IS_SYMMETRIC) != 0;
            bool guess = (a & HSAY_NAT_IS_SEQUENTIAL) != 0 && (b & HSAY_NAT_IS_SEQUENTIAL) != 0;
            bool search = (a & HSAY_NAT_SEARCHES) != 0 && (b & HSAY_NAT_SEARCHES) != 0;
            assert_int_equal(hsay_puncture_pair_works(a, b, false), !both || (guess && search));
            assert_true(hsay_puncture_pair_works(a, b, true));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_size, set_up),
        cmocka_unit_test_setup(test_only_for_peers_in_contact, set_up),
        cmocka_unit_test_setup(test_only_to_where_we_may_send, set_up),
        cmocka_unit_test_setup(test_gap, set_up),
        cmocka_unit_test_setup(test_mapped_target_is_the_same, set_up),
        cmocka_unit_test_setup(test_silent_target, set_up),
        cmocka_unit_test_setup(test_a_target_that_answers, set_up),
        cmocka_unit_test_setup(test_answers_from_elsewhere_change_nothing, set_up),
        cmocka_unit_test_setup(test_rate_in_any_second, set_up),
        cmocka_unit_test_setup(test_gap_holds_whatever_the_number_of_targets, set_up),
        cmocka_unit_test_setup(test_silent_ones_are_forgotten_last, set_up),
        cmocka_unit_test_setup(test_a_million_tries_for_strangers, set_up),
        cmocka_unit_test_setup(test_salt_decides_what_collides, set_up),
        cmocka_unit_test_setup(test_pairs, set_up),
    };

    return cmocka_run_group_tests_name("puncture", tests, NULL, NULL);
}
