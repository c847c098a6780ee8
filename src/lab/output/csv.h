/*
 * Tables as files: comma-separated, the names of the columns in the first line, numbers or words in
 * the cells (RFC 4180, with plain line ends).
 */
#ifndef HEARSAY_LAB_CSV_H
#define HEARSAY_LAB_CSV_H

#include <stdio.h>

#include "src/lab/output/heap.h"

/* One cell, in quotes if it needs them. */
void lab_csv_put(FILE *out, const char *text);

/* A table in memory; every cell is a text in one of the files that were read. */
struct lab_csv {
    char **name;
    size_t columns, columns_room;
    const char **cell;
    size_t cells, cells_room;
    char **text; /* what the cells point into */
    size_t texts, texts_room;
};

void lab_csv_init(struct lab_csv *csv);
void lab_csv_free(struct lab_csv *csv);

/* Appends the rows of a file.  Columns are told by their names: one that the table has not yet is
 * added behind the others, and cells of rows whose file has no such column are empty.  `key[keys]`
 * and `value[keys]` are columns put in front of the file's own, the same in each row; keys may be
 * 0.  HSAY_ENOENT: no such file; HSAY_EIO, HSAY_EBAD: with words. */
struct lab_csv_front {
    const char *const *key;
    const char *const *value;
    size_t keys;
};
int lab_csv_read(struct lab_csv *csv, const char *path, const struct lab_csv_front *front,
                 struct lab_why *why);

size_t lab_csv_rows(const struct lab_csv *csv);
const char *lab_csv_cell(const struct lab_csv *csv, size_t row, size_t column);

/* -1: there is no such column. */
int lab_csv_column(const struct lab_csv *csv, const char *name);

#endif
