#include "src/daemon/portmap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/daemon/daemon.h"
#include "src/daemon/json_value.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"
#include "src/daemon/portmap_work.h"

enum {
    LIFETIME_S = 7200,   /* what RFC 6886 and 6887 recommend to ask for, and to renew at half of */
    RENEW_MIN_MS = 4000, /* RFC 6887, 11.2.1: never more often */
    RETRY_FIRST_MS = 60000,
    RETRY_DOUBLINGS = 6, /* 64 minutes, bounded by */
    RETRY_MAX_MS = 3600000,
};

static_assert((int)UDP_SOCKETS_MAX <= (int)PORTMAP_MAX, "a port for each socket");

static void arm(struct daemon *d);

static hsay_time now_of(struct daemon *d)
{
    return clock_now(&d->clock).mono;
}

static enum portmap_mode mode_of(const struct daemon *d)
{
    return (enum portmap_mode)d->conf.port_mapping;
}

static bool is_held(const struct portmap_port *port, hsay_time now)
{
    return port->held.protocol && hsay_time_before(now, port->until);
}

/* ---- what the thread answers ---------------------------------------------------------------- */

static void say_mapped(const struct portmap_port *port, bool again)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    hsay_addr_format(text, sizeof text, &port->held.external);
    if (again) {
        log_debug("portmap", "%s stays mapped to port %u by %s", text, port->bound.port,
                  portmap_protocol_name(port->held.protocol));
    } else {
        log_notice("portmap", "%s is mapped to port %u by %s", text, port->bound.port,
                   portmap_protocol_name(port->held.protocol));
    }
}

static void on_mapped(struct portmap_port *port, const struct portmap_answer *answer, hsay_time now)
{
    bool again = is_held(port, now) && port->held.protocol == answer->held.protocol &&
                 hsay_addr_equal(&port->held.external, &answer->held.external);
    /* What is held for ever is renewed as well: gateways forget when they are started again. */
    uint64_t lifetime_s = answer->held.lifetime_s ? answer->held.lifetime_s : (uint64_t)LIFETIME_S;
    uint64_t lifetime_ms = lifetime_s * 1000;
    uint64_t renew_ms = lifetime_ms / 2 > RENEW_MIN_MS ? lifetime_ms / 2 : RENEW_MIN_MS;

    port->until = answer->held.lifetime_s ? hsay_time_add_ms(now, lifetime_ms) : HSAY_TIME_NEVER;
    port->due = hsay_time_add_ms(now, renew_ms);
    port->failures = 0;
    port->held = answer->held;
    say_mapped(port, again);
}

static void on_failed(struct portmap_port *port, const struct portmap_answer *answer, hsay_time now)
{
    uint64_t wait_ms = (uint64_t)RETRY_FIRST_MS << port->failures;

    port->failures += port->failures < RETRY_DOUBLINGS;
    port->due = hsay_time_add_ms(now, wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
    port->held = answer->held;
    if (strcmp(port->error, answer->error)) {
        log_info("portmap", "port %u is not mapped: %s", port->bound.port, answer->error);
    }
}

static void on_answer(void *arg, unsigned what)
{
    struct daemon *d = arg;
    struct portmap *map = &d->portmap;
    struct portmap_answer answer;
    struct portmap_port *port;
    hsay_time now = now_of(d);

    (void)what;
    if (!portmap_work_take(map->work, &answer)) {
        return;
    }
    port = &map->port[answer.index];
    map->asking = false;
    if (answer.mapped) {
        on_mapped(port, &answer, now);
    } else if (answer.error[0]) {
        on_failed(port, &answer, now);
    } else {
        port->held = answer.held;
        port->due = HSAY_TIME_NEVER; /* until a reload or another network */
    }
    memcpy(port->error, answer.error, sizeof port->error);
    if (port->again) {
        port->due = now;
        port->again = false;
    }
    arm(d);
}

/* ---- when to ask ---------------------------------------------------------------------------- */

static void ask(struct daemon *d, size_t index)
{
    struct portmap *map = &d->portmap;
    struct portmap_job job = {.index = index,
                              .mode = mode_of(d),
                              .bound = map->port[index].bound,
                              .lifetime_s = LIFETIME_S};

    map->asking = true;
    map->asked = index;
    portmap_work_ask(map->work, &job);
}

/* One port after the other, the one that is due first before the rest. */
static void arm(struct daemon *d)
{
    struct portmap *map = &d->portmap;
    hsay_time now = now_of(d);
    size_t first = 0;

    if (map->asking) {
        return;
    }
    for (size_t i = 1; i < map->port_count; i++) {
        if (hsay_time_before(map->port[i].due, map->port[first].due)) {
            first = i;
        }
    }
    if (!hsay_time_before(now, map->port[first].due)) {
        ask(d, first);
    } else {
        /* A timer that is set for too early looks again; it is never due for ever. */
        loop_timer_set(map->timer, hsay_time_ms_between(now, map->port[first].due) + 1);
    }
}

static void on_due(void *arg)
{
    arm(arg);
}

/* ---- start and end -------------------------------------------------------------------------- */

/* Takes IPv4, and could be behind a NAT. */
static bool is_eligible(const struct udp_socket *socket)
{
    enum hsay_addr_class class = hsay_addr_class(&socket->bound);

    if (socket->bound.kind != HSAY_ADDR_IP4) {
        return socket->both;
    }
    return class == HSAY_ADDR_UNSPECIFIED || class == HSAY_ADDR_PRIVATE ||
           class == HSAY_ADDR_CARRIER;
}

static bool has_port(const struct portmap *map, uint16_t port)
{
    for (size_t i = 0; i < map->port_count; i++) {
        if (map->port[i].bound.port == port) {
            return true;
        }
    }
    return false;
}

/* Two sockets of one port need one mapping; that of the first, as it would be the one for all. */
static void ports_find(struct daemon *d)
{
    struct portmap *map = &d->portmap;

    map->port_count = 0;
    for (size_t i = 0; i < d->udp.socket_count; i++) {
        const struct udp_socket *socket = &d->udp.socket[i];
        struct hsay_addr bound = {.kind = HSAY_ADDR_IP4, .port = socket->bound.port};

        if (!is_eligible(socket) || has_port(map, bound.port)) {
            continue;
        }
        if (socket->bound.kind == HSAY_ADDR_IP4) {
            bound = socket->bound;
        }
        map->port[map->port_count++] = (struct portmap_port){.bound = bound};
    }
}

static int open_all(struct daemon *d)
{
    struct portmap *map = &d->portmap;

    map->timer = loop_timer_new(d->loop, on_due, d);
    map->work = map->timer ? portmap_work_start() : NULL;
    map->io = map->work ? loop_io_new(d->loop, portmap_work_fd(map->work), on_answer, d) : NULL;
    return map->io ? loop_io_want(map->io, LOOP_READ) : HSAY_EIO;
}

void portmap_restart(struct daemon *d)
{
    struct portmap *map = &d->portmap;

    if (!map->work) {
        if (mode_of(d) == PORTMAP_OFF) {
            return;
        }
        ports_find(d);
        if (!map->port_count) {
            return;
        }
        if (open_all(d)) {
            log_warn("portmap", "cannot start to ask for a port; going on without");
            portmap_close(d);
            return;
        }
    }
    for (size_t i = 0; i < map->port_count; i++) {
        map->port[i].due = now_of(d);
        map->port[i].failures = 0;
        map->port[i].again = map->asking && map->asked == i;
    }
    arm(d);
}

void portmap_close(struct daemon *d)
{
    loop_io_free(d->portmap.io);
    loop_timer_free(d->portmap.timer);
    portmap_work_end(d->portmap.work);
    d->portmap = (struct portmap){0};
}

/* ---- how it is ------------------------------------------------------------------------------ */

static json_t *json_addr_or_null(const struct hsay_addr *addr, bool known)
{
    return known ? json_addr(addr) : json_null();
}

/* The gateway is a host: no port. */
static json_t *json_host_or_null(const struct hsay_addr *addr, bool known)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    if (!known) {
        return json_null();
    }
    hsay_addr_format(text, sizeof text, addr);
    text[strcspn(text, ":")] = 0;
    return json_string(text);
}

/* Seconds until then; null for never. */
static json_t *json_until(hsay_time at, hsay_time now, bool known)
{
    if (!known || !hsay_time_before(at, HSAY_TIME_NEVER)) {
        return json_null();
    }
    return json_number(hsay_time_before(now, at) ? hsay_time_ms_between(now, at) / 1000 : 0);
}

static json_t *json_port(const struct portmap *map, size_t index, hsay_time now)
{
    const struct portmap_port *port = &map->port[index];
    bool held = is_held(port, now);

    return json_pack(
        "{s:i, s:s?, s:o, s:o, s:o, s:o, s:o, s:s?, s:b}", "port", (int)port->bound.port,
        "protocol", held ? portmap_protocol_name(port->held.protocol) : NULL, "internal",
        json_addr_or_null(&port->held.internal, held), "external",
        json_addr_or_null(&port->held.external, held), "gateway",
        json_host_or_null(&port->held.gateway, held), "left_seconds",
        json_until(port->until, now, held), "next_try_seconds", json_until(port->due, now, true),
        "error", port->error[0] ? port->error : NULL, "asking", map->asking && map->asked == index);
}

json_t *portmap_json(struct daemon *d)
{
    json_t *ports = json_array();

    for (size_t i = 0; i < d->portmap.port_count; i++) {
        json_array_append_new(ports, json_port(&d->portmap, i, now_of(d)));
    }
    return json_pack("{s:s, s:o}", "mode", conf_port_mapping_name(d->conf.port_mapping), "ports",
                     ports);
}
