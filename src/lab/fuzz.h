/* Inside the command fuzz: its runs, and what they come to. */
#ifndef HEARSAY_LAB_FUZZ_H
#define HEARSAY_LAB_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "src/lab/options.h"
#include "src/lab/output/result.h"

struct fuzz {
    const struct lab_options *options;
    int argc; /* what was typed */
    char **argv;
    uint64_t *seed;
    size_t seeds, seeds_room;
    struct lab_result *result; /* of each seed */
};

/* A field that is a text, or "". */
const char *lab_fuzz_text(const struct lab_result *result, const char *name);

/* A run that left no result ended by a signal; one that could not be made failed, too. */
bool lab_fuzz_failed(const struct lab_result *result);

/* Of all runs, which took so many seconds.  A new object. */
json_t *lab_fuzz_summary(const struct fuzz *fuzz, double seconds);
void lab_fuzz_print(FILE *out, const json_t *summary);

#endif
