#include "src/daemon/names.h"

#include <stdlib.h>
#include <string.h>

#include "src/daemon/daemon.h"
#include "src/daemon/log.h"
#include "src/daemon/loop.h"

enum {
    WAIT_FIRST_MS = 5000,
    WAIT_MAX_MS = 600000,
    AGAIN_MS = 1800000,
};

/* One question under way. */
struct asked {
    struct daemon *d;
    struct names_entry *entry;
    uint32_t generation;
};

static struct overlay *overlay_of(struct daemon *d, const struct hsay_key *key)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        if (!memcmp(&o->join.overlay, key, sizeof *key)) {
            return o;
        }
    }
    return NULL;
}

static void rearm(struct daemon *d)
{
    struct hsay_now now = clock_now(&d->clock);
    hsay_time first = HSAY_TIME_NEVER;

    for (size_t i = 0; i < NAMES_MAX; i++) {
        const struct names_entry *entry = &d->names.entry[i];

        if (entry->used && !entry->asking && entry->due.ns) {
            first = hsay_time_min(first, entry->due);
        }
    }
    if (first.ns == UINT64_MAX) {
        loop_timer_stop(d->names.timer);
    } else {
        loop_timer_set(d->names.timer, hsay_time_ms_between(now.mono, first) + 1);
    }
}

static int peer_give(struct daemon *d, struct overlay *overlay, const struct hsay_addr *addr,
                     const struct hsay_key *key)
{
    struct hsay_peer peer = {*addr, *key};
    int rc = hsay_node_add_peer(d->node, clock_now(&d->clock), overlay->number, &peer,
                                HSAY_BUCKET_TRUSTED);

    turn_rearm(d);
    return rc;
}

static void on_found(void *arg, const struct loop_found *found)
{
    struct asked *asked = arg;
    struct daemon *d = asked->d;
    struct names_entry *entry = asked->entry;
    bool current = entry->used && entry->generation == asked->generation;
    struct overlay *overlay = current ? overlay_of(d, &entry->overlay) : NULL;

    free(asked);
    if (!overlay || d->stopping) {
        return;
    }
    entry->asking = false;
    if (found->count) {
        for (size_t i = 0; i < found->count; i++) {
            peer_give(d, overlay, &found->addr[i], &entry->peer.key);
        }
        entry->wait_ms = AGAIN_MS;
    } else {
        log_warnx("names", "cannot find the address of peer %s: %s; trying again in %u s",
                  entry->peer.host, found->why, entry->wait_ms / 1000);
    }
    entry->due = hsay_time_add_ms(clock_now(&d->clock).mono, entry->wait_ms);
    entry->wait_ms = entry->wait_ms < WAIT_MAX_MS / 2 ? entry->wait_ms * 2 : WAIT_MAX_MS;
    rearm(d);
}

static void ask(struct daemon *d, struct names_entry *entry)
{
    struct asked *asked = malloc(sizeof *asked);

    if (!asked) {
        return;
    }
    *asked = (struct asked){d, entry, entry->generation};
    entry->asking = true;
    loop_resolve(d->loop, entry->peer.host, entry->peer.port, on_found, asked);
}

static void on_due(void *arg)
{
    struct daemon *d = arg;
    hsay_time now = clock_now(&d->clock).mono;

    for (size_t i = 0; i < NAMES_MAX; i++) {
        struct names_entry *entry = &d->names.entry[i];

        if (entry->used && !entry->asking && entry->due.ns && !hsay_time_before(now, entry->due)) {
            ask(d, entry);
        }
    }
    rearm(d);
}

int names_open(struct daemon *d)
{
    d->names.entry = calloc(NAMES_MAX, sizeof *d->names.entry);
    d->names.timer = loop_timer_new(d->loop, on_due, d);
    return d->names.entry && d->names.timer ? 0 : HSAY_ENOMEM;
}

void names_close(struct daemon *d)
{
    loop_timer_free(d->names.timer);
    d->names.timer = NULL;
}

static struct names_entry *entry_for(struct daemon *d, const struct overlay *overlay,
                                     const struct peer_name *peer)
{
    struct names_entry *free_one = NULL;

    for (size_t i = 0; i < NAMES_MAX; i++) {
        struct names_entry *entry = &d->names.entry[i];

        if (!entry->used) {
            free_one = free_one ? free_one : entry;
        } else if (!memcmp(&entry->overlay, &overlay->join.overlay, sizeof entry->overlay) &&
                   !memcmp(&entry->peer, peer, sizeof *peer)) {
            return entry;
        }
    }
    return free_one;
}

int names_add(struct daemon *d, struct overlay *overlay, const struct peer_name *peer)
{
    struct names_entry *entry = entry_for(d, overlay, peer);
    int rc;

    if (!entry) {
        return HSAY_ENOSPC;
    }
    if (peer->addr.kind != HSAY_ADDR_NONE) {
        rc = peer_give(d, overlay, &peer->addr, &peer->key);
        if (rc) {
            return rc;
        }
    }
    if (entry->used) {
        return 0;
    }
    *entry = (struct names_entry){
        .used = true,
        .generation = entry->generation + 1,
        .overlay = overlay->join.overlay,
        .peer = *peer,
        .wait_ms = WAIT_FIRST_MS,
    };
    if (peer->addr.kind == HSAY_ADDR_NONE) {
        entry->due = clock_now(&d->clock).mono;
        ask(d, entry);
    }
    return 0;
}

void names_add_known(struct daemon *d, struct overlay *overlay)
{
    for (size_t i = 0; i < d->conf.peer_count; i++) {
        const struct conf_peer *peer = &d->conf.peer[i];
        int rc = 0;

        if (!peer->overlay[0] || !strcmp(peer->overlay, overlay->name)) {
            rc = names_add(d, overlay, &peer->name);
        }
        if (rc) {
            log_warnx("names", "peer %s is of no use to overlay %s: %s", peer->name.host,
                      overlay->name, hsay_strerror(rc));
        }
    }
    for (size_t i = 0; i < overlay->peer_count; i++) {
        names_add(d, overlay, &overlay->peer[i]);
    }
}

void names_forget(struct daemon *d, const struct overlay *overlay)
{
    for (size_t i = 0; i < NAMES_MAX; i++) {
        struct names_entry *entry = &d->names.entry[i];

        if (entry->used &&
            !memcmp(&entry->overlay, &overlay->join.overlay, sizeof entry->overlay)) {
            entry->used = false;
        }
    }
}

size_t names_count(struct daemon *d, const struct overlay *overlay)
{
    size_t count = 0;

    for (size_t i = 0; i < NAMES_MAX; i++) {
        const struct names_entry *entry = &d->names.entry[i];

        count +=
            entry->used && !memcmp(&entry->overlay, &overlay->join.overlay, sizeof entry->overlay);
    }
    return count;
}
