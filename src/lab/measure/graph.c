/*
 * The graph that candidates make: who knows whom.
 *
 * Vertices are the hosts that are online and no trackers.  An edge leads from a host to each that
 * stands in its table as contacted, requested or introduced, if that is still online under the same
 * key and at the same address; what is not, is a dead entry.  Clustering and components are those
 * of the undirected graph; a path goes along the edges, which is how the walk goes.
 *
 * Trackers would make all this look better or worse than it is: everybody has them as trusted, so
 * with them any path is two edges long, and no in-degree is as large as theirs.  The fields that
 * end in _all count them and all buckets: trusted ones and the address book, too.
 *
 * `every`: seconds between two looks at the tables; `graph_every`: at the graph; `sources`: from
 * how many hosts paths are measured.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/digraph.h"
#include "src/lab/measure/measure.h"
#include "src/lab/measure/who.h"
#include "src/lab/sim/memory.h"

enum { LOOKS = 60, GRAPHS = 10, SOURCES = 100 };
#define OUTSIDE UINT32_MAX

/* A look at all tables. */
struct look {
    double second;
    double mean[HSAY_BUCKET_COUNT]; /* entries per host, each in its best bucket */
    double contacted_least;
    double dead_share;
    double alone_share; /* hosts without anybody contacted, trackers aside */
};

struct shape {
    double second;
    uint32_t vertices;
    size_t edges;
    double clustering, neighbours; /* of the undirected graph */
    double in_mean, in_most, in_least;
    struct lab_digraph_paths paths;
    struct lab_digraph_parts parts;
};

struct graph {
    struct lab_sim *sim;
    struct lab_who who;
    uint64_t every_ns, graph_every_ns;
    uint32_t sources;
    struct look *look;
    size_t looks;
    struct shape *shape;
    size_t shapes;
};

/* ---- the tables ---- */

static uint32_t alive(const struct graph *g, const struct hsay_peer *peer)
{
    uint32_t host = lab_who_is(&g->who, g->sim, peer);
    return host != LAB_NOBODY && lab_who_is_at(g->sim, host, &peer->addr) ? host : LAB_NOBODY;
}

struct tally {
    uint64_t entries[HSAY_BUCKET_COUNT], all, dead, alone;
    uint32_t hosts, least;
};

static void tally_host(const struct graph *g, uint32_t number, struct tally *t)
{
    const struct lab_host *host = &g->sim->host[number];
    struct hsay_now now = lab_host_now(g->sim, host, g->sim->now_ns);
    struct hsay_peer_status s;
    uint32_t contacted = 0;
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &s) == 0; i++) {
        t->entries[s.bucket]++;
        t->all++;
        t->dead += alive(g, &s.peer) == LAB_NOBODY;
        contacted += s.bucket == HSAY_BUCKET_CONTACTED;
    }
    t->hosts++;
    t->alone += contacted == 0;
    t->least = contacted < t->least ? contacted : t->least;
}

static void look(struct graph *g)
{
    const struct lab_sim *sim = g->sim;
    struct tally t = {.least = UINT32_MAX};
    for (uint32_t i = 0; i < sim->online_count; i++)
        if (!lab_host_is_tracker(sim, sim->online[i]))
            tally_host(g, sim->online[i], &t);
    if (t.hosts == 0)
        return;
    g->look = lab_realloc(g->look, (g->looks + 1) * sizeof *g->look);
    struct look *l = &g->look[g->looks++];
    *l = (struct look){.second = (double)lab_sim_elapsed_ns(sim) / 1e9,
                       .contacted_least = t.least,
                       .dead_share = t.all != 0 ? (double)t.dead / (double)t.all : 0,
                       .alone_share = (double)t.alone / t.hosts};
    for (unsigned b = 0; b < HSAY_BUCKET_COUNT; b++)
        l->mean[b] = (double)t.entries[b] / t.hosts;
}

/* ---- the graph ---- */

/* Numbers of vertices by host; OUTSIDE for who is none. */
static uint32_t *number_vertices(const struct lab_sim *sim, bool all, uint32_t *count)
{
    uint32_t *vertex = lab_calloc(sim->host_count, sizeof *vertex);
    *count = 0;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        bool in = sim->host[i].node != NULL && (all || !lab_host_is_tracker(sim, i));
        vertex[i] = in ? (*count)++ : OUTSIDE;
    }
    return vertex;
}

static bool is_edge(enum hsay_bucket bucket, bool all)
{
    return all || bucket == HSAY_BUCKET_CONTACTED || bucket == HSAY_BUCKET_REQUESTED ||
           bucket == HSAY_BUCKET_INTRODUCED;
}

static void add_edges(const struct graph *g, uint32_t number, const uint32_t *vertex, bool all,
                      struct lab_digraph *out)
{
    const struct lab_host *host = &g->sim->host[number];
    struct hsay_now now = lab_host_now(g->sim, host, g->sim->now_ns);
    struct hsay_peer_status s;
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &s) == 0; i++) {
        uint32_t to = is_edge((enum hsay_bucket)s.bucket, all) ? alive(g, &s.peer) : LAB_NOBODY;
        if (to != LAB_NOBODY && vertex[to] != OUTSIDE)
            lab_digraph_add(out, vertex[number], vertex[to]);
    }
}

static struct lab_digraph draw_graph(const struct graph *g, bool all)
{
    struct lab_digraph out;
    uint32_t count, *vertex = number_vertices(g->sim, all, &count);
    lab_digraph_init(&out, count);
    for (uint32_t i = 0; i < g->sim->host_count; i++)
        if (vertex[i] != OUTSIDE)
            add_edges(g, i, vertex, all, &out);
    lab_digraph_end(&out);
    free(vertex);
    return out;
}

static void judge_degrees(const struct lab_digraph *graph, struct shape *s)
{
    uint32_t *degree = lab_calloc(graph->vertices, sizeof *degree);
    lab_digraph_in_degrees(graph, degree);
    s->in_mean = graph->vertices != 0 ? (double)graph->edges / graph->vertices : 0;
    s->in_least = graph->vertices != 0 ? degree[0] : 0;
    for (uint32_t v = 0; v < graph->vertices; v++) {
        s->in_most = fmax(s->in_most, degree[v]);
        s->in_least = fmin(s->in_least, degree[v]);
    }
    free(degree);
}

static struct shape judge(const struct graph *g, const struct lab_digraph *graph)
{
    struct lab_chance chance =
        lab_chance_stream(g->sim->config.seed, LAB_CHANCE_MEASURE, g->sim->now_ns);
    struct lab_digraph both = lab_digraph_undirected(graph);
    struct shape s = {.second = (double)lab_sim_elapsed_ns(g->sim) / 1e9,
                      .vertices = graph->vertices,
                      .edges = graph->edges};
    judge_degrees(graph, &s);
    s.clustering = lab_digraph_clustering(&both);
    s.neighbours = graph->vertices != 0 ? (double)both.edges / graph->vertices : 0;
    s.paths = lab_digraph_paths(graph, &chance, g->sources);
    s.parts = lab_digraph_parts(&both);
    lab_digraph_free(&both);
    return s;
}

static double in_ratio(const struct shape *s)
{
    return s->in_mean > 0 ? s->in_most / s->in_mean : NAN;
}

static double largest_share(const struct shape *s)
{
    return s->vertices != 0 ? (double)s->parts.largest / s->vertices : 0;
}

/* ---- watching ---- */

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct graph *g = self;
    if (online)
        lab_who_online(&g->who, sim, host);
}

static void look_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct graph *g = self;
    look(g);
    lab_sim_at(sim, (number + 1) * g->every_ns, look_again, g, number + 1);
}

static void judge_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct graph *g = self;
    struct lab_digraph graph = draw_graph(g, false);
    g->shape = lab_realloc(g->shape, (g->shapes + 1) * sizeof *g->shape);
    g->shape[g->shapes++] = judge(g, &graph);
    lab_digraph_free(&graph);
    lab_sim_at(sim, (number + 1) * g->graph_every_ns, judge_again, g, number + 1);
}

static uint64_t period_ns(const struct lab_measure_args *args, const char *key, unsigned parts)
{
    double seconds = lab_measure_number(args, key, (double)args->duration_ns / 1e9 / parts);
    return seconds > 0.001 ? (uint64_t)(seconds * 1e9) : 1000000;
}

static void *graph_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct graph *g = lab_calloc(1, sizeof *g);
    g->sim = sim;
    g->every_ns = period_ns(args, "every", LOOKS);
    g->graph_every_ns = period_ns(args, "graph_every", GRAPHS);
    g->sources = (uint32_t)lab_measure_number(args, "sources", SOURCES);
    lab_sim_observe(sim, &(struct lab_observer){.self = g, .on_life = on_life});
    lab_sim_at(sim, g->every_ns, look_again, g, 1);
    lab_sim_at(sim, g->graph_every_ns, judge_again, g, 1);
    return g;
}

/* ---- writing ---- */

static void write_looks(const struct graph *g, struct lab_result *result)
{
    struct lab_table *table =
        lab_result_table(result, "candidates",
                         "seconds,trusted,contacted,requested,introduced,book,all,"
                         "contacted_least,alone_share,dead_share");
    for (size_t i = 0; i < g->looks; i++) {
        const struct look *l = &g->look[i];
        const double *b = l->mean;
        double all = b[HSAY_BUCKET_TRUSTED] + b[HSAY_BUCKET_CONTACTED] + b[HSAY_BUCKET_REQUESTED] +
                     b[HSAY_BUCKET_INTRODUCED] + b[HSAY_BUCKET_BOOK];
        lab_table_row(table, (double[]){l->second, b[HSAY_BUCKET_TRUSTED], b[HSAY_BUCKET_CONTACTED],
                                        b[HSAY_BUCKET_REQUESTED], b[HSAY_BUCKET_INTRODUCED],
                                        b[HSAY_BUCKET_BOOK], all, l->contacted_least,
                                        l->alone_share, l->dead_share});
    }
}

static void write_shapes(const struct graph *g, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(
        result, "graph",
        "seconds,hosts,clustering,path_mean,path_most,indegree_ratio,components,largest_share");
    for (size_t i = 0; i < g->shapes; i++) {
        const struct shape *s = &g->shape[i];
        lab_table_row(table,
                      (double[]){s->second, s->vertices, s->clustering, s->paths.mean,
                                 s->paths.most, in_ratio(s), s->parts.count, largest_share(s)});
    }
}

/* Of hosts, how many have each degree; and how many would, if every edge led to anybody. */
static void write_degrees(const struct lab_digraph *graph, struct lab_result *result)
{
    uint32_t n = graph->vertices, most = 0, *in = lab_calloc(n, sizeof *in);
    struct lab_table *table =
        lab_result_table(result, "degrees", "degree,in_share,out_share,random_share");
    lab_digraph_in_degrees(graph, in);
    for (uint32_t v = 0; v < n; v++) {
        uint32_t out = lab_digraph_out_degree(graph, v);
        most = in[v] > most ? in[v] : most;
        most = out > most ? out : most;
    }
    double *count = lab_calloc(2 * ((size_t)most + 1), sizeof *count);
    for (uint32_t v = 0; v < n; v++) {
        count[2 * in[v]]++;
        count[2 * lab_digraph_out_degree(graph, v) + 1]++;
    }
    double mean = n != 0 ? (double)graph->edges / n : 0;
    for (uint32_t k = 0; n != 0 && k <= most; k++)
        lab_table_row(table, (double[]){k, count[2 * k] / n, count[2 * k + 1] / n,
                                        exp(k * log(mean) - mean - lgamma(k + 1.0))});
    free(count);
    free(in);
}

static void write_shape(const struct shape *s, struct lab_result *result)
{
    lab_result_number(result, "hosts_online", s->vertices);
    lab_result_number(result, "clustering", s->clustering);
    lab_result_number(result, "clustering_random",
                      s->vertices != 0 ? s->neighbours / s->vertices : NAN);
    lab_result_number(result, "path_mean", s->paths.mean);
    lab_result_number(result, "path_most", s->paths.most);
    lab_result_number(result, "unreached_pairs_share", s->paths.unreached_share);
    lab_result_number(result, "degree_mean", s->in_mean);
    lab_result_number(result, "indegree_max", s->in_most);
    lab_result_number(result, "indegree_min", s->in_least);
    lab_result_number(result, "indegree_max_ratio", in_ratio(s));
    lab_result_number(result, "components", s->parts.count);
    lab_result_number(result, "largest_share", largest_share(s));
}

static void write_shape_all(const struct shape *s, struct lab_result *result)
{
    lab_result_number(result, "clustering_all", s->clustering);
    lab_result_number(result, "path_mean_all", s->paths.mean);
    lab_result_number(result, "indegree_max_all", s->in_most);
    lab_result_number(result, "indegree_max_ratio_all", in_ratio(s));
}

static void write_tables(const struct graph *g, struct lab_result *result)
{
    if (g->looks == 0)
        return;
    const struct look *last = &g->look[g->looks - 1];
    lab_result_number(result, "contacted_mean", last->mean[HSAY_BUCKET_CONTACTED]);
    lab_result_number(result, "requested_mean", last->mean[HSAY_BUCKET_REQUESTED]);
    lab_result_number(result, "introduced_mean", last->mean[HSAY_BUCKET_INTRODUCED]);
    lab_result_number(result, "contacted_least", last->contacted_least);
    lab_result_number(result, "alone_share", last->alone_share);
    lab_result_number(result, "dead_share", last->dead_share);
    write_looks(g, result);
}

static void graph_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct graph *g = self;
    struct lab_digraph graph = draw_graph(g, false), all = draw_graph(g, true);
    struct shape shape = judge(g, &graph), shape_all = judge(g, &all);
    (void)sim;
    look(g);
    write_shape(&shape, result);
    write_shape_all(&shape_all, result);
    write_tables(g, result);
    write_shapes(g, result);
    write_degrees(&graph, result);
    lab_digraph_free(&graph);
    lab_digraph_free(&all);
    lab_who_free(&g->who);
    free(g->look);
    free(g->shape);
    free(g);
}

const struct lab_measure_kind lab_measure_graph = {
    .name = "graph",
    .keys = "every:seconds graph_every:seconds sources:count",
    .help = "candidates of all hosts and the graph that they make; every=SECONDS between two looks "
            "at the tables, graph_every=SECONDS at the graph, sources=N of paths",
    .fields = "hosts_online clustering clustering_random path_mean path_most "
              "unreached_pairs_share degree_mean indegree_max indegree_min "
              "indegree_max_ratio components largest_share clustering_all path_mean_all "
              "indegree_max_all indegree_max_ratio_all contacted_mean requested_mean "
              "introduced_mean contacted_least alone_share dead_share",
    .tables = "candidates:seconds,trusted,contacted,requested,introduced,book,all,contacted_least,"
              "alone_share,dead_share "
              "graph:seconds,hosts,clustering,path_mean,path_most,indegree_ratio,components,"
              "largest_share "
              "degrees:degree,in_share,out_share,random_share",
    .open = graph_open,
    .close = graph_close,
};
