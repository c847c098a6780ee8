/*
 * A node that may search for ports, peers of several network groups that tell it where it is and
 * where another is, and that other.
 */
#ifndef HEARSAY_TESTS_SEARCH_FIXTURE_H
#define HEARSAY_TESTS_SEARCH_FIXTURE_H

#include "src/node/search.h"
#include "tests/world/stranger.h"

enum {
    SCENE_PEERS = 6,
    SCENE_LOG_MAX = 8192,
    SCENE_SOCKET_FIRST = HSAY_SOCKETS_LIFETIME + 1,
    SCENE_CONE = HSAY_NAT_SEARCHES,
    SCENE_SYMMETRIC = HSAY_NAT_SEARCHES | HSAY_NAT_IS_SYMMETRIC,
};

/* What the peers see in front of node 0. */
enum scene_nat { SCENE_NAT_CONE, SCENE_NAT_RANDOM, SCENE_NAT_RISING };

/* A datagram to the other's host, at whatever port. */
struct scene_sent {
    uint64_t at_ns;
    uint16_t port, socket;
};

struct scene {
    struct world w;
    enum scene_nat nat;
    struct stranger peer[SCENE_PEERS];
    bool answers[SCENE_PEERS];
    uint64_t seen[SCENE_PEERS]; /* packets of its that were looked at */
    struct hsay_token token[SCENE_PEERS];
    uint8_t said_nat;                  /* what node 0 said of itself, last */
    struct hsay_introduced introduces; /* with every answer; kind NONE: nobody */
    struct stranger other;
    struct hsay_token other_token;
    uint16_t other_port; /* of the last datagram to it */
    bool other_answers;
    struct hsay_message other_request; /* not answered yet */
    unsigned other_asked;
    struct scene_sent sent[SCENE_LOG_MAX];
    unsigned sent_count;
};

/* All but the start, for who wants to change the configuration. */
void scene_init(struct scene *scene, enum scene_nat nat, uint64_t seed);
/* Node 0 is told of the first `asked` peers, in that bucket, and they answer it. */
void scene_start(struct scene *scene, unsigned asked, enum hsay_bucket bucket);
/* Both, with three peers, and time until they answered.  They are trusted where the NAT has a port
 * for each destination: whom it has as contacts besides these makes a search needless (search.h).
 */
void scene_begin(struct scene *scene, enum scene_nat nat, uint64_t seed);
void scene_end(struct scene *scene);

/* Let time pass; whoever answers does so within ten milliseconds. */
void scene_run(struct scene *scene, uint64_t ms);

/* Peer `i` asks node 0, and so gets a token.  It does not become one that was asked by that. */
void scene_ask(struct scene *scene, unsigned i);
/* Peer `i` asks node 0 for a puncture towards the other, of which it says this. */
void scene_name(struct scene *scene, unsigned i, uint8_t nat);
/* The first three do. */
void scene_name_by_three(struct scene *scene, uint8_t nat);

/* Something of the other's comes to this socket; hears: with the token that it got. */
void scene_other_sends(struct scene *scene, uint16_t socket, uint8_t type, bool hears);

/* Datagrams to the other's host from here on. */
unsigned scene_sent_since(const struct scene *scene, uint64_t since_ns);

#endif
