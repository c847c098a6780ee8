/*
 * Keeping paths open through our own NAT: what is sent where nothing else was sent for too long.
 * Each side keeps its own side open, so nothing is said of the peer's NAT, and public peers are no
 * exception: what they send us (mail, puncture-requests, their own requests) must come in as well.
 *
 * A path is watched from when we asked its peer with a token, or it asked us with one, and for as
 * long as the peer is a contact or a visitor, or has been one lately and is still to be visited.
 * The walk keeps most paths by itself; what it leaves gets the smallest message there is, a
 * puncture with id 0, not more than one in 8 s.  A path that has slept for longer than mappings
 * live is gone: it is watched again once the peer is heard of.
 *
 * Tried and dropped: a walk that prefers contacts whose path is to be used soon.  With five to ten
 * peers it saved one datagram in twenty of these.  And a shorter life of candidates: our own timer
 * says nothing of whether they can be reached by us, which opens the way anew.
 */
#ifndef HEARSAY_NODE_KEEPING_H
#define HEARSAY_NODE_KEEPING_H

#include "src/node/state.h"

/* The overlay's policy and configuration allow what the walk alone would not send. */
bool hsay_keeping_may(const struct hsay_call *call);

/* A NAT stands before us, towards this family of addresses, or nobody has said yet. */
bool hsay_keeping_is_behind(const struct hsay_call *call, uint8_t family);

/* We asked it.  Only if we showed a token it keeps us in mind, and has a use for the way back. */
void hsay_keeping_on_asked(struct hsay_call *call, const struct hsay_candidate *c, bool token);

/* It asked us, and showed a token: it counts on us from our answer on. */
void hsay_keeping_on_visit(struct hsay_call *call, const struct hsay_candidate *c);

/* The peer in hand has introduced us to another, as its puncture-request says. */
void hsay_keeping_on_introduced(struct hsay_call *call);

/* The way to this peer leads through two NATs, as far as we know, and ours would close it if we
 * sent nothing for it alone: it is not to be given up lightly. */
bool hsay_keeping_pays_for(const struct hsay_call *call, const struct hsay_candidate *c);

/* A datagram left, from the socket that the peer knows us by. */
void hsay_keeping_on_sent(struct hsay_call *call, const struct hsay_addr *to);

/* What is due of the paths of this overlay. */
void hsay_keeping_run(struct hsay_call *call);
hsay_time hsay_keeping_deadline(const struct hsay_node *node, uint16_t overlay);

void hsay_keeping_drop(struct hsay_node *node, uint16_t overlay);

/* Slept, or moved: nothing is known any more, and there are no paths to keep. */
void hsay_keeping_on_wake(struct hsay_node *node);

#endif
