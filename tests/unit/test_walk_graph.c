/*
 * Goal: the rules that keep the graph of who knows whom as good as random.  A visitor is introduced
 * before those that we visited, and once per visit; an introduction hands an edge on, unless we
 * know few or the walk is not calm; whom anybody can reach waits longest; introductions are asked
 * for as long as they are of use.
 */
#include "tests/unit/walk_fixture.h"

static struct world w;

static int set_up(void **state)
{
    (void)state;
    world_init(&w, 1);
    return 0;
}

static struct hsay_candidate *introduced_of(const struct hsay_peer *peer, uint8_t nat)
{
    struct hsay_introduced told = {.addr = peer->addr, .key = peer->key, .nat = nat};
    struct hsay_peer source = peer_alone(9000);

    return hsay_candidate_on_introduced(&w.table, w.now, &told, &source.addr);
}

static struct hsay_candidate *meet(void)
{
    struct hsay_peer asker = peer_alone(500);

    return hsay_walk_introduce(&w.walk, &w.table, w.now, &w.chance, &asker, 0);
}

static bool is(const struct hsay_candidate *c, uint32_t number)
{
    struct hsay_key key = key_of(number);

    return c != NULL && hsay_peer_key_equal(&c->key, &key);
}

static void lose(size_t count)
{
    for (size_t i = 0; i < count; i++)
        hsay_walk_on_outcome(&w.walk, false);
}

static bool wants(uint32_t steps)
{
    return hsay_walk_wants_introduction(&w.walk, &w.table, w.now, steps);
}

/* Contacts 1 to `count`, in networks of their own. */
static void contacts(uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        struct hsay_peer p = peer_alone(i);
        hsay_candidate_on_nat(answer(&w, &p), HSAY_NAT_IS_PUBLIC);
    }
}

static void visitors(uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last; i++) {
        struct hsay_peer p = peer_alone(i);
        hsay_candidate_on_nat(visited_by(&w, &p), HSAY_NAT_IS_PUBLIC);
        world_pass(&w, 1000);
    }
}

/* --- whom we introduce ----------------------------------------------------------------------- */

static void each_visit_is_worth_one_introduction(void **state)
{
    (void)state;
    contacts(5);
    visitors(11, 14);
    for (uint32_t i = 11; i <= 14; i++) { /* the oldest first */
        struct hsay_candidate *c = meet();
        assert_true(is(c, i));
        hsay_walk_on_introduction(&w.walk, c);
    }
    struct hsay_candidate *c = meet();
    assert_non_null(c);
    assert_true(hsay_candidate_is_contacted(&w.table, c, w.now));

    struct hsay_peer again = peer_alone(12);
    visited_by(&w, &again);
    assert_true(is(meet(), 12));
}

static void when_many_are_lost_the_newest_comes_first(void **state)
{
    (void)state;
    visitors(11, 14);
    assert_true(is(meet(), 11));
    lose(8);
    assert_true(is(meet(), 14));
    for (size_t i = 0; i < 64; i++)
        hsay_walk_on_outcome(&w.walk, true);
    assert_true(is(meet(), 11));
}

/* A hole in its NAT is open for half a minute. */
static void a_natted_visitor_is_introduced_soon_or_after_all_others(void **state)
{
    struct hsay_peer natted = peer_alone(20);

    (void)state;
    visited_by(&w, &natted);
    world_pass(&w, 1000);
    visitors(11, 12);
    assert_true(is(meet(), 20));
    world_pass(&w, 27500);
    assert_true(is(meet(), 11));
}

static void a_network_of_many_visitors_waits_for_the_others(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        struct hsay_peer p = peer_in(77, 300 + i);
        hsay_candidate_on_nat(visited_by(&w, &p), HSAY_NAT_IS_PUBLIC);
        world_pass(&w, 1000);
    }
    visitors(11, 11);
    assert_true(is(meet(), 11));
}

static void other_policies_know_no_visitors(void **state)
{
    (void)state;
    w.walk.policy = HSAY_POLICY_PAPER;
    visitors(11, 14);
    assert_null(meet());
}

/* --- handing on ------------------------------------------------------------------------------ */

static void hand_on(uint32_t number)
{
    struct hsay_peer p = peer_alone(number);

    hsay_walk_hand_on(&w.walk, &w.table, w.now, hsay_candidate_find(&w.table, &p));
}

static void an_edge_is_handed_on_while_we_know_others(void **state)
{
    struct hsay_peer first = peer_alone(1), second = peer_alone(2), trusted = peer_alone(7);

    (void)state;
    contacts(3);
    hsay_candidate_on_named(&w.table, w.now, &trusted, HSAY_BUCKET_TRUSTED);
    answer(&w, &trusted);
    hand_on(1);
    assert_int_equal(bucket_of(&w, &first), HSAY_BUCKET_NONE);
    hand_on(7); /* the operator's stay */
    assert_int_equal(bucket_of(&w, &trusted), HSAY_BUCKET_TRUSTED);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 3);
    hand_on(2);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 2);
    hand_on(3); /* these two are kept */
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 2);
    assert_int_equal(bucket_of(&w, &second), HSAY_BUCKET_NONE);
}

static void edges_stay_in_small_overlays_bad_times_and_other_policies(void **state)
{
    (void)state;
    contacts(6);
    lose(8);
    hand_on(1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 6);
    w.walk.lost = 0;
    hsay_walk_on_met(&w.walk, false); /* in a small overlay all are known */
    hand_on(1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 6);
    hsay_walk_on_met(&w.walk, true);
    w.walk.policy = HSAY_POLICY_CODE2019;
    hand_on(1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 6);
    w.walk.policy = HSAY_POLICY_HEARSAY;
    hand_on(1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 5);
}

/* --- who waits to be visited ----------------------------------------------------------------- */

static void whom_anybody_can_reach_is_known_for_longer(void **state)
{
    struct hsay_peer open = peer_alone(1), natted = peer_alone(2);

    (void)state;
    introduced_of(&open, HSAY_NAT_IS_PUBLIC);
    introduced_of(&natted, 0);
    world_pass(&w, HSAY_INTRODUCED_LIFETIME_MS);
    assert_int_equal(bucket_of(&w, &natted), HSAY_BUCKET_NONE);
    assert_int_equal(bucket_of(&w, &open), HSAY_BUCKET_INTRODUCED);
    world_pass(&w, HSAY_INTRODUCED_PUBLIC_LIFETIME_MS - HSAY_INTRODUCED_LIFETIME_MS);
    assert_int_equal(bucket_of(&w, &open), HSAY_BUCKET_NONE);
}

static void whose_time_runs_out_first_is_visited_first(void **state)
{
    struct hsay_peer open = peer_alone(1), natted = peer_alone(2), late = peer_alone(3);
    enum hsay_bucket bucket;

    (void)state;
    introduced_of(&open, HSAY_NAT_IS_PUBLIC);
    world_pass(&w, 5000);
    introduced_of(&natted, 0);
    introduced_of(&late, HSAY_NAT_IS_PUBLIC);
    assert_true(is(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket), 2));
    world_pass(&w, HSAY_INTRODUCED_LIFETIME_MS);
    assert_true(is(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket), 1));
    lose(8);
    assert_true(is(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket), 3));
}

/* Where a NAT has a port per destination only the puncture shows the one for us. */
static void a_symmetric_one_has_a_second_to_show_its_port(void **state)
{
    const struct hsay_token token = {{9}};
    struct hsay_peer told = peer_alone(1), seen = told;
    enum hsay_bucket bucket;

    (void)state;
    introduced_of(&told, HSAY_NAT_IS_SYMMETRIC);
    assert_null(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket));
    world_pass(&w, 1000); /* none came: our request may open our own NAT */
    struct hsay_candidate *c = hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket);
    assert_true(is(c, 1));
    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, 100);
    assert_null(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket));

    seen.addr.port = 40001;
    assert_ptr_equal(hsay_candidate_on_puncture(&w.table, w.now, &seen), c);
    hsay_candidate_on_token(c, &token);
    assert_int_equal(c->addr.port, 40001);
    assert_ptr_equal(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket), c);
}

static void two_requests_in_vain_end_an_introduction(void **state)
{
    struct hsay_peer gone = peer_alone(1);

    (void)state;
    struct hsay_candidate *c = introduced_of(&gone, HSAY_NAT_IS_PUBLIC);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(bucket_of(&w, &gone), HSAY_BUCKET_INTRODUCED);
        hsay_candidate_on_asked(&w.table, c, w.now);
        world_pass(&w, 10000);
        hsay_candidate_on_timeout(c);
    }
    assert_int_equal(bucket_of(&w, &gone), HSAY_BUCKET_NONE);
}

static void who_names_its_own_network_is_believed_last(void **state)
{
    struct hsay_peer source = peer_in(50, 1), fellow = peer_in(50, 2), other = peer_alone(3);
    enum hsay_bucket bucket;

    (void)state;
    introduce(&w, &fellow, &source);
    world_pass(&w, 1000);
    introduce(&w, &other, &source);
    assert_true(is(hsay_walk_visit(&w.walk, &w.table, w.now, &w.chance, &bucket), 3));
}

/* --- tokens ---------------------------------------------------------------------------------- */

static void requests_and_punctures_bring_tokens(void **state)
{
    const struct hsay_token token = {{9}}, none = {{0}};
    struct hsay_peer visitor = peer_alone(1), told = peer_alone(2);

    (void)state;
    struct hsay_candidate *c = visited_by(&w, &visitor);
    assert_true(hsay_candidate_has_token(&w.table, c, w.now));
    hsay_candidate_on_token(c, &none);
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));

    c = introduced_of(&told, 0);
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
    assert_ptr_equal(hsay_candidate_on_puncture(&w.table, w.now, &told), c);
    hsay_candidate_on_token(c, &token);
    assert_true(hsay_candidate_has_token(&w.table, c, w.now));

    /* Told again: nobody says of when the token is. */
    world_pass(&w, 1000);
    introduced_of(&told, 0);
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
}

static void a_token_is_for_a_key(void **state)
{
    const struct hsay_token token = {{9}};
    struct hsay_peer tracker = {.addr = peer_alone(1).addr}, itself = peer_alone(1);

    (void)state;
    struct hsay_candidate *c =
        hsay_candidate_on_named(&w.table, w.now, &tracker, HSAY_BUCKET_TRUSTED);
    assert_ptr_equal(hsay_candidate_on_puncture(&w.table, w.now, &itself), c);
    hsay_candidate_on_token(c, &token);
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
}

/* --- asking for introductions ---------------------------------------------------------------- */

static void five_that_wait_are_enough(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 5; i++) {
        struct hsay_peer p = peer_alone(i);
        assert_true(wants(i));
        introduced_of(&p, HSAY_NAT_IS_PUBLIC);
    }
    assert_false(wants(6));
}

static void two_that_can_not_wait_are_enough(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);

    (void)state;
    introduced_of(&a, 0);
    assert_true(wants(1));
    introduced_of(&b, 0);
    assert_false(wants(2));
    world_pass(&w, HSAY_INTRODUCED_LIFETIME_MS);
    assert_true(wants(3));
}

/* In an overlay of five everybody is known, and asking costs three datagrams. */
static void what_is_fruitless_is_asked_seldom(void **state)
{
    uint32_t asked = 0;

    (void)state;
    for (uint32_t step = 0; step < 80; step++) {
        if (!wants(step))
            continue;
        asked++;
        hsay_walk_on_met(&w.walk, false);
    }
    assert_in_range(asked, 10, 14);
    hsay_walk_on_met(&w.walk, true);
    assert_true(wants(81));
}

static bool is_asked(const struct hsay_candidate *c, bool is_behind)
{
    return !hsay_walk_is_out_of_turn(c, hsay_candidate_bucket(&w.table, c, w.now), is_behind);
}

/* The control is a node without a NAT, which asks it. */
static void a_public_one_just_introduced_is_not_asked_from_behind_a_nat(void **state)
{
    struct hsay_peer evil = peer_alone(20);

    (void)state;
    struct hsay_candidate *c = introduced_of(&evil, HSAY_NAT_IS_PUBLIC);
    assert_true(is_asked(c, false));
    assert_false(is_asked(c, true));
    assert_ptr_equal(answer(&w, &evil), c); /* the visit after the first */
    assert_true(is_asked(c, true));
}

static void all_others_are_asked(void **state)
{
    struct hsay_peer hurries = peer_alone(21), visitor = peer_alone(22);

    (void)state;
    assert_true(is_asked(introduced_of(&hurries, 0), true));
    struct hsay_candidate *c = visited_by(&w, &visitor);
    hsay_candidate_on_nat(c, HSAY_NAT_IS_PUBLIC);
    assert_true(is_asked(c, true));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_visit_is_worth_one_introduction),
        TEST(when_many_are_lost_the_newest_comes_first),
        TEST(a_natted_visitor_is_introduced_soon_or_after_all_others),
        TEST(a_network_of_many_visitors_waits_for_the_others),
        TEST(other_policies_know_no_visitors),
        TEST(an_edge_is_handed_on_while_we_know_others),
        TEST(edges_stay_in_small_overlays_bad_times_and_other_policies),
        TEST(whom_anybody_can_reach_is_known_for_longer),
        TEST(whose_time_runs_out_first_is_visited_first),
        TEST(a_symmetric_one_has_a_second_to_show_its_port),
        TEST(two_requests_in_vain_end_an_introduction),
        TEST(who_names_its_own_network_is_believed_last),
        TEST(requests_and_punctures_bring_tokens),
        TEST(a_token_is_for_a_key),
        TEST(five_that_wait_are_enough),
        TEST(two_that_can_not_wait_are_enough),
        TEST(what_is_fruitless_is_asked_seldom),
        TEST(a_public_one_just_introduced_is_not_asked_from_behind_a_nat),
        TEST(all_others_are_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
