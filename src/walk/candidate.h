/*
 * The candidate table of one overlay: who we may walk to, and in which bucket each stands.
 *
 * One entry per node key where it is known, else per address.  A peer that shows up at a new
 * address under its key keeps its place.  An entry may have several marks at once (it answered us,
 * and it asked us); the bucket is the best live mark: trusted, contacted, requested, introduced,
 * book.
 *
 * A trusted entry stays where the operator said it is: its peer gets an ordinary entry beside it
 * when it shows up elsewhere.
 *
 * Of two addresses of one peer the better one is where the entry stands as long as it works: IPv6,
 * before an IPv4 address inside one's own network, before any other.  Proof that the peer is at a
 * worse one, too, does not move it; what is only said to be better does not, either, but is tried
 * beside the requests of the walk, and moves it when it answers.  So a peer of two families, or of
 * a LAN and the world, is one entry that does not flap.
 *
 * A full table gives up an entry of the largest network group of the bucket that is most over its
 * share (room.h), and never a contacted one for an incoming one.
 *
 * Who may change what: a claim (an introduction, a request without a token) never moves or replaces
 * a peer that has shown where it is; an answer to a request of ours, or a token, does.
 */
#ifndef HEARSAY_WALK_CANDIDATE_H
#define HEARSAY_WALK_CANDIDATE_H

#include "hearsay/node.h"
#include "src/wire/message.h"
#include "src/wire/rng.h"

/* A moment as the table keeps it: a millisecond of its own count (hsay_candidate_age_ms).  0:
 * never. Of one table, the larger is the later. */
typedef uint32_t hsay_tick;

struct hsay_candidate {
    struct hsay_addr addr;
    struct hsay_key key;     /* zero: not known, seal to the overlay */
    struct hsay_token token; /* to show when we ask it: with HSAY_MARK_TOKEN */
    hsay_tick contacted_at;  /* last answer to us */
    hsay_tick requested_at;  /* last request to us */
    hsay_tick introduced_at; /* last told of, or its puncture */
    hsay_tick asked_at;      /* our last request */
    uint32_t group;          /* hsay_peer_group of addr */
    uint32_t rtt_us;         /* of the last answer; 0: not known */
    uint16_t introducer;     /* hash of the introducer's network group; 0: none */
    uint8_t marks;           /* enum hsay_candidate_mark */
    uint8_t timeouts : 4;    /* in a row; stops at the largest */
    uint8_t nat : 4;         /* enum hsay_nat_flag, as it says of itself */
};

/* Another address of a candidate: a better one that has not been proven, to be tried, or a worse
 * one at which the candidate was seen.  Few have one, so these stand apart. */
struct hsay_candidate_way {
    struct hsay_addr of; /* the candidate's address; NONE: empty */
    struct hsay_addr addr;
    uint32_t at_s : 27;  /* monotonic seconds: seen there last, or else asked there last */
    uint32_t tries : 3;  /* requests to it since it was last seen there, none answered */
    uint32_t seen : 1;   /* the candidate has proven that it is there, and was not asked since */
    uint32_t proven : 1; /* that it was there once */
};

enum hsay_candidate_mark {
    HSAY_MARK_USED = 1 << 0,
    HSAY_MARK_TRUSTED = 1 << 1,
    HSAY_MARK_BOOK = 1 << 2,
    HSAY_MARK_HEARD = 1 << 3, /* has shown that it can hear us at this address */
    HSAY_MARK_KEYED = 1 << 4, /* the operator named its key: no other will do */
    HSAY_MARK_TOKEN = 1 << 5,
    HSAY_MARK_ANSWERED = 1 << 6, /* it answered us, however long ago; for people to know */
};

/* Lifetimes in milliseconds; scaled with the step when that is below HSAY_STEP_MS. */
struct hsay_walk_times {
    uint32_t contacted_ms;
    uint32_t requested_ms;
    uint32_t introduced_ms;
    uint32_t introduced_public_ms; /* of those that anybody can reach */
    uint32_t again_ms;             /* before the same peer is walked to again */
};

struct hsay_candidates {
    struct hsay_candidate *entry;   /* the caller's; must live as long as the table */
    struct hsay_candidate_way *way; /* the caller's, as well; of entry i in place i % way_max */
    uint16_t entry_max;
    uint16_t way_max;
    struct hsay_walk_times times;
    uint64_t coin; /* decides who of a group gives way; more chance may be stirred in at any time */
    uint64_t base_ms; /* of the monotonic clock: where the ticks begin */
};

/* way_max: 1 .. entry_max; below that, some candidates have to share a place. */
void hsay_candidates_init(struct hsay_candidates *table, struct hsay_candidate *entry,
                          uint16_t entry_max, struct hsay_candidate_way *way, uint16_t way_max,
                          const struct hsay_walk_times *times);

/* How long ago that was; UINT64_MAX: never.  What is older than 24 days may seem to be of then. */
uint64_t hsay_candidate_age_ms(const struct hsay_candidates *table, hsay_tick at, hsay_time now);

/* Has it answered us since `then`? */
bool hsay_candidate_answered_since(const struct hsay_candidates *table,
                                   const struct hsay_candidate *c, hsay_time then);

/* The entry with this key and address; else one at this address whose key is not known (any at this
 * address if `peer` has no key); else one with this key elsewhere; else NULL.  Finds entries whose
 * time is over, too.  Pointers into the table are valid until the next call that adds. */
struct hsay_candidate *hsay_candidate_find(struct hsay_candidates *table,
                                           const struct hsay_peer *peer);

/* A live entry with a key of this name (hsay_peer_name), of several that which was heard last; NULL
 * if there is none. */
struct hsay_candidate *hsay_candidate_by_name(struct hsay_candidates *table, hsay_time now,
                                              uint64_t name);

/* Best live mark at `now`; HSAY_BUCKET_NONE when all have run out (the place is free then). */
enum hsay_bucket hsay_candidate_bucket(const struct hsay_candidates *table,
                                       const struct hsay_candidate *c, hsay_time now);

/* It answered us, lately: true for a trusted one, too, although that has another bucket. */
bool hsay_candidate_is_contacted(const struct hsay_candidates *table,
                                 const struct hsay_candidate *c, hsay_time now);

/* It asked us lately, and has shown that it can hear us; the operator's choice is no visitor. */
bool hsay_candidate_is_visitor(const struct hsay_candidates *table, const struct hsay_candidate *c,
                               hsay_time now);

/* Nothing is known of it but that somebody of another network group introduced it; it was not asked
 * since, nor before as far as we remember. */
bool hsay_candidate_is_untried(const struct hsay_candidates *table, const struct hsay_candidate *c,
                               hsay_time now);

/* Nobody led us to it: anybody can come, under any number of names. */
bool hsay_candidate_came_by_itself(const struct hsay_candidate *c);

/* It was introduced by somebody of its own network group. */
bool hsay_candidate_is_of_introducer(const struct hsay_candidate *c);

/* Its NAT has a port of its own for each destination, and it has not shown the one for us. */
bool hsay_candidate_is_place_unknown(const struct hsay_candidate *c);

/* It is such a one, and its puncture has come: we alone know the port, which may be gone soon. */
bool hsay_candidate_has_come(const struct hsay_candidate *c);

/* For how long an introduction of it is good. */
uint32_t hsay_candidate_introduced_ms(const struct hsay_candidates *table,
                                      const struct hsay_candidate *c);

/* Asked since it was last heard of, and a second has passed: it is gone, or a datagram was lost. */
bool hsay_candidate_is_silent(const struct hsay_candidates *table, const struct hsay_candidate *c,
                              hsay_time now);

/* May the walk go there now?  It is in some bucket, and was not asked within again_ms; a symmetric
 * one's puncture, which tells where it is, has a second to come.  A trusted
 * one that does not answer is asked after 5 s, 5, 10, 20, then every 27.5 s (as again_ms scales).
 */
bool hsay_candidate_is_eligible(const struct hsay_candidates *table, const struct hsay_candidate *c,
                                hsay_time now);

/* Events.  Each returns the entry, or NULL if the table is full of better ones (or the peer may not
 * be moved: an address change needs `validated`).  Where proof comes from a worse address than the
 * entry's, which works, the entry returned stands at its own: only that it was seen there is kept.
 */

/* It answered a request of ours from the address that was asked.  `token` may be NULL: then it
 * has none any more. */
struct hsay_candidate *hsay_candidate_on_answer(struct hsay_candidates *table, hsay_time now,
                                                const struct hsay_peer *peer,
                                                const struct hsay_token *token);

/* It asked us; validated: and showed a token for this address and key.  Without one it may be
 * anybody who writes a source address: it gets a free place or that of another such, no more. */
struct hsay_candidate *hsay_candidate_on_request(struct hsay_candidates *table, hsay_time now,
                                                 const struct hsay_peer *peer, bool validated);

/* A better address of a peer that we know is kept as a way to it, and NULL returned.
 * `introducer`: its observed address; kind NONE if that was our user. */
struct hsay_candidate *hsay_candidate_on_introduced(struct hsay_candidates *table, hsay_time now,
                                                    const struct hsay_introduced *peer,
                                                    const struct hsay_addr *introducer);

/* A puncture that names a request of ours, from a candidate we know: its mapping is open now.  Of
 * one that never answered us it may correct the port, which a symmetric NAT chose anew for us. */
struct hsay_candidate *hsay_candidate_on_puncture(struct hsay_candidates *table, hsay_time now,
                                                  const struct hsay_peer *from);

/* Named by the operator (TRUSTED), by the address book (BOOK), or by our user (INTRODUCED). */
struct hsay_candidate *hsay_candidate_on_named(struct hsay_candidates *table, hsay_time now,
                                               const struct hsay_peer *peer,
                                               enum hsay_bucket bucket);

/* A token that came in its request or its puncture; a zero one says that there is none. */
void hsay_candidate_on_token(struct hsay_candidate *c, const struct hsay_token *token);

/* Others know it now instead of us: all marks go but those of trusted and book. */
void hsay_candidate_on_handed_on(struct hsay_candidate *c);

/* What it says of its NAT, each time anew: enum hsay_nat_flag. */
void hsay_candidate_on_nat(struct hsay_candidate *c, uint8_t nat);

/* It is said to be at this address, too.  Kept if that would be better, and no other such waits to
 * be tried; not of a trusted one, which stays where the operator said. */
void hsay_candidate_on_way(struct hsay_candidates *table, hsay_time now,
                           const struct hsay_candidate *c, const struct hsay_addr *addr);

/* Another address of it, to be asked now besides its own: a better one; or any, if its own has just
 * failed.  One that is silent is asked again after 27.5 s, 110 s, 440 s, and every 29 minutes (as
 * again_ms scales), and no more often than the ledger allows.  NULL if there is none. */
const struct hsay_candidate_way *hsay_candidate_way_to_try(const struct hsay_candidates *table,
                                                           const struct hsay_candidate *c,
                                                           hsay_time now);

/* It was asked there. */
void hsay_candidate_on_way_asked(struct hsay_candidates *table, const struct hsay_candidate *c,
                                 hsay_time now);

/* Where, besides its own address, it has shown itself as lately as a contacted one has to; NONE. */
struct hsay_addr hsay_candidate_seen_at(const struct hsay_candidates *table,
                                        const struct hsay_candidate *c, hsay_time now);

/* Its address inside its own network, if it has shown itself there; else NONE. */
struct hsay_addr hsay_candidate_lan(const struct hsay_candidates *table,
                                    const struct hsay_candidate *c);

void hsay_candidate_on_asked(struct hsay_candidates *table, struct hsay_candidate *c,
                             hsay_time now);

/* No answer came from its address.  After four in a row it is no contacted candidate any more,
 * after two an introduction of it is worth nothing; that it asked us stays. A loss that a later
 * answer has overtaken changes nothing.  Of a trusted or book entry that stays silent the key is
 * forgotten, unless the operator named it: the peer may have started anew under another.  After
 * three the book's mark goes. */
void hsay_candidate_on_timeout(struct hsay_candidate *c);

/* Policy `paper`, after the answer of a trusted one: all marks but those of trusted and book go.
 * What trusted ones gave us stays good. */
void hsay_candidates_reset(struct hsay_candidates *table);

/* Is its token young enough to be shown?  (The answerer keeps an epoch and the one before.) */
bool hsay_candidate_has_token(const struct hsay_candidates *table, const struct hsay_candidate *c,
                              hsay_time now);

/* Entries per bucket; a trusted one that is contacted counts as both.  NONE: the free places. */
void hsay_candidates_count(const struct hsay_candidates *table, hsay_time now,
                           uint16_t count[HSAY_BUCKET_COUNT]);

#endif
