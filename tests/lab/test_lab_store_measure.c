/* Goal: histories are in the stores that they were meant for, signed well, and lacking where they
 * were to lack; what the measures say of a catch-up and of the pace is what happened; and neither
 * changes a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/bundle.h"
#include "hearsay/error.h"
#include "src/lab/config.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"
#include "src/lab/sim/fill.h"

/* ---- histories ------------------------------------------------------------------------------ */

enum { HOSTS = 3, COUNT = 200, LACK = 20 };
static const uint32_t hosts[HOSTS] = {0, 1, 2};

static struct lab_sim *new_sim(bool real)
{
    char why[200];
    struct lab_sim_config config = {.seed = 7,
                                    .nodes = HOSTS,
                                    .shards = 1,
                                    .networks = 100,
                                    .node = {.overlays_max = 1},
                                    .tracker_node = {.overlays_max = 1}};
    config.crypto_real = real;
    lab_link_init(&config.link, 20 * LAB_NS_PER_MS);
    assert_int_equal(lab_link_prepare(&config.link, why, sizeof why), 0);
    assert_int_equal(lab_population_parse(&config.population, "open", why, sizeof why), 0);
    return lab_sim_new(&config);
}

static struct lab_fill fill_of(struct lab_chance *chance)
{
    *chance = lab_chance_stream(7, LAB_CHANCE_SCENARIO, 1);
    return (struct lab_fill){.count = COUNT,
                             .authors = 10,
                             .payload_bytes = 50,
                             .host = hosts,
                             .host_count = HOSTS,
                             .chance = chance};
}

/* What host lacks of the depot: how many, and global times of the first and the last. */
struct lacking {
    unsigned count;
    uint64_t first, last;
};

static struct lacking lacking_of(const struct lab_sim *sim, uint32_t host)
{
    struct lacking found = {0};
    for (uint32_t i = 0; i < lab_depot_count(&sim->depot); i++) {
        const struct hsay_position *at = &lab_depot_at(&sim->depot, i)->record.at;
        if (lab_store_holds(&sim->host[host].store, &at->digest))
            continue;
        found.first = found.count == 0 ? at->time : found.first;
        found.last = at->time;
        found.count++;
    }
    return found;
}

static void fill(struct lab_sim *sim, enum lab_fill_lack which, uint64_t lack)
{
    struct lab_chance chance;
    struct lab_fill all = fill_of(&chance);
    all.which = which;
    all.lack = lack;
    assert_int_equal(lab_sim_fill(sim, &all), 0);
}

static void a_history_is_everywhere(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    fill(sim, LAB_FILL_NEWEST, 0);
    fill(sim, LAB_FILL_NEWEST, 0); /* and a second one behind it */
    assert_int_equal(lab_depot_count(&sim->depot), 2 * COUNT);
    for (uint32_t i = 0; i < HOSTS; i++)
        assert_int_equal(lab_store_count(&sim->host[i].store), 2 * COUNT);
    for (uint32_t i = 0; i < 2 * COUNT; i++)
        assert_int_equal(lab_depot_at(&sim->depot, i)->record.at.time, i + 1);
    lab_sim_free(sim);
}

static void the_newest_lack(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    fill(sim, LAB_FILL_NEWEST, LACK);
    assert_int_equal(lacking_of(sim, 0).count, 0);
    for (uint32_t i = 1; i < HOSTS; i++) {
        struct lacking found = lacking_of(sim, i);
        assert_int_equal(found.count, LACK);
        assert_int_equal(found.first, COUNT - LACK + 1);
    }
    lab_sim_free(sim);
}

static void the_oldest_lack(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    fill(sim, LAB_FILL_OLDEST, LACK);
    assert_int_equal(lacking_of(sim, 0).count, 0);
    assert_int_equal(lacking_of(sim, 2).count, LACK);
    assert_int_equal(lacking_of(sim, 2).last, LACK);
    lab_sim_free(sim);
}

static void some_lack_all_over(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    fill(sim, LAB_FILL_SPREAD, LACK);
    assert_int_equal(lacking_of(sim, 0).count, 0);
    struct lacking one = lacking_of(sim, 1), other = lacking_of(sim, 2);
    assert_int_equal(one.count, LACK);
    assert_true(one.first < COUNT / 2 && one.last > COUNT / 2);
    assert_int_equal(one.first, other.first);
    assert_int_equal(one.last, other.last);
    lab_sim_free(sim);
}

/* Each has holes of its own; nothing is held by nobody. */
static void each_lacks_its_own(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    fill(sim, LAB_FILL_EACH, LACK);
    assert_int_equal(lab_depot_count(&sim->depot), COUNT);
    assert_in_range(lacking_of(sim, 0).count, LACK - 2, LACK);
    assert_int_equal(lacking_of(sim, 1).count, LACK);
    assert_int_equal(lacking_of(sim, 2).count, LACK);
    assert_true(lacking_of(sim, 1).first != lacking_of(sim, 2).first ||
                lacking_of(sim, 1).last != lacking_of(sim, 2).last);
    lab_sim_free(sim);

    sim = new_sim(false);
    fill(sim, LAB_FILL_EACH, COUNT);
    assert_int_equal(lab_store_count(&sim->host[0].store), COUNT);
    assert_int_equal(lab_store_count(&sim->host[1].store), 0);
    lab_sim_free(sim);
}

static unsigned count_good(const struct lab_sim *sim, const struct hsay_crypto *crypto)
{
    unsigned good = 0;
    for (uint32_t i = 0; i < lab_depot_count(&sim->depot); i++) {
        struct hsay_bundle b;
        assert_int_equal(hsay_bundle_decode(&b, crypto, lab_depot_at(&sim->depot, i)->record.bytes),
                         0);
        good += hsay_bundle_verify(&b, crypto, &sim->overlay);
    }
    return good;
}

/* Real signatures are good for everybody, cheap ones in their own world alone; with the real port
 * none are cheap. */
static void histories_are_signed(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        bool real = (k & 1) != 0, cheap = (k & 2) != 0;
        struct lab_sim *sim = new_sim(real);
        struct lab_chance chance;
        struct lab_fill all = fill_of(&chance);
        all.memo = cheap;
        assert_int_equal(lab_sim_fill(sim, &all), 0);
        assert_int_equal(count_good(sim, &sim->shard[0].crypto_port), COUNT);
        assert_int_equal(count_good(sim, &sim->crypto.sodium), cheap && !real ? 0 : COUNT);
        lab_sim_free(sim);
    }
}

static void bad_fills(void **state)
{
    (void)state;
    struct lab_sim *sim = new_sim(false);
    struct lab_chance chance;
    struct lab_fill good = fill_of(&chance), bad = good;
    bad.lack = COUNT + 1;
    assert_int_equal(lab_sim_fill(sim, &bad), HSAY_EINVAL);
    bad = good;
    bad.authors = 0;
    assert_int_equal(lab_sim_fill(sim, &bad), HSAY_EINVAL);
    bad = good;
    bad.payload_bytes = HSAY_PAYLOAD_MAX_BYTES + 1;
    assert_int_equal(lab_sim_fill(sim, &bad), HSAY_EINVAL);
    bad = good;
    bad.host_count = 0;
    assert_int_equal(lab_sim_fill(sim, &bad), HSAY_EINVAL);
    lab_host_start(sim, 1, &(struct lab_return){0});
    assert_int_equal(lab_sim_fill(sim, &good), HSAY_EINVAL);
    lab_host_stop(sim, 1);
    assert_int_equal(lab_depot_count(&sim->depot), 0);
    sim->host[2].store.quota_bytes = 1000;
    assert_int_equal(lab_sim_fill(sim, &good), HSAY_ENOSPC);
    lab_sim_free(sim);
}

/* ---- runs ----------------------------------------------------------------------------------- */

static int try_seed(uint64_t seed, const char *text, const char *pair, struct lab_result *result)
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
    rc = lab_run(&scenario, &settings, &(struct lab_run_request){.seed = seed}, result);
    lab_settings_free(&settings);
    lab_scenario_free(&scenario);
    return rc;
}

static int try_text(const char *text, const char *pair, struct lab_result *result)
{
    return try_seed(1, text, pair, result);
}

static void run_text(const char *text, const char *pair, struct lab_result *result)
{
    if (try_text(text, pair, result) != 0)
        fail_msg("%s", lab_result_field(result, "error")->text);
}

static double number(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    if (field == NULL)
        fail_msg("no field %s", name);
    return field->number;
}

static void expect_near(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-6 * fabs(wanted)))
        fail_msg("%.9g, not %.9g", found, wanted);
}

static const char catchup[] = "set nodes 4\nset join 0\nset duration 100\n"
                              "measure store host=4 every=0.1\n"
                              "@0 fill 500 bytes=192 authors=5 sign=cheaply {1-3}\n"
                              "@0 online {1-3}\n@20 online {4}\n@21 stop same every=2\n";

static void a_catch_up_is_measured(void **state)
{
    (void)state;
    struct lab_result result;
    run_text(catchup, "", &result);
    expect_near(number(&result, "same_share"), 1);
    expect_near(number(&result, "missed"), 0);
    expect_near(number(&result, "bundles_got"), 500);
    double bundle_bytes = number(&result, "bundle_bytes"), seconds = number(&result, "seconds");
    assert_in_range((uint64_t)bundle_bytes, 500 * 290, 500 * 305);
    assert_true(seconds > 0 && seconds < 10);
    expect_near(number(&result, "steps"), seconds / 5);
    assert_true(number(&result, "requests") >= 3);
    double wire = number(&result, "wire_bytes");
    expect_near(number(&result, "wire_ratio"), wire / bundle_bytes);
    expect_near(number(&result, "wire_ratio_ip"),
                (wire + 28 * number(&result, "wire_datagrams")) / bundle_bytes);
    assert_true(number(&result, "wire_ratio") > 0.9 && number(&result, "wire_ratio") < 1.5);
    assert_true(number(&result, "simulated_seconds") < 40); /* it stopped when all was there */
    lab_result_free(&result);
}

static void the_curve_rises(void **state)
{
    (void)state;
    struct lab_result result;
    run_text(catchup, "", &result);
    const struct lab_table *table = lab_result_find_table(&result, "store");
    assert_non_null(table);
    assert_true(table->rows > 2);
    for (size_t i = 1; i < table->rows; i++)
        for (size_t k = 0; k < table->width; k++) {
            double rise =
                table->cell[i * table->width + k] - table->cell[(i - 1) * table->width + k];
            assert_true(k == 3 ? rise <= 0 : rise >= 0); /* what is missing falls */
        }
    const double *last = &table->cell[(table->rows - 1) * table->width];
    expect_near(last[2], 500);
    expect_near(last[3], 0);
    lab_result_free(&result);
}

/* Who never hears of the others misses all that they hold. */
static void what_is_missed(void **state)
{
    (void)state;
    struct lab_result result;
    run_text("set nodes 3\nset join 0\nset duration 30\nmeasure store host=3\n"
             "@0 fill 40 {1-2}\n@0 partition {3}\n@0 online\n",
             "", &result);
    expect_near(number(&result, "same_share"), 0);
    expect_near(number(&result, "missed"), 40);
    expect_near(number(&result, "bundles_got"), 0);
    assert_true(isnan(number(&result, "seconds")));
    assert_true(isnan(number(&result, "wire_ratio")));
    lab_result_free(&result);
}

/* Both lack something of the other's. */
static void all_are_watched(void **state)
{
    (void)state;
    struct lab_result result;
    run_text("set nodes 2\nset join 0\nset duration 60\nmeasure store\n"
             "@0 fill 300 lack=30 which=each\n",
             "", &result);
    expect_near(number(&result, "same_share"), 1);
    double lacking = number(&result, "bundles_got");
    assert_in_range((uint64_t)lacking, 50, 60);
    expect_near(number(&result, "deliveries"), lacking);
    lab_result_free(&result);
}

static void expect_same_digest(const char *a, const char *b, const char *pair)
{
    struct lab_result one, other;
    run_text(a, "", &one);
    run_text(b, pair, &other);
    assert_string_equal(lab_result_field(&one, "digest")->text,
                        lab_result_field(&other, "digest")->text);
    lab_result_free(&one);
    lab_result_free(&other);
}

static const char load[] = "set nodes 30\nset duration 60\nset tables medium\n"
                           "@30..50/0.5 publish {any}\n";
static const char load_watched[] = "set nodes 30\nset duration 60\nset tables medium\n"
                                   "measure pace from=30 until=55 every=5\nmeasure store\n"
                                   "@30..50/0.5 publish {any}\n";

static void nothing_changes_by_watching(void **state)
{
    (void)state;
    expect_same_digest(load, load_watched, "");
    expect_same_digest(load, load_watched, "threads=2");
    expect_same_digest(catchup, catchup, "threads=3");
    expect_same_digest("set nodes 2\nset join 0\nset duration 20\n@0 fill 300 lack=30 which=each\n",
                       "set nodes 2\nset join 0\nset duration 20\n@0 fill 300 lack=30 which=each\n",
                       "crypto=real");
}

static void the_pace_is_measured(void **state)
{
    (void)state;
    struct lab_result result;
    run_text(load_watched, "threads=2", &result);
    expect_near(number(&result, "published"), 41);
    double accepted = number(&result, "accepted");
    assert_in_range((uint64_t)accepted, 35 * 29, 41 * 29);
    double wall = number(&result, "loaded_wall_seconds");
    assert_true(wall > 0);
    expect_near(number(&result, "bundles_per_second"), accepted / wall);
    expect_near(number(&result, "loaded_simulated_seconds"), 25);
    expect_near(number(&result, "realtime_factor"), 25 / wall);
    const struct lab_table *table = lab_result_find_table(&result, "pace");
    assert_int_equal(table->rows, 5);
    double age = number(&result, "age_seconds_mean");
    assert_true(isnan(age) || (age > 0 && age < 10)); /* none of 41 may be watched */
    lab_result_free(&result);
}

/* ---- what the catch-up is worth ------------------------------------------------------------- */

/* A field of a run of two hosts, the second of which lacks something; or of a newcomer, the last of
 * three. */
static double of_run(const char *text, const char *field)
{
    struct lab_result result;
    run_text(text, "", &result);
    expect_near(number(&result, "same_share"), 1);
    double found = number(&result, field);
    lab_result_free(&result);
    return found;
}

/* A sweep would take 30 filters. */
static void the_newest_are_asked_for(void **state)
{
    (void)state;
    double requests = of_run("set nodes 2\nset join 0\nset push no\nset duration 300\n"
                             "measure store host=2\n"
                             "@0 fill 20000 lack=100 sign=cheaply\n@0 stop same\n",
                             "requests");
    assert_in_range((uint64_t)requests, 1, 12);
}

/* They are not forgotten while older ones are still looked for: the age stays where it is. */
static void news_go_on_coming(void **state)
{
    (void)state;
    struct lab_result result;
    run_text("set nodes 40\nset duration 110\nset bootstrap random\nset trackers 8\n"
             "set tables medium\nmeasure pace from=50 until=110 every=30\n"
             "@30..110/0.02 publish {any}\n",
             "", &result);
    const struct lab_table *table = lab_result_find_table(&result, "pace");
    assert_int_equal(table->rows, 2);
    double before = table->cell[4], after = table->cell[table->width + 4];
    print_message("ages: %.2f s, %.2f s\n", before, after);
    assert_true(after < 1.4 * before);
    lab_result_free(&result);
}

/* An author's key is written once per datagram: 1.14 where they come as it happens. */
static void authors_travel_together(void **state)
{
    (void)state;
    double ratio = of_run("set nodes 3\nset join 0\nset duration 300\nmeasure store host=3\n"
                          "@0 fill 8000 bytes=193 authors=20 sign=cheaply {1-2}\n"
                          "@0 online {1-2}\n@20 online {3}\n@21 stop same\n",
                          "wire_ratio");
    print_message("8,000 bundles by 20 authors cost %.3f of their bytes\n", ratio);
    assert_true(ratio < 1.1);
}

/* Fifty slices; who goes back to comparing halves on the way takes 127 requests. */
static void a_sweep_goes_on(void **state)
{
    (void)state;
    double requests = of_run("set nodes 2\nset join 0\nset push no\nset duration 300\n"
                             "measure store host=2\n"
                             "@0 fill 40000 lack=60 which=spread sign=cheaply\n@0 stop same\n",
                             "requests");
    assert_in_range((uint64_t)requests, 1, 80);
}

/* With a tenth lost by chance answers stay as large as they were.  A mean, since the first contact
 * alone takes between no time and ten seconds. */
static void chance_loss_costs_little(void **state)
{
    enum { SEEDS = 12 };
    double seconds = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct lab_result result;
        int rc = try_seed(seed,
                          "set nodes 3\nset join 0\nset duration 300\nset loss 0.1\n"
                          "measure store host=3\n@0 fill 3000 bytes=193 sign=cheaply {1-2}\n"
                          "@0 online {1-2}\n@20 online {3}\n@21 stop same\n",
                          "", &result);
        assert_int_equal(rc, 0);
        expect_near(number(&result, "same_share"), 1);
        seconds += number(&result, "seconds") / SEEDS;
        lab_result_free(&result);
    }
    print_message("3,000 bundles in %.1f s\n", seconds);
    assert_true(seconds < 13);
}

static void bad_lines(void **state)
{
    (void)state;
    static const char *const text[] = {
        "set nodes 3\nset duration 10\n@5 fill 10\n", /* they are online */
        "set nodes 3\nset duration 10\n@0 fill 10 lack=11\n",
        "set nodes 3\nset duration 10\n@0 fill 10 which=some\n",
        "set nodes 3\nset duration 10\n@0 fill 10 sign=never\n",
        "set nodes 3\nset duration 10\n@0 fill 10 authors=0\n",
        "set nodes 3\nset duration 10\nset quota 1k\n@0 fill 100\n",
        "set nodes 3\nset duration 10\n@0 stop never\n",
    };
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        struct lab_result result;
        assert_int_equal(try_text(text[i], "", &result), -1);
        assert_non_null(strstr(lab_result_field(&result, "error")->text, "test:"));
        lab_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_is_everywhere),
        cmocka_unit_test(the_newest_lack),
        cmocka_unit_test(the_oldest_lack),
        cmocka_unit_test(some_lack_all_over),
        cmocka_unit_test(each_lacks_its_own),
        cmocka_unit_test(histories_are_signed),
        cmocka_unit_test(bad_fills),
        cmocka_unit_test(a_catch_up_is_measured),
        cmocka_unit_test(the_curve_rises),
        cmocka_unit_test(what_is_missed),
        cmocka_unit_test(all_are_watched),
        cmocka_unit_test(nothing_changes_by_watching),
        cmocka_unit_test(the_pace_is_measured),
        cmocka_unit_test(the_newest_are_asked_for),
        cmocka_unit_test(news_go_on_coming),
        cmocka_unit_test(authors_travel_together),
        cmocka_unit_test(a_sweep_goes_on),
        cmocka_unit_test(chance_loss_costs_little),
        cmocka_unit_test(bad_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
