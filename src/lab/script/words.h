/*
 * One line of a scenario as words: divided at blanks, "in quotes" where a word has blanks, with
 * \" and \\ inside quotes; quotes may also begin inside a word, as in x=step:"Walk step".  A word
 * in braces is a peer set.  A # at the beginning of a word begins a comment.  ${...} holds
 * together.
 */
#ifndef HEARSAY_LAB_WORDS_H
#define HEARSAY_LAB_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum lab_word_kind {
    LAB_WORD_PLAIN,
    LAB_WORD_QUOTED, /* from its first letter on */
    LAB_WORD_SET,    /* what stood between braces */
};

struct lab_word {
    const char *text;
    enum lab_word_kind kind;
};

/* The words of one line at a time, in memory that is used again for the next.  Empty when zeroed.
 * The words are good until the next lab_words_split. */
struct lab_words {
    struct lab_word *word;
    size_t count;
    size_t room;
    char *bytes;
    size_t bytes_room;
};

/* 0; or HSAY_EINVAL and a sentence in why.  `line` need not end with a 0 and must not hold one. */
int lab_words_split(struct lab_words *words, const char *line, size_t size, char *why,
                    size_t why_size);

void lab_words_free(struct lab_words *words);

/* The value if this is KEY=VALUE, with the length of the key; otherwise NULL. */
const char *lab_word_pair(const struct lab_word *word, size_t *key_length);

#endif
