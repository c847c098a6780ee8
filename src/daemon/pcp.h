/*
 * The Port Control Protocol (RFC 6887), as much as one client needs: the MAP request for one UDP
 * port, and what comes back.  Bytes in, bytes out; who sends them is portmap_pcp.c.
 *
 * Debian has no library that speaks it as a client, and these are sixty bytes.
 */
#ifndef HEARSAY_DAEMON_PCP_H
#define HEARSAY_DAEMON_PCP_H

#include "hearsay/types.h"

enum {
    PCP_PORT = 5351, /* of the gateway; NAT-PMP's too */
    PCP_NONCE_BYTES = 12,
    PCP_MAP_BYTES = 60, /* request and response */
    PCP_MAX_BYTES = 1100,
};

/* One mapping.  The same nonce renews and removes it, and nobody who has not seen it can. */
struct pcp_map {
    uint8_t nonce[PCP_NONCE_BYTES];
    struct hsay_addr client;   /* ours, with the port to map */
    struct hsay_addr external; /* what we had or would like; NONE: anything */
    uint32_t lifetime_s;       /* 0 removes */
};

enum pcp_verdict {
    PCP_OTHER = 0,  /* no answer to this request: forged, damaged, or to an earlier one */
    PCP_GRANTED,    /* or removed, if that was asked for */
    PCP_REFUSED,    /* see `result` */
    PCP_NOT_SPOKEN, /* the gateway speaks another version, or NAT-PMP alone */
};

struct pcp_answer {
    uint8_t result; /* RFC 6887, 7.4 */
    uint32_t lifetime_s;
    struct hsay_addr external;
};

void pcp_encode(uint8_t out[PCP_MAP_BYTES], const struct pcp_map *asked);

/* What this datagram from the gateway's PCP port says to the request.  `out` is written unless it
 * is PCP_OTHER or PCP_NOT_SPOKEN. */
enum pcp_verdict pcp_decode(struct pcp_answer *out, const struct pcp_map *asked,
                            struct hsay_span bytes);

/* A few words for a person. */
const char *pcp_result_text(uint8_t result);

#endif
