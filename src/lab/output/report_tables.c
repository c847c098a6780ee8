/* What was found and what was set, as tables of the page. */
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/fields.h"
#include "src/lab/output/markup.h"
#include "src/lab/output/number.h"
#include "src/lab/output/report_parts.h"

enum { OPEN_ROWS_MAX = 24, SWEEP_FIELDS_MAX = 6 };

static void put_cell(FILE *page, const char *tag, const char *class, const char *text)
{
    fprintf(page, "<%s%s%s%s>", tag, class[0] != 0 ? " class=\"" : "", class,
            class[0] != 0 ? "\"" : "");
    lab_markup_put(page, text);
    fprintf(page, "</%s>", tag);
}

static char *value_text(const json_t *value)
{
    char number[LAB_NUMBER_BYTES];
    if (json_is_string(value))
        return lab_heap_copy(json_string_value(value));
    if (json_is_number(value))
        return lab_heap_copy(lab_number_text(number, json_number_value(value)));
    return lab_heap_copy(value == NULL || json_is_null(value) ? "-" : "");
}

static void put_value(FILE *page, const json_t *value)
{
    char *text = value_text(value);
    put_cell(page, "td", json_is_number(value) ? "n" : "t", text);
    free(text);
}

static void put_words(FILE *page, const json_t *object, const char *key)
{
    char *words = lab_field_words(object, key);
    put_cell(page, "td", json_is_string(json_object_get(object, key)) ? "t" : "n", words);
    free(words);
}

/* --- the line to reach ----------------------------------------------------------------------- */

/* A figure over fields whose only value is this one, with a bar. */
static const json_t *bar_of(const json_t *manifest, const char *field)
{
    json_t *figures = json_object_get(manifest, "figures"), *figure;
    size_t i;
    json_array_foreach(figures, i, figure)
    {
        const char *y = json_string_value(json_object_get(figure, "y"));
        const char *table = json_string_value(json_object_get(figure, "table"));
        if (y == NULL || table == NULL || strcmp(y, field) != 0 ||
            json_object_get(figure, "bar") == NULL)
            continue;
        if (strcmp(table, "runs") == 0 || strcmp(table, "sweep") == 0)
            return figure;
    }
    return NULL;
}

static void put_bar(FILE *page, const json_t *manifest, const char *field)
{
    const json_t *figure = bar_of(manifest, field);
    const char *text = json_string_value(json_object_get(figure, "bar_text"));
    char *value = value_text(json_object_get(figure, "bar"));
    char *words = figure == NULL ? lab_heap_copy("")
                  : text != NULL ? lab_heap_format("%s (%s)", value, text)
                                 : lab_heap_copy(value);
    put_cell(page, "td", "", words);
    free(words);
    free(value);
}

static bool has_bars(const json_t *manifest, const json_t *names)
{
    const char *key;
    json_t *mark;
    json_object_foreach((json_t *)names, key, mark)
    {
        if (bar_of(manifest, key) != NULL)
            return true;
    }
    return false;
}

/* --- one batch ------------------------------------------------------------------------------- */

static json_t *names_of(const json_t *variants)
{
    json_t *names = json_object(), *variant, *value;
    const char *name, *key;
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

static void put_head(FILE *page, const json_t *variants, bool bars)
{
    const char *name;
    json_t *variant;
    fputs("<div class=\"wide\"><table><thead><tr><th></th>", page);
    json_object_foreach((json_t *)variants, name, variant) put_cell(page, "th", "n", name);
    fputs(bars ? "<th>bar</th></tr></thead>\n<tbody>" : "</tr></thead>\n<tbody>", page);
}

static void put_variants(FILE *page, const json_t *manifest, const json_t *variants,
                         const json_t *names)
{
    const char *key, *name;
    json_t *mark, *variant;
    bool bars = has_bars(manifest, names);
    put_head(page, variants, bars);
    json_object_foreach((json_t *)names, key, mark)
    {
        fputs("<tr>", page);
        put_cell(page, "th", "", key);
        json_object_foreach((json_t *)variants, name, variant) put_words(page, variant, key);
        if (bars)
            put_bar(page, manifest, key);
        fputs("</tr>\n", page);
    }
    fputs("</tbody></table></div>\n", page);
}

/* Those that no variant has come first: somebody asked for them. */
static void put_derived(FILE *page, const json_t *summary, const json_t *names)
{
    const char *key;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)summary, key, value)
    {
        if (!lab_field_is_plain(summary, key) || json_object_get(names, key) != NULL)
            continue;
        fputs(any ? "" : "<div class=\"wide\"><table><tbody>\n", page);
        any = true;
        fputs("<tr>", page);
        put_cell(page, "th", "", key);
        put_words(page, summary, key);
        fputs("</tr>\n", page);
    }
    fputs(any ? "</tbody></table></div>\n" : "", page);
}

static void put_batch(FILE *page, const struct lab_found *found)
{
    const json_t *variants = json_object_get(found->summary, "variants");
    json_t *names = names_of(variants);
    bool folded = json_object_size(names) > OPEN_ROWS_MAX;
    put_derived(page, found->summary, names);
    fputs(folded ? "<details><summary>All fields</summary>\n" : "", page);
    put_variants(page, found->manifest, variants, names);
    fputs(folded ? "</details>\n" : "", page);
    json_decref(names);
}

/* --- a sweep --------------------------------------------------------------------------------- */

/* The fields that figures over the sweep show; if there are none, the first ones. */
static json_t *sweep_fields(const struct lab_found *found, const json_t *first)
{
    json_t *fields = json_object(), *value;
    json_t *figures = json_object_get(found->manifest, "figures"), *figure;
    const char *key;
    size_t i;
    json_array_foreach(figures, i, figure)
    {
        const char *y = json_string_value(json_object_get(figure, "y"));
        if (y != NULL && json_object_get(first, y) != NULL)
            json_object_set_new(fields, y, json_true());
    }
    if (json_object_size(fields) > 0)
        return fields;
    json_object_foreach((json_t *)first, key, value)
    {
        if (lab_field_is_plain(first, key) && json_object_size(fields) < SWEEP_FIELDS_MAX)
            json_object_set_new(fields, key, json_true());
    }
    return fields;
}

static void put_point(FILE *page, const json_t *point, const json_t *fields)
{
    json_t *variants = json_object_get(point, "variants"), *variant, *value;
    const char *name, *key;
    json_object_foreach(variants, name, variant)
    {
        fputs("<tr>", page);
        json_object_foreach(json_object_get(point, "point"), key, value) put_value(page, value);
        put_cell(page, "td", "", name);
        json_object_foreach((json_t *)fields, key, value) put_words(page, variant, key);
        fputs("</tr>\n", page);
    }
}

static void put_sweep(FILE *page, const struct lab_found *found, const json_t *points)
{
    const json_t *head = json_array_get(points, 0);
    json_t *fields = sweep_fields(found, head), *value, *point;
    const char *key;
    size_t i;
    fputs("<div class=\"wide\"><table><thead><tr>", page);
    json_object_foreach(json_object_get(head, "point"), key, value)
        put_cell(page, "th", json_is_number(value) ? "n" : "", key);
    fputs("<th>variant</th>", page);
    json_object_foreach(fields, key, value) put_cell(page, "th", "n", key);
    fputs("</tr></thead>\n<tbody>\n", page);
    json_array_foreach(points, i, point) put_point(page, point, fields);
    fputs("</tbody></table></div>\n", page);
    json_decref(fields);
}

void lab_report_results(FILE *page, const struct lab_found *found)
{
    const json_t *points = json_object_get(found->summary, "points");
    if (json_array_size(points) > 0)
        put_sweep(page, found, points);
    else
        put_batch(page, found);
}

/* --- settings -------------------------------------------------------------------------------- */

void lab_report_settings(FILE *page, const json_t *manifest)
{
    json_t *settings = json_object_get(manifest, "settings"), *value, *variant;
    json_t *variants = json_object_get(manifest, "variants");
    const char *key, *name;
    fputs("<div class=\"wide\"><table><tbody>\n", page);
    json_object_foreach(settings, key, value)
    {
        fputs("<tr>", page);
        put_cell(page, "th", "", key);
        put_value(page, value);
        fputs("</tr>\n", page);
    }
    json_object_foreach(variants, name, variant)
    {
        json_object_foreach(variant, key, value)
        {
            fputs("<tr>", page);
            char *words = lab_heap_format("%s, in %s", key, name);
            put_cell(page, "th", "", words);
            free(words);
            put_value(page, value);
            fputs("</tr>\n", page);
        }
    }
    fputs("</tbody></table></div>\n", page);
}
