/*
 * Taking bundles in, from whatever message brought them, and handing them to the application.
 */
#ifndef HEARSAY_NODE_TAKING_H
#define HEARSAY_NODE_TAKING_H

#include "src/node/state.h"

struct hsay_taken {
    uint16_t got; /* bundles in the list */
    uint16_t fresh;
};

/* All bundles of a message's tail. */
struct hsay_taken hsay_take_list(struct hsay_call *call, struct hsay_span list);

/* One bundle whose signature was judged elsewhere. */
bool hsay_take_verdict(struct hsay_call *call, struct hsay_span bytes, bool good);

/* A bundle was stored: count it, tell the application, make it a rumor. */
void hsay_take_stored(struct hsay_call *call, const struct hsay_bundle *b, bool own);

struct hsay_receiver hsay_take_receiver(struct hsay_call *call);

#endif
