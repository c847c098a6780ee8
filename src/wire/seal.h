/*
 * The envelope of every datagram: a clear header, then the sealed message.
 *
 *   offset  bytes  field
 *   0       1      version (fixed for ever)
 *   1       1      flags: bit 0 a token follows the header, bit 1 sealed to the overlay (never with
 *                  a token: any member could then speak for whoever showed it); rest 0
 *   2       4      overlay tag (fixed for ever)
 *   6       32     sender's node key
 *   38      16     nonce: random, never used twice
 *   54      16     address token, if flag bit 0
 *   54|70   n + 16 the message, XChaCha20-Poly1305; everything before it is authenticated with it
 *
 * The key is BLAKE2b-256(bind; "hearsay pair 1" || X25519(a, b) || lower key || higher key), where
 * `bind` comes from the overlay key and its secret: a member of another overlay, or one without the
 * secret, can not open one byte.  The key is the same in both directions; the sender's key in the
 * header tells them apart, so that a datagram sent back to its sender is refused.  A first contact
 * that knows no node key seals to the overlay (key `first`) and may only be an
 * introduction-request.
 *
 * The nonce is 16 random bytes and 8 zero bytes: 2^64 packets between one pair before a repetition
 * becomes likely.
 */
#ifndef HEARSAY_WIRE_SEAL_H
#define HEARSAY_WIRE_SEAL_H

#include "hearsay/crypto.h"

enum {
    HSAY_HEADER_BYTES = 54,
    HSAY_NONCE_BYTES = 16,
    HSAY_SEAL_BYTES = HSAY_HEADER_BYTES + HSAY_SEAL_TAG_BYTES, /* around a message without token */

    HSAY_ENVELOPE_TOKEN = 1 << 0,
    HSAY_ENVELOPE_FIRST = 1 << 1,
};

/* secret: 32 bytes, or empty for an open overlay. */
void hsay_seal_derive(struct hsay_seal_keys *out, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, struct hsay_span secret);

/* The clear header of a received datagram; spans point into it. */
struct hsay_envelope {
    uint8_t flags;
    uint8_t tag[HSAY_TAG_BYTES];
    struct hsay_key sender;
    uint8_t nonce[HSAY_NONCE_BYTES];
    struct hsay_token token; /* meaningful with HSAY_ENVELOPE_TOKEN */
    struct hsay_span header; /* all that is authenticated but not encrypted */
    struct hsay_span sealed;
};

/* HSAY_EVERSION: not our version.  HSAY_EBAD: too short, too long, or flags that are unknown or
 * exclude each other. */
int hsay_envelope_parse(struct hsay_envelope *out, struct hsay_span datagram);

/* The key between two nodes.  HSAY_EBAD for a peer key of small order, or our own.  One X25519. */
int hsay_seal_pair_key(uint8_t out[32], const struct hsay_crypto *crypto,
                       const struct hsay_seal_keys *keys, const uint8_t secret[HSAY_KEY_BYTES],
                       const struct hsay_key *own, const struct hsay_key *peer);

/* How a datagram is to be sealed.  token may be NULL, and must be with `first`. */
struct hsay_seal_as {
    const struct hsay_seal_keys *keys;
    const struct hsay_key *own;
    const uint8_t *key; /* 32 bytes: of the pair, or keys->first */
    const struct hsay_token *token;
    bool first;
};

/* Where the message begins in a datagram sealed `as`. */
static inline size_t hsay_seal_message_at(const struct hsay_seal_as *as)
{
    return (size_t)HSAY_HEADER_BYTES + (as->token != NULL ? (size_t)HSAY_TOKEN_BYTES : 0);
}

/* Seal in place: the caller has put message_size bytes at hsay_seal_message_at(); the buffer has
 * room for HSAY_SEAL_TAG_BYTES behind them.  Returns the size of the datagram. */
size_t hsay_seal(uint8_t *datagram, const struct hsay_crypto *crypto, const struct hsay_seal_as *as,
                 const uint8_t nonce[HSAY_NONCE_BYTES], size_t message_size);

/* Open into `out` (HSAY_DATAGRAM_MAX_BYTES).  HSAY_EBAD if it was not sealed with this key. */
int hsay_open(uint8_t *out, struct hsay_span *message, const struct hsay_crypto *crypto,
              const struct hsay_envelope *envelope, const uint8_t key[32]);

#endif
