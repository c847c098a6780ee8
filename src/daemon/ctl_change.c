/* Verbs that change what the daemon does: overlays, peers, reload, stop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/common/hex.h"
#include "src/common/keyfile.h"
#include "src/daemon/ctl_conn.h"

static enum ctl_result name_refuse(struct ctl_conn *conn, const char *name)
{
    return ctl_refuse(conn, CTL_USAGE,
                      "'%.100s' is no name for an overlay: 1 to 63 letters, "
                      "digits, '.', '_', '-', and not 8 or more hex digits alone",
                      name);
}

static enum ctl_result join_as(struct ctl_conn *conn, const char *name, const struct join *join,
                               bool show_join)
{
    struct overlay *overlay;
    char key[2 * HSAY_KEY_BYTES + 1];
    char text[JOIN_TEXT_BYTES];
    int rc = overlays_join(conn->d, name, join, &overlay);

    if (rc == HSAY_EEXIST) {
        return ctl_refuse(conn, CTL_EXISTS, "an overlay of that name or key is joined already");
    }
    if (rc == HSAY_ENOSPC) {
        return ctl_refuse(conn, CTL_FULL,
                          "no room for another overlay: `overlays-max` is reached, "
                          "or the disk is full");
    }
    if (rc == HSAY_EINVAL) {
        return ctl_refuse(conn, CTL_BAD_KEY, "that is no key of an overlay");
    }
    if (rc) {
        return ctl_refuse_rc(conn, rc);
    }
    hex_format(key, join->overlay.byte, HSAY_KEY_BYTES);
    join_format(text, join);
    ctl_put(conn, show_join ? json_pack("{s:s, s:s, s:s}", "name", name, "key", key, "join", text)
                            : json_pack("{s:s, s:s}", "name", name, "key", key));
    return CTL_DONE;
}

/* Whoever has the secret half of an overlay's key is its founder; nothing needs it yet, and a later
 * release cannot make it again, so it is kept: STATE/overlay-KEY.key. */
static int founder_keep(struct daemon *d, const struct hsay_key *overlay,
                        const uint8_t secret[HSAY_SECRET_BYTES])
{
    char path[PATH_MAX];
    char key[2 * HSAY_KEY_BYTES + 1];

    hex_format(key, overlay->byte, sizeof overlay->byte);
    snprintf(path, sizeof path, "%.*s/overlay-%.16s.key", PATH_MAX - 40, d->state, key);
    return keyfile_write(path, secret); /* the first half of an Ed25519 secret is its seed */
}

enum ctl_result ctl_on_overlay_new(struct ctl_conn *conn, const struct request *request)
{
    uint8_t secret[HSAY_SECRET_BYTES];
    struct join join = {0};
    int rc;

    if (!join_name_ok(request->word[1])) {
        return name_refuse(conn, request->word[1]);
    }
    if (request->word_count == 3) {
        if (strcmp(request->word[2], "secret")) {
            return ctl_refuse(conn, CTL_USAGE, "usage: overlay-new NAME [secret]");
        }
        join.has_secret = true;
        hsay_sodium_random(join.secret, sizeof join.secret);
    }
    hsay_sodium_author(&join.overlay, secret);
    rc = founder_keep(conn->d, &join.overlay, secret);
    hsay_sodium_wipe(secret, sizeof secret);
    return rc ? ctl_refuse_rc(conn, rc) : join_as(conn, request->word[1], &join, true);
}

enum ctl_result ctl_on_overlay_join(struct ctl_conn *conn, const struct request *request)
{
    struct join join;

    if (!join_name_ok(request->word[1])) {
        return name_refuse(conn, request->word[1]);
    }
    if (join_parse(&join, request->word[2])) {
        return ctl_refuse(conn, CTL_BAD_KEY,
                          "that is no join text; it looks like hsay1:KEY or "
                          "hsay1:KEY:SECRET, with 64 hex digits each");
    }
    return join_as(conn, request->word[1], &join, false);
}

enum ctl_result ctl_on_overlay_leave(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    rc = overlays_leave(conn->d, overlay);
    turn_rearm(conn->d);
    return rc ? ctl_refuse_rc(conn, rc) : CTL_DONE;
}

enum ctl_result ctl_on_peer_add(struct ctl_conn *conn, const struct request *request)
{
    struct overlay *overlay = ctl_overlay(conn, request->word[1]);
    struct peer_name peer;
    int rc;

    if (!overlay) {
        return CTL_REFUSED;
    }
    if (peer_name_parse(&peer, request->word[2])) {
        return ctl_refuse(conn, CTL_USAGE,
                          "'%.100s' is no peer; it looks like HOST:PORT or "
                          "HOST:PORT#KEY",
                          request->word[2]);
    }
    rc = names_add(conn->d, overlay, &peer);
    if (rc == HSAY_EINVAL) {
        return ctl_refuse(conn, CTL_USAGE, "nobody can be reached at %.100s", request->word[2]);
    }
    if (rc == HSAY_ENOSPC) {
        return ctl_refuse(conn, CTL_FULL, "the table of peers is full");
    }
    if (!rc) {
        rc = overlays_remember_peer(conn->d, overlay, &peer);
    }
    /* One too many to remember is a peer all the same, until the next start. */
    return rc && rc != HSAY_ENOSPC ? ctl_refuse_rc(conn, rc) : CTL_DONE;
}

static json_t *json_list(char list[][CONF_CHANGE_BYTES], size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, json_string(list[i]));
    }
    return array;
}

enum ctl_result ctl_on_reload(struct ctl_conn *conn, const struct request *request)
{
    struct conf_changes changes;
    struct conf_error error;

    (void)request;
    if (daemon_reload(conn->d, &changes, &error)) {
        return ctl_refuse(conn, CTL_USAGE, "nothing has changed: %.400s", error.text);
    }
    ctl_put(conn,
            json_pack("{s:o, s:o}", "changed", json_list(changes.changed, changes.changed_count),
                      "restart_needed", json_list(changes.restart, changes.restart_count)));
    return CTL_DONE;
}

enum ctl_result ctl_on_stop(struct ctl_conn *conn, const struct request *request)
{
    (void)request;
    daemon_stop(conn->d, EXIT_STATUS_CLEAN);
    return CTL_DONE;
}
