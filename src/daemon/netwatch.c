#include "src/daemon/netwatch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum { SETTLE_MS = 1000 };

static void on_settled(void *arg)
{
    struct daemon *d = arg;
    struct hsay_addr local = udp_local(&d->udp);

    log_info("node", "the machine's addresses have changed; walking at once");
    hsay_node_set_local(d->node, &local);
    hsay_node_wake(d->node, clock_now(&d->clock));
    turn_rearm(d);
    beacon_restart(d);
    portmap_restart(d);
}

/* What exactly has changed does not matter, so the messages are only taken away. */
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
