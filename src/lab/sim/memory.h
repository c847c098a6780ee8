/*
 * Memory for the laboratory.  A simulation that runs out of it has no result to save: it says so
 * and ends.
 */
#ifndef HEARSAY_LAB_MEMORY_H
#define HEARSAY_LAB_MEMORY_H

#include <stddef.h>

/* Zeroed; never NULL.  A size of 0 counts as 1. */
void *lab_calloc(size_t count, size_t size);

/* As realloc; never NULL. */
void *lab_realloc(void *memory, size_t size);

#endif
