/*
 * The report: all results below some folders in one page of HTML that needs nothing else, and
 * beside it figures/ with each figure as SVG and the numbers behind it as CSV.
 */
#ifndef HEARSAY_LAB_REPORT_H
#define HEARSAY_LAB_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "src/lab/output/heap.h"

struct lab_report {
    const char *const *folder; /* of results, or with such folders one or two levels below */
    size_t folders;
    const char *out;     /* "somewhere/report.html"; its folder is made */
    const char *version; /* of this program */
    FILE *log;           /* for what could not be drawn; NULL: standard error */
};

/* HSAY_ENOENT: no result was found, or no gnuplot; HSAY_EIO: not written.  With words.  A figure
 * that can not be drawn is told in the page and the log, and the rest stands. */
int lab_report_write(const struct lab_report *report, struct lab_why *why);

#endif
