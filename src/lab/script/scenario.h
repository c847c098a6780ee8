/*
 * Scenarios: what an experiment is, in the shape that users of Gumby know.  One line, one thing:
 *
 *     # comment
 *     ## what the experiment shows; an empty one begins a new paragraph
 *     set KEY VALUE              a default of this experiment; the command line goes over it
 *     param KEY VALUE help ...   a setting of its own, for the lines that say $KEY
 *     include FILE               beside this file, or else among those that are shipped
 *     peers NAME {SET}           see peer_set.h
 *     variant NAME KEY=VALUE...  a further run with other settings; `main` is the plain one
 *     result FIELD = A [OP B]    a field of the result; A and B: VARIANT.FIELD or a number
 *     sweep KEY V1 V2 ...        the grid of the report
 *     figure "Title" table=NAME x=COLUMN:"Label" y=COLUMN[,COLUMN]:"Label" [by=COLUMN]
 *            [style=lines|steps|points|bars|cdf|heatmap] [logx] [logy] [bar=VALUE:"text"]
 *            [xmax=NUMBER] [note="..."]           (on one line)
 *     measure NAME [KEY=VALUE...]
 *     @TIME ACTION word... KEY=VALUE... {SET}
 *
 * How a line falls into words is in words.h, what $KEY stands for in expand.h, TIME in timeline.h.
 *
 * Reading has three steps, so that the command line can change everything that follows from a
 * setting: lab_scenario_read (what is there), lab_scenario_declare and lab_scenario_choose (the
 * settings of one run), lab_timeline_make (what happens in it, with all $KEY filled in).  Each
 * takes linear time, and goes on behind mistakes to collect them.
 */
#ifndef HEARSAY_LAB_SCENARIO_H
#define HEARSAY_LAB_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "src/lab/script/arena.h"
#include "src/lab/script/faults.h"
#include "src/lab/script/settings.h"
#include "src/lab/script/verb.h"

/* Bounds against mistakes, and so that looking up by name stays cheap. */
enum {
    LAB_SCENARIO_FILE_BYTES = 10 << 20,
    LAB_SCENARIO_FILES_MAX = 64, /* read in all, however often included */
    LAB_SCENARIO_DEPTH_MAX = 8,
    LAB_SCENARIO_ITEMS_MAX = 256, /* of each kind of line, but for actions */
    LAB_SCENARIO_WORDS_MAX = 256, /* settings of a variant, values of a sweep, columns */
};

struct lab_scenario_pair {
    const char *key, *value;
};

/* Also for `set`. */
struct lab_scenario_param {
    const char *key, *value, *help;
    struct lab_script_place at;
};

struct lab_scenario_peers {
    const char *name, *text;
    struct lab_script_place at;
};

struct lab_scenario_variant {
    const char *name;
    const char *help; /* what it is, in words; "" without */
    const struct lab_scenario_pair *pair;
    size_t pair_count;
    struct lab_script_place at;
};

struct lab_scenario_sweep {
    const char *key;
    const char *const *value;
    size_t value_count;
    struct lab_script_place at;
};

/* A field of a variant's result, or, without a variant, a number. */
struct lab_operand {
    const char *text; /* "main.steps", "100" */
    const char *variant, *field;
    double number;
};

struct lab_scenario_result {
    const char *field;
    struct lab_operand left;
    char operation; /* + - * / or 0: the left operand alone */
    struct lab_operand right;
    struct lab_script_place at;
};

/* A `figure` line.  Labels, names, variants and notes are "" where none are given. */
struct lab_scenario_figure {
    const char *title, *table;
    const char *x, *x_label;
    const char *y, *y_label;       /* y: "share" or "least,most" */
    const char *x_names, *y_names; /* "1=no NAT,2=full cone" */
    const char *by;                /* "variant" unless given */
    const char *variants;          /* "main,pull" */
    const char *style;             /* one of those above; "lines" unless given */
    bool log_x, log_y;
    bool has_bar, has_x_max;
    double bar, x_max;
    const char *bar_text, *note;
    struct lab_script_place at;
};

/* A `measure` or an action, as it stands in its file. */
struct lab_scenario_line {
    const char *text;
    size_t size;
    struct lab_script_place at;
    const struct lab_verb *verb; /* of the language */
};

/* The file itself and what it includes, in the order of reading; shipped ones go by their name. */
struct lab_scenario_file {
    const char *name;
    const char *text;
    size_t size;
};

/* Everything belongs to the scenario until lab_scenario_free.  Each list is in the order of lines.
 * variant[0] is main, without settings of its own; a line about it gives it words. */
struct lab_scenario {
    const char *name;        /* of the file, without folder and .scenario */
    const char *description; /* paragraphs with an empty line between them; "" without */
    struct lab_scenario_file *file;
    size_t file_count;
    struct lab_scenario_param *param;
    size_t param_count;
    struct lab_scenario_param *set; /* help is NULL */
    size_t set_count;
    struct lab_scenario_peers *peers;
    size_t peers_count;
    struct lab_scenario_variant *variant;
    size_t variant_count;
    struct lab_scenario_result *result;
    size_t result_count;
    struct lab_scenario_sweep *sweep;
    size_t sweep_count;
    struct lab_scenario_figure *figure;
    size_t figure_count;
    struct lab_scenario_line *measure;
    size_t measure_count;
    struct lab_scenario_line *action;
    size_t action_count;
    const struct lab_language *language;
    struct lab_arena arena;
};

/* `path` is a file, or the name of a shipped experiment if there is no such file.  Returns 0;
 * HSAY_ENOENT, HSAY_EIO: there is nothing to read; HSAY_EINVAL: there are mistakes in it.  Whatever
 * is wrong is added to faults, and the scenario must be freed in any case.  The language must
 * outlive it. */
int lab_scenario_read(struct lab_scenario *scenario, const struct lab_language *language,
                      const char *path, struct lab_faults *faults);

/* The same for a text.  What it includes is looked for beside `path`, or, if that is NULL, only
 * among the shipped ones. */
int lab_scenario_read_text(struct lab_scenario *scenario, const struct lab_language *language,
                           const char *name, const char *path, const char *text, size_t size,
                           struct lab_faults *faults);

void lab_scenario_free(struct lab_scenario *scenario);

/* The scenario as one text that includes nothing: what is included stands where it is read.  Made
 * anew by each call; it belongs to the scenario. */
const char *lab_scenario_text(struct lab_scenario *scenario);

/* Declares the parameters, takes the defaults of the experiment, and tries variants and sweeps, so
 * that they can not fail later for a reason that is known now.  0 or HSAY_EINVAL and faults. */
int lab_scenario_declare(const struct lab_scenario *scenario, struct lab_settings *settings,
                         struct lab_faults *faults);

/* The settings of one variant on top of all others, and once more those `set` lines that are made
 * of other settings, unless somebody has said otherwise in the meantime.  0 or HSAY_EINVAL. */
int lab_scenario_choose(const struct lab_scenario *scenario, size_t variant,
                        struct lab_settings *settings, struct lab_faults *faults);

/* The place of a variant; variant_count if there is none with this name. */
size_t lab_scenario_variant_find(const struct lab_scenario *scenario, const char *name);

#endif
