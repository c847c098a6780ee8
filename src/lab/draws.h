/* The draws of scenarios, from the run's streams of chance. */
#ifndef HEARSAY_LAB_DRAWS_H
#define HEARSAY_LAB_DRAWS_H

#include "src/lab/script/peer_set.h"
#include "src/lab/sim/chance.h"

struct lab_draws {
    uint64_t seed;
    struct lab_chance chance;
};

/* `draws` must outlive it. */
struct lab_draw lab_draws_port(struct lab_draws *draws);

#endif
