#include "src/walk/candidate_way.h"

#include <assert.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"

/* How likely a peer is to be reached at an address, and how well: no NAT is in the way of the first
 * two.  What is no address of the internet can not be compared. */
enum rank { RANK_NONE, RANK_WORLD, RANK_LAN, RANK_IP6 };

static enum rank rank_of(const struct hsay_addr *addr)
{
    if (addr->kind == HSAY_ADDR_IP6)
        return RANK_IP6;
    if (addr->kind != HSAY_ADDR_IP4)
        return RANK_NONE;
    return hsay_addr_is_local(addr) ? RANK_LAN : RANK_WORLD;
}

bool hsay_candidate_way_is_better(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return rank_of(b) != RANK_NONE && rank_of(a) > rank_of(b);
}

#define AT_S_MASK ((UINT32_C(1) << 27) - 1)

enum { TRIES_MAX = 4 };

static uint32_t at_s(hsay_time now)
{
    return (uint32_t)(now.ns / 1000000000u) & AT_S_MASK;
}

static uint64_t way_age_ms(const struct hsay_candidate_way *way, hsay_time now)
{
    return UINT64_C(1000) * ((at_s(now) - way->at_s) & AT_S_MASK);
}

static struct hsay_candidate_way *way_place(const struct hsay_candidates *table,
                                            const struct hsay_candidate *c)
{
    return &table->way[(size_t)(c - table->entry) % table->way_max];
}

struct hsay_candidate_way *hsay_candidate_way_of(const struct hsay_candidates *table,
                                                 const struct hsay_candidate *c)
{
    struct hsay_candidate_way *way = way_place(table, c);

    return hsay_addr_equal(&way->of, &c->addr) ? way : NULL;
}

/* Silent as often as it was asked, it has to wait for the next time four times as long each. */
static bool is_rested(const struct hsay_candidates *table, const struct hsay_candidate_way *way,
                      hsay_time now)
{
    if (way->tries == 0)
        return true;
    return way_age_ms(way, now) >= (uint64_t)table->times.again_ms << 2 * (way->tries - 1);
}

/* A better address is still to be tried, or rests from that; what is of another rank need not wait
 * until it has rested. */
static bool is_taken(const struct hsay_candidates *table, const struct hsay_candidate *c,
                     const struct hsay_candidate_way *way, const struct hsay_addr *addr,
                     hsay_time now)
{
    if (!hsay_candidate_way_is_better(&way->addr, &c->addr))
        return false;
    return way->tries == 0 || (rank_of(&way->addr) == rank_of(addr) && !is_rested(table, way, now));
}

bool hsay_candidate_way_keep(struct hsay_candidates *table, hsay_time now,
                             const struct hsay_candidate *c, const struct hsay_candidate *old,
                             bool worked)
{
    struct hsay_candidate_way way = {
        .of = c->addr, .addr = old->addr, .at_s = at_s(now) & AT_S_MASK};

    way.proven = (old->marks & HSAY_MARK_HEARD) != 0;
    if (hsay_candidate_way_is_better(&c->addr, &old->addr) && worked)
        way.seen = 1;
    else if (hsay_candidate_way_is_better(&old->addr, &c->addr))
        way.tries = 1;
    else
        return false;
    *way_place(table, c) = way;
    return true;
}

void hsay_candidate_way_on_seen(struct hsay_candidates *table, hsay_time now,
                                const struct hsay_candidate *c, const struct hsay_addr *addr)
{
    const struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);

    if (way != NULL && is_taken(table, c, way, addr, now))
        return;
    *way_place(table, c) = (struct hsay_candidate_way){
        .of = c->addr, .addr = *addr, .at_s = at_s(now) & AT_S_MASK, .seen = 1, .proven = 1};
}

static bool is_known_at(const struct hsay_candidates *table, const struct hsay_addr *addr,
                        const struct hsay_key *key)
{
    for (size_t i = 0; i < table->entry_max; i++) {
        const struct hsay_candidate *c = &table->entry[i];

        if ((c->marks & HSAY_MARK_USED) != 0 && hsay_addr_equal(&c->addr, addr) &&
            hsay_peer_key_equal(&c->key, key))
            return true;
    }
    return false;
}

void hsay_candidate_on_way(struct hsay_candidates *table, hsay_time now,
                           const struct hsay_candidate *c, const struct hsay_addr *addr)
{
    struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);
    struct hsay_candidate_way told = {.of = c->addr, .addr = *addr};

    if (!hsay_candidate_way_is_better(addr, &c->addr) || (c->marks & HSAY_MARK_TRUSTED) != 0 ||
        !hsay_peer_key_known(&c->key) || is_known_at(table, addr, &c->key))
        return;
    if (way != NULL && (hsay_addr_equal(&way->addr, addr) || is_taken(table, c, way, addr, now)))
        return;
    /* One address after the other, each in vain, is no more worth than the same again. */
    if (way != NULL && rank_of(&way->addr) == rank_of(addr)) {
        told.tries = way->tries & 7u;
        told.at_s = way->at_s & AT_S_MASK;
    }
    *way_place(table, c) = told;
}

const struct hsay_candidate_way *hsay_candidate_way_to_try(const struct hsay_candidates *table,
                                                           const struct hsay_candidate *c,
                                                           hsay_time now)
{
    const struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);

    if (way == NULL || !hsay_peer_key_known(&c->key) || !is_rested(table, way, now) ||
        (c->timeouts == 0 && !hsay_candidate_way_is_better(&way->addr, &c->addr)))
        return NULL;
    return way;
}

void hsay_candidate_on_way_asked(struct hsay_candidates *table, const struct hsay_candidate *c,
                                 hsay_time now)
{
    struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);

    assert(way != NULL);
    if (way->tries < TRIES_MAX)
        way->tries = (way->tries + 1) & 7u;
    way->at_s = at_s(now) & AT_S_MASK;
    way->seen = 0;
}

struct hsay_addr hsay_candidate_seen_at(const struct hsay_candidates *table,
                                        const struct hsay_candidate *c, hsay_time now)
{
    const struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);

    if (way == NULL || way->seen == 0 || way_age_ms(way, now) >= table->times.contacted_ms)
        return (struct hsay_addr){.kind = HSAY_ADDR_NONE};
    return way->addr;
}

struct hsay_addr hsay_candidate_lan(const struct hsay_candidates *table,
                                    const struct hsay_candidate *c)
{
    const struct hsay_candidate_way *way = hsay_candidate_way_of(table, c);

    if (rank_of(&c->addr) == RANK_LAN)
        return c->addr;
    if (way != NULL && way->proven && rank_of(&way->addr) == RANK_LAN)
        return way->addr;
    return (struct hsay_addr){.kind = HSAY_ADDR_NONE};
}
