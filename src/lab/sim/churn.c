#include "src/lab/sim/churn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

enum { PATTERN_S_MAX = 1000000000 }; /* as the longest time of a setting */

struct lab_churn {
    struct lab_churn_config config;
    struct lab_chance *chance; /* per host */
    bool *away;                /* per host: when everything begins */
    bool over;
};

static uint64_t ns_of(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

/* ---- lengths of sessions and absences ---- */

/* Gamma(1 + 1/shape) scales the mean: scale * that = mean. */
static double weibull(struct lab_chance *chance, double mean, double shape)
{
    double scale = mean / tgamma(1 + 1 / shape);
    return scale * pow(-log1p(-lab_chance_unit(chance)), 1 / shape);
}

/* By Box and Muller. */
static double normal(struct lab_chance *chance)
{
    double radius = sqrt(-2 * log1p(-lab_chance_unit(chance)));
    return radius * cos(2 * acos(-1) * lab_chance_unit(chance));
}

/* By Marsaglia and Tsang (2000); shape >= 1. */
static double gamma_drawn(struct lab_chance *chance, double shape)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(chance), v = pow(1 + c * x, 3);
        double u = 1 - lab_chance_unit(chance);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

/* Of the session that a random moment falls into, which is more likely a long one: the density of
 * lengths is x f(x), and (x / scale)^shape has a gamma distribution then. */
static double weibull_met(struct lab_chance *chance, double mean, double shape)
{
    double scale = mean / tgamma(1 + 1 / shape);
    return scale * pow(gamma_drawn(chance, 1 + 1 / shape), 1 / shape);
}

static double session(const struct lab_churn *churn, struct lab_chance *chance)
{
    const struct lab_churn_config *c = &churn->config;
    switch (c->kind) {
    case LAB_CHURN_FIXED:
        return c->session_s;
    case LAB_CHURN_WEIBULL:
        return weibull(chance, c->session_s, c->shape);
    default:
        return lab_chance_exponential(chance, c->session_s);
    }
}

static double absence(const struct lab_churn *churn, struct lab_chance *chance)
{
    return churn->config.kind == LAB_CHURN_FIXED
               ? churn->config.absence_s
               : lab_chance_exponential(chance, churn->config.absence_s);
}

/* What is left at a random moment: the exponential has no memory, the others are cut at a uniform
 * place. */
static double session_left(const struct lab_churn *churn, struct lab_chance *chance)
{
    const struct lab_churn_config *c = &churn->config;
    switch (c->kind) {
    case LAB_CHURN_FIXED:
        return c->session_s * lab_chance_unit(chance);
    case LAB_CHURN_WEIBULL:
        return weibull_met(chance, c->session_s, c->shape) * lab_chance_unit(chance);
    default:
        return lab_chance_exponential(chance, c->session_s);
    }
}

static double absence_left(const struct lab_churn *churn, struct lab_chance *chance)
{
    double left = absence(churn, chance);
    return churn->config.kind == LAB_CHURN_FIXED ? left * lab_chance_unit(chance) : left;
}

/* ---- coming and going ---- */

static void leave(struct lab_sim *sim, void *self, uint64_t number);
static void come(struct lab_sim *sim, void *self, uint64_t number);

static void stay(struct lab_sim *sim, struct lab_churn *churn, uint32_t number, double seconds)
{
    lab_sim_at(sim, lab_sim_elapsed_ns(sim) + ns_of(seconds), leave, churn, number);
}

static void stay_away(struct lab_sim *sim, struct lab_churn *churn, uint32_t number, double seconds)
{
    lab_sim_at(sim, lab_sim_elapsed_ns(sim) + ns_of(seconds), come, churn, number);
}

static void leave(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    uint32_t host = (uint32_t)number;
    if (churn->over)
        return;
    if (sim->host[host].lives == 0) { /* it is among those who go online at the start, by and by */
        stay(sim, churn, host, session(churn, &churn->chance[host]));
        return;
    }
    lab_host_stop(sim, host);
    stay_away(sim, churn, host, absence(churn, &churn->chance[host]));
}

static void come(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    if (churn->over)
        return;
    lab_host_start(sim, (uint32_t)number, &churn->config.how);
    stay(sim, churn, (uint32_t)number, session(churn, &churn->chance[number]));
}

static void begin(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    (void)number;
    for (uint32_t i = 0; i < sim->config.nodes; i++) {
        if (lab_host_is_tracker(sim, i))
            continue;
        if (churn->away[i])
            stay_away(sim, churn, i, absence_left(churn, &churn->chance[i]));
        else
            stay(sim, churn, i, session_left(churn, &churn->chance[i]));
    }
}

static void end(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    (void)number;
    churn->over = true;
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        lab_host_start(sim, i, &churn->config.how);
}

/* ---- patterns ---- */

static void pattern_on(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    if (!churn->over)
        lab_host_start(sim, (uint32_t)number, &churn->config.how);
}

static void pattern_off(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_churn *churn = self;
    if (!churn->over)
        lab_host_stop(sim, (uint32_t)number);
}

struct stay {
    uint32_t host;
    double on, off; /* seconds */
};

/* 1: a stay; 0: nothing is said in this line; -1: it makes no sense. */
static int read_stay(const char *line, struct stay *stay)
{
    unsigned host;
    char rest;
    if (line[strspn(line, " \t\n")] == '\0' || line[0] == '#')
        return 0;
    if (sscanf(line, "%u %lf %lf %c", &host, &stay->on, &stay->off, &rest) != 3 ||
        !(stay->on >= 0) || !(stay->off > stay->on) || stay->off > PATTERN_S_MAX)
        return -1;
    stay->host = host;
    return 1;
}

/* Hands each stay to `take`, if there is one. */
static bool read_pattern(const char *name, FILE *file, uint32_t nodes,
                         void (*take)(void *self, const struct stay *stay), void *self, char *why,
                         size_t size)
{
    char line[256];
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        struct stay stay = {0};
        int rc = read_stay(line, &stay);
        if (rc < 0) {
            snprintf(why, size, "%s:%u: expected HOST ON OFF, in seconds, ON before OFF", name,
                     number);
            return false;
        }
        if (rc > 0 && (stay.host < 1 || stay.host > nodes)) {
            snprintf(why, size, "%s:%u: host %u, but there are 1 to %u", name, number, stay.host,
                     nodes);
            return false;
        }
        if (rc > 0 && take != NULL)
            take(self, &stay);
    }
    return true;
}

static bool load_pattern(const char *name, uint32_t nodes,
                         void (*take)(void *self, const struct stay *stay), void *self, char *why,
                         size_t size)
{
    if (name[0] == '\0') {
        snprintf(why, size, "churn by a pattern wants a file: pattern=FILE");
        return false;
    }
    FILE *file = fopen(name, "r");
    if (file == NULL) {
        snprintf(why, size, "churn pattern '%s': %s", name, strerror(errno));
        return false;
    }
    bool good = read_pattern(name, file, nodes, take, self, why, size);
    if (good && ferror(file)) {
        snprintf(why, size, "churn pattern '%s': %s", name, strerror(errno));
        good = false;
    }
    fclose(file);
    return good;
}

/* Where the stays of a pattern go. */
struct plan {
    struct lab_sim *sim;
    struct lab_churn *churn;
};

static void plan_stay(void *self, const struct stay *stay)
{
    struct plan *plan = self;
    uint32_t host = stay->host - 1;
    plan->churn->away[host] = true;
    lab_sim_at(plan->sim, ns_of(stay->on), pattern_on, plan->churn, host);
    lab_sim_at(plan->sim, ns_of(stay->off), pattern_off, plan->churn, host);
}

/* ---- public ---- */

bool lab_churn_check(const struct lab_churn_config *config, uint32_t nodes, char *why,
                     size_t why_size)
{
    return config->kind != LAB_CHURN_PATTERN ||
           load_pattern(config->pattern, nodes, NULL, NULL, why, why_size);
}

/* As many are away as will be all the time; later it would be a moment at which many leave. */
static void send_away(const struct lab_sim *sim, struct lab_churn *churn)
{
    const struct lab_churn_config *c = &churn->config;
    double share = c->absence_s / (c->session_s + c->absence_s);
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        churn->away[i] = !lab_host_is_tracker(sim, i) && lab_chance_unit(&churn->chance[i]) < share;
}

struct lab_churn *lab_churn_new(struct lab_sim *sim, const struct lab_churn_config *config,
                                char *why, size_t why_size)
{
    struct lab_churn *churn = lab_calloc(1, sizeof *churn);
    churn->config = *config;
    churn->chance = lab_calloc(sim->config.nodes, sizeof *churn->chance);
    churn->away = lab_calloc(sim->config.nodes, sizeof *churn->away);
    for (uint32_t i = 0; i < sim->config.nodes; i++)
        churn->chance[i] = lab_chance_stream(sim->config.seed, LAB_CHANCE_CHURN, i);
    struct plan plan = {sim, churn};
    if (config->kind == LAB_CHURN_PATTERN &&
        !load_pattern(config->pattern, sim->config.nodes, plan_stay, &plan, why, why_size)) {
        lab_churn_free(churn);
        return NULL;
    }
    if (config->kind != LAB_CHURN_PATTERN && config->kind != LAB_CHURN_OFF) {
        if (config->from_ns == 0)
            send_away(sim, churn);
        lab_sim_at(sim, config->from_ns, begin, churn, 0);
    }
    if (config->until_ns != 0)
        lab_sim_at(sim, config->until_ns, end, churn, 0);
    return churn;
}

bool lab_churn_begins_online(const struct lab_churn *churn, uint32_t host)
{
    return !churn->away[host];
}

void lab_churn_free(struct lab_churn *churn)
{
    free(churn->chance);
    free(churn->away);
    free(churn);
}
