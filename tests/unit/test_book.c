/*
 * Goal: the book holds who answered last, newest first; a flood from few networks can not fill it;
 * one peer stands in it once.
 */
#include "tests/unit/walk_fixture.h"

#include "src/walk/book.h"

enum { PLACES = 32 };

static struct hsay_book_entry entry[PLACES];
static struct hsay_book book;

static int set_up(void **state)
{
    (void)state;
    memset(entry, 0xff, sizeof entry);
    hsay_book_init(&book, entry, PLACES);
    return 0;
}

static void add(struct hsay_peer peer)
{
    hsay_book_on_answer(&book, &peer);
}

static size_t size(void)
{
    size_t count = 0;

    while (hsay_book_at(&book, count) != NULL)
        count++;
    return count;
}

static void assert_at(size_t index, struct hsay_peer peer)
{
    const struct hsay_peer *p = hsay_book_at(&book, index);

    assert_non_null(p);
    assert_true(hsay_addr_equal(&p->addr, &peer.addr));
    assert_true(hsay_peer_key_equal(&p->key, &peer.key));
}

static bool is_in(struct hsay_peer peer)
{
    for (size_t i = 0; hsay_book_at(&book, i) != NULL; i++) {
        if (hsay_addr_equal(&hsay_book_at(&book, i)->addr, &peer.addr))
            return true;
    }
    return false;
}

static size_t members(uint32_t group)
{
    struct hsay_peer example = peer_in(group, 1);
    size_t count = 0;

    for (size_t i = 0; hsay_book_at(&book, i) != NULL; i++)
        count += hsay_addr_group(&hsay_book_at(&book, i)->addr) == hsay_addr_group(&example.addr);
    return count;
}

static void the_newest_come_first(void **state)
{
    (void)state;
    assert_null(hsay_book_at(&book, 0));
    for (uint32_t i = 1; i <= 5; i++)
        add(peer_alone(i));
    for (uint32_t i = 1; i <= 5; i++)
        assert_at(5 - i, peer_alone(i));
    assert_null(hsay_book_at(&book, 5));
    add(peer_alone(2));
    assert_at(0, peer_alone(2));
    assert_at(1, peer_alone(5));
    assert_at(4, peer_alone(1));
    assert_int_equal(size(), 5);
    assert_null(hsay_book_at(&book, PLACES));
    assert_null(hsay_book_at(&book, SIZE_MAX));
}

static void a_peer_stands_there_once(void **state)
{
    struct hsay_peer moved = {peer_alone(9).addr, key_of(1)};
    struct hsay_peer restarted = {peer_alone(2).addr, key_of(8)};
    struct hsay_peer both = {peer_alone(9).addr, key_of(8)};

    (void)state;
    for (uint32_t i = 1; i <= 3; i++)
        add(peer_alone(i));
    add(moved);
    assert_int_equal(size(), 3);
    assert_at(0, moved);
    add(restarted);
    assert_int_equal(size(), 3);
    assert_at(0, restarted);
    add(both); /* the one's address and the other's key: both are outdated */
    assert_int_equal(size(), 2);
    assert_at(0, both);
    assert_at(1, peer_alone(3));
}

static void its_own_entry_may_be_given_to_it(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 3; i++)
        add(peer_alone(i));
    hsay_book_on_answer(&book, hsay_book_at(&book, 2));
    assert_at(0, peer_alone(1));
    hsay_book_remove(&book, hsay_book_at(&book, 1));
    assert_int_equal(size(), 2);
    assert_false(is_in(peer_alone(3)));
}

static void what_is_silent_goes_unless_it_was_replaced(void **state)
{
    struct hsay_peer restarted = {peer_alone(1).addr, key_of(9)};
    struct hsay_peer moved = {peer_alone(9).addr, key_of(2)};
    struct hsay_peer keyless = {.addr = peer_alone(3).addr};
    struct hsay_peer old = peer_alone(1), elsewhere = peer_alone(2), nobody = peer_alone(7);

    (void)state;
    add(restarted);
    add(moved);
    add(peer_alone(3));
    hsay_book_remove(&book, &old);
    hsay_book_remove(&book, &elsewhere);
    hsay_book_remove(&book, &nobody);
    assert_int_equal(size(), 3);
    hsay_book_remove(&book, &keyless);
    assert_int_equal(size(), 2);
    hsay_book_remove(&book, &restarted);
    hsay_book_remove(&book, &moved);
    assert_int_equal(size(), 0);
    hsay_book_remove(&book, &moved);
    add(moved);
    assert_int_equal(size(), 1);
}

static void a_flood_of_one_network_displaces_itself(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= PLACES - 2; i++)
        add(peer_alone(i));
    for (uint32_t i = 1; i <= 10000; i++)
        add(peer_in(9000, 10000 + i));
    assert_int_equal(size(), PLACES);
    assert_int_equal(members(9000), 2);
    for (uint32_t i = 1; i <= PLACES - 2; i++)
        assert_true(is_in(peer_alone(i)));
    assert_at(0, peer_in(9000, 20000)); /* and its newest is there */
}

static void a_network_among_the_largest_gives_way_to_itself(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= PLACES / 2; i++)
        add(peer_in(8000, 8000 + i));
    for (uint32_t i = 1; i <= PLACES / 2; i++)
        add(peer_in(9000, 10000 + i));
    add(peer_in(9000, 20000));
    assert_int_equal(members(8000), PLACES / 2);
    assert_false(is_in(peer_in(9000, 10001)));
}

static void each_network_gets_a_place_before_another_gets_two(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= PLACES; i++)
        add(peer_in(9000, 10000 + i));
    for (uint32_t i = 1; i < PLACES; i++) {
        add(peer_alone(i));
        assert_int_equal(members(9000), PLACES - i);
        assert_true(is_in(peer_in(9000, 10000 + PLACES))); /* its oldest went first */
    }
    for (uint32_t i = 1; i < PLACES; i++)
        assert_true(is_in(peer_alone(i)));

    /* All have one: the oldest goes. */
    add(peer_alone(500));
    assert_false(is_in(peer_in(9000, 10000 + PLACES)));
    assert_true(is_in(peer_alone(500)));
}

static void small_books_work(void **state)
{
    (void)state;
    hsay_book_init(&book, entry, 1);
    for (uint32_t i = 1; i <= 5; i++) {
        add(peer_alone(i));
        assert_at(0, peer_alone(i));
        assert_int_equal(size(), 1);
    }
    hsay_book_init(&book, entry, 0);
    add(peer_alone(1));
    assert_int_equal(size(), 0);
}

/* Against a list that a reader can check at a glance. */
static void any_order_of_answers_is_kept(void **state)
{
    struct world w;
    uint32_t last[21] = {0};

    (void)state;
    world_init(&w, 1);
    for (uint32_t round = 1; round <= 5000; round++) {
        uint32_t i = (uint32_t)world_below(&w, 20) + 1;
        struct hsay_peer p = peer_alone(i);

        if (world_below(&w, 4) == 0)
            hsay_book_remove(&book, &p);
        else
            add(p);
        last[i] = is_in(p) ? round : 0;
        uint32_t before = UINT32_MAX;
        size_t count = 0;
        for (; hsay_book_at(&book, count) != NULL; count++) {
            uint32_t number;

            memcpy(&number, hsay_book_at(&book, count)->key.byte, sizeof number);
            assert_true(last[number] != 0 && last[number] < before);
            before = last[number];
        }
        for (uint32_t j = 1; j <= 20; j++)
            count -= last[j] != 0;
        assert_int_equal(count, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_come_first),
        TEST(a_peer_stands_there_once),
        TEST(its_own_entry_may_be_given_to_it),
        TEST(what_is_silent_goes_unless_it_was_replaced),
        TEST(a_flood_of_one_network_displaces_itself),
        TEST(a_network_among_the_largest_gives_way_to_itself),
        TEST(each_network_gets_a_place_before_another_gets_two),
        TEST(small_books_work),
        TEST(any_order_of_answers_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
