/*
 * How far our own log has got in each overlay, kept apart from the store: STATE/marks, one line an
 * overlay.
 *
 * A store that was lost, and is empty again, knows nothing of what we published before; its first
 * bundle would be sequence 1 once more, and two bundles with one sequence are held against their
 * author for ever.  So a mark ahead of every sequence and global time that we use is on disk before
 * they are used, with the name of the store that they are in.  Under another name, the log goes on
 * behind the mark.
 *
 * Ahead by a little only: global time may jump by no more than others accept (10,000), and a
 * sequence that is skipped is no harm.  A whole state folder brought back from a backup is not
 * noticed.
 */
#ifndef HEARSAY_DAEMON_MARKS_H
#define HEARSAY_DAEMON_MARKS_H

#include "hearsay/node.h"

struct daemon;
struct overlay;

enum { MARK_STORE_BYTES = 16 };

struct mark {
    uint8_t store[MARK_STORE_BYTES];     /* the name of the store that the mark belongs to */
    uint64_t sequence, time;             /* nothing above was used */
    uint64_t sequence_floor, time_floor; /* nothing below may be used any more */
    bool known;                          /* the file has a line for it */
    bool loaded;
};

/* An overlay was joined: names its store if it has no name, and reads its mark.  A store that is
 * not `whole`, because damaged bundles were taken out of it, may lack our last ones: as if it were
 * another.  What fails here is tried again before something is published. */
void marks_load(struct daemon *d, struct overlay *overlay, bool whole);

/* The overlay's bundles are about to be removed: whoever joins it again goes on behind the mark. */
void marks_forget_store(struct daemon *d, const struct overlay *overlay);

/* Before a publish: the draft gets its floors, and the file a mark ahead of what will be used.  An
 * error of the store, HSAY_EBAD when the file is no marks file, or HSAY_EIO with errno: nothing may
 * be published now. */
int marks_cover(struct daemon *d, struct overlay *overlay, struct hsay_draft *draft);

#endif
