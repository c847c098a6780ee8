#include "src/lab/actions_check.h"

#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/config.h"

enum { LATE_SHOWN_MAX = 10 };

static int link_check(const struct lab_action *action, const struct lab_settings *now,
                      struct lab_faults *faults)
{
    struct lab_settings settings;
    struct lab_link_model link;
    char why[LAB_FAULT_BYTES] = "";
    int rc = 0;
    lab_settings_copy(&settings, now);
    for (unsigned i = action->word_count; i < action->arg_count && rc == 0; i++)
        rc = lab_settings_set(&settings, action->arg[i].key, action->arg[i].text, why, sizeof why);
    if (rc == 0)
        rc = lab_config_link(&settings, &link, why, sizeof why);
    if (rc != 0)
        lab_faults_add(faults, &action->at, "%s", why);
    lab_settings_free(&settings);
    return rc;
}

static int publish_check(const struct lab_action *action, struct lab_faults *faults)
{
    double bytes = lab_action_word_number(action, 0, 0);
    if (bytes <= HSAY_PAYLOAD_MAX_BYTES)
        return 0;
    lab_faults_add(faults, &action->at, "%.0f bytes, but a bundle takes up to %d", bytes,
                   HSAY_PAYLOAD_MAX_BYTES);
    return HSAY_EINVAL;
}

static int measures_check(const struct lab_timeline *timeline, struct lab_faults *faults)
{
    int rc = 0;
    for (size_t i = 1; i < timeline->measure_count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct lab_action *first = &timeline->measure[k], *again = &timeline->measure[i];
            if (first->verb != again->verb)
                continue;
            lab_faults_add(faults, &again->at, "%s is measured already, by line %u",
                           again->verb->name, first->at.line);
            rc = HSAY_EINVAL;
            break;
        }
    return rc;
}

int lab_actions_check(const struct lab_timeline *timeline, const struct lab_settings *settings,
                      struct lab_faults *faults)
{
    const struct lab_arg *checked = NULL; /* a line that is repeated is looked at once */
    int rc = measures_check(timeline, faults);
    for (size_t i = 0; i < timeline->count && faults->more == 0; i++) {
        const struct lab_action *action = &timeline->action[i];
        if (action->arg == checked)
            continue;
        checked = action->arg;
        if ((strcmp(action->verb->name, "link") == 0 &&
             link_check(action, settings, faults) != 0) ||
            (strcmp(action->verb->name, "publish") == 0 && publish_check(action, faults) != 0))
            rc = HSAY_EINVAL;
    }
    return rc;
}

static bool was_shown(const struct lab_arg *const *shown, unsigned count, const struct lab_arg *arg)
{
    for (unsigned i = 0; i < count; i++)
        if (shown[i] == arg)
            return true;
    return false;
}

/* Of a line that is repeated, the first time that is too late. */
void lab_actions_tell_late(const struct lab_timeline *timeline, double end_s)
{
    const struct lab_action *late = timeline->action + timeline->count - timeline->late_count;
    const struct lab_arg *shown[LATE_SHOWN_MAX];
    unsigned count = 0;
    for (size_t i = 0; i < timeline->late_count && count < LATE_SHOWN_MAX; i++) {
        if (was_shown(shown, count, late[i].arg))
            continue;
        fprintf(stderr, "%s:%u: never happens: it is for second %g, but the run ends at %g\n",
                late[i].at.file, late[i].at.line, (double)late[i].at_ns / 1e9, end_s);
        shown[count++] = late[i].arg;
    }
}
