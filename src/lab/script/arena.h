/*
 * Memory that is given back all at once: what was read from one scenario, or made for one run of
 * it.  Running out ends the program (see heap.h), so nothing here can fail.
 */
#ifndef HEARSAY_LAB_ARENA_H
#define HEARSAY_LAB_ARENA_H

#include <stddef.h>

struct lab_arena_chunk;

/* Empty when zeroed. */
struct lab_arena {
    struct lab_arena_chunk *chunk;
    size_t bytes; /* given out so far */
};

/* Zeroed, aligned for any type, in place until lab_arena_free. */
void *lab_arena_alloc(struct lab_arena *arena, size_t size);

/* A copy; NULL for nothing. */
void *lab_arena_copy(struct lab_arena *arena, const void *data, size_t size);

/* A copy of a text, and of the first `length` bytes of one, with a final 0. */
char *lab_arena_text(struct lab_arena *arena, const char *text);
char *lab_arena_text_part(struct lab_arena *arena, const char *text, size_t length);

void lab_arena_free(struct lab_arena *arena);

#endif
