/*
 * How it went with those whom others introduced to us: the matrix of punctures in the counters,
 * which says what attempt is counted.  A mark in the pending request says that it is one.
 */
#ifndef HEARSAY_NODE_ATTEMPT_H
#define HEARSAY_NODE_ATTEMPT_H

#include "src/node/state.h"

/* The request `p` goes out to `c`, which does not know it yet. */
void hsay_attempt_on_request(struct hsay_call *call, const struct hsay_candidate *c,
                             struct hsay_pending *p);

/* Its answer came, and has changed nothing yet; nat: enum hsay_nat_flag. */
void hsay_attempt_on_answer(struct hsay_call *call, struct hsay_pending *p, uint8_t nat);

/* It is over; nothing if that was told already, or if it is no attempt. */
void hsay_attempt_end(struct hsay_call *call, struct hsay_pending *p, bool connected);

#endif
