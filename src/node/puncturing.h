/*
 * Puncture requests and punctures: opening our NAT towards a peer that somebody introduced to us.
 */
#ifndef HEARSAY_NODE_PUNCTURING_H
#define HEARSAY_NODE_PUNCTURING_H

#include "src/node/state.h"

/* Open our NAT towards a peer that the one in hand has brought together with us.  id: of the
 * request that did it.  False, counted, if the limits forbid it. */
bool hsay_puncturing_towards(struct hsay_call *call, const struct hsay_peer *peer, uint64_t id);

void hsay_puncturing_on_request(struct hsay_call *call, const struct hsay_message *m);
void hsay_puncturing_on_puncture(struct hsay_call *call, const struct hsay_message *m);
void hsay_puncturing_on_probe(struct hsay_call *call, const struct hsay_message *m);

#endif
