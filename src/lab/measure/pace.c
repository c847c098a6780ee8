/*
 * Pace: how fast this program is, in seconds of the wall clock, while bundles come in; and how old
 * a bundle is when a host accepts it, which tells whether the hosts keep up, too.
 *
 * This measure alone looks at a real clock.  What it finds is reported and decides nothing.  Ages
 * are those of one bundle in sixteen, which digests choose.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"

enum {
    MOMENTS_MAX = 2000,
    AGED_SHARE = 16,
    AGE_CLASSES = 600, /* of 100 ms: a minute; the last has all that is older */
    AGE_CLASS_NS = 100000000,
};

/* The state of things. */
struct moment {
    uint64_t sim_ns;
    double wall_s, cpu_s;
    uint64_t accepted, published;
    uint64_t ages, age_ms; /* of bundles watched: how many, and their sum */
};

/* When a bundle was made.  Open addressing by digest. */
struct birth {
    struct hsay_digest digest;
    uint64_t made_ns; /* 0: free */
};

struct pace {
    struct lab_sim *sim;
    uint64_t every_ns, until_ns;
    struct moment *moment;
    size_t moments;
    struct birth *birth; /* written between windows alone */
    size_t births, births_max;
    _Atomic uint64_t ages, age_ms; /* written by all threads: sums know no order */
    _Atomic uint64_t age_class[AGE_CLASSES];
};

/* ---- ages ---- */

static bool is_aged(const struct hsay_digest *digest)
{
    return digest->byte[8] % AGED_SHARE == 0;
}

static struct birth *birth_of(const struct pace *p, const struct hsay_digest *digest)
{
    size_t at;
    memcpy(&at, digest, sizeof at);
    for (at &= p->births_max - 1; p->birth[at].made_ns != 0; at = (at + 1) & (p->births_max - 1))
        if (memcmp(&p->birth[at].digest, digest, sizeof *digest) == 0)
            break;
    return &p->birth[at];
}

static void grow(struct pace *p)
{
    struct birth *old = p->birth;
    size_t old_max = p->births_max;
    p->births_max = old_max != 0 ? 2 * old_max : 1024;
    p->birth = lab_calloc(p->births_max, sizeof *p->birth);
    for (size_t i = 0; i < old_max; i++)
        if (old[i].made_ns != 0)
            *birth_of(p, &old[i].digest) = old[i];
    free(old);
}

static void on_published(struct pace *p, const struct hsay_digest *digest)
{
    if (2 * ++p->births > p->births_max)
        grow(p);
    *birth_of(p, digest) = (struct birth){*digest, p->sim->now_ns};
}

static void on_accepted(struct pace *p, const struct hsay_digest *digest, uint64_t now_ns)
{
    if (p->births_max == 0)
        return;
    const struct birth *birth = birth_of(p, digest);
    if (birth->made_ns == 0)
        return;
    uint64_t age_ns = now_ns - birth->made_ns, class = age_ns / AGE_CLASS_NS;
    class = class < AGE_CLASSES ? class : AGE_CLASSES - 1;
    atomic_fetch_add_explicit(&p->ages, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->age_ms, age_ns / LAB_NS_PER_MS, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->age_class[class], 1, memory_order_relaxed);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    (void)host;
    if (event->kind != HSAY_EVENT_BUNDLE || !is_aged(&event->position.digest))
        return;
    if (event->own)
        on_published(self, &event->position.digest);
    else
        on_accepted(self, &event->position.digest, shard->now_ns);
}

/* ---- moments ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take(struct lab_sim *sim, void *self, uint64_t number)
{
    struct pace *p = self;
    struct lab_totals totals;
    (void)number;
    lab_sim_totals(sim, &totals);
    p->moment[p->moments++] = (struct moment){
        .sim_ns = sim->now_ns,
        .wall_s = seconds_of(CLOCK_MONOTONIC),
        .cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID),
        .accepted = totals.stats.count[HSAY_COUNT_BUNDLES_NEW],
        .published = totals.stats.count[HSAY_COUNT_BUNDLES_OWN],
        .ages = p->ages,
        .age_ms = p->age_ms,
    };
    uint64_t next_ns = lab_sim_elapsed_ns(sim) + p->every_ns;
    if (next_ns <= p->until_ns && p->moments < MOMENTS_MAX)
        lab_sim_at(sim, next_ns, take, p, 0);
}

static void *pace_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct pace *p = lab_calloc(1, sizeof *p);
    double end_s = (double)args->duration_ns / 1e9;
    double from_s = lab_measure_number(args, "from", 0);
    double every_s = lab_measure_number(args, "every", 5);
    p->sim = sim;
    p->moment = lab_calloc(MOMENTS_MAX, sizeof *p->moment);
    p->every_ns = (uint64_t)(fmax(every_s, 0.1) * 1e9);
    p->until_ns = (uint64_t)(lab_measure_number(args, "until", end_s) * 1e9);
    lab_sim_at(sim, (uint64_t)(from_s * 1e9), take, p, 0);
    lab_sim_observe(sim, &(struct lab_observer){.self = p, .on_event = on_event});
    return p;
}

/* ---- writing ---- */

static double age_quantile(const struct pace *p, double share)
{
    double wanted = share * (double)p->ages, seen = 0;
    for (unsigned i = 0; i < AGE_CLASSES; i++) {
        seen += (double)p->age_class[i];
        if (seen >= wanted && seen > 0)
            return (i + 1) * (double)AGE_CLASS_NS / 1e9;
    }
    return NAN;
}

static double mean_age(const struct moment *a, const struct moment *b)
{
    return (double)(b->age_ms - a->age_ms) / 1e3 / (double)(b->ages - a->ages);
}

static void write_fields(const struct pace *p, const struct moment *a, const struct moment *b,
                         struct lab_result *result)
{
    double wall = b->wall_s - a->wall_s, cpu = b->cpu_s - a->cpu_s;
    double simulated = (double)(b->sim_ns - a->sim_ns) / 1e9;
    double accepted = (double)(b->accepted - a->accepted);
    lab_result_number(result, "bundles_per_second", accepted / wall);
    lab_result_number(result, "bundles_per_simulated_second", accepted / simulated);
    lab_result_number(result, "realtime_factor", simulated / wall);
    lab_result_number(result, "cpu_us_per_bundle", cpu / accepted * 1e6);
    lab_result_number(result, "age_seconds_mean", mean_age(a, b));
    lab_result_number(result, "age_seconds_p99", age_quantile(p, 0.99));
    lab_result_number(result, "accepted", accepted);
    lab_result_number(result, "published", (double)(b->published - a->published));
    lab_result_number(result, "loaded_wall_seconds", wall);
    lab_result_number(result, "loaded_cpu_seconds", cpu);
    lab_result_number(result, "loaded_simulated_seconds", simulated);
}

static void write_table(const struct pace *p, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(
        result, "pace", "seconds,accepted_simulated,accepted_real,realtime_factor,age");
    for (size_t i = 1; i < p->moments; i++) {
        const struct moment *a = &p->moment[i - 1], *b = &p->moment[i];
        double accepted = (double)(b->accepted - a->accepted), wall = b->wall_s - a->wall_s;
        double simulated = (double)(b->sim_ns - a->sim_ns) / 1e9;
        lab_table_row(table,
                      (double[]){(double)(b->sim_ns - LAB_START_NS) / 1e9, accepted / simulated,
                                 accepted / wall, simulated / wall, mean_age(a, b)});
    }
}

static void pace_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct pace *p = self;
    (void)sim;
    if (p->moments > 1)
        write_fields(p, &p->moment[0], &p->moment[p->moments - 1], result);
    write_table(p, result);
    free(p->moment);
    free(p->birth);
    free(p);
}

const struct lab_measure_kind lab_measure_pace = {
    .name = "pace",
    .keys = "from:seconds until:seconds every:seconds",
    .help = "bundles accepted per second of the wall clock, how much faster than real time that "
            "is, and how old they were; from=SECONDS until=SECONDS of the run, a row of the table "
            "every=SECONDS",
    .fields = "accepted published bundles_per_second bundles_per_simulated_second "
              "realtime_factor age_seconds_mean age_seconds_p99 cpu_us_per_bundle "
              "loaded_wall_seconds loaded_cpu_seconds loaded_simulated_seconds",
    .tables = "pace:seconds,accepted_simulated,accepted_real,realtime_factor,age",
    .open = pace_open,
    .close = pace_close,
};
