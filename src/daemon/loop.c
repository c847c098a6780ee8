#include "src/daemon/loop.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"

struct loop {
    struct event_base *base;
    struct evdns_base *dns; /* made when the first name has to be looked up */
    uint64_t wakeups;
    bool stop;
};

struct loop_io {
    struct event *event;
    struct event_base *base;
    void (*ready)(void *arg, unsigned what);
    void *arg;
    int fd;
    unsigned wanted;
};

struct loop_timer {
    struct event *event;
    void (*due)(void *arg);
    void *arg;
};

struct loop_signal {
    struct event *event;
    void (*came)(void *arg);
    void *arg;
};

struct loop *loop_open(void)
{
    struct loop *loop = calloc(1, sizeof *loop);

    if (!loop) {
        return NULL;
    }
    loop->base = event_base_new();
    if (!loop->base) {
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_close(struct loop *loop)
{
    if (!loop) {
        return;
    }
    if (loop->dns) {
        /* Look-ups that still wait are told that they failed; that needs another turn to reach
         * them, for otherwise what they hold is never given back. */
        evdns_base_free(loop->dns, 1);
        event_base_loop(loop->base, EVLOOP_NONBLOCK);
    }
    event_base_free(loop->base);
    free(loop);
}

int loop_run(struct loop *loop)
{
    while (!loop->stop) {
        loop->wakeups++;
        if (event_base_loop(loop->base, EVLOOP_ONCE) < 0) {
            return HSAY_EIO;
        }
    }
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

uint64_t loop_wakeups(const struct loop *loop)
{
    return loop->wakeups;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static void io_ready(evutil_socket_t fd, short what, void *arg)
{
    struct loop_io *io = arg;
    unsigned ready = (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u);

    (void)fd;
    io->ready(io->arg, ready);
}

struct loop_io *loop_io_new(struct loop *loop, int fd, void (*ready)(void *arg, unsigned what),
                            void *arg)
{
    struct loop_io *io = calloc(1, sizeof *io);

    if (!io) {
        return NULL;
    }
    *io = (struct loop_io){.base = loop->base, .ready = ready, .arg = arg, .fd = fd};
    io->event = event_new(loop->base, fd, 0, io_ready, io);
    if (!io->event) {
        free(io);
        return NULL;
    }
    return io;
}

int loop_io_want(struct loop_io *io, unsigned what)
{
    short events = EV_PERSIST;

    if (what == io->wanted) {
        return 0;
    }
    event_del(io->event);
    io->wanted = what;
    if (!what) {
        return 0;
    }
    events =
        (short)(events | (what & LOOP_READ ? EV_READ : 0) | (what & LOOP_WRITE ? EV_WRITE : 0));
    if (event_assign(io->event, io->base, io->fd, events, io_ready, io) ||
        event_add(io->event, NULL)) {
        return HSAY_EIO;
    }
    return 0;
}

void loop_io_free(struct loop_io *io)
{
    if (io) {
        event_free(io->event);
        free(io);
    }
}

/* ---- timers and signals --------------------------------------------------------------------- */

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;

    (void)fd;
    (void)what;
    timer->due(timer->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*due)(void *arg), void *arg)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);

    if (!timer) {
        return NULL;
    }
    *timer = (struct loop_timer){.due = due, .arg = arg};
    timer->event = evtimer_new(loop->base, timer_due, timer);
    if (!timer->event) {
        free(timer);
        return NULL;
    }
    return timer;
}

void loop_timer_set(struct loop_timer *timer, uint64_t ms)
{
    /* A week is as good as for ever, and fits every time_t. */
    uint64_t bounded_ms = ms < 604800000 ? ms : 604800000;
    struct timeval after = {(time_t)(bounded_ms / 1000), (suseconds_t)(bounded_ms % 1000 * 1000)};

    evtimer_add(timer->event, &after);
}

void loop_timer_stop(struct loop_timer *timer)
{
    evtimer_del(timer->event);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer) {
        event_free(timer->event);
        free(timer);
    }
}

static void signal_came(evutil_socket_t number, short what, void *arg)
{
    struct loop_signal *signal = arg;

    (void)number;
    (void)what;
    signal->came(signal->arg);
}

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*came)(void *arg),
                                    void *arg)
{
    struct loop_signal *signal = calloc(1, sizeof *signal);

    if (!signal) {
        return NULL;
    }
    *signal = (struct loop_signal){.came = came, .arg = arg};
    signal->event = evsignal_new(loop->base, number, signal_came, signal);
    if (!signal->event || event_add(signal->event, NULL)) {
        loop_signal_free(signal);
        return NULL;
    }
    return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
    if (signal) {
        if (signal->event) {
            event_free(signal->event);
        }
        free(signal);
    }
}

/* ---- names ---------------------------------------------------------------------------------- */

struct lookup {
    void (*found)(void *arg, const struct loop_found *found);
    void *arg;
};

static void found_add(struct loop_found *found, const struct sockaddr *from)
{
    struct hsay_addr *addr = &found->addr[found->count];

    if (found->count == sizeof found->addr / sizeof found->addr[0]) {
        return;
    }
    *addr = (struct hsay_addr){0};
    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *ip4 = (const struct sockaddr_in *)(const void *)from;

        addr->kind = HSAY_ADDR_IP4;
        addr->port = ntohs(ip4->sin_port);
        memcpy(addr->byte, &ip4->sin_addr, 4);
        found->count++;
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)from;

        addr->kind = HSAY_ADDR_IP6;
        addr->port = ntohs(ip6->sin6_port);
        memcpy(addr->byte, &ip6->sin6_addr, 16);
        found->count++;
    }
}

static void lookup_done(int error, struct evutil_addrinfo *list, void *arg)
{
    struct lookup *lookup = arg;
    struct loop_found found = {.why = error ? evutil_gai_strerror(error) : "no address"};

    for (struct evutil_addrinfo *at = list; at; at = at->ai_next) {
        found_add(&found, at->ai_addr);
    }
    if (list) {
        evutil_freeaddrinfo(list);
    }
    lookup->found(lookup->arg, &found);
    free(lookup);
}

static bool dns_ready(struct loop *loop)
{
    if (!loop->dns) {
        loop->dns = evdns_base_new(loop->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                   EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    }
    /* A machine without /etc/resolv.conf still has /etc/hosts. */
    if (!loop->dns) {
        loop->dns = evdns_base_new(loop->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (loop->dns) {
            evdns_base_load_hosts(loop->dns, "/etc/hosts");
        }
    }
    return loop->dns;
}

void loop_resolve(struct loop *loop, const char *host, uint16_t port,
                  void (*found)(void *arg, const struct loop_found *found), void *arg)
{
    struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct lookup *lookup = calloc(1, sizeof *lookup);
    char service[8];

    if (!lookup || !dns_ready(loop)) {
        struct loop_found none = {.why = "out of memory"};

        free(lookup);
        found(arg, &none);
        return;
    }
    *lookup = (struct lookup){found, arg};
    evutil_snprintf(service, sizeof service, "%u", port);
    evdns_getaddrinfo(loop->dns, host, service, &hints, lookup_done, lookup);
}
