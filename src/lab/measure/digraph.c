#include "src/lab/measure/digraph.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

#define UNSEEN UINT32_MAX

void lab_digraph_init(struct lab_digraph *graph, uint32_t vertices)
{
    *graph = (struct lab_digraph){.vertices = vertices};
    graph->first = lab_calloc((size_t)vertices + 1, sizeof *graph->first);
}

void lab_digraph_free(struct lab_digraph *graph)
{
    free(graph->first);
    free(graph->to);
    memset(graph, 0, sizeof *graph);
}

static void fill_to(struct lab_digraph *graph, uint32_t vertex)
{
    while (graph->filled < vertex)
        graph->first[++graph->filled] = graph->edges;
}

void lab_digraph_add(struct lab_digraph *graph, uint32_t from, uint32_t to)
{
    assert(from >= graph->filled && from < graph->vertices && to < graph->vertices);
    if (from == to)
        return;
    fill_to(graph, from);
    if (graph->edges == graph->room) {
        graph->room = graph->room != 0 ? 2 * graph->room : 256;
        graph->to = lab_realloc(graph->to, graph->room * sizeof *graph->to);
    }
    graph->to[graph->edges++] = to;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void lab_digraph_end(struct lab_digraph *graph)
{
    size_t kept = 0, begin = 0;
    fill_to(graph, graph->vertices);
    for (uint32_t v = 0; v < graph->vertices; v++) {
        size_t end = graph->first[v + 1], first = kept;
        if (end > begin)
            qsort(graph->to + begin, end - begin, sizeof *graph->to, ascending);
        for (size_t i = begin; i < end; i++)
            if (kept == first || graph->to[kept - 1] != graph->to[i])
                graph->to[kept++] = graph->to[i];
        begin = end;
        graph->first[v] = first;
    }
    graph->first[graph->vertices] = graph->edges = kept;
}

void lab_digraph_in_degrees(const struct lab_digraph *graph, uint32_t *degree)
{
    memset(degree, 0, graph->vertices * sizeof *degree);
    for (size_t i = 0; i < graph->edges; i++)
        degree[graph->to[i]]++;
}

/* ---- undirected ---- */

/* Edges by where they lead to: `from` of those is where they came from. */
static struct lab_digraph turned(const struct lab_digraph *graph)
{
    struct lab_digraph back;
    lab_digraph_init(&back, graph->vertices);
    back.to = lab_calloc(graph->edges, sizeof *back.to);
    for (size_t i = 0; i < graph->edges; i++)
        back.first[graph->to[i] + 1]++;
    for (uint32_t v = 0; v < graph->vertices; v++)
        back.first[v + 1] += back.first[v];
    size_t *at = lab_calloc(graph->vertices, sizeof *at);
    for (uint32_t v = 0; v < graph->vertices; v++)
        for (size_t i = graph->first[v]; i < graph->first[v + 1]; i++)
            back.to[back.first[graph->to[i]] + at[graph->to[i]]++] = v;
    free(at);
    back.filled = graph->vertices;
    back.edges = back.room = graph->edges;
    return back;
}

struct lab_digraph lab_digraph_undirected(const struct lab_digraph *graph)
{
    struct lab_digraph both, back = turned(graph);
    lab_digraph_init(&both, graph->vertices);
    for (uint32_t v = 0; v < graph->vertices; v++) {
        for (size_t i = graph->first[v]; i < graph->first[v + 1]; i++)
            lab_digraph_add(&both, v, graph->to[i]);
        for (size_t i = back.first[v]; i < back.first[v + 1]; i++)
            lab_digraph_add(&both, v, back.to[i]);
    }
    lab_digraph_end(&both);
    lab_digraph_free(&back);
    return both;
}

/* How many neighbours of v are neighbours of its neighbour w. */
static size_t common(const struct lab_digraph *graph, uint32_t v, uint32_t w)
{
    size_t i = graph->first[v], j = graph->first[w], count = 0;
    while (i < graph->first[v + 1] && j < graph->first[w + 1]) {
        uint32_t a = graph->to[i], b = graph->to[j];
        count += a == b;
        i += a <= b;
        j += b <= a;
    }
    return count;
}

double lab_digraph_clustering(const struct lab_digraph *undirected)
{
    double sum = 0;
    for (uint32_t v = 0; v < undirected->vertices; v++) {
        double degree = lab_digraph_out_degree(undirected, v);
        size_t closed = 0; /* each pair is met twice */
        for (size_t i = undirected->first[v]; i < undirected->first[v + 1]; i++)
            closed += common(undirected, v, undirected->to[i]);
        if (degree >= 2)
            sum += (double)closed / (degree * (degree - 1));
    }
    return undirected->vertices != 0 ? sum / undirected->vertices : 0;
}

/* ---- walking through it ---- */

/* Distances from `source`; how many are reached, itself included, is returned, and who they are, in
 * the order of distance, stands in `queue`. */
static uint32_t reach(const struct lab_digraph *graph, uint32_t source, uint32_t *distance,
                      uint32_t *queue)
{
    uint32_t count = 0;
    queue[count++] = source;
    distance[source] = 0;
    for (uint32_t next = 0; next < count; next++) {
        uint32_t v = queue[next];
        for (size_t i = graph->first[v]; i < graph->first[v + 1]; i++)
            if (distance[graph->to[i]] == UNSEEN) {
                distance[graph->to[i]] = distance[v] + 1;
                queue[count++] = graph->to[i];
            }
    }
    return count;
}

static void forget_all(uint32_t *distance, uint32_t vertices)
{
    memset(distance, 0xff, vertices * sizeof *distance);
}

struct lab_digraph_paths lab_digraph_paths(const struct lab_digraph *graph,
                                           struct lab_chance *chance, uint32_t sources)
{
    uint32_t n = graph->vertices, all = sources < n ? sources : n;
    uint32_t *distance = lab_calloc(n, sizeof *distance), *queue = lab_calloc(n, sizeof *queue);
    struct lab_digraph_paths paths = {.mean = NAN, .unreached_share = 0};
    double sum = 0, pairs = 0;
    for (uint32_t k = 0; k < all; k++) {
        uint32_t source = all == n ? k : (uint32_t)lab_chance_below(chance, n);
        forget_all(distance, n);
        uint32_t count = reach(graph, source, distance, queue);
        for (uint32_t i = 1; i < count; i++)
            sum += distance[queue[i]];
        pairs += count - 1;
        if (distance[queue[count - 1]] > paths.most)
            paths.most = distance[queue[count - 1]];
    }
    if (pairs > 0)
        paths.mean = sum / pairs;
    if (all != 0 && n > 1)
        paths.unreached_share = 1 - pairs / ((double)all * (n - 1));
    free(distance);
    free(queue);
    return paths;
}

struct lab_digraph_parts lab_digraph_parts(const struct lab_digraph *undirected)
{
    uint32_t n = undirected->vertices;
    uint32_t *distance = lab_calloc(n, sizeof *distance), *queue = lab_calloc(n, sizeof *queue);
    struct lab_digraph_parts parts = {0, 0};
    forget_all(distance, n);
    for (uint32_t v = 0; v < n; v++) {
        if (distance[v] != UNSEEN)
            continue;
        uint32_t size = reach(undirected, v, distance, queue);
        parts.count++;
        parts.largest = size > parts.largest ? size : parts.largest;
    }
    free(distance);
    free(queue);
    return parts;
}
