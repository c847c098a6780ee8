/*
 * One connection of the control socket, for the files that answer verbs (ctl_*.c).
 *
 * A verb's function writes objects with ctl_put and returns what ctl_ok, ctl_refuse or one of the
 * values below say.  Nothing it writes is sent before it has returned.
 */
#ifndef HEARSAY_DAEMON_CTL_CONN_H
#define HEARSAY_DAEMON_CTL_CONN_H

#include <jansson.h>

#include "src/daemon/daemon.h"
#include "src/daemon/request.h"

enum {
    CTL_IN_BYTES = 65536,
    CTL_OUT_LOW_BYTES = 65536,   /* below: produce more of a long answer */
    CTL_OUT_MAX_BYTES = 4 << 20, /* above: who follows is let go */
};

/* What a verb's function returns. */
enum ctl_result {
    CTL_DONE,    /* the last line, {"ok":true}, is added */
    CTL_REFUSED, /* ctl_refuse has written the last line */
    CTL_GOES_ON, /* conn->more, a follower or a timer will end it */
    CTL_HELD,    /* the answer waits for the commit */
    CTL_LATER,   /* not now: the same request once more in a moment */
};

enum ctl_error {
    CTL_USAGE,
    CTL_NO_OVERLAY,
    CTL_NO_BUNDLE,
    CTL_EXISTS,
    CTL_FULL,
    CTL_DENIED,
    CTL_TOO_LARGE,
    CTL_BAD_KEY,
    CTL_STORE,
    CTL_TIMEOUT,
    CTL_INTERNAL,
    CTL_SLOW,
};

enum ctl_follow { FOLLOW_NOTHING, FOLLOW_BUNDLES, FOLLOW_TRACE, FOLLOW_LOG, FOLLOW_WAIT };

struct ctl_bytes {
    char *data;
    size_t used;
    size_t sent; /* of those used */
    size_t size;
};

struct ctl_conn {
    struct daemon *d;
    int fd;
    struct loop_io *io;
    bool may_change; /* may use verbs that change something, and see secrets */
    bool eof;        /* nothing more will be asked */
    bool dead;       /* to be closed as soon as nobody uses it */
    bool ending;     /* to be closed when all is sent */
    uint64_t skip;   /* bytes of a body that nobody wants */
    bool again;      /* requests may wait in the buffer */
    bool later;      /* the one that does is to be tried again when the timer says so */
    char in[CTL_IN_BYTES];
    size_t in_start; /* of those used, taken already */
    size_t in_used;
    struct ctl_bytes out;
    struct ctl_bytes held; /* answers that wait for the commit */
    size_t held_count;

    /* A long answer: writes some more; true when that was all. */
    bool (*more)(struct ctl_conn *conn);
    struct hsay_key overlay; /* what more and follow are about */
    struct hsay_position next;
    uint64_t left;
    uint64_t type;
    bool any_type;
    bool follow_after;

    enum ctl_follow follow;
    enum log_level level;
    struct loop_timer *timer; /* of FOLLOW_WAIT and of `later` */
};

/* Takes the object away.  NULL (out of memory) is left out. */
void ctl_put(struct ctl_conn *conn, json_t *object);
void ctl_put_text(struct ctl_bytes *bytes, const char *text, size_t size);
void ctl_put_ok(struct ctl_conn *conn); /* the last line of an answer */

/* Answers one request of those that have come; false if none is complete, or it must wait. */
bool ctl_request_take(struct ctl_conn *conn);

enum ctl_result ctl_refuse(struct ctl_conn *conn, enum ctl_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an error of the core or the store. */
enum ctl_result ctl_refuse_rc(struct ctl_conn *conn, int rc);

/* The overlay that a word means; NULL after refusing. */
struct overlay *ctl_overlay(struct ctl_conn *conn, const char *word);

/* The overlay of a long answer; NULL when it was left meanwhile. */
struct overlay *ctl_conn_overlay(struct ctl_conn *conn);

/* Ends a follower or a long answer: the last line may follow, then the next request. */
void ctl_finish(struct ctl_conn *conn);

/* Sends what can be sent, closes what is over, and asks the loop for what is waited for. */
void ctl_flush(struct ctl_conn *conn);

/* The same for a follower who may be too slow. */
void ctl_follower_check(struct ctl_conn *conn);

size_t ctl_unsent(const struct ctl_conn *conn);
void ctl_conn_settled(struct ctl_conn *conn, int rc);

/* NULL: out of memory.  Takes the descriptor if it returns one. */
struct ctl_conn *ctl_conn_new(struct daemon *d, int fd);
void ctl_conn_free(struct ctl_conn *conn);

/* The verbs, by file. */
enum ctl_result ctl_on_version(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_status(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_overlays(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_overlay_show(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_peers(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_stats(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_nat(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_sum(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_claim(struct ctl_conn *conn, const struct request *request);

enum ctl_result ctl_on_overlay_new(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_overlay_join(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_overlay_leave(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_peer_add(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_reload(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_stop(struct ctl_conn *conn, const struct request *request);

enum ctl_result ctl_on_pub(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_sub(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_show(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_digests(struct ctl_conn *conn, const struct request *request);

enum ctl_result ctl_on_trace(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_log(struct ctl_conn *conn, const struct request *request);
enum ctl_result ctl_on_wait(struct ctl_conn *conn, const struct request *request);

/* What followers are sent. */
void ctl_follow_bundle(struct ctl_conn *conn, const struct hsay_event *event);
void ctl_follow_trace(struct ctl_conn *conn, const struct hsay_event *event);
void ctl_wait_over(struct ctl_conn *conn);
void ctl_follow_synced(struct ctl_conn *conn, const struct hsay_event *event);
void ctl_follow_log(struct ctl_conn *conn, const struct log_line *line);
void ctl_log_listen(struct daemon *d);

/* How the node is seen from outside (ctl_nat.c), as CONTROL.md has it: where it listens; null or
 * its address in a family; how attempts to reach introduced peers ended, a row per kind that there
 * was. */
json_t *nat_listen_json(const struct daemon *d);
json_t *nat_address_json(struct daemon *d, uint8_t family);
json_t *nat_punctures_json(const struct hsay_node_stats *stats);

/* A sentence: why this overlay is not in sync, or "in sync".  Returns how bad that is: "ok",
 * "warning" (it may pass by itself) or "problem" (somebody must do something). */
const char *ctl_why(struct daemon *d, const struct overlay *overlay,
                    const struct hsay_overlay_status *status, char *text, size_t size);

#endif
