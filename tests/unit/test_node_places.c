/*
 * Goal of this test: whom a node believes about addresses inside its own network, whom it tells its
 * own, and that nobody outside makes it send inside.
 *
 * Node 0 is behind a NAT: the world sees it at world_addr(0), its socket is at 192.168.1.2.  A
 * stranger is its neighbour, seen at the same host, or an outsider.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "nat/addr_class.h"
#include "tests/world/stranger.h"
#include "tests/world/world.h"

enum { NODES = 4, OUTSIDE = 5000, LAN_PORT = 6421 };

struct scene {
    struct world w;
    struct stranger s;
    struct hsay_token token; /* that node 0 made for the stranger */
};

static struct scene scene;
static const struct stranger_sealing plainly = {.first = false};

static struct hsay_addr inside(uint8_t host)
{
    return (struct hsay_addr){HSAY_ADDR_IP4, 0, LAN_PORT, {192, 168, 1, host}};
}

static struct hsay_addr neighbour(uint16_t port)
{
    struct hsay_addr addr = world_addr(0);
    addr.port = port;
    return addr;
}

static uint64_t counter(enum hsay_counter c)
{
    return hsay_node_stats(scene.w.node[0].node)->count[c];
}

static uint64_t refused(void)
{
    return hsay_node_stats(scene.w.node[0].node)->drop[HSAY_DROP_PLACE];
}

static uint64_t not_followed(void)
{
    return hsay_node_stats(scene.w.node[0].node)->drop[HSAY_DROP_INTRO];
}

/* Node 0 and, if others are to tell it where it is, three that do. */
static void begin(struct hsay_addr stranger, bool seen)
{
    struct hsay_addr own = inside(2);
    memset(&scene, 0, sizeof scene);
    world_init(&scene.w, NODES, 7);
    world_start(&scene.w);
    stranger_init(&scene.s, &scene.w, &stranger);
    hsay_node_set_local(scene.w.node[0].node, &own);
    for (unsigned i = 1; seen && i < NODES; i++)
        world_name(&scene.w, 0, i, HSAY_BUCKET_INTRODUCED);
    world_run(&scene.w, 3000);
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
}

static void end(void)
{
    world_free(&scene.w);
}

/* As anybody can who hears at its address. */
static void get_token(void)
{
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    scene.s.answer.type = 0;
    stranger_send(&scene.s, 0, &m, &(struct stranger_sealing){.first = true});
    assert_int_equal(scene.s.answer.type, HSAY_MSG_INTRO_RESPONSE);
    scene.token = scene.s.answer.intro_response.token;
}

static void ask_with_lan(struct hsay_addr lan, bool token)
{
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    m.intro_request.lan = lan;
    stranger_send(&scene.s, 0, &m,
                  &(struct stranger_sealing){.first = false, .token = token ? &scene.token : NULL});
}

/* A token, and a request that tells of `lan`: how often node 0 asks there within the next minute.
 */
static uint64_t tries_after_request(struct hsay_addr stranger, bool seen, struct hsay_addr lan)
{
    begin(stranger, seen);
    get_token();
    ask_with_lan(lan, true);
    world_run(&scene.w, 20000);
    return counter(HSAY_COUNT_WAYS_TRIED);
}

static void expect_refusal(struct hsay_addr stranger, bool seen, struct hsay_addr lan)
{
    assert_int_equal(tries_after_request(stranger, seen, lan), 0);
    assert_int_equal(refused(), 1);
    end();
}

/* ---- what a request tells of its sender ---- */

static void test_a_neighbour_is_tried_inside(void **state)
{
    (void)state;
    assert_true(tries_after_request(neighbour(7001), true, inside(9)) > 0);
    assert_int_equal(refused(), 0);
    end();
}

static void test_nobody_else_tells_of_inside(void **state)
{
    struct hsay_addr low = inside(9), loop = {HSAY_ADDR_IP4, 0, LAN_PORT, {127, 0, 0, 1}};
    struct hsay_addr carrier = {HSAY_ADDR_IP4, 0, LAN_PORT, {100, 64, 0, 9}};
    (void)state;
    low.port = 53;
    expect_refusal(world_addr(OUTSIDE), true, inside(9));
    expect_refusal(neighbour(7001), false, inside(9)); /* nobody said that we are there */
    expect_refusal(neighbour(7001), true, loop);
    expect_refusal(neighbour(7001), true, carrier);
    expect_refusal(neighbour(7001), true, low);
    expect_refusal(neighbour(7001), true, inside(2));           /* ourselves */
    expect_refusal(neighbour(7001), true, world_addr(OUTSIDE)); /* is not inside */
}

/* Without a token it is a claim: not even looked at. */
static void test_a_claim_tells_nothing(void **state)
{
    (void)state;
    begin(neighbour(7001), true);
    ask_with_lan(inside(9), false);
    world_run(&scene.w, 20000);
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(refused(), 0);
    end();
}

/* ---- what an answer tells ---- */

/* The stranger answers what node 0 asks it, and introduces somebody. */
static void answer_with(const struct hsay_introduced *whom, struct hsay_addr you_are_at)
{
    struct hsay_peer peer = {scene.s.addr, scene.s.key};
    bool answered = false;
    assert_int_equal(hsay_node_add_peer(scene.w.node[0].node, world_now(&scene.w), 0, &peer,
                                        HSAY_BUCKET_TRUSTED),
                     0);
    scene.s.answer.type = 0;
    for (unsigned ms = 0; ms < 60000 && !answered; ms++) {
        world_run(&scene.w, 1);
        if (scene.s.answer.type != HSAY_MSG_INTRO_REQUEST)
            continue;
        const struct hsay_intro_request *r = &scene.s.answer.intro_request;
        answered = (r->flags & HSAY_REQUEST_INTRODUCE) != 0;
        struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
        m.intro_response.id = r->id;
        m.intro_response.to = you_are_at;
        if (answered)
            m.intro_response.introduced = *whom;
        scene.s.answer.type = 0;
        stranger_send(&scene.s, 0, &m, &plainly);
    }
    assert_true(answered);
    world_run(&scene.w, 500);
}

static struct hsay_introduced somebody(struct hsay_addr addr, struct hsay_addr lan)
{
    struct hsay_introduced peer = {.addr = addr, .lan = lan};
    memset(peer.key.byte, 0x42, sizeof peer.key.byte);
    return peer;
}

static bool is_candidate(const struct hsay_key *key)
{
    struct hsay_peer_status s;
    for (size_t i = 0; hsay_node_peer_at(scene.w.node[0].node, world_now(&scene.w), 0, i, &s) == 0;
         i++)
        if (memcmp(&s.peer.key, key, sizeof *key) == 0)
            return true;
    return false;
}

static void introduce(struct hsay_addr by, struct hsay_addr addr, struct hsay_addr lan)
{
    struct hsay_introduced whom = somebody(addr, lan);
    begin(by, true);
    answer_with(&whom, world_addr(0));
}

static void test_a_neighbour_introduces_inside(void **state)
{
    struct hsay_introduced whom = somebody(neighbour(7002), inside(9));
    (void)state;
    introduce(neighbour(7001), neighbour(7002), inside(9));
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 1);
    assert_int_equal(refused(), 0);
    assert_true(is_candidate(&whom.key));
    end();
}

/* The peer is met where the outsider may say that it is, and not inside. */
static void test_an_outsider_does_not(void **state)
{
    struct hsay_introduced whom = somebody(neighbour(7002), inside(9));
    (void)state;
    introduce(world_addr(OUTSIDE), neighbour(7002), inside(9));
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(refused(), 1);
    assert_true(is_candidate(&whom.key));
    end();

    introduce(world_addr(OUTSIDE), inside(9), (struct hsay_addr){0}); /* straight */
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(not_followed(), 1);
    assert_false(is_candidate(&whom.key));
    end();

    introduce(neighbour(7001), world_addr(OUTSIDE + 1), inside(9)); /* of one who is outside */
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(refused(), 1);
    end();
}

static void test_an_introduction_stays_in_its_family(void **state)
{
    struct hsay_introduced whom = somebody(world_addr6(9), (struct hsay_addr){0});
    (void)state;
    introduce(world_addr(OUTSIDE), world_addr6(9), (struct hsay_addr){0});
    assert_int_equal(not_followed(), 1);
    assert_false(is_candidate(&whom.key));
    end();

    introduce(world_addr6(77), world_addr6(9), (struct hsay_addr){0});
    assert_int_equal(not_followed(), 0);
    assert_true(is_candidate(&whom.key));
    end();
}

/* ---- "you are where I am" ---- */

/* What the stranger was told of our address inside, in a request after it answered one. */
static struct hsay_addr lan_told(struct hsay_addr stranger, bool seen, struct hsay_addr you_are_at)
{
    struct hsay_introduced nobody = {.addr = {.kind = HSAY_ADDR_NONE}};
    begin(stranger, seen);
    answer_with(&nobody, you_are_at);
    scene.s.answer.type = 0;
    for (unsigned ms = 0; ms < 60000 && scene.s.answer.type != HSAY_MSG_INTRO_REQUEST; ms++)
        world_run(&scene.w, 1);
    assert_int_equal(scene.s.answer.type, HSAY_MSG_INTRO_REQUEST);
    return scene.s.answer.intro_request.lan;
}

static void test_who_is_told_our_own_address(void **state)
{
    struct hsay_addr own = inside(2), lan, liar = world_addr(OUTSIDE);
    (void)state;
    lan = lan_told(neighbour(7001), true, world_addr(0));
    assert_true(hsay_addr_equal(&lan, &own));
    end();
    lan = lan_told(world_addr(OUTSIDE), true, world_addr(0));
    assert_int_equal(lan.kind, HSAY_ADDR_NONE);
    end();
    liar.port = 9999; /* the only one who says where we are */
    lan = lan_told(world_addr(OUTSIDE), false, liar);
    assert_int_equal(lan.kind, HSAY_ADDR_NONE);
    assert_int_equal(refused(), 0);
    get_token();
    ask_with_lan(inside(9), true); /* and tells of inside */
    world_run(&scene.w, 20000);
    assert_int_equal(counter(HSAY_COUNT_WAYS_TRIED), 0);
    assert_int_equal(refused(), 1);
    end();
}

/* ---- punctures ---- */

static uint64_t punctures_for(struct hsay_addr by, struct hsay_addr target, struct hsay_addr lan)
{
    begin(by, true);
    get_token();
    ask_with_lan((struct hsay_addr){0}, true);
    uint64_t before = counter(HSAY_COUNT_PUNCTURES_OUT);
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = 7;
    m.puncture_request.target = somebody(target, lan);
    stranger_send(&scene.s, 0, &m, &(struct stranger_sealing){.token = &scene.token});
    return counter(HSAY_COUNT_PUNCTURES_OUT) - before;
}

static void test_punctures_inside(void **state)
{
    (void)state;
    assert_int_equal(punctures_for(neighbour(7001), neighbour(7002), inside(9)), 2);
    assert_int_equal(refused(), 0);
    end();
    assert_int_equal(punctures_for(world_addr(OUTSIDE), neighbour(7002), inside(9)), 1);
    assert_int_equal(refused(), 1);
    end();
    assert_int_equal(punctures_for(neighbour(7001), world_addr(OUTSIDE), inside(9)), 1);
    assert_int_equal(refused(), 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_neighbour_is_tried_inside),
        cmocka_unit_test(test_nobody_else_tells_of_inside),
        cmocka_unit_test(test_a_claim_tells_nothing),
        cmocka_unit_test(test_a_neighbour_introduces_inside),
        cmocka_unit_test(test_an_outsider_does_not),
        cmocka_unit_test(test_an_introduction_stays_in_its_family),
        cmocka_unit_test(test_who_is_told_our_own_address),
        cmocka_unit_test(test_punctures_inside),
    };
    return cmocka_run_group_tests_name("node places", tests, NULL, NULL);
}
