/*
 * The send ledger: every datagram that a node sends passes hsay_ledger_pass, and nothing else may
 * put one into an outbox.
 *
 * Three rules.
 *  1. 1.0x: what a *stranger's* packet makes us send (to it, or make others send to it) is never
 *     more bytes than that packet had, and never more than two datagrams.  The account of a packet
 *     in hand holds that credit; it needs no memory beyond the call, because a replayed packet
 *     brings its own bytes.
 *  2. Silence: to an address that was named to us but never sent us a packet go at most
 *     HSAY_SILENT_PACKETS_MAX datagrams in HSAY_SILENT_PERIOD_MS, however many peers name it.
 *     Addresses that the operator named are not bound by it.
 *  3. No datagram is larger than the node's datagram size.
 *
 * An address is *validated* for a call when the packet in hand showed our token, or when it answers
 * a request of ours; it is *heard* once it has ever sent us an authentic packet in answer to one.
 */
#ifndef HEARSAY_WIRE_LEDGER_H
#define HEARSAY_WIRE_LEDGER_H

#include "hearsay/types.h"

/* What one received packet may cause.  On the stack of the call. */
struct hsay_ledger_account {
    bool validated;
    uint32_t credit_bytes;
    uint8_t credit_packets;
};

enum hsay_send_class {
    HSAY_SEND_ANSWER,  /* to the source of the packet in hand, paid from its account */
    HSAY_SEND_KNOWN,   /* to an address that we have heard: a candidate that answered us */
    HSAY_SEND_REQUEST, /* to an address that we have not heard: rule 2 */
    HSAY_SEND_NAMED,   /* to an address that the operator named */
    HSAY_SEND_PUNCTURE,/* to the address an introducer saw: rule 2 */
};

struct hsay_ledger_entry {
    struct hsay_addr addr;
    uint32_t since_s; /* monotonic seconds of the first of these packets */
    uint16_t packets;
    uint16_t bytes;
};

struct hsay_ledger {
    struct hsay_ledger_entry *entry;
    uint32_t entry_count; /* power of two */
    uint32_t datagram_bytes;
    uint64_t salt;
    uint64_t sent_packets;
    uint64_t sent_bytes;
    uint64_t refused;
};

void hsay_ledger_init(struct hsay_ledger *ledger, struct hsay_ledger_entry *entry,
                      uint32_t entry_count, uint32_t datagram_bytes, uint64_t salt);

/* The account of a packet of `bytes` from a source that is validated or not. */
struct hsay_ledger_account hsay_ledger_account(size_t bytes, bool validated);

/* May `bytes` go to `to`?  Counts them if so.  `account` is NULL unless class is ANSWER. */
bool hsay_ledger_pass(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                      const struct hsay_addr *to, struct hsay_ledger_account *account,
                      size_t bytes);

/* Bytes that may still be sent in answer (already bounded by the datagram size). */
size_t hsay_ledger_room(const struct hsay_ledger *ledger, const struct hsay_ledger_account *account);

/* Take credit for a datagram that somebody else will send to the source because we ask for it (the
 * puncture of an introduced peer).  False, and nothing taken, when the credit does not suffice. */
bool hsay_ledger_charge(struct hsay_ledger_account *account, size_t bytes);

/* An authentic answer came from here: rule 2 no longer binds. */
void hsay_ledger_heard(struct hsay_ledger *ledger, const struct hsay_addr *from);

#endif
