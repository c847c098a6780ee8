/* Goal: a run is its seed, its settings and its scenario, and nothing else.  The digest of all its
 * nodes is the same again in this process and in another, with any number of threads, with real
 * crypto and with counted, watched and not; another seed has another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/lab/config.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"

struct world {
    const char *name, *text;
};

/* Together they have everything that could make two runs differ.  The longer the least delay, the
 * fewer are the windows in which threads meet. */
static const struct world worlds[] = {
    {"calm", "set nodes 30\n set duration 60\n set delay_low 30ms\n"
             "@20 publish {any}\n @30 publish 900 count=5 {10%}\n @end expect same\n"},
    {"bad lines", "set nodes 25\n set duration 70\n set delay measured\n set delay_low 30ms\n"
                  "set loss 0.1\n set burst 3\n set duplicate 0.2\n set reorder 0.2\n"
                  "set corrupt 0.05\n set rate 20k\n set queue 8k\n"
                  "@10..60/10 publish 500 count=2 {any}\n"
                  "@40 link loss=0.4 delay=constant delay_low=30ms\n @60 link loss=0\n"},
    {"homes",
     "set nodes 30\n set duration 60\n set nat halkes2011\n set lan 3\n set delay_low 30ms\n"
     "@20 publish {10%}\n @30 flush_nat {20%}\n @50 publish {any}\n"},
    {"carriers", "set nodes 30\n set duration 60\n set nat cellular2016\n set delay regions\n"
                 "set bootstrap random\n set trackers 5\n @30..50/10 publish {any}\n"},
    {"coming and going",
     "set nodes 25\n set duration 70\n set churn exponential\n set delay_low 30ms\n"
     "set session 20\n set absence 8\n set rejoin empty\n set churn_from 10\n"
     "set nat port_restricted:0.5,open:0.5\n"
     "@20..60/5 publish count=2 {any}\n"},
    {"long and short",
     "set nodes 25\n set duration 80\n set churn weibull\n set delay_low 30ms\n set session 15\n"
     "set rejoin_address same\n set churn_until 60\n set tables medium\n"
     "@20..100/5 publish {any}\n"},
    {"mishaps", "set nodes 25\n set duration 120\n set quota 20k\n set delay_low 30ms\n"
                "peers few {2-6}\n"
                "@20..100/4 publish 300 {any}\n @30 partition {few}\n @40 clock 70 {20%}\n"
                "@50 partition cut=out {12-16}\n @60 heal\n @65 restart {few}\n"
                "@70 restart rejoin=empty address=new {25%}\n @80 quota 100k {1-10}\n"
                "@90 offline spread=5 {20-23}\n @100 online spread=5 {20-23}\n"},
    {"attackers",
     "set nodes 20\n set duration 40\n set attackers 60\n set delay_low 30ms\n set victims 5\n"
     "set attack relay\n @20 publish {any}\n @30 publish {any}\n"},
    {"old ways",
     "set nodes 30\n set duration 100\n set policy paper\n set delay_low 30ms\n set push no\n"
     "set fixed_step yes\n set shared_stats no\n @30..60/10 publish {any}\n"},
};
enum { WORLDS = sizeof worlds / sizeof worlds[0], DIGEST_BYTES = 24 };

static void say_faults(struct lab_faults *faults)
{
    lab_faults_print(faults, stderr);
    lab_faults_free(faults);
}

/* A setting on top, as from a command line; "" for none. */
static void set_pair(struct lab_settings *settings, const char *pair)
{
    char why[200];
    if (*pair != '\0' && lab_settings_set_pair(settings, pair, why, sizeof why) != 0)
        fail_msg("%s", why);
}

static void take_digest(const struct lab_result *result, char digest[DIGEST_BYTES])
{
    const struct lab_field *field = lab_result_field(result, "digest");
    assert_non_null(field);
    snprintf(digest, DIGEST_BYTES, "%s", field->text);
}

/* `more` are lines behind the world's own. */
static void run_into(const struct world *world, uint64_t seed, const char *pair, const char *more,
                     struct lab_result *result)
{
    char text[2000];
    struct lab_scenario scenario;
    struct lab_settings settings;
    struct lab_faults faults = {0};
    int size = snprintf(text, sizeof text, "%s%s", world->text, more);
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    int rc = lab_scenario_read_text(&scenario, lab_plan_language(), world->name, NULL, text,
                                    (size_t)size, &faults);
    if (rc == 0)
        rc = lab_scenario_declare(&scenario, &settings, &faults);
    set_pair(&settings, pair);
    if (rc == 0)
        rc = lab_scenario_choose(&scenario, 0, &settings, &faults);
    say_faults(&faults);
    assert_int_equal(rc, 0);
    rc = lab_run(&scenario, &settings, &(struct lab_run_request){.seed = seed}, result);
    if (rc != 0)
        fail_msg("%s: %s", world->name, lab_result_field(result, "error")->text);
    lab_settings_free(&settings);
    lab_scenario_free(&scenario);
}

static void run_world(const struct world *world, uint64_t seed, const char *pair, const char *more,
                      char digest[DIGEST_BYTES])
{
    struct lab_result result;
    lab_result_init(&result);
    run_into(world, seed, pair, more, &result);
    take_digest(&result, digest);
    lab_result_free(&result);
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* The world under seed 1 and with nothing on top. */
static char plain[WORLDS][DIGEST_BYTES];

static void expect_plain(size_t w, const char *pair, const char *more)
{
    char digest[DIGEST_BYTES];
    run_world(&worlds[w], 1, pair, more, digest);
    if (strcmp(digest, plain[w]) != 0)
        fail_msg("%s: %s with %s %s, %s without", worlds[w].name, digest, pair, more, plain[w]);
}

static int run_plain(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORLDS; w++)
        run_world(&worlds[w], 1, "", "", plain[w]);
    return 0;
}

static void again(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORLDS; w++)
        expect_plain(w, "", "");
}

static void any_number_of_threads(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORLDS; w++) {
        expect_plain(w, w % 2 == 0 ? "threads=2" : "threads=3", "");
    }
}

static void real_crypto(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORLDS; w++)
        expect_plain(w, "crypto=real", "");
}

static void watched(void **state)
{
    (void)state;
    for (size_t w = 0; w < WORLDS; w++) {
        expect_plain(w, "", "measure spread\nmeasure traffic from=20\n");
        expect_plain(w, w % 2 == 0 ? "threads=3" : "threads=2",
                     "measure spread horizon=4 settled=3 bundles=2\n");
    }
}

static void another_seed(void **state)
{
    (void)state;
    char digest[DIGEST_BYTES];
    for (size_t w = 0; w < WORLDS; w++)
        for (uint64_t seed = 2; seed <= 3; seed++) {
            run_world(&worlds[w], seed, "", "", digest);
            assert_string_not_equal(digest, plain[w]);
        }
}

/* One more line that does something, or another setting, is not overlooked by the digest. */
static void another_world(void **state)
{
    (void)state;
    const char *const pair[] = {"delay_low=11ms", "step=4.9", "trackers=2"};
    char digest[DIGEST_BYTES];
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        run_world(&worlds[0], 1, pair[i], "", digest);
        assert_string_not_equal(digest, plain[0]);
    }
    run_world(&worlds[0], 1, "", "@40 publish {7}\n", digest);
    assert_string_not_equal(digest, plain[0]);
}

/* Hosts that come back were there before: an `online` that follows on an `offline` does not mean
 * that the others are never to come. */
static void who_begins(void **state)
{
    (void)state;
    static const struct world some = {
        "some", "set nodes 20\n set duration 60\n @1 online {1-4}\n @20 publish {1}\n"};
    static const struct world back = {"back", "set nodes 20\n set duration 60\n @10 offline {5-6}\n"
                                              "@15 online {5-6}\n @20 publish {1}\n"};
    const struct world *const both[] = {&some, &back};
    for (unsigned i = 0; i < 2; i++) {
        struct lab_result result;
        lab_result_init(&result);
        run_into(both[i], 1, "", "", &result);
        assert_float_equal(lab_result_field(&result, "deliveries")->number, i == 0 ? 3 : 19, 0);
        lab_result_free(&result);
    }
}

/* A setting does what its name says, down to the link. */
static void delays(void **state)
{
    (void)state;
    static const char *const kind[] = {"delay=constant", "delay=uniform", "delay=measured"};
    for (unsigned i = 0; i < 3; i++) {
        struct lab_settings settings;
        struct lab_sim_config config;
        char why[200];
        lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
        set_pair(&settings, kind[i]);
        set_pair(&settings, "delay_low=7ms");
        assert_int_equal(lab_config_read(&settings, 1, &config, why, sizeof why), 0);
        assert_int_equal(lab_link_delay_min(&config.link), 7 * LAB_NS_PER_MS);
        assert_int_equal(config.link.delay_ns, i == 0 ? 7 * LAB_NS_PER_MS : 40 * LAB_NS_PER_MS);
        lab_settings_free(&settings);
    }
}

static char *self;

/* Another process has its heap, its stack and its code elsewhere. */
static void another_process(void **state)
{
    (void)state;
    char command[4096], line[DIGEST_BYTES];
    snprintf(command, sizeof command, "exec '%s' digests", self);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    for (size_t w = 0; w < WORLDS; w++) {
        assert_non_null(fgets(line, sizeof line, out));
        line[strcspn(line, "\n")] = '\0';
        assert_string_equal(line, plain[w]);
    }
    assert_int_equal(pclose(out), 0);
}

static int print_digests(void)
{
    char digest[DIGEST_BYTES];
    for (size_t w = 0; w < WORLDS; w++) {
        run_world(&worlds[w], 1, "", "", digest);
        puts(digest);
    }
    return 0;
}

#if defined(__SANITIZE_THREAD__)
#define THREADS_ALONE 1
#elif defined(__has_feature)
#define THREADS_ALONE __has_feature(thread_sanitizer)
#else
#define THREADS_ALONE 0
#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest threads[] = {
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(watched),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(again),         cmocka_unit_test(real_crypto),
        cmocka_unit_test(another_seed),  cmocka_unit_test(another_process),
        cmocka_unit_test(another_world), cmocka_unit_test(who_begins),
        cmocka_unit_test(delays),
    };
    self = argv[0];
    if (argc > 1)
        return print_digests();
    int failed = cmocka_run_group_tests(threads, run_plain, NULL);
    if (!THREADS_ALONE) /* that sanitizer is slow, and here it has nothing to find */
        failed += cmocka_run_group_tests(tests, run_plain, NULL);
    return failed;
}
