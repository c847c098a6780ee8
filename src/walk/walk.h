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
 *   hearsay   trusted 5 %, contacted 14 %, requested 1 %, introduced 50 %, book 29 %; in the bucket
 *             any network group, then any member of it.  Requested ones never get more than their
 *             share while there is anybody else.  A group that we visited within again_ms, or of
 *             which we have contacted somebody already, comes after those that are new; a
 *             contacted one that came by itself after those that others led us to; whom somebody
 *             of its own network introduced after all these.
 *
 * The graph of policy `hearsay`.  Introductions copy edges: A meets C through B, and all three know
 * each other.  Left to itself that makes cliques of neighbours and hubs of the well-known.  Three
 * rules make the graph as good as random, after Cyclon (Voulgaris, Gavidia, van Steen 2005), whose
 * peers exchange edges instead:
 *   - whom B introduces is a visitor of B: everybody visits equally often, so nobody is introduced
 *     more often than others, and a tracker introduces each newcomer to the next;
 *   - an introduction hands an edge on: B forgets C, and C forgets B, if they know enough others;
 *   - whom anybody can reach waits its turn for up to two minutes among the introduced ones; when
 *     it is visited, A has forgotten B.
 * Where introductions lead to nobody new all are known, and edges stay.  All three pass on what is
 * old, which is as good as new while nobody dies.  When more than one request in eight is lost the
 * walk is not calm: edges stay, and the newest are passed on first.
 */
#ifndef HEARSAY_WALK_WALK_H
#define HEARSAY_WALK_WALK_H

#include "src/walk/candidate.h"

struct hsay_walk {
    uint16_t introduce_turn; /* round robin over the table */
    uint8_t policy;
    uint8_t lost;      /* of our requests lately, in 256ths */
    uint8_t fruitless; /* introductions in a row that led to nobody new; up to 3 */
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

/* How a request ended. */
void hsay_walk_on_outcome(struct hsay_walk *walk, bool answered);

/* Is another introduction worth its three datagrams?  Not while enough are waiting to be visited,
 * and less and less often while those that come lead to nobody new; steps: those taken so far. */
bool hsay_walk_wants_introduction(const struct hsay_walk *walk, const struct hsay_candidates *table,
                                  hsay_time now, uint32_t steps);

/* Not to be asked for an introduction in this visit, drawn from that bucket: we are behind a NAT,
 * as others there may be, and it was introduced as one that anybody can reach.  Such a one has its
 * turn when nobody waits whose NAT is about to close, and that is just when the walk wants
 * introductions, so it would be asked for more than others are.  An attacker introduces his own,
 * who say the same and are asked next: half of all contacts were his within the hour.  It is asked
 * in later visits. */
bool hsay_walk_is_out_of_turn(const struct hsay_candidate *to, enum hsay_bucket from,
                              bool is_behind);

/* What an introduction led to. */
void hsay_walk_on_met(struct hsay_walk *walk, bool is_new);

/* `c` was introduced to another by us: its visit has had the introduction that it is worth. */
void hsay_walk_on_introduction(const struct hsay_walk *walk, struct hsay_candidate *c);

/* Between `c` and us there was an introduction to another: the edge goes, if we know enough others.
 */
void hsay_walk_hand_on(const struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                       struct hsay_candidate *c);

/* Where `asker` can meet this one: at its address, or where else it was seen lately; of the asker's
 * family, and no private or loopback address for an asker of another class.  NONE: nowhere. */
struct hsay_addr hsay_walk_meeting_place(const struct hsay_candidates *table,
                                         const struct hsay_candidate *c, hsay_time now,
                                         const struct hsay_addr *asker);

/* Somebody for `asker` to meet: a visitor (policy `hearsay`) or one that answered us, never the
 * asker, never somebody with the asker's address, never two NATs that cannot be joined, never one
 * without a meeting place.  NULL if there is nobody. */
struct hsay_candidate *hsay_walk_introduce(struct hsay_walk *walk, struct hsay_candidates *table,
                                           hsay_time now, const struct hsay_chance *chance,
                                           const struct hsay_peer *asker, uint8_t asker_nat);

/* Up to `max` different verified candidates (contacted or visitors, and with a token) in random
 * order, except `except` (may be NULL); silent ones if there are not enough others.  Returns how
 * many. */
size_t hsay_walk_mail_targets(struct hsay_walk *walk, struct hsay_candidates *table, hsay_time now,
                              const struct hsay_chance *chance, const struct hsay_peer *except,
                              struct hsay_candidate **out, size_t max);

#endif
