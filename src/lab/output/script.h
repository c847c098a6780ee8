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

/* Ranges and marks of both axes, and the bar. */
void lab_script_axes(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

/* The plot commands of a heatmap, a panel per series. */
void lab_script_heatmap(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

#endif
