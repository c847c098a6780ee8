/*
 * What a hold (hold.h) stands on: two peers that have met, their boxes, and paths between them, by
 * whichever engine they are made.  kernel_ground.h has that of real boxes, sim_ground.h that of
 * simulated ones.
 */
#ifndef HEARSAY_LAB_NAT_GROUND_H
#define HEARSAY_LAB_NAT_GROUND_H

#include "src/lab/nat/world.h"

/* From one peer to the other: would a datagram that its node sent, from one of its sockets to an
 * address at which it knows the other, come to the other's node? */
enum natlab_path {
    NATLAB_PATH_UNKNOWN, /* it knows no address of the other */
    NATLAB_PATH_SHUT,    /* at none of these it would come through */
    NATLAB_PATH_OPEN,
};

/* Functions return HSAY_EIO or HSAY_EBAD, and words. */
struct natlab_ground {
    void *self;
    const struct natlab_kind *kind[NATLAB_PEERS]; /* what the two are behind */

    /* path[i] leads from peer i to the other.  Touches nothing.  Not for peers that share a box. */
    int (*look)(void *self, enum natlab_path path[NATLAB_PEERS], struct lab_why *why);

    /* The boxes of these peers forget all, and `flows` is how many flows that was.  path: what a
     * look finds then, before anybody does anything; NULL: nobody wants to know. */
    int (*forget)(void *self, const bool whose[NATLAB_PEERS], unsigned *flows,
                  enum natlab_path *path, struct lab_why *why);

    /* A bundle, which there is one of; and does this peer hold it? */
    int (*publish)(void *self, unsigned who, struct lab_why *why);
    int (*holds)(void *self, unsigned who, bool *holds, struct lab_why *why);

    /* A real datagram, by the route of the last look: larger than a puncture, and nothing that a
     * node understands.  Nothing is lost by chance from then on. */
    int (*try)(void *self, unsigned who, bool *comes, struct lab_why *why);
};

#endif
