/*
 * What the invariants keep.  Private to invariant*.c.
 *
 * A host under watch belongs to its shard's thread, a part to one thread; the registry of what was
 * published changes only while no thread is running.
 */
#ifndef HEARSAY_LAB_INVARIANT_PARTS_H
#define HEARSAY_LAB_INVARIANT_PARTS_H

#include "src/lab/sim/invariant.h"
#include "src/wire/seal.h"

enum { LAB_INVARIANT_TEXT = 200, LAB_INVARIANT_SILENT_MAX = HSAY_SILENT_PACKETS_MAX };

/* An address that a host has to do with. */
struct lab_contact {
    uint64_t name;     /* of the address (lab_contact_name); 0: empty place */
    uint64_t asked_ns; /* world's time of the last request to it; 0: never */
    uint32_t silent_s[LAB_INVARIANT_SILENT_MAX]; /* host's seconds of datagrams to it that nothing
                                                  * entitled to, in turn; 0: none */
    uint32_t search_s, search_last_s;            /* host's seconds of a search for its ports, of the
                                                  * first datagram and the last; at port 0 only */
    uint32_t search_count;
    bool heard; /* it answered, or showed a token, in this life or an earlier one */
};

struct lab_contacts {
    struct lab_contact *place; /* open addressing */
    uint32_t count, max;
};

/* A request that waits for its answer, by the host's clock. */
struct lab_asked {
    uint64_t id;
    uint64_t sent_ns;
};

struct lab_watched {
    uint32_t number; /* of the host */
    uint32_t lives, wipes;
    uint32_t turns;
    uint64_t durable; /* bundles that are committed */
    uint64_t base;    /* in the store when the call began */
    uint32_t own;     /* the last it published and committed, number + 1 in the registry */
    bool settled;     /* its time window, at the last turn */
    uint64_t window_limit;
    uint64_t window_at_ns; /* host's time when it moved last */
    uint64_t overdue_ns;   /* host's time of a timer that left something due; 0: the last did not */
    uint64_t storm_second;
    uint32_t storm_timers, storm_packets;
    uint64_t answered, outbox_drops; /* the core's counters, if each host has its own */
    struct lab_contacts contacts;
    struct lab_asked *asked;
    uint32_t asked_count, asked_max;
};

struct lab_violation {
    uint64_t at_ns;
    uint32_t host;
    uint8_t invariant;
    char text[LAB_INVARIANT_TEXT];
};

/* Of one shard. */
struct lab_watch_part {
    uint64_t turns;
    uint64_t count[LAB_INVARIANT_COUNT];
    struct lab_violation first;
    uint64_t answered, outbox_drops; /* the core's counters, if the hosts share them */
};

/* A bundle that was published and committed. */
struct lab_published {
    struct hsay_digest digest;
    uint32_t host, wipes;
    uint32_t before; /* of the same host, number + 1 */
};

enum lab_fate { LAB_FATE_UNKNOWN = 0, LAB_FATE_PUBLISHED, LAB_FATE_TAKEN_BACK };

struct lab_registry {
    struct lab_published *entry;
    uint32_t count, max;
    uint8_t *fate; /* enum lab_fate, by number in the depot */
    uint32_t fate_max;
};

struct lab_invariants {
    struct lab_sim *sim;
    struct hsay_node_config config, tracker_config; /* with all defaults */
    uint32_t stride;                                /* every so many hosts is watched */
    struct lab_watched *watched;                    /* host / stride */
    uint32_t watched_count;
    struct lab_watch_part part[LAB_SHARDS_MAX];
    struct lab_registry registry;
    char first[LAB_INVARIANT_TEXT + 100];
};

/* One turn of a host under watch. */
struct lab_turn {
    struct lab_invariants *all;
    struct lab_shard *shard;
    struct lab_watch_part *part;
    struct lab_watched *watched;
    const struct lab_host *host;
    const struct lab_call *call;
    enum lab_turn_end end;
    struct hsay_now now; /* by the host's clocks */
    bool answer;         /* the packet was the first answer to a request */
    bool token_asked, token;
};

/* The sizes of its host's tables and datagrams. */
static inline const struct hsay_node_config *lab_turn_config(const struct lab_turn *turn)
{
    return lab_host_is_tracker(turn->all->sim, turn->call->host) ? &turn->all->tracker_config
                                                                 : &turn->all->config;
}

/* The turn broke it.  `format` is for the details. */
void lab_turn_broke(struct lab_turn *turn, enum lab_invariant invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The packet in hand shows a token that its receiver made for its source; one hash. */
bool lab_turn_has_token(struct lab_turn *turn);

/* Of what leaves: ledger, silence, addresses, sizes.  Of a turn whose letters went out. */
void lab_invariant_letters(struct lab_turn *turn);

/* A request of ours went to this address within the time that an answer has. */
bool lab_invariant_awaited(const struct lab_turn *turn, const struct hsay_addr *from);
void lab_invariant_forget_contacts(struct lab_watched *watched);

/* Of what is stored and claimed.  The first before the commit, the second behind it. */
void lab_invariant_before_commit(struct lab_turn *turn);
void lab_invariant_store(struct lab_turn *turn);
void lab_invariant_publication(struct lab_invariants *all, struct lab_turn *turn);
void lab_invariant_own(struct lab_invariants *all, struct lab_watched *watched, const char *when);

/* Of time: deadlines, requests that wait, the time window, tables. */
void lab_invariant_time(struct lab_turn *turn);

#endif
