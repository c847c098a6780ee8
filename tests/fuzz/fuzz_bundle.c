/* Any bytes are a bundle or a refusal; what is a bundle has this one encoding, and checking its
 * signature is safe. */
#include <assert.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/sync/bundle.h"
#include "src/wire/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t encode(uint8_t *out, size_t room, const struct hsay_bundle *b)
{
    struct hsay_writer w = hsay_writer(out, room);
    hsay_write_u8(&w, HSAY_BUNDLE_VERSION);
    hsay_write_u8(&w, b->flags);
    hsay_write_bytes(&w, b->author.byte, sizeof b->author.byte);
    hsay_write_varint(&w, b->type);
    hsay_write_varint(&w, b->sequence);
    hsay_write_varint(&w, b->time);
    hsay_write_varint(&w, b->expiry_s);
    hsay_write_u8(&w, b->parent_count);
    hsay_write_bytes(&w, b->parents.data, b->parents.size);
    hsay_write_varint(&w, b->payload.size);
    hsay_write_bytes(&w, b->payload.data, b->payload.size);
    hsay_write_bytes(&w, b->signature.data, b->signature.size);
    assert(!w.bad);
    return hsay_write_size(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hsay_key overlay = {{1}};
    static struct hsay_crypto crypto;
    struct hsay_bundle b;
    struct hsay_record record;
    uint8_t again[HSAY_BUNDLE_MAX_BYTES];

    if (crypto.ops == NULL) {
        assert(hsay_sodium_init() == 0);
        hsay_crypto_sodium(&crypto);
    }
    int rc = hsay_bundle_decode(&b, &crypto, (struct hsay_span){data, size});
    if (rc != HSAY_OK) {
        assert(rc == HSAY_EBAD || rc == HSAY_EVERSION);
        return 0;
    }
    assert(size <= HSAY_BUNDLE_MAX_BYTES && b.sequence >= 1 && b.time >= 1);
    assert(encode(again, sizeof again, &b) == size && memcmp(again, data, size) == 0);
    hsay_bundle_record(&b, &record);
    assert(record.at.time == b.time && record.bytes.size == size);
    assert(memcmp(&record.at.digest, &b.id, sizeof record.at.digest) == 0);
    (void)hsay_bundle_verify(&b, &crypto, &overlay); /* nobody signs for that overlay */
    return 0;
}
