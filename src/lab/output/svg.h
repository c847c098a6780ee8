/*
 * SVG as gnuplot writes it, made fit to stand in a page with others: names that are the figure's
 * own, the page's colour for ink so that it can be read on dark paper, and nothing that is not
 * drawn.
 */
#ifndef HEARSAY_LAB_SVG_H
#define HEARSAY_LAB_SVG_H

#include <stdbool.h>

struct lab_svg {
    const char *prefix; /* before each id: "f3-" */
    const char *label;  /* for those who can not see it */
    bool alone;         /* a file by itself, with its own paper; else for HTML, without names of
                           formats */
};

/* free() the text. */
char *lab_svg_clean(const char *text, const struct lab_svg *how);

#endif
