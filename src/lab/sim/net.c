#include "src/lab/sim/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/host.h"
#include "src/lab/sim/memory.h"

enum { LAN_DELAY_NS = 300000 };

static bool same_ip(const struct hsay_addr *a, const struct hsay_addr *b)
{
    return hsay_addr_same_host(a, b);
}

/* ---- from a host to the world ---- */

/* Where a datagram goes once its sender's NATs have let it out. */
struct way {
    struct hsay_addr from; /* as the receiver sees it */
    struct hsay_addr to;
    uint32_t owner; /* of `to`: a host, or LAB_SITE_OWNER | site */
    bool lan;       /* never left the home or the carrier */
};

static struct lab_event *new_datagram(struct lab_shard *shard, uint32_t sender,
                                      const struct way *way, struct hsay_span bytes)
{
    struct lab_sim *sim = shard->sim;
    struct lab_datagram *d = lab_realloc(NULL, sizeof *d + bytes.size);
    bool site = (way->owner & LAB_SITE_OWNER) != 0;
    *d = (struct lab_datagram){.from = way->from, .to = way->to, .sender = sender};
    d->event.kind = LAB_EVENT_DATAGRAM;
    d->event.host = site ? sim->site[way->owner & ~LAB_SITE_OWNER].first_host : way->owner;
    d->event.order = (uint64_t)sender << 32 | sim->host[sender].serial++;
    d->size = (uint16_t)bytes.size;
    memcpy(d->bytes, bytes.data, bytes.size);
    return &d->event;
}

static void put(struct lab_shard *shard, struct lab_event *event)
{
    unsigned to = shard->sim->host[event->host].shard;
    if (to == shard->number) {
        lab_wheel_insert(&shard->wheel, event);
    } else {
        event->next = shard->sent[to];
        shard->sent[to] = event;
    }
}

static enum lab_loss loss_of(uint8_t link_loss)
{
    return link_loss == LAB_LINK_LOST_MTU     ? LAB_LOST_MTU
           : link_loss == LAB_LINK_LOST_QUEUE ? LAB_LOST_QUEUE
                                              : LAB_LOST_LINK;
}

/* Over the open internet. */
static void cross(struct lab_shard *shard, uint32_t sender, const struct way *way,
                  struct hsay_span bytes)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[sender];
    bool site = (way->owner & LAB_SITE_OWNER) != 0;
    const struct lab_host *there =
        &sim->host[site ? sim->site[way->owner & ~LAB_SITE_OWNER].first_host : way->owner];
    struct lab_link_arrival arrival[2];
    unsigned count = lab_link_send(&sim->config.link, &host->link, &host->chance, shard->now_ns,
                                   host->region, there->region, bytes.size, arrival);
    if (count == 0)
        shard->lost[loss_of(arrival[0].loss)]++;
    for (unsigned i = 0; i < count; i++) {
        struct lab_event *event = new_datagram(shard, sender, way, bytes);
        event->at_ns = arrival[i].at_ns;
        if (arrival[i].corrupt_at >= 0)
            ((struct lab_datagram *)event)->bytes[arrival[i].corrupt_at] ^= arrival[i].corrupt_mask;
        put(shard, event);
    }
}

static void within_lan(struct lab_shard *shard, uint32_t sender, const struct way *way,
                       struct hsay_span bytes)
{
    struct lab_event *event = new_datagram(shard, sender, way, bytes);
    event->at_ns = shard->now_ns + LAN_DELAY_NS;
    lab_wheel_insert(&shard->wheel, event);
}

/* The host of this home that has this address inside, at whatever port, or LAB_NOBODY. */
static uint32_t host_at_home(const struct lab_sim *sim, const struct lab_site *site,
                             const struct hsay_addr *inside)
{
    uint32_t nth = (uint32_t)inside->byte[3] - LAB_HOME_FIRST_HOST;
    uint32_t host = site->first_host + nth;
    return nth < site->inside_count && same_ip(&sim->host[host].addr, inside) ? host : LAB_NOBODY;
}

/* The home behind this carrier that has this address, as an owner, or LAB_NOBODY. */
static uint32_t home_at_carrier(const struct lab_sim *sim, const struct lab_site *carrier,
                                const struct hsay_addr *inside)
{
    uint32_t nth = ((uint32_t)inside->byte[2] << 8 | inside->byte[3]) - 1;
    if (nth >= carrier->inside_count)
        return LAB_NOBODY;
    uint32_t home = carrier->home[nth];
    return same_ip(&sim->site[home].outside, inside) ? LAB_SITE_OWNER | home : LAB_NOBODY;
}

/* What stands behind a box under an inside address. */
static uint32_t behind(const struct lab_sim *sim, const struct lab_site *site,
                       const struct hsay_addr *inside)
{
    return site->home != NULL ? home_at_carrier(sim, site, inside)
                              : host_at_home(sim, site, inside);
}

/* Through the sender's boxes, outwards.  False: it is lost on the way, and counted. */
static bool go_out(struct lab_shard *shard, const struct lab_host *host, struct way *way)
{
    struct lab_sim *sim = shard->sim;
    for (uint32_t number = host->box; number != 0;) {
        struct lab_site *site = &sim->site[number - 1];
        enum hsay_addr_class class = hsay_addr_class(&way->to);
        if (class == (site->home != NULL ? HSAY_ADDR_CARRIER : HSAY_ADDR_PRIVATE)) {
            way->owner = site->apart ? LAB_NOBODY : behind(sim, site, &way->to);
            way->lan = true;
            return way->owner != LAB_NOBODY;
        }
        struct hsay_addr as, reached;
        if (lab_nat_is_own(&site->box, &way->to)) {
            way->owner = LAB_NOBODY;
            way->lan = true;
            if (lab_nat_hairpin(&site->box, &site->chance, shard->now_ns, &way->from, &way->to, &as,
                                &reached)) {
                way->from = as;
                way->to = reached;
                way->owner = behind(sim, site, &reached);
            }
            return way->owner != LAB_NOBODY;
        }
        if (!lab_nat_out(&site->box, &site->chance, shard->now_ns, &way->from, &way->to, &as)) {
            shard->lost[LAB_LOST_NAT_OUT]++;
            return false;
        }
        way->from = as;
        number = site->parent;
    }
    way->owner = lab_address_owner(&sim->addresses, &way->to);
    return way->owner != LAB_NOBODY;
}

static void count_sent(struct lab_shard *shard, uint32_t number, size_t bytes)
{
    shard->datagrams++;
    shard->datagram_bytes += bytes;
    shard->sim->host[number].bytes_out += bytes;
    shard->sim->host[number].datagrams_out++;
}

void lab_net_send(struct lab_shard *shard, uint32_t number, const struct hsay_letter *letter)
{
    struct lab_sim *sim = shard->sim;
    struct lab_host *host = &sim->host[number];
    bool on = true;
    count_sent(shard, number, letter->datagram.size);
    for (unsigned i = 0; i < sim->observer_count; i++)
        if (sim->observer[i].on_send != NULL)
            on &= sim->observer[i].on_send(sim->observer[i].self, shard, number, letter);
    struct way way = {.from = host->addr, .to = letter->to};
    way.from.port = (uint16_t)(way.from.port + letter->socket);
    uint64_t nat_out = shard->lost[LAB_LOST_NAT_OUT];
    if (!on || !go_out(shard, host, &way)) {
        shard->lost[LAB_LOST_NOBODY] += on && nat_out == shard->lost[LAB_LOST_NAT_OUT];
        return;
    }
    if (way.lan)
        within_lan(shard, number, &way, letter->datagram);
    else
        cross(shard, number, &way, letter->datagram);
}

void lab_net_forge(struct lab_shard *shard, uint32_t sender, const struct hsay_addr *from,
                   const struct hsay_addr *to, struct hsay_span bytes)
{
    struct way way = {.from = *from, .to = *to};
    count_sent(shard, sender, bytes.size);
    way.owner = lab_address_owner(&shard->sim->addresses, to);
    if (way.owner == LAB_NOBODY)
        shard->lost[LAB_LOST_NOBODY]++;
    else
        cross(shard, sender, &way, bytes);
}

/* ---- from the world to a host ---- */

/* Down through the boxes to a host; LAB_NOBODY if one of them refuses, which is counted. */
static uint32_t go_in(struct lab_shard *shard, struct lab_datagram *d, uint32_t owner)
{
    struct lab_sim *sim = shard->sim;
    while (owner != LAB_NOBODY && (owner & LAB_SITE_OWNER) != 0) {
        struct lab_site *site = &sim->site[owner & ~LAB_SITE_OWNER];
        struct hsay_addr inside;
        if (!lab_nat_in(&site->box, shard->now_ns, &d->from, &d->to, &inside)) {
            shard->lost[LAB_LOST_NAT_IN]++;
            return LAB_NOBODY;
        }
        d->to = inside;
        owner = behind(sim, site, &inside);
    }
    shard->lost[LAB_LOST_NOBODY] += owner == LAB_NOBODY;
    return owner;
}

/* Who has the address now: it may have moved on while the datagram was under way. */
static uint32_t owner_of(const struct lab_sim *sim, const struct lab_datagram *d)
{
    const struct lab_host *near = &sim->host[d->event.host];
    switch (hsay_addr_class(&d->to)) {
    case HSAY_ADDR_PRIVATE:
        return near->box != 0 ? host_at_home(sim, &sim->site[near->box - 1], &d->to) : LAB_NOBODY;
    case HSAY_ADDR_CARRIER: {
        uint32_t home = near->box;
        uint32_t carrier = home != 0 ? sim->site[home - 1].parent : 0;
        return carrier != 0 ? home_at_carrier(sim, &sim->site[carrier - 1], &d->to) : LAB_NOBODY;
    }
    default:
        return lab_address_owner(&sim->addresses, &d->to);
    }
}

/* Only here it is known which host of a home is meant, so it is here that partitions part. */
void lab_net_arrive(struct lab_shard *shard, struct lab_datagram *d)
{
    const struct lab_sim *sim = shard->sim;
    uint32_t host = go_in(shard, d, owner_of(sim, d));
    if (host != LAB_NOBODY && sim->partitioned[sim->host[d->sender].side][sim->host[host].side])
        shard->lost[LAB_LOST_PARTITION]++;
    else if (host != LAB_NOBODY)
        lab_host_on_datagram(shard, host, d);
    free(d);
}

/* ---- on paper ---- */

static bool may_go_out(struct lab_sim *sim, const struct lab_host *host, struct hsay_addr *from,
                       const struct hsay_addr *to)
{
    for (uint32_t number = host->box; number != 0; number = sim->site[number - 1].parent) {
        struct hsay_addr as;
        if (lab_nat_is_own(&sim->site[number - 1].box, to) ||
            !lab_nat_may_out(&sim->site[number - 1].box, sim->now_ns, from, to, &as))
            return false;
        *from = as;
    }
    return true;
}

/* The host that it comes to, and the address there. */
static uint32_t may_go_in(struct lab_sim *sim, const struct hsay_addr *from, struct hsay_addr *to)
{
    uint32_t owner = lab_address_owner(&sim->addresses, to);
    while (owner != LAB_NOBODY && (owner & LAB_SITE_OWNER) != 0) {
        struct lab_site *site = &sim->site[owner & ~LAB_SITE_OWNER];
        struct hsay_addr inside;
        if (!lab_nat_may_in(&site->box, sim->now_ns, from, to, &inside))
            return LAB_NOBODY;
        *to = inside;
        owner = behind(sim, site, &inside);
    }
    return owner;
}

bool lab_net_leads(struct lab_sim *sim, uint32_t number, uint16_t socket,
                   const struct hsay_addr *to, uint32_t other)
{
    const struct lab_host *host = &sim->host[number];
    struct hsay_addr from = host->addr, at = *to;
    from.port = (uint16_t)(from.port + socket);
    if (!may_go_out(sim, host, &from, to) || may_go_in(sim, &from, &at) != other)
        return false;
    return lab_host_has_socket(sim, other, at.port);
}
