#include "src/lab/actions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/actions_fill.h"
#include "src/lab/config.h"
#include "src/lab/draws.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/memory.h"

enum action {
    ANNOTATE,
    CLOCK,
    EXPECT,
    FILL,
    FLUSH_NAT,
    HEAL,
    LINK,
    OFFLINE,
    ONLINE,
    PARTITION,
    PUBLISH,
    QUOTA,
    RESTART,
    STOP,
};

const struct lab_verb lab_actions[] = {
    [ANNOTATE] = {"annotate", 1, LAB_ARGS_ANY, "text", NULL, LAB_SET_REFUSED,
                  "a remark in the result"},
    [CLOCK] = {"clock", 1, 1, "ahead:seconds", NULL, LAB_SET_NEEDED,
               "clocks jump ahead, as after a sleep"},
    [EXPECT] = {"expect", 1, 1, "what:same", NULL, LAB_SET_REFUSED,
                "`same`: all who are online hold the same bundles by now, or the run has failed"},
    [FILL] =
        {"fill", 1, 1, "count:count",
         "bytes:bytes authors:count lack:count which:newest|oldest|spread|each sign:really|cheaply",
         LAB_SET_ALL,
         "bundles into the stores of hosts that are off; but for the first of them they lack "
         "so many: which=newest, oldest, spread, or each its own; sign=cheaply: as if signed"},
    [FLUSH_NAT] = {"flush_nat", 0, 0, NULL, NULL, LAB_SET_ALL, "NATs forget their mappings"},
    [HEAL] = {"heal", 0, 0, NULL, NULL, LAB_SET_REFUSED, "no partition any more"},
    [LINK] = {"link", 0, 0, NULL,
              "delay delay_low delay_mid delay_high loss burst duplicate reorder reorder_by "
              "corrupt rate queue mtu",
              LAB_SET_REFUSED, "from now on other settings of links: loss=0.1 delay_high=200ms"},
    [OFFLINE] = {"offline", 0, 0, NULL, "spread:seconds", LAB_SET_ALL,
                 "hosts are gone, without a word"},
    [ONLINE] = {"online", 0, 0, NULL, "spread:seconds", LAB_SET_ALL,
                "hosts start or come back, as the settings rejoin and rejoin_address say"},
    [PARTITION] = {"partition", 0, 0, NULL, "cut:both|in|out", LAB_SET_NEEDED,
                   "nothing passes between these and the others; cut=out or cut=in: one way"},
    [PUBLISH] = {"publish", 0, 1, "bytes:bytes", "count:count type:count", LAB_SET_NEEDED,
                 "each of these publishes"},
    [QUOTA] = {"quota", 1, 1, "bytes:bytes", NULL, LAB_SET_ALL, "stores take so much; 0: any"},
    [RESTART] = {"restart", 0, 0, NULL, "rejoin:store|empty address:same|new", LAB_SET_ALL,
                 "hosts crash and start again; rejoin=empty: without their store, address=new"},
    [STOP] =
        {"stop", 0, 1, "what:same", "every:seconds", LAB_SET_REFUSED,
         "the run is over; `same`: as soon as all who are online hold the same, of which there "
         "must be two; looked at every=1 second"},
};
const size_t lab_action_count = sizeof lab_actions / sizeof lab_actions[0];

/* What an action draws comes from a stream of its own, which differs from one time to the next
 * where a line is repeated. */
static uint64_t stream_of(const struct lab_action *action)
{
    return (uint64_t)action->number << 40 ^ action->at_ns / LAB_NS_PER_MS;
}

static struct lab_chance chance_of(const struct lab_run *run, const struct lab_action *action)
{
    return lab_chance_stream(run->sim->config.seed, LAB_CHANCE_SCENARIO, ~stream_of(action));
}

/* Calls `each` for every peer of the action's set. */
static void for_each(struct lab_run *run, const struct lab_action *action,
                     void (*each)(struct lab_run *, const struct lab_action *, uint32_t,
                                  struct lab_chance *))
{
    struct lab_draws draws = {.seed = run->sim->config.seed};
    struct lab_draw draw = lab_draws_port(&draws);
    struct lab_chance own = chance_of(run, action);
    struct lab_peer_walk walk;
    uint32_t host;
    draw.begin(draw.of, stream_of(action));
    lab_peer_walk_start(&walk, &action->set, &draw);
    while (lab_peer_walk_next(&walk, &host))
        each(run, action, host, &own);
}

static struct lab_return how_to_return(const struct lab_run *run)
{
    struct lab_churn_config churn;
    lab_config_churn(run->settings, &churn);
    return churn.how;
}

/* ---- coming and going ---- */

static void start_deed(struct lab_sim *sim, void *self, uint64_t host)
{
    struct lab_return how = how_to_return(self);
    lab_host_start(sim, (uint32_t)host, &how);
}

static void stop_deed(struct lab_sim *sim, void *self, uint64_t host)
{
    (void)self;
    lab_host_stop(sim, (uint32_t)host);
}

/* At once, or at a moment within `spread` that is drawn. */
static void later(struct lab_run *run, const struct lab_action *action, uint32_t host,
                  struct lab_chance *chance, lab_deed deed)
{
    double wait = lab_action_number(action, "spread", 0) * lab_chance_unit(chance);
    if (wait > 0)
        lab_sim_at(run->sim, lab_sim_elapsed_ns(run->sim) + (uint64_t)(wait * 1e9), deed, run,
                   host);
    else
        deed(run->sim, run, host);
}

static void go_online(struct lab_run *run, const struct lab_action *action, uint32_t host,
                      struct lab_chance *chance)
{
    later(run, action, host, chance, start_deed);
}

static void go_offline(struct lab_run *run, const struct lab_action *action, uint32_t host,
                       struct lab_chance *chance)
{
    later(run, action, host, chance, stop_deed);
}

static void restart(struct lab_run *run, const struct lab_action *action, uint32_t host,
                    struct lab_chance *chance)
{
    (void)chance;
    struct lab_return how = {
        .keep_store = strcmp(lab_action_text(action, "rejoin", "store"), "empty") != 0,
        .keep_addr = strcmp(lab_action_text(action, "address", "same"), "new") != 0,
    };
    if (!lab_host_is_online(&run->sim->host[host]))
        return;
    lab_host_stop(run->sim, host);
    lab_host_start(run->sim, host, &how);
}

/* ---- what users do ---- */

static void publish(struct lab_run *run, const struct lab_action *action, uint32_t host,
                    struct lab_chance *chance)
{
    uint8_t payload[HSAY_PAYLOAD_MAX_BYTES];
    double standard = lab_settings_number(run->settings, "payload");
    size_t size = (size_t)fmin(lab_action_word_number(action, 0, standard), sizeof payload);
    uint64_t count = (uint64_t)lab_action_number(action, "count", 1);
    uint64_t type = (uint64_t)lab_action_number(action, "type", 1);
    if (action->set.draw != LAB_PEER_DRAW_NONE && !lab_host_is_online(&run->sim->host[host]))
        host = lab_sim_any(run->sim, chance); /* who publishes is somebody who is there */
    if (host == LAB_NOBODY || !lab_host_is_online(&run->sim->host[host])) {
        run->unpublished += count;
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        lab_chance_bytes(chance, payload, size);
        run->unpublished +=
            lab_host_publish(run->sim, host, (struct hsay_span){payload, size}, type, NULL) != 0;
    }
}

/* ---- the world ---- */

static void put_aside(struct lab_run *run, const struct lab_action *action, uint32_t host,
                      struct lab_chance *chance)
{
    (void)action, (void)chance;
    run->sim->host[host].side = 1;
}

static void partition(struct lab_run *run, const struct lab_action *action)
{
    const char *cut = lab_action_text(action, "cut", "both");
    for (uint32_t i = 0; i < run->sim->host_count; i++)
        run->sim->host[i].side = 0;
    for_each(run, action, put_aside);
    run->sim->partitioned[1][0] = strcmp(cut, "in") != 0;
    run->sim->partitioned[0][1] = strcmp(cut, "out") != 0;
}

static void jump(struct lab_run *run, const struct lab_action *action, uint32_t host,
                 struct lab_chance *chance)
{
    (void)chance;
    lab_host_skew(run->sim, host, (uint64_t)(lab_action_word_number(action, 0, 0) * 1e9));
}

static void flush_nat(struct lab_run *run, const struct lab_action *action, uint32_t host,
                      struct lab_chance *chance)
{
    (void)action, (void)chance;
    lab_home_flush(run->sim, host);
}

static void set_quota(struct lab_run *run, const struct lab_action *action, uint32_t host,
                      struct lab_chance *chance)
{
    (void)chance;
    run->sim->host[host].store.quota_bytes = (uint64_t)lab_action_word_number(action, 0, 0);
}

static void unmet(struct lab_run *run, const struct lab_action *action, const char *what)
{
    if (run->unmet++ == 0)
        snprintf(run->first_unmet, sizeof run->first_unmet, "%s:%u: %s", action->at.file,
                 action->at.line, what);
}

static void relink(struct lab_run *run, const struct lab_action *action)
{
    struct lab_settings settings;
    struct lab_link_model link;
    char why[200] = "";
    lab_settings_copy(&settings, run->settings);
    int rc = 0;
    for (unsigned i = action->word_count; i < action->arg_count && rc == 0; i++)
        rc = lab_settings_set(&settings, action->arg[i].key, action->arg[i].text, why, sizeof why);
    if (rc == 0)
        rc = lab_config_link(&settings, &link, why, sizeof why);
    if (rc == 0)
        lab_sim_relink(run->sim, &link);
    else
        unmet(run, action, why);
    lab_settings_free(&settings);
}

static bool same_everywhere(const struct lab_sim *sim, char *what, size_t size)
{
    struct hsay_overlay_status first = {0}, own;
    for (uint32_t i = 0; i < sim->online_count; i++) {
        const struct lab_host *host = &sim->host[sim->online[i]];
        hsay_node_overlay_status(host->node, lab_host_now(sim, host, sim->now_ns), 0, &own);
        if (i == 0)
            first = own;
        if (own.fingerprint != first.fingerprint) {
            snprintf(what, size, "peers %u and %u hold %llu and %llu bundles, not the same",
                     sim->online[0] + 1, sim->online[i] + 1, (unsigned long long)first.sum.count,
                     (unsigned long long)own.sum.count);
            return false;
        }
    }
    return true;
}

static void expect(struct lab_run *run, const struct lab_action *action)
{
    char what[120];
    if (!same_everywhere(run->sim, what, sizeof what))
        unmet(run, action, what);
}

/* Looks again and again where it waits for something. */
static void stop(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_run *run = self;
    const struct lab_action *action = &run->timeline.action[number];
    uint64_t every_ns = (uint64_t)(lab_action_number(action, "every", 1) * 1e9);
    char unused[120];
    if (action->word_count == 0 ||
        (sim->online_count > 1 && same_everywhere(sim, unused, sizeof unused)))
        lab_sim_stop(sim);
    else
        lab_sim_at(sim, lab_sim_elapsed_ns(sim) + every_ns, stop, run, number);
}

/* ---- what is there already ---- */

static void fill(struct lab_run *run, const struct lab_action *action)
{
    struct lab_draws draws = {.seed = run->sim->config.seed};
    struct lab_draw draw = lab_draws_port(&draws);
    struct lab_chance own = chance_of(run, action);
    struct lab_peer_walk walk;
    uint32_t *host = lab_calloc(action->set.count + 1, sizeof *host), count = 0;
    draw.begin(draw.of, stream_of(action));
    lab_peer_walk_start(&walk, &action->set, &draw);
    while (lab_peer_walk_next(&walk, &host[count]))
        count++;
    const char *why = lab_action_fill(run, action, host, count, &own);
    if (why != NULL)
        unmet(run, action, why);
    free(host);
}

/* ---- dispatch ---- */

static void act(struct lab_sim *sim, void *self, uint64_t number)
{
    struct lab_run *run = self;
    const struct lab_action *action = &run->timeline.action[number];
    switch ((enum action)action->verb_index) {
    case ANNOTATE:
        break;
    case CLOCK:
        for_each(run, action, jump);
        break;
    case EXPECT:
        expect(run, action);
        break;
    case FILL:
        fill(run, action);
        break;
    case FLUSH_NAT:
        for_each(run, action, flush_nat);
        break;
    case HEAL:
        memset(sim->partitioned, 0, sizeof sim->partitioned);
        break;
    case LINK:
        relink(run, action);
        break;
    case OFFLINE:
        for_each(run, action, go_offline);
        break;
    case ONLINE:
        for_each(run, action, go_online);
        break;
    case PARTITION:
        partition(run, action);
        break;
    case PUBLISH:
        for_each(run, action, publish);
        break;
    case QUOTA:
        for_each(run, action, set_quota);
        break;
    case RESTART:
        for_each(run, action, restart);
        break;
    case STOP:
        stop(sim, run, number);
        break;
    }
}

/* Is the first thing that is said of coming and going that somebody comes? */
static bool says_who_begins(const struct lab_timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        unsigned verb = timeline->action[i].verb_index;
        if (verb == ONLINE || verb == OFFLINE || verb == RESTART)
            return verb == ONLINE;
    }
    return false;
}

void lab_actions_plan(struct lab_run *run)
{
    for (size_t i = 0; i < run->timeline.count; i++)
        lab_sim_at(run->sim, run->timeline.action[i].at_ns, act, run, i);
    uint64_t join_ns = lab_config_ns(run->settings, "join");
    bool all_begin = !says_who_begins(&run->timeline);
    for (uint32_t i = 0; i < run->sim->config.nodes && all_begin; i++)
        if (lab_churn_begins_online(run->churn, i))
            lab_sim_at(run->sim, join_ns * i / run->sim->config.nodes, start_deed, run, i);
}
