/*
 * A box treats a datagram by a flow that it belongs to; without one, a datagram from inside begins
 * a flow, and one from outside passes only where the box's maps (box.c) let it in.  That is done
 * here on paper, box by box, the sender's from the inside out and the receiver's from the outside
 * in.
 */
#include "src/lab/nat/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/lab/nat/box.h"

enum { TRY_BYTES = 200, TRY_WAIT_MS = 1000, PACKET_BYTES = 2048, TTL = 64 };

/* --- on paper -------------------------------------------------------------------------------- */

struct datagram {
    struct natlab_end from, to;
};

static uint32_t addr_of(const char *text)
{
    uint32_t addr = 0;
    inet_pton(AF_INET, text, &addr);
    return addr;
}

/* As the flow that it belongs to changes it; false: it belongs to none. */
static bool by_flow(const struct natlab_flows *flows, struct datagram *d)
{
    for (size_t i = 0; i < flows->count; i++) {
        const struct natlab_flow *f = &flows->flow[i];
        if (natlab_end_equal(f->from, d->from) && natlab_end_equal(f->to, d->to)) {
            *d = (struct datagram){f->back_to, f->back_from};
            return true;
        }
        if (natlab_end_equal(f->back_from, d->from) && natlab_end_equal(f->back_to, d->to)) {
            *d = (struct datagram){f->to, f->from};
            return true;
        }
    }
    return false;
}

/* A new port by chance is none that the other could have opened anything to: 0. */
static bool go_out(const struct natlab_box_state *box, struct datagram *d)
{
    if (by_flow(&box->flows, d))
        return true;
    d->from.addr = box->outside;
    if (box->kind->ports != LAB_NAT_PORTS_KEPT)
        d->from.port = 0;
    return !box->kind->blocked;
}

/* The key of an element is a port, or an address and a port. */
static bool is_key(const json_t *key, struct datagram d)
{
    const json_t *both = json_object_get(key, "concat");
    const json_t *port = both != NULL ? json_array_get(both, 1) : key;
    const char *addr = json_string_value(json_array_get(both, 0));
    return json_integer_value(port) == ntohs(d.to.port) &&
           (both == NULL || (addr != NULL && addr_of(addr) == d.from.addr));
}

/* [[{"elem": {"val": KEY, ...}}, HOST], ...] */
static bool by_map(const json_t *elements, struct datagram *d)
{
    json_t *element;
    size_t i;
    json_array_foreach(elements, i, element)
    {
        const json_t *what = json_object_get(json_array_get(element, 0), "elem");
        const char *host = json_string_value(json_array_get(element, 1));
        if (host == NULL || !is_key(json_object_get(what, "val"), *d))
            continue;
        d->to.addr = addr_of(host);
        return true;
    }
    return false;
}

static bool go_in(const struct natlab_box_state *box, struct datagram *d)
{
    return d->to.addr == box->outside && (by_flow(&box->flows, d) || by_map(box->let_in, d));
}

/* --- what boxes remember --------------------------------------------------------------------- */

static int read_map(const struct natlab_place *place, const char *name, json_t **elements,
                    struct lab_why *why)
{
    const char *const nft[] = {"nft", "-j", "list", "map", "ip", "box", name, NULL};
    char *text;
    int rc = natlab_place_ask(place, nft, &text, why);
    if (rc != 0)
        return rc;
    json_t *all = json_loads(text, 0, NULL);
    const json_t *map = json_object_get(json_array_get(json_object_get(all, "nftables"), 1), "map");
    *elements = json_incref(json_object_get(map, "elem"));
    if (map == NULL)
        rc = lab_why_set(why, HSAY_EIO, "nft lists no map %s", name);
    json_decref(all);
    free(text);
    return rc;
}

static int read_box(const struct natlab_host *host, unsigned number, struct natlab_box_state *box,
                    struct lab_why *why)
{
    const struct natlab_place *place = &host->box[number].place;
    const char *const map[] = {
        [LAB_NAT_INDEPENDENT] = "opened", [LAB_NAT_ADDRESS] = "admitted", [LAB_NAT_PORT] = NULL};
    box->kind = &host->kind->box[number];
    box->outside = addr_of(host->box[number].outside);
    int rc = natlab_conntrack_list(place, &box->flows, why);
    if (rc == 0 && map[box->kind->filtering] != NULL)
        rc = read_map(place, map[box->kind->filtering], &box->let_in, why);
    return rc;
}

static int read_boxes(const struct natlab_host *host, struct natlab_box_state *box,
                      struct lab_why *why)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < host->kind->boxes; i++)
        rc = read_box(host, i, &box[i], why);
    return rc;
}

/* The kernel's table of the place: "  sl: ADDR:PORT ..." in hex, below a line of titles. */
static int read_sockets(const struct natlab_host *host, struct natlab_sockets *sockets,
                        struct lab_why *why)
{
    char line[256];
    unsigned port;
    natlab_place_enter(&host->place);
    FILE *file = fopen("/proc/net/udp", "re");
    sockets->count = 0;
    if (file == NULL)
        return lab_why_set(why, HSAY_EIO, "/proc/net/udp: %s", strerror(errno));
    while (fgets(line, sizeof line, file) != NULL)
        if (sockets->count < NATLAB_PORTS_OF_HOST_MAX && sscanf(line, " %*u: %*x:%x", &port) == 1)
            sockets->port[sockets->count++] = htons((uint16_t)port);
    fclose(file);
    return 0;
}

int natlab_memory_read(struct natlab_memory *memory, const struct natlab_world *world,
                       struct lab_why *why)
{
    int rc = 0;
    *memory = (struct natlab_memory){.world = world};
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = read_boxes(&world->peer[i], memory->box[i], why);
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = read_sockets(&world->peer[i], &memory->sockets[i], why);
    return rc;
}

void natlab_memory_free(struct natlab_memory *memory)
{
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        for (unsigned b = 0; b < NATLAB_BOXES_MAX; b++) {
            natlab_flows_free(&memory->box[i][b].flows);
            json_decref(memory->box[i][b].let_in);
        }
}

/* --- the way --------------------------------------------------------------------------------- */

static bool is_socket(const struct natlab_sockets *sockets, uint16_t port)
{
    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->port[i] == port)
            return true;
    return false;
}

static bool passes(const struct natlab_memory *memory, unsigned from,
                   const struct natlab_route *route)
{
    const struct natlab_host *a = &memory->world->peer[from], *b = &memory->world->peer[1 - from];
    struct datagram d = {route->from, route->to};
    for (unsigned i = 0; i < a->kind->boxes; i++)
        if (!go_out(&memory->box[from][i], &d))
            return false;
    for (unsigned i = b->kind->boxes; i-- > 0;)
        if (!go_in(&memory->box[1 - from][i], &d))
            return false;
    return d.to.addr == addr_of(b->address) && is_socket(&memory->sockets[1 - from], d.to.port);
}

/* From any of its sockets. */
static bool finds(const struct natlab_memory *memory, unsigned from, struct natlab_end to,
                  struct natlab_route *route)
{
    const struct natlab_host *host = &memory->world->peer[from];
    const struct natlab_sockets *sockets = &memory->sockets[from];
    for (unsigned i = 0; i < sockets->count; i++) {
        *route = (struct natlab_route){{addr_of(host->address), sockets->port[i]}, to};
        if (passes(memory, from, route))
            return true;
    }
    *route = (struct natlab_route){{addr_of(host->address), htons(host->port)}, to};
    return false;
}

static bool parse_end(const char *text, struct natlab_end *end)
{
    char addr[NATLAB_ADDRESS_BYTES];
    unsigned port;
    if (text == NULL || sscanf(text, "%15[0-9.]:%u", addr, &port) != 2 || port > UINT16_MAX)
        return false;
    *end = (struct natlab_end){addr_of(addr), htons((uint16_t)port)};
    return true;
}

/* At any of the addresses at which it knows the other. */
static enum natlab_path judge(const struct natlab_memory *memory, unsigned from,
                              const json_t *peers, const char *key, struct natlab_route *route)
{
    enum natlab_path path = NATLAB_PATH_UNKNOWN;
    json_t *peer;
    size_t i;
    json_array_foreach(peers, i, peer)
    {
        const char *its = json_string_value(json_object_get(peer, "key"));
        struct natlab_end end;
        if (its == NULL || strcmp(its, key) != 0 || path == NATLAB_PATH_OPEN ||
            !parse_end(json_string_value(json_object_get(peer, "addr")), &end))
            continue;
        path = finds(memory, from, end, route) ? NATLAB_PATH_OPEN : NATLAB_PATH_SHUT;
    }
    return path;
}

static int judge_from(const struct natlab_memory *memory, unsigned from,
                      struct natlab_node *const *node, enum natlab_path *path,
                      struct natlab_route *route, struct lab_why *why)
{
    json_t *peers = natlab_node_peers(node[from], why);
    if (peers == NULL)
        return HSAY_EIO;
    *path = judge(memory, from, peers, node[1 - from]->key, route);
    json_decref(peers);
    return 0;
}

int natlab_path_judge(const struct natlab_memory *memory, struct natlab_node *const *node,
                      enum natlab_path *path, struct natlab_route *route, struct lab_why *why)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = judge_from(memory, i, node, &path[i], &route[i], why);
    return rc;
}

/* --- a real one ------------------------------------------------------------------------------ */

struct packet {
    struct iphdr ip;
    struct udphdr udp;
    char text[TRY_BYTES];
};

/* Without a checksum, which UDP over IPv4 may go without; that of the header the kernel fills in.
 */
static struct packet make_packet(const struct natlab_route *route)
{
    struct packet p = {
        .ip = {.version = 4,
               .ihl = sizeof p.ip / 4,
               .ttl = TTL,
               .protocol = IPPROTO_UDP,
               .tot_len = htons(sizeof p),
               .saddr = route->from.addr,
               .daddr = route->to.addr},
        .udp = {.source = route->from.port,
                .dest = route->to.port,
                .len = htons(sizeof p - sizeof p.ip)},
    };
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(p.text, sizeof p.text, "path? %lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
    return p;
}

static int open_raw(const struct natlab_place *place, int protocol, int *fd, struct lab_why *why)
{
    natlab_place_enter(place);
    *fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
    return *fd >= 0 ? 0 : lab_why_set(why, HSAY_EIO, "no raw socket: %s", strerror(errno));
}

static bool is_it(const uint8_t *got, size_t size, const struct packet *sent,
                  const struct natlab_sockets *sockets)
{
    struct packet p;
    if (size != sizeof p)
        return false;
    memcpy(&p, got, sizeof p);
    return is_socket(sockets, p.udp.dest) && memcmp(p.text, sent->text, sizeof p.text) == 0;
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool hear(int fd, const struct packet *sent, const struct natlab_sockets *sockets)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    uint8_t got[PACKET_BYTES];
    int64_t end = clock_ms() + TRY_WAIT_MS;
    for (int64_t left; (left = end - clock_ms()) > 0 && poll(&readable, 1, (int)left) > 0;) {
        ssize_t size = recv(fd, got, sizeof got, MSG_DONTWAIT);
        if (size > 0 && is_it(got, (size_t)size, sent, sockets))
            return true;
    }
    return false;
}

static int send_packet(int fd, const struct packet *p, struct lab_why *why)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {p->ip.daddr}};
    if (sendto(fd, p, sizeof *p, 0, (const struct sockaddr *)&name, sizeof name) ==
        (ssize_t)sizeof *p)
        return 0;
    return lab_why_set(why, HSAY_EIO, "cannot send a packet: %s", strerror(errno));
}

int natlab_path_try(const struct natlab_world *world, unsigned from,
                    const struct natlab_route *route, bool *comes, struct lab_why *why)
{
    const struct natlab_host *a = &world->peer[from], *b = &world->peer[1 - from];
    struct packet p = make_packet(route);
    struct natlab_sockets sockets;
    int out = -1, in = -1;
    *comes = false;
    int rc = read_sockets(b, &sockets, why);
    if (rc == 0)
        rc = open_raw(&b->place, IPPROTO_UDP, &in, why);
    if (rc == 0)
        rc = open_raw(&a->place, IPPROTO_RAW, &out, why);
    if (rc == 0)
        rc = send_packet(out, &p, why);
    if (rc == 0)
        *comes = hear(in, &p, &sockets);
    if (out >= 0)
        close(out);
    if (in >= 0)
        close(in);
    return rc;
}
