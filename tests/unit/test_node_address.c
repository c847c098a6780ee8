/*
 * Goal of this test: a node whose NAT gets another public address knows it within 15 seconds, with
 * nothing lost; and what nobody may say about our address changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nat/addr_class.h"
#include "src/node/state.h"
#include "tests/world/stranger.h"
#include "tests/world/world.h"

enum { FLIGHTS_MAX = 256, NOTICED_MS = 15000, TICK_MS = 10 };

/* ---- a box in front of node 0, which lets all in ---- */

struct box {
    struct hsay_addr outside;
    struct stranger *neighbour; /* NULL, or somebody else behind another port of this box */
    bool (*hear)(struct world *, const struct world_flight *, void *user); /* for it */
    struct world_flight flight[FLIGHTS_MAX];
    size_t count;
};

/* Takes what passes the box out of the world, which knows node 0 by its inner address alone. */
static bool pass(struct world *w, const struct world_flight *f, void *user)
{
    struct box *box = user;
    struct hsay_addr inside = world_addr(0);
    (void)w;
    bool out = hsay_addr_equal(&f->from, &inside), in = hsay_addr_equal(&f->to, &box->outside);
    if (!out && !in)
        return !hsay_addr_equal(&f->to, &inside); /* what goes to an address of old is lost */
    assert_true(box->count < FLIGHTS_MAX);
    box->flight[box->count++] = *f;
    return false;
}

static void deliver(struct world *w, const struct box *box, const struct world_flight *f)
{
    if (hsay_addr_equal(&f->to, &box->outside)) {
        world_inject(w, &f->from, 0, f->bytes, f->size);
        return;
    }
    if (box->neighbour != NULL && !box->hear(w, f, box->neighbour))
        return;
    for (unsigned i = 1; i < w->node_count; i++) {
        struct hsay_addr addr = world_addr(i);
        if (hsay_addr_equal(&f->to, &addr) && w->node[i].online)
            world_inject(w, &box->outside, i, f->bytes, f->size);
    }
}

static void run_through(struct world *w, struct box *box, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += TICK_MS) {
        struct box now = *box;
        box->count = 0;
        for (size_t k = 0; k < now.count; k++)
            deliver(w, box, &now.flight[k]);
        world_run(w, TICK_MS);
    }
}

static struct hsay_addr host(uint8_t first)
{
    return (struct hsay_addr){HSAY_ADDR_IP4, 0, 40000, {first, 77, 1, 1}};
}

static struct hsay_addr parsed(const char *text)
{
    struct hsay_addr addr = {0};
    assert_int_equal(hsay_addr_parse(&addr, text), 0);
    return addr;
}

/* Node 0 behind its box among the others, in sync and calm. */
static void settle(struct world *w, struct box *box, unsigned nodes, uint64_t seed)
{
    world_init(w, nodes, seed);
    *box = (struct box){.outside = host(91)};
    w->watch = pass;
    w->watch_user = box;
    world_start(w);
    for (unsigned i = 0; i < nodes; i++)
        if (i != 1)
            world_name(w, i, 1, HSAY_BUCKET_TRUSTED);
    world_publish(w, 1, "so that there is something");
    run_through(w, box, 300000);
}

static bool believes(struct world *w, const struct hsay_addr *addr)
{
    struct hsay_address_status s;
    return hsay_node_address(w->node[0].node, world_now(w), HSAY_ADDR_IP4, &s) == 0 &&
           s.confirmed && hsay_addr_equal(&s.addr, addr);
}

static uint64_t held(const struct world *w, unsigned i)
{
    struct hsay_overlay_status s;
    hsay_node_overlay_status(w->node[i].node, world_now(w), 0, &s);
    return s.sum.count;
}

static uint64_t count_of(const struct world *w, enum hsay_counter c)
{
    return hsay_node_stats(w->node[0].node)->count[c];
}

/* ---- another public address ---- */

/* Milliseconds until node 0 knows. */
static uint64_t notice(struct world *w, struct box *box)
{
    for (uint64_t ms = 0; ms <= 60000; ms += TICK_MS) {
        if (believes(w, &box->outside))
            return ms;
        run_through(w, box, TICK_MS);
    }
    return UINT64_MAX;
}

static void move_often(unsigned nodes, uint64_t seed)
{
    static struct box box;
    struct world w;
    uint64_t most = 0, sum = 0;
    enum { TIMES = 20 };
    settle(&w, &box, nodes, seed);
    assert_true(believes(&w, &box.outside));
    for (unsigned i = 0; i < TIMES; i++) {
        if (i % 4 == 3)
            box.outside.port++; /* the box has started anew, and has the same address again */
        else
            box.outside = host((uint8_t)(131 + i));
        uint64_t ms = notice(&w, &box);
        assert_true(ms <= NOTICED_MS);
        most = ms > most ? ms : most;
        sum += ms;
        run_through(&w, &box, 70000 + 770 * i); /* any phase of the step */
    }
    printf("# %u nodes: noticed after %.1f s, %.1f s at most\n", nodes, (double)sum / TIMES / 1000,
           (double)most / 1000);
    world_free(&w);
}

static void test_a_move_is_noticed(void **state)
{
    (void)state;
    move_often(5, 1);
    move_often(12, 2);
    move_often(40, 3);
}

/* What is published at the moment of the move, on either side, arrives as soon as ever: with the
 * next steps. */
static void test_a_move_is_a_non_event(void **state)
{
    static struct box box;
    struct world w;
    (void)state;
    settle(&w, &box, 12, 4);
    for (unsigned i = 0; i < 5; i++) {
        uint64_t timeouts = count_of(&w, HSAY_COUNT_TIMEOUTS), ms;
        box.outside = host((uint8_t)(92 + i));
        world_publish(&w, 0, "from inside");
        world_publish(&w, 5, "from outside");
        for (ms = 0; ms < 20000 && (held(&w, 0) < 3 + 2 * i || held(&w, 7) < 3 + 2 * i);
             ms += TICK_MS)
            run_through(&w, &box, TICK_MS);
        printf("# both bundles after %.1f s\n", (double)ms / 1000);
        assert_true(ms <= NOTICED_MS);
        run_through(&w, &box, 90000);
        assert_true(count_of(&w, HSAY_COUNT_TIMEOUTS) - timeouts <= 1); /* was under way */
    }
    world_free(&w);
}

/* ---- our address in the LAN ---- */

static bool is_seen_at(struct world *w, const struct hsay_addr *addr)
{
    struct hsay_vote_status vote;
    for (size_t i = 0; hsay_node_vote_at(w->node[0].node, world_now(w), i, &vote) == 0; i++)
        if (hsay_addr_equal(&vote.seen, addr))
            return true;
    return false;
}

/* Requests to a neighbour at the old public address, of `*doubted` those while a peer already sees
 * us elsewhere.  How many of these and of the others name our address in the LAN. */
struct lan_count {
    unsigned before, before_named, doubted, doubted_named;
};

static void ask_neighbour(struct lan_count *n, uint64_t seed, unsigned named_ms)
{
    static struct box box;
    struct world w;
    struct stranger neighbour;
    struct hsay_addr addr = host(91), lan = parsed("192.168.1.2:6421");
    settle(&w, &box, 12, seed);
    hsay_node_set_local(w.node[0].node, &lan);
    addr.port = 5000;
    stranger_init(&neighbour, &w, &addr);
    box.neighbour = &neighbour;
    box.hear = w.watch;
    w.watch = pass;
    w.watch_user = &box;
    struct hsay_peer peer = {neighbour.addr, neighbour.key};
    for (unsigned ms = 0; ms < 120000; ms += TICK_MS) {
        if (ms == named_ms)
            hsay_node_add_peer(w.node[0].node, world_now(&w), 0, &peer, HSAY_BUCKET_TRUSTED);
        neighbour.answer.type = 0;
        bool doubted = is_seen_at(&w, &box.outside) && !believes(&w, &box.outside);
        if (ms == 60000)
            box.outside = host(131);
        for (unsigned i = 3; i < w.node_count && ms == 60000; i++)
            w.node[i].online = false; /* two are too few to settle it */
        run_through(&w, &box, TICK_MS);
        if (neighbour.answer.type != HSAY_MSG_INTRO_REQUEST)
            continue;
        bool named = neighbour.answer.intro_request.lan.kind != HSAY_ADDR_NONE;
        n->before += ms < 60000;
        n->before_named += ms < 60000 && named;
        n->doubted += ms > 60000 && doubted;
        n->doubted_named += ms > 60000 && doubted && named;
    }
    world_free(&w);
}

static void test_the_old_address_may_be_of_others(void **state)
{
    struct lan_count n = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) { /* who never answers is asked thrice an hour */
        ask_neighbour(&n, seed, 0);
        ask_neighbour(&n, seed, 75000);
    }
    printf("# requests to the neighbour: %u, %u with our LAN address; in doubt %u, %u\n", n.before,
           n.before_named, n.doubted, n.doubted_named);
    assert_true(n.before > 0 && n.before_named == n.before);
    assert_true(n.doubted > 0 && n.doubted_named == 0);
}

/* ---- where the socket is ---- */

static enum hsay_nat_kind kind_of(const struct world *w, uint8_t family)
{
    struct hsay_address_status status;
    assert_int_equal(hsay_node_address(w->node[0].node, world_now(w), family, &status), 0);
    return (enum hsay_nat_kind)status.kind;
}

static void test_each_family_has_its_own(void **state)
{
    static const char *const seen[] = {"20.9.0.1:6421", "[2a00:9::1]:6421"};
    static const char *const voter[2][2] = {{"20.1.0.1:6421", "20.2.0.1:6421"},
                                            {"[2a00:1::1]:6421", "[2a00:2::1]:6421"}};
    const struct hsay_addr none = {.kind = HSAY_ADDR_NONE};
    struct hsay_addr bound[2] = {parsed(seen[0]), parsed(seen[1])};
    struct world w;
    (void)state;
    world_init(&w, 1, 1);
    world_start(&w);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(hsay_vote_add(&w.node[0].node->votes, world_now(&w).mono,
                                       &(struct hsay_vote){.voter = parsed(voter[i / 2][i % 2]),
                                                           .seen = bound[i / 2],
                                                           .contacted = true}),
                         0);
    hsay_node_set_local(w.node[0].node, &bound[0]);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP4), HSAY_NAT_PUBLIC);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP6), HSAY_NAT_INDEPENDENT);
    hsay_node_set_local(w.node[0].node, &bound[1]);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP4), HSAY_NAT_PUBLIC);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP6), HSAY_NAT_PUBLIC);
    hsay_node_set_local(w.node[0].node, &none);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP4), HSAY_NAT_INDEPENDENT);
    assert_int_equal(kind_of(&w, HSAY_ADDR_IP6), HSAY_NAT_INDEPENDENT);
    world_free(&w);
}

/* ---- what is no vote, or not enough of them ---- */

enum { LIARS = 4 };

/* Node 0 alone among peers that answer as they please. */
struct liars {
    struct world w;
    struct stranger s[LIARS];
    bool (*watch)(struct world *, const struct world_flight *, void *user);
    struct hsay_addr says;
    unsigned count;
    bool uninvited; /* nobody named them to node 0 */
    bool unasked;   /* they answer what was not asked */
};

static bool hear(struct world *w, const struct world_flight *f, void *user)
{
    struct liars *l = user;
    for (unsigned i = 0; i < l->count; i++)
        if (!l->watch(w, f, &l->s[i]))
            return false;
    return true;
}

static struct hsay_addr liar_addr(unsigned group, unsigned number)
{
    struct hsay_addr addr = world_addr(300 + group);
    addr.byte[3] = (uint8_t)(10 + number);
    return addr;
}

static void answer(struct liars *l, struct stranger *s)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    bool asked = s->answer.type == HSAY_MSG_INTRO_REQUEST && !l->unasked;
    if (!asked && !l->unasked && !l->uninvited)
        return;
    m.intro_response.id = asked ? s->answer.intro_request.id : world_chance(&l->w);
    m.intro_response.to = l->says;
    stranger_send(s, 0, &m, &(struct stranger_sealing){.first = false});
    s->answer.type = 0;
}

/* For a minute `count` liars in so many groups say that node 0 is at `says`. */
static void lie(struct liars *l, unsigned count, unsigned groups, const struct hsay_addr *says)
{
    l->says = *says;
    l->count = count;
    world_init(&l->w, 1, 70 + count);
    world_start(&l->w);
    for (unsigned i = 0; i < count; i++) {
        struct hsay_addr addr = liar_addr(i % groups, i);
        stranger_init(&l->s[i], &l->w, &addr);
        struct hsay_peer peer = {l->s[i].addr, l->s[i].key};
        if (!l->uninvited)
            assert_int_equal(hsay_node_add_peer(l->w.node[0].node, world_now(&l->w), 0, &peer,
                                                HSAY_BUCKET_TRUSTED),
                             0);
    }
    l->watch = l->w.watch;
    l->w.watch = hear;
    l->w.watch_user = l;
    for (unsigned ms = 0; ms < 60000; ms += 10) {
        world_run(&l->w, 10);
        for (unsigned i = 0; i < count; i++)
            answer(l, &l->s[i]);
    }
}

/* 0: knows nothing of its address; 1: has heard of one; 2: and takes it for certain. */
static int certainty(struct liars *l)
{
    struct hsay_address_status s;
    int sure = 0;
    if (hsay_node_address(l->w.node[0].node, world_now(&l->w), l->says.kind, &s) == 0)
        sure = s.confirmed ? 2 : 1;
    world_free(&l->w);
    return sure;
}

static void test_three_groups_confirm(void **state)
{
    static struct liars l;
    struct hsay_addr lie_of = host(99);
    (void)state;
    lie(&l, 3, 3, &lie_of);
    assert_int_equal(certainty(&l), 2); /* the control of all that follow */
    lie(&l, 2, 2, &lie_of);
    assert_int_equal(certainty(&l), 1);
    lie(&l, 4, 2, &lie_of);
    assert_int_equal(certainty(&l), 1);
    lie(&l, 4, 1, &lie_of);
    assert_int_equal(certainty(&l), 1);
}

static void test_nobody_votes_unasked(void **state)
{
    static struct liars l;
    struct hsay_addr lie_of = host(99);
    (void)state;
    l.uninvited = true;
    lie(&l, 3, 3, &lie_of);
    assert_int_equal(certainty(&l), 0);
    l = (struct liars){.unasked = true};
    lie(&l, 3, 3, &lie_of);
    assert_int_equal(certainty(&l), 0);
}

static void test_where_nobody_can_be(void **state)
{
    static const char *const absurd[] = {
        "10.1.2.3:5000", "192.168.1.2:5000", "127.0.0.1:5000",       "224.0.0.1:5000",
        "0.0.0.0:5000",  "100.64.1.2:5000",  "255.255.255.255:5000", "169.254.1.1:5000",
        "99.77.1.1:0",   "[fe80::1]:5000",   "[::1]:5000",           "[2a00::9]:5000",
    };
    static struct liars l;
    (void)state;
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; i++) {
        struct hsay_addr lie_of = parsed(absurd[i]);
        lie(&l, 3, 3, &lie_of);
        assert_int_equal(certainty(&l), 0);
    }
}

/* One liar among honest peers, who says at each visit that we have moved: node 0 asks around, a
 * dozen times a minute at the most, fewer as the others contradict, and stays where it is. */
static uint64_t steps_beside(bool liar)
{
    static struct liars l;
    uint64_t before = 0;
    struct hsay_addr own = world_addr(0), addr = liar_addr(0, 0);
    l = (struct liars){.count = 1, .says = liar ? host(99) : own};
    world_init(&l.w, 6, 80);
    world_start(&l.w);
    stranger_init(&l.s[0], &l.w, &addr);
    l.watch = l.w.watch;
    l.w.watch = hear;
    l.w.watch_user = &l;
    struct hsay_peer peer = {l.s[0].addr, l.s[0].key};
    hsay_node_add_peer(l.w.node[0].node, world_now(&l.w), 0, &peer, HSAY_BUCKET_TRUSTED);
    for (unsigned i = 1; i < 6; i++)
        world_name(&l.w, 0, i, HSAY_BUCKET_TRUSTED);
    for (unsigned ms = 0; ms < 660000; ms += 10) {
        if (ms == 60000)
            before = count_of(&l.w, HSAY_COUNT_STEPS);
        world_run(&l.w, 10);
        answer(&l, &l.s[0]);
        assert_true(ms < 60000 || believes(&l.w, &own));
    }
    uint64_t steps = count_of(&l.w, HSAY_COUNT_STEPS) - before;
    world_free(&l.w);
    return steps;
}

static void test_one_liar_gains_a_few_steps(void **state)
{
    (void)state;
    uint64_t without = steps_beside(false), with = steps_beside(true);
    printf("# steps in ten minutes: %llu, with a liar %llu\n", (unsigned long long)without,
           (unsigned long long)with);
    assert_true(with <= without + 10 * 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_move_is_noticed),
        cmocka_unit_test(test_a_move_is_a_non_event),
        cmocka_unit_test(test_the_old_address_may_be_of_others),
        cmocka_unit_test(test_each_family_has_its_own),
        cmocka_unit_test(test_three_groups_confirm),
        cmocka_unit_test(test_nobody_votes_unasked),
        cmocka_unit_test(test_where_nobody_can_be),
        cmocka_unit_test(test_one_liar_gains_a_few_steps),
    };
    return cmocka_run_group_tests_name("node address", tests, NULL, NULL);
}
