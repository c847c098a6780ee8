/*
 * Which NATs the hosts of a run are behind: kinds by shares, each with its timers.
 *
 * A home is drawn alone or behind a carrier's NAT.  A carrier's box is meant to serve many homes:
 * the caller draws one when the last is full and otherwise only leaves that part of a draw aside.
 */
#ifndef HEARSAY_LAB_POPULATION_H
#define HEARSAY_LAB_POPULATION_H

#include "src/lab/sim/nat_box.h"

enum { LAB_POPULATION_PARTS_MAX = 16, LAB_POPULATION_TIMERS_MAX = 6 };

/* Seconds; stream_s once packets went both ways. */
struct lab_nat_timer {
    double share;
    double timeout_s, stream_s;
};

struct lab_nat_part {
    const struct lab_nat_kind *kind;
    double share; /* of its side's parts: they are weighed against their sum */
    struct lab_nat_timer timer[LAB_POPULATION_TIMERS_MAX];
    unsigned timer_count; /* 0: the kind's own */
};

struct lab_nat_side {
    struct lab_nat_part part[LAB_POPULATION_PARTS_MAX];
    unsigned part_count;
    double ports[3]; /* weights of enum lab_nat_ports; all 0: each kind's own */
};

struct lab_population {
    struct lab_nat_side home;
    struct lab_nat_side carrier;
    double carrier_share;    /* homes behind a carrier's box */
    double hairpin_share;    /* boxes that hairpin */
    double refresh_in_share; /* boxes in which what comes in refreshes */
};

struct lab_nat_draw {
    unsigned boxes; /* 0: open; 1: kind[0] alone; 2: kind[0] at home, kind[1] around it */
    struct lab_nat_kind kind[2]; /* an open home behind a carrier has the carrier's alone */
};

/* From a name (open, halkes2011, cellular2016) or from shares, as
 *     port_restricted:0.6,symmetric:20%,open:0.2
 * which must add up to 1 within a hundredth.  After a kind @SECONDS or @SECONDS/SECONDS sets its
 * timer, the second once packets went both ways: symmetric@30/120:0.2.  0, or HSAY_EINVAL, what is
 * wrong in `why`, and `population` untouched. */
int lab_population_parse(struct lab_population *population, const char *text, char *why,
                         size_t why_size);

/* Names that lab_population_parse knows, counted from 0; NULL after the last. */
const char *lab_population_name(unsigned number);

/* Takes the same count of numbers from the stream whatever comes of it. */
void lab_population_draw(const struct lab_population *population, struct lab_chance *chance,
                         struct lab_nat_draw *out);

#endif
