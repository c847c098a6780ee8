/*
 * Goal: a node of the configuration that node.h recommends for simulations takes no more than 3,072
 * bytes, its small tables still do their work, and sizes that can not work are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "src/node/memory.h"
#include "tests/world/world.h"

enum { SMALL_BYTES = 3072, NODES = 30, PATIENCE_MS = 60000 };

/* As in node.h. */
static const struct hsay_node_config small = {
    .overlays_max = 1,
    .candidates_max = 12,
    .ways_max = 1,
    .pending_max = 3,
    .book_max = 1,
    .rumors_max = 3,
    .wants_max = 2,
    .voices_max = 3,
    .votes_max = 3,
    .punctures_max = 8,
    .keyring_max = 1,
    .ledger_max = 8,
    .gate_max = 1,
    .replay_max = 4,
    .no_filtering = true,
    .keys_given = true,
};

static struct hsay_node_stats stats;

/* ---- what takes what ---- */

struct line {
    const char *what;
    size_t each;
    size_t count;
};

static size_t print_lines(const struct line *line, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += line[i].each * line[i].count;
        print_message("%6zu  %3zu x %3zu  %s\n", line[i].each * line[i].count, line[i].count,
                      line[i].each, line[i].what);
    }
    return sum;
}

static void test_a_small_node_takes_three_kilobytes(void **state)
{
    struct hsay_node_config c = small;
    const struct line line[] = {
        {"node", sizeof(struct hsay_node), 1},
        {"overlay", sizeof(struct hsay_overlay), 1},
        {"candidates", sizeof(struct hsay_candidate), c.candidates_max},
        {"other addresses", sizeof(struct hsay_candidate_way), c.ways_max},
        {"requests", sizeof(struct hsay_pending), c.pending_max},
        {"rumors named in requests", sizeof(uint64_t), (size_t)c.pending_max * c.rumors_max},
        {"book", sizeof(struct hsay_book_entry), c.book_max},
        {"rumors", sizeof(struct hsay_rumor), c.rumors_max},
        {"wants", sizeof(struct hsay_want), c.wants_max},
        {"voices", sizeof(struct hsay_window_voice), c.voices_max},
        {"votes", sizeof(struct hsay_vote_entry), c.votes_max},
        {"punctures", sizeof(struct hsay_puncture_entry), c.punctures_max},
        {"keyring", sizeof(struct hsay_keyring_entry), c.keyring_max},
        {"ledger", sizeof(struct hsay_ledger_entry), c.ledger_max},
        {"gate", sizeof(struct hsay_gate_bucket), c.gate_max + 1},
        {"replay", sizeof(uint64_t), c.replay_max},
    };
    (void)state;
    c.stats = &stats;
    size_t sum = print_lines(line, sizeof line / sizeof *line);
    size_t size = hsay_node_size(&c);
    print_message("%6zu  in all\n", size);
    assert_in_range(size, sum, sum + 2 * sizeof(max_align_t)); /* nothing is lost on the way */
    assert_true(size <= SMALL_BYTES);
}

/* What the header says of what takes how much. */
static void test_the_header_is_right(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct hsay_candidate), 96);
    assert_int_equal(sizeof(struct hsay_candidate_way), 44);
    assert_int_equal(sizeof(struct hsay_pending), 128);
    assert_int_equal(sizeof(struct hsay_book_entry), 56);
    assert_int_equal(sizeof(struct hsay_rumor), 24);
    assert_int_equal(sizeof(struct hsay_want), 16);
    assert_int_equal(sizeof(struct hsay_window_voice), 16);
    assert_int_equal(sizeof(struct hsay_vote_entry), 32);
    assert_int_equal(sizeof(struct hsay_puncture_entry), 8);
    assert_int_equal(sizeof(struct hsay_keyring_entry), 72);
    assert_int_equal(sizeof(struct hsay_ledger_entry), 8);
    assert_int_equal(sizeof(struct hsay_gate_bucket), 20);
    assert_int_equal(sizeof(struct hsay_seal_keys), 100);
    assert_int_equal(sizeof(struct hsay_node_stats), 1232);
    assert_true(sizeof(struct hsay_node) <= 432);
    assert_true(sizeof(struct hsay_filter) <= 1300);
    assert_true(sizeof(struct hsay_overlay) <= 400);
}

/* ---- the cutting ---- */

static uint64_t draw(uint64_t *seed, uint64_t bound)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % bound;
}

static struct hsay_node_config any_config(uint64_t *seed)
{
    struct hsay_node_config c = {
        .overlays_max = (uint16_t)(1 + draw(seed, 5)),
        .candidates_max = (uint16_t)(1 + draw(seed, 20)),
        .pending_max = (uint16_t)(1 + draw(seed, 5)),
        .book_max = (uint16_t)(1 + draw(seed, 5)),
        .rumors_max = (uint16_t)(1 + draw(seed, 12)),
        .wants_max = (uint16_t)(1 + draw(seed, 5)),
        .voices_max = (uint16_t)(3 + draw(seed, 6)),
        .votes_max = (uint16_t)(3 + draw(seed, 10)),
        .punctures_max = (uint16_t)(1 + draw(seed, 5)),
        .keyring_max = (uint32_t)(1 + draw(seed, 3)),
        .ledger_max = UINT32_C(1) << draw(seed, 5),
        .gate_max = UINT32_C(1) << draw(seed, 5),
        .replay_max = (uint32_t)(1 + draw(seed, 5)),
        .stats = draw(seed, 2) == 0 ? &stats : NULL,
        .no_filtering = draw(seed, 2) == 0,
        .keys_given = draw(seed, 2) == 0,
    };
    static const uint16_t sockets[] = {0, HSAY_SOCKETS_LIFETIME, HSAY_SOCKETS_MAX};
    c.sockets_max = sockets[draw(seed, 3)];
    hsay_node_config_default(&c);
    return c;
}

struct piece {
    const void *at;
    size_t bytes;
    size_t align;
};

#define PIECE(table, count)                                                                        \
    {                                                                                              \
        table, (count) * sizeof *(table), _Alignof(__typeof__(*(table)))                           \
    }

static void check_pieces(const uint8_t *memory, size_t size, const struct piece *piece,
                         size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = piece[i].at;
        if (at == NULL || piece[i].at == &stats)
            continue;
        sum += piece[i].bytes;
        assert_int_equal((uintptr_t)at % piece[i].align, 0);
        assert_true(at >= memory && at + piece[i].bytes <= memory + size);
        for (size_t j = 0; j < i; j++) {
            const uint8_t *other = piece[j].at;
            assert_true(other == NULL || at + piece[i].bytes <= other ||
                        other + piece[j].bytes <= at);
        }
    }
    assert_true(size < sum + 64);
}

static void test_tables_lie_apart_and_aligned(void **state)
{
    uint64_t seed = 5;
    (void)state;
    for (int round = 0; round < 500; round++) {
        struct hsay_node_config c = any_config(&seed);
        size_t n = c.overlays_max, size = hsay_node_size(&c);
        uint8_t *memory = malloc(size);
        struct hsay_memory m;
        assert_int_equal(hsay_memory_carve(&m, &c, memory), size);
        assert_int_equal(size % _Alignof(max_align_t), 0);
        const struct piece piece[] = {
            PIECE(m.node, 1),
            PIECE(m.overlay, n),
            PIECE(m.stats, 1),
            PIECE(m.keys, n),
            PIECE(m.keyring, c.keyring_max),
            PIECE(m.ledger, c.ledger_max),
            PIECE(m.gate, c.gate_max + 1),
            PIECE(m.vote, c.votes_max),
            PIECE(m.puncture, c.punctures_max),
            PIECE(m.replay, c.replay_max),
            PIECE(m.candidate, n * c.candidates_max),
            PIECE(m.way, n * c.ways_max),
            PIECE(m.pending, n * c.pending_max),
            PIECE(m.newest, n * c.pending_max * hsay_memory_newest_max(&c)),
            PIECE(m.book, n * c.book_max),
            PIECE(m.rumor, n * c.rumors_max),
            PIECE(m.want, n * c.wants_max),
            PIECE(m.voice, n * c.voices_max),
            PIECE(m.extras, 1),
            PIECE(m.part.around, 1),
            PIECE(m.part.measure, 1),
            PIECE(m.part.search, 1),
        };
        check_pieces(memory, size, piece, sizeof piece / sizeof *piece);
        free(memory);
    }
}

/* ---- limits ---- */

static void test_sizes_that_can_not_work_are_refused(void **state)
{
    static const struct hsay_node_config bad[] = {
        {.overlays_max = 256}, {.candidates_max = 8, .ways_max = 9},
        {.voices_max = 2},     {.voices_max = 9},
        {.votes_max = 2},      {.votes_max = 13},
        {.keyring_max = 5},    {.keyring_max = 1022},
        {.ledger_max = 3},     {.gate_max = 12},
        {.datagram_bytes = 1}, {.datagram_bytes = HSAY_DATAGRAM_MAX_BYTES + 1},
    };
    static const struct hsay_node_config good[] = {
        {.overlays_max = 1},
        {.candidates_max = 8, .ways_max = 8},
        {.voices_max = 3, .votes_max = 3, .keyring_max = 3},
        {.voices_max = 8, .votes_max = 12, .keyring_max = 8, .replay_max = 7},
    };
    struct world w;
    struct hsay_node *node;
    uint8_t seed[32] = {1};
    (void)state;
    world_init(&w, 1, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof good / sizeof *good; i++) {
        bool is_bad = i < sizeof bad / sizeof *bad;
        const struct hsay_node_config *c = is_bad ? &bad[i] : &good[i - sizeof bad / sizeof *bad];
        void *memory = malloc(hsay_node_size(c));
        assert_int_equal(hsay_node_init(memory, c, &w.crypto, seed, world_now(&w), &node),
                         is_bad ? HSAY_EINVAL : 0);
        free(memory);
    }
    world_free(&w);
}

/* ---- small nodes at work ---- */

/* A tracker, newcomers who know it alone, bundles from five of them, and one datagram in ten is
 * lost. */
static void converge(const struct hsay_node_config *config, unsigned nodes, unsigned bundles)
{
    struct world w;
    struct hsay_seal_keys keys;
    memset(&stats, 0, sizeof stats);
    world_init(&w, nodes, 7);
    w.node_config = *config;
    assert_int_equal(hsay_overlay_keys(&keys, &w.crypto, &w.overlay, (struct hsay_span){NULL, 0}),
                     0);
    if (config->keys_given)
        w.overlay_config.keys = &keys;
    w.overlay_config.wait_ms = 1000;
    w.link.loss_permille = 100;
    world_start(&w);
    for (unsigned i = 1; i < nodes; i++)
        world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
    world_run(&w, 5000);
    for (unsigned i = 0; i < bundles; i++)
        world_publish(&w, i % 5, "news");
    uint64_t ms = world_run_until_same(&w, bundles, PATIENCE_MS);
    print_message("%u nodes hold the same %u bundles after %.1f s\n", nodes, bundles,
                  (double)ms / 1000);
    assert_true(ms != UINT64_MAX);
    world_free(&w);
}

static void test_thirty_small_nodes_converge(void **state)
{
    struct hsay_node_config c = small;
    (void)state;
    c.stats = &stats;
    converge(&c, NODES, 100);
    assert_int_equal(stats.count[HSAY_COUNT_BUNDLES_OWN], 100);
    assert_int_equal(stats.count[HSAY_COUNT_BUNDLES_NEW], 100 * (NODES - 1));
}

static void test_the_smallest_tables_work(void **state)
{
    struct hsay_node_config c = {
        .overlays_max = 1,
        .candidates_max = 2,
        .pending_max = 1,
        .book_max = 1,
        .rumors_max = 1,
        .wants_max = 1,
        .voices_max = 3,
        .votes_max = 3,
        .punctures_max = 1,
        .keyring_max = 1,
        .ledger_max = 1,
        .gate_max = 1,
        .replay_max = 1,
    };
    (void)state;
    converge(&c, 5, 20);
}

/* Keys that stay outside must be given; where there is room for them they may be. */
static void test_keys_may_be_given(void **state)
{
    struct world w;
    struct hsay_seal_keys keys;
    struct hsay_node *node;
    struct hsay_node_config c = small;
    uint8_t seed[32] = {1}, secret[32] = {2};
    uint16_t number;
    (void)state;
    world_init(&w, 1, 1);
    world_start(&w);
    assert_int_equal(
        hsay_overlay_keys(&keys, &w.crypto, &w.overlay, (struct hsay_span){secret, 31}),
        HSAY_EINVAL);
    assert_int_equal(
        hsay_overlay_keys(&keys, &w.crypto, &w.overlay, (struct hsay_span){secret, 32}), 0);
    for (int given = 0; given < 2; given++) {
        c.keys_given = given != 0;
        struct hsay_overlay_config o = {.overlay = w.overlay,
                                        .store = hsay_store_mem_port(&w.node[0].store)};
        void *memory = malloc(hsay_node_size(&c));
        assert_int_equal(hsay_node_init(memory, &c, &w.crypto, seed, world_now(&w), &node), 0);
        int without = hsay_node_join(node, world_now(&w), &o, &number);
        assert_int_equal(without, given ? HSAY_EINVAL : 0);
        if (without == 0)
            assert_int_equal(hsay_node_leave(node, number), 0);
        o.keys = &keys;
        assert_int_equal(hsay_node_join(node, world_now(&w), &o, &number), 0);
        assert_int_equal(hsay_node_join(node, world_now(&w), &o, &number), HSAY_EEXIST);
        assert_int_equal(hsay_node_leave(node, number), 0);
        o.wait_ms = HSAY_REQUEST_LIFETIME_MS + 1;
        assert_int_equal(hsay_node_join(node, world_now(&w), &o, &number), HSAY_EINVAL);
        o.wait_ms = 0;
        assert_int_equal(hsay_node_join(node, world_now(&w), &o, &number), 0);
        assert_int_equal(node->overlay[number].keys == &keys, given);
        assert_memory_equal(node->overlay[number].keys, &keys, sizeof keys);
        free(memory);
    }
    world_free(&w);
}

/* ---- what a call may tell ---- */

/* After a sleep all requests that were out are over in one call, and each is told. */
static void test_all_requests_time_out_at_once(void **state)
{
    enum { PEERS = 200, PENDING = 120 };
    struct world w;
    (void)state;
    world_init(&w, 1, 5);
    w.node_config.candidates_max = PEERS;
    w.node_config.pending_max = PENDING;
    w.overlay_config.step_ms = 50;
    world_start(&w);
    for (unsigned i = 0; i < PEERS; i++) {
        struct hsay_peer peer = {.addr = world_addr(100 + i)}; /* where nobody is */
        hsay_node_add_peer(w.node[0].node, world_now(&w), 0, &peer, HSAY_BUCKET_TRUSTED);
    }
    world_run(&w, 9000);
    const struct hsay_node_stats *counts = hsay_node_stats(w.node[0].node);
    uint64_t asked = counts->count[HSAY_COUNT_STEPS];
    assert_true(asked > 60);
    struct hsay_outbox_need need;
    hsay_node_outbox_need(w.node[0].node, &need);
    struct hsay_outbox out = {.bytes = calloc(1, need.bytes),
                              .bytes_size = need.bytes,
                              .letter = calloc(need.letters, sizeof(struct hsay_letter)),
                              .letter_max = need.letters,
                              .event = calloc(need.events, sizeof(struct hsay_event)),
                              .event_max = need.events};
    struct hsay_now later = world_now(&w);
    later.mono = hsay_time_add_ms(later.mono, 60000);
    assert_int_equal(hsay_node_on_time(w.node[0].node, later, &out), 0);
    uint64_t told = 0;
    for (size_t i = 0; i < out.event_count; i++)
        told += out.event[i].kind == HSAY_EVENT_ANSWER;
    assert_int_equal(told, asked);
    assert_int_equal(counts->drop[HSAY_DROP_OUTBOX], 0);
    free(out.bytes);
    free(out.letter);
    free(out.event);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_small_node_takes_three_kilobytes),
        cmocka_unit_test(test_the_header_is_right),
        cmocka_unit_test(test_tables_lie_apart_and_aligned),
        cmocka_unit_test(test_sizes_that_can_not_work_are_refused),
        cmocka_unit_test(test_thirty_small_nodes_converge),
        cmocka_unit_test(test_the_smallest_tables_work),
        cmocka_unit_test(test_keys_may_be_given),
        cmocka_unit_test(test_all_requests_time_out_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
