#include "src/daemon/netwatch.h"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum { SETTLE_MS = 1000 };

/* FNV-1a (Fowler, Noll, Vo): nobody chooses these bytes to deceive us. */
static uint64_t hash_bytes(const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Of an address that a path may come from; 0 for all others.  One of a link alone comes and goes
 * with the link, and is none of ours. */
static uint64_t hash_of(const struct sockaddr *address)
{
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        return hash_bytes(&in->sin_addr, sizeof in->sin_addr);
    }
    if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)address;
        return IN6_IS_ADDR_LINKLOCAL(&in->sin6_addr)
                   ? 0
                   : hash_bytes(&in->sin6_addr, sizeof in->sin6_addr);
    }
    return 0;
}

/* Which addresses this machine has, whatever their order. */
static uint64_t addresses_now(void)
{
    struct ifaddrs *list;
    uint64_t sum = 0;

    if (getifaddrs(&list)) {
        return 0;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        sum += hash_of(i->ifa_addr);
    }
    freeifaddrs(list);
    return sum;
}

static void on_settled(void *arg)
{
    struct daemon *d = arg;
    uint64_t addresses = addresses_now();

    if (addresses == d->netwatch.addresses) {
        return;
    }
    d->netwatch.addresses = addresses;
    log_info("node", "the machine's addresses have changed; walking at once");
    daemon_tell_local(d);
    hsay_node_wake(d->node, clock_now(&d->clock));
    turn_rearm(d);
    beacon_restart(d);
    portmap_restart(d);
}

/* Messages also come when nothing has changed but how long an address is good for, as routers say
 * every few minutes.  So they are only taken away, and what is there now is compared. */
static void on_readable(void *arg, unsigned what)
{
    struct daemon *d = arg;
    char junk[8192];
    bool some = false;

    (void)what;
    while (recv(d->netwatch.fd, junk, sizeof junk, MSG_DONTWAIT) > 0) {
        some = true;
    }
    if (some) {
        loop_timer_set(d->netwatch.timer, SETTLE_MS);
    }
}

void netwatch_open(struct daemon *d)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};

    d->netwatch.addresses = addresses_now();
    d->netwatch.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (d->netwatch.fd < 0) {
        return;
    }
    d->netwatch.timer = loop_timer_new(d->loop, on_settled, d);
    d->netwatch.io = loop_io_new(d->loop, d->netwatch.fd, on_readable, d);
    if (!d->netwatch.timer || !d->netwatch.io ||
        bind(d->netwatch.fd, (const struct sockaddr *)&name, sizeof name) ||
        loop_io_want(d->netwatch.io, LOOP_READ)) {
        netwatch_close(d);
    }
}

void netwatch_close(struct daemon *d)
{
    loop_io_free(d->netwatch.io);
    loop_timer_free(d->netwatch.timer);
    if (d->netwatch.fd > 0) {
        close(d->netwatch.fd);
    }
    d->netwatch = (struct netwatch){0};
}
