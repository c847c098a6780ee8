/*
 * The table of candidates' other addresses: for candidate.c, which decides what proves a peer to be
 * somewhere.  What others may ask of it stands in candidate.h.
 *
 * Where a better address is said or was seen to fail it is a way to be tried; where a worse one was
 * seen, one to fall back on.  A candidate has one such, the one that is worth most.
 */
#ifndef HEARSAY_WALK_CANDIDATE_WAY_H
#define HEARSAY_WALK_CANDIDATE_WAY_H

#include "src/walk/candidate.h"

/* IPv6 before an address in our network, and that before any other. */
bool hsay_candidate_way_is_better(const struct hsay_addr *a, const struct hsay_addr *b);

/* Of this candidate, which may be changed; NULL: it has none. */
struct hsay_candidate_way *hsay_candidate_way_of(const struct hsay_candidates *table,
                                                 const struct hsay_candidate *c);

/* It was there before.  If it was seen it may be met there still; if that was the better address it
 * has failed, and is worth another try later.  False if that is nothing to be kept. */
bool hsay_candidate_way_keep(struct hsay_candidates *table, hsay_time now,
                             const struct hsay_candidate *c, const struct hsay_candidate *old,
                             bool worked);

/* Proof of an address that is worse than where it stands. */
void hsay_candidate_way_on_seen(struct hsay_candidates *table, hsay_time now,
                                const struct hsay_candidate *c, const struct hsay_addr *addr);

#endif
