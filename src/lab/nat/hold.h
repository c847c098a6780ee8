/*
 * What becomes of two peers' paths after they have met, while nothing is done but what their nodes
 * do by themselves; and how soon they find together again when boxes forget.
 *
 * A path leads from one peer to the other: ground.h says when it is open.  It is looked at once a
 * second, both ways, without touching it.  At the end a real datagram is sent along that of one
 * peer alone: the first of two would open the way for the other.
 *
 * After a flush the same peer publishes a bundle; it alone, for two that mail each other at the
 * same moment would puncture.
 */
#ifndef HEARSAY_LAB_NAT_HOLD_H
#define HEARSAY_LAB_NAT_HOLD_H

#include "src/lab/nat/ground.h"
#include "src/lab/nat/side.h"
#include "src/lab/output/result.h"

struct natlab_hold_plan {
    double hold_s;            /* 0: not at all */
    double flush_s;           /* after so long of it; less than it; 0: never */
    bool flush[NATLAB_PEERS]; /* whose boxes */
};

/* In seconds that were looked at, of both paths, but where it says otherwise. */
struct natlab_held {
    unsigned looks; /* two each second; 0: peers that share a box */
    unsigned open, unknown;
    unsigned whole;           /* paths that were open at each look: 0 to 2 */
    unsigned shut_longest_s;  /* at a stretch */
    unsigned answers, losses; /* of their requests to each other */
    double gap_longest_s;     /* without an answer of one to the other */
    bool tried, came;         /* the datagram at the end */
    bool doubted;             /* it and the last look disagree */
    bool flushed;
    unsigned flows;       /* that were forgotten */
    unsigned flush_looks; /* at paths at once after that, before anybody did anything: 2, or 0 */
    unsigned shut;        /* of these, where a path was not open */
    /* From the flush on.  A step is a dialogue: who is behind asks several times in one.  HUGE_VAL:
     * never. */
    double answer_steps, answer_ms; /* until one answered a request of the other made after it; of
                                     * the one that made more */
    double bundle_steps, bundle_ms; /* until the other holds the bundle; its own steps */
};

enum { NATLAB_HOLD_REQUESTS = 16 };

struct natlab_hold {
    struct natlab_hold_plan plan;
    unsigned who; /* publishes, and sends the datagram at the end */
    const struct natlab_ground *ground;
    struct natlab_side *side;
    struct natlab_held *held; /* filled in; NULL: it has not begun, or it is over */
    double begun_ms, look_ms, answer_ms;
    unsigned shut_s[NATLAB_PEERS];
    bool broken[NATLAB_PEERS];
    enum natlab_path path[NATLAB_PEERS]; /* at the last look */
    double flushed_ms;
    unsigned steps_before[NATLAB_PEERS];
    char request[NATLAB_PEERS][NATLAB_HOLD_REQUESTS][NATLAB_REQUEST_TEXT_BYTES];
    unsigned requests[NATLAB_PEERS]; /* since the flush, to each other */
    bool arrived;
};

/* Before it the struct is zero.  `ground`, and side[NATLAB_PEERS], must live as long as it.  Which
 * of the two does what one of them has to do follows from the trial's seed. */
void natlab_hold_begin(struct natlab_hold *hold, const struct natlab_hold_plan *plan, uint64_t seed,
                       const struct natlab_ground *ground, struct natlab_side *side,
                       struct natlab_held *held, double now_ms);

/* One of the peers told this; at any time. */
void natlab_hold_on_event(struct natlab_hold *hold, unsigned who, const json_t *event,
                          double now_ms);

/* Until it wants to be called again; 0: it is over. */
double natlab_hold_wait_ms(const struct natlab_hold *hold, double now_ms);

/* What is due.  HSAY_EIO or HSAY_EBAD, and words. */
int natlab_hold_on_time(struct natlab_hold *hold, double now_ms, struct lab_why *why);

/* When it is over. */
int natlab_hold_end(struct natlab_hold *hold, double now_ms, struct lab_why *why);

/* As fields of a trial's result. */
void natlab_held_put(struct lab_result *result, const struct natlab_held *held);

#endif
