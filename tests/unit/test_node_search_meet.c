/*
 * Goal of this test: two that search for ports meet, keep the way that they found, and nobody who
 * writes what they might have written has them give up or go elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/nat_box.h"
#include "tests/unit/search_fixture.h"

enum {
    SEARCH_MS = HSAY_SEARCH_WAIT_MS + HSAY_SEARCH_PROBED * HSAY_SEARCH_GAP_MS + 6000,
    DOOR = SCENE_SOCKET_FIRST + 17,
    TELLS = 4,
};

static void begin_search(struct scene *scene, enum scene_nat nat, uint64_t seed)
{
    scene_begin(scene, nat, seed);
    scene_name_by_three(scene, nat == SCENE_NAT_CONE ? SCENE_SYMMETRIC : SCENE_CONE);
    scene_run(scene, HSAY_SEARCH_WAIT_MS + 1000);
    assert_true(scene->sent_count > 50);
}

static bool uses(const struct scene *scene, uint16_t socket)
{
    return hsay_node_uses_socket(scene->w.node[0].node, world_now(&scene->w), socket);
}

static uint64_t count_of(const struct scene *scene, enum hsay_counter counter)
{
    return hsay_node_stats(scene->w.node[0].node)->count[counter];
}

static const struct scene_sent *last(const struct scene *scene)
{
    return &scene->sent[scene->sent_count - 1];
}

/* All from here on left by that socket; at least one did. */
static void assert_all_by(const struct scene *scene, unsigned since, uint16_t socket)
{
    assert_true(scene->sent_count > since);
    for (unsigned i = since; i < scene->sent_count; i++) {
        assert_int_equal(scene->sent[i].socket, socket);
        assert_int_equal(scene->sent[i].port, scene->other.addr.port);
    }
}

/* ---- who opens ---- */

/* The other's probe found a socket: it is told so by it, four times, and no more are opened. */
static void test_a_probe_opens_a_door(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_RANDOM, 1);
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR, HSAY_MSG_PUNCTURE, false);
    scene_run(&scene, 3000);
    assert_in_range(scene.sent_count - since, TELLS, TELLS + 2); /* and a visit */
    assert_all_by(&scene, since, DOOR);
    for (uint16_t socket = 0; socket <= HSAY_SOCKETS_MAX; socket++)
        assert_int_equal(uses(&scene, socket), socket == DOOR);
    assert_int_equal(count_of(&scene, HSAY_COUNT_SEARCHES), 1);
    assert_int_equal(count_of(&scene, HSAY_COUNT_SEARCHES_MET), 1);
    scene_end(&scene);
}

/* A visit from the ordinary socket is under way, to which no answer can come: that the probe comes
 * from where somebody was asked does not make it one. */
static void test_a_probe_is_no_answer(void **state)
{
    struct scene scene;
    (void)state;
    scene_begin(&scene, SCENE_NAT_RANDOM, 9);
    scene.introduces = (struct hsay_introduced){
        .addr = scene.other.addr, .key = scene.other.key, .nat = SCENE_CONE};
    for (unsigned ms = 0; scene.sent_count < 50 || last(&scene)->socket != 0; ms += 10) {
        assert_true(ms < 20000);
        scene_run(&scene, 10);
    }
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR, HSAY_MSG_PUNCTURE, false);
    scene_run(&scene, 1000);
    assert_in_range(scene.sent_count - since, TELLS, TELLS + 1);
    assert_all_by(&scene, since, DOOR);
    scene_end(&scene);
}

/* The other's last probe comes when 13 s have passed since the last of ours. */
static void test_the_last_probe_is_as_good(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_RANDOM, 8);
    scene_run(&scene, HSAY_SEARCH_PROBED * HSAY_SEARCH_GAP_MS - 1000);
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR, HSAY_MSG_PUNCTURE, false);
    scene_run(&scene, 3000);
    assert_all_by(&scene, since, DOOR);
    assert_true(uses(&scene, DOOR));
    scene_end(&scene);
}

/* A request by it is answered by it, ends the search, and all later ways lead through it. */
static void test_the_door_stays_open(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_RANDOM, 2);
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR, HSAY_MSG_INTRO_REQUEST, true);
    assert_int_equal(scene.other.answer.type, HSAY_MSG_INTRO_RESPONSE);
    scene.other_answers = true;
    scene_run(&scene, 1000);
    assert_in_range(scene.sent_count - since, 1, 3); /* the answer, and a visit */
    scene_run(&scene, 600000);
    assert_true(scene.sent_count - since > 10);
    assert_all_by(&scene, since, DOOR);
    assert_true(uses(&scene, DOOR));
    scene.other_answers = false;
    scene_run(&scene, 300000);
    assert_false(uses(&scene, DOOR)); /* it has not been heard of for too long */
    scene_end(&scene);
}

/* The same packet at another socket changes nothing, whether it is a puncture or a request. */
static void test_a_replay_opens_no_other(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_RANDOM, 3);
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR, HSAY_MSG_PUNCTURE, false);
    scene.other.socket = DOOR + 1;
    stranger_send_raw(&scene.other, 0, scene.other.last, scene.other.last_size);
    scene_run(&scene, 100);
    scene_other_sends(&scene, DOOR, HSAY_MSG_INTRO_REQUEST, true);
    scene.other.socket = DOOR + 1;
    stranger_send_raw(&scene.other, 0, scene.other.last, scene.other.last_size);
    scene.other_answers = true;
    scene_run(&scene, 60000);
    assert_all_by(&scene, since, DOOR);
    assert_false(uses(&scene, DOOR + 1));
    scene_end(&scene);
}

/* A second search that meets the same peer elsewhere goes through the new door: the old one is of
 * an hour ago. */
static void test_a_new_door_replaces_the_old(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_RANDOM, 4);
    scene_other_sends(&scene, DOOR, HSAY_MSG_PUNCTURE, false);
    scene_run(&scene, 3700000);
    scene_name_by_three(&scene, SCENE_CONE);
    scene_run(&scene, HSAY_SEARCH_WAIT_MS + 1000);
    assert_int_not_equal(last(&scene)->socket, 0);
    unsigned since = scene.sent_count;
    scene_other_sends(&scene, DOOR + 5, HSAY_MSG_PUNCTURE, false);
    scene_run(&scene, 3000);
    assert_all_by(&scene, since, DOOR + 5);
    scene_end(&scene);
}

/* ---- forgeries ---- */

enum forgery {
    OTHER_KEY,    /* the right place, another peer */
    NO_KEY,       /* the right place and name, sealed by somebody else */
    OTHER_HOST,   /* the right key, written from elsewhere */
    SERVICE,      /* the right key, from the port of a service there */
    OTHER_SOCKET, /* the ordinary one: that tells nothing of the way back (search.c) */
    NO_FORGERY,
};

static void send_forgery(struct scene *scene, enum forgery how)
{
    struct stranger honest = scene->other;
    if (how == OTHER_KEY || how == NO_KEY)
        memcpy(scene->other.secret, scene->peer[5].secret, sizeof scene->other.secret);
    if (how == OTHER_KEY)
        scene->other.key = scene->peer[5].key;
    if (how == OTHER_HOST)
        scene->other.addr = world_addr(7200);
    if (how == SERVICE)
        scene->other.addr.port = 53;
    scene_other_sends(scene, how == OTHER_SOCKET ? 0 : DOOR, HSAY_MSG_PUNCTURE, false);
    scene->other = honest;
}

static unsigned opened(const struct scene *scene)
{
    unsigned count = 0;
    for (unsigned i = 0; i < scene->sent_count; i++)
        count += scene->sent[i].socket != 0;
    return count;
}

/* All 256 are opened, and none is a door; the last round is the control. */
static void test_forgeries_change_nothing(void **state)
{
    (void)state;
    for (unsigned how = OTHER_KEY; how <= NO_FORGERY; how++) {
        struct scene scene;
        begin_search(&scene, SCENE_NAT_RANDOM, 5);
        send_forgery(&scene, (enum forgery)how);
        scene_run(&scene, 1000);
        assert_int_equal(uses(&scene, DOOR + 1), how != NO_FORGERY);
        scene_run(&scene, SEARCH_MS);
        assert_int_equal(opened(&scene) == HSAY_SEARCH_OPENED, how != NO_FORGERY);
        assert_int_equal(uses(&scene, DOOR), how == NO_FORGERY);
        scene_end(&scene);
    }
}

/* ---- who probes ---- */

/* Of the walk, and what keeps the path open, in some twenty seconds. */
enum { WALKED_MAX = 8 };

/* The other's packet comes from the port that was searched for: it is told so, visited there, and
 * probed no more.  Nothing larger than that packet is its answer. */
static void test_who_probes_is_met(void **state)
{
    struct scene scene;
    (void)state;
    begin_search(&scene, SCENE_NAT_CONE, 6);
    unsigned since = scene.sent_count;
    scene.other.addr.port = 33333;
    scene_other_sends(&scene, 0, HSAY_MSG_PUNCTURE, false);
    assert_int_equal(scene.sent_count, since);
    world_run(&scene.w, 0);
    assert_int_equal(scene.other_asked, 1);
    scene.other_answers = true;
    scene_run(&scene, SEARCH_MS);
    assert_in_range(scene.sent_count - since, 1, 1 + TELLS + WALKED_MAX);
    assert_all_by(&scene, since, 0);
    scene_end(&scene);
}

/* ---- before it begins ---- */

static unsigned search_packets_after(enum scene_nat nat, uint8_t type, bool hears)
{
    struct scene scene;
    scene_begin(&scene, nat, 7);
    scene_name_by_three(&scene, nat == SCENE_NAT_CONE ? SCENE_SYMMETRIC : SCENE_CONE);
    scene_run(&scene, 500);
    assert_true(scene.sent_count > 0); /* the puncture, and in it the token */
    if (type != HSAY_MSG_NONE)
        scene_other_sends(&scene, 0, type, hears);
    scene_run(&scene, HSAY_SEARCH_WAIT_MS - 600);
    unsigned before = scene.sent_count;
    scene_run(&scene, SEARCH_MS);
    unsigned count = scene.sent_count - before;
    scene_end(&scene);
    return count;
}

/* Within the first second: who probes needs a puncture, who opens a sign that it was heard. */
static void test_what_makes_it_needless(void **state)
{
    enum { VISITS_MAX = 4 };
    (void)state;
    for (unsigned hears = 0; hears < 2; hears++) {
        assert_in_range(search_packets_after(SCENE_NAT_CONE, HSAY_MSG_PUNCTURE, hears == 1), 0,
                        VISITS_MAX);
        assert_in_range(search_packets_after(SCENE_NAT_CONE, HSAY_MSG_INTRO_REQUEST, hears == 1), 0,
                        VISITS_MAX);
    }
    assert_in_range(search_packets_after(SCENE_NAT_RANDOM, HSAY_MSG_INTRO_REQUEST, true), 0,
                    VISITS_MAX);
    assert_in_range(search_packets_after(SCENE_NAT_RANDOM, HSAY_MSG_PUNCTURE, false),
                    HSAY_SEARCH_OPENED, HSAY_SEARCH_OPENED + VISITS_MAX);
    assert_int_equal(search_packets_after(SCENE_NAT_CONE, HSAY_MSG_NONE, false),
                     HSAY_SEARCH_PROBED);
    assert_int_equal(search_packets_after(SCENE_NAT_RANDOM, HSAY_MSG_NONE, false),
                     HSAY_SEARCH_OPENED);
}

/* ---- two nodes, each behind a box ---- */

enum { BOXED = 2, OPEN_NODES = 4, NODES = BOXED + OPEN_NODES, FLIGHTS_MAX = 1024, TICK_MS = 10 };

struct street {
    struct world w;
    struct lab_nat_box box[BOXED]; /* of nodes 0 and 1 */
    struct lab_chance chance;
    struct world_flight flight[FLIGHTS_MAX];
    size_t count;
};

static struct hsay_addr box_host(unsigned i)
{
    struct hsay_addr addr = world_addr(100 + i);
    addr.port = 0;
    return addr;
}

static unsigned node_at(const struct hsay_addr *addr)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct hsay_addr own = world_addr(i);
        if (hsay_addr_equal(&own, addr))
            return i;
    }
    return NODES;
}

static bool pass(struct world *w, const struct world_flight *f, void *user)
{
    struct street *street = user;
    struct hsay_addr from = f->from;
    unsigned node = node_at(&from);
    (void)w;
    if (node >= BOXED && node_at(&f->to) >= BOXED && node_at(&f->to) < NODES)
        return true;
    assert_true(street->count < FLIGHTS_MAX);
    struct world_flight *kept = &street->flight[street->count];
    *kept = *f;
    from.port = (uint16_t)(from.port + f->socket);
    if (node >= BOXED || lab_nat_out(&street->box[node], &street->chance, street->w.now_ns, &from,
                                     &f->to, &kept->from))
        street->count++;
    return false;
}

static void deliver(struct street *street, const struct world_flight *f)
{
    unsigned to = node_at(&f->to);
    if (to >= BOXED && to < NODES && street->w.node[to].online)
        world_inject(&street->w, &f->from, to, f->bytes, f->size);
    for (unsigned i = 0; i < BOXED; i++) {
        struct hsay_addr host = box_host(i), inside;
        if (hsay_addr_same_host(&host, &f->to) &&
            lab_nat_in(&street->box[i], street->w.now_ns, &f->from, &f->to, &inside))
            world_inject_at(&street->w, &f->from, i, (uint16_t)(inside.port - world_addr(i).port),
                            f->bytes, f->size);
    }
}

static void street_run(struct street *street, uint64_t ms)
{
    static struct world_flight now[FLIGHTS_MAX];
    for (uint64_t i = 0; i < ms; i += TICK_MS) {
        size_t count = street->count;
        memcpy(now, street->flight, count * sizeof *now);
        street->count = 0;
        for (size_t k = 0; k < count; k++)
            deliver(street, &now[k]);
        world_run(&street->w, TICK_MS);
    }
}

static void street_begin(struct street *street, const char *kind, uint16_t sockets_max,
                         uint64_t seed)
{
    const char *kinds[BOXED] = {kind,
                                strstr(kind, "sequential") != NULL ? kind : "port_restricted"};
    memset(street, 0, sizeof *street);
    world_init(&street->w, NODES, seed);
    street->chance = lab_chance_stream(seed, LAB_CHANCE_HOST, 0);
    street->w.node_config.sockets_max = sockets_max;
    street->w.watch = pass;
    street->w.watch_user = street;
    for (unsigned i = 0; i < BOXED; i++) {
        struct hsay_addr host = box_host(i);
        lab_nat_box_init(&street->box[i], lab_nat_kind_find(kinds[i]), &host);
    }
    world_start(&street->w);
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned j = BOXED; j < NODES; j++)
            if (i != j)
                world_name(&street->w, i, j, HSAY_BUCKET_TRUSTED); /* else it has contacts enough */
}

static void street_end(struct street *street)
{
    for (unsigned i = 0; i < BOXED; i++)
        lab_nat_box_free(&street->box[i]);
    world_free(&street->w);
}

static bool is_contacted(struct street *street, unsigned i, unsigned j)
{
    const struct hsay_key *key = hsay_node_key(street->w.node[j].node);
    struct hsay_peer_status s;
    for (size_t k = 0;
         hsay_node_peer_at(street->w.node[i].node, world_now(&street->w), 0, k, &s) == 0; k++)
        if (memcmp(&s.peer.key, key, sizeof *key) == 0 && s.bucket == HSAY_BUCKET_CONTACTED)
            return true;
    return false;
}

/* Do they come to know each other within some minutes? */
static bool street_meets(struct street *street)
{
    for (unsigned s = 0; s < 400; s++) {
        street_run(street, 1000);
        if (is_contacted(street, 0, 1) && is_contacted(street, 1, 0))
            return true;
    }
    return false;
}

/* Once the others are gone, what one publishes comes to the other, ten minutes on. */
static void assert_in_touch(struct street *street)
{
    for (unsigned i = BOXED; i < NODES; i++)
        street->w.node[i].online = false;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t before[BOXED] = {street->w.node[0].delivered, street->w.node[1].delivered};
        world_publish(&street->w, i % BOXED, "hello over there");
        street_run(street, 60000);
        for (unsigned k = 0; k < BOXED; k++)
            assert_int_equal(street->w.node[k].delivered, before[k] + 1);
    }
}

static void assert_street(const char *kind)
{
    static struct street street;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        street_begin(&street, kind, HSAY_SOCKETS_MAX, seed);
        assert_true(street_meets(&street));
        assert_in_touch(&street);
        street_end(&street);
    }
    street_begin(&street, kind, 0, 1); /* the control */
    assert_false(street_meets(&street));
    street_end(&street);
}

static void test_random_ports_against_restricted(void **state)
{
    (void)state;
    assert_street("symmetric");
}

static void test_ports_in_a_row_on_both_sides(void **state)
{
    (void)state;
    assert_street("symmetric_sequential");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_probe_opens_a_door),
        cmocka_unit_test(test_a_probe_is_no_answer),
        cmocka_unit_test(test_the_last_probe_is_as_good),
        cmocka_unit_test(test_the_door_stays_open),
        cmocka_unit_test(test_a_replay_opens_no_other),
        cmocka_unit_test(test_a_new_door_replaces_the_old),
        cmocka_unit_test(test_forgeries_change_nothing),
        cmocka_unit_test(test_who_probes_is_met),
        cmocka_unit_test(test_what_makes_it_needless),
        cmocka_unit_test(test_random_ports_against_restricted),
        cmocka_unit_test(test_ports_in_a_row_on_both_sides),
    };
    return cmocka_run_group_tests_name("node search, meeting", tests, NULL, NULL);
}
