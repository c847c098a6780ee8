/*
 * What happens to one datagram on its way between two hosts.
 *
 * A model says what the network does, the same for all hosts; a state is what one sender's line
 * remembers: how long its queue is busy, and whether a burst of losses is on.  Partitions and NATs
 * are not here.
 *
 * One datagram takes exactly one number from the caller's stream, whatever the model is.  All that
 * is decided about it follows from that number, each decision from a part of its own: two runs that
 * differ in the loss rate alone see the same delays for all datagrams that arrive in both.
 *
 * Delays are drawn for each datagram, so a wide distribution reorders as it is; `reorder` adds to
 * that.  What is corrupted here is what the checksum of UDP did not find.
 */
#ifndef HEARSAY_LAB_LINK_H
#define HEARSAY_LAB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/lab/sim/chance.h"

enum {
    LAB_REGIONS_MAX = 8,
    LAB_LINK_BODY_STEPS = 256,
    LAB_LINK_HEADER_IP4 = 28, /* IPv4 and UDP */
    LAB_LINK_HEADER_IP6 = 48,
    LAB_LINK_MTU = 1500,
};

/* MEASURED: a lognormal body above a hard minimum, and from the 99th percentile on a Pareto tail.
 * One-way delays of the internet look so: light sets the minimum, queues the body, and what else
 * goes wrong the tail. */
enum lab_delay_kind { LAB_DELAY_CONSTANT, LAB_DELAY_UNIFORM, LAB_DELAY_MEASURED };

/* What lab_link_prepare works out, once. */
struct lab_link_prepared {
    bool done;
    uint64_t delay_min_ns;
    uint64_t loss, burst_enter, burst_leave, duplicate, reorder, corrupt; /* of 2^64; 0: never */
    uint64_t queue_ns;                                 /* until a full queue is sent */
    uint32_t factor[LAB_REGIONS_MAX][LAB_REGIONS_MAX]; /* 1/65536: what delays are stretched by */
    uint32_t body[LAB_LINK_BODY_STEPS + 1]; /* 1/65536 of the median's excess, up to the 99th % */
};

/* Probabilities and shares: 0 to 1.  A zeroed model with a delay is a line without faults. */
struct lab_link_model {
    enum lab_delay_kind delay;
    uint64_t delay_ns;      /* constant: the delay; measured: the median */
    uint64_t delay_low_ns;  /* uniform and measured: none is less */
    uint64_t delay_high_ns; /* uniform and measured: none is more */
    uint64_t delay_p99_ns;  /* measured */
    double tail_index;      /* measured: the Pareto tail's; 2 is common, less is wilder */

    /* With two or more, all delays between two regions are stretched so that the median (of
     * uniform: the middle) is the one here, one way. */
    unsigned regions;
    uint32_t region_us[LAB_REGIONS_MAX][LAB_REGIONS_MAX]; /* from, to */

    double loss;        /* each datagram for itself */
    double burst_share; /* lost in bursts (Gilbert-Elliott: in one of two states all are lost) */
    double burst_mean;  /* length of a burst in datagrams, >= 1 */
    double duplicate;
    double reorder; /* share that is held up by uniform 0 .. reorder_ns */
    uint64_t reorder_ns;
    double corrupt; /* one bit, or one byte */

    uint64_t rate_bytes_s; /* of the sender's line, headers counted; 0: no limit */
    uint64_t queue_bytes;  /* waiting and under way; what comes to a full one is lost */
    uint32_t mtu;          /* largest IP packet, not fragmented; 0: no limit */
    uint32_t header_bytes; /* that a datagram has on the wire before its own */

    struct lab_link_prepared prepared;
};

/* One for each sending host; starts zeroed. */
struct lab_link_state {
    uint64_t free_ns; /* when all in its queue is sent */
    bool burst;
};

enum lab_link_loss {
    LAB_LINK_KEPT = 0,
    LAB_LINK_LOST_CHANCE,
    LAB_LINK_LOST_BURST,
    LAB_LINK_LOST_QUEUE,
    LAB_LINK_LOST_MTU,
    LAB_LINK_LOSSES,
};

struct lab_link_arrival {
    uint64_t at_ns;
    int32_t corrupt_at;   /* byte to change; -1: none */
    uint8_t corrupt_mask; /* bits of it that flip */
    uint8_t loss;         /* enum lab_link_loss */
};

/* A constant delay, an Ethernet's MTU under IPv4, no faults.  Not yet prepared. */
void lab_link_init(struct lab_link_model *model, uint64_t delay_ns);

/* Seven regions with medians about those of real continents, and a measured-like spread around
 * them: 80 % of the median at least, three times it at the 99th percentile. */
void lab_link_world(struct lab_link_model *model);
const char *lab_link_region_name(unsigned region); /* of lab_link_world; NULL: no such region */

/* After each change of a model and before it is used.  0, or HSAY_EINVAL and in `why` what is wrong
 * with it. */
int lab_link_prepare(struct lab_link_model *model, char *why, size_t why_size);

/* The least delay that any datagram can have: so long, no host can hear of another.  Never 0. */
uint64_t lab_link_delay_min(const struct lab_link_model *model);

/* The datagram's arrivals: 1; 2 if it was duplicated (not in order of time); 0 if it was lost, and
 * out[0].loss says why.  `bytes` is without headers.  now_ns must not go back for one state. */
unsigned lab_link_send(const struct lab_link_model *model, struct lab_link_state *state,
                       struct lab_chance *chance, uint64_t now_ns, unsigned from_region,
                       unsigned to_region, size_t bytes, struct lab_link_arrival out[2]);

const char *lab_link_loss_name(enum lab_link_loss loss);

#endif
