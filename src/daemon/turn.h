/*
 * The turn: what came goes into the node, the store commits, the outbox leaves, and only then is
 * anybody told.  A bundle that a crash could take back never leaves, and a publisher hears "stored"
 * after the commit and not before.
 *
 * If the commit fails, the packets of the turn are thrown away as if the network had lost them,
 * publishers are told "full", and for two seconds nothing more is stored (guard.h): the node walks
 * and serves as ever, and finds out by itself when the disk has room again.
 */
#ifndef HEARSAY_DAEMON_TURN_H
#define HEARSAY_DAEMON_TURN_H

#include "hearsay/node.h"

struct daemon;

struct turn {
    struct hsay_outbox outbox;
    struct loop_timer *timer;
    hsay_time armed;      /* what the timer is set for */
    hsay_time shut_until; /* nothing is stored before */
    hsay_time reopened;   /* when the store was last opened again */
    bool failing;         /* the last commit that had something to write failed */
    uint64_t turns;
    uint64_t commits_failed;
};

int turn_open(struct daemon *d); /* HSAY_ENOMEM */
void turn_close(struct daemon *d);

/* The time for this turn's calls; also opens the store's door when it was shut for long enough. */
struct hsay_now turn_now(struct daemon *d);

/* The outbox, with room for one more call of the node; settles the turn if there was too little. */
struct hsay_outbox *turn_room(struct daemon *d);

/* Ends the turn: commit, send, tell.  0, or what the commit returned. */
int turn_settle(struct daemon *d);

/* Something may have changed the node's deadline. */
void turn_rearm(struct daemon *d);

/* Datagrams wait at a socket. */
void turn_on_datagrams(struct daemon *d, size_t socket_index);
void turn_on_more_datagrams(struct daemon *d);

#endif
