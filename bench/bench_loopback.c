/*
 * Many real hearsayd processes on the loopback, each with its own LMDB store, meeting through one
 * tracker.
 *
 *   ten_nodes_seconds     ten nodes, the tracker one of them; another holds 1,000 bundles of 143
 *                         bytes, the others nothing; from the start of the first process until all
 *                         ten hold the same
 *   ten_nodes_real_steps  the same with Dispersy's pace (a tenth of 5 s) and appetite (5 KiB), to
 * be held against what the same code does in virtual time candidates_after_10s  twenty nodes, the
 * tracker one of them; how many live candidates the worst of them has ten seconds after its own
 * start
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "bench/daemon.h"

enum {
    TEN = 10,
    BUNDLES = 1000,
    CANONICAL_BYTES = 143,
    RUNS = 3,
    TWENTY = 20,
    NODES_MAX = TWENTY,
    LIMIT_SECONDS = 120,
    LOOK_MS = 20,
    JOIN_OPTION_BYTES = 256,
};

static const char as_dispersy[] = "[node]\n"
                                  "step = 500ms\n"
                                  "fixed-step = yes\n"
                                  "answer-bytes = 5120\n"
                                  "answer-bytes-max = 5120\n";

static void pause_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* An author's state folder with the bundles in it; what joins its overlay goes to `option`. */
static void prepare_author(const char *name, unsigned bundles, char option[JOIN_OPTION_BYTES])
{
    static uint8_t bytes[BUNDLES][HSAY_PAYLOAD_MAX_BYTES];
    static struct hsay_span payload[BUNDLES];
    struct daemon_process d;
    struct daemon_setup setup = {.name = name};
    daemon_start(&d, &setup);
    daemon_await(&d);
    char *join = daemon_found(&d);
    snprintf(option, JOIN_OPTION_BYTES, "%s=bench", join);
    free(join);
    for (unsigned i = 0; i < bundles; i++) {
        size_t size = crowd_payload(CANONICAL_BYTES, i + 1, i + 1);
        memset(bytes[i], 'a' + (int)(i % 26), size);
        snprintf((char *)bytes[i], size, "%u", i);
        payload[i] = (struct hsay_span){bytes[i], size};
    }
    double published = daemon_publish(&d, payload, bundles);
    if (published != (double)bundles * CANONICAL_BYTES)
        bench_fail("%u bundles should have %d bytes each, and have %.1f", bundles, CANONICAL_BYTES,
                   published / bundles);
    daemon_stop(&d);
}

struct crowd_setup {
    unsigned nodes;
    const char *author; /* name of the node that has been prepared; it comes last */
    const char *config;
    const char *overlay;
    unsigned run;
};

static void start_all(struct daemon_process *d, const struct crowd_setup *crowd)
{
    char name[NODES_MAX][32];
    for (unsigned i = 0; i < crowd->nodes; i++) {
        struct daemon_setup setup = {.name = name[i], .config = crowd->config};
        unsigned options = 0;
        snprintf(name[i], sizeof name[i], "run%u-node%u", crowd->run, i);
        if (crowd->author != NULL && i == crowd->nodes - 1) {
            setup.name = crowd->author;
        } else {
            setup.option[options++] = "--overlay";
            setup.option[options++] = crowd->overlay;
        }
        if (i != 0) {
            setup.option[options++] = "--peer";
            setup.option[options++] = d[0].address;
        }
        daemon_start(&d[i], &setup);
        if (i == 0)
            daemon_await(&d[i]);
    }
    for (unsigned i = 1; i < crowd->nodes; i++)
        daemon_await(&d[i]);
}

static bool all_the_same(struct daemon_process *d, unsigned nodes)
{
    char first[64], other[64];
    if (daemon_held(&d[0], first) != BUNDLES)
        return false;
    for (unsigned i = 1; i < nodes; i++)
        if (daemon_held(&d[i], other) != BUNDLES || strcmp(first, other) != 0)
            return false;
    return true;
}

static double steps_of(struct daemon_process *d)
{
    json_t *stats = daemon_ask(d, "stats");
    const json_t *steps = json_object_get(json_object_get(stats, "counters"), "steps");
    if (!json_is_number(steps))
        bench_fail("the counters say nothing of steps");
    double number = json_number_value(steps);
    json_decref(stats);
    return number;
}

struct synced {
    double seconds, steps;
};

static struct synced sync_ten(const char *config)
{
    static unsigned run;
    struct daemon_process d[TEN];
    struct synced result = {0, 0};
    char author[32], overlay[JOIN_OPTION_BYTES];
    run++;
    snprintf(author, sizeof author, "run%u-author", run);
    prepare_author(author, BUNDLES, overlay);
    struct crowd_setup crowd = {
        .nodes = TEN, .author = author, .config = config, .overlay = overlay, .run = run};
    start_all(d, &crowd);
    while (!all_the_same(d, TEN)) {
        if (bench_seconds() > d[0].started + LIMIT_SECONDS)
            bench_fail("ten nodes are not the same after %d seconds", LIMIT_SECONDS);
        pause_ms(LOOK_MS);
    }
    result.seconds = bench_seconds() - d[0].started;
    for (unsigned i = 0; i < TEN; i++)
        result.steps += steps_of(&d[i]) / TEN;
    for (unsigned i = 0; i < TEN; i++)
        daemon_stop(&d[i]);
    return result;
}

static void measure_ten(void)
{
    double seconds[RUNS], steps[RUNS];
    for (unsigned i = 0; i < RUNS; i++)
        seconds[i] = sync_ten(NULL).seconds;
    bench_note("ten nodes: %.2f %.2f %.2f s", seconds[0], seconds[1], seconds[2]);
    bench_figure("ten_nodes_seconds", bench_median(seconds, RUNS), "s");
    for (unsigned i = 0; i < RUNS; i++)
        steps[i] = sync_ten(as_dispersy).steps;
    bench_note("ten nodes as Dispersy: %.1f %.1f %.1f steps", steps[0], steps[1], steps[2]);
    bench_figure("ten_nodes_real_steps", bench_median(steps, RUNS), "steps");
}

struct known {
    double alive, answered;
};

static void count_peer(const json_t *peer, void *user)
{
    struct known *known = user;
    const char *bucket = json_string_value(json_object_get(peer, "bucket"));
    if (bucket == NULL || strcmp(bucket, "book") == 0 || strcmp(bucket, "none") == 0)
        return;
    known->alive++;
    if (json_is_true(json_object_get(peer, "token")))
        known->answered++;
}

static void measure_twenty(void)
{
    static struct daemon_process d[TWENTY];
    char overlay[JOIN_OPTION_BYTES];
    struct known least = {TWENTY, TWENTY}, sum = {0, 0};
    prepare_author("founder", 0, overlay);
    struct crowd_setup crowd = {.nodes = TWENTY, .overlay = overlay, .run = 100};
    start_all(d, &crowd);
    for (unsigned i = 0; i < TWENTY; i++) {
        struct known known = {0, 0};
        while (bench_seconds() < d[i].started + 10)
            pause_ms(1);
        daemon_ask_each(&d[i], "peers bench", count_peer, &known);
        sum.alive += known.alive / TWENTY;
        sum.answered += known.answered / TWENTY;
        least.alive = known.alive < least.alive ? known.alive : least.alive;
        least.answered = known.answered < least.answered ? known.answered : least.answered;
    }
    bench_figure("candidates_after_10s", least.alive, "candidates");
    bench_figure("candidates_after_10s_mean", sum.alive, "candidates");
    bench_figure("candidates_answered_after_10s", least.answered, "candidates");
    bench_figure("candidates_answered_after_10s_mean", sum.answered, "candidates");
    for (unsigned i = 0; i < TWENTY; i++)
        daemon_stop(&d[i]);
}

int main(void)
{
    measure_ten();
    measure_twenty();
    return 0;
}
