/*
 * Many runs in processes of their own.  Each result is put down where the run's number says, so
 * that nothing depends on which run ends first; a run that crashes takes no other with it.
 */
#ifndef HEARSAY_LAB_BATCH_H
#define HEARSAY_LAB_BATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "src/lab/output/result.h"

struct lab_job {
    size_t number;
    atomic_uint *share_ppm; /* of this run, seen by the bar */
};

/* How far this run is, 0 .. 1; call as often as you like. */
void lab_job_progress(const struct lab_job *job, double share);

struct lab_batch {
    size_t jobs;
    unsigned at_once; /* processes; 0: one for each core */
    bool quiet;       /* no bar */
    FILE *log;        /* for the bar and what failed; NULL: standard error */

    /* In a child: fills `out`, and returns 0; or tells why not by the text field "error" of `out`,
     * and returns anything else. */
    int (*run)(const struct lab_job *job, struct lab_result *out, void *user);
    /* "main, seed 4", for the bar and for what failed. */
    void (*label)(size_t job, char *text, size_t size, void *user);
    /* The command that makes this one run again, as it can be typed. */
    void (*replay)(size_t job, FILE *out, void *user);
    const char *version; /* of the program, told with what failed */
    void *user;
};

enum lab_batch_end {
    LAB_BATCH_DONE,
    LAB_BATCH_FAILED,  /* of some run; was told */
    LAB_BATCH_STOPPED, /* by a signal such as Ctrl-C */
};

/* result[jobs], initialised and empty.  Each gets what its run gave, and wall_seconds, cpu_seconds
 * and peak_gib.  All children are gone when this returns.  For a process with one thread: signals
 * are held back meanwhile. */
enum lab_batch_end lab_batch_run(const struct lab_batch *batch, struct lab_result *result);

#endif
