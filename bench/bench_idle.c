/*
 * What a node sends and gets when nothing is new: five to ten nodes that hold the same thousand
 * bundles, two minutes to settle, half an hour measured in virtual time.  UDP payload bytes of the
 * worst node in the worse direction, worst overlay.
 *
 * Every other node believes that it is behind a NAT, which forgets nothing: twice it measures that.
 */
#include "bench/bench.h"
#include "bench/crowd.h"

enum {
    NODES_LOW = 5,
    NODES_HIGH = 10,
    SEEDS = 3,
    SETTLE_MS = 120000,
    MEASURED_MS = 1800000,
    LIMIT_MS = 120000,
    HEADER_BYTES = 28, /* IPv4 and UDP, which the figure does not count */
};

struct quiet {
    double out, in;   /* bytes per second */
    double out_whole; /* with headers */
    double requests;  /* per minute */
};

static double per_second(uint64_t after, uint64_t before)
{
    return (double)(after - before) * 1000 / MEASURED_MS;
}

static void look(struct world *w, unsigned i, struct hsay_node_stats *stats)
{
    *stats = *hsay_node_stats(w->node[i].node);
}

static void keep_worst(struct quiet *worst, const struct hsay_node_stats *a,
                       const struct hsay_node_stats *b)
{
    double out = per_second(b->count[HSAY_COUNT_BYTES_OUT], a->count[HSAY_COUNT_BYTES_OUT]);
    double in = per_second(b->count[HSAY_COUNT_BYTES_IN], a->count[HSAY_COUNT_BYTES_IN]);
    double whole = out + HEADER_BYTES * per_second(b->count[HSAY_COUNT_PACKETS_OUT],
                                                   a->count[HSAY_COUNT_PACKETS_OUT]);
    double requests = 60 * per_second(b->count[HSAY_COUNT_STEPS], a->count[HSAY_COUNT_STEPS]);
    worst->out = out > worst->out ? out : worst->out;
    worst->in = in > worst->in ? in : worst->in;
    worst->out_whole = whole > worst->out_whole ? whole : worst->out_whole;
    worst->requests = requests > worst->requests ? requests : worst->requests;
}

static void measure(struct quiet *worst, unsigned nodes, uint64_t seed)
{
    struct world w;
    struct hsay_node_stats before[NODES_HIGH], after;
    struct crowd crowd = {.nodes = nodes,
                          .author = nodes - 1,
                          .bundles = 1000,
                          .canonical_bytes = 300,
                          .delay_ms = 20,
                          .sockets = HSAY_SOCKETS_LIFETIME,
                          .seed = seed};
    crowd_start(&w, &crowd);
    for (unsigned i = 0; i < nodes; i += 2)
        hsay_node_set_local(w.node[i].node, &w.node[i].addr);
    if (world_run_until_same(&w, crowd.bundles, LIMIT_MS) == UINT64_MAX)
        bench_fail("%u nodes, seed %llu: never the same", nodes, (unsigned long long)seed);
    world_run(&w, SETTLE_MS);
    for (unsigned i = 0; i < nodes; i++)
        look(&w, i, &before[i]);
    world_run(&w, MEASURED_MS);
    for (unsigned i = 0; i < nodes; i++) {
        look(&w, i, &after);
        keep_worst(worst, &before[i], &after);
    }
    world_free(&w);
}

int main(void)
{
    struct quiet worst = {0};
    for (unsigned nodes = NODES_LOW; nodes <= NODES_HIGH; nodes++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            measure(&worst, nodes, seed);
    bench_note("%d to %d nodes, seeds 1 to %d, the worst node of all", NODES_LOW, NODES_HIGH,
               SEEDS);
    bench_figure("idle_bytes_per_second", worst.out > worst.in ? worst.out : worst.in, "B/s");
    bench_figure("idle_out_bytes_per_second", worst.out, "B/s");
    bench_figure("idle_in_bytes_per_second", worst.in, "B/s");
    bench_figure("idle_out_with_headers_bytes_per_second", worst.out_whole, "B/s");
    bench_figure("idle_requests_per_minute", worst.requests, "1/min");
    return 0;
}
