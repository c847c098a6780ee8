#include "src/lab/nat/trial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/lab/nat/cage.h"
#include "src/lab/nat/kernel_ground.h"

enum {
    VISITOR = NATLAB_VISITOR,
    GUEST = NATLAB_GUEST,
    UDP_HEADER_BYTES = 8,
};

struct stage {
    const struct natlab_trial *trial;
    struct natlab_outcome *outcome;
    struct natlab_seen *seen;
    struct natlab_world world;
    struct natlab_node tracker[NATLAB_TRACKERS];
    struct natlab_node peer[NATLAB_PEERS];
    struct natlab_side side[NATLAB_PEERS];
    double introduced_ms; /* by the clock; 0: not yet */
    struct natlab_kernel_ground ground;
    struct natlab_hold hold;
    FILE *events;
};

static double clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void sleep_ms(double ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1e3)};
    t.tv_nsec = (long)((ms - (double)t.tv_sec * 1e3) * 1e6);
    if (ms > 0)
        nanosleep(&t, NULL);
}

/* --- the world ------------------------------------------------------------------------------- */

static int make_world(struct stage *s, struct lab_why *why)
{
    const struct natlab_kind *const kind[] = {s->trial->visitor, s->trial->guest};
    struct natlab_router *router = &s->world.router;
    pid_t pid;
    router->link = s->trial->link;
    router->seed = s->trial->seed;
    router->traffic = natlab_cage_share(sizeof *router->traffic);
    atomic_store(&router->traffic->lossless, true);
    int rc = natlab_world_build(&s->world, kind, why);
    return rc == 0 ? natlab_router_start(router, &pid, why) : rc;
}

static int check_boxes(struct stage *s, struct lab_why *why)
{
    const struct natlab_probe quick = {.hairpin = false};
    struct natlab_seen seen;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = natlab_prober_check(&seen, &s->world, i, &quick, why);
    atomic_store(&s->world.router.traffic->lossless, false);
    return rc;
}

/* Kept from leaving their own host: one that gets as far as its box has opened that already. */
static int keep_punctures_in(struct stage *s, struct lab_why *why)
{
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    char rules[256];
    int rc = 0;
    snprintf(rules, sizeof rules,
             "table ip control { chain output { type filter hook output priority 0;\n"
             "ip daddr != { %s, %s, %s } udp length <= %d drop\n}\n}\n",
             s->world.tracker[0].outside, s->world.tracker[1].outside, s->world.tracker[2].outside,
             NATLAB_PUNCTURE_BYTES_MAX + UDP_HEADER_BYTES);
    for (unsigned i = 0; rc == 0 && s->trial->no_punctures && i < NATLAB_PEERS; i++)
        rc = natlab_place_feed(&s->world.peer[i].place, nft, rules, why);
    return rc;
}

/* --- the nodes ------------------------------------------------------------------------------- */

static int start_nodes(struct stage *s, struct lab_why *why)
{
    static const char *const tracker[NATLAB_TRACKERS] = {"tracker1", "tracker2", "tracker3"};
    static const char *const peer[NATLAB_PEERS] = {"visitor", "guest"};
    const struct natlab_trial *t = s->trial;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < NATLAB_TRACKERS; i++) {
        s->tracker[i].name = tracker[i];
        s->tracker[i].host = &s->world.tracker[i];
        rc = natlab_node_start(&s->tracker[i], &t->program, t->folder, why);
    }
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++) {
        s->peer[i].name = peer[i];
        s->peer[i].host = &s->world.peer[i];
        rc = natlab_node_start(&s->peer[i], &t->program, t->folder, why);
    }
    for (unsigned i = 0; rc == 0 && i < NATLAB_TRACKERS; i++)
        rc = natlab_node_await(&s->tracker[i], why);
    for (unsigned i = 0; rc == 0 && i < NATLAB_PEERS; i++)
        rc = natlab_node_await(&s->peer[i], why);
    return rc;
}

static int join_trackers(struct stage *s, char join[NATLAB_JOIN_BYTES], struct lab_why *why)
{
    int rc = natlab_node_found(&s->tracker[0], join, why);
    for (unsigned i = 1; rc == 0 && i < NATLAB_TRACKERS; i++) {
        rc = natlab_node_join(&s->tracker[i], join, why);
        if (rc == 0)
            rc = natlab_node_meet(&s->tracker[i], s->world.tracker, i, why);
    }
    return rc;
}

static int send_in(struct stage *s, unsigned who, const char *join, struct lab_why *why)
{
    int rc = natlab_node_join(&s->peer[who], join, why);
    return rc == 0 ? natlab_node_meet(&s->peer[who], s->world.tracker, NATLAB_TRACKERS, why) : rc;
}

static bool all_know(struct stage *s, const char *key)
{
    for (unsigned i = 0; i < NATLAB_TRACKERS; i++)
        if (natlab_node_bucket(&s->tracker[i], key) != HSAY_BUCKET_CONTACTED)
            return false;
    return true;
}

/* Until the guest has calmed down, and all trackers have had an answer from it. */
static void settle(struct stage *s)
{
    double begun = clock_ms();
    double calm = begun + (double)NATLAB_FRESH_MS * s->trial->program.step_ms / HSAY_STEP_MS;
    double limit = calm + NATLAB_KNOWN_WAIT_MS;
    const char *key = s->peer[GUEST].key;
    while (!(s->outcome->known = all_know(s, key)) && clock_ms() < limit)
        sleep_ms(NATLAB_LOOK_MS);
    sleep_ms(calm - clock_ms());
}

/* --- what they do ---------------------------------------------------------------------------- */

static void note(struct stage *s, const struct natlab_side *side, json_t *event)
{
    if (s->events == NULL)
        return;
    json_object_set_new(event, "node", json_string(side->node->name));
    json_object_set_new(event, "clock_ms", json_real(clock_ms()));
    json_dumpf(event, s->events, JSON_REAL_PRECISION(12));
    fputc('\n', s->events);
}

static void on_event(struct stage *s, struct natlab_side *side, json_t *event)
{
    natlab_side_on_event(side, event);
    if (side->introduced && s->introduced_ms == 0)
        s->introduced_ms = clock_ms();
    natlab_hold_on_event(&s->hold, (unsigned)(side - s->side), event, clock_ms());
    note(s, side, event);
}

/* All that has come from both; false if a node is gone. */
static bool take_events(struct stage *s)
{
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        struct natlab_side *side = &s->side[i];
        json_t *event;
        bool gone;
        while ((event = natlab_control_next(&side->node->trace, &gone)) != NULL) {
            on_event(s, side, event);
            json_decref(event);
        }
        if (gone)
            return false;
    }
    return true;
}

/* False if a node is gone. */
static bool watch(struct stage *s, double ms, enum natlab_until until)
{
    double end = clock_ms() + ms;
    struct pollfd trace[NATLAB_PEERS];
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        trace[i] = (struct pollfd){.fd = s->side[i].node->trace.fd, .events = POLLIN};
    for (;;) {
        double left = end - clock_ms();
        if (natlab_sides_reached(s->side, until) || left <= 0)
            return true;
        poll(trace, NATLAB_PEERS, (int)left + 1);
        if (!take_events(s))
            return false;
    }
}

/* --- the trial ------------------------------------------------------------------------------- */

static void take_sides(struct stage *s)
{
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        s->side[i] = (struct natlab_side){.node = &s->peer[i], .other = &s->peer[1 - i]};
}

void natlab_outcome_note(struct natlab_outcome *outcome,
                         const struct natlab_side side[NATLAB_PEERS])
{
    outcome->connected = natlab_sides_reached(side, NATLAB_UNTIL_ONE_ANSWERED);
    outcome->introduced = side[VISITOR].introduced;
    outcome->tries = natlab_sides_tries(side);
    outcome->steps = natlab_sides_steps(side);
    outcome->walked = side[VISITOR].steps;
}

static void note_connection(struct stage *s)
{
    struct natlab_outcome *o = s->outcome;
    natlab_outcome_note(o, s->side);
    o->milliseconds = s->introduced_ms != 0 ? clock_ms() - s->introduced_ms : 0;
}

static double punctures_made(struct stage *s)
{
    return natlab_node_count(&s->peer[VISITOR], "punctures_out") +
           natlab_node_count(&s->peer[GUEST], "punctures_out");
}

static int nobody_there(struct lab_why *why)
{
    return lab_why_set(why, HSAY_EIO, "a hearsayd ended in the middle of the trial");
}

static int hold(struct stage *s, struct lab_why *why)
{
    double wait_ms;
    int rc = 0;
    natlab_kernel_ground_init(&s->ground, &s->world, s->peer);
    natlab_hold_begin(&s->hold, &s->trial->hold, s->trial->seed, &s->ground.ground, s->side,
                      &s->outcome->held, clock_ms());
    while (rc == 0 && (wait_ms = natlab_hold_wait_ms(&s->hold, clock_ms())) > 0) {
        if (!watch(s, wait_ms, NATLAB_UNTIL_TIME))
            return nobody_there(why);
        rc = natlab_hold_on_time(&s->hold, clock_ms(), why);
    }
    return rc == 0 ? natlab_hold_end(&s->hold, clock_ms(), why) : rc;
}

/* From the visitor's first request on. */
static int observe(struct stage *s, struct lab_why *why)
{
    struct natlab_outcome *o = s->outcome;
    if (!watch(s, s->trial->patience_s * 1e3, NATLAB_UNTIL_ONE_ANSWERED))
        return nobody_there(why);
    note_connection(s);
    if (o->connected && !watch(s, NATLAB_MUTUAL_MS, NATLAB_UNTIL_BOTH_ANSWERED))
        return nobody_there(why);
    o->mutual = natlab_sides_reached(s->side, NATLAB_UNTIL_BOTH_ANSWERED);
    o->punctures = (double)atomic_load(&s->world.router.traffic->punctures);
    return o->connected && s->trial->hold.hold_s > 0 ? hold(s, why) : 0;
}

static int meet(struct stage *s, const char *join, struct lab_why *why)
{
    double before = punctures_made(s);
    take_sides(s);
    if (!take_events(s))
        return lab_why_set(why, HSAY_EIO, "the guest's hearsayd ended before the visitor came");
    take_sides(s); /* what the guest did before does not count */
    int rc = send_in(s, VISITOR, join, why);
    if (rc == 0)
        rc = observe(s, why);
    s->outcome->punctures_made = punctures_made(s) - before;
    return rc;
}

static int play(struct stage *s, struct lab_why *why)
{
    char join[NATLAB_JOIN_BYTES];
    int rc = make_world(s, why);
    if (rc == 0)
        rc = check_boxes(s, why);
    if (rc == 0)
        rc = keep_punctures_in(s, why);
    if (rc == 0)
        rc = start_nodes(s, why);
    if (rc == 0)
        rc = join_trackers(s, join, why);
    if (rc == 0)
        rc = send_in(s, GUEST, join, why);
    if (rc != 0)
        return rc;
    settle(s);
    return meet(s, join, why);
}

static int look(struct stage *s, struct lab_why *why)
{
    struct lab_nat_kind should = natlab_kind_whole(s->trial->visitor);
    struct natlab_probe thorough = natlab_probe_thorough(&should, NATLAB_TIMER_SHORT_S);
    int rc = make_world(s, why);
    return rc == 0 ? natlab_prober_check(s->seen, &s->world, VISITOR, &thorough, why) : rc;
}

static int inside(void *user, struct lab_why *why)
{
    struct stage *s = user;
    return s->seen != NULL ? look(s, why) : play(s, why);
}

/* The file is opened outside, where its path means something. */
static int run_caged(struct stage *s, struct lab_why *why)
{
    const struct natlab_cage cage = {.folder = s->trial->folder, .inside = inside, .user = s};
    if (s->trial->events != NULL && (s->events = fopen(s->trial->events, "we")) == NULL)
        return lab_why_set(why, HSAY_EIO, "%s: %s", s->trial->events, strerror(errno));
    int rc = natlab_cage_run(&cage, why);
    if (s->events != NULL)
        fclose(s->events);
    return rc;
}

int natlab_trial_run(const struct natlab_trial *trial, struct natlab_outcome *outcome,
                     struct lab_why *why)
{
    struct stage *s = lab_heap_new(1, sizeof *s);
    s->trial = trial;
    s->outcome = natlab_cage_share(sizeof *s->outcome);
    int rc = run_caged(s, why);
    *outcome = *s->outcome;
    free(s);
    return rc;
}

int natlab_trial_look(const struct natlab_trial *trial, struct natlab_seen *seen,
                      struct lab_why *why)
{
    struct stage *s = lab_heap_new(1, sizeof *s);
    s->trial = trial;
    s->seen = natlab_cage_share(sizeof *s->seen);
    int rc = run_caged(s, why);
    *seen = *s->seen;
    free(s);
    return rc;
}
