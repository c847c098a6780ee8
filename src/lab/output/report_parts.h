/* The parts of the report, a file each. */
#ifndef HEARSAY_LAB_REPORT_PARTS_H
#define HEARSAY_LAB_REPORT_PARTS_H

#include <jansson.h>

#include "src/lab/output/csv.h"
#include "src/lab/output/figure.h"
#include "src/lab/output/report.h"

/* --- report_find.c: what there is ------------------------------------------------------------ */

struct lab_found {
    char *folder;
    json_t *manifest, *summary;
};

struct lab_finds {
    struct lab_found *found;
    size_t count, room;
};

/* Appends what lies in `folder`, or else one or two levels below it in the order of names.  A
 * result that was not finished is told to the log and left out. */
void lab_report_find(struct lab_finds *finds, const char *folder, FILE *log);
void lab_report_find_free(struct lab_finds *finds);

/* The rows of all variants and seeds (and points, with their keys in front) of a table. HSAY_ENOENT
 * or others with words. */
int lab_report_table(const struct lab_found *found, const char *table, struct lab_csv *csv,
                     struct lab_why *why);

/* --- report_figure.c ------------------------------------------------------------------------- */

struct lab_report_figure {
    const struct lab_found *found;
    const struct lab_figure *figure;
    const char *name;   /* "01-spread-2": of files and ids */
    const char *folder; /* for its SVG and CSV */
};

/* Into the page and into files. */
int lab_report_figure(FILE *page, const struct lab_report_figure *drawn, struct lab_why *why);

/* --- report_section.c ------------------------------------------------------------------------ */

struct lab_report_section {
    const struct lab_found *found;
    size_t number;       /* from 1 */
    const char *figures; /* folder */
    FILE *log;
};

/* HSAY_EIO alone stops the report. */
int lab_report_section(FILE *page, const struct lab_report_section *section, struct lab_why *why);

/* --- report_tables.c ------------------------------------------------------------------------- */

void lab_report_results(FILE *page, const struct lab_found *found);
void lab_report_settings(FILE *page, const json_t *manifest);

#endif
