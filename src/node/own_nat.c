#include "src/node/own_nat.h"

enum hsay_nat_kind hsay_own_nat(const struct hsay_call *call, uint8_t family)
{
    const struct hsay_node *node = call->node;
    struct hsay_vote_result seen;
    hsay_vote_result(&node->votes, call->now.mono, family, &node->bound, &seen);
    return (enum hsay_nat_kind)seen.kind;
}

uint8_t hsay_own_nat_flags(const struct hsay_call *call, uint8_t family)
{
    enum hsay_nat_kind kind = hsay_own_nat(call, family);
    if (kind == HSAY_NAT_SYMMETRIC)
        return HSAY_NAT_IS_SYMMETRIC;
    return kind == HSAY_NAT_PUBLIC ? HSAY_NAT_IS_PUBLIC : 0;
}
