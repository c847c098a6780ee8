/*
 * Names in a scenario: which are allowed, and what to say of one that nobody knows.
 */
#ifndef HEARSAY_LAB_NAMES_H
#define HEARSAY_LAB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { LAB_NAME_BYTES = 64 }; /* the final 0 included */

/* A letter, then letters, digits, '_' and '-', 63 in all. */
bool lab_name_ok(const char *text);

/* Names wherever they are: name(list, i) for i < count. */
struct lab_names {
    const void *list;
    size_t count;
    const char *(*name)(const void *list, size_t i);
};

/* The name in a list of words with blanks between them; false if it is not there. */
bool lab_names_in_words(const char *words, const char *name, size_t length);

/* How many letters must be changed, added, left out or swapped with their neighbour to make one of
 * the other; both are looked at up to 63 letters. */
unsigned lab_names_distance(const char *a, const char *b);

/* "unknown setting 'los' (did you mean 'loss'?); known are: delay, loss".  What finds no room is
 * left out with "...". */
void lab_names_unknown(char *why, size_t size, const char *what, const char *name,
                       const struct lab_names *known);

/* The same with the known names as words with blanks between them. */
void lab_names_unknown_word(char *why, size_t size, const char *what, const char *name,
                            const char *words);

#endif
