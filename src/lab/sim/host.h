/*
 * One host's turn: call its core, commit, send, tell; and set its timer anew.
 */
#ifndef HEARSAY_LAB_HOST_H
#define HEARSAY_LAB_HOST_H

#include "src/lab/sim/sim.h"

/* A timer event of this host is due; the event is the caller's again. */
void lab_host_on_timer(struct lab_shard *shard, const struct lab_event *event);

/* Does its node read what comes to this port? */
bool lab_host_has_socket(const struct lab_sim *sim, uint32_t host, uint16_t port);

/* A datagram arrives at its socket. */
void lab_host_on_datagram(struct lab_shard *shard, uint32_t host, const struct lab_datagram *d);

#endif
