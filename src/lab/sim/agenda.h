/* What a scenario wants done, and when: deeds between windows, by time and then by order of asking.
 */
#ifndef HEARSAY_LAB_AGENDA_H
#define HEARSAY_LAB_AGENDA_H

#include "src/lab/sim/sim.h"

struct lab_agenda *lab_agenda_new(void);
void lab_agenda_free(struct lab_agenda *agenda);

struct lab_agenda_entry {
    uint64_t at_ns;
    uint64_t order;
    lab_deed deed;
    void *self;
    uint64_t number;
};
void lab_agenda_add(struct lab_agenda *agenda, const struct lab_agenda_entry *entry);

/* UINT64_MAX: nothing is planned. */
uint64_t lab_agenda_next_ns(const struct lab_agenda *agenda);

/* The next entry; there must be one. */
struct lab_agenda_entry lab_agenda_take(struct lab_agenda *agenda);

#endif
