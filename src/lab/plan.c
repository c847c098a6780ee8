#include "src/lab/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/actions.h"
#include "src/lab/actions_check.h"
#include "src/lab/config.h"
#include "src/lab/draws.h"
#include "src/lab/measure/measure.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/shell.h"
#include "src/lab/plan_check.h"
#include "src/lab/script/names.h"
#include "src/lab/script/timeline.h"
#include "src/lab/sim/memory.h"
#include "version.h"

enum { MEASURE_VERBS_MAX = 64, WHY_BYTES = 1024 };

const struct lab_language *lab_plan_language(void)
{
    static struct lab_verb measure[MEASURE_VERBS_MAX];
    static struct lab_language language;
    for (size_t i = 0; i < lab_measure_count; i++)
        measure[i] = (struct lab_verb){.name = lab_measures[i]->name,
                                       .keys = lab_measures[i]->keys,
                                       .needs_set = LAB_SET_REFUSED,
                                       .help = lab_measures[i]->help};
    language.actions = (struct lab_verbs){lab_actions, lab_action_count};
    language.measures = (struct lab_verbs){measure, lab_measure_count};
    return &language;
}

static bool tell(const char *why)
{
    fprintf(stderr, "hearsay-lab: %s\n", why);
    return false;
}

static bool tell_faults(struct lab_faults *faults)
{
    lab_faults_print(faults, stderr);
    lab_faults_free(faults);
    return false;
}

/* ---- settings ---- */

static bool apply_options(struct lab_settings *settings, const struct lab_options *options)
{
    char why[WHY_BYTES];
    for (size_t i = 0; i < options->sets; i++)
        if (lab_settings_set(settings, options->key[i], options->value[i], why, sizeof why) != 0)
            return tell(why);
    return true;
}

static bool apply_pairs(struct lab_settings *settings, const struct lab_pairs *pairs)
{
    char why[WHY_BYTES];
    for (size_t i = 0; i < pairs->count; i++)
        if (lab_settings_set(settings, pairs->pair[i].key, pairs->pair[i].value, why, sizeof why) !=
            0)
            return tell(why);
    return true;
}

static bool is_wanted(const struct lab_plan *plan, const struct lab_options *options, size_t i)
{
    for (size_t k = 0; k < options->variants; k++)
        if (strcmp(plan->scenario.variant[i].name, options->variant[k]) == 0)
            return true;
    return options->variants == 0;
}

/* The settings of one point and variant.  They are tried out now, so that a run of an hour does not
 * begin with a mistake. */
static bool choose(struct lab_plan *plan, const struct lab_settings *base, size_t point,
                   size_t variant, struct lab_settings *out)
{
    struct lab_faults faults = {0};
    struct lab_sim_config config;
    char why[WHY_BYTES];
    lab_settings_copy(out, base);
    if (plan->study.points != 0 && !apply_pairs(out, &plan->study.point[point]))
        return false;
    if (lab_scenario_choose(&plan->scenario, variant, out, &faults) != 0)
        return tell_faults(&faults);
    if (plan->events != NULL && lab_settings_number(out, "threads") != 1)
        return tell("events are in order only with threads=1");
    if (lab_config_check(out, &faults) != 0)
        return tell_faults(&faults);
    if (lab_config_read(out, 1, &config, why, sizeof why) != 0)
        return tell(why);
    struct lab_timeline timeline;
    struct lab_draws draws = {.seed = 1};
    struct lab_timeline_config when = {.nodes = config.nodes,
                                       .end_ns = lab_config_ns(out, "duration"),
                                       .draw = lab_draws_port(&draws)};
    int rc = lab_timeline_make(&timeline, &plan->scenario, out, &when, &faults);
    if (rc == 0)
        rc = lab_actions_check(&timeline, out, &faults);
    if (rc == 0 && plan->settings_count == 1) /* once, not for each variant and point */
        lab_actions_tell_late(&timeline, lab_settings_number(out, "duration"));
    lab_timeline_free(&timeline);
    return rc == 0 || tell_faults(&faults);
}

/* ---- what the study points to ---- */

static char *join_words(struct lab_arena *arena, int argc, char **argv)
{
    char *made = lab_shell_command(argc, argv);
    char *kept = lab_arena_text(arena, made);
    free(made);
    return kept;
}

/* All settings, or those alone that the user gave. */
static struct lab_pairs pairs_of(struct lab_plan *plan, const struct lab_settings *settings,
                                 bool given)
{
    struct lab_pair *pair = lab_arena_alloc(&plan->arena, settings->count * sizeof *pair);
    size_t count = 0;
    for (size_t i = 0; i < settings->count; i++)
        if (!given || settings->entry[i].origin == LAB_SETTING_GIVEN)
            pair[count++] =
                (struct lab_pair){lab_arena_text(&plan->arena, settings->entry[i].rule->key),
                                  lab_arena_text(&plan->arena, settings->entry[i].text)};
    return (struct lab_pairs){pair, count};
}

static void add_variants(struct lab_plan *plan, const struct lab_options *options)
{
    const struct lab_scenario *s = &plan->scenario;
    struct lab_variant *variant = lab_arena_alloc(&plan->arena, s->variant_count * sizeof *variant);
    for (size_t i = 0; i < s->variant_count; i++) {
        if (!is_wanted(plan, options, i))
            continue;
        struct lab_pair *pair =
            lab_arena_alloc(&plan->arena, s->variant[i].pair_count * sizeof *pair + 1);
        for (size_t k = 0; k < s->variant[i].pair_count; k++)
            pair[k] = (struct lab_pair){s->variant[i].pair[k].key, s->variant[i].pair[k].value};
        variant[plan->study.variants++] = (struct lab_variant){
            s->variant[i].name, s->variant[i].help, {pair, s->variant[i].pair_count}};
    }
    plan->study.variant = variant;
}

static void add_seeds(struct lab_plan *plan, const struct lab_settings *settings)
{
    uint64_t first = (uint64_t)lab_settings_number(settings, "seed");
    plan->study.seeds = (size_t)lab_settings_number(settings, "seeds");
    uint64_t *seed = lab_arena_alloc(&plan->arena, plan->study.seeds * sizeof *seed);
    for (size_t i = 0; i < plan->study.seeds; i++)
        seed[i] = first + i;
    plan->study.seed = seed;
}

/* Results that need a variant that is not run are left out. */
static bool has_operand(const struct lab_plan *plan, const struct lab_operand *operand)
{
    if (operand->variant == NULL)
        return true;
    for (size_t i = 0; i < plan->study.variants; i++)
        if (strcmp(plan->study.variant[i].name, operand->variant) == 0)
            return true;
    return false;
}

static const char *place_text(struct lab_arena *arena, const struct lab_script_place *at)
{
    char *text = lab_heap_format("%s:%u", at->file, at->line);
    const char *kept = lab_arena_text(arena, text);
    free(text);
    return kept;
}

static void add_results(struct lab_plan *plan)
{
    const struct lab_scenario *s = &plan->scenario;
    struct lab_derived *derived =
        lab_arena_alloc(&plan->arena, s->result_count * sizeof *derived + 1);
    for (size_t i = 0; i < s->result_count; i++) {
        const struct lab_scenario_result *r = &s->result[i];
        if (has_operand(plan, &r->left) && (r->operation == 0 || has_operand(plan, &r->right)))
            derived[plan->study.derived_count++] = (struct lab_derived){
                r->field, r->left.text, r->operation != 0 ? r->right.text : NULL, r->operation,
                place_text(&plan->arena, &r->at)};
    }
    plan->study.derived = derived;
}

static void add_figures(struct lab_plan *plan)
{
    const struct lab_scenario *s = &plan->scenario;
    struct lab_figure *figure = lab_arena_alloc(&plan->arena, s->figure_count * sizeof *figure + 1);
    for (size_t i = 0; i < s->figure_count; i++) {
        const struct lab_scenario_figure *f = &s->figure[i];
        figure[i] = (struct lab_figure){
            .title = f->title,
            .table = f->table,
            .x = f->x,
            .x_label = f->x_label,
            .y = f->y,
            .y_label = f->y_label,
            .x_names = f->x_names,
            .y_names = f->y_names,
            .by = f->by,
            .variants = f->variants,
            .logx = f->log_x,
            .logy = f->log_y,
            .has_bar = f->has_bar,
            .bar = f->bar,
            .bar_text = f->bar_text,
            .has_x_max = f->has_x_max,
            .x_max = f->x_max,
            .note = f->note,
        };
        lab_style_find(f->style, &figure[i].style);
    }
    plan->study.figure = figure;
    plan->study.figures = s->figure_count;
}

/* ---- sweeps ---- */

/* One axis of the grid: from the command line, "KEY=V1,V2", or else from the scenario. */
struct axis {
    const char *key;
    const char **value;
    size_t values;
};

static struct axis axis_of_text(struct lab_plan *plan, const char *text)
{
    char *own = lab_arena_text(&plan->arena, text);
    char *equals = strchr(own, '=');
    struct axis axis = {.key = own, .values = 1};
    *equals = '\0';
    for (const char *c = equals + 1; *c != '\0'; c++)
        axis.values += *c == ',';
    axis.value = lab_arena_alloc(&plan->arena, axis.values * sizeof *axis.value);
    size_t n = 0;
    for (char *rest = equals + 1; n < axis.values;)
        axis.value[n++] = strsep(&rest, ",");
    return axis;
}

static bool is_new(const char *const *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(value[i], value[count]) == 0)
            return false;
    return true;
}

/* Whether the last axis can go with those before it: a value that is there twice would be run
 * twice, and the second result take the place of the first. */
static bool axis_fits(const struct axis *axis, size_t last)
{
    const struct axis *own = &axis[last];
    if (strcmp(own->key, "seed") == 0 || strcmp(own->key, "seeds") == 0) {
        fprintf(stderr, "hearsay-lab: %s is the same for all points; say --%s\n", own->key,
                own->key);
        return false;
    }
    for (size_t i = 0; i < last; i++)
        if (strcmp(axis[i].key, own->key) == 0) {
            fprintf(stderr, "hearsay-lab: %s is swept twice; give it all its values at once\n",
                    own->key);
            return false;
        }
    for (size_t i = 1; i < own->values; i++)
        if (!is_new(own->value, i)) {
            fprintf(stderr, "hearsay-lab: %s=%s is there twice\n", own->key, own->value[i]);
            return false;
        }
    return true;
}

static bool read_axes(struct lab_plan *plan, const struct lab_options *options, struct axis *axis,
                      size_t *axes)
{
    *axes = 0;
    for (size_t i = 1; i < options->args; i++) {
        if (strchr(options->arg[i], '=') == NULL || *axes == LAB_OPTION_ARGS_MAX)
            return tell("a sweep wants KEY=VALUE,VALUE,... behind the experiment");
        axis[(*axes)++] = axis_of_text(plan, options->arg[i]);
        if (!axis_fits(axis, *axes - 1))
            return false;
    }
    for (size_t i = 0; options->args == 1 && i < plan->scenario.sweep_count; i++) {
        const struct lab_scenario_sweep *s = &plan->scenario.sweep[i];
        axis[(*axes)++] = (struct axis){
            .key = s->key, .value = (const char **)s->value, .values = s->value_count};
    }
    return *axes != 0 || tell("nothing to sweep: say KEY=VALUE,VALUE,... behind the experiment");
}

static bool add_points(struct lab_plan *plan, const struct lab_options *options)
{
    struct axis axis[LAB_OPTION_ARGS_MAX];
    size_t axes, points = 1;
    if (!read_axes(plan, options, axis, &axes))
        return false;
    for (size_t i = 0; i < axes; i++)
        points *= axis[i].values;
    struct lab_pairs *point = lab_arena_alloc(&plan->arena, points * sizeof *point);
    for (size_t p = 0; p < points; p++) {
        struct lab_pair *pair = lab_arena_alloc(&plan->arena, axes * sizeof *pair);
        size_t rest = p;
        for (size_t i = axes; i-- > 0; rest /= axis[i].values)
            pair[i] = (struct lab_pair){axis[i].key, axis[i].value[rest % axis[i].values]};
        point[p] = (struct lab_pairs){pair, axes};
    }
    plan->study.point = point;
    plan->study.points = points;
    return true;
}

/* ---- public ---- */

/* Shares of hosts that have something are judged by the worst seed; all else by the mean. */
static const struct lab_field_rule rules[] = {
    {"reached_share", LAB_PLAIN_LEAST}, {"violations", LAB_PLAIN_SUM},    {"missed", LAB_PLAIN_SUM},
    {"peak_gib", LAB_PLAIN_LARGEST},    {"wall_seconds", LAB_PLAIN_MEAN},
};

static const char *variant_name(const void *list, size_t i)
{
    return ((const struct lab_scenario_variant *)list)[i].name;
}

static bool knows_variants(const struct lab_plan *plan, const struct lab_options *options)
{
    const struct lab_scenario *scenario = &plan->scenario;
    struct lab_names known = {scenario->variant, scenario->variant_count, variant_name};
    char why[WHY_BYTES];
    for (size_t i = 0; i < options->variants; i++) {
        if (lab_scenario_variant_find(scenario, options->variant[i]) < scenario->variant_count)
            continue;
        lab_names_unknown(why, sizeof why, "variant", options->variant[i], &known);
        return tell(why);
    }
    return true;
}

static bool choose_points(struct lab_plan *plan, const struct lab_plan_request *request)
{
    plan->study.point = request->point;
    plan->study.points = request->points;
    return !request->sweep || request->points != 0 || add_points(plan, request->options);
}

static bool fill(struct lab_plan *plan, const struct lab_settings *base,
                 const struct lab_plan_request *request)
{
    struct lab_study *study = &plan->study;
    const struct lab_options *options = request->options;
    if (!knows_variants(plan, options) || !choose_points(plan, request))
        return false;
    add_variants(plan, options);
    size_t points = study->points != 0 ? study->points : 1;
    plan->settings = lab_calloc(points * study->variants, sizeof *plan->settings);
    for (size_t p = 0; p < points; p++)
        for (size_t v = 0; v < study->variants; v++) {
            size_t number = lab_scenario_variant_find(&plan->scenario, study->variant[v].name);
            if (!choose(plan, base, p, number, &plan->settings[plan->settings_count++]))
                return false;
        }
    /* What is run again, or drawn, has been looked at, or has nothing of this. */
    struct lab_faults faults = {0};
    if (request->text == NULL && lab_plan_check(plan, &faults) != 0)
        return tell_faults(&faults);
    add_seeds(plan, &plan->settings[0]);
    add_results(plan);
    add_figures(plan);
    study->settings = pairs_of(plan, &plan->settings[0], false);
    study->given = pairs_of(plan, base, true);
    study->nodes = (uint64_t)lab_settings_number(&plan->settings[0], "nodes");
    study->threads = (unsigned)lab_settings_number(&plan->settings[0], "threads");
    return true;
}

static bool read_scenario(struct lab_plan *plan, const struct lab_plan_request *request)
{
    struct lab_faults faults = {0};
    const char *name = request->options->arg[0];
    int rc = request->text != NULL
                 ? lab_scenario_read_text(&plan->scenario, lab_plan_language(), name, NULL,
                                          request->text, strlen(request->text), &faults)
                 : lab_scenario_read(&plan->scenario, lab_plan_language(), name, &faults);
    return rc == 0 || tell_faults(&faults);
}

bool lab_plan_make(struct lab_plan *plan, const struct lab_plan_request *request)
{
    const struct lab_options *options = request->options;
    struct lab_faults faults = {0};
    struct lab_settings base;
    memset(plan, 0, sizeof *plan);
    if (options->args == 0)
        return tell("which experiment?  hearsay-lab list shows them");
    if (!request->sweep && options->args != 1) {
        fprintf(stderr, "hearsay-lab: one experiment at a time: '%s' is too much\n",
                options->arg[1]);
        return false;
    }
    if (!read_scenario(plan, request))
        return false;
    lab_settings_init(&base, lab_config_rules, lab_config_rule_count);
    bool good = lab_scenario_declare(&plan->scenario, &base, &faults) == 0 || tell_faults(&faults);
    plan->events = options->events;
    plan->by_text = request->text != NULL;
    plan->study.experiment = plan->scenario.name;
    plan->study.description = plan->scenario.description;
    plan->study.scenario = lab_scenario_text(&plan->scenario);
    plan->study.version = HSAY_VERSION;
    plan->study.command = join_words(&plan->arena, request->argc, request->argv);
    plan->study.rule = rules;
    plan->study.rules = sizeof rules / sizeof rules[0];
    good = good && apply_options(&base, options) && fill(plan, &base, request);
    lab_settings_free(&base);
    return good;
}

void lab_plan_free(struct lab_plan *plan)
{
    for (size_t i = 0; i < plan->settings_count; i++)
        lab_settings_free(&plan->settings[i]);
    free(plan->settings);
    lab_scenario_free(&plan->scenario);
    lab_arena_free(&plan->arena);
}
