#include "src/node/taking.h"

#include "nat/addr_class.h"
#include "src/node/catchup.h"
#include "src/node/outbox.h"
#include "src/wire/pack.h"

struct hsay_receiver hsay_take_receiver(struct hsay_call *call)
{
    struct hsay_overlay *o = call->overlay;
    return (struct hsay_receiver){
        .store = &o->config.store,
        .crypto = &call->node->crypto,
        .overlay = &o->keys->overlay,
        .window = &o->window,
    };
}

void hsay_take_stored(struct hsay_call *call, const struct hsay_bundle *b, bool own)
{
    struct hsay_overlay *o = call->overlay;
    hsay_count(call->node, own ? HSAY_COUNT_BUNDLES_OWN : HSAY_COUNT_BUNDLES_NEW, 1);
    /* What comes while we catch up is old news to the others. */
    if (!o->config.pull_only && (own || !o->catchup.known_behind))
        hsay_rumor_add(&o->rumors, call->now.mono, &b->digest, own);
    hsay_catchup_on_news(call, !own && b->time >= o->window.own);
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_BUNDLE, call->overlay_number);
    if (e == NULL) {
        hsay_drop(call->node, HSAY_DROP_OUTBOX);
        return;
    }
    e->own = own;
    e->peer = call->from;
    e->position = (struct hsay_position){b->time, b->digest};
    e->author = b->author;
    e->bytes = hsay_outbox_copy(call->out, b->bytes);
}

static void report_fork(struct hsay_call *call, const struct hsay_bundle *b)
{
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_FORK, call->overlay_number);
    if (e == NULL)
        return;
    e->position = (struct hsay_position){b->time, b->digest};
    e->author = b->author;
}

/* The signature is good: into the store. */
static bool store_checked(struct hsay_call *call, const struct hsay_bundle *b)
{
    struct hsay_receiver r = hsay_take_receiver(call);
    enum hsay_drop drop = HSAY_DROP_DUPLICATE;
    int error = 0;
    switch (hsay_receive_store(&r, call->now, b, &drop, &error)) {
    case HSAY_RECEIVED_FORK:
        report_fork(call, b);
        hsay_take_stored(call, b, false);
        return true;
    case HSAY_RECEIVED_NEW:
        hsay_take_stored(call, b, false);
        return true;
    case HSAY_RECEIVED_FAILED:
        hsay_call_failed(call, error);
        hsay_drop(call->node, HSAY_DROP_FULL);
        return false;
    default:
        hsay_drop(call->node, drop);
        return false;
    }
}

static bool refuse_forged(struct hsay_call *call)
{
    hsay_gate_take(&call->node->gate, call->now.mono, HSAY_GATE_FORGED, call->group, 1);
    hsay_drop(call->node, HSAY_DROP_SIGNATURE);
    return false;
}

/* It counts as new: a forger's is found out by the verdict. */
static bool ask_outside(struct hsay_call *call, const struct hsay_bundle *b)
{
    struct hsay_span copy = hsay_outbox_copy(call->out, b->bytes);
    struct hsay_event *e = NULL;
    if (copy.size != 0)
        e = hsay_outbox_event(call->out, HSAY_EVENT_VERIFY, call->overlay_number);
    if (e == NULL) {
        hsay_drop(call->node, HSAY_DROP_OUTBOX);
        return false;
    }
    e->peer = call->from;
    e->author = b->author;
    e->bytes = copy;
    return true;
}

static bool take_one(struct hsay_call *call, struct hsay_span bytes)
{
    struct hsay_node *node = call->node;
    struct hsay_receiver r = hsay_take_receiver(call);
    struct hsay_bundle b;
    enum hsay_drop drop = HSAY_DROP_BUNDLE;
    int error = 0;
    enum hsay_received state = hsay_receive_check(&r, call->now, bytes, &b, &drop, &error);
    if (state == HSAY_RECEIVED_FAILED)
        hsay_call_failed(call, error);
    if (state != HSAY_RECEIVED_UNCHECKED) {
        hsay_drop(node, state == HSAY_RECEIVED_FAILED ? HSAY_DROP_FULL : drop);
        return false;
    }
    if (!hsay_gate_open(&node->gate, call->now.mono, HSAY_GATE_FORGED, call->group)) {
        hsay_drop(node, HSAY_DROP_FORGER);
        return false;
    }
    if (node->verify_outside)
        return ask_outside(call, &b);
    hsay_count(node, HSAY_COUNT_VERIFIED, 1);
    if (!hsay_bundle_verify(&b, &node->crypto, &call->overlay->keys->overlay))
        return refuse_forged(call);
    return store_checked(call, &b);
}

struct hsay_taken hsay_take_list(struct hsay_call *call, struct hsay_span list)
{
    struct hsay_taken taken = {0, 0};
    struct hsay_packer packer = {.author_count = 0};
    struct hsay_reader r = hsay_reader(list);
    uint8_t bytes[HSAY_BUNDLE_MAX_BYTES];
    struct hsay_span bundle;
    int rc;
    while ((rc = hsay_pack_next(&packer, &r, bytes, &bundle)) == 0) {
        taken.got++;
        hsay_count(call->node, HSAY_COUNT_BUNDLES_IN, 1);
        hsay_count(call->node, HSAY_COUNT_BUNDLE_BYTES_IN, bundle.size);
        if (take_one(call, bundle))
            taken.fresh++;
    }
    if (rc == HSAY_EBAD)
        hsay_drop(call->node, HSAY_DROP_BUNDLE);
    return taken;
}

bool hsay_take_verdict(struct hsay_call *call, struct hsay_span bytes, bool good)
{
    struct hsay_bundle b;
    if (hsay_bundle_decode(&b, &call->node->crypto, bytes) != 0) {
        hsay_drop(call->node, HSAY_DROP_BUNDLE);
        return false;
    }
    hsay_count(call->node, HSAY_COUNT_VERIFIED, 1);
    return good ? store_checked(call, &b) : refuse_forged(call);
}
