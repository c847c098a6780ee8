/*
 * The one way out: every datagram of a node is written, sealed, passed by the ledger and posted
 * here.
 */
#ifndef HEARSAY_NODE_SEND_H
#define HEARSAY_NODE_SEND_H

#include "src/node/state.h"

/* A datagram being written.  On the stack; its room is in the outbox. */
struct hsay_sending {
    uint8_t *room;
    size_t size;          /* of the room: no datagram may be larger */
    struct hsay_writer w; /* the message goes here */
    struct hsay_seal_as as;
    struct hsay_token token;
    uint8_t key[32];
    struct hsay_addr to;
    enum hsay_send_class class;
    uint16_t socket;
    struct hsay_letter *held; /* its place in the outbox, if it keeps one; else NULL */
};

/* How to reach a peer. */
struct hsay_send_to {
    struct hsay_peer peer;          /* key zero: seal to the overlay (requests only) */
    const struct hsay_token *token; /* to show, or NULL */
    enum hsay_send_class class;
    size_t bytes_max; /* 0: as large as the node sends */
    uint16_t socket;  /* to leave from; 0: as the address needs */
};

/* Begin a datagram.  False, counted, when the outbox is full or no key can be made. */
bool hsay_send_begin(struct hsay_call *call, struct hsay_sending *s, const struct hsay_send_to *to);

/* Seal it, pass the ledger, post it.  False, counted, and the room given back, if the ledger
 * refuses or the message did not fit. */
bool hsay_send_end(struct hsay_call *call, struct hsay_sending *s);

/* Keep its place in the order of the outbox, though other datagrams are finished first. */
void hsay_send_hold(struct hsay_call *call, struct hsay_sending *s);

/* Never mind: the room goes back. */
void hsay_send_abandon(struct hsay_call *call, struct hsay_sending *s);

/* Begin, encode, end: for messages without a tail. */
bool hsay_send_message(struct hsay_call *call, const struct hsay_send_to *to,
                       const struct hsay_message *message);

/* A puncture of this id, with a token for who gets it. */
bool hsay_send_puncture(struct hsay_call *call, const struct hsay_send_to *to, uint64_t id);

/* How a candidate is reached: its class by what we know of it, its token if it is young enough. */
void hsay_send_to_candidate(struct hsay_call *call, struct hsay_candidate *c,
                            struct hsay_send_to *to);

/* The token that `peer` is to show to us. */
void hsay_send_make_token(const struct hsay_call *call, const struct hsay_peer *peer,
                          struct hsay_token *token);

/* Is it one that we made for `peer`, not long ago? */
bool hsay_send_made_token(const struct hsay_call *call, const struct hsay_peer *peer,
                          const struct hsay_token *token);

/* The source of the packet in hand. */
void hsay_send_to_source(struct hsay_call *call, struct hsay_send_to *to);

/* The pair key with a peer, from the keyring or made now (an X25519 of our own will: no budget). */
int hsay_send_pair_key(struct hsay_call *call, const struct hsay_key *peer, bool known,
                       uint8_t out[32]);

#endif
