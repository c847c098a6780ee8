/*
 * Traffic: what all hosts sent, per host and second, and how many copies of a bundle one delivery
 * cost.  `from` (seconds) leaves the beginning out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"

struct traffic {
    uint64_t from_ns;
    uint64_t host_ns; /* time that hosts were online after from_ns, until they last left */
    struct lab_totals base;
};

static void begin(struct lab_sim *sim, void *self, uint64_t number)
{
    struct traffic *t = self;
    (void)number;
    lab_sim_totals(sim, &t->base);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct traffic *t = self;
    if (!online)
        t->host_ns +=
            sim->now_ns - later(sim->host[host].online_ns, LAB_START_NS + t->from_ns < sim->now_ns
                                                               ? LAB_START_NS + t->from_ns
                                                               : sim->now_ns);
}

static void *traffic_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct traffic *t = lab_calloc(1, sizeof *t);
    t->from_ns = (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    lab_sim_observe(sim, &(struct lab_observer){.self = t, .on_life = on_life});
    if (t->from_ns != 0)
        lab_sim_at(sim, t->from_ns, begin, t, 0);
    return t;
}

static uint64_t since(const struct lab_totals *end, const struct traffic *t, enum hsay_counter c)
{
    return end->stats.count[c] - t->base.stats.count[c];
}

static void write_losses(struct lab_result *result, const struct lab_totals *end)
{
    char field[40];
    for (unsigned i = 0; i < LAB_LOST_COUNT; i++) {
        snprintf(field, sizeof field, "lost_%s", lab_loss_name((enum lab_loss)i));
        lab_result_number(result, field, (double)end->lost[i]);
    }
    for (unsigned i = 0; i < HSAY_DROP_COUNT; i++) {
        snprintf(field, sizeof field, "drop_%s", hsay_drop_name((enum hsay_drop)i));
        if (end->stats.drop[i] != 0)
            lab_result_number(result, field, (double)end->stats.drop[i]);
    }
}

static void traffic_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct traffic *t = self;
    struct lab_totals end;
    for (uint32_t i = 0; i < sim->online_count; i++)
        on_life(t, sim, sim->online[i], false);
    lab_sim_totals(sim, &end);
    double host_s = t->host_ns != 0 ? (double)t->host_ns / 1e9 : 1;
    double deliveries = (double)since(&end, t, HSAY_COUNT_BUNDLES_NEW);
    double copies = (double)since(&end, t, HSAY_COUNT_BUNDLES_OUT);
    double steps = (double)since(&end, t, HSAY_COUNT_STEPS);
    lab_result_number(result, "deliveries", deliveries);
    lab_result_number(result, "copies", copies);
    lab_result_number(result, "copies_per_delivery", deliveries != 0 ? copies / deliveries : 0);
    lab_result_number(result, "bytes_per_host_second",
                      (double)since(&end, t, HSAY_COUNT_BYTES_OUT) / host_s);
    lab_result_number(result, "steps_per_host_second", steps / host_s);
    lab_result_number(result, "answered_share",
                      steps != 0 ? (double)since(&end, t, HSAY_COUNT_ANSWERED) / steps : 0);
    lab_result_number(result, "datagrams", (double)(end.datagrams - t->base.datagrams));
    lab_result_number(result, "bytes", (double)(end.datagram_bytes - t->base.datagram_bytes));
    lab_result_number(result, "events", (double)end.events);
    write_losses(result, &end);
    free(t);
}

const struct lab_measure_kind lab_measure_traffic = {
    .name = "traffic",
    .keys = "from:seconds",
    .help = "bytes, steps and copies of all hosts; from=SECONDS leaves the beginning out",
    .fields = "deliveries copies copies_per_delivery bytes_per_host_second "
              "steps_per_host_second answered_share datagrams bytes events lost_link "
              "lost_queue lost_mtu lost_partition lost_nat_out lost_nat_in lost_nobody",
    .open = traffic_open,
    .close = traffic_close,
};
