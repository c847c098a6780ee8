/*
 * What a node may send, judged from outside: from the packets that went in and the letters that
 * came out, without a look at the node's own tables.  Everything that is wrong fails an assertion.
 *
 * Where the model can not know what the node knows (is a request still pending, is a token still in
 * its epoch) it errs towards the node: what it asserts holds for every node that keeps the rules.
 */
#ifndef HEARSAY_TESTS_NODE_TRAFFIC_H
#define HEARSAY_TESTS_NODE_TRAFFIC_H

#include "hearsay/node.h"
#include "src/wire/message.h"
#include "src/wire/seal.h"

enum {
    NODE_TRAFFIC_OVERLAYS = 2,
    NODE_TRAFFIC_PLACES_MAX = 4096,
    NODE_TRAFFIC_TOKENS_MAX = 1024,
    NODE_TRAFFIC_REQUESTS_MAX = 64,
    NODE_TRAFFIC_PUNCTURES_MAX = 32,
};

/* What is known of one address. */
struct node_traffic_place {
    struct hsay_addr addr;
    bool heard;   /* it answered a request, or showed a token */
    bool trusted; /* the operator or the address book named it: any number of packets */
    bool named;   /* one of them, or a user, did: any port and class */
    bool punctured;
    uint64_t punctured_ns;
    unsigned sent; /* unpaid packets, of which the last three are kept */
    uint64_t sent_ns[HSAY_SILENT_PACKETS_MAX];
};

struct node_traffic_token {
    struct hsay_addr addr;
    struct hsay_key key;
    uint8_t overlay;
    struct hsay_token token;
    uint64_t made_ns;
};

/* A request that the node sent. */
struct node_traffic_request {
    struct hsay_peer to; /* key zero: sealed to the overlay, or the model does not know it */
    uint64_t id;
    uint8_t type; /* HSAY_MSG_INTRO_REQUEST or HSAY_MSG_FETCH */
    uint8_t overlay;
    uint8_t newest_count;
    struct hsay_claim claim; /* without its bits */
};

/* A packet in hand. */
struct node_traffic_packet {
    struct hsay_addr from; /* normalised */
    struct hsay_key key;
    size_t size;
    int overlay;      /* -1: none that the node has joined */
    bool well_formed; /* it opens and decodes: a handler will see it */
    bool token_good;
    bool answers; /* it carries the id of a request that went to where it comes from */
    bool stranger;
    struct hsay_message message;
    uint8_t plain[HSAY_DATAGRAM_MAX_BYTES];
};

struct node_traffic {
    const struct hsay_crypto *crypto;
    struct hsay_key own;
    struct hsay_addr bound;
    size_t datagram_bytes;
    struct hsay_seal_keys keys[NODE_TRAFFIC_OVERLAYS];
    bool joined[NODE_TRAFFIC_OVERLAYS];
    bool full; /* a table of the model is: the run must end */
    struct node_traffic_place place[NODE_TRAFFIC_PLACES_MAX];
    unsigned place_count;
    struct hsay_addr
        inner[NODE_TRAFFIC_PLACES_MAX]; /* hosts of inner classes that may be sent to */
    unsigned inner_count;
    struct node_traffic_token token[NODE_TRAFFIC_TOKENS_MAX];
    unsigned token_count;
    struct node_traffic_request request[NODE_TRAFFIC_REQUESTS_MAX]; /* a ring */
    unsigned request_count;
    uint64_t puncture_ns[NODE_TRAFFIC_PUNCTURES_MAX]; /* a ring */
    unsigned puncture_count;
};

/* All that a node forgets when it starts anew is forgotten here, too. */
void node_traffic_forget(struct node_traffic *t);

void node_traffic_named(struct node_traffic *t, const struct hsay_addr *addr, bool trusted);

/* What is this packet?  To be asked before the node gets it. */
void node_traffic_parse(struct node_traffic *t, hsay_time now, const struct hsay_packet *packet,
                        struct node_traffic_packet *out);

/* The node got it (NULL: the call was for something else) and the outbox holds what it wants to
 * send.  `answered`: it took the packet for the answer to an introduction-request. */
void node_traffic_check(struct node_traffic *t, hsay_time now, const struct node_traffic_packet *in,
                        bool answered, const struct hsay_outbox *out);

/* It left: others may have it from now on. */
void node_traffic_left(struct node_traffic *t, hsay_time now, const struct node_traffic_packet *in,
                       const struct hsay_outbox *out);

/* The newest token handed out to this address, key and overlay; or the oldest; NULL. */
const struct hsay_token *node_traffic_token_of(const struct node_traffic *t,
                                               const struct hsay_peer *peer, unsigned overlay,
                                               bool oldest);

/* Its text lies in the clear: -1 if this is no datagram of an overlay that we know. */
int node_traffic_read(const struct node_traffic *t, struct hsay_span datagram,
                      struct hsay_envelope *e, struct hsay_message *m);

#endif
