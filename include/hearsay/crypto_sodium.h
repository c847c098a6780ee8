/*
 * The crypto port on libsodium: Ed25519 (RFC 8032), X25519 (RFC 7748), BLAKE2b (RFC 7693) and
 * XChaCha20-Poly1305.  Any thread may use the same one; it has no state.
 */
#ifndef HEARSAY_CRYPTO_SODIUM_H
#define HEARSAY_CRYPTO_SODIUM_H

#include "hearsay/crypto.h"

/* Once per process, before everything else here.  May be called again, from any thread.  HSAY_EIO:
 * there is no source of chance. */
int hsay_sodium_init(void);

/* The port.  It points to static data and needs no closing. */
void hsay_crypto_sodium(struct hsay_crypto *out);

/* Unpredictable bytes from the operating system. */
void hsay_sodium_random(void *out, size_t size);

/* Overwrite a secret; the compiler can not leave it out. */
void hsay_sodium_wipe(void *bytes, size_t size);

/* An author key (Ed25519), fresh or the one that belongs to a seed. */
void hsay_sodium_author(struct hsay_key *author, uint8_t secret[HSAY_SECRET_BYTES]);
void hsay_sodium_author_from_seed(struct hsay_key *author, uint8_t secret[HSAY_SECRET_BYTES],
                                  const uint8_t seed[32]);

/* A fresh node key (X25519).  Any 32 bytes are a secret; node_public of the port gives the key. */
void hsay_sodium_node(struct hsay_key *node, uint8_t secret[HSAY_KEY_BYTES]);

#endif
