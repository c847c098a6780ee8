/*
 * The thread that asks gateways, as their libraries wait for answers and the daemon's loop may not.
 *
 * It shares nothing with the loop but one job, one answer and a mutex around them; it logs nothing
 * and takes no signal.  All functions are for the loop's thread.
 */
#ifndef HEARSAY_DAEMON_PORTMAP_WORK_H
#define HEARSAY_DAEMON_PORTMAP_WORK_H

#include "src/daemon/portmap_ask.h"

struct portmap_work;

/* NULL when the system refuses. */
struct portmap_work *portmap_work_start(void);

/* Readable when there is an answer. */
int portmap_work_fd(const struct portmap_work *work);

/* One at a time: the next when this one's answer has been taken. */
void portmap_work_ask(struct portmap_work *work, const struct portmap_job *job);
bool portmap_work_take(struct portmap_work *work, struct portmap_answer *answer);

/* Gives back what is held and ends the thread, within PORTMAP_END_MS; a gateway that takes longer
 * is left to it, and the thread to the end of the process. */
enum { PORTMAP_END_MS = 2000 };
void portmap_work_end(struct portmap_work *work);

#endif
