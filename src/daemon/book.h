/*
 * STATE/peers: peers that answered us, so that a restart needs no tracker.  One a line: the
 * overlay's key, the address, the peer's key.  Written each minute if it has changed, each 10
 * seconds as long as it is empty, and at the end.  Losing it loses nothing but time, so no failure
 * here stops anything.
 */
#ifndef HEARSAY_DAEMON_BOOK_H
#define HEARSAY_DAEMON_BOOK_H

#include "src/daemon/overlays.h"

struct book {
    uint64_t saved_hash; /* of what stands in the file */
    bool has_peers;      /* what stands there */
};

/* Gives the node what the file remembers for this overlay. */
void book_load(struct daemon *d, struct overlay *overlay);

void book_save(struct daemon *d);

#endif
