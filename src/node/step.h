/*
 * The walk's clock: one step of each overlay when it is due.
 */
#ifndef HEARSAY_NODE_STEP_H
#define HEARSAY_NODE_STEP_H

#include "src/node/state.h"

/* Walk fast for a while: after a start, a wake-up, or when the first peer is named. */
void hsay_step_refresh(struct hsay_overlay *o, struct hsay_now now);

/* A way to somebody has just been opened, and may close before its turn comes: the next step, which
 * goes there (walk.h), is due.  Not a visit at once, as whoever opened it might have forged it. */
void hsay_step_hasten(struct hsay_call *call);

/* A peer that is new to us has shown that it can hear us.  While we know few we visit it at once,
 * so that it can be introduced to others: with one tracker and twenty newcomers, its step would
 * take long to go round. */
void hsay_step_return_visit(struct hsay_call *call, struct hsay_candidate *c);

/* Between `c` and us there was an introduction to another: the walk may let the edge go, once we
 * have settled and hold what the others hold. */
void hsay_step_hand_on(struct hsay_call *call, struct hsay_candidate *c);

/* A peer sees us where we take ourselves to be, or `elsewhere`: then the next ones are asked at
 * once, so that it is known soon whether our address has changed.  At most a dozen once a minute,
 * and fewer the more of them contradict. */
void hsay_step_ask_around(struct hsay_call *call, bool elsewhere);

/* It has: the next doubt is another one, and need not wait for a minute to be over. */
void hsay_step_on_moved(struct hsay_call *call);

void hsay_step_run(struct hsay_call *call);

#endif
