/*
 * Whom to visit, whom to introduce, whom to mail.  Decides over the candidate table; holds no state
 * but for what it was last in turn with.
 *
 * Policies (enum hsay_policy):
 *   paper     trusted 1 %, contacted 49.5 %, requested 24.75 %, introduced 24.75 %; in the bucket
 *             the oldest eligible one, by our last visit (trusted, contacted) or by the mark that
 *             made it a candidate (requested, introduced); an empty bucket's share goes to the
 *             others.  The book is visited when there is nobody else.
 *   code2019  trusted 5 %, contacted 47.5 %, requested 23.75 %, introduced 23.75 %.
 *   hearsay   trusted 5 %, contacted 25 %, requested 3 %, introduced 50 %, book 17 %; in the bucket
 *             any network group, then any member of it.  Requested ones never get more than their
 *             share while there is anybody else.  A group that we visited within again_ms, or of
 *             which we have contacted somebody already, comes after those that are new; a
 *             contacted one that came by itself after those that others led us to.
 */
#ifndef HEARSAY_WALK_WALK_H
#define HEARSAY_WALK_WALK_H

#include "src/walk/candidate.h"

struct hsay_walk {
    uint8_t policy;
    uint16_t introduce_turn; /* round robin over the table */
};

struct hsay_chance {
    struct hsay_rng *rng;
    const struct hsay_crypto *crypto;
};

/* The candidate for a step, or NULL when nobody is eligible.  Writes the bucket it was drawn from.
 */
struct hsay_candidate *hsay_walk_visit(struct hsay_walk *walk, struct hsay_candidates *table,
                                       hsay_time now, const struct hsay_chance *chance,
                                       enum hsay_bucket *bucket);

/* The candidate to sync with at once, outside the walk: contacted ones, trusted ones, then others;
 * not one whose answer is outstanding (asked_at > contacted_at within the last second).  Small
 * overlays are why this is apart from again_ms: with two nodes there is nobody else. */
struct hsay_candidate *hsay_walk_sync_partner(struct hsay_walk *walk, struct hsay_candidates *table,
                                              hsay_time now, const struct hsay_chance *chance);

/* Somebody for `asker` to meet: contacted (answered us) only, never the asker, never somebody with
 * the asker's address, never two symmetric NATs, never a private or loopback address to an asker of
 * another class (src: nat/addr_class).  NULL if there is nobody. */
struct hsay_candidate *hsay_walk_introduce(struct hsay_walk *walk, struct hsay_candidates *table,
                                           hsay_time now, const struct hsay_chance *chance,
                                           const struct hsay_peer *asker, bool asker_symmetric);

/* Up to `max` different verified candidates (contacted and with a token) in random order, except
 * `except` (may be NULL); silent ones if there are not enough others.  Returns how many. */
size_t hsay_walk_mail_targets(struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                              const struct hsay_chance *chance, const struct hsay_peer *except,
                              struct hsay_candidate **out, size_t max);

#endif
