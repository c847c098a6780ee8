/*
 * Goal of this test: what an outsider can make an overlay do to any address is bounded by what it
 * spends itself, whatever it sends; and each refusal is counted under its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "tests/world/stranger.h"

enum { NODES = 8 };

struct scene {
    struct world w;
    struct stranger s;
};

static const struct stranger_sealing to_overlay = {.first = true};
static const struct stranger_sealing to_node = {.first = false};

static void begin(struct scene *scene, uint64_t seed, const char *secret)
{
    struct hsay_addr addr = world_addr(5000);
    world_init(&scene->w, NODES, seed);
    world_set_secret(&scene->w, secret);
    world_start(&scene->w);
    for (unsigned i = 1; i < NODES; i++)
        world_name(&scene->w, i, 0, HSAY_BUCKET_TRUSTED);
    for (unsigned i = 0; i < 40; i++)
        world_publish(&scene->w, i % NODES,
                      "something worth having, long enough to fill a datagram");
    world_run(&scene->w, 30000);
    stranger_init(&scene->s, &scene->w, &addr);
}

static uint64_t drops(const struct scene *scene, enum hsay_drop reason)
{
    return hsay_node_stats(scene->w.node[0].node)->drop[reason];
}

static void assert_ledger(const struct stranger *s)
{
    assert_true(s->got_bytes <= s->sent_bytes);
    assert_true(s->got_packets <= 2 * s->sent_packets);
}

/* Requests of every size and claim: never more bytes than were sent, all senders counted. */
static void test_requests_never_amplify(void **state)
{
    struct scene scene;
    uint64_t answered = 0, punctured = 0;
    (void)state;
    begin(&scene, 1, "");
    for (size_t bytes = 100; bytes <= HSAY_DATAGRAM_DEFAULT_BYTES; bytes += 9) {
        for (uint8_t kind = HSAY_CLAIM_NONE; kind <= HSAY_CLAIM_EMPTY; kind++) {
            if (kind == HSAY_CLAIM_BLOOM)
                continue; /* needs bits; EMPTY draws the same */
            struct hsay_message m = stranger_request(&scene.s, kind, bytes);
            scene.s.got_bytes = scene.s.got_packets = 0;
            scene.s.sent_bytes = scene.s.sent_packets = 0;
            stranger_send(&scene.s, 0, &m, bytes % 2 == 0 ? &to_overlay : &to_node);
            world_run(&scene.w, 300);
            assert_ledger(&scene.s);
            answered += scene.s.got_packets > 0;
            punctured += scene.s.got_packets == 2;
        }
    }
    printf("# strangers: %llu answered, %llu of them with a puncture\n",
           (unsigned long long)answered, (unsigned long long)punctured);
    assert_true(answered > 100); /* the bound is not kept by silence */
    assert_true(punctured >= 5); /* three per introduced peer, as the stranger never replies */
    world_free(&scene.w);
}

/* Negative control: with a token the same address may be given much more than it sent. */
static void test_validated_gets_more(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 2, "");
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene.s, 0, &m, &to_overlay);
    assert_int_equal(scene.s.answer.type, HSAY_MSG_INTRO_RESPONSE);
    struct hsay_token token = scene.s.answer.intro_response.token;
    struct stranger_sealing known = {.token = &token};
    m = stranger_request(&scene.s, HSAY_CLAIM_EMPTY, 200);
    scene.s.got_bytes = scene.s.sent_bytes = 0;
    stranger_send(&scene.s, 0, &m, &known);
    assert_true(scene.s.got_bytes > 5 * scene.s.sent_bytes);

    /* The same token from another address is worth nothing. */
    struct stranger thief = scene.s;
    thief.addr.byte[1] ^= 1;
    scene.w.watch_user = &thief;
    thief.got_bytes = thief.sent_bytes = 0;
    m = stranger_request(&thief, HSAY_CLAIM_EMPTY, 200);
    stranger_send(&thief, 0, &m, &known);
    assert_true(thief.got_bytes <= thief.sent_bytes);
    world_free(&scene.w);
}

static void test_replay_is_answered_once(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 3, "");
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_EMPTY, 1200);
    stranger_send(&scene.s, 0, &m, &to_overlay);
    world_run(&scene.w, 100);
    uint64_t first = scene.s.got_packets;
    assert_true(first >= 1);
    for (int i = 0; i < 100; i++)
        stranger_send_raw(&scene.s, 0, scene.s.last, scene.s.last_size);
    world_run(&scene.w, 100);
    assert_int_equal(scene.s.got_packets, first);
    assert_true(drops(&scene, HSAY_DROP_REPLAY) > 0);
    world_free(&scene.w);
}

/* Without the overlay's secret not one byte comes out. */
static void test_secret_overlay_is_silent(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 4, "between us");
    struct stranger guess = scene.s;
    hsay_seal_derive(&guess.keys, &scene.w.crypto, &scene.w.overlay, (struct hsay_span){NULL, 0});
    memcpy(guess.keys.tag, scene.s.keys.tag, sizeof guess.keys.tag); /* as seen on the wire */
    scene.w.watch_user = &guess;
    for (int i = 0; i < 500; i++) {
        struct hsay_message m = stranger_request(&guess, HSAY_CLAIM_EMPTY, 1200);
        stranger_send(&guess, 0, &m, i % 2 == 0 ? &to_overlay : &to_node);
        world_run(&scene.w, 100);
    }
    assert_int_equal(guess.got_packets, 0);
    assert_true(drops(&scene, HSAY_DROP_SEAL) > 400);

    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_EMPTY, 1200);
    scene.w.watch_user = &scene.s; /* negative control: with the secret it is answered */
    stranger_send(&scene.s, 0, &m, &to_overlay);
    assert_true(scene.s.got_packets > 0);
    world_free(&scene.w);
}

/* Everything but requests from a stranger: nothing comes back, nothing is stored. */
static void test_other_messages_draw_nothing(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 5, "");
    struct hsay_overlay_status before, after;
    hsay_node_overlay_status(scene.w.node[0].node, world_now(&scene.w), 0, &before);
    uint64_t refused = drops(&scene, HSAY_DROP_PUNCTURE);
    uint8_t tail[300] = {0};
    struct hsay_addr victim = world_addr(6000);
    for (uint8_t type = HSAY_MSG_INTRO_RESPONSE; type < HSAY_MSG_TYPE_COUNT; type++) {
        if (type == HSAY_MSG_FETCH)
            continue;
        for (int i = 0; i < 20; i++) {
            struct hsay_message m = {.type = type};
            struct stranger_sealing how = to_node;
            if (type == HSAY_MSG_PUNCTURE_REQUEST) {
                m.puncture_request.id = 7;
                m.puncture_request.target =
                    (struct hsay_introduced){.addr = victim, .key = scene.s.key};
            } else if (type == HSAY_MSG_BUNDLES) {
                m.bundles.id = (uint64_t)(i % 2);
                m.bundles.flags = i % 2 == 0 ? HSAY_BUNDLES_MAIL : 0;
            } else if (type == HSAY_MSG_DIRECT) {
                how.tail = tail;
                how.tail_size = sizeof tail;
            }
            stranger_send(&scene.s, 0, &m, &how);
        }
    }
    world_run(&scene.w, 1000);
    assert_int_equal(scene.s.got_packets, 0);
    assert_int_equal(scene.w.node[0].direct, 0);
    hsay_node_overlay_status(scene.w.node[0].node, world_now(&scene.w), 0, &after);
    assert_int_equal(before.sum.count, after.sum.count);
    assert_int_equal(drops(&scene, HSAY_DROP_PUNCTURE), refused + 20);
    assert_true(drops(&scene, HSAY_DROP_UNASKED) + drops(&scene, HSAY_DROP_TOKEN) >= 60);
    world_free(&scene.w);
}

/* A fetch is answered with what it paid for. */
static void test_fetch_never_amplifies(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 6, "");
    struct hsay_store store = hsay_store_mem_port(&scene.w.node[0].store);
    struct hsay_digest held[8];
    for (unsigned i = 0; i < 8; i++) {
        struct hsay_position at;
        assert_int_equal(store.ops->at_rank(store.self, i, &at), 0);
        held[i] = at.digest;
    }
    for (size_t padding = 0; padding < 900; padding += 50) {
        struct hsay_message m = {.type = HSAY_MSG_FETCH};
        m.fetch = (struct hsay_fetch){
            .id = world_chance(&scene.w), .count = 8, .digests = held[0].byte, .padding = padding};
        scene.s.got_bytes = scene.s.sent_bytes = scene.s.got_packets = scene.s.sent_packets = 0;
        stranger_send(&scene.s, 0, &m, &to_node);
        world_run(&scene.w, 100);
        assert_ledger(&scene.s);
    }
    world_free(&scene.w);
}

/* Everybody is asked to puncture a victim, in turn, `times` in all; `token` may be NULL. */
static void name_victim(struct scene *scene, const struct hsay_addr *victim, int times,
                        unsigned nodes, const struct hsay_token *token)
{
    for (int i = 0; i < times; i++) {
        struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
        m.puncture_request.id = world_chance(&scene->w);
        m.puncture_request.target = (struct hsay_introduced){.addr = *victim, .key = scene->s.key};
        m.puncture_request.target.key.byte[0] ^= (uint8_t)i;
        stranger_send(&scene->s, (unsigned)i % nodes, &m,
                      &(struct stranger_sealing){.token = token});
        world_run(&scene->w, 100);
    }
}

/* A stranger names a victim to everybody it can: the victim gets nothing.  The control: who shows
 * the token of an answer is obeyed. */
static void test_named_victim(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 7, "");
    struct hsay_addr victim = world_addr(6000);
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene.s, 0, &m, &to_overlay);
    struct hsay_token token = scene.s.answer.intro_response.token, forged = token;
    forged.byte[3] ^= 1;
    struct stranger witness = scene.s;
    witness.addr = victim;
    witness.got_packets = 0;
    scene.w.watch_user = &witness;
    name_victim(&scene, &victim, 1000, NODES, NULL);
    name_victim(&scene, &victim, 1000, NODES, &forged);
    assert_int_equal(witness.got_packets, 0);

    scene.w.watch_user = &scene.s;
    m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene.s, 0, &m, &to_overlay);
    token = scene.s.answer.intro_response.token;
    scene.w.watch_user = &witness;
    name_victim(&scene, &victim, 100, 1, &token);
    assert_in_range(witness.got_packets, 1, 3);
    world_free(&scene.w);
}

/* Whoever was introduced to somebody is no candidate any more, but the token says that we answered
 * it lately: its own puncture-requests are obeyed.  Without the token they are not. */
static void test_introduced_may_introduce(void **state)
{
    struct scene scene;
    struct hsay_addr target = world_addr(6000);
    (void)state;
    begin(&scene, 10, "");
    struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene.s, 0, &m, &to_overlay);
    assert_int_equal(scene.s.answer.type, HSAY_MSG_INTRO_RESPONSE);
    struct hsay_token token = scene.s.answer.intro_response.token;
    struct stranger_sealing known = {.token = &token};
    m = stranger_request(&scene.s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene.s, 0, &m, &known);
    struct stranger asker; /* to whom it is introduced */
    struct hsay_addr addr = world_addr(5500);
    stranger_init(&asker, &scene.w, &addr);
    scene.w.watch_user = &scene.s;
    for (int i = 0; i < 20 && scene.s.answer.type != HSAY_MSG_PUNCTURE_REQUEST; i++) {
        m = stranger_request(&asker, HSAY_CLAIM_NONE, 400);
        stranger_send(&asker, 0, &m, &to_overlay);
        world_run(&scene.w, 50);
    }
    assert_int_equal(scene.s.answer.type, HSAY_MSG_PUNCTURE_REQUEST);

    struct stranger witness = scene.s;
    witness.addr = target;
    witness.got_packets = 0;
    scene.w.watch_user = &witness;
    m = (struct hsay_message){.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = 7;
    m.puncture_request.target = (struct hsay_introduced){.addr = target, .key = scene.s.key};
    stranger_send(&scene.s, 0, &m, &to_node);
    world_run(&scene.w, 100);
    assert_int_equal(witness.got_packets, 0);
    stranger_send(&scene.s, 0, &m, &known);
    world_run(&scene.w, 100);
    assert_int_equal(witness.got_packets, 1);
    world_free(&scene.w);
}

/* Any bytes, any size: counted, silent, and the node goes on. */
static void test_junk(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 8, "");
    uint8_t junk[HSAY_DATAGRAM_MAX_BYTES];
    uint64_t before = 0, after = 0;
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        before += drops(&scene, (enum hsay_drop)d);
    for (int i = 0; i < 20000; i++) {
        size_t size = world_chance(&scene.w) % (sizeof junk + 1);
        for (size_t k = 0; k < size; k++)
            junk[k] = (uint8_t)world_chance(&scene.w);
        if (i % 2 == 0 && size > 10) { /* with the right beginning */
            junk[0] = HSAY_WIRE_VERSION;
            junk[1] &= 3;
            memcpy(junk + 2, scene.s.keys.tag, HSAY_TAG_BYTES);
        }
        stranger_send_raw(&scene.s, 0, junk, size);
    }
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        after += drops(&scene, (enum hsay_drop)d);
    assert_int_equal(scene.s.got_packets, 0);
    assert_true(after - before >= 20000);
    world_free(&scene.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_never_amplify),
        cmocka_unit_test(test_validated_gets_more),
        cmocka_unit_test(test_replay_is_answered_once),
        cmocka_unit_test(test_secret_overlay_is_silent),
        cmocka_unit_test(test_other_messages_draw_nothing),
        cmocka_unit_test(test_fetch_never_amplifies),
        cmocka_unit_test(test_named_victim),
        cmocka_unit_test(test_introduced_may_introduce),
        cmocka_unit_test(test_junk),
    };
    return cmocka_run_group_tests_name("node and strangers", tests, NULL, NULL);
}
