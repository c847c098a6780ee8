/*
 * Figures and results of a scenario, before hours of runs: each table, column and field that they
 * name must be one that the runs can give.
 */
#ifndef HEARSAY_LAB_PLAN_CHECK_H
#define HEARSAY_LAB_PLAN_CHECK_H

#include "src/lab/plan.h"

/* 0, or HSAY_EINVAL and faults.  The plan has its settings. */
int lab_plan_check(struct lab_plan *plan, struct lab_faults *faults);

#endif
