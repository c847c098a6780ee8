#include "src/daemon/beacon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hearsay/crypto_sodium.h"
#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum {
    WAIT_FIRST_MS = 5000,
    WAIT_MAX_MS = 60000,
    HEARD_MAX = 600, /* a minute: a network of 600 nodes, or a flood that costs 10 ms of work */
};

static const struct sockaddr_in *group_name(void)
{
    static struct sockaddr_in name;

    name.sin_family = AF_INET;
    name.sin_port = htons(BEACON_PORT);
    name.sin_addr.s_addr = htonl(0xefff4015); /* 239.255.64.21 */
    return &name;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* Out of each interface that could have neighbours; joining a group twice is refused, and fine. */
static void send_everywhere(struct daemon *d, const uint8_t beacon[BEACON_BYTES])
{
    const struct sockaddr_in *name = group_name();
    struct ifaddrs *list;

    if (getifaddrs(&list)) {
        return;
    }
    for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
        struct ip_mreqn where = {.imr_multiaddr = name->sin_addr};

        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || !(at->ifa_flags & IFF_UP) ||
            !(at->ifa_flags & IFF_MULTICAST) || (at->ifa_flags & IFF_LOOPBACK)) {
            continue;
        }
        where.imr_ifindex = (int)if_nametoindex(at->ifa_name);
        setsockopt(d->beacon.fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where);
        if (!setsockopt(d->beacon.fd, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where)) {
            sendto(d->beacon.fd, beacon, BEACON_BYTES, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (const struct sockaddr *)name, sizeof *name);
        }
    }
    freeifaddrs(list);
}

static void remember_own(struct beacon *beacon, const uint8_t *nonce)
{
    memcpy(beacon->sent[beacon->sent_count++ % BEACON_SENT_MAX], nonce, BEACON_NONCE_BYTES);
}

/* As many beacons as it takes, each with up to eight overlays. */
static void on_due(void *arg)
{
    struct daemon *d = arg;
    uint8_t beacon[BEACON_BYTES];
    uint16_t port = d->udp.socket[0].bound.port;
    size_t used = 0;

    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        struct hsay_key key;

        if (used % BEACON_ENTRIES == 0) {
            if (used) {
                send_everywhere(d, beacon);
            }
            hsay_sodium_random(beacon, sizeof beacon);
            remember_own(&d->beacon, beacon);
        }
        beacon_seal_key(&key, &d->crypto, &o->join);
        beacon_seal_entry(beacon, used++ % BEACON_ENTRIES, &d->crypto, &key, port);
    }
    if (used) {
        send_everywhere(d, beacon);
    }
    d->beacon.heard = 0;
    loop_timer_set(d->beacon.timer, d->beacon.wait_ms);
    d->beacon.wait_ms = d->beacon.wait_ms < WAIT_MAX_MS / 2 ? d->beacon.wait_ms * 2 : WAIT_MAX_MS;
}

/* ---- hearing -------------------------------------------------------------------------------- */

static bool is_own(const struct beacon *beacon, const uint8_t *nonce)
{
    for (size_t i = 0; i < BEACON_SENT_MAX; i++) {
        if (!memcmp(beacon->sent[i], nonce, BEACON_NONCE_BYTES)) {
            return true;
        }
    }
    return false;
}

static void heard(struct daemon *d, const uint8_t beacon[BEACON_BYTES],
                  const struct sockaddr_in *from)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        struct hsay_peer peer = {.addr = {.kind = HSAY_ADDR_IP4}};
        struct hsay_key key;

        beacon_seal_key(&key, &d->crypto, &o->join);
        if (beacon_seal_find(beacon, &d->crypto, &key, &peer.addr.port)) {
            continue;
        }
        memcpy(peer.addr.byte, &from->sin_addr, 4);
        hsay_node_add_peer(d->node, clock_now(&d->clock), o->number, &peer, HSAY_BUCKET_INTRODUCED);
    }
    turn_rearm(d);
}

static void on_readable(void *arg, unsigned what)
{
    struct daemon *d = arg;
    uint8_t beacon[BEACON_BYTES + 1];
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    ssize_t got;

    (void)what;
    got = recvfrom(d->beacon.fd, beacon, sizeof beacon, MSG_DONTWAIT, (struct sockaddr *)&from,
                   &size);
    if (got == BEACON_BYTES && from.sin_family == AF_INET && !is_own(&d->beacon, beacon) &&
        d->beacon.heard < HEARD_MAX) {
        d->beacon.heard++;
        heard(d, beacon, &from);
    }
}

/* ---- on and off ----------------------------------------------------------------------------- */

/* Bound to the group itself, so that nobody outside the link can send us one straight. */
static int socket_open(void)
{
    int yes = 1, hops = 1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops) ||
        bind(fd, (const struct sockaddr *)group_name(), sizeof(struct sockaddr_in))) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_all(struct daemon *d)
{
    d->beacon.fd = socket_open();
    if (d->beacon.fd < 0) {
        d->beacon.fd = 0;
        return HSAY_EIO;
    }
    d->beacon.timer = loop_timer_new(d->loop, on_due, d);
    d->beacon.io = loop_io_new(d->loop, d->beacon.fd, on_readable, d);
    if (!d->beacon.timer || !d->beacon.io || loop_io_want(d->beacon.io, LOOP_READ)) {
        return HSAY_EIO;
    }
    return 0;
}

void beacon_restart(struct daemon *d)
{
    bool wanted = d->conf.lan_beacons && !udp_only_loopback(&d->udp);

    if (!wanted) {
        beacon_close(d);
        return;
    }
    if (!d->beacon.fd && open_all(d)) {
        log_warn("beacon", "cannot listen for beacons of the local network; going on without");
        beacon_close(d);
        return;
    }
    d->beacon.wait_ms = WAIT_FIRST_MS;
    loop_timer_set(d->beacon.timer, 0);
}

void beacon_close(struct daemon *d)
{
    loop_io_free(d->beacon.io);
    loop_timer_free(d->beacon.timer);
    if (d->beacon.fd) {
        close(d->beacon.fd);
    }
    d->beacon = (struct beacon){0};
}
