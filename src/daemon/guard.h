/*
 * A store that can be shut for a while: put says "full" then, all else goes on.
 *
 * After a commit that failed for space every further put would end in another one, and each failing
 * commit costs the packets of a turn.  With the door shut for some seconds the node walks and
 * serves as ever, and tries again when it opens.
 */
#ifndef HEARSAY_DAEMON_GUARD_H
#define HEARSAY_DAEMON_GUARD_H

#include "hearsay/store.h"

/* One door for all stores of an environment, as they share its commits. */
struct guard_door {
    bool shut;
    bool wrote; /* something was put or removed since this was last set to false */
};

struct guard {
    struct hsay_store inner;
    struct guard_door *door;
};

/* Good as long as `guard` stays where it is. */
struct hsay_store guard_port(struct guard *guard);

#endif
