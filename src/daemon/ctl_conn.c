/* A connection: its buffers, its life, and the way from a request line to its verb. */
#include "src/daemon/ctl_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/daemon/loop.h"

/* ---- bytes ---------------------------------------------------------------------------------- */

void ctl_put_text(struct ctl_bytes *bytes, const char *text, size_t size)
{
    if (bytes->size - bytes->used < size) {
        size_t wanted = bytes->size ? bytes->size : 4096;
        char *grown;

        while (wanted - bytes->used < size) {
            wanted *= 2;
        }
        grown = realloc(bytes->data, wanted);
        if (!grown) {
            return; /* the reader sees a torn line and hangs up */
        }
        bytes->data = grown;
        bytes->size = wanted;
    }
    memcpy(bytes->data + bytes->used, text, size);
    bytes->used += size;
}

static int put_part(const char *text, size_t size, void *arg)
{
    ctl_put_text(arg, text, size);
    return 0;
}

void ctl_put(struct ctl_conn *conn, json_t *object)
{
    if (object) {
        json_dump_callback(object, put_part, &conn->out, JSON_COMPACT);
        ctl_put_text(&conn->out, "\n", 1);
        json_decref(object);
    }
}

static size_t unsent(const struct ctl_conn *conn)
{
    return conn->out.used - conn->out.sent;
}

static void bytes_free(struct ctl_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct ctl_bytes){0};
}

/* ---- answers -------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    int exit_status;
} errors[] = {
    [CTL_USAGE] = {"usage", 2},         [CTL_NO_OVERLAY] = {"no-overlay", 1},
    [CTL_NO_BUNDLE] = {"no-bundle", 1}, [CTL_EXISTS] = {"exists", 1},
    [CTL_FULL] = {"full", 1},           [CTL_DENIED] = {"denied", 1},
    [CTL_TOO_LARGE] = {"too-large", 1}, [CTL_BAD_KEY] = {"bad-key", 2},
    [CTL_STORE] = {"store", 1},         [CTL_TIMEOUT] = {"timeout", 4},
    [CTL_INTERNAL] = {"internal", 1},   [CTL_SLOW] = {"slow", 1},
};

enum ctl_result ctl_refuse(struct ctl_conn *conn, enum ctl_error error, const char *format, ...)
{
    char message[512];
    va_list args;

    /* Answers keep the order of the questions: those that wait for the commit come first. */
    if (conn->held_count) {
        turn_settle(conn->d);
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    ctl_put(conn, json_pack("{s:b, s:s, s:s, s:i}", "ok", 0, "error", errors[error].word, "message",
                            message, "exit", errors[error].exit_status));
    return CTL_REFUSED;
}

enum ctl_result ctl_refuse_rc(struct ctl_conn *conn, int rc)
{
    switch (rc) {
    case HSAY_ENOSPC:
        return ctl_refuse(conn, CTL_FULL, "full: quota or disk; `hearsay status` tells which");
    case HSAY_EEXIST:
        return ctl_refuse(conn, CTL_EXISTS, "there already");
    case HSAY_ENOENT:
        return ctl_refuse(conn, CTL_NO_OVERLAY, "no such overlay");
    case HSAY_ESTORE:
    case HSAY_ECORRUPT:
        return ctl_refuse(conn, CTL_STORE, "%s", hsay_strerror(rc));
    case HSAY_EIO:
        return ctl_refuse(conn, CTL_STORE, "cannot write to %s: %s", conn->d->state,
                          strerror(errno));
    default:
        return ctl_refuse(conn, CTL_INTERNAL, "%s", hsay_strerror(rc));
    }
}

struct overlay *ctl_overlay(struct ctl_conn *conn, const char *word)
{
    struct overlay *found = overlays_find(conn->d, word);

    if (!found && !strcmp(word, "-")) {
        ctl_refuse(conn, CTL_NO_OVERLAY, "%s",
                   overlays_next(conn->d, NULL)
                       ? "there are several overlays; say which with -o or --overlay"
                       : "no overlay is joined");
    } else if (!found) {
        ctl_refuse(conn, CTL_NO_OVERLAY,
                   "there is no overlay '%.100s'; `hearsay overlay ls` "
                   "names those there are",
                   word);
    }
    return found;
}

struct overlay *ctl_conn_overlay(struct ctl_conn *conn)
{
    for (struct overlay *o = NULL; (o = overlays_next(conn->d, o));) {
        if (!memcmp(&o->join.overlay, &conn->overlay, sizeof conn->overlay)) {
            return o;
        }
    }
    return NULL;
}

void ctl_put_ok(struct ctl_conn *conn)
{
    ctl_put_text(&conn->out, "{\"ok\":true}\n", 12);
}

/* ---- a connection's life -------------------------------------------------------------------- */

void ctl_conn_free(struct ctl_conn *conn)
{
    loop_io_free(conn->io);
    loop_timer_free(conn->timer);
    close(conn->fd);
    bytes_free(&conn->out);
    bytes_free(&conn->held);
    free(conn);
}

/* Freed from the loop, when nobody is in the middle of using it. */
static void conn_bury(struct ctl_conn *conn)
{
    if (!conn->dead) {
        conn->dead = true;
        conn->more = NULL;
        conn->follow = FOLLOW_NOTHING;
        loop_io_want(conn->io, 0);
        loop_timer_stop(conn->timer);
        loop_timer_set(conn->d->ctl.reaper, 0);
    }
}

static void write_some(struct ctl_conn *conn)
{
    while (unsent(conn)) {
        ssize_t put = send(conn->fd, conn->out.data + conn->out.sent, unsent(conn),
                           MSG_DONTWAIT | MSG_NOSIGNAL);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            if (errno != EAGAIN) {
                conn_bury(conn);
            }
            return;
        }
        conn->out.sent += (size_t)put;
    }
    if (conn->out.size > CTL_OUT_LOW_BYTES * 2) {
        bytes_free(&conn->out);
    }
    conn->out.used = conn->out.sent = 0;
}

/* Who has shut only his own side still reads. */
static bool gone(const struct ctl_conn *conn)
{
    struct pollfd state = {.fd = conn->fd};

    return poll(&state, 1, 0) == 1 && state.revents & (POLLHUP | POLLERR);
}

/* All that was asked is answered, and nobody can ask for more. */
static bool is_over(const struct ctl_conn *conn)
{
    bool endless = conn->follow != FOLLOW_NOTHING && conn->follow != FOLLOW_WAIT;

    if (conn->eof && conn->follow == FOLLOW_WAIT && gone(conn)) {
        return true;
    }
    if (unsent(conn) || conn->more || conn->again || conn->later) {
        return false;
    }
    return conn->ending || (conn->eof && (endless || conn->follow == FOLLOW_NOTHING));
}

void ctl_flush(struct ctl_conn *conn)
{
    unsigned want = 0;

    write_some(conn);
    if (conn->dead) {
        return;
    }
    if (is_over(conn)) {
        conn_bury(conn);
        return;
    }
    if (!conn->eof && !conn->ending && (conn->in_used < sizeof conn->in || conn->skip)) {
        want |= LOOP_READ;
    }
    if (unsent(conn) || conn->more || conn->again) {
        want |= LOOP_WRITE;
    }
    if (loop_io_want(conn->io, want)) {
        conn_bury(conn);
    }
}

void ctl_finish(struct ctl_conn *conn)
{
    conn->follow = FOLLOW_NOTHING;
    conn->more = NULL;
    conn->again = true; /* what was asked meanwhile waits in the buffer */
    loop_timer_stop(conn->timer);
}

/* Some more of a long answer; true when that was all and the next request may be looked at. */
static bool produce(struct ctl_conn *conn)
{
    if (!conn->more(conn)) {
        return false;
    }
    conn->more = NULL;
    if (conn->follow == FOLLOW_NOTHING) {
        ctl_put_ok(conn);
    }
    return true;
}

/* Answers what was asked, and produces more of what is long, as far as the reader keeps up; then
 * the loop may look after others first. */
static void work(struct ctl_conn *conn)
{
    bool going = true;

    conn->d->ctl.publisher = conn;
    conn->again = false;
    while (going && !conn->dead && !conn->ending && !conn->d->stopping) {
        if (unsent(conn) >= CTL_OUT_LOW_BYTES) {
            conn->again = true;
            break;
        }
        if (conn->more) {
            going = produce(conn);
        } else {
            going = conn->follow == FOLLOW_NOTHING && !conn->skip && !conn->later &&
                    ctl_request_take(conn);
        }
    }
    if (conn->held_count) {
        turn_settle(conn->d);
    }
    conn->d->ctl.publisher = NULL;
    conn->in_used -= conn->in_start;
    memmove(conn->in, conn->in + conn->in_start, conn->in_used);
    conn->in_start = 0;
    ctl_flush(conn);
}

/* Who follows without end asks nothing more; what he sends is not kept. */
static void read_some(struct ctl_conn *conn)
{
    char unwanted[4096];
    bool endless = conn->follow != FOLLOW_NOTHING && conn->follow != FOLLOW_WAIT;
    bool wanted = !endless && !conn->skip;
    char *into = wanted ? conn->in + conn->in_used : unwanted;
    size_t room = wanted ? sizeof conn->in - conn->in_used : sizeof unwanted;
    ssize_t got;

    if (conn->skip && conn->skip < room) {
        room = (size_t)conn->skip;
    }
    got = room ? recv(conn->fd, into, room, MSG_DONTWAIT) : -1;
    if (got == 0) {
        conn->eof = true;
    } else if (got < 0 && room && errno != EAGAIN && errno != EINTR) {
        conn_bury(conn);
    } else if (got > 0 && wanted) {
        conn->in_used += (size_t)got;
    } else if (got > 0 && conn->skip) {
        conn->skip -= (uint64_t)got;
    }
}

static void on_ready(void *arg, unsigned what)
{
    struct ctl_conn *conn = arg;

    if (!conn->dead && what & LOOP_READ) {
        read_some(conn);
    }
    if (!conn->dead) {
        work(conn);
    }
}

static void on_timer(void *arg)
{
    struct ctl_conn *conn = arg;

    if (conn->dead) {
        return;
    }
    conn->later = false;
    if (conn->follow == FOLLOW_WAIT) {
        ctl_wait_over(conn);
    }
    work(conn);
}

void ctl_follower_check(struct ctl_conn *conn)
{
    if (unsent(conn) > CTL_OUT_MAX_BYTES) {
        /* What is lost ends in the middle of a line; the newline makes it a bad one of its own. */
        conn->out.used = conn->out.sent;
        conn->ending = true;
        conn->follow = FOLLOW_NOTHING;
        ctl_put_text(&conn->out, "\n", 1);
        ctl_refuse(conn, CTL_SLOW, "events came faster than they were read");
        log_warnx("control", "a follower reads too slowly; let go");
    }
    ctl_flush(conn);
}

size_t ctl_unsent(const struct ctl_conn *conn)
{
    return unsent(conn);
}

struct ctl_conn *ctl_conn_new(struct daemon *d, int fd)
{
    struct ctl_conn *conn = calloc(1, sizeof *conn);
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (!conn) {
        return NULL;
    }
    conn->d = d;
    conn->fd = fd;
    conn->io = loop_io_new(d->loop, fd, on_ready, conn);
    conn->timer = loop_timer_new(d->loop, on_timer, conn);
    if (!conn->io || !conn->timer || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
        loop_io_want(conn->io, LOOP_READ)) {
        loop_timer_free(conn->timer);
        loop_io_free(conn->io);
        free(conn);
        return NULL;
    }
    conn->may_change = peer.uid == 0 || peer.uid == geteuid();
    return conn;
}

/* The answers that waited for the commit, or as many refusals. */
void ctl_conn_settled(struct ctl_conn *conn, int rc)
{
    size_t count = conn->held_count;

    conn->held_count = 0;
    if (!rc) {
        ctl_put_text(&conn->out, conn->held.data, conn->held.used);
    }
    conn->held.used = 0;
    for (size_t i = 0; rc && i < count; i++) {
        ctl_refuse(conn, rc == HSAY_ESTORE ? CTL_STORE : CTL_FULL,
                   "not stored: the disk took it not (%s)", hsay_strerror(rc));
    }
}
