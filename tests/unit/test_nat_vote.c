/*
 * Goal of this test: our own address changes only when enough networks agree, however many liars
 * sit in few networks; small and local overlays still learn something; the kind of NAT is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hearsay/error.h"
#include "nat/addr_class.h"
#include "nat/vote.h"

static struct hsay_vote_table table;
static struct hsay_vote_entry entry[HSAY_VOTE_TABLE_MAX];
static hsay_time now;

static int set_up(void **state)
{
    (void)state;
    hsay_vote_init(&table, entry, HSAY_VOTE_TABLE_MAX, HSAY_VOTE_AGREE_GROUPS);
    now = (hsay_time){UINT64_C(5000000000)};
    return 0;
}

static struct hsay_addr parsed(const char *text)
{
    struct hsay_addr addr = {0};

    if (text)
        assert_int_equal(hsay_addr_parse(&addr, text), 0);
    return addr;
}

static int vote(const char *voter, const char *seen)
{
    struct hsay_vote v = {.voter = parsed(voter), .seen = parsed(seen), .contacted = true};

    return hsay_vote_add(&table, now, &v);
}

/* The voter with this number has a network of its own. */
static int vote_of(int number, const char *seen)
{
    char voter[32];

    snprintf(voter, sizeof voter, "20.%d.0.1:6421", number);
    return vote(voter, seen);
}

static void expect(const char *addr, bool confirmed, enum hsay_nat_kind kind, int groups)
{
    struct hsay_addr bound = parsed("5.5.5.5:6421"), wanted = parsed(addr);
    struct hsay_vote_result result;

    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &bound, &result);
    assert_true(hsay_addr_equal(&result.addr, &wanted));
    assert_int_equal(result.confirmed, confirmed);
    assert_int_equal(result.kind, kind);
    assert_int_equal(result.groups, groups);
}

static void test_nothing_known_at_first(void **state)
{
    (void)state;
    expect(NULL, false, HSAY_NAT_UNKNOWN, 0);
}

static void test_three_networks_confirm(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    expect("9.9.9.9:100", false, HSAY_NAT_UNKNOWN, 1);
    vote_of(2, "9.9.9.9:100");
    expect("9.9.9.9:100", false, HSAY_NAT_INDEPENDENT, 2);
    vote_of(3, "9.9.9.9:100");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 3);
}

static void test_as_many_as_the_parameter_says(void **state)
{
    (void)state;
    for (int agree = 1; agree <= HSAY_VOTE_TABLE_MAX; agree++) {
        hsay_vote_init(&table, entry, HSAY_VOTE_TABLE_MAX, (uint8_t)agree);
        for (int i = 1; i < agree; i++)
            vote_of(i, "9.9.9.9:100");
        struct hsay_vote_result result;
        hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
        assert_false(result.confirmed);
        vote_of(agree, "9.9.9.9:100");
        hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
        assert_true(result.confirmed);
    }
}

static void test_a_network_has_one_vote(void **state)
{
    (void)state;
    for (int i = 0; i < 250; i++) {
        char voter[32];
        snprintf(voter, sizeof voter, "20.1.%d.1:6421", i);
        assert_int_equal(vote(voter, "9.9.9.9:100"), 0);
    }
    expect("9.9.9.9:100", false, HSAY_NAT_UNKNOWN, 1);
}

/* k = 10,000 liars in two networks against three honest networks that speak once. */
static void test_many_liars_in_two_networks(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        vote_of(i, "9.9.9.9:100");
    for (int i = 0; i < 10000; i++) {
        char voter[32];
        snprintf(voter, sizeof voter, "66.%d.%d.%d:6421", i % 2, i / 100, i % 100 + 1);
        assert_int_equal(vote(voter, "7.7.7.7:1"), 0);
        now = hsay_time_add_ms(now, 500);
        struct hsay_vote_result result;
        struct hsay_addr honest = parsed("9.9.9.9:100");
        hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
        assert_true(result.confirmed);
        assert_true(hsay_addr_equal(&result.addr, &honest));
    }

    /* Negative control: four networks could, and that is the limit that the rule has. */
    for (int i = 1; i <= 4; i++)
        vote_of(100 + i, "7.7.7.7:1");
    struct hsay_vote_result result;
    struct hsay_addr lie = parsed("7.7.7.7:1");
    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
    assert_true(hsay_addr_equal(&result.addr, &lie));
}

static void test_as_many_are_not_enough_to_change(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        vote_of(i, "9.9.9.9:100");
    for (int i = 4; i <= 6; i++)
        vote_of(i, "8.8.8.8:100");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 6);
    vote_of(7, "8.8.8.8:100");
    expect("8.8.8.8:100", true, HSAY_NAT_INDEPENDENT, 7);
}

static void test_a_network_that_changes_its_mind(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        vote_of(i, "9.9.9.9:100");
    vote_of(1, "8.8.8.8:100");
    vote_of(2, "8.8.8.8:100");
    expect("9.9.9.9:100", true, HSAY_NAT_UNKNOWN, 3);
    vote_of(3, "8.8.8.8:100");
    expect("8.8.8.8:100", true, HSAY_NAT_INDEPENDENT, 3);
}

static void test_votes_end(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    vote_of(2, "9.9.9.9:100");
    now = hsay_time_add_ms(now, HSAY_VOTE_LIFETIME_MS);
    expect("9.9.9.9:100", false, HSAY_NAT_INDEPENDENT, 2);
    now = hsay_time_add_ms(now, 1000);
    expect(NULL, false, HSAY_NAT_UNKNOWN, 0);
    vote_of(3, "9.9.9.9:100"); /* the other two are not counted with it */
    expect("9.9.9.9:100", false, HSAY_NAT_UNKNOWN, 1);
}

static void test_what_was_confirmed_outlives_the_votes(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        vote_of(i, "9.9.9.9:100");
    now = hsay_time_add_ms(now, 10 * HSAY_VOTE_LIFETIME_MS);
    expect("9.9.9.9:100", true, HSAY_NAT_UNKNOWN, 0);
    vote_of(4, "8.8.8.8:1");
    vote_of(5, "8.8.8.8:1");
    expect("9.9.9.9:100", true, HSAY_NAT_UNKNOWN, 2);
    hsay_vote_reset(&table);
    expect(NULL, false, HSAY_NAT_UNKNOWN, 0);
    for (int i = 1; i <= 3; i++)
        vote_of(i, "8.8.8.8:1");
    expect("8.8.8.8:1", true, HSAY_NAT_INDEPENDENT, 3);
}

static void test_what_is_no_vote(void **state)
{
    (void)state;
    struct hsay_vote v = {.voter = parsed("20.1.0.1:1"), .seen = parsed("9.9.9.9:1")};
    const struct hsay_vote_table before = table;
    struct hsay_vote_entry entry_before[HSAY_VOTE_TABLE_MAX];

    memcpy(entry_before, entry, sizeof entry);
    assert_int_equal(hsay_vote_add(&table, now, &v), HSAY_EINVAL); /* not contacted */
    assert_int_equal(vote("20.1.0.1:1", "9.9.9.9:0"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "0.0.0.0:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "224.0.0.1:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "255.255.255.255:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "127.0.0.1:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "10.0.0.1:1"), HSAY_EINVAL);
    assert_int_equal(vote("10.0.0.1:1", "9.9.9.9:1"), HSAY_EINVAL);
    assert_int_equal(vote("224.0.0.1:1", "224.0.0.1:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", "[2a00::1]:1"), HSAY_EINVAL);
    assert_int_equal(vote(NULL, "9.9.9.9:1"), HSAY_EINVAL);
    assert_int_equal(vote("20.1.0.1:1", NULL), HSAY_EINVAL);
    assert_int_equal(vote("handle:00000000000000000000000000000001",
                          "handle:00000000000000000000000000000002:1"),
                     HSAY_EINVAL);
    assert_memory_equal(&table, &before, sizeof table);
    assert_memory_equal(entry, entry_before, sizeof entry);
}

static void test_mapped_addresses_are_ip4(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        struct hsay_vote v = {.contacted = true};
        v.voter = (struct hsay_addr){HSAY_ADDR_IP6, 0, 1, {[10] = 255, 255, 20, (uint8_t)i, 0, 1}};
        v.seen = (struct hsay_addr){HSAY_ADDR_IP6, 0, 100, {[10] = 255, 255, 9, 9, 9, 9}};
        assert_int_equal(hsay_vote_add(&table, now, &v), 0);
    }
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 3);
}

/* --- kinds ----------------------------------------------------------------------------------- */

static void test_public(void **state)
{
    (void)state;
    vote_of(1, "5.5.5.5:6421");
    expect("5.5.5.5:6421", false, HSAY_NAT_PUBLIC, 1);
    vote_of(2, "5.5.5.5:6421");
    vote_of(3, "5.5.5.5:6421");
    expect("5.5.5.5:6421", true, HSAY_NAT_PUBLIC, 3);
}

static void test_symmetric(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        char seen[32];
        snprintf(seen, sizeof seen, "9.9.9.9:%d", 1000 + i);
        vote_of(i, seen);
    }
    struct hsay_vote_result result;
    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
    struct hsay_addr at_host = parsed("9.9.9.9:1");
    assert_int_equal(result.kind, HSAY_NAT_SYMMETRIC);
    assert_false(result.confirmed);
    assert_true(hsay_addr_same_host(&result.addr, &at_host));
}

static void test_half_of_the_votes_are_no_majority(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    vote_of(2, "9.9.9.9:200");
    expect("9.9.9.9:100", false, HSAY_NAT_SYMMETRIC, 2);
    vote_of(3, "9.9.9.9:100");
    vote_of(4, "9.9.9.9:200");
    expect("9.9.9.9:100", false, HSAY_NAT_SYMMETRIC, 4);
}

static void test_one_liar_does_not_make_us_symmetric(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    vote_of(2, "9.9.9.9:100");
    vote_of(3, "9.9.9.9:666");
    expect("9.9.9.9:100", false, HSAY_NAT_INDEPENDENT, 3);
    vote_of(4, "9.9.9.9:100");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 4);
}

static bool is_sequential(const char *bound_text)
{
    struct hsay_addr bound = parsed(bound_text);
    struct hsay_vote_result result;

    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &bound, &result);
    return result.sequential;
}

static void test_ports_in_a_row(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:1064");
    vote_of(2, "9.9.9.9:1000");
    assert_false(is_sequential(NULL)); /* two may do so by chance: once in 500 */
    vote_of(3, "9.9.9.9:1020");
    assert_true(is_sequential(NULL));
    vote("127.0.0.1:1", "127.0.0.1:6421"); /* of another class: says nothing about it */
    assert_true(is_sequential(NULL));
    vote_of(4, "9.9.9.9:1065"); /* 65 from the lowest */
    assert_false(is_sequential(NULL));
    vote_of(4, "9.9.9.9:1001");
    assert_true(is_sequential(NULL));
    now = hsay_time_add_ms(now, HSAY_VOTE_LIFETIME_MS + 1000);
    assert_false(is_sequential(NULL));
}

static void test_what_is_not_in_a_row(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        char seen[32];
        snprintf(seen, sizeof seen, "9.9.9.9:%d", 1000 * i);
        vote_of(i, seen);
    }
    assert_false(is_sequential(NULL));
    for (int i = 1; i <= 3; i++)
        vote_of(i, "9.9.9.9:1000"); /* one port is no row of ports */
    assert_false(is_sequential(NULL));
    hsay_vote_reset(&table);
    vote_of(1, "5.5.5.5:6421"); /* nor is a public address that others saw otherwise */
    vote_of(2, "5.5.5.5:6422");
    vote_of(3, "5.5.5.5:6423");
    assert_false(is_sequential("5.5.5.5:6421"));
    assert_true(is_sequential(NULL));
}

/* --- a box that starts anew: one mapping, then another ---------------------------------------- */

static uint8_t kind_now(void)
{
    struct hsay_vote_result result;

    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
    return result.kind;
}

static void pass_seconds(unsigned seconds)
{
    now = hsay_time_add_ms(now, 1000 * seconds);
}

/* However many voted before, and however many of them vote again: never symmetric for longer than
 * it takes three to say the same. */
static void test_another_mapping_is_not_symmetric(void **state)
{
    (void)state;
    for (int old = 2; old <= 12; old++) {
        for (int again = 0; again <= old; again++) {
            hsay_vote_reset(&table);
            for (int i = 1; i <= old; i++) {
                vote_of(i, "9.9.9.9:100");
                pass_seconds(5);
            }
            assert_int_equal(kind_now(), HSAY_NAT_INDEPENDENT);
            pass_seconds(60);
            for (int i = 1; i <= old; i++) {
                vote_of(i <= again ? i : 20 + i, "9.9.9.9:200");
                if (i >= 3)
                    assert_int_equal(kind_now(), HSAY_NAT_INDEPENDENT);
                assert_true(i >= 2 || kind_now() != HSAY_NAT_SYMMETRIC);
                pass_seconds(5);
            }
        }
    }
}

static void test_mappings_of_different_times(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    pass_seconds(HSAY_VOTE_MOMENT_MS / 1000 + 1);
    vote_of(2, "9.9.9.9:200");
    assert_int_equal(kind_now(), HSAY_NAT_UNKNOWN); /* may have been one, and then another */
    pass_seconds(1);
    vote_of(1, "9.9.9.9:100"); /* no: it is still there */
    assert_int_equal(kind_now(), HSAY_NAT_SYMMETRIC);
}

/* The control: ports that differ within a minute are symmetric, however long it goes on, and even
 * if a liar takes up what another was told. */
static void test_symmetric_stays_symmetric(void **state)
{
    (void)state;
    for (int i = 1; i <= 60; i++) {
        char seen[32];
        snprintf(seen, sizeof seen, "9.9.9.9:%d", 1000 + 37 * i);
        vote_of(1 + i % 20, seen);
        vote_of(66, seen);
        pass_seconds(10);
        assert_true(i < 3 || kind_now() == HSAY_NAT_SYMMETRIC);
    }
}

static void test_two_liars_do_not_hide_that_we_are_symmetric(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        char seen[32];
        snprintf(seen, sizeof seen, "9.9.9.9:%d", 1000 + 37 * i);
        vote_of(i, seen);
        pass_seconds(5);
    }
    vote_of(66, "9.9.9.9:666");
    pass_seconds(1);
    vote_of(67, "9.9.9.9:666");
    assert_int_equal(kind_now(), HSAY_NAT_SYMMETRIC);
    vote_of(68, "9.9.9.9:666"); /* the control: three could */
    assert_int_equal(kind_now(), HSAY_NAT_INDEPENDENT);
}

/* --- another address -------------------------------------------------------------------------- */

static bool is_doubted(void)
{
    struct hsay_vote_result result;

    hsay_vote_result(&table, now, HSAY_ADDR_IP4, &(struct hsay_addr){0}, &result);
    return result.doubted;
}

static void test_doubt(void **state)
{
    (void)state;
    for (int i = 1; i <= 5; i++)
        vote_of(i, "9.9.9.9:100");
    assert_false(is_doubted());
    pass_seconds(1);
    vote_of(1, "9.9.9.9:200"); /* another port is no other host */
    vote("127.0.0.1:1", "127.0.0.1:6421");
    assert_false(is_doubted());
    pass_seconds(1);
    vote_of(2, "8.8.8.8:100");
    assert_true(is_doubted());
    pass_seconds(1);
    vote_of(3, "9.9.9.9:100"); /* it was a liar */
    assert_false(is_doubted());
}

/* Of nine that saw us at the old address six are not to be found any more. */
static void test_old_votes_do_not_hold_us(void **state)
{
    (void)state;
    for (int i = 1; i <= 9; i++)
        vote_of(i, "9.9.9.9:100");
    pass_seconds(HSAY_VOTE_DEFENDS_MS / 1000);
    for (int i = 1; i <= 3; i++)
        vote_of(i, "8.8.8.8:100");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 9); /* six against three */
    pass_seconds(1);
    vote_of(1, "8.8.8.8:100");
    expect("8.8.8.8:100", true, HSAY_NAT_INDEPENDENT, 9);
}

static void test_several_hosts_tell_nothing(void **state)
{
    (void)state;
    vote_of(1, "9.9.9.9:100");
    vote_of(2, "8.8.8.8:100");
    expect(NULL, false, HSAY_NAT_UNKNOWN, 2);
}

/* --- scopes ---------------------------------------------------------------------------------- */

static void test_peers_on_one_host(void **state)
{
    (void)state;
    vote("127.0.0.1:1001", "127.0.0.1:6421");
    expect("127.0.0.1:6421", false, HSAY_NAT_UNKNOWN, 1);
    vote("127.0.0.1:1002", "127.0.0.1:6421");
    vote("127.0.0.1:1003", "127.0.0.1:6421");
    expect("127.0.0.1:6421", true, HSAY_NAT_INDEPENDENT, 3);
}

static void test_a_lan_is_one_network(void **state)
{
    (void)state;
    for (int i = 1; i <= 9; i++) {
        char voter[32];
        snprintf(voter, sizeof voter, "192.168.1.%d:6421", i);
        vote(voter, "192.168.1.77:6421");
    }
    expect("192.168.1.77:6421", false, HSAY_NAT_UNKNOWN, 1);
}

static void test_the_widest_class_decides(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        char voter[32];
        snprintf(voter, sizeof voter, "127.0.0.1:%d", 1001 + i);
        vote(voter, "127.0.0.1:6421");
    }
    vote_of(1, "9.9.9.9:100");
    expect("127.0.0.1:6421", true, HSAY_NAT_UNKNOWN, 1);
    vote_of(2, "9.9.9.9:100");
    vote_of(3, "9.9.9.9:100");
    expect("127.0.0.1:6421", true, HSAY_NAT_UNKNOWN, 3); /* three against three */
    vote_of(4, "9.9.9.9:100");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 4);

    /* A crowd on our own host neither takes it back nor pushes the world out of the table. */
    now = hsay_time_add_ms(now, 5000);
    for (int i = 0; i < 1000; i++) {
        char voter[32];
        snprintf(voter, sizeof voter, "127.0.0.1:%d", 2000 + i);
        vote(voter, "127.0.0.1:6421");
    }
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 4);
}

static void test_families_are_two_questions(void **state)
{
    (void)state;
    struct hsay_vote_result result;
    struct hsay_addr ip6 = parsed("[2a00::9]:100"), none = {0};

    for (int i = 1; i <= 3; i++) {
        char voter[40];
        vote_of(i, "9.9.9.9:100");
        snprintf(voter, sizeof voter, "[2a00:%d::1]:6421", i);
        assert_int_equal(vote(voter, "[2a00::9]:100"), 0);
    }
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, 3);
    hsay_vote_result(&table, now, HSAY_ADDR_IP6, &none, &result);
    assert_true(result.confirmed);
    assert_true(hsay_addr_equal(&result.addr, &ip6));
    assert_int_equal(result.groups, 3);
}

static void test_a_full_table_replaces_the_oldest(void **state)
{
    (void)state;
    for (int i = 0; i < HSAY_VOTE_TABLE_MAX; i++) {
        vote_of(i, "9.9.9.9:100");
        now = hsay_time_add_ms(now, 1000);
    }
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, HSAY_VOTE_TABLE_MAX);
    vote_of(50, "9.9.9.9:200");
    expect("9.9.9.9:100", true, HSAY_NAT_INDEPENDENT, HSAY_VOTE_TABLE_MAX);
    for (int i = 1; i < HSAY_VOTE_TABLE_MAX; i++)
        vote_of(i, "9.9.9.9:300"); /* all but the first have a place of their own still */
    expect("9.9.9.9:300", true, HSAY_NAT_INDEPENDENT, HSAY_VOTE_TABLE_MAX);
    assert_int_equal(table.entry[0].seen.port, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_known_at_first, set_up),
        cmocka_unit_test_setup(test_three_networks_confirm, set_up),
        cmocka_unit_test_setup(test_as_many_as_the_parameter_says, set_up),
        cmocka_unit_test_setup(test_a_network_has_one_vote, set_up),
        cmocka_unit_test_setup(test_many_liars_in_two_networks, set_up),
        cmocka_unit_test_setup(test_as_many_are_not_enough_to_change, set_up),
        cmocka_unit_test_setup(test_a_network_that_changes_its_mind, set_up),
        cmocka_unit_test_setup(test_votes_end, set_up),
        cmocka_unit_test_setup(test_what_was_confirmed_outlives_the_votes, set_up),
        cmocka_unit_test_setup(test_what_is_no_vote, set_up),
        cmocka_unit_test_setup(test_mapped_addresses_are_ip4, set_up),
        cmocka_unit_test_setup(test_public, set_up),
        cmocka_unit_test_setup(test_symmetric, set_up),
        cmocka_unit_test_setup(test_half_of_the_votes_are_no_majority, set_up),
        cmocka_unit_test_setup(test_one_liar_does_not_make_us_symmetric, set_up),
        cmocka_unit_test_setup(test_ports_in_a_row, set_up),
        cmocka_unit_test_setup(test_what_is_not_in_a_row, set_up),
        cmocka_unit_test_setup(test_another_mapping_is_not_symmetric, set_up),
        cmocka_unit_test_setup(test_mappings_of_different_times, set_up),
        cmocka_unit_test_setup(test_symmetric_stays_symmetric, set_up),
        cmocka_unit_test_setup(test_two_liars_do_not_hide_that_we_are_symmetric, set_up),
        cmocka_unit_test_setup(test_doubt, set_up),
        cmocka_unit_test_setup(test_old_votes_do_not_hold_us, set_up),
        cmocka_unit_test_setup(test_several_hosts_tell_nothing, set_up),
        cmocka_unit_test_setup(test_peers_on_one_host, set_up),
        cmocka_unit_test_setup(test_a_lan_is_one_network, set_up),
        cmocka_unit_test_setup(test_the_widest_class_decides, set_up),
        cmocka_unit_test_setup(test_families_are_two_questions, set_up),
        cmocka_unit_test_setup(test_a_full_table_replaces_the_oldest, set_up),
    };

    return cmocka_run_group_tests_name("vote", tests, NULL, NULL);
}
