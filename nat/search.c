#include "nat/search.h"

#include <assert.h>

#include "nat/addr_class.h"

enum {
    PORT_LOW = HSAY_ADDR_PORT_HEARD_MIN,
    PORTS = 65536 - PORT_LOW, /* 2^10 * 3^2 * 7 */

    /* Guesses are 8 apart and cover as many ports as are going to be open, also if the one seen
     * last is old by some: each probed port that is open will do. */
    GUESSES = 32,
    GUESS_STEP = HSAY_SEARCH_OPENED / GUESSES,
    /* Of the ports that the guesses leave from where these count up, the one to open towards: the
     * other may have opened some for others since it was seen. */
    AHEAD = GUESSES * 3 / 4,
    /* Nothing but guesses can join two that count up; again, for what was lost. */
    GUESS_ROUNDS = 4,
    OPEN_ROUNDS = 2,
};

enum hsay_search_role hsay_search_role(uint8_t mine, uint8_t theirs, bool lower)
{
    uint8_t both = mine & theirs, one = mine | theirs;

    if ((both & HSAY_NAT_SEARCHES) == 0 || (one & HSAY_NAT_IS_PUBLIC) != 0 ||
        (one & HSAY_NAT_IS_SYMMETRIC) == 0)
        return HSAY_SEARCH_NONE;
    if ((both & HSAY_NAT_IS_SYMMETRIC) != 0 && (both & HSAY_NAT_IS_SEQUENTIAL) == 0)
        return HSAY_SEARCH_NONE;
    if ((both & HSAY_NAT_IS_SYMMETRIC) != 0)
        return lower ? HSAY_SEARCH_OPENS : HSAY_SEARCH_PROBES;
    return (mine & HSAY_NAT_IS_SYMMETRIC) != 0 ? HSAY_SEARCH_OPENS : HSAY_SEARCH_PROBES;
}

/* A step without a factor in common with the number of ports leads to each of them once. */
static uint16_t stride_of(uint32_t random)
{
    uint32_t stride = random % (PORTS / 2) * 2 + 1;

    while (stride % 3 == 0 || stride % 7 == 0)
        stride += 2;
    return (uint16_t)stride;
}

void hsay_search_begin(struct hsay_search_way *way, enum hsay_search_role role, uint8_t mine,
                       uint8_t theirs, uint16_t seen, uint32_t random)
{
    bool both = (mine & theirs & HSAY_NAT_IS_SYMMETRIC) != 0;

    assert(role != HSAY_SEARCH_NONE);
    *way = (struct hsay_search_way){
        .role = (uint8_t)role,
        .guess = (theirs & HSAY_NAT_IS_SEQUENTIAL) != 0,
        .seen = seen,
        .start = (uint16_t)(random >> 16),
        .stride = stride_of(random & 0xffff),
    };
    uint16_t opened = both ? OPEN_ROUNDS * HSAY_SEARCH_OPENED : HSAY_SEARCH_OPENED;
    uint16_t probed = both ? GUESS_ROUNDS * GUESSES : HSAY_SEARCH_PROBED;
    way->packets = role == HSAY_SEARCH_OPENS ? opened : probed;
    way->theirs = role == HSAY_SEARCH_OPENS ? probed : opened;
}

/* The port so far behind the one that was seen, where the first follows the last. */
static uint16_t port_behind(uint16_t seen, uint32_t by)
{
    uint32_t at = seen >= PORT_LOW ? seen - (uint32_t)PORT_LOW : 0;

    return (uint16_t)(PORT_LOW + (at + by) % PORTS);
}

uint16_t hsay_search_port(const struct hsay_search_way *way, uint16_t n)
{
    if (way->role == HSAY_SEARCH_OPENS)
        return way->guess ? port_behind(way->seen, AHEAD) : way->seen;
    if (way->guess && (n < GUESSES || way->packets <= GUESS_ROUNDS * GUESSES))
        return port_behind(way->seen, (n % GUESSES + 1u) * GUESS_STEP);
    return (uint16_t)(PORT_LOW + (way->start + (uint32_t)n * way->stride) % PORTS);
}

uint16_t hsay_search_socket(uint16_t n)
{
    return n % HSAY_SEARCH_OPENED;
}
