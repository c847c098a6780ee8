/* Any bytes are an envelope or a refusal; sealing again what was opened gives the same datagram.
 *
 * The crypto port here is a stand-in whose seal a fuzzer can forge (the text in the clear, a tag of
 * zeros), so that inputs get past it to the message. */
#include <assert.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/wire/message.h"
#include "src/wire/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t no_tag[HSAY_SEAL_TAG_BYTES];

static void clear_seal(void *self, uint8_t *out, const uint8_t key[32],
                       const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                       struct hsay_span plain)
{
    (void)self, (void)key, (void)nonce, (void)header;
    memmove(out, plain.data, plain.size);
    memset(out + plain.size, 0, sizeof no_tag);
}

static int clear_open(void *self, uint8_t *out, const uint8_t key[32],
                      const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                      struct hsay_span sealed)
{
    (void)self, (void)key, (void)nonce, (void)header;
    size_t size = sealed.size - sizeof no_tag;
    if (memcmp(sealed.data + size, no_tag, sizeof no_tag) != 0)
        return HSAY_EBAD;
    memcpy(out, sealed.data, size);
    return 0;
}

static const struct hsay_crypto_ops clear_ops = {.seal = clear_seal, .open = clear_open};
static const struct hsay_crypto clear = {&clear_ops, NULL};

static void check_sealed_again(const struct hsay_envelope *envelope, struct hsay_span message,
                               struct hsay_span datagram)
{
    uint8_t out[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_seal_keys keys = {0};
    const struct hsay_seal_as as = {
        .keys = &keys,
        .own = &envelope->sender,
        .key = keys.first,
        .token = (envelope->flags & HSAY_ENVELOPE_TOKEN) != 0 ? &envelope->token : NULL,
        .first = (envelope->flags & HSAY_ENVELOPE_FIRST) != 0,
    };

    memcpy(keys.tag, envelope->tag, sizeof keys.tag);
    assert(hsay_seal_message_at(&as) == envelope->header.size);
    memcpy(out + envelope->header.size, message.data, message.size);
    assert(hsay_seal(out, &clear, &as, envelope->nonce, message.size) == datagram.size);
    assert(memcmp(out, datagram.data, datagram.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hsay_span datagram = {data, size};
    uint8_t out[HSAY_DATAGRAM_MAX_BYTES];
    const uint8_t key[32] = {0};
    struct hsay_envelope envelope;
    struct hsay_span opened;
    struct hsay_message m;

    int rc = hsay_envelope_parse(&envelope, datagram);
    assert(rc == 0 || rc == HSAY_EBAD || rc == HSAY_EVERSION);
    if (rc != 0)
        return 0;
    assert(envelope.header.data == data && envelope.header.size + envelope.sealed.size == size);
    assert(envelope.sealed.size > HSAY_SEAL_TAG_BYTES && size <= HSAY_DATAGRAM_MAX_BYTES);
    if (hsay_open(out, &opened, &clear, &envelope, key) != 0)
        return 0;
    check_sealed_again(&envelope, opened, datagram);
    (void)hsay_message_decode(&m, opened);
    return 0;
}
