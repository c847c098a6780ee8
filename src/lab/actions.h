/* What a scenario can do to the world: the verbs of its lines. */
#ifndef HEARSAY_LAB_ACTIONS_H
#define HEARSAY_LAB_ACTIONS_H

#include "src/lab/run.h"

extern const struct lab_verb lab_actions[];
extern const size_t lab_action_count;

/* Puts every action of the timeline on the simulation's agenda.  All hosts go online over the time
 * that the setting `join` says, unless the timeline has an `online` before any `offline` and
 * `restart`: then it says itself who begins. */
void lab_actions_plan(struct lab_run *run);

#endif
