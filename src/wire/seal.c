/*
 * Why static keys and a keyed hash, and no handshake: discovery talks to a new peer every few
 * seconds, most of them once.  A handshake would double the round trips; a signature per packet
 * costs 50 us each way.  What is given up is forward secrecy between nodes whose keys are
 * long-lived; a node that wants it draws its node key at each start.
 */
#include "src/wire/seal.h"

#include <assert.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/wire/cursor.h"

static const uint8_t zeros[HSAY_SEAL_NONCE_BYTES - HSAY_NONCE_BYTES];

/* Key derivation labels, without the final zero. */
#define LABEL(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

void hsay_seal_derive(struct hsay_seal_keys *out, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, struct hsay_span secret)
{
    const struct hsay_span bind = {out->bind, sizeof out->bind};
    const struct hsay_span bind_part[] = {LABEL("hearsay bind 1"),
                                          {overlay->byte, sizeof overlay->byte}};
    const struct hsay_span tag_part = LABEL("hearsay tag 1");
    const struct hsay_span first_part = LABEL("hearsay first 1");
    uint8_t tag[16];

    assert(secret.size == 0 || secret.size == 32);
    out->overlay = *overlay;
    crypto->ops->hash(crypto->self, out->bind, sizeof out->bind, secret, bind_part, 2);
    crypto->ops->hash(crypto->self, out->first, sizeof out->first, bind, &first_part, 1);
    crypto->ops->hash(crypto->self, tag, sizeof tag, bind, &tag_part, 1);
    memcpy(out->tag, tag, sizeof out->tag);
}

static bool flags_known(uint8_t flags)
{
    const uint8_t both = HSAY_ENVELOPE_TOKEN | HSAY_ENVELOPE_FIRST;
    return (flags & ~both) == 0 && flags != both;
}

int hsay_envelope_parse(struct hsay_envelope *out, struct hsay_span datagram)
{
    struct hsay_reader r = hsay_reader(datagram);

    if (datagram.size == 0 || datagram.size > HSAY_DATAGRAM_MAX_BYTES)
        return HSAY_EBAD;
    if (hsay_read_u8(&r) != HSAY_WIRE_VERSION)
        return HSAY_EVERSION;
    memset(out, 0, sizeof *out);
    out->flags = hsay_read_u8(&r);
    hsay_read_bytes(&r, out->tag, sizeof out->tag);
    hsay_read_bytes(&r, out->sender.byte, sizeof out->sender.byte);
    hsay_read_bytes(&r, out->nonce, sizeof out->nonce);
    if ((out->flags & HSAY_ENVELOPE_TOKEN) != 0)
        hsay_read_bytes(&r, out->token.byte, sizeof out->token.byte);
    if (r.bad || !flags_known(out->flags) || hsay_read_left(&r) < HSAY_SEAL_TAG_BYTES + 1)
        return HSAY_EBAD;
    out->header = (struct hsay_span){datagram.data, datagram.size - hsay_read_left(&r)};
    out->sealed = hsay_read_span(&r, hsay_read_left(&r));
    return 0;
}

int hsay_seal_pair_key(uint8_t out[32], const struct hsay_crypto *crypto,
                       const struct hsay_seal_keys *keys, const uint8_t secret[HSAY_KEY_BYTES],
                       const struct hsay_key *own, const struct hsay_key *peer)
{
    int order = memcmp(own->byte, peer->byte, sizeof own->byte);
    const struct hsay_key *lower = order < 0 ? own : peer;
    const struct hsay_key *higher = order < 0 ? peer : own;
    uint8_t shared[32];

    /* Ourselves: a datagram of ours that somebody reflected. */
    if (order == 0)
        return HSAY_EBAD;
    if (crypto->ops->agree(crypto->self, shared, secret, peer) != 0)
        return HSAY_EBAD;
    const struct hsay_span bind = {keys->bind, sizeof keys->bind};
    const struct hsay_span part[] = {LABEL("hearsay pair 1"),
                                     {shared, sizeof shared},
                                     {lower->byte, sizeof lower->byte},
                                     {higher->byte, sizeof higher->byte}};
    crypto->ops->hash(crypto->self, out, 32, bind, part, 4);
    return 0;
}

static void write_header(struct hsay_writer *w, const struct hsay_seal_as *as,
                         const uint8_t nonce[HSAY_NONCE_BYTES])
{
    unsigned flags =
        (as->token != NULL ? HSAY_ENVELOPE_TOKEN : 0u) | (as->first ? HSAY_ENVELOPE_FIRST : 0u);

    hsay_write_u8(w, HSAY_WIRE_VERSION);
    hsay_write_u8(w, (uint8_t)flags);
    hsay_write_bytes(w, as->keys->tag, sizeof as->keys->tag);
    hsay_write_bytes(w, as->own->byte, sizeof as->own->byte);
    hsay_write_bytes(w, nonce, HSAY_NONCE_BYTES);
    if (as->token != NULL)
        hsay_write_bytes(w, as->token->byte, sizeof as->token->byte);
}

static void long_nonce(uint8_t out[HSAY_SEAL_NONCE_BYTES], const uint8_t nonce[HSAY_NONCE_BYTES])
{
    memcpy(out, nonce, HSAY_NONCE_BYTES);
    memcpy(out + HSAY_NONCE_BYTES, zeros, sizeof zeros);
}

size_t hsay_seal(uint8_t *datagram, const struct hsay_crypto *crypto, const struct hsay_seal_as *as,
                 const uint8_t nonce[HSAY_NONCE_BYTES], size_t message_size)
{
    size_t header_size = hsay_seal_message_at(as);
    struct hsay_writer w = hsay_writer(datagram, header_size);
    uint8_t full[HSAY_SEAL_NONCE_BYTES];

    assert(!(as->first && as->token != NULL));
    assert(message_size >= 1);
    write_header(&w, as, nonce);
    assert(!w.bad && hsay_write_size(&w) == header_size);
    long_nonce(full, nonce);
    crypto->ops->seal(crypto->self, datagram + header_size, as->key, full,
                      (struct hsay_span){datagram, header_size},
                      (struct hsay_span){datagram + header_size, message_size});
    return header_size + message_size + HSAY_SEAL_TAG_BYTES;
}

int hsay_open(uint8_t *out, struct hsay_span *message, const struct hsay_crypto *crypto,
              const struct hsay_envelope *envelope, const uint8_t key[32])
{
    uint8_t full[HSAY_SEAL_NONCE_BYTES];

    long_nonce(full, envelope->nonce);
    if (crypto->ops->open(crypto->self, out, key, full, envelope->header, envelope->sealed) != 0)
        return HSAY_EBAD;
    *message = (struct hsay_span){out, envelope->sealed.size - HSAY_SEAL_TAG_BYTES};
    return 0;
}
