/*
 * What the laboratory's peers may be behind, in the words of the simulator's boxes (nat_box.h), so
 * that the two can be compared: what a kernel does here, a box does there.
 */
#ifndef HEARSAY_LAB_NAT_KIND_H
#define HEARSAY_LAB_NAT_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/lab/sim/nat_box.h"

enum { NATLAB_BOXES_MAX = 2 };

struct natlab_kind {
    const char *name;
    const char *help;
    unsigned boxes;                            /* on the way out; 0: none */
    struct lab_nat_kind box[NATLAB_BOXES_MAX]; /* from the inside to the outside */
    bool shared;                               /* both peers are behind one and the same */
    bool apart;                                /* inside, they cannot reach each other directly */
    bool classic;                              /* one of the five that most papers speak of */
};

/* Of a name, or counted from 0; NULL: there is none. */
const struct natlab_kind *natlab_kind_find(const char *name);
const struct natlab_kind *natlab_kind_number(size_t number);

/* A kind with the same box, whose timers are short enough to be waited for: those of more than
 * NATLAB_TIMER_SHORT_S are seconds. */
enum { NATLAB_TIMER_SHORT_S = 30 };
struct natlab_kind natlab_kind_hurried(const struct natlab_kind *kind);

/* The boxes of a kind seen from the outside as if they were one. */
struct lab_nat_kind natlab_kind_whole(const struct natlab_kind *kind);

/* Mapping, filtering and so on of one box, "independent mapping, filter by address and port, ...":
 * always ends with 0. */
void natlab_kind_words(char *text, size_t size, const struct lab_nat_kind *box);

#endif
