#include "hearsay/crypto_sodium.h"

#include <assert.h>
#include <sodium.h>

#include "hearsay/error.h"

static_assert(HSAY_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
static_assert(HSAY_KEY_BYTES == crypto_scalarmult_BYTES, "X25519 public key");
static_assert(HSAY_KEY_BYTES == crypto_scalarmult_SCALARBYTES, "X25519 secret");
static_assert(HSAY_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
static_assert(HSAY_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519 signature");
static_assert(HSAY_SEAL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
static_assert(HSAY_SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

/* What can fail only by a mistake of ours. */
static void must(int rc)
{
    assert(rc == 0);
    (void)rc;
}

static void sodium_hash(void *self, uint8_t *out, size_t out_size, struct hsay_span key,
                        const struct hsay_span *parts, size_t part_count)
{
    crypto_generichash_state state;

    (void)self;
    assert(out_size >= 16 && out_size <= 64 && key.size <= 64);
    assert(part_count <= HSAY_HASH_PARTS_MAX);
    must(crypto_generichash_init(&state, key.size > 0 ? key.data : NULL, key.size, out_size));
    for (size_t i = 0; i < part_count; i++)
        must(crypto_generichash_update(&state, parts[i].data, parts[i].size));
    must(crypto_generichash_final(&state, out, out_size));
}

static void sodium_sign(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                        const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    (void)self;
    must(crypto_sign_detached(signature, NULL, message.data, message.size, secret));
}

static bool sodium_verify(void *self, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                          const struct hsay_key *author, struct hsay_span message)
{
    (void)self;
    return crypto_sign_verify_detached(signature, message.data, message.size, author->byte) == 0;
}

static void sodium_node_public(void *self, struct hsay_key *out,
                               const uint8_t secret[HSAY_KEY_BYTES])
{
    (void)self;
    must(crypto_scalarmult_base(out->byte, secret));
}

static int sodium_agree(void *self, uint8_t out[32], const uint8_t secret[HSAY_KEY_BYTES],
                        const struct hsay_key *peer)
{
    (void)self;
    return crypto_scalarmult(out, secret, peer->byte) == 0 ? 0 : HSAY_EBAD;
}

static void sodium_seal(void *self, uint8_t *out, const uint8_t key[32],
                        const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                        struct hsay_span plain)
{
    (void)self;
    must(crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size, header.data,
                                                    header.size, NULL, nonce, key));
}

static int sodium_open(void *self, uint8_t *out, const uint8_t key[32],
                       const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                       struct hsay_span sealed)
{
    (void)self;
    assert(sealed.size >= HSAY_SEAL_TAG_BYTES);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
                                                        header.data, header.size, nonce, key);
    return rc == 0 ? 0 : HSAY_EBAD;
}

static const struct hsay_crypto_ops sodium_ops = {
    .hash = sodium_hash,
    .sign = sodium_sign,
    .verify = sodium_verify,
    .node_public = sodium_node_public,
    .agree = sodium_agree,
    .seal = sodium_seal,
    .open = sodium_open,
};

int hsay_sodium_init(void)
{
    return sodium_init() < 0 ? HSAY_EIO : 0;
}

void hsay_crypto_sodium(struct hsay_crypto *out)
{
    *out = (struct hsay_crypto){.ops = &sodium_ops, .self = NULL};
}

void hsay_sodium_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

void hsay_sodium_wipe(void *bytes, size_t size)
{
    sodium_memzero(bytes, size);
}

void hsay_sodium_author(struct hsay_key *author, uint8_t secret[HSAY_SECRET_BYTES])
{
    must(crypto_sign_keypair(author->byte, secret));
}

void hsay_sodium_author_from_seed(struct hsay_key *author, uint8_t secret[HSAY_SECRET_BYTES],
                                  const uint8_t seed[32])
{
    must(crypto_sign_seed_keypair(author->byte, secret, seed));
}

void hsay_sodium_node(struct hsay_key *node, uint8_t secret[HSAY_KEY_BYTES])
{
    randombytes_buf(secret, HSAY_KEY_BYTES);
    must(crypto_scalarmult_base(node->byte, secret));
}
