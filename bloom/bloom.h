/*
 * The filter: which digests somebody holds, in about 9.6 bits each, with 1 % of wrong "yes".
 *
 * A filter never says "no" to what was added.  Every filter needs a salt of its own, fresh and
 * unpredictable: then an unlucky "yes" is gone with the next filter, and nobody can make bundles
 * that collide in filters to come.  Items are digests (halves of BLAKE2b ids), never raw content.
 *
 * Wire form: the bytes at `bits`, with `hashes` and `salt` next to them.  Position p is bit p % 8
 * (least significant first) of byte p / 8.  The same on every machine; bloom.c has the arithmetic.
 *
 * Nothing here allocates, keeps state or fails after init or view.  One thread per struct; any
 * number of threads may call the functions that take a const filter.
 */
#ifndef HEARSAY_BLOOM_H
#define HEARSAY_BLOOM_H

#include "hearsay/types.h"

struct hsay_bloom {
    uint8_t *bits;      /* caller's memory, bit_count / 8 bytes, must outlive the struct */
    uint32_t bit_count; /* a multiple of 8 */
    uint8_t hashes;     /* positions per digest, 1 .. HSAY_FILTER_HASHES_MAX */
    uint64_t salt;
};

/* What fits into so many bytes. */
struct hsay_bloom_shape {
    uint32_t bytes;
    uint32_t bits;
    uint8_t hashes;
    uint32_t capacity; /* digests; the error rate asked for holds up to here */
};

/* What a filter tells about itself, for people. */
struct hsay_bloom_facts {
    uint32_t ones;
    uint32_t fill_permille;
    uint32_t error_ppm; /* chance that a digest that was not added is said to be in: fill^hashes */
    uint32_t items;     /* most likely number of different digests added; UINT32_MAX if all ones */
};

/* The filter for a room of `bytes` and an error of `error_ppm` (10000 = 1 %), which is clamped to
 * 16 (k = 16) .. 500000 (k = 1).  More room than HSAY_FILTER_MAX_BYTES is not used.  Less than
 * HSAY_FILTER_MIN_BYTES: bytes, bits and capacity are 0.
 *
 * A filter that holds no more than `capacity` digests is one that hsay_bloom_view accepts: surely
 * below 128 bytes (capacity is lower there for that reason), and 8 standard deviations from a
 * refusal above. */
void hsay_bloom_shape(struct hsay_bloom_shape *shape, uint32_t bytes, uint32_t error_ppm);

/* The fewest bytes whose capacity is `items`: HSAY_FILTER_MIN_BYTES .. HSAY_FILTER_MAX_BYTES.  Also
 * HSAY_FILTER_MAX_BYTES if `items` are more than any filter holds; ask hsay_bloom_shape. */
uint32_t hsay_bloom_bytes_for(uint32_t items, uint32_t error_ppm);

/* An empty filter in `bytes` bytes of the caller, which are zeroed.  HSAY_EINVAL if `bytes` or
 * `hashes` are out of bounds; then nothing was written. */
int hsay_bloom_init(struct hsay_bloom *bloom, uint8_t *bits, uint32_t bytes, uint8_t hashes,
                    uint64_t salt);

/* A filter over bytes from the wire, which are only read and must outlive it: never call
 * hsay_bloom_add on it.  HSAY_EBAD if size or `hashes` are out of bounds, or if more than
 * HSAY_FILTER_FILL_MAX_PERMILLE of the bits are ones (such a filter asks for next to nothing and
 * costs a full search); then nothing was written. */
int hsay_bloom_view(struct hsay_bloom *bloom, struct hsay_span bits, uint8_t hashes, uint64_t salt);

void hsay_bloom_add(struct hsay_bloom *bloom, const struct hsay_digest *digest);

/* False: certainly never added.  Takes the same time for any answer. */
bool hsay_bloom_has(const struct hsay_bloom *bloom, const struct hsay_digest *digest);

uint32_t hsay_bloom_ones(const struct hsay_bloom *bloom);
uint32_t hsay_bloom_fill_permille(const struct hsay_bloom *bloom); /* rounded down */
void hsay_bloom_explain(const struct hsay_bloom *bloom, struct hsay_bloom_facts *facts);

#endif
