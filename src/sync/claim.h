/*
 * What to ask for: the range of the next claim and its filter.
 *
 * `hearsay` policy: if all we hold fits one filter, claim everything.  Else every second claim is
 * of the newest (one capacity by rank), and the others sweep the digest space slice by slice, each
 * slice as large as one filter takes; the sweep's place is a point of the digest space and not a
 * number of slices, so that it survives a changing modulo.  Far behind (a peer holds many more than
 * we), only the sweep. `paper` policy: modulo = ceil(held / capacity) with a random offset when far
 * behind, over time values (Dispersy's rule); pivot drawn from an exponential distribution biased
 * to the newest when nearly in sync, one capacity to the left or to the right, the side that spans
 * more of global time. `code2019`: the "largest" strategy of the released code.  All chosen by rank
 * where the paper leaves it open, and more bundles at one global time than a filter holds are still
 * covered (by slicing that time by digest).
 *
 * A filter is never reused and never added to; each has a fresh salt.
 */
#ifndef HEARSAY_SYNC_CLAIM_H
#define HEARSAY_SYNC_CLAIM_H

#include "hearsay/node.h"
#include "src/wire/message.h"
#include "src/wire/rng.h"

struct hsay_claims {
    uint64_t sweep_point; /* first 8 digest bytes where the next slice begins */
    uint32_t turn;        /* counts filters made; parity chooses newest or sweep */
    uint8_t policy;       /* enum hsay_policy */
    uint8_t ranges;       /* enum hsay_ranges; 0 after init */
};

void hsay_claims_init(struct hsay_claims *claims, uint8_t policy);

/* What the caller knows when it wants a claim. */
struct hsay_claim_want {
    uint8_t kind;      /* HSAY_CLAIM_SUM of everything or of `again`, or HSAY_CLAIM_BLOOM, which may
                        * become EMPTY where we hold nothing, SUM where a filter has no room.
                        * NONE when there is not even room for that */
    size_t room_bytes; /* for the claim as encoded, its filter included */
    uint64_t behind;   /* how many more bundles the peer is known to hold; 0: not known */
    bool newest_same;  /* the newest need no claim: they were found the same just now */
    const struct hsay_range *again; /* this range once more, or NULL: its answer was cut, or it or
                                     * a part of it was lost (a sweep comes back only after a whole
                                     * turn: with 30 % loss that takes twice as long in all).  If it
                                     * no longer fits, a half of it that begins at the same place */
};

/* Make a claim; the filter's bits go to `bits` (HSAY_FILTER_MAX_BYTES), claim->bits points there.
 * 0, or what the store returns. */
int hsay_claim_make(struct hsay_claims *claims, const struct hsay_store *store,
                    struct hsay_rng *rng, const struct hsay_crypto *crypto,
                    const struct hsay_claim_want *want, uint8_t *bits, struct hsay_claim *claim);

/* First 8 bytes, big-endian, of BLAKE2b-128 over count, high, low (8 bytes each, big-endian). */
uint64_t hsay_claim_fingerprint(const struct hsay_crypto *crypto, const struct hsay_sum *sum);

#endif
