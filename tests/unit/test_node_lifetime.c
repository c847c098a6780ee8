/*
 * Goal of this test: a node measures its NAT's timer and is right; it keeps the paths that would
 * close, sends for that no more than it must and nothing when nobody calls it; and what it sends to
 * measure changes nothing else, neither here nor at those whom it asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "src/node/state.h"
#include "tests/world/world.h"

enum {
    NODES = 6, /* one behind the box, the others where anybody can reach them */
    FLOWS_MAX = 256,
    KEEPALIVE_BYTES = 96,
    STREAM_MS = 2000,
};

/* ---- a box in front of node 0: forgets a flow after a while; nothing is translated ---- */

struct flow {
    uint16_t port;
    unsigned peer;
    uint64_t begun_ms, used_ms;
    bool replied, stream;
};

struct box {
    uint64_t new_ms, stream_ms; /* timers */
    struct flow flow[FLOWS_MAX];
    size_t flows;
    uint64_t refused; /* from outside */
    uint64_t out, punctures, keepalives, keepalive_least_ms;
    bool cone;               /* whoever knows a port that is open gets in */
    uint64_t sent_ms[NODES]; /* by node 0 from its ordinary socket */
};

static uint64_t ms_of(const struct world *w)
{
    return w->now_ns / 1000000;
}

static unsigned node_at(const struct hsay_addr *addr)
{
    for (unsigned i = 0; i < NODES; i++)
        if (memcmp(world_addr(i).byte, addr->byte, sizeof addr->byte) == 0)
            return i;
    return NODES;
}

static struct flow *find_flow(struct box *box, uint64_t now, uint16_t port, unsigned peer)
{
    for (size_t i = 0; i < box->flows; i++) {
        struct flow *f = &box->flow[i];
        uint64_t timer = f->stream ? box->stream_ms : box->new_ms;
        if (f->port == port && (box->cone || f->peer == peer) && now - f->used_ms < timer)
            return f;
    }
    return NULL;
}

static void use(struct flow *f, uint64_t now)
{
    f->used_ms = now;
    f->stream |= f->replied && now - f->begun_ms >= STREAM_MS;
}

static uint64_t count(const struct world *w, unsigned i, enum hsay_counter counter)
{
    return hsay_node_stats(w->node[i].node)->count[counter];
}

/* Punctures that others asked for are as large. */
static void note_sent(const struct world *w, struct box *box, const struct world_flight *f,
                      uint64_t now, unsigned peer)
{
    uint64_t punctures = count(w, 0, HSAY_COUNT_PUNCTURES_OUT);
    if (f->socket != 0)
        return;
    if (f->size == KEEPALIVE_BYTES && box->punctures < punctures) {
        box->punctures++;
    } else if (f->size == KEEPALIVE_BYTES) {
        uint64_t gap = now - box->sent_ms[peer];
        box->keepalives++;
        if (gap < box->keepalive_least_ms)
            box->keepalive_least_ms = gap;
    }
    box->sent_ms[peer] = now;
}

static bool go_out(const struct world *w, struct box *box, const struct world_flight *f,
                   uint64_t now)
{
    unsigned peer = node_at(&f->to);
    uint16_t port = (uint16_t)(f->from.port + f->socket);
    struct flow *flow = find_flow(box, now, port, peer);
    box->out++;
    note_sent(w, box, f, now, peer);
    if (flow == NULL) {
        size_t i = 0; /* the place of one that is over, or a new one */
        while (i < box->flows && find_flow(box, now, box->flow[i].port, box->flow[i].peer) != NULL)
            i++;
        box->flows += i == box->flows;
        assert_true(box->flows <= FLOWS_MAX);
        flow = &box->flow[i];
        *flow = (struct flow){.port = port, .peer = peer, .begun_ms = now};
    }
    use(flow, now);
    return true;
}

static bool pass(struct world *w, const struct world_flight *f, void *user)
{
    struct box *box = user;
    uint64_t now = ms_of(w);
    if (node_at(&f->from) == 0)
        return go_out(w, box, f, now);
    if (node_at(&f->to) != 0)
        return true;
    struct flow *flow = find_flow(box, now, f->to.port, node_at(&f->from));
    if (flow == NULL) {
        box->refused++;
        return false;
    }
    flow->replied = true;
    use(flow, now);
    return true;
}

/* ---- the world ---- */

static void start(struct world *w, struct box *box, uint64_t new_ms, uint64_t stream_ms,
                  uint16_t sockets)
{
    *box = (struct box){.new_ms = new_ms, .stream_ms = stream_ms, .keepalive_least_ms = UINT64_MAX};
    world_init(w, NODES, 91);
    w->watch = pass;
    w->watch_user = box;
    w->node_config.sockets_max = sockets;
}

static void meet(struct world *w)
{
    world_start(w);
    for (unsigned i = 1; i < NODES; i++) {
        hsay_node_set_local(w->node[i].node, &w->node[i].addr);
        for (unsigned j = 1; j < NODES; j++)
            if (i != j)
                world_name(w, i, j, HSAY_BUCKET_INTRODUCED);
    }
    for (unsigned i = 1; i < NODES; i++)
        world_name(w, 0, i, HSAY_BUCKET_INTRODUCED);
}

static void begin(struct world *w, struct box *box, uint64_t timer_ms, uint16_t sockets)
{
    start(w, box, timer_ms, timer_ms, sockets);
    meet(w);
}

static struct hsay_lifetime_status status(const struct world *w)
{
    struct hsay_lifetime_status s;
    assert_int_equal(hsay_node_lifetime(w->node[0].node, world_now(w), &s), 0);
    return s;
}

/* ---- what is measured ---- */

static const struct {
    uint64_t new_s, stream_s;
    uint32_t at_least_s, below_s, keep_s;
} timer[] = {
    {5, 5, 0, 9, 0},       {10, 10, 9, 14, 8},   {30, 30, 28, 43, 21},
    {60, 60, 58, 110, 0},  {30, 180, 110, 0, 0}, /* as Linux has them */
    {600, 600, 110, 0, 0},
};

static void test_the_timer_is_measured(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof timer / sizeof *timer; i++) {
        struct world w;
        struct box box;
        start(&w, &box, timer[i].new_s * 1000, timer[i].stream_s * 1000, HSAY_SOCKETS_LIFETIME);
        meet(&w);
        world_run(&w, 300000);
        struct hsay_lifetime_status s = status(&w);
        print_message("%u s and %u s: %u to %u, %u trials, %u of all datagrams\n",
                      (unsigned)timer[i].new_s, (unsigned)timer[i].stream_s, s.at_least_ms,
                      s.below_ms, s.trials, (unsigned)count(&w, 0, HSAY_COUNT_PROBES_OUT));
        assert_int_equal(s.at_least_ms, timer[i].at_least_s * 1000);
        assert_int_equal(s.below_ms, timer[i].below_s * 1000);
        assert_int_equal(s.keep_ms, timer[i].keep_s * 1000);
        assert_false(s.measuring);
        assert_true(count(&w, 0, HSAY_COUNT_PROBES_OUT) <= 60);
        for (uint16_t k = 1; k <= HSAY_SOCKETS_LIFETIME; k++)
            assert_false(hsay_node_uses_socket(w.node[0].node, world_now(&w), k));
        world_free(&w);
    }
}

/* It is soon known that a timer is not the shortest. */
static void test_ten_seconds_are_known_soon(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 60000, HSAY_SOCKETS_LIFETIME);
    world_run(&w, 14000);
    assert_int_equal(status(&w).at_least_ms, 9000);
    assert_true(status(&w).measuring);
    assert_true(hsay_node_uses_socket(w.node[0].node, world_now(&w), 3));
    assert_false(hsay_node_uses_socket(w.node[0].node, world_now(&w), 1));
    assert_false(hsay_node_uses_socket(w.node[0].node, world_now(&w), 9));
    world_free(&w);
}

/* A quarter of the datagrams is lost, so most trials tell nothing, and a gap may stay open; but
 * what is told is true. */
static void test_losses(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 30000, HSAY_SOCKETS_LIFETIME);
    w.link.loss_permille = 100;
    world_run(&w, 900000);
    assert_int_equal(status(&w).at_least_ms, 28000);
    assert_int_equal(status(&w).below_ms, 43000);
    world_free(&w);
}

/* Votes, candidates and those whom it asked know nothing of it. */
static void test_nothing_else_is_changed(void **state)
{
    struct world w;
    struct box box;
    struct hsay_vote_status vote;
    struct hsay_peer_status peer;
    (void)state;
    begin(&w, &box, 30000, HSAY_SOCKETS_LIFETIME);
    for (unsigned s = 0; s < 200; s++) {
        world_run(&w, 1000);
        for (size_t k = 0; hsay_node_vote_at(w.node[0].node, world_now(&w), k, &vote) == 0; k++)
            assert_int_equal(vote.seen.port, world_addr(0).port);
        for (unsigned i = 0; i < NODES; i++)
            for (size_t k = 0; hsay_node_peer_at(w.node[i].node, world_now(&w), 0, k, &peer) == 0;
                 k++)
                assert_int_equal(peer.peer.addr.port, world_addr(0).port);
    }
    uint64_t measured = count(&w, 0, HSAY_COUNT_PROBES_OUT);
    assert_true(measured >= 20);
    assert_int_equal(count(&w, 0, HSAY_COUNT_TIMEOUTS), 0);
    for (unsigned i = 0; i < NODES; i++) {
        const struct hsay_node_stats *stats = hsay_node_stats(w.node[i].node);
        assert_int_equal(stats->count[HSAY_COUNT_STEPS], w.node[i].steps);
        assert_int_equal(stats->drop[HSAY_DROP_UNASKED], 0);
        assert_int_equal(stats->drop[HSAY_DROP_TOKEN], 0);
        assert_int_equal(stats->drop[HSAY_DROP_LEDGER], 0);
        assert_true(i == 0 || count(&w, i, HSAY_COUNT_PROBES_OUT) == 0);
        assert_true(i == 0 || count(&w, i, HSAY_COUNT_KEEPALIVES_OUT) == 0);
    }
    world_free(&w);
}

/* Whoever sends to the silent socket keeps its mapping himself: nothing is learned from that. */
static void measure_disturbed(bool disturbed, uint32_t at_least_ms)
{
    struct world w;
    struct box box;
    begin(&w, &box, 20000, HSAY_SOCKETS_LIFETIME);
    for (unsigned s = 0; s < 400; s++) {
        world_run(&w, 1000);
        for (uint16_t k = 1; disturbed && k <= HSAY_SOCKETS_LIFETIME; k++)
            for (unsigned i = 1; i < NODES; i++) {
                struct flow *f = find_flow(&box, ms_of(&w), (uint16_t)(world_addr(0).port + k), i);
                struct hsay_packet packet = {w.node[i].addr, {(const uint8_t *)"x", 1}, k};
                if (f == NULL)
                    continue;
                use(f, ms_of(&w));
                hsay_node_on_packet(w.node[0].node, world_now(&w), &packet, &w.out);
                world_drain(&w, 0);
            }
    }
    assert_int_equal(status(&w).at_least_ms, at_least_ms);
    world_free(&w);
}

static void test_disturbed_trials_are_void(void **state)
{
    (void)state;
    measure_disturbed(false, 19000);
    measure_disturbed(true, 0);
}

/* ---- what is kept ---- */

enum { SETTLE_MS = 180000, WATCHED_MS = 600000 };

/* All peers that know node 0 send to it now: how many do not reach it. */
static uint64_t unreached(struct world *w)
{
    int sent = 0;
    uint64_t before = w->node[0].direct;
    for (unsigned i = 1; i < NODES; i++) {
        struct hsay_peer_status peer;
        const struct hsay_key *key = hsay_node_key(w->node[0].node);
        for (size_t k = 0; hsay_node_peer_at(w->node[i].node, world_now(w), 0, k, &peer) == 0; k++)
            if (memcmp(&peer.peer.key, key, sizeof *key) == 0) {
                sent += hsay_node_on_direct(w->node[i].node, world_now(w), 0, &peer.peer, 1,
                                            (struct hsay_span){(const uint8_t *)"x", 1}, &w->out);
                world_drain(w, i);
            }
    }
    world_run(w, 100);
    assert_true(sent >= NODES / 2);
    return (uint64_t)sent - (w->node[0].direct - before);
}

static void test_short_timers_are_kept(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 10000, HSAY_SOCKETS_LIFETIME);
    world_run(&w, SETTLE_MS);
    uint64_t refused = box.refused, before = box.keepalives, all = box.out;
    world_run(&w, WATCHED_MS);
    print_message("%u keepalives for %u paths in 600 s, %u datagrams in all\n",
                  (unsigned)(box.keepalives - before), NODES - 1, (unsigned)(box.out - all));
    assert_true(box.refused <= refused + 2); /* those to whom we handed a peer on still know us */
    assert_int_equal(box.keepalives, count(&w, 0, HSAY_COUNT_KEEPALIVES_OUT));
    assert_int_equal(box.keepalive_least_ms, 8000);
    /* One path gets at most one in 8 s. */
    assert_in_range(box.keepalives - before, 1, (NODES - 1) * WATCHED_MS / 8000);
    assert_int_equal(unreached(&w), 0);
    world_free(&w);
}

/* The control: the same without anything to measure with. */
static void test_without_it_they_are_lost(void **state)
{
    struct world w;
    struct box box;
    struct hsay_lifetime_status s;
    (void)state;
    begin(&w, &box, 10000, 0);
    assert_int_equal(hsay_node_lifetime(w.node[0].node, world_now(&w), &s), HSAY_ENOENT);
    world_run(&w, SETTLE_MS + WATCHED_MS);
    assert_int_equal(count(&w, 0, HSAY_COUNT_KEEPALIVES_OUT), 0);
    assert_true(box.refused > 50);
    assert_true(unreached(&w) > 0);
    world_free(&w);
}

/* One mapping for all, that lets all in: whatever is sent keeps it. */
static void test_a_cone_has_one_path(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 10000, HSAY_SOCKETS_LIFETIME);
    box.cone = true;
    world_run(&w, SETTLE_MS);
    uint64_t before = box.keepalives;
    for (unsigned s = 0; s < WATCHED_MS / 1000; s++) {
        for (unsigned i = 0; i < 3; i++) { /* came in though nothing was sent there */
            struct hsay_addr stranger = world_addr(1000 + 1000 * i + s);
            hsay_filter_on_packet(hsay_node_filter(w.node[0].node), world_now(&w).mono, &stranger);
        }
        world_run(&w, 1000);
    }
    print_message("%u keepalives in 600 s\n", (unsigned)(box.keepalives - before));
    assert_in_range(box.keepalives - before, 1, WATCHED_MS / 8000);
    assert_int_equal(unreached(&w), 0);
    world_free(&w);
}

/* From when the node knows the timer on, not one. */
static void test_long_timers_cost_nothing(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 60000, HSAY_SOCKETS_LIFETIME);
    world_run(&w, SETTLE_MS);
    uint64_t before = box.keepalives;
    assert_true(before <= 3 * (NODES - 1)); /* 10 s were assumed for some 20 s */
    world_run(&w, WATCHED_MS);
    assert_int_equal(box.keepalives, before);
    assert_int_equal(status(&w).keep_ms, 0);
    world_free(&w);
}

/* ---- asleep ---- */

static void sleep_and_wake(bool told)
{
    struct world w;
    struct box box;
    begin(&w, &box, 10000, HSAY_SOCKETS_LIFETIME);
    world_run(&w, SETTLE_MS);
    uint64_t out = box.out, keepalives = box.keepalives;
    w.node[0].online = false;
    world_run(&w, 120000);
    assert_int_equal(box.out, out);
    w.node[0].online = true;
    if (told)
        hsay_node_wake(w.node[0].node, world_now(&w));
    world_run(&w, 2000);
    assert_true(box.out > out);
    assert_int_equal(box.keepalives, keepalives);
    if (told)
        assert_int_equal(status(&w).at_least_ms, 0);
    world_run(&w, SETTLE_MS);
    assert_int_equal(status(&w).at_least_ms, 9000);
    assert_int_equal(status(&w).below_ms, 14000);
    assert_int_equal(unreached(&w), 0);
    world_free(&w);
}

static void test_asleep_means_silent(void **state)
{
    (void)state;
    sleep_and_wake(false);
    sleep_and_wake(true);
}

/* ---- who does not ---- */

static void test_others_do_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world w;
        struct box box;
        start(&w, &box, 10000, 10000, HSAY_SOCKETS_LIFETIME);
        w.overlay_config.policy = i == 0   ? HSAY_POLICY_PAPER
                                  : i == 1 ? HSAY_POLICY_CODE2019
                                           : HSAY_POLICY_HEARSAY;
        w.overlay_config.fixed_step = i == 2;
        w.overlay_config.no_step = i == 3;
        meet(&w);
        world_run(&w, SETTLE_MS);
        assert_int_equal(count(&w, 0, HSAY_COUNT_PROBES_OUT), 0);
        assert_int_equal(count(&w, 0, HSAY_COUNT_KEEPALIVES_OUT), 0);
        world_free(&w);
    }
}

/* Leaving the overlay ends it. */
static void test_leaving(void **state)
{
    struct world w;
    struct box box;
    (void)state;
    begin(&w, &box, 10000, HSAY_SOCKETS_LIFETIME);
    world_run(&w, 5000);
    assert_true(status(&w).measuring);
    assert_int_equal(hsay_node_leave(w.node[0].node, 0), 0);
    assert_false(status(&w).measuring);
    assert_int_equal(status(&w).paths, 0);
    assert_true(hsay_node_deadline(w.node[0].node).ns == HSAY_TIME_NEVER.ns);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_timer_is_measured),
        cmocka_unit_test(test_ten_seconds_are_known_soon),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_nothing_else_is_changed),
        cmocka_unit_test(test_disturbed_trials_are_void),
        cmocka_unit_test(test_short_timers_are_kept),
        cmocka_unit_test(test_without_it_they_are_lost),
        cmocka_unit_test(test_a_cone_has_one_path),
        cmocka_unit_test(test_long_timers_cost_nothing),
        cmocka_unit_test(test_asleep_means_silent),
        cmocka_unit_test(test_others_do_not),
        cmocka_unit_test(test_leaving),
    };
    return cmocka_run_group_tests_name("node lifetime", tests, NULL, NULL);
}
