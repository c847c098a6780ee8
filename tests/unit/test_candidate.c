/*
 * Goal: the bucket is the best live mark, to the millisecond; proof moves a peer and a claim never
 * does; trusted entries stay for ever without being hammered; a full table gives way where its
 * header says, and nothing that comes in by itself costs us a contacted peer.
 */
#include "tests/unit/walk_fixture.h"

static struct world w;
static const struct hsay_peer tracker = {.addr = {HSAY_ADDR_IP4, 0, 6421, {99, 1, 1, 1}}};

static int set_up(void **state)
{
    (void)state;
    world_init(&w, 1);
    return 0;
}

static struct hsay_peer at(struct hsay_peer peer, uint32_t ip, uint16_t port)
{
    peer.addr = ip4(ip, port);
    return peer;
}

static void name(const struct hsay_peer *peer, enum hsay_bucket bucket)
{
    assert_non_null(hsay_candidate_on_named(&w.table, w.now, peer, bucket));
}

/* We ask, and nobody answers; the caller says how much time that took. */
static void ask_in_vain(const struct hsay_peer *peer, uint64_t ms)
{
    struct hsay_candidate *c = hsay_candidate_find(&w.table, peer);

    assert_non_null(c);
    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, ms);
    hsay_candidate_on_timeout(c);
}

/* --- marks and lifetimes --------------------------------------------------------------------- */

static void assert_lifetime(const struct hsay_peer *peer, enum hsay_bucket bucket, uint64_t ms)
{
    hsay_time start = w.now;

    w.now = hsay_time_add_ms(start, ms - 1);
    assert_int_equal(bucket_of(&w, peer), bucket);
    w.now = hsay_time_add_ms(start, ms);
    assert_int_not_equal(bucket_of(&w, peer), bucket);
    w.now = start;
}

static void marks_live_as_long_as_stated(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2), c = peer_alone(3);

    (void)state;
    answer(&w, &a);
    request(&w, &b);
    introduce(&w, &c, &a);
    assert_lifetime(&a, HSAY_BUCKET_CONTACTED, 57500);
    assert_lifetime(&b, HSAY_BUCKET_REQUESTED, 57500);
    assert_lifetime(&c, HSAY_BUCKET_INTRODUCED, 27500);
}

static void a_clock_that_starts_at_nothing_is_a_clock(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    w.now = (hsay_time){0};
    hsay_candidate_on_asked(&w.table, answer(&w, &a), w.now);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_CONTACTED);
    assert_true(hsay_candidate_has_token(&w.table, hsay_candidate_find(&w.table, &a), w.now));
    assert_false(hsay_candidate_is_eligible(&w.table, hsay_candidate_find(&w.table, &a), w.now));
}

static void the_best_live_mark_is_the_bucket(void **state)
{
    struct hsay_peer a = peer_alone(1), other = peer_alone(2);

    (void)state;
    name(&a, HSAY_BUCKET_BOOK);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_BOOK);
    introduce(&w, &a, &other);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_INTRODUCED);
    request(&w, &a);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_REQUESTED);
    answer(&w, &a);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_CONTACTED);
    name(&a, HSAY_BUCKET_TRUSTED);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_TRUSTED);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void a_trusted_one_that_answers_is_contacted_too(void **state)
{
    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 0);
    answer(&w, &tracker);
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), 1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 1);
    world_pass(&w, 57500);
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), 1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 0);
}

static void eight_hours_of_sleep_leave_trusted_and_book(void **state)
{
    struct hsay_peer booked = peer_alone(5000);

    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    name(&booked, HSAY_BUCKET_BOOK);
    for (uint32_t i = 1; i < 60; i++) {
        struct hsay_peer p = peer_alone(i);

        if (i % 3 == 0)
            answer(&w, &p);
        else if (i % 3 == 1)
            request(&w, &p);
        else
            introduce(&w, &p, &booked);
    }
    world_pass(&w, 8u * 3600 * 1000);
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), 1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_BOOK), 1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 2);
}

static void tokens_are_shown_while_they_surely_hold(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);

    (void)state;
    struct hsay_candidate *c = answer(&w, &a);
    assert_true(hsay_candidate_has_token(&w.table, c, w.now));
    assert_true(hsay_candidate_has_token(&w.table, c, hsay_time_add_ms(w.now, 114999)));
    assert_false(hsay_candidate_has_token(&w.table, c, hsay_time_add_ms(w.now, 115000)));
    c = hsay_candidate_on_answer(&w.table, w.now, &b, NULL);
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
}

/* --- time ------------------------------------------------------------------------------------ */

enum { DAY_MS = 86400000 };

/* Ten years, in which the 32 bits of a tick come round 73 times; and one that nobody heard of since
 * the first day. */
static void the_ticks_last_for_ever(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);

    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *silent = answer(&w, &tracker);
    hsay_candidate_on_asked(&w.table, silent, w.now);
    for (uint64_t day = 0; day < 3650; day++) {
        struct hsay_candidate *c = answer(&w, &a);
        world_pass(&w, 1000);
        hsay_candidate_on_asked(&w.table, c, w.now);
        request(&w, &b);
        assert_true(hsay_candidate_has_token(&w.table, c, w.now));
        assert_int_equal(hsay_candidate_age_ms(&w.table, c->contacted_at, w.now), 1000);
        assert_int_equal(hsay_candidate_age_ms(&w.table, c->asked_at, w.now), 0);
        assert_true(c->asked_at > c->contacted_at);
        assert_true(silent->asked_at > silent->contacted_at || day > 24);
        assert_int_not_equal(silent->contacted_at, 0);
        assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_CONTACTED);
        assert_int_equal(bucket_of(&w, &b), HSAY_BUCKET_REQUESTED);
        assert_false(hsay_candidate_is_contacted(&w.table, silent, w.now) && day > 0);
        assert_true(hsay_candidate_age_ms(&w.table, silent->asked_at, w.now) >=
                    (day < 24 ? day : 24) * DAY_MS);
        world_pass(&w, DAY_MS - 1000);
        assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_NONE);
    }
}

static void a_clock_may_begin_anywhere(void **state)
{
    static const uint64_t starts_ns[] = {
        0, 1, 999999, UINT64_C(4294967293999999), UINT64_C(4294967294000000), UINT64_C(1) << 61};
    struct hsay_peer a = peer_alone(1);

    (void)state;
    for (size_t i = 0; i < sizeof starts_ns / sizeof *starts_ns; i++) {
        world_init(&w, 1);
        w.now = (hsay_time){starts_ns[i]};
        struct hsay_candidate *c = answer(&w, &a);
        hsay_candidate_on_asked(&w.table, c, w.now);
        assert_false(hsay_candidate_answered_since(&w.table, c, w.now));
        assert_true(hsay_candidate_is_contacted(&w.table, c, w.now));
        hsay_time asked = w.now;
        world_pass(&w, 7);
        answer(&w, &a);
        assert_true(hsay_candidate_answered_since(&w.table, c, asked));
        assert_true(hsay_candidate_answered_since(&w.table, c, w.now));
        assert_int_equal(hsay_candidate_age_ms(&w.table, c->asked_at, w.now), 7);
        assert_int_equal(hsay_candidate_age_ms(&w.table, c->introduced_at, w.now), UINT64_MAX);
    }
}

/* --- asking and losing ----------------------------------------------------------------------- */

static void who_does_not_answer_is_silent_until_heard_of(void **state)
{
    struct hsay_peer a = peer_alone(1);
    struct hsay_candidate *c = answer(&w, &a);

    (void)state;
    world_pass(&w, 10000);
    assert_false(hsay_candidate_is_silent(&w.table, c, w.now));
    hsay_candidate_on_asked(&w.table, c, w.now);
    assert_false(hsay_candidate_is_silent(&w.table, c, hsay_time_add_ms(w.now, 999)));
    assert_true(hsay_candidate_is_silent(&w.table, c, hsay_time_add_ms(w.now, 1000)));
    world_pass(&w, 1000);
    request(&w, &a);
    assert_false(hsay_candidate_is_silent(&w.table, c, w.now));
    world_pass(&w, 1000);
    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, 2000);
    assert_true(hsay_candidate_is_silent(&w.table, c, w.now));
    answer(&w, &a);
    assert_false(hsay_candidate_is_silent(&w.table, c, w.now));
}

static void nobody_is_asked_again_too_soon(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    struct hsay_candidate *c = answer(&w, &a);
    assert_true(hsay_candidate_is_eligible(&w.table, c, w.now));
    hsay_candidate_on_asked(&w.table, c, w.now);
    assert_false(hsay_candidate_is_eligible(&w.table, c, hsay_time_add_ms(w.now, 27499)));
    assert_true(hsay_candidate_is_eligible(&w.table, c, hsay_time_add_ms(w.now, 27500)));
    assert_false(hsay_candidate_is_eligible(&w.table, c, hsay_time_add_ms(w.now, 57500)));
}

/* After how many milliseconds the entry may be asked again; to 1 ms. */
static uint64_t wait_of(const struct hsay_candidate *c)
{
    uint64_t age_ms = hsay_candidate_age_ms(&w.table, c->asked_at, w.now);
    hsay_time asked = {w.now.ns - age_ms * 1000000};
    uint64_t low = 0, high = 1000000;

    while (low < high) {
        uint64_t middle = (low + high) / 2;

        if (hsay_candidate_is_eligible(&w.table, c, hsay_time_add_ms(asked, middle)))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void a_dead_tracker_is_tried_for_ever_at_a_slower_pace(void **state)
{
    static const uint64_t expected_ms[] = {2500, 2500, 2500, 2500, 2500, 10000, 10000};

    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *c = hsay_candidate_find(&w.table, &tracker);
    assert_true(hsay_candidate_is_eligible(&w.table, c, w.now));
    hsay_candidate_on_asked(&w.table, c, w.now);
    assert_int_equal(wait_of(c), 2500);
    for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        ask_in_vain(&tracker, 10000);
        assert_int_equal(wait_of(c), expected_ms[i]);
    }
    for (size_t i = 0; i < 1000; i++)
        ask_in_vain(&tracker, 60000);
    assert_int_equal(wait_of(c), 10000);
    assert_int_equal(bucket_of(&w, &tracker), HSAY_BUCKET_TRUSTED);
    answer(&w, &tracker);
    assert_int_equal(wait_of(c), 27500);

    w.table.times.again_ms = 2750; /* a tenth */
    for (size_t i = 0; i < 9; i++)
        ask_in_vain(&tracker, 1000);
    assert_int_equal(wait_of(c), 1000);
}

static void four_losses_end_a_contact_and_leave_the_rest(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    answer(&w, &a);
    request(&w, &a);
    for (int i = 0; i < 3; i++) {
        ask_in_vain(&a, 10000);
        assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_CONTACTED);
    }
    ask_in_vain(&a, 10000);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_REQUESTED);
    assert_false(hsay_candidate_has_token(&w.table, hsay_candidate_find(&w.table, &a), w.now));
}

static void a_loss_that_an_answer_overtook_is_none(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    struct hsay_candidate *c = answer(&w, &a);
    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, 5000);
    hsay_candidate_on_asked(&w.table, c, w.now);
    world_pass(&w, 100);
    answer(&w, &a);
    hsay_candidate_on_timeout(c); /* of the first request */
    assert_int_equal(c->timeouts, 0);
}

static void the_book_gives_three_tries(void **state)
{
    struct hsay_peer a = peer_alone(1);

    (void)state;
    name(&a, HSAY_BUCKET_BOOK);
    ask_in_vain(&a, 30000);
    ask_in_vain(&a, 30000);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_BOOK);
    ask_in_vain(&a, 30000);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_NONE);

    name(&a, HSAY_BUCKET_BOOK);
    ask_in_vain(&a, 30000);
    ask_in_vain(&a, 30000);
    answer(&w, &a);
    ask_in_vain(&a, 30000);
    ask_in_vain(&a, 30000);
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_BOOK);
}

/* --- who is who ------------------------------------------------------------------------------ */

static void a_peer_moves_on_proof_alone(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);
    struct hsay_peer elsewhere = at(a, 0x32000001, 7001), third = at(a, 0x33000001, 7002);

    (void)state;
    struct hsay_candidate *c = answer(&w, &a);
    assert_null(hsay_candidate_on_request(&w.table, w.now, &elsewhere, false));
    assert_null(introduce(&w, &elsewhere, &b));
    assert_null(hsay_candidate_on_puncture(&w.table, w.now, &elsewhere));
    assert_true(hsay_addr_equal(&c->addr, &a.addr));
    assert_true(hsay_candidate_has_token(&w.table, c, w.now));

    assert_ptr_equal(request(&w, &elsewhere), c);
    assert_true(hsay_addr_equal(&c->addr, &elsewhere.addr));
    assert_int_equal(c->group, hsay_peer_group(&elsewhere.addr));
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_CONTACTED); /* keeps its place */

    assert_ptr_equal(answer(&w, &third), c);
    assert_true(hsay_addr_equal(&c->addr, &third.addr));
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void a_trusted_one_stays_where_the_operator_said(void **state)
{
    struct hsay_peer a = peer_alone(1);
    struct hsay_peer elsewhere = at(a, 0x32000001, 7001);

    (void)state;
    name(&a, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *c = request(&w, &elsewhere);
    assert_non_null(c);
    assert_int_equal(hsay_candidate_bucket(&w.table, c, w.now), HSAY_BUCKET_REQUESTED);
    assert_true(hsay_addr_equal(&hsay_candidate_find(&w.table, &a)->addr, &a.addr));
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_TRUSTED);

    answer(&w, &a); /* and the entry beside it is outdated then */
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void a_tracker_without_a_key_learns_it_by_proof(void **state)
{
    struct hsay_peer known = tracker, liar = tracker;

    (void)state;
    known.key = key_of(1);
    liar.key = key_of(2);
    name(&tracker, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *c = hsay_candidate_find(&w.table, &tracker);

    assert_null(introduce(&w, &liar, &known));
    assert_null(hsay_candidate_on_request(&w.table, w.now, &liar, false));
    assert_false(hsay_peer_key_known(&c->key));
    assert_ptr_equal(answer(&w, &known), c);
    assert_true(hsay_peer_key_equal(&c->key, &known.key));
    assert_ptr_equal(hsay_candidate_find(&w.table, &tracker), c);

    /* It started anew under another key: four tries end the contact, then anybody there may
     * answer. */
    for (int i = 0; i < 3; i++) {
        ask_in_vain(&tracker, 10000);
        assert_true(hsay_peer_key_known(&c->key));
    }
    ask_in_vain(&tracker, 10000);
    assert_false(hsay_peer_key_known(&c->key));
    assert_ptr_equal(answer(&w, &liar), c);
    assert_int_equal(bucket_of(&w, &tracker), HSAY_BUCKET_TRUSTED);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void a_booked_peer_that_started_anew_gets_a_try_without_a_key(void **state)
{
    struct hsay_peer old = peer_alone(1), anew = old;

    (void)state;
    anew.key = key_of(100);
    name(&old, HSAY_BUCKET_BOOK);
    struct hsay_candidate *c = answer(&w, &old);
    world_pass(&w, 3600u * 1000);
    ask_in_vain(&old, 30000);
    assert_true(hsay_peer_key_known(&c->key));
    ask_in_vain(&old, 30000);
    assert_false(hsay_peer_key_known(&c->key));
    assert_int_equal(bucket_of(&w, &old), HSAY_BUCKET_BOOK);
    assert_ptr_equal(answer(&w, &anew), c);
}

static void a_key_that_the_operator_named_is_the_only_one(void **state)
{
    struct hsay_peer named = tracker, other = tracker;

    (void)state;
    named.key = key_of(1);
    other.key = key_of(2);
    name(&named, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *c = hsay_candidate_find(&w.table, &named);
    for (size_t i = 0; i < 10; i++)
        ask_in_vain(&named, 60000);
    assert_ptr_not_equal(request(&w, &other), c);
    assert_true(hsay_peer_key_equal(&c->key, &named.key));
    assert_true((c->marks & HSAY_MARK_TRUSTED) != 0);
}

static void two_addresses_of_one_tracker_are_two_entries(void **state)
{
    struct hsay_peer four = tracker, six = tracker;

    (void)state;
    six.addr = (struct hsay_addr){HSAY_ADDR_IP6, 0, 6421, {0x2a, 1, 1, 1}};
    name(&four, HSAY_BUCKET_TRUSTED);
    name(&six, HSAY_BUCKET_TRUSTED);
    four.key = six.key = key_of(1);
    struct hsay_candidate *first = answer(&w, &four), *second = answer(&w, &six);
    assert_ptr_not_equal(first, second);
    assert_true(hsay_candidate_is_contacted(&w.table, first, w.now));
    assert_true(hsay_candidate_is_contacted(&w.table, second, w.now));
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), 2);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 2);
}

static void a_restarted_peer_replaces_itself_on_proof(void **state)
{
    struct hsay_peer old = peer_alone(1), anew = old, liar = old;

    (void)state;
    anew.key = key_of(100);
    liar.key = key_of(101);
    struct hsay_candidate *c = answer(&w, &old);
    assert_null(introduce(&w, &liar, &old));
    assert_null(hsay_candidate_on_request(&w.table, w.now, &liar, false));
    assert_ptr_equal(request(&w, &anew), c);
    assert_true(hsay_peer_key_equal(&c->key, &anew.key));
    assert_int_equal(bucket_of(&w, &anew), HSAY_BUCKET_REQUESTED); /* has not answered as this */
    assert_false(hsay_candidate_has_token(&w.table, c, w.now));
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void the_first_claim_holds_until_it_proves_empty(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);
    struct hsay_peer elsewhere = at(a, 0x32000001, 7001);

    (void)state;
    struct hsay_candidate *c = introduce(&w, &a, &b);
    assert_null(introduce(&w, &elsewhere, &b));
    ask_in_vain(&a, 10000);
    assert_ptr_equal(introduce(&w, &elsewhere, &b), c);
    assert_true(hsay_addr_equal(&c->addr, &elsewhere.addr));
    assert_int_equal(c->timeouts, 0);

    /* One whose time is over stands in nobody's way. */
    world_pass(&w, 27500);
    assert_non_null(introduce(&w, &a, &b));
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_INTRODUCED);
}

static void the_book_stays_when_others_say_where_its_peer_is(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);
    struct hsay_peer elsewhere = at(a, 0x32000001, 7001);

    (void)state;
    name(&a, HSAY_BUCKET_BOOK);
    ask_in_vain(&a, 10000);
    assert_non_null(introduce(&w, &elsewhere, &b));
    assert_int_equal(bucket_of(&w, &a), HSAY_BUCKET_BOOK);
    struct hsay_candidate *c = answer(&w, &elsewhere);
    assert_int_equal(count_in(&w, HSAY_BUCKET_BOOK), 0); /* proof ends it */
    assert_true(hsay_addr_equal(&c->addr, &elsewhere.addr));
}

static void a_puncture_corrects_a_port_that_nobody_used_yet(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);
    struct hsay_peer port = a, host = at(a, 0x32000001, 7000);

    (void)state;
    port.addr.port = 40000;
    assert_null(hsay_candidate_on_puncture(&w.table, w.now, &a)); /* never heard of it */
    struct hsay_candidate *c = introduce(&w, &a, &b);
    world_pass(&w, 20000);
    assert_null(hsay_candidate_on_puncture(&w.table, w.now, &host));
    assert_ptr_equal(hsay_candidate_on_puncture(&w.table, w.now, &port), c);
    assert_int_equal(c->addr.port, 40000);
    world_pass(&w, 20000);
    assert_int_equal(bucket_of(&w, &port), HSAY_BUCKET_INTRODUCED); /* renewed */
    answer(&w, &port);
    assert_null(hsay_candidate_on_puncture(&w.table, w.now, &a));
    assert_int_equal(c->addr.port, 40000);
}

static void naming_twice_adds_up(void **state)
{
    struct hsay_peer keyed = tracker;

    (void)state;
    keyed.key = key_of(1);
    name(&tracker, HSAY_BUCKET_BOOK);
    name(&tracker, HSAY_BUCKET_TRUSTED);
    name(&keyed, HSAY_BUCKET_TRUSTED);
    struct hsay_candidate *c = hsay_candidate_find(&w.table, &keyed);
    assert_int_equal(c->marks & (HSAY_MARK_TRUSTED | HSAY_MARK_BOOK | HSAY_MARK_KEYED),
                     HSAY_MARK_TRUSTED | HSAY_MARK_BOOK | HSAY_MARK_KEYED);
    assert_true(hsay_peer_key_equal(&c->key, &keyed.key));
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 1);
}

static void a_reset_leaves_trusted_and_book(void **state)
{
    struct hsay_peer booked = peer_alone(1), a = peer_alone(2);

    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    name(&booked, HSAY_BUCKET_BOOK);
    answer(&w, &booked);
    answer(&w, &a);
    hsay_candidates_reset(&w.table);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX - 2);
    assert_int_equal(bucket_of(&w, &booked), HSAY_BUCKET_BOOK);
}

/* Goal: who has two trusted peers is no stranger to one each time the other answers: strangers are
 * never asked, and what they alone hold would stay with them. */
static void a_reset_leaves_tokens_of_the_trusted(void **state)
{
    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    answer(&w, &tracker);
    hsay_candidates_reset(&w.table);
    struct hsay_candidate *c = hsay_candidate_find(&w.table, &tracker);
    assert_true(hsay_candidate_has_token(&w.table, c, w.now));
    assert_int_equal(bucket_of(&w, &tracker), HSAY_BUCKET_TRUSTED);
}

/* --- a full table ---------------------------------------------------------------------------- */

static uint32_t members(uint32_t group, enum hsay_bucket bucket)
{
    struct hsay_peer example = peer_in(group, 1);
    uint32_t count = 0;

    for (size_t i = 0; i < TABLE_MAX; i++)
        count += hsay_candidate_bucket(&w.table, &w.entry[i], w.now) == bucket &&
                 w.entry[i].group == hsay_peer_group(&example.addr);
    return count;
}

static void a_flood_of_requests_costs_no_contact(void **state)
{
    (void)state;
    name(&tracker, HSAY_BUCKET_TRUSTED);
    for (uint32_t i = 1; i <= 40; i++) {
        struct hsay_peer p = peer_alone(i);
        answer(&w, &p);
    }
    for (uint32_t i = 1; i <= 10000; i++) {
        struct hsay_peer p = peer_in(10000 + i % 4, 20000 + i);
        request(&w, &p);
    }
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 40);
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), 1);
    assert_int_equal(count_in(&w, HSAY_BUCKET_REQUESTED), TABLE_MAX - 41);
}

static void the_largest_group_gives_way(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 100; i++) {
        struct hsay_peer p = peer_in(9000, 20000 + i);
        request(&w, &p);
    }
    assert_int_equal(members(9000, HSAY_BUCKET_REQUESTED), TABLE_MAX);

    /* Each honest one takes a place of the flood's, and none of another honest one. */
    for (uint32_t i = 1; i <= 20; i++) {
        struct hsay_peer p = peer_alone(i), q = peer_in(9000, 30000 + i);
        assert_non_null(request(&w, &p));
        request(&w, &q);
        assert_int_equal(members(9000, HSAY_BUCKET_REQUESTED), TABLE_MAX - i);
    }
}

static void within_a_group_a_coin_decides(void **state)
{
    uint32_t taken = 0;

    (void)state;
    for (uint32_t i = 1; i <= TABLE_MAX; i++) {
        struct hsay_peer p = peer_in(9000, i);
        request(&w, &p);
    }
    for (uint32_t i = 1; i <= 2000; i++) {
        struct hsay_peer p = peer_in(9000, 1000 + i);
        taken += request(&w, &p) != NULL;
    }
    assert_in_range(taken, 900, 1100); /* 1,000 +- 4.5 standard deviations of 22 */

    uint32_t first = 0;
    for (uint32_t i = 1; i <= TABLE_MAX; i++) {
        struct hsay_peer p = peer_in(9000, i);
        first += bucket_of(&w, &p) != HSAY_BUCKET_NONE;
    }
    assert_int_equal(first,
                     0); /* (1 - 1/64)^1000 = 1.4e-7 each: who was first has no right to stay */
}

static void buckets_over_their_share_give_way_first(void **state)
{
    struct hsay_peer source = peer_alone(5000);

    (void)state;
    for (uint32_t i = 1; i <= TABLE_MAX; i++) {
        struct hsay_peer p = peer_alone(i);
        name(&p, HSAY_BUCKET_BOOK);
    }
    for (uint32_t i = 0; i < 200; i++) {
        struct hsay_peer p = peer_alone(1000 + i), q = peer_alone(2000 + i),
                         r = peer_alone(3000 + i);
        answer(&w, &p);
        request(&w, &q);
        introduce(&w, &r, &source);
    }
    /* Half, an eighth, a quarter, an eighth. */
    assert_in_range(count_in(&w, HSAY_BUCKET_CONTACTED), 31, 33);
    assert_in_range(count_in(&w, HSAY_BUCKET_REQUESTED), 7, 9);
    assert_in_range(count_in(&w, HSAY_BUCKET_INTRODUCED), 15, 17);
    assert_in_range(count_in(&w, HSAY_BUCKET_BOOK), 7, 9);
}

static void one_introducer_does_not_fill_its_bucket(void **state)
{
    struct hsay_peer liar = peer_alone(5000);
    uint32_t honest = 0;

    (void)state;
    for (uint32_t i = 1; i <= 100; i++) {
        struct hsay_peer p = peer_alone(i);
        introduce(&w, &p, &liar);
    }
    for (uint32_t i = 1; i <= 10; i++) {
        struct hsay_peer p = peer_alone(1000 + i), from = peer_alone(2000 + i);
        struct hsay_peer lie = peer_alone(3000 + i);
        introduce(&w, &p, &from);
        introduce(&w, &lie, &liar);
    }
    for (uint32_t i = 1; i <= 10; i++) {
        struct hsay_peer p = peer_alone(1000 + i);
        honest += bucket_of(&w, &p) == HSAY_BUCKET_INTRODUCED;
    }
    assert_int_equal(honest, 10);
}

static void contacted_ones_leave_room_for_others(void **state)
{
    struct hsay_peer last = peer_alone(5000), source = peer_alone(5001);

    (void)state;
    for (uint32_t i = 1; i <= 1000; i++) {
        struct hsay_peer p = peer_alone(i);
        struct hsay_candidate *c = answer(&w, &p);
        assert_non_null(c);
        assert_true(hsay_addr_equal(&c->addr, &p.addr));
        assert_true(count_in(&w, HSAY_BUCKET_CONTACTED) <= 48);
    }
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), 48);
    assert_non_null(introduce(&w, &last, &source));
}

static void strangers_take_what_is_free_and_no_more(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 20; i++) {
        struct hsay_peer p = peer_alone(i), q = peer_alone(100 + i);
        answer(&w, &p);
        request(&w, &q);
    }
    for (uint32_t i = 1; i <= 2000; i++) {
        struct hsay_peer p = peer_alone(5000 + i);
        hsay_candidate_on_request(&w.table, w.now, &p, false);
    }
    for (uint32_t i = 1; i <= 20; i++) {
        struct hsay_peer p = peer_alone(i), q = peer_alone(100 + i);
        assert_int_equal(bucket_of(&w, &p), HSAY_BUCKET_CONTACTED);
        assert_int_equal(bucket_of(&w, &q), HSAY_BUCKET_REQUESTED);
    }
}

static void trusted_ones_find_a_place_until_all_are_trusted(void **state)
{
    struct hsay_peer more = peer_alone(5000);

    (void)state;
    for (uint32_t i = 1; i <= 48; i++) {
        struct hsay_peer p = peer_alone(1000 + i);
        answer(&w, &p);
    }
    for (uint32_t i = 1; i <= TABLE_MAX; i++) {
        struct hsay_peer p = peer_alone(i);
        name(&p, HSAY_BUCKET_TRUSTED);
    }
    assert_null(hsay_candidate_on_named(&w.table, w.now, &more, HSAY_BUCKET_TRUSTED));
    assert_null(answer(&w, &more));
    assert_null(request(&w, &more));
    world_pass(&w, 8u * 3600 * 1000);
    assert_int_equal(count_in(&w, HSAY_BUCKET_TRUSTED), TABLE_MAX);
}

static void what_has_run_out_is_free(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 500; i++) {
        struct hsay_peer p = peer_alone(i);
        request(&w, &p);
    }
    world_pass(&w, 57500);
    assert_int_equal(count_in(&w, HSAY_BUCKET_NONE), TABLE_MAX);
    for (uint32_t i = 1; i <= TABLE_MAX; i++) {
        struct hsay_peer p = peer_in(9000, i);
        assert_non_null(request(&w, &p));
    }
}

static void a_table_of_one_works(void **state)
{
    struct hsay_peer a = peer_alone(1), b = peer_alone(2);

    (void)state;
    world_init_size(&w, 1, 1);
    assert_non_null(request(&w, &a));
    assert_non_null(answer(&w, &b));
    assert_null(request(&w, &a));
    assert_null(introduce(&w, &a, &b));
    assert_int_equal(bucket_of(&w, &b), HSAY_BUCKET_CONTACTED);
}

/* --- anything in any order ------------------------------------------------------------------- */

static struct hsay_peer any_peer(void)
{
    struct hsay_peer p = peer_in((uint32_t)world_below(&w, 6), (uint32_t)world_below(&w, 40) + 1);

    if (world_below(&w, 4) == 0)
        p.key = key_of((uint32_t)world_below(&w, 40) + 1);
    if (world_below(&w, 8) == 0)
        p.addr.port++;
    return p;
}

static void any_event(void)
{
    struct hsay_peer p = any_peer(), q = any_peer();
    uint16_t contacted = count_in(&w, HSAY_BUCKET_CONTACTED);
    struct hsay_candidate *c = NULL;

    switch (world_below(&w, 9)) {
    case 0:
        answer(&w, &p);
        return;
    case 1:
        request(&w, &p);
        return; /* a peer that started anew under another key is not contacted any more */
    case 2:
        hsay_candidate_on_request(&w.table, w.now, &p, false);
        break;
    case 3:
        introduce(&w, &p, &q);
        break;
    case 4:
        hsay_candidate_on_puncture(&w.table, w.now, &p);
        break;
    case 5:
        p.key = world_below(&w, 2) == 0 ? p.key : key_of(0);
        hsay_candidate_on_named(&w.table, w.now, &p, HSAY_BUCKET_BOOK);
        break;
    case 6:
        if ((c = hsay_candidate_find(&w.table, &p)) != NULL)
            hsay_candidate_on_asked(&w.table, c, w.now);
        break;
    case 7:
        if ((c = hsay_candidate_find(&w.table, &p)) != NULL)
            hsay_candidate_on_timeout(c);
        return;
    default:
        world_pass(&w, world_below(&w, 2000));
        return;
    }
    assert_int_equal(count_in(&w, HSAY_BUCKET_CONTACTED), contacted);
}

static void assert_sound(void)
{
    for (size_t i = 0; i < w.table.entry_max; i++) {
        const struct hsay_candidate *a = &w.entry[i];

        if (hsay_candidate_bucket(&w.table, a, w.now) == HSAY_BUCKET_NONE)
            continue;
        assert_int_equal(a->group, hsay_peer_group(&a->addr));
        if (hsay_candidate_is_contacted(&w.table, a, w.now))
            assert_true(hsay_peer_key_known(&a->key));
        for (size_t j = 0; j < i; j++) {
            const struct hsay_candidate *b = &w.entry[j];

            if (hsay_candidate_bucket(&w.table, b, w.now) != HSAY_BUCKET_NONE)
                assert_false(hsay_addr_equal(&a->addr, &b->addr));
        }
    }
}

static uint64_t any_history(uint64_t seed, uint16_t entry_max)
{
    uint64_t digest = 0;

    world_init_size(&w, seed, entry_max);
    for (size_t i = 0; i < 20000; i++) {
        any_event();
        if (i % 16 == 0)
            assert_sound();
    }
    for (size_t i = 0; i < entry_max; i++) {
        const struct hsay_candidate *c = &w.entry[i];

        standin_absorb(&digest, (struct hsay_span){(const uint8_t *)c, sizeof *c});
    }
    return digest;
}

static void any_order_keeps_the_table_sound_and_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint16_t entry_max = seed % 2 == 0 ? TABLE_MAX : 16;
        uint64_t digest = any_history(seed, entry_max);

        assert_int_equal(any_history(seed, entry_max), digest);
        assert_int_not_equal(any_history(seed + 100, entry_max), digest);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(marks_live_as_long_as_stated),
        TEST(a_clock_that_starts_at_nothing_is_a_clock),
        TEST(the_best_live_mark_is_the_bucket),
        TEST(a_trusted_one_that_answers_is_contacted_too),
        TEST(eight_hours_of_sleep_leave_trusted_and_book),
        TEST(tokens_are_shown_while_they_surely_hold),
        TEST(the_ticks_last_for_ever),
        TEST(a_clock_may_begin_anywhere),
        TEST(who_does_not_answer_is_silent_until_heard_of),
        TEST(nobody_is_asked_again_too_soon),
        TEST(a_dead_tracker_is_tried_for_ever_at_a_slower_pace),
        TEST(four_losses_end_a_contact_and_leave_the_rest),
        TEST(a_loss_that_an_answer_overtook_is_none),
        TEST(the_book_gives_three_tries),
        TEST(a_peer_moves_on_proof_alone),
        TEST(a_trusted_one_stays_where_the_operator_said),
        TEST(a_tracker_without_a_key_learns_it_by_proof),
        TEST(a_booked_peer_that_started_anew_gets_a_try_without_a_key),
        TEST(a_key_that_the_operator_named_is_the_only_one),
        TEST(two_addresses_of_one_tracker_are_two_entries),
        TEST(a_restarted_peer_replaces_itself_on_proof),
        TEST(the_first_claim_holds_until_it_proves_empty),
        TEST(the_book_stays_when_others_say_where_its_peer_is),
        TEST(a_puncture_corrects_a_port_that_nobody_used_yet),
        TEST(naming_twice_adds_up),
        TEST(a_reset_leaves_trusted_and_book),
        TEST(a_reset_leaves_tokens_of_the_trusted),
        TEST(a_flood_of_requests_costs_no_contact),
        TEST(the_largest_group_gives_way),
        TEST(within_a_group_a_coin_decides),
        TEST(buckets_over_their_share_give_way_first),
        TEST(one_introducer_does_not_fill_its_bucket),
        TEST(contacted_ones_leave_room_for_others),
        TEST(strangers_take_what_is_free_and_no_more),
        TEST(trusted_ones_find_a_place_until_all_are_trusted),
        TEST(what_has_run_out_is_free),
        TEST(a_table_of_one_works),
        TEST(any_order_keeps_the_table_sound_and_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
