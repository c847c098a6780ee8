/* Any bytes as a scenario: actions in order of time for peers that exist, or sentences with their
 * place, and nothing out of bounds. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/timeline.h"
#include "src/lab/sim/chance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct lab_verb actions[] = {
    {"join", 0, 0, NULL, NULL, LAB_SET_NEEDED, ""},
    {"publish", 1, 2, "bytes:bytes count:count", "every:seconds topic", LAB_SET_ALL, ""},
    {"cut", 1, LAB_ARGS_ANY, "group", NULL, LAB_SET_REFUSED, ""},
    {"link", 0, 0, NULL, "*", LAB_SET_ALL, ""},
};

static const struct lab_verb measures[] = {
    {"spread", 0, 0, NULL, "every:seconds share:share", LAB_SET_ALL, ""},
};

static const struct lab_language language = {{actions, 4}, {measures, 1}};

static const struct lab_setting_rule rules[] = {
    {"nodes", "10", LAB_KIND_COUNT, 1, 1000, NULL, ""},
    {"end", "5min", LAB_KIND_SECONDS, 0, 0, NULL, ""},
    {"loss", "0", LAB_KIND_SHARE, 0, 0, NULL, ""},
    {"policy", "paper", LAB_KIND_WORD, 0, 0, "paper hearsay", ""},
    {"nat", "", LAB_KIND_TEXT, 0, 0, NULL, ""},
};

static void begin(void *of, uint64_t number)
{
    *(struct lab_chance *)of = lab_chance_stream(1, LAB_CHANCE_SCENARIO, number);
}

static uint64_t below(void *of, uint64_t bound)
{
    return lab_chance_below(of, bound);
}

/* A set holds as many peers as it says, all of which there are, each once. */
static void check_set(const struct lab_peer_set *set, const struct lab_timeline_config *config)
{
    struct lab_peer_walk walk;
    uint32_t index, count = 0;
    int64_t last = -1;
    assert(set->count >= 1 && set->count <= config->nodes);
    assert(set->drawn >= 1 && set->drawn <= set->count);
    lab_peer_walk_start(&walk, set, &config->draw);
    for (; lab_peer_walk_next(&walk, &index); count++) {
        assert((int64_t)index > last && index < config->nodes);
        assert(lab_peer_set_contains(set, index));
        last = index;
    }
    assert(count == set->drawn);
}

static void check_timeline(const struct lab_timeline *timeline,
                           const struct lab_timeline_config *config)
{
    for (size_t i = 0; i < timeline->count; i++) {
        const struct lab_action *action = &timeline->action[i];
        bool late = i >= timeline->count - timeline->late_count;
        assert(i == 0 || action->at_ns >= timeline->action[i - 1].at_ns);
        assert((action->at_ns > config->end_ns) == late);
        assert(action->verb == &actions[action->verb_index]);
        assert(action->word_count >= action->verb->min_args);
        assert(action->word_count <= action->verb->max_args);
        for (unsigned k = 0; k < action->arg_count; k++)
            assert(action->arg[k].text != NULL &&
                   (action->arg[k].key != NULL) == (k >= action->word_count));
        if (i < 1000) /* repeated ones share their set */
            check_set(&action->set, config);
    }
    for (size_t i = 0; i < timeline->measure_count; i++)
        check_set(&timeline->measure[i].set, config);
}

static void run(const struct lab_scenario *scenario, size_t variant,
                const struct lab_settings *declared)
{
    struct lab_chance chance = {1};
    struct lab_faults faults = {0};
    struct lab_settings settings;
    struct lab_timeline timeline = {0};
    lab_settings_copy(&settings, declared);
    int rc = lab_scenario_choose(scenario, variant, &settings, &faults);
    if (rc == 0) {
        struct lab_timeline_config config = {.draw = {begin, below, &chance}};
        config.nodes = (uint32_t)lab_settings_number(&settings, "nodes");
        config.end_ns = (uint64_t)llrint(lab_settings_number(&settings, "end") * 1e9);
        rc = lab_timeline_make(&timeline, scenario, &settings, &config, &faults);
        if (rc == 0)
            check_timeline(&timeline, &config);
    }
    assert((rc == 0) == (faults.count == 0));
    lab_timeline_free(&timeline);
    lab_settings_free(&settings);
    lab_faults_free(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lab_scenario scenario;
    struct lab_settings settings;
    struct lab_faults faults = {0};
    lab_settings_init(&settings, rules, sizeof rules / sizeof rules[0]);
    int rc = lab_scenario_read_text(&scenario, &language, "fuzz", NULL, (const char *)data, size,
                                    &faults);
    if (rc == 0) {
        assert(strstr(lab_scenario_text(&scenario), "") != NULL);
        rc = lab_scenario_declare(&scenario, &settings, &faults);
    }
    for (size_t i = 0; rc == 0 && i < scenario.variant_count; i++)
        run(&scenario, i, &settings);
    assert((rc == 0) == (faults.count == 0));
    for (size_t i = 0; i < faults.count; i++)
        assert(strncmp(faults.text[i], "fuzz:", 5) == 0 || scenario.file_count > 1);
    lab_faults_free(&faults);
    lab_settings_free(&settings);
    lab_scenario_free(&scenario);
    return 0;
}
