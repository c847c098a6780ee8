/*
 * The simulated internet's addresses: who has which, and who answers to one.
 *
 * Addresses are handed out from global IPv4 networks (/16, the core's network groups) in turn, so
 * that peers stand in as many groups as the run asks for.  Who comes back with a new one has one
 * that nobody had before, until all of a run's networks were used: then those that are free again.
 */
#ifndef HEARSAY_LAB_ADDRESS_H
#define HEARSAY_LAB_ADDRESS_H

#include "hearsay/types.h"

/* So many fit into each network, whichever it is. */
enum { LAB_NETWORK_HOSTS = 65000, LAB_NOBODY = UINT32_MAX };

struct lab_address_place {
    uint32_t ip; /* 0: empty */
    uint32_t owner;
};

struct lab_addresses {
    uint16_t *network;      /* the first 16 bits of all that there are */
    uint32_t network_count; /* of these, from the front: where hosts live */
    uint32_t network_all;
    uint64_t given;
    struct lab_address_place *place; /* ip -> owner; open addressing */
    uint64_t place_count, place_max;
};

/* networks: how many /16 hosts live in, 1 to about 56,000; fewer if there are no more. */
void lab_addresses_init(struct lab_addresses *all, uint32_t networks);
void lab_addresses_free(struct lab_addresses *all);

/* A new host address for `owner`, port 0.  A run that has no address left ends the program. */
struct hsay_addr lab_address_give(struct lab_addresses *all, uint32_t owner);

/* One in a certain network, counted from 0 and from the far end, where no host lives unless hosts
 * need all there are: for attackers that own few. */
struct hsay_addr lab_address_give_in(struct lab_addresses *all, uint32_t owner, uint32_t network);

/* Nobody has it any more. */
void lab_address_take(struct lab_addresses *all, const struct hsay_addr *addr);

/* LAB_NOBODY if nobody has it. */
uint32_t lab_address_owner(const struct lab_addresses *all, const struct hsay_addr *addr);

#endif
