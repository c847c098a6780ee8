#include "src/daemon/overlays.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/file.h"
#include "src/common/hex.h"
#include "src/daemon/daemon.h"
#include "src/daemon/overlays_file.h"
#include "src/daemon/log.h"

enum { REMOVE_BATCH = 512 }; /* below the changes that LMDB's port takes into one transaction */

/* ---- finding -------------------------------------------------------------------------------- */

struct overlay *overlays_next(struct daemon *d, const struct overlay *before)
{
    struct overlay *item = d->overlays.item;
    struct overlay *at = before ? &item[before - item + 1] : item;

    for (; at < item + CONF_OVERLAYS_MAX; at++) {
        if (at->used) {
            return at;
        }
    }
    return NULL;
}

static bool key_begins(const struct overlay *overlay, const char *digits)
{
    char key[2 * HSAY_KEY_BYTES + 1];
    size_t length = strlen(digits);

    hex_format(key, overlay->join.overlay.byte, HSAY_KEY_BYTES);
    return length >= 8 && length < sizeof key && !strncasecmp(key, digits, length);
}

struct overlay *overlays_find(struct daemon *d, const char *word)
{
    struct overlay *found = NULL;

    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        if (!strcmp(o->name, word)) {
            return o;
        }
        if (!strcmp(word, "-") || key_begins(o, word)) {
            if (found) {
                return NULL;
            }
            found = o;
        }
    }
    return found;
}

struct overlay *overlays_numbered(struct daemon *d, uint16_t number)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        if (o->number == number) {
            return o;
        }
    }
    return NULL;
}

static struct overlay *with_key(struct daemon *d, const struct hsay_key *key)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        if (!memcmp(&o->join.overlay, key, sizeof *key)) {
            return o;
        }
    }
    return NULL;
}

int overlays_peer_append(struct overlay *overlay, const struct peer_name *peer)
{
    struct peer_name *grown;

    if (overlay->peer_count == OVERLAY_PEERS_MAX) {
        return HSAY_ENOSPC;
    }
    grown = realloc(overlay->peer, (overlay->peer_count + 1) * sizeof *grown);
    if (!grown) {
        return HSAY_ENOMEM;
    }
    grown[overlay->peer_count++] = *peer;
    overlay->peer = grown;
    return 0;
}

int overlays_remember_peer(struct daemon *d, struct overlay *overlay, const struct peer_name *peer)
{
    int rc;

    for (size_t i = 0; i < overlay->peer_count; i++) {
        if (!memcmp(&overlay->peer[i], peer, sizeof *peer)) {
            return 0;
        }
    }
    rc = overlays_peer_append(overlay, peer);
    if (!rc) {
        rc = overlays_file_save(d);
        overlay->peer_count -= rc != 0;
    }
    return rc;
}

/* ---- joining and leaving -------------------------------------------------------------------- */

static int64_t quota_for(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->overlay_count; i++) {
        if (!strcmp(conf->overlay[i].name, name) && conf->overlay[i].quota_bytes >= 0) {
            return conf->overlay[i].quota_bytes;
        }
    }
    return conf->quota_bytes;
}

/* Opens the store of `overlay` and joins the node to it. */
static int attach(struct daemon *d, struct overlay *overlay)
{
    uint64_t damaged = 0;
    int rc;

    overlay->quota_bytes = (uint64_t)quota_for(&d->conf, overlay->name);
    rc = hsay_store_lmdb_open(d->overlays.lmdb, &overlay->join.overlay, overlay->quota_bytes,
                              &d->crypto, &overlay->disk, &damaged);
    if (rc) {
        return rc;
    }
    if (damaged) {
        log_warnx("store",
                  "%llu bundles of overlay %s are damaged on disk; they will be fetched "
                  "again from peers",
                  (unsigned long long)damaged, overlay->name);
    }
    overlay->guard = (struct guard){overlay->disk, &d->overlays.door};
    overlay->store = guard_port(&overlay->guard);
    overlay->config = (struct hsay_overlay_config){
        .overlay = overlay->join.overlay,
        .secret = {overlay->join.secret, overlay->join.has_secret ? JOIN_SECRET_BYTES : 0},
        .store = overlay->store,
    };
    conf_overlay_walk(&d->conf, overlay->name, &overlay->config);
    rc = hsay_node_join(d->node, clock_now(&d->clock), &overlay->config, &overlay->number);
    if (rc) {
        hsay_store_lmdb_close(&overlay->disk);
        return rc;
    }
    overlay->used = true;
    overlay->synced = false;
    marks_load(d, overlay, damaged == 0);
    return 0;
}

static void detach(struct daemon *d, struct overlay *overlay)
{
    hsay_node_leave(d->node, overlay->number);
    hsay_store_lmdb_close(&overlay->disk);
    overlay->used = false;
}

int overlays_join_unsaved(struct daemon *d, const char *name, const struct join *join,
                          struct overlay **out)
{
    struct overlay *place = d->overlays.item;
    struct overlay *end = place + CONF_OVERLAYS_MAX;
    int rc;

    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        if (!strcmp(o->name, name)) {
            return HSAY_EEXIST;
        }
    }
    if (with_key(d, &join->overlay)) {
        return HSAY_EEXIST;
    }
    while (place < end && place->used) {
        place++;
    }
    if (place == end) {
        return HSAY_ENOSPC;
    }
    *place = (struct overlay){.join = *join};
    snprintf(place->name, sizeof place->name, "%s", name);
    rc = attach(d, place);
    *out = place;
    return rc;
}

int overlays_join(struct daemon *d, const char *name, const struct join *join, struct overlay **out)
{
    int rc = overlays_join_unsaved(d, name, join, out);

    if (rc) {
        return rc;
    }
    rc = overlays_file_save(d);
    if (rc) {
        int error = errno;

        detach(d, *out);
        errno = error;
        return rc;
    }
    daemon_overlay_joined(d, *out);
    log_notice("overlay", "joined %s", name);
    return 0;
}

/* Takes up to REMOVE_BATCH bundles out; HSAY_ENOENT when none was left. */
static int remove_some(struct daemon *d, struct hsay_store *disk)
{
    struct hsay_position at;
    int rc = 0;
    int removed = 0;

    while (!rc && removed < REMOVE_BATCH) {
        rc = disk->ops->at_rank(disk->self, 0, &at);
        if (!rc) {
            rc = disk->ops->remove(disk->self, &at.digest);
            removed++;
        }
    }
    if (rc == HSAY_ENOENT && removed) {
        rc = 0;
    }
    return rc ? rc : hsay_lmdb_commit(d->overlays.lmdb);
}

int overlays_leave(struct daemon *d, struct overlay *overlay)
{
    int rc = 0;

    daemon_overlay_left(d, overlay);
    hsay_node_leave(d->node, overlay->number);
    marks_forget_store(d, overlay);
    while (!rc) {
        rc = remove_some(d, &overlay->disk);
    }
    hsay_store_lmdb_close(&overlay->disk);
    free(overlay->peer);
    overlay->peer = NULL;
    overlay->used = false;
    log_notice("overlay", "left %s", overlay->name);
    /* Listed until its bundles are gone: a crash in the middle leaves it joined, not forgotten. */
    if (overlays_file_save(d)) {
        log_warn("overlay", "cannot write %s/overlays; %s will be joined again at the next start",
                 d->state, overlay->name);
    }
    return rc == HSAY_ENOENT ? 0 : rc;
}

/* ---- start and end -------------------------------------------------------------------------- */

/* In the middle of LMDB: what can be ended cleanly cannot be told apart from what is damaged. */
static void on_damage(const char *why)
{
    log_errorx("store", "%s", why);
    _exit(EXIT_STATUS_FAILED);
}

int overlays_open(struct daemon *d, char *why, size_t why_size)
{
    char path[PATH_MAX];
    struct hsay_lmdb_options options = {
        .path = path, .overlays_max = CONF_OVERLAYS_MAX, .on_damage = on_damage};

    snprintf(path, sizeof path, "%.*s/store", PATH_MAX - 16, d->state);
    return hsay_lmdb_open(&d->overlays.lmdb, &options, why, why_size);
}

/* An overlay that the configuration names; it may be joined already, by that name. */
static int conf_join(struct daemon *d, const struct conf_overlay *wanted, char *why,
                     size_t why_size)
{
    struct overlay *have;
    struct join join;
    int rc;

    if (!wanted->join[0] || join_parse(&join, wanted->join)) {
        return 0;
    }
    have = with_key(d, &join.overlay);
    if (have && !strcmp(have->name, wanted->name) && !memcmp(&have->join, &join, sizeof join)) {
        return 0;
    }
    if (have) {
        snprintf(why, why_size,
                 "overlay %s of the configuration is joined already as %s, or with "
                 "another secret; leave that one first",
                 wanted->name, have->name);
        return HSAY_EEXIST;
    }
    rc = overlays_join_unsaved(d, wanted->name, &join, &have);
    if (rc) {
        snprintf(why, why_size, "cannot join overlay %s: %s", wanted->name,
                 rc == HSAY_EEXIST ? "its name is taken by another overlay" : hsay_strerror(rc));
        return rc;
    }
    log_notice("overlay", "joined %s", wanted->name);
    return overlays_file_save(d) ? log_warn("overlay", "cannot write %s/overlays", d->state), 0 : 0;
}

int overlays_load(struct daemon *d, char *why, size_t why_size)
{
    int rc = overlays_file_load(d, why, why_size);

    for (size_t i = 0; !rc && i < d->conf.overlay_count; i++) {
        rc = conf_join(d, &d->conf.overlay[i], why, why_size);
    }
    return rc;
}

void overlays_close(struct daemon *d)
{
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        free(o->peer);
        o->peer = NULL;
        o->used = false;
    }
    hsay_lmdb_close(d->overlays.lmdb);
    d->overlays.lmdb = NULL;
}

int overlays_reopen(struct daemon *d, char *why, size_t why_size)
{
    bool was[CONF_OVERLAYS_MAX];
    int rc;

    for (size_t i = 0; i < CONF_OVERLAYS_MAX; i++) {
        was[i] = d->overlays.item[i].used;
        if (was[i]) {
            detach(d, &d->overlays.item[i]);
        }
    }
    hsay_lmdb_close(d->overlays.lmdb);
    d->overlays.lmdb = NULL;
    rc = overlays_open(d, why, why_size);
    for (size_t i = 0; !rc && i < CONF_OVERLAYS_MAX; i++) {
        if (was[i]) {
            rc = attach(d, &d->overlays.item[i]);
            snprintf(why, why_size, "cannot open the store of overlay %s: %s",
                     d->overlays.item[i].name, hsay_strerror(rc));
        }
    }
    return rc;
}
