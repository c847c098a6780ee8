#include "src/node/trials.h"

#include <string.h>

#include "nat/addr_class.h"
#include "src/node/keeping.h"
#include "src/node/own_nat.h"
#include "src/node/send.h"
#include "src/walk/peer.h"

enum {
    AGAIN_MS = 3000, /* Linux takes what lasts for 2 s for a stream */
    WAIT_MS = 3000,  /* for an answer: few round trips are longer than a second */
    PROBE_MS = 1500, /* for a puncture */
    LATE_MS = 2000,  /* a trial that is so late measures something else: the machine slept */
    PROBES_MAX = 2,  /* one may be lost */
    /* A stranger is answered with no more bytes than it sent: 70 for the seal and up to 74. */
    REQUEST_BYTES = 144,
};

static void end(struct hsay_call *call, unsigned gap, enum hsay_lifetime_outcome outcome)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    m->trial[gap].stage = HSAY_TRIAL_NONE;
    hsay_lifetime_on_outcome(&m->lifetime, call->now.mono, gap, outcome);
}

static struct hsay_trial *trial_at(const struct hsay_node *node, uint16_t socket)
{
    struct hsay_measure *m = hsay_node_measure(node);
    if (m == NULL || socket < 1 || socket > HSAY_LIFETIME_TRIALS ||
        m->trial[socket - 1].stage == HSAY_TRIAL_NONE)
        return NULL;
    return &m->trial[socket - 1];
}

static uint16_t socket_of(unsigned gap)
{
    return (uint16_t)(gap + 1);
}

/* --- the question ---------------------------------------------------------------------------- */

static void ask(struct hsay_call *call, unsigned gap, enum hsay_trial_stage stage)
{
    struct hsay_node *node = call->node;
    struct hsay_trial *t = &hsay_node_measure(node)->trial[gap];
    struct hsay_send_to to = {.peer = t->peer, .class = HSAY_SEND_KNOWN, .socket = socket_of(gap)};
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    m.intro_request.id = t->id = hsay_rng_u64(&node->rng, &node->crypto);
    m.intro_request.nat = hsay_own_nat_flags(call, t->peer.addr.kind);
    m.intro_request.to = t->peer.addr;
    m.intro_request.global_time = call->overlay->window.own;
    m.intro_request.padding =
        hsay_message_padding(hsay_message_size(&m), REQUEST_BYTES - HSAY_SEAL_BYTES);
    t->stage = (uint8_t)stage;
    t->due = hsay_time_add_ms(call->now.mono, WAIT_MS);
    if (hsay_send_message(call, &to, &m))
        hsay_count(node, HSAY_COUNT_PROBES_OUT, 1);
}

/* --- beginning ------------------------------------------------------------------------------- */

/* It must be able to send to a port of ours to which it never sent: no NAT stands before it. */
static bool suits(const struct hsay_call *call, const struct hsay_candidate *c)
{
    const struct hsay_candidates *table = &call->overlay->candidates;
    hsay_time now = call->now.mono;
    return (c->nat & HSAY_NAT_IS_PUBLIC) != 0 && hsay_peer_key_known(&c->key) &&
           hsay_candidate_is_contacted(table, c, now) && hsay_candidate_has_token(table, c, now) &&
           !hsay_candidate_is_silent(table, c, now) && hsay_keeping_is_behind(call, c->addr.kind);
}

/* Any, but the one that was asked last only if there is no other: it may be that one's loss. */
static const struct hsay_candidate *choose(struct hsay_call *call, const struct hsay_peer *last)
{
    struct hsay_node *node = call->node;
    const struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_candidate *chosen = NULL, *same = NULL;
    uint64_t seen = 0;
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];
        if (!suits(call, c))
            continue;
        if (hsay_peer_key_equal(&c->key, &last->key))
            same = c;
        else if (hsay_rng_below(&node->rng, &node->crypto, ++seen) == 0)
            chosen = c;
    }
    return chosen != NULL ? chosen : same;
}

void hsay_trials_begin(struct hsay_call *call)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    static const struct hsay_peer nobody;
    int gap;
    if (!hsay_keeping_may(call) || choose(call, &nobody) == NULL)
        return;
    while ((gap = hsay_lifetime_next(&m->lifetime, call->now.mono)) >= 0) {
        struct hsay_trial *t = &m->trial[gap];
        const struct hsay_candidate *c = choose(call, &t->peer);
        *t = (struct hsay_trial){.peer = {c->addr, c->key},
                                 .overlay = (uint8_t)call->overlay_number};
        ask(call, (unsigned)gap, HSAY_TRIAL_ASKED);
    }
}

/* --- the probe ------------------------------------------------------------------------------- */

static bool send_probe(struct hsay_call *call, struct hsay_trial *t)
{
    struct hsay_node *node = call->node;
    struct hsay_candidates *table = &call->overlay->candidates;
    struct hsay_candidate *c = hsay_candidate_find(table, &t->peer);
    if (c == NULL || !hsay_addr_equal(&c->addr, &t->peer.addr) ||
        !hsay_peer_key_equal(&c->key, &t->peer.key) ||
        !hsay_candidate_has_token(table, c, call->now.mono))
        return false;
    struct hsay_send_to to = {.peer = t->peer, .token = &c->token, .class = HSAY_SEND_KNOWN};
    struct hsay_message m = {.type = HSAY_MSG_PROBE,
                             .probe = {.id = t->id, .port = t->port, .token = t->token}};
    if (!hsay_send_message(call, &to, &m))
        return false;
    hsay_count(node, HSAY_COUNT_PROBES_OUT, 1);
    t->due = hsay_time_add_ms(call->now.mono, PROBE_MS);
    t->probes++;
    return true;
}

static void probe(struct hsay_call *call, unsigned gap)
{
    struct hsay_node *node = call->node;
    struct hsay_trial *t = &hsay_node_measure(node)->trial[gap];
    if (t->stage == HSAY_TRIAL_SILENT) {
        t->id = hsay_rng_u64(&node->rng, &node->crypto);
        t->stage = HSAY_TRIAL_PROBED;
    } else if (t->probes == PROBES_MAX) {
        end(call, gap, HSAY_LIFETIME_DIED);
        return;
    }
    if (!send_probe(call, t))
        end(call, gap, HSAY_LIFETIME_NOTHING);
}

/* --- in turn --------------------------------------------------------------------------------- */

static void advance(struct hsay_call *call, unsigned gap)
{
    struct hsay_trial *t = &hsay_node_measure(call->node)->trial[gap];
    if (!hsay_time_before(call->now.mono, hsay_time_add_ms(t->due, LATE_MS))) {
        end(call, gap, HSAY_LIFETIME_NOTHING);
        return;
    }
    switch ((enum hsay_trial_stage)t->stage) {
    case HSAY_TRIAL_NONE:
        break;
    case HSAY_TRIAL_ASKED:
    case HSAY_TRIAL_ASKED_AGAIN:
        end(call, gap, HSAY_LIFETIME_NOTHING);
        break;
    case HSAY_TRIAL_ANSWERED:
        ask(call, gap, HSAY_TRIAL_ASKED_AGAIN);
        break;
    case HSAY_TRIAL_SILENT:
    case HSAY_TRIAL_PROBED:
        probe(call, gap);
        break;
    }
}

void hsay_trials_run(struct hsay_call *call)
{
    struct hsay_measure *m = hsay_node_measure(call->node);
    for (unsigned gap = 0; m != NULL && gap < HSAY_LIFETIME_TRIALS; gap++) {
        struct hsay_trial *t = &m->trial[gap];
        if (t->stage != HSAY_TRIAL_NONE && t->overlay == call->overlay_number &&
            !hsay_time_before(call->now.mono, t->due))
            advance(call, gap);
    }
}

hsay_time hsay_trials_deadline(const struct hsay_node *node, uint16_t overlay)
{
    const struct hsay_measure *m = hsay_node_measure(node);
    hsay_time due = HSAY_TIME_NEVER;
    for (unsigned gap = 0; m != NULL && gap < HSAY_LIFETIME_TRIALS; gap++)
        if (m->trial[gap].stage != HSAY_TRIAL_NONE && m->trial[gap].overlay == overlay)
            due = hsay_time_min(due, m->trial[gap].due);
    return due;
}

void hsay_trials_drop(struct hsay_node *node, uint16_t overlay)
{
    struct hsay_call call = {.node = node}; /* no time: a round that this ends is not waited for */
    for (unsigned gap = 0; gap < HSAY_LIFETIME_TRIALS; gap++) {
        const struct hsay_trial *t = trial_at(node, socket_of(gap));
        if (t != NULL && t->overlay == overlay)
            end(&call, gap, HSAY_LIFETIME_NOTHING);
    }
}

/* --- what comes ------------------------------------------------------------------------------ */

static bool is_from(const struct hsay_call *call, const struct hsay_trial *t)
{
    return t->overlay == call->overlay_number && hsay_addr_equal(&call->from.addr, &t->peer.addr) &&
           hsay_peer_key_equal(&call->from.key, &t->peer.key);
}

bool hsay_trials_on_answer(struct hsay_call *call, const struct hsay_intro_response *a)
{
    struct hsay_trial *t = trial_at(call->node, call->socket);
    if (t == NULL || t->id != a->id || !is_from(call, t) ||
        (t->stage != HSAY_TRIAL_ASKED && t->stage != HSAY_TRIAL_ASKED_AGAIN))
        return false;
    unsigned gap = call->socket - 1u;
    bool used = t->stage == HSAY_TRIAL_ASKED_AGAIN || gap == HSAY_LIFETIME_LONE;
    uint32_t gap_ms = hsay_lifetime_gap_ms(&hsay_node_measure(call->node)->lifetime, gap);
    t->stage = used ? HSAY_TRIAL_SILENT : HSAY_TRIAL_ANSWERED;
    t->due = hsay_time_add_ms(call->now.mono, used ? gap_ms : AGAIN_MS);
    t->port = a->to.port;
    t->token = a->token;
    if (t->port == 0)
        end(call, gap, HSAY_LIFETIME_NOTHING);
    return true;
}

bool hsay_trials_on_puncture(struct hsay_call *call, const struct hsay_puncture *p)
{
    struct hsay_trial *t = trial_at(call->node, call->socket);
    if (t == NULL || t->stage != HSAY_TRIAL_PROBED || t->id != p->id || !is_from(call, t))
        return false;
    end(call, call->socket - 1u, HSAY_LIFETIME_LIVED);
    return true;
}

void hsay_trials_on_arrival(struct hsay_node *node, struct hsay_now now, uint16_t socket)
{
    struct hsay_call call = {.node = node, .now = now};
    const struct hsay_trial *t = trial_at(node, socket);
    if (t != NULL && t->stage == HSAY_TRIAL_SILENT)
        end(&call, socket - 1u, HSAY_LIFETIME_NOTHING);
}

bool hsay_trials_uses_socket(const struct hsay_node *node, uint16_t socket)
{
    return trial_at(node, socket) != NULL;
}
