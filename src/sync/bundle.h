/*
 * The bundle: its canonical form, its id, its signature.
 *
 *   u8 version (1) | u8 flags | author[32] | varint type | varint sequence | varint global_time |
 *   varint expiry_s | u8 parent_count | parent_count * 32 (ids, ascending, no two equal) |
 *   varint payload size | payload | signature[64]
 *
 * Varints in shortest form only, so that decode then encode gives the same bytes or a refusal.  The
 * signature is Ed25519 over BLAKE2b-256("hearsay bundle 1" || overlay key || all bytes before the
 * signature): a bundle is worth nothing in another overlay.  The id is BLAKE2b-256 of all bytes.
 */
#ifndef HEARSAY_SYNC_BUNDLE_H
#define HEARSAY_SYNC_BUNDLE_H

#include "hearsay/bundle.h"
#include "hearsay/node.h"
#include "hearsay/store.h"

/* What a bundle says besides its payload; the author's public key is the second half of the secret.
 */
struct hsay_bundle_plan {
    const struct hsay_draft *draft;
    uint64_t sequence;
    uint64_t time;
};

/* Write and sign into `out` (HSAY_BUNDLE_MAX_BYTES).  HSAY_EINVAL if the draft is out of bounds. */
int hsay_bundle_make(uint8_t *out, struct hsay_bundle *made, const struct hsay_crypto *crypto,
                     const struct hsay_key *overlay, const struct hsay_bundle_plan *plan);

/* The same facts as a store wants them; bytes point to where the bundle's do. */
void hsay_bundle_record(const struct hsay_bundle *b, struct hsay_record *out);

#endif
