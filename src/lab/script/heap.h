/*
 * Memory for what scenarios say.  Running out of it ends the program: nothing that could be lost
 * has been computed yet.
 */
#ifndef HEARSAY_LAB_SCRIPT_HEAP_H
#define HEARSAY_LAB_SCRIPT_HEAP_H

#include <stddef.h>

/* Zeroed; never NULL. */
void *lab_script_calloc(size_t count, size_t size);

/* As realloc; never NULL. */
void *lab_script_realloc(void *memory, size_t size);

/* Room for one item more at the end of a list, which is doubled when count is a power of two. */
void *lab_script_grow(void *list, size_t count, size_t item_bytes);

#endif
