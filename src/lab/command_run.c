/* run, sweep and redo: a plan, its runs in processes, the summary, the folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/file.h"
#include "src/lab/commands.h"
#include "src/lab/output/batch.h"
#include "src/lab/output/folder.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"

static void show_progress(void *self, double share)
{
    lab_job_progress(self, share);
}

static const struct lab_settings *settings_of(const struct lab_plan *plan, struct lab_place place)
{
    return &plan->settings[place.point * plan->study.variants + place.variant];
}

/* DIR/main-1.jsonl, with the grid's point in front where there is one; free() it. */
static char *events_path(const struct lab_plan *plan, struct lab_place place)
{
    char *point =
        plan->study.points != 0 ? lab_manifest_point_name(&plan->study.point[place.point]) : NULL;
    char *path = lab_heap_format("%s/%s%s%s-%llu.jsonl", plan->events, point != NULL ? point : "",
                                 point != NULL ? "-" : "", plan->study.variant[place.variant].name,
                                 (unsigned long long)plan->study.seed[place.seed]);
    free(point);
    return path;
}

static int run_job(const struct lab_job *job, struct lab_result *out, void *user)
{
    const struct lab_plan *plan = user;
    struct lab_place place = lab_study_place(&plan->study, job->number);
    char *events = plan->events != NULL ? events_path(plan, place) : NULL;
    struct lab_run_request request = {.seed = plan->study.seed[place.seed],
                                      .events = events,
                                      .progress = show_progress,
                                      .progress_self = (void *)(uintptr_t)job};
    int rc = lab_run(&plan->scenario, settings_of(plan, place), &request, out);
    free(events);
    return rc;
}

static void label_job(size_t number, char *text, size_t size, void *user)
{
    const struct lab_plan *plan = user;
    struct lab_place place = lab_study_place(&plan->study, number);
    char *name = lab_study_name(&plan->study, place);
    snprintf(text, size, "%s, seed %llu", name, (unsigned long long)plan->study.seed[place.seed]);
    free(name);
}

/* Only what differs from the table's fallbacks need be said; the scenario's own are in it. */
static void replay_job(size_t number, char *text, size_t size, void *user)
{
    const struct lab_plan *plan = user;
    struct lab_place place = lab_study_place(&plan->study, number);
    const struct lab_settings *settings = settings_of(plan, place);
    int at = snprintf(text, size, "hearsay-lab run %s --seed %llu --seeds 1 --variant %s",
                      plan->scenario.file[0].name, (unsigned long long)plan->study.seed[place.seed],
                      plan->study.variant[place.variant].name);
    for (size_t i = 0; i < settings->count && at >= 0 && (size_t)at < size; i++) {
        const struct lab_setting *s = &settings->entry[i];
        if (s->origin == LAB_SETTING_GIVEN && strcmp(s->rule->key, "seed") != 0 &&
            strcmp(s->rule->key, "seeds") != 0)
            at += snprintf(text + at, size - (size_t)at, " --set %s=%s", s->rule->key, s->text);
    }
}

static struct lab_result *make_results(const struct lab_study *study)
{
    size_t runs = lab_study_runs(study);
    struct lab_result *result = lab_heap_new(runs, sizeof *result);
    for (size_t i = 0; i < runs; i++)
        lab_result_init(&result[i]);
    return result;
}

static void free_results(const struct lab_study *study, struct lab_result *result)
{
    for (size_t i = 0; i < lab_study_runs(study); i++)
        lab_result_free(&result[i]);
    free(result);
}

static int complain(const struct lab_why *why)
{
    fprintf(stderr, "hearsay-lab: %s\n", why->text);
    return LAB_EXIT_FAILED;
}

static int complain_errno(const char *path)
{
    fprintf(stderr, "hearsay-lab: %s: %s\n", path, strerror(errno));
    return LAB_EXIT_FAILED;
}

static int show(const struct lab_plan *plan, const struct lab_options *options,
                const struct lab_result *result)
{
    struct lab_why why;
    int rc = LAB_EXIT_DONE;
    json_t *summary = lab_summary_any(&plan->study, result, &why);
    if (summary == NULL)
        return complain(&why);
    if (options->out != NULL &&
        lab_folder_write(options->out, &plan->study, result, summary, &why) != 0)
        rc = complain(&why);
    if (!options->json)
        lab_summary_print(stdout, summary);
    if (lab_summary_line(stdout, summary) != 0)
        rc = LAB_EXIT_FAILED;
    json_decref(summary);
    return rc;
}

static struct lab_batch batch_of(struct lab_plan *plan, const struct lab_options *options)
{
    return (struct lab_batch){
        .jobs = lab_study_runs(&plan->study),
        .at_once = options->jobs,
        .quiet = options->quiet,
        .run = run_job,
        .label = label_job,
        .replay = replay_job,
        .user = plan,
    };
}

static int carry_out(struct lab_plan *plan, const struct lab_options *options)
{
    struct lab_batch batch = batch_of(plan, options);
    struct lab_result *result = make_results(&plan->study);
    int rc = lab_batch_run(&batch, result) == LAB_BATCH_DONE ? show(plan, options, result)
                                                             : LAB_EXIT_FAILED;
    free_results(&plan->study, result);
    return rc;
}

/* The same runs from what a manifest says; their digests are to be the same. */
static int compare(const struct lab_plan *plan, const struct lab_result *result,
                   const json_t *manifest)
{
    unsigned differ = 0, all = 0;
    for (size_t v = 0; v < plan->study.variants; v++) {
        const json_t *before =
            json_object_get(json_object_get(manifest, "digests"), plan->study.variant[v].name);
        for (size_t s = 0; s < plan->study.seeds; s++) {
            size_t run = lab_study_run(&plan->study, (struct lab_place){0, v, s});
            const struct lab_field *now = lab_result_field(&result[run], "digest");
            const char *then = json_string_value(json_array_get(before, s));
            bool same = now != NULL && then != NULL && strcmp(now->text, then) == 0;
            printf("%s, seed %llu: %s, %s\n", plan->study.variant[v].name,
                   (unsigned long long)plan->study.seed[s], now != NULL ? now->text : "none",
                   same ? "the same" : "NOT the same");
            differ += !same;
            all++;
        }
    }
    return differ == 0 && all != 0 ? LAB_EXIT_DONE : LAB_EXIT_FAILED;
}

static int redo(struct lab_plan *plan, const struct lab_options *options, const json_t *manifest)
{
    struct lab_batch batch = batch_of(plan, options);
    struct lab_result *result = make_results(&plan->study);
    int rc = lab_batch_run(&batch, result) == LAB_BATCH_DONE ? compare(plan, result, manifest)
                                                             : LAB_EXIT_FAILED;
    free_results(&plan->study, result);
    return rc;
}

/* Fills options with what the manifest's user said. */
static void options_of(const json_t *manifest, const struct lab_options *given,
                       struct lab_options *options)
{
    const char *key;
    json_t *value;
    *options = (struct lab_options){.jobs = given->jobs, .quiet = given->quiet, .args = 1};
    options->arg[0] = json_string_value(json_object_get(manifest, "experiment"));
    json_object_foreach(json_object_get(manifest, "given"), key, value)
    {
        if (options->sets == LAB_OPTION_SETS_MAX)
            return;
        options->key[options->sets] = key;
        options->owned[options->sets] = json_is_string(value)
                                            ? lab_heap_copy(json_string_value(value))
                                            : json_dumps(value, JSON_ENCODE_ANY);
        options->value[options->sets] = options->owned[options->sets];
        options->sets++;
    }
}

static int redo_manifest(const json_t *manifest, const struct lab_options *given, int argc,
                         char **argv)
{
    struct lab_options options;
    struct lab_plan plan;
    int rc = LAB_EXIT_USAGE;
    options_of(manifest, given, &options);
    const char *text = json_string_value(json_object_get(manifest, "scenario"));
    const char *kind = json_string_value(json_object_get(manifest, "kind"));
    if (text == NULL || kind == NULL || strcmp(kind, "run") != 0 || options.arg[0] == NULL) {
        fputs("hearsay-lab: only the manifest of a run can be redone\n", stderr);
    } else {
        struct lab_plan_request request = {&options, text, false, argc, argv};
        if (lab_plan_make(&plan, &request))
            rc = redo(&plan, given, manifest);
        lab_plan_free(&plan);
    }
    lab_options_free(&options);
    return rc;
}

int lab_command_redo(const struct lab_options *options, int argc, char **argv)
{
    if (options->args != 1) {
        fputs("hearsay-lab: which one?  redo DIR/manifest.json\n", stderr);
        return LAB_EXIT_USAGE;
    }
    char *folder = lab_heap_copy(options->arg[0]);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && strcmp(slash, "/manifest.json") == 0)
        *slash = '\0';
    json_t *manifest = lab_manifest_load(strcmp(folder, "manifest.json") == 0 ? "." : folder);
    int rc = LAB_EXIT_USAGE;
    if (manifest == NULL)
        fprintf(stderr, "hearsay-lab: no manifest of this program: %s\n", options->arg[0]);
    else
        rc = redo_manifest(manifest, options, argc, argv);
    json_decref(manifest);
    free(folder);
    return rc;
}

static int plan_and_run(const struct lab_plan_request *request)
{
    const struct lab_options *options = request->options;
    struct lab_plan plan;
    struct lab_why why;
    int rc = LAB_EXIT_USAGE;
    if (lab_plan_make(&plan, request)) {
        if (options->out != NULL && lab_folder_check(options->out, &why) != 0)
            rc = complain(&why);
        else if (options->events != NULL && file_make_folder(options->events, 0755) != 0 &&
                 errno != EEXIST)
            rc = complain_errno(options->events);
        else
            rc = carry_out(&plan, options);
    }
    lab_plan_free(&plan);
    return rc;
}

int lab_command_run(const struct lab_options *options, int argc, char **argv)
{
    return plan_and_run(&(struct lab_plan_request){options, NULL, false, argc, argv});
}

int lab_command_sweep(const struct lab_options *options, int argc, char **argv)
{
    return plan_and_run(&(struct lab_plan_request){options, NULL, true, argc, argv});
}
