/*
 * Command lines: options anywhere, "--name=value" as well as "--name value", letters in clusters.
 */
#ifndef HEARSAY_CLI_OPTIONS_H
#define HEARSAY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option {
    OPT_HELP,
    OPT_SOCKET,
    OPT_STATE,
    OPT_JSON,
    OPT_TSV,
    OPT_OVERLAY,
    OPT_PROGRESS,
    OPT_COUNT,
    OPT_SECONDS,
    OPT_INTERVAL,
    OPT_TYPE,
    OPT_EXPIRY,
    OPT_FILE,
    OPT_LINES,
    OPT_QUIET,
    OPT_FORMAT,
    OPT_SINCE,
    OPT_NEW,
    OPT_HISTORY,
    OPT_RAW,
    OPT_SECRET,
    OPT_PEER,
    OPT_LISTEN,
    OPT_TRACE,
    OPT_SYNCED,
    OPT_NOTES,
    OPT_MATRIX,
    OPTIONS,
};
#define OPTION_BIT(option) (UINT32_C(1) << (option))

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_SECONDS, /* with decimals; kept as milliseconds */
};

struct option_spec {
    char letter; /* 0: has none */
    const char *name;
    const char *value; /* what usage texts call it */
    enum option_kind kind;
    const char *help;
};
extern const struct option_spec option_spec[OPTIONS];

struct option_value {
    enum option option;
    const char *text;
    uint64_t number;
};

/* A command line taken apart.  The words and texts point into argv. */
struct command_line {
    struct option_value *value; /* in their order, repeated ones included */
    size_t value_count;
    char **word;
    size_t word_count;
};

/* False after one line on stderr. */
bool options_parse(struct command_line *line, int argc, char **argv);
void options_free(struct command_line *line);

/* The last one of its kind, or NULL. */
const struct option_value *options_find(const struct command_line *line, enum option option);
bool options_has(const struct command_line *line, enum option option);
uint64_t options_number(const struct command_line *line, enum option option, uint64_t otherwise);
const char *options_text(const struct command_line *line, enum option option,
                         const char *otherwise);

/* One line of help for each option of the set. */
void options_help(FILE *to, uint32_t set);

/* A whole number without sign. */
bool options_read_number(const char *text, uint64_t *number);

/* Remembers the candidate that is most like a word; `name` is NULL until one is near enough. */
struct nearest {
    const char *word;
    const char *name;
    size_t distance;
};
void nearest_try(struct nearest *nearest, const char *name);

#endif
