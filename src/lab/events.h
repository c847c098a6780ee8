/*
 * The events of one run as a file: a JSON object a line, in order of time.  For who wants to look
 * at something that no measure tells; a thousand hosts write some megabytes a minute.
 */
#ifndef HEARSAY_LAB_EVENTS_H
#define HEARSAY_LAB_EVENTS_H

#include "src/lab/sim/sim.h"

struct lab_events;

/* NULL and a sentence in `why`: the file cannot be written, or the run has several threads, whose
 * events have no order.  Observes the simulation until lab_events_close. */
struct lab_events *lab_events_open(struct lab_sim *sim, const char *path, char *why,
                                   size_t why_size);

/* False: not all of it could be written. */
bool lab_events_close(struct lab_events *events);

#endif
