#include "src/node/own_nat.h"

#include "nat/addr_class.h"
#include "src/node/search.h"
#include "src/node/step.h"

enum hsay_nat_kind hsay_own_nat(const struct hsay_call *call, uint8_t family)
{
    const struct hsay_node *node = call->node;
    struct hsay_vote_result seen;
    hsay_vote_result(&node->votes, call->now.mono, family, &node->bound, &seen);
    return (enum hsay_nat_kind)seen.kind;
}

uint8_t hsay_own_nat_flags(const struct hsay_call *call, uint8_t family)
{
    const struct hsay_node *node = call->node;
    struct hsay_vote_result seen;
    hsay_vote_result(&node->votes, call->now.mono, family, &node->bound, &seen);
    uint8_t flags = 0;
    if (seen.kind == HSAY_NAT_PUBLIC)
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
    struct hsay_vote_result result;
    hsay_addr_normalise(&v.seen);
    if (hsay_vote_add(&node->votes, call->now.mono, &v) != 0)
        return;
    hsay_vote_result(&node->votes, call->now.mono, v.seen.kind, &node->bound, &result);
    if (!result.confirmed || hsay_addr_class(&v.seen) < hsay_addr_class(&result.addr))
        return;
    hsay_step_ask_around(call, !hsay_addr_same_host(&v.seen, &result.addr));
}
