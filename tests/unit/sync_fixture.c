#include "tests/unit/sync_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "tests/store/fixture.h"

static void pretend_to_sign(uint8_t signature[HSAY_SIGNATURE_BYTES], const uint8_t *author,
                            struct hsay_span message)
{
    const struct hsay_crypto *real = fixture_crypto();
    const struct hsay_span parts[] = {{author, HSAY_KEY_BYTES}, message};
    struct hsay_span no_key = {NULL, 0};
    real->ops->hash(real->self, signature, HSAY_SIGNATURE_BYTES, no_key, parts, 2);
}

static void fake_sign(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                      const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    (void)self;
    pretend_to_sign(signature, secret + HSAY_SECRET_BYTES - HSAY_KEY_BYTES, message);
}

static bool fake_verify(void *self, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                        const struct hsay_key *author, struct hsay_span message)
{
    struct sync_crypto *crypto = self;
    uint8_t expected[HSAY_SIGNATURE_BYTES];
    crypto->verified++;
    pretend_to_sign(expected, author->byte, message);
    return memcmp(expected, signature, sizeof expected) == 0;
}

void sync_crypto_init(struct sync_crypto *crypto)
{
    crypto->ops = *fixture_crypto()->ops;
    crypto->ops.sign = fake_sign;
    crypto->ops.verify = fake_verify;
    crypto->port = (struct hsay_crypto){&crypto->ops, crypto};
    crypto->verified = 0;
}

void sync_author(uint8_t secret[HSAY_SECRET_BYTES], struct hsay_key *author, unsigned number)
{
    memset(secret, 0, HSAY_SECRET_BYTES);
    secret[HSAY_SECRET_BYTES - 1] = (uint8_t)(number >> 8);
    secret[HSAY_SECRET_BYTES - 2] = (uint8_t)number;
    memcpy(author->byte, secret + HSAY_SECRET_BYTES - HSAY_KEY_BYTES, sizeof author->byte);
}

void sync_bundle_make(struct sync_bundle *out, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, const struct sync_plan *plan)
{
    uint8_t secret[HSAY_SECRET_BYTES];
    struct hsay_key author;
    sync_author(secret, &author, plan->author);
    const struct hsay_draft draft = {
        .type = 1,
        .expiry_s = plan->expiry_s,
        .author_secret = secret,
        .payload = {(const uint8_t *)&plan->payload, sizeof plan->payload},
    };
    const struct hsay_bundle_plan bundle_plan = {&draft, plan->sequence, plan->time};
    if (hsay_bundle_make(out->bytes, &out->b, crypto, overlay, &bundle_plan) != HSAY_OK)
        abort();
}

struct hsay_record sync_record(uint64_t *random, uint64_t time, size_t size)
{
    static const uint8_t zeros[1024];
    struct hsay_record record = {.at = {.time = time}, .bytes = {zeros, size}};
    for (size_t i = 0; i < HSAY_DIGEST_BYTES; i += 8) {
        uint64_t drawn = fixture_random(random);
        memcpy(record.at.digest.byte + i, &drawn, sizeof drawn);
    }
    memcpy(record.author.byte, record.at.digest.byte, HSAY_DIGEST_BYTES);
    record.sequence = 1;
    return record;
}

void sync_put(const struct hsay_store *store, const struct hsay_record *record)
{
    if (store->ops->put(store->self, record) != HSAY_OK)
        abort();
}

void sync_rng(struct hsay_rng *rng, uint64_t seed)
{
    uint8_t bytes[32] = {0};
    memcpy(bytes, &seed, sizeof seed);
    hsay_rng_init(rng, bytes);
}
