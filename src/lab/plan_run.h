/* The runs of a plan, each in a process of its own. */
#ifndef HEARSAY_LAB_PLAN_RUN_H
#define HEARSAY_LAB_PLAN_RUN_H

#include "src/lab/output/result.h"
#include "src/lab/plan.h"

/* All results in the order of the study's runs, to be given back by lab_plan_drop.  Of a run that
 * failed there is nothing but the text field "error", and *whole becomes false.  NULL if all of
 * them failed or somebody asked to stop.  Both have been told. */
struct lab_result *lab_plan_run(struct lab_plan *plan, const struct lab_options *options,
                                bool *whole);
void lab_plan_drop(const struct lab_plan *plan, struct lab_result *result);

#endif
