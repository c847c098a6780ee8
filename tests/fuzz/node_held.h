/*
 * What the store of one overlay may hold, judged by what the node handed to the application: each
 * bundle once, nothing that was not handed over, and nothing gone that no rule takes away.
 */
#ifndef HEARSAY_TESTS_NODE_HELD_H
#define HEARSAY_TESTS_NODE_HELD_H

#include "hearsay/node.h"

enum { NODE_HELD_MAX = 4096 };

struct node_held_bundle {
    struct hsay_digest digest;
    struct hsay_key author;
    uint64_t expiry_s;
    bool held;
    bool may_return; /* what refused it may be gone, too */
};

struct node_held {
    struct hsay_store store;
    struct node_held_bundle bundle[NODE_HELD_MAX];
    unsigned count;
    struct hsay_sum sum; /* of those held */
    bool full;           /* the run must end */
};

/* What a call did besides handing bundles over. */
struct node_held_excuse {
    bool deaf; /* the outbox was too small for all events */
    bool time; /* it was on_time: the expired go */
    uint64_t wall_s;
    const struct hsay_outbox *out; /* its forks take bundles of their author away */
    uint16_t overlay;
};

/* Take the store as it is. */
void node_held_init(struct node_held *h, const struct hsay_store *store);

void node_held_on_bundle(struct node_held *h, const struct hsay_event *e,
                         const struct hsay_crypto *crypto, const struct hsay_key *overlay);

/* The store after the call against what was handed over. */
void node_held_check(struct node_held *h, const struct node_held_excuse *excuse);

/* The store lost what was not committed, additions and removals alike. */
void node_held_on_rollback(struct node_held *h);

/* Every stored bundle: readable, canonical, signed. */
void node_held_verify(const struct node_held *h, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay);

#endif
