/*
 * A queue of bytes that grows, and the client's clock.  Memory that runs out ends the program: a
 * client holds nothing that could be lost.
 */
#ifndef HEARSAY_CLI_BYTES_H
#define HEARSAY_CLI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *data; /* `size` bytes that wait from `start` on */
    size_t start;
    size_t size;
    size_t room;
    size_t looked; /* of the size, these hold no newline */
};

void bytes_add(struct bytes *bytes, const void *data, size_t size);
/* Room for `size` more behind what waits; bytes_grown tells how many of them were filled. */
char *bytes_space(struct bytes *bytes, size_t size);
void bytes_grown(struct bytes *bytes, size_t size);
void bytes_skip(struct bytes *bytes, size_t size);
void bytes_free(struct bytes *bytes);

/* Takes a whole line off the front: *line has *size bytes without the newline, and stays valid
 * until the next call with these bytes. */
bool bytes_line(struct bytes *bytes, const char **line, size_t *size);

/* malloc and realloc that do not return NULL. */
void *must_alloc(void *old, size_t size);
__attribute__((format(printf, 1, 2))) char *must_print(const char *format, ...);

/* Milliseconds of a clock that only goes forward. */
#define CLOCK_NEVER UINT64_MAX
uint64_t clock_ms(void);
/* What poll wants to hear: the rest of the time until the deadline, or -1. */
int clock_left_ms(uint64_t deadline_ms);

#endif
