/*
 * Address classes from the registries of special addresses (RFC 6890 and its updates), and what
 * follows from them: sending, and counting voices.  Text is in addr_text.c.
 */
#include <assert.h>
#include <string.h>

#include "hearsay/types.h"
#include "nat/addr_class.h"

static_assert(sizeof(struct hsay_addr) == 20, "no padding: addresses are compared by memcmp");

struct prefix {
    uint8_t byte[6];
    uint8_t bits;
    uint8_t class; /* enum hsay_addr_class */
};

/* The first that matches decides. */
static const struct prefix prefixes4[] = {
    {{0, 0, 0, 0}, 32, HSAY_ADDR_UNSPECIFIED},
    {{0}, 8, HSAY_ADDR_RESERVED}, /* "this network" */
    {{10}, 8, HSAY_ADDR_PRIVATE},
    {{100, 64}, 10, HSAY_ADDR_CARRIER},
    {{127}, 8, HSAY_ADDR_LOOPBACK},
    {{169, 254}, 16, HSAY_ADDR_LINK_LOCAL},
    {{172, 16}, 12, HSAY_ADDR_PRIVATE},
    {{192, 0, 0}, 24, HSAY_ADDR_RESERVED},   /* protocol assignments */
    {{192, 0, 2}, 24, HSAY_ADDR_RESERVED},   /* documentation */
    {{192, 88, 99}, 24, HSAY_ADDR_RESERVED}, /* 6to4 relays, given up */
    {{192, 168}, 16, HSAY_ADDR_PRIVATE},
    {{198, 18}, 15, HSAY_ADDR_RESERVED},      /* benchmarks */
    {{198, 51, 100}, 24, HSAY_ADDR_RESERVED}, /* documentation */
    {{203, 0, 113}, 24, HSAY_ADDR_RESERVED},  /* documentation */
    {{224}, 4, HSAY_ADDR_MULTICAST},
    {{255, 255, 255, 255}, 32, HSAY_ADDR_BROADCAST},
    {{240}, 4, HSAY_ADDR_RESERVED},
    {{0}, 0, HSAY_ADDR_GLOBAL},
};

/* ::, ::1 and the prefixes that hold an IPv4 address are not in here. */
static const struct prefix prefixes6[] = {
    {{0xfc}, 7, HSAY_ADDR_PRIVATE},
    {{0xfe, 0x80}, 10, HSAY_ADDR_LINK_LOCAL},
    {{0xff}, 8, HSAY_ADDR_MULTICAST},
    {{0x20, 0x01, 0x00}, 23, HSAY_ADDR_RESERVED},       /* Teredo, benchmarks, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, HSAY_ADDR_RESERVED}, /* documentation */
    {{0x20, 0x02}, 16, HSAY_ADDR_RESERVED},             /* 6to4: ends at an IPv4 address */
    {{0x3f, 0xff, 0x00}, 20, HSAY_ADDR_RESERVED},       /* documentation */
    {{0x20}, 3, HSAY_ADDR_GLOBAL},                      /* all that was ever assigned */
    {{0}, 0, HSAY_ADDR_RESERVED},
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};    /* 64:ff9b::/96, RFC 6052 */
static const uint8_t loopback6[16] = {[15] = 1};              /* ::1 */
static const uint8_t unspecified6[16] = {0};

static bool has_prefix(const uint8_t *byte, const struct prefix *prefix)
{
    uint32_t whole = prefix->bits / 8;
    uint32_t rest = prefix->bits % 8;

    if (memcmp(byte, prefix->byte, whole) != 0)
        return false;
    return rest == 0 || (byte[whole] ^ prefix->byte[whole]) >> (8 - rest) == 0;
}

static enum hsay_addr_class look_up(const struct prefix *prefix, const uint8_t *byte)
{
    while (!has_prefix(byte, prefix)) /* the last one of each table has no bits: it matches */
        prefix++;
    return (enum hsay_addr_class)prefix->class;
}

static enum hsay_addr_class class6(const uint8_t *byte)
{
    if (memcmp(byte, mapped, 12) == 0)
        return look_up(prefixes4, byte + 12);
    if (memcmp(byte, unspecified6, 16) == 0)
        return HSAY_ADDR_UNSPECIFIED;
    if (memcmp(byte, loopback6, 16) == 0)
        return HSAY_ADDR_LOOPBACK;
    /* A translator sends on to the IPv4 address within: that must be one of the world's. */
    if (memcmp(byte, nat64, 12) == 0 && look_up(prefixes4, byte + 12) == HSAY_ADDR_GLOBAL)
        return HSAY_ADDR_GLOBAL;
    return look_up(prefixes6, byte);
}

enum hsay_addr_class hsay_addr_class(const struct hsay_addr *addr)
{
    switch (addr->kind) {
    case HSAY_ADDR_IP4:
        return look_up(prefixes4, addr->byte);
    case HSAY_ADDR_IP6:
        return class6(addr->byte);
    case HSAY_ADDR_HANDLE:
        return HSAY_ADDR_OPAQUE;
    default:
        return HSAY_ADDR_INVALID;
    }
}

bool hsay_addr_is_local(const struct hsay_addr *addr)
{
    enum hsay_addr_class class = hsay_addr_class(addr);

    return class >= HSAY_ADDR_LOOPBACK && class <= HSAY_ADDR_CARRIER;
}

void hsay_addr_normalise(struct hsay_addr *addr)
{
    addr->zero = 0;
    if (addr->kind == HSAY_ADDR_IP6 && memcmp(addr->byte, mapped, 12) == 0) {
        memcpy(addr->byte, addr->byte + 12, 4);
        addr->kind = HSAY_ADDR_IP4;
    }
    if (addr->kind == HSAY_ADDR_IP4)
        memset(addr->byte + 4, 0, 12);
    else if (addr->kind != HSAY_ADDR_IP6 && addr->kind != HSAY_ADDR_HANDLE)
        memset(addr, 0, sizeof *addr);
}

bool hsay_addr_equal(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool hsay_addr_same_host(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return a->kind == b->kind && memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

/* --- groups ---------------------------------------------------------------------------------- */

static uint64_t big_endian(const uint8_t *byte, uint32_t count)
{
    uint64_t x = 0;

    for (uint32_t i = 0; i < count; i++)
        x = x << 8 | byte[i];
    return x;
}

/* Handles and link-local hosts do not fit beside the class: these 60 bits of them need only differ
 * where the transport is honest, as it made the handles. */
static uint64_t fold(const uint8_t *byte)
{
    uint64_t x = big_endian(byte, 8) * UINT64_C(0x9e3779b97f4a7c15) ^ big_endian(byte + 8, 8);

    return (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 4;
}

/* 60 bits say which group, the four above them of which sort, so that two sorts never meet. */
enum sort {
    SORT_IP4 = 1,
    SORT_IP6_LOOPBACK,
    SORT_IP6_PRIVATE,
    SORT_IP6_GLOBAL,
    SORT_IP6_HOST,
    SORT_HANDLE,
    SORT_NONE,
};

static uint64_t group_of(enum sort sort, uint64_t which)
{
    return (uint64_t)sort << 60 | which;
}

static uint64_t network4(const struct hsay_addr *addr, enum hsay_addr_class class)
{
    switch (class) {
    case HSAY_ADDR_LOOPBACK:
        return big_endian(addr->byte, 4) << 16 | addr->port;
    case HSAY_ADDR_PRIVATE:
    case HSAY_ADDR_CARRIER:
        return big_endian(addr->byte, 3);
    case HSAY_ADDR_GLOBAL:
        return big_endian(addr->byte, 2);
    default:
        return big_endian(addr->byte, 4);
    }
}

/* The class keeps a /16 apart from a host; 48 bits are below it. */
static uint64_t group4(const struct hsay_addr *addr, enum hsay_addr_class class)
{
    const uint64_t above = class;

    return group_of(SORT_IP4, above << 48 | network4(addr, class));
}

static uint64_t group6(const struct hsay_addr *addr, enum hsay_addr_class class)
{
    switch (class) {
    case HSAY_ADDR_LOOPBACK:
        return group_of(SORT_IP6_LOOPBACK, addr->port);
    case HSAY_ADDR_PRIVATE: /* fc00::/7: the other 57 bits of the /64 */
        return group_of(SORT_IP6_PRIVATE, big_endian(addr->byte, 8) & ((UINT64_C(1) << 57) - 1));
    case HSAY_ADDR_GLOBAL:
        return group_of(SORT_IP6_GLOBAL, big_endian(addr->byte, 4));
    default:
        return group_of(SORT_IP6_HOST, fold(addr->byte));
    }
}

uint64_t hsay_addr_group(const struct hsay_addr *addr)
{
    struct hsay_addr plain = *addr;

    hsay_addr_normalise(&plain);

    enum hsay_addr_class class = hsay_addr_class(&plain);

    switch (plain.kind) {
    case HSAY_ADDR_IP4:
        return group4(&plain, class);
    case HSAY_ADDR_IP6:
        return group6(&plain, class);
    case HSAY_ADDR_HANDLE:
        return group_of(SORT_HANDLE, fold(plain.byte));
    default:
        return group_of(SORT_NONE, 0);
    }
}

static void put_big_endian(uint8_t *byte, uint32_t count, uint64_t x)
{
    for (uint32_t i = count; i-- > 0; x >>= 8)
        byte[i] = (uint8_t)x;
}

/* network4, back. */
static uint8_t network4_of(uint64_t group, struct hsay_addr *network)
{
    enum hsay_addr_class class = (enum hsay_addr_class)(group >> 48 & 0xfff);
    uint64_t which = group & ((UINT64_C(1) << 48) - 1);
    uint32_t count = 4;

    if (class == HSAY_ADDR_LOOPBACK) {
        network->port = (uint16_t)which;
        which >>= 16;
    } else if (class == HSAY_ADDR_PRIVATE || class == HSAY_ADDR_CARRIER) {
        count = 3;
    } else if (class == HSAY_ADDR_GLOBAL) {
        count = 2;
    }
    network->kind = HSAY_ADDR_IP4;
    put_big_endian(network->byte, count, which);
    return (uint8_t)(count * 8);
}

uint8_t hsay_addr_group_network(uint64_t group, struct hsay_addr *network)
{
    uint64_t which = group & (UINT64_MAX >> 4);

    *network = (struct hsay_addr){.kind = HSAY_ADDR_IP6};
    switch ((enum sort)(group >> 60)) {
    case SORT_IP4:
        return network4_of(group, network);
    case SORT_IP6_LOOPBACK:
        network->byte[15] = 1;
        network->port = (uint16_t)which;
        return 128;
    case SORT_IP6_PRIVATE:
        put_big_endian(network->byte, 8, UINT64_C(0xfc) << 56 | which);
        return 64;
    case SORT_IP6_GLOBAL:
        put_big_endian(network->byte, 4, which);
        return 32;
    default:
        network->kind = HSAY_ADDR_NONE;
        return 0;
    }
}

/* --- sending --------------------------------------------------------------------------------- */

static bool is_own(const struct hsay_addr *addr, const struct hsay_addr_policy *policy)
{
    for (size_t i = 0; i < sizeof policy->own / sizeof *policy->own; i++) {
        if (hsay_addr_equal(addr, &policy->own[i]))
            return true;
    }
    return false;
}

static bool is_port_allowed(const struct hsay_addr *addr, const struct hsay_addr_policy *policy)
{
    if (addr->kind == HSAY_ADDR_HANDLE)
        return true;
    if (addr->port == 0)
        return false;
    return addr->port >= HSAY_ADDR_PORT_HEARD_MIN || policy->low_ports_ok ||
           policy->introducer.kind == HSAY_ADDR_NONE;
}

static bool is_class_allowed(enum hsay_addr_class class, const struct hsay_addr_policy *policy)
{
    switch (class) {
    case HSAY_ADDR_GLOBAL:
        return true;
    case HSAY_ADDR_LOOPBACK:
    case HSAY_ADDR_LINK_LOCAL:
    case HSAY_ADDR_PRIVATE:
    case HSAY_ADDR_CARRIER:
    case HSAY_ADDR_RESERVED:
    case HSAY_ADDR_OPAQUE:
        return policy->introducer.kind == HSAY_ADDR_NONE ||
               hsay_addr_class(&policy->introducer) == class;
    default:
        return false;
    }
}

bool hsay_addr_sendable(const struct hsay_addr *addr, const struct hsay_addr_policy *policy)
{
    struct hsay_addr plain = *addr;

    hsay_addr_normalise(&plain);
    return is_class_allowed(hsay_addr_class(&plain), policy) && is_port_allowed(&plain, policy) &&
           !is_own(&plain, policy);
}
