#include "tests/fuzz/node_clear.h"

#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* the state is on our stack */
#include <xxhash.h>

#include "hearsay/error.h"

static void feed(XXH3_state_t *state, struct hsay_span part)
{
    if (part.size != 0)
        XXH3_128bits_update(state, part.data, part.size);
}

static void clear_hash(void *self, uint8_t *out, size_t out_size, struct hsay_span key,
                       const struct hsay_span *parts, size_t part_count)
{
    XXH3_state_t state;
    (void)self;
    XXH3_INITSTATE(&state); /* reset trusts the seed that it finds there */
    XXH3_128bits_reset_withSeed(&state, key.size);
    feed(&state, key);
    for (size_t i = 0; i < part_count; i++)
        feed(&state, parts[i]);
    XXH128_hash_t mixed = XXH3_128bits_digest(&state);
    for (size_t at = 0; at < out_size; at += sizeof(uint64_t)) {
        uint64_t word = XXH3_64bits_withSeed(&mixed, sizeof mixed, at);
        size_t left = out_size - at;
        memcpy(out + at, &word, left < sizeof word ? left : sizeof word);
    }
}

static void clear_sign(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                       const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    clear_hash(self, signature, HSAY_SIGNATURE_BYTES, (struct hsay_span){secret, HSAY_SECRET_BYTES},
               &message, 1);
    signature[0] &= (uint8_t)~NODE_CLEAR_BAD_SIGNATURE;
}

static bool clear_verify(void *self, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                         const struct hsay_key *author, struct hsay_span message)
{
    (void)self, (void)author, (void)message;
    return (signature[0] & NODE_CLEAR_BAD_SIGNATURE) == 0;
}

static void clear_node_public(void *self, struct hsay_key *out,
                              const uint8_t secret[HSAY_KEY_BYTES])
{
    (void)self;
    memcpy(out->byte, secret, sizeof out->byte);
}

/* The same for both sides; the key of zeros stands for those of small order. */
static int clear_agree(void *self, uint8_t out[32], const uint8_t secret[HSAY_KEY_BYTES],
                       const struct hsay_key *peer)
{
    static const struct hsay_key small;
    if (memcmp(peer, &small, sizeof small) == 0)
        return HSAY_EBAD;
    bool first = memcmp(secret, peer->byte, HSAY_KEY_BYTES) < 0;
    const struct hsay_span parts[] = {{first ? secret : peer->byte, HSAY_KEY_BYTES},
                                      {first ? peer->byte : secret, HSAY_KEY_BYTES}};
    clear_hash(self, out, 32, (struct hsay_span){NULL, 0}, parts, 2);
    return 0;
}

static void tag_of(void *self, uint8_t tag[HSAY_SEAL_TAG_BYTES], const uint8_t key[32],
                   const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                   struct hsay_span plain)
{
    const struct hsay_span parts[] = {{nonce, HSAY_SEAL_NONCE_BYTES}, header, plain};
    clear_hash(self, tag, HSAY_SEAL_TAG_BYTES, (struct hsay_span){key, 32}, parts, 3);
}

static void clear_seal(void *self, uint8_t *out, const uint8_t key[32],
                       const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                       struct hsay_span plain)
{
    uint8_t tag[HSAY_SEAL_TAG_BYTES];
    tag_of(self, tag, key, nonce, header, plain);
    memmove(out, plain.data, plain.size);
    memcpy(out + plain.size, tag, sizeof tag);
}

static int clear_open(void *self, uint8_t *out, const uint8_t key[32],
                      const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                      struct hsay_span sealed)
{
    uint8_t tag[HSAY_SEAL_TAG_BYTES];
    struct hsay_span plain = {sealed.data, sealed.size - sizeof tag};
    tag_of(self, tag, key, nonce, header, plain);
    if (memcmp(tag, sealed.data + plain.size, sizeof tag) != 0)
        return HSAY_EBAD;
    memcpy(out, plain.data, plain.size);
    return 0;
}

static const struct hsay_crypto_ops clear_ops = {
    .hash = clear_hash,
    .sign = clear_sign,
    .verify = clear_verify,
    .node_public = clear_node_public,
    .agree = clear_agree,
    .seal = clear_seal,
    .open = clear_open,
};

struct hsay_crypto node_clear_crypto(void)
{
    return (struct hsay_crypto){&clear_ops, NULL};
}
