/*
 * Overlay: does it stay in one piece?  While hosts come and go, and after many died at once.
 *
 * Two hosts are joined if one has the other among its candidates, in whatever bucket, and that is
 * still there: online, under the same key, at the same address.  Trackers are left out, but for
 * components_all: everybody knows those, so with them all are one as long as they live.  Pieces
 * count if somebody is in them who has been online for `settled` seconds at least, and shares are
 * shares of those; who has just come may join pieces, but need not belong to one yet.  An entry
 * that is of nobody, or of somebody who is gone, is dead.
 *
 * whole_steps: from `from` (seconds: when something happened) until all were one, for good; null if
 * they are not at the end.  components_max and the other fields are about the time from then on;
 * the table begins a little before.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/lab/measure/measure.h"
#include "src/lab/measure/who.h"
#include "src/lab/sim/memory.h"

enum { LOOKS = 100, COLUMNS = 8, STEPS_BEFORE = 5 };

struct look {
    uint64_t at_ns;                              /* since the start of the run */
    uint32_t online, hosts, components, largest; /* all but the first: of settled ones */
    uint32_t components_all;                     /* trackers count */
    double live_mean;                            /* live entries per host, trackers aside */
    double dead_share, alone_share;
};

/* What became of visits, by the bucket that led to them.  One thread writes each. */
struct visits {
    uint64_t paid[HSAY_BUCKET_COUNT], answered[HSAY_BUCKET_COUNT];
};

struct overlay {
    struct lab_sim *sim;
    struct lab_who who;
    uint64_t every_ns, from_ns, settled_ns;
    struct visits visits[LAB_SHARDS_MAX];
    struct look *look;
    size_t looks;
};

/* Entries of all tables. */
struct tally {
    uint64_t live, dead, alone;
};

static bool is_settled(const struct overlay *o, uint32_t number)
{
    const struct lab_host *host = &o->sim->host[number];
    return host->node != NULL && !lab_host_is_tracker(o->sim, number) &&
           host->online_ns + o->settled_ns <= o->sim->now_ns;
}

/* ---- pieces ---- */

/* The least host of a piece stands for it; halving the way there as one goes keeps it short. */
static uint32_t piece_of(uint32_t *next, uint32_t host)
{
    while (next[host] != host)
        host = next[host] = next[next[host]];
    return host;
}

static void join(uint32_t *next, uint32_t a, uint32_t b)
{
    a = piece_of(next, a);
    b = piece_of(next, b);
    next[a > b ? a : b] = a > b ? b : a;
}

/* Pieces without trackers, and with them. */
struct pieces {
    uint32_t *next, *next_all;
};

static void join_host(const struct overlay *o, uint32_t number, const struct pieces *pieces,
                      struct tally *tally)
{
    const struct lab_host *host = &o->sim->host[number];
    struct hsay_now now = lab_host_now(o->sim, host, o->sim->now_ns);
    struct hsay_peer_status s;
    uint64_t live = 0, dead = 0;
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &s) == 0; i++) {
        uint32_t other = lab_who_is(&o->who, o->sim, &s.peer);
        if (other == LAB_NOBODY || !lab_who_is_at(o->sim, other, &s.peer.addr)) {
            dead++;
            continue;
        }
        join(pieces->next_all, number, other);
        if (!lab_host_is_tracker(o->sim, other)) {
            live++;
            join(pieces->next, number, other);
        }
    }
    if (!is_settled(o, number))
        return;
    tally->live += live;
    tally->dead += dead;
    tally->alone += live == 0;
}

static void count_pieces(const struct overlay *o, const struct pieces *pieces, struct look *look)
{
    bool *seen = lab_calloc(o->sim->host_count, sizeof *seen);
    uint32_t *size = lab_calloc(o->sim->host_count, sizeof *size);
    for (uint32_t i = 0; i < o->sim->host_count; i++) {
        if (!is_settled(o, i))
            continue;
        uint32_t *piece = &size[piece_of(pieces->next, i)];
        bool *all = &seen[piece_of(pieces->next_all, i)];
        look->hosts++;
        look->components += (*piece)++ == 0;
        look->largest = *piece > look->largest ? *piece : look->largest;
        look->components_all += !*all;
        *all = true;
    }
    free(seen);
    free(size);
}

static uint32_t *singles(uint32_t count)
{
    uint32_t *next = lab_calloc(count, sizeof *next);
    for (uint32_t i = 0; i < count; i++)
        next[i] = i;
    return next;
}

static struct look look_now(const struct overlay *o)
{
    struct look look = {.at_ns = lab_sim_elapsed_ns(o->sim), .online = o->sim->online_count};
    struct tally tally = {0};
    struct pieces pieces = {singles(o->sim->host_count), singles(o->sim->host_count)};
    for (uint32_t i = 0; i < o->sim->host_count; i++)
        if (o->sim->host[i].node != NULL && !lab_host_is_tracker(o->sim, i))
            join_host(o, i, &pieces, &tally);
    count_pieces(o, &pieces, &look);
    double entries = (double)(tally.live + tally.dead), hosts = look.hosts;
    look.live_mean = hosts > 0 ? (double)tally.live / hosts : 0;
    look.dead_share = entries > 0 ? (double)tally.dead / entries : 0;
    look.alone_share = hosts > 0 ? (double)tally.alone / hosts : 0;
    free(pieces.next);
    free(pieces.next_all);
    return look;
}

/* ---- watching ---- */

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct overlay *o = self;
    if (online)
        lab_who_online(&o->who, sim, host);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct overlay *o = self;
    struct visits *v = &o->visits[shard->number];
    if (event->kind != HSAY_EVENT_ANSWER || lab_host_is_tracker(o->sim, host) ||
        shard->now_ns < LAB_START_NS + o->from_ns)
        return;
    v->paid[event->bucket]++;
    v->answered[event->bucket] += event->number[HSAY_ANSWER_RESULT] == 0;
}

static void look_again(struct lab_sim *sim, void *self, uint64_t number)
{
    struct overlay *o = self;
    o->look = lab_realloc(o->look, (o->looks + 1) * sizeof *o->look);
    o->look[o->looks++] = look_now(o);
    lab_sim_at(sim, (number + 1) * o->every_ns, look_again, o, number + 1);
}

static void *overlay_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct overlay *o = lab_calloc(1, sizeof *o);
    double every = lab_measure_number(args, "every", (double)args->duration_ns / 1e9 / LOOKS);
    o->sim = sim;
    o->every_ns = (uint64_t)(fmax(every, 0.01) * 1e9);
    o->from_ns = (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    o->settled_ns = (uint64_t)(lab_measure_number(args, "settled", 0) * 1e9);
    lab_sim_observe(sim,
                    &(struct lab_observer){.self = o, .on_life = on_life, .on_event = on_event});
    lab_sim_at(sim, o->every_ns, look_again, o, 1);
    return o;
}

/* ---- writing ---- */

static double largest_share(const struct look *look)
{
    return look->hosts != 0 ? (double)look->largest / look->hosts : NAN;
}

static double steps_since(const struct overlay *o, const struct look *look)
{
    return lab_steps(o->sim, look->at_ns) - lab_steps(o->sim, o->from_ns);
}

static void write_looks(const struct overlay *o, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(
        result, "overlay",
        "seconds,step,online,components,largest_share,live_mean,dead_share,alone_share");
    for (size_t i = 0; i < o->looks; i++) {
        const struct look *l = &o->look[i];
        if (steps_since(o, l) < -STEPS_BEFORE)
            continue;
        double row[COLUMNS] = {(double)l->at_ns / 1e9, steps_since(o, l), l->online,
                               l->components,          largest_share(l),  l->live_mean,
                               l->dead_share,          l->alone_share};
        lab_table_row(table, row);
    }
}

/* The first look from which on all are one. */
static double whole_steps(const struct overlay *o)
{
    size_t i = o->looks;
    while (i > 0 && o->look[i - 1].components == 1 && o->look[i - 1].at_ns >= o->from_ns)
        i--;
    return i < o->looks ? steps_since(o, &o->look[i]) : NAN;
}

static void write_fields(const struct overlay *o, struct lab_result *result)
{
    double n = 0, online = 0, live = 0, dead = 0, alone = 0, components = 0, all = 0, largest = 1;
    for (size_t i = 0; i < o->looks; i++) {
        const struct look *l = &o->look[i];
        if (l->at_ns < o->from_ns)
            continue;
        n++;
        online += l->online;
        live += l->live_mean;
        dead += l->dead_share;
        alone += l->alone_share;
        components = fmax(components, l->components);
        all = fmax(all, l->components_all);
        largest = fmin(largest, largest_share(l));
    }
    lab_result_number(result, "online_mean", online / n);
    lab_result_number(result, "live_mean", live / n);
    lab_result_number(result, "dead_share", dead / n);
    lab_result_number(result, "alone_share", alone / n);
    lab_result_number(result, "components_max", components);
    lab_result_number(result, "components_all_max", all);
    lab_result_number(result, "largest_share_least", largest);
    lab_result_number(result, "whole_steps", whole_steps(o));
}

static void write_visits(const struct overlay *o, struct lab_result *result)
{
    char field[40];
    double paid[HSAY_BUCKET_COUNT] = {0}, answered[HSAY_BUCKET_COUNT] = {0}, all = 0;
    for (unsigned b = 0; b < HSAY_BUCKET_COUNT; b++) {
        for (unsigned i = 0; i < o->sim->config.shards; i++) {
            paid[b] += (double)o->visits[i].paid[b];
            answered[b] += (double)o->visits[i].answered[b];
        }
        all += paid[b];
    }
    for (unsigned b = HSAY_BUCKET_TRUSTED; b < HSAY_BUCKET_COUNT; b++) {
        const char *name = hsay_bucket_name((enum hsay_bucket)b);
        snprintf(field, sizeof field, "visits_%s_share", name);
        lab_result_number(result, field, paid[b] / fmax(all, 1));
        snprintf(field, sizeof field, "answered_%s_share", name);
        lab_result_number(result, field, answered[b] / fmax(paid[b], 1));
    }
}

static void overlay_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct overlay *o = self;
    (void)sim;
    write_fields(o, result);
    write_visits(o, result);
    write_looks(o, result);
    lab_who_free(&o->who);
    free(o->look);
    free(o);
}

const struct lab_measure_kind lab_measure_overlay = {
    .name = "overlay",
    .keys = "every:seconds from:seconds settled:seconds",
    .help = "whether all hosts are in one piece, looked at every=SECONDS, among those who are "
            "online for settled=SECONDS; from=SECONDS: when something happened",
    .fields = "online_mean live_mean dead_share alone_share components_max "
              "components_all_max largest_share_least whole_steps visits_trusted_share "
              "visits_contacted_share visits_requested_share visits_introduced_share "
              "visits_book_share answered_trusted_share answered_contacted_share "
              "answered_requested_share answered_introduced_share answered_book_share",
    .tables =
        "overlay:seconds,step,online,components,largest_share,live_mean,dead_share,alone_share",
    .open = overlay_open,
    .close = overlay_close,
};
