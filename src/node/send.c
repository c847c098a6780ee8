#include "src/node/send.h"

#include <assert.h>
#include <string.h>

#include "src/node/keeping.h"
#include "src/node/outbox.h"
#include "src/node/search.h"

int hsay_send_pair_key(struct hsay_call *call, const struct hsay_key *peer, bool known,
                       uint8_t out[32])
{
    struct hsay_node *node = call->node;
    uint8_t number = (uint8_t)call->overlay_number;
    const uint8_t *cached = hsay_keyring_find(&node->keyring, number, peer);
    if (cached != NULL) {
        memcpy(out, cached, 32);
        return 0;
    }
    hsay_count(node, HSAY_COUNT_AGREEMENTS, 1);
    int rc =
        hsay_seal_pair_key(out, &node->crypto, call->overlay->keys, node->secret, &node->key, peer);
    if (rc == 0)
        hsay_keyring_put(&node->keyring, number, peer, out, known);
    return rc;
}

/* Which key seals this datagram: the packet in hand brought one, the keyring has one, or `first`.
 */
static int choose_key(struct hsay_call *call, struct hsay_sending *s, const struct hsay_send_to *to)
{
    const struct hsay_overlay *o = call->overlay;
    s->as.key = s->key;
    s->as.first = hsay_key_is_zero(&to->peer.key);
    if (s->as.first) {
        memcpy(s->key, o->keys->first, sizeof s->key);
        return 0;
    }
    if (call->pair_key != NULL &&
        memcmp(&to->peer.key, &call->from.key, sizeof to->peer.key) == 0) {
        memcpy(s->key, call->pair_key, sizeof s->key);
        return 0;
    }
    return hsay_send_pair_key(call, &to->peer.key, to->class == HSAY_SEND_KNOWN, s->key);
}

bool hsay_send_begin(struct hsay_call *call, struct hsay_sending *s, const struct hsay_send_to *to)
{
    struct hsay_node *node = call->node;
    memset(s, 0, sizeof *s);
    s->to = to->peer.addr;
    s->class = to->class;
    s->socket =
        to->socket != 0 ? to->socket : hsay_search_door(node, call->now.mono, &to->peer.addr);
    s->size = node->ledger.datagram_bytes;
    if (to->bytes_max != 0 && to->bytes_max < s->size)
        s->size = to->bytes_max;
    s->as.keys = call->overlay->keys;
    s->as.own = &node->key;
    if (to->token != NULL) {
        s->token = *to->token;
        s->as.token = &s->token;
    }
    size_t message_at = hsay_seal_message_at(&s->as);
    if (s->size <= message_at + HSAY_SEAL_TAG_BYTES) {
        hsay_drop(node, HSAY_DROP_LEDGER);
        return false;
    }
    if (choose_key(call, s, to) != 0) {
        hsay_drop(node, HSAY_DROP_AGREE);
        return false;
    }
    s->room = hsay_outbox_reserve(call->out, s->size);
    if (s->room == NULL) {
        hsay_drop(node, HSAY_DROP_OUTBOX);
        return false;
    }
    s->w = hsay_writer(s->room + message_at, s->size - message_at - HSAY_SEAL_TAG_BYTES);
    return true;
}

void hsay_send_hold(struct hsay_call *call, struct hsay_sending *s)
{
    struct hsay_outbox *out = call->out;
    s->held = &out->letter[out->letter_count];
    hsay_outbox_post(out, &(struct hsay_letter){s->to, {s->room, 0}, s->socket});
}

void hsay_send_abandon(struct hsay_call *call, struct hsay_sending *s)
{
    struct hsay_outbox *out = call->out;
    if (s->held != NULL) {
        struct hsay_letter *end = out->letter + --out->letter_count;
        memmove(s->held, s->held + 1, (size_t)(end - s->held) * sizeof *end);
        s->held = NULL;
    }
    if (s->room + s->size == out->bytes + out->bytes_used)
        hsay_outbox_trim(out, s->room, 0);
    s->room = NULL;
}

/* Into the outbox, which has a place for it: begin looked, or hold took it. */
static void post(struct hsay_call *call, struct hsay_sending *s, size_t bytes)
{
    struct hsay_outbox *out = call->out;
    struct hsay_letter letter = {s->to, {s->room, bytes}, s->socket};
    if (s->room + s->size == out->bytes + out->bytes_used)
        hsay_outbox_trim(out, s->room, bytes);
    if (s->held != NULL)
        *s->held = letter;
    else
        hsay_outbox_post(out, &letter);
    struct hsay_filter *filter = hsay_node_filter(call->node);
    if (filter != NULL)
        hsay_filter_on_traffic(filter, call->now.mono, &s->to);
    if (s->socket == 0 || s->socket > HSAY_SOCKETS_LIFETIME)
        hsay_keeping_on_sent(call, &s->to);
    hsay_count(call->node, HSAY_COUNT_PACKETS_OUT, 1);
    hsay_count(call->node, HSAY_COUNT_BYTES_OUT, bytes);
}

bool hsay_send_end(struct hsay_call *call, struct hsay_sending *s)
{
    struct hsay_node *node = call->node;
    size_t message = hsay_write_size(&s->w);
    size_t bytes = hsay_seal_message_at(&s->as) + message + HSAY_SEAL_TAG_BYTES;
    struct hsay_ledger_account *account = s->class == HSAY_SEND_ANSWER ? &call->account : NULL;
    if (s->room == NULL)
        return false;
    if (s->w.bad ||
        !hsay_ledger_pass(&node->ledger, call->now.mono, s->class, &s->to, account, bytes)) {
        hsay_drop(node, HSAY_DROP_LEDGER);
        hsay_send_abandon(call, s);
        return false;
    }
    uint8_t nonce[HSAY_NONCE_BYTES];
    hsay_rng_bytes(&node->rng, &node->crypto, nonce, sizeof nonce);
    size_t sealed = hsay_seal(s->room, &node->crypto, &s->as, nonce, message);
    assert(sealed == bytes);
    post(call, s, bytes);
    s->room = NULL;
    return true;
}

bool hsay_send_message(struct hsay_call *call, const struct hsay_send_to *to,
                       const struct hsay_message *message)
{
    struct hsay_sending s;
    if (!hsay_send_begin(call, &s, to))
        return false;
    hsay_message_encode(&s.w, message);
    return hsay_send_end(call, &s);
}

bool hsay_send_puncture(struct hsay_call *call, const struct hsay_send_to *to, uint64_t id)
{
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE, .puncture = {.id = id}};
    hsay_send_make_token(call, &to->peer, &m.puncture.token);
    return hsay_send_message(call, to, &m);
}

void hsay_send_to_candidate(struct hsay_call *call, struct hsay_candidate *c,
                            struct hsay_send_to *to)
{
    bool token = hsay_candidate_has_token(&call->overlay->candidates, c, call->now.mono);
    memset(to, 0, sizeof *to);
    to->peer = (struct hsay_peer){c->addr, c->key};
    to->token = token ? &c->token : NULL;
    if (token && (c->marks & HSAY_MARK_HEARD) != 0)
        to->class = HSAY_SEND_KNOWN;
    else if ((c->marks & (HSAY_MARK_TRUSTED | HSAY_MARK_BOOK)) != 0)
        to->class = HSAY_SEND_NAMED; /* by the operator, or by its own answer to us some day */
    else
        to->class = HSAY_SEND_REQUEST;
}

static struct hsay_token_scope scope_of(const struct hsay_call *call, const struct hsay_peer *peer)
{
    struct hsay_token_scope scope = {.addr = peer->addr, .node = peer->key};
    memcpy(scope.tag, call->overlay->keys->tag, sizeof scope.tag);
    return scope;
}

void hsay_send_make_token(const struct hsay_call *call, const struct hsay_peer *peer,
                          struct hsay_token *token)
{
    const struct hsay_node *node = call->node;
    struct hsay_token_scope scope = scope_of(call, peer);
    hsay_token_make(token, &node->crypto, node->token_secret, call->now.mono, &scope);
}

bool hsay_send_made_token(const struct hsay_call *call, const struct hsay_peer *peer,
                          const struct hsay_token *token)
{
    const struct hsay_node *node = call->node;
    struct hsay_token_scope scope = scope_of(call, peer);
    return hsay_token_good(token, &node->crypto, node->token_secret, call->now.mono, &scope);
}

void hsay_send_to_source(struct hsay_call *call, struct hsay_send_to *to)
{
    memset(to, 0, sizeof *to);
    to->peer = call->from;
    to->class = HSAY_SEND_ANSWER;
    to->bytes_max = hsay_ledger_room(&call->node->ledger, &call->account);
}
