/*
 * A small internet: trackers in the open, and two peers each behind its own boxes, or both behind
 * the same.  Built once, inside a cage, and gone with it.
 */
#ifndef HEARSAY_LAB_NAT_WORLD_H
#define HEARSAY_LAB_NAT_WORLD_H

#include "src/lab/nat/kind.h"
#include "src/lab/nat/place.h"
#include "src/lab/nat/router.h"

enum {
    NATLAB_TRACKERS = 3, /* as many network groups as must agree on a node's address */
    NATLAB_PEERS = 2,
    NATLAB_NODE_PORT = 6421, /* the second peer's is two more: behind one box, both are kept, and
                              * beacons have the one between */
    NATLAB_ADDRESS_BYTES = 16,
};

struct natlab_host_box {
    struct natlab_place place;
    char outside[NATLAB_ADDRESS_BYTES];
};

struct natlab_host {
    struct natlab_place place;
    struct natlab_host_box box[NATLAB_BOXES_MAX]; /* on its way out; as many as its kind has */
    char address[NATLAB_ADDRESS_BYTES];           /* its own */
    char outside[NATLAB_ADDRESS_BYTES]; /* that of its outermost box; its own if there is none */
    uint16_t port;                      /* for its node */
    const struct natlab_kind *kind;
};

struct natlab_world {
    struct natlab_host tracker[NATLAB_TRACKERS];
    struct natlab_host peer[NATLAB_PEERS];
    struct natlab_router router; /* its ports; the rest is the caller's */
};

/* kind[0] and kind[1] are the same if it is a shared one.  HSAY_EIO and words if it cannot be. */
int natlab_world_build(struct natlab_world *world, const struct natlab_kind *const *kind,
                       struct lab_why *why);

#endif
