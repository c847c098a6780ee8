#include "tests/victim/party.h"

#include <assert.h>
#include <string.h>

#include "hearsay/error.h"

uint64_t draw(uint64_t *chance)
{
    uint64_t z = (*chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void draw_bytes(uint64_t *chance, void *out, size_t size)
{
    uint8_t *byte = out;
    for (size_t i = 0; i < size; i++)
        byte[i] = (uint8_t)draw(chance);
}

struct hsay_addr addr4(unsigned a, unsigned b, unsigned c, unsigned d, uint16_t port)
{
    return (struct hsay_addr){.kind = HSAY_ADDR_IP4,
                              .port = port,
                              .byte = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d}};
}

void party_make(struct party *p, const struct mark *mark, unsigned number,
                const struct hsay_addr *addr)
{
    uint8_t secret[HSAY_KEY_BYTES];
    uint64_t chance = number;
    memset(p, 0, sizeof *p);
    p->addr = *addr;
    draw_bytes(&chance, secret, sizeof secret);
    mark->crypto.ops->node_public(mark->crypto.self, &p->key, secret);
    int rc = hsay_seal_pair_key(p->pair, &mark->crypto, &mark->keys, secret, &p->key, &mark->key);
    assert(rc == 0);
}

void party_seal(const struct party *p, const struct mark *mark, uint64_t *chance,
                const struct hsay_token *token, const struct hsay_message *m, struct datagram *out)
{
    uint8_t nonce[HSAY_NONCE_BYTES];
    struct hsay_seal_as as = {.keys = &mark->keys, .own = &p->key, .key = p->pair, .token = token};
    size_t at = hsay_seal_message_at(&as);
    struct hsay_writer w =
        hsay_writer(out->bytes + at, sizeof out->bytes - at - HSAY_SEAL_TAG_BYTES);
    hsay_message_encode(&w, m);
    assert(!w.bad);
    draw_bytes(chance, nonce, sizeof nonce);
    out->from = p->addr;
    out->size = hsay_seal(out->bytes, &mark->crypto, &as, nonce, hsay_write_size(&w));
}

int party_open(const struct party *p, const struct mark *mark, struct hsay_span datagram,
               uint8_t plain[HSAY_DATAGRAM_MAX_BYTES], struct hsay_message *m)
{
    struct hsay_envelope e;
    struct hsay_span message;
    if (hsay_envelope_parse(&e, datagram) != 0 ||
        memcmp(&e.sender, &mark->key, sizeof e.sender) != 0 ||
        hsay_open(plain, &message, &mark->crypto, &e, p->pair) != 0)
        return HSAY_EBAD;
    return hsay_message_decode(m, message);
}
