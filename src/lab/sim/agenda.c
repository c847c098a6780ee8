#include "src/lab/sim/agenda.h"

#include <assert.h>
#include <stdlib.h>

#include "src/lab/sim/memory.h"

struct lab_agenda {
    struct lab_agenda_entry *entry; /* heap */
    size_t count, max;
    uint64_t asked;
};

struct lab_agenda *lab_agenda_new(void)
{
    return lab_calloc(1, sizeof(struct lab_agenda));
}

void lab_agenda_free(struct lab_agenda *agenda)
{
    free(agenda->entry);
    free(agenda);
}

static bool earlier(const struct lab_agenda_entry *a, const struct lab_agenda_entry *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void lab_agenda_add(struct lab_agenda *agenda, const struct lab_agenda_entry *entry)
{
    if (agenda->count == agenda->max) {
        agenda->max = agenda->max != 0 ? 2 * agenda->max : 64;
        agenda->entry = lab_realloc(agenda->entry, agenda->max * sizeof *agenda->entry);
    }
    struct lab_agenda_entry e = *entry;
    e.order = agenda->asked++;
    size_t i = agenda->count++;
    for (; i != 0 && earlier(&e, &agenda->entry[(i - 1) / 2]); i = (i - 1) / 2)
        agenda->entry[i] = agenda->entry[(i - 1) / 2];
    agenda->entry[i] = e;
}

uint64_t lab_agenda_next_ns(const struct lab_agenda *agenda)
{
    return agenda->count != 0 ? agenda->entry[0].at_ns : UINT64_MAX;
}

struct lab_agenda_entry lab_agenda_take(struct lab_agenda *agenda)
{
    assert(agenda->count != 0);
    struct lab_agenda_entry top = agenda->entry[0];
    struct lab_agenda_entry last = agenda->entry[--agenda->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < agenda->count; i = child) {
        if (child + 1 < agenda->count && earlier(&agenda->entry[child + 1], &agenda->entry[child]))
            child++;
        if (!earlier(&agenda->entry[child], &last))
            break;
        agenda->entry[i] = agenda->entry[child];
    }
    agenda->entry[i] = last;
    return top;
}
