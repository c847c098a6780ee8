#include "src/daemon/sockets.h"

#include <sys/resource.h>

#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum {
    SWEEP_MS = 5000,
    OTHER_FILES = 256, /* control connections, stores, and all else */
};

static void on_readable(void *arg, unsigned what)
{
    (void)what;
    turn_on_more_datagrams(arg);
}

static void on_sweep(void *arg)
{
    struct daemon *d = arg;
    struct hsay_now now = clock_now(&d->clock);

    for (uint16_t number = 1; number <= HSAY_SOCKETS_MAX; number++) {
        if (!hsay_node_uses_socket(d->node, now, number)) {
            udp_more_close(&d->udp, number);
        }
    }
    loop_timer_set(d->sockets.timer, SWEEP_MS);
}

/* The usual soft limit of 1,024 files is made for select(2), which nothing here uses. */
static bool files_suffice(void)
{
    const rlim_t wanted = HSAY_SOCKETS_MAX + OTHER_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return false;
    }
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur >= wanted;
}

bool sockets_open(struct daemon *d)
{
    int fd = files_suffice() ? udp_more_open(&d->udp) : -1;

    if (fd < 0) {
        log_notice("udp", "no more than one socket: symmetric NATs are not searched for ports, and "
                          "how long a NAT keeps mappings is not measured");
        return false;
    }
    d->sockets.timer = loop_timer_new(d->loop, on_sweep, d);
    d->sockets.io = loop_io_new(d->loop, fd, on_readable, d);
    if (!d->sockets.timer || !d->sockets.io || loop_io_want(d->sockets.io, LOOP_READ)) {
        sockets_close(d);
        return false;
    }
    loop_timer_set(d->sockets.timer, SWEEP_MS);
    return true;
}

void sockets_close(struct daemon *d)
{
    loop_io_free(d->sockets.io);
    loop_timer_free(d->sockets.timer);
    d->sockets = (struct sockets){0};
}
