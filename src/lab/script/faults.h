/*
 * What is wrong with a scenario: sentences with the place they are about.  Reading goes on behind a
 * mistake, so that one run of the program shows most of them, and ends with the first for which
 * there is no room.
 */
#ifndef HEARSAY_LAB_FAULTS_H
#define HEARSAY_LAB_FAULTS_H

#include <stddef.h>
#include <stdio.h>

enum { LAB_FAULTS_MAX = 20, LAB_FAULT_BYTES = 1024 };

/* A line of a file; line 0 is none in particular. */
struct lab_script_place {
    const char *file;
    unsigned line;
};

/* Empty when zeroed; each text is owned. */
struct lab_faults {
    char *text[LAB_FAULTS_MAX]; /* "file:line: sentence" */
    size_t count;
    size_t more; /* found no room: whoever sees this may stop */
};

__attribute__((format(printf, 3, 4))) void lab_faults_add(struct lab_faults *faults,
                                                          const struct lab_script_place *place,
                                                          const char *format, ...);

/* All of them, kept or only counted. */
size_t lab_faults_total(const struct lab_faults *faults);

/* A line each, and whether there are more. */
void lab_faults_print(const struct lab_faults *faults, FILE *to);

void lab_faults_free(struct lab_faults *faults);

#endif
