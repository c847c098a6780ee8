/*
 * Between hosts: NAT boxes, partitions, links.
 */
#ifndef HEARSAY_LAB_NET_H
#define HEARSAY_LAB_NET_H

#include "src/lab/sim/sim.h"

/* A host sends a letter. */
void lab_net_send(struct lab_shard *shard, uint32_t host, const struct hsay_letter *letter);

/* A datagram has come to the address it was sent to; it is freed. */
void lab_net_arrive(struct lab_shard *shard, struct lab_datagram *d);

#endif
