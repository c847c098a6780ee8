/*
 * A small world in virtual time for tests of whole nodes: real core, real crypto, stores in memory,
 * links that delay, lose, duplicate and reorder.  Everything follows from one seed.
 */
#ifndef HEARSAY_TESTS_WORLD_H
#define HEARSAY_TESTS_WORLD_H

#include "hearsay/node.h"
#include "src/port/store_mem.h"

struct world_link {
    uint32_t delay_ms;
    uint32_t jitter_ms; /* added, uniform: reorders */
    uint32_t loss_permille;
    uint32_t duplicate_permille;
};

struct world_node {
    struct hsay_node *node;
    void *memory;
    struct hsay_store_mem store;
    struct hsay_addr addr;
    uint8_t author_secret[HSAY_SECRET_BYTES];
    bool online;
    uint64_t delivered; /* EVENT_BUNDLE seen */
    uint64_t repeated;  /* of these, for a digest that was delivered before */
    struct hsay_digest *seen;
    size_t seen_count, seen_max;
    uint64_t direct; /* EVENT_DIRECT seen */
    uint64_t steps;
    bool commit_fails; /* packets of a turn whose commit failed are thrown away */
};

struct world_flight {
    uint64_t at_ns;
    uint64_t number; /* ties */
    struct hsay_addr from, to;
    uint16_t size;
    uint16_t socket; /* that it left from; all have one address here */
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
};

struct world {
    struct world_node *node;
    unsigned node_count;
    struct world_link link;
    struct hsay_node_config node_config;
    struct hsay_overlay_config overlay_config;
    struct hsay_key overlay;
    uint8_t secret[32];
    size_t secret_size;
    struct hsay_crypto crypto;
    uint64_t now_ns;
    uint64_t wall_s;
    uint64_t chance;
    struct world_flight **heap;
    size_t heap_count, heap_max;
    uint64_t numbers;
    struct hsay_outbox out;
    uint64_t datagrams, bytes;
    /* Called for every datagram sent, before the link; false: it is lost.  May be NULL. */
    bool (*watch)(struct world *, const struct world_flight *, void *user);
    void *watch_user;
    /* Called at the end of a call of node `i`, before the outbox is emptied: for EVENT_VERIFY. */
    void (*verdict)(struct world *, unsigned i, void *user);
    void *verdict_user;
    bool second_family;              /* node 0 is also at world_addr6(0) */
    const struct world_node *traced; /* print its steps and answers, for people; or NULL */
};

/* Nodes of one overlay, all online, none knowing any other.  Configurations may be changed by the
 * caller between world_init and world_start. */
void world_init(struct world *w, unsigned nodes, uint64_t seed);
void world_set_secret(struct world *w, const char *text); /* "": an open overlay, the default */
void world_start(struct world *w);
void world_free(struct world *w);

/* Node `i` is told of node `j`'s address, not its key. */
void world_name(struct world *w, unsigned i, unsigned j, enum hsay_bucket bucket);

/* Crash and come back: the store keeps what was committed, or nothing if `wiped`. */
void world_restart(struct world *w, unsigned i, bool wiped);

struct hsay_id world_publish(struct world *w, unsigned i, const char *payload);

/* A datagram from anywhere reaches node `to` now; what it answers goes out as usual. */
void world_inject(struct world *w, const struct hsay_addr *from, unsigned to, const void *bytes,
                  size_t size);

/* The same at another of its sockets. */
void world_inject_at(struct world *w, const struct hsay_addr *from, unsigned to, uint16_t socket,
                     const void *bytes, size_t size);

/* Commit, send and deliver what a call made by hand left in the outbox of node `i`. */
void world_drain(struct world *w, unsigned i);

/* Let `ms` pass. */
void world_run(struct world *w, uint64_t ms);

/* Until all online nodes hold the same (and at least `bundles`), or `ms` passed.  Milliseconds that
 * it took, UINT64_MAX if it did not happen. */
uint64_t world_run_until_same(struct world *w, uint64_t bundles, uint64_t ms);

bool world_same(struct world *w, uint64_t bundles);
struct hsay_now world_now(const struct world *w);
struct hsay_addr world_addr(unsigned i);
struct hsay_addr world_addr6(unsigned i);
uint64_t world_chance(struct world *w);

/* For people: all counters of a node that are not 0. */
void world_print(struct world *w, unsigned i);

#endif
