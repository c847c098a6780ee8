/*
 * Goal of this test: who claims to hold what we lack is asked, even if such claims were in vain
 * before, and even if everybody else holds what we hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "tests/world/stranger.h"

enum { NODES = 20, LONE = NODES - 1, LIAR = 5000 };

/* The last node hears the first and is heard by it, and by nobody else. */
static bool watch(struct world *w, const struct world_flight *flight, void *user)
{
    const struct hsay_addr first = world_addr(0), lone = world_addr(LONE);
    bool of_lone = memcmp(&flight->from, &lone, sizeof lone) == 0 ||
                   memcmp(&flight->to, &lone, sizeof lone) == 0;
    bool of_first = memcmp(&flight->from, &first, sizeof first) == 0 ||
                    memcmp(&flight->to, &first, sizeof first) == 0;
    (void)w, (void)user;
    return !of_lone || of_first;
}

static struct hsay_token token_from_first(struct stranger *liar)
{
    struct hsay_message m = stranger_request(liar, HSAY_CLAIM_NONE, 400);
    stranger_send(liar, 0, &m, &(struct stranger_sealing){.first = true});
    assert_int_equal(liar->answer.type, HSAY_MSG_INTRO_RESPONSE);
    return liar->answer.intro_response.token;
}

/* Claims that lead to nothing: it is never heard of again. */
static void make_wary(struct world *w)
{
    struct stranger liar;
    struct hsay_addr addr = world_addr(LIAR);
    stranger_init(&liar, w, &addr);
    struct hsay_token token = token_from_first(&liar);
    for (unsigned i = 0; i < 100; i++) {
        struct hsay_message m = stranger_request(&liar, HSAY_CLAIM_SUM, 0);
        m.intro_request.claim.count = 1000;
        stranger_send(&liar, 0, &m, &(struct stranger_sealing){.token = &token});
        world_run(w, 200);
    }
}

static void test_claim_after_vain_ones(void **state)
{
    struct world w;
    uint64_t slowest = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        world_init(&w, NODES, seed);
        w.overlay_config.pull_only = true;
        world_start(&w);
        for (unsigned i = 1; i < NODES; i++)
            world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
        make_wary(&w);
        w.watch = watch;
        world_run(&w, 30000);
        world_publish(&w, LONE, "known to one alone");
        uint64_t ms = 0;
        for (; ms < 120000 && w.node[0].delivered == 0; ms += 100)
            world_run(&w, 100);
        slowest = ms > slowest ? ms : slowest;
        world_free(&w);
    }
    printf("# the slowest of four: %llu ms\n", (unsigned long long)slowest);
    /* The lone node asks every 27.5 s.  Then it is the first's turn, whose steps are 10 s apart
     * when all is quiet, give or take an eighth; one of them may look into its address book. */
    assert_true(slowest <= 27500 + 2 * 11250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claim_after_vain_ones),
    };
    return cmocka_run_group_tests_name("node and hints", tests, NULL, NULL);
}
