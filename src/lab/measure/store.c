/*
 * Store: how one host, or all of them, come to hold what the others hold, and what it costs.
 *
 * The watch begins when the watched host goes online; where all are watched, when the first does.
 * It ends when everybody who is online holds the same, or with the run.  Bytes are those of the
 * datagrams from and to the watched host, lost ones included; UDP and IPv4 add 28 to each, which
 * is told apart.  `missed` is what is lacking at the end of the run although somebody who is
 * online has it.
 *
 * Whether all are the same is looked at between windows, `every` so often.  What was spent until
 * then is noted with each bundle that comes, so with one thread the end is known to the datagram;
 * with several it is known to the look, for what other threads do at that moment is not.
 */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"

/* A thirty days' watch takes samples, too: after so many of them they are half as dense. */
enum { SAMPLES_DENSE = 240, SAMPLES_MAX = 6000, HEADER_BYTES = 28, ALL = UINT32_MAX };

/* What went over the wire, from any thread: sums do not depend on the order. */
struct flow {
    _Atomic uint64_t datagrams, bytes, requests;
};

/* The flow at one moment. */
struct spent {
    uint64_t at_ns, datagrams, bytes, requests;
};

struct sample {
    double seconds, held, missing;
    uint64_t bytes, bundle_bytes;
};

struct watch {
    struct lab_sim *sim;
    uint32_t host; /* ALL: everybody */
    uint64_t every_ns;
    struct hsay_addr addr; /* of the host, as the world sees it */
    bool begun, same;
    uint64_t begin_ns;
    uint64_t bundles_before, bytes_before; /* in the watched stores */
    uint64_t bundles_got, bytes_got;
    struct flow flow;
    struct spent last; /* when the last bundle came */
    struct spent whole;
    struct sample *sample;
    size_t samples;
};

/* ---- what is held ---- */

static bool is_watched(const struct watch *w, uint32_t host)
{
    return w->host == ALL || w->host == host;
}

struct holding {
    uint64_t bundles, bytes, hosts;
};

static struct holding holding_of(const struct watch *w)
{
    struct holding sum = {0};
    for (uint32_t i = 0; i < w->sim->online_count; i++) {
        const struct lab_host *host = &w->sim->host[w->sim->online[i]];
        if (!is_watched(w, w->sim->online[i]))
            continue;
        sum.bundles += lab_store_count(&host->store);
        sum.bytes += host->store.bundle_bytes;
        sum.hosts++;
    }
    return sum;
}

static bool sum_of(const struct lab_sim *sim, uint32_t host, struct hsay_sum *sum)
{
    struct hsay_store store = lab_store_port(&sim->host[host].store);
    const struct hsay_range all = {.time_high = HSAY_TIME_MAX, .modulo = 1};
    return store.ops->sum(store.self, &all, UINT64_MAX, sum) == 0;
}

/* Everybody who is online holds the same, and there is somebody to be the same as. */
static bool all_same(const struct lab_sim *sim)
{
    struct hsay_sum first = {0}, own = {0};
    if (sim->online_count < 2 || !sum_of(sim, sim->online[0], &first))
        return false;
    for (uint32_t i = 1; i < sim->online_count; i++)
        if (!sum_of(sim, sim->online[i], &own) || memcmp(&own, &first, sizeof own) != 0)
            return false;
    return true;
}

static bool somebody_holds(const struct lab_sim *sim, const struct hsay_digest *digest)
{
    for (uint32_t i = 0; i < sim->online_count; i++)
        if (lab_store_holds(&sim->host[sim->online[i]].store, digest))
            return true;
    return false;
}

/* Bundles that watched hosts lack although somebody has them. */
static uint64_t missing(const struct watch *w)
{
    const struct lab_sim *sim = w->sim;
    uint64_t sum = 0, all = lab_depot_count(&sim->depot);
    for (uint64_t k = 0; k < all; k++) {
        const struct hsay_digest *digest =
            &lab_depot_at(&sim->depot, (uint32_t)k)->record.at.digest;
        uint64_t lacking = 0;
        for (uint32_t i = 0; i < sim->online_count; i++)
            lacking += is_watched(w, sim->online[i]) &&
                       !lab_store_holds(&sim->host[sim->online[i]].store, digest);
        if (lacking != 0 && somebody_holds(sim, digest))
            sum += lacking;
    }
    return sum;
}

/* ---- watching ---- */

static void note(struct watch *w)
{
    struct holding now = holding_of(w);
    double all = (double)lab_depot_count(&w->sim->depot), hosts = fmax((double)now.hosts, 1);
    if (w->samples == SAMPLES_MAX)
        return;
    w->sample[w->samples++] = (struct sample){
        .seconds = (double)(w->sim->now_ns - w->begin_ns) / 1e9,
        .held = (double)now.bundles / hosts,
        .missing = all - (double)now.bundles / hosts,
        .bytes = w->flow.bytes,
        .bundle_bytes = now.bytes - w->bytes_before,
    };
}

static struct spent spent_at(struct watch *w, uint64_t now_ns)
{
    return (struct spent){now_ns, w->flow.datagrams, w->flow.bytes, w->flow.requests};
}

static void end(struct watch *w)
{
    struct holding now = holding_of(w);
    bool exact = w->same && w->last.at_ns != 0 && w->sim->config.shards == 1;
    w->bundles_got = now.bundles - w->bundles_before;
    w->bytes_got = now.bytes - w->bytes_before;
    w->whole = exact ? w->last : spent_at(w, w->sim->now_ns);
}

static void look(struct lab_sim *sim, void *self, uint64_t number)
{
    struct watch *w = self;
    note(w);
    w->same = all_same(sim);
    if (w->same)
        end(w);
    else
        lab_sim_at(sim, lab_sim_elapsed_ns(sim) + w->every_ns, look, w, number);
    if (w->samples % SAMPLES_DENSE == 0)
        w->every_ns *= 2;
}

/* What a host brings along was not got while we watched; what it had got stays counted when it
 * goes, for then the sums of before and of now fall by the same. */
static void count_host(struct watch *w, const struct lab_host *host, bool online)
{
    uint64_t sign = online ? 1 : UINT64_MAX;
    w->bundles_before += sign * lab_store_count(&host->store);
    w->bytes_before += sign * host->store.bundle_bytes;
}

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct watch *w = self;
    if (!is_watched(w, host))
        return;
    count_host(w, &sim->host[host], online);
    w->addr = lab_host_public(sim, host);
    if (w->begun)
        return;
    w->begun = true;
    w->begin_ns = sim->now_ns;
    lab_sim_at(sim, lab_sim_elapsed_ns(sim), look, w, 0);
}

static bool on_send(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter)
{
    struct watch *w = self;
    (void)shard;
    if (is_watched(w, host) || (w->begun && hsay_addr_equal(&letter->to, &w->addr))) {
        atomic_fetch_add_explicit(&w->flow.datagrams, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&w->flow.bytes, letter->datagram.size, memory_order_relaxed);
    }
    return true;
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct watch *w = self;
    if (!is_watched(w, host))
        return;
    if (event->kind == HSAY_EVENT_STEP)
        atomic_fetch_add_explicit(&w->flow.requests, 1, memory_order_relaxed);
    if (event->kind == HSAY_EVENT_BUNDLE && w->sim->config.shards == 1)
        w->last = spent_at(w, shard->now_ns);
}

static void *watch_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct watch *w = lab_calloc(1, sizeof *w);
    double host = lab_measure_number(args, "host", 0);
    w->sim = sim;
    w->host = host >= 1 && host <= sim->host_count ? (uint32_t)host - 1 : ALL;
    w->every_ns = (uint64_t)(lab_measure_number(args, "every", 0.1) * 1e9);
    w->sample = lab_calloc(SAMPLES_MAX, sizeof *w->sample);
    lab_sim_observe(sim,
                    &(struct lab_observer){
                        .self = w, .on_life = on_life, .on_send = on_send, .on_event = on_event});
    return w;
}

/* ---- writing ---- */

static void write_curve(const struct watch *w, struct lab_result *result)
{
    struct lab_table *table =
        lab_result_table(result, "store", "seconds,step,held,missing,wire_mb,bundle_mb");
    for (size_t i = 0; i < w->samples; i++) {
        const struct sample *s = &w->sample[i];
        lab_table_row(table, (double[]){s->seconds, s->seconds / lab_step_seconds(w->sim), s->held,
                                        s->missing, (double)s->bytes / 1e6,
                                        (double)s->bundle_bytes / 1e6});
    }
}

static double ratio(double a, double b)
{
    return b != 0 ? a / b : NAN;
}

static void write_fields(const struct watch *w, struct lab_result *result)
{
    double seconds = w->same ? (double)(w->whole.at_ns - w->begin_ns) / 1e9 : NAN;
    double bundle_bytes = (double)w->bytes_got, bytes = (double)w->whole.bytes;
    lab_result_number(result, "same_share", w->same);
    lab_result_number(result, "missed", (double)missing(w));
    lab_result_number(result, "bundles_got", (double)w->bundles_got);
    lab_result_number(result, "bundle_bytes", bundle_bytes);
    lab_result_number(result, "wire_bytes", bytes);
    lab_result_number(result, "wire_datagrams", (double)w->whole.datagrams);
    lab_result_number(result, "wire_ratio", ratio(bytes, bundle_bytes));
    lab_result_number(result, "wire_ratio_ip",
                      ratio(bytes + (double)w->whole.datagrams * HEADER_BYTES, bundle_bytes));
    lab_result_number(result, "requests", (double)w->whole.requests);
    lab_result_number(result, "seconds", seconds);
    lab_result_number(result, "steps", seconds / lab_step_seconds(w->sim));
}

static void watch_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct watch *w = self;
    if (!w->same) {
        w->same = all_same(sim);
        end(w);
    }
    write_fields(w, result);
    write_curve(w, result);
    free(w->sample);
    free(w);
}

const struct lab_measure_kind lab_measure_store = {
    .name = "store",
    .keys = "host:count every:seconds",
    .help = "bundles held over time, bytes and requests until all hold the same; host=NUMBER "
            "watches one of them, every=SECONDS looks",
    .fields = "same_share missed bundles_got bundle_bytes wire_bytes wire_datagrams "
              "wire_ratio wire_ratio_ip requests seconds steps",
    .tables = "store:seconds,step,held,missing,wire_mb,bundle_mb",
    .open = watch_open,
    .close = watch_close,
};
