/*
 * Answers to our own requests, and mail: responses and bundles messages.
 */
#ifndef HEARSAY_NODE_ANSWERS_H
#define HEARSAY_NODE_ANSWERS_H

#include "src/node/state.h"

void hsay_answers_on_intro_response(struct hsay_call *call, const struct hsay_message *m);
void hsay_answers_on_bundles(struct hsay_call *call, const struct hsay_message *m);

/* Requests whose answer will not come, or not whole. */
void hsay_answers_overdue(struct hsay_call *call);

/* When hsay_answers_overdue has something to do next. */
hsay_time hsay_answers_deadline(const struct hsay_overlay *o);

#endif
