#include "src/lab/script/settings.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/names.h"
#include "src/lab/script/heap.h"

/* --- values ---------------------------------------------------------------------------------- */

/* How a rule with only one bound, or none, is to be read: see settings.h. */
static void bounds_of(const struct lab_setting_rule *rule, double *low, double *high)
{
    bool some = rule->low < 0 || rule->low > 0 || rule->high > rule->low;
    double most = rule->kind == LAB_KIND_SHARE ? 1 : INFINITY;
    *low = some || rule->kind != LAB_KIND_NUMBER ? rule->low : -INFINITY;
    *high = rule->high > rule->low ? rule->high : most;
}

static int number_check(const struct lab_setting_rule *rule, const char *value, double number,
                        char *why, size_t why_size)
{
    double low, high;
    bounds_of(rule, &low, &high);
    if (isnan(number) || (number >= low && number <= high))
        return 0;
    if (isinf(high))
        snprintf(why, why_size, "%s is %.60s, but must be at least %.10g", rule->key, value, low);
    else /* 16 digits, for a range may end where doubles stop being whole */
        snprintf(why, why_size, "%s is %.60s, but goes from %.16g to %.16g", rule->key, value, low,
                 high);
    return HSAY_EINVAL;
}

/* The number of a value that keeps to the rule. */
static int value_read(const struct lab_setting_rule *rule, const char *value, double *number,
                      char *why, size_t why_size)
{
    if (strnlen(value, LAB_SETTING_TEXT_MAX + 1) > LAB_SETTING_TEXT_MAX) {
        snprintf(why, why_size, "the value of %s is over %d bytes long", rule->key,
                 LAB_SETTING_TEXT_MAX);
        return HSAY_EINVAL;
    }
    if (rule->kind == LAB_KIND_WORD && !lab_names_in_words(rule->words, value, strlen(value))) {
        char what[LAB_NAME_BYTES + 16];
        snprintf(what, sizeof what, "value of %.63s", rule->key);
        lab_names_unknown_word(why, why_size, what, value, rule->words);
        return HSAY_EINVAL;
    }
    if (lab_quantity_read(rule->kind, value, number) != 0) {
        double large;
        if (rule->kind == LAB_KIND_COUNT &&
            lab_quantity_read(LAB_KIND_NUMBER, value, &large) == 0 && large > 0x1p53 &&
            number_check(rule, value, large, why, why_size) != 0)
            return HSAY_EINVAL;
        snprintf(why, why_size, "%s is '%.60s', expected %s", rule->key, value,
                 lab_quantity_expected(rule->kind));
        return HSAY_EINVAL;
    }
    return number_check(rule, value, *number, why, why_size);
}

/* A parameter may turn out to be used as any of these. */
static double number_of_text(const char *value)
{
    static const enum lab_kind kind[] = {LAB_KIND_NUMBER, LAB_KIND_SECONDS, LAB_KIND_COUNT,
                                         LAB_KIND_BYTES, LAB_KIND_SHARE};
    double number = NAN;
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++) {
        if (lab_quantity_read(kind[i], value, &number) == 0)
            break;
    }
    return number;
}

static void value_put(struct lab_settings *settings, struct lab_setting *entry, const char *value,
                      double number)
{
    char digits[32];
    if (entry->rule->kind == LAB_KIND_COUNT) {
        snprintf(digits, sizeof digits, "%.0f", number);
        value = digits;
    }
    entry->text = lab_arena_text(&settings->arena, value);
    entry->number = entry->declared ? number_of_text(value) : number;
    entry->at = (struct lab_script_place){0};
}

/* --- the table ------------------------------------------------------------------------------- */

void lab_settings_init(struct lab_settings *settings, const struct lab_setting_rule *rules,
                       size_t count)
{
    char why[256];
    *settings = (struct lab_settings){.count = count};
    settings->entry = lab_script_calloc(count + LAB_SETTINGS_DECLARED_MAX, sizeof *settings->entry);
    for (size_t i = 0; i < count; i++) {
        double number = NAN;
        int rc = value_read(&rules[i], rules[i].fallback, &number, why, sizeof why);
        assert(rc == 0);
        settings->entry[i].rule = &rules[i];
        value_put(settings, &settings->entry[i], rules[i].fallback, number);
    }
}

void lab_settings_free(struct lab_settings *settings)
{
    free(settings->entry);
    lab_arena_free(&settings->arena);
    *settings = (struct lab_settings){0};
}

static const struct lab_setting_rule *rule_copy(struct lab_arena *arena, const char *key,
                                                const char *fallback, const char *help)
{
    struct lab_setting_rule *rule = lab_arena_alloc(arena, sizeof *rule);
    rule->key = lab_arena_text(arena, key);
    rule->fallback = lab_arena_text(arena, fallback);
    rule->help = lab_arena_text(arena, help);
    rule->kind = LAB_KIND_TEXT;
    return rule;
}

void lab_settings_copy(struct lab_settings *to, const struct lab_settings *from)
{
    *to = (struct lab_settings){.count = from->count, .declared_count = from->declared_count};
    size_t room = from->count - from->declared_count + LAB_SETTINGS_DECLARED_MAX;
    to->entry = lab_script_calloc(room, sizeof *to->entry);
    for (size_t i = 0; i < from->count; i++) {
        const struct lab_setting *source = &from->entry[i];
        to->entry[i] = *source;
        to->entry[i].text = lab_arena_text(&to->arena, source->text);
        if (source->declared)
            to->entry[i].rule = rule_copy(&to->arena, source->rule->key, source->rule->fallback,
                                          source->rule->help);
    }
}

static struct lab_setting *entry_find(const struct lab_settings *settings, const char *key)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->entry[i].rule->key, key) == 0)
            return &settings->entry[i];
    }
    return NULL;
}

const struct lab_setting *lab_settings_find(const struct lab_settings *settings, const char *key)
{
    return entry_find(settings, key);
}

static const char *key_at(const void *list, size_t i)
{
    return ((const struct lab_setting *)list)[i].rule->key;
}

void lab_settings_unknown(const struct lab_settings *settings, const char *key, char *why,
                          size_t why_size)
{
    struct lab_names known = {settings->entry, settings->count, key_at};
    lab_names_unknown(why, why_size, "setting", key, &known);
}

/* --- changes --------------------------------------------------------------------------------- */

int lab_settings_declare(struct lab_settings *settings, const char *key, const char *fallback,
                         const char *help, char *why, size_t why_size)
{
    const struct lab_setting *same = entry_find(settings, key);
    if (!lab_name_ok(key)) {
        snprintf(why, why_size, "'%.63s' is no name for a setting", key);
        return HSAY_EINVAL;
    }
    if (same != NULL) {
        snprintf(why, why_size, "%s is a setting already%s", key,
                 same->declared ? "" : "; write: set KEY VALUE");
        return HSAY_EINVAL;
    }
    if (settings->declared_count == LAB_SETTINGS_DECLARED_MAX) {
        snprintf(why, why_size, "more than %d settings are declared", LAB_SETTINGS_DECLARED_MAX);
        return HSAY_EINVAL;
    }
    struct lab_setting *entry = &settings->entry[settings->count];
    *entry = (struct lab_setting){.declared = true};
    entry->rule = rule_copy(&settings->arena, key, fallback, help);
    double number = NAN;
    if (value_read(entry->rule, fallback, &number, why, why_size) != 0)
        return HSAY_EINVAL;
    value_put(settings, entry, fallback, number);
    settings->count++;
    settings->declared_count++;
    return 0;
}

int lab_settings_set_as(struct lab_settings *settings, const char *key, const char *value,
                        enum lab_setting_origin origin, char *why, size_t why_size)
{
    struct lab_setting *entry = entry_find(settings, key);
    double number = NAN;
    if (entry == NULL) {
        lab_settings_unknown(settings, key, why, why_size);
        return HSAY_EINVAL;
    }
    if (value_read(entry->rule, value, &number, why, why_size) != 0)
        return HSAY_EINVAL;
    value_put(settings, entry, value, number);
    entry->origin = origin;
    return 0;
}

int lab_settings_set(struct lab_settings *settings, const char *key, const char *value, char *why,
                     size_t why_size)
{
    return lab_settings_set_as(settings, key, value, LAB_SETTING_GIVEN, why, why_size);
}

void lab_settings_place(struct lab_settings *settings, const char *key,
                        const struct lab_script_place *at)
{
    struct lab_setting *entry = entry_find(settings, key);
    assert(entry != NULL);
    entry->at = *at;
}

int lab_settings_set_pair(struct lab_settings *settings, const char *pair, char *why,
                          size_t why_size)
{
    char key[LAB_NAME_BYTES];
    size_t length = strcspn(pair, "=");
    if (pair[length] == '\0' || length == 0) {
        snprintf(why, why_size, "'%.63s': expected KEY=VALUE", pair);
        return HSAY_EINVAL;
    }
    snprintf(key, sizeof key, "%.*s", (int)(length < sizeof key ? length : sizeof key), pair);
    return lab_settings_set(settings, key, pair + length + 1, why, why_size);
}

/* --- by key ---------------------------------------------------------------------------------- */

static const struct lab_setting *known(const struct lab_settings *settings, const char *key)
{
    const struct lab_setting *entry = entry_find(settings, key);
    assert(entry != NULL);
    return entry;
}

double lab_settings_number(const struct lab_settings *settings, const char *key)
{
    return known(settings, key)->number;
}

const char *lab_settings_text(const struct lab_settings *settings, const char *key)
{
    return known(settings, key)->text;
}

const char *lab_settings_word(const struct lab_settings *settings, const char *key)
{
    return known(settings, key)->text;
}

unsigned lab_settings_choice(const struct lab_settings *settings, const char *key)
{
    const struct lab_setting *entry = known(settings, key);
    assert(entry->rule->kind == LAB_KIND_WORD);
    const char *word = entry->rule->words;
    size_t length = strlen(entry->text);
    for (unsigned i = 0;; i++) {
        word += strspn(word, " ");
        size_t word_length = strcspn(word, " ");
        if (word_length == length && memcmp(word, entry->text, length) == 0)
            return i;
        assert(word_length > 0);
        word += word_length;
    }
}

bool lab_settings_flag(const struct lab_settings *settings, const char *key)
{
    const struct lab_setting *entry = known(settings, key);
    double number = entry->number;
    if (entry->declared && lab_quantity_read(LAB_KIND_FLAG, entry->text, &number) != 0)
        return false;
    return number != 0;
}
