#include "src/lab/measure/who.h"

#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/memory.h"

/* Keys are as good as random. */
static uint64_t start_of(const struct hsay_key *key)
{
    uint64_t start;
    memcpy(&start, key->byte, sizeof start);
    return start;
}

static struct lab_who_place *place_of(const struct lab_who *who, uint64_t key)
{
    size_t at = (size_t)key & (who->max - 1);
    while (who->place[at].host != 0 && who->place[at].key != key)
        at = (at + 1) & (who->max - 1);
    return &who->place[at];
}

static void grow(struct lab_who *who)
{
    struct lab_who old = *who;
    who->max = old.max != 0 ? 2 * old.max : 64;
    who->place = lab_calloc(who->max, sizeof *who->place);
    for (size_t i = 0; i < old.max; i++)
        if (old.place[i].host != 0)
            *place_of(who, old.place[i].key) = old.place[i];
    free(old.place);
}

void lab_who_free(struct lab_who *who)
{
    free(who->place);
    memset(who, 0, sizeof *who);
}

void lab_who_online(struct lab_who *who, const struct lab_sim *sim, uint32_t host)
{
    if (2 * (who->count + 1) > who->max)
        grow(who);
    uint64_t key = start_of(hsay_node_key(sim->host[host].node));
    struct lab_who_place *place = place_of(who, key);
    who->count += place->host == 0;
    *place = (struct lab_who_place){key, host + 1};
}

static bool has_key(const struct lab_host *host, const struct hsay_key *key)
{
    return host->node != NULL &&
           memcmp(hsay_node_key(host->node)->byte, key->byte, sizeof key->byte) == 0;
}

static uint32_t at_address(const struct lab_sim *sim, const struct hsay_addr *addr)
{
    uint32_t owner = lab_address_owner(&sim->addresses, addr);
    if (owner != LAB_NOBODY && (owner & LAB_SITE_OWNER) != 0) {
        const struct lab_site *site = &sim->site[owner & ~LAB_SITE_OWNER];
        bool alone = site->home == NULL && site->inside_count == 1;
        owner = alone ? site->first_host : LAB_NOBODY;
    }
    return owner != LAB_NOBODY && sim->host[owner].node != NULL ? owner : LAB_NOBODY;
}

uint32_t lab_who_is(const struct lab_who *who, const struct lab_sim *sim,
                    const struct hsay_peer *peer)
{
    static const struct hsay_key unknown;
    if (memcmp(peer->key.byte, unknown.byte, sizeof unknown.byte) == 0)
        return at_address(sim, &peer->addr);
    if (who->max == 0)
        return LAB_NOBODY;
    const struct lab_who_place *place = place_of(who, start_of(&peer->key));
    bool found = place->host != 0 && has_key(&sim->host[place->host - 1], &peer->key);
    return found ? place->host - 1 : LAB_NOBODY;
}

bool lab_who_is_at(const struct lab_sim *sim, uint32_t host, const struct hsay_addr *addr)
{
    struct hsay_addr own = lab_host_public(sim, host);
    return hsay_addr_class(addr) != HSAY_ADDR_GLOBAL || hsay_addr_same_host(&own, addr);
}
