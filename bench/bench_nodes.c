/*
 * How soon ten nodes have a thousand bundles, in virtual time: the same code as on the wire, links
 * of a millisecond, and every run follows from its seed.
 *
 * 1,000 bundles of 143 bytes are published at one node before anybody has met.  The other nodes
 * hold nothing and know one node, the tracker: an ordinary member, since Hearsay has no other kind.
 * It is one of the ten; a second set of figures has an eleventh node as tracker.  A step is an
 * introduction-request sent, until the last of all nodes has all.
 *
 * Steps are counted with Dispersy's own pace and appetite: a step every 5 s, which may be run at a
 * tenth, 5 KiB of bundles per answer, no step before its time, no mail.  Real Dispersy: 123 steps
 * as shipped, 37 at its best.
 */
#include <stdio.h>

#include "bench/bench.h"
#include "bench/crowd.h"

enum {
    NODES = 10,
    BUNDLES = 1000,
    CANONICAL_BYTES = 143,
    SEEDS = 15,
    LIMIT_MS = 300000,
    DISPERSY_STEP_MS = 500,
    DISPERSY_ANSWER_BYTES = 5120,
};

struct run {
    double steps_mean;
    double steps_max;
    double seconds;
    double wire_ratio; /* all bytes sent / bundle bytes times copies delivered */
};

static void measure(const struct crowd *crowd, struct run *run)
{
    struct world w;
    crowd_start(&w, crowd);
    uint64_t ms = world_run_until_same(&w, crowd->bundles, LIMIT_MS);
    if (ms == UINT64_MAX) {
        bench_note("seed %llu: not the same after %d seconds; its figures are what it took so far",
                   (unsigned long long)crowd->seed, LIMIT_MS / 1000);
        ms = LIMIT_MS;
    }
    double sum = 0, most = 0, counted = 0;
    for (unsigned i = 0; i < w.node_count; i++) {
        double steps = (double)hsay_node_stats(w.node[i].node)->count[HSAY_COUNT_STEPS];
        if (crowd->nodes > NODES && i == crowd->tracker)
            continue;
        sum += steps;
        most = steps > most ? steps : most;
        counted++;
    }
    *run = (struct run){
        .steps_mean = sum / counted,
        .steps_max = most,
        .seconds = (double)ms / 1000,
        .wire_ratio = (double)w.bytes / ((double)crowd->bundles * (double)crowd->canonical_bytes *
                                         (crowd->nodes - 1)),
    };
    world_free(&w);
}

/* Medians over the seeds. */
static struct run measure_all(struct crowd crowd)
{
    double mean[SEEDS], most[SEEDS], seconds[SEEDS], wire[SEEDS];
    for (unsigned i = 0; i < SEEDS; i++) {
        struct run run;
        crowd.seed = i + 1;
        measure(&crowd, &run);
        mean[i] = run.steps_mean;
        most[i] = run.steps_max;
        seconds[i] = run.seconds;
        wire[i] = run.wire_ratio;
    }
    return (struct run){bench_median(mean, SEEDS), bench_median(most, SEEDS),
                        bench_median(seconds, SEEDS), bench_median(wire, SEEDS)};
}

static struct crowd ten(void)
{
    return (struct crowd){.nodes = NODES,
                          .tracker = 0,
                          .author = NODES - 1,
                          .bundles = BUNDLES,
                          .canonical_bytes = CANONICAL_BYTES,
                          .delay_ms = 1};
}

static struct crowd as_dispersy(struct crowd crowd)
{
    crowd.overlay.step_ms = DISPERSY_STEP_MS;
    crowd.overlay.answer_bytes = DISPERSY_ANSWER_BYTES;
    crowd.overlay.answer_bytes_max = DISPERSY_ANSWER_BYTES;
    crowd.overlay.fixed_step = true;
    return crowd;
}

static struct crowd with_eleventh(struct crowd crowd)
{
    crowd.nodes = NODES + 1;
    crowd.author = NODES;
    return crowd;
}

int main(void)
{
    bench_note("seeds 1 to %d, links of 1 ms; medians over the seeds", SEEDS);
    struct run run = measure_all(as_dispersy(ten()));
    bench_figure("ten_nodes_steps", run.steps_mean, "steps");
    bench_figure("ten_nodes_steps_max", run.steps_max, "steps");
    bench_figure("ten_nodes_steps_wire_ratio", run.wire_ratio, "x");

    run = measure_all(with_eleventh(as_dispersy(ten())));
    bench_figure("ten_nodes_eleventh_steps", run.steps_mean, "steps");
    bench_figure("ten_nodes_eleventh_steps_max", run.steps_max, "steps");

    struct crowd pull = as_dispersy(ten());
    pull.overlay.pull_only = true;
    run = measure_all(pull);
    bench_figure("ten_nodes_pull_only_steps", run.steps_mean, "steps");

    pull.overlay.policy = HSAY_POLICY_PAPER;
    run = measure_all(pull);
    bench_figure("ten_nodes_paper_steps", run.steps_mean, "steps");

    run = measure_all(ten());
    bench_figure("ten_nodes_virtual_seconds", run.seconds, "s");
    bench_figure("ten_nodes_default_steps", run.steps_mean, "steps");
    bench_figure("ten_nodes_wire_ratio", run.wire_ratio, "x");
    return 0;
}
