/* The rows of a table as samples of a figure: the first half of plot.c. */
#ifndef HEARSAY_LAB_SAMPLES_H
#define HEARSAY_LAB_SAMPLES_H

#include <stdint.h>

#include "src/lab/output/plot.h"

struct lab_sample {
    size_t series;
    double x, y;
    uint64_t seed;
    double value;
};

struct lab_samples {
    struct lab_sample *sample;
    size_t count, room;
};

/* Fills the names of series and categories of an empty plot, and all samples, in no order. */
int lab_samples_take(struct lab_samples *samples, struct lab_plot *plot,
                     const struct lab_figure *figure, const struct lab_csv *csv,
                     struct lab_why *why);

#endif
