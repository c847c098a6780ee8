/*
 * What is measured in a run.  A scenario names measures; each watches the simulation as an observer
 * and writes fields and tables into the result when the run is over.  It changes nothing: a run has
 * the same digest with and without.
 *
 * A new one is a file with an lab_measure_kind and a line in measures.c.
 */
#ifndef HEARSAY_LAB_MEASURE_H
#define HEARSAY_LAB_MEASURE_H

#include "src/lab/output/result.h"
#include "src/lab/sim/sim.h"

enum { LAB_MEASURE_ARGS_MAX = 8 };

/* key=value as the scenario gave them; the strings live as long as the run. */
struct lab_measure_args {
    const char *key[LAB_MEASURE_ARGS_MAX];
    const char *value[LAB_MEASURE_ARGS_MAX];
    double number[LAB_MEASURE_ARGS_MAX]; /* NAN: the key has no kind of number */
    size_t count;
    uint64_t duration_ns; /* of the run, as planned */
};

/* `fallback` if it was not given. */
double lab_measure_number(const struct lab_measure_args *args, const char *key, double fallback);
const char *lab_measure_word(const struct lab_measure_args *args, const char *key,
                             const char *fallback);

struct lab_measure_kind {
    const char *name;
    const char *keys; /* that it takes, with blanks between: "from:seconds host:count" */
    const char *help;
    /* What it gives: fields with blanks between, and "table:column,column table:column"; NULL: no
     * table.  A field that begins with drop_ is any reason's, and is not among them. */
    const char *fields, *tables;
    /* Called before the first host is on; registers observers and deeds. */
    void *(*open)(struct lab_sim *sim, const struct lab_measure_args *args);
    /* The run is over: write, and give all memory back. */
    void (*close)(void *self, struct lab_sim *sim, struct lab_result *result);
};

/* The first is taken in every run. */
extern const struct lab_measure_kind *const lab_measures[];
extern const size_t lab_measure_count;

extern const struct lab_measure_kind lab_measure_traffic;
extern const struct lab_measure_kind lab_measure_spread;
extern const struct lab_measure_kind lab_measure_overlay;
extern const struct lab_measure_kind lab_measure_sides;
extern const struct lab_measure_kind lab_measure_holdings;
extern const struct lab_measure_kind lab_measure_graph;
extern const struct lab_measure_kind lab_measure_letters;
extern const struct lab_measure_kind lab_measure_eclipse;
extern const struct lab_measure_kind lab_measure_store;
extern const struct lab_measure_kind lab_measure_pace;
extern const struct lab_measure_kind lab_measure_nat;
extern const struct lab_measure_kind lab_measure_puncturing;

/* Seconds of a step as the run has it; steps that so much time is. */
double lab_step_seconds(const struct lab_sim *sim);
double lab_steps(const struct lab_sim *sim, uint64_t ns);

#endif
