/*
 * The settings of a run: a table of rules that the program gives, a value for each, and the
 * parameters that a scenario declares for itself.
 *
 *     lab_settings_init(&settings, rules, count);              what the program falls back to
 *     lab_scenario_declare(&scenario, &settings, &faults);     what the experiment wants
 *     lab_settings_set(&settings, "loss", "10%", why, size);   what the command line wants
 *
 * Looking one up is a walk through the table: take what a simulation needs before it starts.
 */
#ifndef HEARSAY_LAB_SETTINGS_H
#define HEARSAY_LAB_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "src/lab/script/arena.h"
#include "src/lab/script/faults.h"
#include "src/lab/script/quantity.h"

enum {
    LAB_SETTINGS_DECLARED_MAX = 256,
    LAB_SETTING_TEXT_MAX = 1024, /* bytes of a value */
};

/* Rules and their texts must outlive all settings made from them. */
struct lab_setting_rule {
    const char *key;
    const char *fallback; /* must keep to the rule */
    enum lab_kind kind;
    double low, high;  /* high at or below low: no upper bound, but 1 for a share; both 0: none */
    const char *words; /* LAB_KIND_WORD: the words, with blanks between them */
    const char *help;
};

/* Who said it; a later one goes over an earlier one. */
enum lab_setting_origin {
    LAB_SETTING_FALLBACK,
    LAB_SETTING_SCENARIO, /* a `set` line */
    LAB_SETTING_GIVEN,    /* the command line, a variant, a point of a sweep */
};

struct lab_setting {
    const struct lab_setting_rule *rule;
    const char *text; /* as written; counts in plain digits */
    double number;    /* NAN for texts and words */
    enum lab_setting_origin origin;
    bool declared;              /* by the scenario: a text, whatever it is used for */
    struct lab_script_place at; /* of the line that said it last; line 0: no line did */
};

/* entry[0 .. count - 1] may be read, in the order of the rules, then of the declarations. */
struct lab_settings {
    struct lab_setting *entry;
    size_t count;
    size_t declared_count;
    struct lab_arena arena;
};

void lab_settings_init(struct lab_settings *settings, const struct lab_setting_rule *rules,
                       size_t count);
void lab_settings_free(struct lab_settings *settings);

/* `to` must not hold settings. */
void lab_settings_copy(struct lab_settings *to, const struct lab_settings *from);

/* A parameter of the scenario's own.  0, or HSAY_EINVAL and a sentence in why. */
int lab_settings_declare(struct lab_settings *settings, const char *key, const char *fallback,
                         const char *help, char *why, size_t why_size);

/* 0; or HSAY_EINVAL, a sentence in why, and nothing changed.  The second is for `set` lines. */
int lab_settings_set(struct lab_settings *settings, const char *key, const char *value, char *why,
                     size_t why_size);
int lab_settings_set_as(struct lab_settings *settings, const char *key, const char *value,
                        enum lab_setting_origin origin, char *why, size_t why_size);

/* Where a setting was said that has just been set.  The file's name must outlive the settings. */
void lab_settings_place(struct lab_settings *settings, const char *key,
                        const struct lab_script_place *at);

/* "KEY=VALUE", as on a command line. */
int lab_settings_set_pair(struct lab_settings *settings, const char *pair, char *why,
                          size_t why_size);

/* NULL if nobody knows the key. */
const struct lab_setting *lab_settings_find(const struct lab_settings *settings, const char *key);

/* "unknown setting 'los' (did you mean 'loss'?); known are: ..." */
void lab_settings_unknown(const struct lab_settings *settings, const char *key, char *why,
                          size_t why_size);

/* By key, which must be known.  The number of a declared parameter is NAN unless it is one; a flag
 * is a number other than 0; the choice is the place of a word among the rule's words, from 0. */
double lab_settings_number(const struct lab_settings *settings, const char *key);
const char *lab_settings_text(const struct lab_settings *settings, const char *key);
const char *lab_settings_word(const struct lab_settings *settings, const char *key);
unsigned lab_settings_choice(const struct lab_settings *settings, const char *key);
bool lab_settings_flag(const struct lab_settings *settings, const char *key);

#endif
