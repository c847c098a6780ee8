/*
 * A hold's ground of simulated boxes and hosts.
 *
 * A look asks the boxes what they would do, box by box, for each socket that a node may have and
 * each address at which it knows the other: what path.h does with what a kernel remembers.
 */
#ifndef HEARSAY_LAB_NAT_SIM_GROUND_H
#define HEARSAY_LAB_NAT_SIM_GROUND_H

#include "src/lab/nat/ground.h"
#include "src/lab/sim/sim.h"

struct natlab_sim_ground {
    struct natlab_ground ground; /* what a hold gets */
    struct lab_sim *sim;
    uint32_t host[NATLAB_PEERS];
    struct natlab_sim_route {
        uint16_t socket;
        struct hsay_addr to;
    } route[NATLAB_PEERS]; /* of the last look */
    unsigned tried;        /* by whom; NATLAB_PEERS: not under way */
    bool came;
};

/* All must stay where it is as long as the simulator lives.  Does not fail. */
void natlab_sim_ground_init(struct natlab_sim_ground *own, struct lab_sim *sim,
                            const uint32_t host[NATLAB_PEERS],
                            const struct natlab_kind *const kind[NATLAB_PEERS]);

#endif
