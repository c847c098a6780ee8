/* A figure in the words of gnuplot. */
#ifndef HEARSAY_LAB_GNUPLOT_SCRIPT_H
#define HEARSAY_LAB_GNUPLOT_SCRIPT_H

#include "src/lab/output/plot.h"

/* Writes SVG to gnuplot's standard output. */
void lab_script(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

/* --- parts of it ----------------------------------------------------------------------------- */

enum { LAB_SCRIPT_COLUMNS = 84 }; /* letters that go side by side in a figure */

/* A text in gnuplot's quotes, wrapped into lines of about `columns` (0: not). */
void lab_script_text(FILE *out, const char *text, size_t columns);

/* Title, labels and what all styles share. */
void lab_script_head(FILE *out, const struct lab_figure *figure, int height);

/* Where the x axis begins and ends, if it is one of numbers. */
struct lab_script_range {
    double low, high;
};
struct lab_script_range lab_script_x_range(const struct lab_figure *figure,
                                           const struct lab_plot *plot);

/* Ranges and marks of both axes, and the bar. */
void lab_script_axes(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

/* Marks of an axis ('x') at the numbers that have a name, see label.h; none: the marks stay. */
void lab_script_names(FILE *out, char axis, const char *names);

/* How the line to reach looks, in the figure and in the legend. */
#define LAB_SCRIPT_BAR "dashtype (6,4) linewidth 1.2 linecolor 'black'"

/* The words at it.  free() them. */
char *lab_script_bar_text(const struct lab_figure *figure);

/* The plot commands of a heatmap, a panel per series. */
void lab_script_heatmap(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

#endif
