/*
 * What a LAN beacon says, and to whom.
 *
 *     nonce[16] | 8 entries of 16 bytes: port ^ mask (2), hint (6), proof (8)
 *
 * For an overlay of key O and secret S, with K = BLAKE2b-256(key S, "hearsay beacon 1" || O):
 * mask || hint = first 8 bytes of BLAKE2b-128(key K, nonce), proof = first 8 of
 * BLAKE2b-128(key K, nonce || port).  Entries that are not needed are random.  So a beacon of a
 * node in one overlay looks like that of a node in eight or in none, and two beacons of one node
 * have nothing in common, to everybody who is in none of its overlays.
 *
 * There is no time in it, so that it works without a clock.  Whoever sends an old beacon again
 * makes us send one sealed datagram to an address of his own.  Pure.
 */
#ifndef HEARSAY_DAEMON_BEACON_SEAL_H
#define HEARSAY_DAEMON_BEACON_SEAL_H

#include "hearsay/crypto.h"
#include "src/common/join.h"

enum {
    BEACON_NONCE_BYTES = 16,
    BEACON_ENTRY_BYTES = 16,
    BEACON_ENTRIES = 8,
    BEACON_BYTES = BEACON_NONCE_BYTES + BEACON_ENTRIES * BEACON_ENTRY_BYTES,
};

/* K of an overlay; made once. */
void beacon_seal_key(struct hsay_key *out, const struct hsay_crypto *crypto,
                     const struct join *join);

/* Fills entry `index` of a beacon whose nonce and random bytes are there. */
void beacon_seal_entry(uint8_t beacon[BEACON_BYTES], size_t index, const struct hsay_crypto *crypto,
                       const struct hsay_key *key, uint16_t port);

/* HSAY_ENOENT: it says nothing about that overlay. */
int beacon_seal_find(const uint8_t beacon[BEACON_BYTES], const struct hsay_crypto *crypto,
                     const struct hsay_key *key, uint16_t *port);

#endif
