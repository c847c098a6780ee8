/*
 * What a gateway is asked for, in each of the three protocols, and what comes of it.  All of it
 * waits, and so it runs on a thread of its own (portmap_work.h).
 *
 * Nothing is sent but to the gateway named in the request, and SSDP's multicast.
 */
#ifndef HEARSAY_DAEMON_PORTMAP_REQUEST_H
#define HEARSAY_DAEMON_PORTMAP_REQUEST_H

#include "src/daemon/pcp.h"

struct portmap_request {
    struct hsay_addr gateway;
    struct hsay_addr internal; /* our address as the gateway sees it, and the port to map */
    struct hsay_addr external; /* what we have or had; NONE: the same port, if it is free */
    uint32_t lifetime_s;       /* 0 removes */
    uint8_t nonce[PCP_NONCE_BYTES];
    int stop_fd; /* readable: give up at once; -1: never */
};

enum { PORTMAP_WHY_BYTES = 64 };

struct portmap_grant {
    struct hsay_addr external;
    uint32_t lifetime_s;         /* 0: for ever, which some gateways insist on */
    char why[PORTMAP_WHY_BYTES]; /* why not, in a few words */
};

/* Waiting for answers: 250 ms, doubled with each of three requests, as NAT-PMP says (RFC 6886,
 * 3.1).  A gateway is one hop away; whoever has not answered after 1.75 s does not speak it. */
enum { PORTMAP_WAIT_FIRST_MS = 250, PORTMAP_TRIES = 3, PORTMAP_WAIT_ALL_MS = 1750 };

/* All of these: 0; or HSAY_EIO with grant->why said. */
int portmap_pcp(const struct portmap_request *request, struct portmap_grant *grant);
int portmap_natpmp(const struct portmap_request *request, struct portmap_grant *grant);

/* UPnP is found by a search of a second, so what was found is kept for the next request. */
struct portmap_igd {
    struct hsay_addr gateway; /* NONE: nothing is known */
    char control[256];
    char service[128];
};
int portmap_upnp(struct portmap_igd *igd, const struct portmap_request *request,
                 struct portmap_grant *grant);

/* 1: `fd` is readable; 0: the time is over; HSAY_EIO: to be given up, or poll has failed. */
int portmap_wait(const struct portmap_request *request, int fd, uint64_t ms);

/* Says why not; HSAY_EIO. */
int portmap_fail(struct portmap_grant *grant, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
