/* Words for what tables have as numbers and short names: "1=no NAT,2=full cone" of a figure. */
#ifndef HEARSAY_LAB_LABEL_H
#define HEARSAY_LAB_LABEL_H

#include <stdbool.h>
#include <stddef.h>

/* One of them; the texts are parts of the list, and not ended by 0. */
struct lab_label {
    const char *name, *text;
    size_t name_size, text_size;
};

/* The one at *at, which goes behind it; false at the end.  What has no '=' is its own text. */
bool lab_label_next(const char **at, struct lab_label *label);

/* What the list says for this name, or the name itself; the list may be NULL.  free() it. */
char *lab_label_of(const char *list, const char *name);

#endif
