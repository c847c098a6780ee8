#include "src/lab/actions_fill.h"

#include <math.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/sim/fill.h"

/* A place in a list of words with blanks between; -1: it is not there. */
static int place_in(const char *const *word, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(word[i], text) == 0)
            return i;
    return -1;
}

const char *lab_action_fill(struct lab_run *run, const struct lab_action *action,
                            const uint32_t *host, uint32_t host_count, struct lab_chance *chance)
{
    static const char *const which[] = {[LAB_FILL_NEWEST] = "newest",
                                        [LAB_FILL_OLDEST] = "oldest",
                                        [LAB_FILL_SPREAD] = "spread",
                                        [LAB_FILL_EACH] = "each"};
    static const char *const sign[] = {"really", "cheaply"};
    double payload = lab_settings_number(run->settings, "payload");
    int lack = place_in(which, 4, lab_action_text(action, "which", "newest"));
    int cheaply = place_in(sign, 2, lab_action_text(action, "sign", "really"));
    struct lab_fill fill = {
        .count = (uint64_t)lab_action_word_number(action, 0, 0),
        .lack = (uint64_t)lab_action_number(action, "lack", 0),
        .which = (enum lab_fill_lack)lack,
        .authors = (uint32_t)lab_action_number(action, "authors", 100),
        .payload_bytes = (size_t)lab_action_number(action, "bytes", payload),
        .memo = cheaply == 1,
        .host = host,
        .host_count = host_count,
        .chance = chance,
    };
    switch (lab_sim_fill(run->sim, &fill)) {
    case 0:
        return NULL;
    case HSAY_EINVAL:
        return "fill wants hosts that are off, an author, no more to lack than there are, and "
               "payloads that fit a bundle";
    default:
        return "a store took no more";
    }
}
