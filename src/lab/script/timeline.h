/*
 * What happens in one run of a scenario: its lines with the settings filled in, in order of time.
 *
 * TIME is a sum such as 90, 1:30, 1.5min, $warmup+30 or end-10:
 *
 *     @60           from the beginning of the run
 *     @+5           behind the line before (behind its last time, if it is repeated)
 *     @end          the end of the run; @end-10 before it
 *     @60..600/30   at 60, 90, ... and 600
 */
#ifndef HEARSAY_LAB_TIMELINE_H
#define HEARSAY_LAB_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/lab/script/peer_set.h"
#include "src/lab/script/scenario.h"

enum {
    LAB_ACTIONS_MAX = 1 << 20,
    LAB_TIMELINE_BYTES = 1 << 28, /* of texts and peer sets */
};

/* A line with a verb in it.  Words come before keys in arg. */
struct lab_action {
    uint64_t at_ns; /* 0 in a measure */
    const struct lab_verb *verb;
    unsigned verb_index; /* in its table */
    unsigned word_count, arg_count;
    const struct lab_arg *arg;
    struct lab_peer_set set; /* all peers where the line names none */
    bool has_set;
    uint32_t number; /* in the order of lines: of a stream of chance that no other action shares */
    struct lab_script_place at;
};

struct lab_timeline_config {
    uint32_t nodes;       /* at least 1 */
    uint64_t end_ns;      /* what `end` means */
    struct lab_draw draw; /* for named sets with `any` or a share */
};

/* Belongs to itself, but for the names of files, which are the scenario's. */
struct lab_timeline {
    struct lab_action *action; /* by time, then by line */
    size_t count;
    size_t late_count; /* at the end of the list: behind end_ns, never to happen */
    struct lab_action *measure;
    size_t measure_count;
    struct lab_peer_name *peers; /* the named sets, drawn */
    size_t peers_count;
    struct lab_arena arena;
};

/* 0, or HSAY_EINVAL and faults.  The timeline must be freed in any case. */
int lab_timeline_make(struct lab_timeline *timeline, const struct lab_scenario *scenario,
                      const struct lab_settings *settings, const struct lab_timeline_config *config,
                      struct lab_faults *faults);

void lab_timeline_free(struct lab_timeline *timeline);

/* The text of a word or of a key, and its number; the fallback if the line does not have it. */
const char *lab_action_word(const struct lab_action *action, unsigned i, const char *fallback);
double lab_action_word_number(const struct lab_action *action, unsigned i, double fallback);
const char *lab_action_text(const struct lab_action *action, const char *key, const char *fallback);
double lab_action_number(const struct lab_action *action, const char *key, double fallback);

#endif
