/*
 * Beginning a call of the node for one overlay.
 */
#ifndef HEARSAY_NODE_CALL_H
#define HEARSAY_NODE_CALL_H

#include "src/node/state.h"

/* The overlay of this number, or NULL. */
struct hsay_overlay *hsay_node_overlay(struct hsay_node *node, uint16_t number);

/* False if there is no such overlay. */
bool hsay_call_begin(struct hsay_call *call, struct hsay_node *node, struct hsay_now now,
                     uint16_t overlay, struct hsay_outbox *out);

#endif
