/*
 * Where a key that a stranger may choose stands in one of our fixed tables.
 *
 * XXH3 with a secret seed is no keyed hash in the cryptographic sense.  It need not be: a table
 * here looks at a bounded number of places whatever collides, what matters in it can not be
 * displaced by strangers, and no answer tells who shares a place with whom.
 */
#ifndef HEARSAY_WIRE_SALTED_H
#define HEARSAY_WIRE_SALTED_H

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hsay_salted(uint64_t salt, const uint8_t *bytes, size_t size)
{
    return XXH3_64bits_withSeed(bytes, size, salt);
}

#endif
