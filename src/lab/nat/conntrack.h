/* The flows that a box of the laboratory has in its kernel, read and dropped over netlink. */
#ifndef HEARSAY_LAB_NAT_CONNTRACK_H
#define HEARSAY_LAB_NAT_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/lab/nat/place.h"

/* IPv4, in the order of the network. */
struct natlab_end {
    uint32_t addr;
    uint16_t port;
};

/* A flow of UDP: as its first datagram came to the box, and as those back come to it. */
struct natlab_flow {
    uint32_t id;
    struct natlab_end from, to, back_from, back_to;
};

struct natlab_flows {
    struct natlab_flow *flow;
    size_t count;
};

static inline bool natlab_end_equal(struct natlab_end a, struct natlab_end b)
{
    return a.addr == b.addr && a.port == b.port;
}

/* Those that the kernel would still use; HSAY_EIO and words.  Free in any case. */
int natlab_conntrack_list(const struct natlab_place *place, struct natlab_flows *flows,
                          struct lab_why *why);
void natlab_flows_free(struct natlab_flows *flows);

/* All of them are forgotten, of whatever protocol, as by a box that starts anew. */
int natlab_conntrack_flush(const struct natlab_place *place, struct lab_why *why);

#endif
