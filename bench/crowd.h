/*
 * An overlay in virtual time as the figures want it: nodes with the daemon's table sizes, bundles
 * of an exact size of one author, and everybody meeting through one node.
 */
#ifndef HEARSAY_BENCH_CROWD_H
#define HEARSAY_BENCH_CROWD_H

#include "tests/world/world.h"

struct crowd {
    unsigned nodes;
    unsigned tracker; /* the node that all others are told of */
    unsigned author;  /* the node that publishes, before anybody has met */
    unsigned bundles;
    size_t canonical_bytes;
    uint32_t delay_ms; /* of every link */
    uint64_t seed;
    uint16_t sockets; /* that each can open, beside its own */
    struct hsay_overlay_config overlay;
};

/* Starts the world; afterwards the tracker has been named to all, and no time has passed. */
void crowd_start(struct world *w, const struct crowd *crowd);

/* Publishes at `node` a bundle that has exactly so many canonical bytes. */
void crowd_publish(struct world *w, unsigned node, size_t canonical_bytes, uint64_t sequence);

/* Payload bytes of a bundle of so many canonical bytes, of type 0 and without parents or expiry. */
size_t crowd_payload(size_t canonical_bytes, uint64_t sequence, uint64_t time);

#endif
