/*
 * UDP over IPv4 under any source address, and what comes to any address of this host at one port.
 * Needs root.
 */
#ifndef HEARSAY_TESTS_LINK_H
#define HEARSAY_TESTS_LINK_H

#include "tests/victim/party.h"

enum { LINK_BATCH = 32 };

struct link {
    int raw, udp;
    struct hsay_addr to;
    unsigned count; /* waiting to be sent */
    struct datagram waiting[LINK_BATCH];
};

/* Opens both sockets; false: errno says why. */
bool link_open(struct link *link, const struct hsay_addr *to, uint16_t port);

/* A place for one more; link_flush sends what was put there, and so does a full batch.  A datagram
 * of size 0 is none. */
struct datagram *link_next(struct link *link);
void link_flush(struct link *link);

/* One datagram with the address it came to, if there is one within `wait_ms`. */
bool link_receive(struct link *link, int wait_ms, struct hsay_addr *at, struct datagram *d);

#endif
