/*
 * A search for ports: how two peers meet when the NAT of one gives each destination a port of its
 * own, and that of the other lets in nobody but whom it has sent to.  Neither can know to which
 * port to send, so both try many:
 *
 *   who opens    sends to the other's one address from `opened` sockets, and so has as many ports
 *   who probes   sends from one socket to `probed` ports of the other's host
 *
 * and they meet once a port that is open was probed, in whatever order the two came: then both NATs
 * have seen a packet go out where one comes in.  For ports drawn by chance from the 64,512 above
 * 1,023 that is so with a probability of 1 - exp(-opened * probed / 64,512): with 256 and 2,048 it
 * is 99.97 %, with half of the probes 98 %.  (The arithmetic is that of "How NAT traversal works",
 * Tailscale 2020.)  Ports that count up need no luck: the open ones lie behind the one that was
 * seen last, and some probes are made there first.  Even two such NATs can be joined: who opens
 * does so towards the port that one of the other's first probes is going to leave from.
 *
 * Whom to search with, and how often, is decided elsewhere (src/node/search.h, src/wire/ledger.h).
 */
#ifndef HEARSAY_SEARCH_H
#define HEARSAY_SEARCH_H

#include "hearsay/types.h"

enum {
    HSAY_SEARCH_OPENED = 256,
    HSAY_SEARCH_PROBED = 2048,
    /* 100 packets per second: 20 s in all.  New home routers were seen to lose half of all packets,
     * or to crash, at thousands of new mappings per second (Halkes and Pouwelse 2011). */
    HSAY_SEARCH_GAP_MS = 10,
    /* The puncture, which is enough for all other pairs of NATs, has so long to come; and both
     * sides to hear of somebody whom both prefer (src/node/search.h). */
    HSAY_SEARCH_WAIT_MS = 2000,
};

enum hsay_search_role {
    HSAY_SEARCH_NONE = 0, /* not needed, not agreed to, or of no use */
    HSAY_SEARCH_OPENS,
    HSAY_SEARCH_PROBES,
};

/* mine, theirs: enum hsay_nat_flag.  lower: of two that could both open, we are the one who does;
 * the other side must say the opposite. */
enum hsay_search_role hsay_search_role(uint8_t mine, uint8_t theirs, bool lower);

/* How one side goes about it.  start, stride: any random numbers; they are brought into range. */
struct hsay_search_way {
    uint8_t role;     /* enum hsay_search_role; not NONE */
    bool guess;       /* the other's ports count up */
    uint16_t seen;    /* the other's port, as the introducer saw it */
    uint16_t start;   /* of the round over all ports */
    uint16_t stride;  /* and its step */
    uint16_t packets; /* in all */
    uint16_t theirs;  /* and those of the other side */
};

void hsay_search_begin(struct hsay_search_way *way, enum hsay_search_role role, uint8_t mine,
                       uint8_t theirs, uint16_t seen, uint32_t random);

/* Where the n-th packet (0 .. packets - 1) goes to, and from which socket of those that may be
 * opened (0 .. HSAY_SEARCH_OPENED - 1; of no meaning for who probes).  Packets of who probes go to
 * different ports until all ports had one, but for guesses, which are made besides. */
uint16_t hsay_search_port(const struct hsay_search_way *way, uint16_t n);
uint16_t hsay_search_socket(uint16_t n);

#endif
