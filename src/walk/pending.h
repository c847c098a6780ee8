/*
 * Requests that we wait for.  An answer is taken only under a 64-bit id that was not guessed, from
 * the address that was asked, once, and within the time that the overlay waits; the bundles
 * messages that the answer announced may follow it.
 *
 * The entry is also where a request keeps what its answer means: which range it asked for, and how
 * much has come.
 */
#ifndef HEARSAY_WALK_PENDING_H
#define HEARSAY_WALK_PENDING_H

#include "hearsay/node.h"

enum hsay_pending_kind {
    HSAY_PENDING_FREE = 0,
    HSAY_PENDING_INTRO,
    HSAY_PENDING_FETCH,
    HSAY_PENDING_WAY, /* to another address than the candidate's: whether it is there, too */
};

struct hsay_pending {
    uint64_t id;
    hsay_time sent;
    hsay_time heard;         /* when something last came; 0: nothing yet */
    struct hsay_range range; /* of the claim */
    uint32_t claim_count;    /* what the claim said we hold */
    uint32_t peer_count;     /* what the answerer holds of the range */
    struct hsay_peer to;     /* key zero: first contact, any key may answer */
    uint16_t bundles_got;
    uint16_t bundles_new;
    uint8_t kind; /* enum hsay_pending_kind */
    uint8_t claim_kind;
    uint8_t bucket;
    uint8_t newest_count;   /* of hsay_pending_newest */
    uint8_t datagrams_told; /* bundles messages that the response announced */
    uint8_t datagrams_got;
    bool introduce : 1; /* it asked for an introduction */
    bool answered : 1;  /* the response came; bundles messages may still follow */
    bool more : 1;
    bool same : 1;
    bool introduced : 1;
    bool attempt : 1;   /* how it ends is to be counted (src/node/attempt.h) */
    uint8_t theirs : 2; /* of an attempt, enum hsay_nat_kind as the introduction said */
    bool untouched : 1; /* nothing had gone to its host for long, nor come from there */
    uint8_t nat : 4;    /* what it said of our own, enum hsay_nat_flag */
};

struct hsay_pendings {
    struct hsay_pending *entry; /* the caller's; must live as long as the table */
    uint64_t *newest;           /* the caller's, as well: newest_max for each entry */
    uint16_t entry_max;
    uint8_t newest_max;
};

void hsay_pendings_init(struct hsay_pendings *table, struct hsay_pending *entry, uint16_t entry_max,
                        uint64_t *newest, uint8_t newest_max);

/* A count as an entry keeps it: no store holds more, whatever a peer says. */
static inline uint32_t hsay_pending_holds(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* The rumors that the request named, in its order: newest_count of them, room for newest_max. */
uint64_t *hsay_pending_newest(const struct hsay_pendings *table, const struct hsay_pending *p);

/* A free place, or NULL: no further request goes out then.  Fill it in whole. */
struct hsay_pending *hsay_pending_new(struct hsay_pendings *table);

/* The entry with this id whose request went to this address (or NULL).  A sender key is checked if
 * the entry knows one. */
struct hsay_pending *hsay_pending_find(struct hsay_pendings *table, uint64_t id,
                                       const struct hsay_peer *from);

/* Same without the address. */
struct hsay_pending *hsay_pending_by_id(struct hsay_pendings *table, uint64_t id);

void hsay_pending_free(struct hsay_pending *p);

size_t hsay_pending_count(const struct hsay_pendings *table);

#endif
