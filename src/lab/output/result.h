/*
 * What one run of an experiment found: fields (numbers and texts) and tables of numbers, each in
 * the order in which they were given.
 */
#ifndef HEARSAY_LAB_RESULT_H
#define HEARSAY_LAB_RESULT_H

#include <stddef.h>

struct lab_field {
    char *name;
    char *text; /* NULL: it is a number */
    double number;
};

struct lab_table {
    char *name;
    char *columns; /* "step,share" */
    size_t width;
    size_t rows;
    size_t room; /* in cells */
    double *cell;
};

struct lab_result {
    struct lab_field *field;
    size_t fields, fields_room;
    struct lab_table **table;
    size_t tables, tables_room;
};

void lab_result_init(struct lab_result *result);
void lab_result_free(struct lab_result *result);

/* A field that is given again has the new value in the old place.  NAN: there is no such number in
 * this run, which is not the same as leaving the field out: it becomes null. */
void lab_result_number(struct lab_result *result, const char *name, double number);

/* For digests, and for what is no number. */
void lab_result_text(struct lab_result *result, const char *name, const char *text);

/* NULL if there is none. */
const struct lab_field *lab_result_field(const struct lab_result *result, const char *name);

/* The table of that name, made when it is asked for first: lives as long as the result.  Names are
 * words of letters, digits, '-' and '_', for they become names of files; "runs" and "sweep" are
 * taken. */
struct lab_table *lab_result_table(struct lab_result *result, const char *name,
                                   const char *columns);
const struct lab_table *lab_result_find_table(const struct lab_result *result, const char *name);

/* As many cells as there are columns; NAN leaves a cell empty. */
void lab_table_row(struct lab_table *table, const double *cells);

/* To an open file and back, within one machine.  Load expects an initialised, empty result, and
 * returns HSAY_EBAD for half a file. */
int lab_result_save(const struct lab_result *result, int fd);
int lab_result_load(struct lab_result *result, int fd);

#endif
