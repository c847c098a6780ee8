/* Goal: the trials of real NATs can be played in the simulator: the pairs that must meet do, those
 * that cannot do not, a seed repeats a trial; and a comparison of two matrices sees where one has
 * another box.  Paths are read as they are, and what is noted of them while they are held is so. */
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
    assert_int_equal(o.held.looks, 2 * 61);
    assert_true(o.held.tried && !o.held.flushed);
}

/* Ways are short: what is read holds no longer than until a node sends something. */
static struct natlab_held held(const char *a, const char *b, uint64_t seed, double flush_s,
                               bool visitor, bool guest)
{
    struct natlab_trial t = trial_of(a, b, seed);
    char why[128];
    lab_link_init(&t.link, 1000000);
    assert_int_equal(lab_link_prepare(&t.link, why, sizeof why), 0);
    t.patience_s = 30;
    t.hold = (struct natlab_hold_plan){10, flush_s, {visitor, guest}};
    struct natlab_outcome o = play(&t);
    assert_true(o.connected);
    return o.held;
}

/* The reading, and a real datagram: through one box and two, and with ports by chance, of which the
 * one that leads through may be that of a search. */
static void paths_are_read_as_they_are(void **state)
{
    (void)state;
    static const char *const pair[][2] = {{"open", "full_cone"},
                                          {"full_cone", "symmetric"},
                                          {"symmetric", "open"},
                                          {"address_restricted", "symmetric"},
                                          {"port_restricted", "carrier"},
                                          {"short_10", "short_30"},
                                          {"symmetric_sequential", "address_restricted"}};
    unsigned came = 0, not = 0;
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++)
        for (uint64_t seed = 1; seed < 2 * TRIALS; seed++) {
            double flush_s = seed % 2 == 0 ? 9.99 : 0;
            struct natlab_held h = held(pair[i][0], pair[i][1], seed, flush_s, true, true);
            assert_true(h.tried);
            assert_false(h.doubted);
            came += h.came;
            not += !h.came;
        }
    assert_true(came > 0 && not > 0);
}

static void a_box_that_forgets_shuts_the_paths_to_it(void **state)
{
    (void)state;
    static const struct {
        const char *visitor, *guest;
        bool whose[NATLAB_PEERS];
        unsigned shut; /* -1u: nothing was flushed */
    } known[] = {{"port_restricted", "carrier", {true, true}, 2},
                 {"full_cone", "full_cone", {true, true}, 2},
                 {"full_cone", "full_cone", {true, false}, 1},
                 {"port_restricted", "open", {true, true}, 1},
                 {"port_restricted", "open", {false, true}, -1u},
                 {"open", "open", {true, true}, -1u}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct natlab_held h =
            held(known[i].visitor, known[i].guest, 5, 3, known[i].whose[0], known[i].whose[1]);
        assert_int_equal(h.flushed, known[i].shut != -1u);
        assert_int_equal(h.flush_looks, h.flushed ? NATLAB_PEERS : 0);
        assert_true(!h.flushed || h.shut == known[i].shut);
        assert_int_equal(h.flows > 0, h.flushed);
    }
}

/* That of the other peer, which was told of it by nobody but peers. */
static void a_bundle_arrives_after_a_flush(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct natlab_held h = held("port_restricted", "full_cone", seed, 2, true, true);
        assert_true(isfinite(h.bundle_steps) && isfinite(h.bundle_ms));
        assert_true(h.bundle_ms >= 1 && h.bundle_ms <= 8000);
        assert_true(isinf(h.answer_steps) == isinf(h.answer_ms));
    }
    struct natlab_trial t = trial_of("port_restricted", "full_cone", 1); /* the control */
    t.hold = (struct natlab_hold_plan){3, 2.99, {true, true}};
    assert_true(isinf(play(&t).held.bundle_ms));
}

/* --- sync after a flush ---------------------------------------------------------------------- */

enum { FLUSHES = 100, USUAL_STEP_MS = 5000 };

struct resumption {
    unsigned trials, in_time, shut, arrived; /* in time: within two steps */
    double steps;                            /* of all that arrived */
};

static void note_resumption(struct resumption *r, const struct natlab_held *h)
{
    r->trials++;
    r->shut += h->shut == NATLAB_PEERS;
    r->in_time += h->bundle_steps <= 2;
    r->arrived += isfinite(h->bundle_steps) != 0;
    r->steps += isfinite(h->bundle_steps) ? h->bundle_steps : 0;
}

/* At the usual step, with ten of them after the flush.  Two that did not meet have nothing that
 * could be flushed. */
static struct resumption resume(const char *a, const char *b, bool bundles)
{
    struct resumption r = {.trials = 0};
    for (unsigned i = 0; i < FLUSHES; i++) {
        struct natlab_trial t = trial_of(i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, 500 + i);
        t.program.step_ms = USUAL_STEP_MS;
        t.patience_s = 30;
        t.hold = (struct natlab_hold_plan){60, 10, {true, true}};
        t.no_bundles = !bundles;
        struct natlab_outcome o = play(&t);
        if (o.connected)
            note_resumption(&r, &o.held);
    }
    return r;
}

static const char *const resumed[][2] = {{"port_restricted", "port_restricted"},
                                         {"port_restricted", "symmetric"},
                                         {"full_cone", "symmetric"}};

static void sync_resumes_within_two_steps_of_a_flush(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof resumed / sizeof resumed[0]; i++) {
        struct resumption r = resume(resumed[i][0], resumed[i][1], true);
        assert_true(r.trials >= FLUSHES * 9 / 10);
        assert_true(r.in_time * 100 >= r.trials * 85); /* of a thousand, 947 or more */
        assert_int_equal(r.shut, r.trials);            /* no path brought it that was left open */
        assert_int_equal(r.arrived, r.trials);
        assert_true(r.steps < 1.7 * r.arrived);
    }
}

static void without_bundles_nothing_resumes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof resumed / sizeof resumed[0]; i++) {
        struct resumption r = resume(resumed[i][0], resumed[i][1], false);
        assert_true(r.trials >= FLUSHES * 9 / 10);
        assert_int_equal(r.arrived, 0);
    }
}

static void who_shares_a_box_is_not_looked_at(void **state)
{
    (void)state;
    struct natlab_held h = held("same_home", "same_home", 1, 3, true, true);
    assert_int_equal(h.looks, 0);
    assert_false(h.tried);
    assert_true(h.flushed && h.flush_looks == 0 && h.flows > 0);
    assert_true(isfinite(h.bundle_steps));
}

static void a_seed_repeats_a_trial(void **state)
{
    (void)state;
    struct natlab_trial t = trial_of("symmetric", "address_restricted", 1);
    t.hold = (struct natlab_hold_plan){5, 2, {true, true}};
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
                                      bool punctures, const struct natlab_hold_plan *hold,
                                      uint64_t seed)
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
    if (hold != NULL)
        c->each.hold = *hold;
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

static struct natlab_verdict compare(const struct natlab_kind *a, const struct natlab_kind *b,
                                     bool punctures, const struct natlab_hold_plan *hold)
{
    struct natlab_campaign one, other;
    struct natlab_matrix *first = campaign(&one, a, punctures, hold, 1),
                         *second = campaign(&other, b, punctures, hold, 1000);
    struct natlab_comparison *c = lab_heap_new(1, sizeof *c);
    natlab_compare(c, first, second);
    assert_int_equal(c->compared, 1);
    struct natlab_verdict verdict = c->pair[0];
    assert_int_equal(c->agreed, verdict.counts_agree && verdict.times_agree && verdict.kept_agrees);
    free(c);
    free(first);
    free(second);
    return verdict;
}

static bool alike(const struct natlab_kind *a, const struct natlab_kind *b, bool punctures)
{
    struct natlab_verdict v = compare(a, b, punctures, NULL);
    assert_true(isnan(v.throughout) && isnan(v.bundles) && v.kept_agrees); /* nothing was held */
    return v.counts_agree && v.times_agree;
}

static bool alike_held(const struct natlab_kind *a, const struct natlab_kind *b,
                       const struct natlab_hold_plan *hold)
{
    struct natlab_verdict v = compare(a, b, true, hold);
    assert_true(v.counts_agree); /* they meet all the same */
    assert_true(isfinite(v.kept_share));
    return v.kept_agrees;
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

/* Nobody asks so often that a box with such a timer stays open; the two meet all the same. */
static void a_comparison_sees_paths_that_do_not_stay(void **state)
{
    (void)state;
    struct natlab_kind is = *natlab_kind_find("port_restricted"), other = is;
    other.box[0].timeout_ns = other.box[0].stream_ns = 1500000000;
    struct natlab_hold_plan plan = {.hold_s = 8};
    assert_true(alike_held(&is, &is, &plan));
    assert_true(alike_held(&other, &other, &plan));
    assert_false(alike_held(&is, &other, &plan));
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
        cmocka_unit_test(paths_are_read_as_they_are),
        cmocka_unit_test(a_box_that_forgets_shuts_the_paths_to_it),
        cmocka_unit_test(a_bundle_arrives_after_a_flush),
        cmocka_unit_test(sync_resumes_within_two_steps_of_a_flush),
        cmocka_unit_test(without_bundles_nothing_resumes),
        cmocka_unit_test(who_shares_a_box_is_not_looked_at),
        cmocka_unit_test(a_seed_repeats_a_trial),
        cmocka_unit_test(counts_are_compared_by_fishers_exact_test),
        cmocka_unit_test(a_comparison_sees_a_box_of_another_kind),
        cmocka_unit_test(a_comparison_sees_paths_that_do_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
