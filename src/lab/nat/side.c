#include "src/lab/nat/side.h"

#include <stdio.h>
#include <string.h>

#define GOES_ON_S 1.0

static const char *text_of(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text != NULL ? text : "";
}

static bool is_about_other(const struct natlab_side *side, const json_t *event)
{
    return strcmp(text_of(event, "key"), side->other->key) == 0;
}

static double seconds_of(const json_t *event)
{
    return json_number_value(json_object_get(event, "at_seconds"));
}

/* Whoever is behind asks on in the moment in which the answer came. */
static bool goes_on(const struct natlab_side *side, const json_t *event)
{
    return strcmp(text_of(event, "key"), side->last) == 0 &&
           seconds_of(event) - side->last_s < GOES_ON_S;
}

static void on_step(struct natlab_side *side, const json_t *event)
{
    side->steps++;
    side->dialogues += !goes_on(side, event);
    if (is_about_other(side, event) && side->requests < NATLAB_REQUESTS_MAX)
        snprintf(side->request[side->requests++], NATLAB_REQUEST_TEXT_BYTES, "%s",
                 text_of(event, "request"));
}

/* An answer says that it introduced somebody, not whom. */
static void look_for_introduction(struct natlab_side *side, const json_t *event)
{
    if (side->introduced || !json_is_true(json_object_get(event, "introduced")))
        return;
    side->introduced = side->knows_other != NULL
                           ? side->knows_other(side)
                           : natlab_node_bucket(side->node, side->other->key) != HSAY_BUCKET_NONE;
}

static void on_answer(struct natlab_side *side, const json_t *event)
{
    look_for_introduction(side, event);
    snprintf(side->last, sizeof side->last, "%s", text_of(event, "key"));
    side->last_s = seconds_of(event);
    if (!is_about_other(side, event))
        return;
    side->held_answers += side->holding;
    if (side->answered)
        return;
    side->answered = true;
    for (unsigned i = 0; i < side->requests; i++)
        if (strcmp(side->request[i], text_of(event, "request")) == 0)
            side->answered_request = i + 1;
}

static void on_timeout(struct natlab_side *side, const json_t *event)
{
    if (is_about_other(side, event))
        side->held_losses += side->holding;
}

void natlab_side_on_event(struct natlab_side *side, const json_t *event)
{
    static const struct {
        const char *name;
        void (*handle)(struct natlab_side *side, const json_t *event);
    } kind[] = {{"step", on_step}, {"answer", on_answer}, {"timeout", on_timeout}};
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        if (strcmp(kind[i].name, text_of(event, "event")) == 0)
            kind[i].handle(side, event);
}

bool natlab_sides_reached(const struct natlab_side side[NATLAB_PEERS], enum natlab_until until)
{
    bool a = side[0].answered, b = side[1].answered;
    return until == NATLAB_UNTIL_ONE_ANSWERED ? a || b
                                              : until == NATLAB_UNTIL_BOTH_ANSWERED && a && b;
}

unsigned natlab_sides_tries(const struct natlab_side side[NATLAB_PEERS])
{
    unsigned tries = 0;
    for (unsigned i = 0; i < NATLAB_PEERS; i++)
        tries += side[i].answered ? side[i].answered_request : side[i].requests;
    return tries;
}

unsigned natlab_sides_steps(const struct natlab_side side[NATLAB_PEERS])
{
    const struct natlab_side *first = side[0].answered ? &side[0] : &side[1];
    if (!first->answered)
        return 0;
    return 1 + (first->introduced ? first->answered_request : natlab_sides_tries(side));
}
