/*
 * The memory of a node: one block of the caller's, cut up into tables whose sizes the configuration
 * says.
 */
#ifndef HEARSAY_NODE_MEMORY_H
#define HEARSAY_NODE_MEMORY_H

#include "src/node/search.h"
#include "src/node/state.h"

/* Where each table of a node lies. */
struct hsay_memory {
    struct hsay_node *node;
    struct hsay_overlay *overlay;
    struct hsay_node_stats *stats; /* may lie outside */
    struct hsay_seal_keys *keys;   /* NULL: they do */
    struct hsay_keyring_entry *keyring;
    struct hsay_ledger_entry *ledger;
    struct hsay_gate_bucket *gate;
    struct hsay_vote_entry *vote;
    struct hsay_extras *extras; /* NULL: there are none */
    struct hsay_puncture_entry *puncture;
    uint64_t *replay;
    struct hsay_candidate *candidate;
    struct hsay_candidate_way *way;
    struct hsay_pending *pending;
    uint64_t *newest;
    struct hsay_book_entry *book;
    struct hsay_rumor *rumor;
    struct hsay_want *want;
    struct hsay_window_voice *voice;
    struct hsay_extras part; /* of the extras */
};

/* False: a limit of hsay_node_config. */
bool hsay_memory_config_is_good(const struct hsay_node_config *config);

/* How many rumors a request has room to name: no more than there are. */
uint8_t hsay_memory_newest_max(const struct hsay_node_config *config);

/* Cuts up `memory`, or only measures if that is NULL.  Returns the bytes that it takes.  The
 * configuration is complete, as by hsay_node_config_default. */
size_t hsay_memory_carve(struct hsay_memory *m, const struct hsay_node_config *config,
                         void *memory);

#endif
