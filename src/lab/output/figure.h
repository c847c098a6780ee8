/*
 * What a figure shows, as a scenario says it.  Kept in manifest.json, so that the report needs
 * nothing but the folder of results.
 *
 *   lines, steps, points   y over x; a series per value of `by`, the mean over seeds with a band
 *                          from least to largest
 *   bars                   the same with x as names
 *   cdf                    the share of rows with at most x; `y` only names the axis (if the table
 *                          has no column x, the columns y are taken)
 *   heatmap                y is two columns: the upright axis and the value
 */
#ifndef HEARSAY_LAB_FIGURE_H
#define HEARSAY_LAB_FIGURE_H

#include <stdbool.h>

#include <jansson.h>

enum lab_style {
    LAB_STYLE_LINES,
    LAB_STYLE_STEPS,
    LAB_STYLE_POINTS,
    LAB_STYLE_BARS,
    LAB_STYLE_CDF,
    LAB_STYLE_HEATMAP,
    LAB_STYLE_COUNT,
};

/* Texts are the caller's.  NULL or "" stands for: x_label, y_label: the columns' names; by: the
 * variants; variants: all; names, bar_text, note: none. */
struct lab_figure {
    const char *title;
    const char *table; /* of the results; "runs": their fields; "sweep": those over the grid */
    const char *x, *x_label;
    const char *y, *y_label;       /* y: "share" or "least,most" */
    const char *x_names, *y_names; /* "1=no NAT,2=full cone", see label.h: of values of x; of
                                    * columns y, and of values of a heatmap's upright axis */
    const char *by;
    const char *variants; /* "main,pull": no others are shown */
    enum lab_style style;
    bool logx, logy;
    bool has_bar; /* a line to stay below, or to reach: at y, in a cdf at x */
    double bar;
    const char *bar_text;
    bool has_x_max;
    double x_max;
    const char *note;
};

const char *lab_style_name(enum lab_style style); /* "lines" */

/* HSAY_ENOENT for a name that is none. */
int lab_style_find(const char *name, enum lab_style *style);

json_t *lab_figure_json(const struct lab_figure *figure);

/* Texts stay in the object.  HSAY_EBAD for what lab_figure_json can not have made. */
int lab_figure_parse(struct lab_figure *figure, const json_t *object);

#endif
