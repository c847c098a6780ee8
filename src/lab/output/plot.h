/*
 * From a table of all runs to what a figure draws: series of spots.
 *
 * Rows are told apart by the figure's `by` and by whatever else stands before the seeds (the keys
 * of a sweep, the variant) and differs, unless it is the x axis: a mean over two variants would be
 * a number that nobody measured.  Within one series and one x, rows of the same seed are averaged
 * first, so that a seed with more rows weighs no more.
 */
#ifndef HEARSAY_LAB_PLOT_H
#define HEARSAY_LAB_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "src/lab/output/csv.h"
#include "src/lab/output/figure.h"
#include "src/lab/output/heap.h"

/* More lines than this in one figure are none; see choice.h. */
enum { LAB_PLOT_SERIES_MAX = 24 };

struct lab_spot {
    double x; /* or the index of a category; in a heatmap, too */
    double y; /* of heatmaps */
    double mean, least, largest;
    size_t seeds;
};

struct lab_series {
    char *name; /* "" when there is nothing to tell it from */
    /* Which value of `by` it has, and which of all else together.  Where all have the same value of
     * `by`, they are told apart by the first of the two numbers even so. */
    size_t colour, dash;
    struct lab_spot *spot;
    size_t spots, room;
};

struct lab_plot {
    struct lab_series *series;
    size_t series_count, series_room;
    char **category; /* names of the x axis; none: x is a number */
    size_t categories, categories_room;
    bool banded;                     /* some spot has several seeds */
    bool over_variants, over_points; /* series are told apart by variants; by the keys of a sweep */
    char *note;                      /* what is not shown; NULL: nothing */
};

/* HSAY_ENOENT: a column is missing; HSAY_EINVAL: nothing to draw, or too much.  With words; then
 * there is nothing to free. */
int lab_plot_make(struct lab_plot *plot, const struct lab_figure *figure, const struct lab_csv *csv,
                  struct lab_why *why);
void lab_plot_free(struct lab_plot *plot);

/* The numbers behind the figure: series, x, mean, least, largest, seeds. */
void lab_plot_csv(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

#endif
