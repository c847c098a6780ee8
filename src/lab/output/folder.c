#include "src/lab/output/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/lab/output/aggregate.h"
#include "src/lab/output/csv.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/number.h"
#include "src/lab/output/summary.h"

/* A text that becomes a file in one step, or not at all. */
static int write_file(const char *folder, const char *name, struct lab_text *text,
                      struct lab_why *why)
{
    size_t size;
    char *bytes = lab_text_take(text, &size);
    char *path = lab_heap_format("%s/%s", folder, name);
    int rc = file_write(path, bytes, size, 0644);
    if (rc != 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
    free(bytes);
    free(path);
    return rc;
}

static int write_json(const char *folder, const char *name, const json_t *object,
                      struct lab_why *why)
{
    struct lab_text text;
    lab_text_open(&text);
    json_dumpf(object, text.out, LAB_JSON_FORM | JSON_INDENT(2));
    fputc('\n', text.out);
    return write_file(folder, name, &text, why);
}

static int make_folder(const char *path, struct lab_why *why)
{
    if (file_make_folder(path, 0755) == 0)
        return 0;
    return lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Some of the runs of a study, and what stands in front of their rows. */
struct runs {
    const struct lab_study *study;
    const struct lab_result *result;
    size_t first, count;
};

static struct runs runs_of_point(const struct lab_study *study, const struct lab_result *result,
                                 size_t point)
{
    size_t count = study->variants * study->seeds;
    return (struct runs){study, result, point * count, count};
}

static void put_front(FILE *out, const struct runs *runs, size_t run)
{
    struct lab_place place = lab_study_place(runs->study, run);
    lab_csv_put(out, runs->study->variant[place.variant].name);
    fprintf(out, ",%llu", (unsigned long long)runs->study->seed[place.seed]);
}

static void put_field(FILE *out, const struct lab_field *field)
{
    char text[LAB_NUMBER_BYTES];
    fputc(',', out);
    if (field == NULL)
        return;
    lab_csv_put(out, field->text != NULL ? field->text : lab_number_csv(text, field->number));
}

static void put_fields(FILE *out, const struct runs *runs, size_t run,
                       const struct lab_field_names *names)
{
    put_front(out, runs, run);
    for (size_t i = 0; i < names->count; i++)
        put_field(out, lab_result_field(&runs->result[run], names->name[i]));
    fputc('\n', out);
}

static void put_names(FILE *out, const struct lab_field_names *names)
{
    fputs("variant,seed", out);
    for (size_t i = 0; i < names->count; i++) {
        fputc(',', out);
        lab_csv_put(out, names->name[i]);
    }
    fputc('\n', out);
}

static int write_runs(const char *folder, const struct runs *runs, struct lab_why *why)
{
    struct lab_text text;
    struct lab_field_names names;
    lab_text_open(&text);
    lab_field_names(&names, runs->result + runs->first, runs->count);
    put_names(text.out, &names);
    for (size_t i = 0; i < runs->count; i++)
        put_fields(text.out, runs, runs->first + i, &names);
    lab_field_names_free(&names);
    return write_file(folder, "runs.csv", &text, why);
}

static void put_rows(FILE *out, const struct runs *runs, size_t run, const struct lab_table *table)
{
    char text[LAB_NUMBER_BYTES];
    for (size_t row = 0; row < table->rows; row++) {
        put_front(out, runs, run);
        for (size_t i = 0; i < table->width; i++)
            fprintf(out, ",%s", lab_number_csv(text, table->cell[row * table->width + i]));
        fputc('\n', out);
    }
}

static int write_table(const char *folder, const struct runs *runs, const struct lab_table *like,
                       struct lab_why *why)
{
    struct lab_text text;
    lab_text_open(&text);
    fprintf(text.out, "variant,seed,%s\n", like->columns);
    for (size_t i = 0; i < runs->count; i++) {
        const struct lab_table *table =
            lab_result_find_table(&runs->result[runs->first + i], like->name);
        if (table != NULL && table->width == like->width)
            put_rows(text.out, runs, runs->first + i, table);
    }
    char *name = lab_heap_format("%s.csv", like->name);
    int rc = write_file(folder, name, &text, why);
    free(name);
    return rc;
}

/* A table is written when the first run that has it is looked at. */
static bool is_first_with(const struct runs *runs, size_t index, const char *name)
{
    for (size_t i = 0; i < index; i++) {
        if (lab_result_find_table(&runs->result[runs->first + i], name) != NULL)
            return false;
    }
    return true;
}

static int write_tables(const char *path, const struct runs *runs, struct lab_why *why)
{
    char *folder = lab_heap_format("%s/tables", path);
    int rc = make_folder(folder, why);
    if (rc == 0)
        rc = write_runs(folder, runs, why);
    for (size_t i = 0; rc == 0 && i < runs->count; i++) {
        const struct lab_result *result = &runs->result[runs->first + i];
        for (size_t j = 0; rc == 0 && j < result->tables; j++) {
            if (is_first_with(runs, i, result->table[j]->name))
                rc = write_table(folder, runs, result->table[j], why);
        }
    }
    free(folder);
    return rc;
}

/* --- folders --------------------------------------------------------------------------------- */

static int write_manifest(const char *path, const struct runs *runs, enum lab_manifest_kind kind,
                          struct lab_why *why)
{
    size_t point = lab_study_place(runs->study, runs->first).point;
    json_t *manifest = lab_manifest(runs->study, runs->result, kind, point);
    int rc = write_json(path, "manifest.json", manifest, why);
    json_decref(manifest);
    return rc;
}

static int write_sweep_table(const char *path, const struct runs *runs, struct lab_why *why)
{
    const struct lab_study *study = runs->study;
    struct lab_text text;
    struct lab_field_names names;
    lab_text_open(&text);
    lab_field_names(&names, runs->result, runs->count);
    for (size_t i = 0; i < study->point[0].count; i++)
        fprintf(text.out, "%s,", study->point[0].pair[i].key);
    put_names(text.out, &names);
    for (size_t run = 0; run < runs->count; run++) {
        const struct lab_pairs *point = &study->point[lab_study_place(study, run).point];
        for (size_t i = 0; i < point->count; i++) {
            lab_csv_put(text.out, point->pair[i].value);
            fputc(',', text.out);
        }
        put_fields(text.out, runs, run, &names);
    }
    lab_field_names_free(&names);
    return write_file(path, "sweep.csv", &text, why);
}

static int write_point(const char *path, const struct runs *all, size_t point, struct lab_why *why)
{
    struct runs runs = runs_of_point(all->study, all->result, point);
    char *name = lab_manifest_point_name(&all->study->point[point]);
    char *folder = lab_heap_format("%s/%s", path, name);
    json_t *summary = lab_summary(all->study, all->result, point, why);
    int rc = summary != NULL ? make_folder(folder, why) : HSAY_EINVAL;
    if (rc == 0)
        rc = write_manifest(folder, &runs, LAB_MANIFEST_POINT, why);
    if (rc == 0)
        rc = write_tables(folder, &runs, why);
    if (rc == 0)
        rc = write_json(folder, "result.json", summary, why);
    json_decref(summary);
    free(folder);
    free(name);
    return rc;
}

static int write_sweep(const char *path, const struct runs *runs, struct lab_why *why)
{
    int rc = write_sweep_table(path, runs, why);
    for (size_t i = 0; rc == 0 && i < runs->study->points; i++)
        rc = write_point(path, runs, i, why);
    return rc;
}

int lab_folder_write(const char *path, const struct lab_study *study,
                     const struct lab_result *result, const json_t *summary, struct lab_why *why)
{
    struct runs runs = {study, result, 0, lab_study_runs(study)};
    bool sweep = study->points > 0;
    int rc = lab_folder_check(path, why);
    if (rc != 0)
        return rc;
    lab_folder_clear(path);
    rc = write_manifest(path, &runs, sweep ? LAB_MANIFEST_SWEEP : LAB_MANIFEST_RUN, why);
    if (rc == 0)
        rc = sweep ? write_sweep(path, &runs, why) : write_tables(path, &runs, why);
    return rc != 0 ? rc : write_json(path, "result.json", summary, why);
}
