/*
 * How a person names a peer: HOST[:PORT][#KEY].  HOST is a name, an IPv4 address, or an IPv6
 * address in brackets; PORT defaults to HSAY_PORT_DEFAULT; KEY is the peer's node key in 64 hex
 * digits. Nothing here asks a name server.
 */
#ifndef HEARSAY_COMMON_PEER_NAME_H
#define HEARSAY_COMMON_PEER_NAME_H

#include "hearsay/types.h"

enum {
    PEER_NAME_HOST_BYTES = 254, /* RFC 1035, and the final 0 */
    PEER_NAME_TEXT_BYTES = PEER_NAME_HOST_BYTES + 2 + 6 + 1 + 64,
};

struct peer_name {
    char host[PEER_NAME_HOST_BYTES]; /* without brackets */
    uint16_t port;
    struct hsay_key key;   /* zero when not given */
    struct hsay_addr addr; /* when the host is a number; else of kind HSAY_ADDR_NONE */
};

/* HSAY_EBAD, and `out` untouched, for anything else. */
int peer_name_parse(struct peer_name *out, const char *text);

void peer_name_format(char text[PEER_NAME_TEXT_BYTES], const struct peer_name *name);

#endif
