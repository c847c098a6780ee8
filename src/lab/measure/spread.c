/*
 * Spread: when each host came to hold each bundle that was published while it was watched.
 *
 * A bundle is judged `horizon` steps after it was made (or at the end of the run): by the hosts
 * that are online then and have been for `settled` seconds, or, without that, since before it was
 * made; with it, trackers, which never leave, do not judge.  Who does not hold the bundle by then
 * counts in steps_last as if it came that moment, and lowers held_share, which is null where nobody
 * judges.  The curve is sampled ten times a step, among those that would be judged then; of the
 * first `curves` bundles alone, for each sample looks at every host.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/measure/registry.h"
#include "src/lab/sim/memory.h"

enum {
    NOT_HELD = UINT32_MAX,
    SAMPLES_PER_STEP = 10,
    CURVE_STEPS_MAX = 200,
    CURVE_STEPS_ROUND = 16, /* so long or a multiple: the curves of most seeds end together, */
                            /* and their mean does not jump where one ends before the others */
    CURVES_MAX = 1000,
};
#define UNIT_NS UINT64_C(100000) /* of a time kept in 32 bits: 119 hours */

struct bundle {
    uint64_t made_ns;
    uint32_t *held; /* per host: since made_ns, in UNIT_NS */
    double *curve;  /* NULL: none is taken */
    unsigned samples;
    bool judged;
    size_t judges;
    double held_share, steps_last, steps_mean, steps_p50, steps_p95, steps_p99;
};

struct spread {
    struct lab_sim *sim;
    struct lab_registry registry; /* of what bundle[] is about */
    struct bundle *bundle;
    size_t max;
    size_t limit, curves; /* bundles watched at most, and with a curve */
    double horizon;       /* steps; 0: the end of the run */
    uint64_t settled_ns;
    bool settled;
    unsigned curve_max;
};

/* ---- judging ---- */

static bool judges(const struct spread *s, const struct bundle *b, uint32_t number)
{
    const struct lab_host *host = &s->sim->host[number];
    if (!s->settled)
        return host->online_ns <= b->made_ns;
    return host->online_ns + s->settled_ns <= s->sim->now_ns &&
           !lab_host_is_tracker(s->sim, number);
}

static double share_now(const struct spread *s, const struct bundle *b)
{
    const struct lab_sim *sim = s->sim;
    uint64_t held = 0, all = 0;
    for (uint32_t i = 0; i < sim->online_count; i++)
        if (judges(s, b, sim->online[i])) {
            all++;
            held += b->held[sim->online[i]] != NOT_HELD;
        }
    return all != 0 ? (double)held / (double)all : NAN;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double q)
{
    return count != 0 ? sorted[(size_t)(q * (double)(count - 1) + 0.5)] : 0;
}

static void judge(struct spread *s, struct bundle *b)
{
    const struct lab_sim *sim = s->sim;
    double *steps = lab_calloc(sim->online_count, sizeof *steps), sum = 0;
    double now = lab_steps(sim, sim->now_ns - b->made_ns);
    size_t all = 0, held = 0;
    for (uint32_t i = 0; i < sim->online_count; i++) {
        uint32_t host = sim->online[i];
        if (!judges(s, b, host))
            continue;
        bool has = b->held[host] != NOT_HELD;
        steps[all] = has ? lab_steps(sim, b->held[host] * UNIT_NS) : now;
        sum += steps[all++];
        held += has;
    }
    qsort(steps, all, sizeof *steps, by_value);
    b->judges = all;
    b->held_share = all != 0 ? (double)held / (double)all : NAN;
    b->steps_last = quantile(steps, all, 1);
    b->steps_mean = all != 0 ? sum / (double)all : 0;
    b->steps_p50 = quantile(steps, all, 0.5);
    b->steps_p95 = quantile(steps, all, 0.95);
    b->steps_p99 = quantile(steps, all, 0.99);
    b->judged = true;
    free(steps);
}

static void judge_later(struct lab_sim *sim, void *self, uint64_t number)
{
    struct spread *s = self;
    (void)sim;
    judge(s, &s->bundle[number]);
}

static uint64_t steps_ns(const struct spread *s, double steps)
{
    return (uint64_t)(lab_step_seconds(s->sim) * 1e9 * steps);
}

/* A point of the curve, and the next one later. */
static void sample(struct lab_sim *sim, void *self, uint64_t number)
{
    struct spread *s = self;
    struct bundle *b = &s->bundle[number];
    b->curve[b->samples++] = share_now(s, b);
    bool whole = b->curve[b->samples - 1] == 1.0 && !s->settled;
    if (b->samples < s->curve_max && !whole)
        lab_sim_at(sim, lab_sim_elapsed_ns(sim) + steps_ns(s, 1.0 / SAMPLES_PER_STEP), sample, s,
                   number);
}

/* ---- watching ---- */

static struct bundle *bundle_new(struct spread *s, const struct hsay_digest *digest)
{
    size_t number = lab_registry_add(&s->registry, digest);
    size_t held_bytes = s->sim->host_count * sizeof(uint32_t);
    if (number == s->max) {
        s->max = s->max != 0 ? 2 * s->max : 16;
        s->bundle = lab_realloc(s->bundle, s->max * sizeof *s->bundle);
    }
    struct bundle *b = &s->bundle[number];
    *b = (struct bundle){.made_ns = s->sim->now_ns, .held = lab_realloc(NULL, held_bytes)};
    memset(b->held, 0xff, held_bytes);
    return b;
}

static void made(struct spread *s, uint32_t host, const struct hsay_event *event)
{
    struct lab_sim *sim = s->sim;
    size_t number = s->registry.count;
    if (number == s->limit)
        return;
    struct bundle *b = bundle_new(s, &event->position.digest);
    b->held[host] = 0;
    if (number < s->curves) {
        b->curve = lab_calloc(s->curve_max, sizeof *b->curve);
        lab_sim_at(sim, lab_sim_elapsed_ns(sim), sample, s, number);
    }
    if (s->horizon > 0)
        lab_sim_at(sim, lab_sim_elapsed_ns(sim) + steps_ns(s, s->horizon), judge_later, s, number);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct spread *s = self;
    if (event->kind != HSAY_EVENT_BUNDLE)
        return;
    if (event->own) {
        made(s, host, event);
        return;
    }
    size_t number = lab_registry_find(&s->registry, &event->position.digest);
    if (number == LAB_REGISTRY_NONE)
        return;
    struct bundle *b = &s->bundle[number];
    if (b->held[host] == NOT_HELD)
        b->held[host] = (uint32_t)((shard->now_ns - b->made_ns) / UNIT_NS);
}

/* Who lost its store holds nothing. */
static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct spread *s = self;
    for (size_t i = 0; online && i < s->registry.count; i++)
        if (!lab_store_holds(&sim->host[host].store, &s->registry.digest[i]))
            s->bundle[i].held[host] = NOT_HELD;
}

static void *spread_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct spread *s = lab_calloc(1, sizeof *s);
    s->sim = sim;
    s->horizon = lab_measure_number(args, "horizon", 0);
    s->settled = lab_measure_word(args, "settled", NULL) != NULL;
    s->settled_ns = (uint64_t)(lab_measure_number(args, "settled", 0) * 1e9);
    s->limit = (size_t)lab_measure_number(args, "bundles", 1e6);
    s->curves = (size_t)lab_measure_number(args, "curves", CURVES_MAX);
    s->curve_max =
        (unsigned)((s->horizon > 0 ? s->horizon : CURVE_STEPS_MAX) * SAMPLES_PER_STEP) + 1;
    lab_sim_observe(sim,
                    &(struct lab_observer){.self = s, .on_event = on_event, .on_life = on_life});
    return s;
}

/* ---- writing ---- */

/* A curve that ended when all had it stays there. */
static double curve_at(const struct bundle *b, unsigned i)
{
    return i < b->samples ? b->curve[i] : b->curve[b->samples - 1];
}

/* The mean over the bundles that have a curve; NAN if none has. */
static double mean_at(const struct spread *s, unsigned i)
{
    double sum = 0, n = 0;
    for (size_t k = 0; k < s->registry.count; k++)
        if (s->bundle[k].samples != 0 && !isnan(curve_at(&s->bundle[k], i))) {
            sum += curve_at(&s->bundle[k], i);
            n++;
        }
    return n != 0 ? sum / n : NAN;
}

static void write_curve(const struct spread *s, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(result, "spread", "step,seconds,share");
    double share = 0, half = NAN, most = NAN;
    for (unsigned i = 0; i < s->curve_max; i++) {
        if (s->horizon == 0 && !(share < 1) && i % (CURVE_STEPS_ROUND * SAMPLES_PER_STEP) == 1)
            break;
        share = mean_at(s, i);
        double step = (double)i / SAMPLES_PER_STEP;
        half = isnan(half) && share >= 0.5 ? step : half;
        most = isnan(most) && share >= 0.95 ? step : most;
        lab_table_row(table, (double[]){step, step * lab_step_seconds(s->sim), share});
    }
    lab_result_number(result, "steps_50", half);
    lab_result_number(result, "steps_95", most);
}

static void write_bundles(const struct spread *s, struct lab_result *result)
{
    struct lab_table *table =
        lab_result_table(result, "bundles", "number,made_s,held_share,p50,p95,p99,last");
    for (size_t i = 0; i < s->registry.count; i++) {
        const struct bundle *b = &s->bundle[i];
        lab_table_row(table, (double[]){(double)i + 1, (double)(b->made_ns - LAB_START_NS) / 1e9,
                                        b->held_share, b->steps_p50, b->steps_p95, b->steps_p99,
                                        b->steps_last});
    }
}

static double judged_bundles(const struct spread *s)
{
    double count = 0;
    for (size_t i = 0; i < s->registry.count; i++)
        count += s->bundle[i].judges != 0;
    return count;
}

static void write_shares(const struct spread *s, struct lab_result *result)
{
    double held = 0, least = 1, n = judged_bundles(s), judges = 0;
    for (size_t i = 0; i < s->registry.count; i++) {
        if (s->bundle[i].judges == 0)
            continue;
        held += s->bundle[i].held_share / n;
        judges += (double)s->bundle[i].judges / n;
        least = fmin(least, s->bundle[i].held_share);
    }
    held = n > 0 ? held : NAN;
    least = n > 0 ? least : NAN;
    lab_result_number(result, "bundles", (double)s->registry.count);
    lab_result_number(result, "judges", judges);
    lab_result_number(result, "reached_share", held);
    lab_result_number(result, "held_share", held);
    lab_result_number(result, "held_share_min", least);
    lab_result_number(result, "residue", 1 - held);
    lab_result_number(result, "residue_max", 1 - least);
}

static void write_steps(const struct spread *s, struct lab_result *result)
{
    double last = 0, mean = 0, p99 = 0, p99_max = 0, most = 0, newest = NAN;
    double n = judged_bundles(s);
    for (size_t i = 0; i < s->registry.count; i++) {
        const struct bundle *b = &s->bundle[i];
        if (b->judges == 0)
            continue;
        last += b->steps_last / n;
        mean += b->steps_mean / n;
        p99 += b->steps_p99 / n;
        p99_max = fmax(p99_max, b->steps_p99);
        most = fmax(most, b->steps_last);
        newest = b->steps_last;
    }
    double none = n > 0 ? 0 : NAN;
    lab_result_number(result, "steps_last", last + none);
    lab_result_number(result, "steps_last_max", most + none);
    lab_result_number(result, "steps_node_mean", mean + none);
    lab_result_number(result, "steps_p99", p99 + none);
    lab_result_number(result, "steps_p99_max", p99_max + none);
    lab_result_number(result, "steps_newest", newest);
    lab_result_number(result, "seconds_last", (last + none) * lab_step_seconds(s->sim));
}

static void spread_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct spread *s = self;
    (void)sim;
    for (size_t i = 0; i < s->registry.count; i++)
        if (!s->bundle[i].judged)
            judge(s, &s->bundle[i]);
    write_shares(s, result);
    write_steps(s, result);
    write_curve(s, result);
    write_bundles(s, result);
    for (size_t i = 0; i < s->registry.count; i++) {
        free(s->bundle[i].held);
        free(s->bundle[i].curve);
    }
    free(s->bundle);
    lab_registry_free(&s->registry);
    free(s);
}

const struct lab_measure_kind lab_measure_spread = {
    .name = "spread",
    .keys = "horizon:number settled:seconds bundles:count curves:count",
    .help = "when hosts hold each bundle; horizon=STEPS after which a bundle is judged, by who "
            "was online for settled=SECONDS; bundles=N watched at most, curves=N with a curve",
    .fields = "bundles judges reached_share held_share held_share_min residue "
              "residue_max steps_last steps_last_max seconds_last steps_newest "
              "steps_node_mean steps_p99 steps_p99_max steps_50 steps_95",
    .tables = "spread:step,seconds,share "
              "bundles:number,made_s,held_share,p50,p95,p99,last",
    .open = spread_open,
    .close = spread_close,
};
