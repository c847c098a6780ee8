#include "src/cli/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

int conn_open(struct conn *conn, const char *path)
{
    *conn = (struct conn){.fd = -1};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if (size >= sizeof addr.sun_path)
        return ENAMETOOLONG;
    memcpy(addr.sun_path, path, size + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) ||
        fcntl(fd, F_SETFL, O_NONBLOCK)) {
        int why = errno;
        close(fd);
        return why;
    }
    conn->fd = fd;
    return 0;
}

void conn_close(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    bytes_free(&conn->in);
    bytes_free(&conn->out);
    conn->fd = -1;
}

void conn_ask(struct conn *conn, const char *format, ...)
{
    char *line;
    va_list list;
    va_start(list, format);
    int size = vasprintf(&line, format, list);
    va_end(list);
    if (size < 0)
        return;
    /* A word may not smuggle in a request of its own; the daemon says what it thinks of the '?'. */
    for (int i = 0; i < size; i++)
        if (line[i] < ' ' || line[i] > '~')
            line[i] = '?';
    bytes_add(&conn->out, line, (size_t)size);
    bytes_add(&conn->out, "\n", 1);
    free(line);
}

void conn_ask_body(struct conn *conn, const void *data, size_t size)
{
    bytes_add(&conn->out, data, size);
}

short conn_events(const struct conn *conn)
{
    return (short)(POLLIN | (conn->out.size ? POLLOUT : 0));
}

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

bool conn_move(struct conn *conn)
{
    while (conn->out.size) {
        ssize_t sent =
            send(conn->fd, conn->out.data + conn->out.start, conn->out.size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (would_wait())
                break;
            /* Why it closed may still lie unread. */
            bytes_skip(&conn->out, conn->out.size);
            break;
        }
        bytes_skip(&conn->out, (size_t)sent);
    }
    ssize_t got = recv(conn->fd, bytes_space(&conn->in, READ_BYTES), READ_BYTES, 0);
    if (got < 0)
        return would_wait();
    bytes_grown(&conn->in, (size_t)got);
    return got != 0;
}

enum conn_got conn_take(struct conn *conn, json_t **object)
{
    const char *line;
    size_t size;
    *object = NULL;
    if (!bytes_line(&conn->in, &line, &size))
        return CONN_WAIT;
    json_t *got = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    if (!json_is_object(got)) {
        json_decref(got);
        return CONN_CLOSED;
    }
    *object = got;
    json_t *ok = json_object_get(got, "ok");
    if (!json_is_boolean(ok))
        return CONN_OBJECT;
    return json_is_true(ok) ? CONN_DONE : CONN_REFUSED;
}

enum conn_got conn_next(struct conn *conn, uint64_t deadline_ms, json_t **object)
{
    enum conn_got got;
    while ((got = conn_take(conn, object)) == CONN_WAIT) {
        /* Who waits shows first what there is. */
        fflush(stdout);
        struct pollfd watch = {.fd = conn->fd, .events = conn_events(conn)};
        int ready = poll(&watch, 1, clock_left_ms(deadline_ms));
        if (ready == 0)
            return CONN_TIMEOUT;
        if (ready > 0 && !conn_move(conn)) {
            got = conn_take(conn, object);
            return got == CONN_WAIT ? CONN_CLOSED : got;
        }
    }
    return got;
}
