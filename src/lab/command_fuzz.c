/*
 * fuzz: runs of the swarm, one process each, and what broke in them.
 *
 * Every sixteenth seed is run a second time with another number of threads: it has to come to the
 * same digest.  A run that fails is told with all that was drawn for it, the version, and the
 * command that makes it again.
 */
#include <errno.h>
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
#include "src/lab/fuzz.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"
#include "src/lab/swarm.h"
#include "version.h"

enum { TWICE_EVERY = 16, SHOWN_MAX = 3, WHY_BYTES = 1024 };

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
        good = end != line && end[strspn(end, " \t")] == '\0' && errno == 0 && seed <= LAB_SEED_MAX;
        if (good)
            add_seed(fuzz, seed);
        else
            fprintf(stderr, "hearsay-lab: %s:%u: a seed is a number from 0 to %lld\n", path, number,
                    (long long)LAB_SEED_MAX);
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

/* 0 if the run comes to the same with other threads. */
static int run_again(const struct fuzz *fuzz, uint64_t seed, struct lab_result *out)
{
    struct lab_result again;
    const char *threads = seed / TWICE_EVERY % 2 == 0 ? "1" : "3";
    lab_result_init(&again);
    int rc = run_seed(fuzz, seed, threads, &again);
    if (rc == 0 && strcmp(lab_fuzz_text(out, "digest"), lab_fuzz_text(&again, "digest")) != 0) {
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

/* All that was drawn for the first runs that failed. */
static void show_failed(const struct fuzz *fuzz)
{
    unsigned shown = 0;
    for (size_t i = 0; i < fuzz->seeds && shown < SHOWN_MAX; i++) {
        if (!lab_fuzz_failed(&fuzz->result[i]))
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

/* What goes over all that is drawn may make no sense with it: better told once than by each run. */
static bool makes_sense(const struct fuzz *fuzz)
{
    struct lab_plan plan;
    bool good = make_plan(fuzz, fuzz->seed[0], NULL, &plan);
    lab_plan_free(&plan);
    return good;
}

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
    json_t *summary = lab_fuzz_summary(fuzz, (double)(lab_bar_clock_ns() - begun_ns) / 1e9);
    if (end == LAB_BATCH_FAILED)
        show_failed(fuzz);
    if (!fuzz->options->json)
        lab_fuzz_print(stdout, summary);
    int rc = lab_summary_line(stdout, summary) == 0 && end == LAB_BATCH_DONE ? LAB_EXIT_DONE
                                                                             : LAB_EXIT_FAILED;
    json_decref(summary);
    return rc;
}

int lab_command_fuzz(const struct lab_options *options, int argc, char **argv)
{
    struct fuzz fuzz = {.options = options, .argc = argc, .argv = argv};
    int rc = LAB_EXIT_USAGE;
    if (lab_options_only(options, LAB_OPTION_SETTINGS | LAB_OPTION_JOBS) && read_seeds(&fuzz))
        rc = fuzz.seeds == 0 ? LAB_EXIT_DONE : makes_sense(&fuzz) ? run_all(&fuzz) : LAB_EXIT_USAGE;
    for (size_t i = 0; fuzz.result != NULL && i < fuzz.seeds; i++)
        lab_result_free(&fuzz.result[i]);
    free(fuzz.result);
    free(fuzz.seed);
    return rc;
}
