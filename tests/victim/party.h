/*
 * Who speaks in the attack: node keys at addresses of the attacker's, each with its key towards the
 * one node that is attacked; and datagrams of theirs, well made.
 */
#ifndef HEARSAY_TESTS_PARTY_H
#define HEARSAY_TESTS_PARTY_H

#include "src/wire/message.h"
#include "src/wire/seal.h"

/* The node under attack, in an open overlay. */
struct mark {
    struct hsay_crypto crypto;
    struct hsay_seal_keys keys;
    struct hsay_addr addr;
    struct hsay_key key;
};

struct party {
    struct hsay_addr addr;
    struct hsay_key key;
    uint8_t pair[32];
    struct hsay_token token; /* that the node made for it */
    struct hsay_token stale; /* the same, before the node's last start */
    bool known;              /* token is set */
};

struct datagram {
    struct hsay_addr from;
    size_t size;
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
};

uint64_t draw(uint64_t *chance); /* splitmix64 */
void draw_bytes(uint64_t *chance, void *out, size_t size);

struct hsay_addr addr4(unsigned a, unsigned b, unsigned c, unsigned d, uint16_t port);

/* The same number has the same key in every run. */
void party_make(struct party *p, const struct mark *mark, unsigned number,
                const struct hsay_addr *addr);

/* Sealed by `p` for the node; `token` may be NULL. */
void party_seal(const struct party *p, const struct mark *mark, uint64_t *chance,
                const struct hsay_token *token, const struct hsay_message *m, struct datagram *out);

/* What the node sent to `p`; HSAY_EBAD if it is not that.  Spans point into `plain`. */
int party_open(const struct party *p, const struct mark *mark, struct hsay_span datagram,
               uint8_t plain[HSAY_DATAGRAM_MAX_BYTES], struct hsay_message *m);

#endif
