/*
 * The event loop, on libevent; no other file includes event2/.
 *
 * Everything is told by a function and its argument.  Handles belong to the loop's owner, who frees
 * them before the loop; they may be freed from inside their own function.
 */
#ifndef HEARSAY_DAEMON_LOOP_H
#define HEARSAY_DAEMON_LOOP_H

#include "hearsay/types.h"

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* NULL when the system refuses. */
struct loop *loop_open(void);
void loop_close(struct loop *loop);

/* Runs until loop_stop.  HSAY_EIO. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* How often the loop has woken up. */
uint64_t loop_wakeups(const struct loop *loop);

/* Tells `ready` which of LOOP_READ and LOOP_WRITE the descriptor is ready for, as long as it is
 * wanted.  Begins by wanting nothing.  NULL when out of memory. */
struct loop_io *loop_io_new(struct loop *loop, int fd, void (*ready)(void *arg, unsigned what),
                            void *arg);
int loop_io_want(struct loop_io *io, unsigned what); /* HSAY_EIO */
void loop_io_free(struct loop_io *io);

/* Calls `due` once, so many milliseconds from now; set anew to have it again. */
struct loop_timer *loop_timer_new(struct loop *loop, void (*due)(void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, uint64_t ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer);

struct loop_signal *loop_signal_new(struct loop *loop, int number, void (*came)(void *arg),
                                    void *arg);
void loop_signal_free(struct loop_signal *signal);

/* Asks for the addresses of a host without stopping the loop.  `found` is called once, maybe before
 * this returns: with up to four addresses of the given port, or none and a reason. */
struct loop_found {
    struct hsay_addr addr[4];
    size_t count;
    const char *why;
};
void loop_resolve(struct loop *loop, const char *host, uint16_t port,
                  void (*found)(void *arg, const struct loop_found *found), void *arg);

#endif
