/*
 * A node under test: the real core over stores in memory and a crypto port without secrets, in
 * memory that is as large as it says it needs and not a byte larger.  Every call of the node goes
 * through here and is judged afterwards (node_traffic.h, node_held.h).
 */
#ifndef HEARSAY_TESTS_NODE_RIG_H
#define HEARSAY_TESTS_NODE_RIG_H

#include "hearsay/node.h"
#include "src/port/store_mem.h"
#include "tests/fuzz/node_held.h"
#include "tests/fuzz/node_traffic.h"

enum {
    NODE_RIG_OVERLAYS = NODE_TRAFFIC_OVERLAYS,
    NODE_RIG_LETTERS_KEPT = 8,
    NODE_RIG_VERDICTS_MAX = 32,
};

struct node_rig_overlay {
    struct hsay_overlay_config config;
    struct hsay_store_mem store;
    struct node_held held;
    uint16_t number; /* where the node has joined it */
    bool joined;
};

/* A datagram that went by, to be sent again. */
struct node_rig_datagram {
    struct hsay_addr from, to;
    size_t size;
    uint8_t bytes[2 * HSAY_DATAGRAM_MAX_BYTES];
};

/* A bundle whose signature the caller is to check. */
struct node_rig_verdict {
    struct hsay_peer from;
    uint16_t overlay;
    size_t size;
    uint8_t bytes[HSAY_BUNDLE_MAX_BYTES];
};

/* What one call may use instead of all the outbox that it needs; all 0: all. */
struct node_rig_squeeze {
    bool on;
    size_t bytes, letters, events;
};

struct node_rig {
    struct hsay_node_config config;
    struct hsay_crypto crypto;
    struct hsay_node *node;
    void *memory;
    struct hsay_now now;
    struct hsay_outbox out;
    struct node_rig_squeeze squeeze; /* for the next call */
    struct hsay_node_stats before;
    struct node_rig_overlay overlay[NODE_RIG_OVERLAYS];
    struct node_traffic traffic;
    struct node_traffic_packet in;
    struct node_rig_datagram last;                        /* that went in */
    struct node_rig_datagram sent[NODE_RIG_LETTERS_KEPT]; /* a ring */
    unsigned sent_count;
    struct node_rig_verdict verdict[NODE_RIG_VERDICTS_MAX]; /* a stack */
    unsigned verdict_count;
    uint32_t turns; /* calls of on_time so far */
    uint32_t joins;
};

/* The caller has filled in config, overlay[].config (without the store), now, and traffic.bound.
 * The stores are open and empty afterwards, and the node has joined no overlay. */
void node_rig_start(struct node_rig *rig, uint64_t quota_bytes);
void node_rig_free(struct node_rig *rig);

/* The process ends and starts anew over the stores as they were committed. */
void node_rig_restart(struct node_rig *rig);

void node_rig_join(struct node_rig *rig, unsigned overlay);
void node_rig_leave(struct node_rig *rig, unsigned overlay);

void node_rig_packet(struct node_rig *rig, const struct hsay_addr *from, struct hsay_span bytes);
void node_rig_publish(struct node_rig *rig, struct hsay_draft *draft, unsigned overlay);
void node_rig_direct(struct node_rig *rig, unsigned overlay, const struct hsay_peer *to,
                     struct hsay_span payload);
void node_rig_fetch(struct node_rig *rig, unsigned overlay, const struct hsay_digest *digest,
                    size_t count);
void node_rig_add_peer(struct node_rig *rig, unsigned overlay, const struct hsay_peer *peer,
                       enum hsay_bucket bucket);
void node_rig_wake(struct node_rig *rig);

/* Check the signature asked for last, or as far back as `back`, and tell. */
void node_rig_verdict(struct node_rig *rig, unsigned back);

/* Let time pass; asleep: without a call in between. */
void node_rig_pass(struct node_rig *rig, uint64_t ms, bool asleep);

/* Reads everything that a node can tell, which must change nothing. */
void node_rig_look(struct node_rig *rig);

/* A table of the model is full, or the run has gone on for long enough. */
bool node_rig_is_spent(const struct node_rig *rig);

#endif
