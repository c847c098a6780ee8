/*
 * The walk's clock: one step of each overlay when it is due.
 */
#ifndef HEARSAY_NODE_STEP_H
#define HEARSAY_NODE_STEP_H

#include "src/node/state.h"

/* Walk fast for a while: after a start, a wake-up, or when the first peer is named. */
void hsay_step_refresh(struct hsay_overlay *o, struct hsay_now now);

/* Somebody came whom it is worth to visit soon: who is visited can be introduced to others. */
void hsay_step_hasten(struct hsay_overlay *o, struct hsay_now now);

/* Are there contacts enough? */
bool hsay_step_is_filled(struct hsay_overlay *o, struct hsay_now now);

void hsay_step_run(struct hsay_call *call);

#endif
