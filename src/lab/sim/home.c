#include "src/lab/sim/home.h"

#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

/* Inside a home: 192.168.1.10 and on. */
static struct hsay_addr home_addr(uint32_t nth)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .port = LAB_PORT, .byte = {192, 168, 1}};
    a.byte[3] = (uint8_t)(LAB_HOME_FIRST_HOST + nth);
    return a;
}

/* Inside a carrier's network: 100.64/10 (RFC 6598). */
static struct hsay_addr carrier_addr(uint32_t nth)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .byte = {100, 64}};
    a.byte[2] = (uint8_t)((nth + 1) >> 8);
    a.byte[3] = (uint8_t)(nth + 1);
    return a;
}

static uint32_t new_site(struct lab_sim *sim, uint32_t first_host)
{
    if (sim->site_count == sim->site_max) {
        sim->site_max = sim->site_max != 0 ? 2 * sim->site_max : 64;
        sim->site = lab_realloc(sim->site, sim->site_max * sizeof *sim->site);
        for (uint32_t i = 0; i < sim->site_count; i++) /* the kinds have moved with the sites */
            sim->site[i].box.kind = &sim->site[i].kind;
    }
    struct lab_site *site = &sim->site[sim->site_count];
    memset(site, 0, sizeof *site);
    site->first_host = first_host;
    site->chance = lab_chance_stream(sim->config.seed, LAB_CHANCE_NAT, sim->site_count + 1);
    return sim->site_count++;
}

static void open_site(struct lab_sim *sim, uint32_t number, const struct lab_nat_kind *kind)
{
    struct lab_site *site = &sim->site[number];
    site->kind = *kind;
    lab_nat_box_init(&site->box, &site->kind, &site->outside);
}

static void give_outside(struct lab_sim *sim, uint32_t number)
{
    sim->site[number].outside = lab_address_give(&sim->addresses, LAB_SITE_OWNER | number);
}

static void settle_open(struct lab_sim *sim, uint32_t number)
{
    struct lab_host *host = &sim->host[number];
    host->addr = lab_address_give(&sim->addresses, number);
    host->addr.port = LAB_PORT;
    host->shard = (uint8_t)(number % sim->config.shards);
}

/* The carrier that is being filled; a new one when it is full. */
static uint32_t carrier_for(struct lab_sim *sim, uint32_t *filling, uint32_t first_host,
                            const struct lab_nat_kind *kind)
{
    if (*filling == LAB_NOBODY || sim->site[*filling].inside_count == LAB_CARRIER_HOMES) {
        *filling = new_site(sim, first_host);
        sim->site[*filling].home = lab_calloc(LAB_CARRIER_HOMES, sizeof(uint32_t));
        give_outside(sim, *filling);
        open_site(sim, *filling, kind);
    }
    return *filling;
}

static uint32_t new_home(struct lab_sim *sim, const struct lab_nat_draw *draw, uint32_t *filling,
                         uint32_t first_host)
{
    uint32_t home = new_site(sim, first_host);
    if (draw->boxes == 2) {
        uint32_t carrier = carrier_for(sim, filling, first_host, &draw->kind[1]);
        sim->site[home].parent = carrier + 1;
        sim->site[home].outside = carrier_addr(sim->site[carrier].inside_count);
        sim->site[carrier].home[sim->site[carrier].inside_count++] = home;
    } else {
        give_outside(sim, home);
    }
    open_site(sim, home, &draw->kind[0]);
    return home;
}

/* Hosts first .. past - 1 move in together. */
static void settle_home(struct lab_sim *sim, const struct lab_nat_draw *draw, uint32_t *filling,
                        uint32_t first, uint32_t past)
{
    uint32_t home = new_home(sim, draw, filling, first);
    uint32_t root = sim->site[home].parent != 0 ? sim->site[home].parent - 1 : home;
    sim->site[home].inside_count = past - first;
    for (uint32_t i = first; i < past; i++) {
        sim->host[i].box = home + 1;
        sim->host[i].addr = home_addr(i - first);
        sim->host[i].shard = (uint8_t)(root % sim->config.shards);
        sim->host[i].region = sim->host[first].region;
    }
}

/* The host after them. */
static uint32_t dwell(struct lab_sim *sim, const struct lab_dwelling *where, uint32_t first)
{
    uint32_t filling = LAB_NOBODY, past = first + where->hosts;
    if (where->behind.boxes == 0)
        settle_open(sim, first);
    else
        settle_home(sim, &where->behind, &filling, first, past);
    for (uint32_t i = first; i < past; i++) {
        sim->host[i].addr.port = (uint16_t)(where->port + i - first);
        if (where->behind.boxes != 0)
            sim->site[sim->host[i].box - 1].apart = where->apart;
    }
    return past;
}

static void settle_as_told(struct lab_sim *sim)
{
    const struct lab_dwelling *where = sim->config.dwelling;
    uint32_t host = 0;
    while (host < sim->config.trackers)
        settle_open(sim, host++);
    while (host < sim->config.nodes)
        host = dwell(sim, where++, host);
    while (host < sim->host_count)
        settle_open(sim, host++);
}

void lab_homes_settle(struct lab_sim *sim)
{
    if (sim->config.dwelling != NULL) {
        settle_as_told(sim);
        return;
    }
    struct lab_chance chance = lab_chance_stream(sim->config.seed, LAB_CHANCE_NAT, 0);
    uint32_t filling = LAB_NOBODY, lan = sim->config.lan_hosts > 1 ? sim->config.lan_hosts : 1;
    unsigned regions = sim->config.link.regions > 1 ? sim->config.link.regions : 1;
    for (uint32_t i = 0; i < sim->host_count; i++)
        sim->host[i].region = (uint8_t)lab_chance_below(&chance, regions);
    for (uint32_t i = 0; i < sim->host_count;) {
        struct lab_nat_draw draw = {0};
        uint32_t past = i + 1;
        if (i < sim->config.nodes && !lab_host_is_tracker(sim, i)) {
            lab_population_draw(&sim->config.population, &chance, &draw);
            past = i + lan < sim->config.nodes ? i + lan : sim->config.nodes;
        }
        if (draw.boxes != 0)
            settle_home(sim, &draw, &filling, i, past);
        for (; i < past; i++)
            if (draw.boxes == 0)
                settle_open(sim, i);
    }
}

static uint32_t root_of(const struct lab_sim *sim, const struct lab_host *host)
{
    uint32_t number = host->box - 1;
    while (sim->site[number].parent != 0)
        number = sim->site[number].parent - 1;
    return number;
}

void lab_home_move(struct lab_sim *sim, uint32_t number)
{
    struct lab_host *host = &sim->host[number];
    if (host->box == 0) {
        lab_address_take(&sim->addresses, &host->addr);
        host->addr = lab_address_give(&sim->addresses, number);
        host->addr.port = LAB_PORT;
        return;
    }
    struct lab_site *site = &sim->site[host->box - 1];
    lab_nat_flush(&site->box);
    if (site->parent != 0) /* its carrier keeps its own */
        return;
    lab_address_take(&sim->addresses, &site->outside);
    give_outside(sim, host->box - 1);
    site->box.host = site->outside;
}

void lab_home_flush(struct lab_sim *sim, uint32_t number)
{
    for (uint32_t box = sim->host[number].box; box != 0; box = sim->site[box - 1].parent)
        lab_nat_flush(&sim->site[box - 1].box);
}

struct hsay_addr lab_host_public(const struct lab_sim *sim, uint32_t number)
{
    const struct lab_host *host = &sim->host[number];
    if (host->box == 0)
        return host->addr;
    struct hsay_addr addr = sim->site[root_of(sim, host)].outside;
    addr.port = host->addr.port;
    return addr;
}

void lab_homes_free(struct lab_sim *sim)
{
    for (uint32_t i = 0; i < sim->site_count; i++) {
        lab_nat_box_free(&sim->site[i].box);
        free(sim->site[i].home);
    }
    free(sim->site);
}
