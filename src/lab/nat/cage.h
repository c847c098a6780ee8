/*
 * Namespaces of our own: processes, networks and mounts that nobody else sees and that are gone
 * when the first process in them ends, however it ends.  No rights are needed where a user may have
 * user namespaces; where not, root will do.
 */
#ifndef HEARSAY_LAB_NAT_CAGE_H
#define HEARSAY_LAB_NAT_CAGE_H

#include <stddef.h>

#include "src/lab/output/heap.h"

struct natlab_cage {
    const char *folder; /* is there and empty: inside, a file system in memory lies over it */
    int (*inside)(void *user, struct lab_why *why);
    void *user; /* what `inside` writes is seen outside only in memory from natlab_cage_share */
};

/* Runs `inside` as the first process of new namespaces, and returns what that returned.  HSAY_EIO
 * and words if there can be none, or if it crashed.  The calling process cannot be used for much
 * afterwards: it has left its own namespaces. */
int natlab_cage_run(const struct natlab_cage *cage, struct lab_why *why);

/* Zeroed memory that a process shares with those that it forks; never NULL. */
void *natlab_cage_share(size_t size);

#endif
