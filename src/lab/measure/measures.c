#include "src/lab/measure/measure.h"

#include <string.h>

const struct lab_measure_kind *const lab_measures[] = {
    &lab_measure_traffic,
    &lab_measure_spread,
    &lab_measure_overlay,
    &lab_measure_sides,
    &lab_measure_holdings,
    &lab_measure_graph,
    &lab_measure_letters,
    &lab_measure_eclipse,
    &lab_measure_store,
    &lab_measure_pace,
    &lab_measure_nat,
    &lab_measure_puncturing,
};
const size_t lab_measure_count = sizeof lab_measures / sizeof lab_measures[0];

const char *lab_measure_word(const struct lab_measure_args *args, const char *key,
                             const char *fallback)
{
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->key[i], key) == 0)
            return args->value[i];
    return fallback;
}

double lab_measure_number(const struct lab_measure_args *args, const char *key, double fallback)
{
    for (size_t i = 0; i < args->count; i++)
        if (strcmp(args->key[i], key) == 0)
            return args->number[i];
    return fallback;
}

double lab_step_seconds(const struct lab_sim *sim)
{
    uint32_t ms = sim->config.overlay.step_ms;
    return (double)(ms != 0 ? ms : (uint32_t)HSAY_STEP_MS) / 1e3;
}

double lab_steps(const struct lab_sim *sim, uint64_t ns)
{
    return (double)ns / 1e9 / lab_step_seconds(sim);
}
