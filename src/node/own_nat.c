#include "src/node/own_nat.h"

#include "src/node/search.h"

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
