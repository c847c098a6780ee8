/*
 * Goal of this test: peers that have two addresses, in both families or in a LAN and in the world,
 * end up as one candidate at the better one, go back to the other when that fails, and never lose a
 * step to an address that does not work.
 *
 * The network: every node may be at an address of each family, or at home, behind one NAT that
 * hairpins or not, in one LAN that carries datagrams or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "nat/addr_class.h"
#include "tests/world/world.h"

enum { NODES_MAX = 8, FLIGHTS_MAX = 4096, HOME = 100, DELAY_MS = 10 };

struct town {
    struct world w;
    unsigned nodes;
    bool has4[NODES_MAX], has6[NODES_MAX], at_home[NODES_MAX];
    bool lan_works, hairpins, no_ip6;
    struct world_flight flight[FLIGHTS_MAX];
    size_t count;
    unsigned
        crossed; /* to an address of a family that the sender has not, or inside from outside */
};

static struct town town;

static struct hsay_addr inside(unsigned i)
{
    return (struct hsay_addr){HSAY_ADDR_IP4, 0, 6421, {192, 168, 1, (uint8_t)(i + 2)}};
}

/* As the world sees it. */
static struct hsay_addr outside(unsigned i)
{
    struct hsay_addr addr = world_addr(town.at_home[i] ? HOME : i);
    if (town.at_home[i])
        addr.port = (uint16_t)(40000 + i);
    return addr;
}

static bool is_inside(const struct hsay_addr *addr)
{
    return hsay_addr_is_local(addr);
}

/* Where node `i` is seen by who sends to `to`, if it can be at all. */
static bool source_towards(unsigned i, const struct hsay_addr *to, struct hsay_addr *source)
{
    bool ip6 = to->kind == HSAY_ADDR_IP6;
    *source = ip6 ? world_addr6(i) : is_inside(to) ? inside(i) : outside(i);
    return ip6 ? town.has6[i] : town.has4[i] && (!is_inside(to) || town.at_home[i]);
}

static bool is_there(unsigned i, unsigned sender, const struct hsay_addr *to)
{
    struct hsay_addr own;
    if (!source_towards(i, to, &own) || !hsay_addr_equal(&own, to))
        return false;
    if (to->kind == HSAY_ADDR_IP6)
        return !town.no_ip6;
    if (is_inside(to))
        return town.lan_works;
    return !town.at_home[i] || !town.at_home[sender] || town.hairpins;
}

static unsigned node_of(const struct hsay_addr *id)
{
    for (unsigned i = 0; i < town.nodes; i++)
        if (hsay_addr_equal(&town.w.node[i].addr, id))
            return i;
    abort();
}

static bool take(struct world *w, const struct world_flight *f, void *user)
{
    struct world_flight *held = &town.flight[town.count];
    unsigned sender = node_of(&f->from);
    (void)user;
    assert_true(town.count < FLIGHTS_MAX);
    *held = *f;
    held->at_ns = w->now_ns + DELAY_MS * UINT64_C(1000000);
    held->number = sender;
    if (source_towards(sender, &f->to, &held->from))
        town.count++;
    else
        town.crossed++;
    return false;
}

static void deliver(void)
{
    size_t count = town.count;
    struct world_flight *now = malloc(count * sizeof *now + 1);
    memcpy(now, town.flight, count * sizeof *now);
    town.count = 0;
    for (size_t k = 0; k < count; k++)
        if (now[k].at_ns > town.w.now_ns)
            town.flight[town.count++] = now[k];
    for (size_t k = 0; k < count; k++)
        for (unsigned i = 0; i < town.nodes && now[k].at_ns <= town.w.now_ns; i++)
            if (is_there(i, (unsigned)now[k].number, &now[k].to))
                world_inject(&town.w, &now[k].from, i, now[k].bytes, now[k].size);
    free(now);
}

static void run(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 5) {
        world_run(&town.w, 5);
        deliver();
    }
}

/* The caller says who is where before anybody is named. */
static void begin(unsigned nodes, uint64_t seed)
{
    memset(&town, 0, sizeof town);
    town.nodes = nodes;
    town.lan_works = town.hairpins = true;
    world_init(&town.w, nodes, seed);
    town.w.watch = take;
    world_start(&town.w);
    for (unsigned i = 0; i < nodes; i++)
        town.has4[i] = true;
}

static void settle_in(void)
{
    for (unsigned i = 0; i < town.nodes; i++) {
        struct hsay_addr own = town.at_home[i] ? inside(i) : outside(i);
        hsay_node_set_local(town.w.node[i].node, &own);
    }
}

static void name(unsigned i, struct hsay_addr addr)
{
    struct hsay_peer peer = {.addr = addr};
    assert_int_equal(
        hsay_node_add_peer(town.w.node[i].node, world_now(&town.w), 0, &peer, HSAY_BUCKET_TRUSTED),
        0);
}

static uint64_t counter(unsigned i, enum hsay_counter c)
{
    return hsay_node_stats(town.w.node[i].node)->count[c];
}

/* How node `i` lists node `j`: as how many, and where the last of them is. */
static unsigned listed(unsigned i, unsigned j, struct hsay_peer_status *s)
{
    const struct hsay_key *key = hsay_node_key(town.w.node[j].node);
    struct hsay_peer_status one;
    unsigned count = 0;
    for (size_t k = 0; hsay_node_peer_at(town.w.node[i].node, world_now(&town.w), 0, k, &one) == 0;
         k++)
        if (memcmp(&one.peer.key, key, sizeof *key) == 0) {
            *s = one;
            count++;
        }
    return count;
}

/* Does `i` have `j` as one contacted peer at this address? */
static bool is_at(unsigned i, unsigned j, struct hsay_addr addr)
{
    struct hsay_peer_status s;
    unsigned count = listed(i, j, &s);
    assert_true(count <= 1);
    return count == 1 && s.bucket == HSAY_BUCKET_CONTACTED && hsay_addr_equal(&s.peer.addr, &addr);
}

/* In how many of the next `s` seconds `i` has `j` there, looking once a second. */
static unsigned seconds_at(unsigned i, unsigned j, struct hsay_addr addr, unsigned s)
{
    unsigned count = 0;
    for (unsigned k = 0; k < s; k++) {
        run(1000);
        count += is_at(i, j, addr);
    }
    return count;
}

/* ---- one NAT ---- */

/* Nodes 0 and 1 at home, three trackers in the world. */
static void begin_at_home(uint64_t seed, bool lan_works, bool hairpins)
{
    begin(5, seed);
    town.at_home[0] = town.at_home[1] = true;
    town.lan_works = lan_works;
    town.hairpins = hairpins;
    settle_in();
    for (unsigned i = 0; i < 2; i++)
        for (unsigned t = 2; t < 5; t++)
            name(i, outside(t));
}

static void test_two_at_home_find_the_lan(void **state)
{
    (void)state;
    begin_at_home(1, true, true);
    run(30000);
    assert_true(is_at(0, 1, inside(1)));
    assert_true(is_at(1, 0, inside(0)));
    assert_int_equal(seconds_at(0, 1, inside(1), 200), 200);
    assert_true(counter(0, HSAY_COUNT_WAYS_TRIED) + counter(1, HSAY_COUNT_WAYS_TRIED) < 10);
    assert_int_equal(town.crossed, 0);
    world_free(&town.w);
}

/* Where nothing passes in the LAN the way through the NAT serves, and suffers nothing. */
static void test_hairpin_where_there_is_no_lan(void **state)
{
    unsigned seconds = 0;
    (void)state;
    begin_at_home(2, false, true);
    run(30000);
    uint64_t timeouts = counter(0, HSAY_COUNT_TIMEOUTS), tried = counter(0, HSAY_COUNT_WAYS_TRIED);
    for (unsigned s = 0; s < 600; s++) { /* it may be handed on, but stands nowhere else */
        struct hsay_addr there = outside(1);
        struct hsay_peer_status peer;
        run(1000);
        if (listed(0, 1, &peer) != 0) {
            assert_true(hsay_addr_equal(&peer.peer.addr, &there));
            seconds += peer.bucket == HSAY_BUCKET_CONTACTED;
        }
    }
    assert_true(seconds > 300);
    assert_int_equal(counter(0, HSAY_COUNT_TIMEOUTS), timeouts);
    assert_true(tried > 0);
    assert_true(counter(0, HSAY_COUNT_WAYS_TRIED) <= 4); /* three an hour, and a refused one */
    assert_int_equal(counter(0, HSAY_COUNT_WAYS_FOUND), 0);
    world_free(&town.w);
}

/* The LAN falls silent: back through the NAT. */
static void test_the_lan_fails(void **state)
{
    (void)state;
    begin_at_home(3, true, true);
    run(30000);
    assert_true(is_at(0, 1, inside(1)));
    town.lan_works = false;
    run(60000);
    assert_true(is_at(0, 1, outside(1)));
    assert_true(is_at(1, 0, outside(0)));
    town.lan_works = true;
    run(300000);
    assert_true(is_at(0, 1, inside(1)));
    world_free(&town.w);
}

/* Neither: nobody outside is told, or believed, where it would be; only beacons help. */
static void test_without_hairpin_the_world_can_not_help(void **state)
{
    struct hsay_peer near = {.addr = inside(1)};
    struct hsay_peer_status s;
    (void)state;
    begin_at_home(4, true, false);
    run(60000);
    assert_true(listed(0, 1, &s) == 0 || s.bucket != HSAY_BUCKET_CONTACTED);
    assert_int_equal(counter(0, HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(hsay_node_add_peer(town.w.node[0].node, world_now(&town.w), 0, &near,
                                        HSAY_BUCKET_INTRODUCED),
                     0); /* as a beacon does */
    run(30000);
    assert_true(is_at(0, 1, inside(1)));
    world_free(&town.w);
}

/* Three at home of whom two have hairpinned their way to the third: it tells each of the other. */
static void test_a_neighbour_tells_of_another(void **state)
{
    (void)state;
    begin(6, 5);
    for (unsigned i = 0; i < 3; i++)
        town.at_home[i] = true;
    settle_in();
    for (unsigned i = 0; i < 3; i++)
        for (unsigned t = 3; t < 6; t++)
            name(i, outside(t));
    run(60000);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            if (i != j)
                assert_true(is_at(i, j, inside(j)));
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(hsay_node_stats(town.w.node[i].node)->drop[HSAY_DROP_PLACE], 0);
    world_free(&town.w);
}

/* ---- two families ---- */

/* Node 2 is the tracker of 0 and 1; all have both families. */
static void begin_dual(uint64_t seed)
{
    begin(3, seed);
    for (unsigned i = 0; i < 3; i++)
        town.has6[i] = true;
    settle_in();
}

static void name_tracker(unsigned i, unsigned tracker)
{
    if (town.has4[i])
        name(i, outside(tracker));
    if (town.has6[i])
        name(i, world_addr6(tracker));
}

static void test_one_peer_over_ip6(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        begin_dual(10 + seed);
        name_tracker(0, 2);
        name_tracker(1, 2);
        run(60000);
        assert_int_equal(seconds_at(0, 1, world_addr6(1), 200), 200);
        assert_true(is_at(1, 0, world_addr6(0)));
        assert_true(is_at(2, 0, world_addr6(0)));
        assert_true(is_at(2, 1, world_addr6(1)));
        assert_int_equal(town.crossed, 0);
        world_free(&town.w);
    }
}

/* Known over IPv4 for long; then IPv6 comes, and is preferred. */
static void test_ip6_is_preferred_when_it_comes(void **state)
{
    (void)state;
    begin_dual(20);
    town.no_ip6 = true;
    name_tracker(0, 2);
    name_tracker(1, 2);
    run(60000);
    assert_true(is_at(0, 1, outside(1)));
    assert_true(is_at(1, 0, outside(0)));
    town.no_ip6 = false;
    run(120000);
    assert_true(is_at(0, 1, world_addr6(1)));
    assert_true(is_at(1, 0, world_addr6(0)));
    world_free(&town.w);
}

/* IPv6 dies under them.  While it is dead nobody is lost, and when it is back it is used again. */
static void test_ip6_fails(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        begin_dual(30 + seed);
        name_tracker(0, 2);
        name_tracker(1, 2);
        run(60000);
        assert_true(is_at(0, 1, world_addr6(1)));
        town.no_ip6 = true;
        run(120000); /* a visit, 10 s of waiting, and what chance adds */
        assert_true(is_at(0, 1, outside(1)));
        assert_true(is_at(1, 0, outside(0)));
        assert_int_equal(seconds_at(0, 1, outside(1), 600), 600);
        uint64_t new = town.w.node[1].delivered;
        world_publish(&town.w, 0, "over what is left");
        run(2000);
        assert_int_equal(town.w.node[1].delivered, new + 1);
        town.no_ip6 = false;
        run(1800000);
        assert_true(is_at(0, 1, world_addr6(1)));
        world_free(&town.w);
    }
}

/* One of each family alone, and two that have both: each meets those whom it can reach, and is told
 * of nobody else; the bundles of all reach all. */
static void test_one_overlay_over_two_families(void **state)
{
    enum { ONLY4 = 0, ONLY6 = 1, OTHER4 = 2, OTHER6 = 3, BOTH = 4, TRACKER = 5 };
    struct hsay_peer_status s;
    (void)state;
    begin(6, 40);
    town.has6[ONLY6] = town.has6[OTHER6] = town.has6[BOTH] = town.has6[TRACKER] = true;
    town.has4[ONLY6] = town.has4[OTHER6] = false;
    for (unsigned i = 0; i < town.nodes; i++) {
        struct hsay_addr own = town.has4[i] ? outside(i) : world_addr6(i);
        hsay_node_set_local(town.w.node[i].node, &own);
    }
    for (unsigned i = 0; i < TRACKER; i++)
        name_tracker(i, TRACKER);
    for (unsigned i = 0; i < TRACKER; i++)
        world_publish(&town.w, i, "to all, whatever they speak");
    run(120000);
    for (unsigned i = 0; i < TRACKER; i++)
        assert_int_equal(town.w.node[i].delivered, TRACKER); /* its own is told, too */
    assert_int_equal(town.crossed, 0);
    assert_true(is_at(ONLY4, OTHER4, outside(OTHER4)));
    assert_true(is_at(ONLY6, OTHER6, world_addr6(OTHER6)));
    assert_int_equal(listed(ONLY4, ONLY6, &s), 0);
    assert_int_equal(listed(ONLY6, ONLY4, &s), 0);
    assert_true(is_at(ONLY4, BOTH, outside(BOTH)));
    assert_true(is_at(ONLY6, BOTH, world_addr6(BOTH)));
    assert_true(is_at(BOTH, ONLY4, outside(ONLY4)));
    assert_true(is_at(BOTH, ONLY6, world_addr6(ONLY6)));
    for (unsigned i = 0; i < town.nodes; i++)
        assert_int_equal(hsay_node_stats(town.w.node[i].node)->drop[HSAY_DROP_PLACE], 0);
    world_free(&town.w);
}

/* Each of two addresses is told once, and not in turn for ever. */
static void count_told(struct world *w, unsigned i, void *user)
{
    unsigned *told = user;
    for (size_t k = 0; i == 0 && k < w->out.event_count; k++)
        *told += w->out.event[k].kind == HSAY_EVENT_ADDRESS;
}

static void test_both_own_addresses_are_told_once(void **state)
{
    unsigned told = 0;
    (void)state;
    begin(5, 50);
    for (unsigned i = 0; i < town.nodes; i++)
        town.has6[i] = true;
    settle_in();
    town.w.verdict = count_told;
    town.w.verdict_user = &told;
    for (unsigned i = 1; i < town.nodes; i++)
        name_tracker(0, i);
    run(300000);
    assert_int_equal(told, 2);
    world_free(&town.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_at_home_find_the_lan),
        cmocka_unit_test(test_hairpin_where_there_is_no_lan),
        cmocka_unit_test(test_the_lan_fails),
        cmocka_unit_test(test_without_hairpin_the_world_can_not_help),
        cmocka_unit_test(test_a_neighbour_tells_of_another),
        cmocka_unit_test(test_one_peer_over_ip6),
        cmocka_unit_test(test_ip6_is_preferred_when_it_comes),
        cmocka_unit_test(test_ip6_fails),
        cmocka_unit_test(test_one_overlay_over_two_families),
        cmocka_unit_test(test_both_own_addresses_are_told_once),
    };
    return cmocka_run_group_tests_name("node two addresses", tests, NULL, NULL);
}
