#include "src/node/own_nat.h"

enum hsay_nat_kind hsay_own_nat(const struct hsay_call *call, uint8_t family)
{
    const struct hsay_node *node = call->node;
    struct hsay_vote_result seen;
    hsay_vote_result(&node->votes, call->now.mono, family, &node->bound, &seen);
    return (enum hsay_nat_kind)seen.kind;
}
