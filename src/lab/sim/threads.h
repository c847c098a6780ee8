/* Runs all shards of a simulation up to one instant, each on a thread of its own. */
#ifndef HEARSAY_LAB_THREADS_H
#define HEARSAY_LAB_THREADS_H

#include "src/lab/sim/sim.h"

typedef void (*lab_shard_run)(struct lab_shard *shard, uint64_t end_ns);

/* The first shard runs on the caller's thread.  One shard: no threads at all. */
struct lab_threads *lab_threads_new(struct lab_sim *sim, lab_shard_run run);
void lab_threads_free(struct lab_threads *threads);

/* Returns when all have come to end_ns. */
void lab_threads_run(struct lab_threads *threads, uint64_t end_ns);

#endif
