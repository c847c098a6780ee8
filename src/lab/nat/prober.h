/* Looks into a kernel's box: the questions, asked by sockets on both sides of it. */
#ifndef HEARSAY_LAB_NAT_PROBER_H
#define HEARSAY_LAB_NAT_PROBER_H

#include "src/lab/nat/questions.h"
#include "src/lab/nat/world.h"

/* Looks at what peer `number` is behind.  The router must run, and lose nothing meanwhile. */
int natlab_prober_look(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                       const struct natlab_probe *probe, struct lab_why *why);

/* The same, and HSAY_EBAD and words if that is not what it should be by its kind. */
int natlab_prober_check(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                        const struct natlab_probe *probe, struct lab_why *why);

/* Those words. */
int natlab_prober_complain(const struct natlab_seen *seen, const struct natlab_kind *kind,
                           const struct natlab_probe *probe, struct lab_why *why);

#endif
