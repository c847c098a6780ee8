/*
 * Overlay: does it stay in one piece?  While hosts come and go, and after many died at once.
 *
 * Looked at are the hosts that are online for `settled` seconds at least, trackers left out:
 * everybody knows those, so with them all would always be one.  Two hosts are joined if one has the
 * other among its candidates, in whatever bucket, and that is still there: online, under the same
 * key, at the same address.  Who has been online for less joins nobody, which makes the overlay
 * look worse than it is.  An entry that is of nobody, or of somebody who is gone, is dead.
 *
 * whole_steps: from `from` (seconds: when something happened) until all were one, for good; null if
 * they are not at the end.  components_max and the other fields are about the time from then on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/digraph.h"
#include "src/lab/measure/measure.h"
#include "src/lab/measure/who.h"
#include "src/lab/sim/memory.h"

enum { LOOKS = 100, COLUMNS = 8, OUTSIDE = -1 };

struct look {
    uint64_t at_ns; /* since the start of the run */
    uint32_t online, hosts;
    struct lab_digraph_parts parts;
    double live_mean; /* live entries per host, trackers aside */
    double dead_share, alone_share;
};

struct overlay {
    struct lab_sim *sim;
    struct lab_who who;
    uint64_t every_ns, from_ns, settled_ns;
    struct look *look;
    size_t looks;
};

/* Entries of all tables. */
struct tally {
    uint64_t live, dead, alone;
};

static bool is_settled(const struct overlay *o, uint32_t number)
{
    const struct lab_host *host = &o->sim->host[number];
    return host->node != NULL && !lab_host_is_tracker(o->sim, number) &&
           host->online_ns + o->settled_ns <= o->sim->now_ns;
}

static int32_t *number_vertices(const struct overlay *o, uint32_t *count)
{
    int32_t *vertex = lab_calloc(o->sim->host_count, sizeof *vertex);
    *count = 0;
    for (uint32_t i = 0; i < o->sim->host_count; i++)
        vertex[i] = is_settled(o, i) ? (int32_t)(*count)++ : OUTSIDE;
    return vertex;
}

static void add_host(const struct overlay *o, uint32_t number, const int32_t *vertex,
                     struct lab_digraph *graph, struct tally *tally)
{
    const struct lab_host *host = &o->sim->host[number];
    struct hsay_now now = lab_host_now(o->sim, host, o->sim->now_ns);
    struct hsay_peer_status s;
    uint64_t live = 0;
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &s) == 0; i++) {
        uint32_t other = lab_who_is(&o->who, o->sim, &s.peer);
        bool dead = other == LAB_NOBODY || !lab_who_is_at(o->sim, other, &s.peer.addr);
        tally->dead += dead;
        if (dead || lab_host_is_tracker(o->sim, other))
            continue;
        live++;
        if (vertex[other] != OUTSIDE)
            lab_digraph_add(graph, (uint32_t)vertex[number], (uint32_t)vertex[other]);
    }
    tally->live += live;
    tally->alone += live == 0;
}

static struct look look_now(const struct overlay *o)
{
    struct look look = {.at_ns = lab_sim_elapsed_ns(o->sim), .online = o->sim->online_count};
    struct lab_digraph graph;
    struct tally tally = {0};
    int32_t *vertex = number_vertices(o, &look.hosts);
    lab_digraph_init(&graph, look.hosts);
    for (uint32_t i = 0; i < o->sim->host_count; i++)
        if (vertex[i] != OUTSIDE)
            add_host(o, i, vertex, &graph, &tally);
    lab_digraph_end(&graph);
    struct lab_digraph both = lab_digraph_undirected(&graph);
    look.parts = lab_digraph_parts(&both);
    double entries = (double)(tally.live + tally.dead), hosts = look.hosts;
    look.live_mean = hosts > 0 ? (double)tally.live / hosts : 0;
    look.dead_share = entries > 0 ? (double)tally.dead / entries : 0;
    look.alone_share = hosts > 0 ? (double)tally.alone / hosts : 0;
    lab_digraph_free(&graph);
    lab_digraph_free(&both);
    free(vertex);
    return look;
}

/* ---- watching ---- */

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct overlay *o = self;
    if (online)
        lab_who_online(&o->who, sim, host);
}

static void look_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct overlay *o = self;
    o->look = lab_realloc(o->look, (o->looks + 1) * sizeof *o->look);
    o->look[o->looks++] = look_now(o);
    lab_sim_at(sim, (number + 1) * o->every_ns, look_again, o, number + 1);
}

static void *overlay_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct overlay *o = lab_calloc(1, sizeof *o);
    double every = lab_measure_number(args, "every", (double)args->duration_ns / 1e9 / LOOKS);
    o->sim = sim;
    o->every_ns = (uint64_t)(fmax(every, 0.01) * 1e9);
    o->from_ns = (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    o->settled_ns = (uint64_t)(lab_measure_number(args, "settled", 0) * 1e9);
    lab_sim_observe(sim, &(struct lab_observer){.self = o, .on_life = on_life});
    lab_sim_at(sim, o->every_ns, look_again, o, 1);
    return o;
}

/* ---- writing ---- */

static double largest_share(const struct look *look)
{
    return look->hosts != 0 ? (double)look->parts.largest / look->hosts : NAN;
}

static double steps_since(const struct overlay *o, const struct look *look)
{
    return lab_steps(o->sim, look->at_ns) - lab_steps(o->sim, o->from_ns);
}

static void write_looks(const struct overlay *o, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(
        result, "overlay",
        "seconds,step,online,components,largest_share,live_mean,dead_share,alone_share");
    for (size_t i = 0; i < o->looks; i++) {
        const struct look *l = &o->look[i];
        double row[COLUMNS] = {(double)l->at_ns / 1e9, steps_since(o, l), l->online,
                               l->parts.count,         largest_share(l),  l->live_mean,
                               l->dead_share,          l->alone_share};
        lab_table_row(table, row);
    }
}

/* The first look from which on all are one. */
static double whole_steps(const struct overlay *o)
{
    size_t i = o->looks;
    while (i > 0 && o->look[i - 1].parts.count == 1 && o->look[i - 1].at_ns >= o->from_ns)
        i--;
    return i < o->looks ? steps_since(o, &o->look[i]) : NAN;
}

static void write_fields(const struct overlay *o, struct lab_result *result)
{
    double n = 0, online = 0, live = 0, dead = 0, alone = 0, components = 0, largest = 1;
    for (size_t i = 0; i < o->looks; i++) {
        const struct look *l = &o->look[i];
        if (l->at_ns < o->from_ns)
            continue;
        n++;
        online += l->online;
        live += l->live_mean;
        dead += l->dead_share;
        alone += l->alone_share;
        components = fmax(components, l->parts.count);
        largest = fmin(largest, largest_share(l));
    }
    lab_result_number(result, "online_mean", online / n);
    lab_result_number(result, "live_mean", live / n);
    lab_result_number(result, "dead_share", dead / n);
    lab_result_number(result, "alone_share", alone / n);
    lab_result_number(result, "components_max", components);
    lab_result_number(result, "largest_share_least", largest);
    lab_result_number(result, "whole_steps", whole_steps(o));
}

static void overlay_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct overlay *o = self;
    (void)sim;
    write_fields(o, result);
    write_looks(o, result);
    lab_who_free(&o->who);
    free(o->look);
    free(o);
}

const struct lab_measure_kind lab_measure_overlay = {
    .name = "overlay",
    .keys = "every from settled",
    .help = "whether all hosts are in one piece, looked at every=SECONDS, among those who are "
            "online for settled=SECONDS; from=SECONDS: when something happened",
    .open = overlay_open,
    .close = overlay_close,
};
