/*
 * Holdings: how many bundles each host holds over time, as one would draw it with a thin line for
 * each host.
 *
 * Hosts are the honest ones without trackers.  The table `holdings` has a row per host and look,
 * the hosts ordered by how far they were behind, summed over the run: number 1 was best; `behind`
 * is what it lacks of what the best holds at that moment.  The table `stragglers` has, at each
 * look, the most, the median, what all but one of a hundred hold, and the least.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"

enum { LOOKS = 100 };

struct look {
    double second;
    uint32_t *count; /* per host */
};

struct holdings {
    struct lab_sim *sim;
    uint64_t every_ns, from_ns;
    uint32_t first, hosts; /* those after the trackers */
    struct look *look;
    size_t looks;
};

static void look_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct holdings *h = self;
    h->look = lab_realloc(h->look, (h->looks + 1) * sizeof *h->look);
    struct look *l = &h->look[h->looks++];
    l->second = (double)lab_sim_elapsed_ns(sim) / 1e9;
    l->count = lab_calloc(h->hosts, sizeof *l->count);
    for (uint32_t i = 0; i < h->hosts; i++)
        l->count[i] = (uint32_t)lab_store_count(&sim->host[h->first + i].store);
    lab_sim_at(sim, h->from_ns + (number + 1) * h->every_ns, look_again, h, number + 1);
}

static void *holdings_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct holdings *h = lab_calloc(1, sizeof *h);
    double from = lab_measure_number(args, "from", 0);
    double every =
        lab_measure_number(args, "every", ((double)args->duration_ns / 1e9 - from) / LOOKS);
    h->sim = sim;
    h->from_ns = (uint64_t)(from * 1e9);
    h->every_ns = (uint64_t)(fmax(every, 0.01) * 1e9);
    while (h->first < sim->config.nodes && lab_host_is_tracker(sim, h->first))
        h->first++;
    h->hosts = sim->config.nodes - h->first;
    lab_sim_at(sim, h->from_ns, look_again, h, 0);
    return h;
}

/* ---- writing ---- */

struct rank {
    uint32_t host;
    uint64_t sum; /* of what it held at all looks: the area under its line */
};

static int by_sum(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    if (x->sum != y->sum)
        return x->sum < y->sum ? 1 : -1;
    return (x->host > y->host) - (x->host < y->host);
}

static struct rank *rank_hosts(const struct holdings *h)
{
    struct rank *rank = lab_calloc(h->hosts, sizeof *rank);
    for (uint32_t i = 0; i < h->hosts; i++) {
        rank[i].host = i;
        for (size_t k = 0; k < h->looks; k++)
            rank[i].sum += h->look[k].count[i];
    }
    qsort(rank, h->hosts, sizeof *rank, by_sum);
    return rank;
}

static uint32_t most_at(const struct holdings *h, const struct look *look)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < h->hosts; i++)
        most = look->count[i] > most ? look->count[i] : most;
    return most;
}

static void write_lines(const struct holdings *h, struct lab_result *result)
{
    struct rank *rank = rank_hosts(h);
    struct lab_table *table = lab_result_table(result, "holdings", "seconds,rank,bundles,behind");
    for (size_t k = 0; k < h->looks; k++) {
        const struct look *look = &h->look[k];
        uint32_t most = most_at(h, look);
        for (uint32_t i = 0; i < h->hosts; i++) {
            uint32_t count = look->count[rank[i].host];
            lab_table_row(table, (double[]){look->second, i + 1.0, count, most - count});
        }
    }
    free(rank);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void write_stragglers(const struct holdings *h, struct lab_result *result)
{
    struct lab_table *table =
        lab_result_table(result, "stragglers", "seconds,most,median,most_of_hosts,least");
    uint32_t *sorted = lab_calloc(h->hosts, sizeof *sorted), n = h->hosts;
    for (size_t k = 0; n != 0 && k < h->looks; k++) {
        memcpy(sorted, h->look[k].count, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, ascending);
        lab_table_row(table, (double[]){h->look[k].second, sorted[n - 1], sorted[n / 2],
                                        sorted[n / 100], sorted[0]});
    }
    free(sorted);
}

static void holdings_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct holdings *h = self;
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < h->hosts; i++) {
        uint32_t count = (uint32_t)lab_store_count(&sim->host[h->first + i].store);
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    lab_result_number(result, "holds_least", least);
    lab_result_number(result, "holds_most", most);
    write_lines(h, result);
    write_stragglers(h, result);
    for (size_t k = 0; k < h->looks; k++)
        free(h->look[k].count);
    free(h->look);
    free(h);
}

const struct lab_measure_kind lab_measure_holdings = {
    .name = "holdings",
    .keys = "every:seconds from:seconds",
    .help = "bundles that each host holds, every=SECONDS, from=SECONDS on",
    .fields = "holds_least holds_most",
    .tables = "holdings:seconds,rank,bundles,behind "
              "stragglers:seconds,most,median,most_of_hosts,least",
    .open = holdings_open,
    .close = holdings_close,
};
