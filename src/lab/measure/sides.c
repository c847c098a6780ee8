/*
 * Sides: while nothing passes between two sides of a partition, and after it is healed, who holds
 * what of whom?
 *
 * Each bundle is of the side that its author was on when it was published.  The table has, over
 * time, the share of pairs (bundle of one side, host of the other or the same) in which the host
 * holds the bundle; bundles count from when they are made.  steps_to_same: from `healed` (seconds)
 * until every host that is online held every bundle that was made before; null if that was not
 * before the end of the run.  Hosts are supposed to stay online.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/measure/registry.h"
#include "src/lab/sim/memory.h"

enum { SIDES = 2, LOOKS = 200 };

struct pairs {
    uint64_t count[SIDES][SIDES]; /* of the author's side, the holder's */
};

/* One thread writes each. */
struct part {
    struct pairs held;
    uint64_t last_ns; /* when the last bundle from before `healed` came */
};

struct look {
    uint64_t at_ns;
    double share[SIDES][SIDES];
};

struct sides {
    struct lab_sim *sim;
    struct lab_registry registry;
    uint8_t *side; /* per bundle */
    size_t max;
    size_t early; /* bundles made before `healed`: the first in the registry */
    uint64_t made[SIDES];
    struct part part[LAB_SHARDS_MAX];
    uint64_t every_ns, healed_ns;
    struct look *look;
    size_t looks;
};

static unsigned side_of(const struct sides *s, uint32_t host)
{
    return s->sim->host[host].side != 0;
}

static void count_held(struct sides *s, unsigned shard, size_t bundle, uint32_t host)
{
    struct part *part = &s->part[shard];
    part->held.count[s->side[bundle]][side_of(s, host)]++;
}

static void made(struct sides *s, uint32_t host, const struct hsay_digest *digest)
{
    size_t number = lab_registry_add(&s->registry, digest);
    if (number == s->max) {
        s->max = s->max != 0 ? 2 * s->max : 16;
        s->side = lab_realloc(s->side, s->max);
    }
    s->side[number] = (uint8_t)side_of(s, host);
    s->made[s->side[number]]++;
    if (lab_sim_elapsed_ns(s->sim) < s->healed_ns)
        s->early = number + 1;
    count_held(s, s->sim->host[host].shard, number, host);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct sides *s = self;
    if (event->kind != HSAY_EVENT_BUNDLE)
        return;
    if (event->own) {
        made(s, host, &event->position.digest);
        return;
    }
    size_t number = lab_registry_find(&s->registry, &event->position.digest);
    if (number == LAB_REGISTRY_NONE)
        return;
    count_held(s, shard->number, number, host);
    if (number < s->early && shard->now_ns > s->part[shard->number].last_ns)
        s->part[shard->number].last_ns = shard->now_ns;
}

/* ---- looking ---- */

static struct pairs held_by_now(const struct sides *s)
{
    struct pairs sum = {0};
    for (unsigned p = 0; p < s->sim->config.shards; p++)
        for (unsigned from = 0; from < SIDES; from++)
            for (unsigned to = 0; to < SIDES; to++)
                sum.count[from][to] += s->part[p].held.count[from][to];
    return sum;
}

static void hosts_by_side(const struct sides *s, uint64_t hosts[SIDES])
{
    memset(hosts, 0, SIDES * sizeof *hosts);
    for (uint32_t i = 0; i < s->sim->online_count; i++)
        hosts[side_of(s, s->sim->online[i])]++;
}

static struct look look_now(const struct sides *s)
{
    struct look look = {.at_ns = lab_sim_elapsed_ns(s->sim)};
    struct pairs held = held_by_now(s);
    uint64_t hosts[SIDES];
    hosts_by_side(s, hosts);
    for (unsigned from = 0; from < SIDES; from++)
        for (unsigned to = 0; to < SIDES; to++) {
            double all = (double)(s->made[from] * hosts[to]);
            look.share[from][to] = all > 0 ? (double)held.count[from][to] / all : NAN;
        }
    return look;
}

static void look_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct sides *s = self;
    s->look = lab_realloc(s->look, (s->looks + 1) * sizeof *s->look);
    s->look[s->looks++] = look_now(s);
    lab_sim_at(sim, (number + 1) * s->every_ns, look_again, s, number + 1);
}

static void *sides_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct sides *s = lab_calloc(1, sizeof *s);
    double every = lab_measure_number(args, "every", (double)args->duration_ns / 1e9 / LOOKS);
    s->sim = sim;
    s->every_ns = (uint64_t)(fmax(every, 0.01) * 1e9);
    s->healed_ns = (uint64_t)(lab_measure_number(args, "healed", 0) * 1e9);
    lab_sim_observe(sim, &(struct lab_observer){.self = s, .on_event = on_event});
    lab_sim_at(sim, s->every_ns, look_again, s, 1);
    return s;
}

/* ---- writing ---- */

static bool all_hold_early(const struct sides *s)
{
    for (uint32_t i = 0; i < s->sim->online_count; i++)
        for (size_t k = 0; k < s->early; k++)
            if (!lab_store_holds(&s->sim->host[s->sim->online[i]].store, &s->registry.digest[k]))
                return false;
    return true;
}

static double steps_to_same(const struct sides *s)
{
    uint64_t last_ns = LAB_START_NS + s->healed_ns;
    for (unsigned p = 0; p < s->sim->config.shards; p++)
        last_ns = s->part[p].last_ns > last_ns ? s->part[p].last_ns : last_ns;
    return all_hold_early(s) ? lab_steps(s->sim, last_ns - LAB_START_NS - s->healed_ns) : NAN;
}

static void write_looks(const struct sides *s, struct lab_result *result)
{
    struct lab_table *table =
        lab_result_table(result, "sides", "seconds,step,own_of_a,own_of_b,from_a_to_b,from_b_to_a");
    for (size_t i = 0; i < s->looks; i++) {
        const struct look *l = &s->look[i];
        lab_table_row(table,
                      (double[]){(double)l->at_ns / 1e9,
                                 lab_steps(s->sim, l->at_ns) - lab_steps(s->sim, s->healed_ns),
                                 l->share[0][0], l->share[1][1], l->share[0][1], l->share[1][0]});
    }
}

static double across_when_healed(const struct sides *s, unsigned from)
{
    double share = NAN;
    for (size_t i = 0; i < s->looks && s->look[i].at_ns <= s->healed_ns; i++)
        share = s->look[i].share[from][1 - from];
    return share;
}

static void sides_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct sides *s = self;
    double steps = steps_to_same(s);
    lab_result_number(result, "steps_to_same", steps);
    lab_result_number(result, "seconds_to_same", steps * lab_step_seconds(sim));
    lab_result_number(result, "across_a_to_b", across_when_healed(s, 0));
    lab_result_number(result, "across_b_to_a", across_when_healed(s, 1));
    write_looks(s, result);
    lab_registry_free(&s->registry);
    free(s->side);
    free(s->look);
    free(s);
}

const struct lab_measure_kind lab_measure_sides = {
    .name = "sides",
    .keys = "every:seconds healed:seconds",
    .help = "who holds what of the other side of a partition, every=SECONDS; healed=SECONDS: when "
            "it ends",
    .fields = "steps_to_same seconds_to_same across_a_to_b across_b_to_a",
    .tables = "sides:seconds,step,own_of_a,own_of_b,from_a_to_b,from_b_to_a",
    .open = sides_open,
    .close = sides_close,
};
