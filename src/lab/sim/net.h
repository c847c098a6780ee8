/*
 * Between hosts: NAT boxes, partitions, links.
 */
#ifndef HEARSAY_LAB_NET_H
#define HEARSAY_LAB_NET_H

#include "src/lab/sim/sim.h"

/* A host sends a letter. */
void lab_net_send(struct lab_shard *shard, uint32_t host, const struct hsay_letter *letter);

/* Would a datagram from a socket of the one host to `to` come to the other one, by what the boxes
 * around them remember now?  Over the open internet; nothing is sent, and nothing prolonged. */
bool lab_net_leads(struct lab_sim *sim, uint32_t host, uint16_t socket, const struct hsay_addr *to,
                   uint32_t other);

/* A datagram has come to the address it was sent to; it is freed. */
void lab_net_arrive(struct lab_shard *shard, struct lab_datagram *d);

#endif
