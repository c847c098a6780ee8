#include "src/lab/nat/hold.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOOK_MS = 1000, BUNDLE_MS = 100 };

static unsigned coin(uint64_t seed)
{
    return (unsigned)(seed * 0x9e3779b97f4a7c15u >> 63);
}

void natlab_hold_begin(struct natlab_hold *hold, const struct natlab_hold_plan *plan, uint64_t seed,
                       const struct natlab_ground *ground, struct natlab_side *side,
                       struct natlab_held *held, double now_ms)
{
    memset(hold, 0, sizeof *hold);
    hold->plan = *plan;
    hold->who = coin(seed);
    hold->ground = ground;
    hold->side = side;
    hold->held = held;
    hold->begun_ms = hold->look_ms = hold->answer_ms = now_ms;
    held->answer_steps = held->answer_ms = held->bundle_steps = held->bundle_ms = HUGE_VAL;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        side[i].holding = true;
}

static double end_ms(const struct natlab_hold *hold)
{
    return hold->begun_ms + hold->plan.hold_s * 1e3;
}

static bool can_look(const struct natlab_hold *hold)
{
    return !hold->ground->kind[0]->shared;
}

/* --- the paths ------------------------------------------------------------------------------- */

static int look(struct natlab_hold *hold, struct lab_why *why)
{
    return hold->ground->look(hold->ground->self, hold->path, why);
}

static void count_look(struct natlab_hold *hold, unsigned i)
{
    struct natlab_held *held = hold->held;
    held->looks++;
    held->unknown += hold->path[i] == NATLAB_PATH_UNKNOWN;
    if (hold->path[i] == NATLAB_PATH_OPEN) {
        held->open++;
        hold->shut_s[i] = 0;
        return;
    }
    hold->broken[i] = true;
    if (++hold->shut_s[i] > held->shut_longest_s)
        held->shut_longest_s = hold->shut_s[i];
}

/* A machine that was too busy has looks less, not two at once. */
static int look_in_turn(struct natlab_hold *hold, double now_ms, struct lab_why *why)
{
    int rc = look(hold, why);
    if (rc != 0)
        return rc;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        count_look(hold, i);
    hold->look_ms += LOOK_MS;
    if (hold->look_ms <= now_ms)
        hold->look_ms = now_ms + LOOK_MS;
    return 0;
}

/* --- the flush ------------------------------------------------------------------------------- */

static bool has_boxes_to_flush(const struct natlab_hold *hold)
{
    bool has = false;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        has |= hold->plan.flush[i] && hold->ground->kind[i]->boxes != 0;
    return has && hold->plan.flush_s > 0;
}

static int flush(struct natlab_hold *hold, double now_ms, struct lab_why *why)
{
    const struct natlab_ground *ground = hold->ground;
    int rc = ground->forget(ground->self, hold->plan.flush, &hold->held->flows,
                            can_look(hold) ? hold->path : NULL, why);
    hold->held->flushed = true;
    hold->flushed_ms = now_ms;
    hold->look_ms = now_ms + LOOK_MS; /* this was a look of its own */
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        hold->held->flush_looks += can_look(hold);
        hold->held->shut += can_look(hold) && hold->path[i] != NATLAB_PATH_OPEN;
        hold->steps_before[i] = hold->side[i].dialogues;
    }
    return rc == 0 ? ground->publish(ground->self, hold->who, why) : rc;
}

static double steps_of(const struct natlab_hold *hold, unsigned who)
{
    return hold->side[who].dialogues - hold->steps_before[who];
}

static double steps_since(const struct natlab_hold *hold)
{
    return fmax(steps_of(hold, 0), steps_of(hold, 1));
}

static bool waits_for_bundle(const struct natlab_hold *hold)
{
    return hold->held->flushed && !hold->arrived;
}

static int look_for_bundle(struct natlab_hold *hold, double now_ms, struct lab_why *why)
{
    int rc = hold->ground->holds(hold->ground->self, 1 - hold->who, &hold->arrived, why);
    if (rc == 0 && hold->arrived) {
        hold->held->bundle_steps = steps_of(hold, 1 - hold->who);
        hold->held->bundle_ms = now_ms - hold->flushed_ms;
    }
    return rc;
}

/* --- what nodes tell ------------------------------------------------------------------------- */

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text != NULL ? text : "";
}

static void on_request(struct natlab_hold *hold, unsigned who, const char *request)
{
    char *place = hold->request[who][hold->requests[who]++ % NATLAB_HOLD_REQUESTS];
    snprintf(place, NATLAB_REQUEST_TEXT_BYTES, "%s", request);
}

static bool is_since_flush(const struct natlab_hold *hold, unsigned who, const char *request)
{
    for (unsigned i = 0; i < hold->requests[who] && i < NATLAB_HOLD_REQUESTS; i++)
        if (strcmp(hold->request[who][i], request) == 0)
            return true;
    return false;
}

static void note_gap(struct natlab_hold *hold, double now_ms)
{
    double gap_s = (now_ms - hold->answer_ms) / 1e3;
    if (gap_s > hold->held->gap_longest_s)
        hold->held->gap_longest_s = gap_s;
    hold->answer_ms = now_ms;
}

static void on_answer(struct natlab_hold *hold, unsigned who, const char *request, double now_ms)
{
    struct natlab_held *held = hold->held;
    note_gap(hold, now_ms);
    if (!isinf(held->answer_steps) || !is_since_flush(hold, who, request))
        return;
    held->answer_steps = steps_since(hold);
    held->answer_ms = now_ms - hold->flushed_ms;
}

void natlab_hold_on_event(struct natlab_hold *hold, unsigned who, const json_t *event,
                          double now_ms)
{
    const char *kind = text_of(event, "event"), *request = text_of(event, "request");
    if (hold->held == NULL || strcmp(text_of(event, "key"), hold->side[1 - who].node->key) != 0)
        return;
    if (strcmp(kind, "step") == 0 && hold->held->flushed)
        on_request(hold, who, request);
    else if (strcmp(kind, "answer") == 0)
        on_answer(hold, who, request, now_ms);
}

/* --- in turn --------------------------------------------------------------------------------- */

static bool flush_is_ahead(const struct natlab_hold *hold)
{
    return has_boxes_to_flush(hold) && !hold->held->flushed;
}

static double flush_at_ms(const struct natlab_hold *hold)
{
    return hold->begun_ms + hold->plan.flush_s * 1e3;
}

double natlab_hold_wait_ms(const struct natlab_hold *hold, double now_ms)
{
    double until = end_ms(hold);
    if (until <= now_ms)
        return 0;
    if (can_look(hold))
        until = fmin(until, hold->look_ms);
    if (flush_is_ahead(hold))
        until = fmin(until, flush_at_ms(hold));
    if (waits_for_bundle(hold))
        until = fmin(until, now_ms + BUNDLE_MS);
    return fmax(until - now_ms, 1);
}

int natlab_hold_on_time(struct natlab_hold *hold, double now_ms, struct lab_why *why)
{
    int rc = 0;
    if (flush_is_ahead(hold) && flush_at_ms(hold) <= now_ms)
        rc = flush(hold, now_ms, why);
    if (rc == 0 && waits_for_bundle(hold))
        rc = look_for_bundle(hold, now_ms, why);
    if (rc == 0 && can_look(hold) && hold->look_ms <= now_ms)
        rc = look_in_turn(hold, now_ms, why);
    return rc;
}

/* --- the end --------------------------------------------------------------------------------- */

/* Who knows no address can send nothing. */
static int try_path(struct natlab_hold *hold, struct lab_why *why)
{
    struct natlab_held *held = hold->held;
    unsigned which = hold->who;
    int rc = look(hold, why);
    held->tried = rc == 0;
    if (rc == 0 && hold->path[which] != NATLAB_PATH_UNKNOWN)
        rc = hold->ground->try(hold->ground->self, which, &held->came, why);
    held->doubted = held->came != (hold->path[which] == NATLAB_PATH_OPEN);
    return rc;
}

int natlab_hold_end(struct natlab_hold *hold, double now_ms, struct lab_why *why)
{
    struct natlab_held *held = hold->held;
    note_gap(hold, now_ms);
    for (unsigned i = 0; i < NATLAB_PEERS; i++) {
        hold->side[i].holding = false;
        held->answers += hold->side[i].held_answers;
        held->losses += hold->side[i].held_losses;
        held->whole += can_look(hold) && !hold->broken[i];
    }
    int rc = can_look(hold) ? try_path(hold, why) : 0;
    hold->held = NULL;
    return rc;
}

/* --- the result ------------------------------------------------------------------------------ */

static void put_flush(struct lab_result *result, const struct natlab_held *held)
{
    lab_result_number(result, "flushed", held->flushed);
    lab_result_number(result, "flushed_flows", held->flows);
    lab_result_number(result, "flush_looks", held->flush_looks);
    lab_result_number(result, "flush_shut", held->shut);
    lab_result_number(result, "flush_answer_steps", held->answer_steps);
    lab_result_number(result, "flush_answer_ms", held->answer_ms);
    lab_result_number(result, "flush_bundle_steps", held->bundle_steps);
    lab_result_number(result, "flush_bundle_ms", held->bundle_ms);
}

void natlab_held_put(struct lab_result *result, const struct natlab_held *held)
{
    lab_result_number(result, "held_answers", held->answers);
    lab_result_number(result, "held_losses", held->losses);
    lab_result_number(result, "held_looks", held->looks);
    lab_result_number(result, "held_open", held->open);
    lab_result_number(result, "held_unknown", held->unknown);
    lab_result_number(result, "held_whole", held->whole);
    lab_result_number(result, "held_tried", held->tried);
    lab_result_number(result, "held_came", held->came);
    lab_result_number(result, "held_doubted", held->doubted);
    lab_result_number(result, "held_shut_s", held->shut_longest_s);
    lab_result_number(result, "held_gap_s", held->gap_longest_s);
    if (held->flushed)
        put_flush(result, held);
}
