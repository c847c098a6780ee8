/*
 * The TIME of a line: see timeline.h.
 */
#ifndef HEARSAY_LAB_MOMENT_H
#define HEARSAY_LAB_MOMENT_H

#include <stddef.h>
#include <stdint.h>

/* first, first + every, ... up to last; every is 0 if it is once. */
struct lab_moment {
    uint64_t first_ns, last_ns, every_ns;
};

struct lab_moment_base {
    uint64_t before_ns; /* of the line before */
    uint64_t end_ns;
};

/* Without the @.  0, or HSAY_EINVAL and a sentence in why. */
int lab_moment_read(struct lab_moment *moment, const char *text, const struct lab_moment_base *base,
                    char *why, size_t why_size);

#endif
