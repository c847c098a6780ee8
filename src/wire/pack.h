/*
 * Bundles inside a message.  Each author key is written once per datagram: later bundles of the
 * same author name it by one byte.  That is what brings 100-byte messages of one author to less
 * than their own size on the wire, seal and all.
 *
 *   varint  size of what follows
 *   u8      0: the author key follows; n: the n-th author key written in this message
 *   [32]    author key, if 0
 *   bytes   the canonical bundle without its author key (which stands at HSAY_BUNDLE_AUTHOR_AT)
 *
 * The first HSAY_PACK_AUTHORS_MAX keys written have a number; later ones have none.  A key that has
 * one is never written again: a list has one encoding, and a decoder refuses any other.  A list
 * ends where the message ends.
 */
#ifndef HEARSAY_WIRE_PACK_H
#define HEARSAY_WIRE_PACK_H

#include "src/wire/cursor.h"

enum {
    HSAY_BUNDLE_AUTHOR_AT = 2, /* behind version and flags */
    HSAY_PACK_AUTHORS_MAX = 16,
};

/* Of one message, for writing or for reading: starts as {0}. */
struct hsay_packer {
    struct hsay_key author[HSAY_PACK_AUTHORS_MAX];
    uint8_t author_count;
};

/* Append one canonical bundle of 34 .. HSAY_BUNDLE_MAX_BYTES bytes.  False, and nothing written, if
 * it does not fit. */
bool hsay_pack_add(struct hsay_packer *packer, struct hsay_writer *w, struct hsay_span bundle);

/* The next bundle, put together in `out` (HSAY_BUNDLE_MAX_BYTES).  0, and its span in `out`, which
 * holds 34 bytes at least and is otherwise unchecked; HSAY_ENOENT at the end of the
 * message; HSAY_EBAD when it is no list (r->bad is set then). */
int hsay_pack_next(struct hsay_packer *packer, struct hsay_reader *r, uint8_t *out,
                   struct hsay_span *bundle);

#endif
