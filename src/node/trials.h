/*
 * Measuring how long the NAT in front of us keeps mappings (nat/lifetime.h says which silences to
 * try).  From a socket of its own, one for each gap, a peer that anybody can reach is asked twice,
 * 3 s apart: NATs keep what has carried that much longer than a lone question and its answer, and
 * it is what a path of ours looks like.  The second answer brings a token for the port.  Then that
 * socket is silent for the gap, and the ordinary one asks for a puncture at the port (the probe).
 *
 * The questions come from an address that has no token: to the peer they are those of a stranger,
 * of whom it keeps nothing.  Their answers are no votes, no contacts, no syncs.
 *
 * Whoever sends to that port meanwhile keeps the mapping itself: then the trial is void.
 */
#ifndef HEARSAY_NODE_TRIALS_H
#define HEARSAY_NODE_TRIALS_H

#include "src/node/state.h"

/* In an overlay that may do such things, at the pace of its walk: what is to be tried begins. */
void hsay_trials_begin(struct hsay_call *call);

/* What is due of the trials that this overlay has begun. */
void hsay_trials_run(struct hsay_call *call);
hsay_time hsay_trials_deadline(const struct hsay_node *node, uint16_t overlay);

/* True if the message in hand belonged to a trial: nobody else is to look at it. */
bool hsay_trials_on_answer(struct hsay_call *call, const struct hsay_intro_response *a);
bool hsay_trials_on_puncture(struct hsay_call *call, const struct hsay_puncture *p);

/* Something came to this socket, whatever it is. */
void hsay_trials_on_arrival(struct hsay_node *node, struct hsay_now now, uint16_t socket);

bool hsay_trials_uses_socket(const struct hsay_node *node, uint16_t socket);

/* Those of an overlay that is left; they have no outcome, and the round goes on in others. */
void hsay_trials_drop(struct hsay_node *node, uint16_t overlay);

#endif
