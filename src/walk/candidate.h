/*
 * The candidate table of one overlay: who we may walk to, and in which bucket each stands.
 *
 * One entry per node key where it is known, else per address.  A peer that shows up at a new address
 * under its key keeps its place.  An entry may have several marks at once (it answered us, and it
 * asked us); the bucket is the best live mark: trusted, contacted, requested, introduced, book.
 *
 * A full table gives up an entry of the largest network group of the worst bucket, and never a
 * contacted one for an incoming one.
 */
#ifndef HEARSAY_WALK_CANDIDATE_H
#define HEARSAY_WALK_CANDIDATE_H

#include "hearsay/node.h"
#include "src/wire/message.h"
#include "src/wire/rng.h"

struct hsay_candidate {
    struct hsay_addr addr;
    struct hsay_addr lan;     /* NONE, or a way inside one public address */
    struct hsay_key key;      /* zero: not known, seal to the overlay */
    struct hsay_token token;  /* to show when we ask it */
    hsay_time token_at;       /* 0: no token.  All times: 0 = never */
    hsay_time contacted_at;   /* last answer to us */
    hsay_time requested_at;   /* last request to us */
    hsay_time introduced_at;  /* last told of, or its puncture */
    hsay_time asked_at;       /* our last request */
    uint32_t rtt_us;
    uint8_t marks;            /* TRUSTED, BOOK, SYMMETRIC, PUBLIC */
    uint8_t timeouts;         /* in a row */
    uint16_t introducer;      /* hash of the introducer's network group */
};

enum hsay_candidate_mark {
    HSAY_MARK_USED = 1 << 0,
    HSAY_MARK_TRUSTED = 1 << 1,
    HSAY_MARK_BOOK = 1 << 2,
    HSAY_MARK_SYMMETRIC = 1 << 3,
    HSAY_MARK_PUBLIC = 1 << 4,
};

/* Lifetimes in milliseconds; scaled with the step when that is below HSAY_STEP_MS. */
struct hsay_walk_times {
    uint32_t contacted_ms;
    uint32_t requested_ms;
    uint32_t introduced_ms;
    uint32_t again_ms; /* before the same peer is walked to again */
};

struct hsay_candidates {
    struct hsay_candidate *entry;
    uint16_t entry_max;
    struct hsay_walk_times times;
};

void hsay_candidates_init(struct hsay_candidates *table, struct hsay_candidate *entry,
                          uint16_t entry_max, const struct hsay_walk_times *times);

/* By key if it is not zero, else by address; NULL.  Pointers into the table are valid until the next
 * call that adds. */
struct hsay_candidate *hsay_candidate_find(struct hsay_candidates *table,
                                           const struct hsay_peer *peer);

/* Best live mark at `now`; HSAY_BUCKET_NONE when all have run out (the place is free then). */
enum hsay_bucket hsay_candidate_bucket(const struct hsay_candidates *table,
                                       const struct hsay_candidate *c, hsay_time now);

/* Events.  Each returns the entry, or NULL if the table is full of better ones (or the peer may not
 * be moved: an address change needs `validated`). */
struct hsay_candidate *hsay_candidate_on_answer(struct hsay_candidates *table, hsay_time now,
                                                const struct hsay_peer *peer,
                                                const struct hsay_token *token);
struct hsay_candidate *hsay_candidate_on_request(struct hsay_candidates *table, hsay_time now,
                                                 const struct hsay_peer *peer, bool validated);
struct hsay_candidate *hsay_candidate_on_introduced(struct hsay_candidates *table, hsay_time now,
                                                    const struct hsay_introduced *peer,
                                                    const struct hsay_addr *introducer);
/* A puncture from a candidate we know: its mapping is open now, and `from` is its address. */
struct hsay_candidate *hsay_candidate_on_puncture(struct hsay_candidates *table, hsay_time now,
                                                  const struct hsay_peer *from);
/* Named by the operator (trusted) or the address book. */
struct hsay_candidate *hsay_candidate_on_named(struct hsay_candidates *table, hsay_time now,
                                               const struct hsay_peer *peer,
                                               enum hsay_bucket bucket);
void hsay_candidate_on_asked(struct hsay_candidate *c, hsay_time now);
/* No answer came.  After that it is no contacted candidate any more; incoming marks stay. */
void hsay_candidate_on_timeout(struct hsay_candidate *c);

/* Is its token young enough to be shown?  (The answerer keeps an epoch and the one before.) */
bool hsay_candidate_has_token(const struct hsay_candidate *c, hsay_time now);

void hsay_candidates_count(const struct hsay_candidates *table, hsay_time now,
                           uint16_t count[HSAY_BUCKET_COUNT]);

#endif
