/*
 * One running hearsayd: all its parts, each of which has a file of its own, and what happens
 * between them (daemon.c).
 */
#ifndef HEARSAY_DAEMON_DAEMON_H
#define HEARSAY_DAEMON_DAEMON_H

#include "src/daemon/beacon.h"
#include "src/daemon/book.h"
#include "src/daemon/clock.h"
#include "src/daemon/conf.h"
#include "src/daemon/ctl.h"
#include "src/daemon/names.h"
#include "src/daemon/netwatch.h"
#include "src/daemon/options.h"
#include "src/daemon/overlays.h"
#include "src/daemon/portmap.h"
#include "src/daemon/sockets.h"
#include "src/daemon/turn.h"
#include "src/daemon/udp.h"

/* What hearsayd ends with; hearsayd.8 explains them. */
enum exit_status {
    EXIT_STATUS_CLEAN = 0,
    EXIT_STATUS_FAILED = 1,
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_BUSY = 3, /* another daemon holds the state folder or the control socket */
};

struct daemon {
    struct conf conf;
    const struct options *options;
    char state[PATH_MAX];
    int lock_fd;
    enum exit_status status;
    bool stopping;
    bool first_life; /* of this state folder */
    hsay_time started;

    struct clock clock;
    struct loop *loop;
    struct loop_signal *signal[4];
    struct loop_timer *minute;
    struct loop_timer *watchdog;
    struct udp udp;
    struct loop_io *udp_io[UDP_SOCKETS_MAX];
    struct sockets sockets;
    struct hsay_crypto crypto;
    struct hsay_key author;
    uint8_t author_secret[HSAY_SECRET_BYTES];
    void *node_memory;
    struct hsay_node *node;

    struct overlays overlays;
    struct turn turn;
    struct names names;
    struct book book;
    struct beacon beacon;
    struct netwatch netwatch;
    struct portmap portmap;
    struct ctl ctl;
};

/* Starts all, in order.  EXIT_STATUS_CLEAN, or what to end with after a line in the log. */
enum exit_status daemon_start(struct daemon *d);

/* Runs until told to stop; the exit status. */
enum exit_status daemon_run(struct daemon *d);

/* Ends what daemon_start began, also when it got only half way. */
void daemon_end(struct daemon *d);

void daemon_stop(struct daemon *d, enum exit_status status);

/* Reads the configuration again.  HSAY_EINVAL with the error said, and nothing has changed. */
int daemon_reload(struct daemon *d, struct conf_changes *changes, struct conf_error *error);

/* What the parts tell each other. */
void daemon_tell_local(struct daemon *d);
void daemon_events(struct daemon *d, const struct hsay_event *event, size_t count);
void daemon_overlay_joined(struct daemon *d, struct overlay *overlay);
void daemon_overlay_left(struct daemon *d, struct overlay *overlay);
void daemon_overlays_reopened(struct daemon *d);

#endif
