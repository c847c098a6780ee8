/*
 * Goal of this test: each attempt to reach somebody who was introduced is counted once, under the
 * kinds of NAT on both sides, the family and how it ended; other visits are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "src/wire/message.h"
#include "src/wire/seal.h"
#include "tests/world/world.h"

/* Both ask the tracker, which introduces them to each other.  US walks; THEM is behind the box. */
enum { US, TRACKER, THEM, NODES, FLIGHTS_MAX = 64, OTHER_PORT = 7777 };

/* ---- the box in front of THEM, on the way to and from US alone ---- */

struct box {
    bool shut;        /* nothing passes */
    bool moves;       /* it shows another port to US than to the tracker */
    uint64_t late_ms; /* what leaves it takes so long */
    bool open;        /* THEM has sent something out: US may come in */
    struct world_flight flight[FLIGHTS_MAX];
    size_t count;
    uint64_t punctures; /* that passed */
};

static bool is_host(const struct world *w, unsigned i, const struct hsay_addr *addr)
{
    const struct hsay_addr *own = &w->node[i].addr;
    return addr->kind == own->kind && memcmp(addr->byte, own->byte, sizeof own->byte) == 0;
}

static void hold(struct world *w, struct box *box, const struct world_flight *f, uint64_t ms)
{
    assert_true(box->count < FLIGHTS_MAX);
    box->flight[box->count] = *f;
    box->flight[box->count++].at_ns = w->now_ns + ms * 1000000;
}

static bool pass(struct world *w, const struct world_flight *f, void *user)
{
    struct box *box = user;
    struct world_flight changed = *f;
    uint16_t port = box->moves ? OTHER_PORT : w->node[THEM].addr.port;
    if (is_host(w, THEM, &f->from) && is_host(w, US, &f->to)) {
        changed.from.port = port;
        box->open = true;
        box->punctures += f->size == HSAY_SEAL_BYTES + HSAY_PUNCTURE_MESSAGE_BYTES;
        if (!box->shut)
            hold(w, box, &changed, box->late_ms);
        return false;
    }
    if (is_host(w, US, &f->from) && is_host(w, THEM, &f->to)) {
        changed.to.port = w->node[THEM].addr.port;
        if (!box->shut && box->open && f->to.port == port)
            hold(w, box, &changed, 0);
        return false;
    }
    return true;
}

static void deliver(struct world *w, struct box *box)
{
    struct box now = *box;
    box->count = 0;
    for (size_t i = 0; i < now.count; i++) {
        struct world_flight *f = &now.flight[i];
        if (f->at_ns > w->now_ns)
            box->flight[box->count++] = *f;
        else
            world_inject(w, &f->from, is_host(w, US, &f->to) ? US : THEM, f->bytes, f->size);
    }
}

static void run_through(struct world *w, struct box *box, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 10) {
        world_run(w, 10);
        deliver(w, box);
    }
}

/* ---- what was counted ---- */

static uint64_t counted(const struct world *w, unsigned i, enum hsay_attempt outcome)
{
    const struct hsay_node_stats *stats = hsay_node_stats(w->node[i].node);
    uint64_t sum = 0;
    for (int mine = 0; mine < HSAY_NAT_KINDS; mine++)
        for (int theirs = 0; theirs < HSAY_NAT_KINDS; theirs++)
            for (int family = 0; family < 2; family++)
                sum += stats->attempt[mine][theirs][family][outcome];
    return sum;
}

static void expect(const struct world *w, uint64_t connected, uint64_t failed, uint64_t punctured)
{
    assert_int_equal(counted(w, US, HSAY_ATTEMPT_CONNECTED), connected);
    assert_int_equal(counted(w, US, HSAY_ATTEMPT_FAILED), failed);
    assert_int_equal(counted(w, US, HSAY_ATTEMPT_PUNCTURED), punctured);
}

/* All know their address, so that they know that they are public; THEM is at the tracker first. */
static void begin(struct world *w, struct box *box, bool ip6)
{
    world_init(w, NODES, 3);
    w->watch = pass;
    w->watch_user = box;
    world_start(w);
    for (unsigned i = 0; i < NODES; i++) {
        w->node[i].addr = ip6 ? world_addr6(i) : world_addr(i);
        hsay_node_set_local(w->node[i].node, &w->node[i].addr);
    }
    world_name(w, THEM, TRACKER, HSAY_BUCKET_TRUSTED);
    run_through(w, box, 6000);
    world_name(w, US, TRACKER, HSAY_BUCKET_TRUSTED);
    run_through(w, box, 240000); /* they are introduced again and again */
}

static void test_one_that_works(void **state)
{
    (void)state;
    for (int ip6 = 0; ip6 < 2; ip6++) {
        struct world w;
        struct box box = {.count = 0};
        begin(&w, &box, ip6 != 0);
        expect(&w, 1, 0, 1);
        const struct hsay_node_stats *stats = hsay_node_stats(w.node[US].node);
        assert_int_equal(
            stats->attempt[HSAY_NAT_PUBLIC][HSAY_NAT_PUBLIC][ip6][HSAY_ATTEMPT_CONNECTED], 1);
        world_free(&w);
    }
}

static void test_one_that_does_not(void **state)
{
    struct world w;
    struct box box = {.shut = true};
    (void)state;
    begin(&w, &box, false);
    assert_true(box.punctures > 0);
    expect(&w, 0, 1, 0);
    const struct hsay_node_stats *stats = hsay_node_stats(w.node[US].node);
    assert_int_equal(stats->attempt[HSAY_NAT_PUBLIC][HSAY_NAT_PUBLIC][0][HSAY_ATTEMPT_FAILED], 1);
    world_free(&w);
}

/* Asked where the tracker saw it, in vain; then the puncture tells the port, and there it answers:
 * one attempt, that succeeded. */
static void test_a_corrected_port_is_no_second_attempt(void **state)
{
    struct world w;
    struct box box = {.moves = true, .late_ms = 2000};
    (void)state;
    begin(&w, &box, false);
    expect(&w, 1, 0, 1);
    world_free(&w);
}

/* Those whom we asked before, those whom our user named, and those who are gone: many visits, none
 * of them an attempt. */
static void test_other_visits_do_not_count(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, NODES, 5);
    world_start(&w);
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = 0; j < NODES; j++)
            if (i != j)
                world_name(&w, i, j, j == THEM ? HSAY_BUCKET_INTRODUCED : HSAY_BUCKET_TRUSTED);
    world_run(&w, 30000);
    assert_true(hsay_node_stats(w.node[US].node)->count[HSAY_COUNT_INTRODUCED_IN] > 0);
    w.node[TRACKER].online = false;
    world_run(&w, 60000);
    assert_true(hsay_node_stats(w.node[US].node)->count[HSAY_COUNT_ANSWERED] > 10);
    assert_true(hsay_node_stats(w.node[US].node)->count[HSAY_COUNT_TIMEOUTS] > 1);
    for (unsigned i = 0; i < NODES; i++)
        for (int outcome = 0; outcome < HSAY_ATTEMPT_COUNT; outcome++)
            assert_int_equal(counted(&w, i, (enum hsay_attempt)outcome), 0);
    world_free(&w);
}

/* ---- and who saw us where ---- */

static void test_votes_are_told(void **state)
{
    struct world w;
    struct hsay_vote_status vote;
    size_t count = 0;
    bool seen[NODES] = {false};
    (void)state;
    world_init(&w, NODES, 6);
    world_start(&w);
    assert_int_equal(hsay_node_vote_at(w.node[US].node, world_now(&w), 0, &vote), HSAY_ENOENT);
    world_name(&w, US, TRACKER, HSAY_BUCKET_TRUSTED);
    world_name(&w, US, THEM, HSAY_BUCKET_TRUSTED);
    world_run(&w, 10000);
    while (hsay_node_vote_at(w.node[US].node, world_now(&w), count, &vote) == 0) {
        for (unsigned i = 0; i < NODES; i++)
            seen[i] = seen[i] || memcmp(vote.network.byte, world_addr(i).byte, 2) == 0;
        assert_memory_equal(&vote.seen, &w.node[US].addr, sizeof vote.seen);
        assert_int_equal(vote.network_bits, 16);
        assert_true(vote.age_ms <= 10000);
        count++;
    }
    assert_int_equal(count, 2);
    assert_true(seen[TRACKER] && seen[THEM]);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_works),
        cmocka_unit_test(test_one_that_does_not),
        cmocka_unit_test(test_a_corrected_port_is_no_second_attempt),
        cmocka_unit_test(test_other_visits_do_not_count),
        cmocka_unit_test(test_votes_are_told),
    };
    return cmocka_run_group_tests_name("node attempt", tests, NULL, NULL);
}
