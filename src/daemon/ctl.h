/*
 * The control socket: CONTROL.md says what goes over it.
 *
 * Everything is bounded: so many connections, so many bytes of requests and of answers that were
 * not read yet.  Long answers are produced as they are read; who follows events and does not read
 * them is let go when his buffer is full.
 */
#ifndef HEARSAY_DAEMON_CTL_H
#define HEARSAY_DAEMON_CTL_H

#include "hearsay/node.h"
#include "src/daemon/log.h"

#include <limits.h>

struct conf;
struct conf_error;
struct daemon;
struct ctl_conn;
struct overlay;

enum { CTL_CONNS_MAX = 32 };

struct ctl {
    int fd;
    bool bound; /* the file is ours */
    char path[PATH_MAX];
    struct loop_io *io;
    struct ctl_conn *conn[CTL_CONNS_MAX];
    struct ctl_conn *publisher; /* whose bundles wait for the commit of this turn */
    struct loop_timer *reaper;
};

/* What ctl_open would refuse of the settings, for --check-config.  HSAY_EINVAL, with the error. */
int ctl_conf_check(const struct conf *conf, struct conf_error *error);

/* An exit status; one line was logged unless it is 0. */
int ctl_open(struct daemon *d);
void ctl_close(struct daemon *d);

/* A turn's commit is done; publishers hear of it. */
void ctl_settled(struct daemon *d, int rc);

/* For those who follow. */
void ctl_on_event(struct daemon *d, const struct hsay_event *event);
void ctl_overlay_left(struct daemon *d, const struct overlay *overlay);

#endif
