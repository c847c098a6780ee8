#include "src/lab/output/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/heap.h"

void lab_result_init(struct lab_result *result)
{
    *result = (struct lab_result){0};
}

void lab_result_free(struct lab_result *result)
{
    for (size_t i = 0; i < result->fields; i++) {
        free(result->field[i].name);
        free(result->field[i].text);
    }
    for (size_t i = 0; i < result->tables; i++) {
        free(result->table[i]->name);
        free(result->table[i]->columns);
        free(result->table[i]->cell);
        free(result->table[i]);
    }
    free(result->field);
    free(result->table);
    lab_result_init(result);
}

const struct lab_field *lab_result_field(const struct lab_result *result, const char *name)
{
    for (size_t i = 0; i < result->fields; i++) {
        if (strcmp(result->field[i].name, name) == 0)
            return &result->field[i];
    }
    return NULL;
}

static struct lab_field *field_for(struct lab_result *result, const char *name)
{
    const struct lab_field *found = lab_result_field(result, name);
    if (found != NULL) {
        struct lab_field *field = &result->field[found - result->field];
        free(field->text);
        field->text = NULL;
        return field;
    }
    result->field =
        lab_heap_grow(result->field, result->fields, &result->fields_room, sizeof *result->field);
    struct lab_field *field = &result->field[result->fields++];
    *field = (struct lab_field){.name = lab_heap_copy(name)};
    return field;
}

void lab_result_number(struct lab_result *result, const char *name, double number)
{
    field_for(result, name)->number = number;
}

void lab_result_text(struct lab_result *result, const char *name, const char *text)
{
    field_for(result, name)->text = lab_heap_copy(text);
}

const struct lab_table *lab_result_find_table(const struct lab_result *result, const char *name)
{
    for (size_t i = 0; i < result->tables; i++) {
        if (strcmp(result->table[i]->name, name) == 0)
            return result->table[i];
    }
    return NULL;
}

static size_t width_of(const char *columns)
{
    size_t width = 1;
    for (; *columns != 0; columns++)
        width += *columns == ',';
    return width;
}

static int is_file_word(const char *name)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name[0] != 0 && strspn(name, word) == strlen(name);
}

struct lab_table *lab_result_table(struct lab_result *result, const char *name, const char *columns)
{
    const struct lab_table *found = lab_result_find_table(result, name);
    if (found != NULL) {
        assert(strcmp(found->columns, columns) == 0);
        for (size_t i = 0; i < result->tables; i++) {
            if (result->table[i] == found)
                return result->table[i];
        }
    }
    assert(is_file_word(name) && strcmp(name, "runs") != 0 && strcmp(name, "sweep") != 0);
    result->table =
        lab_heap_grow(result->table, result->tables, &result->tables_room, sizeof *result->table);
    struct lab_table *table = lab_heap_new(1, sizeof *table);
    *table = (struct lab_table){
        .name = lab_heap_copy(name), .columns = lab_heap_copy(columns), .width = width_of(columns)};
    result->table[result->tables++] = table;
    return table;
}

void lab_table_row(struct lab_table *table, const double *cells)
{
    for (size_t i = 0; i < table->width; i++) {
        table->cell = lab_heap_grow(table->cell, table->rows * table->width + i, &table->room,
                                    sizeof *table->cell);
        table->cell[table->rows * table->width + i] = cells[i];
    }
    table->rows++;
}
