/* Goal: the trials of real NATs can be played in the simulator: the pairs that must meet do, those
 * that cannot do not, a seed repeats a trial; and a comparison of two matrices sees where one has
 * another box. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "src/lab/nat/compare.h"
#include "src/lab/nat/sim_trial.h"
#include "src/lab/sim/sim.h"

enum { STEP_MS = 1000, TRIALS = 12 };

static struct natlab_trial trial_of(const char *visitor, const char *guest, uint64_t seed)
{
    struct natlab_trial t = {.visitor = natlab_kind_find(visitor),
                             .guest = natlab_kind_find(guest),
                             .program = {.step_ms = STEP_MS},
                             .seed = seed,
                             .patience_s = 6};
    char why[128];
    lab_link_init(&t.link, 20000000);
    assert_int_equal(lab_link_prepare(&t.link, why, sizeof why), 0);
    return t;
}

static struct natlab_outcome play(const struct natlab_trial *trial)
{
    struct natlab_outcome outcome;
    struct lab_why why;
    assert_int_equal(natlab_sim_trial_run(trial, &outcome, &why), 0);
    return outcome;
}

/* Of so many trials, half of them the other way round. */
static unsigned connected(const char *a, const char *b, bool punctures)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TRIALS; i++) {
        struct natlab_trial t = trial_of(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, 100 + i);
        t.no_punctures = !punctures;
        struct natlab_outcome o = play(&t);
        count += o.connected;
        assert_true(o.known);
        assert_true(!o.connected || o.steps != 0);
    }
    return count;
}

/* --- pairs ----------------------------------------------------------------------------------- */

static void pairs_that_can_meet_do(void **state)
{
    (void)state;
    static const char *const name[] = {"open", "full_cone", "address_restricted", "port_restricted",
                                       "carrier"};
    for (size_t i = 0; i < 5; i++)
        for (size_t j = i; j < 5; j++)
            assert_int_equal(connected(name[i], name[j], true), TRIALS);
    for (size_t i = 0; i < 3; i++) /* who is reached by any port of a host it has sent to */
        assert_int_equal(connected(name[i], "symmetric", true), TRIALS);
}

static void neighbours_meet_if_their_box_lets_them(void **state)
{
    (void)state;
    assert_int_equal(connected("same_hairpin", "same_hairpin", true), TRIALS);
    struct natlab_kind deaf = *natlab_kind_find("same_hairpin");
    deaf.box[0].hairpin = false; /* the control: apart, and no hairpin */
    struct natlab_trial t = trial_of("same_hairpin", "same_hairpin", 3);
    t.visitor = t.guest = &deaf;
    assert_false(play(&t).connected);
    t = trial_of("same_lan", "same_lan", 3);
    assert_false(play(&t).connected);
    t.program.beacons = true;
    assert_true(play(&t).connected);
}

static void who_has_no_udp_is_never_known(void **state)
{
    (void)state;
    struct natlab_trial t = trial_of("open", "blocked", 1);
    struct natlab_outcome o = play(&t);
    assert_false(o.known);
    assert_false(o.connected);
}

static void without_punctures_restricted_peers_do_not_meet(void **state)
{
    (void)state;
    assert_int_equal(connected("full_cone", "full_cone", false), TRIALS); /* nor need them */
    struct natlab_trial t = trial_of("port_restricted", "port_restricted", 1);
    t.no_punctures = true;
    t.patience_s = 1.5;
    struct natlab_outcome o = play(&t);
    assert_true(o.introduced);
    assert_false(o.connected);
    assert_true(o.punctures_made > 0);
    assert_true(o.punctures == 0);
}

static void punctures_are_counted_on_their_way(void **state)
{
    (void)state;
    struct natlab_trial t = trial_of("port_restricted", "port_restricted", 1);
    struct natlab_outcome o = play(&t);
    assert_true(o.punctures >= 1 && o.punctures_made >= 1);
    assert_true(o.milliseconds >= 40); /* there and back */
    assert_true(o.milliseconds < 1000);
}

/* --- where they live ------------------------------------------------------------------------- */

static struct lab_sim *home_of_two(bool apart)
{
    struct lab_dwelling home = {
        .behind = {.boxes = 1, .kind = {natlab_kind_find("same_lan")->box[0]}},
        .hosts = 2,
        .port = 7000,
        .apart = apart};
    struct lab_sim_config config = {.seed = 1,
                                    .nodes = 3,
                                    .shards = 1,
                                    .networks = 8,
                                    .node = {.overlays_max = 1},
                                    .tracker_node = {.overlays_max = 1},
                                    .link = trial_of("open", "open", 1).link,
                                    .bootstrap = LAB_BOOTSTRAP_NONE,
                                    .trackers = 1,
                                    .dwelling = &home,
                                    .no_beacons = true};
    struct lab_sim *sim = lab_sim_new(&config);
    for (uint32_t i = 0; i < config.nodes; i++)
        lab_host_start(sim, i, &(struct lab_return){.keep_store = true, .keep_addr = true});
    return sim;
}

/* One is told of its neighbour's address inside: does that answer it? */
static void hosts_of_a_home_reach_each_other_unless_kept_apart(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        struct lab_sim *sim = home_of_two(apart != 0);
        struct hsay_peer other = {.addr = sim->host[2].addr};
        const struct hsay_node_stats *stats = hsay_node_stats(sim->host[1].node);
        assert_int_equal(sim->host[1].addr.port, 7000);
        assert_int_equal(sim->host[2].addr.port, 7001);
        lab_sim_run_until(sim, 20 * LAB_NS_PER_S);
        assert_int_equal(stats->count[HSAY_COUNT_STEPS], 0); /* nobody was named to it */
        struct hsay_now now = lab_host_now(sim, &sim->host[1], sim->now_ns);
        assert_int_equal(hsay_node_add_peer(sim->host[1].node, now, 0, &other, HSAY_BUCKET_TRUSTED),
                         0);
        lab_host_skew(sim, 1, 0); /* so that it looks at its deadline */
        lab_sim_run_until(sim, 60 * LAB_NS_PER_S);
        assert_true(stats->count[HSAY_COUNT_STEPS] > 0);
        assert_int_equal(stats->count[HSAY_COUNT_ANSWERED] > 0, !apart);
        lab_sim_free(sim);
    }
}

/* --- time ------------------------------------------------------------------------------------ */

static void while_holding_answers_are_counted(void **state)
{
    (void)state;
    struct natlab_trial t = trial_of("port_restricted", "short_10", 1);
    t.hold.hold_s = 60;
    struct natlab_outcome o = play(&t);
    assert_true(o.connected && o.mutual);
    assert_true(o.held.answers > 0);
}

static void a_seed_repeats_a_trial(void **state)
{
    (void)state;
    struct natlab_trial t = trial_of("symmetric", "address_restricted", 1);
    struct natlab_outcome first = play(&t), again = play(&t);
    assert_memory_equal(&first, &again, sizeof first);
    bool differs = false;
    for (t.seed = 2; t.seed < 8; t.seed++) {
        struct natlab_outcome other = play(&t);
        differs |= other.milliseconds != first.milliseconds;
    }
    assert_true(differs);
}

/* --- comparing ------------------------------------------------------------------------------- */

/* Summed up elsewhere, with whole binomial coefficients. */
static void counts_are_compared_by_fishers_exact_test(void **state)
{
    (void)state;
    static const struct {
        unsigned a, a_all, b, b_all;
        double p;
    } known[] = {
        {3, 4, 1, 4, 0.4857142857}, /* the lady who tastes tea */
        {0, 5, 5, 5, 0.007936507937},
        {2, 2, 0, 100, 0.0001941370609},
        {24, 24, 24, 24, 1},
        {0, 24, 0, 24, 1},
        {1, 10, 11, 14, 0.002759456185},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        double p = natlab_compare_counts(known[i].a, known[i].a_all, known[i].b, known[i].b_all);
        assert_true(fabs(p - known[i].p) < 1e-8);
    }
    assert_true(isnan(natlab_compare_counts(0, 0, 1, 2)));
}

/* A simulated campaign of one kind with itself. */
static struct natlab_matrix *campaign(struct natlab_campaign *c, const struct natlab_kind *kind,
                                      bool punctures, uint64_t seed)
{
    *c = (struct natlab_campaign){.engine = &natlab_engine_simulator,
                                  .kind = {kind},
                                  .kinds = 1,
                                  .trials = TRIALS,
                                  .steps_max = 2,
                                  .quiet = true,
                                  .each = trial_of("open", "open", 0),
                                  .seed = seed};
    c->each.no_punctures = !punctures;
    c->each.patience_s = punctures ? 6 : 1.5;
    natlab_campaign_pair_up(c);
    struct lab_result result[TRIALS];
    for (size_t i = 0; i < TRIALS; i++)
        lab_result_init(&result[i]);
    assert_int_equal(natlab_campaign_run(c, result), LAB_BATCH_DONE);
    struct natlab_matrix *matrix = lab_heap_new(1, sizeof *matrix);
    natlab_matrix_fill(matrix, c, result);
    for (size_t i = 0; i < TRIALS; i++)
        lab_result_free(&result[i]);
    return matrix;
}

static bool alike(const struct natlab_kind *a, const struct natlab_kind *b, bool punctures)
{
    struct natlab_campaign one, other;
    struct natlab_matrix *first = campaign(&one, a, punctures, 1),
                         *second = campaign(&other, b, punctures, 1000);
    struct natlab_comparison *c = lab_heap_new(1, sizeof *c);
    natlab_compare(c, first, second);
    assert_int_equal(c->compared, 1);
    bool agreed = c->agreed == 1;
    free(c);
    free(first);
    free(second);
    return agreed;
}

static void a_comparison_sees_a_box_of_another_kind(void **state)
{
    (void)state;
    struct natlab_kind is = *natlab_kind_find("full_cone"), other = is;
    assert_true(alike(&is, &other, true));
    assert_true(alike(&is, &other, false));
    other.box[0].filtering = LAB_NAT_PORT; /* the controls; a puncture opens this one */
    assert_true(alike(&is, &other, true));
    assert_false(alike(&is, &other, false));
    other.box[0].blocked = true;
    assert_false(alike(&is, &other, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_that_can_meet_do),
        cmocka_unit_test(neighbours_meet_if_their_box_lets_them),
        cmocka_unit_test(who_has_no_udp_is_never_known),
        cmocka_unit_test(without_punctures_restricted_peers_do_not_meet),
        cmocka_unit_test(punctures_are_counted_on_their_way),
        cmocka_unit_test(hosts_of_a_home_reach_each_other_unless_kept_apart),
        cmocka_unit_test(while_holding_answers_are_counted),
        cmocka_unit_test(a_seed_repeats_a_trial),
        cmocka_unit_test(counts_are_compared_by_fishers_exact_test),
        cmocka_unit_test(a_comparison_sees_a_box_of_another_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
