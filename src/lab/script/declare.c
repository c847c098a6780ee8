/* The settings of a scenario and of its variants.  See scenario.h. */
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/expand.h"
#include "src/lab/script/heap.h"
#include "src/lab/script/reader.h"

/* A value that a scenario gives to a setting.  0, or HSAY_EINVAL and a fault. */
static int give(struct lab_settings *settings, const struct lab_scenario_pair *pair,
                enum lab_setting_origin origin, const struct lab_script_place *at,
                struct lab_faults *faults)
{
    char why[LAB_WHY_BYTES];
    const char *value = lab_expand(settings, &settings->arena, pair->value, why, sizeof why);
    if (value != NULL &&
        lab_settings_set_as(settings, pair->key, value, origin, why, sizeof why) == 0) {
        lab_settings_place(settings, pair->key, at);
        return 0;
    }
    lab_faults_add(faults, at, "%s", why);
    return HSAY_EINVAL;
}

/* ---- settings that follow from each other ---- */

/* Which `set` lines name the settings of which others. */
struct web {
    const struct lab_scenario_param *set;
    size_t count;
    bool *names; /* [line * count + other]: this line names what the other one sets */
    bool *gone;  /* in no circle */
};

static bool is_free(const struct web *web, size_t line)
{
    bool names = false, named = false;
    for (size_t i = 0; i < web->count; i++) {
        names |= !web->gone[i] && web->names[line * web->count + i];
        named |= !web->gone[i] && web->names[i * web->count + line];
    }
    return !names || !named;
}

/* Takes away what nothing follows from, and what follows from nothing, until only circles and what
 * lies between two of them are left. */
static void web_thin(struct web *web)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < web->count; i++) {
            if (web->gone[i] || !is_free(web, i))
                continue;
            web->gone[i] = true;
            again = true;
        }
    }
}

/* A setting that follows from itself would have another value each time it is worked out. */
static int circles_check(const struct lab_scenario *scenario, const struct lab_settings *settings,
                         struct lab_faults *faults)
{
    struct web web = {.set = scenario->set, .count = scenario->set_count};
    int rc = 0;
    web.names = lab_script_calloc(web.count * web.count + 1, sizeof *web.names);
    web.gone = lab_script_calloc(web.count + 1, sizeof *web.gone);
    for (size_t i = 0; i < web.count; i++)
        for (size_t k = 0; k < web.count && strchr(web.set[i].value, '$') != NULL; k++)
            web.names[i * web.count + k] =
                lab_expand_names(settings, web.set[i].value, web.set[k].key);
    web_thin(&web);
    for (size_t i = 0; i < web.count; i++) {
        if (web.gone[i])
            continue;
        lab_faults_add(faults, &web.set[i].at, "%s is made of itself: '%.60s'", web.set[i].key,
                       web.set[i].value);
        rc = HSAY_EINVAL;
    }
    free(web.names);
    free(web.gone);
    return rc;
}

/* ---- settings ---- */

static int sets_give(const struct lab_scenario *scenario, struct lab_settings *settings,
                     struct lab_faults *faults)
{
    int rc = 0;
    for (size_t i = 0; i < scenario->set_count; i++) {
        const struct lab_scenario_param *set = &scenario->set[i];
        struct lab_scenario_pair pair = {set->key, set->value};
        if (give(settings, &pair, LAB_SETTING_SCENARIO, &set->at, faults) != 0)
            rc = HSAY_EINVAL;
    }
    return rc;
}

/* Those that follow from other settings, and that nobody has given since. */
static int sets_follow(const struct lab_scenario *scenario, struct lab_settings *settings,
                       struct lab_faults *faults)
{
    int rc = 0;
    for (size_t i = 0; i < scenario->set_count && rc == 0; i++) {
        const struct lab_scenario_param *set = &scenario->set[i];
        const struct lab_setting *setting = lab_settings_find(settings, set->key);
        struct lab_scenario_pair pair = {set->key, set->value};
        if (setting != NULL && setting->origin != LAB_SETTING_GIVEN &&
            strchr(set->value, '$') != NULL)
            rc = give(settings, &pair, LAB_SETTING_SCENARIO, &set->at, faults);
    }
    return rc;
}

static int params_declare(const struct lab_scenario *scenario, struct lab_settings *settings,
                          struct lab_faults *faults)
{
    int rc = 0;
    for (size_t i = 0; i < scenario->param_count; i++) {
        const struct lab_scenario_param *param = &scenario->param[i];
        char why[LAB_WHY_BYTES];
        if (lab_settings_declare(settings, param->key, param->value, param->help, why,
                                 sizeof why) == 0)
            continue;
        lab_faults_add(faults, &param->at, "%s", why);
        rc = HSAY_EINVAL;
    }
    return rc;
}

static int variants_try(const struct lab_scenario *scenario, const struct lab_settings *settings,
                        struct lab_faults *faults)
{
    int rc = 0;
    for (size_t i = 1; i < scenario->variant_count; i++) {
        struct lab_settings trial;
        lab_settings_copy(&trial, settings);
        if (lab_scenario_choose(scenario, i, &trial, faults) != 0)
            rc = HSAY_EINVAL;
        lab_settings_free(&trial);
    }
    return rc;
}

static int sweep_try(const struct lab_scenario_sweep *sweep, struct lab_settings *trial,
                     struct lab_faults *faults)
{
    for (size_t i = 0; i < sweep->value_count; i++) {
        char why[LAB_WHY_BYTES];
        if (lab_settings_set(trial, sweep->key, sweep->value[i], why, sizeof why) == 0)
            continue;
        lab_faults_add(faults, &sweep->at, "%s", why);
        return HSAY_EINVAL;
    }
    return 0;
}

static int sweeps_try(const struct lab_scenario *scenario, const struct lab_settings *settings,
                      struct lab_faults *faults)
{
    struct lab_settings trial;
    int rc = 0;
    lab_settings_copy(&trial, settings);
    for (size_t i = 0; i < scenario->sweep_count; i++) {
        if (sweep_try(&scenario->sweep[i], &trial, faults) != 0)
            rc = HSAY_EINVAL;
    }
    lab_settings_free(&trial);
    return rc;
}

int lab_scenario_declare(const struct lab_scenario *scenario, struct lab_settings *settings,
                         struct lab_faults *faults)
{
    if (params_declare(scenario, settings, faults) != 0)
        return HSAY_EINVAL;
    if (circles_check(scenario, settings, faults) != 0)
        return HSAY_EINVAL;
    if (sets_give(scenario, settings, faults) != 0)
        return HSAY_EINVAL;
    int variants = variants_try(scenario, settings, faults);
    int sweeps = sweeps_try(scenario, settings, faults);
    return variants != 0 ? variants : sweeps;
}

int lab_scenario_choose(const struct lab_scenario *scenario, size_t variant,
                        struct lab_settings *settings, struct lab_faults *faults)
{
    const struct lab_scenario_variant *chosen = &scenario->variant[variant];
    int rc = sets_follow(scenario, settings, faults);
    for (size_t i = 0; i < chosen->pair_count && rc == 0; i++)
        rc = give(settings, &chosen->pair[i], LAB_SETTING_GIVEN, &chosen->at, faults);
    return rc != 0 ? rc : sets_follow(scenario, settings, faults);
}
