/*
 * redo: what a manifest says is run again, and must come to the same digests.
 *
 * The manifest has the scenario itself, what its user gave on the command line and, below a sweep,
 * the point of the grid; nothing else is looked at, least of all the folder it came from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/lab/commands.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan_run.h"
#include "version.h"

/* ---- the comparison ---- */

struct verdict {
    json_t *runs; /* {"variant", "seed", "digest", "before", "same"} of each */
    bool same;
};

static void judge(struct verdict *verdict, const struct lab_plan *plan, struct lab_place place,
                  const struct lab_result *result, const json_t *digests)
{
    const char *variant = plan->study.variant[place.variant].name;
    const json_t *list = json_object_get(digests, variant);
    const char *before = json_string_value(json_array_get(list, place.seed));
    const struct lab_field *digest =
        lab_result_field(&result[lab_study_run(&plan->study, place)], "digest");
    const char *now = digest != NULL ? digest->text : NULL;
    bool same = now != NULL && before != NULL && strcmp(now, before) == 0;
    verdict->same &= same;
    json_array_append_new(verdict->runs,
                          json_pack("{s:s, s:I, s:s?, s:s?, s:b}", "variant", variant, "seed",
                                    (json_int_t)plan->study.seed[place.seed], "digest", now,
                                    "before", before, "same", (int)same));
}

static struct verdict compare(const struct lab_plan *plan, const struct lab_result *result,
                              const json_t *manifest)
{
    struct verdict verdict = {.runs = json_array(), .same = true};
    const json_t *digests = json_object_get(manifest, "digests");
    struct lab_place place = {0, 0, 0};
    for (place.variant = 0; place.variant < plan->study.variants; place.variant++)
        for (place.seed = 0; place.seed < plan->study.seeds; place.seed++)
            judge(&verdict, plan, place, result, digests);
    return verdict;
}

static void print_verdict(const struct verdict *verdict, const json_t *manifest)
{
    const char *version = json_string_value(json_object_get(manifest, "version"));
    size_t i;
    json_t *run;
    json_array_foreach(verdict->runs, i, run)
    {
        const char *now = json_string_value(json_object_get(run, "digest"));
        const char *before = json_string_value(json_object_get(run, "before"));
        printf("%s, seed %lld: %s, ", json_string_value(json_object_get(run, "variant")),
               (long long)json_integer_value(json_object_get(run, "seed")),
               now != NULL ? now : "none");
        if (json_is_true(json_object_get(run, "same")))
            puts("the same");
        else
            printf("NOT the same: it was %s\n", before != NULL ? before : "not recorded");
    }
    if (!verdict->same && version != NULL && strcmp(version, HSAY_VERSION) != 0)
        printf("It was made by version %s, and this is %s.\n", version, HSAY_VERSION);
}

static int tell(struct verdict *verdict, const struct lab_options *options, const json_t *manifest)
{
    int rc = verdict->same ? LAB_EXIT_DONE : LAB_EXIT_FAILED;
    if (!options->json)
        print_verdict(verdict, manifest);
    json_t *line =
        json_pack("{s:O?, s:s, s:b, s:o}", "experiment", json_object_get(manifest, "experiment"),
                  "version", HSAY_VERSION, "same", (int)verdict->same, "runs", verdict->runs);
    if (options->json && (line == NULL || lab_summary_line(stdout, line) != 0))
        rc = LAB_EXIT_FAILED;
    if (fflush(stdout) != 0)
        rc = LAB_EXIT_FAILED;
    json_decref(line);
    return rc;
}

/* ---- from the manifest to a plan ---- */

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
        options->owned[options->sets] = json_is_string(value)
                                            ? lab_heap_copy(json_string_value(value))
                                            : json_dumps(value, JSON_ENCODE_ANY);
        options->value[options->sets] = options->owned[options->sets];
        options->sets++;
    }
    return true;
}

/* The command line that its user gave, as far as it matters. */
static bool options_of(const json_t *manifest, const struct lab_options *given,
                       struct lab_options *options)
{
    json_t *digests = json_object_get(manifest, "digests");
    *options = (struct lab_options){.jobs = given->jobs, .quiet = given->quiet, .args = 1};
    options->arg[0] = json_string_value(json_object_get(manifest, "experiment"));
    const char *variant;
    json_t *list;
    json_object_foreach(digests, variant, list)
    {
        if (options->variants < LAB_OPTION_VARIANTS_MAX)
            options->variant[options->variants++] = variant;
    }
    return add_settings(options, json_object_get(manifest, "given")) &&
           add_settings(options, json_object_get(manifest, "point")) && options->arg[0] != NULL;
}

static int redo(const json_t *manifest, const struct lab_options *given,
                const struct lab_plan_request *request)
{
    struct lab_plan plan;
    int rc = LAB_EXIT_USAGE;
    if (lab_plan_make(&plan, request)) {
        struct lab_result *result = lab_plan_run(&plan, given);
        rc = LAB_EXIT_FAILED;
        if (result != NULL) {
            struct verdict verdict = compare(&plan, result, manifest);
            rc = tell(&verdict, given, manifest);
            lab_plan_drop(&plan, result);
        }
    }
    lab_plan_free(&plan);
    return rc;
}

static int redo_manifest(const json_t *manifest, const struct lab_options *given, int argc,
                         char **argv)
{
    struct lab_options options;
    int rc = LAB_EXIT_USAGE;
    bool good = options_of(manifest, given, &options);
    const char *text = json_string_value(json_object_get(manifest, "scenario"));
    if (json_object_get(manifest, "points") != NULL)
        fputs("hearsay-lab: a sweep is redone by its points: redo DIR/POINT\n", stderr);
    else if (!good || text == NULL)
        fputs("hearsay-lab: the manifest has no scenario, or no settings\n", stderr);
    else
        rc = redo(manifest, given,
                  &(struct lab_plan_request){
                      .options = &options, .text = text, .argc = argc, .argv = argv});
    lab_options_free(&options);
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
