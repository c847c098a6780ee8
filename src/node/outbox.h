/*
 * Filling the outbox.  Room is taken at the end and given back when less was needed; what does not
 * fit is refused whole.
 */
#ifndef HEARSAY_NODE_OUTBOX_H
#define HEARSAY_NODE_OUTBOX_H

#include "hearsay/node.h"

/* Room for a datagram of up to `bytes`; NULL when there is none.  It becomes a letter only by
 * hsay_outbox_post, which must follow before the next reserve unless the room is held on purpose
 * (hsay_outbox_reserve may be called again while an earlier room is still being filled). */
uint8_t *hsay_outbox_reserve(struct hsay_outbox *out, size_t bytes);

/* Give back the tail of the room reserved last. */
void hsay_outbox_trim(struct hsay_outbox *out, const uint8_t *room, size_t used);

void hsay_outbox_post(struct hsay_outbox *out, const struct hsay_letter *letter);

/* A zeroed event of this kind, or NULL when there is no room. */
struct hsay_event *hsay_outbox_event(struct hsay_outbox *out, enum hsay_event_kind kind,
                                     uint16_t overlay);

/* A copy of `bytes` in the outbox; size 0 when there is no room. */
struct hsay_span hsay_outbox_copy(struct hsay_outbox *out, struct hsay_span bytes);

#endif
