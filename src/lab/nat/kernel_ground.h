/* A hold's ground of real boxes and daemons. */
#ifndef HEARSAY_LAB_NAT_KERNEL_GROUND_H
#define HEARSAY_LAB_NAT_KERNEL_GROUND_H

#include "src/lab/nat/path.h"

struct natlab_kernel_ground {
    struct natlab_ground ground; /* what a hold gets */
    struct natlab_world *world;
    struct natlab_node *node[NATLAB_PEERS];
    struct natlab_route route[NATLAB_PEERS]; /* of the last look */
    char digest[NATLAB_DIGEST_TEXT_BYTES];   /* of the bundle */
};

/* All must stay where it is; node[NATLAB_PEERS]. */
void natlab_kernel_ground_init(struct natlab_kernel_ground *own, struct natlab_world *world,
                               struct natlab_node *node);

#endif
