/* One run: a variant of a scenario under one seed, from its settings to its result. */
#ifndef HEARSAY_LAB_RUN_H
#define HEARSAY_LAB_RUN_H

#include "src/lab/output/result.h"
#include "src/lab/script/scenario.h"
#include "src/lab/script/timeline.h"
#include "src/lab/sim/churn.h"
#include "src/lab/sim/invariant.h"
#include "src/lab/sim/sim.h"

/* What the deeds of a run share.  Lives while it runs. */
struct lab_run {
    const struct lab_settings *settings;
    struct lab_timeline timeline;
    struct lab_sim *sim;
    struct lab_churn *churn;
    struct lab_invariants *invariants; /* NULL: not checked */
    struct lab_result *result;
    uint64_t duration_ns;
    uint64_t unpublished; /* what hosts were to say, but were off, or their nodes refused */
    unsigned unmet;       /* expectations of the scenario that did not hold */
    char first_unmet[160];
    void (*progress)(void *self, double share); /* may be NULL */
    void *progress_self;
};

/* What the caller wants besides the result. */
struct lab_run_request {
    uint64_t seed;
    const char *events; /* file to write the events to; NULL: none */
    void (*progress)(void *self, double share);
    void *progress_self;
};

/* The fields that any run may have, with blanks between, besides those of measures; and its own
 * table, of runs that are healed, as "table:column,column". */
extern const char lab_run_fields[], lab_run_tables[];

/* Settings as lab_scenario_choose left them.  0; or -1 and the field "error" in the result: the
 * scenario cannot be run, an expectation did not hold, or an invariant was broken. */
int lab_run(const struct lab_scenario *scenario, const struct lab_settings *settings,
            const struct lab_run_request *request, struct lab_result *result);

#endif
