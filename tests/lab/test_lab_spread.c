/* Goal: the measures of spreading say what happened: who holds a bundle when, judged by whom; what
 * crosses a partition and when it is made up for; in how many pieces the overlay is; and how much
 * each host holds.  And what nobody judges is no number, not a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/config.h"
#include "src/lab/measure/registry.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"

/* ---- running -------------------------------------------------------------------------------- */

static void run_with(const char *text, const char *pair, struct lab_result *result)
{
    struct lab_scenario scenario;
    struct lab_settings settings;
    struct lab_faults faults = {0};
    char why[200];
    lab_result_init(result);
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    int rc = lab_scenario_read_text(&scenario, lab_plan_language(), "test", NULL, text,
                                    strlen(text), &faults);
    if (rc == 0)
        rc = lab_scenario_declare(&scenario, &settings, &faults);
    if (rc == 0 && *pair != '\0')
        rc = lab_settings_set_pair(&settings, pair, why, sizeof why);
    if (rc == 0)
        rc = lab_scenario_choose(&scenario, 0, &settings, &faults);
    lab_faults_print(&faults, stderr);
    lab_faults_free(&faults);
    assert_int_equal(rc, 0);
    if (lab_run(&scenario, &settings, &(struct lab_run_request){.seed = 5}, result) != 0)
        fail_msg("%s", lab_result_field(result, "error")->text);
    lab_settings_free(&settings);
    lab_scenario_free(&scenario);
}

static double number(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    if (field == NULL)
        fail_msg("no field %s", name);
    return field->number;
}

static void expect(const struct lab_result *result, const char *name, double wanted)
{
    double found = number(result, name);
    bool same = isnan(wanted) ? isnan(found) : fabs(found - wanted) <= 1e-9 * fabs(wanted);
    if (!same)
        fail_msg("%s is %.9g, not %.9g", name, found, wanted);
}

static void expect_between(const struct lab_result *result, const char *name, double low,
                           double high)
{
    double found = number(result, name);
    if (!(found >= low && found <= high))
        fail_msg("%s is %.9g, not from %g to %g", name, found, low, high);
}

static const struct lab_table *table(const struct lab_result *result, const char *name)
{
    const struct lab_table *t = lab_result_find_table(result, name);
    assert_non_null(t);
    assert_true(t->rows > 0);
    return t;
}

static double cell(const struct lab_table *t, size_t row, size_t column)
{
    assert_true(row < t->rows && column < t->width);
    return t->cell[row * t->width + column];
}

/* ---- registry ------------------------------------------------------------------------------- */

static struct hsay_digest digest_of(uint32_t number)
{
    struct hsay_digest digest = {{0}};
    struct lab_chance chance = lab_chance_stream(1, LAB_CHANCE_MEASURE, number / 4);
    lab_chance_bytes(&chance, digest.byte, 8); /* four in a row begin alike */
    memcpy(digest.byte + 8, &number, sizeof number);
    return digest;
}

static void digests_have_numbers(void **state)
{
    enum { DIGESTS = 1000 };
    struct lab_registry registry = {0};
    (void)state;
    struct hsay_digest digest = digest_of(0);
    assert_true(lab_registry_find(&registry, &digest) == LAB_REGISTRY_NONE);
    for (uint32_t i = 0; i < DIGESTS; i++) {
        digest = digest_of(i);
        assert_true(lab_registry_find(&registry, &digest) == LAB_REGISTRY_NONE);
        assert_int_equal(lab_registry_add(&registry, &digest), i);
    }
    for (uint32_t i = 0; i < DIGESTS; i++) {
        digest = digest_of(i);
        assert_int_equal(lab_registry_find(&registry, &digest), i);
        assert_memory_equal(&registry.digest[i], &digest, sizeof digest);
    }
    lab_registry_free(&registry);
}

/* ---- spread --------------------------------------------------------------------------------- */

static void all_hold_all(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 20\nset duration 200\nmeasure spread\n"
             "@60 publish {7}\n@100 publish count=2 {3}\n",
             "", &r);
    expect(&r, "bundles", 3);
    expect(&r, "judges", 20);
    expect(&r, "held_share", 1);
    expect(&r, "reached_share", 1);
    expect(&r, "residue_max", 0);
    const struct lab_table *bundles = table(&r, "bundles"), *curve = table(&r, "spread");
    assert_int_equal(bundles->rows, 3);
    double last = 0, most = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(cell(bundles, i, 3) <= cell(bundles, i, 4)); /* p50 p95 p99 last */
        assert_true(cell(bundles, i, 5) <= cell(bundles, i, 6));
        last += cell(bundles, i, 6) / 3;
        most = fmax(most, cell(bundles, i, 6));
    }
    expect(&r, "steps_last", last);
    expect(&r, "steps_last_max", most);
    expect(&r, "steps_newest", cell(bundles, 2, 6));
    expect(&r, "seconds_last", 5 * last);
    assert_true(most > 0 && most < 20);
    for (size_t i = 1; i < curve->rows; i++)
        assert_true(cell(curve, i, 2) >= cell(curve, i - 1, 2));
    assert_true(fabs(cell(curve, 0, 2) - 1.0 / 20) < 1e-9); /* its author */
    assert_true(cell(curve, curve->rows - 1, 2) == 1);
    assert_int_equal(curve->rows % 160, 1);
    lab_result_free(&r);
}

static void the_horizon_judges(void **state)
{
    static const char text[] = "set nodes 20\nset duration 200\nparam horizon 10 x\n"
                               "measure spread horizon=$horizon\n@58 partition {11-20}\n"
                               "@60 publish {7}\n@150 heal\n";
    struct lab_result r;
    (void)state;
    run_with(text, "", &r);
    expect(&r, "held_share", 0.5);
    expect(&r, "residue", 0.5);
    expect(&r, "steps_last", 10); /* who has not got it counts as if it came then */
    expect_between(&r, "steps_node_mean", 5, 8);
    assert_true(isnan(number(&r, "steps_95")));
    expect_between(&r, "steps_50", 0.1, 10);
    lab_result_free(&r);
    run_with(text, "horizon=27", &r); /* after the cut */
    expect(&r, "held_share", 1);
    expect_between(&r, "steps_last", 18, 27);
    lab_result_free(&r);
}

/* Those judge who were there when it was made; with `settled`, who are there for so long at the
 * horizon, and no trackers. */
static void who_judges(void **state)
{
    static const char text[] =
        "set nodes 20\nset duration 300\nparam more - x\nset join 1\n"
        "@0 online {1-10}\n@100 publish {7}\n@120 offline {10}\n@130 online {11-15}\n"
        "@190 online {16-20}\n";
    char whole[600];
    struct lab_result r;
    (void)state;
    snprintf(whole, sizeof whole, "measure spread horizon=20\n%s", text);
    run_with(whole, "", &r);
    expect(&r, "judges", 9); /* 1 to 9: 10 has gone */
    lab_result_free(&r);
    snprintf(whole, sizeof whole, "measure spread horizon=20 settled=60\n%s", text);
    run_with(whole, "", &r);
    expect(&r, "judges", 8 + 5); /* 2 to 9, 11 to 15 */
    expect(&r, "held_share", 1);
    lab_result_free(&r);
    snprintf(whole, sizeof whole, "measure spread horizon=20 settled=250\n%s", text);
    run_with(whole, "", &r);
    expect(&r, "judges", 0);
    expect(&r, "held_share", NAN);
    expect(&r, "residue_max", NAN);
    expect(&r, "steps_last", NAN);
    expect(&r, "steps_95", NAN);
    lab_result_free(&r);
}

/* Who comes back without its store does not hold what it once held. */
static void a_lost_store_holds_nothing(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 10\nset duration 120\nmeasure spread horizon=11 settled=0\n"
             "@60 publish {7}\n@114.99 restart rejoin=empty {2-5}\n",
             "", &r);
    expect(&r, "judges", 9);
    expect(&r, "held_share", 5.0 / 9);
    lab_result_free(&r);
}

static void many_bundles_have_few_curves(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 5\nset duration 200\nmeasure spread horizon=10 curves=2 bundles=30\n"
             "@60 publish count=2 {7}\n@60..100/1 publish {any}\n",
             "nodes=8", &r);
    expect(&r, "bundles", 30);
    expect(&r, "held_share", 1);
    assert_int_equal(table(&r, "bundles")->rows, 30);
    assert_true(fabs(cell(table(&r, "spread"), 0, 2) - 1.0 / 8) < 1e-9);
    lab_result_free(&r);
}

static void without_bundles_nothing_is_said(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 3\nset duration 20\nmeasure spread\nmeasure sides\n", "", &r);
    expect(&r, "bundles", 0);
    expect(&r, "held_share", NAN);
    expect(&r, "steps_last", NAN);
    lab_result_free(&r);
}

/* ---- sides ---------------------------------------------------------------------------------- */

static const char cut[] = "set nodes 20\nset duration 400\nparam way both x\nparam whole 200 x\n"
                          "measure sides healed=$whole every=2\n@100 partition cut=$way {11-20}\n"
                          "@110..190/20 publish {any,1-10}\n@110..190/20 publish {any,11-20}\n"
                          "@$whole heal\n";

static void a_cut_heals(void **state)
{
    struct lab_result r;
    (void)state;
    run_with(cut, "", &r);
    expect(&r, "across_a_to_b", 0);
    expect(&r, "across_b_to_a", 0);
    expect_between(&r, "steps_to_same", 0.001, 20);
    expect(&r, "seconds_to_same", 5 * number(&r, "steps_to_same"));
    const struct lab_table *t = table(&r, "sides");
    for (size_t i = 0; i < t->rows; i++) {
        double second = cell(t, i, 0), step = cell(t, i, 1);
        assert_true(fabs((second - 200) / 5 - step) < 1e-9);
        for (size_t k = 2; k < 6; k++)
            assert_true(second < 110 ? isnan(cell(t, i, k)) : cell(t, i, k) >= 0);
        if (second > 110 && second <= 200)
            assert_true(cell(t, i, 2) > 0 && cell(t, i, 3) > 0 && cell(t, i, 4) == 0);
        if (step >= number(&r, "steps_to_same"))
            assert_true(cell(t, i, 4) == 1 && cell(t, i, 5) == 1);
    }
    lab_result_free(&r);
}

static void a_cut_that_stays(void **state)
{
    struct lab_result r;
    (void)state;
    run_with(cut, "whole=500", &r);
    expect(&r, "steps_to_same", NAN);
    expect(&r, "seconds_to_same", NAN);
    expect(&r, "across_a_to_b", 0);
    lab_result_free(&r);
}

/* Mail may go one way while nothing comes back. */
static void half_a_cut(void **state)
{
    struct lab_result r;
    (void)state;
    run_with(cut, "way=out", &r); /* from 11-20 nothing gets out */
    expect(&r, "across_b_to_a", 0);
    expect_between(&r, "steps_to_same", 0.001, 20);
    lab_result_free(&r);
    run_with(cut, "way=in", &r);
    expect(&r, "across_a_to_b", 0);
    lab_result_free(&r);
}

/* Each has contacts, all of its own side, and no tracker is left: the address book remembers. */
static void a_cut_heals_without_a_tracker(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 100\nset duration 700\nset tables daemon\n"
             "measure sides healed=400 every=5\nmeasure overlay from=400 every=5\n"
             "@100 partition {51-100}\n@200 publish {20}\n@200 publish {70}\n@300 offline {1}\n"
             "@400 heal\n",
             "", &r);
    expect(&r, "across_a_to_b", 0);
    expect_between(&r, "steps_to_same", 0, 30);
    lab_result_free(&r);
}

/* ---- overlay -------------------------------------------------------------------------------- */

/* Without anybody to know, each is a piece of its own. */
static void strangers_are_pieces(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 6\nset trackers 0\nset duration 50\nmeasure overlay every=5\n", "", &r);
    expect(&r, "components_max", 6);
    expect(&r, "components_all_max", 6);
    expect(&r, "largest_share_least", 1.0 / 6);
    expect(&r, "alone_share", 1);
    expect(&r, "live_mean", 0);
    expect(&r, "dead_share", 0);
    expect(&r, "online_mean", 6);
    expect(&r, "whole_steps", NAN);
    expect(&r, "visits_contacted_share", 0);
    lab_result_free(&r);
}

static void acquaintances_are_one(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 20\nset duration 200\nmeasure overlay every=5 from=50\n", "", &r);
    expect(&r, "components_max", 1);
    expect(&r, "largest_share_least", 1);
    expect(&r, "alone_share", 0);
    expect(&r, "dead_share", 0);
    expect(&r, "whole_steps", 0);
    expect_between(&r, "live_mean", 3, 19);
    double visits = 0;
    static const char *bucket[] = {"trusted", "contacted", "requested", "introduced", "book"};
    for (size_t i = 0; i < 5; i++) {
        char field[60];
        snprintf(field, sizeof field, "visits_%s_share", bucket[i]);
        visits += number(&r, field);
    }
    assert_true(fabs(visits - 1) < 1e-9);
    expect(&r, "answered_contacted_share", 1);
    lab_result_free(&r);
}

/* Of three, one dies: a third of what the others know is dead until they forget it. */
static void the_dead_are_told_apart(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 4\nset duration 300\nmeasure overlay every=1 from=100\n@100 offline {4}\n",
             "", &r);
    const struct lab_table *t = table(&r, "overlay");
    bool died = false, forgotten = false;
    for (size_t i = 0; i < t->rows; i++) {
        double second = cell(t, i, 0), dead = cell(t, i, 6);
        assert_true(second >= 100 || dead == 0);
        died |= second > 100 && second < 104 && dead > 0.2;
        forgotten |= second > 200 && dead < 0.3;
    }
    assert_true(died && forgotten);
    expect(&r, "components_max", 1);
    lab_result_free(&r);
}

/* Half of the hosts never hear of anybody until the tracker can be reached: each is a piece, and
 * the steps until all are one count from then. */
static void pieces_grow_together(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 40\nset duration 300\nmeasure overlay every=1 from=100\n"
             "@0 partition {21-40}\n@0 online\n@100 heal\n",
             "", &r);
    expect(&r, "components_max", 1 + 20);
    expect(&r, "components_all_max", 1); /* all know the tracker */
    expect(&r, "largest_share_least", 19.0 / 39);
    expect_between(&r, "whole_steps", 0.1, 20);
    lab_result_free(&r);
}

/* Who has just come is alone, but is no piece until it has settled. */
static void newcomers_do_not_count(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 10\nset bootstrap random\nset trackers 0\nset duration 100\nset join 0\n"
             "measure overlay every=5 settled=40\n@0 online {1-4}\n@65 online {5-10}\n",
             "", &r);
    expect(&r, "components_max", 4);
    lab_result_free(&r);
}

/* ---- holdings ------------------------------------------------------------------------------- */

static void each_has_its_line(void **state)
{
    struct lab_result r;
    (void)state;
    run_with("set nodes 11\nset duration 100\nset join 0\nmeasure holdings every=5 from=20\n"
             "@0 online {1-10}\n@30 publish count=3 {2}\n@60 publish {5}\n",
             "", &r);
    expect(&r, "holds_most", 4);
    expect(&r, "holds_least", 0); /* 11 never comes */
    const struct lab_table *lines = table(&r, "holdings"), *some = table(&r, "stragglers");
    assert_int_equal(lines->rows, 17 * 10); /* at 20, 25 .. 100; the tracker has no line */
    assert_int_equal(some->rows, 17);
    for (size_t i = 0; i < lines->rows; i++) {
        assert_true(cell(lines, i, 0) == 20 + 5 * (double)(i / 10));
        assert_true(cell(lines, i, 1) == 1 + (double)(i % 10));
        assert_true(i % 10 != 9 || cell(lines, i, 2) == 0);
        assert_true(cell(lines, i, 0) > 29 || cell(lines, i, 2) == 0);
    }
    assert_true(cell(lines, 160, 2) == 4 && cell(lines, 168, 2) == 4);
    assert_true(cell(some, 16, 1) == 4 && cell(some, 16, 2) == 4);
    assert_true(cell(some, 16, 3) == 0 && cell(some, 16, 4) == 0);
    lab_result_free(&r);
}

/* ---- all ------------------------------------------------------------------------------------ */

/* Measures look on: with and without them, and with any number of threads, a run is the same. */
static void looking_changes_nothing(void **state)
{
    static const char text[] = "set nodes 60\nset duration 120\nset churn exponential\n"
                               "set session 20\nset absence 20\n@40..100/5 publish {any}\n"
                               "@50 partition {31-60}\n@70 heal\n";
    static const char measures[] = "measure spread horizon=4 settled=10\nmeasure sides healed=70\n"
                                   "measure overlay every=3\nmeasure holdings every=3\n";
    char digest[3][40], whole[900];
    struct lab_result r[3];
    (void)state;
    snprintf(whole, sizeof whole, "%s%s", text, measures);
    run_with(text, "", &r[0]);
    run_with(whole, "", &r[1]);
    run_with(whole, "threads=3", &r[2]);
    for (size_t i = 0; i < 3; i++)
        snprintf(digest[i], sizeof digest[i], "%s", lab_result_field(&r[i], "digest")->text);
    assert_string_equal(digest[0], digest[1]);
    assert_string_equal(digest[1], digest[2]);
    static const char *same[] = {"held_share", "steps_node_mean",          "across_a_to_b",
                                 "live_mean",  "answered_contacted_share", "holds_least",
                                 "holds_most"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        expect(&r[2], same[i], number(&r[1], same[i]));
    for (size_t i = 0; i < 3; i++)
        lab_result_free(&r[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_have_numbers),
        cmocka_unit_test(all_hold_all),
        cmocka_unit_test(the_horizon_judges),
        cmocka_unit_test(who_judges),
        cmocka_unit_test(a_lost_store_holds_nothing),
        cmocka_unit_test(many_bundles_have_few_curves),
        cmocka_unit_test(without_bundles_nothing_is_said),
        cmocka_unit_test(a_cut_heals),
        cmocka_unit_test(a_cut_that_stays),
        cmocka_unit_test(half_a_cut),
        cmocka_unit_test(a_cut_heals_without_a_tracker),
        cmocka_unit_test(strangers_are_pieces),
        cmocka_unit_test(acquaintances_are_one),
        cmocka_unit_test(the_dead_are_told_apart),
        cmocka_unit_test(pieces_grow_together),
        cmocka_unit_test(newcomers_do_not_count),
        cmocka_unit_test(each_has_its_line),
        cmocka_unit_test(looking_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
