/*
 * What can be said of a directed graph without loops: degrees, clustering, paths, components.
 *
 * Names follow Jelasity and others, "Gossip-based Peer Sampling", 2007.  Vertices count from 0.
 */
#ifndef HEARSAY_LAB_DIGRAPH_H
#define HEARSAY_LAB_DIGRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "src/lab/sim/chance.h"

struct lab_digraph {
    uint32_t vertices;
    size_t *first; /* edges of v: from first[v] to below first[v + 1] */
    uint32_t *to;
    size_t edges, room;
    uint32_t filled; /* vertices whose first edge is known */
};

void lab_digraph_init(struct lab_digraph *graph, uint32_t vertices);
void lab_digraph_free(struct lab_digraph *graph);

/* In the order of `from`.  A loop is left out. */
void lab_digraph_add(struct lab_digraph *graph, uint32_t from, uint32_t to);

/* After the last edge: sorts those of each vertex, and keeps one of several that are the same. */
void lab_digraph_end(struct lab_digraph *graph);

static inline uint32_t lab_digraph_out_degree(const struct lab_digraph *graph, uint32_t vertex)
{
    return (uint32_t)(graph->first[vertex + 1] - graph->first[vertex]);
}

/* Into degree[vertices]. */
void lab_digraph_in_degrees(const struct lab_digraph *graph, uint32_t *degree);

/* An edge in either direction joins two.  It has edges both ways, and is ended; free it. */
struct lab_digraph lab_digraph_undirected(const struct lab_digraph *graph);

/* Of an undirected graph: the mean over all vertices of the share of pairs of neighbours that are
 * neighbours themselves; 0 for a vertex with fewer than two (Watts and Strogatz 1998). */
double lab_digraph_clustering(const struct lab_digraph *undirected);

struct lab_digraph_paths {
    double mean; /* edges on the shortest way, over all pairs that have one; NAN if none has */
    uint32_t most;
    double unreached_share; /* pairs that have none */
};

/* Along the edges, from so many vertices drawn at random (all, if there are no more) to all. */
struct lab_digraph_paths lab_digraph_paths(const struct lab_digraph *graph,
                                           struct lab_chance *chance, uint32_t sources);

struct lab_digraph_parts {
    uint32_t count;
    uint32_t largest; /* vertices */
};

/* Connected components of an undirected graph. */
struct lab_digraph_parts lab_digraph_parts(const struct lab_digraph *undirected);

#endif
