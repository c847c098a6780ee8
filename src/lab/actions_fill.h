/* The action `fill`: stores that have bundles before their hosts go online. */
#ifndef HEARSAY_LAB_ACTIONS_FILL_H
#define HEARSAY_LAB_ACTIONS_FILL_H

#include "src/lab/run.h"
#include "src/lab/sim/chance.h"

/* `host` is the action's set.  NULL, or why it was not done. */
const char *lab_action_fill(struct lab_run *run, const struct lab_action *action,
                            const uint32_t *host, uint32_t host_count, struct lab_chance *chance);

#endif
