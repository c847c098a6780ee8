/*
 * From a command line to a study: the scenario, and the settings of each of its runs.
 *
 * What is said goes over what was said before: the table's fallbacks, the scenario's `set` lines,
 * the command line, the point of a sweep; and a variant over all of them, for the keys it names.
 */
#ifndef HEARSAY_LAB_PLAN_H
#define HEARSAY_LAB_PLAN_H

#include "src/lab/options.h"
#include "src/lab/output/study.h"
#include "src/lab/script/scenario.h"
#include "src/lab/script/settings.h"

struct lab_plan {
    struct lab_scenario scenario;
    struct lab_settings *settings; /* per point and variant: [point * variants + variant] */
    size_t settings_count;
    struct lab_study study;
    const char *events;     /* folder for the events of each run; NULL: none */
    bool by_text;           /* the scenario is in no file */
    struct lab_arena arena; /* what the study points to */
};

struct lab_plan_request {
    const struct lab_options *options; /* the first word is the experiment */
    const char *text;                  /* of the scenario, instead of a file; or NULL */
    bool sweep;
    const struct lab_pairs *point; /* the grid of the sweep, instead of what is typed; or NULL */
    size_t points;
    int argc; /* what was typed */
    char **argv;
};

/* Everything that is wrong is told on standard error, and false returned; free in any case. */
bool lab_plan_make(struct lab_plan *plan, const struct lab_plan_request *request);
void lab_plan_free(struct lab_plan *plan);

/* The verbs of scenarios. */
const struct lab_language *lab_plan_language(void);

#endif
