#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/markup.h"
#include "src/lab/output/report_parts.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* --- figures --------------------------------------------------------------------------------- */

static char *figure_name(const struct lab_report_section *section, size_t index)
{
    char *name = lab_heap_format("%02zu-%s-%zu", section->number,
                                 text_of(section->found->manifest, "experiment"), index + 1);
    for (char *at = name; *at != 0; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_')
            *at = '-';
    }
    return name;
}

static void put_missing(FILE *page, const struct lab_report_section *section,
                        const struct lab_figure *figure, const struct lab_why *why)
{
    fputs("<p class=\"note\">Not drawn: \"", page);
    lab_markup_put(page, figure->title);
    fputs("\": ", page);
    lab_markup_put(page, why->text);
    fputs("</p>\n", page);
    fprintf(section->log, "hearsay-lab: %s: figure \"%s\": %s\n", section->found->folder,
            figure->title, why->text);
}

/* What a plain run has no table for is no fault of it. */
static bool is_of_sweep(const struct lab_report_section *section, const struct lab_figure *figure)
{
    const char *kind = text_of(section->found->manifest, "kind");
    return strcmp(figure->table, "sweep") == 0 && strcmp(kind, "sweep") != 0;
}

static void put_aside(FILE *page, const struct lab_figure *figure, const char *reason)
{
    fputs("<p class=\"note\">The figure \"", page);
    lab_markup_put(page, figure->title);
    fputs("\" ", page);
    lab_markup_put(page, reason);
    fputs(".</p>\n", page);
}

static int put_figure(FILE *page, const struct lab_report_section *section, const json_t *object,
                      size_t index, struct lab_why *why)
{
    struct lab_figure figure;
    if (lab_figure_parse(&figure, object) != 0) {
        lab_why_set(why, 0, "manifest.json does not tell what it shows");
        put_missing(page, section, &figure, why);
        return 0;
    }
    if (is_of_sweep(section, &figure)) {
        put_aside(page, &figure, "is drawn from the results of a sweep");
        return 0;
    }
    char *name = figure_name(section, index);
    struct lab_report_figure drawn = {section->found, &figure, name, section->figures};
    int rc = lab_report_figure(page, &drawn, why);
    free(name);
    if (rc == HSAY_ENOSPC)
        put_aside(page, &figure, "is drawn from a run, or from a smaller sweep");
    else if (rc != 0 && rc != HSAY_EIO)
        put_missing(page, section, &figure, why);
    return rc == HSAY_EIO ? rc : 0;
}

static int put_figures(FILE *page, const struct lab_report_section *section, struct lab_why *why)
{
    json_t *figures = json_object_get(section->found->manifest, "figures"), *object;
    size_t i;
    int rc = 0;
    json_array_foreach(figures, i, object)
    {
        if (rc == 0)
            rc = put_figure(page, section, object, i, why);
    }
    return rc;
}

/* --- words ----------------------------------------------------------------------------------- */

static void put_seeds(FILE *page, const json_t *seeds)
{
    size_t count = json_array_size(seeds);
    json_int_t first = json_integer_value(json_array_get(seeds, 0));
    json_int_t last = json_integer_value(json_array_get(seeds, count - 1));
    if (count == 1)
        fprintf(page, "seed %" JSON_INTEGER_FORMAT, first);
    else
        fprintf(page, "%zu seeds, %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT, count, first,
                last);
}

static void put_line(FILE *page, const json_t *manifest)
{
    json_t *variants = json_object_get(manifest, "variants"), *variant;
    const char *name, *comma = "";
    fprintf(page, "<p class=\"faint\">%" JSON_INTEGER_FORMAT " nodes; ",
            json_integer_value(json_object_get(manifest, "nodes")));
    put_seeds(page, json_object_get(manifest, "seeds"));
    fputs(json_object_size(variants) > 1 ? "; variants " : "; variant ", page);
    json_object_foreach(variants, name, variant)
    {
        fputs(comma, page);
        lab_markup_put(page, name);
        comma = ", ";
    }
    fputs("; ", page);
    lab_markup_put(page, text_of(manifest, "date"));
    if (json_array_size(json_object_get(manifest, "seeds")) > 1)
        fputs(". In brackets: least to largest over the seeds; bands in figures are "
              "the same",
              page);
    fputs(".</p>\n", page);
}

/* What the names in tables and figures stand for. */
static void put_variant_words(FILE *page, const json_t *manifest)
{
    json_t *words = json_object_get(manifest, "variant_words"), *each;
    const char *name;
    if (json_object_size(words) == 0)
        return;
    fputs("<dl class=\"faint\">\n", page);
    json_object_foreach(words, name, each)
    {
        fputs("<dt>", page);
        lab_markup_put(page, name);
        fputs("</dt><dd>", page);
        lab_markup_put(page, json_string_value(each));
        fputs("</dd>\n", page);
    }
    fputs("</dl>\n", page);
}

static void put_fold(FILE *page, const char *summary, const char *text)
{
    if (text[0] == 0)
        return;
    fprintf(page, "<details><summary>%s</summary><pre>", summary);
    lab_markup_put(page, text);
    fputs("</pre></details>\n", page);
}

static void put_origin(FILE *page, const struct lab_found *found)
{
    const json_t *manifest = found->manifest;
    const json_t *machine = json_object_get(manifest, "machine");
    fputs("<h3>How to make it again</h3>\n<pre>", page);
    lab_markup_put(page, text_of(manifest, "command"));
    fputs("</pre>\n<p class=\"faint\">hearsay-lab ", page);
    lab_markup_put(page, text_of(manifest, "version"));
    fputs(", on ", page);
    lab_markup_put(page, text_of(machine, "cpu"));
    fprintf(page, ", %" JSON_INTEGER_FORMAT " cores, %.1f GiB, ",
            json_integer_value(json_object_get(machine, "cores")),
            json_number_value(json_object_get(machine, "memory_gib")));
    lab_markup_put(page, text_of(machine, "system"));
    fputs(" ", page);
    lab_markup_put(page, text_of(machine, "arch"));
    fputs("; results in ", page);
    lab_markup_put(page, found->folder);
    fputs("</p>\n", page);
}

int lab_report_section(FILE *page, const struct lab_report_section *section, struct lab_why *why)
{
    const json_t *manifest = section->found->manifest;
    fprintf(page, "<section id=\"s%zu\">\n<h2>", section->number);
    lab_markup_put(page, text_of(manifest, "experiment"));
    fputs("</h2>\n", page);
    lab_markup_paragraphs(page, text_of(manifest, "description"));
    put_line(page, manifest);
    put_variant_words(page, manifest);
    lab_report_results(page, section->found);
    int rc = put_figures(page, section, why);
    put_origin(page, section->found);
    fputs("<details><summary>Settings</summary>\n", page);
    lab_report_settings(page, manifest);
    fputs("</details>\n", page);
    put_fold(page, "Scenario", text_of(manifest, "scenario"));
    fputs("</section>\n", page);
    return rc;
}
