#include "src/lab/script/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/heap.h"

/* Where we are in the line, and where the next byte of a word goes: a line never grows. */
struct split {
    const char *at, *end;
    char *to;
    char *why;
    size_t why_size;
};

static int bad(struct split *split, const char *why)
{
    snprintf(split->why, split->why_size, "%s", why);
    return HSAY_EINVAL;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void word_add(struct lab_words *words, const char *text, enum lab_word_kind kind)
{
    if (words->count == words->room) {
        words->room = words->room != 0 ? 2 * words->room : 16;
        words->word = lab_script_realloc(words->word, words->room * sizeof *words->word);
    }
    words->word[words->count++] = (struct lab_word){text, kind};
}

static int quoted_take(struct split *split)
{
    for (split->at++; split->at < split->end; split->at++) {
        char c = *split->at;
        if (c == '"') {
            split->at++;
            return 0;
        }
        if (c == '\\' && split->at + 1 < split->end &&
            (split->at[1] == '"' || split->at[1] == '\\'))
            c = *++split->at;
        *split->to++ = c;
    }
    return bad(split, "the quotes are not closed");
}

/* From an opening brace to the one that closes it, both included. */
static int braces_take(struct split *split)
{
    unsigned depth = 0;
    for (; split->at < split->end; split->at++) {
        depth += *split->at == '{';
        depth -= *split->at == '}';
        *split->to++ = *split->at;
        if (depth == 0) {
            split->at++;
            return 0;
        }
    }
    return bad(split, "the braces are not closed");
}

static int plain_take(struct split *split)
{
    while (split->at < split->end && !blank(*split->at)) {
        int rc = 0;
        if (*split->at == '"') {
            rc = quoted_take(split);
        } else if (*split->at == '{') {
            rc = braces_take(split);
        } else {
            *split->to++ = *split->at++;
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int set_take(struct split *split)
{
    char *first = split->to;
    int rc = braces_take(split);
    if (rc != 0)
        return rc;
    if (split->at < split->end && !blank(*split->at))
        return bad(split, "there must be a blank behind a peer set");
    split->to--;
    memmove(first, first + 1, (size_t)(split->to - first));
    split->to--;
    return 0;
}

static int word_take(struct lab_words *words, struct split *split)
{
    char first = *split->at;
    enum lab_word_kind kind = first == '"'   ? LAB_WORD_QUOTED
                              : first == '{' ? LAB_WORD_SET
                                             : LAB_WORD_PLAIN;
    const char *text = split->to;
    int rc = kind == LAB_WORD_SET ? set_take(split) : plain_take(split);
    *split->to++ = '\0';
    word_add(words, text, kind);
    return rc;
}

int lab_words_split(struct lab_words *words, const char *line, size_t size, char *why,
                    size_t why_size)
{
    /* Each word loses at least its blank, or it is the last: one byte more than the line. */
    if (size + 1 > words->bytes_room) {
        words->bytes_room = 2 * size + 256;
        words->bytes = lab_script_realloc(words->bytes, words->bytes_room);
    }
    struct split split = {line, line + size, words->bytes, why, why_size};
    words->count = 0;
    for (;;) {
        while (split.at < split.end && blank(*split.at))
            split.at++;
        if (split.at == split.end || *split.at == '#')
            return 0;
        int rc = word_take(words, &split);
        if (rc != 0)
            return rc;
    }
}

void lab_words_free(struct lab_words *words)
{
    free(words->word);
    free(words->bytes);
    *words = (struct lab_words){0};
}

const char *lab_word_pair(const struct lab_word *word, size_t *key_length)
{
    static const char key[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (word->kind != LAB_WORD_PLAIN)
        return NULL;
    *key_length = strspn(word->text, key);
    if (*key_length == 0 || word->text[*key_length] != '=')
        return NULL;
    return word->text + *key_length + 1;
}
