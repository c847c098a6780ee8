/*
 * LAN beacons: nodes of one overlay in one local network find each other without any server.
 *
 * A small datagram to 239.255.64.21:6422 (organisation-local multicast) with a time to live of 1,
 * so that no router passes it on: after the start, then 5, 10, 20, 40 and from then on 60 seconds
 * apart.  What it says is in beacon_seal.h.  IPv4 alone: the addresses that IPv6 multicast comes
 * from mean nothing without the name of an interface.  Off with `lan-beacons = no`, and when we
 * listen on loopback only.
 */
#ifndef HEARSAY_DAEMON_BEACON_H
#define HEARSAY_DAEMON_BEACON_H

#include "src/daemon/beacon_seal.h"

struct daemon;

enum { BEACON_PORT = 6422, BEACON_SENT_MAX = 8 };

struct beacon {
    int fd; /* 0: off */
    struct loop_io *io;
    struct loop_timer *timer;
    uint32_t wait_ms;
    uint32_t heard;                                    /* in this minute */
    uint8_t sent[BEACON_SENT_MAX][BEACON_NONCE_BYTES]; /* so that we know our own */
    size_t sent_count;
};

/* On if it is wanted and possible, else off; may be called again when something has changed. */
void beacon_restart(struct daemon *d);
void beacon_close(struct daemon *d);

#endif
