/*
 * The text that one hands to a friend so that he can join an overlay:
 *
 *     hsay1:KEY           open to all who know the key
 *     hsay1:KEY:SECRET    closed to all who lack the secret
 *
 * KEY and SECRET are 64 hex digits.  Whoever has the text is a member, so it is kept like a key.
 */
#ifndef HEARSAY_COMMON_JOIN_H
#define HEARSAY_COMMON_JOIN_H

#include "hearsay/types.h"

enum {
    JOIN_SECRET_BYTES = 32,
    JOIN_TEXT_BYTES = 6 + 64 + 1 + 64 + 1, /* the final 0 included */
};

struct join {
    struct hsay_key overlay;
    uint8_t secret[JOIN_SECRET_BYTES]; /* zero without a secret */
    bool has_secret;
};

/* HSAY_EBAD, and `join` untouched, for anything else. */
int join_parse(struct join *join, const char *text);

void join_format(char text[JOIN_TEXT_BYTES], const struct join *join);

/* Names that people give to overlays: 1 to 63 letters, digits, '.', '_' and '-', not '-' first, and
 * not 8 or more hex digits alone, which stand for the beginning of a key. */
enum { JOIN_NAME_BYTES = 64 };
bool join_name_ok(const char *name);

#endif
