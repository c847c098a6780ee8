#include "src/lab/output/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hearsay/error.h"
#include "src/common/file.h"

void lab_csv_put(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != 0; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void lab_csv_init(struct lab_csv *csv)
{
    *csv = (struct lab_csv){0};
}

void lab_csv_free(struct lab_csv *csv)
{
    for (size_t i = 0; i < csv->columns; i++)
        free(csv->name[i]);
    for (size_t i = 0; i < csv->texts; i++)
        free(csv->text[i]);
    free(csv->name);
    free(csv->cell);
    free(csv->text);
    lab_csv_init(csv);
}

/* --- one file -------------------------------------------------------------------------------- */

struct reader {
    char *at; /* cells are cut off in place */
    bool line_ended;
};

static const char *quoted(struct reader *reader)
{
    char *from = ++reader->at, *to = from, *text = from;
    for (; *from != 0; from++) {
        if (*from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    reader->at = from;
    /* The sign behind the quotes is looked at by who asked, before the text is ended over it. */
    reader->line_ended = *from == '\n' || *from == 0;
    if (*from != 0)
        reader->at++;
    *to = 0;
    return text;
}

static const char *plain(struct reader *reader)
{
    char *text = reader->at;
    reader->at += strcspn(text, ",\n");
    reader->line_ended = *reader->at != ',';
    if (*reader->at != 0)
        *reader->at++ = 0;
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\r')
        text[size - 1] = 0;
    return text;
}

static const char *next_cell(struct reader *reader)
{
    return *reader->at == '"' ? quoted(reader) : plain(reader);
}

static void add_cell(struct lab_csv *csv, const char *text)
{
    csv->cell = lab_heap_grow(csv->cell, csv->cells, &csv->cells_room, sizeof *csv->cell);
    csv->cell[csv->cells++] = text;
}

static void add_column(struct lab_csv *csv, const char *name)
{
    csv->name = lab_heap_grow(csv->name, csv->columns, &csv->columns_room, sizeof *csv->name);
    csv->name[csv->columns++] = lab_heap_copy(name);
}

/* --- columns by name ------------------------------------------------------------------------- */

/* Where the cells of a file's rows go. */
struct layout {
    size_t *column;
    size_t count, room;
};

/* A name that no file before had is a new column at the end. */
static void layout_add(struct layout *layout, struct lab_csv *csv, const char *name)
{
    int known = lab_csv_column(csv, name);
    size_t column = known >= 0 ? (size_t)known : csv->columns;
    if (known < 0)
        add_column(csv, name);
    layout->column =
        lab_heap_grow(layout->column, layout->count, &layout->room, sizeof *layout->column);
    layout->column[layout->count++] = column;
}

/* Rows that are there get empty cells in new columns. */
static void widen(struct lab_csv *csv, size_t before)
{
    size_t rows = before > 0 ? csv->cells / before : 0;
    if (rows == 0 || before == csv->columns)
        return;
    const char **old = csv->cell;
    csv->cell = NULL;
    csv->cells = csv->cells_room = 0;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < csv->columns; i++)
            add_cell(csv, i < before ? old[row * before + i] : "");
    }
    free(old);
}

static void read_names(struct layout *layout, struct lab_csv *csv, struct reader *reader,
                       const struct lab_csv_front *front)
{
    size_t before = csv->columns;
    for (size_t i = 0; i < front->keys; i++)
        layout_add(layout, csv, front->key[i]);
    do
        layout_add(layout, csv, next_cell(reader));
    while (!reader->line_ended);
    widen(csv, before);
}

/* Of two columns with one name the first counts. */
static void place(const char **row, size_t column, const char *text)
{
    if (row[column][0] == 0)
        row[column] = text;
}

static int read_row(struct lab_csv *csv, struct reader *reader, const struct lab_csv_front *front,
                    const struct layout *layout)
{
    size_t begin = csv->cells, used = 0;
    for (size_t i = 0; i < csv->columns; i++)
        add_cell(csv, "");
    const char **row = csv->cell + begin;
    for (; used < front->keys; used++)
        place(row, layout->column[used], front->value[used]);
    do {
        const char *text = next_cell(reader);
        if (used < layout->count)
            place(row, layout->column[used], text);
        used++;
    } while (!reader->line_ended);
    return used == layout->count ? 0 : HSAY_EBAD;
}

static int read_table(struct lab_csv *csv, struct reader *reader, const struct lab_csv_front *front)
{
    struct layout layout = {0};
    int rc = 0;
    read_names(&layout, csv, reader, front);
    while (rc == 0 && *reader->at != 0)
        rc = read_row(csv, reader, front, &layout);
    free(layout.column);
    return rc;
}

int lab_csv_read(struct lab_csv *csv, const char *path, const struct lab_csv_front *front,
                 struct lab_why *why)
{
    static const struct lab_csv_front no_front;
    struct stat info;
    char *text;
    size_t size;
    /* file_read takes memory for as much as it may read. */
    int rc = stat(path, &info) != 0 ? (errno == ENOENT ? HSAY_ENOENT : HSAY_EIO)
                                    : file_read(path, (size_t)info.st_size, &text, &size);
    if (rc == HSAY_ENOSPC)
        return lab_why_set(why, HSAY_EIO, "%s: is being written", path);
    if (rc != 0)
        return lab_why_set(why, rc, "%s: %s", path, strerror(errno));
    csv->text = lab_heap_grow(csv->text, csv->texts, &csv->texts_room, sizeof *csv->text);
    csv->text[csv->texts++] = text;
    struct reader reader = {.at = text};
    if (front == NULL)
        front = &no_front;
    if (read_table(csv, &reader, front) != 0)
        return lab_why_set(why, HSAY_EBAD, "%s: a row is longer or shorter than the names", path);
    return 0;
}

/* --- looking --------------------------------------------------------------------------------- */

size_t lab_csv_rows(const struct lab_csv *csv)
{
    return csv->columns > 0 ? csv->cells / csv->columns : 0;
}

const char *lab_csv_cell(const struct lab_csv *csv, size_t row, size_t column)
{
    return csv->cell[row * csv->columns + column];
}

int lab_csv_column(const struct lab_csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (strcmp(csv->name[i], name) == 0)
            return (int)i;
    }
    return -1;
}
