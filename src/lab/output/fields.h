/* Looking into the objects of summary.h: which fields are there to be shown. */
#ifndef HEARSAY_LAB_FIELDS_H
#define HEARSAY_LAB_FIELDS_H

#include <stdbool.h>

#include <jansson.h>

/* A field that a run or a `result` line gave: not what stands for the whole batch ("command"), and
 * none of the suffixed ones ("f_mean") that belong to another. */
bool lab_field_is_plain(const json_t *object, const char *key);

/* Of a field of one variant: a number for people, with least and largest where they differ.
 * free() it. */
char *lab_field_words(const json_t *object, const char *key);

#endif
