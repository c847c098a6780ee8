/* Goal: each knob of the link model does what its name says, in the share that was asked for, and
 * none of them changes what the others draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/sim/link.h"

enum { MANY = 200000, BYTES = 1000 };
#define MS    UINT64_C(1000000)
#define S     UINT64_C(1000000000)
#define START S

struct rig {
    struct lab_link_model model;
    struct lab_link_state state;
    struct lab_chance chance;
    uint64_t now_ns;
    struct lab_link_arrival out[2];
};

static struct rig rig_with(uint64_t seed)
{
    struct rig r = {.chance = lab_chance_stream(seed, LAB_CHANCE_LINK, 1), .now_ns = START};
    lab_link_init(&r.model, 50 * MS);
    return r;
}

static void ready(struct rig *r)
{
    char why[120] = "";
    int rc = lab_link_prepare(&r->model, why, sizeof why);
    if (rc != 0)
        fail_msg("%s", why);
}

static unsigned send_bytes(struct rig *r, size_t bytes)
{
    memset(r->out, 0xee, sizeof r->out);
    return lab_link_send(&r->model, &r->state, &r->chance, r->now_ns, 0, 0, bytes, r->out);
}

static uint64_t delay_of(const struct rig *r)
{
    return r->out[0].at_ns - r->now_ns;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* Delays of MANY datagrams, sorted. */
static uint64_t *delays(struct rig *r)
{
    uint64_t *all = calloc(MANY, sizeof *all);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(send_bytes(r, BYTES), 1);
        all[i] = delay_of(r);
    }
    qsort(all, MANY, sizeof *all, by_size);
    return all;
}

static uint64_t at_share(const uint64_t *all, double share)
{
    return all[(size_t)(share * (MANY - 1))];
}

static void assert_near(double value, double expected, double tolerance)
{
    if (value < expected * (1 - tolerance) || value > expected * (1 + tolerance))
        fail_msg("%g is not within %g %% of %g", value, tolerance * 100, expected);
}

/* --- delays ---------------------------------------------------------------------------------- */

static void a_plain_line_delays_and_nothing_else(void **state)
{
    (void)state;
    struct rig r = rig_with(1);
    ready(&r);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(send_bytes(&r, BYTES), 1);
        assert_int_equal(delay_of(&r), 50 * MS);
        assert_int_equal(r.out[0].corrupt_at, -1);
        assert_int_equal(r.out[0].loss, LAB_LINK_KEPT);
    }
    assert_int_equal(lab_link_delay_min(&r.model), 50 * MS);
}

static void uniform_delays_fill_their_range(void **state)
{
    (void)state;
    struct rig r = rig_with(2);
    r.model.delay = LAB_DELAY_UNIFORM;
    r.model.delay_low_ns = 20 * MS;
    r.model.delay_high_ns = 80 * MS;
    ready(&r);
    uint64_t *all = delays(&r);
    assert_true(all[0] >= 20 * MS && all[MANY - 1] <= 80 * MS);
    for (double share = 0.1; share < 1; share += 0.1)
        assert_near((double)at_share(all, share), 20e6 + share * 60e6, 0.01);
    assert_int_equal(lab_link_delay_min(&r.model), 20 * MS);
    free(all);
}

static struct rig measured_rig(uint64_t seed)
{
    struct rig r = rig_with(seed);
    r.model.delay = LAB_DELAY_MEASURED;
    r.model.delay_ns = 50 * MS;
    r.model.delay_low_ns = 30 * MS;
    r.model.delay_p99_ns = 200 * MS;
    r.model.delay_high_ns = 5000 * MS;
    r.model.tail_index = 2;
    return r;
}

/* Log of the excess is normal: quartiles are a factor exp(0.6745 sigma) off the median, with
 * sigma = ln(170 / 20) / 2.3263. */
static void measured_delays_have_the_median_and_the_percentile(void **state)
{
    (void)state;
    struct rig r = measured_rig(3);
    ready(&r);
    uint64_t *all = delays(&r);
    assert_true(all[0] >= 30 * MS);
    assert_near((double)at_share(all, 0.5), 50e6, 0.01);
    assert_near((double)at_share(all, 0.99), 200e6, 0.03);
    assert_near((double)at_share(all, 0.25), 30e6 + 20e6 / 1.860, 0.01);
    assert_near((double)at_share(all, 0.75), 30e6 + 20e6 * 1.860, 0.01);
    free(all);
}

/* With an index of 2, a tenth of the probability is left at the root of 10 times the excess. */
static void measured_delays_have_a_pareto_tail_with_an_end(void **state)
{
    (void)state;
    struct rig r = measured_rig(4);
    ready(&r);
    uint64_t *all = delays(&r);
    assert_near((double)at_share(all, 0.999), 30e6 + 170e6 * 3.162, 0.12);
    assert_true(all[MANY - 1] <= 5000 * MS);
    free(all);
    r = measured_rig(4);
    r.model.delay_high_ns = 210 * MS;
    ready(&r);
    all = delays(&r);
    assert_int_equal(all[MANY - 1], 210 * MS);
    assert_true(at_share(all, 0.989) < 210 * MS);
    free(all);
}

static uint64_t one_delay(struct rig *r, unsigned from, unsigned to)
{
    assert_int_equal(
        lab_link_send(&r->model, &r->state, &r->chance, r->now_ns, from, to, BYTES, r->out), 1);
    return delay_of(r);
}

static void regions_stretch_all_delays(void **state)
{
    (void)state;
    struct rig r = rig_with(5);
    r.model.regions = 2;
    r.model.region_us[0][0] = 10000;
    r.model.region_us[0][1] = 90000;
    r.model.region_us[1][0] = 100000;
    r.model.region_us[1][1] = 25000;
    ready(&r);
    assert_near((double)one_delay(&r, 0, 0), 10e6, 1e-4);
    assert_near((double)one_delay(&r, 0, 1), 90e6, 1e-4);
    assert_near((double)one_delay(&r, 1, 0), 100e6, 1e-4);
    assert_near((double)one_delay(&r, 1, 1), 25e6, 1e-4);
    assert_near((double)lab_link_delay_min(&r.model), 10e6, 1e-4);
}

static void the_world_has_its_medians_and_its_least(void **state)
{
    (void)state;
    struct rig r = rig_with(6);
    lab_link_world(&r.model);
    ready(&r);
    uint64_t *all = calloc(MANY, sizeof *all);
    for (unsigned pair = 0; pair < 3; pair++) {
        static const unsigned to[] = {0, 3, 6};
        static const double median[] = {20e6, 107e6, 134e6};
        for (int i = 0; i < MANY; i++) {
            all[i] = one_delay(&r, 0, to[pair]);
            assert_true(all[i] >= lab_link_delay_min(&r.model));
        }
        qsort(all, MANY, sizeof *all, by_size);
        assert_near((double)at_share(all, 0.5), median[pair], 0.01);
        assert_near((double)at_share(all, 0.99), 3 * median[pair], 0.05);
        assert_true((double)all[0] >= 0.799 * median[pair]);
    }
    assert_near((double)lab_link_delay_min(&r.model), 16e6, 1e-3);
    free(all);
}

static void the_world_is_the_same_in_both_directions(void **state)
{
    (void)state;
    struct lab_link_model model;
    lab_link_init(&model, MS);
    lab_link_world(&model);
    for (unsigned i = 0; i < model.regions; i++) {
        assert_non_null(lab_link_region_name(i));
        for (unsigned j = 0; j < model.regions; j++)
            assert_int_equal(model.region_us[i][j], model.region_us[j][i]);
    }
    assert_null(lab_link_region_name(model.regions));
}

/* --- losses ---------------------------------------------------------------------------------- */

static void chance_loses_the_share(void **state)
{
    (void)state;
    static const double share[] = {0, 0.001, 0.1, 0.5, 1};
    for (size_t k = 0; k < sizeof share / sizeof *share; k++) {
        struct rig r = rig_with(7);
        r.model.loss = share[k];
        ready(&r);
        unsigned lost = 0;
        for (int i = 0; i < MANY; i++)
            if (send_bytes(&r, BYTES) == 0) {
                assert_int_equal(r.out[0].loss, LAB_LINK_LOST_CHANCE);
                lost++;
            }
        if (share[k] == 0 || share[k] == 1)
            assert_int_equal(lost, share[k] == 0 ? 0 : MANY);
        else
            assert_near(lost, share[k] * MANY, share[k] < 0.01 ? 0.2 : 0.02);
    }
}

static void check_bursts(double share, double mean)
{
    struct rig r = rig_with(8);
    r.model.burst_share = share;
    r.model.burst_mean = mean;
    ready(&r);
    unsigned lost = 0, bursts = 0;
    bool before = false;
    for (int i = 0; i < 5 * MANY; i++) {
        bool now = send_bytes(&r, BYTES) == 0;
        assert_true(!now || r.out[0].loss == LAB_LINK_LOST_BURST);
        lost += now;
        bursts += now && !before;
        before = now;
    }
    assert_near(lost, share * 5 * MANY, 0.05);
    assert_near((double)lost / bursts, mean, 0.03);
}

static void bursts_have_their_length_and_their_share(void **state)
{
    (void)state;
    check_bursts(0.05, 8);
    check_bursts(0.2, 3);
    check_bursts(0.01, 1);
    check_bursts(0.6, 20);
}

/* A line that was in a burst when its model changed would lose everything for ever. */
static void a_burst_ends_with_its_model(void **state)
{
    (void)state;
    struct rig r = rig_with(8);
    r.model.burst_share = 0.5;
    r.model.burst_mean = 1000;
    ready(&r);
    while (send_bytes(&r, BYTES) != 0)
        ;
    r.model.burst_share = 0;
    ready(&r);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(send_bytes(&r, BYTES), 1);
}

static void what_the_packet_limit_forbids_is_lost(void **state)
{
    (void)state;
    struct rig r = rig_with(9);
    ready(&r);
    assert_int_equal(send_bytes(&r, 1472), 1);
    assert_int_equal(send_bytes(&r, 1473), 0);
    assert_int_equal(r.out[0].loss, LAB_LINK_LOST_MTU);
    r.model.header_bytes = LAB_LINK_HEADER_IP6;
    ready(&r);
    assert_int_equal(send_bytes(&r, 1452), 1);
    assert_int_equal(send_bytes(&r, 1453), 0);
    r.model.mtu = 0;
    ready(&r);
    assert_int_equal(send_bytes(&r, 65507), 1);
}

/* --- the queue ------------------------------------------------------------------------------- */

/* 100,000 bytes/s, 1,000 on the wire each: 10 ms a datagram. */
static struct rig slow_rig(uint64_t queue_bytes)
{
    struct rig r = rig_with(10);
    r.model.rate_bytes_s = 100000;
    r.model.queue_bytes = queue_bytes;
    ready(&r);
    return r;
}

static void a_queue_delays_each_by_those_before_it(void **state)
{
    (void)state;
    struct rig r = slow_rig(5000);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(send_bytes(&r, 972), 1);
        assert_int_equal(delay_of(&r), i * 10 * MS + 50 * MS);
    }
    assert_int_equal(send_bytes(&r, 972), 0);
    assert_int_equal(r.out[0].loss, LAB_LINK_LOST_QUEUE);
    r.now_ns += 10 * MS - 1;
    assert_int_equal(send_bytes(&r, 972), 0);
    r.now_ns += 1;
    assert_int_equal(send_bytes(&r, 972), 1);
    assert_int_equal(delay_of(&r), 100 * MS);
    assert_int_equal(send_bytes(&r, 0), 0); /* the queue is full to the byte */
    r.now_ns += S;
    assert_int_equal(send_bytes(&r, 972), 1);
    assert_int_equal(delay_of(&r), 60 * MS);
}

static void an_idle_line_takes_what_its_queue_could_not_hold(void **state)
{
    (void)state;
    struct rig r = slow_rig(0);
    assert_int_equal(send_bytes(&r, 972), 1);
    assert_int_equal(send_bytes(&r, 972), 0);
    r.now_ns += 10 * MS;
    assert_int_equal(send_bytes(&r, 972), 1);
}

/* Fractions of a nanosecond are rounded up: a line is never faster than it was told. */
static void a_line_is_not_faster_than_its_rate(void **state)
{
    (void)state;
    struct rig r = rig_with(10);
    r.model.rate_bytes_s = 3;
    r.model.header_bytes = 0;
    ready(&r);
    assert_int_equal(send_bytes(&r, 1), 1);
    assert_int_equal(delay_of(&r), 333333334 + 50 * MS);
}

static void a_flood_gets_through_at_the_rate(void **state)
{
    (void)state;
    struct rig r = slow_rig(20000);
    uint64_t bytes = 0;
    for (int i = 0; i < 10000; i++) { /* ten times too fast, for ten seconds */
        if (send_bytes(&r, 972) != 0)
            bytes += 1000;
        r.now_ns += MS;
    }
    assert_near((double)bytes, 10 * 100000 + 20000, 0.001);
}

/* --- other faults ---------------------------------------------------------------------------- */

static void some_come_twice(void **state)
{
    (void)state;
    struct rig r = rig_with(11);
    r.model.delay = LAB_DELAY_UNIFORM;
    r.model.delay_low_ns = 10 * MS;
    r.model.delay_high_ns = 90 * MS;
    r.model.duplicate = 0.2;
    ready(&r);
    unsigned twice = 0, later = 0;
    for (int i = 0; i < MANY; i++)
        if (send_bytes(&r, BYTES) == 2) {
            twice++;
            later += r.out[1].at_ns > r.out[0].at_ns;
            assert_in_range(r.out[1].at_ns - r.now_ns, 10 * MS, 90 * MS);
        }
    assert_near(twice, 0.2 * MANY, 0.02);
    assert_near(later, twice / 2.0, 0.03); /* each delay for itself */
}

static void some_are_held_up(void **state)
{
    (void)state;
    struct rig r = rig_with(12);
    r.model.reorder = 0.25;
    r.model.reorder_ns = 40 * MS;
    ready(&r);
    unsigned held = 0;
    double sum = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(send_bytes(&r, BYTES), 1);
        assert_in_range(delay_of(&r), 50 * MS, 90 * MS);
        held += delay_of(&r) > 50 * MS;
        sum += (double)(delay_of(&r) - 50 * MS);
    }
    assert_near(held, 0.25 * MANY, 0.02);
    assert_near(sum / held, 20e6, 0.01);
}

static bool is_one_bit(uint8_t mask)
{
    return (mask & (mask - 1)) == 0;
}

static void corruption_flips_one_bit_or_byte_anywhere(void **state)
{
    (void)state;
    struct rig r = rig_with(13);
    r.model.corrupt = 0.3;
    ready(&r);
    unsigned hit[10] = {0}, hits = 0, bits = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(send_bytes(&r, 10), 1);
        if (r.out[0].corrupt_at < 0)
            continue;
        assert_in_range(r.out[0].corrupt_at, 0, 9);
        assert_int_not_equal(r.out[0].corrupt_mask, 0);
        hit[r.out[0].corrupt_at]++;
        hits++;
        bits += is_one_bit(r.out[0].corrupt_mask);
    }
    assert_near(hits, 0.3 * MANY, 0.02);
    assert_near(bits, hits * (0.5 + 0.5 * 8 / 255), 0.03);
    for (int i = 0; i < 10; i++)
        assert_near(hit[i], hits / 10.0, 0.06);
    assert_int_equal(send_bytes(&r, 0), 1); /* nothing to corrupt */
    assert_int_equal(r.out[0].corrupt_at, -1);
}

/* --- chance ---------------------------------------------------------------------------------- */

static void every_fault(struct lab_link_model *model)
{
    model->loss = 0.1;
    model->burst_share = 0.05;
    model->burst_mean = 4;
    model->duplicate = 0.1;
    model->corrupt = 0.1;
    model->rate_bytes_s = 10000000;
    model->queue_bytes = 100000;
}

static void one_number_of_the_stream_for_each_datagram(void **state)
{
    (void)state;
    struct rig r = measured_rig(14);
    every_fault(&r.model);
    r.model.reorder = 0.1;
    r.model.reorder_ns = 5 * MS;
    ready(&r);
    struct lab_chance counted = r.chance;
    for (int i = 0; i < 10000; i++) {
        send_bytes(&r, (size_t)i % 2000);
        lab_chance_next(&counted);
        assert_true(r.chance.state == counted.state);
        r.now_ns += MS;
    }
}

static void a_fault_leaves_the_delays_of_the_rest_alone(void **state)
{
    (void)state;
    struct rig clean = measured_rig(15), faulty = measured_rig(15);
    every_fault(&faulty.model);
    faulty.model.rate_bytes_s = 0;
    ready(&clean);
    ready(&faulty);
    unsigned kept = 0;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(send_bytes(&clean, BYTES), 1);
        if (send_bytes(&faulty, BYTES) == 0)
            continue;
        kept++;
        assert_true(clean.out[0].at_ns == faulty.out[0].at_ns);
    }
    assert_near(kept, 8550, 0.03);
}

static void equal_seeds_give_equal_runs(void **state)
{
    (void)state;
    struct rig a = measured_rig(16), b = measured_rig(16);
    every_fault(&a.model);
    every_fault(&b.model);
    ready(&a);
    ready(&b);
    for (int i = 0; i < 10000; i++) {
        unsigned count = send_bytes(&a, BYTES);
        assert_int_equal(send_bytes(&b, BYTES), count);
        for (unsigned k = 0; k < count; k++) {
            assert_true(a.out[k].at_ns == b.out[k].at_ns);
            assert_int_equal(a.out[k].corrupt_at, b.out[k].corrupt_at);
            assert_int_equal(a.out[k].corrupt_mask, b.out[k].corrupt_mask);
        }
        a.now_ns = b.now_ns += 100000;
    }
}

/* --- refusals -------------------------------------------------------------------------------- */

static void refused(const struct lab_link_model *model, const char *words)
{
    struct lab_link_model copy = *model;
    char why[120] = "";
    assert_int_equal(lab_link_prepare(&copy, why, sizeof why), HSAY_EINVAL);
    if (strstr(why, words) == NULL)
        fail_msg("'%s' does not say '%s'", why, words);
}

#define REFUSED(base, field, value, words)                                                         \
    do {                                                                                           \
        struct lab_link_model bad = (base).model;                                                  \
        bad.field = (value);                                                                       \
        refused(&bad, words);                                                                      \
    } while (0)

static void a_model_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct rig plain = rig_with(17), measured = measured_rig(17), world = rig_with(17);
    lab_link_world(&world.model);
    REFUSED(plain, delay_ns, 0, "1 us");
    REFUSED(plain, delay_ns, 61 * S, "60 s");
    REFUSED(plain, loss, 1.5, "loss must be 0 to 1, not 1.5");
    REFUSED(plain, corrupt, -0.1, "corrupt");
    REFUSED(plain, duplicate, nan(""), "duplicate");
    REFUSED(plain, burst_share, 1, "bursts of 1");
    REFUSED(plain, burst_share, 0.9, "cannot be a share of 0.9");
    REFUSED(plain, regions, 9, "8 regions");
    REFUSED(plain, regions, 2, "too near");
    REFUSED(plain, delay, (enum lab_delay_kind)7, "no such kind");
    REFUSED(measured, delay_low_ns, 60 * MS, "median is not above");
    REFUSED(measured, delay_p99_ns, 40 * MS, "percentile");
    REFUSED(measured, delay_high_ns, 100 * MS, "below the 99th");
    REFUSED(measured, tail_index, 0, "index");
    REFUSED(measured, delay_ns, 30 * MS + 1, "too far");
    REFUSED(world, region_us[0][1], UINT32_MAX, "too far apart");
}

static void every_loss_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LAB_LINK_LOSSES; i++)
        assert_string_not_equal(lab_link_loss_name((enum lab_link_loss)i), "unknown");
    assert_string_equal(lab_link_loss_name(LAB_LINK_LOSSES), "unknown");
    assert_true(sizeof(struct lab_link_state) <= 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_line_delays_and_nothing_else),
        cmocka_unit_test(uniform_delays_fill_their_range),
        cmocka_unit_test(measured_delays_have_the_median_and_the_percentile),
        cmocka_unit_test(measured_delays_have_a_pareto_tail_with_an_end),
        cmocka_unit_test(regions_stretch_all_delays),
        cmocka_unit_test(the_world_has_its_medians_and_its_least),
        cmocka_unit_test(the_world_is_the_same_in_both_directions),
        cmocka_unit_test(chance_loses_the_share),
        cmocka_unit_test(bursts_have_their_length_and_their_share),
        cmocka_unit_test(a_burst_ends_with_its_model),
        cmocka_unit_test(what_the_packet_limit_forbids_is_lost),
        cmocka_unit_test(a_queue_delays_each_by_those_before_it),
        cmocka_unit_test(an_idle_line_takes_what_its_queue_could_not_hold),
        cmocka_unit_test(a_line_is_not_faster_than_its_rate),
        cmocka_unit_test(a_flood_gets_through_at_the_rate),
        cmocka_unit_test(some_come_twice),
        cmocka_unit_test(some_are_held_up),
        cmocka_unit_test(corruption_flips_one_bit_or_byte_anywhere),
        cmocka_unit_test(one_number_of_the_stream_for_each_datagram),
        cmocka_unit_test(a_fault_leaves_the_delays_of_the_rest_alone),
        cmocka_unit_test(equal_seeds_give_equal_runs),
        cmocka_unit_test(a_model_that_makes_no_sense_is_refused),
        cmocka_unit_test(every_loss_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
