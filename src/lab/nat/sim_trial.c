#include "src/lab/nat/sim_trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "nat/addr_class.h"
#include "src/common/hex.h"
#include "src/lab/nat/sim_box.h"
#include "src/lab/nat/sim_ground.h"
#include "src/lab/sim/control.h"
#include "src/lab/sim/home.h"
#include "src/lab/sim/sim.h"

enum {
    NETWORKS = 64,
    START_SPREAD_MS = 20,
    LOOK_MS = 1, /* within the least delay of a link, so that nothing is seen late */
};

struct scene {
    const struct natlab_trial *trial;
    struct natlab_outcome *outcome;
    struct lab_sim *sim;
    struct lab_chance chance;
    struct natlab_node peer[NATLAB_PEERS]; /* names and keys alone */
    struct natlab_side side[NATLAB_PEERS];
    struct natlab_sim_ground ground;
    struct natlab_hold hold;
    bool begun; /* the visitor has come: what happens counts from now on */
    uint64_t introduced_ns, connected_ns; /* 0: not yet */
    unsigned punctures;
    FILE *events;
};

/* Trackers are the first hosts, then come the visitor and the guest. */
static uint32_t host_of(unsigned peer)
{
    return NATLAB_TRACKERS + peer;
}

static struct hsay_node *node_of(const struct scene *s, uint32_t host)
{
    return s->sim->host[host].node;
}

static double clock_ms(uint64_t now_ns)
{
    return (double)now_ns / 1e6;
}

/* --- the world ------------------------------------------------------------------------------- */

static struct lab_dwelling dwelling_of(const struct natlab_kind *kind, unsigned peer)
{
    struct lab_dwelling d = {.behind.boxes = kind->boxes,
                             .hosts = kind->shared ? NATLAB_PEERS : 1,
                             .port = (uint16_t)(NATLAB_NODE_PORT + peer),
                             .apart = kind->apart};
    for (unsigned i = 0; i < kind->boxes; i++)
        d.behind.kind[i] = kind->box[i];
    return d;
}

/* Without sockets besides its own, a node cannot search for ports. */
static bool may_search(const struct natlab_program *program)
{
    return program->search == NULL || strcmp(program->search, "no") != 0;
}

/* All fields that are not named are hearsayd's defaults, which are the core's. */
static void make_world(struct scene *s)
{
    const struct natlab_trial *t = s->trial;
    struct lab_dwelling dwelling[NATLAB_PEERS] = {dwelling_of(t->visitor, NATLAB_VISITOR),
                                                  dwelling_of(t->guest, NATLAB_GUEST)};
    struct hsay_node_config node = {.overlays_max = 1,
                                    .sockets_max = may_search(&t->program) ? HSAY_SOCKETS_MAX : 0};
    struct lab_sim_config config = {
        .seed = lab_chance_next(&s->chance),
        .nodes = NATLAB_TRACKERS + NATLAB_PEERS,
        .shards = 1,
        .networks = NETWORKS,
        .node = node,
        .tracker_node = node,
        .overlay = {.step_ms = t->program.step_ms,
                    .pull_only = t->no_bundles,
                    .answer_bytes_max = t->no_bundles}, /* one byte: no bundle is so small */
        .link = t->link,
        .bootstrap = LAB_BOOTSTRAP_NONE,
        .trackers = NATLAB_TRACKERS,
        .dwelling = dwelling,
        .no_beacons = !t->program.beacons,
    };
    s->sim = lab_sim_new(&config);
}

/* It is told of the trackers, as far as they were there before it. */
static void start(struct scene *s, uint32_t host)
{
    uint64_t wait_ns = lab_chance_below(&s->chance, START_SPREAD_MS * LAB_NS_PER_MS);
    lab_sim_run_until(s->sim, lab_sim_elapsed_ns(s->sim) + wait_ns);
    lab_host_start(s->sim, host, &(struct lab_return){.keep_store = true, .keep_addr = true});
    for (uint32_t i = 0; i < host && i < NATLAB_TRACKERS; i++)
        lab_host_name(s->sim, host, i, HSAY_BUCKET_TRUSTED);
}

static void send_in(struct scene *s, unsigned peer)
{
    start(s, host_of(peer));
    hex_format(s->peer[peer].key, hsay_node_key(node_of(s, host_of(peer))), HSAY_KEY_BYTES);
}

/* --- who knows whom -------------------------------------------------------------------------- */

static enum hsay_bucket bucket(const struct scene *s, uint32_t host, const char *key)
{
    struct hsay_peer_status status;
    struct hsay_now now = lab_host_now(s->sim, &s->sim->host[host], s->sim->shard[0].now_ns);
    char its[NATLAB_KEY_TEXT_BYTES];
    for (size_t i = 0; hsay_node_peer_at(node_of(s, host), now, 0, i, &status) == 0; i++) {
        hex_format(its, status.peer.key.byte, HSAY_KEY_BYTES);
        if (strcmp(its, key) == 0)
            return (enum hsay_bucket)status.bucket;
    }
    return HSAY_BUCKET_NONE;
}

static bool knows_other(const struct natlab_side *side)
{
    const struct scene *s = side->user;
    return bucket(s, host_of((unsigned)(side - s->side)), side->other->key) != HSAY_BUCKET_NONE;
}

static bool all_know(const struct scene *s, const char *key)
{
    for (uint32_t i = 0; i < NATLAB_TRACKERS; i++)
        if (bucket(s, i, key) != HSAY_BUCKET_CONTACTED)
            return false;
    return true;
}

static void take_sides(struct scene *s)
{
    static const char *const name[NATLAB_PEERS] = {"visitor", "guest"};
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        s->peer[i].name = name[i];
        s->side[i] = (struct natlab_side){
            .node = &s->peer[i], .other = &s->peer[1 - i], .knows_other = knows_other, .user = s};
    }
}

/* --- what they do ---------------------------------------------------------------------------- */

/* A line of a daemon's trace, in as far as anybody here reads it. */
static json_t *trace(const struct hsay_event *e, uint64_t now_ns)
{
    bool step = e->kind == HSAY_EVENT_STEP;
    bool late = !step && e->number[HSAY_ANSWER_RESULT] != 0;
    uint64_t id = e->number[step ? HSAY_STEP_REQUEST_ID : HSAY_ANSWER_REQUEST_ID];
    char addr[HSAY_ADDR_TEXT_BYTES], key[NATLAB_KEY_TEXT_BYTES], hex[17];
    hsay_addr_format(addr, sizeof addr, &e->peer.addr);
    hex_format(key, e->peer.key.byte, HSAY_KEY_BYTES);
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)id);
    json_t *line =
        json_pack("{s:s, s:f, s:s, s:s, s:s, s:s}", "event",
                  step   ? "step"
                  : late ? "timeout"
                         : "answer",
                  "at_seconds", (double)(now_ns - LAB_START_NS) / 1e9, "peer", addr, "key", key,
                  "bucket", hsay_bucket_name((enum hsay_bucket)e->bucket), "request", hex);
    if (!step && !late)
        json_object_set_new(line, "introduced",
                            json_boolean(e->number[HSAY_ANSWER_INTRODUCED] != 0));
    return line;
}

static void note(struct scene *s, const struct natlab_side *side, json_t *line, uint64_t now_ns)
{
    if (s->events == NULL)
        return;
    json_object_set_new(line, "node", json_string(side->node->name));
    json_object_set_new(line, "clock_ms", json_real(clock_ms(now_ns)));
    json_dumpf(line, s->events, JSON_REAL_PRECISION(12));
    fputc('\n', s->events);
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host, const struct hsay_event *e)
{
    struct scene *s = self;
    if (!s->begun || host < NATLAB_TRACKERS ||
        (e->kind != HSAY_EVENT_STEP && e->kind != HSAY_EVENT_ANSWER))
        return;
    struct natlab_side *side = &s->side[host - NATLAB_TRACKERS];
    json_t *line = trace(e, shard->now_ns);
    natlab_side_on_event(side, line);
    natlab_hold_on_event(&s->hold, host - NATLAB_TRACKERS, line, clock_ms(shard->now_ns));
    if (side->introduced && s->introduced_ns == 0)
        s->introduced_ns = shard->now_ns;
    if (side->answered && s->connected_ns == 0)
        s->connected_ns = shard->now_ns;
    note(s, side, line, shard->now_ns);
    json_decref(line);
}

static bool lets_out(const struct natlab_kind *kind)
{
    for (unsigned i = 0; i < kind->boxes; i++)
        if (kind->box[i].blocked)
            return false;
    return true;
}

/* What the kernel's router would see pass: small, from peer to peer, and neither held back before
 * nor within one home. */
static bool on_send(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter)
{
    struct scene *s = self;
    const struct natlab_kind *kind =
        host == host_of(NATLAB_VISITOR) ? s->trial->visitor : s->trial->guest;
    if (!s->begun || host < NATLAB_TRACKERS || s->trial->no_punctures || !lets_out(kind) ||
        letter->datagram.size > NATLAB_PUNCTURE_BYTES_MAX)
        return true;
    uint32_t owner = lab_address_owner(&shard->sim->addresses, &letter->to);
    if (owner == LAB_NOBODY)
        return true;
    if ((owner & LAB_SITE_OWNER) != 0)
        owner = shard->sim->site[owner & ~LAB_SITE_OWNER].first_host;
    s->punctures += owner >= NATLAB_TRACKERS && owner != host && !kind->shared;
    return true;
}

/* --- the trial ------------------------------------------------------------------------------- */

static void watch(struct scene *s, double ms, enum natlab_until until)
{
    struct lab_sim *sim = s->sim;
    uint64_t end_ns = sim->now_ns + (uint64_t)(ms * 1e6);
    while (!natlab_sides_reached(s->side, until) && sim->now_ns < end_ns) {
        uint64_t next_ns = lab_wheel_next_ns(&sim->shard[0].wheel), to_ns = end_ns;
        if (next_ns < end_ns)
            to_ns = (next_ns > sim->now_ns ? next_ns : sim->now_ns) + LOOK_MS * LAB_NS_PER_MS;
        lab_sim_run_until(sim, (to_ns < end_ns ? to_ns : end_ns) - LAB_START_NS);
    }
}

/* Until the guest has calmed down, and all trackers have had an answer from it. */
static void settle(struct scene *s)
{
    double calm_ms = (double)NATLAB_FRESH_MS * s->trial->program.step_ms / HSAY_STEP_MS, ms = 0;
    const char *key = s->peer[NATLAB_GUEST].key;
    while (!(s->outcome->known = all_know(s, key)) && ms < calm_ms + NATLAB_KNOWN_WAIT_MS) {
        watch(s, NATLAB_LOOK_MS, NATLAB_UNTIL_TIME);
        ms += NATLAB_LOOK_MS;
    }
    watch(s, calm_ms - ms, NATLAB_UNTIL_TIME);
}

static double punctures_made(const struct scene *s)
{
    uint64_t made = 0;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        if (node_of(s, host_of(i)) != NULL)
            made += hsay_node_stats(node_of(s, host_of(i)))->count[HSAY_COUNT_PUNCTURES_OUT];
    return (double)made;
}

static int hold(struct scene *s, struct lab_why *why)
{
    const uint32_t host[] = {host_of(NATLAB_VISITOR), host_of(NATLAB_GUEST)};
    const struct natlab_kind *const kind[] = {s->trial->visitor, s->trial->guest};
    double wait_ms;
    int rc = 0;
    natlab_sim_ground_init(&s->ground, s->sim, host, kind);
    natlab_hold_begin(&s->hold, &s->trial->hold, s->trial->seed, &s->ground.ground, s->side,
                      &s->outcome->held, clock_ms(s->sim->now_ns));
    while (rc == 0 && (wait_ms = natlab_hold_wait_ms(&s->hold, clock_ms(s->sim->now_ns))) > 0) {
        watch(s, wait_ms, NATLAB_UNTIL_TIME);
        rc = natlab_hold_on_time(&s->hold, clock_ms(s->sim->now_ns), why);
    }
    return rc == 0 ? natlab_hold_end(&s->hold, clock_ms(s->sim->now_ns), why) : rc;
}

static int observe(struct scene *s, struct lab_why *why)
{
    struct natlab_outcome *o = s->outcome;
    watch(s, s->trial->patience_s * 1e3, NATLAB_UNTIL_ONE_ANSWERED);
    natlab_outcome_note(o, s->side);
    if (s->introduced_ns != 0 && s->connected_ns != 0)
        o->milliseconds = ((double)s->connected_ns - (double)s->introduced_ns) / 1e6;
    if (o->connected)
        watch(s, NATLAB_MUTUAL_MS, NATLAB_UNTIL_BOTH_ANSWERED);
    o->mutual = natlab_sides_reached(s->side, NATLAB_UNTIL_BOTH_ANSWERED);
    o->punctures = s->punctures;
    return o->connected && s->trial->hold.hold_s > 0 ? hold(s, why) : 0;
}

static int play(struct scene *s, struct lab_why *why)
{
    lab_sim_observe(s->sim,
                    &(struct lab_observer){.self = s, .on_event = on_event, .on_send = on_send});
    struct lab_control *control = s->trial->no_punctures ? lab_control_unpunctured(s->sim) : NULL;
    for (uint32_t i = 0; i < NATLAB_TRACKERS; i++)
        start(s, i);
    take_sides(s);
    send_in(s, NATLAB_GUEST);
    settle(s);
    double before = punctures_made(s);
    s->begun = true;
    send_in(s, NATLAB_VISITOR);
    int rc = observe(s, why);
    s->outcome->punctures_made = punctures_made(s) - before;
    lab_control_free(control);
    return rc;
}

int natlab_sim_trial_run(const struct natlab_trial *trial, struct natlab_outcome *outcome,
                         struct lab_why *why)
{
    struct scene *s = lab_heap_new(1, sizeof *s);
    s->trial = trial;
    s->outcome = outcome;
    s->chance = lab_chance_stream(trial->seed, LAB_CHANCE_SCENARIO, 0);
    memset(outcome, 0, sizeof *outcome);
    int rc = 0;
    if (trial->events != NULL && (s->events = fopen(trial->events, "we")) == NULL)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", trial->events, strerror(errno));
    if (rc == 0) {
        make_world(s);
        rc = play(s, why);
        lab_sim_free(s->sim);
    }
    if (s->events != NULL)
        fclose(s->events);
    free(s);
    return rc;
}

int natlab_sim_trial_look(const struct natlab_trial *trial, struct natlab_seen *seen,
                          struct lab_why *why)
{
    struct lab_nat_kind should = natlab_kind_whole(trial->visitor);
    struct natlab_probe probe = natlab_probe_thorough(&should, NATLAB_TIMER_SHORT_S);
    natlab_sim_box_look(seen, trial->visitor, &probe, trial->seed);
    return natlab_questions_fit(seen, &should, &probe)
               ? 0
               : natlab_prober_complain(seen, trial->visitor, &probe, why);
}
