#include "src/lab/sim/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/lab/sim/memory.h"

static uint32_t ip_of(const struct hsay_addr *addr)
{
    uint32_t ip = 0;
    for (unsigned i = 0; i < 4; i++)
        ip = ip << 8 | addr->byte[i];
    return ip;
}

static int by_ip(const void *a, const void *b)
{
    uint32_t x = ((const struct lab_crowd_machine *)a)->ip;
    uint32_t y = ((const struct lab_crowd_machine *)b)->ip;
    return (x > y) - (x < y);
}

static uint32_t machines_of(const struct lab_crowd_plan *plan)
{
    return plan->machines != 0 && plan->machines < plan->members ? plan->machines : plan->members;
}

int lab_crowd_check(const struct lab_crowd_plan *plan, char *why, size_t why_size)
{
    uint32_t machines = machines_of(plan);
    if (machines != 0 && (plan->members - 1) / machines >= LAB_CROWD_PORTS_MAX) {
        snprintf(why, why_size, "%u attackers on %u machines: more than %d ports for each",
                 plan->members, machines, LAB_CROWD_PORTS_MAX);
        return HSAY_EINVAL;
    }
    if (machines != 0 && (machines - 1) / plan->networks >= LAB_NETWORK_HOSTS) {
        snprintf(why, why_size, "%u machines in %u networks: more than %d addresses in each",
                 machines, plan->networks, LAB_NETWORK_HOSTS);
        return HSAY_EINVAL;
    }
    return 0;
}

/* Member i is on machine i % machines: neighbours in number are in different networks. */
void lab_crowd_init(struct lab_crowd *crowd, const struct lab_crowd_plan *plan,
                    struct lab_addresses *addresses)
{
    crowd->count = plan->members;
    crowd->machine_count = machines_of(plan);
    crowd->member = lab_calloc(plan->members, sizeof *crowd->member);
    crowd->machine = lab_calloc(crowd->machine_count, sizeof *crowd->machine);
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct lab_crowd_member *m = &crowd->member[i];
        uint32_t machine = i % crowd->machine_count;
        struct lab_chance chance = lab_chance_stream(plan->seed, LAB_CHANCE_ATTACK, i + 1);
        lab_chance_bytes(&chance, m->secret, sizeof m->secret);
        m->addr = i == machine
                      ? lab_address_give_in(addresses, plan->owner, machine % plan->networks)
                      : crowd->member[machine].addr;
        m->addr.port = (uint16_t)(HSAY_PORT_DEFAULT + i / crowd->machine_count);
    }
    for (uint32_t i = 0; i < crowd->machine_count; i++)
        crowd->machine[i] = (struct lab_crowd_machine){ip_of(&crowd->member[i].addr), i};
    qsort(crowd->machine, crowd->machine_count, sizeof *crowd->machine, by_ip);
}

void lab_crowd_free(struct lab_crowd *crowd)
{
    free(crowd->member);
    free(crowd->machine);
}

const struct lab_crowd_member *lab_crowd_at(struct lab_crowd *crowd, uint32_t number,
                                            const struct hsay_crypto *crypto)
{
    struct lab_crowd_member *m = &crowd->member[number];
    if (!m->is_born)
        crypto->ops->node_public(crypto->self, &m->key, m->secret);
    m->is_born = true;
    return m;
}

uint32_t lab_crowd_find(const struct lab_crowd *crowd, const struct hsay_addr *addr)
{
    struct lab_crowd_machine wanted = {.ip = ip_of(addr)};
    const struct lab_crowd_machine *machine =
        bsearch(&wanted, crowd->machine, crowd->machine_count, sizeof wanted, by_ip);
    if (machine == NULL || addr->port < HSAY_PORT_DEFAULT)
        return crowd->count;
    uint32_t number =
        machine->number + (uint32_t)(addr->port - HSAY_PORT_DEFAULT) * crowd->machine_count;
    return number < crowd->count ? number : crowd->count;
}
