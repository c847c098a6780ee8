/* Listening, who is connected, and what followers are told. */
#include "src/daemon/ctl.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/common/file.h"
#include "src/common/path.h"
#include "src/daemon/ctl_conn.h"
#include "src/daemon/loop.h"

/* ---- events --------------------------------------------------------------------------------- */

void ctl_settled(struct daemon *d, int rc)
{
    struct ctl_conn *conn = d->ctl.publisher;

    if (conn && conn->held_count) {
        ctl_conn_settled(conn, rc);
    }
}

static bool follows(const struct ctl_conn *conn, enum ctl_follow what,
                    const struct overlay *overlay)
{
    return conn && !conn->dead && conn->follow == what &&
           !memcmp(&conn->overlay, &overlay->join.overlay, sizeof conn->overlay);
}

void ctl_on_event(struct daemon *d, const struct hsay_event *event)
{
    static const enum ctl_follow wants[] = {
        [HSAY_EVENT_BUNDLE] = FOLLOW_BUNDLES,
        [HSAY_EVENT_STEP] = FOLLOW_TRACE,
        [HSAY_EVENT_ANSWER] = FOLLOW_TRACE,
        [HSAY_EVENT_SYNCED] = FOLLOW_WAIT,
    };
    static void (*const tell[])(struct ctl_conn *, const struct hsay_event *) = {
        [FOLLOW_BUNDLES] = ctl_follow_bundle,
        [FOLLOW_TRACE] = ctl_follow_trace,
        [FOLLOW_WAIT] = ctl_follow_synced,
    };
    const struct overlay *overlay = overlays_numbered(d, event->overlay);
    enum ctl_follow want =
        event->kind < sizeof wants / sizeof wants[0] ? wants[event->kind] : FOLLOW_NOTHING;

    for (size_t i = 0; overlay && want != FOLLOW_NOTHING && i < CTL_CONNS_MAX; i++) {
        if (follows(d->ctl.conn[i], want, overlay)) {
            tell[want](d->ctl.conn[i], event);
            ctl_follower_check(d->ctl.conn[i]);
        }
    }
}

void ctl_overlay_left(struct daemon *d, const struct overlay *overlay)
{
    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        struct ctl_conn *conn = d->ctl.conn[i];

        if (follows(conn, FOLLOW_BUNDLES, overlay) || follows(conn, FOLLOW_TRACE, overlay) ||
            follows(conn, FOLLOW_WAIT, overlay)) {
            ctl_finish(conn);
            ctl_refuse(conn, CTL_NO_OVERLAY, "overlay %s was left", overlay->name);
            ctl_flush(conn);
        }
    }
}

static void on_log_line(void *arg, const struct log_line *line)
{
    struct daemon *d = arg;

    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        struct ctl_conn *conn = d->ctl.conn[i];

        /* A log that nobody reads is cut, not the connection: logging that would log again. */
        if (conn && !conn->dead && conn->follow == FOLLOW_LOG && line->level <= conn->level &&
            ctl_unsent(conn) < CTL_OUT_MAX_BYTES) {
            ctl_follow_log(conn, line);
            ctl_flush(conn);
        }
    }
}

void ctl_log_listen(struct daemon *d)
{
    enum log_level level = LEVEL_ERROR;
    bool some = false;

    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        const struct ctl_conn *conn = d->ctl.conn[i];

        if (conn && !conn->dead && conn->follow == FOLLOW_LOG) {
            some = true;
            level = conn->level > level ? conn->level : level;
        }
    }
    log_listen(level, some ? on_log_line : NULL, d);
}

/* ---- accepting ------------------------------------------------------------------------------ */

static void on_reaper(void *arg)
{
    struct daemon *d = arg;

    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        if (d->ctl.conn[i] && d->ctl.conn[i]->dead) {
            ctl_conn_free(d->ctl.conn[i]);
            d->ctl.conn[i] = NULL;
        }
    }
    ctl_log_listen(d);
}

static void on_connection(void *arg, unsigned what)
{
    static const char too_many[] = "{\"ok\":false,\"error\":\"internal\",\"message\":\"too many "
                                   "connections\",\"exit\":1}\n";
    struct daemon *d = arg;
    int fd = accept4(d->ctl.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)what;
    if (fd < 0) {
        return;
    }
    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        if (!d->ctl.conn[i]) {
            d->ctl.conn[i] = ctl_conn_new(d, fd);
            if (!d->ctl.conn[i]) {
                close(fd);
            }
            return;
        }
    }
    send(fd, too_many, sizeof too_many - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

/* ---- the socket's file ---------------------------------------------------------------------- */

static int complain(const struct ctl *ctl, const char *what)
{
    log_error("control", "cannot %s the control socket %s", what, ctl->path);
    return EXIT_STATUS_FAILED;
}

/* Whether a daemon answers there; a file that nobody listens at is left over from a crash. */
static bool somebody_listens(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool there =
        fd >= 0 && (!connect(fd, (const struct sockaddr *)name, sizeof *name) || errno == EAGAIN);

    if (fd >= 0) {
        close(fd);
    }
    return there;
}

/* Takes away what a crash left behind.  A wrong path may be that of anything: nothing else goes. */
static int make_way(const struct ctl *ctl)
{
    struct stat there;

    if (lstat(ctl->path, &there)) {
        return 0;
    }
    if (!S_ISSOCK(there.st_mode)) {
        log_errorx("control",
                   "what lies at %s is no socket and was left alone; move it away, or choose "
                   "another path with --control",
                   ctl->path);
        return EXIT_STATUS_FAILED;
    }
    unlink(ctl->path);
    return 0;
}

static int path_find(struct daemon *d, struct sockaddr_un *name)
{
    struct ctl *ctl = &d->ctl;
    int rc = 0;

    if (d->conf.control[0]) {
        snprintf(ctl->path, sizeof ctl->path, "%s", d->conf.control);
    } else {
        rc = path_control(ctl->path, sizeof ctl->path, d->state);
    }
    if (rc || strlen(ctl->path) >= sizeof name->sun_path) {
        log_errorx("control",
                   "the path of the control socket is longer than %zu bytes: %s; choose "
                   "a shorter one with --control",
                   sizeof name->sun_path - 1, ctl->path);
        return EXIT_STATUS_USAGE;
    }
    memcpy(name->sun_path, ctl->path, strlen(ctl->path) + 1);
    return 0;
}

static int folder_make(const struct ctl *ctl)
{
    char folder[PATH_MAX];
    char *slash;

    snprintf(folder, sizeof folder, "%s", ctl->path);
    slash = strrchr(folder, '/');
    if (!slash || slash == folder) {
        return 0;
    }
    *slash = 0;
    return file_make_folder(folder, 0755);
}

/* Members of the group may read: the file lets them in, on_connection looks at who they are. */
static int group_give(struct daemon *d)
{
    const struct group *group;

    if (!d->conf.control_group[0]) {
        return chmod(d->ctl.path, 0600) ? complain(&d->ctl, "restrict") : 0;
    }
    group = getgrnam(d->conf.control_group);
    if (!group) {
        log_errorx("control", "there is no group '%s'; see `group` in [control]",
                   d->conf.control_group);
        return EXIT_STATUS_USAGE;
    }
    if (chown(d->ctl.path, (uid_t)-1, group->gr_gid) || chmod(d->ctl.path, 0660)) {
        return complain(&d->ctl, "give a group to");
    }
    return 0;
}

int ctl_conf_check(const struct conf *conf, struct conf_error *error)
{
    const struct sockaddr_un name;

    if (strlen(conf->control) >= sizeof name.sun_path) {
        snprintf(error->text, sizeof error->text,
                 "the path of the control socket is longer than %zu bytes; choose a shorter one",
                 sizeof name.sun_path - 1);
        return HSAY_EINVAL;
    }
    if (conf->control_group[0] && !getgrnam(conf->control_group)) {
        snprintf(error->text, sizeof error->text,
                 "there is no group '%.100s'; see `group` in [control]", conf->control_group);
        return HSAY_EINVAL;
    }
    return 0;
}

int ctl_open(struct daemon *d)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct ctl *ctl = &d->ctl;
    int status = path_find(d, &name);

    if (status) {
        return status;
    }
    if (folder_make(ctl)) {
        return complain(ctl, "make a folder for");
    }
    if (somebody_listens(&name)) {
        log_errorx("control",
                   "another hearsayd answers at %s; stop it, or choose another path with "
                   "--control",
                   ctl->path);
        return EXIT_STATUS_BUSY;
    }
    status = make_way(ctl);
    if (status) {
        return status;
    }
    ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ctl->fd < 0 || bind(ctl->fd, (const struct sockaddr *)&name, sizeof name)) {
        return complain(ctl, "make");
    }
    ctl->bound = true;
    status = group_give(d);
    if (status) {
        return status;
    }
    ctl->reaper = loop_timer_new(d->loop, on_reaper, d);
    ctl->io = loop_io_new(d->loop, ctl->fd, on_connection, d);
    if (!ctl->reaper || !ctl->io || listen(ctl->fd, 64) || loop_io_want(ctl->io, LOOP_READ)) {
        return complain(ctl, "listen at");
    }
    return 0;
}

void ctl_close(struct daemon *d)
{
    struct ctl *ctl = &d->ctl;

    log_listen(LEVEL_ERROR, NULL, NULL);
    for (size_t i = 0; i < CTL_CONNS_MAX; i++) {
        if (ctl->conn[i]) {
            ctl_conn_free(ctl->conn[i]);
            ctl->conn[i] = NULL;
        }
    }
    loop_io_free(ctl->io);
    loop_timer_free(ctl->reaper);
    if (ctl->fd > 0) {
        close(ctl->fd);
    }
    if (ctl->bound) {
        unlink(ctl->path);
    }
    *ctl = (struct ctl){0};
}
