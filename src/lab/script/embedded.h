/*
 * The experiments that are part of the program: src/lab/experiments/NAME.scenario, which the build
 * turns into texts, so that they are there wherever the program is.
 */
#ifndef HEARSAY_LAB_EMBEDDED_H
#define HEARSAY_LAB_EMBEDDED_H

#include <stddef.h>

struct lab_embedded {
    const char *name; /* without .scenario */
    const char *text; /* ends with a 0 besides */
    size_t size;
};

/* In the order of their names. */
extern const struct lab_embedded lab_embedded_table[];
extern const size_t lab_embedded_count;

/* With or without .scenario; NULL if there is none. */
const struct lab_embedded *lab_embedded_find(const char *name);

#endif
