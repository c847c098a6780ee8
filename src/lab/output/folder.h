/*
 * A folder of results:
 *
 *   manifest.json       what was run, and on what (manifest.h)
 *   tables/runs.csv     a row per variant and seed: all fields
 *   tables/NAME.csv     variant, seed, and the columns of a table
 *   result.json         the summary; written last, so a folder that has it is whole
 *
 * and of a sweep manifest.json, result.json, sweep.csv (a row per point, variant and seed) and such
 * a folder per point, named as in "loss=0.1,nodes=100".  The report adds report.html and figures/.
 */
#ifndef HEARSAY_LAB_FOLDER_H
#define HEARSAY_LAB_FOLDER_H

#include <jansson.h>

#include "src/lab/output/heap.h"
#include "src/lab/output/study.h"

/* May results be written here?  To be asked before hours of simulation.  A folder that is missing
 * is made.  HSAY_EEXIST: it holds something else; HSAY_EIO: no folder, or not writable.  Words in
 * both cases. */
int lab_folder_check(const char *path, struct lab_why *why);

/* Takes the place of a former result, after another check.  HSAY_EIO: the disk is full, or what
 * else the system says; then there is no result.json. */
int lab_folder_write(const char *path, const struct lab_study *study,
                     const struct lab_result *result, const json_t *summary, struct lab_why *why);

/* Removes a former result from a folder that passed the check. */
void lab_folder_clear(const char *path);

#endif
