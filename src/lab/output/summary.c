#include "src/lab/output/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/aggregate.h"
#include "src/lab/output/machine.h"
#include "src/lab/output/number.h"

json_t *lab_summary_settings(const struct lab_pairs *settings)
{
    json_t *object = json_object();
    for (size_t i = 0; i < settings->count; i++)
        json_object_set_new(object, settings->pair[i].key,
                            lab_number_json_text(settings->pair[i].value));
    return object;
}

/* --- derived fields -------------------------------------------------------------------------- */

/* "variant.field", or a number.  The variant's name ends at the first point. */
static int operand(const json_t *variants, const struct lab_derived *derived, const char *text,
                   double *value, struct lab_why *why)
{
    const char *place = derived->place != NULL ? derived->place : "result";
    if (lab_number_parse(text, value))
        return 0;
    const char *dot = strchr(text, '.');
    char *name = lab_heap_copy_part(text, dot != NULL ? (size_t)(dot - text) : strlen(text));
    const json_t *variant = json_object_get(variants, name);
    const json_t *field = dot != NULL ? json_object_get(variant, dot + 1) : NULL;
    free(name);
    if (dot == NULL || variant == NULL)
        return lab_why_set(why, HSAY_EINVAL, "%s: '%s' is no VARIANT.FIELD of this experiment",
                           place, text);
    if (!json_is_number(field) && !json_is_null(field))
        lab_why_set(why, 0, "%s: there is no number '%s'", place, text);
    *value = json_is_number(field) ? json_number_value(field) : NAN;
    return 0;
}

static double apply(char op, double left, double right)
{
    switch (op) {
    case '+':
        return left + right;
    case '-':
        return left - right;
    case '*':
        return left * right;
    case '/':
        return left / right; /* by zero: no finite number, hence null */
    default:
        return left;
    }
}

static int put_derived(json_t *object, const json_t *variants, const struct lab_derived *derived,
                       struct lab_why *why)
{
    double left, right = 0;
    int rc = operand(variants, derived, derived->left, &left, why);
    if (rc == 0 && derived->op != 0)
        rc = operand(variants, derived, derived->right, &right, why);
    if (rc == 0)
        json_object_set_new(object, derived->field,
                            lab_number_json(apply(derived->op, left, right)));
    return rc;
}

/* --- the object ------------------------------------------------------------------------------ */

static json_t *variants_of(const struct lab_study *study, const struct lab_result *result,
                           size_t point)
{
    json_t *variants = json_object();
    for (size_t i = 0; i < study->variants; i++) {
        size_t first = lab_study_run(study, (struct lab_place){point, i, 0});
        json_object_set_new(variants, study->variant[i].name,
                            lab_aggregate(&result[first], study->seeds, study->rule, study->rules));
    }
    return variants;
}

static json_t *head(const struct lab_study *study)
{
    json_t *object = json_object();
    json_object_set_new(object, "experiment", json_string(study->experiment));
    json_object_set_new(object, "version", json_string(study->version));
    json_object_set_new(object, "nodes", json_integer((json_int_t)study->nodes));
    json_object_set_new(object, "seeds", json_integer((json_int_t)study->seeds));
    json_object_set_new(object, "seed_first", json_integer((json_int_t)study->seed[0]));
    return object;
}

static void put_tail(json_t *object, const struct lab_study *study, json_t *settings)
{
    json_object_set_new(object, "settings", settings);
    json_object_set_new(object, "command", json_string(study->command));
    json_object_set_new(object, "machine", lab_machine());
}

/* A point of the grid has settings of its own, and `nodes` may be one of them. */
static void put_point(json_t *object, json_t *settings, const struct lab_study *study, size_t point)
{
    json_t *pairs = lab_summary_settings(&study->point[point]);
    const json_t *nodes = json_object_get(pairs, "nodes");
    json_object_update(settings, pairs);
    if (json_is_integer(nodes))
        json_object_set(object, "nodes", json_object_get(pairs, "nodes"));
    json_object_set_new(object, "point", pairs);
}

/* Which of these runs have failed, and why; nothing if none did. */
static void put_failed(json_t *object, const struct lab_study *study,
                       const struct lab_result *result, size_t first, size_t runs)
{
    json_t *list = json_array();
    for (size_t run = first; run < first + runs; run++) {
        const struct lab_field *error = lab_result_field(&result[run], "error");
        struct lab_place place = lab_study_place(study, run);
        if (error == NULL)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:s, s:o*, s:I, s:s?}", "variant", study->variant[place.variant].name,
                      "point",
                      study->points > 0 ? lab_summary_settings(&study->point[place.point]) : NULL,
                      "seed", (json_int_t)study->seed[place.seed], "error", error->text));
    }
    if (json_array_size(list) > 0)
        json_object_set(object, "failed_runs", list);
    json_decref(list);
}

json_t *lab_summary(const struct lab_study *study, const struct lab_result *result, size_t point,
                    struct lab_why *why)
{
    json_t *object = head(study);
    json_t *settings = lab_summary_settings(&study->settings);
    json_t *variants = variants_of(study, result, point);
    int rc = lab_why_set(why, 0, "%s", "");
    if (study->points > 0)
        put_point(object, settings, study, point);
    /* What was run stands, whatever the runs call their fields. */
    json_object_update_missing(object, json_object_get(variants, study->variant[0].name));
    for (size_t i = 0; rc == 0 && i < study->derived_count; i++)
        rc = put_derived(object, variants, &study->derived[i], why);
    json_object_set_new(object, "variants", variants);
    put_failed(object, study, result, point * study->variants * study->seeds,
               study->variants * study->seeds);
    put_tail(object, study, settings);
    if (rc == 0)
        return object;
    json_decref(object);
    return NULL;
}

json_t *lab_summary_sweep(const struct lab_study *study, const struct lab_result *result,
                          struct lab_why *why)
{
    json_t *object = head(study);
    json_t *points = json_array();
    struct lab_why told = {""}; /* of any point */
    json_object_set_new(object, "points", points);
    put_failed(object, study, result, 0, lab_study_runs(study));
    for (size_t i = 0; i < study->points; i++) {
        json_t *point = lab_summary(study, result, i, why);
        if (point == NULL) {
            json_decref(object);
            return NULL;
        }
        if (why->text[0] != '\0')
            told = *why;
        static const char *const once[] = {"experiment", "version", "seeds",   "seed_first",
                                           "settings",   "command", "machine", NULL};
        for (size_t j = 0; once[j] != NULL; j++)
            json_object_del(point, once[j]);
        json_array_append_new(points, point);
    }
    put_tail(object, study, lab_summary_settings(&study->settings));
    *why = told;
    return object;
}

json_t *lab_summary_any(const struct lab_study *study, const struct lab_result *result,
                        struct lab_why *why)
{
    return study->points > 0 ? lab_summary_sweep(study, result, why)
                             : lab_summary(study, result, 0, why);
}

int lab_summary_line(FILE *out, const json_t *summary)
{
    int rc = json_dumpf(summary, out, LAB_JSON_FORM | JSON_COMPACT);
    if (rc != 0 || fputc('\n', out) == EOF || fflush(out) != 0)
        return HSAY_EIO;
    return 0;
}
