/*
 * Goal: an answer is taken only under an id that is out, from the address and key that were asked;
 * and a full table says so.
 */
#include "tests/unit/walk_fixture.h"

#include "src/walk/pending.h"

enum { PLACES = 4, NEWEST = 3 };

static struct hsay_pending entry[PLACES];
static uint64_t newest[PLACES * NEWEST];
static struct hsay_pendings table;
static const hsay_time start = {UINT64_C(5000000000)};

static int set_up(void **state)
{
    (void)state;
    memset(entry, 0xff, sizeof entry); /* init must not rely on zeros */
    hsay_pendings_init(&table, entry, PLACES, newest, NEWEST);
    return 0;
}

static struct hsay_pending *ask(uint64_t id, const struct hsay_peer *to)
{
    struct hsay_pending *p = hsay_pending_new(&table);

    if (p != NULL)
        *p = (struct hsay_pending){.id = id, .to = *to, .sent = start, .kind = HSAY_PENDING_INTRO};
    return p;
}

static void an_answer_needs_id_address_and_key(void **state)
{
    struct hsay_peer a = peer_alone(1), port = a, host = peer_alone(2), key = a;

    (void)state;
    port.addr.port++;
    key.key = key_of(9);
    struct hsay_pending *p = ask(42, &a);
    assert_ptr_equal(hsay_pending_find(&table, 42, &a), p);
    assert_null(hsay_pending_find(&table, 43, &a));
    assert_null(hsay_pending_find(&table, 42, &port));
    assert_null(hsay_pending_find(&table, 42, &host));
    assert_null(hsay_pending_find(&table, 42, &key));
    assert_ptr_equal(hsay_pending_by_id(&table, 42), p);
    assert_null(hsay_pending_by_id(&table, 43));
}

static void a_first_contact_takes_any_key(void **state)
{
    struct hsay_peer named = {.addr = peer_alone(1).addr}, a = peer_alone(1), other = a;

    (void)state;
    other.key = key_of(9);
    struct hsay_pending *p = ask(42, &named);
    assert_ptr_equal(hsay_pending_find(&table, 42, &a), p);
    assert_ptr_equal(hsay_pending_find(&table, 42, &other), p);
}

static void mail_answers_nothing(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    ask(0, &a);
    assert_null(hsay_pending_find(&table, 0, &a));
    assert_null(hsay_pending_by_id(&table, 0));
}

static void a_full_table_says_so(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    for (uint64_t id = 1; id <= PLACES; id++) {
        assert_int_equal(hsay_pending_count(&table), id - 1);
        assert_non_null(ask(id, &a));
    }
    assert_null(hsay_pending_new(&table));
    hsay_pending_free(hsay_pending_by_id(&table, 2));
    assert_int_equal(hsay_pending_count(&table), PLACES - 1);
    assert_null(hsay_pending_find(&table, 2, &a)); /* used once */
    assert_non_null(ask(9, &a));
    assert_null(hsay_pending_new(&table));
}

static void a_place_is_new_until_it_is_filled(void **state)
{
    static const struct hsay_pending none;

    (void)state;
    struct hsay_pending *p = hsay_pending_new(&table);
    assert_memory_equal(p, &none, sizeof none);
    assert_ptr_equal(hsay_pending_new(&table), p);
    assert_int_equal(hsay_pending_count(&table), 0);
}

static void each_has_room_for_what_it_named(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    for (uint64_t id = 1; id <= PLACES; id++) {
        uint64_t *named = hsay_pending_newest(&table, ask(id, &a));
        for (uint64_t i = 0; i < NEWEST; i++)
            named[i] = id * NEWEST + i;
    }
    for (uint64_t i = 0; i < PLACES * NEWEST; i++)
        assert_int_equal(newest[i], NEWEST + i);
    assert_int_equal(hsay_pending_holds(7), 7);
    assert_int_equal(hsay_pending_holds(UINT64_C(1) << 40), UINT32_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_needs_id_address_and_key),
        TEST(a_first_contact_takes_any_key),
        TEST(mail_answers_nothing),
        TEST(a_full_table_says_so),
        TEST(a_place_is_new_until_it_is_filled),
        TEST(each_has_room_for_what_it_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
