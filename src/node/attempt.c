#include "src/node/attempt.h"

#include "src/node/own_nat.h"
#include "src/walk/peer.h"

static void note_theirs(struct hsay_pending *p, uint8_t nat)
{
    if ((nat & HSAY_NAT_IS_SYMMETRIC) != 0)
        p->theirs = HSAY_NAT_SYMMETRIC;
    else
        p->theirs = (nat & HSAY_NAT_IS_PUBLIC) != 0 ? HSAY_NAT_PUBLIC : HSAY_NAT_UNKNOWN;
}

/* A puncture may have told another port than the introduction: one attempt all the same. */
static void supersede(struct hsay_pendings *table, const struct hsay_key *key)
{
    for (unsigned i = 0; i < table->entry_max; i++) {
        struct hsay_pending *p = &table->entry[i];
        if (p->kind != HSAY_PENDING_FREE && hsay_peer_key_equal(&p->to.key, key))
            p->attempt = false;
    }
}

void hsay_attempt_on_request(struct hsay_call *call, const struct hsay_candidate *c,
                             struct hsay_pending *p)
{
    struct hsay_overlay *o = call->overlay;
    if (!hsay_candidate_is_untried(&o->candidates, c, call->now.mono))
        return;
    supersede(&o->pendings, &c->key);
    p->attempt = true;
    note_theirs(p, c->nat);
}

void hsay_attempt_on_answer(struct hsay_call *call, struct hsay_pending *p, uint8_t nat)
{
    note_theirs(p, nat);
    hsay_attempt_end(call, p, true);
}

/* One that never answered has a token only from its puncture. */
static bool has_punctured(struct hsay_call *call, const struct hsay_pending *p)
{
    const struct hsay_candidate *c = hsay_candidate_find(&call->overlay->candidates, &p->to);
    return c != NULL && c->rtt_us == 0 && (c->marks & HSAY_MARK_TOKEN) != 0;
}

void hsay_attempt_end(struct hsay_call *call, struct hsay_pending *p, bool connected)
{
    uint8_t family = p->to.addr.kind;
    if (!p->attempt || (family != HSAY_ADDR_IP4 && family != HSAY_ADDR_IP6))
        return;
    struct hsay_vote_result seen = hsay_own_nat_seen(call->node, call->now.mono, family);
    uint64_t *count = call->node->stats->attempt[seen.kind][p->theirs][family == HSAY_ADDR_IP6];
    bool punctured = has_punctured(call, p);
    count[connected ? HSAY_ATTEMPT_CONNECTED : HSAY_ATTEMPT_FAILED]++;
    count[HSAY_ATTEMPT_PUNCTURED] += punctured;
    hsay_own_nat_on_attempt(call, p, connected, punctured);
    p->attempt = false;
}
