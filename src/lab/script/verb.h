/*
 * What a scenario may do and measure: tables that the program gives to those who read scenarios.
 * A verb is known afterwards by its place in its table, on which the program may switch.
 */
#ifndef HEARSAY_LAB_VERB_H
#define HEARSAY_LAB_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "src/lab/script/quantity.h"

/* Without a {SET} a line is about every peer, as in Gumby, or it must have one, or must not. */
enum lab_set_need { LAB_SET_ALL = 0, LAB_SET_NEEDED = 1, LAB_SET_REFUSED = 2 };

enum { LAB_ARGS_ANY = 1 << 16 }; /* as max_args: no bound */

/* Names in args and keys have blanks between them, and may have a kind behind them, of
 * lab_quantity_kind, or the words that they may be: "bytes:bytes cut:both|in|out".  Without one any
 * text will do.  The last of args stands for all words from there on.  A key * allows every key. */
struct lab_verb {
    const char *name;
    unsigned min_args, max_args; /* words; KEY=VALUE does not count */
    const char *args;            /* NULL: texts without a name */
    const char *keys;            /* NULL: none */
    enum lab_set_need needs_set;
    const char *help;
};

struct lab_verbs {
    const struct lab_verb *verb;
    size_t count;
};

struct lab_language {
    struct lab_verbs actions, measures;
};

/* A word or a KEY=VALUE of a line.  number is NAN if the verb gives no kind of number to it. */
struct lab_arg {
    const char *key; /* NULL for a word */
    const char *text;
    double number;
};

/* The verb with this name; NULL, and a sentence in why, if there is none. */
const struct lab_verb *lab_verb_find(const struct lab_verbs *verbs, const char *what,
                                     const char *name, char *why, size_t why_size);

/* "publish BYTES [COUNT] [topic=] {SET}" */
void lab_verb_usage(const struct lab_verb *verb, char *text, size_t size);

/* What a word or the value of a key may be. */
struct lab_arg_rule {
    enum lab_kind kind;
    char words[128]; /* that a LAB_KIND_WORD may be, with blanks between them; "": any */
};

/* Of the i-th word, or of a key; HSAY_ENOENT if the verb does not know it. */
int lab_verb_arg_rule(const struct lab_verb *verb, size_t i, struct lab_arg_rule *rule);
int lab_verb_key_rule(const struct lab_verb *verb, const char *key, size_t length,
                      struct lab_arg_rule *rule);

/* The sentence about a key that the verb does not know. */
void lab_verb_key_unknown(const struct lab_verb *verb, const char *key, size_t length, char *why,
                          size_t why_size);

#endif
