#include "src/lab/script/names.h"

#include <stdio.h>
#include <string.h>

bool lab_name_ok(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strnlen(text, LAB_NAME_BYTES);
    return length > 0 && length < LAB_NAME_BYTES && strchr(letters, text[0]) != NULL &&
           text[strspn(text, allowed)] == '\0';
}

/* The next word at *at, its length, and *at behind it; NULL at the end. */
static const char *word_next(const char **at, size_t *length)
{
    const char *word = *at + strspn(*at, " ");
    *length = strcspn(word, " ");
    *at = word + *length;
    return *length > 0 ? word : NULL;
}

bool lab_names_in_words(const char *words, const char *name, size_t length)
{
    size_t word_length;
    for (const char *word; (word = word_next(&words, &word_length)) != NULL;) {
        if (word_length == length && memcmp(word, name, length) == 0)
            return true;
    }
    return false;
}

/* --- what may have been meant ---------------------------------------------------------------- */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

enum { LETTERS_MAX = LAB_NAME_BYTES - 1 };

struct rows {
    unsigned before[LETTERS_MAX + 1], last[LETTERS_MAX + 1], now[LETTERS_MAX + 1];
};

/* One letter of a against all of b: Levenshtein's row, and the swap of two neighbours. */
static void row_fill(struct rows *rows, const char *a, unsigned i, const char *b, size_t b_length)
{
    rows->now[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
        unsigned change = rows->last[j - 1] + (a[i - 1] != b[j - 1]);
        unsigned best = least(change, least(rows->last[j], rows->now[j - 1]) + 1);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            best = least(best, rows->before[j - 2] + 1);
        rows->now[j] = best;
    }
}

unsigned lab_names_distance(const char *a, const char *b)
{
    struct rows rows;
    size_t a_length = strnlen(a, LETTERS_MAX);
    size_t b_length = strnlen(b, LETTERS_MAX);

    memset(&rows, 0, sizeof rows);
    for (unsigned j = 0; j <= b_length; j++)
        rows.now[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        memcpy(rows.before, rows.last, sizeof rows.before);
        memcpy(rows.last, rows.now, sizeof rows.last);
        row_fill(&rows, a, i, b, b_length);
    }
    return rows.now[b_length];
}

/* The first of the nearest, NULL if none is near: within a third of the letters, at least one. */
static const char *nearest(const char *name, const struct lab_names *known)
{
    unsigned reach = (unsigned)strnlen(name, LETTERS_MAX) / 3;
    unsigned best = (reach > 0 ? reach : 1) + 1;
    const char *found = NULL;
    for (size_t i = 0; i < known->count; i++) {
        unsigned distance = lab_names_distance(name, known->name(known->list, i));
        if (distance < best) {
            best = distance;
            found = known->name(known->list, i);
        }
    }
    return found;
}

/* Room for the dots is kept free until the end. */
static void known_add(char *why, size_t size, const struct lab_names *known)
{
    for (size_t i = 0; i < known->count; i++) {
        const char *name = known->name(known->list, i);
        size_t used = strlen(why);
        if (used + strlen(name) + sizeof ", , ..." > size) {
            snprintf(why + used, size - used, "%s", ", ...");
            return;
        }
        snprintf(why + used, size - used, "%s%s", i == 0 ? "; known are: " : ", ", name);
    }
}

void lab_names_unknown(char *why, size_t size, const char *what, const char *name,
                       const struct lab_names *known)
{
    const char *meant = nearest(name, known);
    if (meant != NULL)
        snprintf(why, size, "unknown %s '%.63s' (did you mean '%s'?)", what, name, meant);
    else
        snprintf(why, size, "unknown %s '%.63s'", what, name);
    if (strlen(why) + sizeof "; known are: " < size)
        known_add(why, size, known);
}

enum { WORDS_MAX = 64 };

struct word_list {
    char name[WORDS_MAX][LAB_NAME_BYTES];
};

static const char *word_at(const void *list, size_t i)
{
    return ((const struct word_list *)list)->name[i];
}

void lab_names_unknown_word(char *why, size_t size, const char *what, const char *name,
                            const char *words)
{
    struct word_list list;
    struct lab_names known = {.list = &list, .name = word_at};
    size_t length;
    for (const char *word; known.count < WORDS_MAX && (word = word_next(&words, &length)) != NULL;)
        snprintf(list.name[known.count++], LAB_NAME_BYTES, "%.*s", (int)length, word);
    lab_names_unknown(why, size, what, name, &known);
}
