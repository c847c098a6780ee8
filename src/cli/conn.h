/*
 * The control socket of a running node, seen from the client: the one place that knows how requests
 * and answers are framed (src/daemon/CONTROL.md).
 *
 * Requests are queued and leave while answers are awaited, so that thousands may be under way and
 * neither side ever waits for the other to read.
 */
#ifndef HEARSAY_CLI_CONN_H
#define HEARSAY_CLI_CONN_H

#include <poll.h>
#include <sys/un.h>

#include <jansson.h>

#include "src/cli/bytes.h"

struct conn {
    int fd;
    struct bytes in;
    struct bytes out;
};

enum conn_got {
    CONN_WAIT,    /* no whole line yet */
    CONN_OBJECT,  /* an object of an answer; more will come */
    CONN_DONE,    /* the answer is complete */
    CONN_REFUSED, /* the answer is an error object */
    CONN_TIMEOUT, /* the deadline passed first */
    CONN_CLOSED,  /* the daemon is gone, or sent what is no answer */
};

/* 0, or the errno that says why not. */
int conn_open(struct conn *conn, const char *path);
void conn_close(struct conn *conn);

/* Queue a request line (without its newline) and the body that follows it. */
__attribute__((format(printf, 2, 3))) void conn_ask(struct conn *conn, const char *format, ...);
void conn_ask_body(struct conn *conn, const void *data, size_t size);

/* The next line of what has come already.  *object belongs to the caller for OBJECT, DONE and
 * REFUSED, else it is NULL. */
enum conn_got conn_take(struct conn *conn, json_t **object);

/* What poll must look for; and sending and receiving what is possible without waiting.  False when
 * the connection is over. */
short conn_events(const struct conn *conn);
bool conn_move(struct conn *conn);

/* Waits for the next line until `deadline_ms` of clock_ms; CLOCK_NEVER waits for ever. */
enum conn_got conn_next(struct conn *conn, uint64_t deadline_ms, json_t **object);

#endif
