/*
 * Which rows a figure is drawn from: those of its own variants; and where a sweep makes more lines
 * than anybody can tell apart, those of the plain variant alone.
 */
#ifndef HEARSAY_LAB_CHOICE_H
#define HEARSAY_LAB_CHOICE_H

#include "src/lab/output/plot.h"

enum {
    LAB_CHOICE_LINES_MAX = 10, /* that are told apart by colour and dash */
    LAB_CHOICE_PANELS_MAX = 4, /* of a heatmap, one above the other */
};

/* Removes the rows of all variants but these, "main,pull"; if there is none of these, nothing. */
void lab_choice_keep(struct lab_csv *csv, const char *variants);

/* Takes rows out of the table and makes the plot of the others, with a note if it shows less than
 * the figure asks for.  Errors are those of lab_plot_make; HSAY_ENOSPC: there are so many bars that
 * none of them can be read. */
int lab_choice_plot(struct lab_plot *plot, const struct lab_figure *figure, struct lab_csv *csv,
                    struct lab_why *why);

#endif
