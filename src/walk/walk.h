/*
 * Whom to visit, whom to introduce, whom to mail.  Decides over the candidate table; holds no state
 * but for what it was last in turn with.
 *
 * Policies (enum hsay_policy):
 *   paper     trusted 1 %, contacted 49.5 %, requested 24.75 %, introduced 24.75 %; in the bucket
 *             the one that was visited longest ago; an empty bucket's share goes to the others.
 *   code2019  contacted 47.5 %, requested or introduced 47.5 %, trusted 5 %.
 *   hearsay   bucket by odds (trusted 5 %, book 10 % while fewer than enough are contacted, incoming
 *             never more than its share), then a network group, then a member at random.
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

/* The candidate for a step, or NULL when nobody is eligible.  Writes the bucket it was drawn from. */
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
 * `except` (may be NULL).  Returns how many. */
size_t hsay_walk_mail_targets(struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                              const struct hsay_chance *chance, const struct hsay_peer *except,
                              struct hsay_candidate **out, size_t max);

#endif
