/*
 * Test vectors out of a .hex file: lines `name = hex`, `#` begins a comment.  For tests; a file or
 * a name that is missing, or text that is no hex, ends the program with a message.
 */
#ifndef HEARSAY_TESTS_VECTORS_H
#define HEARSAY_TESTS_VECTORS_H

#include "hearsay/types.h"

enum { VECTOR_MAX_BYTES = 4096 };

struct vector {
    char name[64];
    uint8_t byte[VECTOR_MAX_BYTES];
    size_t size;
};

/* The vector called `name` in tests/vectors/`file`. */
struct vector vector_get(const char *file, const char *name);

/* As above for one that holds exactly `size` bytes. */
void vector_copy(const char *file, const char *name, void *out, size_t size);

/* The vectors of a file whose names begin with `prefix`, one after the other: start with
 * *index = 0, ends with false. */
bool vector_next(const char *file, const char *prefix, size_t *index, struct vector *out);

static inline struct hsay_span vector_span(const struct vector *v)
{
    return (struct hsay_span){v->byte, v->size};
}

#endif
