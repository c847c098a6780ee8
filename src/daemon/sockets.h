/*
 * The sockets that the node wants besides the ordinary one: udp.c opens each when a letter names
 * it, this reads them, and closes those that the node has no more use for.
 */
#ifndef HEARSAY_DAEMON_SOCKETS_H
#define HEARSAY_DAEMON_SOCKETS_H

#include <stdbool.h>

struct daemon;

struct sockets {
    struct loop_io *io; /* NULL: there are none, and none can be opened */
    struct loop_timer *timer;
};

/* Before the node's first letter.  False if the system has none to give: then the node is to be
 * told that there are none. */
bool sockets_open(struct daemon *d);
void sockets_close(struct daemon *d);

#endif
