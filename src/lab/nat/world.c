/*
 * Addresses look like the world's, each in a network group of its own.  Behind boxes all homes are
 * 192.168.1.0/24, as in life, and what a carrier gives its homes is 100.64.0.0/24.
 *
 *     tracker: wan                          the TUN device, in the router's hands
 *     home:    eth0 -- lan [box] wan
 *     carrier: eth0 -- lan [box] wan -- lan [box] wan
 *     shared:  eth0, eth0 -- lan0, lan1 in the bridge lan [box] wan
 */
#include "src/lab/nat/world.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/nat/box.h"

/* Of what lies inside a home's box and a carrier's, by the box's place on the way out. */
static const char *const network[NATLAB_BOXES_MAX] = {"192.168.1", "100.64.0"};

static int configure(const struct natlab_place *place, const char *commands, struct lab_why *why)
{
    static const char *const ip[] = {"ip", "-batch", "-", NULL};
    return natlab_place_feed(place, ip, commands, why);
}

/* --- what is in the open --------------------------------------------------------------------- */

/* The device that leads to the router, with a public address. */
static int connect_to_world(struct natlab_world *world, const struct natlab_place *place,
                            const char *address, bool peer, struct lab_why *why)
{
    struct natlab_router *router = &world->router;
    struct natlab_port *port = &router->port[router->ports];
    char commands[256];
    assert(router->ports < NATLAB_PORTS_MAX);
    int rc = natlab_place_tun(place, NATLAB_OUTSIDE, &port->fd, why);
    if (rc != 0)
        return rc;
    router->ports++;
    port->peer = peer;
    inet_pton(AF_INET, address, port->addr);
    snprintf(commands, sizeof commands,
             "link set lo up\naddr add %s/32 dev wan\nlink set wan up\n"
             "route add default dev wan\n",
             address);
    return configure(place, commands, why);
}

static int make_open_host(struct natlab_world *world, struct natlab_host *host, bool peer,
                          struct lab_why *why)
{
    snprintf(host->address, sizeof host->address, "%s", host->outside);
    int rc = natlab_place_make(&host->place, why);
    return rc == 0 ? connect_to_world(world, &host->place, host->outside, peer, why) : rc;
}

/* --- what is behind boxes -------------------------------------------------------------------- */

/* A cable from the box's device `inner` to `device` in another place, which has the address ending
 * in `number` there, and the box as its way out. */
struct cable {
    const struct natlab_place *box, *other;
    const char *inner, *device, *network;
    const char *bridge; /* of the box, that its end is put into: then the bridge has the address */
    bool apart;
    unsigned number;
};

static int lay_at_box(const struct cable *c, struct lab_why *why)
{
    char commands[512];
    int at = snprintf(commands, sizeof commands,
                      "link add %s type veth peer name %s netns /proc/self/fd/%d\n", c->inner,
                      c->device, c->other->fd);
    if (c->bridge != NULL)
        snprintf(commands + at, sizeof commands - (size_t)at,
                 "link set %s master %s\nlink set %s type bridge_slave isolated %s\n"
                 "link set %s up\n",
                 c->inner, c->bridge, c->inner, c->apart ? "on" : "off", c->inner);
    else
        snprintf(commands + at, sizeof commands - (size_t)at,
                 "addr add %s.1/24 dev %s\nlink set %s up\n", c->network, c->inner, c->inner);
    return configure(c->box, commands, why);
}

static int lay(const struct cable *c, struct lab_why *why)
{
    char commands[512];
    int rc = lay_at_box(c, why);
    if (rc != 0)
        return rc;
    snprintf(commands, sizeof commands,
             "link set lo up\naddr add %s.%u/24 dev %s\nlink set %s up\n"
             "route add default via %s.1\n",
             c->network, c->number, c->device, c->device, c->network);
    return configure(c->other, commands, why);
}

/* Box `i` of a host, connected to the one around it. */
static int make_box(struct natlab_world *world, struct natlab_host *host, unsigned i,
                    struct lab_why *why)
{
    struct natlab_host_box *box = &host->box[i];
    bool outermost = i + 1 == host->kind->boxes;
    snprintf(box->outside, sizeof box->outside, outermost ? "%s" : "%s.2",
             outermost ? host->outside : network[i + 1]);
    int rc = natlab_place_make(&box->place, why);
    if (rc != 0)
        return rc;
    if (outermost)
        return connect_to_world(world, &box->place, host->outside, true, why);
    return lay(&(struct cable){.box = &host->box[i + 1].place,
                               .other = &box->place,
                               .inner = NATLAB_INSIDE,
                               .device = NATLAB_OUTSIDE,
                               .network = network[i + 1],
                               .number = 2},
               why);
}

/* Outermost first. */
static int make_boxes(struct natlab_world *world, struct natlab_host *host, struct lab_why *why)
{
    const struct natlab_kind *kind = host->kind;
    int rc = 0;
    for (unsigned i = kind->boxes; rc == 0 && i-- > 0;) {
        char inside[NATLAB_ADDRESS_BYTES + 4];
        snprintf(inside, sizeof inside, "%s.0/24", network[i]);
        rc = make_box(world, host, i, why);
        if (rc == 0)
            rc = natlab_box_set_up(&host->box[i].place, &kind->box[i], host->box[i].outside, inside,
                                   why);
    }
    return rc;
}

/* Where the kernel can have packets within a bridge go through a router's rules, it does so by
 * itself.  No home's box does. */
static void keep_rules_off_bridge(const struct natlab_place *box)
{
    struct lab_why why;
    natlab_place_set(box, "bridge/bridge-nf-call-iptables", 0, &why);
}

static int make_bridge(const struct natlab_place *box, struct lab_why *why)
{
    char commands[128];
    keep_rules_off_bridge(box);
    snprintf(commands, sizeof commands,
             "link add lan type bridge\naddr add %s.1/24 dev lan\nlink set lan up\n", network[0]);
    return configure(box, commands, why);
}

/* The host with this number in its LAN, at the innermost box. */
static int plug_in(struct natlab_host *host, const struct natlab_place *box, unsigned number,
                   struct lab_why *why)
{
    char inner[8];
    bool shared = host->kind->shared;
    snprintf(inner, sizeof inner, shared ? "lan%u" : "lan", number);
    snprintf(host->address, sizeof host->address, "%s.%u", network[0], 10 + number);
    int rc = natlab_place_make(&host->place, why);
    if (rc != 0)
        return rc;
    return lay(&(struct cable){.box = box,
                               .other = &host->place,
                               .inner = inner,
                               .device = "eth0",
                               .network = network[0],
                               .bridge = shared ? "lan" : NULL,
                               .apart = host->kind->apart,
                               .number = 10 + number},
               why);
}

static int make_peer(struct natlab_world *world, struct natlab_host *host, struct lab_why *why)
{
    if (host->kind->boxes == 0)
        return make_open_host(world, host, true, why);
    int rc = make_boxes(world, host, why);
    return rc == 0 ? plug_in(host, &host->box[0].place, 0, why) : rc;
}

static int make_shared(struct natlab_world *world, struct lab_why *why)
{
    struct natlab_host_box *box = world->peer[0].box;
    int rc = make_boxes(world, &world->peer[0], why);
    if (rc == 0)
        rc = make_bridge(&box[0].place, why);
    memcpy(world->peer[1].box, box, sizeof world->peer[1].box);
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = plug_in(&world->peer[i], &box[0].place, i, why);
    return rc;
}

/* --- all of it ------------------------------------------------------------------------------- */

static void number_hosts(struct natlab_world *world, const struct natlab_kind *const *kind)
{
    for (unsigned i = 0; i < NATLAB_TRACKERS; i++) {
        struct natlab_host *host = &world->tracker[i];
        snprintf(host->outside, sizeof host->outside, "5.%u.0.1", 1 + i);
        host->port = NATLAB_NODE_PORT;
    }
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        struct natlab_host *host = &world->peer[i];
        host->kind = kind[i];
        host->port = (uint16_t)(NATLAB_NODE_PORT + 2 * i);
        snprintf(host->outside, sizeof host->outside, "5.%u.0.1", kind[i]->shared ? 10 : 10 + i);
    }
}

int natlab_world_build(struct natlab_world *world, const struct natlab_kind *const *kind,
                       struct lab_why *why)
{
    int rc = 0;
    assert(kind[0]->shared == kind[1]->shared);
    number_hosts(world, kind);
    world->router.ports = 0;
    for (unsigned i = 0; rc == 0 && i < NATLAB_TRACKERS; i++)
        rc = make_open_host(world, &world->tracker[i], false, why);
    if (rc == 0 && kind[0]->shared)
        return make_shared(world, why);
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = make_peer(world, &world->peer[i], why);
    return rc;
}
