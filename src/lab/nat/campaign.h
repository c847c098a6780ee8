/*
 * All trials of a run: each pair of kinds, again and again, in turns as visitor and guest.
 */
#ifndef HEARSAY_LAB_NAT_CAMPAIGN_H
#define HEARSAY_LAB_NAT_CAMPAIGN_H

#include "src/lab/nat/trial.h"
#include "src/lab/output/batch.h"

/* What plays trials and looks into boxes: trial.h says how, and sim_trial.h. */
struct natlab_engine {
    const char *name;
    int (*run)(const struct natlab_trial *trial, struct natlab_outcome *outcome,
               struct lab_why *why);
    int (*look)(const struct natlab_trial *trial, struct natlab_seen *seen, struct lab_why *why);
};
extern const struct natlab_engine natlab_engine_kernel, natlab_engine_simulator;

enum { NATLAB_KINDS_MAX = 16, NATLAB_PAIRS_MAX = NATLAB_KINDS_MAX * (NATLAB_KINDS_MAX + 1) / 2 };

/* Numbers of kinds in the campaign's list; mine <= theirs. */
struct natlab_pair {
    unsigned mine, theirs;
};

struct natlab_campaign {
    const struct natlab_engine *engine;
    const struct natlab_kind *kind[NATLAB_KINDS_MAX];
    unsigned kinds;
    struct natlab_pair pair[NATLAB_PAIRS_MAX];
    unsigned pairs;
    unsigned trials;    /* of each pair */
    unsigned steps_max; /* so many at most, for a pair to count as connected */
    unsigned at_once;   /* trials; 0: as many as this machine bears */
    bool quiet;
    bool timers;              /* boxes are looked into with timers that can be waited for */
    struct natlab_trial each; /* what all have in common: all but visitor, guest, seed, events */
    uint64_t seed;
    const char *events; /* a folder; NULL: none */
    char **words;       /* the command line, for a run that is to be repeated */
};

/* Fills in the pairs that the kinds make: each with each, a shared kind with itself alone. */
void natlab_campaign_pair_up(struct natlab_campaign *campaign);

size_t natlab_campaign_jobs(const struct natlab_campaign *campaign);

/* The pair of a trial, and whether its `mine` is the visitor. */
unsigned natlab_campaign_pair(const struct natlab_campaign *campaign, size_t job);
bool natlab_campaign_is_mine(const struct natlab_campaign *campaign, size_t job);

/* A thorough look at a box of each kind into seen[kinds], whose words go to `log`.  False if one is
 * not what it should be, or could not be made; that was told. */
bool natlab_campaign_look(const struct natlab_campaign *campaign, FILE *log);

/* The trials, into result[jobs], initialised: a field for each of struct natlab_outcome, none where
 * the trial failed; that was told. */
enum lab_batch_end natlab_campaign_run(const struct natlab_campaign *campaign,
                                       struct lab_result *result);

#endif
