/*
 * Goal of this test: a node asks for introductions of whom, and when, it should: trackers once it
 * has lost everybody else, and, from behind a NAT, no peer that was just introduced as public.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/search_fixture.h"
#include "tests/world/world.h"

/* ---- whoever has nobody but trackers ---- */

enum { US = 0, TRACKERS = 3, PEER = TRACKERS + 1, NODES = PEER + 1, MINUTE_MS = 60000 };

static bool is_cut(struct world *w, const struct world_flight *f, void *user)
{
    struct hsay_addr us = world_addr(US), peer = world_addr(PEER);
    (void)w;
    (void)user;
    return !(hsay_addr_equal(&f->from, &us) && hsay_addr_equal(&f->to, &peer)) &&
           !(hsay_addr_equal(&f->from, &peer) && hsay_addr_equal(&f->to, &us));
}

static uint64_t introduced(const struct world *w)
{
    return hsay_node_stats(w->node[US].node)->count[HSAY_COUNT_INTRODUCED_IN];
}

/* In three minutes, after five in which all met and became calm. */
static uint64_t introductions(bool cut, uint64_t seed)
{
    struct world w;
    world_init(&w, NODES, seed);
    world_start(&w);
    for (unsigned i = 0; i < NODES; i++)
        for (unsigned k = 1; k <= TRACKERS; k++)
            if (i != k)
                world_name(&w, i, k, HSAY_BUCKET_TRUSTED);
    world_run(&w, 5 * MINUTE_MS);
    uint64_t before = introduced(&w);
    w.watch = cut ? is_cut : NULL;
    world_run(&w, 3 * MINUTE_MS);
    uint64_t count = introduced(&w) - before;
    world_free(&w);
    return count;
}

static void test_who_lost_all_others_asks_trackers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t lost = introductions(true, seed), kept = introductions(false, seed);
        print_message("# seed %llu: %llu introductions, and %llu with the peer still there\n",
                      (unsigned long long)seed, (unsigned long long)lost, (unsigned long long)kept);
        assert_true(lost >= 10);
        assert_true(lost > 3 * kept);
    }
}

/* ---- from behind a NAT ---- */

/* Does the first visit to the other, who was introduced so, ask for an introduction? */
static bool first_visit_asks(enum scene_nat nat, uint8_t introduced_as, uint64_t seed)
{
    struct scene scene;
    scene_begin(&scene, nat, seed);
    scene_run(&scene, 15000); /* it is fresh no more */
    scene.introduces = (struct hsay_introduced){
        .addr = scene.other.addr, .key = scene.other.key, .nat = introduced_as};
    for (unsigned i = 0; scene.other_asked == 0; i++) {
        assert_true(i < 600);
        scene_run(&scene, 1000);
    }
    bool asks = (scene.other_request.intro_request.flags & HSAY_REQUEST_INTRODUCE) != 0;
    scene_end(&scene);
    return asks;
}

static void test_a_public_one_is_not_asked_at_once(void **state)
{
    unsigned asked[2] = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        asked[0] += first_visit_asks(SCENE_NAT_CONE, 0, seed);
        asked[1] += first_visit_asks(SCENE_NAT_CONE, HSAY_NAT_IS_PUBLIC, seed);
    }
    print_message("# asked at the first visit: %u of 10 behind NATs, %u of 10 public ones\n",
                  asked[0], asked[1]);
    assert_true(asked[0] > 0);
    assert_int_equal(asked[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_lost_all_others_asks_trackers),
        cmocka_unit_test(test_a_public_one_is_not_asked_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
