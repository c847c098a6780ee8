/* Goal: nothing that others send makes a node send more than it got, or more than three datagrams
 * an hour to an address that never answered: at any size of the table and whatever is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hearsay/params.h"
#include "src/wire/ledger.h"

enum { PERIOD_S = HSAY_SILENT_PERIOD_MS / 1000, PACKET = 1000 };

static struct hsay_ledger ledger;
static struct hsay_ledger_entry entry[1024];

static hsay_time at_s(uint64_t s)
{
    return hsay_time_add_ms((hsay_time){0}, s * 1000);
}

static struct hsay_addr addr(uint32_t n)
{
    return (struct hsay_addr){.kind = HSAY_ADDR_IP4,
                              .port = 6421,
                              .byte = {198, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static bool pass(uint64_t s, enum hsay_send_class class, uint32_t n)
{
    struct hsay_addr to = addr(n);

    return hsay_ledger_pass(&ledger, at_s(s), class, &to, NULL, PACKET);
}

static void heard(uint32_t n)
{
    struct hsay_addr from = addr(n);

    hsay_ledger_heard(&ledger, &from);
}

static void start(uint32_t count, uint64_t salt)
{
    hsay_ledger_init(&ledger, entry, count, HSAY_DATAGRAM_DEFAULT_BYTES, salt);
}

static void a_stranger_gets_no_more_than_it_sent(void **state)
{
    struct hsay_addr to = addr(1);
    struct hsay_ledger_account account = hsay_ledger_account(500, false);

    (void)state;
    start(64, 1);
    assert_int_equal(hsay_ledger_room(&ledger, &account), 500);
    assert_false(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_ANSWER, &to, &account, 501));
    assert_true(hsay_ledger_charge(&account, 80));
    assert_int_equal(hsay_ledger_room(&ledger, &account), 420);
    assert_false(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_ANSWER, &to, &account, 421));
    assert_true(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_ANSWER, &to, &account, 420));
    assert_int_equal(hsay_ledger_room(&ledger, &account), 0);
    assert_false(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_ANSWER, &to, &account, 0));
}

static void a_stranger_gets_two_datagrams_at_most(void **state)
{
    struct hsay_ledger_account account = hsay_ledger_account(1000, false);

    (void)state;
    assert_true(hsay_ledger_charge(&account, 1));
    assert_true(hsay_ledger_charge(&account, 1));
    assert_false(hsay_ledger_charge(&account, 1));
    assert_int_equal(hsay_ledger_room(&ledger, &account), 0);
}

static void a_validated_source_is_not_bound(void **state)
{
    struct hsay_addr to = addr(1);
    struct hsay_ledger_account account = hsay_ledger_account(70, true);

    (void)state;
    start(64, 1);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(hsay_ledger_room(&ledger, &account), HSAY_DATAGRAM_DEFAULT_BYTES);
        assert_true(hsay_ledger_charge(&account, 100));
        assert_true(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_ANSWER, &to, &account, PACKET));
    }
}

static void no_datagram_is_too_large_or_goes_nowhere(void **state)
{
    struct hsay_addr to = addr(1), nowhere = {0};

    (void)state;
    start(64, 1);
    for (int class = HSAY_SEND_KNOWN; class <= HSAY_SEND_PUNCTURE; class ++) {
        assert_false(hsay_ledger_pass(&ledger, at_s(0), (enum hsay_send_class) class, &to, NULL,
                                      HSAY_DATAGRAM_DEFAULT_BYTES + 1));
        assert_false(hsay_ledger_pass(&ledger, at_s(0), (enum hsay_send_class) class, &nowhere,
                                      NULL, PACKET));
        assert_true(hsay_ledger_pass(&ledger, at_s(0), (enum hsay_send_class) class, &to, NULL,
                                     HSAY_DATAGRAM_DEFAULT_BYTES));
    }
}

static void silence_ends_requests_for_an_hour(void **state)
{
    (void)state;
    start(1024, 7);
    assert_true(pass(0, HSAY_SEND_REQUEST, 1));
    assert_true(pass(10, HSAY_SEND_REQUEST, 1));
    assert_true(pass(20, HSAY_SEND_REQUEST, 1));
    assert_false(pass(30, HSAY_SEND_REQUEST, 1));
    assert_false(pass(20 + PERIOD_S, HSAY_SEND_REQUEST, 1));
    assert_true(pass(21 + PERIOD_S, HSAY_SEND_REQUEST, 1));
    assert_true(pass(30, HSAY_SEND_NAMED, 1));
    assert_true(pass(30, HSAY_SEND_KNOWN, 1));
    assert_true(pass(30, HSAY_SEND_REQUEST, 2));
}

static void an_answer_ends_the_silence(void **state)
{
    (void)state;
    start(1024, 7);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(pass(10, HSAY_SEND_REQUEST, 1));
        assert_false(pass(10, HSAY_SEND_REQUEST, 1));
        heard(1);
    }
}

static void punctures_leave_one_packet_for_us(void **state)
{
    (void)state;
    start(1024, 7);
    assert_true(pass(0, HSAY_SEND_PUNCTURE, 1));
    assert_true(pass(5, HSAY_SEND_PUNCTURE, 1));
    assert_false(pass(10, HSAY_SEND_PUNCTURE, 1));
    assert_true(pass(10, HSAY_SEND_REQUEST, 1));
    assert_false(pass(10, HSAY_SEND_REQUEST, 1));
}

static void the_port_is_part_of_an_address(void **state)
{
    struct hsay_addr a = addr(1), b = addr(1);

    (void)state;
    start(1024, 7);
    b.port = 7;
    for (int i = 0; i < 3; i++)
        assert_true(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_REQUEST, &a, NULL, PACKET));
    assert_true(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_REQUEST, &b, NULL, PACKET));
}

static void without_a_table_nothing_goes_to_the_unheard(void **state)
{
    (void)state;
    hsay_ledger_init(&ledger, NULL, 0, HSAY_DATAGRAM_DEFAULT_BYTES, 7);
    assert_false(pass(0, HSAY_SEND_REQUEST, 1));
    assert_false(pass(0, HSAY_SEND_PUNCTURE, 1));
    assert_true(pass(0, HSAY_SEND_NAMED, 1));
    assert_true(pass(0, HSAY_SEND_KNOWN, 1));
    heard(1);
}

/* A hundred peers name one victim ten thousand times among twenty thousand other addresses. */
static void cycling_through_addresses_gains_nothing(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 1024; count *= 4) {
        unsigned victim = 0;
        start(count, count);
        for (uint32_t i = 0; i < 20000; i++) {
            pass(i * PERIOD_S / 20001, HSAY_SEND_REQUEST, 1 + i);
            victim += pass(i * PERIOD_S / 20001, HSAY_SEND_REQUEST, 0);
        }
        assert_true(victim <= HSAY_SILENT_PACKETS_MAX);
    }
}

/* However many punctures others make us send, as many first contacts as the table has places are
 * left, but for the unevenness of its sets. */
static void punctures_can_not_end_first_contacts(void **state)
{
    unsigned contacts = 0;

    (void)state;
    start(1024, 3);
    for (uint32_t i = 0; i < 72000; i++)
        pass(i / 20, HSAY_SEND_PUNCTURE, i);
    for (uint32_t i = 0; i < 720; i++)
        contacts += pass(PERIOD_S, HSAY_SEND_REQUEST, 1000000 + i);
    assert_true(contacts >= 640);
}

/* What each of a few addresses got, against the promise: all sends of the last hour remembered. */
enum { ADDRESSES = 40, SENDS = 4000 };

static struct {
    uint32_t s[SENDS];
    unsigned count;
} sent[ADDRESSES];

static unsigned sent_within_the_hour(unsigned n, uint32_t now_s)
{
    unsigned count = 0;

    for (unsigned i = 0; i < sent[n].count; i++)
        count += now_s - sent[n].s[i] < PERIOD_S;
    return count;
}

static uint32_t draw(uint64_t *seed, uint32_t bound)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((*seed >> 33) % bound);
}

static void one_history(uint32_t count, uint64_t seed)
{
    uint32_t now_s = 0;
    unsigned last = 0;

    memset(sent, 0, sizeof sent);
    start(count, seed);
    for (int i = 0; i < SENDS; i++) {
        unsigned n = draw(&seed, draw(&seed, 4) == 0 ? 3 : ADDRESSES);
        enum hsay_send_class class = draw(&seed, 3) == 0 ? HSAY_SEND_PUNCTURE : HSAY_SEND_REQUEST;
        now_s += draw(&seed, 10) == 0 ? draw(&seed, 2000) : draw(&seed, 20);
        if (draw(&seed, 12) == 0) {
            heard(last);
            sent[last].count = 0;
        }
        if (!pass(now_s, class, n))
            continue;
        last = n;
        assert_true(sent_within_the_hour(n, now_s) < HSAY_SILENT_PACKETS_MAX);
        sent[n].s[sent[n].count++] = now_s;
    }
}

static void the_promise_holds_in_any_history(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        one_history(1, seed);
        one_history(2, seed);
        one_history(8, seed);
        one_history(16, seed);
        one_history(64, seed);
    }
}

/* ---- rule 4 ---- */

static struct hsay_ledger_search account;

static void start_with_searches(uint32_t count, uint64_t salt)
{
    start(count, salt);
    memset(&account, 0, sizeof account);
    ledger.search = &account;
}

static bool search(uint64_t s, uint32_t n, uint16_t port, uint32_t packets)
{
    struct hsay_addr peer = addr(n);

    peer.port = port;
    return hsay_ledger_search(&ledger, at_s(s), &peer, packets);
}

static bool pass_search(uint32_t n, uint16_t port, size_t bytes)
{
    struct hsay_addr to = addr(n);

    to.port = port;
    return hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_SEARCH, &to, NULL, bytes);
}

static void a_search_is_of_so_many_small_datagrams(void **state)
{
    (void)state;
    start_with_searches(64, 5);
    assert_false(pass_search(1, 6421, 100)); /* none has begun */
    assert_true(search(0, 1, 6421, 1000));
    assert_false(pass_search(1, 6421, HSAY_LEDGER_SEARCH_BYTES_MAX + 1));
    for (uint16_t i = 0; i < 1000; i++)
        assert_true(pass_search(1, (uint16_t)(1024 + i), HSAY_LEDGER_SEARCH_BYTES_MAX));
    assert_false(pass_search(1, 6421, 1));
}

static void a_search_is_to_one_host(void **state)
{
    struct hsay_addr nowhere = {0}, other = addr(1);

    (void)state;
    start_with_searches(64, 5);
    assert_true(search(0, 1, 6421, 10));
    other.kind = HSAY_ADDR_IP6;
    assert_false(pass_search(2, 6421, 100));
    assert_false(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_SEARCH, &nowhere, NULL, 100));
    assert_false(hsay_ledger_pass(&ledger, at_s(0), HSAY_SEND_SEARCH, &other, NULL, 100));
    assert_int_equal(account.packets, 10); /* what was refused costs nothing */
    assert_true(pass_search(1, 6421, 100));
    assert_true(search(0, 2, 6421, 10)); /* and takes the place of the other */
    assert_false(pass_search(1, 6421, 100));
    assert_true(pass_search(2, 6421, 100));
}

static void a_search_begins_once_an_hour_for_a_host(void **state)
{
    (void)state;
    start_with_searches(64, 5);
    assert_true(search(0, 1, 6421, 10));
    for (uint16_t port = 0; port < 200; port++)
        assert_false(search(port, 1, (uint16_t)(1024 + 300 * port), 10));
    assert_int_equal(account.packets, 10);
    assert_false(search(PERIOD_S, 1, 6421, 10));
    assert_true(search(PERIOD_S + 1, 1, 6421, 10));
    assert_false(search(PERIOD_S + 2, 1, 6421, 10));
}

/* Its packets are no packets of rule 2, nor is a heard address reason for another. */
static void a_search_is_an_account_of_its_own(void **state)
{
    (void)state;
    start_with_searches(64, 5);
    for (int i = 0; i < HSAY_SILENT_PACKETS_MAX; i++)
        assert_true(pass(0, HSAY_SEND_REQUEST, 1));
    assert_true(search(0, 1, 6421, 10));
    heard(1);
    assert_true(pass(0, HSAY_SEND_REQUEST, 1));
    assert_false(search(0, 1, 6421, 10));
    assert_true(pass_search(1, 6421, 100));
}

static void without_an_account_no_search_begins(void **state)
{
    (void)state;
    start(64, 5);
    assert_false(search(0, 1, 6421, 10));
    assert_false(pass_search(1, 6421, 100));
    hsay_ledger_init(&ledger, NULL, 0, HSAY_DATAGRAM_DEFAULT_BYTES, 7);
    memset(&account, 0, sizeof account);
    ledger.search = &account;
    assert_false(search(0, 1, 6421, 10));
    assert_false(pass_search(1, 6421, 100));
}

/* However many hosts are named, each has one search an hour at most; and a table that is full of
 * others refuses rather than forget. */
static void naming_many_hosts_gains_no_second_search(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 1024; count *= 4) {
        unsigned victim = 0, begun = 0;
        start_with_searches(count, count);
        for (uint32_t i = 0; i < 20000; i++) {
            account.begun = 0; /* the bound on all of them is not what is tested here */
            begun += search(i * PERIOD_S / 20001, 1 + i, 6421, 10);
            account.begun = 0;
            victim += search(i * PERIOD_S / 20001, 0, (uint16_t)(1024 + i), 10);
        }
        assert_true(victim <= 1);
        assert_true(begun <= count); /* then all places bear somebody's packet */
    }
}

static void searches_are_few_in_all(void **state)
{
    (void)state;
    start_with_searches(1024, 10);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(search(i, i, 6421, 10), i < HSAY_LEDGER_SEARCHES_MAX);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(search(PERIOD_S + 1 + i, 100 + i, 6421, 10), i < HSAY_LEDGER_SEARCHES_MAX);
}

/* Requests fill the table just as well. */
static void a_table_full_of_others_refuses(void **state)
{
    (void)state;
    start_with_searches(8, 9);
    for (uint32_t i = 0; i < 8; i++)
        assert_true(pass(0, HSAY_SEND_REQUEST, 100 + i));
    assert_false(search(0, 1, 6421, 10));
    assert_false(pass_search(1, 6421, 100));
    assert_true(search(PERIOD_S + 1, 1, 6421, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_gets_no_more_than_it_sent),
        cmocka_unit_test(a_stranger_gets_two_datagrams_at_most),
        cmocka_unit_test(a_validated_source_is_not_bound),
        cmocka_unit_test(no_datagram_is_too_large_or_goes_nowhere),
        cmocka_unit_test(silence_ends_requests_for_an_hour),
        cmocka_unit_test(an_answer_ends_the_silence),
        cmocka_unit_test(punctures_leave_one_packet_for_us),
        cmocka_unit_test(the_port_is_part_of_an_address),
        cmocka_unit_test(without_a_table_nothing_goes_to_the_unheard),
        cmocka_unit_test(cycling_through_addresses_gains_nothing),
        cmocka_unit_test(punctures_can_not_end_first_contacts),
        cmocka_unit_test(the_promise_holds_in_any_history),
        cmocka_unit_test(a_search_is_of_so_many_small_datagrams),
        cmocka_unit_test(a_search_is_to_one_host),
        cmocka_unit_test(a_search_begins_once_an_hour_for_a_host),
        cmocka_unit_test(a_search_is_an_account_of_its_own),
        cmocka_unit_test(without_an_account_no_search_begins),
        cmocka_unit_test(naming_many_hosts_gains_no_second_search),
        cmocka_unit_test(a_table_full_of_others_refuses),
        cmocka_unit_test(searches_are_few_in_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
