/*
 * What will happen, in order of time: a hierarchical timer wheel (Varghese and Lauck 1987) of
 * events that the caller owns.
 *
 * Four levels of 256 slots; a slot of the lowest is a tick of 2^20 ns.  Events of the tick in hand
 * stand in a heap, so that they come out exactly by (at_ns, order), whatever order they went in:
 * nothing depends on the history of the wheel, nor on addresses in memory.  Insert and pop cost
 * O(1) and O(log of the events within a millisecond).
 */
#ifndef HEARSAY_LAB_WHEEL_H
#define HEARSAY_LAB_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LAB_WHEEL_TICK_BITS = 20,
    LAB_WHEEL_SLOT_BITS = 8,
    LAB_WHEEL_SLOTS = 1 << LAB_WHEEL_SLOT_BITS,
    LAB_WHEEL_LEVELS = 4, /* 2^32 ticks: 52 days; what is later waits in the last slot */
};

enum lab_event_kind {
    LAB_EVENT_TIMER = 1, /* a host's deadline */
    LAB_EVENT_DATAGRAM,
};

struct lab_event {
    uint64_t at_ns;
    uint64_t order; /* among those of one instant; unique there */
    struct lab_event *next;
    uint32_t host;   /* to whom it happens */
    uint32_t number; /* of a timer: which of the host's timers is meant */
    uint8_t kind;    /* enum lab_event_kind */
};

struct lab_wheel {
    struct lab_event *slot[LAB_WHEEL_LEVELS][LAB_WHEEL_SLOTS];
    uint64_t filled[LAB_WHEEL_LEVELS][LAB_WHEEL_SLOTS / 64]; /* a bit per slot that is not empty */
    uint64_t tick;                                           /* in hand: its events are due */
    struct lab_event **due;                                  /* heap */
    size_t due_count, due_max;
    size_t count; /* events in the wheel, due ones included */
};

void lab_wheel_init(struct lab_wheel *wheel, uint64_t now_ns);

/* Frees the wheel's own memory; the events, which are the caller's, by `drop` (free for one). */
void lab_wheel_free(struct lab_wheel *wheel, void (*drop)(struct lab_event *));

/* An event in the past is due at once.  It belongs to the wheel until it is popped. */
void lab_wheel_insert(struct lab_wheel *wheel, struct lab_event *event);

/* The next event that happens before `end_ns`, or NULL. */
struct lab_event *lab_wheel_pop(struct lab_wheel *wheel, uint64_t end_ns);

/* When the next event happens, to the tick: never later than it does; UINT64_MAX: none. */
uint64_t lab_wheel_next_ns(const struct lab_wheel *wheel);

#endif
