/* Goal: what runs found comes out whole and in order, whichever run crashed; numbers over seeds are
 * what they are called; nobody's folder is overwritten; and the report needs nothing but itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/lab/output/aggregate.h"
#include "src/lab/output/bar.h"
#include "src/lab/output/batch.h"
#include "src/lab/output/folder.h"
#include "src/lab/output/gnuplot.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/number.h"
#include "src/lab/output/report.h"
#include "src/lab/output/summary.h"
#include "tests/lab/output_rig.h"

/* --- a study to try things on ---------------------------------------------------------------- */

static const struct lab_pair settings[] = {{"nodes", "100"}, {"loss", "10%"}, {"rate", "0.1"}};
static const struct lab_pair slower[] = {{"step", "10s"}};
static const struct lab_variant variant[] = {{"main", "as <is>", {NULL, 0}},
                                             {"long", NULL, {slower, 1}}};
static const uint64_t seed[] = {7, 8};
static const struct lab_pair low[] = {{"loss", "0.1"}}, high[] = {{"loss", "0.5"}};
static const struct lab_pairs point[] = {{low, 1}, {high, 1}};
static const struct lab_derived derived[] = {{"ratio", "long.steps", "main.steps", '/', NULL}};
static const struct lab_figure figure[] = {
    {.title = "Spread", .table = "spread", .x = "step", .y = "share", .note = "a \"note\" <1>"},
    {.title = "Steps \"of\" each",
     .table = "runs",
     .x = "variant",
     .y = "steps",
     .style = LAB_STYLE_BARS,
     .has_bar = true,
     .bar = 9,
     .bar_text = "nine"},
    {.title = "Over loss", .table = "sweep", .x = "loss", .y = "steps"},
    {.title = "Shares", .table = "spread", .x = "share", .style = LAB_STYLE_CDF, .y = "all"},
    {.title = "Heat",
     .table = "spread",
     .x = "step",
     .y = "node,share",
     .style = LAB_STYLE_HEATMAP},
};

static struct lab_study study_of(bool sweep)
{
    return (struct lab_study){
        .experiment = "try",
        .description = "One & two.\n\nThree.",
        .scenario = "@1 publish {1}\n",
        .version = "1.2.3",
        .command = "hearsay-lab run try --set name='a \"b\"'",
        .nodes = 100,
        .threads = 1,
        .settings = {settings, 3},
        .variant = variant,
        .variants = 2,
        .seed = seed,
        .seeds = 2,
        .point = point,
        .points = sweep ? 2 : 0,
        .derived = derived,
        .derived_count = 1,
        .figure = figure,
        .figures = sizeof figure / sizeof figure[0],
    };
}

/* Run 0 is main and seed 7, 1 main and 8, 2 long and 7, ... */
static struct lab_result *results_of(const struct lab_study *study)
{
    size_t runs = lab_study_runs(study);
    struct lab_result *result = calloc(runs, sizeof *result);
    for (size_t i = 0; i < runs; i++) {
        struct lab_table *spread = lab_result_table(&result[i], "spread", "step,node,share");
        lab_result_number(&result[i], "steps", (double)(2 + 2 * i));
        lab_result_text(&result[i], "digest", i % 2 ? "bb" : "aa");
        for (int step = 0; step < 4; step++)
            lab_table_row(spread, (double[]){step, step % 2, 0.25 * step + 0.01 * (double)i});
    }
    return result;
}

static void free_results(struct lab_result *result, const struct lab_study *study)
{
    for (size_t i = 0; i < lab_study_runs(study); i++)
        lab_result_free(&result[i]);
    free(result);
}

/* --- results and numbers --------------------------------------------------------------------- */

static void a_result_goes_through_a_file(void **state)
{
    struct lab_result from, to;
    int fd = memfd_create("test", MFD_CLOEXEC);
    (void)state;
    lab_result_init(&from);
    lab_result_init(&to);
    lab_result_number(&from, "a", 1);
    lab_result_text(&from, "t", "x\ny");
    lab_result_number(&from, "none", NAN);
    lab_result_number(&from, "a", 0.1);
    lab_table_row(lab_result_table(&from, "two", "x,y"), (double[]){1, NAN});
    lab_table_row(lab_result_table(&from, "two", "x,y"), (double[]){2, 1e300});
    lab_result_table(&from, "empty", "z");

    assert_int_equal(lab_result_save(&from, fd), 0);
    assert_int_equal(lab_result_load(&to, fd), 0);
    assert_int_equal(to.fields, 3);
    assert_string_equal(to.field[0].name, "a");
    assert_true(to.field[0].number == 0.1);
    assert_string_equal(lab_result_field(&to, "t")->text, "x\ny");
    assert_true(isnan(lab_result_field(&to, "none")->number));
    assert_int_equal(lab_result_find_table(&to, "two")->rows, 2);
    assert_true(lab_result_find_table(&to, "two")->cell[3] == 1e300);
    assert_int_equal(lab_result_find_table(&to, "empty")->rows, 0);

    /* Half a file is none. */
    lab_result_free(&to);
    off_t size = lseek(fd, 0, SEEK_END);
    for (off_t cut = 0; cut < size; cut++) {
        int half = memfd_create("half", MFD_CLOEXEC);
        char *bytes = malloc((size_t)size);
        assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
        assert_int_equal(write(half, bytes, (size_t)cut), cut);
        assert_int_equal(lab_result_load(&to, half), HSAY_EBAD);
        lab_result_free(&to);
        free(bytes);
        close(half);
    }
    lab_result_free(&from);
    close(fd);
}

static void numbers_are_written_well(void **state)
{
    char text[LAB_NUMBER_BYTES];
    double number;
    (void)state;
    assert_string_equal(lab_number_text(text, 1234567), "1,234,567");
    assert_string_equal(lab_number_text(text, -12345.6), "-12,346");
    assert_string_equal(lab_number_text(text, 1234), "1234");
    assert_string_equal(lab_number_text(text, 0.03125), "0.03125");
    assert_string_equal(lab_number_text(text, 0.99999), "0.99999");
    assert_string_equal(lab_number_text(text, -0.0), "0");
    assert_string_equal(lab_number_text(text, NAN), "-");
    assert_string_equal(lab_number_csv(text, 0.1), "0.1");
    assert_string_equal(lab_number_csv(text, 3), "3");
    assert_string_equal(lab_number_csv(text, 9007199254740992.0), "9007199254740992");
    assert_string_equal(lab_number_csv(text, INFINITY), "");
    assert_true(lab_number_parse("-1.5e3", &number) && number == -1500);
    assert_false(lab_number_parse("10%", &number));
    assert_false(lab_number_parse("nan", &number));
    assert_false(lab_number_parse("0x10", &number));
    assert_false(lab_number_parse("", &number));
}

/* --- over seeds ------------------------------------------------------------------------------ */

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void seeds_are_put_together(void **state)
{
    enum { RUNS = 40 };
    struct lab_result run[RUNS];
    static const struct lab_field_rule rule[] = {
        {"low", LAB_PLAIN_LEAST}, {"high", LAB_PLAIN_LARGEST}, {"sum", LAB_PLAIN_SUM}};
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        lab_result_init(&run[i]);
        double value = (i * 7) % RUNS + 1; /* 1 to 40, mixed */
        lab_result_number(&run[i], "plain", value);
        lab_result_number(&run[i], "low", value);
        lab_result_number(&run[i], "high", value);
        lab_result_number(&run[i], "sum", value);
        lab_result_number(&run[i], "never", i == 3 ? NAN : 5);
        if (i == 4)
            lab_result_number(&run[i], "once", 6);
        lab_result_text(&run[i], "same", "s");
        lab_result_text(&run[i], "digest", i % 2 ? "x" : "y");
        lab_result_number(&run[i], "peak_gib", value);
    }
    json_t *all = lab_aggregate(run, RUNS, rule, 3);
    assert_true(number_of(all, "plain") == 20.5);
    assert_true(number_of(all, "plain_mean") == 20.5);
    assert_true(number_of(all, "plain_least") == 1);
    assert_true(number_of(all, "plain_worst") == 40);
    assert_true(number_of(all, "plain_p95") == 38);
    assert_true(number_of(all, "low") == 1);
    assert_true(number_of(all, "high") == 40);
    assert_true(number_of(all, "sum") == 820);
    assert_true(number_of(all, "peak_gib") == 40);
    assert_true(json_is_null(json_object_get(all, "never")));
    assert_true(number_of(all, "never_missing") == 1);
    assert_true(number_of(all, "never_mean") == 5);
    assert_true(number_of(all, "once") == 6);
    assert_null(json_object_get(all, "once_missing"));
    assert_string_equal(json_string_value(json_object_get(all, "same")), "s");
    assert_int_equal(json_string_length(json_object_get(all, "digest")), 32);

    /* One seed is itself; two seeds in the other order are another digest. */
    json_t *one = lab_aggregate(run, 1, NULL, 0);
    assert_string_equal(json_string_value(json_object_get(one, "digest")), "y");
    struct lab_result swapped[] = {run[1], run[0]};
    json_t *two = lab_aggregate(run, 2, NULL, 0), *other = lab_aggregate(swapped, 2, NULL, 0);
    assert_false(json_equal(json_object_get(two, "digest"), json_object_get(other, "digest")));
    json_decref(all);
    json_decref(one);
    json_decref(two);
    json_decref(other);
    for (int i = 0; i < RUNS; i++)
        lab_result_free(&run[i]);
}

static void the_summary_is_one_line(void **state)
{
    struct lab_study study = study_of(false);
    struct lab_result *result = results_of(&study);
    struct lab_text text;
    struct lab_why why;
    (void)state;
    lab_result_text(&result[0], "odd", "line\nand \"quotes\" \\ \x01");
    json_t *summary = lab_summary_any(&study, result, &why);
    lab_text_open(&text);
    assert_int_equal(lab_summary_line(text.out, summary), 0);
    char *line = lab_text_take(&text, NULL);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);

    json_t *back = json_loads(line, 0, NULL);
    assert_non_null(back);
    assert_true(number_of(back, "steps") == 3);
    assert_true(number_of(back, "steps_worst") == 4);
    assert_true(fabs(number_of(back, "ratio") - 7.0 / 3) < 1e-8);
    assert_true(number_of(back, "seeds") == 2);
    assert_true(number_of(back, "seed_first") == 7);
    assert_true(number_of(json_object_get(back, "settings"), "rate") == 0.1);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(back, "settings"), "loss")), "10%");
    json_t *variants = json_object_get(back, "variants");
    assert_true(number_of(json_object_get(variants, "long"), "steps") == 7);
    assert_has(line, "\\\"quotes\\\" \\\\ \\u0001");
    assert_has(line, "\"rate\":0.1}");
    json_decref(back);

    lab_text_open(&text);
    lab_summary_print(text.out, summary);
    char *table = lab_text_take(&text, NULL);
    assert_has(table, "3 (2 to 4)");
    assert_has(table, "ratio = 2.333");
    free(table);
    free(line);
    json_decref(summary);
    free_results(result, &study);
}

static void derived_fields_are_checked(void **state)
{
    static const struct lab_derived bad[] = {{"r", "main.nothing", NULL, 0, "own.scenario:7"}},
                                    other[] = {{"r", "short.steps", NULL, 0, NULL}},
                                    zero[] = {{"r", "main.steps", "0", '/', NULL}},
                                    minus[] = {{"r", "main.steps", "long.steps", '-', NULL}};
    struct lab_study study = study_of(false);
    struct lab_result *result = results_of(&study);
    struct lab_why why;
    (void)state;
    study.derived = bad;
    json_t *holed = lab_summary_any(&study, result, &why);
    assert_true(json_is_null(json_object_get(holed, "r")));
    assert_string_equal(why.text, "own.scenario:7: there is no number 'main.nothing'");
    json_decref(holed);
    study.derived = other;
    assert_null(lab_summary_any(&study, result, &why));
    assert_has(why.text, "'short.steps' is no VARIANT.FIELD");
    study.derived = zero;
    json_t *summary = lab_summary_any(&study, result, &why);
    assert_true(json_is_null(json_object_get(summary, "r")));
    json_decref(summary);
    study.derived = minus;
    summary = lab_summary_any(&study, result, &why);
    assert_true(number_of(summary, "r") == -4);
    json_decref(summary);
    free_results(result, &study);
}

/* --- processes ------------------------------------------------------------------------------- */

enum { CRASH = 2, FAIL = 4 };

static int run_some(const struct lab_job *job, struct lab_result *out, void *user)
{
    bool bad = *(bool *)user;
    lab_job_progress(job, 0.5);
    lab_result_number(out, "number", (double)job->number);
    if (bad && job->number == CRASH) {
        /* Not abort(): sanitizers have their own way with signals. */
        kill(getpid(), SIGKILL);
    }
    if (bad && job->number == FAIL) {
        lab_result_text(out, "error", "no peers in scenario");
        return HSAY_EINVAL;
    }
    return 0;
}

static void label(size_t job, char *text, size_t size, void *user)
{
    (void)user;
    snprintf(text, size, "main, seed %zu", job);
}

static void replay(size_t job, FILE *out, void *user)
{
    (void)user;
    fprintf(out, "hearsay-lab run try --seed %zu", job);
}

static enum lab_batch_end batch(struct lab_result *result, size_t jobs, bool bad, char **log)
{
    struct lab_text text;
    lab_text_open(&text);
    struct lab_batch batch = {.jobs = jobs,
                              .at_once = 2,
                              .quiet = true,
                              .log = text.out,
                              .run = run_some,
                              .label = label,
                              .replay = replay,
                              .version = "7.1",
                              .user = &bad};
    enum lab_batch_end end = lab_batch_run(&batch, result);
    *log = lab_text_take(&text, NULL);
    return end;
}

static void runs_come_back_in_order(void **state)
{
    struct lab_result result[7] = {0};
    char *log;
    (void)state;
    assert_int_equal(batch(result, 7, false, &log), LAB_BATCH_DONE);
    assert_string_equal(log, "");
    for (size_t i = 0; i < 7; i++) {
        assert_true(lab_result_field(&result[i], "number")->number == (double)i);
        assert_true(lab_result_field(&result[i], "wall_seconds")->number > 0);
        assert_true(lab_result_field(&result[i], "cpu_seconds")->number >= 0);
        assert_true(lab_result_field(&result[i], "peak_gib")->number > 0);
        lab_result_free(&result[i]);
    }
    free(log);
}

static void a_crash_is_told_and_takes_no_other(void **state)
{
    struct lab_result result[6] = {0};
    char *log;
    (void)state;
    assert_int_equal(batch(result, 6, true, &log), LAB_BATCH_FAILED);
    assert_has(log, "main, seed 2: ended by signal 9 (Killed)\n"
                    "  version 7.1, again: hearsay-lab run try --seed 2\n");
    assert_has(
        log,
        "main, seed 4: no peers in scenario\n  version 7.1, again: hearsay-lab run try --seed 4\n");
    assert_int_equal(count_of(log, "again"), 2);
    assert_true(lab_result_field(&result[5], "number")->number == 5);
    for (size_t i = 0; i < 6; i++)
        lab_result_free(&result[i]);
    free(log);
}

static int run_for_ever(const struct lab_job *job, struct lab_result *out, void *user)
{
    (void)out;
    (void)user;
    if (job->number == 0)
        kill(getppid(), SIGTERM);
    while (pause() != 0)
        continue;
    return 0;
}

static void a_signal_ends_all(void **state)
{
    struct lab_result result[3] = {0};
    struct lab_text text;
    (void)state;
    lab_text_open(&text);
    struct lab_batch batch = {.jobs = 3,
                              .at_once = 2,
                              .quiet = true,
                              .log = text.out,
                              .run = run_for_ever,
                              .label = label,
                              .replay = replay,
                              .version = "7.1"};
    assert_int_equal(lab_batch_run(&batch, result), LAB_BATCH_STOPPED);
    char *log = lab_text_take(&text, NULL);
    assert_string_equal(log, "");
    free(log);
}

static void the_bar_fits(void **state)
{
    struct lab_bar_state half = {.done = 3, .total = 6, .share = 0.5, .label = "main, seed 4"};
    char text[256];
    (void)state;
    lab_bar_text(text, sizeof text, &half, 60, 0);
    assert_string_equal(text, "[############............] 3/6  50%  60 s, 60 s left  main, seed 4");
    lab_bar_text(text, sizeof text, &half, 60, 20);
    assert_int_equal(strlen(text), 20);
    lab_bar_text(text, sizeof text, &(struct lab_bar_state){.total = 1, .label = ""}, 7200, 0);
    assert_string_equal(text, "[........................] 0/1   0%  2.0 h  ");
}

/* --- folders --------------------------------------------------------------------------------- */

static int write_study(const char *name, const struct lab_study *study, struct lab_why *why)
{
    struct lab_result *result = results_of(study);
    json_t *summary = lab_summary_any(study, result, why);
    int rc = lab_folder_write(at(name), study, result, summary, why);
    json_decref(summary);
    free_results(result, study);
    return rc;
}

static void a_folder_has_all(void **state)
{
    struct lab_study study = study_of(false);
    struct lab_why why;
    (void)state;
    assert_int_equal(write_study("run", &study, &why), 0);
    char *runs = read_text("run/tables/runs.csv");
    assert_string_equal(runs, "variant,seed,steps,digest\nmain,7,2,aa\nmain,8,4,bb\n"
                              "long,7,6,aa\nlong,8,8,bb\n");
    char *spread = read_text("run/tables/spread.csv");
    assert_has(spread, "variant,seed,step,node,share\nmain,7,0,0,0\nmain,7,1,1,0.25\n");
    json_t *manifest = lab_manifest_load(at("run"));
    assert_string_equal(json_string_value(json_object_get(manifest, "scenario")), study.scenario);
    assert_int_equal(json_array_size(json_object_get(manifest, "figures")), study.figures);
    assert_true(json_is_integer(json_object_get(json_object_get(manifest, "machine"), "cores")));
    json_t *digests = json_object_get(json_object_get(manifest, "digests"), "long");
    assert_string_equal(json_string_value(json_array_get(digests, 1)), "bb");
    json_decref(manifest);
    char *summary = read_text("run/result.json");
    assert_has(summary, "\"ratio\": 2.33333333");
    free(summary);
    free(runs);
    free(spread);
}

static void a_sweep_has_a_folder_per_point(void **state)
{
    struct lab_study study = study_of(true);
    struct lab_why why;
    (void)state;
    assert_int_equal(write_study("sweep", &study, &why), 0);
    char *table = read_text("sweep/sweep.csv");
    assert_has(table, "loss,variant,seed,steps,digest\n0.1,main,7,2,aa\n0.1,main,8,4,bb\n");
    assert_has(table, "\n0.5,long,8,16,bb\n");
    char *runs = read_text("sweep/loss=0.5/tables/runs.csv");
    assert_has(runs, "variant,seed,steps,digest\nmain,7,10,aa\n");
    char *result = read_text("sweep/loss=0.5/result.json");
    assert_has(result, "\"loss\": 0.5");
    free(table);
    free(runs);
    free(result);

    /* A former point that is none any more goes away. */
    study.points = 1;
    assert_int_equal(write_study("sweep", &study, &why), 0);
    assert_int_equal(access(at("sweep/loss=0.1/result.json"), F_OK), 0);
    assert_int_equal(access(at("sweep/loss=0.5"), F_OK), -1);
}

static void nobodys_folder_is_overwritten(void **state)
{
    struct lab_study study = study_of(false);
    struct lab_why why;
    (void)state;
    assert_int_equal(file_make_folder(at("mine/deep"), 0755), 0);
    assert_int_equal(lab_folder_check(at("mine"), &why), HSAY_EEXIST);
    assert_has(why.text, "mine/deep', which is no result of hearsay-lab");

    assert_int_equal(file_make_folder(at("other"), 0755), 0);
    assert_int_equal(lab_folder_check(at("other"), &why), 0);
    assert_int_equal(file_write(at("other/result.json"), "{}", 2, 0644), 0);
    assert_int_equal(lab_folder_check(at("other"), &why), HSAY_EEXIST);
    assert_has(why.text, "has no manifest.json of hearsay-lab");

    /* Not even a single file that was put beside a result. */
    assert_int_equal(write_study("again", &study, &why), 0);
    assert_int_equal(write_study("again", &study, &why), 0);
    assert_int_equal(file_write(at("again/tables/notes.txt"), "x", 1, 0644), 0);
    assert_int_equal(write_study("again", &study, &why), HSAY_EEXIST);
    assert_has(why.text, "again/tables/notes.txt'");
    assert_int_equal(access(at("again/result.json"), F_OK), 0);
    assert_int_equal(unlink(at("again/tables/notes.txt")), 0);
    assert_int_equal(symlink("/etc", at("again/figures")), 0);
    assert_int_equal(write_study("again", &study, &why), HSAY_EEXIST);

    assert_int_equal(file_write(at("file"), "x", 1, 0644), 0);
    assert_int_equal(lab_folder_check(at("file"), &why), HSAY_EEXIST);
    assert_has(why.text, "is no folder");
    assert_int_equal(lab_folder_check(at("file/below"), &why), HSAY_EIO);
    assert_has(why.text, "Not a directory");
}

static void a_disk_without_room_is_told(void **state)
{
    struct lab_study study = study_of(false);
    struct rlimit before, little;
    struct lab_why why;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    little = (struct rlimit){64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int rc = write_study("full", &study, &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, HSAY_EIO);
    assert_has(why.text, "full/manifest.json: File too large");
    assert_int_equal(access(at("full/result.json"), F_OK), -1);
    assert_int_equal(access(at("full/manifest.json.tmp"), F_OK), -1);
    /* And what is left is no reason to refuse the next attempt. */
    assert_int_equal(write_study("full", &study, &why), 0);
}

static void a_figure_goes_through_json(void **state)
{
    struct lab_figure back;
    json_t *object = lab_figure_json(&figure[1]);
    (void)state;
    assert_int_equal(lab_figure_parse(&back, object), 0);
    assert_string_equal(back.title, figure[1].title);
    assert_int_equal(back.style, LAB_STYLE_BARS);
    assert_true(back.has_bar && back.bar == 9);
    assert_false(back.has_x_max || back.logx);
    assert_string_equal(back.note, "");
    json_object_set_new(object, "style", json_string("pie"));
    assert_int_equal(lab_figure_parse(&back, object), HSAY_EBAD);
    json_decref(object);
}

/* --- the report ------------------------------------------------------------------------------ */

static bool can_draw(void)
{
    struct lab_why why;
    return lab_gnuplot_check(&why) == 0;
}

static char *report_of(const char *folder, char **log)
{
    struct lab_text text;
    struct lab_why why = {""};
    char *from = lab_heap_copy(at(folder)), *to = lab_heap_copy(at("report/page.html"));
    const char *const folders[] = {from};
    lab_text_open(&text);
    struct lab_report report = {
        .folder = folders, .folders = 1, .out = to, .version = "1.2.3", .log = text.out};
    if (lab_report_write(&report, &why) != 0)
        fail_msg("%s", why.text);
    *log = lab_text_take(&text, NULL);
    free(from);
    free(to);
    return read_text("report/page.html");
}

/* Every id once, and no address of anything outside of the page. */
static void assert_self_contained(const char *page)
{
    json_t *ids = json_object();
    for (const char *id = page; (id = strstr(id, " id=\"")) != NULL; id++) {
        char *name = lab_heap_copy_part(id + 5, strcspn(id + 5, "\""));
        if (json_object_get(ids, name) != NULL)
            fail_msg("the id %s is there twice", name);
        json_object_set_new(ids, name, json_true());
        free(name);
    }
    assert_true(json_object_size(ids) > 10);
    json_decref(ids);
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    assert_null(strstr(page, " src="));
    for (const char *href = page; (href = strstr(href, "href=\"")) != NULL; href++)
        assert_true(href[6] == '#' || strncmp(href + 6, "data:", 5) == 0);
}

static void the_report_needs_nothing_else(void **state)
{
    struct lab_study plain = study_of(false), sweep = study_of(true);
    struct lab_why why;
    char *log;
    (void)state;
    if (!can_draw())
        skip();
    sweep.experiment = "swept";
    assert_int_equal(write_study("all/one", &plain, &why), 0);
    assert_int_equal(write_study("all/two", &sweep, &why), 0);
    char *page = report_of("all", &log);
    assert_self_contained(page);
    assert_int_equal(count_of(page, "<section"), 2);
    assert_int_equal(count_of(page, "<figure>"), 9);
    assert_has(page, "<p>One &amp; two.</p>");
    assert_has(page, "\"Over loss\" is drawn from the results of a sweep");
    assert_int_equal(count_of(page, "<dt>main</dt><dd>as &lt;is&gt;</dd>"), 2);
    assert_null(strstr(page, "<dt>long"));
    assert_has(page, "a &quot;note&quot; &lt;1&gt;");
    assert_has(page, "--set name=&#39;a &quot;b&quot;&#39;");
    assert_has(page, "9 (nine)");
    assert_string_equal(log, ""); /* a figure of a sweep is no fault of a run */

    char *csv = read_text("report/figures/02-swept-3.csv");
    assert_string_equal(csv, "series,loss,mean,least,largest,seeds\nmain,0.1,3,2,4,2\n"
                             "main,0.5,11,10,12,2\nlong,0.1,7,6,8,2\nlong,0.5,15,14,16,2\n");
    char *svg = read_text("report/figures/01-try-1.svg");
    assert_has(svg, "xmlns=\"http://www.w3.org/2000/svg\"");
    free(svg);
    free(csv);
    free(log);
    free(page);
}

static void a_report_of_nothing_is_told(void **state)
{
    struct lab_why why;
    const char *const folders[] = {work};
    char *out = lab_heap_copy(at("empty/report.html"));
    struct lab_report report = {.folder = folders, .folders = 1, .out = out, .version = "1"};
    (void)state;
    assert_int_equal(file_make_folder(at("empty"), 0755), 0);
    char *empty = lab_heap_copy(at("empty"));
    report.folder = (const char *const[]){empty};
    assert_int_equal(lab_report_write(&report, &why), HSAY_ENOENT);
    assert_has(why.text, "empty: no results of hearsay-lab here");
    free(empty);
    free(out);
}

static void without_gnuplot_its_package_is_named(void **state)
{
    struct lab_why why;
    char *path = lab_heap_copy(getenv("PATH")), *out = NULL;
    (void)state;
    setenv("PATH", at("nothing"), 1);
    int rc = lab_gnuplot_check(&why);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(rc, HSAY_ENOENT);
    assert_has(why.text, "gnuplot-nox");

    if (!can_draw())
        skip();
    assert_int_equal(lab_gnuplot_run("set nonsense 7\n", &out, &why), HSAY_EBAD);
    assert_has(why.text, "gnuplot failed:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_goes_through_a_file),
        cmocka_unit_test(numbers_are_written_well),
        cmocka_unit_test(seeds_are_put_together),
        cmocka_unit_test(the_summary_is_one_line),
        cmocka_unit_test(derived_fields_are_checked),
        cmocka_unit_test(runs_come_back_in_order),
        cmocka_unit_test(a_crash_is_told_and_takes_no_other),
        cmocka_unit_test(a_signal_ends_all),
        cmocka_unit_test(the_bar_fits),
        cmocka_unit_test(a_folder_has_all),
        cmocka_unit_test(a_sweep_has_a_folder_per_point),
        cmocka_unit_test(nobodys_folder_is_overwritten),
        cmocka_unit_test(a_disk_without_room_is_told),
        cmocka_unit_test(a_figure_goes_through_json),
        cmocka_unit_test(the_report_needs_nothing_else),
        cmocka_unit_test(a_report_of_nothing_is_told),
        cmocka_unit_test(without_gnuplot_its_package_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
