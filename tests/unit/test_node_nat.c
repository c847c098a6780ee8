/*
 * Goal of this test: what a node says of its NAT, in requests and in answers, and that those who
 * hear it keep it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "tests/world/stranger.h"
#include "tests/world/world.h"

enum { NODES = 8, FLIGHTS_MAX = 64 };

/* ---- a box in front of node 0: a port of its own for each destination ---- */

struct box {
    struct world_flight flight[FLIGHTS_MAX];
    size_t count;
};

static struct hsay_addr outside(unsigned towards)
{
    struct hsay_addr addr = world_addr(0);
    addr.port = (uint16_t)(40000 + 17 * towards);
    return addr;
}

static unsigned node_at(const struct hsay_addr *addr)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct hsay_addr own = world_addr(i);
        if (memcmp(&own, addr, sizeof own) == 0)
            return i;
    }
    return NODES;
}

/* Takes what passes the box out of the world; the world's own links know no ports of node 0. */
static bool pass(struct world *w, const struct world_flight *f, void *user)
{
    struct box *box = user;
    struct hsay_addr host = f->to;
    (void)w;
    host.port = world_addr(0).port;
    if (node_at(&f->from) != 0 && node_at(&host) != 0)
        return true;
    assert_true(box->count < FLIGHTS_MAX);
    box->flight[box->count++] = *f;
    return false;
}

/* In for who was written to from that port, out for all. */
static void deliver(struct world *w, const struct world_flight *f)
{
    unsigned from = node_at(&f->from), to = node_at(&f->to);
    struct hsay_addr hole = outside(from);
    if (from == 0 && to < NODES) {
        hole = outside(to);
        world_inject(w, &hole, to, f->bytes, f->size);
    } else if (memcmp(&f->to, &hole, sizeof hole) == 0) {
        world_inject(w, &f->from, 0, f->bytes, f->size);
    }
}

static void run_through(struct world *w, struct box *box, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 10) {
        struct box now = *box;
        box->count = 0;
        for (size_t k = 0; k < now.count; k++)
            deliver(w, &now.flight[k]);
        world_run(w, 10);
    }
}

/* How node `i` has node 0 in its table: 1 symmetric, 0 not, -1 not contacted at all. */
static int holds_symmetric(const struct world *w, unsigned i)
{
    const struct hsay_key *key = hsay_node_key(w->node[0].node);
    struct hsay_peer_status s;
    for (size_t k = 0; hsay_node_peer_at(w->node[i].node, world_now(w), 0, k, &s) == 0; k++)
        if (memcmp(&s.peer.key, key, sizeof *key) == 0 && s.bucket == HSAY_BUCKET_CONTACTED)
            return s.symmetric;
    return -1;
}

/* Once enough have told node 0 from where it comes, its peers know that it is symmetric: after its
 * requests, and after its answers. */
static void test_symmetric_stays_known(void **state)
{
    struct world w;
    struct box box = {.count = 0};
    unsigned known = 0;
    (void)state;
    world_init(&w, NODES, 41);
    w.watch = pass;
    w.watch_user = &box;
    world_start(&w);
    for (unsigned i = 1; i < NODES; i++)
        world_name(&w, 0, i, HSAY_BUCKET_INTRODUCED);
    run_through(&w, &box, 70000); /* what was said before it knew is outdated */
    for (unsigned s = 0; s < 60; s++) {
        run_through(&w, &box, 1000);
        for (unsigned i = 1; i < NODES; i++) {
            int symmetric = holds_symmetric(&w, i);
            assert_int_not_equal(symmetric, 0);
            known += symmetric == 1;
        }
    }
    assert_true(hsay_node_stats(w.node[0].node)->count[HSAY_COUNT_REQUESTS] > 10);
    assert_true(known > 100);
    world_free(&w);
}

/* ---- nothing in front of it ---- */

static uint8_t nat_of_answer(struct stranger *s)
{
    const struct stranger_sealing to_overlay = {.first = true};
    struct hsay_message m = stranger_request(s, HSAY_CLAIM_NONE, 400);
    s->answer.type = 0;
    stranger_send(s, 0, &m, &to_overlay);
    assert_int_equal(s->answer.type, HSAY_MSG_INTRO_RESPONSE);
    return s->answer.intro_response.nat;
}

/* Others see node 0 where its socket is: it says so.  Before anybody has told it, it says nothing.
 */
static void test_public_is_said(void **state)
{
    struct world w;
    struct stranger s;
    struct hsay_addr own = world_addr(0), elsewhere = world_addr(5000);
    (void)state;
    world_init(&w, NODES, 42);
    world_start(&w);
    stranger_init(&s, &w, &elsewhere);
    hsay_node_set_local(w.node[0].node, &own);
    assert_int_equal(nat_of_answer(&s), 0);
    for (unsigned i = 1; i < NODES; i++)
        world_name(&w, 0, i, HSAY_BUCKET_INTRODUCED);
    world_run(&w, 10000);
    assert_int_equal(nat_of_answer(&s), HSAY_NAT_IS_PUBLIC);
    world_free(&w);
}

/* ---- whose NAT has a port for each destination ---- */

/* Node 0 asks the stranger, and is introduced to somebody.  How many punctures it sends. */
static uint64_t punctures_after(uint8_t nat)
{
    struct world w;
    struct stranger s;
    struct hsay_addr elsewhere = world_addr(5000);
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    world_init(&w, 1, 43);
    world_start(&w);
    stranger_init(&s, &w, &elsewhere);
    struct hsay_peer peer = {s.addr, s.key};
    assert_int_equal(
        hsay_node_add_peer(w.node[0].node, world_now(&w), 0, &peer, HSAY_BUCKET_TRUSTED), 0);
    for (unsigned ms = 0; ms < 20000 && s.answer.type != HSAY_MSG_INTRO_REQUEST; ms++)
        world_run(&w, 1);
    assert_int_equal(s.answer.type, HSAY_MSG_INTRO_REQUEST);
    m.intro_response.id = s.answer.intro_request.id;
    m.intro_response.to = world_addr(0);
    m.intro_response.introduced.nat = nat;
    m.intro_response.introduced.addr = world_addr(6000);
    m.intro_response.introduced.key.byte[0] = 77;
    stranger_send(&s, 0, &m, &(struct stranger_sealing){.first = false});
    uint64_t sent = hsay_node_stats(w.node[0].node)->count[HSAY_COUNT_PUNCTURES_OUT];
    world_free(&w);
    return sent;
}

/* Its puncture comes from a port that nobody knows yet: ours, to its address, lets it in where our
 * NAT filters by addresses.  Any other peer is asked, which opens the way as well. */
static void test_towards_a_symmetric_one(void **state)
{
    (void)state;
    assert_int_equal(punctures_after(HSAY_NAT_IS_SYMMETRIC), 1);
    assert_int_equal(punctures_after(HSAY_NAT_IS_PUBLIC), 0);
    assert_int_equal(punctures_after(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symmetric_stays_known),
        cmocka_unit_test(test_public_is_said),
        cmocka_unit_test(test_towards_a_symmetric_one),
    };
    return cmocka_run_group_tests_name("node nat", tests, NULL, NULL);
}
