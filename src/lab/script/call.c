/* A verb of a scenario with what it is given.  See reader.h. */
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/expand.h"
#include "src/lab/script/names.h"
#include "src/lab/script/reader.h"

enum { KEYS_MAX = 64 };

/* What the words behind a verb are. */
struct shape {
    unsigned word_count, key_count, set_count;
    const struct lab_word *key[KEYS_MAX];
};

static bool key_twice(const struct shape *shape, const struct lab_word *word, size_t length)
{
    for (unsigned i = 0; i < shape->key_count; i++) {
        if (strncmp(shape->key[i]->text, word->text, length + 1) == 0)
            return true;
    }
    return false;
}

static int key_check(const struct lab_verb *verb, struct shape *shape, const struct lab_word *word,
                     size_t length, char *why, size_t why_size)
{
    struct lab_arg_rule rule;
    if (lab_verb_key_rule(verb, word->text, length, &rule) != 0) {
        lab_verb_key_unknown(verb, word->text, length, why, why_size);
        return HSAY_EINVAL;
    }
    if (key_twice(shape, word, length)) {
        snprintf(why, why_size, "%.*s= is given twice", (int)length, word->text);
        return HSAY_EINVAL;
    }
    if (shape->key_count == KEYS_MAX) {
        snprintf(why, why_size, "more than %d times KEY=VALUE", KEYS_MAX);
        return HSAY_EINVAL;
    }
    shape->key[shape->key_count++] = word;
    return 0;
}

static int shape_check(const struct lab_verb *verb, const struct shape *shape, char *why,
                       size_t why_size)
{
    const char *problem = NULL;
    char usage[256];
    if (shape->word_count < verb->min_args)
        problem = "too few words";
    else if (shape->word_count > verb->max_args)
        problem = "too many words";
    else if (shape->set_count > 1)
        problem = "more than one peer set";
    else if (shape->set_count == 0 && verb->needs_set == LAB_SET_NEEDED)
        problem = "no peer set";
    else if (shape->set_count == 1 && verb->needs_set == LAB_SET_REFUSED)
        problem = "a peer set, but this is not about peers";
    if (problem == NULL)
        return 0;
    lab_verb_usage(verb, usage, sizeof usage);
    snprintf(why, why_size, "%s; expected: %s", problem, usage);
    return HSAY_EINVAL;
}

const struct lab_verb *lab_call_check(const struct lab_verbs *verbs, const char *what,
                                      const struct lab_words *words, size_t first, char *why,
                                      size_t why_size)
{
    struct shape shape = {0};
    const struct lab_verb *verb =
        lab_verb_find(verbs, what, words->word[first].text, why, why_size);
    if (verb == NULL)
        return NULL;
    for (size_t i = first + 1; i < words->count; i++) {
        const struct lab_word *word = &words->word[i];
        size_t length;
        if (word->kind == LAB_WORD_SET)
            shape.set_count++;
        else if (lab_word_pair(word, &length) == NULL)
            shape.word_count++;
        else if (key_check(verb, &shape, word, length, why, why_size) != 0)
            return NULL;
    }
    return shape_check(verb, &shape, why, why_size) == 0 ? verb : NULL;
}

/* --- with all $KEY filled in ----------------------------------------------------------------- */

struct making {
    struct lab_script_call *call;
    const struct lab_settings *settings;
    struct lab_arena *arena;
    char *why;
    size_t why_size;
};

/* A text in the arena, expanded; NULL if it can not be. */
static const char *text_make(const struct making *making, const char *text)
{
    const char *made =
        lab_expand(making->settings, making->arena, text, making->why, making->why_size);
    return made == text ? lab_arena_text(making->arena, text) : made;
}

static int word_unknown(const struct making *making, const struct lab_arg *arg,
                        const struct lab_arg_rule *rule)
{
    char what[LAB_NAME_BYTES + 8] = "word";
    if (arg->key != NULL)
        snprintf(what, sizeof what, "value of %.60s", arg->key);
    lab_names_unknown_word(making->why, making->why_size, what, arg->text, rule->words);
    return HSAY_EINVAL;
}

static int arg_make(const struct making *making, struct lab_arg *arg, const char *text,
                    const struct lab_arg_rule *rule)
{
    arg->text = text_make(making, text);
    if (arg->text == NULL)
        return HSAY_EINVAL;
    if (rule->words[0] != '\0' && !lab_names_in_words(rule->words, arg->text, strlen(arg->text)))
        return word_unknown(making, arg, rule);
    if (lab_quantity_read(rule->kind, arg->text, &arg->number) == 0)
        return 0;
    snprintf(making->why, making->why_size, "%s%s'%.60s': expected %s",
             arg->key != NULL ? arg->key : "", arg->key != NULL ? "=" : "", arg->text,
             lab_quantity_expected(rule->kind));
    return HSAY_EINVAL;
}

static int key_make(const struct making *making, const struct lab_word *word, size_t length)
{
    struct lab_script_call *call = making->call;
    struct lab_arg *arg = &call->arg[call->arg_count++];
    struct lab_arg_rule rule;
    (void)lab_verb_key_rule(call->verb, word->text, length, &rule);
    arg->key = lab_arena_text_part(making->arena, word->text, length);
    return arg_make(making, arg, word->text + length + 1, &rule);
}

static int words_make(const struct making *making, const struct lab_word *word, size_t count)
{
    struct lab_script_call *call = making->call;
    size_t length;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct lab_arg_rule rule;
        if (word[i].kind == LAB_WORD_SET || lab_word_pair(&word[i], &length) != NULL)
            continue;
        (void)lab_verb_arg_rule(call->verb, call->word_count, &rule);
        rc = arg_make(making, &call->arg[call->word_count++], word[i].text, &rule);
    }
    call->arg_count = call->word_count;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (word[i].kind != LAB_WORD_SET && lab_word_pair(&word[i], &length) != NULL)
            rc = key_make(making, &word[i], length);
    }
    return rc;
}

int lab_call_make(struct lab_script_call *call, const struct lab_verb *verb,
                  const struct lab_words *words, size_t first, const struct lab_settings *settings,
                  struct lab_arena *arena, char *why, size_t why_size)
{
    struct making making = {call, settings, arena, why, why_size};
    size_t count = words->count - first - 1;
    *call = (struct lab_script_call){.verb = verb};
    call->arg = lab_arena_alloc(arena, (count + 1) * sizeof *call->arg);
    for (size_t i = first + 1; i < words->count; i++) {
        if (words->word[i].kind != LAB_WORD_SET)
            continue;
        call->set = text_make(&making, words->word[i].text);
        if (call->set == NULL)
            return HSAY_EINVAL;
    }
    return words_make(&making, words->word + first + 1, count);
}
