/*
 * The door: a datagram comes in, is refused as cheaply as can be, or reaches the one handler of its
 * type.  Refusals in order of their cost: length, version, overlay tag, own key (a few instructions
 * each); token (0.3 us); rate; a stranger's key (30 us, under a budget); seal (1 us); form.
 */
#include <string.h>

#include "nat/addr_class.h"
#include "src/node/answering.h"
#include "src/node/answers.h"
#include "src/node/call.h"
#include "src/node/outbox.h"
#include "src/node/own_nat.h"
#include "src/node/puncturing.h"
#include "src/node/search.h"
#include "src/node/send.h"
#include "src/node/trials.h"

static void on_direct(struct hsay_call *call, const struct hsay_message *m)
{
    if (!call->account.validated) {
        hsay_drop(call->node, HSAY_DROP_TOKEN);
        return;
    }
    struct hsay_event *e = hsay_outbox_event(call->out, HSAY_EVENT_DIRECT, call->overlay_number);
    if (e == NULL)
        return;
    e->peer = call->from;
    e->number[0] = m->direct.type;
    e->bytes = hsay_outbox_copy(call->out, m->direct.payload);
}

typedef void handler(struct hsay_call *call, const struct hsay_message *m);

static handler *const handlers[HSAY_MSG_TYPE_COUNT] = {
    [HSAY_MSG_INTRO_REQUEST] = hsay_answering_on_intro_request,
    [HSAY_MSG_INTRO_RESPONSE] = hsay_answers_on_intro_response,
    [HSAY_MSG_PUNCTURE_REQUEST] = hsay_puncturing_on_request,
    [HSAY_MSG_PUNCTURE] = hsay_puncturing_on_puncture,
    [HSAY_MSG_BUNDLES] = hsay_answers_on_bundles,
    [HSAY_MSG_FETCH] = hsay_answering_on_fetch,
    [HSAY_MSG_DIRECT] = on_direct,
    [HSAY_MSG_PROBE] = hsay_puncturing_on_probe,
};

/* One datagram on its way through the door. */
struct arrival {
    struct hsay_envelope envelope;
    uint8_t key[32];
    bool cached; /* the key came from the keyring */
    size_t bytes;
};

static int find_overlay(struct hsay_node *node, const uint8_t tag[HSAY_TAG_BYTES])
{
    for (unsigned i = 0; i < node->overlays_max; i++)
        if (node->overlay[i].used && memcmp(node->overlay[i].keys->tag, tag, HSAY_TAG_BYTES) == 0)
            return (int)i;
    return -1;
}

/* Did the source show a token that we made for it? */
static bool token_is_good(const struct hsay_call *call, const struct hsay_envelope *e)
{
    return (e->flags & HSAY_ENVELOPE_TOKEN) != 0 &&
           hsay_send_made_token(call, &call->from, &e->token);
}

/* We asked somebody at this address: what comes from there may be the answer. */
static bool is_awaited(const struct hsay_call *call)
{
    const struct hsay_pendings *pendings = &call->overlay->pendings;
    for (unsigned i = 0; i < pendings->entry_max; i++)
        if (pendings->entry[i].kind != HSAY_PENDING_FREE &&
            memcmp(&pendings->entry[i].to.addr, &call->from.addr, sizeof call->from.addr) == 0)
            return true;
    return false;
}

/* The key between us and the sender; false, counted, when a stranger's is not worth the work now.
 */
static bool find_pair_key(struct hsay_call *call, struct arrival *a, bool awaited)
{
    struct hsay_node *node = call->node;
    const uint8_t *cached =
        hsay_keyring_find(&node->keyring, (uint8_t)call->overlay_number, &call->from.key);
    a->cached = cached != NULL;
    if (a->cached) {
        memcpy(a->key, cached, sizeof a->key);
        return true;
    }
    if (!call->account.validated && !awaited &&
        !hsay_gate_take(&node->gate, call->now.mono, HSAY_GATE_AGREE, call->group, 1)) {
        hsay_drop(node, HSAY_DROP_AGREE);
        return false;
    }
    hsay_count(node, HSAY_COUNT_AGREEMENTS, 1);
    if (hsay_seal_pair_key(a->key, &node->crypto, call->overlay->keys, node->secret, &node->key,
                           &call->from.key) != 0) {
        hsay_drop(node, HSAY_DROP_SEAL);
        return false;
    }
    return true;
}

static void remember_key(struct hsay_call *call, const struct arrival *a)
{
    if (!a->cached)
        hsay_keyring_put(&call->node->keyring, (uint8_t)call->overlay_number, &call->from.key,
                         a->key, call->account.validated);
}

/* Open, decode, handle.  A packet sealed to the overlay is opened before its sender's key is paid
 * for: whoever does not know the overlay's secret costs us no X25519. */
static void open_and_handle(struct hsay_call *call, struct arrival *a, bool awaited)
{
    struct hsay_node *node = call->node;
    uint8_t plain[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_span message;
    struct hsay_message m;
    bool first = (a->envelope.flags & HSAY_ENVELOPE_FIRST) != 0;
    if (!first && !find_pair_key(call, a, awaited))
        return;
    const uint8_t *key = first ? call->overlay->keys->first : a->key;
    if (hsay_open(plain, &message, &node->crypto, &a->envelope, key) != 0) {
        hsay_drop(node, HSAY_DROP_SEAL);
        return;
    }
    if (first && !find_pair_key(call, a, awaited))
        return;
    remember_key(call, a);
    if (hsay_message_decode(&m, message) != 0) {
        hsay_drop(node, HSAY_DROP_DECODE);
        return;
    }
    if (first && m.type != HSAY_MSG_INTRO_REQUEST) {
        hsay_drop(node, HSAY_DROP_FIRST);
        return;
    }
    call->pair_key = a->key;
    if (!first) {
        hsay_own_nat_on_message(call, &m);
        hsay_search_on_packet(call, awaited && m.type == HSAY_MSG_INTRO_RESPONSE);
    }
    handlers[m.type](call, &m);
}

/* From us, or from where nobody can be (port 0, multicast and the like): whatever we answered would
 * come back, or go to many.  What others believe our address to be does not count here: they could
 * make us deaf to whom they name. */
static bool is_source_absurd(const struct hsay_call *call)
{
    struct hsay_node *node = call->node;
    const struct hsay_addr_policy policy = {
        .introducer = call->from.addr,
        .own = {node->bound, *hsay_node_bound(node, HSAY_ADDR_IP6)},
        .low_ports_ok = true};
    return !hsay_addr_sendable(&call->from.addr, &policy);
}

static void enter(struct hsay_call *call, struct arrival *a)
{
    struct hsay_node *node = call->node;
    call->from.key = a->envelope.sender;
    if (memcmp(&call->from.key, &node->key, sizeof node->key) == 0 || is_source_absurd(call)) {
        hsay_drop(node, HSAY_DROP_SELF);
        return;
    }
    call->group = hsay_addr_group(&call->from.addr);
    call->account = hsay_ledger_account(a->bytes, token_is_good(call, &a->envelope));
    bool awaited = is_awaited(call);
    if (!call->account.validated && !awaited &&
        !hsay_gate_take(&node->gate, call->now.mono, HSAY_GATE_PACKET, call->group, 1)) {
        hsay_drop(node, HSAY_DROP_RATE);
        return;
    }
    open_and_handle(call, a, awaited);
}

int hsay_node_on_packet(struct hsay_node *node, struct hsay_now now,
                        const struct hsay_packet *packet, struct hsay_outbox *out)
{
    struct arrival a;
    struct hsay_call call;
    hsay_count(node, HSAY_COUNT_PACKETS_IN, 1);
    hsay_count(node, HSAY_COUNT_BYTES_IN, packet->bytes.size);
    hsay_trials_on_arrival(node, now, packet->socket);
    int rc = hsay_envelope_parse(&a.envelope, packet->bytes);
    if (rc != 0) {
        hsay_drop(node, rc == HSAY_EVERSION ? HSAY_DROP_VERSION : HSAY_DROP_LENGTH);
        return 0;
    }
    int overlay = find_overlay(node, a.envelope.tag);
    if (overlay < 0 || !hsay_call_begin(&call, node, now, (uint16_t)overlay, out)) {
        hsay_drop(node, HSAY_DROP_OVERLAY);
        return 0;
    }
    a.bytes = packet->bytes.size;
    call.from.addr = packet->from;
    call.socket = packet->socket;
    hsay_addr_normalise(&call.from.addr);
    enter(&call, &a);
    return call.error;
}
