/*
 * Comparisons of peers that every file of the walk needs, and the one way in which the walk turns a
 * number into a rank.
 */
#ifndef HEARSAY_WALK_PEER_H
#define HEARSAY_WALK_PEER_H

#include <string.h>

#include "hearsay/node.h"
#include "nat/addr_class.h"

static inline bool hsay_peer_key_equal(const struct hsay_key *a, const struct hsay_key *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

static inline bool hsay_peer_key_known(const struct hsay_key *key)
{
    static const struct hsay_key none;

    return !hsay_peer_key_equal(key, &none);
}

/* Enough of a key to find its peer again; 0: none.  Whoever makes a key that begins like another's
 * is asked in its stead, and no more. */
static inline uint64_t hsay_peer_name(const struct hsay_key *key)
{
    uint64_t name = 0;

    for (size_t i = 0; i < sizeof name; i++)
        name = name << 8 | key->byte[i];
    return name;
}

/* A bijection that spreads every bit (the finaliser of splitmix64).  Ranks of numbers that were
 * mixed with a secret salt are as good as a shuffle to whoever does not know the salt. */
static inline uint64_t hsay_peer_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Who counts as one voice, in half of hsay_addr_group's bits: tables hold many of these.  Two
 * groups in 2^32 share a number; they crowd each other, and that is all. */
static inline uint32_t hsay_peer_group(const struct hsay_addr *addr)
{
    return (uint32_t)(hsay_peer_mix(hsay_addr_group(addr)) >> 32);
}

#endif
