/* A figure in the words of gnuplot. */
#ifndef HEARSAY_LAB_GNUPLOT_SCRIPT_H
#define HEARSAY_LAB_GNUPLOT_SCRIPT_H

#include "src/lab/output/plot.h"

/* Writes SVG to gnuplot's standard output. */
void lab_script(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

/* For the parts of the script: a text in gnuplot's quotes, wrapped into lines of about `columns`
 * (0: not). */
void lab_script_text(FILE *out, const char *text, size_t columns);

/* The plot commands of a heatmap, a panel per series. */
void lab_script_heatmap(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot);

/* Title, labels and what all styles share. */
void lab_script_head(FILE *out, const struct lab_figure *figure, int height);

#endif
