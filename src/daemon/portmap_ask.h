/*
 * One round of asking for a port: who is the gateway, is there anything to map, and which of PCP,
 * NAT-PMP and UPnP does it speak?  Remembers what is held, so as to renew it by the protocol that
 * gave it, and to give it back.
 *
 * Waits for up to six seconds, or for the gateway, and so runs on a thread of its own.
 */
#ifndef HEARSAY_DAEMON_PORTMAP_ASK_H
#define HEARSAY_DAEMON_PORTMAP_ASK_H

#include "src/daemon/portmap_request.h"

/* As the choices of the key `port-mapping` are ordered. */
enum portmap_mode {
    PORTMAP_AUTO = 0,
    PORTMAP_OFF,
    PORTMAP_PCP_ALONE,
    PORTMAP_NATPMP_ALONE,
    PORTMAP_UPNP_ALONE,
};

enum portmap_protocol { PORTMAP_NONE = 0, PORTMAP_PCP, PORTMAP_NATPMP, PORTMAP_UPNP };

/* "pcp", "nat-pmp", "upnp". */
const char *portmap_protocol_name(enum portmap_protocol protocol);

enum { PORTMAP_MAX = 8, PORTMAP_ERROR_BYTES = 224 };

struct portmap_held {
    enum portmap_protocol protocol; /* NONE: nothing is held */
    struct hsay_addr gateway, internal, external;
    uint32_t lifetime_s; /* 0: for ever */
};

struct portmap_job {
    size_t index; /* below PORTMAP_MAX */
    enum portmap_mode mode;
    struct hsay_addr bound; /* of the socket: 0.0.0.0 or one of our addresses, and its port */
    uint32_t lifetime_s;
};

struct portmap_answer {
    size_t index;
    bool mapped; /* just now, for so long as held.lifetime_s says */
    struct portmap_held held;
    char error[PORTMAP_ERROR_BYTES]; /* why not; "" if mapped, or if it was to be off */
};

struct portmap_asker {
    struct portmap_held held[PORTMAP_MAX];
    uint8_t nonce[PORTMAP_MAX][PCP_NONCE_BYTES];
    struct portmap_igd igd;
    int stop_fd;
};

void portmap_ask(struct portmap_asker *asker, const struct portmap_job *job,
                 struct portmap_answer *answer);

/* Gives all back, whatever stop_fd says. */
void portmap_ask_end(struct portmap_asker *asker);

#endif
