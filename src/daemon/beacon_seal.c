#include "src/daemon/beacon_seal.h"

#include <string.h>

#include "hearsay/error.h"

enum { HASH_BYTES = 16, HINT_BYTES = 6, PROOF_BYTES = 8 };

void beacon_seal_key(struct hsay_key *out, const struct hsay_crypto *crypto,
                     const struct join *join)
{
    static const char label[] = "hearsay beacon 1";
    struct hsay_span secret = {join->secret, join->has_secret ? JOIN_SECRET_BYTES : 0};
    struct hsay_span part[] = {
        {(const uint8_t *)label, sizeof label - 1},
        {join->overlay.byte, sizeof join->overlay.byte},
    };

    crypto->ops->hash(crypto->self, out->byte, sizeof out->byte, secret, part, 2);
}

/* Masks the port and finds the entry. */
static void hash_find(uint8_t out[HASH_BYTES], const uint8_t *nonce,
                      const struct hsay_crypto *crypto, const struct hsay_key *key)
{
    struct hsay_span secret = {key->byte, sizeof key->byte};
    struct hsay_span part = {nonce, BEACON_NONCE_BYTES};

    crypto->ops->hash(crypto->self, out, HASH_BYTES, secret, &part, 1);
}

static void hash_proof(uint8_t out[HASH_BYTES], const uint8_t *nonce,
                       const struct hsay_crypto *crypto, const struct hsay_key *key,
                       const uint8_t port[2])
{
    struct hsay_span secret = {key->byte, sizeof key->byte};
    struct hsay_span part[] = {{nonce, BEACON_NONCE_BYTES}, {port, 2}};

    crypto->ops->hash(crypto->self, out, HASH_BYTES, secret, part, 2);
}

void beacon_seal_entry(uint8_t beacon[BEACON_BYTES], size_t index, const struct hsay_crypto *crypto,
                       const struct hsay_key *key, uint16_t port)
{
    uint8_t *entry = beacon + BEACON_NONCE_BYTES + index * BEACON_ENTRY_BYTES;
    uint8_t plain[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    uint8_t find[HASH_BYTES], proof[HASH_BYTES];

    hash_find(find, beacon, crypto, key);
    hash_proof(proof, beacon, crypto, key, plain);
    entry[0] = plain[0] ^ find[0];
    entry[1] = plain[1] ^ find[1];
    memcpy(entry + 2, find + 2, HINT_BYTES);
    memcpy(entry + 2 + HINT_BYTES, proof, PROOF_BYTES);
}

int beacon_seal_find(const uint8_t beacon[BEACON_BYTES], const struct hsay_crypto *crypto,
                     const struct hsay_key *key, uint16_t *port)
{
    const uint8_t *entry = beacon + BEACON_NONCE_BYTES;
    uint8_t find[HASH_BYTES], proof[HASH_BYTES];

    hash_find(find, beacon, crypto, key);
    for (size_t i = 0; i < BEACON_ENTRIES; i++, entry += BEACON_ENTRY_BYTES) {
        uint8_t plain[2] = {entry[0] ^ find[0], entry[1] ^ find[1]};

        if (memcmp(entry + 2, find + 2, HINT_BYTES)) {
            continue;
        }
        hash_proof(proof, beacon, crypto, key, plain);
        if (!memcmp(entry + 2 + HINT_BYTES, proof, PROOF_BYTES)) {
            *port = (uint16_t)(plain[0] << 8 | plain[1]);
            return *port ? 0 : HSAY_ENOENT;
        }
    }
    return HSAY_ENOENT;
}
