/*
 * Eclipse: how much of what victims do goes to attackers.
 *
 * Victims are the hosts that an attack has marked, or all hosts where nobody is attacked.  A
 * contact is a request that a victim sends, be it a step of the walk, the return of a visit, or a
 * further question to the peer in hand; a visit is a contact with another peer than the one before.
 * A peer is an attacker if its address belongs to a host that runs no node.  What `from` (seconds)
 * leaves out is in the curve but not in the fields.
 *
 * Of each bundle that is published after `from`, it is looked at who of the victims that have been
 * online since then, and are not its author, holds it `within` seconds later.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/attack.h"
#include "src/lab/sim/memory.h"

enum { EVERY_S = 30, WITHIN_S = 60, NAMES_FIRST = 64 };

/* Peers that were met, by the beginning of their keys; open addressing. */
struct names {
    uint64_t *name;
    uint32_t count, max;
};

struct tally {
    uint64_t contacts, evil; /* of which attackers' */
    uint64_t visits, evil_visits;
    uint64_t from[HSAY_BUCKET_COUNT], evil_from[HSAY_BUCKET_COUNT]; /* visits, by bucket */
};

struct victim {
    uint32_t host;
    struct tally all, base; /* base: as it was at `from` */
    struct hsay_addr last;
    struct names met;                 /* honest ones that answered since `from` */
    uint64_t heard_ns;                /* an honest one last answered, or it went online */
    uint64_t gap_ns;                  /* the longest time between two of these */
    uint64_t packets_in, packets_out; /* at `from` */
};

/* Peers known, attackers among them: by bucket, and in the address book in place of NONE. */
struct known {
    double all[HSAY_BUCKET_COUNT], evil[HSAY_BUCKET_COUNT];
};

struct bundle {
    struct hsay_digest digest;
    uint64_t made_ns;
    uint32_t author; /* host */
};

struct point {
    double seconds, share;
    struct known known;
};

struct eclipse {
    struct lab_sim *sim;
    struct victim *victim;
    uint32_t count;
    uint32_t *place; /* host -> number + 1; 0: no victim */
    uint64_t from_ns, every_ns, within_ns;
    struct tally before; /* of all, at the last point */
    struct bundle *bundle;
    size_t bundles, bundles_max;
    uint64_t due, held; /* victims that could have a bundle by then, and that have it */
    struct point *point;
    size_t points, points_max;
    bool begun;
};

/* ---- peers met ---- */

static uint64_t *names_place(const struct names *names, uint64_t name)
{
    uint32_t at = (uint32_t)name & (names->max - 1);
    while (names->name[at] != 0 && names->name[at] != name)
        at = (at + 1) & (names->max - 1);
    return &names->name[at];
}

static void names_grow(struct names *names)
{
    struct names old = *names;
    names->max = old.max != 0 ? 2 * old.max : NAMES_FIRST;
    names->name = lab_calloc(names->max, sizeof *names->name);
    for (uint32_t i = 0; i < old.max; i++)
        if (old.name[i] != 0)
            *names_place(names, old.name[i]) = old.name[i];
    free(old.name);
}

static void names_add(struct names *names, const struct hsay_key *key)
{
    uint64_t name;
    memcpy(&name, key->byte, sizeof name);
    if (name == 0)
        return;
    if (2 * (names->count + 1) > names->max)
        names_grow(names);
    uint64_t *place = names_place(names, name);
    names->count += *place == 0;
    *place = name;
}

/* ---- watching ---- */

static void on_contact(struct victim *v, const struct hsay_event *step, bool evil)
{
    const struct hsay_addr *to = &step->peer.addr;
    bool same = memcmp(&v->last, to, sizeof *to) == 0;
    v->all.contacts++;
    v->all.evil += evil;
    v->all.visits += !same;
    v->all.evil_visits += !same && evil;
    v->all.from[step->bucket] += !same;
    v->all.evil_from[step->bucket] += !same && evil;
    v->last = *to;
}

static void on_honest_answer(const struct eclipse *e, struct victim *v, uint64_t now_ns,
                             const struct hsay_key *key)
{
    if (!e->begun)
        return;
    if (now_ns - v->heard_ns > v->gap_ns)
        v->gap_ns = now_ns - v->heard_ns;
    v->heard_ns = now_ns;
    names_add(&v->met, key);
}

static void judge(struct lab_sim *sim, void *self, uint64_t number)
{
    struct eclipse *e = self;
    const struct bundle *b = &e->bundle[number];
    for (uint32_t i = 0; i < e->count; i++) {
        const struct lab_host *host = &sim->host[e->victim[i].host];
        if (e->victim[i].host == b->author || !lab_host_is_online(host) ||
            host->online_ns > b->made_ns)
            continue;
        e->due++;
        e->held += lab_store_holds(&host->store, &b->digest);
    }
}

static void on_publication(struct eclipse *e, uint32_t host, const struct hsay_digest *digest)
{
    if (!e->begun)
        return;
    if (e->bundles == e->bundles_max) {
        e->bundles_max = e->bundles_max != 0 ? 2 * e->bundles_max : 64;
        e->bundle = lab_realloc(e->bundle, e->bundles_max * sizeof *e->bundle);
    }
    e->bundle[e->bundles] = (struct bundle){*digest, e->sim->now_ns, host};
    lab_sim_at(e->sim, lab_sim_elapsed_ns(e->sim) + e->within_ns, judge, e, e->bundles++);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct eclipse *e = self;
    if (event->kind == HSAY_EVENT_BUNDLE && event->own)
        on_publication(e, host, &event->position.digest);
    if (e->place[host] == 0 || (event->kind != HSAY_EVENT_STEP && event->kind != HSAY_EVENT_ANSWER))
        return;
    struct victim *v = &e->victim[e->place[host] - 1];
    bool evil = lab_attack_is_at(e->sim, &event->peer.addr);
    if (event->kind == HSAY_EVENT_STEP)
        on_contact(v, event, evil);
    else if (!evil && event->number[HSAY_ANSWER_RESULT] == 0)
        on_honest_answer(e, v, shard->now_ns, &event->peer.key);
}

/* Nobody hears anything while it is off. */
static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct eclipse *e = self;
    if (online && e->place[host] != 0)
        e->victim[e->place[host] - 1].heard_ns = sim->now_ns;
}

/* ---- moments ---- */

static void find_victims(struct lab_sim *sim, struct eclipse *e)
{
    uint32_t marked = 0;
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        marked += (sim->host[i].flags & LAB_HOST_MARKED) != 0;
    e->victim = lab_calloc(marked != 0 ? marked : sim->config.nodes, sizeof *e->victim);
    e->place = lab_calloc(sim->host_count, sizeof *e->place);
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        if (marked == 0 || (sim->host[i].flags & LAB_HOST_MARKED) != 0) {
            e->victim[e->count].host = i;
            e->place[i] = ++e->count;
        }
}

static void begin(struct lab_sim *sim, void *self, uint64_t number)
{
    struct eclipse *e = self;
    (void)number;
    e->begun = true;
    for (uint32_t i = 0; i < e->count; i++) {
        struct victim *v = &e->victim[i];
        v->base = v->all;
        v->heard_ns = sim->now_ns;
        v->packets_in = sim->host[v->host].datagrams_in;
        v->packets_out = sim->host[v->host].datagrams_out;
    }
}

static void know(struct known *known, enum hsay_bucket bucket, bool evil)
{
    known->all[bucket]++;
    known->evil[bucket] += evil;
}

static void look_at(const struct eclipse *e, const struct lab_host *host, struct known *known)
{
    struct hsay_peer_status status;
    struct hsay_peer peer;
    struct hsay_now now = lab_host_now(e->sim, host, e->sim->now_ns);
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &status) == 0; i++)
        know(known, status.bucket, lab_attack_is_at(e->sim, &status.peer.addr));
    for (size_t i = 0; hsay_node_book_at(host->node, 0, i, &peer) == 0; i++)
        know(known, HSAY_BUCKET_NONE, lab_attack_is_at(e->sim, &peer.addr));
}

static void sample(struct lab_sim *sim, void *self, uint64_t number)
{
    struct eclipse *e = self;
    struct tally sum = {0};
    struct point p = {.seconds = (double)lab_sim_elapsed_ns(sim) / 1e9};
    for (uint32_t i = 0; i < e->count; i++) {
        sum.contacts += e->victim[i].all.contacts;
        sum.evil += e->victim[i].all.evil;
        if (lab_host_is_online(&sim->host[e->victim[i].host]))
            look_at(e, &sim->host[e->victim[i].host], &p.known);
    }
    p.share = (double)(sum.evil - e->before.evil) / (double)(sum.contacts - e->before.contacts);
    e->before = sum;
    if (e->points == e->points_max) {
        e->points_max = e->points_max != 0 ? 2 * e->points_max : 64;
        e->point = lab_realloc(e->point, e->points_max * sizeof *e->point);
    }
    e->point[e->points++] = p;
    lab_sim_at(sim, (number + 1) * e->every_ns, sample, e, number + 1);
}

static void *eclipse_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct eclipse *e = lab_calloc(1, sizeof *e);
    e->sim = sim;
    e->from_ns = (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    e->within_ns = (uint64_t)(lab_measure_number(args, "within", WITHIN_S) * 1e9);
    e->every_ns = (uint64_t)(fmax(lab_measure_number(args, "every", EVERY_S), 1) * 1e9);
    lab_sim_observe(sim,
                    &(struct lab_observer){.self = e, .on_event = on_event, .on_life = on_life});
    find_victims(sim, e);
    lab_sim_at(sim, e->from_ns, begin, e, 0);
    lab_sim_at(sim, e->every_ns, sample, e, 1);
    return e;
}

/* ---- writing ---- */

static double share_of(double part, double all)
{
    return all != 0 ? part / all : NAN;
}

static void write_curve(const struct eclipse *e, struct lab_result *result)
{
    struct lab_table *table = lab_result_table(
        result, "eclipse",
        "seconds,attacker_share,contacted,requested,introduced,from_book,address_book");
    for (size_t i = 0; i < e->points; i++) {
        const struct point *p = &e->point[i];
        const struct known *k = &p->known;
        double row[] = {p->seconds, p->share, 0, 0, 0, 0, 0};
        for (unsigned b = HSAY_BUCKET_CONTACTED; b < HSAY_BUCKET_COUNT; b++)
            row[b] = share_of(k->evil[b], k->all[b]);
        row[6] = share_of(k->evil[HSAY_BUCKET_NONE], k->all[HSAY_BUCKET_NONE]);
        lab_table_row(table, row);
    }
}

/* How far it has spread: contacted ones that are attackers, with hosts that nobody attacks. */
static double share_of_others(const struct eclipse *e)
{
    struct known sum = {0};
    for (uint32_t i = 0; i < e->sim->online_count; i++)
        if (e->place[e->sim->online[i]] == 0)
            look_at(e, &e->sim->host[e->sim->online[i]], &sum);
    return share_of(sum.evil[HSAY_BUCKET_CONTACTED], sum.all[HSAY_BUCKET_CONTACTED]);
}

/* Over all moments since `from`. */
static void write_known(const struct eclipse *e, struct lab_result *result)
{
    static const char *const field[HSAY_BUCKET_COUNT] = {
        [HSAY_BUCKET_NONE] = "attackers_in_address_book",
        [HSAY_BUCKET_CONTACTED] = "attackers_contacted",
        [HSAY_BUCKET_REQUESTED] = "attackers_requested",
        [HSAY_BUCKET_INTRODUCED] = "attackers_introduced",
        [HSAY_BUCKET_BOOK] = "attackers_from_book",
    };
    struct known sum = {0};
    lab_result_number(result, "others_attackers_contacted", share_of_others(e));
    for (size_t i = 0; i < e->points; i++)
        for (unsigned b = 0;
             b < HSAY_BUCKET_COUNT && e->point[i].seconds * 1e9 >= (double)e->from_ns; b++) {
            sum.all[b] += e->point[i].known.all[b];
            sum.evil[b] += e->point[i].known.evil[b];
        }
    for (unsigned b = 0; b < HSAY_BUCKET_COUNT; b++)
        if (field[b] != NULL)
            lab_result_number(result, field[b], share_of(sum.evil[b], sum.all[b]));
}

struct means {
    double share, share_largest, visit_share, contacts, met, gap_s, gap_largest_s;
    double packets_in, packets_out;
};

static void add_victim(const struct eclipse *e, const struct victim *v, struct means *sum)
{
    const struct lab_host *host = &e->sim->host[v->host];
    double n = e->count, gap_s = (double)v->gap_ns / 1e9;
    double contacts = (double)(v->all.contacts - v->base.contacts);
    double share = share_of((double)(v->all.evil - v->base.evil), contacts);
    double visits = (double)(v->all.visits - v->base.visits);
    sum->share += share / n;
    sum->share_largest = fmax(sum->share_largest, share);
    sum->visit_share += share_of((double)(v->all.evil_visits - v->base.evil_visits), visits) / n;
    sum->contacts += contacts / n;
    sum->met += v->met.count / n;
    sum->gap_s += gap_s / n;
    sum->gap_largest_s = fmax(sum->gap_largest_s, gap_s);
    sum->packets_in += (double)(host->datagrams_in - v->packets_in) / n;
    sum->packets_out += (double)(host->datagrams_out - v->packets_out) / n;
}

static void write_source(struct lab_result *result, const char *what, unsigned bucket, double share)
{
    char field[48];
    snprintf(field, sizeof field, "%s_%s", what, hsay_bucket_name((enum hsay_bucket)bucket));
    lab_result_number(result, field, share);
}

/* Of all visits, those to peers of each bucket, and to attackers there. */
static void write_sources(const struct eclipse *e, struct lab_result *result)
{
    double part[HSAY_BUCKET_COUNT] = {0}, evil[HSAY_BUCKET_COUNT] = {0}, all = 0;
    for (uint32_t i = 0; i < e->count; i++)
        for (unsigned b = 0; b < HSAY_BUCKET_COUNT; b++) {
            const struct victim *v = &e->victim[i];
            part[b] += (double)(v->all.from[b] - v->base.from[b]);
            evil[b] += (double)(v->all.evil_from[b] - v->base.evil_from[b]);
            all += (double)(v->all.from[b] - v->base.from[b]);
        }
    for (unsigned b = HSAY_BUCKET_TRUSTED; b < HSAY_BUCKET_COUNT; b++) {
        write_source(result, "visits", b, share_of(part[b], all));
        write_source(result, "attacker_visits", b, share_of(evil[b], all));
    }
}

static void write_fields(const struct eclipse *e, struct lab_result *result)
{
    struct means m = {0};
    double seconds = (double)(e->sim->now_ns - LAB_START_NS - e->from_ns) / 1e9;
    for (uint32_t i = 0; i < e->count; i++)
        add_victim(e, &e->victim[i], &m);
    lab_result_number(result, "victims", e->count);
    lab_result_number(result, "attacker_share", m.share);
    lab_result_number(result, "attacker_share_largest", m.share_largest);
    lab_result_number(result, "attacker_visit_share", m.visit_share);
    write_sources(e, result);
    lab_result_number(result, "contacts_per_minute", m.contacts / seconds * 60);
    lab_result_number(result, "victims_held_share", share_of((double)e->held, (double)e->due));
    lab_result_number(result, "met", m.met);
    lab_result_number(result, "met_per_contact", m.met / m.contacts);
    lab_result_number(result, "honest_gap_s", m.gap_s);
    lab_result_number(result, "honest_gap_largest_s", m.gap_largest_s);
    lab_result_number(result, "packets_in_per_second", m.packets_in / seconds);
    lab_result_number(result, "packets_out_per_second", m.packets_out / seconds);
}

static void end_gaps(struct eclipse *e)
{
    for (uint32_t i = 0; i < e->count; i++) {
        struct victim *v = &e->victim[i];
        if (lab_host_is_online(&e->sim->host[v->host]) && e->sim->now_ns - v->heard_ns > v->gap_ns)
            v->gap_ns = e->sim->now_ns - v->heard_ns;
    }
}

static void eclipse_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct eclipse *e = self;
    (void)sim;
    end_gaps(e);
    write_fields(e, result);
    write_known(e, result);
    write_curve(e, result);
    for (uint32_t i = 0; i < e->count; i++)
        free(e->victim[i].met.name);
    free(e->victim);
    free(e->place);
    free(e->bundle);
    free(e->point);
    free(e);
}

const struct lab_measure_kind lab_measure_eclipse = {
    .name = "eclipse",
    .keys = "from:seconds every:seconds within:seconds",
    .help = "what attackers get of their victims' contacts, and of their tables; from=SECONDS "
            "leaves the beginning out, every=SECONDS is the width of a point of the curve; "
            "within=SECONDS others' bundles should have come",
    .fields = "victims attacker_share attacker_share_largest attacker_visit_share "
              "visits_trusted visits_contacted visits_requested visits_introduced "
              "visits_book attacker_visits_trusted attacker_visits_contacted "
              "attacker_visits_requested attacker_visits_introduced "
              "attacker_visits_book contacts_per_minute met met_per_contact "
              "victims_held_share honest_gap_s honest_gap_largest_s "
              "packets_in_per_second packets_out_per_second attackers_contacted "
              "attackers_requested attackers_introduced attackers_from_book "
              "attackers_in_address_book others_attackers_contacted",
    .tables =
        "eclipse:seconds,attacker_share,contacted,requested,introduced,from_book,address_book",
    .open = eclipse_open,
    .close = eclipse_close,
};
