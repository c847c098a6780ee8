/*
 * The two clocks of the core.
 *
 * Monotonic is CLOCK_BOOTTIME, which goes on while the machine sleeps: after a night of sleep every
 * candidate is rightly too old.  The wall clock matters to the expiry of bundles alone; after a
 * jump of more than a day it is taken for unknown for an hour, so that a clock set wrong and set
 * right again does not make bundles expire by the thousand.
 */
#ifndef HEARSAY_DAEMON_CLOCK_H
#define HEARSAY_DAEMON_CLOCK_H

#include "hearsay/types.h"

struct clock {
    int64_t wall_offset_s;    /* wall clock less monotonic, at the last look */
    hsay_time distrust_until; /* no word about the wall clock before */
    int64_t asleep_ns;        /* time that the machine has slept, at the last look */
};

void clock_init(struct clock *clock);
struct hsay_now clock_now(struct clock *clock);

/* True once after each sleep of the machine of more than five seconds. */
bool clock_slept(struct clock *clock);

#endif
