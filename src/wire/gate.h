/*
 * Cheap refusals: token buckets per network group of the source, for packets that show no valid
 * address token, and for work that a peer can make us do in vain.
 *
 * A fixed table hashed by group; groups that collide share a bucket, which an attacker can not aim
 * at because the hash is salted.  Besides each group's bucket there is one for the whole node.
 */
#ifndef HEARSAY_WIRE_GATE_H
#define HEARSAY_WIRE_GATE_H

#include "hearsay/types.h"

enum hsay_gate_work {
    HSAY_GATE_PACKET, /* one packet without a valid token */
    HSAY_GATE_AGREE,  /* one X25519 for such a packet: 30 us */
    HSAY_GATE_FORGED, /* one bundle signature that turned out wrong: 50 us */
    HSAY_GATE_ANSWER, /* one kilobyte of answer to a validated peer */
    HSAY_GATE_WORK_COUNT,
};

struct hsay_gate_rate {
    uint32_t group_per_second, group_burst;
    uint32_t node_per_second, node_burst;
};

struct hsay_gate_bucket {
    uint32_t at_ms;                       /* when it was last filled */
    uint32_t spent[HSAY_GATE_WORK_COUNT]; /* thousandths of a unit in use; drains with time */
};

struct hsay_gate {
    struct hsay_gate_bucket *bucket; /* bucket_count for groups, and one more for the node */
    uint32_t bucket_count;           /* power of two */
    uint64_t salt;
    const struct hsay_gate_rate *rate; /* the caller's; HSAY_GATE_WORK_COUNT of them */
};

/* `bucket` has bucket_count + 1 places.  It and `rate` must live as long as the gate; a burst above
 * 4,294,967 is taken for that. */
void hsay_gate_init(struct hsay_gate *gate, struct hsay_gate_bucket *bucket, uint32_t bucket_count,
                    const struct hsay_gate_rate *rate, uint64_t salt);

/* Take `units` of `work` for a source of this group; false, and nothing taken, if there is not
 * enough left (more than a burst never is).  A clock that jumps ahead fills a bucket once, one that
 * goes back fills nothing. */
bool hsay_gate_take(struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work, uint64_t group,
                    uint32_t units);

/* For work whose size is known only when it is done: taken even if there is less left, and what was
 * overdrawn drains first before the gate opens again. */
void hsay_gate_charge(struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work,
                      uint64_t group, uint32_t units);

/* As hsay_gate_take without taking: is there one unit left? */
bool hsay_gate_open(const struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work,
                    uint64_t group);

#endif
