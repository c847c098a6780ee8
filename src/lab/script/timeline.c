#include "src/lab/script/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/expand.h"
#include "src/lab/script/heap.h"
#include "src/lab/script/moment.h"
#include "src/lab/script/reader.h"

struct maker {
    struct lab_timeline *timeline;
    const struct lab_scenario *scenario;
    const struct lab_settings *settings;
    const struct lab_timeline_config *config;
    struct lab_faults *faults;
    const struct lab_script_place *at;
    struct lab_peer_range *all;
    struct lab_words words;
    uint64_t before_ns;
    char why[LAB_WHY_BYTES];
};

static int fault(struct maker *maker)
{
    lab_faults_add(maker->faults, maker->at, "%s", maker->why);
    return HSAY_EINVAL;
}

static int set_read(struct maker *maker, const char *text, struct lab_peer_set *set)
{
    struct lab_timeline *timeline = maker->timeline;
    struct lab_peer_world world = {maker->config->nodes, timeline->peers, timeline->peers_count};
    return lab_peer_set_read(set, text, &world, &timeline->arena, maker->why, sizeof maker->why);
}

/* --- named sets ------------------------------------------------------------------------------ */

/* A stream for each name, apart from those with the numbers of actions: FNV-1a, 55 bits of it. */
static uint64_t stream_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (hash & ((UINT64_C(1) << 55) - 1)) | UINT64_C(1) << 55;
}

static int peers_make(struct maker *maker, const struct lab_scenario_peers *peers)
{
    struct lab_timeline *timeline = maker->timeline;
    const struct lab_draw *draw = &maker->config->draw;
    struct lab_peer_set set;
    maker->at = &peers->at;
    const char *text =
        lab_expand(maker->settings, &timeline->arena, peers->text, maker->why, sizeof maker->why);
    if (text == NULL || set_read(maker, text, &set) != 0)
        return fault(maker);
    struct lab_peer_name *made = &timeline->peers[timeline->peers_count];
    made->name = lab_arena_text(&timeline->arena, peers->name);
    if (set.draw != LAB_PEER_DRAW_NONE)
        draw->begin(draw->of, stream_of(peers->name));
    made->set = lab_peer_set_drawn(&set, draw, &timeline->arena);
    timeline->peers_count++;
    return 0;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* An action without its time, or a measure. */
static int line_make(struct maker *maker, const struct lab_verbs *verbs, size_t first,
                     struct lab_action *action)
{
    struct lab_timeline *timeline = maker->timeline;
    struct lab_script_call call;
    const struct lab_verb *verb =
        lab_verb_find(verbs, "verb", maker->words.word[first].text, maker->why, sizeof maker->why);
    assert(verb != NULL); /* it was known when the scenario was read */
    if (lab_call_make(&call, verb, &maker->words, first, maker->settings, &timeline->arena,
                      maker->why, sizeof maker->why) != 0)
        return HSAY_EINVAL;
    *action = (struct lab_action){.verb = verb, .at = *maker->at};
    action->verb_index = (unsigned)(verb - verbs->verb);
    action->arg = call.arg;
    action->word_count = (unsigned)call.word_count;
    action->arg_count = (unsigned)call.arg_count;
    action->has_set = call.set != NULL;
    action->set = lab_peer_set_all(maker->all, maker->config->nodes);
    return call.set != NULL ? set_read(maker, call.set, &action->set) : 0;
}

static int split(struct maker *maker, const struct lab_scenario_line *line)
{
    maker->at = &line->at;
    return lab_words_split(&maker->words, line->text, line->size, maker->why, sizeof maker->why);
}

static int measure_make(struct maker *maker, const struct lab_scenario_line *line)
{
    struct lab_timeline *timeline = maker->timeline;
    struct lab_action measure;
    if (split(maker, line) != 0 ||
        line_make(maker, &maker->scenario->language->measures, 1, &measure) != 0)
        return fault(maker);
    timeline->measure[timeline->measure_count++] = measure;
    return 0;
}

/* --- times ----------------------------------------------------------------------------------- */

static int moment_make(struct maker *maker, struct lab_moment *moment)
{
    struct lab_moment_base base = {maker->before_ns, maker->config->end_ns};
    const char *text = lab_expand(maker->settings, &maker->timeline->arena,
                                  maker->words.word[0].text, maker->why, sizeof maker->why);
    if (text == NULL)
        return HSAY_EINVAL;
    return lab_moment_read(moment, text + 1, &base, maker->why, sizeof maker->why);
}

/* How often it happens; the last time may lie between two steps. */
static uint64_t moment_count(const struct lab_moment *moment)
{
    if (moment->every_ns == 0)
        return 1;
    return (moment->last_ns - moment->first_ns) / moment->every_ns + 1;
}

/* The action at each of its times. */
static int action_repeat(struct maker *maker, struct lab_action *action,
                         const struct lab_moment *moment)
{
    struct lab_timeline *timeline = maker->timeline;
    uint64_t count = moment_count(moment);
    if (count > LAB_ACTIONS_MAX - timeline->count) {
        lab_faults_add(maker->faults, maker->at, "more than %d actions", LAB_ACTIONS_MAX);
        return HSAY_EINVAL;
    }
    for (uint64_t i = 0; i < count; i++) {
        timeline->action =
            lab_script_grow(timeline->action, timeline->count, sizeof *timeline->action);
        action->at_ns = moment->first_ns + i * moment->every_ns;
        action->number = (uint32_t)timeline->count;
        timeline->action[timeline->count++] = *action;
    }
    maker->before_ns = action->at_ns;
    return 0;
}

static int action_make(struct maker *maker, const struct lab_scenario_line *line)
{
    struct lab_action action;
    struct lab_moment moment;
    if (split(maker, line) != 0 || moment_make(maker, &moment) != 0)
        return fault(maker);
    if (line_make(maker, &maker->scenario->language->actions, 1, &action) != 0) {
        maker->before_ns = moment.last_ns; /* what follows is judged as if this line were right */
        return fault(maker);
    }
    return action_repeat(maker, &action, &moment);
}

static int action_compare(const void *a, const void *b)
{
    const struct lab_action *left = a, *right = b;
    if (left->at_ns != right->at_ns)
        return left->at_ns < right->at_ns ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

/* --- all of it ------------------------------------------------------------------------------- */

static bool too_much(struct maker *maker)
{
    if (maker->timeline->arena.bytes <= LAB_TIMELINE_BYTES)
        return false;
    lab_faults_add(maker->faults, maker->at,
                   "texts and peer sets up to here need more than %d bytes", LAB_TIMELINE_BYTES);
    return true;
}

/* Each line until there is no room for faults. */
static int lines_make(struct maker *maker, const struct lab_scenario_line *line, size_t count,
                      int (*make)(struct maker *, const struct lab_scenario_line *))
{
    int rc = 0;
    for (size_t i = 0; i < count && maker->faults->more == 0; i++) {
        if (make(maker, &line[i]) != 0)
            rc = HSAY_EINVAL;
        if (too_much(maker))
            return HSAY_EINVAL;
    }
    return rc;
}

static int timeline_fill(struct maker *maker)
{
    const struct lab_scenario *scenario = maker->scenario;
    int rc = 0;
    for (size_t i = 0; i < scenario->peers_count; i++) {
        if (peers_make(maker, &scenario->peers[i]) != 0)
            rc = HSAY_EINVAL;
    }
    if (rc != 0) /* lines that use them would only say so again */
        return rc;
    int measures = lines_make(maker, scenario->measure, scenario->measure_count, measure_make);
    int actions = lines_make(maker, scenario->action, scenario->action_count, action_make);
    return measures != 0 ? measures : actions;
}

static void timeline_sort(struct lab_timeline *timeline, uint64_t end_ns)
{
    if (timeline->count > 1)
        qsort(timeline->action, timeline->count, sizeof *timeline->action, action_compare);
    while (timeline->late_count < timeline->count &&
           timeline->action[timeline->count - 1 - timeline->late_count].at_ns > end_ns)
        timeline->late_count++;
}

int lab_timeline_make(struct lab_timeline *timeline, const struct lab_scenario *scenario,
                      const struct lab_settings *settings, const struct lab_timeline_config *config,
                      struct lab_faults *faults)
{
    struct maker maker = {.timeline = timeline,
                          .scenario = scenario,
                          .settings = settings,
                          .config = config,
                          .faults = faults};
    assert(config->nodes > 0 && config->end_ns <= UINT64_C(1000000000) * 1000000000);
    *timeline = (struct lab_timeline){0};
    struct lab_arena *arena = &timeline->arena;
    timeline->peers = lab_arena_alloc(arena, (scenario->peers_count + 1) * sizeof *timeline->peers);
    timeline->measure =
        lab_arena_alloc(arena, (scenario->measure_count + 1) * sizeof *timeline->measure);
    maker.all = lab_arena_alloc(arena, sizeof *maker.all);
    int rc = timeline_fill(&maker);
    lab_words_free(&maker.words);
    timeline_sort(timeline, config->end_ns);
    return rc;
}

void lab_timeline_free(struct lab_timeline *timeline)
{
    free(timeline->action);
    lab_arena_free(&timeline->arena);
    *timeline = (struct lab_timeline){0};
}

/* --- what an action is given ----------------------------------------------------------------- */

const char *lab_action_word(const struct lab_action *action, unsigned i, const char *fallback)
{
    return i < action->word_count ? action->arg[i].text : fallback;
}

double lab_action_word_number(const struct lab_action *action, unsigned i, double fallback)
{
    return i < action->word_count ? action->arg[i].number : fallback;
}

static const struct lab_arg *key_find(const struct lab_action *action, const char *key)
{
    for (unsigned i = action->word_count; i < action->arg_count; i++) {
        if (strcmp(action->arg[i].key, key) == 0)
            return &action->arg[i];
    }
    return NULL;
}

const char *lab_action_text(const struct lab_action *action, const char *key, const char *fallback)
{
    const struct lab_arg *arg = key_find(action, key);
    return arg != NULL ? arg->text : fallback;
}

double lab_action_number(const struct lab_action *action, const char *key, double fallback)
{
    const struct lab_arg *arg = key_find(action, key);
    return arg != NULL ? arg->number : fallback;
}
