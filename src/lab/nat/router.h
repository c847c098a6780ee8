/*
 * The internet between the laboratory's hosts: a process that carries IPv4 packets from one TUN
 * device to another, each after the delay and with the losses of the simulator's link model.
 *
 * It knows nobody else: what is sent to another address is counted and gone.
 */
#ifndef HEARSAY_LAB_NAT_ROUTER_H
#define HEARSAY_LAB_NAT_ROUTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/lab/output/heap.h"
#include "src/lab/sim/link.h"
#include "src/wire/seal.h"

enum {
    NATLAB_PORTS_MAX = 8,
    /* A puncture is an envelope around type and id; the least request or response has twice as
     * much in it. */
    NATLAB_PUNCTURE_BYTES_MAX = HSAY_SEAL_BYTES + 48,
};

/* Where a host or a box is connected. */
struct natlab_port {
    int fd;          /* of the TUN device, which does not block */
    uint8_t addr[4]; /* whose packets go there */
    bool peer;       /* not a tracker's */
};

/* Shared with the process, which counts. */
struct natlab_traffic {
    atomic_bool lossless; /* while boxes are looked into; may be changed at any time */
    atomic_ullong carried, lost, to_nobody;
    atomic_ullong punctures; /* what is small enough, from peer to peer */
};

struct natlab_router {
    struct natlab_port port[NATLAB_PORTS_MAX];
    unsigned ports;
    struct lab_link_model link; /* prepared */
    uint64_t seed;
    struct natlab_traffic *traffic;
};

/* In a process of its own, which goes on until its parent ends. */
int natlab_router_start(const struct natlab_router *router, pid_t *pid, struct lab_why *why);

#endif
