/*
 * For how long the NAT in front of us keeps a mapping in use through which nothing goes: which
 * silences to try, what their outcomes mean, and how often something has to be sent for it.  It
 * decides, and sends nothing.
 *
 * Each gap is a silence that a mapping lives through, or does not.  All are tried at once in the
 * first round; later rounds try the longest that lived and the next, unless that disagrees.  A loss
 * on the way looks like a mapping that is gone, so a gap must fail twice; one that lived proves all
 * shorter ones.  What lived is believed at once, what failed at the end of the round.
 *
 * All this is of mappings that have been used for some seconds.  Many NATs forget one sooner that
 * has carried a single question and its answer, so one trial is of such a one, with the gaps that
 * make a difference to what we do: 58 s, and if that fails 28 s.
 */
#ifndef HEARSAY_LIFETIME_H
#define HEARSAY_LIFETIME_H

#include "hearsay/types.h"

/* A little less than the timers that NATs are seen to have: 10, 15, 20, 30, 45, 60 s, and the two
 * minutes that RFC 4787 asks for.  The longest must be shorter than a token lives. */
enum {
    HSAY_LIFETIME_GAPS = 7,
    HSAY_LIFETIME_LONE = HSAY_LIFETIME_GAPS, /* the trial of a mapping that was used once */
    HSAY_LIFETIME_TRIALS,
    HSAY_LIFETIME_KEEP_MIN_MS = 8000, /* no path gets more than a datagram in so long a time */
    /* A new mapping is assumed to be forgotten after 10 s, for so long, until more is known. */
    HSAY_LIFETIME_ASSUMED_MS = 60000,
    HSAY_LIFETIME_ROUND_MS = 1200000,
    HSAY_LIFETIME_RETRY_MS = 60000, /* after a round that left something open */
};

enum hsay_lifetime_outcome {
    HSAY_LIFETIME_LIVED,
    HSAY_LIFETIME_DIED,    /* or datagrams were lost */
    HSAY_LIFETIME_NOTHING, /* it was not put to the test */
};

struct hsay_lifetime {
    hsay_time begun;    /* when a mapping was used first; ns 0: not yet */
    hsay_time round_at; /* the next round begins then */
    uint32_t ended;     /* trials that told something */
    struct hsay_lifetime_range {
        uint8_t lived; /* as many of the gaps, from the shortest on */
        uint8_t died;  /* the first that died; HSAY_LIFETIME_GAPS: none */
    } known, round;
    uint8_t lone_lived; /* as `lived`, of a mapping that was used once */
    uint8_t lone_tried; /* 1 + the gap that is next for such a one; 0: none in this round */
    uint8_t planned, running, failed;   /* a bit for each trial; failed: once */
    uint8_t vain[HSAY_LIFETIME_TRIALS]; /* trials of this round that told nothing */
    bool in_round;
};

struct hsay_lifetime_verdict {
    uint32_t at_least_ms; /* 0: nothing lived */
    uint32_t below_ms;    /* 0: nothing died */
    uint32_t
        lone_at_least_ms; /* of a mapping that was used once; 0: not known, or less than 28 s */
};

/* Nothing is known, or all of it is of another network. */
void hsay_lifetime_init(struct hsay_lifetime *l);

/* For how long to be silent in a trial that runs.  Those below HSAY_LIFETIME_GAPS are in ascending
 * order. */
uint32_t hsay_lifetime_gap_ms(const struct hsay_lifetime *l, unsigned trial);

/* What to try now, which is running from then on: 0 .. HSAY_LIFETIME_TRIALS - 1; -1: nothing.
 * Begins a round when it is time. */
int hsay_lifetime_next(struct hsay_lifetime *l, hsay_time now);

/* How one ended that is running. */
void hsay_lifetime_on_outcome(struct hsay_lifetime *l, hsay_time now, unsigned trial,
                              enum hsay_lifetime_outcome outcome);

/* Something was sent through a NAT. */
void hsay_lifetime_on_used(struct hsay_lifetime *l, hsay_time now);

struct hsay_lifetime_verdict hsay_lifetime_verdict(const struct hsay_lifetime *l);

/* A mapping through which nothing went for so long should be used.  0: it need not be, for who
 * uses it once in HSAY_CONTACTED_LIFETIME_MS; or it would be of no use, or nothing is known. */
uint32_t hsay_lifetime_keep_ms(const struct hsay_lifetime *l, hsay_time now);

/* The same of a mapping that has carried one question and its answer: Linux, for one, forgets such
 * a one after 30 s, and others after 180 s. */
uint32_t hsay_lifetime_keep_new_ms(const struct hsay_lifetime *l, hsay_time now);

#endif
