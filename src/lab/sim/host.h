/*
 * One host's turn: call its core, commit, send, tell; and set its timer anew.
 */
#ifndef HEARSAY_LAB_HOST_H
#define HEARSAY_LAB_HOST_H

#include "src/lab/sim/sim.h"

/* A timer event of this host is due; the event is the caller's again. */
void lab_host_on_timer(struct lab_shard *shard, const struct lab_event *event);

/* A datagram arrives at its socket. */
void lab_host_on_datagram(struct lab_shard *shard, uint32_t host, const struct lab_datagram *d);

#endif
