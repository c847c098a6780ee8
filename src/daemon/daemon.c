/* Start, the things that happen between the parts, and the end. */
#include "src/daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "nat/addr_class.h"
#include "src/common/hex.h"
#include "src/daemon/loop.h"
#include "src/daemon/notify.h"
#include "src/daemon/probe.h"
#include "src/daemon/start.h"
#include "version.h"

enum { MINUTE_MS = 60000, FIRST_PEERS_MS = 10000 };

/* ---- what happens --------------------------------------------------------------------------- */

void daemon_stop(struct daemon *d, enum exit_status status)
{
    d->stopping = true;
    d->status = d->status ? d->status : status;
    loop_stop(d->loop);
}

static void on_stop_signal(void *arg)
{
    log_notice("daemon", "told to stop");
    daemon_stop(arg, EXIT_STATUS_CLEAN);
}

static void log_changes(char list[][CONF_CHANGE_BYTES], size_t count, const char *what)
{
    for (size_t i = 0; i < count; i++) {
        log_notice("conf", "%s %s", list[i], what);
    }
}

int daemon_reload(struct daemon *d, struct conf_changes *changes, struct conf_error *error)
{
    struct conf *wanted = malloc(sizeof *wanted);
    int rc = HSAY_EINVAL;

    if (!wanted) {
        snprintf(error->text, sizeof error->text, "out of memory");
        return rc;
    }
    rc = options_conf(d->options, wanted, error);
    if (!rc) {
        conf_reload(&d->conf, wanted, changes);
        log_set((enum log_level)d->conf.log_level, (enum log_format)d->conf.log_format);
        for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
            names_add_known(d, o);
        }
        beacon_restart(d);
        portmap_restart(d);
        turn_rearm(d);
        log_changes(changes->changed, changes->changed_count, "is changed");
        log_changes(changes->restart, changes->restart_count, "changes at the next start");
    }
    free(wanted);
    return rc;
}

static void on_reload_signal(void *arg)
{
    struct conf_changes changes;
    struct conf_error error;

    log_notice("daemon", "told to reload");
    if (daemon_reload(arg, &changes, &error)) {
        log_errorx("conf", "nothing has changed: %s", error.text);
    }
}

static void tell_manager(struct daemon *d)
{
    unsigned long long bundles = 0;
    unsigned overlays = 0, synced = 0;
    char text[160];

    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        struct hsay_store_info info;

        o->store.ops->info(o->store.self, &info);
        bundles += info.bundles;
        overlays++;
        synced += o->synced;
    }
    snprintf(text, sizeof text, "STATUS=%llu bundles in %u overlays, %u in sync%s", bundles,
             overlays, synced, d->turn.failing ? "; the disk takes nothing more" : "");
    notify_send(text);
}

static void on_minute(void *arg)
{
    struct daemon *d = arg;

    book_save(d);
    tell_manager(d);
    loop_timer_set(d->minute, d->book.has_peers ? MINUTE_MS : FIRST_PEERS_MS);
}

static void on_watchdog(void *arg)
{
    struct daemon *d = arg;

    notify_send("WATCHDOG=1");
    loop_timer_set(d->watchdog, notify_watchdog_ms());
}

static void on_synced(struct daemon *d, const struct hsay_event *event)
{
    struct overlay *overlay = overlays_numbered(d, event->overlay);

    if (overlay && overlay->synced != (event->number[0] != 0)) {
        overlay->synced = event->number[0] != 0;
        log_info("sync", "%s is %s", overlay->name, overlay->synced ? "in sync" : "behind");
        tell_manager(d);
    }
}

static void on_address(const struct hsay_event *event)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    hsay_addr_format(text, sizeof text, &event->peer.addr);
    log_info("node", "peers see us at %s", text);
}

static void on_fork(struct daemon *d, const struct hsay_event *event)
{
    const struct overlay *overlay = overlays_numbered(d, event->overlay);
    char hex[17];

    hex_format(hex, event->author.byte, 8);
    log_warnx("sync",
              "author %s... of %s has signed two bundles for one place; both are kept as "
              "proof",
              hex, overlay ? overlay->name : "an overlay");
}

void daemon_events(struct daemon *d, const struct hsay_event *event, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (event[i].kind == HSAY_EVENT_SYNCED) {
            on_synced(d, &event[i]);
        } else if (event[i].kind == HSAY_EVENT_ADDRESS) {
            on_address(&event[i]);
        } else if (event[i].kind == HSAY_EVENT_FORK) {
            on_fork(d, &event[i]);
        }
        ctl_on_event(d, &event[i]);
    }
}

void daemon_overlay_joined(struct daemon *d, struct overlay *overlay)
{
    book_load(d, overlay);
    names_add_known(d, overlay);
    beacon_restart(d);
    turn_rearm(d);
}

void daemon_overlay_left(struct daemon *d, struct overlay *overlay)
{
    names_forget(d, overlay);
    ctl_overlay_left(d, overlay);
}

void daemon_overlays_reopened(struct daemon *d)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        names_forget(d, o);
        daemon_overlay_joined(d, o);
    }
}

/* ---- start ---------------------------------------------------------------------------------- */

static int out_of_memory(void)
{
    log_errorx("daemon", "out of memory");
    return EXIT_STATUS_FAILED;
}

static int start_udp(struct daemon *d)
{
    char why[256];

    if (udp_open(&d->udp, d->conf.listen, d->conf.listen_count, why, sizeof why)) {
        log_errorx("udp", "%s", why);
        return EXIT_STATUS_FAILED;
    }
    return 0;
}

/* Where its sockets are. */
void daemon_tell_local(struct daemon *d)
{
    static const uint8_t family[] = {HSAY_ADDR_IP4, HSAY_ADDR_IP6};
    struct hsay_addr local = {.kind = HSAY_ADDR_NONE};

    hsay_node_set_local(d->node, &local);
    for (size_t i = 0; i < sizeof family; i++) {
        local = udp_local(&d->udp, family[i]);
        if (local.kind != HSAY_ADDR_NONE) {
            hsay_node_set_local(d->node, &local);
        }
    }
}

static int start_node(struct daemon *d, const uint8_t secret[HSAY_KEY_BYTES])
{
    struct hsay_node_config config = {0};
    uint8_t seed[32];
    int rc;

    hsay_node_config_default(&config);
    memcpy(config.node_secret, secret, sizeof config.node_secret);
    config.overlays_max = (uint16_t)d->conf.overlays_max;
    config.candidates_max = (uint16_t)d->conf.candidates_max;
    config.datagram_bytes = (uint32_t)d->conf.datagram_bytes;
    config.lived_before = !d->first_life;
    if (sockets_open(d)) {
        config.sockets_max = d->conf.port_search ? HSAY_SOCKETS_MAX : HSAY_SOCKETS_LIFETIME;
    }
    hsay_sodium_random(seed, sizeof seed);
    d->node_memory = malloc(hsay_node_size(&config));
    if (!d->node_memory) {
        return out_of_memory();
    }
    rc = hsay_node_init(d->node_memory, &config, &d->crypto, seed, clock_now(&d->clock), &d->node);
    hsay_sodium_wipe(&config, sizeof config);
    if (rc) {
        log_errorx("node", "cannot start: %s", hsay_strerror(rc));
        return EXIT_STATUS_FAILED;
    }
    daemon_tell_local(d);
    return 0;
}

static int start_overlays(struct daemon *d)
{
    char why[PATH_MAX + 512];
    int rc = overlays_open(d, why, sizeof why);

    if (rc) {
        log_errorx("store", "%s", why);
        return rc == HSAY_EEXIST ? EXIT_STATUS_BUSY : EXIT_STATUS_FAILED;
    }
    rc = overlays_load(d, why, sizeof why);
    if (rc) {
        log_errorx("overlay", "%s", why);
        return rc == HSAY_EEXIST ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED;
    }
    return 0;
}

/* The loop's argument for one socket. */
struct udp_ready {
    struct daemon *d;
    size_t index;
};

static void on_datagrams(void *arg, unsigned what)
{
    struct udp_ready *ready = arg;

    (void)what;
    turn_on_datagrams(ready->d, ready->index);
}

static int start_reading(struct daemon *d)
{
    static struct udp_ready ready[UDP_SOCKETS_MAX];

    for (size_t i = 0; i < d->udp.socket_count; i++) {
        ready[i] = (struct udp_ready){d, i};
        d->udp_io[i] = loop_io_new(d->loop, d->udp.socket[i].fd, on_datagrams, &ready[i]);
        if (!d->udp_io[i] || loop_io_want(d->udp_io[i], LOOP_READ)) {
            return out_of_memory();
        }
    }
    return 0;
}

static int start_signals(struct daemon *d)
{
    static const int number[] = {SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
        d->signal[i] = loop_signal_new(d->loop, number[i],
                                       number[i] == SIGHUP ? on_reload_signal : on_stop_signal, d);
        if (!d->signal[i]) {
            return out_of_memory();
        }
    }
    return 0;
}

static int start_timers(struct daemon *d)
{
    d->minute = loop_timer_new(d->loop, on_minute, d);
    d->watchdog = loop_timer_new(d->loop, on_watchdog, d);
    if (!d->minute || !d->watchdog) {
        return out_of_memory();
    }
    loop_timer_set(d->minute, FIRST_PEERS_MS);
    if (notify_watchdog_ms()) {
        on_watchdog(d);
    }
    return 0;
}

static void say_ready(struct daemon *d)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    for (size_t i = 0; i < d->udp.socket_count; i++) {
        hsay_addr_format(text, sizeof text, &d->udp.socket[i].bound);
        log_notice("udp", "listening at %s", text);
    }
    log_notice("daemon", "hearsayd %s is ready; control socket %s", HSAY_VERSION, d->ctl.path);
    notify_send("READY=1");
    tell_manager(d);
}

enum exit_status daemon_start(struct daemon *d)
{
    unsigned char node_secret[32];
    int status = start_state(d);

    if (!status) {
        status = probe_store(d);
    }
    if (!status) {
        status = start_keys(d, node_secret);
    }
    if (status) {
        return (enum exit_status)status;
    }
    clock_init(&d->clock);
    d->started = clock_now(&d->clock).mono;
    d->loop = loop_open();
    if (!d->loop || turn_open(d) || names_open(d)) {
        return (enum exit_status)out_of_memory();
    }
    status = start_udp(d);
    if (!status) {
        status = start_node(d, node_secret);
    }
    hsay_sodium_wipe(node_secret, sizeof node_secret);
    if (!status) {
        status = start_overlays(d);
    }
    if (!status) {
        status = ctl_open(d);
    }
    if (!status) {
        status = start_reading(d);
    }
    if (!status) {
        status = start_signals(d);
    }
    if (!status) {
        status = start_timers(d);
    }
    return (enum exit_status)status;
}

enum exit_status daemon_run(struct daemon *d)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        book_load(d, o);
        names_add_known(d, o);
    }
    beacon_restart(d);
    netwatch_open(d);
    portmap_restart(d);
    turn_settle(d);
    say_ready(d);
    if (loop_run(d->loop)) {
        log_error("daemon", "the event loop has failed");
        return EXIT_STATUS_FAILED;
    }
    return d->status;
}

/* ---- the end -------------------------------------------------------------------------------- */

void daemon_end(struct daemon *d)
{
    d->stopping = true;
    notify_send("STOPPING=1");
    if (d->overlays.lmdb) {
        book_save(d);
    }
    netwatch_close(d);
    beacon_close(d);
    ctl_close(d);
    names_close(d);
    for (size_t i = 0; i < UDP_SOCKETS_MAX; i++) {
        loop_io_free(d->udp_io[i]);
    }
    for (size_t i = 0; i < sizeof d->signal / sizeof d->signal[0]; i++) {
        loop_signal_free(d->signal[i]);
    }
    loop_timer_free(d->minute);
    loop_timer_free(d->watchdog);
    portmap_close(d);
    sockets_close(d);
    udp_close(&d->udp);
    overlays_close(d);
    turn_close(d);
    loop_close(d->loop);
    free(d->names.entry);
    if (d->node_memory) {
        free(d->node_memory);
    }
    hsay_sodium_wipe(d->author_secret, sizeof d->author_secret);
    start_unlock(d);
}
