/*
 * $KEY and ${...} in the words of a scenario.
 *
 *     $warmup           the value of a setting, as it is written; the key ends at the first
 *                       character that is no letter, digit or '_'
 *     ${fixed-step}     the same, for any key
 *     ${nodes/2+1}      numbers and settings that are numbers, with + - * / as at school
 *     $$                a dollar
 */
#ifndef HEARSAY_LAB_EXPAND_H
#define HEARSAY_LAB_EXPAND_H

#include <stddef.h>

#include "src/lab/script/settings.h"

/* A word may not become longer: what is meant then is another way to say it. */
enum { LAB_EXPAND_MAX = 1 << 16 };

/* The text itself if there is no dollar in it, otherwise a new one in the arena; NULL, and a
 * sentence in why, if it can not be expanded. */
const char *lab_expand(const struct lab_settings *settings, struct lab_arena *arena,
                       const char *text, char *why, size_t why_size);

/* Whether the text refers to the setting with this key. */
bool lab_expand_names(const struct lab_settings *settings, const char *text, const char *key);

#endif
