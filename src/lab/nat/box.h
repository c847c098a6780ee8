/*
 * A NAT made by the kernel: a place with forwarding and a ruleset for nftables.
 *
 * Linux by itself gives each flow a mapping of its own and keeps the inside port where it can,
 * which from the outside looks like one mapping for all with a filter by address and port.  The
 * other kinds come from rules: ports by chance or in sequence make a mapping per destination; maps
 * that outgoing packets fill, each entry with a timer, let in what a wider filter lets in.
 */
#ifndef HEARSAY_LAB_NAT_KERNEL_BOX_H
#define HEARSAY_LAB_NAT_KERNEL_BOX_H

#include "src/lab/nat/place.h"
#include "src/lab/sim/nat_box.h"

/* Of the box's devices, whichever box it is. */
#define NATLAB_INSIDE  "lan"
#define NATLAB_OUTSIDE "wan"

/* The devices are there, and the outer one has the address `outside`; `network` is that inside, as
 * "192.168.1.0/24".  HSAY_EIO and words if the kernel or the program nft cannot do it. */
int natlab_box_set_up(const struct natlab_place *place, const struct lab_nat_kind *kind,
                      const char *outside, const char *network, struct lab_why *why);

/* Forgets all that it knew of what went through it, as one that starts anew does, and looks whether
 * it has: HSAY_EBAD and words if not.  `flows`: how many there were. */
int natlab_box_flush(const struct natlab_place *place, unsigned *flows, struct lab_why *why);

#endif
