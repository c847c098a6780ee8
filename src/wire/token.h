/*
 * Stateless address tokens: a keyed hash that only this node can make, over what a packet's source
 * looks like.  Whoever shows one can receive at that address.  No state per token.
 *
 * The lowest bit of the last byte is the parity of the epoch that the token was made in, so that a
 * check costs one hash (0.3 us) and not one per epoch; 127 bits remain to be guessed.
 */
#ifndef HEARSAY_WIRE_TOKEN_H
#define HEARSAY_WIRE_TOKEN_H

#include "hearsay/crypto.h"

struct hsay_token_scope {
    struct hsay_addr addr;
    struct hsay_key node; /* the peer's node key */
    uint8_t tag[4];       /* overlay */
};

/* The token for this scope in the epoch of `now` (HSAY_TOKEN_EPOCH_MS each). */
void hsay_token_make(struct hsay_token *out, const struct hsay_crypto *crypto,
                     const uint8_t secret[32], hsay_time now, const struct hsay_token_scope *scope);

/* True if `token` was made in this epoch or the one before.  Takes the same time for any token. */
bool hsay_token_good(const struct hsay_token *token, const struct hsay_crypto *crypto,
                     const uint8_t secret[32], hsay_time now, const struct hsay_token_scope *scope);

#endif
