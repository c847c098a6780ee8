#include "src/lab/swarm.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "src/lab/output/heap.h"
#include "src/lab/sim/chance.h"

struct swarm {
    uint64_t seed;
    FILE *out;
    unsigned nodes, trackers;
    double step_s;   /* seconds of a step */
    double steps;    /* of the faulty phase */
    double faulty_s; /* seconds of it */
    bool classic;    /* it steps at a fixed pace, or as Dispersy did */
    bool ranged;     /* one rule of ranges alone */
};

/* ---- drawing ---- */

static struct lab_chance knob(const struct swarm *s, const char *name)
{
    return lab_chance_stream(s->seed, LAB_CHANCE_SWARM, XXH3_64bits(name, strlen(name)) >> 8);
}

static double unit(const struct swarm *s, const char *name)
{
    struct lab_chance chance = knob(s, name);
    return lab_chance_unit(&chance);
}

static double between(const struct swarm *s, const char *name, double low, double high)
{
    return low + (high - low) * unit(s, name);
}

/* As many between 1 and 10 as between 10 and 100. */
static double scaled(const struct swarm *s, const char *name, double low, double high)
{
    return low * exp(log(high / low) * unit(s, name));
}

/* Whether this feature is in the run at all. */
static bool has(const struct swarm *s, const char *feature, double share)
{
    struct lab_chance chance = knob(s, feature);
    lab_chance_next(&chance); /* the value of the knob of that name is another number */
    return lab_chance_unit(&chance) < share;
}

static const char *one_of(const struct swarm *s, const char *name, const char *const *word,
                          unsigned count)
{
    struct lab_chance chance = knob(s, name);
    return word[lab_chance_below(&chance, count)];
}
#define ONE_OF(s, name, ...)                                                                       \
    one_of(s, name, (const char *const[]){__VA_ARGS__},                                            \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- writing ---- */

static void set(const struct swarm *s, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set(const struct swarm *s, const char *key, const char *format, ...)
{
    va_list args;
    fprintf(s->out, "set %s ", key);
    va_start(args, format);
    vfprintf(s->out, format, args);
    va_end(args);
    fputc('\n', s->out);
}

static void set_number(const struct swarm *s, const char *key, double value)
{
    set(s, key, "%.4g", value);
}

/* ---- hosts ---- */

static void draw_hosts(struct swarm *s)
{
    double size = unit(s, "nodes");
    s->nodes = 2 + (unsigned)(39 * size * sqrt(size));
    s->trackers = has(s, "trackers", 0.3) ? 1 + (unsigned)(2 * unit(s, "trackers")) : 1;
    if (s->trackers >= s->nodes)
        s->trackers = 1;
    s->step_s = has(s, "step", 0.4) ? scaled(s, "step", 0.25, 20) : 5;
    s->steps = floor(between(s, "steps", 8, 40));
    s->faulty_s = round(s->steps * s->step_s * 10) / 10;
    set(s, "nodes", "%u", s->nodes);
    set_number(s, "step", s->step_s);
    set(s, "trackers", "%u", s->trackers);
    set(s, "networks", "%s", ONE_OF(s, "networks", "1", "2", "4", "50000", "50000", "50000"));
    set(s, "join", "%.4g", has(s, "join", 0.5) ? between(s, "join", 0, s->faulty_s / 2) : 0.5);
    set(s, "tables", "%s", ONE_OF(s, "tables", "small", "small", "medium", "daemon"));
    if (has(s, "crypto", 0.04) && s->nodes <= 12)
        set(s, "crypto", "real");
    if (has(s, "shared_stats", 0.3))
        set(s, "shared_stats", "no");
    if (has(s, "threads", 0.15))
        set(s, "threads", "%s", ONE_OF(s, "threads", "2", "3", "4"));
}

static void draw_protocol(struct swarm *s)
{
    bool policy = has(s, "policy", 0.3), fixed = has(s, "fixed_step", 0.15);
    s->classic = policy || fixed;
    if (policy)
        set(s, "policy", "%s", ONE_OF(s, "policy", "paper", "code2019"));
    if (fixed)
        set(s, "fixed_step", "yes");
    s->ranged = has(s, "ranges", 0.1);
    if (s->ranged)
        set(s, "ranges", "%s", ONE_OF(s, "ranges", "modulo", "pivot", "sweep"));
    if (has(s, "push", 0.2))
        set(s, "push", "no");
    if (has(s, "fanout", 0.3))
        set(s, "fanout", "%.0f", between(s, "fanout", 1, 16));
    if (has(s, "answer", 0.3))
        set(s, "answer", "%.0f", scaled(s, "answer", 4096, 65536));
}

/* ---- the network ---- */

static void draw_delay(struct swarm *s)
{
    const char *kind = ONE_OF(s, "delay", "uniform", "uniform", "measured", "constant", "regions");
    double low = scaled(s, "delay_low", 0.001, 0.1);
    set(s, "delay", "%s", kind);
    set_number(s, "delay_low", low);
    set_number(s, "delay_mid", low + scaled(s, "delay_mid", 0.01, 0.1));
    set_number(s, "delay_high", low + 0.1 + scaled(s, "delay_high", 0.02, 0.4));
}

static void draw_losses(struct swarm *s)
{
    if (has(s, "loss", 0.6))
        set_number(s, "loss", between(s, "loss", 0, 0.3));
    if (has(s, "burst", 0.2))
        set_number(s, "burst", scaled(s, "burst", 1.5, 20));
    if (has(s, "duplicate", 0.4))
        set_number(s, "duplicate", between(s, "duplicate", 0, 0.5));
    if (has(s, "reorder", 0.4)) {
        set_number(s, "reorder", between(s, "reorder", 0, 0.5));
        set_number(s, "reorder_by", scaled(s, "reorder_by", 0.05, 5));
    }
    if (has(s, "corrupt", 0.3))
        set_number(s, "corrupt", scaled(s, "corrupt", 0.0005, 0.05));
    if (has(s, "rate", 0.25)) {
        set(s, "rate", "%.0f", scaled(s, "rate", 2000, 500000));
        set(s, "queue", "%.0f", scaled(s, "queue", 4000, 256000));
    }
    if (has(s, "mtu", 0.2))
        set(s, "mtu", "%.0f", between(s, "mtu", 1280, 1500));
}

/* Everybody can be reached in some way: a host that is cut off for good cannot agree.  Classic runs
 * have NATs that keep a port for all and for a minute.  Elsewhere two things are known to go wrong
 * with them: who has another port at each contact shows tokens for ports that were, and stays a
 * stranger; and where all can reach the tracker alone, it asks who asked it last in an order in
 * which some have no turn. */
static void draw_nats(struct swarm *s)
{
    if (!has(s, "nat", 0.5))
        return;
    const char *kept = ONE_OF(s, "kept", "full_cone:1", "port_restricted:1", "address_restricted:1",
                              "open:0.3,port_restricted:0.7");
    const char *any =
        ONE_OF(s, "nat", "halkes2011", "cellular2016", "symmetric:1",
               "port_restricted@20/40:0.6,symmetric@15/30:0.3,open:0.1",
               "symmetric@10/20:0.5,full_cone@15/15:0.5", "symmetric_sequential:0.5,open:0.5",
               "port_restricted:1", "address_restricted:0.5,ADM-ADF:0.25,APDM-EIF:0.25");
    set(s, "nat", "%s", s->classic ? kept : any);
    if (!s->classic && has(s, "search", 0.4))
        set(s, "search", "yes");
    if (has(s, "lan", 0.4))
        set(s, "lan", "%.0f", between(s, "lan", 2, 6));
}

/* ---- what happens to hosts ---- */

static void draw_churn(struct swarm *s)
{
    if (!has(s, "churn", 0.4))
        return;
    set(s, "churn", "%s", ONE_OF(s, "churn", "exponential", "fixed", "weibull"));
    set_number(s, "session", s->step_s * scaled(s, "session", 1, 50));
    set_number(s, "absence", s->step_s * scaled(s, "absence", 0.2, 20));
    set(s, "rejoin", "%s", ONE_OF(s, "rejoin", "store", "empty"));
    set(s, "rejoin_address", "%s", ONE_OF(s, "rejoin_address", "new", "same"));
    set_number(s, "churn_from", s->step_s);
}

static void draw_faults(struct swarm *s)
{
    if (has(s, "crash", 0.4))
        set_number(s, "crash", scaled(s, "crash", 0.0002, 0.05));
    if (has(s, "commit_fail", 0.3))
        set_number(s, "commit_fail", scaled(s, "commit_fail", 0.005, 0.4));
    if (has(s, "put_fail", 0.3))
        set_number(s, "put_fail", scaled(s, "put_fail", 0.005, 0.4));
    if (has(s, "clock_jump", 0.3)) {
        set_number(s, "clock_jump", s->step_s * scaled(s, "clock_jump", 2, 100));
        set(s, "clock_jump_max", "%.0f", scaled(s, "clock_jump_max", 1, 200000));
    }
    if (has(s, "full", 0.2)) {
        set_number(s, "full", between(s, "full", 0.05, 0.6));
        set(s, "full_bytes", "%.0f", scaled(s, "full_bytes", 200, 10000));
    }
    set(s, "heal", "%.1f", s->faulty_s);
}

/* Dispersy's policies are known to lose whole hosts to attackers. */
static void draw_attack(struct swarm *s)
{
    if (s->classic || !has(s, "attack", 0.15))
        return;
    set(s, "attackers", "%.0f", scaled(s, "attackers", 1, 30));
    set(s, "attack", "%s", ONE_OF(s, "attack", "eclipse", "echo", "bait", "relay", "flood"));
    set(s, "attacker_networks", "%s", ONE_OF(s, "attacker_networks", "1", "4", "32"));
    set(s, "victims", "%.0f", between(s, "victims", 0, s->nodes));
    set_number(s, "attack_pace", scaled(s, "attack_pace", 0.1, 10) / s->step_s);
}

/* ---- what happens when ---- */

/* The stream of one kind of happening, for as many as there are. */
struct happening {
    struct lab_chance chance;
    unsigned count;
};

static struct happening happenings(const struct swarm *s, const char *name, double share,
                                   unsigned most)
{
    struct happening h = {.chance = knob(s, name)};
    if (has(s, name, share))
        h.count = 1 + (unsigned)lab_chance_below(&h.chance, most);
    return h;
}

/* Nothing happens any more when all is healed. */
static double in_time(const struct swarm *s, double at)
{
    return fmin(at, s->faulty_s - 0.01);
}

static double moment(struct swarm *s, struct happening *h)
{
    return in_time(s, s->faulty_s * lab_chance_unit(&h->chance));
}

/* A time from here to the end of the phase, most often short. */
static double after(struct swarm *s, struct happening *h, double from)
{
    double u = lab_chance_unit(&h->chance);
    return in_time(s, from + (s->faulty_s - from) * u * u);
}

static void write_partitions(struct swarm *s)
{
    struct happening h = happenings(s, "partition", 0.35, 3);
    static const char *const cut[] = {"both", "both", "in", "out"};
    for (unsigned i = 0; i < h.count; i++) {
        double from = moment(s, &h);
        fprintf(s->out, "@%.3f partition cut=%s {%u%%}\n", from,
                cut[lab_chance_below(&h.chance, 4)], 1 + (unsigned)lab_chance_below(&h.chance, 60));
        fprintf(s->out, "@%.3f heal\n", after(s, &h, from));
    }
}

/* Nothing passes at all, or very slowly; for a moment. */
static void write_clogs(struct swarm *s)
{
    struct happening h = happenings(s, "clog", 0.25, 4);
    static const char *const how[] = {"loss=1 burst=1", "rate=1000", "delay_high=2", "mtu=700",
                                      "loss=0.5 burst=1 reorder=0.5 reorder_by=10"};
    for (unsigned i = 0; i < h.count; i++) {
        double from = moment(s, &h);
        fprintf(s->out, "@%.3f link %s\n", from, how[lab_chance_below(&h.chance, 5)]);
        fprintf(s->out, "@%.3f link\n",
                in_time(s, from + s->step_s * 3 * lab_chance_unit(&h.chance)));
    }
}

static void write_outages(struct swarm *s)
{
    struct happening h = happenings(s, "outage", 0.25, 3);
    for (unsigned i = 0; i < h.count; i++) {
        double from = moment(s, &h);
        fprintf(s->out, "@%.3f offline {%u%%}\n", from,
                1 + (unsigned)lab_chance_below(&h.chance, 90));
        if (lab_chance_below(&h.chance, 3) != 0)
            fprintf(s->out, "@%.3f online\n", after(s, &h, from));
    }
}

/* Trackers keep their addresses: others know them by nothing else. */
static void write_restarts(struct swarm *s)
{
    struct happening h = happenings(s, "restart", 0.3, 6);
    static const char *const how[] = {"", "rejoin=empty", "address=new",
                                      "rejoin=empty address=new"};
    for (unsigned i = 0; i < h.count && s->nodes > s->trackers; i++)
        fprintf(s->out, "@%.3f restart %s {any,%u-%u}\n", moment(s, &h),
                how[lab_chance_below(&h.chance, 4)], s->trackers + 1, s->nodes);
    h = happenings(s, "flush_nat", 0.15, 4);
    for (unsigned i = 0; i < h.count; i++)
        fprintf(s->out, "@%.3f flush_nat {%u%%}\n", moment(s, &h),
                1 + (unsigned)lab_chance_below(&h.chance, 100));
    h = happenings(s, "clock", 0.1, 3);
    for (unsigned i = 0; i < h.count; i++)
        fprintf(s->out, "@%.3f clock %llu {%u%%}\n", moment(s, &h),
                (unsigned long long)(1 + lab_chance_below(&h.chance, 100000)),
                1 + (unsigned)lab_chance_below(&h.chance, 50));
}

/* Few bundles in most runs; now and then more than one filter holds, where ranges are swept: other
 * rules find the last ones by luck. */
static void write_publications(struct swarm *s)
{
    bool many = has(s, "many", 0.04) && s->nodes <= 8 && !s->classic && !s->ranged;
    double all = many ? scaled(s, "many", 400, 2500) : scaled(s, "bundles", 1, 150);
    struct lab_chance chance = knob(s, "publish");
    for (double made = 0; made < all;) {
        unsigned count = 1 + (unsigned)lab_chance_below(&chance, 1 + (uint64_t)(all / 4));
        unsigned bytes =
            (unsigned)lab_chance_below(&chance, lab_chance_below(&chance, 2) != 0 ? 100 : 901);
        fprintf(s->out, "@%.3f publish %u count=%u type=%llu {any}\n",
                in_time(s, s->faulty_s * lab_chance_unit(&chance)), bytes, count,
                (unsigned long long)lab_chance_below(&chance, 4));
        made += count;
    }
}

char *lab_swarm_scenario(uint64_t seed)
{
    struct swarm s = {.seed = seed};
    struct lab_text text;
    lab_text_open(&text);
    s.out = text.out;
    fprintf(s.out, "## Seed %llu of the swarm.\n", (unsigned long long)seed);
    draw_hosts(&s);
    draw_protocol(&s);
    draw_delay(&s);
    draw_losses(&s);
    draw_nats(&s);
    draw_churn(&s);
    draw_faults(&s);
    draw_attack(&s);
    set(&s, "duration", "%.1f", s.faulty_s);
    write_publications(&s);
    write_partitions(&s);
    write_clogs(&s);
    write_outages(&s);
    write_restarts(&s);
    return lab_text_take(&text, NULL);
}
