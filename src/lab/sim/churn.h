/*
 * Hosts that come and go.
 *
 * Sessions and absences are drawn from each host's own stream, so that a host lives by the same
 * times whatever happens elsewhere.  Trackers stay.  A host that leaves says nothing: the protocol
 * has no farewell, so a clean leave and a power cut differ for the store alone, which keeps what
 * was committed.
 *
 * Everything begins in the middle: as many are away as later, and what is left of a session or an
 * absence is what a random moment meets.  Only if hosts begin to leave later are all there before.
 */
#ifndef HEARSAY_LAB_CHURN_H
#define HEARSAY_LAB_CHURN_H

#include "src/lab/sim/sim.h"

enum lab_churn_kind {
    LAB_CHURN_OFF = 0,
    LAB_CHURN_EXPONENTIAL, /* sessions and absences */
    LAB_CHURN_FIXED,       /* both always of one length, the first session cut at random */
    LAB_CHURN_WEIBULL,     /* sessions (below shape 1: many short, few long); absences exponential
                            * (Stutzbach and Rejaie 2006 found shapes of 0.4 to 0.6) */
    LAB_CHURN_PATTERN,     /* as a file says; who is not in it stays */
};

struct lab_churn_config {
    enum lab_churn_kind kind;
    double session_s, absence_s; /* means */
    double shape;
    const char *pattern; /* file: lines of HOST ON OFF; hosts from 1, seconds since the start */
    uint64_t from_ns;    /* since the start: nobody leaves before; 0: some are away already */
    uint64_t until_ns;   /* then all come back, to stay; 0: never */
    struct lab_return how;
};

struct lab_churn;

/* False and a sentence: no such pattern, or something in it is wrong. */
bool lab_churn_check(const struct lab_churn_config *config, uint32_t nodes, char *why,
                     size_t why_size);

/* NULL and a sentence in `why`: the pattern cannot be read, or is wrong somewhere. */
struct lab_churn *lab_churn_new(struct lab_sim *sim, const struct lab_churn_config *config,
                                char *why, size_t why_size);

/* Is it there when the simulation begins? */
bool lab_churn_begins_online(const struct lab_churn *churn, uint32_t host);

void lab_churn_free(struct lab_churn *churn);

#endif
