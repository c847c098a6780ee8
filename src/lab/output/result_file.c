/*
 * A result on its way from the process that ran it to the one that asked: counts, sizes and bytes
 * as they lie in memory, for both are one program on one machine.  A text is its size and its
 * bytes; a number is a text of size NONE before the double.
 */
#include "src/lab/output/result.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/lab/output/heap.h"

#define NONE     UINT64_MAX
#define TEXT_MAX (UINT64_C(1) << 30)

static void put_size(FILE *out, uint64_t size)
{
    fwrite(&size, sizeof size, 1, out);
}

static void put_text(FILE *out, const char *text)
{
    size_t size = strlen(text);
    put_size(out, size);
    fwrite(text, 1, size, out);
}

static void put_table(FILE *out, const struct lab_table *table)
{
    put_text(out, table->name);
    put_text(out, table->columns);
    put_size(out, table->rows);
    if (table->rows > 0)
        fwrite(table->cell, sizeof *table->cell, table->rows * table->width, out);
}

int lab_result_save(const struct lab_result *result, int fd)
{
    int own = dup(fd);
    FILE *out = own < 0 ? NULL : fdopen(own, "wb");
    if (out == NULL) {
        if (own >= 0)
            close(own);
        return HSAY_EIO;
    }
    put_size(out, result->fields);
    for (size_t i = 0; i < result->fields; i++) {
        const struct lab_field *field = &result->field[i];
        put_text(out, field->name);
        if (field->text != NULL) {
            put_text(out, field->text);
        } else {
            put_size(out, NONE);
            fwrite(&field->number, sizeof field->number, 1, out);
        }
    }
    put_size(out, result->tables);
    for (size_t i = 0; i < result->tables; i++)
        put_table(out, result->table[i]);
    int bad = ferror(out);
    return fclose(out) != 0 || bad != 0 ? HSAY_EIO : 0;
}

static int get_size(FILE *in, uint64_t *size)
{
    return fread(size, sizeof *size, 1, in) == 1 ? 0 : HSAY_EBAD;
}

/* NULL for a number, which follows. */
static int get_text(FILE *in, char **text)
{
    uint64_t size;
    *text = NULL;
    int rc = get_size(in, &size);
    if (rc != 0 || size == NONE)
        return rc;
    if (size > TEXT_MAX)
        return HSAY_EBAD;
    *text = lab_heap_new(size + 1, 1);
    if (fread(*text, 1, size, in) == size)
        return 0;
    free(*text);
    *text = NULL;
    return HSAY_EBAD;
}

static int get_field(FILE *in, struct lab_result *result)
{
    char *name = NULL, *text = NULL;
    double number = 0;
    int rc = get_text(in, &name);
    if (rc == 0 && name == NULL)
        rc = HSAY_EBAD;
    if (rc == 0)
        rc = get_text(in, &text);
    if (rc == 0 && text == NULL && fread(&number, sizeof number, 1, in) != 1)
        rc = HSAY_EBAD;
    if (rc == 0 && text != NULL)
        lab_result_text(result, name, text);
    else if (rc == 0)
        lab_result_number(result, name, number);
    free(name);
    free(text);
    return rc;
}

static int get_rows(FILE *in, struct lab_table *table)
{
    uint64_t rows;
    int rc = get_size(in, &rows);
    double *row = lab_heap_new(table->width, sizeof *row);
    for (uint64_t i = 0; rc == 0 && i < rows; i++) {
        if (fread(row, sizeof *row, table->width, in) != table->width)
            rc = HSAY_EBAD;
        else
            lab_table_row(table, row);
    }
    free(row);
    return rc;
}

static int get_table(FILE *in, struct lab_result *result)
{
    char *name = NULL, *columns = NULL;
    int rc = get_text(in, &name);
    if (rc == 0)
        rc = get_text(in, &columns);
    if (rc == 0)
        rc = name != NULL && columns != NULL ? get_rows(in, lab_result_table(result, name, columns))
                                             : HSAY_EBAD;
    free(name);
    free(columns);
    return rc;
}

static int get_all(FILE *in, struct lab_result *result)
{
    uint64_t count;
    int rc = get_size(in, &count);
    for (uint64_t i = 0; rc == 0 && i < count; i++)
        rc = get_field(in, result);
    if (rc == 0)
        rc = get_size(in, &count);
    for (uint64_t i = 0; rc == 0 && i < count; i++)
        rc = get_table(in, result);
    return rc;
}

int lab_result_load(struct lab_result *result, int fd)
{
    int own = dup(fd);
    FILE *in = own < 0 ? NULL : fdopen(own, "rb");
    if (in == NULL) {
        if (own >= 0)
            close(own);
        return HSAY_EIO;
    }
    rewind(in);
    int rc = get_all(in, result);
    fclose(in);
    return rc;
}
