/*
 * Goal of this test: the ways of a node that the sync tests do not take: signatures checked
 * outside, fetch by digest, several overlays in one node, both address families, an address book, a
 * peer that starts anew, and what the status calls say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "tests/world/world.h"

static void publish_many(struct world *w, unsigned node, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        world_publish(w, node, "something to say");
}

static uint64_t counter(const struct world *w, unsigned i, enum hsay_counter c)
{
    return hsay_node_stats(w->node[i].node)->count[c];
}

/* ---- signatures checked by somebody else ---- */

struct verdicts {
    uint64_t asked;
    bool good;
};

/* Answer every EVENT_VERIFY that lies in the outbox of a call made by hand. */
static void give_verdicts(struct world *w, unsigned i, void *user)
{
    struct verdicts *v = user;
    size_t count = w->out.event_count;
    for (size_t k = 0; k < count; k++) {
        struct hsay_event e = w->out.event[k];
        if (e.kind != HSAY_EVENT_VERIFY)
            continue;
        v->asked++;
        assert_int_equal(hsay_node_on_verdict(w->node[i].node, world_now(w), 0, &e.peer, e.bytes,
                                              v->good, &w->out),
                         0);
    }
}

static void test_verify_outside(void **state)
{
    (void)state;
    for (int good = 0; good <= 1; good++) {
        struct world w;
        struct verdicts v = {.good = good != 0};
        world_init(&w, 2, 21);
        w.node_config.verify_outside = true;
        w.verdict = give_verdicts;
        w.verdict_user = &v;
        world_start(&w);
        publish_many(&w, 0, 30);
        world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
        world_run(&w, 10000);
        assert_true(v.asked >= 30);
        assert_int_equal(w.node[1].delivered, good ? 30 : 0);
        assert_int_equal(w.node[1].repeated, 0);
        world_free(&w);
    }
}

/* ---- fetch ---- */

static void test_fetch(void **state)
{
    struct world w;
    struct hsay_position at;
    (void)state;
    world_init(&w, 2, 22);
    w.overlay_config.no_step = true; /* nothing moves unless we say so */
    world_start(&w);
    publish_many(&w, 0, 60);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    struct hsay_store store = hsay_store_mem_port(&w.node[0].store);
    struct hsay_digest wanted[48];
    for (unsigned i = 0; i < 48; i++) {
        assert_int_equal(store.ops->at_rank(store.self, i + 5, &at), 0);
        wanted[i] = at.digest;
    }
    /* The first contact has no key yet, and only an introduction-request may be sealed so. */
    assert_int_equal(hsay_node_on_fetch(w.node[1].node, world_now(&w), 0, wanted, 1, &w.out),
                     HSAY_EBUDGET);
    world_free(&w);

    world_init(&w, 2, 23);
    w.overlay_config.pull_only = true;
    world_start(&w);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    world_run(&w, 3000);
    publish_many(&w, 0, 60);
    store = hsay_store_mem_port(&w.node[0].store);
    for (unsigned i = 0; i < 48; i++) {
        assert_int_equal(store.ops->at_rank(store.self, i + 5, &at), 0);
        wanted[i] = at.digest;
    }
    int rc = HSAY_EBUDGET; /* its partner may be answering something else just now */
    for (int i = 0; i < 20 && rc == HSAY_EBUDGET; i++) {
        rc = hsay_node_on_fetch(w.node[1].node, world_now(&w), 0, wanted, 48, &w.out);
        world_drain(&w, 1);
        world_run(&w, 10);
    }
    assert_int_equal(rc, 0);
    world_run(&w, 100);
    assert_int_equal(w.node[1].delivered, 48);
    assert_int_equal(hsay_node_on_fetch(w.node[1].node, world_now(&w), 0, wanted, 49, &w.out),
                     HSAY_EINVAL);
    world_free(&w);
}

/* ---- several overlays ---- */

/* Both nodes join a second overlay; what is said in one stays there. */
static void test_two_overlays(void **state)
{
    struct world w;
    struct hsay_store_mem second[2];
    uint16_t number;
    (void)state;
    world_init(&w, 2, 24);
    w.node_config.overlays_max = 2;
    world_start(&w);
    for (unsigned i = 0; i < 2; i++) {
        struct hsay_overlay_config config = w.overlay_config;
        hsay_store_mem_init(&second[i], 0, &w.crypto);
        config.overlay = (struct hsay_key){.byte = {7, 7, 7}};
        config.store = hsay_store_mem_port(&second[i]);
        assert_int_equal(hsay_node_join(w.node[i].node, world_now(&w), &config, &number), 0);
        assert_int_equal(number, 1);
        assert_int_equal(hsay_node_join(w.node[i].node, world_now(&w), &config, &number),
                         HSAY_EEXIST);
    }
    struct hsay_peer first = {.addr = w.node[0].addr};
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    assert_int_equal(
        hsay_node_add_peer(w.node[1].node, world_now(&w), 1, &first, HSAY_BUCKET_TRUSTED), 0);
    publish_many(&w, 0, 40);
    struct hsay_draft draft = {.overlay = 1,
                               .author_secret = w.node[0].author_secret,
                               .payload = {(const uint8_t *)"apart", 5}};
    struct hsay_id id;
    assert_int_equal(hsay_node_on_publish(w.node[0].node, world_now(&w), &draft, &id, &w.out), 0);
    world_drain(&w, 0);
    world_run(&w, 5000);
    struct hsay_overlay_status s[2];
    for (uint16_t o = 0; o < 2; o++)
        assert_int_equal(hsay_node_overlay_status(w.node[1].node, world_now(&w), o, &s[o]), 0);
    assert_int_equal(s[0].sum.count, 40);
    assert_int_equal(s[1].sum.count, 1);
    assert_true(s[0].synced && s[1].synced);

    assert_int_equal(hsay_node_leave(w.node[1].node, 1), 0);
    assert_int_equal(hsay_node_overlay_status(w.node[1].node, world_now(&w), 1, &s[1]),
                     HSAY_ENOENT);
    world_run(&w, 30000); /* the other may go on asking: counted as an unknown overlay */
    assert_true(hsay_node_stats(w.node[1].node)->drop[HSAY_DROP_OVERLAY] > 0);
    world_free(&w);
    for (unsigned i = 0; i < 2; i++)
        hsay_store_mem_free(&second[i]);
}

/* ---- both families ---- */

/* Two nodes on IPv4, two on IPv6, one that is asked by all: one overlay. */
static void test_both_families(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 5, 25);
    world_start(&w);
    for (unsigned i = 3; i < 5; i++)
        w.node[i].addr = world_addr6(i);
    w.second_family = true; /* node 0 hears both */
    for (unsigned i = 1; i < 5; i++)
        world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
    publish_many(&w, 1, 20);
    publish_many(&w, 3, 20);
    assert_true(world_run_until_same(&w, 40, 30000) != UINT64_MAX);
    world_run(&w, 60000);
    for (unsigned i = 1; i < 5; i++) { /* nobody was introduced to a family it can not reach */
        struct hsay_peer_status p;
        for (size_t k = 0; hsay_node_peer_at(w.node[i].node, world_now(&w), 0, k, &p) == 0; k++)
            assert_true(p.bucket == HSAY_BUCKET_TRUSTED || p.peer.addr.kind == w.node[i].addr.kind);
    }
    world_free(&w);
}

/* ---- starting anew ---- */

/* A peer forgets its token secret and its key; we notice and go on. */
static void test_peer_starts_anew(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 2, 26);
    world_start(&w);
    world_name(&w, 1, 0, HSAY_BUCKET_TRUSTED);
    publish_many(&w, 0, 10);
    assert_true(world_run_until_same(&w, 10, 10000) != UINT64_MAX);
    world_restart(&w, 0, false);
    publish_many(&w, 0, 10);
    assert_true(world_run_until_same(&w, 20, 120000) != UINT64_MAX);
    world_free(&w);
}

/* Everybody that was named is gone; the address book leads back. */
static void test_address_book(void **state)
{
    struct world w;
    struct hsay_peer book[8];
    size_t known = 0;
    (void)state;
    world_init(&w, 5, 27);
    world_start(&w);
    for (unsigned i = 1; i < 5; i++)
        world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
    world_run(&w, 20000);
    while (known < 8 && hsay_node_book_at(w.node[1].node, 0, known, &book[known]) == 0)
        known++;
    assert_true(known >= 3);
    w.node[0].online = false;
    world_restart(&w, 1, true);
    for (size_t i = 0; i < known; i++)
        assert_int_equal(
            hsay_node_add_peer(w.node[1].node, world_now(&w), 0, &book[i], HSAY_BUCKET_BOOK), 0);
    publish_many(&w, 3, 10);
    assert_true(world_run_until_same(&w, 10, 20000) != UINT64_MAX);
    world_free(&w);
}

/* ---- what a node tells ---- */

static void test_status(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, 3, 28);
    world_start(&w);
    for (unsigned i = 1; i < 3; i++)
        world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
    publish_many(&w, 1, 50);
    world_run(&w, 15000);
    struct hsay_address_status a;
    assert_int_equal(hsay_node_address(w.node[2].node, world_now(&w), HSAY_ADDR_IP4, &a), 0);
    assert_memory_equal(&a.addr, &w.node[2].addr, sizeof a.addr);
    assert_int_equal(hsay_node_address(w.node[2].node, world_now(&w), HSAY_ADDR_IP6, &a),
                     HSAY_ENOENT);

    uint8_t bits[2][HSAY_FILTER_MAX_BYTES];
    struct hsay_claim_status claim[2];
    for (int i = 0; i < 2; i++) /* twice the same: looking changes nothing */
        assert_int_equal(
            hsay_node_claim_preview(w.node[2].node, world_now(&w), 0, bits[i], &claim[i]), 0);
    assert_int_equal(claim[0].count, 50);
    assert_int_equal(claim[0].salt, claim[1].salt);
    assert_int_equal(counter(&w, 2, HSAY_COUNT_BUNDLES_NEW), 50);
    for (int i = 0; i < HSAY_COUNTER_COUNT; i++)
        assert_string_not_equal(hsay_counter_name((enum hsay_counter)i), "unknown");
    for (int i = 0; i < HSAY_DROP_COUNT; i++)
        assert_string_not_equal(hsay_drop_name((enum hsay_drop)i), "unknown");
    for (int i = 0; i < HSAY_BUCKET_COUNT; i++)
        assert_string_not_equal(hsay_bucket_name((enum hsay_bucket)i), "unknown");
    world_free(&w);
}

/* Arguments outside what the header states. */
static void test_wrong_arguments(void **state)
{
    struct world w;
    struct hsay_id id;
    uint16_t number;
    static uint8_t large[2000];
    (void)state;
    world_init(&w, 1, 29);
    world_start(&w);
    struct hsay_node *n = w.node[0].node;
    struct hsay_draft draft = {.author_secret = w.node[0].author_secret,
                               .payload = {large, HSAY_PAYLOAD_MAX_BYTES + 1}};
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), HSAY_EINVAL);
    draft.payload.size = 10;
    draft.overlay = 9;
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), HSAY_ENOENT);
    draft.overlay = 0;
    draft.expiry_s = 1; /* long ago */
    assert_int_not_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), 0);
    draft.expiry_s = 0;
    draft.parent_count = HSAY_PARENTS_MAX + 1;
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), HSAY_EINVAL);
    struct hsay_peer self = {.addr = world_addr(3), .key = *hsay_node_key(n)};
    assert_int_equal(hsay_node_add_peer(n, world_now(&w), 0, &self, HSAY_BUCKET_TRUSTED),
                     HSAY_EINVAL);
    struct hsay_peer nowhere = {.addr = {.kind = HSAY_ADDR_IP4, .byte = {224, 0, 0, 1}, .port = 9}};
    assert_int_equal(hsay_node_add_peer(n, world_now(&w), 0, &nowhere, HSAY_BUCKET_TRUSTED),
                     HSAY_EINVAL);
    struct hsay_overlay_config config = w.overlay_config;
    config.store = hsay_store_mem_port(&w.node[0].store);
    config.overlay.byte[0] = 1;
    assert_int_equal(hsay_node_join(n, world_now(&w), &config, &number), HSAY_ENOSPC);
    assert_int_equal(hsay_node_leave(n, 3), HSAY_ENOENT);
    struct hsay_node_config bad = {.ledger_max = 100};
    uint8_t seed[32] = {0};
    void *memory = malloc(hsay_node_size(&bad));
    assert_int_equal(hsay_node_init(memory, &bad, &w.crypto, seed, world_now(&w), &n), HSAY_EINVAL);
    free(memory);
    world_free(&w);
}

/* A log that goes on behind a mark, and one whose mark is beyond what others would take. */
static void test_marks(void **state)
{
    struct world w;
    struct hsay_id id;
    struct hsay_digest digest;
    struct hsay_record record;
    (void)state;
    world_init(&w, 1, 30);
    world_start(&w);
    struct hsay_draft draft = {.author_secret = w.node[0].author_secret,
                               .payload = {(const uint8_t *)"again", 5},
                               .sequence_min = 100,
                               .time_min = 50};
    struct hsay_node *n = w.node[0].node;
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), 0);
    memcpy(digest.byte, id.byte, sizeof digest.byte);
    struct hsay_store store = hsay_store_mem_port(&w.node[0].store);
    assert_int_equal(store.ops->get(store.self, &digest, &record), 0);
    assert_int_equal(record.sequence, 100);
    assert_int_equal(record.at.time, 50);
    draft.time_min = 1000000;
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), HSAY_EBUDGET);
    draft.time_min = UINT64_MAX;
    assert_int_equal(hsay_node_on_publish(n, world_now(&w), &draft, &id, &w.out), HSAY_EINVAL);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_outside),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_two_overlays),
        cmocka_unit_test(test_both_families),
        cmocka_unit_test(test_peer_starts_anew),
        cmocka_unit_test(test_address_book),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests_name("node ways", tests, NULL, NULL);
}
