/*
 * Runs in two phases.  In the first anything may go wrong, and the invariants must hold (safety).
 * Then all is healed at one moment: faults, losses, partitions and limits end, every host comes
 * back to stay; and within a bound all of them must hold the same (liveness).  They are compared
 * four times a step; the run is over when they agree.
 */
#ifndef HEARSAY_LAB_HEAL_H
#define HEARSAY_LAB_HEAL_H

#include "src/lab/output/result.h"
#include "src/lab/sim/fault.h"
#include "src/lab/sim/invariant.h"

struct lab_heal_config {
    uint64_t at_ns;                    /* since the start; 0: never */
    double steps;                      /* within which they have to agree; 0: lab_heal_bound */
    struct lab_fault *fault;           /* to be ended; or NULL */
    struct lab_return how;             /* how hosts that are away come back */
    struct lab_invariants *invariants; /* that are told; or NULL */
};

struct lab_heal;

/* NULL if it never happens. */
struct lab_heal *lab_heal_new(struct lab_sim *sim, const struct lab_heal_config *config);
void lab_heal_free(struct lab_heal *heal);

/* Goes on until it is over.  NULL is fine. */
void lab_heal_run(struct lab_heal *heal);

/* Why the run has failed: they did not agree in time, or all was over before it was healed.  NULL:
 * it has not.  The text lives as long as `heal`. */
const char *lab_heal_failure(struct lab_heal *heal);

/* Fields heal_steps (until they agreed; null if they did not) and heal_bound; and a table of what
 * the hosts held meanwhile, as shares of all there is. */
void lab_heal_write(const struct lab_heal *heal, struct lab_result *result);

/* Steps that healing may take in this simulation, with what its stores hold now. */
double lab_heal_bound(const struct lab_sim *sim);

#endif
