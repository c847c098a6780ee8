/*
 * What others say our address is, and what that tells about the NAT in front of us.
 *
 * Each answer names the address from which our question came.  A single liar must not move us, so
 * a network group (addr_class.h) has one vote, its latest; only peers that we contacted ourselves
 * vote; and an address is ours once `agree_groups` groups say so and no other has as many.  It
 * stays ours until as many say something else.
 *
 * Small networks never have three groups: as long as no address was confirmed, the host that all
 * who voted name is reported as unconfirmed.  Who is on our own host or LAN sees another address of
 * ours than the world does: a vote counts only if voter and address are of one class, and the
 * widest class that voted decides.
 *
 * Votes on IPv4 and IPv6 are two questions that share the table.
 */
#ifndef HEARSAY_VOTE_H
#define HEARSAY_VOTE_H

#include "hearsay/types.h"

enum {
    HSAY_VOTE_TABLE_MAX = 12, /* 12 * 32 bytes: four times the groups that must agree */
    HSAY_VOTE_AGREE_GROUPS = 3,
    HSAY_VOTE_LIFETIME_MS = 600000,

    /* A vote for an address that others deny holds for as long as we keep in touch with a peer,
     * twice over: whom we have not asked since does not know whether we moved. */
    HSAY_VOTE_DEFENDS_MS = 120000,

    /* Different ports at one time are a mapping per destination, at different times they need not
     * be: NATs give a mapping a minute or more. */
    HSAY_VOTE_MOMENT_MS = 60000,

    /* A NAT that hands out ports in a row shows three voters three ports close together.  Three
     * random ones of 2^16 lie within 64 of each other with 3 * (64 / 2^16)^2: once in 350,000. */
    HSAY_VOTE_SEQUENTIAL_MIN = 3,
    HSAY_VOTE_SEQUENTIAL_SPAN = 64,
};

struct hsay_vote_entry {
    uint64_t group; /* of the voter; 0: unused */
    struct hsay_addr seen;
    uint32_t at_s; /* whole seconds of the monotonic clock */
};

struct hsay_vote_table {
    struct hsay_vote_entry *entry; /* the caller's; must live as long as the table */
    uint8_t entry_max;
    uint8_t agree_groups;
    struct hsay_addr confirmed[2]; /* IPv4, IPv6; HSAY_ADDR_NONE: never was */
};

/* One answer that we got. */
struct hsay_vote {
    struct hsay_addr voter; /* the address it came from */
    struct hsay_addr seen;  /* the address it says we have */
    bool contacted;         /* we asked it, from our own list: not somebody who came to us */
};

struct hsay_vote_result {
    struct hsay_addr addr; /* HSAY_ADDR_NONE: nobody knows */
    bool confirmed;        /* enough groups said so once, and as many nothing else since */
    uint8_t kind;          /* enum hsay_nat_kind */
    uint8_t groups;        /* that have a living vote in the class that decides */
    bool sequential;       /* symmetric, and all who see our host see ports in a row */
    bool doubted;          /* confirmed, but who voted last saw us at another host */
};

/* entry_max: 1 .. HSAY_VOTE_TABLE_MAX.  agree_groups: HSAY_VOTE_AGREE_GROUPS, or 1 .. entry_max. */
void hsay_vote_init(struct hsay_vote_table *table, struct hsay_vote_entry *entry, uint8_t entry_max,
                    uint8_t agree_groups);

/* Forgets everything; for when the host has changed its network. */
void hsay_vote_reset(struct hsay_vote_table *table);

/* Counts a vote.  HSAY_EINVAL if it is not one: the voter was not contacted, an address is not IP,
 * the port is 0, or the classes differ; then nothing was changed. */
int hsay_vote_add(struct hsay_vote_table *table, hsay_time now, const struct hsay_vote *vote);

/* The `index`-th living vote, in no order; NULL past the last.  Valid until the next is added. */
const struct hsay_vote_entry *hsay_vote_at(const struct hsay_vote_table *table, hsay_time now,
                                           size_t index);

/* What the living votes say about `family` (HSAY_ADDR_IP4 or HSAY_ADDR_IP6).  `bound`: the address
 * that our socket has, HSAY_ADDR_NONE if it is a wildcard and not known. */
void hsay_vote_result(const struct hsay_vote_table *table, hsay_time now, uint8_t family,
                      const struct hsay_addr *bound, struct hsay_vote_result *result);

#endif
