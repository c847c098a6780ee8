#include "src/lab/heal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/heap.h"
#include "src/lab/sim/memory.h"

enum { LOOKS_PER_STEP = 4, CURVE_STEPS = 25 };

/* What hosts held at some moment. */
struct glance {
    double least, mean, most;
};

struct lab_heal {
    struct lab_heal_config config;
    struct lab_sim *sim;
    double bound;  /* steps; known when it begins */
    double agreed; /* steps that it took; NAN: not yet */
    bool begun, over;
    char failure[160];
    struct glance *glance; /* one for each look */
    size_t glances, glances_room;
};

static uint64_t step_ns(const struct lab_sim *sim)
{
    uint32_t ms = sim->config.overlay.step_ms;
    return (ms != 0 ? ms : HSAY_STEP_MS) * (uint64_t)LAB_NS_PER_MS;
}

/* ---- the bound ---- */

/*
 * Who holds something alone is rid of it once it has asked, or was asked by, somebody who is in
 * touch with the rest.  A step goes to each sort of peer with a chance that the policy gives, so
 * at worst with that of the rarest: under hearsay to who asked us, at 3 %; a claim of more than we
 * hold is followed besides.  Dispersy's policies follow none: there it is the operator's peers, at
 * 1 % (paper) or 5 % (code2019), or one of n who asked, at a quarter.  What happens with chance p
 * in each step has happened after 16 / p steps, but once in ten million times.  Attackers take up
 * to four fifths of the steps.
 *
 * Before that, what was learned of others in bad times has to run out: contacts and requests that
 * are out.  Behind it, news doubles its holders with each step, four times as slowly at worst; and
 * the bytes of all bundles pass in answers of the smallest size.
 */
enum {
    LUCK = 16,
    ATTACKED_TIMES = 5,
    MIX_TIMES = 4,
    ANSWER_LEAST_BYTES = 4096,
};
#define HEARSAY_REQUESTED_SHARE 0.03
#define PAPER_TRUSTED_SHARE     0.01
#define CODE2019_TRUSTED_SHARE  0.05
#define REQUESTED_SHARE         0.25

static double chance_of(const struct lab_sim *sim)
{
    double asked = REQUESTED_SHARE / sim->config.nodes;
    switch (sim->config.overlay.policy) {
    case HSAY_POLICY_PAPER:
        return fmin(PAPER_TRUSTED_SHARE, asked);
    case HSAY_POLICY_CODE2019:
        return fmin(CODE2019_TRUSTED_SHARE, asked);
    default:
        return HEARSAY_REQUESTED_SHARE;
    }
}

static double luck_steps(const struct lab_sim *sim)
{
    return LUCK / chance_of(sim) * (sim->config.extra != 0 ? ATTACKED_TIMES : 1);
}

static double lull_steps(const struct lab_sim *sim)
{
    double step_ms = (double)step_ns(sim) / LAB_NS_PER_MS;
    double contacts_ms = HSAY_CONTACTED_LIFETIME_MS * fmin(step_ms / HSAY_STEP_MS, 1);
    return (contacts_ms + HSAY_REQUEST_LIFETIME_MS) / step_ms;
}

double lab_heal_bound(const struct lab_sim *sim)
{
    double mix = MIX_TIMES * (1 + log2(sim->config.nodes));
    double volume = (double)lab_depot_bytes(&sim->depot) / ANSWER_LEAST_BYTES;
    return ceil(lull_steps(sim) + luck_steps(sim) + mix + volume);
}

/* ---- do they agree? ---- */

/* Whoever is behind a box that lets nothing through stays alone. */
static bool is_cut_off(const struct lab_sim *sim, const struct lab_host *host)
{
    for (uint32_t box = host->box; box != 0; box = sim->site[box - 1].parent)
        if (sim->site[box - 1].kind.blocked)
            return true;
    return false;
}

static struct hsay_sum sum_of(const struct lab_host *host)
{
    const struct hsay_range everything = {.time_high = HSAY_TIME_MAX, .modulo = 1};
    struct hsay_store store = lab_store_port((struct lab_store *)&host->store);
    struct hsay_sum sum = {0};
    store.ops->sum(store.self, &everything, UINT64_MAX, &sum);
    return sum;
}

static bool is_same(const struct hsay_sum *a, const struct hsay_sum *b)
{
    return a->count == b->count && a->high == b->high && a->low == b->low;
}

/* The first host that holds something else than the first of all, or LAB_NOBODY. */
static uint32_t dissenter(const struct lab_sim *sim, uint32_t *first)
{
    struct hsay_sum common = {0};
    *first = LAB_NOBODY;
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        if (!lab_host_is_online(&sim->host[i]) || is_cut_off(sim, &sim->host[i]))
            continue;
        struct hsay_sum own = sum_of(&sim->host[i]);
        if (*first == LAB_NOBODY) {
            *first = i;
            common = own;
        } else if (!is_same(&own, &common)) {
            return i;
        }
    }
    return LAB_NOBODY;
}

static struct glance glance_at(const struct lab_sim *sim)
{
    struct glance g = {.least = INFINITY};
    double hosts = 0;
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        double held = (double)lab_store_count(&sim->host[i].store);
        if (!lab_host_is_online(&sim->host[i]) || is_cut_off(sim, &sim->host[i]))
            continue;
        hosts++;
        g.mean += held;
        g.least = fmin(g.least, held);
        g.most = fmax(g.most, held);
    }
    g.mean /= hosts;
    return g;
}

static void give_up(struct lab_heal *h, uint32_t first, uint32_t other)
{
    snprintf(h->failure, sizeof h->failure,
             "%.0f steps after all was healed hosts %u and %u hold %llu and %llu bundles, not the "
             "same",
             h->bound, first + 1, other + 1,
             (unsigned long long)lab_store_count(&h->sim->host[first].store),
             (unsigned long long)lab_store_count(&h->sim->host[other].store));
    if (h->config.invariants != NULL)
        lab_invariants_tell(h->config.invariants, LAB_INVARIANT_AGREEMENT, other, h->failure);
}

static void look(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_heal *h = self;
    double steps = (double)number / LOOKS_PER_STEP;
    uint32_t first, other = dissenter(sim, &first);
    h->glance = lab_heap_grow(h->glance, h->glances, &h->glances_room, sizeof *h->glance);
    h->glance[h->glances++] = glance_at(sim);
    if (other == LAB_NOBODY)
        h->agreed = steps;
    else if (steps >= h->bound)
        give_up(h, first, other);
    h->over = other == LAB_NOBODY || steps >= h->bound;
    if (h->over)
        lab_sim_stop(sim);
    else
        lab_sim_at(sim, h->config.at_ns + (number + 1) * step_ns(sim) / LOOKS_PER_STEP, look, h,
                   number + 1);
}

/* ---- healing ---- */

static void heal_links(struct lab_sim *sim)
{
    struct lab_link_model link = sim->config.link;
    char why[200];
    link.loss = 0;
    link.burst_share = 0;
    link.duplicate = 0;
    link.reorder = 0;
    link.corrupt = 0;
    link.rate_bytes_s = 0;
    link.mtu = 0;
    if (lab_link_prepare(&link, why, sizeof why) == 0)
        lab_sim_relink(sim, &link);
    memset(sim->partitioned, 0, sizeof sim->partitioned);
}

static void begin(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_heal *h = self;
    (void)number;
    h->begun = true;
    lab_fault_end(h->config.fault);
    heal_links(sim);
    sim->config.quota_bytes = 0;
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        sim->host[i].store.quota_bytes = 0;
        sim->host[i].store.full = false;
        lab_host_start(sim, i, &h->config.how);
    }
    h->bound = h->config.steps > 0 ? h->config.steps : lab_heal_bound(sim);
    look(sim, h, 0);
}

struct lab_heal *lab_heal_new(struct lab_sim *sim, const struct lab_heal_config *config)
{
    if (config->at_ns == 0)
        return NULL;
    struct lab_heal *h = lab_calloc(1, sizeof *h);
    h->config = *config;
    h->sim = sim;
    h->agreed = NAN;
    lab_sim_at(sim, config->at_ns, begin, h, 0);
    return h;
}

void lab_heal_free(struct lab_heal *heal)
{
    if (heal == NULL)
        return;
    free(heal->glance);
    free(heal);
}

void lab_heal_run(struct lab_heal *h)
{
    if (h == NULL)
        return;
    lab_sim_run_until(h->sim, h->config.at_ns);
    if (!h->begun)
        return;
    lab_sim_run_until(h->sim, h->config.at_ns + (uint64_t)(h->bound + 1) * step_ns(h->sim));
}

const char *lab_heal_failure(struct lab_heal *h)
{
    if (h != NULL && !h->over)
        snprintf(h->failure, sizeof h->failure,
                 "stopped at second %g, before hosts healed at %g had come to hold the same",
                 (double)lab_sim_elapsed_ns(h->sim) / 1e9, (double)h->config.at_ns / 1e9);
    return h != NULL && h->failure[0] != '\0' ? h->failure : NULL;
}

/* Those who agree stay so: curves of several runs are to end together. */
static void write_glances(const struct lab_heal *h, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(result, "healing", "step,least,mean");
    size_t count = h->glances;
    double all = count != 0 ? h->glance[count - 1].most : 0;
    for (size_t i = 0; all > 0 && (i < count || i <= CURVE_STEPS * LOOKS_PER_STEP); i++) {
        const struct glance *g = &h->glance[i < count ? i : count - 1];
        lab_table_row(table, (double[]){(double)i / LOOKS_PER_STEP, g->least / all, g->mean / all});
    }
}

void lab_heal_write(const struct lab_heal *h, struct lab_result *result)
{
    if (h == NULL)
        return;
    lab_result_number(result, "heal_steps", h->agreed);
    lab_result_number(result, "heal_bound", h->bound);
    write_glances(h, result);
}
