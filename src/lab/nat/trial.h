/*
 * One trial: two peers behind their boxes meet through a tracker, or do not.
 *
 * The guest has been in the overlay for a while and walks at the calm pace of all nodes; the
 * visitor is new, asks the trackers, and is introduced to the guest.  So that it is the puncture
 * that is measured: two that are both new ask for introductions four times a second and are
 * introduced to each other at once, which opens most boxes without any puncture, and which in a
 * large overlay does not happen.
 */
#ifndef HEARSAY_LAB_NAT_TRIAL_H
#define HEARSAY_LAB_NAT_TRIAL_H

#include "src/lab/nat/hold.h"
#include "src/lab/nat/node.h"
#include "src/lab/nat/prober.h"
#include "src/lab/nat/side.h"

/* Whatever plays it. */
enum {
    NATLAB_VISITOR,
    NATLAB_GUEST,
    NATLAB_FRESH_MS = 10000, /* so long after it joined, at the usual step, a node walks fast */
    NATLAB_KNOWN_WAIT_MS = 10000,
    NATLAB_LOOK_MS = 250,
    NATLAB_MUTUAL_MS = 3000, /* for the answer the other way, which is the easier one */
};

struct natlab_trial {
    const struct natlab_kind *visitor, *guest;
    struct natlab_program program;
    struct lab_link_model link; /* prepared */
    uint64_t seed;
    double patience_s;            /* from the visitor's first request on */
    struct natlab_hold_plan hold; /* after they have met */
    bool no_punctures;            /* the control: they do not leave their host */
    bool no_bundles;              /* the control: nobody gives any; of the simulator alone */
    const char *folder;           /* is there, empty, and may be used by many trials at once */
    const char *events;           /* a file for what the two do; NULL: none */
};

struct natlab_outcome {
    bool known;            /* the guest was contacted by the trackers */
    bool introduced;       /* the visitor was told of the guest */
    bool connected;        /* one of them got an answer from the other */
    bool mutual;           /* both did, at the end */
    unsigned tries;        /* requests between the two up to the one that was answered */
    unsigned steps;        /* of the one that was answered: to an introduction, and to the other */
    unsigned walked;       /* all steps of the visitor meanwhile */
    double milliseconds;   /* from the introduction to the answer */
    double punctures_made; /* by the two, since the visitor came */
    double punctures;      /* from box to box, until they met */
    struct natlab_held held; /* all 0 unless they met and it was planned */
};

/* What the two sides tell once they have met, or did not in time: whether, and in how many steps.
 */
void natlab_outcome_note(struct natlab_outcome *outcome,
                         const struct natlab_side side[NATLAB_PEERS]);

/* Both boxes are looked into first; HSAY_EBAD and words if one is not what it should be.  The
 * process that calls cannot be used for anything else afterwards. */
int natlab_trial_run(const struct natlab_trial *trial, struct natlab_outcome *outcome,
                     struct lab_why *why);

/* Nothing but a thorough look into a box of the visitor's kind. */
int natlab_trial_look(const struct natlab_trial *trial, struct natlab_seen *seen,
                      struct lab_why *why);

#endif
