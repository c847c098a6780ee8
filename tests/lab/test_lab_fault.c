/*
 * Goal of this test: each fault happens in the share that was asked for, within its time, and takes
 * what it is to take; and when all is over the machines are as good as new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "hearsay/error.h"
#include "src/lab/config.h"
#include "src/lab/sim/fault.h"
#include "src/lab/sim/invariant.h"

enum { HOSTS = 6 };

struct rig {
    struct lab_sim *sim;
    struct lab_fault *fault;
    struct lab_invariants *all;
};

static void begin(struct rig *r, const struct lab_fault_config *config)
{
    static const struct lab_return fresh = {0};
    struct lab_settings settings;
    struct lab_sim_config world;
    char why[200];
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    assert_int_equal(lab_settings_set(&settings, "nodes", "6", why, sizeof why), 0);
    assert_int_equal(lab_config_read(&settings, 3, &world, why, sizeof why), 0);
    lab_settings_free(&settings);
    r->sim = lab_sim_new(&world);
    r->fault = lab_fault_new(r->sim, config);
    r->all = lab_invariants_new(r->sim, LAB_CHECK_ALL);
    for (uint32_t i = 0; i < HOSTS; i++)
        lab_host_start(r->sim, i, &fresh);
}

static void run(struct rig *r, uint64_t seconds)
{
    lab_sim_run_until(r->sim, lab_sim_elapsed_ns(r->sim) + seconds * LAB_NS_PER_S);
}

static int publish(struct rig *r, uint32_t host)
{
    static const uint8_t payload[40] = "something";
    return lab_host_publish(r->sim, host, (struct hsay_span){payload, sizeof payload}, 1, NULL);
}

static void end(struct rig *r)
{
    lab_invariants_finish(r->all);
    if (lab_invariants_first(r->all) != NULL)
        fail_msg("%s", lab_invariants_first(r->all));
    lab_invariants_free(r->all);
    lab_fault_free(r->fault);
    lab_sim_free(r->sim);
}

static void no_fault_is_nothing(void **state)
{
    (void)state;
    assert_null(lab_fault_new(NULL, &(struct lab_fault_config){.from_ns = 5, .full_bytes = 7}));
    lab_fault_end(NULL);
    lab_fault_free(NULL);
    assert_int_equal(lab_fault_count(NULL).crashes, 0);
}

static void a_disk_that_never_commits(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, &(struct lab_fault_config){.commit_fail = 1});
    run(&r, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(publish(&r, 1), HSAY_ESTORE);
    run(&r, 30);
    for (uint32_t i = 0; i < HOSTS; i++)
        assert_int_equal(lab_store_count(&r.sim->host[i].store), 0);
    assert_in_range(lab_fault_count(r.fault).commits, 5,
                    10); /* a broken store is not asked again */
    lab_fault_end(r.fault);
    assert_int_equal(publish(&r, 1), 0);
    run(&r, 30);
    assert_int_equal(lab_store_count(&r.sim->host[0].store), 1);
    end(&r);
}

static void a_disk_that_takes_nothing(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, &(struct lab_fault_config){.put_fail = 1, .until_ns = 20 * LAB_NS_PER_S});
    run(&r, 1);
    assert_int_equal(publish(&r, 1), HSAY_ENOSPC);
    run(&r, 20);
    assert_int_equal(publish(&r, 1), 0);
    assert_int_equal(lab_fault_count(r.fault).puts, 1);
    end(&r);
}

/* One put in four, over many. */
static void a_share_of_puts(void **state)
{
    struct rig r;
    unsigned failed = 0;
    (void)state;
    begin(&r, &(struct lab_fault_config){.put_fail = 0.25});
    run(&r, 1);
    lab_host_stop(r.sim, 2);
    lab_host_start(r.sim, 2, &(struct lab_return){0}); /* a new store has the fault, too */
    for (unsigned i = 0; i < 2000; i++)
        failed += publish(&r, 2) == HSAY_ENOSPC;
    assert_in_range(failed, 430, 570);
    end(&r);
}

static void crashes_take_what_was_not_committed(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, &(struct lab_fault_config){.crash = 1, .until_ns = 5 * LAB_NS_PER_S});
    run(&r, 1);
    uint32_t lives = r.sim->host[1].lives;
    assert_int_equal(publish(&r, 1), HSAY_ESTORE);
    assert_int_equal(r.sim->host[1].lives, lives + 1);
    assert_int_equal(lab_store_count(&r.sim->host[1].store), 0);
    run(&r, 5);
    uint64_t crashes = lab_fault_count(r.fault).crashes;
    assert_true(crashes > 1);
    assert_int_equal(publish(&r, 1), 0);
    run(&r, 10);
    assert_int_equal(lab_fault_count(r.fault).crashes, crashes);
    assert_int_equal(lab_store_count(&r.sim->host[0].store), 1);
    end(&r);
}

/* Half of the failing commits break the store; its host starts anew at its next event. */
static void a_broken_store_is_opened_anew(void **state)
{
    struct rig r;
    bool broke = false;
    (void)state;
    begin(&r, &(struct lab_fault_config){.commit_fail = 1, .until_ns = 100 * LAB_NS_PER_S});
    run(&r, 1);
    for (unsigned i = 0; i < 20 && !broke; i++) {
        publish(&r, 1);
        broke = r.sim->host[1].store.broken;
    }
    assert_true(broke);
    uint32_t lives = r.sim->host[1].lives;
    run(&r, 20);
    assert_false(r.sim->host[1].store.broken);
    assert_int_equal(r.sim->host[1].lives, lives + 1);
    end(&r);
}

static void clocks_jump_ahead(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, &(struct lab_fault_config){.clock_jump_s = 10,
                                         .clock_jump_max = 100,
                                         .from_ns = 10 * LAB_NS_PER_S,
                                         .until_ns = 210 * LAB_NS_PER_S});
    run(&r, 10);
    for (uint32_t i = 0; i < HOSTS; i++)
        assert_int_equal(r.sim->host[i].skew_ns, 0);
    run(&r, 300);
    uint64_t jumps = lab_fault_count(r.fault).jumps, least = jumps * LAB_NS_PER_S, skew = 0;
    assert_in_range(jumps, 80, 160); /* 120 */
    for (uint32_t i = 0; i < HOSTS; i++)
        skew += r.sim->host[i].skew_ns;
    assert_true(skew > least && skew < 100 * least);
    end(&r);
}

static void stores_that_are_full_early(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, &(struct lab_fault_config){.full = 1, .full_bytes = 400});
    run(&r, 1);
    unsigned taken = 0;
    for (unsigned i = 0; i < 10; i++)
        taken += publish(&r, 3) == 0;
    assert_int_equal(taken, 2); /* of about 165 bytes */
    lab_fault_end(r.fault);
    assert_int_equal(publish(&r, 3), 0);
    run(&r, 30);
    assert_int_equal(lab_store_count(&r.sim->host[5].store), 3);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_is_nothing),
        cmocka_unit_test(a_disk_that_never_commits),
        cmocka_unit_test(a_disk_that_takes_nothing),
        cmocka_unit_test(a_share_of_puts),
        cmocka_unit_test(crashes_take_what_was_not_committed),
        cmocka_unit_test(a_broken_store_is_opened_anew),
        cmocka_unit_test(clocks_jump_ahead),
        cmocka_unit_test(stores_that_are_full_early),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
