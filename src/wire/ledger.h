/*
 * The send ledger: every datagram that a node sends passes hsay_ledger_pass, and nothing else may
 * put one into an outbox.
 *
 * Four rules.
 *  1. 1.0x: what a *stranger's* packet makes us send (to it, or make others send to it) is never
 *     more bytes than that packet had, and never more than two datagrams.  The account of a packet
 *     in hand holds that credit; it needs no memory beyond the call, because a replayed packet
 *     brings its own bytes.
 *  2. Silence: to an address that was named to us but never sent us a packet go at most
 *     HSAY_SILENT_PACKETS_MAX datagrams in any HSAY_SILENT_PERIOD_MS, however many peers name it,
 *     and of these the last only for a request of our own walk.  Addresses that the operator named
 *     are not bound by it.
 *  3. No datagram is larger than the node's datagram size.
 *  4. A search for ports (nat/search.h) is to one host and of so many small datagrams, and begins
 *     at most once in HSAY_SILENT_PERIOD_MS for each host, and six times in all.  With whom, the
 * node decides, which believes no single peer about it; this bounds what a mistake can cost.
 *
 * An address is *validated* for a call when the packet in hand showed our token, or when it answers
 * a request of ours; it is *heard* once it has ever sent us an authentic packet in answer to one.
 *
 * What a table of fixed size can promise.  Rule 2 holds at any size: when a set of places is full,
 * a new address takes the place with the fewest packets *and inherits its count* (Metwally's
 * space-saving counters), so that an address that was pushed out and comes back finds at least its
 * own count; cycling through many addresses gains nothing.  What gives is not the promise but our
 * reach: a new address may be refused for packets that others got.  Two things keep that from
 * becoming a denial of first contacts.  Whoever names addresses to us only makes us spend steps
 * that our own pace bounds; and punctures, which others can ask for at a higher pace, never take
 * the last packet of a place.  So a table of n places leaves room for about n first contacts an
 * hour whatever others do, and for nearly 3 n if nobody asks for punctures: n = 1024 is enough for
 * a step every 5 s (720 an hour).  Refusing at n addresses would do the same to an honest overlay
 * with churn; forgetting the oldest would let n + 1 names in turn aim us at one victim for ever.
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
    HSAY_SEND_ANSWER,   /* to the source of the packet in hand, paid from its account */
    HSAY_SEND_KNOWN,    /* to an address that we have heard: a candidate that answered us */
    HSAY_SEND_REQUEST,  /* to an address that we have not heard: rule 2 */
    HSAY_SEND_NAMED,    /* to an address that the operator named */
    HSAY_SEND_PUNCTURE, /* to the address an introducer saw: rule 2, one packet less */
    HSAY_SEND_SEARCH,   /* to the host of a search that has begun: rule 4 */
};

enum { HSAY_LEDGER_SEARCH_BYTES_MAX = 128 }; /* a datagram of a search: a puncture, and some air */

/* Whoever is believed wrongly, all searches of a node together cost no more than 1.6 MB an
 * hour. */
enum { HSAY_LEDGER_SEARCHES_MAX = 6 };

/* What is left of the search in hand, and how many there were. */
struct hsay_ledger_search {
    struct hsay_addr host;
    uint32_t packets;
    uint32_t begun; /* since then, for an hour */
    hsay_time begun_from;
};

/* An address is known by a hash: two in 2^32 are taken for one, and nobody can tell which. */
struct hsay_ledger_entry {
    uint32_t tag;           /* 0 with packets: a heard address left what others had before it */
    uint32_t since_s : 28;  /* monotonic seconds of the last of these packets; comes round after 8
                             * years: then, at worst, an address has to wait for an hour */
    uint32_t packets : 2;   /* at least as many as the address got in the period; 0 = empty */
    uint32_t inherited : 2; /* of these, those of addresses that were pushed out */
};

struct hsay_ledger {
    struct hsay_ledger_entry *entry;
    uint32_t entry_count; /* power of two, or 0: nothing is sent to unheard addresses */
    uint32_t datagram_bytes;
    uint64_t salt;
    struct hsay_ledger_search *search; /* the caller's; NULL: there are none */
};

void hsay_ledger_init(struct hsay_ledger *ledger, struct hsay_ledger_entry *entry,
                      uint32_t entry_count, uint32_t datagram_bytes, uint64_t salt);

/* The account of a packet of `bytes` from a source that is validated or not. */
struct hsay_ledger_account hsay_ledger_account(size_t bytes, bool validated);

/* May `bytes` go to `to`?  Remembers it if so.  `account` is NULL unless class is ANSWER. */
bool hsay_ledger_pass(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                      const struct hsay_addr *to, struct hsay_ledger_account *account,
                      size_t bytes);

/* Bytes that may still be sent in answer (already bounded by the datagram size). */
size_t hsay_ledger_room(const struct hsay_ledger *ledger,
                        const struct hsay_ledger_account *account);

/* Take credit for a datagram that somebody else will send to the source because we ask for it (the
 * puncture of an introduced peer).  False, and nothing taken, when the credit does not suffice.  A
 * validated source needs no credit. */
bool hsay_ledger_charge(struct hsay_ledger_account *account, size_t bytes);

/* Begins a search of so many packets to the host of `peer`, in place of any before it.  False, and
 * nothing changed, if one to there began within the period, too many did, or no account can be kept
 * of it. */
bool hsay_ledger_search(struct hsay_ledger *ledger, hsay_time now, const struct hsay_addr *peer,
                        uint32_t packets);

/* An authentic answer came from here: rule 2 no longer binds. */
void hsay_ledger_heard(struct hsay_ledger *ledger, const struct hsay_addr *from);

#endif
