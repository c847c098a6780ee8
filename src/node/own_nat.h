/*
 * What a node says of the NAT in front of it, in requests and in answers: peers that it would be of
 * no use to introduce to each other are known by it.
 */
#ifndef HEARSAY_NODE_OWN_NAT_H
#define HEARSAY_NODE_OWN_NAT_H

#include "src/node/state.h"

/* As others see us who ask or are asked at an address of this family.  Each answer that we get may
 * change it. */
struct hsay_vote_result hsay_own_nat_seen(const struct hsay_node *node, hsay_time now,
                                          uint8_t family);

/* Whoever knows a port of ours may send to it, as far as that has shown. */
bool hsay_own_nat_lets_all_in(const struct hsay_call *call, uint8_t family);

/* The same as it goes over the wire: enum hsay_nat_flag. */
uint8_t hsay_own_nat_flags(const struct hsay_call *call, uint8_t family);

/* The peer in hand, whom we had asked, says that it saw us there. */
void hsay_own_nat_on_vote(struct hsay_call *call, const struct hsay_addr *seen);

/* A message of the peer in hand, sealed for us alone: what our NAT lets in.  Before anything is
 * answered. */
void hsay_own_nat_on_message(struct hsay_call *call, const struct hsay_message *m);

/* Has our NAT no reason to let that host in, if it needs one? */
bool hsay_own_nat_is_untouched(const struct hsay_call *call, const struct hsay_addr *addr);

/* An attempt is over, of which an introduction was all that we knew. */
void hsay_own_nat_on_attempt(struct hsay_call *call, const struct hsay_pending *p, bool connected,
                             bool punctured);

#endif
