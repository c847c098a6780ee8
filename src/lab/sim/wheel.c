#include "src/lab/sim/wheel.h"

#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

enum { SLOT_MASK = LAB_WHEEL_SLOTS - 1, WORD_BITS = 64 };

static bool earlier(const struct lab_event *a, const struct lab_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* ---- the heap of what is due ---- */

static void due_push(struct lab_wheel *wheel, struct lab_event *event)
{
    if (wheel->due_count == wheel->due_max) {
        wheel->due_max = wheel->due_max != 0 ? 2 * wheel->due_max : 64;
        wheel->due = lab_realloc(wheel->due, wheel->due_max * sizeof(struct lab_event *));
    }
    size_t i = wheel->due_count++;
    for (; i != 0 && earlier(event, wheel->due[(i - 1) / 2]); i = (i - 1) / 2)
        wheel->due[i] = wheel->due[(i - 1) / 2];
    wheel->due[i] = event;
}

static struct lab_event *due_pop(struct lab_wheel *wheel)
{
    struct lab_event *top = wheel->due[0];
    struct lab_event *last = wheel->due[--wheel->due_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < wheel->due_count; i = child) {
        if (child + 1 < wheel->due_count && earlier(wheel->due[child + 1], wheel->due[child]))
            child++;
        if (!earlier(wheel->due[child], last))
            break;
        wheel->due[i] = wheel->due[child];
    }
    wheel->due[i] = last;
    return top;
}

/* ---- slots ---- */

static unsigned shift_of(unsigned level)
{
    return level * LAB_WHEEL_SLOT_BITS;
}

static void slot_add(struct lab_wheel *wheel, unsigned level, unsigned slot, struct lab_event *e)
{
    e->next = wheel->slot[level][slot];
    wheel->slot[level][slot] = e;
    wheel->filled[level][slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
}

static struct lab_event *slot_take(struct lab_wheel *wheel, unsigned level, unsigned slot)
{
    struct lab_event *list = wheel->slot[level][slot];
    wheel->slot[level][slot] = NULL;
    wheel->filled[level][slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
    return list;
}

/* The level is the highest group of bits in which the tick differs from the one in hand: a slot is
 * then always ahead within its level, and is emptied before the tick in hand reaches it. */
static void place(struct lab_wheel *wheel, struct lab_event *event)
{
    uint64_t tick = event->at_ns >> LAB_WHEEL_TICK_BITS;
    if (tick <= wheel->tick) {
        due_push(wheel, event);
        return;
    }
    uint64_t span = UINT64_C(1) << shift_of(LAB_WHEEL_LEVELS);
    if ((tick ^ wheel->tick) >= span) /* beyond this turn of the wheel: its last slot */
        tick = wheel->tick | (span - 1);
    unsigned level = LAB_WHEEL_LEVELS - 1;
    while (level != 0 && (tick ^ wheel->tick) >> shift_of(level) == 0)
        level--;
    if (tick == wheel->tick) /* in the very last tick of a turn: go round */
        due_push(wheel, event);
    else
        slot_add(wheel, level, (unsigned)(tick >> shift_of(level)) & SLOT_MASK, event);
}

/* The first slot after `from` that is filled, or LAB_WHEEL_SLOTS. */
static unsigned next_filled(const struct lab_wheel *wheel, unsigned level, unsigned from)
{
    for (unsigned slot = from + 1; slot < LAB_WHEEL_SLOTS;) {
        uint64_t word = wheel->filled[level][slot / WORD_BITS] >> slot % WORD_BITS;
        if (word != 0)
            return slot + (unsigned)__builtin_ctzll(word);
        slot = (slot / WORD_BITS + 1) * WORD_BITS;
    }
    return LAB_WHEEL_SLOTS;
}

/* The lowest level with a filled slot ahead has the next events.  The tick where it begins. */
static bool next_slot(const struct lab_wheel *wheel, unsigned *level, unsigned *slot,
                      uint64_t *tick)
{
    for (*level = 0; *level < LAB_WHEEL_LEVELS; (*level)++) {
        unsigned shift = shift_of(*level);
        *slot = next_filled(wheel, *level, (unsigned)(wheel->tick >> shift) & SLOT_MASK);
        if (*slot == LAB_WHEEL_SLOTS)
            continue;
        uint64_t base = wheel->tick >> (shift + LAB_WHEEL_SLOT_BITS) << LAB_WHEEL_SLOT_BITS;
        *tick = (base | *slot) << shift;
        return true;
    }
    return false;
}

/* Goes to the next filled slot that begins before `end_ns` and puts its events where they belong,
 * seen from there. */
static bool advance(struct lab_wheel *wheel, uint64_t end_ns)
{
    unsigned level, slot;
    uint64_t tick;
    if (!next_slot(wheel, &level, &slot, &tick) || tick << LAB_WHEEL_TICK_BITS >= end_ns)
        return false;
    wheel->tick = tick;
    for (struct lab_event *e = slot_take(wheel, level, slot), *next; e != NULL; e = next) {
        next = e->next;
        place(wheel, e);
    }
    return true;
}

/* ---- public ---- */

void lab_wheel_init(struct lab_wheel *wheel, uint64_t now_ns)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = now_ns >> LAB_WHEEL_TICK_BITS;
}

void lab_wheel_free(struct lab_wheel *wheel, void (*drop)(struct lab_event *))
{
    for (struct lab_event *e; (e = lab_wheel_pop(wheel, UINT64_MAX)) != NULL;)
        drop(e);
    free(wheel->due);
    memset(wheel, 0, sizeof *wheel);
}

void lab_wheel_insert(struct lab_wheel *wheel, struct lab_event *event)
{
    wheel->count++;
    place(wheel, event);
}

struct lab_event *lab_wheel_pop(struct lab_wheel *wheel, uint64_t end_ns)
{
    while (wheel->due_count == 0)
        if (!advance(wheel, end_ns))
            return NULL;
    if (wheel->due[0]->at_ns >= end_ns)
        return NULL;
    wheel->count--;
    return due_pop(wheel);
}

uint64_t lab_wheel_next_ns(const struct lab_wheel *wheel)
{
    unsigned level, slot;
    uint64_t tick;
    if (wheel->due_count != 0)
        return wheel->due[0]->at_ns;
    return next_slot(wheel, &level, &slot, &tick) ? tick << LAB_WHEEL_TICK_BITS : UINT64_MAX;
}
