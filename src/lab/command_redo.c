/*
 * redo: what a manifest says is run again, and must come to the same digests.
 *
 * The manifest has the scenario itself, what its user gave on the command line and, of a sweep, all
 * points of the grid, or, below one, its own; nothing else is looked at, least of all the folder it
 * came from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/lab/commands.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/number.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan_run.h"
#include "version.h"

/* ---- the comparison ---- */

struct verdict {
    json_t *runs; /* {"variant", "point", "seed", "digest", "before", "same"} of each */
    bool same;
};

/* The manifest, and what it says of each point of its grid; of a run that is one point, without
 * settings of its own. */
struct record {
    const json_t *manifest;
    struct lab_options options; /* the command line that its user gave, as far as it matters */
    struct lab_pairs *point;
    const json_t **digests; /* of each point: by variant, in the order of the seeds */
    size_t points;
    struct lab_arena arena;
};

static json_t *point_json(const struct lab_study *study, size_t point)
{
    return study->points != 0 ? lab_summary_settings(&study->point[point]) : NULL;
}

static void judge(struct verdict *verdict, const struct lab_plan *plan, struct lab_place place,
                  const struct lab_result *result, const json_t *digests)
{
    const struct lab_study *study = &plan->study;
    const char *variant = study->variant[place.variant].name;
    const char *before =
        json_string_value(json_array_get(json_object_get(digests, variant), place.seed));
    const struct lab_field *digest = lab_result_field(result, "digest");
    const char *now = digest != NULL ? digest->text : NULL;
    bool same = now != NULL && before != NULL && strcmp(now, before) == 0;
    char *name = lab_study_name(study, place);
    verdict->same &= same;
    json_array_append_new(verdict->runs,
                          json_pack("{s:s, s:s, s:o*, s:I, s:s?, s:s?, s:b}", "name", name,
                                    "variant", variant, "point", point_json(study, place.point),
                                    "seed", (json_int_t)study->seed[place.seed], "digest", now,
                                    "before", before, "same", (int)same));
    free(name);
}

static struct verdict compare(const struct lab_plan *plan, const struct lab_result *result,
                              const struct record *record)
{
    struct verdict verdict = {.runs = json_array(), .same = true};
    for (size_t run = 0; run < lab_study_runs(&plan->study); run++) {
        struct lab_place place = lab_study_place(&plan->study, run);
        judge(&verdict, plan, place, &result[run], record->digests[place.point]);
    }
    return verdict;
}

static const char *version_of(const json_t *manifest)
{
    const char *version = json_string_value(json_object_get(manifest, "version"));
    return version != NULL ? version : "unknown";
}

static void print_run(const json_t *run, const json_t *manifest)
{
    const char *now = json_string_value(json_object_get(run, "digest"));
    const char *before = json_string_value(json_object_get(run, "before"));
    const char *version = version_of(manifest);
    printf("%s, seed %lld: %s, ", json_string_value(json_object_get(run, "name")),
           (long long)json_integer_value(json_object_get(run, "seed")), now != NULL ? now : "none");
    if (json_is_true(json_object_get(run, "same"))) {
        puts("the same");
        return;
    }
    printf("NOT the same: it was %s", before != NULL ? before : "not recorded");
    if (before != NULL && strcmp(version, HSAY_VERSION) != 0)
        printf(" by version %s, and this is %s", version, HSAY_VERSION);
    putchar('\n');
}

static int tell(struct verdict *verdict, const struct lab_options *options, const json_t *manifest)
{
    int rc = verdict->same ? LAB_EXIT_DONE : LAB_EXIT_FAILED;
    size_t i;
    json_t *run;
    json_array_foreach(verdict->runs, i, run)
    {
        if (!options->json)
            print_run(run, manifest);
        json_object_del(run, "name");
    }
    json_t *line = json_pack("{s:O?, s:s, s:s, s:b, s:o}", "experiment",
                             json_object_get(manifest, "experiment"), "version", HSAY_VERSION,
                             "version_before", version_of(manifest), "same", (int)verdict->same,
                             "runs", verdict->runs);
    if (options->json && (line == NULL || lab_summary_line(stdout, line) != 0))
        rc = LAB_EXIT_FAILED;
    if (fflush(stdout) != 0)
        rc = LAB_EXIT_FAILED;
    json_decref(line);
    return rc;
}

/* ---- from the manifest to a plan ---- */

/* A setting as it was written: the text, or the number. */
static char *text_of(const json_t *value)
{
    return json_is_string(value) ? lab_heap_copy(json_string_value(value))
                                 : json_dumps(value, JSON_ENCODE_ANY | LAB_JSON_FORM);
}

/* A later one goes over an earlier one. */
static bool add_settings(struct lab_options *options, json_t *settings)
{
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        if (options->sets == LAB_OPTION_SETS_MAX)
            return false;
        options->key[options->sets] = key;
        options->owned[options->sets] = text_of(value);
        options->value[options->sets] = options->owned[options->sets];
        if (options->owned[options->sets++] == NULL)
            return false;
    }
    return true;
}

static void add_variants(struct lab_options *options, const json_t *digests)
{
    const char *variant;
    json_t *list;
    json_object_foreach((json_t *)digests, variant, list)
    {
        if (options->variants < LAB_OPTION_VARIANTS_MAX)
            options->variant[options->variants++] = variant;
    }
}

static struct lab_pairs pairs_of(struct lab_arena *arena, json_t *settings)
{
    struct lab_pair *pair = lab_arena_alloc(arena, (json_object_size(settings) + 1) * sizeof *pair);
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        char *text = text_of(value);
        pair[count++] = (struct lab_pair){lab_arena_text(arena, key),
                                          lab_arena_text(arena, text != NULL ? text : "")};
        free(text);
    }
    return (struct lab_pairs){pair, count};
}

/* Each point must have the same keys, for that is what a grid is. */
static bool read_points(struct record *record, const json_t *points)
{
    size_t i;
    json_t *point;
    record->points = json_array_size(points);
    record->point = lab_arena_alloc(&record->arena, record->points * sizeof *record->point + 1);
    record->digests = lab_arena_alloc(&record->arena, record->points * sizeof *record->digests + 1);
    json_array_foreach(points, i, point)
    {
        record->point[i] = pairs_of(&record->arena, json_object_get(point, "settings"));
        record->digests[i] = json_object_get(point, "digests");
        if (record->digests[i] == NULL || record->point[i].count != record->point[0].count)
            return false;
    }
    return record->points != 0;
}

static bool read_record(struct record *record, const json_t *manifest,
                        const struct lab_options *given)
{
    const json_t *points = json_object_get(manifest, "points");
    struct lab_options *options = &record->options;
    *record = (struct record){.manifest = manifest};
    options->jobs = given->jobs;
    options->quiet = given->quiet;
    options->args = 1;
    options->arg[0] = json_string_value(json_object_get(manifest, "experiment"));
    if (points != NULL && !read_points(record, points))
        return false;
    if (points == NULL) {
        record->digests = lab_arena_alloc(&record->arena, sizeof *record->digests);
        record->digests[0] = json_object_get(manifest, "digests");
    }
    add_variants(options, record->digests[0]);
    return add_settings(options, json_object_get(manifest, "given")) &&
           add_settings(options, json_object_get(manifest, "point")) && options->arg[0] != NULL;
}

static int redo(const struct record *record, const struct lab_options *given,
                const struct lab_plan_request *request)
{
    struct lab_plan plan;
    int rc = LAB_EXIT_USAGE;
    if (lab_plan_make(&plan, request)) {
        bool whole; /* a run that failed is not the same in any case */
        struct lab_result *result = lab_plan_run(&plan, given, &whole);
        rc = LAB_EXIT_FAILED;
        if (result != NULL) {
            struct verdict verdict = compare(&plan, result, record);
            rc = tell(&verdict, given, record->manifest);
            lab_plan_drop(&plan, result);
        }
    }
    lab_plan_free(&plan);
    return rc;
}

static int redo_manifest(const json_t *manifest, const struct lab_options *given, int argc,
                         char **argv)
{
    struct record record;
    int rc = LAB_EXIT_USAGE;
    bool good = read_record(&record, manifest, given);
    const char *text = json_string_value(json_object_get(manifest, "scenario"));
    if (!good || text == NULL)
        fputs("hearsay-lab: the manifest has no scenario, no settings, or no digests\n", stderr);
    else
        rc = redo(&record, given,
                  &(struct lab_plan_request){.options = &record.options,
                                             .text = text,
                                             .sweep = record.points != 0,
                                             .point = record.point,
                                             .points = record.points,
                                             .argc = argc,
                                             .argv = argv});
    lab_options_free(&record.options);
    lab_arena_free(&record.arena);
    return rc;
}

/* A file, or the folder that one lies in. */
static json_t *load(const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return lab_manifest_load(path);
    return lab_manifest_read(path);
}

int lab_command_redo(const struct lab_options *options, int argc, char **argv)
{
    if (options->args != 1) {
        fputs("hearsay-lab: which one?  redo DIR/manifest.json\n", stderr);
        return LAB_EXIT_USAGE;
    }
    if (!lab_options_only(options, LAB_OPTION_JOBS))
        return LAB_EXIT_USAGE;
    json_t *manifest = load(options->arg[0]);
    int rc = LAB_EXIT_USAGE;
    if (manifest == NULL)
        fprintf(stderr, "hearsay-lab: no manifest of this program: %s\n", options->arg[0]);
    else
        rc = redo_manifest(manifest, options, argc, argv);
    json_decref(manifest);
    return rc;
}
