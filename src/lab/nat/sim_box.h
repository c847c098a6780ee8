/* Looks into the simulator's boxes of a kind: the questions, asked in virtual time and without a
 * network. */
#ifndef HEARSAY_LAB_NAT_SIM_BOX_H
#define HEARSAY_LAB_NAT_SIM_BOX_H

#include "src/lab/nat/questions.h"

void natlab_sim_box_look(struct natlab_seen *seen, const struct natlab_kind *kind,
                         const struct natlab_probe *probe, uint64_t seed);

#endif
