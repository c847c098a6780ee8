/* What can be known to be wrong with the lines of a run before it begins. */
#ifndef HEARSAY_LAB_ACTIONS_CHECK_H
#define HEARSAY_LAB_ACTIONS_CHECK_H

#include <stdbool.h>

#include "src/lab/script/settings.h"
#include "src/lab/script/timeline.h"

/* 0; or HSAY_EINVAL and faults: settings that a `link` does not know, bundles that are too large,
 * the same measure twice. */
int lab_actions_check(const struct lab_timeline *timeline, const struct lab_settings *settings,
                      struct lab_faults *faults);

/* Tells on standard error of lines that never happen, since the run ends before. */
void lab_actions_tell_late(const struct lab_timeline *timeline, double end_s);

#endif
