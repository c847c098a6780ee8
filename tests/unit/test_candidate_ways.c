/*
 * Goal: one peer is one entry, wherever it shows up; it stands at the better of two addresses as
 * long as that works, and nowhere else by a claim alone; and what is silent is left in peace longer
 * each time.
 */
#include "tests/unit/walk_fixture.h"

static struct world w;

static int set_up(void **state)
{
    (void)state;
    world_init(&w, 1);
    return 0;
}

static struct hsay_addr ip6(uint8_t network, uint8_t host)
{
    return (struct hsay_addr){
        .kind = HSAY_ADDR_IP6, .port = 6421, .byte = {0x2a, network, [15] = host}};
}

static struct hsay_addr inside(uint8_t host)
{
    return ip4(0xc0a80100u + host, 6421);
}

static struct hsay_peer moved(const struct hsay_peer *peer, struct hsay_addr addr)
{
    return (struct hsay_peer){.addr = addr, .key = peer->key};
}

static const struct hsay_peer teller = {.addr = {HSAY_ADDR_IP6, 0, 6421, {0x2a, 99, [15] = 1}}};

static unsigned entries(void)
{
    return (unsigned)(TABLE_MAX - count_in(&w, HSAY_BUCKET_NONE));
}

static void assert_stands_at(const struct hsay_peer *peer, const struct hsay_addr *addr)
{
    const struct hsay_candidate *c = hsay_candidate_find(&w.table, peer);

    assert_non_null(c);
    assert_true(hsay_addr_equal(&c->addr, addr));
    assert_int_equal(entries(), 1);
}

/* Where it would be asked besides; kind NONE: nowhere. */
static struct hsay_addr to_try(const struct hsay_peer *peer)
{
    const struct hsay_candidate *c = hsay_candidate_find(&w.table, peer);
    const struct hsay_candidate_way *way;

    assert_non_null(c);
    way = hsay_candidate_way_to_try(&w.table, c, w.now);
    return way != NULL ? way->addr : (struct hsay_addr){.kind = HSAY_ADDR_NONE};
}

static void assert_tries(const struct hsay_peer *peer, const struct hsay_addr *addr)
{
    struct hsay_addr way = to_try(peer);

    assert_true(hsay_addr_equal(&way, addr));
}

static void say(const struct hsay_peer *peer, struct hsay_addr addr)
{
    hsay_candidate_on_way(&w.table, w.now, hsay_candidate_find(&w.table, peer), &addr);
}

static void try_in_vain(const struct hsay_peer *peer)
{
    hsay_candidate_on_way_asked(&w.table, hsay_candidate_find(&w.table, peer), w.now);
}

static void go_silent(const struct hsay_peer *peer)
{
    struct hsay_candidate *c = hsay_candidate_find(&w.table, peer);

    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, 1000);
    hsay_candidate_on_timeout(c);
}

/* --- a claim --------------------------------------------------------------------------------- */

static void a_better_address_is_tried_and_moves_nothing(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &a);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
    assert_null(introduce(&w, &six, &teller));
    assert_stands_at(&a, &a.addr);
    assert_tries(&a, &six.addr);
    answer(&w, &six);
    assert_stands_at(&a, &six.addr);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
}

static void a_worse_or_equal_one_is_nothing(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));
    struct hsay_peer other = moved(&a, ip6(2, 1));

    (void)state;
    answer(&w, &six);
    assert_null(introduce(&w, &a, &teller));
    assert_null(introduce(&w, &other, &teller));
    say(&a, inside(7));
    say(&a, a.addr);
    assert_stands_at(&a, &six.addr);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
    go_silent(&a); /* nor is it what to fall back on */
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
}

static void what_is_silent_rests_longer_each_time(void **state)
{
    static const uint32_t rest_ms[] = {27500, 110000, 440000, 1760000, 1760000};
    struct hsay_peer a = peer_alone(1);
    struct hsay_addr lan = inside(7);

    (void)state;
    answer(&w, &a);
    say(&a, lan);
    for (size_t i = 0; i < sizeof rest_ms / sizeof *rest_ms; i++) {
        assert_tries(&a, &lan);
        try_in_vain(&a);
        world_pass(&w, rest_ms[i] - 1500);
        answer(&w, &a);
        say(&a, lan); /* told again, it does not come sooner */
        assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
        world_pass(&w, 2500);
    }
    assert_stands_at(&a, &a.addr);
    assert_int_equal(hsay_candidate_find(&w.table, &a)->timeouts, 0);
}

/* Whoever names one address after the other for a peer gets no more tries than by naming one. */
static void many_names_are_no_more_than_one(void **state)
{
    struct hsay_peer a = peer_alone(1);
    unsigned tries = 0;

    (void)state;
    for (unsigned s = 0; s < 3600; s++) {
        answer(&w, &a);
        struct hsay_peer lie = moved(&a, ip6((uint8_t)(1 + s % 200), (uint8_t)(s / 200)));
        assert_null(introduce(&w, &lie, &teller));
        if (to_try(&a).kind != HSAY_ADDR_NONE) {
            try_in_vain(&a);
            tries++;
        }
        world_pass(&w, 1000);
    }
    assert_in_range(tries, 3, 6);
    assert_stands_at(&a, &a.addr);
}

/* One of another sort need not wait until the first has rested. */
static void ways_are_tried_in_turn(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));
    struct hsay_addr lan = inside(7);

    (void)state;
    answer(&w, &a);
    say(&a, lan);
    introduce(&w, &six, &teller); /* waits its turn */
    assert_tries(&a, &lan);
    try_in_vain(&a);
    introduce(&w, &six, &teller);
    assert_tries(&a, &six.addr);
    try_in_vain(&a);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
}

static void of_whom_there_is_no_other_address(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2), six = moved(&b, ip6(1, 1));
    struct hsay_peer keyless = {.addr = a.addr};

    (void)state;
    hsay_candidate_on_named(&w.table, w.now, &keyless, HSAY_BUCKET_INTRODUCED);
    say(&keyless, inside(7)); /* nobody knows whose it would be */
    assert_int_equal(to_try(&keyless).kind, HSAY_ADDR_NONE);
    hsay_candidate_on_named(&w.table, w.now, &b, HSAY_BUCKET_TRUSTED);
    say(&b, inside(8)); /* the operator's stays where it is */
    assert_int_equal(to_try(&b).kind, HSAY_ADDR_NONE);
    assert_non_null(introduce(&w, &six, &teller)); /* and has another beside it */
    assert_int_equal(entries(), 3);
}

/* The word of the book stands beside what others say until its peer has answered; then it is a peer
 * as any other. */
static void the_book_has_ways_once_it_answered(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    hsay_candidate_on_named(&w.table, w.now, &a, HSAY_BUCKET_BOOK);
    assert_non_null(introduce(&w, &six, &teller));
    assert_int_equal(entries(), 2);
    answer(&w, &six); /* one peer after all */
    assert_stands_at(&a, &six.addr);

    world_init(&w, 2);
    hsay_candidate_on_named(&w.table, w.now, &a, HSAY_BUCKET_BOOK);
    answer(&w, &a);
    assert_null(introduce(&w, &six, &teller));
    assert_stands_at(&a, &a.addr);
    assert_tries(&a, &six.addr);
}

/* --- proof ----------------------------------------------------------------------------------- */

/* Both families prove themselves in turn; the entry does not flap, and nothing that comes over the
 * worse one passes for the better. */
static void proof_of_a_worse_address_moves_nothing(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &a);
    request(&w, &six);
    for (unsigned i = 0; i < 20; i++) {
        hsay_tick contacted, requested;

        answer(&w, &six);
        contacted = hsay_candidate_find(&w.table, &a)->contacted_at;
        requested = hsay_candidate_find(&w.table, &a)->requested_at;
        world_pass(&w, 5000);
        assert_non_null(request(&w, &a));
        assert_stands_at(&a, &six.addr);
        assert_non_null(answer(&w, &a));
        assert_stands_at(&a, &six.addr);
        assert_int_equal(hsay_candidate_find(&w.table, &a)->contacted_at, contacted);
        assert_int_equal(hsay_candidate_find(&w.table, &a)->requested_at, requested);
        struct hsay_addr seen =
            hsay_candidate_seen_at(&w.table, hsay_candidate_find(&w.table, &a), w.now);
        assert_true(hsay_addr_equal(&seen, &a.addr));
        assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE); /* no need to, while the better works */
    }
}

/* The better one fails once: the other is asked, and its proof moves the entry; later the better
 * one gets another chance. */
static void when_the_better_fails_the_other_serves(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &a);
    answer(&w, &six);
    go_silent(&a);
    assert_stands_at(&a, &six.addr); /* not for that alone */
    assert_tries(&a, &a.addr);
    try_in_vain(&a); /* it is asked */
    answer(&w, &a);
    assert_stands_at(&a, &a.addr);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE);
    world_pass(&w, 28000);
    assert_tries(&a, &six.addr);
    try_in_vain(&a);
    answer(&w, &six);
    assert_stands_at(&a, &six.addr);
}

/* Without proof for as long as a contact lives, it does not count as working either. */
static void what_was_not_heard_of_for_long_gives_way(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &six);
    world_pass(&w, HSAY_CONTACTED_LIFETIME_MS - 1);
    request(&w, &a);
    assert_stands_at(&a, &six.addr);
    world_pass(&w, 1);
    request(&w, &a);
    assert_stands_at(&a, &a.addr);
}

/* Told again of one whose time is over: what is known of it from before is another way to it. */
static void an_old_address_is_remembered(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &six);
    world_pass(&w, HSAY_CONTACTED_LIFETIME_MS);
    assert_non_null(introduce(&w, &a, &teller));
    assert_stands_at(&a, &a.addr);
    assert_tries(&a, &six.addr);
}

/* Found by a beacon, which names no key, while it is known by its key elsewhere. */
static void one_that_had_no_key_is_the_same(void **state)
{
    struct hsay_peer a = peer_alone(1), near = moved(&a, inside(7));
    struct hsay_peer beacon = {.addr = near.addr}, far = {.addr = a.addr};

    (void)state;
    answer(&w, &a);
    hsay_candidate_on_named(&w.table, w.now, &beacon, HSAY_BUCKET_INTRODUCED);
    assert_int_equal(entries(), 2);
    answer(&w, &near);
    assert_stands_at(&a, &near.addr);
    hsay_candidate_on_named(&w.table, w.now, &far, HSAY_BUCKET_INTRODUCED);
    assert_int_equal(entries(), 2);
    request(&w, &a);
    assert_stands_at(&a, &near.addr);
}

/* The operator's stays, and so does what works better beside it. */
static void trusted_ones_stay_apart(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    hsay_candidate_on_named(&w.table, w.now, &a, HSAY_BUCKET_TRUSTED);
    answer(&w, &six);
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(answer(&w, &a));
        assert_non_null(answer(&w, &six));
        assert_int_equal(entries(), 2);
        assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 2);
    }
}

static void another_peer_at_the_address_inherits_nothing(void **state)
{
    struct hsay_peer a = peer_alone(1), new = {.addr = a.addr, .key = key_of(77)};

    (void)state;
    answer(&w, &a);
    say(&a, inside(7));
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_IP4);
    answer(&w, &new);
    assert_int_equal(to_try(&new).kind, HSAY_ADDR_NONE);
}

/* A NAT's new port is no other way. */
static void another_port_takes_the_ways_along(void **state)
{
    struct hsay_peer a = peer_alone(1), again = a;
    struct hsay_addr lan = inside(7);

    (void)state;
    again.addr.port++;
    answer(&w, &a);
    say(&a, lan);
    request(&w, &again);
    assert_stands_at(&a, &again.addr);
    assert_tries(&a, &lan);
}

static void ways_share_what_places_there_are(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);
    struct hsay_addr lan_b = inside(8);

    (void)state;
    hsay_candidates_init(&w.table, w.entry, TABLE_MAX, w.way, 1, &default_times);
    answer(&w, &a);
    answer(&w, &b);
    say(&a, inside(7));
    say(&b, lan_b);
    assert_tries(&b, &lan_b);
    assert_int_equal(to_try(&a).kind, HSAY_ADDR_NONE); /* not b's */
}

/* --- introducing ----------------------------------------------------------------------------- */

static struct hsay_addr place_for(const struct hsay_peer *peer, struct hsay_addr asker)
{
    return hsay_walk_meeting_place(&w.table, hsay_candidate_find(&w.table, peer), w.now, &asker);
}

/* Each is met in its own family and class, where the peer was seen lately. */
static void a_meeting_place_suits_the_asker(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1)), near = moved(&a, inside(7));
    struct hsay_peer asker4 = peer_alone(5), asker6 = moved(&asker4, ip6(5, 1));
    struct hsay_addr place;

    (void)state;
    asker4.key = asker6.key = key_of(5);
    answer(&w, &six);
    assert_int_equal(place_for(&a, asker4.addr).kind, HSAY_ADDR_NONE);
    assert_null(hsay_walk_introduce(&w.walk, &w.table, w.now, &w.chance, &asker4, false));
    assert_non_null(hsay_walk_introduce(&w.walk, &w.table, w.now, &w.chance, &asker6, false));
    request(&w, &a);
    place = place_for(&a, asker4.addr);
    assert_true(hsay_addr_equal(&place, &a.addr));
    assert_non_null(hsay_walk_introduce(&w.walk, &w.table, w.now, &w.chance, &asker4, false));
    world_pass(&w, 30000);
    answer(&w, &six);
    world_pass(&w, 30000);
    assert_int_equal(place_for(&a, asker4.addr).kind, HSAY_ADDR_NONE); /* too long ago */
    assert_int_equal(place_for(&a, asker6.addr).kind, HSAY_ADDR_IP6);

    world_init(&w, 3);
    answer(&w, &a);
    answer(&w, &near);
    place = place_for(&a, asker4.addr); /* what is inside stays inside */
    assert_true(hsay_addr_equal(&place, &a.addr));
    place = place_for(&a, inside(9));
    assert_true(hsay_addr_equal(&place, &near.addr));
    place = hsay_candidate_lan(&w.table, hsay_candidate_find(&w.table, &a));
    assert_true(hsay_addr_equal(&place, &near.addr));
}

/* A claim is nothing to pass on. */
static void what_is_only_said_is_not_passed_on(void **state)
{
    struct hsay_peer a = peer_alone(1), six = moved(&a, ip6(1, 1));

    (void)state;
    answer(&w, &a);
    introduce(&w, &six, &teller);
    assert_int_equal(place_for(&a, ip6(5, 1)).kind, HSAY_ADDR_NONE);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_better_address_is_tried_and_moves_nothing),
        TEST(a_worse_or_equal_one_is_nothing),
        TEST(what_is_silent_rests_longer_each_time),
        TEST(many_names_are_no_more_than_one),
        TEST(ways_are_tried_in_turn),
        TEST(of_whom_there_is_no_other_address),
        TEST(the_book_has_ways_once_it_answered),
        TEST(proof_of_a_worse_address_moves_nothing),
        TEST(when_the_better_fails_the_other_serves),
        TEST(what_was_not_heard_of_for_long_gives_way),
        TEST(an_old_address_is_remembered),
        TEST(one_that_had_no_key_is_the_same),
        TEST(trusted_ones_stay_apart),
        TEST(another_peer_at_the_address_inherits_nothing),
        TEST(another_port_takes_the_ways_along),
        TEST(ways_share_what_places_there_are),
        TEST(a_meeting_place_suits_the_asker),
        TEST(what_is_only_said_is_not_passed_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
