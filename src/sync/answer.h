/*
 * What to give: the bundles of a claim's range that its filter lacks, from a random start, with a
 * share for the newest, as many as the caller has room for.
 *
 * A fixed order would give all neighbours the same prefix, so that they have nothing for each other
 * (measured on Dispersy: 3.3 to 10 times slower).  Work is bounded: HSAY_ANSWER_WORK_MAX digests
 * are looked at, then the answer ends with "more"; the next one starts elsewhere.
 */
#ifndef HEARSAY_SYNC_ANSWER_H
#define HEARSAY_SYNC_ANSWER_H

#include "bloom/bloom.h"
#include "hearsay/node.h"
#include "src/wire/message.h"
#include "src/wire/rng.h"

struct hsay_answer {
    const struct hsay_store *store;
    struct hsay_bloom filter;
    struct hsay_cursor cursor;
    struct hsay_sum sum; /* what we hold of the range */
    uint64_t fingerprint;
    uint64_t time_max; /* do not give bundles that the asker would refuse as too new */
    uint64_t wall_s;   /* nor expired ones */
    uint32_t work;     /* digests that may still be looked at */
    uint64_t claimed;  /* what the claim says the asker holds of the range */
    uint32_t looked;   /* of ours in the range, tested against the filter so far */
    uint32_t matched;  /* of these, said to be in it */
    bool summed;       /* `sum` is known: the range was not too costly to add up */
    bool filtered;     /* claim kind BLOOM: ask the filter */
    bool same;         /* count and fingerprint equal the claim's */
    bool draws;        /* the claim asks for bundles at all and is not `same` */
    bool more;         /* work or room ended before the range did */
    bool have_next;    /* `next` holds one that did not fit the datagram before */
    struct hsay_record next;
};

/* Look at the claim.  0; HSAY_EBAD: a filter over the bounds; else what the store returns.  The
 * claim's bits must live as long as the answer is drawn from. */
int hsay_answer_begin(struct hsay_answer *answer, const struct hsay_store *store,
                      struct hsay_rng *rng, const struct hsay_crypto *crypto,
                      const struct hsay_claim *claim, uint64_t time_max, uint64_t wall_s);

/* The next bundle that the claim lacks; HSAY_ENOENT when there is no further.  A damaged body is
 * passed over.  The record's bytes are valid until the next store call that the header of store.h
 * names. */
int hsay_answer_next(struct hsay_answer *answer, struct hsay_record *out);

/* About how many bundles of the range the asker holds and we do not, after drawing: what it claims
 * less what of ours its filter knows, in proportion where not all was looked at.  The filter's
 * false positives make it err downwards, and where `sum` is not known it is 0: no promise. */
uint64_t hsay_answer_lacking(const struct hsay_answer *answer);

/* Put back what answer_next gave last: the caller had no room for it. */
void hsay_answer_back(struct hsay_answer *answer, const struct hsay_record *record);

#endif
