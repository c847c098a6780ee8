#include "src/node/own_nat.h"

#include "nat/addr_class.h"
#include "src/node/search.h"
#include "src/node/step.h"

struct hsay_vote_result hsay_own_nat_seen(const struct hsay_node *node, hsay_time now,
                                          uint8_t family)
{
    struct hsay_vote_result seen;
    hsay_vote_result(&node->votes, now, family, hsay_node_bound(node, family), &seen);
    return seen;
}

bool hsay_own_nat_lets_all_in(const struct hsay_call *call, uint8_t family)
{
    const struct hsay_filter *filter = hsay_node_filter(call->node);
    struct hsay_filter_result result = {.kind = HSAY_FILTER_UNKNOWN};
    if (filter != NULL)
        hsay_filter_result(filter, call->now.mono, family, &result);
    return result.kind == HSAY_FILTER_NONE;
}

uint8_t hsay_own_nat_flags(const struct hsay_call *call, uint8_t family)
{
    struct hsay_vote_result seen = hsay_own_nat_seen(call->node, call->now.mono, family);
    uint8_t flags = 0;
    if (seen.kind == HSAY_NAT_PUBLIC ||
        (seen.kind == HSAY_NAT_INDEPENDENT && hsay_own_nat_lets_all_in(call, family)))
        return HSAY_NAT_IS_PUBLIC;
    if (seen.kind == HSAY_NAT_SYMMETRIC)
        flags |= HSAY_NAT_IS_SYMMETRIC;
    if (seen.sequential)
        flags |= HSAY_NAT_IS_SEQUENTIAL;
    /* Which part in a search is ours, two votes tell. */
    if (seen.groups >= 2 && hsay_search_offers(call, seen.kind == HSAY_NAT_SYMMETRIC))
        flags |= HSAY_NAT_SEARCHES;
    return flags;
}

void hsay_own_nat_on_vote(struct hsay_call *call, const struct hsay_addr *seen)
{
    struct hsay_node *node = call->node;
    struct hsay_vote v = {.voter = call->from.addr, .seen = *seen, .contacted = true};
    hsay_addr_normalise(&v.seen);
    struct hsay_addr before = node->votes.confirmed[v.seen.kind == HSAY_ADDR_IP6];
    if (hsay_vote_add(&node->votes, call->now.mono, &v) != 0)
        return;
    if (!hsay_addr_equal(&before, &node->votes.confirmed[v.seen.kind == HSAY_ADDR_IP6]))
        hsay_step_on_moved(call);
    struct hsay_vote_result result = hsay_own_nat_seen(node, call->now.mono, v.seen.kind);
    if (!result.confirmed || hsay_addr_class(&v.seen) < hsay_addr_class(&result.addr))
        return;
    /* Where each destination sees a port of its own, another port is no news. */
    bool one_port = result.kind == HSAY_NAT_INDEPENDENT || result.kind == HSAY_NAT_PUBLIC;
    hsay_step_ask_around(call, one_port ? !hsay_addr_equal(&v.seen, &result.addr)
                                        : !hsay_addr_same_host(&v.seen, &result.addr));
}

/* ---- what it filters ---- */

/* From the world in which we have an address, and not from behind our own NAT. */
static bool is_outside(const struct hsay_call *call, const struct hsay_addr *addr)
{
    struct hsay_vote_result own = hsay_own_nat_seen(call->node, call->now.mono, addr->kind);
    return own.addr.kind != HSAY_ADDR_NONE && hsay_addr_class(&own.addr) == hsay_addr_class(addr) &&
           !hsay_addr_same_host(&own.addr, addr);
}

/* Whoever is known, or was asked for a puncture towards us; that may come before the introduction
 * that tells who it is. */
static bool is_expected(struct hsay_call *call, const struct hsay_message *m)
{
    struct hsay_overlay *o = call->overlay;
    bool puncture = m->type == HSAY_MSG_PUNCTURE;
    if (!puncture && m->type != HSAY_MSG_INTRO_REQUEST)
        return false;
    return hsay_candidate_find(&o->candidates, &call->from) != NULL ||
           (puncture && hsay_pending_by_id(&o->pendings, m->puncture.id) != NULL);
}

void hsay_own_nat_on_message(struct hsay_call *call, const struct hsay_message *m)
{
    struct hsay_filter *filter = hsay_node_filter(call->node);
    if (filter == NULL)
        return;
    if (hsay_filter_is_news(filter, call->now.mono, &call->from.addr) && is_expected(call, m) &&
        is_outside(call, &call->from.addr))
        hsay_filter_on_packet(filter, call->now.mono, &call->from.addr);
    hsay_filter_on_traffic(filter, call->now.mono, &call->from.addr);
}

bool hsay_own_nat_is_untouched(const struct hsay_call *call, const struct hsay_addr *addr)
{
    struct hsay_filter *filter = hsay_node_filter(call->node);
    return filter != NULL && hsay_filter_is_untouched(filter, call->now.mono, addr) &&
           is_outside(call, addr);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

void hsay_own_nat_on_attempt(struct hsay_call *call, const struct hsay_pending *p, bool connected,
                             bool punctured)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_candidate *c = hsay_candidate_find(table, &p->to);
    uint64_t past_ms = hsay_time_ms_between(p->sent, call->now.mono);
    bool kept_out = connected && p->untouched;
    bool unheard = !connected && p->theirs == HSAY_NAT_SYMMETRIC && !p->untouched;
    struct hsay_filter *filter = hsay_node_filter(call->node);
    if (filter == NULL || c == NULL || punctured || (!kept_out && !unheard) ||
        !is_outside(call, &p->to.addr))
        return;
    uint64_t introduced_ms = hsay_candidate_age_ms(table, c->introduced_at, call->now.mono);
    struct hsay_filter_silence silence = {
        .peer = p->to.addr,
        .asker = c->introducer,
        .sign = kept_out ? HSAY_FILTER_KEPT_OUT : HSAY_FILTER_UNHEARD,
        .waited_ms = minus(introduced_ms, past_ms),
        .rtt_ms = past_ms,
    };
    hsay_filter_on_silence(filter, call->now.mono, &silence);
}
