/*
 * A network of its own, as a host or a box has: a namespace without a name, which lives as long as
 * somebody has it open.  Inside a cage only.  The calling process is in one place at a time, the
 * last that any of these functions was called for.
 */
#ifndef HEARSAY_LAB_NAT_PLACE_H
#define HEARSAY_LAB_NAT_PLACE_H

#include <stdint.h>
#include <sys/types.h>

#include "src/lab/output/heap.h"

struct natlab_place {
    int fd; /* children inherit it, for `ip` to move devices by */
};

/* All but natlab_place_enter: HSAY_EIO and words if it cannot be. */
int natlab_place_make(struct natlab_place *place, struct lab_why *why);
void natlab_place_enter(const struct natlab_place *place);

/* Runs a program there with this text as its input and waits for it.  What it says in anger becomes
 * the words. */
int natlab_place_feed(const struct natlab_place *place, const char *const *argv, const char *text,
                      struct lab_why *why);

/* The same without input, and what it says is a new text: free() it. */
int natlab_place_ask(const struct natlab_place *place, const char *const *argv, char **text,
                     struct lab_why *why);

/* Starts one there that goes on, with both outputs at the end of the file `log`. */
int natlab_place_start(const struct natlab_place *place, const char *const *argv, const char *log,
                       pid_t *pid, struct lab_why *why);

/* A number into a file under /proc/sys/net, which shows that of the place. */
int natlab_place_set(const struct natlab_place *place, const char *key, uint64_t number,
                     struct lab_why *why);

/* A device `name` whose packets are read from and written to `fd`, which does not block. */
int natlab_place_tun(const struct natlab_place *place, const char *name, int *fd,
                     struct lab_why *why);

/* A UDP socket there at this port of all addresses, which does not block. */
int natlab_place_udp(const struct natlab_place *place, uint16_t port, int *fd, struct lab_why *why);

#endif
