/*
 * What goes out unasked: direct mail of our own new bundles, rumors that a peer wants, and
 * ephemeral messages.  Only to peers that have answered us, with the token that they gave us.
 */
#ifndef HEARSAY_NODE_MAIL_H
#define HEARSAY_NODE_MAIL_H

#include "src/node/state.h"

/* An own bundle is to be mailed: soon, together with what else is published until then. */
void hsay_mail_soon(struct hsay_call *call);

/* Mail what is due. */
void hsay_mail_run(struct hsay_call *call);

/* Send what the answerer wants of the rumors that the request named. */
void hsay_mail_wanted(struct hsay_call *call, const struct hsay_pending *p, uint16_t want);

#endif
