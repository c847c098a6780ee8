/*
 * Control runs: what an overlay would be without one of its techniques, to hold the technique
 * against.  The core knows nothing of it: what it wants to send is lost before it leaves the host.
 */
#ifndef HEARSAY_LAB_CONTROL_H
#define HEARSAY_LAB_CONTROL_H

#include "src/lab/sim/sim.h"

struct lab_control;

/* From now on no puncture leaves its host.  (Lost behind the host's own NAT it would have done its
 * work already: the NAT opens for what goes out.) */
struct lab_control *lab_control_unpunctured(struct lab_sim *sim);

/* The run is over.  NULL is fine. */
void lab_control_free(struct lab_control *control);

#endif
