/*
 * What the client prints: aligned text for people, columns between tabs or JSON for programs.
 */
#ifndef HEARSAY_CLI_OUT_H
#define HEARSAY_CLI_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

enum out_form { OUT_TEXT, OUT_TSV, OUT_JSON };

struct out {
    enum out_form form;
    bool terminal; /* strangers' bytes are shown, not obeyed */
    bool colour;
};
void out_init(struct out *out, enum out_form form);

enum column_kind {
    COLUMN_TEXT,   /* as it is */
    COLUMN_SHORT,  /* of a key or id, the first 12 digits */
    COLUMN_NUMBER, /* 12,345 */
    COLUMN_BYTES,  /* 12.3 MiB */
    COLUMN_MS,     /* 4.2 s */
    COLUMN_US,     /* 1.2 ms */
    COLUMN_SECONDS,
    COLUMN_YES,   /* yes, no */
    COLUMN_SHARE, /* 62.5 % */
};

/* Only text form shortens and scales; the others show what the node said.  A field may be a path as
 * in "peers.trusted". */
struct column {
    const char *heading;
    const char *field;
    enum column_kind kind;
};

/* Rows of a table: `rows` is an array of objects.  JSON prints each object whole, on a line. */
void out_table(const struct out *out, const struct column *column, size_t columns,
               const json_t *rows);

/* One object, a line per field.  TSV prints all on one line. */
void out_card(const struct out *out, const struct column *column, size_t columns,
              const json_t *object);

/* A line of JSON. */
void out_json(const json_t *object);

/* Bytes that somebody else wrote.  To a terminal, control characters and what is no UTF-8 are
 * escaped; elsewhere they go through untouched. */
void out_foreign(const struct out *out, const char *bytes, size_t size);

/* A number in words: "12,345", "1.5 MiB", "4.2 s".  The text lives until the eighth call after. */
const char *out_number(uint64_t number);
const char *out_size(uint64_t bytes);
const char *out_seconds(double seconds);

/* Fields of an object, by path; missing ones are 0, "" or false. */
const json_t *field_at(const json_t *object, const char *path);
uint64_t field_number(const json_t *object, const char *path);
double field_real(const json_t *object, const char *path);
const char *field_text(const json_t *object, const char *path);
bool field_true(const json_t *object, const char *path);

#endif
