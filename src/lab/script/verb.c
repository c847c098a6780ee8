#include "src/lab/script/verb.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/names.h"

static const char *verb_name(const void *list, size_t i)
{
    return ((const struct lab_verb *)list)[i].name;
}

const struct lab_verb *lab_verb_find(const struct lab_verbs *verbs, const char *what,
                                     const char *name, char *why, size_t why_size)
{
    for (size_t i = 0; i < verbs->count; i++) {
        if (strcmp(verbs->verb[i].name, name) == 0)
            return &verbs->verb[i];
    }
    struct lab_names known = {verbs->verb, verbs->count, verb_name};
    lab_names_unknown(why, why_size, what, name, &known);
    return NULL;
}

/* --- names with a kind ----------------------------------------------------------------------- */

/* One of "bytes:bytes cut:both|in|out". */
struct item {
    const char *name;
    size_t length; /* of the name alone */
    struct lab_arg_rule rule;
};

/* What stands behind the colon. */
static void rule_read(struct lab_arg_rule *rule, const char *text, size_t length)
{
    if (memchr(text, '|', length) == NULL && lab_quantity_kind(text, length, &rule->kind) == 0)
        return;
    assert(length < sizeof rule->words);
    rule->kind = LAB_KIND_WORD;
    memcpy(rule->words, text, length);
    for (size_t i = 0; i < length; i++)
        if (rule->words[i] == '|')
            rule->words[i] = ' ';
}

/* The next one at *words, and *words behind it; false at the end. */
static bool item_next(const char **words, struct item *item)
{
    const char *at = *words != NULL ? *words + strspn(*words, " ") : "";
    size_t length = strcspn(at, " ");
    *item = (struct item){.name = at, .length = strcspn(at, ": "), .rule.kind = LAB_KIND_TEXT};
    *words = at + length;
    if (item->length < length)
        rule_read(&item->rule, at + item->length + 1, length - item->length - 1);
    return length > 0;
}

int lab_verb_arg_rule(const struct lab_verb *verb, size_t i, struct lab_arg_rule *rule)
{
    const char *words = verb->args;
    struct item item;
    *rule = (struct lab_arg_rule){.kind = LAB_KIND_TEXT};
    if (i >= verb->max_args)
        return HSAY_ENOENT;
    for (size_t n = 0; n <= i && item_next(&words, &item); n++)
        *rule = item.rule;
    return 0;
}

int lab_verb_key_rule(const struct lab_verb *verb, const char *key, size_t length,
                      struct lab_arg_rule *rule)
{
    const char *words = verb->keys;
    struct item item;
    while (item_next(&words, &item)) {
        *rule = item.rule;
        if (item.length == length && memcmp(item.name, key, length) == 0)
            return 0;
        if (item.length == 1 && *item.name == '*')
            return 0;
    }
    return HSAY_ENOENT;
}

/* --- words about a verb ---------------------------------------------------------------------- */

/* snprintf behind what is there. */
__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format,
                                                      ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void args_add(const struct lab_verb *verb, char *text, size_t size)
{
    const char *words = verb->args;
    unsigned shown = 0;
    struct item item;
    for (; shown < verb->max_args && item_next(&words, &item); shown++) {
        char name[LAB_NAME_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)item.length, item.name);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        add(text, size, shown < verb->min_args ? " %s" : " [%s]", name);
    }
    for (; shown < verb->min_args; shown++)
        add(text, size, " WORD");
    if (verb->max_args > shown)
        add(text, size, " [...]");
}

void lab_verb_usage(const struct lab_verb *verb, char *text, size_t size)
{
    const char *words = verb->keys;
    struct item item;
    snprintf(text, size, "%s", verb->name);
    args_add(verb, text, size);
    while (item_next(&words, &item)) {
        if (*item.name == '*')
            add(text, size, " [KEY=VALUE...]");
        else
            add(text, size, " [%.*s=]", (int)item.length, item.name);
    }
    if (verb->needs_set != LAB_SET_REFUSED)
        add(text, size, verb->needs_set == LAB_SET_NEEDED ? " {SET}" : " [{SET}]");
}

void lab_verb_key_unknown(const struct lab_verb *verb, const char *key, size_t length, char *why,
                          size_t why_size)
{
    char what[LAB_NAME_BYTES + 8], name[LAB_NAME_BYTES], known[512] = "";
    const char *words = verb->keys;
    struct item item;
    snprintf(what, sizeof what, "key of %.50s", verb->name);
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), key);
    while (item_next(&words, &item))
        add(known, sizeof known, " %.*s", (int)item.length, item.name);
    if (known[0] == '\0')
        snprintf(why, why_size, "%s takes no KEY=VALUE, but is given %s=", verb->name, name);
    else
        lab_names_unknown_word(why, why_size, what, name, known);
}
