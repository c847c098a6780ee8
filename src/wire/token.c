#include "src/wire/token.h"

#include <string.h>

#include "hearsay/params.h"
#include "src/wire/cursor.h"

enum {
    TOKEN_LABEL_BYTES = 15,
    /* label, epoch, kind, port, address, node key, tag */
    TOKEN_INPUT_BYTES = TOKEN_LABEL_BYTES + 8 + 1 + 2 + 16 + HSAY_KEY_BYTES + 4,
};

static uint64_t token_epoch(hsay_time now)
{
    return now.ns / (HSAY_TOKEN_EPOCH_MS * UINT64_C(1000000));
}

/* Every field has a fixed size, so no two scopes give the same input. */
static void token_of_epoch(struct hsay_token *out, const struct hsay_crypto *crypto,
                           const uint8_t secret[32], uint64_t epoch,
                           const struct hsay_token_scope *scope)
{
    uint8_t input[TOKEN_INPUT_BYTES];
    struct hsay_writer w = hsay_writer(input, sizeof input);
    const struct hsay_span key = {secret, 32};
    const struct hsay_span part = {input, sizeof input};

    hsay_write_bytes(&w, "hearsay token 1", TOKEN_LABEL_BYTES);
    hsay_write_u64(&w, epoch);
    hsay_write_u8(&w, scope->addr.kind);
    hsay_write_u16(&w, scope->addr.port);
    hsay_write_bytes(&w, scope->addr.byte, sizeof scope->addr.byte);
    hsay_write_bytes(&w, scope->node.byte, sizeof scope->node.byte);
    hsay_write_bytes(&w, scope->tag, sizeof scope->tag);
    crypto->ops->hash(crypto->self, out->byte, sizeof out->byte, key, &part, 1);
    uint8_t *last = &out->byte[HSAY_TOKEN_BYTES - 1];
    *last = (uint8_t)((*last & 0xfe) | (epoch & 1));
}

void hsay_token_make(struct hsay_token *out, const struct hsay_crypto *crypto,
                     const uint8_t secret[32], hsay_time now, const struct hsay_token_scope *scope)
{
    token_of_epoch(out, crypto, secret, token_epoch(now), scope);
}

bool hsay_token_good(const struct hsay_token *token, const struct hsay_crypto *crypto,
                     const uint8_t secret[32], hsay_time now, const struct hsay_token_scope *scope)
{
    uint64_t epoch = token_epoch(now);
    struct hsay_token expected;
    unsigned differ = 0;

    /* Another parity: it claims the epoch before.  In epoch 0 that is 2^64 - 1, in which no token
     * was ever made. */
    if (((epoch ^ token->byte[HSAY_TOKEN_BYTES - 1]) & 1) != 0)
        epoch--;
    token_of_epoch(&expected, crypto, secret, epoch, scope);
    for (size_t i = 0; i < sizeof expected.byte; i++)
        differ |= (unsigned)(expected.byte[i] ^ token->byte[i]);
    return differ == 0;
}
