/*
 * A child process that reads the store before the daemon does.  LMDB believes what stands in its
 * file: in a damaged one it may touch what is not there, or go in circles, and only a process can
 * be stopped from outside.  A healthy store costs one walk through its pages.
 */
#ifndef HEARSAY_DAEMON_PROBE_H
#define HEARSAY_DAEMON_PROBE_H

struct daemon;

/* With the state folder locked, and before there are threads or an open store.  0, also where the
 * store cannot be opened for a reason that overlays_open will say; else an exit status, after a
 * line in the log. */
int probe_store(struct daemon *d);

#endif
