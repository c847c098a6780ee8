/*
 * Room in the candidate table: who gives way to a newcomer when all places are taken.
 *
 * Each bucket has a share of the table; it may take more while there is room.  The bucket most over
 * its share gives up an entry of its largest network group, any of them: whoever was there first
 * has no right to stay, because a flood can refresh its entries for ever.  If the newcomer belongs
 * to that group itself, a coin decides between them.
 */
#ifndef HEARSAY_WALK_ROOM_H
#define HEARSAY_WALK_ROOM_H

#include "src/walk/candidate.h"

/* Copies the newcomer into the table and returns its place; NULL if nobody gives way to it.  Its
 * marks and times say which bucket it is for. */
struct hsay_candidate *hsay_room_take(struct hsay_candidates *table, hsay_time now,
                                      const struct hsay_candidate *newcomer);

/* Keeps contacted ones at three quarters of the table, so that there is always room to find others:
 * drops one of the largest group if they are more, but not `keep`. */
void hsay_room_trim(struct hsay_candidates *table, hsay_time now,
                    const struct hsay_candidate *keep);

#endif
