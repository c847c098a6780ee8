/*
 * Faults of the machines that hosts run on: crashes at any event, disks that refuse what they were
 * to keep, clocks that jump, stores that are full.
 *
 * A crash takes what was not committed and sends nothing; the host starts again at once with its
 * store, as a daemon under a supervisor.  A commit that fails leaves the store either as it was (a
 * full disk) or broken until the host has started anew, which it does at its next event.  Each host
 * draws from a stream of its own.
 */
#ifndef HEARSAY_LAB_FAULT_H
#define HEARSAY_LAB_FAULT_H

#include "src/lab/sim/sim.h"

/* Shares are of 1.  All zero: nothing happens. */
struct lab_fault_config {
    double crash;          /* calls that end in a crash before their commit; not within 10 ms of
                            * the last crash */
    double commit_fail;    /* commits that fail, of those that have something to commit */
    double put_fail;       /* bundles that the store refuses */
    double clock_jump_s;   /* mean time between two jumps of a host's clock; 0: none */
    double clock_jump_max; /* seconds: jumps are from one of them up to this, most are small */
    double full;           /* hosts whose store takes full_bytes and no more */
    uint64_t full_bytes;
    uint64_t from_ns, until_ns; /* since the start; until 0: to the end */
};

struct lab_fault_count {
    uint64_t crashes, commits, puts, jumps; /* that were made to fail */
};

struct lab_fault;

/* Called before the first host is on, and before whoever checks invariants.  NULL if the
 * configuration has no fault. */
struct lab_fault *lab_fault_new(struct lab_sim *sim, const struct lab_fault_config *config);
void lab_fault_free(struct lab_fault *fault);

/* Ends all faults now, if they are not over.  No thread is running. */
void lab_fault_end(struct lab_fault *fault);

struct lab_fault_count lab_fault_count(const struct lab_fault *fault);

#endif
