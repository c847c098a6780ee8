/*
 * fuzz: runs of the swarm, one process each, and what broke in them.
 *
 * Every sixteenth seed is run a second time with another number of threads: it has to come to the
 * same digest.  A run that fails is told with all that was drawn for it, the version, and the
 * command that makes it again.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "src/lab/commands.h"
#include "src/lab/config.h"
#include "src/lab/output/bar.h"
#include "src/lab/output/batch.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/shell.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"
#include "src/lab/swarm.h"
#include "version.h"

enum { TWICE_EVERY = 16, SHOWN_MAX = 3, SLOWEST = 10, WHY_BYTES = 1024 };

struct fuzz {
    const struct lab_options *options;
    uint64_t *seed;
    size_t seeds, seeds_room;
    struct lab_result *result;
};

/* ---- which seeds ---- */

static void add_seed(struct fuzz *fuzz, uint64_t seed)
{
    fuzz->seed = lab_heap_grow(fuzz->seed, fuzz->seeds, &fuzz->seeds_room, sizeof *fuzz->seed);
    fuzz->seed[fuzz->seeds++] = seed;
}

/* A seed a line; what stands behind # is for people. */
static bool read_list(struct fuzz *fuzz, const char *path)
{
    char line[256], *end;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "hearsay-lab: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = true;
    for (unsigned number = 1; good && fgets(line, sizeof line, file) != NULL; number++) {
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0')
            continue;
        errno = 0;
        uint64_t seed = strtoull(line, &end, 10);
        good = end != line && end[strspn(end, " \t")] == '\0' && errno == 0;
        if (good)
            add_seed(fuzz, seed);
        else
            fprintf(stderr, "hearsay-lab: %s:%u: a seed is a number\n", path, number);
    }
    fclose(file);
    return good;
}

static bool was_given(const struct lab_options *options, const char *key)
{
    for (size_t i = 0; i < options->sets; i++)
        if (strcmp(options->key[i], key) == 0)
            return true;
    return false;
}

/* Those of a file, if one is named; and those that --seed and --seeds say. */
static bool read_seeds(struct fuzz *fuzz)
{
    const struct lab_options *options = fuzz->options;
    struct lab_settings settings;
    char why[WHY_BYTES] = "";
    bool good = true;
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    for (size_t i = 0; good && i < options->sets; i++)
        good =
            lab_settings_set(&settings, options->key[i], options->value[i], why, sizeof why) == 0;
    if (!good)
        fprintf(stderr, "hearsay-lab: %s\n", why);
    for (size_t i = 0; good && i < options->args; i++)
        good = read_list(fuzz, options->arg[i]);
    uint64_t first = (uint64_t)lab_settings_number(&settings, "seed");
    uint64_t count = (uint64_t)lab_settings_number(&settings, "seeds");
    bool range = options->args == 0 || was_given(options, "seed") || was_given(options, "seeds");
    for (uint64_t i = 0; good && range && i < count; i++)
        add_seed(fuzz, first + i);
    lab_settings_free(&settings);
    return good;
}

/* ---- a run ---- */

/* What was drawn, and over it what the command line says; `threads` as well, unless it is NULL. */
static bool make_plan(const struct fuzz *fuzz, uint64_t seed, const char *threads,
                      struct lab_plan *plan)
{
    struct lab_options options = {.arg = {"swarm"}, .args = 1};
    char number[24], *text = lab_swarm_scenario(seed);
    snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    for (size_t i = 0; i < fuzz->options->sets && options.sets < LAB_OPTION_SETS_MAX - 2; i++) {
        const char *key = fuzz->options->key[i];
        if (strcmp(key, "seed") == 0 || strcmp(key, "seeds") == 0)
            continue;
        options.key[options.sets] = key;
        options.value[options.sets++] = fuzz->options->value[i];
    }
    options.key[options.sets] = "seed";
    options.value[options.sets++] = number;
    if (threads != NULL) {
        options.key[options.sets] = "threads";
        options.value[options.sets++] = threads;
    }
    struct lab_plan_request request = {.options = &options, .text = text};
    bool good = lab_plan_make(plan, &request);
    free(text);
    return good;
}

static int run_seed(const struct fuzz *fuzz, uint64_t seed, const char *threads,
                    struct lab_result *out)
{
    struct lab_plan plan;
    struct lab_run_request request = {.seed = seed};
    int rc = -1;
    if (make_plan(fuzz, seed, threads, &plan))
        rc = lab_run(&plan.scenario, &plan.settings[0], &request, out);
    else
        lab_result_text(out, "error", "the scenario that was drawn makes no sense");
    lab_plan_free(&plan);
    return rc;
}

static const char *text_of(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    return field != NULL && field->text != NULL ? field->text : "";
}

/* 0 if the run comes to the same with other threads. */
static int run_again(const struct fuzz *fuzz, uint64_t seed, struct lab_result *out)
{
    struct lab_result again;
    const char *threads = seed / TWICE_EVERY % 2 == 0 ? "1" : "3";
    lab_result_init(&again);
    int rc = run_seed(fuzz, seed, threads, &again);
    if (rc == 0 && strcmp(text_of(out, "digest"), text_of(&again, "digest")) != 0) {
        lab_result_number(out, "digest_differs", 1);
        lab_result_text(out, "error", "another number of threads comes to another digest");
        rc = -1;
    }
    lab_result_free(&again);
    return rc;
}

static int run_job(const struct lab_job *job, struct lab_result *out, void *user)
{
    const struct fuzz *fuzz = user;
    uint64_t seed = fuzz->seed[job->number];
    int rc = run_seed(fuzz, seed, NULL, out);
    return rc == 0 && seed % TWICE_EVERY == 0 ? run_again(fuzz, seed, out) : rc;
}

static void label_job(size_t job, char *text, size_t size, void *user)
{
    const struct fuzz *fuzz = user;
    snprintf(text, size, "swarm, seed %llu", (unsigned long long)fuzz->seed[job]);
}

static void replay_job(size_t job, FILE *out, void *user)
{
    const struct fuzz *fuzz = user;
    fprintf(out, "hearsay-lab fuzz --seed %llu --seeds 1", (unsigned long long)fuzz->seed[job]);
    for (size_t i = 0; i < fuzz->options->sets; i++) {
        const char *key = fuzz->options->key[i];
        if (strcmp(key, "seed") != 0 && strcmp(key, "seeds") != 0)
            lab_shell_put_set(out, key, fuzz->options->value[i]);
    }
}

/* ---- what it comes to ---- */

static double number_of(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    return field != NULL && field->text == NULL && !isnan(field->number) ? field->number : 0;
}

static double sum_of(const struct fuzz *fuzz, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < fuzz->seeds; i++)
        sum += number_of(&fuzz->result[i], name);
    return sum;
}

/* A run that left no result ended by a signal; one that could not be made failed, too. */
static bool has_failed(const struct lab_result *result)
{
    return lab_result_field(result, "digest") == NULL || text_of(result, "error")[0] != '\0';
}

/* Violations that the invariants counted; a failure of another kind counts as one. */
static double violations_of(const struct lab_result *result)
{
    double counted = number_of(result, "violations");
    return counted == 0 && has_failed(result) ? 1 : counted;
}

static json_t *invariants_json(const struct fuzz *fuzz)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < LAB_INVARIANT_COUNT; i++) {
        const char *name = lab_invariant_name((enum lab_invariant)i);
        char field[40];
        snprintf(field, sizeof field, "violations_%s", name);
        json_object_set_new(object, name, json_integer((json_int_t)sum_of(fuzz, field)));
    }
    json_object_set_new(object, "digest", json_integer((json_int_t)sum_of(fuzz, "digest_differs")));
    return object;
}

static void put_sum(json_t *object, const struct fuzz *fuzz, const char *name)
{
    json_object_set_new(object, name, json_integer((json_int_t)sum_of(fuzz, name)));
}

/* Of the steps that healing was allowed, what it took. */
static double heal_part(const struct lab_result *result)
{
    double bound = number_of(result, "heal_bound");
    return bound > 0 ? number_of(result, "heal_steps") / bound : 0;
}

/* How long healing took: mean and worst, and the worst as a part of what was allowed. */
static void put_healing(json_t *object, const struct fuzz *fuzz)
{
    double sum = 0, worst = 0, part = 0, count = 0;
    for (size_t i = 0; i < fuzz->seeds; i++) {
        const struct lab_result *r = &fuzz->result[i];
        if (lab_result_field(r, "heal_steps") == NULL)
            continue;
        sum += number_of(r, "heal_steps");
        count++;
        worst = fmax(worst, number_of(r, "heal_steps"));
        part = fmax(part, heal_part(r));
    }
    json_object_set_new(object, "heal_steps_mean", json_real(count != 0 ? sum / count : 0));
    json_object_set_new(object, "heal_steps_worst", json_real(worst));
    json_object_set_new(object, "heal_bound_used", json_real(part));
}

/* The seeds that took most of their bound, worst first. */
static json_t *slowest_json(const struct fuzz *fuzz)
{
    json_t *list = json_array();
    double below = INFINITY;
    for (unsigned n = 0; n < SLOWEST; n++) {
        const struct lab_result *found = NULL;
        size_t at = 0;
        for (size_t i = 0; i < fuzz->seeds; i++) {
            const struct lab_result *r = &fuzz->result[i];
            if (heal_part(r) > 0 && heal_part(r) < below &&
                (found == NULL || heal_part(r) > heal_part(found))) {
                found = r;
                at = i;
            }
        }
        if (found == NULL)
            break;
        below = heal_part(found);
        json_array_append_new(list, json_pack("{s:I,s:f,s:f}", "seed", (json_int_t)fuzz->seed[at],
                                              "heal_steps", number_of(found, "heal_steps"),
                                              "heal_bound", number_of(found, "heal_bound")));
    }
    return list;
}

static json_t *summary_of(const struct fuzz *fuzz, double seconds)
{
    static const char *const sums[] = {"events",         "turns",   "datagrams",   "deliveries",
                                       "commits_failed", "crashes", "puts_failed", "clock_jumps"};
    json_t *object = json_object(), *failed = json_array();
    double violations = 0;
    for (size_t i = 0; i < fuzz->seeds; i++) {
        violations += violations_of(&fuzz->result[i]);
        if (has_failed(&fuzz->result[i]))
            json_array_append_new(failed, json_integer((json_int_t)fuzz->seed[i]));
    }
    json_object_set_new(object, "experiment", json_string("fuzz"));
    json_object_set_new(object, "version", json_string(HSAY_VERSION));
    json_object_set_new(object, "seeds", json_integer((json_int_t)fuzz->seeds));
    json_object_set_new(object, "violations", json_integer((json_int_t)violations));
    json_object_set_new(object, "failed_seeds", failed);
    json_object_set_new(object, "invariants", invariants_json(fuzz));
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        put_sum(object, fuzz, sums[i]);
    put_healing(object, fuzz);
    json_object_set_new(object, "slowest", slowest_json(fuzz));
    json_object_set_new(object, "wall_seconds", json_real(seconds));
    return object;
}

/* All that was drawn for the first runs that failed. */
static void show_failed(const struct fuzz *fuzz)
{
    unsigned shown = 0;
    for (size_t i = 0; i < fuzz->seeds && shown < SHOWN_MAX; i++) {
        if (!has_failed(&fuzz->result[i]))
            continue;
        char *text = lab_swarm_scenario(fuzz->seed[i]);
        fprintf(stderr, "\nseed %llu, version %s, again: ", (unsigned long long)fuzz->seed[i],
                HSAY_VERSION);
        replay_job(i, stderr, (void *)(uintptr_t)fuzz);
        fprintf(stderr, "\n%s", text);
        free(text);
        shown++;
    }
}

/* ---- the command ---- */

static int run_all(struct fuzz *fuzz)
{
    struct lab_batch batch = {
        .jobs = fuzz->seeds,
        .at_once = fuzz->options->jobs,
        .quiet = fuzz->options->quiet,
        .run = run_job,
        .label = label_job,
        .replay = replay_job,
        .version = HSAY_VERSION,
        .user = fuzz,
    };
    uint64_t begun_ns = lab_bar_clock_ns();
    fuzz->result = lab_heap_new(fuzz->seeds, sizeof *fuzz->result);
    for (size_t i = 0; i < fuzz->seeds; i++)
        lab_result_init(&fuzz->result[i]);
    enum lab_batch_end end = lab_batch_run(&batch, fuzz->result);
    if (end == LAB_BATCH_STOPPED)
        return LAB_EXIT_FAILED;
    json_t *summary = summary_of(fuzz, (double)(lab_bar_clock_ns() - begun_ns) / 1e9);
    if (end == LAB_BATCH_FAILED)
        show_failed(fuzz);
    if (!fuzz->options->json)
        lab_summary_print(stdout, summary);
    int rc = lab_summary_line(stdout, summary) == 0 && end == LAB_BATCH_DONE ? LAB_EXIT_DONE
                                                                             : LAB_EXIT_FAILED;
    json_decref(summary);
    return rc;
}

int lab_command_fuzz(const struct lab_options *options, int argc, char **argv)
{
    struct fuzz fuzz = {.options = options};
    int rc = LAB_EXIT_USAGE;
    (void)argc, (void)argv;
    if (lab_options_only(options, LAB_OPTION_SETTINGS | LAB_OPTION_JOBS) && read_seeds(&fuzz))
        rc = fuzz.seeds != 0 ? run_all(&fuzz) : LAB_EXIT_DONE;
    for (size_t i = 0; fuzz.result != NULL && i < fuzz.seeds; i++)
        lab_result_free(&fuzz.result[i]);
    free(fuzz.result);
    free(fuzz.seed);
    return rc;
}
