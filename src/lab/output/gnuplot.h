/* The program that draws. */
#ifndef HEARSAY_LAB_GNUPLOT_H
#define HEARSAY_LAB_GNUPLOT_H

#include "src/lab/output/heap.h"

/* HSAY_ENOENT, with words that name the package, if there is no gnuplot. */
int lab_gnuplot_check(struct lab_why *why);

/* What a script writes to standard output, in *out: free() it.  HSAY_ENOENT: no gnuplot; HSAY_EBAD:
 * it failed, with its words; HSAY_EIO: the system. */
int lab_gnuplot_run(const char *script, char **out, struct lab_why *why);

#endif
