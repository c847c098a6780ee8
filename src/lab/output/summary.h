/*
 * The object that a batch of runs ends with: the fields of the plain variant, derived fields, all
 * variants, and what was run.  It is one line on standard output, and result.json.
 */
#ifndef HEARSAY_LAB_SUMMARY_H
#define HEARSAY_LAB_SUMMARY_H

#include <stdio.h>

#include <jansson.h>

#include "src/lab/output/heap.h"
#include "src/lab/output/study.h"

/* Of one point of the grid (0 if there is no sweep), from the results of all runs.  A new object;
 * NULL and words if a derived field names a variant that is not there.  One of numbers that no run
 * has is null, which is told in `why`, otherwise empty: hours of work are not lost by it. */
json_t *lab_summary(const struct lab_study *study, const struct lab_result *result, size_t point,
                    struct lab_why *why);

/* Of a whole sweep: "points" is the list of the points' objects, each with "point". */
json_t *lab_summary_sweep(const struct lab_study *study, const struct lab_result *result,
                          struct lab_why *why);

/* Settings with the words that are numbers made numbers.  A new object. */
json_t *lab_summary_settings(const struct lab_pairs *settings);

/* Of whichever kind. */
json_t *lab_summary_any(const struct lab_study *study, const struct lab_result *result,
                        struct lab_why *why);

/* For people: a line per field, a column per variant. */
void lab_summary_print(FILE *out, const json_t *summary);

/* The object on one line.  HSAY_EIO if the stream refuses. */
int lab_summary_line(FILE *out, const json_t *summary);

#endif
