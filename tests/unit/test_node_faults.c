/*
 * Goal of this test: what goes wrong on our own side (a store that refuses, a commit that is lost,
 * an outbox without room) costs time and nothing else.  Each call of a store fails once in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "hearsay/error.h"
#include "tests/world/world.h"

enum {
    BUNDLES = 24,
    TIMES_MAX = 40, /* a sync of so many bundles has fewer calls that matter */
    PATIENCE_MS = 60000,
};

static void publish_many(struct world *w, unsigned node, unsigned count)
{
    char payload[300] = {0};
    memset(payload, 'x', sizeof payload - 1); /* some fit a datagram, all do not */
    for (unsigned i = 0; i < count; i++)
        world_publish(w, node, payload);
}

static uint64_t held(struct world *w, unsigned i)
{
    struct hsay_overlay_status s;
    assert_int_equal(hsay_node_overlay_status(w->node[i].node, world_now(w), 0, &s), 0);
    return s.sum.count;
}

static uint64_t drops(const struct world *w, unsigned i, enum hsay_drop reason)
{
    return hsay_node_stats(w->node[i].node)->drop[reason];
}

/* ---- the store ---- */

/* How much of node 1's store is safe: it only ever grows, as nothing is removed here. */
struct safe {
    uint64_t committed;
};

static void assert_nothing_lost(struct world *w, unsigned i, void *user)
{
    struct safe *safe = user;
    if (i != 1)
        return;
    uint64_t committed = held(w, i) - w->node[i].store.undo_count;
    assert_true(committed >= safe->committed);
    safe->committed = committed;
}

struct trial {
    struct world w;
    struct safe safe;
};

/* Node 0 has bundles, node 1 will have them. */
static void trial_begin(struct trial *t, uint64_t seed)
{
    t->safe.committed = 0;
    world_init(&t->w, 2, seed);
    t->w.verdict = assert_nothing_lost;
    t->w.verdict_user = &t->safe;
    world_start(&t->w);
    publish_many(&t->w, 0, BUNDLES);
    world_name(&t->w, 1, 0, HSAY_BUCKET_TRUSTED);
}

static void assert_converges(struct world *w, uint64_t bundles)
{
    assert_true(world_run_until_same(w, bundles, PATIENCE_MS) != UINT64_MAX);
    assert_int_equal(held(w, 0), bundles);
    assert_int_equal(held(w, 1), bundles);
}

static void test_each_put_fails(void **state)
{
    static const int errors[] = {HSAY_ENOSPC, HSAY_ESTORE, HSAY_ENOMEM};
    uint64_t refused = 0;
    (void)state;
    for (unsigned n = 1; n <= TIMES_MAX; n++) {
        struct trial t;
        trial_begin(&t, n);
        t.w.node[1].store.fault =
            (struct hsay_store_mem_fault){.put_countdown = n, .error = errors[n % 3]};
        assert_converges(&t.w, BUNDLES);
        assert_int_equal(t.w.node[1].delivered, BUNDLES);
        assert_int_equal(t.w.node[1].repeated, 0);
        refused += drops(&t.w, 1, HSAY_DROP_FULL);
        world_free(&t.w);
    }
    assert_int_equal(refused, BUNDLES); /* each of them once */
}

/* The packets of the turn do not leave, and what the turn had stored is fetched anew. */
static void test_each_commit_fails(void **state)
{
    uint64_t repeated = 0;
    (void)state;
    for (unsigned n = 1; n <= TIMES_MAX; n++) {
        struct trial t;
        trial_begin(&t, n);
        t.w.node[1].store.fault =
            (struct hsay_store_mem_fault){.commit_countdown = n, .error = HSAY_ENOSPC};
        assert_converges(&t.w, BUNDLES);
        assert_int_equal(t.w.node[1].seen_count, BUNDLES);
        assert_int_equal(t.w.node[1].delivered, BUNDLES + t.w.node[1].repeated);
        repeated += t.w.node[1].repeated;
        world_free(&t.w);
    }
    assert_true(repeated > 0); /* some commits held bundles */
}

/* A broken store refuses everything from then on; the node lives until it is opened again. */
static void test_store_breaks(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= TIMES_MAX; n++) {
        struct trial t;
        trial_begin(&t, n);
        t.w.node[1].store.fault =
            (struct hsay_store_mem_fault){.commit_countdown = n, .error = HSAY_ESTORE};
        world_run(&t.w, 3000);
        world_restart(&t.w, 1, false);
        world_name(&t.w, 1, 0, HSAY_BUCKET_TRUSTED);
        assert_converges(&t.w, BUNDLES);
        world_free(&t.w);
    }
}

/* An own bundle that was not committed has not left either: its slot is used again, and nobody sees
 * two bundles in it. */
static void test_lost_publish_is_no_fork(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= BUNDLES; n++) {
        struct trial t;
        trial_begin(&t, n);
        assert_converges(&t.w, BUNDLES);
        t.w.node[0].store.fault =
            (struct hsay_store_mem_fault){.commit_countdown = n, .error = HSAY_ENOSPC};
        publish_many(&t.w, 0, BUNDLES);
        assert_int_equal(held(&t.w, 0), 2 * BUNDLES - 1);
        assert_converges(&t.w, 2 * BUNDLES - 1);
        assert_int_equal(drops(&t.w, 1, HSAY_DROP_FORK) + drops(&t.w, 1, HSAY_DROP_ORDER), 0);
        world_free(&t.w);
    }
}

/* A quota is a store that refuses for ever: the walk goes on, and so does giving. */
static void test_full_store_still_gives(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 3, 5);
    world_start(&w);
    w.node[1].store.quota_bytes = 4000;
    publish_many(&w, 0, BUNDLES);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    world_run(&w, 20000);
    uint64_t had = held(&w, 1);
    assert_true(had > 0 && had < BUNDLES);
    assert_true(drops(&w, 1, HSAY_DROP_FULL) > 0);
    w.node[0].online = false;
    world_name(&w, 2, 1, HSAY_BUCKET_TRUSTED);
    world_run(&w, 20000);
    assert_int_equal(held(&w, 2), had);
    w.node[0].online = true;
    w.node[1].store.quota_bytes = 0;
    assert_true(world_run_until_same(&w, BUNDLES, PATIENCE_MS) != UINT64_MAX);
    world_free(&w);
}

/* ---- the outbox ---- */

/* All datagrams wait here, to be handed in under an outbox of the test's choice. */
struct post {
    struct world_flight flight[256];
    unsigned count;
};

static bool collect(struct world *w, const struct world_flight *f, void *user)
{
    struct post *post = user;
    (void)w;
    if (post->count < sizeof post->flight / sizeof post->flight[0])
        post->flight[post->count++] = *f;
    return false;
}

static unsigned node_at(const struct world *w, const struct hsay_addr *addr)
{
    return memcmp(&w->node[0].addr, addr, sizeof *addr) == 0 ? 0 : 1;
}

/* As large as it says, for the sanitizers. */
static struct hsay_outbox outbox_of(const struct hsay_outbox_need *room)
{
    struct hsay_outbox out = {
        .bytes = malloc(room->bytes),
        .bytes_size = room->bytes,
        .letter = malloc(room->letters * sizeof(struct hsay_letter)),
        .letter_max = room->letters,
        .event = malloc(room->events * sizeof(struct hsay_event)),
        .event_max = room->events,
    };
    return out;
}

static void outbox_free(struct hsay_outbox *out)
{
    free(out->bytes);
    free(out->letter);
    free(out->event);
}

/* One round: every datagram that waits is handed in, then 20 ms pass with room enough. */
static void deliver(struct world *w, struct post *post, const struct hsay_outbox_need *room)
{
    static struct post now; /* what is answered waits for the next round */
    struct hsay_outbox all = w->out;
    struct hsay_outbox small = outbox_of(room);
    now = *post;
    post->count = 0;
    for (unsigned i = 0; i < now.count; i++) {
        const struct world_flight *f = &now.flight[i];
        w->out = small;
        world_inject(w, &f->from, node_at(w, &f->to), f->bytes, f->size);
    }
    w->out = all;
    outbox_free(&small);
    world_run(w, 20);
}

static const struct hsay_outbox_need small_rooms[] = {
    {0, 0, 0},    {60, 1, 1},   {100, 1, 0},   {200, 2, 1},   {600, 4, 2},
    {1300, 1, 8}, {1300, 3, 1}, {2600, 2, 48}, {2600, 30, 0}, {5000, 30, 3},
};

static void test_outbox_too_small(void **state)
{
    static struct post post;
    uint64_t refused = 0;
    (void)state;
    for (size_t i = 0; i < sizeof small_rooms / sizeof small_rooms[0]; i++) {
        struct world w;
        world_init(&w, 2, 100 + i);
        world_start(&w);
        w.watch = collect;
        w.watch_user = &post;
        post.count = 0;
        publish_many(&w, 0, BUNDLES);
        world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
        for (unsigned round = 0; round < 500; round++)
            deliver(&w, &post, &small_rooms[i]);
        refused += drops(&w, 0, HSAY_DROP_OUTBOX) + drops(&w, 1, HSAY_DROP_OUTBOX);
        printf("# %zu bytes, %zu letters, %zu events: %llu held after 10 s\n", small_rooms[i].bytes,
               small_rooms[i].letters, small_rooms[i].events, (unsigned long long)held(&w, 1));
        w.watch = NULL;
        assert_true(world_run_until_same(&w, BUNDLES, PATIENCE_MS) != UINT64_MAX);
        world_free(&w);
    }
    printf("# refused: %llu\n", (unsigned long long)refused);
    assert_true(refused >= 2 * sizeof small_rooms / sizeof small_rooms[0]);
}

/* What is due stays due until there is room for it, and is then done. */
static void test_time_waits_for_room(void **state)
{
    struct world w;
    struct hsay_outbox_need need;
    (void)state;
    world_init(&w, 2, 7);
    world_start(&w);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    struct hsay_node *node = w.node[1].node;
    hsay_node_outbox_need(node, &need);
    need.letters--;
    struct hsay_outbox small = outbox_of(&need);
    assert_true(hsay_node_deadline(node).ns <= w.now_ns);
    assert_int_equal(hsay_node_on_time(node, world_now(&w), &small), 0);
    assert_int_equal(small.letter_count + small.event_count, 0);
    assert_true(hsay_node_deadline(node).ns <= w.now_ns);
    outbox_free(&small);

    need.letters++;
    struct hsay_outbox enough = outbox_of(&need);
    assert_int_equal(hsay_node_on_time(node, world_now(&w), &enough), 0);
    assert_int_equal(enough.letter_count, 1);
    assert_true(hsay_node_deadline(node).ns > w.now_ns);
    outbox_free(&enough);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_put_fails),
        cmocka_unit_test(test_each_commit_fails),
        cmocka_unit_test(test_store_breaks),
        cmocka_unit_test(test_lost_publish_is_no_fork),
        cmocka_unit_test(test_full_store_still_gives),
        cmocka_unit_test(test_outbox_too_small),
        cmocka_unit_test(test_time_waits_for_room),
    };
    return cmocka_run_group_tests_name("node and faults", tests, NULL, NULL);
}
