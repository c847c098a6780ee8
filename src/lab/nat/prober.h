/*
 * What a box really does, found out with nothing but datagrams between a host inside and two
 * outside, at two ports each: independent of how the box was made.
 */
#ifndef HEARSAY_LAB_NAT_PROBER_H
#define HEARSAY_LAB_NAT_PROBER_H

#include "src/lab/nat/world.h"

/* Which questions are asked besides mapping, filtering and ports. */
struct natlab_probe {
    bool hairpin;
    unsigned timer_s; /* forgets after so long?  It waits for that; 0: not asked */
};

struct natlab_seen {
    struct lab_nat_kind box; /* open, blocked, mapping, filtering, ports; hairpin if asked */
    bool forgets;            /* after the time that was asked about, and not earlier */
};

/* Looks at what peer `number` is behind.  The router must run, and lose nothing meanwhile. */
int natlab_prober_look(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                       const struct natlab_probe *probe, struct lab_why *why);

/* The same, and HSAY_EBAD and words if that is not what it should be by its kind. */
int natlab_prober_check(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                        const struct natlab_probe *probe, struct lab_why *why);

#endif
