/*
 * A crowd: the many peers that one attacker pretends to be, each with an address and a node key of
 * its own.
 *
 * They lie in networks where no honest host is, on machines that may share them by ports; all of
 * their addresses belong to one host of the simulation, so that ten thousand cost a megabyte.
 */
#ifndef HEARSAY_LAB_CROWD_H
#define HEARSAY_LAB_CROWD_H

#include "hearsay/crypto.h"
#include "src/lab/sim/address.h"
#include "src/lab/sim/chance.h"

enum { LAB_CROWD_PORTS_MAX = 50000, LAB_CROWD_NETWORKS_MAX = 5000 };

struct lab_crowd_plan {
    uint32_t members;
    uint32_t machines; /* that they share, by ports; 0: one for each */
    uint32_t networks; /* that these lie in, in turn */
    uint32_t owner;    /* the host that all of them are */
    uint64_t seed;
};

struct lab_crowd_member {
    struct hsay_addr addr;
    struct hsay_key key; /* once is_born */
    uint8_t secret[HSAY_KEY_BYTES];
    bool is_born;
};

struct lab_crowd_machine {
    uint32_t ip;
    uint32_t number;
};

struct lab_crowd {
    struct lab_crowd_member *member;
    uint32_t count;
    struct lab_crowd_machine *machine; /* sorted by ip */
    uint32_t machine_count;
};

/* HSAY_EINVAL and a sentence in `why`: so many can not be had. */
int lab_crowd_check(const struct lab_crowd_plan *plan, char *why, size_t why_size);

/* Takes addresses; secrets are drawn.  A plan that was checked. */
void lab_crowd_init(struct lab_crowd *crowd, const struct lab_crowd_plan *plan,
                    struct lab_addresses *addresses);
void lab_crowd_free(struct lab_crowd *crowd);

/* The member with its key, which is computed when it is needed first: most are never met. */
const struct lab_crowd_member *lab_crowd_at(struct lab_crowd *crowd, uint32_t number,
                                            const struct hsay_crypto *crypto);

/* The number of the member at this address; `count` if there is none. */
uint32_t lab_crowd_find(const struct lab_crowd *crowd, const struct hsay_addr *addr);

#endif
