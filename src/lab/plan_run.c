#include "src/lab/plan_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/batch.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/shell.h"
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

/* Only what was given need be said; the scenario's own is in it.  What is run again by its manifest
 * has no other scenario. */
static void replay_job(size_t number, FILE *out, void *user)
{
    const struct lab_plan *plan = user;
    struct lab_place place = lab_study_place(&plan->study, number);
    const struct lab_settings *settings = settings_of(plan, place);
    if (plan->by_text) {
        fputs(plan->study.command, out);
        return;
    }
    fputs("hearsay-lab run", out);
    lab_shell_put(out, plan->scenario.file[0].name);
    fprintf(out, " --seed %llu --seeds 1 --variant %s",
            (unsigned long long)plan->study.seed[place.seed],
            plan->study.variant[place.variant].name);
    for (size_t i = 0; i < settings->count; i++) {
        const struct lab_setting *s = &settings->entry[i];
        if (s->origin == LAB_SETTING_GIVEN && strcmp(s->rule->key, "seed") != 0 &&
            strcmp(s->rule->key, "seeds") != 0)
            lab_shell_put_set(out, s->rule->key, s->text);
    }
    if (plan->events != NULL) {
        fputs(" --events", out);
        lab_shell_put(out, plan->events);
    }
}

/* What a failed run has measured up to then is no result beside those of the others. */
static size_t keep_good(struct lab_result *result, size_t runs)
{
    size_t good = 0;
    for (size_t i = 0; i < runs; i++) {
        const struct lab_field *error = lab_result_field(&result[i], "error");
        if (error == NULL && lab_result_field(&result[i], "digest") != NULL) {
            good++;
            continue;
        }
        char *why = lab_heap_copy(error != NULL ? error->text : "the run left no result");
        lab_result_free(&result[i]);
        lab_result_init(&result[i]);
        lab_result_text(&result[i], "error", why);
        free(why);
    }
    return good;
}

struct lab_result *lab_plan_run(struct lab_plan *plan, const struct lab_options *options,
                                bool *whole)
{
    struct lab_batch batch = {
        .jobs = lab_study_runs(&plan->study),
        .at_once = options->jobs,
        .quiet = options->quiet,
        .run = run_job,
        .label = label_job,
        .replay = replay_job,
        .version = plan->study.version,
        .user = plan,
    };
    struct lab_result *result = lab_heap_new(batch.jobs, sizeof *result);
    for (size_t i = 0; i < batch.jobs; i++)
        lab_result_init(&result[i]);
    enum lab_batch_end end = lab_batch_run(&batch, result);
    *whole = end == LAB_BATCH_DONE;
    if (end != LAB_BATCH_STOPPED && keep_good(result, batch.jobs) != 0)
        return result;
    if (end == LAB_BATCH_STOPPED)
        fputs("hearsay-lab: stopped before the end: there are no results\n", stderr);
    lab_plan_drop(plan, result);
    return NULL;
}

void lab_plan_drop(const struct lab_plan *plan, struct lab_result *result)
{
    for (size_t i = 0; i < lab_study_runs(&plan->study); i++)
        lab_result_free(&result[i]);
    free(result);
}
