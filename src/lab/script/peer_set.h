/*
 * Which peers a line of a scenario is about.  People count peers from 1; here they are indices from
 * 0 to nodes - 1, kept as ranges, so that "all" of a million takes twelve bytes.
 *
 * In braces, with commas between them:
 *
 *     7  1-10       peers, both ends included; a fraction is rounded down
 *     all           every peer
 *     NAME          a set that a `peers` line names
 *     !7 !1-10 !NAME   not these; with nothing but such items, all the others
 *     any           one of the peers that the other items leave; of all without such items
 *     10%           that share of them, rounded, at least one
 *
 * `any` and shares are drawn anew each time a line takes effect: the set then says of whom, and
 * lab_peer_walk draws.  In a `peers` line they are drawn once, so that the name always means the
 * same peers.
 */
#ifndef HEARSAY_LAB_PEER_SET_H
#define HEARSAY_LAB_PEER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/lab/script/arena.h"

/* Indices first .. past - 1; `before` peers of the set stand in front of them. */
struct lab_peer_range {
    uint32_t first, past, before;
};

/* Where draws come from: the program has streams of chance, each with a number. */
struct lab_draw {
    void (*begin)(void *of, uint64_t number);    /* at the beginning of that stream */
    uint64_t (*below)(void *of, uint64_t bound); /* uniform in 0 .. bound - 1 */
    void *of;
};

enum lab_peer_draw {
    LAB_PEER_DRAW_NONE, /* the set is what it says */
    LAB_PEER_DRAW_ONE,
    LAB_PEER_DRAW_SHARE,
};

/* The ranges rise, are apart, and belong to the arena that the set was made in. */
struct lab_peer_set {
    const struct lab_peer_range *range;
    uint32_t range_count;
    uint32_t count; /* peers in it, before any draw */
    enum lab_peer_draw draw;
    uint32_t drawn; /* how many of them a draw takes; without one: count */
};

struct lab_peer_name {
    const char *name;
    struct lab_peer_set set;
};

/* What the text of a set may refer to. */
struct lab_peer_world {
    uint32_t nodes; /* at least 1 */
    const struct lab_peer_name *name;
    size_t name_count;
};

/* 0; or HSAY_EINVAL and a sentence in why.  `text` is what stands between the braces. */
int lab_peer_set_read(struct lab_peer_set *set, const char *text,
                      const struct lab_peer_world *world, struct lab_arena *arena, char *why,
                      size_t why_size);

/* Every peer.  range has to live as long as the set. */
struct lab_peer_set lab_peer_set_all(struct lab_peer_range *range, uint32_t nodes);

/* Makes a set out of what this one draws now; itself if it draws nothing. */
struct lab_peer_set lab_peer_set_drawn(const struct lab_peer_set *set, const struct lab_draw *draw,
                                       struct lab_arena *arena);

/* Whether a peer may be drawn, or is in a set without a draw. */
bool lab_peer_set_contains(const struct lab_peer_set *set, uint32_t index);

/* The peer with the place k < count in the set's order. */
uint32_t lab_peer_set_at(const struct lab_peer_set *set, uint32_t k);

/* Goes through the peers in rising order; if the set draws, through those that `draw` gives from
 * where its stream is.  A share costs one draw per peer of the set, one peer a single draw, the
 * rest none. */
struct lab_peer_walk {
    const struct lab_peer_set *set;
    const struct lab_draw *draw; /* may be NULL if the set draws nothing */
    uint32_t range;              /* where the next peer may be */
    uint32_t index;
    uint32_t left;   /* peers from there on */
    uint32_t wanted; /* of these */
};

void lab_peer_walk_start(struct lab_peer_walk *walk, const struct lab_peer_set *set,
                         const struct lab_draw *draw);
bool lab_peer_walk_next(struct lab_peer_walk *walk, uint32_t *index);

#endif
