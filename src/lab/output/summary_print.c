/* The summary as tables for a terminal: cells first, then their widths, then the lines. */
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/fields.h"
#include "src/lab/output/number.h"
#include "src/lab/output/summary.h"

/* Longer texts are let stick out at the right end; digests of 32 digits fit. */
enum { WIDTH_MAX = 48 };

struct grid {
    char **cell; /* rows * columns, NULL: empty */
    size_t rows, columns;
};

static void grid_init(struct grid *grid, size_t rows, size_t columns)
{
    *grid = (struct grid){lab_heap_new(rows * columns, sizeof(char *)), rows, columns};
}

static const char *grid_at(const struct grid *grid, size_t row, size_t column)
{
    const char *text = grid->cell[row * grid->columns + column];
    return text != NULL ? text : "";
}

static int grid_width(const struct grid *grid, size_t column)
{
    size_t width = 0;
    for (size_t row = 0; row < grid->rows; row++) {
        size_t size = strlen(grid_at(grid, row, column));
        if (size > width && size <= WIDTH_MAX)
            width = size;
    }
    return (int)width;
}

static void grid_print(const struct grid *grid, FILE *out)
{
    int *width = lab_heap_new(grid->columns, sizeof *width);
    for (size_t column = 0; column < grid->columns; column++)
        width[column] = grid_width(grid, column);
    for (size_t row = 0; row < grid->rows; row++) {
        fprintf(out, "  %-*s", width[0], grid_at(grid, row, 0));
        for (size_t column = 1; column < grid->columns; column++)
            fprintf(out, "  %*s", width[column], grid_at(grid, row, column));
        fputc('\n', out);
    }
    free(width);
}

static void grid_free(struct grid *grid)
{
    for (size_t i = 0; i < grid->rows * grid->columns; i++)
        free(grid->cell[i]);
    free(grid->cell);
}

/* The names of the fields of all variants, each once, as keys. */
static json_t *names_of(const json_t *variants)
{
    json_t *names = json_object();
    const char *name, *key;
    json_t *variant, *value;
    json_object_foreach((json_t *)variants, name, variant)
    {
        json_object_foreach(variant, key, value)
        {
            if (lab_field_is_plain(variant, key))
                json_object_set_new(names, key, json_true());
        }
    }
    return names;
}

static void fill_column(struct grid *grid, size_t column, const json_t *names, const char *heading,
                        const json_t *variant)
{
    const char *key;
    json_t *mark;
    size_t row = 1;
    grid->cell[column] = lab_heap_copy(heading);
    json_object_foreach((json_t *)names, key, mark) grid->cell[row++ * grid->columns + column] =
        variant != NULL ? lab_field_words(variant, key) : lab_heap_copy(key);
}

static void print_variants(FILE *out, const json_t *variants)
{
    json_t *names = names_of(variants), *variant;
    const char *name;
    struct grid grid;
    size_t column = 1;
    grid_init(&grid, json_object_size(names) + 1, json_object_size(variants) + 1);
    fill_column(&grid, 0, names, "", NULL);
    json_object_foreach((json_t *)variants, name, variant)
        fill_column(&grid, column++, names, name, variant);
    grid_print(&grid, out);
    grid_free(&grid);
    json_decref(names);
}

/* Fields that no variant has are derived from several. */
static bool is_derived(const json_t *summary, const char *key)
{
    const char *name;
    json_t *variant;
    if (!lab_field_is_plain(summary, key))
        return false;
    json_object_foreach(json_object_get(summary, "variants"), name, variant)
    {
        if (json_object_get(variant, key) != NULL)
            return false;
    }
    return true;
}

static void print_derived(FILE *out, const json_t *summary)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)summary, key, value)
    {
        if (is_derived(summary, key)) {
            char *words = lab_field_words(summary, key);
            fprintf(out, "  %s = %s\n", key, words);
            free(words);
        }
    }
}

static void print_point(FILE *out, const json_t *point)
{
    const char *key;
    json_t *value;
    fputc('\n', out);
    json_object_foreach((json_t *)json_object_get(point, "point"), key, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | LAB_JSON_FORM);
        fprintf(out, "%s=%s ", key, text != NULL ? text : "");
        free(text);
    }
    fputc('\n', out);
}

static void print_one(FILE *out, const json_t *object)
{
    print_variants(out, json_object_get(object, "variants"));
    print_derived(out, object);
}

void lab_summary_print(FILE *out, const json_t *summary)
{
    const json_t *points = json_object_get(summary, "points");
    json_t *point;
    size_t i;
    json_int_t seeds = json_integer_value(json_object_get(summary, "seeds"));
    fprintf(out,
            "%s, %" JSON_INTEGER_FORMAT " nodes, %" JSON_INTEGER_FORMAT
            " seed%s from %" JSON_INTEGER_FORMAT "%s\n",
            json_string_value(json_object_get(summary, "experiment")),
            json_integer_value(json_object_get(summary, "nodes")), seeds, seeds == 1 ? "" : "s",
            json_integer_value(json_object_get(summary, "seed_first")),
            seeds == 1 ? "" : ", with (least to largest)");
    size_t failed = json_array_size(json_object_get(summary, "failed_runs"));
    if (failed != 0)
        fprintf(out, "%zu run%s failed, and %s without numbers here\n", failed,
                failed == 1 ? "" : "s", failed == 1 ? "is" : "are");
    if (points == NULL)
        print_one(out, summary);
    json_array_foreach(points, i, point)
    {
        print_point(out, point);
        print_one(out, point);
    }
}
