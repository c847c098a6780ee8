/*
 * Opening the door: asks the gateway to pass on to us what comes for our port, so that peers reach
 * us who could not before.
 *
 * By PCP, NAT-PMP or UPnP, whichever it speaks (portmap_ask.h), on a thread of its own
 * (portmap_work.h).  This file decides when: at the start, at half of the lifetime granted, after a
 * change of the network, and, when it has failed, after a minute, two, four and so on up to an
 * hour.  At the end what was mapped is given back.
 *
 * Never for sockets on loopback or at public addresses, which have no door; never with the key
 * `port-mapping` at no.  IPv4 alone: IPv6 has no ports to map, only firewalls, which are not asked.
 */
#ifndef HEARSAY_DAEMON_PORTMAP_H
#define HEARSAY_DAEMON_PORTMAP_H

#include <jansson.h>

#include "src/daemon/portmap_ask.h"

struct daemon;
struct loop_io;
struct loop_timer;
struct portmap_work;

struct portmap_port {
    struct hsay_addr bound;   /* of the socket, as IPv4 */
    struct portmap_held held; /* as far as the thread has told */
    hsay_time until;          /* the gateway keeps it so long, at least */
    hsay_time due;            /* of the next try */
    uint32_t failures;        /* in a row */
    bool again;               /* at once, when the answer that is waited for has come */
    char error[PORTMAP_ERROR_BYTES];
};

struct portmap {
    struct portmap_work *work; /* NULL: nothing to map, or nothing wanted yet */
    struct loop_io *io;
    struct loop_timer *timer;
    struct portmap_port port[PORTMAP_MAX];
    size_t port_count;
    bool asking;
    size_t asked; /* the port that the thread is asking for */
};

/* Asks at once for what is to be mapped and gives back what is not: at the start, at a reload, and
 * when the network has changed. */
void portmap_restart(struct daemon *d);

/* Gives all back.  Takes PORTMAP_END_MS at the most. */
void portmap_close(struct daemon *d);

/* {"mode", "ports": [...]}, as CONTROL.md says.  The caller owns it. */
json_t *portmap_json(struct daemon *d);

#endif
