/*
 * Goal of this test: with whom a node searches for ports, and how much it sends then.  Nobody whom
 * it did not choose to ask, and no single network, can make it send a packet more than the rules of
 * punctures and requests allow; and a search that is allowed has its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"
#include "tests/unit/search_fixture.h"

enum {
    /* A puncture for each of three words in different seconds, and no more than three an hour. */
    WITHOUT_SEARCH_MAX = HSAY_SILENT_PACKETS_MAX,
    SEARCH_MS = HSAY_SEARCH_WAIT_MS + HSAY_SEARCH_PROBED * HSAY_SEARCH_GAP_MS + 6000,
    IN_SEARCH_MS = HSAY_SEARCH_WAIT_MS + 1000,
    HOUR_MS = 3600000,
};

/* The puncture is out by then, the search is not. */
static uint64_t before_search(struct scene *scene)
{
    scene_run(scene, HSAY_SEARCH_WAIT_MS / 2);
    return scene->w.now_ns;
}

static void assert_no_search(struct scene *scene)
{
    scene_run(scene, SEARCH_MS);
    assert_in_range(scene->sent_count, 0, WITHOUT_SEARCH_MAX);
    for (unsigned i = 0; i < scene->sent_count; i++) {
        assert_int_equal(scene->sent[i].port, scene->other.addr.port);
        assert_int_equal(scene->sent[i].socket, 0);
    }
    scene_end(scene);
}

/* ---- a search and its bounds ---- */

/* Three groups say it: 2,048 packets, one each 10 ms, to as many ports of one host. */
static void test_who_probes(void **state)
{
    static uint8_t probed[65536];
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 1);
    assert_int_equal(scene.said_nat, SCENE_CONE);
    scene_name_by_three(&scene, SCENE_SYMMETRIC);
    before_search(&scene);
    unsigned first = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    assert_int_equal(scene.sent_count - first, HSAY_SEARCH_PROBED);
    memset(probed, 0, sizeof probed);
    for (unsigned i = first; i < scene.sent_count; i++) {
        const struct scene_sent *s = &scene.sent[i];
        assert_int_equal(s->socket, 0);
        assert_true(s->port >= HSAY_ADDR_PORT_HEARD_MIN);
        assert_int_equal(probed[s->port]++, 0);
        if (i != first)
            assert_int_equal(s->at_ns - s[-1].at_ns, HSAY_SEARCH_GAP_MS * UINT64_C(1000000));
    }
    assert_int_equal(hsay_node_stats(scene.w.node[0].node)->count[HSAY_COUNT_SEARCHES], 1);
    assert_int_equal(hsay_node_stats(scene.w.node[0].node)->count[HSAY_COUNT_SEARCHES_MET], 0);
    scene_end(&scene);
}

/* From each of 256 sockets one, to the one port. */
static void test_who_opens(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_RANDOM, 2);
    assert_int_equal(scene.said_nat, SCENE_SYMMETRIC);
    scene_name_by_three(&scene, SCENE_CONE);
    before_search(&scene);
    unsigned first = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    assert_int_equal(scene.sent_count - first, HSAY_SEARCH_OPENED);
    for (unsigned i = first; i < scene.sent_count; i++) {
        assert_int_equal(scene.sent[i].port, scene.other.addr.port);
        assert_int_equal(scene.sent[i].socket, SCENE_SOCKET_FIRST + (i - first));
    }
    scene_run(&scene, 6000);
    for (uint16_t socket = 0; socket <= HSAY_SOCKETS_MAX; socket++)
        assert_false(hsay_node_uses_socket(scene.w.node[0].node, world_now(&scene.w), socket));
    scene_end(&scene);
}

static void test_sockets_are_used_meanwhile(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_RANDOM, 3);
    scene_name_by_three(&scene, SCENE_CONE);
    scene_run(&scene, IN_SEARCH_MS);
    for (uint16_t socket = 0; socket <= HSAY_SOCKETS_MAX; socket++)
        assert_int_equal(hsay_node_uses_socket(scene.w.node[0].node, world_now(&scene.w), socket),
                         socket >= SCENE_SOCKET_FIRST);
    scene_end(&scene);
}

/* Two whose ports count up: the one opens twice 256, the other makes four times 32 guesses; which
 * of them, the keys say. */
static void test_two_that_count(void **state)
{
    const uint8_t rising = SCENE_SYMMETRIC | HSAY_NAT_IS_SEQUENTIAL;
    unsigned opened = 0, probed = 0;
    (void)state;
    for (uint64_t seed = 10; seed < 16; seed++) {
        struct scene scene;
        scene_begin(&scene, SCENE_NAT_RISING, seed);
        assert_int_equal(scene.said_nat, rising);
        scene_name_by_three(&scene, rising);
        before_search(&scene);
        unsigned first = scene.sent_count;
        scene_run(&scene, SEARCH_MS);
        bool lower = memcmp(hsay_node_key(scene.w.node[0].node), &scene.other.key,
                            sizeof scene.other.key) < 0;
        assert_int_equal(scene.sent_count - first, lower ? 512 : 128);
        opened += lower;
        probed += !lower;
        scene_end(&scene);
    }
    assert_true(opened > 0 && probed > 0);
}

/* Named every twenty seconds for an hour: no second search; after the hour there is one. */
static void test_once_an_hour(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_RANDOM, 4);
    scene_name_by_three(&scene, SCENE_CONE);
    scene_run(&scene, SEARCH_MS);
    unsigned first = scene.sent_count;
    for (uint64_t ms = SEARCH_MS; ms < HOUR_MS - 60000; ms += 20000) {
        scene_name_by_three(&scene, SCENE_CONE);
        scene_run(&scene, 20000);
    }
    assert_in_range(scene.sent_count - first, 0, WITHOUT_SEARCH_MAX);
    scene_run(&scene, 120000);
    first = scene.sent_count;
    scene_name_by_three(&scene, SCENE_CONE);
    scene_run(&scene, SEARCH_MS);
    assert_in_range(scene.sent_count - first, HSAY_SEARCH_OPENED,
                    HSAY_SEARCH_OPENED + WITHOUT_SEARCH_MAX);
    scene_end(&scene);
}

/* A caller that comes late is given eight packets at once and no more, then the pace goes on. */
static void test_a_late_caller(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 5);
    scene_name_by_three(&scene, SCENE_SYMMETRIC);
    scene_run(&scene, IN_SEARCH_MS);
    for (unsigned i = 0; i < 20; i++) {
        unsigned before = scene.sent_count;
        struct hsay_node *node = scene.w.node[0].node;
        scene.w.now_ns += UINT64_C(300000000);
        hsay_node_on_time(node, world_now(&scene.w), &scene.w.out);
        assert_false(hsay_node_deadline(node).ns <= scene.w.now_ns);
        world_drain(&scene.w, 0);
        assert_in_range(scene.sent_count - before, 1, 8);
    }
    scene_end(&scene);
}

/* An outbox without room: nothing is sent, it stays due, and goes on in the next. */
static void test_no_room(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 6);
    scene_name_by_three(&scene, SCENE_SYMMETRIC);
    scene_run(&scene, IN_SEARCH_MS);
    struct hsay_node *node = scene.w.node[0].node;
    unsigned before = scene.sent_count;
    size_t room = scene.w.out.letter_max;
    uint64_t drops = hsay_node_stats(node)->drop[HSAY_DROP_OUTBOX];
    scene.w.now_ns += 30000000;
    scene.w.out.letter_max = 3;
    hsay_node_on_time(node, world_now(&scene.w), &scene.w.out);
    assert_int_equal(scene.w.out.letter_count, 0);
    assert_true(hsay_node_deadline(node).ns <= scene.w.now_ns);
    scene.w.out.letter_max = room;
    hsay_node_on_time(node, world_now(&scene.w), &scene.w.out);
    assert_false(hsay_node_deadline(node).ns <= scene.w.now_ns);
    world_drain(&scene.w, 0);
    assert_true(scene.sent_count > before);
    assert_int_equal(hsay_node_stats(node)->drop[HSAY_DROP_OUTBOX], drops);
    scene_end(&scene);
}

/* Two are named: both sides of either pair prefer the same.  Once a packet is out, nobody else. */
static void test_the_lower_rank_goes_first(void **state)
{
    unsigned first = 0;
    (void)state;
    for (uint64_t seed = 60; seed < 68; seed++) {
        struct scene scene;
        scene_begin(&scene, SCENE_NAT_CONE, seed);
        uint64_t own = hsay_peer_name(hsay_node_key(scene.w.node[0].node));
        uint64_t rank = hsay_peer_mix(own ^ hsay_peer_name(&scene.other.key));
        uint64_t rank_5 = hsay_peer_mix(own ^ hsay_peer_name(&scene.peer[5].key));
        struct stranger other = scene.other;
        scene_name_by_three(&scene, SCENE_SYMMETRIC);
        scene_run(&scene, HSAY_SEARCH_WAIT_MS / 2);
        scene.other = scene.peer[5];
        scene_name_by_three(&scene, SCENE_SYMMETRIC);
        scene.other = other;
        scene_run(&scene, SEARCH_MS);
        assert_int_equal(scene.sent_count > HSAY_SEARCH_PROBED, rank <= rank_5);
        first += rank <= rank_5;
        scene_end(&scene);
    }
    assert_in_range(first, 1, 7);
}

static void test_a_search_is_not_put_off(void **state)
{
    (void)state;
    for (uint64_t seed = 60; seed < 64; seed++) {
        struct scene scene;
        scene_begin(&scene, SCENE_NAT_CONE, seed);
        struct stranger other = scene.other;
        scene_name_by_three(&scene, SCENE_SYMMETRIC);
        scene_run(&scene, IN_SEARCH_MS);
        for (unsigned i = 3; i < 6; i++) {
            scene.other = scene.peer[i];
            scene_name_by_three(&scene, SCENE_SYMMETRIC);
        }
        scene.other = other;
        scene_run(&scene, SEARCH_MS);
        assert_true(scene.sent_count > HSAY_SEARCH_PROBED);
        scene_end(&scene);
    }
}

/* ---- who is believed ---- */

/* However often it says so. */
static void test_one_voice_is_none(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 20);
    for (unsigned i = 0; i < 50; i++) {
        scene_name(&scene, 0, SCENE_SYMMETRIC);
        scene_run(&scene, 1000);
    }
    assert_no_search(&scene);
}

static void test_two_voices_are_none(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 21);
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    scene_name(&scene, 1, SCENE_SYMMETRIC);
    assert_no_search(&scene);
}

/* The control of the two above. */
static void test_a_trusted_voice_is_enough(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, SCENE_NAT_CONE, 22);
    scene_start(&scene, 3, HSAY_BUCKET_TRUSTED);
    scene_run(&scene, 15000);
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    before_search(&scene);
    unsigned first = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    assert_int_equal(scene.sent_count - first, HSAY_SEARCH_PROBED);
    scene_end(&scene);
}

/* It may come as an introduction as well, with the answer to a request: here of all three. */
static void test_introductions_are_words(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 24);
    scene.introduces = (struct hsay_introduced){
        .addr = scene.other.addr, .key = scene.other.key, .nat = SCENE_SYMMETRIC};
    scene_run(&scene, 60000 + SEARCH_MS);
    assert_in_range(scene.sent_count, HSAY_SEARCH_PROBED,
                    HSAY_SEARCH_PROBED + 2 * HSAY_SILENT_PACKETS_MAX);
    scene_end(&scene);
}

/* Of one alone, in each of its answers. */
static void test_one_introducer_is_none(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 24);
    scene.answers[1] = scene.answers[2] = false;
    scene.introduces = (struct hsay_introduced){
        .addr = scene.other.addr, .key = scene.other.key, .nat = SCENE_SYMMETRIC};
    scene_run(&scene, 60000);
    assert_no_search(&scene);
}

/* Peers that came to us, with tokens, were asked in turn, and never answered. */
static void test_who_only_asks_is_no_voice(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 25);
    for (unsigned i = 3; i < 6; i++)
        scene_ask(&scene, i);
    scene_run(&scene, 40000);
    for (unsigned i = 3; i < 6; i++)
        assert_int_equal(scene.peer[i].answer.type, HSAY_MSG_INTRO_REQUEST);
    for (unsigned i = 3; i < 6; i++)
        scene_name(&scene, i, SCENE_SYMMETRIC);
    assert_no_search(&scene);
}

/* One that we asked, and that writes from two other networks under the same key, which we never
 * asked there. */
static void test_a_voice_that_moves_stays_one(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 26);
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    for (unsigned i = 3; i < 6; i++) {
        struct hsay_addr addr = scene.peer[i].addr;
        scene.peer[i] = scene.peer[0];
        scene.peer[i].addr = addr;
        scene_ask(&scene, i);
        scene_name(&scene, i, SCENE_SYMMETRIC);
    }
    assert_no_search(&scene);
}

/* Three that answered, all of one network group; and the control, where one is not. */
static void test_one_network_is_one_voice(void **state)
{
    (void)state;
    for (unsigned others = 0; others < 3; others++) {
        struct scene scene;
        scene_init(&scene, SCENE_NAT_CONE, 27);
        for (unsigned i = 1; i < 5; i++) {
            scene.peer[i].addr = scene.peer[0].addr;
            scene.peer[i].addr.byte[3] = (uint8_t)(10 + i);
        }
        for (unsigned i = 0; i < others; i++)
            scene.peer[i].addr = world_addr(5100 + i);
        scene.peer[5].addr = world_addr(5200);
        scene_start(&scene, 6, HSAY_BUCKET_INTRODUCED);
        scene_run(&scene, 15000);
        for (unsigned i = 0; i < 5; i++)
            scene_name(&scene, i, SCENE_SYMMETRIC);
        if (others < 2) {
            assert_no_search(&scene);
            continue;
        }
        scene_run(&scene, SEARCH_MS);
        assert_true(scene.sent_count >= HSAY_SEARCH_PROBED);
        scene_end(&scene);
    }
}

/* The third word comes when the first is two minutes old. */
static void test_old_words_are_none(void **state)
{
    (void)state;
    for (unsigned old = 0; old < 2; old++) {
        struct scene scene;
        scene_begin(&scene, SCENE_NAT_CONE, 28);
        scene_name(&scene, 0, SCENE_SYMMETRIC);
        scene_name(&scene, 1, SCENE_SYMMETRIC);
        scene_run(&scene, old ? 121000 : 119000);
        scene_name(&scene, 2, SCENE_SYMMETRIC);
        if (old) {
            assert_no_search(&scene);
            continue;
        }
        scene_run(&scene, SEARCH_MS);
        assert_true(scene.sent_count >= HSAY_SEARCH_PROBED);
        scene_end(&scene);
    }
}

/* The other's key at a host that others do not name: the words of two are not for there. */
static void test_words_are_for_one_host(void **state)
{
    struct scene scene;
    struct hsay_addr there;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 29);
    there = scene.other.addr;
    scene.other.addr = world_addr(7100);
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    scene_name(&scene, 1, SCENE_SYMMETRIC);
    scene.other.addr = there;
    scene_name(&scene, 2, SCENE_SYMMETRIC);
    assert_no_search(&scene);
}

/* A liar that names hundreds of peers talks down nobody else. */
static void test_a_liar_can_not_fill_the_table(void **state)
{
    struct scene scene;
    struct stranger honest;
    (void)state;
    scene_begin(&scene, SCENE_NAT_CONE, 30);
    honest = scene.other;
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    scene_name(&scene, 1, SCENE_SYMMETRIC);
    for (unsigned i = 0; i < 300; i++) {
        scene.other.key.byte[0]++;
        scene.other.key.byte[1] ^= (uint8_t)i;
        scene_name(&scene, 2, SCENE_SYMMETRIC);
    }
    scene.other = honest;
    scene_name(&scene, 2, SCENE_SYMMETRIC);
    before_search(&scene);
    unsigned first = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    assert_int_equal(scene.sent_count - first, HSAY_SEARCH_PROBED);
    scene_end(&scene);
}

/* ---- with whom it makes sense ---- */

static void assert_no_search_with(enum scene_nat mine, uint8_t theirs)
{
    struct scene scene;
    scene_begin(&scene, mine, 40);
    scene_name_by_three(&scene, theirs);
    assert_no_search(&scene);
}

static void test_not_with_these(void **state)
{
    (void)state;
    assert_no_search_with(SCENE_NAT_CONE, HSAY_NAT_IS_SYMMETRIC); /* did not agree */
    assert_no_search_with(SCENE_NAT_CONE, SCENE_SYMMETRIC | HSAY_NAT_IS_PUBLIC);
    assert_no_search_with(SCENE_NAT_CONE, SCENE_CONE);
    assert_no_search_with(SCENE_NAT_RANDOM, SCENE_SYMMETRIC);
    assert_no_search_with(SCENE_NAT_RANDOM, 0);
}

/* Until two groups have told us what we are, we do not offer to search, and do not. */
static void test_own_kind_unknown(void **state)
{
    struct scene scene;
    (void)state;
    scene_init(&scene, SCENE_NAT_CONE, 41);
    scene_start(&scene, 1, HSAY_BUCKET_TRUSTED);
    scene_run(&scene, 15000);
    assert_int_equal(scene.said_nat, 0);
    scene_name(&scene, 0, SCENE_SYMMETRIC);
    assert_no_search(&scene);
}

/* Without sockets, with too few, or under another policy. */
static void test_only_who_can(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct scene scene;
        scene_init(&scene, SCENE_NAT_CONE, 42);
        if (i < 2)
            scene.w.node_config.sockets_max = i == 0 ? 0 : HSAY_SOCKETS_MAX - 1;
        else
            scene.w.overlay_config.policy = HSAY_POLICY_CODE2019;
        scene_start(&scene, 3, HSAY_BUCKET_TRUSTED);
        scene_run(&scene, 60000);
        assert_int_equal(scene.said_nat & HSAY_NAT_SEARCHES, 0);
        scene_name_by_three(&scene, SCENE_SYMMETRIC);
        assert_no_search(&scene);
    }
}

/* ---- what ends it ---- */

static void begin_search(struct scene *scene, enum scene_nat nat, uint64_t seed)
{
    scene_begin(scene, nat, seed);
    scene_name_by_three(scene, nat == SCENE_NAT_CONE ? SCENE_SYMMETRIC : SCENE_CONE);
    scene_run(scene, IN_SEARCH_MS);
    assert_true(scene->sent_count > 50);
}

/* The overlay is left, and another gets its number: nothing of it goes to who was searched for. */
static void test_it_ends_with_its_overlay(void **state)
{
    struct scene scene;
    struct hsay_overlay_config config = {.no_step = true};
    uint16_t number;
    (void)state;
    begin_search(&scene, SCENE_NAT_CONE, 50);
    struct hsay_node *node = scene.w.node[0].node;
    config.store = hsay_store_mem_port(&scene.w.node[0].store);
    config.overlay.byte[0] = 42;
    assert_int_equal(hsay_node_leave(node, 0), 0);
    assert_int_equal(hsay_node_join(node, world_now(&scene.w), &config, &number), 0);
    assert_int_equal(number, 0);
    unsigned before = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    assert_int_equal(scene.sent_count, before);
    scene_end(&scene);
}

static void test_it_ends_with_a_sleep(void **state)
{
    (void)state;
    for (unsigned woken = 0; woken < 2; woken++) {
        struct scene scene;
        begin_search(&scene, SCENE_NAT_CONE, 51);
        unsigned before = scene.sent_count;
        if (woken)
            hsay_node_wake(scene.w.node[0].node, world_now(&scene.w));
        else
            scene.w.now_ns += 60 * UINT64_C(1000000000);
        scene_run(&scene, SEARCH_MS);
        assert_int_equal(scene.sent_count, before);
        scene_end(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_probes),
        cmocka_unit_test(test_who_opens),
        cmocka_unit_test(test_sockets_are_used_meanwhile),
        cmocka_unit_test(test_two_that_count),
        cmocka_unit_test(test_once_an_hour),
        cmocka_unit_test(test_a_late_caller),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_the_lower_rank_goes_first),
        cmocka_unit_test(test_a_search_is_not_put_off),
        cmocka_unit_test(test_one_voice_is_none),
        cmocka_unit_test(test_two_voices_are_none),
        cmocka_unit_test(test_a_trusted_voice_is_enough),
        cmocka_unit_test(test_introductions_are_words),
        cmocka_unit_test(test_one_introducer_is_none),
        cmocka_unit_test(test_who_only_asks_is_no_voice),
        cmocka_unit_test(test_a_voice_that_moves_stays_one),
        cmocka_unit_test(test_one_network_is_one_voice),
        cmocka_unit_test(test_old_words_are_none),
        cmocka_unit_test(test_words_are_for_one_host),
        cmocka_unit_test(test_a_liar_can_not_fill_the_table),
        cmocka_unit_test(test_not_with_these),
        cmocka_unit_test(test_own_kind_unknown),
        cmocka_unit_test(test_only_who_can),
        cmocka_unit_test(test_it_ends_with_its_overlay),
        cmocka_unit_test(test_it_ends_with_a_sleep),
    };
    return cmocka_run_group_tests_name("node search", tests, NULL, NULL);
}
