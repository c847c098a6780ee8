/*
 * Memory and words for the output side of the laboratory.
 *
 * A tool that has simulated for an hour and can not get memory for its table can only say so and
 * stop: these calls never return NULL, and their callers have no path for it.
 */
#ifndef HEARSAY_LAB_HEAP_H
#define HEARSAY_LAB_HEAP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* `count` zeroed items of this size; free() it. */
void *lab_heap_new(size_t count, size_t size);

/* Room for one item more behind `count` in an array that has room for *room of them; returns where
 * the array is now. */
void *lab_heap_grow(void *array, size_t count, size_t *room, size_t size);

char *lab_heap_copy(const char *text);
char *lab_heap_copy_part(const char *text, size_t size);
char *lab_heap_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A text that is put together with stdio.  lab_text_take gives the text away: free() it. */
struct lab_text {
    FILE *out;
    char *text;
    size_t size;
};
void lab_text_open(struct lab_text *text);
char *lab_text_take(struct lab_text *text, size_t *size);

/* Why something failed, in words for the user. */
struct lab_why {
    char text[1024];
};
/* Returns `rc`, so that `return lab_why_set(why, HSAY_EIO, ...)` is one line. */
int lab_why_set(struct lab_why *why, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
