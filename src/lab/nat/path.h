/*
 * Is there a way from one peer to the other, now, through the kernel's boxes?
 *
 * Found out in two ways that know nothing of each other.  One reads what the boxes remember, and
 * changes nothing.  The other sends such a datagram, with the node's own address and port on it,
 * and looks whether it comes; that opens what it passes, so it can be done once.
 */
#ifndef HEARSAY_LAB_NAT_PATH_H
#define HEARSAY_LAB_NAT_PATH_H

#include "src/lab/nat/conntrack.h"
#include "src/lab/nat/ground.h"
#include "src/lab/nat/node.h"

struct natlab_route {
    struct natlab_end from, to; /* a socket of the one, and where it knows the other */
};

enum { NATLAB_PORTS_OF_HOST_MAX = 512 };

/* Of the UDP sockets that are open on a host, in the order of the network: a node that searches for
 * ports has many. */
struct natlab_sockets {
    uint16_t port[NATLAB_PORTS_OF_HOST_MAX];
    unsigned count;
};

/* What the boxes of both remember at a moment, and which sockets their nodes have. */
struct natlab_memory {
    const struct natlab_world *world;
    struct natlab_sockets sockets[NATLAB_PEERS];
    struct natlab_box_state {
        const struct lab_nat_kind *kind;
        uint32_t outside;
        struct natlab_flows flows;
        json_t *let_in; /* elements of the map that lets strangers in; NULL: it has none */
    } box[NATLAB_PEERS][NATLAB_BOXES_MAX];
};

/* HSAY_EIO and words.  Free in any case.  Not for peers that share a box. */
int natlab_memory_read(struct natlab_memory *memory, const struct natlab_world *world,
                       struct lab_why *why);
void natlab_memory_free(struct natlab_memory *memory);

/* path[i] leads from world->peer[i], whose node is *node[i], to the other, by what boxes remembered
 * and where it knows the other now; route[i] is one that was open, else one that is known. HSAY_EIO
 * and words. */
int natlab_path_judge(const struct natlab_memory *memory, struct natlab_node *const *node,
                      enum natlab_path *path, struct natlab_route *route, struct lab_why *why);

/* Sends one by that route.  It is larger than a puncture, and nothing that a node understands.  The
 * router must lose nothing meanwhile. */
int natlab_path_try(const struct natlab_world *world, unsigned from,
                    const struct natlab_route *route, bool *comes, struct lab_why *why);

#endif
