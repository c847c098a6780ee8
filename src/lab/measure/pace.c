/*
 * Pace: how fast this program is, in seconds of the wall clock, while bundles come in.
 *
 * This measure alone looks at a real clock.  What it finds is reported and decides nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"

/* The state of things at one moment. */
struct moment {
    bool taken;
    uint64_t sim_ns;
    double wall_s, cpu_s;
    struct lab_totals totals;
};

struct pace {
    struct moment begin, end;
    uint64_t until_ns;
};

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take(struct lab_sim *sim, void *self, uint64_t number)
{
    struct moment *m = self;
    (void)number;
    m->taken = true;
    m->sim_ns = sim->now_ns;
    m->wall_s = seconds_of(CLOCK_MONOTONIC);
    m->cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    lab_sim_totals(sim, &m->totals);
}

static void *pace_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct pace *p = lab_calloc(1, sizeof *p);
    double until = lab_measure_number(args, "until", 0);
    lab_sim_at(sim, (uint64_t)(lab_measure_number(args, "from", 0) * 1e9), take, &p->begin, 0);
    if (until > 0)
        lab_sim_at(sim, (uint64_t)(until * 1e9), take, &p->end, 0);
    return p;
}

static double grown(const struct pace *p, enum hsay_counter counter)
{
    return (double)(p->end.totals.stats.count[counter] - p->begin.totals.stats.count[counter]);
}

static void write_fields(const struct pace *p, const struct lab_sim *sim, struct lab_result *result)
{
    double wall = p->end.wall_s - p->begin.wall_s;
    double simulated = (double)(p->end.sim_ns - p->begin.sim_ns) / 1e9;
    double accepted = grown(p, HSAY_COUNT_BUNDLES_NEW);
    double published = grown(p, HSAY_COUNT_BUNDLES_OWN);
    lab_result_number(result, "accepted", accepted);
    lab_result_number(result, "published", published);
    lab_result_number(result, "accepted_share",
                      accepted / (published * ((double)sim->config.nodes - 1)));
    lab_result_number(result, "bundles_per_second", accepted / wall);
    lab_result_number(result, "bundles_per_simulated_second", accepted / simulated);
    lab_result_number(result, "realtime_factor", simulated / wall);
    lab_result_number(result, "cpu_us_per_bundle",
                      (p->end.cpu_s - p->begin.cpu_s) / accepted * 1e6);
    lab_result_number(result, "loaded_wall_seconds", wall);
    lab_result_number(result, "loaded_cpu_seconds", p->end.cpu_s - p->begin.cpu_s);
    lab_result_number(result, "loaded_simulated_seconds", simulated);
}

static void pace_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct pace *p = self;
    if (!p->end.taken)
        take(sim, &p->end, 0);
    if (p->begin.taken)
        write_fields(p, sim, result);
    free(p);
}

const struct lab_measure_kind lab_measure_pace = {
    .name = "pace",
    .keys = "from until",
    .help = "bundles accepted per second of the wall clock, and how much faster than real time; "
            "from=SECONDS until=SECONDS of the run",
    .open = pace_open,
    .close = pace_close,
};
