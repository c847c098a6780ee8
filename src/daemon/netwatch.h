/*
 * Notices when this machine's addresses change (another Wi-Fi, a new lease), so that the node walks
 * at once instead of waiting for its old paths to go silent.  Waits a second for the dust to
 * settle.
 */
#ifndef HEARSAY_DAEMON_NETWATCH_H
#define HEARSAY_DAEMON_NETWATCH_H

#include <stdint.h>

struct daemon;
struct loop_io;
struct loop_timer;

struct netwatch {
    int fd;
    uint64_t addresses; /* a hash of those that the machine had last */
    struct loop_io *io;
    struct loop_timer *timer;
};

/* Without it the node works as well, only slower after a change: a failure is no error. */
void netwatch_open(struct daemon *d);
void netwatch_close(struct daemon *d);

#endif
