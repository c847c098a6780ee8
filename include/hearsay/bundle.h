/*
 * Taking a bundle apart: what the bytes of an event or of a stored record say.  The canonical form
 * is in PROTOCOL.md, section 10.
 */
#ifndef HEARSAY_BUNDLE_H
#define HEARSAY_BUNDLE_H

#include "hearsay/crypto.h"

struct hsay_bundle {
    uint8_t flags; /* enum hsay_bundle_flag of node.h */
    uint8_t parent_count;
    struct hsay_key author;
    uint64_t type;
    uint64_t sequence; /* from 1, rising per author; gaps are allowed */
    uint64_t time;     /* global time, from 1 */
    uint64_t expiry_s;
    struct hsay_span parents; /* parent_count * HSAY_ID_BYTES */
    struct hsay_span payload;
    struct hsay_span signature;
    struct hsay_span bytes; /* all of it; the other spans point into it */
    struct hsay_id id;
    struct hsay_digest digest;
};

/* Parses and hashes; does not look at the signature.  The spans point into `bytes` and live as
 * long. HSAY_EBAD: no canonical encoding; HSAY_EVERSION. */
int hsay_bundle_decode(struct hsay_bundle *out, const struct hsay_crypto *crypto,
                       struct hsay_span bytes);

/* True if its author signed it for this overlay.  Any thread, if the crypto port allows. */
bool hsay_bundle_verify(const struct hsay_bundle *b, const struct hsay_crypto *crypto,
                        const struct hsay_key *overlay);

#endif
