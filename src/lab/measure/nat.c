/*
 * Through NATs: who is reached by others, how soon, and which pairs of kinds can be joined.
 *
 * A host's kind is that of the boxes between it and the world taken together: of two in a row the
 * stricter rule counts.  Blocked hosts are left out everywhere, as are trackers.
 *
 * A host is reached when the first request of somebody else comes to it.  unreached_share is of
 * those that were online for `steps` at least, and none came to in their first `steps`.
 *
 * A pair is a request to somebody to whom the asker was introduced: without the puncture that goes
 * with the introduction it passes only to kinds that let in anybody.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/measure/who.h"
#include "src/lab/sim/memory.h"

enum kind { OPEN, CONE, ADDRESS, PORT, VARIES, KINDS, LEFT_OUT = KINDS };

enum { STEPS = 24, SAMPLES_PER_STEP = 2, CURVE_STEPS_MAX = 60 };
#define NEVER UINT64_MAX

struct seen {
    uint64_t online_ns;  /* for the first time; NEVER: not yet */
    uint64_t request_ns; /* somebody's request came */
    uint64_t bundle_ns;  /* the first bundle that was published */
};

struct cell {
    uint64_t asked, answered;
};

/* What one thread writes. */
struct part {
    uint64_t requests; /* counted so far by the nodes of the shard that count together */
    struct cell cell[KINDS][KINDS]; /* introduced ones */
    struct cell book;               /* those that the address book named */
};

struct nat {
    struct lab_sim *sim;
    struct lab_who who;
    double steps;
    uint8_t *kind; /* enum kind, per host */
    struct seen *seen;
    uint64_t *requests; /* of each host, where each counts for itself */
    struct part part[LAB_SHARDS_MAX];
    struct hsay_digest bundle; /* the first that was published */
    uint64_t made_ns;          /* NEVER: none yet */
    uint32_t author;
};

/* ---- kinds ---- */

static enum kind kind_of(const struct lab_sim *sim, uint32_t host)
{
    unsigned mapping = LAB_NAT_INDEPENDENT, filtering = LAB_NAT_INDEPENDENT;
    uint32_t box = sim->host[host].box;
    if ((sim->host[host].flags & LAB_HOST_EXTRA) != 0 || lab_host_is_tracker(sim, host))
        return LEFT_OUT;
    if (box == 0)
        return OPEN;
    for (; box != 0; box = sim->site[box - 1].parent) {
        const struct lab_nat_kind *k = &sim->site[box - 1].kind;
        if (k->blocked)
            return LEFT_OUT;
        mapping = k->mapping > mapping ? k->mapping : mapping;
        filtering = k->filtering > filtering ? k->filtering : filtering;
    }
    if (mapping != LAB_NAT_INDEPENDENT)
        return VARIES;
    return filtering == LAB_NAT_INDEPENDENT ? CONE : filtering == LAB_NAT_ADDRESS ? ADDRESS : PORT;
}

/* ---- watching ---- */

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct nat *n = self;
    if (!online)
        return;
    lab_who_online(&n->who, sim, host);
    n->requests[host] = 0;
    if (n->seen[host].online_ns == NEVER)
        n->seen[host].online_ns = sim->now_ns;
}

/* That a request came, and was one that it understood, only the core knows. */
static void on_call(void *self, struct lab_shard *shard, const struct lab_call *call)
{
    struct nat *n = self;
    const struct hsay_node_stats *stats = hsay_node_stats(n->sim->host[call->host].node);
    bool shared = n->sim->config.shared_stats;
    uint64_t *before = shared ? &n->part[shard->number].requests : &n->requests[call->host];
    uint64_t now = stats->count[HSAY_COUNT_REQUESTS];
    if (now > *before && n->seen[call->host].request_ns == NEVER)
        n->seen[call->host].request_ns = shard->now_ns;
    *before = now;
}

static void on_answer(struct nat *n, const struct lab_shard *shard, uint32_t host,
                      const struct hsay_event *event)
{
    struct part *part = &n->part[shard->number];
    uint32_t to = lab_who_is(&n->who, n->sim, &event->peer);
    if ((event->bucket != HSAY_BUCKET_INTRODUCED && event->bucket != HSAY_BUCKET_BOOK) ||
        to == LAB_NOBODY || n->kind[host] == LEFT_OUT || n->kind[to] == LEFT_OUT)
        return;
    bool book = event->bucket == HSAY_BUCKET_BOOK;
    struct cell *cell = book ? &part->book : &part->cell[n->kind[host]][n->kind[to]];
    cell->asked++;
    cell->answered += event->number[HSAY_ANSWER_RESULT] == 0;
}

/* Publications happen between windows: what is written here no other thread reads meanwhile. */
static void on_bundle(struct nat *n, const struct lab_shard *shard, uint32_t host,
                      const struct hsay_event *event)
{
    if (event->own && n->made_ns == NEVER) {
        n->bundle = event->position.digest;
        n->made_ns = shard->now_ns;
        n->author = host;
    }
    if (n->made_ns != NEVER && n->seen[host].bundle_ns == NEVER &&
        memcmp(&n->bundle, &event->position.digest, sizeof n->bundle) == 0)
        n->seen[host].bundle_ns = shard->now_ns;
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    if (event->kind == HSAY_EVENT_ANSWER)
        on_answer(self, shard, host, event);
    else if (event->kind == HSAY_EVENT_BUNDLE)
        on_bundle(self, shard, host, event);
}

static void *nat_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct nat *n = lab_calloc(1, sizeof *n);
    n->sim = sim;
    n->steps = lab_measure_number(args, "steps", STEPS);
    n->made_ns = NEVER;
    n->kind = lab_calloc(sim->host_count, sizeof *n->kind);
    n->requests = lab_calloc(sim->host_count, sizeof *n->requests);
    n->seen = lab_calloc(sim->host_count, sizeof *n->seen);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        n->kind[i] = (uint8_t)kind_of(sim, i);
        n->seen[i] = (struct seen){NEVER, NEVER, NEVER};
    }
    lab_sim_observe(sim,
                    &(struct lab_observer){
                        .self = n, .on_call = on_call, .on_event = on_event, .on_life = on_life});
    return n;
}

/* ---- curves ---- */

/* For each kind, and behind them for all, how many of those that count have it after so long. */
struct curve {
    double have[KINDS + 1], all[KINDS + 1];
};

static void curve_count(struct curve *curve, enum kind kind, bool has)
{
    curve->all[kind]++;
    curve->all[KINDS]++;
    curve->have[kind] += has;
    curve->have[KINDS] += has;
}

/* How long it took since then, in steps; infinite if it never happened. */
static double steps_until(const struct nat *n, uint64_t from_ns, uint64_t ns)
{
    return ns == NEVER ? INFINITY : lab_steps(n->sim, ns - from_ns);
}

/* Who was online for so long at least. */
static bool is_judged(const struct nat *n, uint32_t host, double steps)
{
    uint64_t since = n->seen[host].online_ns;
    return n->kind[host] != LEFT_OUT && since != NEVER && n->sim->host[host].node != NULL &&
           lab_steps(n->sim, n->sim->now_ns - since) >= steps;
}

static struct curve requests_by(const struct nat *n, double steps)
{
    struct curve curve = {0};
    for (uint32_t i = 0; i < n->sim->host_count; i++)
        if (is_judged(n, i, n->steps)) {
            const struct seen *s = &n->seen[i];
            curve_count(&curve, (enum kind)n->kind[i],
                        steps_until(n, s->online_ns, s->request_ns) <= steps);
        }
    return curve;
}

/* Of those that were there when it was published. */
static struct curve bundles_by(const struct nat *n, double steps)
{
    struct curve curve = {0};
    for (uint32_t i = 0; n->made_ns != NEVER && i < n->sim->host_count; i++)
        if (is_judged(n, i, 0) && i != n->author && n->seen[i].online_ns <= n->made_ns)
            curve_count(&curve, (enum kind)n->kind[i],
                        steps_until(n, n->made_ns, n->seen[i].bundle_ns) <= steps);
    return curve;
}

static double share(const struct curve *curve, unsigned kind)
{
    return curve->all[kind] > 0 ? curve->have[kind] / curve->all[kind] : NAN;
}

typedef struct curve (*curve_at)(const struct nat *n, double steps);

/* Steps until so large a share of all has it; NAN if it never does. */
static double steps_to(const struct nat *n, double part, curve_at at)
{
    double most = lab_steps(n->sim, lab_sim_elapsed_ns(n->sim));
    for (double step = 0; step <= most; step += 1.0 / SAMPLES_PER_STEP) {
        struct curve curve = at(n, step);
        if (share(&curve, KINDS) >= part)
            return step;
    }
    return NAN;
}

/* ---- writing ---- */

static void write_curve(const struct nat *n, struct lab_result *result, const char *name,
                        double last, curve_at at)
{
    struct lab_table *table =
        lab_result_table(result, name, "step,share,open,cone,address,port,varies");
    for (unsigned i = 0; i <= last * SAMPLES_PER_STEP; i++) {
        double step = (double)i / SAMPLES_PER_STEP;
        struct curve c = at(n, step);
        lab_table_row(table, (double[]){step, share(&c, KINDS), share(&c, OPEN), share(&c, CONE),
                                        share(&c, ADDRESS), share(&c, PORT), share(&c, VARIES)});
    }
}

static void write_requests(const struct nat *n, struct lab_result *result)
{
    struct curve soon = requests_by(n, n->steps), ever = requests_by(n, 1e9);
    lab_result_number(result, "hosts_judged", soon.all[KINDS]);
    lab_result_number(result, "unreached_share", 1 - share(&soon, KINDS));
    lab_result_number(result, "unreached_share_open", 1 - share(&soon, OPEN));
    lab_result_number(result, "unreached_share_cone", 1 - share(&soon, CONE));
    lab_result_number(result, "unreached_share_address", 1 - share(&soon, ADDRESS));
    lab_result_number(result, "unreached_share_port", 1 - share(&soon, PORT));
    lab_result_number(result, "unreached_share_varies", 1 - share(&soon, VARIES));
    lab_result_number(result, "unreached_share_end", 1 - share(&ever, KINDS));
    lab_result_number(result, "reached_steps_50", steps_to(n, 0.5, requests_by));
    lab_result_number(result, "reached_steps_95", steps_to(n, 0.95, requests_by));
    write_curve(n, result, "incoming", n->steps, requests_by);
}

static void write_bundle(const struct nat *n, struct lab_result *result)
{
    struct curve ever = bundles_by(n, 1e9);
    lab_result_number(result, "bundle_reached_share", share(&ever, KINDS));
    lab_result_number(result, "bundle_steps_50", steps_to(n, 0.5, bundles_by));
    lab_result_number(result, "bundle_steps_95", steps_to(n, 0.95, bundles_by));
    lab_result_number(result, "bundle_steps_last", steps_to(n, 1, bundles_by));
    if (n->made_ns != NEVER)
        write_curve(n, result, "bundle",
                    fmin(lab_steps(n->sim, n->sim->now_ns - n->made_ns), CURVE_STEPS_MAX),
                    bundles_by);
}

static struct cell cell_of(const struct nat *n, unsigned from, unsigned to)
{
    struct cell sum = {0, 0};
    for (unsigned s = 0; s < LAB_SHARDS_MAX; s++) {
        sum.asked += n->part[s].cell[from][to].asked;
        sum.answered += n->part[s].cell[from][to].answered;
    }
    return sum;
}

static void cell_add(struct cell *sum, struct cell c)
{
    sum->asked += c.asked;
    sum->answered += c.answered;
}

static double cell_share(struct cell c)
{
    return c.asked != 0 ? (double)c.answered / (double)c.asked : NAN;
}

/* No puncture joins a box whose ports vary with one that looks at them. */
static bool may_work(unsigned a, unsigned b)
{
    return !(a == VARIES && (b == VARIES || b == PORT)) && !(b == VARIES && a == PORT);
}

static void write_book(const struct nat *n, struct lab_result *result)
{
    struct cell sum = {0, 0};
    for (unsigned s = 0; s < LAB_SHARDS_MAX; s++)
        cell_add(&sum, n->part[s].book);
    lab_result_number(result, "book_asked", (double)sum.asked);
    lab_result_number(result, "book_answered_share", cell_share(sum));
}

static void write_pairs(const struct nat *n, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(result, "pairs", "from,to,asked,answered_share");
    struct cell all = {0, 0}, possible = {0, 0};
    for (unsigned a = 0; a < KINDS; a++)
        for (unsigned b = 0; b < KINDS; b++) {
            struct cell c = cell_of(n, a, b);
            cell_add(&all, c);
            if (may_work(a, b))
                cell_add(&possible, c);
            if (c.asked != 0)
                lab_table_row(table, (double[]){a + 1, b + 1, (double)c.asked, cell_share(c)});
        }
    lab_result_number(result, "introduced_asked", (double)all.asked);
    lab_result_number(result, "introduced_answered_share", cell_share(all));
    lab_result_number(result, "possible_asked_share",
                      all.asked != 0 ? (double)possible.asked / (double)all.asked : NAN);
    lab_result_number(result, "possible_answered_share", cell_share(possible));
}

static void nat_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct nat *n = self;
    struct lab_totals totals;
    lab_sim_totals(sim, &totals);
    write_requests(n, result);
    write_bundle(n, result);
    write_pairs(n, result);
    write_book(n, result);
    lab_result_number(result, "punctures_asked",
                      (double)totals.stats.count[HSAY_COUNT_PUNCTURES_ASKED]);
    lab_result_number(result, "punctures", (double)totals.stats.count[HSAY_COUNT_PUNCTURES_OUT]);
    lab_who_free(&n->who);
    free(n->kind);
    free(n->requests);
    free(n->seen);
    free(n);
}

const struct lab_measure_kind lab_measure_nat = {
    .name = "nat",
    .keys = "steps:number",
    .help =
        "who is reached through NATs, and which kinds reach which; steps=N after which somebody "
        "without an incoming request counts as unreached",
    .fields = "hosts_judged unreached_share unreached_share_end unreached_share_open "
              "unreached_share_cone unreached_share_address unreached_share_port "
              "unreached_share_varies reached_steps_50 reached_steps_95 "
              "bundle_reached_share bundle_steps_50 bundle_steps_95 bundle_steps_last "
              "introduced_asked introduced_answered_share possible_asked_share "
              "possible_answered_share book_asked book_answered_share punctures_asked punctures",
    .tables = "incoming:step,share,open,cone,address,port,varies "
              "bundle:step,share,open,cone,address,port,varies "
              "pairs:from,to,asked,answered_share",
    .open = nat_open,
    .close = nat_close,
};
