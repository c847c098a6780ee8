/* What one of the two peers does with regard to the other, from the events that its node tells. */
#ifndef HEARSAY_LAB_NAT_SIDE_H
#define HEARSAY_LAB_NAT_SIDE_H

#include <stdbool.h>

#include "src/lab/nat/node.h"

enum { NATLAB_REQUESTS_MAX = 64, NATLAB_REQUEST_TEXT_BYTES = 20 };

struct natlab_side {
    struct natlab_node *node, *other;
    bool (*knows_other)(const struct natlab_side *side); /* NULL: the node is asked */
    void *user;                                          /* of whoever answers that */
    bool introduced;    /* it was told of the other, and took note */
    bool answered;      /* by the other */
    bool holding;       /* set from outside: requests are counted below from now on */
    unsigned steps;     /* requests to anybody */
    unsigned dialogues; /* of these, those that did not go on with who had just answered */
    double last_s;      /* who answered last, and when */
    char last[2 * HSAY_KEY_BYTES + 1];
    unsigned requests;
    char request[NATLAB_REQUESTS_MAX][NATLAB_REQUEST_TEXT_BYTES]; /* to the other */
    unsigned answered_request;                                    /* its number, from 1 */
    unsigned held_answers, held_losses; /* of requests to the other while holding */
};

/* One event of the node's `trace`.  May ask the node who it knows. */
void natlab_side_on_event(struct natlab_side *side, const json_t *event);

/* Of the visitor's side and the guest's. */

/* What ends a watch over the two before its time. */
enum natlab_until { NATLAB_UNTIL_ONE_ANSWERED, NATLAB_UNTIL_BOTH_ANSWERED, NATLAB_UNTIL_TIME };

bool natlab_sides_reached(const struct natlab_side side[NATLAB_PEERS], enum natlab_until until);

/* Requests up to the answered one, of both: those of the one that has no answer were in vain. */
unsigned natlab_sides_tries(const struct natlab_side side[NATLAB_PEERS]);

/* Of the one that was answered first: the step that brought the introduction, and its own requests.
 * Whom the other's request has led there was not introduced; then the other's count as well. */
unsigned natlab_sides_steps(const struct natlab_side side[NATLAB_PEERS]);

#endif
