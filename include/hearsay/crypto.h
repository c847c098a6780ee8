/*
 * The crypto port: what the core needs of a cryptographic library.
 *
 * The caller provides one `struct hsay_crypto` per thread (or one that is safe to share).  A node
 * copies the struct; `ops` and what `self` points to must outlive every node and store that was
 * given them.  No call keeps a pointer to its arguments.  crypto_sodium.h has the real one; a
 * simulator may pass a stand-in whose sizes are the same.
 */
#ifndef HEARSAY_CRYPTO_H
#define HEARSAY_CRYPTO_H

#include "hearsay/types.h"

enum {
    HSAY_SEAL_NONCE_BYTES = 24, /* XChaCha20-Poly1305-IETF */
    HSAY_SEAL_TAG_BYTES = 16,
    HSAY_HASH_PARTS_MAX = 8,
};

struct hsay_crypto_ops {
    /* BLAKE2b over the parts in order, out_size 16 to 64 bytes, key 0 to 64 bytes.  Cannot fail. */
    void (*hash)(void *self, uint8_t *out, size_t out_size, struct hsay_span key,
                 const struct hsay_span *parts, size_t part_count);

    /* Ed25519 over `message`.  Cannot fail. */
    void (*sign)(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                 const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message);

    /* True if the signature is good; refuses non-canonical and small-order keys. */
    bool (*verify)(void *self, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                   const struct hsay_key *author, struct hsay_span message);

    /* X25519 public key of a secret.  Cannot fail. */
    void (*node_public)(void *self, struct hsay_key *out, const uint8_t secret[HSAY_KEY_BYTES]);

    /* X25519.  HSAY_EBAD if the peer's key is of small order. */
    int (*agree)(void *self, uint8_t out[32], const uint8_t secret[HSAY_KEY_BYTES],
                 const struct hsay_key *peer);

    /* XChaCha20-Poly1305: writes plain.size + HSAY_SEAL_TAG_BYTES to out.  out may be plain.data.
     */
    void (*seal)(void *self, uint8_t *out, const uint8_t key[32],
                 const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                 struct hsay_span plain);

    /* The inverse: writes sealed.size - HSAY_SEAL_TAG_BYTES to out.  HSAY_EBAD if it was not sealed
     * so; out is then undefined.  sealed.size >= HSAY_SEAL_TAG_BYTES is the caller's duty. */
    int (*open)(void *self, uint8_t *out, const uint8_t key[32],
                const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                struct hsay_span sealed);
};

struct hsay_crypto {
    const struct hsay_crypto_ops *ops;
    void *self;
};

#endif
