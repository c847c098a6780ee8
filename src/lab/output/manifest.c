#include "src/lab/output/manifest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/lab/output/aggregate.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/machine.h"
#include "src/lab/output/summary.h"

static const char *const kind_name[] = {
    [LAB_MANIFEST_RUN] = "run", [LAB_MANIFEST_SWEEP] = "sweep", [LAB_MANIFEST_POINT] = "point"};

char *lab_manifest_point_name(const struct lab_pairs *point)
{
    struct lab_text text;
    lab_text_open(&text);
    for (size_t i = 0; i < point->count; i++)
        fprintf(text.out, "%s%s=%s", i > 0 ? "," : "", point->pair[i].key, point->pair[i].value);
    char *name = lab_text_take(&text, NULL);
    for (char *at = name; *at != 0; at++) {
        if (!isalnum((unsigned char)*at) && strchr("=,.+-_%", *at) == NULL)
            *at = '_';
    }
    return name;
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *date_now(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *variants_of(const struct lab_study *study)
{
    json_t *object = json_object();
    for (size_t i = 0; i < study->variants; i++)
        json_object_set_new(object, study->variant[i].name,
                            lab_summary_settings(&study->variant[i].settings));
    return object;
}

/* Of those that have any. */
static json_t *variant_words_of(const struct lab_study *study)
{
    json_t *object = json_object();
    for (size_t i = 0; i < study->variants; i++) {
        const char *help = study->variant[i].help;
        if (help != NULL && help[0] != 0)
            json_object_set_new(object, study->variant[i].name, json_string(help));
    }
    return object;
}

static json_t *seeds_of(const struct lab_study *study)
{
    json_t *list = json_array();
    for (size_t i = 0; i < study->seeds; i++)
        json_array_append_new(list, json_integer((json_int_t)study->seed[i]));
    return list;
}

static json_t *figures_of(const struct lab_study *study)
{
    json_t *list = json_array();
    for (size_t i = 0; i < study->figures; i++)
        json_array_append_new(list, lab_figure_json(&study->figure[i]));
    return list;
}

static void add_table_names(json_t *names, const struct lab_result *result, size_t runs)
{
    for (size_t i = 0; i < runs; i++) {
        for (size_t j = 0; j < result[i].tables; j++)
            json_object_set_new(names, result[i].table[j]->name,
                                json_string(result[i].table[j]->columns));
    }
}

/* Per variant, the digests of its seeds in their order. */
static json_t *digests_of(const struct lab_study *study, const struct lab_result *result,
                          size_t point)
{
    json_t *object = json_object();
    for (size_t i = 0; i < study->variants; i++) {
        json_t *list = json_array();
        for (size_t j = 0; j < study->seeds; j++) {
            size_t run = lab_study_run(study, (struct lab_place){point, i, j});
            const struct lab_field *digest = lab_result_field(&result[run], "digest");
            /* A run that failed has none, and keeps its place. */
            json_array_append_new(list, digest != NULL && digest->text != NULL
                                            ? json_string(digest->text)
                                            : json_null());
        }
        json_object_set_new(object, study->variant[i].name, list);
    }
    return object;
}

static json_t *points_of(const struct lab_study *study, const struct lab_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < study->points; i++) {
        char *name = lab_manifest_point_name(&study->point[i]);
        json_t *settings = lab_summary_settings(&study->point[i]);
        json_t *digests = digests_of(study, result, i);
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "folder", name, "settings",
                                              settings, "digests", digests));
        free(name);
    }
    return list;
}

static void put_runs(json_t *object, const struct lab_study *study, const struct lab_result *result,
                     enum lab_manifest_kind kind, size_t point)
{
    json_t *tables = json_object();
    size_t per_point = study->variants * study->seeds;
    if (kind == LAB_MANIFEST_SWEEP) {
        add_table_names(tables, result, lab_study_runs(study));
        json_object_set_new(object, "points", points_of(study, result));
    } else {
        add_table_names(tables, result + point * per_point, per_point);
        json_object_set_new(object, "digests", digests_of(study, result, point));
    }
    json_object_set_new(object, "tables", tables);
}

json_t *lab_manifest(const struct lab_study *study, const struct lab_result *result,
                     enum lab_manifest_kind kind, size_t point)
{
    json_t *object = json_object();
    json_t *settings = lab_summary_settings(&study->settings);
    json_object_set_new(object, "program", json_string(LAB_MANIFEST_PROGRAM));
    json_object_set_new(object, "version", json_string(study->version));
    json_object_set_new(object, "kind", json_string(kind_name[kind]));
    json_object_set_new(object, "experiment", json_string(study->experiment));
    json_object_set_new(object, "description", text_or_null(study->description));
    json_object_set_new(object, "command", json_string(study->command));
    json_object_set_new(object, "date", date_now());
    json_object_set_new(object, "nodes", json_integer((json_int_t)study->nodes));
    json_object_set_new(object, "threads", json_integer(study->threads));
    json_object_set_new(object, "machine", lab_machine());
    json_object_set_new(object, "seeds", seeds_of(study));
    json_object_set_new(object, "settings", settings);
    json_object_set_new(object, "given", lab_summary_settings(&study->given));
    if (kind == LAB_MANIFEST_POINT) {
        json_t *own = lab_summary_settings(&study->point[point]);
        json_object_update(settings, own);
        json_object_set_new(object, "point", own);
    }
    json_object_set_new(object, "variants", variants_of(study));
    json_object_set_new(object, "variant_words", variant_words_of(study));
    put_runs(object, study, result, kind, point);
    json_object_set_new(object, "figures", figures_of(study));
    json_object_set_new(object, "scenario", text_or_null(study->scenario));
    return object;
}

json_t *lab_manifest_load(const char *folder)
{
    char *path = lab_heap_format("%s/manifest.json", folder);
    json_t *object = lab_manifest_read(path);
    free(path);
    return object;
}

json_t *lab_manifest_read(const char *path)
{
    json_t *object = json_load_file(path, 0, NULL);
    const char *program = json_string_value(json_object_get(object, "program"));
    if (program != NULL && strcmp(program, LAB_MANIFEST_PROGRAM) == 0)
        return object;
    json_decref(object);
    return NULL;
}
