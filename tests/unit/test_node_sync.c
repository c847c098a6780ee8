/*
 * Goal of this test: whole nodes over links that lose, double and reorder become identical, and
 * hand every bundle over exactly once; and what one node learns late, it learns quickly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "tests/world/world.h"

static void publish_many(struct world *w, unsigned node, unsigned count)
{
    char payload[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(payload, sizeof payload, "bundle %u of node %u", i, node);
        world_publish(w, node, payload);
    }
}

static void assert_exactly_once(const struct world *w, uint64_t bundles)
{
    for (unsigned i = 0; i < w->node_count; i++) {
        assert_int_equal(w->node[i].delivered, bundles);
        assert_int_equal(w->node[i].repeated, 0);
    }
}

static void meet_through_first(struct world *w)
{
    for (unsigned i = 1; i < w->node_count; i++)
        world_name(w, i, 0, HSAY_BUCKET_TRUSTED);
}

static void test_two_nodes(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 2, 1);
    world_start(&w);
    publish_many(&w, 0, 300);
    meet_through_first(&w);
    uint64_t ms = world_run_until_same(&w, 300, 60000);
    printf("# two nodes, 300 bundles: %llu ms, %llu datagrams\n", (unsigned long long)ms,
           (unsigned long long)w.datagrams);
    assert_true(ms < 2000);
    assert_exactly_once(&w, 300);
    world_free(&w);
}

static void test_both_have_something(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 2, 2);
    world_start(&w);
    publish_many(&w, 0, 500);
    publish_many(&w, 1, 700);
    meet_through_first(&w);
    uint64_t ms = world_run_until_same(&w, 1200, 60000);
    printf("# 500 and 700: %llu ms\n", (unsigned long long)ms);
    assert_true(ms < 8000);
    assert_exactly_once(&w, 1200);
    world_free(&w);
}

/* 30 % loss, 10 % duplicates, any order. */
static void test_rough_links(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world w;
        world_init(&w, 5, seed);
        w.link = (struct world_link){
            .delay_ms = 20, .jitter_ms = 80, .loss_permille = 300, .duplicate_permille = 100};
        world_start(&w);
        meet_through_first(&w);
        for (unsigned i = 0; i < 5; i++)
            publish_many(&w, i, 60);
        uint64_t ms = world_run_until_same(&w, 300, 120000);
        printf("# rough links, seed %llu: %llu ms\n", (unsigned long long)seed,
               (unsigned long long)ms);
        assert_true(ms != UINT64_MAX);
        assert_exactly_once(&w, 300);
        world_free(&w);
    }
}

static void test_wiped_node_comes_back(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 3, 4);
    world_start(&w);
    meet_through_first(&w);
    publish_many(&w, 1, 200);
    assert_true(world_run_until_same(&w, 200, 60000) != UINT64_MAX);
    world_restart(&w, 1, true);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    assert_true(world_run_until_same(&w, 200, 10000) != UINT64_MAX);
    world_free(&w);
}

static unsigned holders(struct world *w)
{
    unsigned count = 0;
    for (unsigned i = 0; i < w->node_count; i++)
        count += w->node[i].delivered > 0;
    return count;
}

/* A new bundle reaches nearly everybody by mail within a trip, and the rest within two steps. */
static void test_mail(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w;
        world_init(&w, 8, seed);
        world_start(&w);
        meet_through_first(&w);
        world_run(&w, 20000);
        world_publish(&w, 3, "news");
        world_run(&w, 100);
        unsigned by_mail = holders(&w);
        uint64_t ms = world_run_until_same(&w, 1, 12000);
        printf("# mail, seed %llu: %u of 8 at once, all after %llu ms\n", (unsigned long long)seed,
               by_mail, (unsigned long long)ms);
        assert_true(by_mail >= 5);
        assert_true(ms <= 12000);
        assert_int_equal(w.node[0].repeated, 0);
        world_free(&w);
    }
}

static bool is_cut_off(struct world *w, const struct world_flight *f, void *user)
{
    struct hsay_addr last = world_addr(w->node_count - 1);
    (void)user;
    return memcmp(&f->from, &last, sizeof last) != 0 && memcmp(&f->to, &last, sizeof last) != 0;
}

/* Who was cut off publishes meanwhile; afterwards its old bundle is one among many, no rumor any
 * more, and nobody has it as a candidate: that it claims to hold one more has to be enough. */
static void test_one_more_among_many(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world w;
        world_init(&w, 20, seed);
        world_start(&w);
        publish_many(&w, 0, 300);
        meet_through_first(&w);
        assert_true(world_run_until_same(&w, 300, 60000) < 60000);
        w.watch = is_cut_off;
        world_publish(&w, 19, "from afar");
        world_run(&w, 300000);
        assert_int_equal(w.node[19].delivered, 301);
        assert_int_equal(w.node[0].delivered, 300);
        w.watch = NULL;
        uint64_t ms = world_run_until_same(&w, 301, 200000);
        printf("# one more among 300, seed %llu: %llu ms\n", (unsigned long long)seed,
               (unsigned long long)ms);
        assert_true(ms < 40000);
        world_free(&w);
    }
}

/* When nothing is new the node falls silent: at most 60 bytes per second each way. */
static void test_idle_silence(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 6, 6);
    world_start(&w);
    meet_through_first(&w);
    publish_many(&w, 2, 100);
    assert_true(world_run_until_same(&w, 100, 60000) != UINT64_MAX);
    world_run(&w, 60000);
    uint64_t before = w.bytes;
    world_run(&w, 300000);
    uint64_t per_second = (w.bytes - before) / 300 / 6;
    printf("# idle: %llu bytes/s each way\n", (unsigned long long)per_second);
    assert_true(per_second <= 60);
    world_free(&w);
}

static void test_same_seed_same_run(void **state)
{
    uint64_t bytes[2];
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct world w;
        world_init(&w, 4, 77);
        w.link = (struct world_link){.delay_ms = 10, .jitter_ms = 50, .loss_permille = 100};
        world_start(&w);
        meet_through_first(&w);
        publish_many(&w, 0, 100);
        world_run(&w, 30000);
        bytes[run] = w.bytes;
        world_free(&w);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

static void test_direct(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 3, 8);
    world_start(&w);
    meet_through_first(&w);
    world_run(&w, 20000);
    int sent = hsay_node_on_direct(w.node[1].node, world_now(&w), 0, NULL, 7,
                                   (struct hsay_span){(const uint8_t *)"hi", 2}, &w.out);
    assert_int_equal(sent, 2);
    world_inject(&w, &w.node[0].addr, 1, "", 0); /* drains the outbox */
    world_run(&w, 1000);
    assert_int_equal(w.node[0].direct + w.node[2].direct, 2);
    assert_true(world_same(&w, 0));
    assert_int_equal(w.node[0].delivered, 0);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_nodes),    cmocka_unit_test(test_both_have_something),
        cmocka_unit_test(test_rough_links),  cmocka_unit_test(test_wiped_node_comes_back),
        cmocka_unit_test(test_mail),         cmocka_unit_test(test_one_more_among_many),
        cmocka_unit_test(test_idle_silence), cmocka_unit_test(test_same_seed_same_run),
        cmocka_unit_test(test_direct),
    };
    return cmocka_run_group_tests_name("node sync", tests, NULL, NULL);
}
