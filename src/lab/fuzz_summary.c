/* What the runs of the swarm come to, as an object and as lines for people. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/fuzz.h"
#include "src/lab/output/machine.h"
#include "src/lab/output/number.h"
#include "src/lab/output/shell.h"
#include "src/lab/sim/invariant.h"
#include "version.h"

enum { SLOWEST = 10, SEEDS_SHOWN = 10, SLOWEST_SHOWN = 3 };

/* ---- the object ---- */

const char *lab_fuzz_text(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    return field != NULL && field->text != NULL ? field->text : "";
}

static double number_of(const struct lab_result *result, const char *name)
{
    const struct lab_field *field = lab_result_field(result, name);
    return field != NULL && field->text == NULL && !isnan(field->number) ? field->number : 0;
}

static double sum_of(const struct fuzz *fuzz, const char *name)
{
    double sum = 0;
    for (size_t i = 0; i < fuzz->seeds; i++)
        sum += number_of(&fuzz->result[i], name);
    return sum;
}

bool lab_fuzz_failed(const struct lab_result *result)
{
    return lab_result_field(result, "digest") == NULL || lab_fuzz_text(result, "error")[0] != '\0';
}

/* Violations that the invariants counted; a failure of another kind counts as one. */
static double violations_of(const struct lab_result *result)
{
    double counted = number_of(result, "violations");
    return counted == 0 && lab_fuzz_failed(result) ? 1 : counted;
}

static json_t *invariants_json(const struct fuzz *fuzz)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < LAB_INVARIANT_COUNT; i++) {
        const char *name = lab_invariant_name((enum lab_invariant)i);
        char field[40];
        snprintf(field, sizeof field, "violations_%s", name);
        json_object_set_new(object, name, json_integer((json_int_t)sum_of(fuzz, field)));
    }
    json_object_set_new(object, "digest", json_integer((json_int_t)sum_of(fuzz, "digest_differs")));
    return object;
}

static void put_sum(json_t *object, const struct fuzz *fuzz, const char *name)
{
    json_object_set_new(object, name, json_integer((json_int_t)sum_of(fuzz, name)));
}

/* Of the steps that healing was allowed, what it took. */
static double heal_part(const struct lab_result *result)
{
    double bound = number_of(result, "heal_bound");
    return bound > 0 ? number_of(result, "heal_steps") / bound : 0;
}

/* How long healing took: mean and worst, and the worst as a part of what was allowed. */
static void put_healing(json_t *object, const struct fuzz *fuzz)
{
    double sum = 0, worst = 0, part = 0, count = 0;
    for (size_t i = 0; i < fuzz->seeds; i++) {
        const struct lab_result *r = &fuzz->result[i];
        if (lab_result_field(r, "heal_steps") == NULL)
            continue;
        sum += number_of(r, "heal_steps");
        count++;
        worst = fmax(worst, number_of(r, "heal_steps"));
        part = fmax(part, heal_part(r));
    }
    json_object_set_new(object, "heal_steps_mean", json_real(count != 0 ? sum / count : 0));
    json_object_set_new(object, "heal_steps_worst", json_real(worst));
    json_object_set_new(object, "heal_bound_used", json_real(part));
}

/* The seeds that took most of their bound, worst first. */
static json_t *slowest_json(const struct fuzz *fuzz)
{
    json_t *list = json_array();
    double below = INFINITY;
    for (unsigned n = 0; n < SLOWEST; n++) {
        const struct lab_result *found = NULL;
        size_t at = 0;
        for (size_t i = 0; i < fuzz->seeds; i++) {
            const struct lab_result *r = &fuzz->result[i];
            if (heal_part(r) > 0 && heal_part(r) < below &&
                (found == NULL || heal_part(r) > heal_part(found))) {
                found = r;
                at = i;
            }
        }
        if (found == NULL)
            break;
        below = heal_part(found);
        json_array_append_new(list, json_pack("{s:I,s:f,s:f}", "seed", (json_int_t)fuzz->seed[at],
                                              "heal_steps", number_of(found, "heal_steps"),
                                              "heal_bound", number_of(found, "heal_bound")));
    }
    return list;
}

/* What goes over all that is drawn. */
static json_t *settings_json(const struct lab_options *options)
{
    json_t *object = json_object();
    for (size_t i = 0; i < options->sets; i++)
        json_object_set_new(object, options->key[i], lab_number_json_text(options->value[i]));
    return object;
}

json_t *lab_fuzz_summary(const struct fuzz *fuzz, double seconds)
{
    static const char *const sums[] = {"events",         "turns",   "datagrams",   "deliveries",
                                       "commits_failed", "crashes", "puts_failed", "clock_jumps"};
    json_t *object = json_object(), *failed = json_array();
    char *command = lab_shell_command(fuzz->argc, fuzz->argv);
    double violations = 0;
    for (size_t i = 0; i < fuzz->seeds; i++) {
        violations += violations_of(&fuzz->result[i]);
        if (lab_fuzz_failed(&fuzz->result[i]))
            json_array_append_new(failed, json_integer((json_int_t)fuzz->seed[i]));
    }
    json_object_set_new(object, "experiment", json_string("fuzz"));
    json_object_set_new(object, "version", json_string(HSAY_VERSION));
    json_object_set_new(object, "seeds", json_integer((json_int_t)fuzz->seeds));
    json_object_set_new(object, "seed_first", json_integer((json_int_t)fuzz->seed[0]));
    json_object_set_new(object, "violations", json_integer((json_int_t)violations));
    json_object_set_new(object, "failed_seeds", failed);
    json_object_set_new(object, "invariants", invariants_json(fuzz));
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        put_sum(object, fuzz, sums[i]);
    put_healing(object, fuzz);
    json_object_set_new(object, "slowest", slowest_json(fuzz));
    json_object_set_new(object, "wall_seconds", json_real(seconds));
    json_object_set_new(object, "settings", settings_json(fuzz->options));
    json_object_set_new(object, "command", json_string(command));
    json_object_set_new(object, "machine", lab_machine());
    free(command);
    return object;
}

/* ---- for people ---- */

static void print_number(FILE *out, const json_t *summary, const char *key)
{
    char text[LAB_NUMBER_BYTES];
    fprintf(out, "  %-18s %s\n", key,
            lab_number_text(text, json_number_value(json_object_get(summary, key))));
}

static void print_broken(FILE *out, const json_t *invariants)
{
    const char *name, *between = "";
    json_t *count;
    fprintf(out, "  %-18s ", "invariants broken");
    json_object_foreach((json_t *)invariants, name, count)
    {
        if (json_integer_value(count) == 0)
            continue;
        fprintf(out, "%s%s %" JSON_INTEGER_FORMAT, between, name, json_integer_value(count));
        between = ", ";
    }
    fputs(between[0] == '\0' ? "none\n" : "\n", out);
}

static void print_failed(FILE *out, const json_t *seeds)
{
    size_t i;
    json_t *seed;
    fprintf(out, "  %-18s ", "failed seeds");
    json_array_foreach(seeds, i, seed)
    {
        if (i < SEEDS_SHOWN)
            fprintf(out, "%s%" JSON_INTEGER_FORMAT, i > 0 ? ", " : "", json_integer_value(seed));
    }
    if (json_array_size(seeds) > SEEDS_SHOWN)
        fprintf(out, " and %zu more", json_array_size(seeds) - SEEDS_SHOWN);
    fputs(json_array_size(seeds) == 0 ? "none\n" : "\n", out);
}

static void print_slowest(FILE *out, const json_t *slowest)
{
    size_t i;
    json_t *one;
    fprintf(out, "  %-18s ", "slowest to heal");
    json_array_foreach(slowest, i, one)
    {
        if (i < SLOWEST_SHOWN)
            fprintf(out, "%sseed %" JSON_INTEGER_FORMAT ", %g of %g steps", i > 0 ? "; " : "",
                    json_integer_value(json_object_get(one, "seed")),
                    json_number_value(json_object_get(one, "heal_steps")),
                    json_number_value(json_object_get(one, "heal_bound")));
    }
    fputs(json_array_size(slowest) == 0 ? "none\n" : "\n", out);
}

void lab_fuzz_print(FILE *out, const json_t *summary)
{
    static const char *const number[] = {
        "violations",       "events",          "turns",       "datagrams",   "deliveries",
        "crashes",          "commits_failed",  "puts_failed", "clock_jumps", "heal_steps_mean",
        "heal_steps_worst", "heal_bound_used", "wall_seconds"};
    json_int_t seeds = json_integer_value(json_object_get(summary, "seeds"));
    fprintf(out, "fuzz, %" JSON_INTEGER_FORMAT " seed%s from %" JSON_INTEGER_FORMAT "\n", seeds,
            seeds == 1 ? "" : "s", json_integer_value(json_object_get(summary, "seed_first")));
    print_failed(out, json_object_get(summary, "failed_seeds"));
    print_broken(out, json_object_get(summary, "invariants"));
    print_slowest(out, json_object_get(summary, "slowest"));
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        print_number(out, summary, number[i]);
}
