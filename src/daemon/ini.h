/*
 * The syntax of the configuration file, line by line:
 *
 *     # comment                      also behind a value, after a blank
 *     [section]  or  [section NAME]
 *     key = value                    "in quotes" if it has a blank or # in it
 *
 * Pure; copies what it finds into the line, so that the text may be gone afterwards.
 *
 * libconfuse was tried: it tells line numbers and unknown keys, but it wants braces in place of
 * [sections], cuts `host:port#KEY` at the # without a word, lets a repeated key replace the one
 * before, puts environment variables into values, and keeps its parser's state in globals.
 */
#ifndef HEARSAY_DAEMON_INI_H
#define HEARSAY_DAEMON_INI_H

#include <stddef.h>

enum { INI_LINE_BYTES = 1024 };

enum ini_kind {
    INI_END,
    INI_SECTION, /* name, and value = NAME or "" */
    INI_PAIR,    /* name and value */
    INI_BAD,     /* value says what is wrong */
};

struct ini {
    const char *text;
    size_t size;
    size_t used;
    unsigned line; /* of what ini_next returned last; the first is 1 */
};

struct ini_line {
    char name[INI_LINE_BYTES];
    char value[INI_LINE_BYTES];
};

void ini_init(struct ini *ini, const char *text, size_t size);

/* The next line that says something. */
enum ini_kind ini_next(struct ini *ini, struct ini_line *out);

#endif
