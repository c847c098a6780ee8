/*
 * Who is meant: from what a node knows of a peer (an address, and often a key) back to the host.
 * Only the simulator knows this; nodes never do.
 *
 * A measure keeps one of these up to date from its on_life; looking up may then be done by any
 * thread, since hosts come and go only between windows.
 */
#ifndef HEARSAY_LAB_WHO_H
#define HEARSAY_LAB_WHO_H

#include "src/lab/sim/sim.h"

struct lab_who_place {
    uint64_t key;  /* how a node key begins */
    uint32_t host; /* number + 1; 0: empty */
};

struct lab_who {
    struct lab_who_place *place; /* open addressing; a power of two, half empty at least */
    size_t count, max;
};

/* A zeroed one is empty. */
void lab_who_free(struct lab_who *who);

/* A host has gone online, perhaps with a new key. */
void lab_who_online(struct lab_who *who, const struct lab_sim *sim, uint32_t host);

/* The host that is online under this key; of a peer whose key is not known, that which has the
 * address to itself.  LAB_NOBODY if there is none (any more). */
uint32_t lab_who_is(const struct lab_who *who, const struct lab_sim *sim,
                    const struct hsay_peer *peer);

/* Is the host, as the world sees it, still at this address?  Ports are not looked at: a NAT gives
 * several. */
bool lab_who_is_at(const struct lab_sim *sim, uint32_t host, const struct hsay_addr *addr);

#endif
