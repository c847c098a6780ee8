/*
 * Goal of this test: a peer that answers, and lies in every answer, or that spends its days on
 * making us work, gets a bounded part of us; and who is honest gets the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "src/sync/bundle.h"
#include "src/wire/pack.h"
#include "tests/world/stranger.h"

enum { LIAR = 5000, MINUTE_MS = 60000 };

/* What the liar says in every answer. */
struct lie {
    uint64_t count;
    uint8_t flags;
    bool introduces;               /* somebody new each time */
    const struct hsay_addr *where; /* of whom it introduces; NULL: each elsewhere */
    bool bundles_only; /* never a response; to the first request a bundles message every 20 ms */
};

struct scene {
    struct world w;
    struct stranger s;
    struct lie lie;
    struct hsay_token token; /* that node 0 made for the liar */
    uint64_t id;             /* of the request that the liar answers */
    unsigned introductions_asked, introductions_made, introductions_heard;
};

static const struct stranger_sealing plainly = {.first = false};

static uint64_t counter(const struct scene *scene, enum hsay_counter c)
{
    return hsay_node_stats(scene->w.node[0].node)->count[c];
}

static uint64_t drops(const struct scene *scene, enum hsay_drop d)
{
    return hsay_node_stats(scene->w.node[0].node)->drop[d];
}

static void begin(struct scene *scene, unsigned nodes, uint64_t seed)
{
    struct hsay_addr addr = world_addr(LIAR);
    memset(scene, 0, sizeof *scene);
    world_init(&scene->w, nodes, seed);
    world_start(&scene->w);
    for (unsigned i = 0; i < 50; i++)
        world_publish(&scene->w, 0, "something of our own");
    stranger_init(&scene->s, &scene->w, &addr);
}

/* Node 0 is told of the liar, as the operator would. */
static void name_liar(struct scene *scene)
{
    struct hsay_peer peer = {scene->s.addr, scene->s.key};
    assert_int_equal(hsay_node_add_peer(scene->w.node[0].node, world_now(&scene->w), 0, &peer,
                                        HSAY_BUCKET_TRUSTED),
                     0);
}

static bool is_candidate(const struct scene *scene, const struct hsay_key *key)
{
    struct hsay_peer_status s;
    for (size_t i = 0;
         hsay_node_peer_at(scene->w.node[0].node, world_now(&scene->w), 0, i, &s) == 0; i++)
        if (memcmp(&s.peer.key, key, sizeof *key) == 0)
            return true;
    return false;
}

static void tell_lie(struct scene *scene)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    m.intro_response.id = scene->id;
    m.intro_response.to = world_addr(0);
    m.intro_response.flags = scene->lie.flags;
    m.intro_response.count = scene->lie.count;
    m.intro_response.fingerprint = world_chance(&scene->w);
    if (scene->lie.introduces) {
        scene->introductions_made++;
        m.intro_response.introduced.addr = world_addr(LIAR + scene->introductions_made);
        if (scene->lie.where != NULL)
            m.intro_response.introduced.addr = *scene->lie.where;
        m.intro_response.introduced.key.byte[0] = 1;
        m.intro_response.introduced.key.byte[1] = (uint8_t)scene->introductions_made;
    }
    stranger_send(&scene->s, 0, &m, &plainly);
    scene->introductions_heard += is_candidate(scene, &m.intro_response.introduced.key);
}

static void tell_bundles(struct scene *scene)
{
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.id = scene->id}};
    stranger_send(&scene->s, 0, &m, &plainly);
}

/* Let `ms` pass; the liar answers what it is asked within a millisecond. */
static void run(struct scene *scene, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        uint64_t before = scene->s.got_packets;
        world_run(&scene->w, 1);
        if (scene->s.got_packets != before && scene->s.answer.type == HSAY_MSG_INTRO_REQUEST) {
            if ((scene->s.answer.intro_request.flags & HSAY_REQUEST_INTRODUCE) != 0)
                scene->introductions_asked++;
            if (scene->id == 0 || !scene->lie.bundles_only)
                scene->id = scene->s.answer.intro_request.id;
            if (!scene->lie.bundles_only)
                tell_lie(scene);
        }
        if (scene->lie.bundles_only && scene->id != 0 && i % 20 == 0)
            tell_bundles(scene);
    }
}

/* The liar becomes a peer with a token, as anybody can. */
static void get_token(struct scene *scene)
{
    struct hsay_message m = stranger_request(&scene->s, HSAY_CLAIM_NONE, 400);
    stranger_send(&scene->s, 0, &m, &(struct stranger_sealing){.first = true});
    assert_int_equal(scene->s.answer.type, HSAY_MSG_INTRO_RESPONSE);
    scene->token = scene->s.answer.intro_response.token;
}

/* ---- lies in answers ---- */

static void test_endless_answers(void **state)
{
    static const struct lie lies[] = {
        {.count = 100, .flags = HSAY_RESPONSE_MORE},
        {.count = HSAY_TIME_MAX, .flags = HSAY_RESPONSE_MORE},
        {.count = 10, .flags = HSAY_RESPONSE_MORE},
        {.count = 51},
        {.count = 10},
        {.count = HSAY_TIME_MAX},
        {.count = 60, .flags = HSAY_RESPONSE_SAME | HSAY_RESPONSE_MORE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct scene scene;
        begin(&scene, 1, 40 + i);
        scene.lie = lies[i];
        name_liar(&scene);
        run(&scene, MINUTE_MS);
        printf("# lie %zu: %llu requests in a minute\n", i,
               (unsigned long long)counter(&scene, HSAY_COUNT_STEPS));
        assert_true(counter(&scene, HSAY_COUNT_ANSWERED) >= 5); /* it is still asked */
        assert_true(counter(&scene, HSAY_COUNT_STEPS) <= 8 * 60);
        world_free(&scene.w);
    }
}

/* One whole conversation with a liar that says MORE for ever, over a larger store. */
static void test_endless_answers_large_store(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, 50);
    for (unsigned i = 0; i < 5000; i++)
        world_publish(&scene.w, 0, "something of our own");
    scene.lie = (struct lie){.count = HSAY_TIME_MAX};
    name_liar(&scene);
    run(&scene, MINUTE_MS);
    printf("# large store: %llu requests in a minute\n",
           (unsigned long long)counter(&scene, HSAY_COUNT_STEPS));
    assert_true(counter(&scene, HSAY_COUNT_STEPS) <= 8 * 60);
    world_free(&scene.w);
}

/* An answer that never comes to its end, a bundles message every 20 ms: it ends for us, and an
 * honest peer is asked. */
static void test_endless_bundles(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 2, 60);
    scene.lie = (struct lie){.bundles_only = true};
    name_liar(&scene);
    run(&scene, 15000);
    assert_int_equal(counter(&scene, HSAY_COUNT_ANSWERED), 0);
    assert_true(hsay_node_stats(scene.w.node[0].node)->drop[HSAY_DROP_UNASKED] > 0);
    world_publish(&scene.w, 1, "worth having");
    world_name(&scene.w, 0, 1, HSAY_BUCKET_TRUSTED);
    run(&scene, 3000);
    assert_int_equal(counter(&scene, HSAY_COUNT_BUNDLES_NEW), 1);
    world_free(&scene.w);
}

/* ---- lies in requests ---- */

/* It claims to hold no end of what we lack, fifty times a second, and has nothing. */
static void test_endless_claims(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 1, 70);
    get_token(&scene);
    scene.lie = (struct lie){.count = HSAY_TIME_MAX};
    for (unsigned i = 0; i < MINUTE_MS / 20; i++) {
        struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_SUM, 0);
        m.intro_request.claim.count = HSAY_TIME_MAX;
        if (i % 3000 == 0)
            get_token(&scene);
        stranger_send(&scene.s, 0, &m, &(struct stranger_sealing){.token = &scene.token});
        run(&scene, 20);
    }
    printf("# claims: %llu requests in a minute\n",
           (unsigned long long)counter(&scene, HSAY_COUNT_STEPS));
    assert_true(counter(&scene, HSAY_COUNT_STEPS) <= 10 * 60);
    world_free(&scene.w);
}

/* A node of fixed pace goes where there is most to be had; not for ever, if nothing is given. */
static void test_bait_at_fixed_pace(void **state)
{
    struct scene scene;
    struct hsay_addr addr = world_addr(LIAR);
    (void)state;
    memset(&scene, 0, sizeof scene);
    world_init(&scene.w, 2, 75);
    scene.w.overlay_config.fixed_step = true;
    world_start(&scene.w);
    stranger_init(&scene.s, &scene.w, &addr);
    scene.lie = (struct lie){.count = 1000};
    get_token(&scene);
    for (unsigned i = 0; i < 10 * MINUTE_MS / 2500; i++) {
        struct hsay_message m = stranger_request(&scene.s, HSAY_CLAIM_SUM, 0);
        m.intro_request.claim.count = 1000;
        if (i % 40 == 39)
            get_token(&scene);
        stranger_send(&scene.s, 0, &m, &(struct stranger_sealing){.token = &scene.token});
        run(&scene, 2500);
        if (i == 10) { /* the liar is known by now */
            world_name(&scene.w, 0, 1, HSAY_BUCKET_TRUSTED);
            world_publish(&scene.w, 1, "worth having");
        }
    }
    assert_int_equal(counter(&scene, HSAY_COUNT_BUNDLES_NEW), 1);
    world_free(&scene.w);
}

/* Twenty keys a second, each with a token, none of which ever answers: not all the places where we
 * wait for answers are theirs. */
static void test_silent_newcomers(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 2, 80);
    world_publish(&scene.w, 1, "worth having");
    for (unsigned i = 0; i < 400; i++) {
        struct hsay_addr addr = world_addr(LIAR + i % 3);
        struct hsay_message m;
        stranger_init(&scene.s, &scene.w, &addr);
        get_token(&scene);
        m = stranger_request(&scene.s, HSAY_CLAIM_SUM, 0);
        stranger_send(&scene.s, 0, &m, &(struct stranger_sealing){.token = &scene.token});
        world_run(&scene.w, 50);
        if (i == 100)
            world_name(&scene.w, 0, 1, HSAY_BUCKET_TRUSTED);
    }
    assert_int_equal(counter(&scene, HSAY_COUNT_BUNDLES_NEW), 1);
    world_free(&scene.w);
}

/* ---- forgeries ---- */

/* Bundles with a wrong signature, as many as fit into a mail; none like another. */
static size_t forge(struct scene *scene, uint8_t *out, size_t size)
{
    struct world *w = &scene->w;
    struct hsay_draft draft = {.author_secret = w->node[0].author_secret,
                               .payload = {(const uint8_t *)"forged", 6}};
    struct hsay_bundle_plan plan = {.draft = &draft, .sequence = 1000, .time = 1000};
    struct hsay_packer packer = {.author_count = 0};
    struct hsay_writer wr = hsay_writer(out, size);
    struct hsay_bundle made;
    uint8_t bytes[HSAY_BUNDLE_MAX_BYTES];
    assert_int_equal(hsay_bundle_make(bytes, &made, &w->crypto, &w->overlay, &plan), 0);
    do {
        uint64_t noise = world_chance(w);
        memcpy(bytes + made.bytes.size - 32, &noise, sizeof noise);
    } while (hsay_pack_add(&packer, &wr, made.bytes));
    return hsay_write_size(&wr);
}

static void test_forged_mail(void **state)
{
    struct scene scene;
    uint8_t tail[1100];
    (void)state;
    begin(&scene, 1, 90);
    get_token(&scene);
    uint64_t before = counter(&scene, HSAY_COUNT_VERIFIED);
    for (unsigned i = 0; i < 10000; i++) { /* 1,000 mails a second of ten forgeries each */
        struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.flags = HSAY_BUNDLES_MAIL}};
        struct stranger_sealing how = {.token = &scene.token, .tail = tail};
        how.tail_size = forge(&scene, tail, sizeof tail);
        stranger_send(&scene.s, 0, &m, &how);
        world_run(&scene.w, 1);
    }
    uint64_t verified = counter(&scene, HSAY_COUNT_VERIFIED) - before;
    uint64_t seen = counter(&scene, HSAY_COUNT_BUNDLES_IN);
    printf("# forgeries: %llu came in ten seconds, %llu were checked\n", (unsigned long long)seen,
           (unsigned long long)verified);
    assert_true(seen >= 50000);
    assert_true(verified >= 40 && verified <= 10 * 20 + 40 + 1);
    world_free(&scene.w);
}

/* Whoever names somebody in every answer is heard when it was asked to. */
static void test_introductions_that_nobody_asked_for(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene, 4, 60);
    for (unsigned i = 1; i < 4; i++) /* with enough to do, it does not ask everybody */
        world_name(&scene.w, 0, i, HSAY_BUCKET_BOOK);
    scene.lie = (struct lie){.introduces = true, .count = 50};
    name_liar(&scene);
    run(&scene, 10 * MINUTE_MS);
    print_message("%u introductions, %u asked for, %u heard\n", scene.introductions_made,
                  scene.introductions_asked, scene.introductions_heard);
    assert_true(scene.introductions_made > 2 * scene.introductions_asked);
    assert_in_range(scene.introductions_heard, 1, scene.introductions_asked);
    /* All others are counted; what comes twice is no answer at all. */
    assert_in_range(drops(&scene, HSAY_DROP_INTRO) + drops(&scene, HSAY_DROP_UNASKED),
                    scene.introductions_made - scene.introductions_asked,
                    scene.introductions_made - scene.introductions_heard);
    world_free(&scene.w);
}

/* What goes to an address, with the liar listening as before. */
struct witness {
    struct stranger *liar;
    bool (*liar_watch)(struct world *, const struct world_flight *, void *);
    struct hsay_addr victim;
    unsigned packets;
    uint64_t at_ms[1024];
    uint64_t size[1024]; /* on the wire, over IPv4 */
};

enum { IP_UDP_BYTES = 28, HOUR_MS = 60 * MINUTE_MS };

static bool witness_watch(struct world *w, const struct world_flight *f, void *user)
{
    struct witness *it = user;
    if (memcmp(&f->to, &it->victim, sizeof f->to) != 0)
        return it->liar_watch(w, f, it->liar);
    assert_true(it->packets < sizeof it->at_ms / sizeof *it->at_ms);
    it->at_ms[it->packets] = w->now_ns / 1000000;
    it->size[it->packets++] = f->size + IP_UDP_BYTES;
    return false;
}

static void watch_victim(struct scene *scene, struct witness *it, const struct hsay_addr *victim)
{
    *it = (struct witness){.liar = &scene->s, .liar_watch = scene->w.watch, .victim = *victim};
    scene->w.watch = witness_watch;
    scene->w.watch_user = it;
}

/* A peer of the world is not believed to have a neighbour in our LAN, or a service to talk to. */
static void test_introductions_to_where_nobody_is_sent(void **state)
{
    static const struct hsay_addr victims[] = {
        {HSAY_ADDR_IP4, 0, 6421, {20, 9, 9, 9}}, /* the control: one as any other */
        {HSAY_ADDR_IP4, 0, 53, {20, 9, 9, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {192, 168, 1, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {10, 0, 0, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {100, 64, 0, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {169, 254, 1, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {127, 0, 0, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {239, 0, 0, 9}},
        {HSAY_ADDR_IP4, 0, 6421, {255, 255, 255, 255}},
        {HSAY_ADDR_IP6, 0, 6421, {[15] = 1}},
        {HSAY_ADDR_IP6, 0, 6421, {0xfe, 0x80, [15] = 9}},
        {HSAY_ADDR_IP6, 0, 6421, {0xfd, [15] = 9}},
        {HSAY_ADDR_IP6, 0, 6421, {0xff, 0x02, [15] = 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++) {
        static struct witness it;
        struct scene scene;
        begin(&scene, 1, 70 + i);
        scene.lie = (struct lie){.introduces = true, .count = 50, .where = &victims[i]};
        name_liar(&scene);
        watch_victim(&scene, &it, &victims[i]);
        run(&scene, 2 * MINUTE_MS);
        assert_true(scene.introductions_asked > 0);
        assert_int_equal(it.packets != 0, i == 0);
        assert_int_equal(drops(&scene, HSAY_DROP_INTRO),
                         scene.introductions_made - (i == 0 ? scene.introductions_asked : 0));
        world_free(&scene.w);
    }
}

/* The liar names the victim in what it answers, and asks for punctures every second under ever new
 * keys, with a fresh token every minute. */
static void name_victim(struct scene *scene, const struct hsay_addr *victim, unsigned minutes)
{
    for (unsigned i = 0; i < minutes * 60; i++) {
        struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
        m.puncture_request.id = world_chance(&scene->w);
        m.puncture_request.target.addr = *victim;
        memcpy(&m.puncture_request.target.key, &m.puncture_request.id, 8);
        if (i % 60 == 0)
            get_token(scene);
        stranger_send(&scene->s, 0, &m, &(struct stranger_sealing){.token = &scene->token});
        for (unsigned k = 0; k < 10; k++) {
            uint64_t before = scene->s.got_packets;
            world_run(&scene->w, 100);
            if (scene->s.got_packets != before && scene->s.answer.type == HSAY_MSG_INTRO_REQUEST) {
                scene->id = scene->s.answer.intro_request.id;
                tell_lie(scene);
            }
        }
    }
}

/* Three datagrams an hour, whatever is said; but for those whom the operator named: the control. */
static void test_a_victim_named_for_hours(void **state)
{
    (void)state;
    for (unsigned control = 0; control < 2; control++) {
        static struct witness it;
        struct scene scene;
        struct hsay_addr victim = world_addr(6000);
        struct hsay_peer peer = {.addr = victim};
        unsigned too_many = 0;
        begin(&scene, 1, 90);
        scene.lie = (struct lie){.introduces = true, .count = 50, .where = &victim};
        name_liar(&scene);
        watch_victim(&scene, &it, &victim);
        if (control)
            hsay_node_add_peer(scene.w.node[0].node, world_now(&scene.w), 0, &peer,
                               HSAY_BUCKET_TRUSTED);
        name_victim(&scene, &victim, 150);
        for (unsigned i = 0; i + 3 < it.packets; i++)
            too_many += it.at_ms[i + 3] - it.at_ms[i] < HOUR_MS;
        for (unsigned i = 0; i + 2 < it.packets; i++)
            assert_true(it.size[i] + it.size[i + 1] + it.size[i + 2] <= 4500);
        print_message("a victim named for hours: %u datagrams, %u too many\n", it.packets,
                      too_many);
        assert_int_equal(too_many != 0, control);
        assert_true(it.packets > 3); /* the next hour brings more */
        assert_true(drops(&scene, HSAY_DROP_PUNCTURE) > 8000);
        world_free(&scene.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endless_answers),
        cmocka_unit_test(test_endless_answers_large_store),
        cmocka_unit_test(test_endless_bundles),
        cmocka_unit_test(test_endless_claims),
        cmocka_unit_test(test_silent_newcomers),
        cmocka_unit_test(test_forged_mail),
        cmocka_unit_test(test_bait_at_fixed_pace),
        cmocka_unit_test(test_introductions_that_nobody_asked_for),
        cmocka_unit_test(test_introductions_to_where_nobody_is_sent),
        cmocka_unit_test(test_a_victim_named_for_hours),
    };
    return cmocka_run_group_tests_name("node and liars", tests, NULL, NULL);
}
