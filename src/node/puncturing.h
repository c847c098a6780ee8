/*
 * Puncture requests and punctures: opening our NAT towards a peer that somebody introduced to us.
 */
#ifndef HEARSAY_NODE_PUNCTURING_H
#define HEARSAY_NODE_PUNCTURING_H

#include "src/node/state.h"

void hsay_puncturing_on_request(struct hsay_call *call, const struct hsay_message *m);
void hsay_puncturing_on_puncture(struct hsay_call *call, const struct hsay_message *m);

#endif
