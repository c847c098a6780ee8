/*
 * Goal of this test: what the swarm draws makes sense for any seed, is the same each time, reaches
 * all that it is said to reach, and comes to the same digest with any number of threads and whether
 * or not invariants are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/plan.h"
#include "src/lab/run.h"
#include "src/lab/swarm.h"

enum { MANY = 2000, SOME = 150 };

static void a_seed_is_a_scenario(void **state)
{
    (void)state;
    char *first = lab_swarm_scenario(7), *again = lab_swarm_scenario(7),
         *other = lab_swarm_scenario(8);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    free(first);
    free(again);
    free(other);
}

static bool make_plan(struct lab_plan *plan, uint64_t seed, const char *key, const char *value)
{
    struct lab_options options = {
        .arg = {"swarm"}, .args = 1, .key = {key}, .value = {value}, .sets = key != NULL};
    char *text = lab_swarm_scenario(seed);
    bool good = lab_plan_make(plan, &(struct lab_plan_request){.options = &options, .text = text});
    if (!good)
        print_message("seed %llu:\n%s", (unsigned long long)seed, text);
    free(text);
    return good;
}

static void every_scenario_makes_sense(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SOME; seed++) {
        struct lab_plan plan;
        assert_true(make_plan(&plan, seed * 1000003, NULL, NULL));
        lab_plan_free(&plan);
    }
}

static unsigned seeds_with(const char *words)
{
    unsigned count = 0;
    for (uint64_t seed = 1; seed <= MANY; seed++) {
        char *text = lab_swarm_scenario(seed);
        count += strstr(text, words) != NULL;
        free(text);
    }
    return count;
}

/* Each feature is on in some runs and off in most. */
static void every_feature_is_drawn(void **state)
{
    static const char *const features[] = {
        "set loss",      "set burst",     "set duplicate",  "set reorder",     "set corrupt",
        "set rate",      "set mtu",       "set nat",        "set lan",         "set churn",
        "rejoin empty",  "address new",   "set crash",      "set commit_fail", "set put_fail",
        "set full",      "policy paper",  "policy code",    "set push no",     "set fixed_step",
        "crypto real",   "tables small",  "tables daemon",  "set ranges",      "set threads",
        "partition cut", "cut=in",        "cut=out",        " offline {",      " online",
        " restart",      " flush_nat",    " clock ",        "set attackers",   "set clock_jump",
        " link loss=1",  "delay regions", "delay measured", "set answer",      "set fanout",
        "set search",
    };
    (void)state;
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        unsigned count = seeds_with(features[i]);
        if (count < MANY / 200 || count > MANY * 7 / 10)
            fail_msg("%s in %u of %u scenarios", features[i], count, MANY);
    }
}

static void digest_of(uint64_t seed, const char *key, const char *value, char *out, size_t size)
{
    struct lab_plan plan;
    struct lab_result result;
    struct lab_run_request request = {.seed = seed};
    lab_result_init(&result);
    assert_true(make_plan(&plan, seed, key, value));
    int rc = lab_run(&plan.scenario, &plan.settings[0], &request, &result);
    const struct lab_field *error = lab_result_field(&result, "error");
    if (rc != 0)
        fail_msg("seed %llu: %s", (unsigned long long)seed, error != NULL ? error->text : "?");
    snprintf(out, size, "%s", lab_result_field(&result, "digest")->text);
    lab_result_free(&result);
    lab_plan_free(&plan);
}

static void digests_depend_on_nothing_else(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 108; seed++) {
        char plain[40], other[40];
        digest_of(seed, "threads", "1", plain, sizeof plain);
        digest_of(seed, "threads", "3", other, sizeof other);
        assert_string_equal(plain, other);
        digest_of(seed, "check", "off", other, sizeof other);
        assert_string_equal(plain, other);
        digest_of(seed, "check", "sampled", other, sizeof other);
        assert_string_equal(plain, other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_is_a_scenario),
        cmocka_unit_test(every_scenario_makes_sense),
        cmocka_unit_test(every_feature_is_drawn),
        cmocka_unit_test(digests_depend_on_nothing_else),
    };
    return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}
