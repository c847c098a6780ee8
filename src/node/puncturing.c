#include "src/node/puncturing.h"

#include "src/node/keeping.h"
#include "src/node/own_nat.h"
#include "src/node/search.h"
#include "src/node/send.h"
#include "src/node/step.h"
#include "src/node/trials.h"
#include "src/node/way.h"

/* When we last asked the asker, or answered it.  Whom we introduced, or handed on, is forgotten as
 * a candidate, but has us as one, and will introduce us: there the token is as good as a memory,
 * for we give it with what we ask and answer. */
static hsay_time dealt_at(const struct hsay_call *call)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_candidate *c = hsay_candidate_find(table, &call->from);
    if (c == NULL || (c->asked_at == 0 && c->requested_at == 0))
        return call->account.validated ? call->now.mono : HSAY_TIME_NEVER;
    hsay_tick at = c->asked_at > c->requested_at ? c->asked_at : c->requested_at;
    return (hsay_time){call->now.mono.ns -
                       hsay_candidate_age_ms(table, at, call->now.mono) * 1000000u};
}

static bool may_puncture(struct hsay_call *call, const struct hsay_addr *target,
                         const struct hsay_addr *introducer)
{
    struct hsay_puncture_ask ask = {
        .target = *target,
        .asker_at = dealt_at(call),
        .policy = hsay_way_policy(call, introducer),
    };
    return hsay_puncture_try(&call->node->punctures, call->now.mono, &ask) == HSAY_PUNCTURE_OK;
}

/* Where somebody at `introducer` could have named the peer. */
static bool puncture(struct hsay_call *call, const struct hsay_peer *peer, uint64_t id,
                     const struct hsay_addr *introducer)
{
    struct hsay_send_to to = {.peer = *peer, .class = HSAY_SEND_PUNCTURE};
    if (hsay_key_is_zero(&peer->key) || !may_puncture(call, &peer->addr, introducer)) {
        hsay_drop(call->node, HSAY_DROP_PUNCTURE);
        return false;
    }
    if (hsay_send_puncture(call, &to, id))
        hsay_count(call->node, HSAY_COUNT_PUNCTURES_OUT, 1);
    return true;
}

bool hsay_puncturing_towards(struct hsay_call *call, const struct hsay_peer *peer, uint64_t id)
{
    return puncture(call, peer, id, &call->from.addr);
}

/* Nothing is in the way of a peer inside but perhaps the firewall of our own host. */
static void puncture_inside(struct hsay_call *call, const struct hsay_puncture_request *r)
{
    struct hsay_peer inside = {hsay_way_told_lan(call, &r->target.lan, &r->target.addr),
                               r->target.key};
    if (inside.addr.kind != HSAY_ADDR_NONE)
        puncture(call, &inside, r->id, hsay_node_bound(call->node, inside.addr.kind));
}

void hsay_puncturing_on_request(struct hsay_call *call, const struct hsay_message *m)
{
    const struct hsay_puncture_request *r = &m->puncture_request;
    struct hsay_peer target = {r->target.addr, r->target.key};
    hsay_addr_normalise(&target.addr);
    if (!call->account.validated) {
        hsay_drop(call->node, HSAY_DROP_PUNCTURE);
        return;
    }
    hsay_keeping_on_introduced(call);
    struct hsay_introduced peer = r->target;
    peer.addr = target.addr;
    hsay_search_consider(call, &peer, r->id, hsay_own_nat_flags(call, peer.addr.kind));
    puncture_inside(call, r);
    if (!hsay_puncturing_towards(call, &target, r->id))
        return;
    struct hsay_candidate *introducer =
        hsay_candidate_find(&call->overlay->candidates, &call->from);
    if (introducer != NULL)
        hsay_step_hand_on(call, introducer);
}

void hsay_puncturing_on_puncture(struct hsay_call *call, const struct hsay_message *m)
{
    struct hsay_overlay *o = call->overlay;
    if (hsay_trials_on_puncture(call, &m->puncture))
        return;
    /* The id belongs to a request that may have been answered and forgotten by now. */
    struct hsay_candidate *c =
        hsay_candidate_on_puncture(&o->candidates, call->now.mono, &call->from);
    if (c == NULL) {
        hsay_drop(call->node, HSAY_DROP_UNASKED);
        return;
    }
    hsay_candidate_on_token(c, &m->puncture.token);
    hsay_puncture_on_packet(&call->node->punctures, &call->from.addr);
    hsay_count(call->node, HSAY_COUNT_PUNCTURES_IN, m->puncture.id != 0); /* else it keeps a path */
    if (hsay_candidate_has_come(c))
        hsay_step_hasten(call);
}

/* To a port for which we gave a token, two or four minutes ago at most: its owner could hear us
 * there, so this aims us at nobody.  It is shorter than what asked for it. */
void hsay_puncturing_on_probe(struct hsay_call *call, const struct hsay_message *m)
{
    struct hsay_send_to to = {.peer = call->from, .class = HSAY_SEND_KNOWN};
    to.peer.addr.port = m->probe.port;
    if (!call->account.validated || !hsay_send_made_token(call, &to.peer, &m->probe.token)) {
        hsay_drop(call->node, HSAY_DROP_TOKEN);
        return;
    }
    hsay_send_puncture(call, &to, m->probe.id);
}
