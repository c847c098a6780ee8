/*
 * Other addresses of peers: whom to believe about them, and asking there.
 *
 * An address inside a network means nothing outside, and whoever is outside must not make us send
 * inside.  So one is told only to those who appear under the same public address as we do, and
 * believed only from them, or from inside itself.
 */
#ifndef HEARSAY_NODE_WAY_H
#define HEARSAY_NODE_WAY_H

#include "src/node/state.h"

/* What may be sent to, of what `introducer` names. */
struct hsay_addr_policy hsay_way_policy(const struct hsay_call *call,
                                        const struct hsay_addr *introducer);

/* Does the world see us at this host?  Whoever is there does not count as the world. */
bool hsay_way_is_own_host(const struct hsay_call *call, const struct hsay_addr *addr);

/* Our address inside, for a peer at `to`; NONE if it need not know. */
struct hsay_addr hsay_way_own_lan(const struct hsay_call *call, const struct hsay_addr *to);

/* The address inside that the packet in hand, which must be validated or awaited, tells of a peer
 * that is seen at `peer`; NONE if there is none, or (counted) if its sender may not tell it. */
struct hsay_addr hsay_way_told_lan(struct hsay_call *call, const struct hsay_addr *lan,
                                   const struct hsay_addr *peer);

/* Ask `c` at another of its addresses, if it has one that is to be tried now: a small request that
 * wants nothing but an answer, beside whatever is asked at its own. */
void hsay_way_try(struct hsay_call *call, struct hsay_candidate *c);

#endif
