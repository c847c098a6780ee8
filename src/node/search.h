/*
 * Searching for ports (nat/search.h): whom to search with, when, and what is kept of it.
 *
 * Nobody is searched with on one peer's word, or an introducer could aim some hundred packets at a
 * host of its choice.  Both sides must have agreed, each to whoever introduced them (its `nat` said
 * so, with a token); that the other is where it is said to be, three network groups must say that
 * we contacted ourselves, as they must of our own address (nat/vote.h), or one peer that the
 * operator trusts; there is one search at a time, and both sides choose in the same
 * way whom to search with of those that they hear of; and the ledger has its own limits (rule 4).
 *
 * It begins two seconds after the introduction, unless the other was reached by then: to who probes
 * its puncture has come, or to who opens a packet that only somebody could send who hears us.
 * Whoever opened keeps the socket that the other reached: all that goes there leaves from it (a
 * *door*).
 *
 * A search costs some 50 kB, so it is for who needs it: a node whose NAT gives each destination a
 * port reaches one in four all the same (who is open, or filters by address), and offers to search
 * only while it has hardly anybody; the others help.
 *
 * There is no such state, and no search, where the caller cannot open sockets.
 */
#ifndef HEARSAY_NODE_SEARCH_H
#define HEARSAY_NODE_SEARCH_H

#include "nat/search.h"
#include "src/node/call.h"
#include "src/node/state.h"

enum { HSAY_SEARCH_VOUCHERS = 12, HSAY_SEARCH_DOORS = 4 };

/* A network group said that this peer is at this host. */
struct hsay_voucher {
    uint64_t peer;  /* its name (peer.h); 0: unused */
    uint64_t group; /* whose word it is */
    hsay_time at;
    struct hsay_addr
        host; /* no hash: who may choose among many hosts would find one like another's */
};

/* A peer that is reached through a socket of its own. */
struct hsay_door {
    struct hsay_addr to;
    uint16_t socket; /* 0: unused */
    hsay_time used;  /* last packet that came through it */
};

struct hsay_search {
    struct hsay_search_way way; /* of role NONE: there is none in hand */
    struct hsay_peer peer;      /* where the introducer saw it; once met, where it is */
    struct hsay_addr introducer;
    uint64_t id;   /* of the request that brought us together */
    hsay_time due; /* next packet */
    uint16_t sent;
    uint16_t overlay;
    uint8_t nat; /* the peer's */
    bool met;    /* a packet of it came: what goes out now only tells it so */
    struct hsay_ledger_search account;
    struct hsay_voucher voucher[HSAY_SEARCH_VOUCHERS];
    struct hsay_door door[HSAY_SEARCH_DOORS];
};

/* Do we agree to a search, now?  symmetric: so is the NAT in front of us. */
bool hsay_search_offers(const struct hsay_call *call, bool symmetric);

/* The peer in hand has brought this one and us together by the request `id`.  Counts it as a word
 * for where the peer is, and plans a search if one is needed and may be.  mine: our own nat as the
 * other was told of it. */
void hsay_search_consider(struct hsay_call *call, const struct hsay_introduced *peer, uint64_t id,
                          uint8_t mine);

/* An authentic packet is in hand, before its handler.  answers: somebody there was asked, and this
 * is a response. */
void hsay_search_on_packet(struct hsay_call *call, bool answers);

/* The overlay is left: another may get its number. */
void hsay_search_leave(struct hsay_node *node, uint16_t overlay);

/* The machine slept, or is in another network: what was said of others is of before.
 */
void hsay_search_wake(struct hsay_node *node);

/* Sends what is due. */
void hsay_search_run(struct hsay_node *node, struct hsay_now now, struct hsay_outbox *out);
hsay_time hsay_search_deadline(const struct hsay_node *node);

/* The socket that a datagram to there has to leave from; 0: the ordinary one. */
uint16_t hsay_search_door(const struct hsay_node *node, hsay_time now, const struct hsay_addr *to);

bool hsay_search_uses(const struct hsay_node *node, hsay_time now, uint16_t socket);

#endif
