/* Words into HTML and SVG. */
#ifndef HEARSAY_LAB_MARKUP_H
#define HEARSAY_LAB_MARKUP_H

#include <stdio.h>

/* A text as it is to be read: & < > " ' are escaped, control characters but tabs and line ends left
 * out. */
void lab_markup_put(FILE *out, const char *text);

/* A paragraph for each part between empty lines. */
void lab_markup_paragraphs(FILE *out, const char *text);

/* As part of a "data:" address. */
void lab_markup_percent(FILE *out, const char *text);

/* Head of the page, with all the style there is, up to the heading; and its end. */
void lab_markup_head(FILE *out, const char *title);
void lab_markup_tail(FILE *out, const char *words);

#endif
