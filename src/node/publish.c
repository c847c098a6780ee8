/*
 * What the application wants: publish, fetch, and the verdicts of signature checks made elsewhere.
 */
#include <string.h>

#include "nat/addr_class.h"
#include "src/node/call.h"
#include "src/node/mail.h"
#include "src/node/request.h"
#include "src/node/taking.h"

/* Not below what the caller remembers of its log, nor beyond what others would take. */
static int raise_slot(struct hsay_bundle_plan *plan, uint64_t limit)
{
    const struct hsay_draft *draft = plan->draft;
    if (draft->sequence_min > HSAY_TIME_MAX || draft->time_min > HSAY_TIME_MAX)
        return HSAY_EINVAL;
    if (plan->sequence < draft->sequence_min)
        plan->sequence = draft->sequence_min;
    if (plan->time < draft->time_min)
        plan->time = draft->time_min;
    return plan->time <= limit ? 0 : HSAY_EBUDGET;
}

int hsay_node_on_publish(struct hsay_node *node, struct hsay_now now,
                         const struct hsay_draft *draft, struct hsay_id *id,
                         struct hsay_outbox *out)
{
    struct hsay_call call;
    struct hsay_bundle made;
    struct hsay_key author;
    uint8_t bytes[HSAY_BUNDLE_MAX_BYTES];
    enum hsay_drop drop;
    int error = 0;
    if (!hsay_call_begin(&call, node, now, draft->overlay, out))
        return HSAY_ENOENT;
    struct hsay_receiver r = hsay_take_receiver(&call);
    struct hsay_bundle_plan plan = {.draft = draft};
    memcpy(author.byte, draft->author_secret + HSAY_SECRET_BYTES - HSAY_KEY_BYTES,
           sizeof author.byte);
    uint64_t limit = hsay_window_limit(&call.overlay->window, now.mono); /* moves with time */
    int rc = hsay_receive_next_slot(&r, &author, &plan.sequence, &plan.time);
    if (rc == 0)
        rc = raise_slot(&plan, limit);
    if (rc == 0)
        rc = hsay_bundle_make(bytes, &made, &node->crypto, &call.overlay->keys->overlay, &plan);
    if (rc != 0)
        return rc;
    enum hsay_received state = hsay_receive_store(&r, now, &made, &drop, &error);
    if (state == HSAY_RECEIVED_FAILED)
        return error;
    if (state != HSAY_RECEIVED_NEW)
        return HSAY_EINVAL; /* an expiry in the past, or a log that others forked in our name */
    *id = made.id;
    hsay_take_stored(&call, &made, true);
    if (!call.overlay->config.pull_only)
        hsay_mail_soon(&call);
    return 0;
}

int hsay_node_on_verdict(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                         const struct hsay_peer *from, struct hsay_span bundle, bool good,
                         struct hsay_outbox *out)
{
    struct hsay_call call;
    if (!hsay_call_begin(&call, node, now, overlay, out))
        return HSAY_ENOENT;
    call.from = *from;
    call.group = hsay_addr_group(&from->addr);
    hsay_take_verdict(&call, bundle, good);
    return call.error;
}

int hsay_node_on_fetch(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                       const struct hsay_digest *digest, size_t count, struct hsay_outbox *out)
{
    struct hsay_call call;
    if (count == 0 || count > HSAY_FETCH_MAX)
        return HSAY_EINVAL;
    if (!hsay_call_begin(&call, node, now, overlay, out))
        return HSAY_ENOENT;
    struct hsay_overlay *o = call.overlay;
    struct hsay_chance chance = hsay_call_chance(&call);
    struct hsay_candidate *c = hsay_walk_sync_partner(&o->walk, &o->candidates, now.mono, &chance);
    if (c == NULL || !hsay_request_fetch(&call, c, digest, count))
        return HSAY_EBUDGET;
    return 0;
}
