/*
 * When to ask again besides the walk, whom, and for how much.
 *
 * A node that learns that it lacks something asks at once, again and again, one request at a time:
 * the next goes out when the answer to the last is whole, so that the pace is the receiver's.  What
 * is asked for per request doubles with each answer and halves when a large part was lost.
 *
 * It ends when a comparison of everything finds the same, or when the peer has nothing more for us:
 *
 *    compare (SUM of everything) --same--> in sync
 *        | differs
 *        v
 *    fill (filters) <--new, more--+
 *        | quiet long enough      |
 *        v                        |
 *    compare again; still different: leave it to the walk (the peer may be the one that lacks)
 */
#ifndef HEARSAY_NODE_CATCHUP_H
#define HEARSAY_NODE_CATCHUP_H

#include "src/node/state.h"

void hsay_catchup_init(struct hsay_catchup *c);

/* Which claim the walk's step should make now. */
uint8_t hsay_catchup_claim_kind(const struct hsay_call *call, const struct hsay_candidate *to);

/* Whom a step at a fixed pace had better go to: the peer whose answer was cut, or the one that
 * holds most; NULL if nobody is known to hold more than we. */
struct hsay_candidate *hsay_catchup_partner(struct hsay_call *call);

/* Those who said that they hold more have given nothing lately. */
bool hsay_catchup_is_in_vain(const struct hsay_call *call);

/* How long the walk may wait for its next step: longer when everybody has had the same for a while.
 */
uint64_t hsay_catchup_step_ms(const struct hsay_call *call);

/* Somebody's claim, and what we hold of its range: do they hold more than we? */
void hsay_catchup_on_claim(struct hsay_call *call, const struct hsay_claim *claim,
                           const struct hsay_answer *ours);

/* A request of ours was answered whole (or as whole as it will get: `lost` datagrams are missing).
 */
void hsay_catchup_on_answer(struct hsay_call *call, const struct hsay_pending *p, unsigned lost);

/* A request was not answered. */
void hsay_catchup_on_timeout(struct hsay_call *call, const struct hsay_pending *p);

/* Something new came or was published: the last comparison says nothing any more.  newest: it came,
 * and nothing that is held is newer. */
void hsay_catchup_on_news(struct hsay_call *call, bool newest);

/* A request went out on the walk's own clock. */
void hsay_catchup_on_step(struct hsay_call *call, uint64_t id);

/* Ask, if it is time to. */
void hsay_catchup_run(struct hsay_call *call);

hsay_time hsay_catchup_deadline(const struct hsay_overlay *o);

#endif
