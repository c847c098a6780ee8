#include "src/node/way.h"

#include "nat/addr_class.h"
#include "src/node/own_nat.h"
#include "src/node/request.h"

struct hsay_addr_policy hsay_way_policy(const struct hsay_call *call,
                                        const struct hsay_addr *introducer)
{
    const struct hsay_node *node = call->node;
    const struct hsay_addr *seen = &node->votes.confirmed[introducer->kind == HSAY_ADDR_IP6];
    return (struct hsay_addr_policy){
        .introducer = *introducer,
        .own = {node->bound, *hsay_node_bound(node, HSAY_ADDR_IP6), *seen}};
}

/* Somebody of another network group sees us at this host.  One who says "you are where I am" would
 * else be one of us by his own word. */
static bool is_seen_from_elsewhere(const struct hsay_call *call, const struct hsay_addr *host)
{
    const struct hsay_vote_table *votes = &call->node->votes;
    uint64_t group = hsay_addr_group(host);
    const struct hsay_vote_entry *vote;
    for (size_t i = 0; (vote = hsay_vote_at(votes, call->now.mono, i)) != NULL; i++)
        if (vote->group != group && hsay_addr_same_host(&vote->seen, host))
            return true;
    return false;
}

bool hsay_way_is_own_host(const struct hsay_call *call, const struct hsay_addr *addr)
{
    struct hsay_vote_result seen = hsay_own_nat_seen(call->node, call->now.mono, addr->kind);
    /* If our public address has just changed, somebody else may have the old one by now. */
    return seen.addr.kind != HSAY_ADDR_NONE && !seen.doubted &&
           hsay_addr_same_host(&seen.addr, addr) && is_seen_from_elsewhere(call, addr);
}

struct hsay_addr hsay_way_own_lan(const struct hsay_call *call, const struct hsay_addr *to)
{
    const struct hsay_addr *bound = hsay_node_bound(call->node, to->kind);
    if (bound->kind == to->kind && hsay_addr_is_local(bound) && !hsay_addr_is_local(to) &&
        hsay_way_is_own_host(call, to))
        return *bound;
    return (struct hsay_addr){.kind = HSAY_ADDR_NONE};
}

/* From inside, what is of the sender's own class; from our public address, what is of the class
 * that we have inside, and of a peer that is at our public address as well. */
static bool may_tell(const struct hsay_call *call, const struct hsay_addr *lan,
                     const struct hsay_addr *peer)
{
    const struct hsay_addr *from = &call->from.addr;
    const struct hsay_addr *bound = hsay_node_bound(call->node, from->kind);
    bool inside = hsay_addr_is_local(from);
    struct hsay_addr_policy policy = hsay_way_policy(call, inside ? from : bound);
    if (!hsay_addr_is_local(lan) || lan->kind != from->kind || bound->kind != from->kind ||
        !hsay_addr_sendable(lan, &policy))
        return false;
    return inside || (hsay_addr_same_host(from, peer) && hsay_way_is_own_host(call, from));
}

struct hsay_addr hsay_way_told_lan(struct hsay_call *call, const struct hsay_addr *lan,
                                   const struct hsay_addr *peer)
{
    struct hsay_addr told = *lan;
    hsay_addr_normalise(&told);
    if (told.kind != HSAY_ADDR_NONE && !may_tell(call, &told, peer)) {
        hsay_drop(call->node, HSAY_DROP_PLACE);
        told = (struct hsay_addr){.kind = HSAY_ADDR_NONE};
    }
    return told;
}

void hsay_way_try(struct hsay_call *call, struct hsay_candidate *c)
{
    struct hsay_candidates *table = &call->overlay->candidates;
    const struct hsay_pendings *pendings = &call->overlay->pendings;
    const struct hsay_candidate_way *way = hsay_candidate_way_to_try(table, c, call->now.mono);
    if (way == NULL || hsay_pending_count(pendings) + 2u > pendings->entry_max)
        return; /* the last place is for what matters more */
    struct hsay_send_to to = {.peer = {way->addr, c->key},
                              .class = way->proven ? HSAY_SEND_KNOWN : HSAY_SEND_REQUEST};
    if (hsay_request_way(call, &to))
        hsay_candidate_on_way_asked(table, c, call->now.mono);
}
