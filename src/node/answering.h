/*
 * What others ask of us: introduction-requests and fetches.  The only messages that are answered.
 */
#ifndef HEARSAY_NODE_ANSWERING_H
#define HEARSAY_NODE_ANSWERING_H

#include "src/node/state.h"

void hsay_answering_on_intro_request(struct hsay_call *call, const struct hsay_message *m);
void hsay_answering_on_fetch(struct hsay_call *call, const struct hsay_message *m);

#endif
