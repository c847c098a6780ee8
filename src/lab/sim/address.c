#include "src/lab/sim/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/memory.h"

/* Host 0 and what looks like a broadcast are left out. */
enum { HOST_PARTS = 65534 };

static struct hsay_addr address_of(uint32_t ip)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4};
    for (unsigned i = 0; i < 4; i++)
        addr.byte[i] = (uint8_t)(ip >> (24 - 8 * i));
    return addr;
}

static uint32_t ip_of(const struct hsay_addr *addr)
{
    uint32_t ip = 0;
    for (unsigned i = 0; i < 4; i++)
        ip = ip << 8 | addr->byte[i];
    return addr->kind == HSAY_ADDR_IP4 ? ip : 0;
}

static bool is_global(uint32_t ip)
{
    struct hsay_addr addr = address_of(ip);
    return hsay_addr_class(&addr) == HSAY_ADDR_GLOBAL;
}

void lab_addresses_free(struct lab_addresses *all)
{
    free(all->network);
    free(all->place);
    memset(all, 0, sizeof *all);
}

static uint64_t slot_of(const struct lab_addresses *all, uint32_t ip)
{
    return (ip * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & (all->place_max - 1);
}

static struct lab_address_place *find(const struct lab_addresses *all, uint32_t ip)
{
    uint64_t i = slot_of(all, ip);
    while (all->place[i].ip != 0 && all->place[i].ip != ip)
        i = (i + 1) & (all->place_max - 1);
    return &all->place[i];
}

static void grow(struct lab_addresses *all)
{
    struct lab_address_place *old = all->place;
    uint64_t old_max = all->place_max;
    all->place_max = old_max != 0 ? 2 * old_max : 64;
    all->place = lab_calloc(all->place_max, sizeof *all->place);
    for (uint64_t i = 0; i < old_max; i++)
        if (old[i].ip != 0)
            *find(all, old[i].ip) = old[i];
    free(old);
}

/* Neighbours in number are far apart on paper: 20,011 is coprime to 65,536.  A network of which
 * some addresses are special is taken; those are left out when their turn comes. */
void lab_addresses_init(struct lab_addresses *all, uint32_t networks)
{
    memset(all, 0, sizeof *all);
    all->network = lab_calloc(65536, sizeof *all->network);
    for (uint32_t i = 0; i < 65536; i++) {
        uint32_t network = (i * 20011u + 5000) % 65536;
        if (is_global(network << 16 | 1))
            all->network[all->network_all++] = (uint16_t)network;
    }
    all->network_count = networks < all->network_all ? networks : all->network_all;
    grow(all);
}

static bool is_free(const struct lab_addresses *all, uint32_t ip)
{
    const struct lab_address_place *place = find(all, ip);
    return is_global(ip) && (place->ip == 0 || place->owner == LAB_NOBODY);
}

static struct hsay_addr give(struct lab_addresses *all, uint32_t owner, uint32_t ip)
{
    if (2 * (all->place_count + 1) > all->place_max)
        grow(all);
    struct lab_address_place *place = find(all, ip);
    all->place_count += place->ip == 0;
    *place = (struct lab_address_place){ip, owner};
    return address_of(ip);
}

static _Noreturn void none_left(uint32_t networks)
{
    fprintf(stderr, "hearsay-lab: no address is left in %u networks\n", networks);
    exit(1);
}

struct hsay_addr lab_address_give(struct lab_addresses *all, uint32_t owner)
{
    for (uint64_t tries = (uint64_t)all->network_count * HOST_PARTS; tries != 0; tries--) {
        uint64_t number = all->given++;
        uint32_t network = all->network[number % all->network_count];
        uint32_t ip = network << 16 | (uint32_t)(number / all->network_count % HOST_PARTS + 1);
        if (is_free(all, ip))
            return give(all, owner, ip);
    }
    none_left(all->network_count);
}

/* From the upper end, where those that are given in turn come last. */
struct hsay_addr lab_address_give_in(struct lab_addresses *all, uint32_t owner, uint32_t network)
{
    uint32_t from_front = all->network_all - 1 - network % all->network_all;
    uint32_t high = (uint32_t)all->network[from_front] << 16;
    for (uint32_t host = HOST_PARTS; host != 0; host--)
        if (is_free(all, high | host))
            return give(all, owner, high | host);
    none_left(1);
}

/* The place stays, so that those behind it are still found. */
void lab_address_take(struct lab_addresses *all, const struct hsay_addr *addr)
{
    struct lab_address_place *place = find(all, ip_of(addr));
    if (place->ip != 0)
        place->owner = LAB_NOBODY;
}

uint32_t lab_address_owner(const struct lab_addresses *all, const struct hsay_addr *addr)
{
    uint32_t ip = ip_of(addr);
    if (ip == 0)
        return LAB_NOBODY;
    const struct lab_address_place *place = find(all, ip);
    return place->ip != 0 ? place->owner : LAB_NOBODY;
}
