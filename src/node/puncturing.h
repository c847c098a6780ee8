/*
 * Puncture requests and punctures: opening our NAT towards a peer that somebody introduced to us.
 */
#ifndef HEARSAY_NODE_PUNCTURING_H
#define HEARSAY_NODE_PUNCTURING_H

#include "src/node/state.h"

/* The peer in hand introduced us to `peer`, whose NAT has a port for us that only its own puncture
 * shows: let that in, if ours goes by addresses.  id: of the request that this was the answer to.
 */
void hsay_puncturing_towards(struct hsay_call *call, const struct hsay_peer *peer, uint64_t id);

void hsay_puncturing_on_request(struct hsay_call *call, const struct hsay_message *m);
void hsay_puncturing_on_puncture(struct hsay_call *call, const struct hsay_message *m);

#endif
