/*
 * Sending introduction-requests and fetches, and remembering what their answers will mean.
 */
#ifndef HEARSAY_NODE_REQUEST_H
#define HEARSAY_NODE_REQUEST_H

#include "src/node/send.h"
#include "src/node/state.h"

struct hsay_request_plan {
    struct hsay_candidate *to;
    enum hsay_bucket bucket;        /* where it was drawn from, for the trace */
    uint8_t claim_kind;             /* what we would like: HSAY_CLAIM_SUM or HSAY_CLAIM_BLOOM */
    const struct hsay_range *again; /* this range, or NULL: as the policy chooses */
    bool introduce;                 /* ask to be introduced */
};

/* True if a request went out; *id is its id then. */
bool hsay_request_send(struct hsay_call *call, const struct hsay_request_plan *plan, uint64_t *id);

/* Ask whether this peer is at this address: no claim, no introduction.  False: not now. */
bool hsay_request_way(struct hsay_call *call, const struct hsay_send_to *to);

/* Ask `c` for bundles by digest. */
bool hsay_request_fetch(struct hsay_call *call, struct hsay_candidate *c,
                        const struct hsay_digest *digest, size_t count);

/* Tell the trace how a request ended. */
void hsay_request_report(struct hsay_call *call, const struct hsay_pending *p, bool timed_out);

#endif
