/* Goal: hosts come and go as the settings say, from the first moment on: as many are there at the
 * start as later, sessions and absences have their distribution and what is left of them that of a
 * random moment, patterns are followed, and nothing of it depends on what hosts do meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/lab/sim/churn.h"
#include "src/lab/sim/memory.h"

enum { HOSTS = 1000, LIVES_MAX = 200000 };
#define S LAB_NS_PER_S

/* ---- a world whose hosts do next to nothing ---------------------------------------------------
 */

struct life {
    double at_s;
    uint32_t host;
    bool online;
};

struct world {
    struct lab_sim *sim;
    struct lab_churn *churn;
    struct life life[LIVES_MAX];
    size_t lives;
};

static struct world world;

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    (void)self;
    assert_true(world.lives < LIVES_MAX);
    world.life[world.lives++] = (struct life){(double)lab_sim_elapsed_ns(sim) / 1e9, host, online};
}

static struct lab_sim *new_sim(uint32_t nodes, uint64_t delay_ms)
{
    struct lab_sim_config config = {
        .seed = 3,
        .nodes = nodes,
        .shards = 1,
        .shared_stats = true,
        .networks = 1000,
        .trackers = 2,
        .node = {.overlays_max = 1, .candidates_max = 4},
        .tracker_node = {.overlays_max = 1},
        .overlay = {.step_ms = 3600000, .fixed_step = true, .pull_only = true},
    };
    char why[200];
    lab_link_init(&config.link, delay_ms * LAB_NS_PER_MS);
    assert_int_equal(lab_link_prepare(&config.link, why, sizeof why), 0);
    assert_int_equal(lab_population_parse(&config.population, "open", why, sizeof why), 0);
    return lab_sim_new(&config);
}

/* As a run does: those who are there go online at once. */
static void open_world(uint32_t nodes, uint64_t delay_ms, const struct lab_churn_config *config)
{
    char why[200] = "";
    world.sim = new_sim(nodes, delay_ms);
    world.lives = 0;
    lab_sim_observe(world.sim, &(struct lab_observer){.on_life = on_life});
    world.churn = lab_churn_new(world.sim, config, why, sizeof why);
    if (world.churn == NULL)
        fail_msg("%s", why);
    for (uint32_t i = 0; i < nodes; i++)
        if (lab_churn_begins_online(world.churn, i))
            lab_host_start(world.sim, i, &config->how);
}

static void close_world(void)
{
    lab_sim_free(world.sim);
    lab_churn_free(world.churn);
}

static void run_until(double seconds)
{
    lab_sim_run_until(world.sim, (uint64_t)(seconds * 1e9));
}

static void expect_between(double found, double low, double high)
{
    if (!(found >= low && found <= high))
        fail_msg("%g is not between %g and %g", found, low, high);
}

/* ---- what was seen ----------------------------------------------------------------------------
 */

struct spans {
    double count, sum, least, most;
};

static void add(struct spans *spans, double length)
{
    spans->least = spans->count == 0 ? length : fmin(spans->least, length);
    spans->most = spans->count == 0 ? length : fmax(spans->most, length);
    spans->count++;
    spans->sum += length;
}

/* Whole sessions, or whole absences, that began within the first half: hardly any of them is cut
 * off by the end of the run. */
static struct spans whole_spans(bool online, double half_s)
{
    struct spans spans = {0};
    double *since = lab_calloc(HOSTS, sizeof *since);
    for (size_t i = 0; i < world.lives; i++) {
        const struct life *l = &world.life[i];
        if (l->online != online && since[l->host] > 0 && since[l->host] < half_s)
            add(&spans, l->at_s - since[l->host]);
        since[l->host] = l->online == online ? l->at_s : 0;
    }
    free(since);
    return spans;
}

/* Of those who are there at the start, the share that has not left by then. */
static double still_there(double seconds)
{
    double begun = 0, left = 0;
    bool *seen = lab_calloc(HOSTS, sizeof *seen);
    for (size_t i = 0; i < world.lives; i++) {
        const struct life *l = &world.life[i];
        bool first = !seen[l->host];
        if (l->online && first && l->at_s == 0) {
            begun++;
            continue;
        }
        left += first && !l->online && l->at_s < seconds;
        seen[l->host] = true;
    }
    free(seen);
    return 1 - left / begun;
}

static double online_share(void)
{
    return (double)world.sim->online_count / world.sim->config.nodes;
}

/* ---- distributions ----------------------------------------------------------------------------
 */

static struct lab_churn_config config_of(enum lab_churn_kind kind, double session, double absence)
{
    return (struct lab_churn_config){
        .kind = kind,
        .session_s = session,
        .absence_s = absence,
        .shape = 0.5,
        .how = {.keep_store = true},
    };
}

/* A quarter of 1,000 is 250 give or take 14; three times that is granted. */
static void the_population_is_steady(enum lab_churn_kind kind)
{
    struct lab_churn_config config = config_of(kind, 30, 90);
    open_world(HOSTS, 20, &config);
    for (double at = 0.001; at < 400; at += 40) {
        run_until(at);
        expect_between(online_share(), 0.25 - 0.042, 0.25 + 0.042);
    }
    close_world();
}

static void as_many_are_there_at_any_time(void **state)
{
    (void)state;
    the_population_is_steady(LAB_CHURN_EXPONENTIAL);
    the_population_is_steady(LAB_CHURN_FIXED);
    the_population_is_steady(LAB_CHURN_WEIBULL);
}

static void exponential_sessions(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_EXPONENTIAL, 30, 60);
    open_world(HOSTS, 20, &config);
    run_until(1200);
    struct spans on = whole_spans(true, 600), off = whole_spans(false, 600);
    assert_true(on.count > 5000);
    expect_between(on.sum / on.count, 29, 31);
    expect_between(off.sum / off.count, 58, 62);
    assert_true(on.least < 1 && on.most > 150);
    expect_between(still_there(30), exp(-1) - 0.08, exp(-1) + 0.08); /* it has no memory */
    close_world();
}

static void fixed_sessions(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_FIXED, 30, 20);
    open_world(HOSTS, 20, &config);
    run_until(300);
    struct spans on = whole_spans(true, 150), off = whole_spans(false, 150);
    expect_between(on.least, 29.999, 30);
    expect_between(on.most, 30, 30.001);
    expect_between(off.least, 19.999, 20);
    expect_between(off.most, 20, 20.001);
    expect_between(still_there(10), 2.0 / 3 - 0.08, 2.0 / 3 + 0.08);
    close_world();
}

/* With shape 1/2 and mean m, what is left at a random moment exceeds t with the chance of
 * (1 + r) e^-r, r = sqrt(2 t / m); a fresh session only with e^-r. */
static void weibull_sessions(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_WEIBULL, 60, 60);
    open_world(HOSTS, 20, &config);
    run_until(4000);
    struct spans on = whole_spans(true, 2000);
    expect_between(on.sum / on.count, 56, 64);
    for (double t = 15; t < 500; t *= 2) {
        double r = sqrt(2 * t / 60), expected = (1 + r) * exp(-r);
        expect_between(still_there(t), expected - 0.07, expected + 0.07);
    }
    close_world();
}

/* ---- beginnings and ends ----------------------------------------------------------------------
 */

static void trackers_stay(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_EXPONENTIAL, 5, 50);
    open_world(HOSTS, 20, &config);
    run_until(200);
    for (size_t i = 0; i < world.lives; i++)
        assert_true(world.life[i].host >= 2 || (world.life[i].online && world.life[i].at_s == 0));
    assert_true(lab_host_is_online(&world.sim->host[0]));
    assert_true(lab_host_is_online(&world.sim->host[1]));
    close_world();
}

static void nobody_leaves_before(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_EXPONENTIAL, 5, 50);
    config.from_ns = 100 * S;
    open_world(HOSTS, 20, &config);
    run_until(99.9);
    assert_int_equal(world.sim->online_count, HOSTS);
    assert_int_equal(world.lives, HOSTS);
    run_until(150);
    assert_true(world.sim->online_count < HOSTS / 2);
    close_world();
}

static void all_come_back_to_stay(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_EXPONENTIAL, 5, 50);
    config.until_ns = 100 * S;
    open_world(HOSTS, 20, &config);
    run_until(99.9);
    assert_true(world.sim->online_count < HOSTS / 2);
    run_until(101);
    size_t lives = world.lives;
    run_until(500);
    assert_int_equal(world.sim->online_count, HOSTS);
    assert_int_equal(world.lives, lives);
    close_world();
}

static void without_churn_all_are_there(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_OFF, 5, 50);
    open_world(HOSTS, 20, &config);
    run_until(100);
    assert_int_equal(world.lives, HOSTS);
    close_world();
}

/* Who is there when does not depend on what they do: here their datagrams take another time. */
static void lives_are_their_own(void **state)
{
    (void)state;
    struct lab_churn_config config = config_of(LAB_CHURN_WEIBULL, 20, 40);
    open_world(HOSTS, 20, &config);
    run_until(200);
    size_t lives = world.lives;
    struct life *before = lab_calloc(lives, sizeof *before);
    memcpy(before, world.life, lives * sizeof *before);
    close_world();
    open_world(HOSTS, 70, &config);
    run_until(200);
    assert_int_equal(world.lives, lives);
    for (size_t i = 0; i < lives; i++) {
        assert_int_equal(before[i].host, world.life[i].host);
        assert_int_equal(before[i].online, world.life[i].online);
        assert_true(fabs(before[i].at_s - world.life[i].at_s) < 1e-6);
    }
    free(before);
    close_world();
}

static void addresses_and_stores_as_asked(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct lab_churn_config config = config_of(LAB_CHURN_FIXED, 10, 10);
        config.how = (struct lab_return){.keep_store = (k & 1) != 0, .keep_addr = (k & 2) != 0};
        open_world(10, 20, &config);
        struct hsay_addr before = world.sim->host[5].addr;
        run_until(45);
        const struct lab_host *host = &world.sim->host[5];
        assert_int_equal(memcmp(&before, &host->addr, sizeof before) == 0, (k & 2) != 0);
        assert_int_equal(host->wipes == 0, (k & 1) != 0);
        close_world();
    }
}

/* ---- patterns ---------------------------------------------------------------------------------
 */

static char path[] = "/tmp/test_lab_churn.XXXXXX";

static struct lab_churn_config pattern(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    struct lab_churn_config config = config_of(LAB_CHURN_PATTERN, 1, 1);
    config.pattern = path;
    return config;
}

static void a_pattern_is_followed(void **state)
{
    (void)state;
    struct lab_churn_config config = pattern("# host on off\n\n4 0 10\n4 20.5 30\n5 1 2\n");
    open_world(6, 20, &config);
    assert_int_equal(world.sim->online_count, 4); /* who is not in it stays */
    run_until(100);
    static const struct life expected[] = {{0, 3, true},   {1, 4, true},    {2, 4, false},
                                           {10, 3, false}, {20.5, 3, true}, {30, 3, false}};
    assert_int_equal(world.lives, 4 + 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(world.life[4 + i].host, expected[i].host);
        assert_int_equal(world.life[4 + i].online, expected[i].online);
        assert_true(fabs(world.life[4 + i].at_s - expected[i].at_s) < 1e-6);
    }
    close_world();
}

static void expect_refusal(const struct lab_churn_config *config, const char *what)
{
    char why[200] = "";
    struct lab_sim *sim = new_sim(6, 20);
    assert_null(lab_churn_new(sim, config, why, sizeof why));
    if (strstr(why, what) == NULL)
        fail_msg("'%s' does not say '%s'", why, what);
    lab_sim_free(sim);
}

static void wrong_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *text, *what;
    } wrong[] = {
        {"1 5\n", ":1: expected HOST ON OFF"},
        {"1 0 5\nx 5 6\n", ":2: expected"},
        {"1 6 5\n", "ON before OFF"},
        {"1 -1 5\n", "expected"},
        {"1 0 5 7\n", "expected"},
        {"7 0 5\n", ":1: host 7, but there are 1 to 6"},
        {"0 0 5\n", "host 0"},
        {"1 nan 5\n", "expected"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct lab_churn_config config = pattern(wrong[i].text);
        expect_refusal(&config, wrong[i].what);
    }
    struct lab_churn_config nowhere = config_of(LAB_CHURN_PATTERN, 1, 1);
    nowhere.pattern = "/nonexistent/pattern";
    expect_refusal(&nowhere, "/nonexistent/pattern");
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_are_there_at_any_time),
        cmocka_unit_test(exponential_sessions),
        cmocka_unit_test(fixed_sessions),
        cmocka_unit_test(weibull_sessions),
        cmocka_unit_test(trackers_stay),
        cmocka_unit_test(nobody_leaves_before),
        cmocka_unit_test(all_come_back_to_stay),
        cmocka_unit_test(without_churn_all_are_there),
        cmocka_unit_test(lives_are_their_own),
        cmocka_unit_test(addresses_and_stores_as_asked),
        cmocka_unit_test(a_pattern_is_followed),
        cmocka_unit_test(wrong_patterns),
    };
    return cmocka_run_group_tests(tests, make_file, drop_file);
}
