/*
 * Whether to send a puncture: a datagram to an address that somebody else named, so that the NAT in
 * front of us lets that address in.  Unbounded, this would let anyone aim us at anyone.
 *
 * Obeyed only if we contacted or answered the asker within the last minute; never to an address
 * that hsay_addr_sendable refuses; at most 1 per target in 5 s, 3 in an hour to a target that sends
 * nothing back, 20 in any one second in all.  A target is not forgotten within 5 s, or one target
 * more than the table has places could in turn have one of them punctured at will: when the table
 * holds only such targets, further ones are refused, so that no more than 6.4 per second last with
 * 32 places.
 */
#ifndef HEARSAY_PUNCTURE_H
#define HEARSAY_PUNCTURE_H

#include "hearsay/types.h"
#include "nat/addr_class.h"
#include "nat/vote.h"

enum hsay_puncture_verdict {
    HSAY_PUNCTURE_OK = 0,
    HSAY_PUNCTURE_STRANGER, /* no contact with the asker within the last minute */
    HSAY_PUNCTURE_TARGET,   /* we never send there */
    HSAY_PUNCTURE_GAP,      /* less than 5 s after the last */
    HSAY_PUNCTURE_SILENT,   /* three, and not a packet back */
    HSAY_PUNCTURE_RATE,     /* too many in all */
};

struct hsay_puncture_entry {
    uint32_t tag;        /* hash of the target; 0: unused */
    uint32_t at_ms : 30; /* comes round after 12 days: then, at worst, one is refused */
    uint32_t unanswered : 2;
};

struct hsay_puncture_table {
    struct hsay_puncture_entry *entry; /* the caller's; must live as long as the table */
    uint16_t entry_max;
    uint64_t salt;
    hsay_time full_at; /* when the allowance for bursts is whole again */
};

/* Somebody asks us to puncture a target. */
struct hsay_puncture_ask {
    struct hsay_addr target;
    hsay_time asker_at;             /* when we last asked or answered the asker; HSAY_TIME_NEVER */
    struct hsay_addr_policy policy; /* introducer: the asker */
};

/* salt: random, so that nobody can choose targets that are taken for one another. */
void hsay_puncture_init(struct hsay_puncture_table *table, struct hsay_puncture_entry *entry,
                        uint16_t entry_max, uint64_t salt);

/* Decides, and on HSAY_PUNCTURE_OK counts it as sent. */
enum hsay_puncture_verdict hsay_puncture_try(struct hsay_puncture_table *table, hsay_time now,
                                             const struct hsay_puncture_ask *ask);

/* A packet came from there: it may be punctured again. */
void hsay_puncture_on_packet(struct hsay_puncture_table *table, const struct hsay_addr *from);

/* False if puncturing cannot join two such peers (enum hsay_nat_flag of each).  Only two symmetric
 * ones are given up, unless the ports of both can be guessed and both search (search.h): whether
 * the other side filters by port is not known to us, and 70 % to 85 % of the rest were seen to work
 * (Halkes and Pouwelse 2011).  same_host: both are seen at one host, hence in one LAN. */
bool hsay_puncture_pair_works(uint8_t a, uint8_t b, bool same_host);

#endif
