/*
 * Where hosts live: addresses, NAT boxes, carriers.
 *
 * A home has one box and one or more hosts, which have consecutive numbers; a carrier's box has
 * homes inside.  Whatever shares a box shares a shard.
 */
#ifndef HEARSAY_LAB_HOME_H
#define HEARSAY_LAB_HOME_H

#include "src/lab/sim/sim.h"

/* An owner in the address table is a host, or, with this bit, a site. */
#define LAB_SITE_OWNER UINT32_C(0x80000000)

enum {
    LAB_HOME_FIRST_HOST = 10, /* 192.168.1.10 is a home's first host */
    LAB_CARRIER_HOMES = 256,  /* behind one carrier's box */
};

/* Gives the hosts their homes, drawn from the population.  Trackers, and hosts without a node,
 * stand in the open. */
void lab_homes_settle(struct lab_sim *sim);
void lab_homes_free(struct lab_sim *sim);

/* A new public address for a host, or for the box around it. */
void lab_home_move(struct lab_sim *sim, uint32_t host);

/* Its NAT reboots: all mappings are gone. */
void lab_home_flush(struct lab_sim *sim, uint32_t host);

#endif
