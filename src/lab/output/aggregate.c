#include "src/lab/output/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/common/hex.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/number.h"

enum { DIGEST_BYTES = 16 };

/* What the batch adds by itself: of memory it is the largest that counts. */
static const struct lab_field_rule own_rule[] = {{"peak_gib", LAB_PLAIN_LARGEST}};

/* --- names ----------------------------------------------------------------------------------- */

static int has_name(const struct lab_field_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], name) == 0)
            return 1;
    }
    return 0;
}

void lab_field_names(struct lab_field_names *names, const struct lab_result *run, size_t runs)
{
    *names = (struct lab_field_names){0};
    for (size_t i = 0; i < runs; i++) {
        for (size_t j = 0; j < run[i].fields; j++) {
            if (has_name(names, run[i].field[j].name))
                continue;
            names->name =
                lab_heap_grow(names->name, names->count, &names->room, sizeof *names->name);
            names->name[names->count++] = run[i].field[j].name;
        }
    }
}

void lab_field_names_free(struct lab_field_names *names)
{
    free(names->name);
    *names = (struct lab_field_names){0};
}

/* --- numbers --------------------------------------------------------------------------------- */

struct sample {
    double *value; /* those there are, sorted */
    size_t count;
    size_t missing;
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool has_failed(const struct lab_result *run)
{
    return lab_result_field(run, "error") != NULL;
}

static struct sample sample_take(const struct lab_result *run, size_t runs, const char *name)
{
    struct sample sample = {.value = lab_heap_new(runs, sizeof(double))};
    for (size_t i = 0; i < runs; i++) {
        const struct lab_field *field = lab_result_field(&run[i], name);
        if (field == NULL && has_failed(&run[i]))
            sample.missing++;
        if (field == NULL || field->text != NULL)
            continue;
        if (isfinite(field->number))
            sample.value[sample.count++] = field->number;
        else
            sample.missing++;
    }
    qsort(sample.value, sample.count, sizeof *sample.value, ascending);
    return sample;
}

static double sum_of(const struct sample *sample)
{
    double sum = 0;
    for (size_t i = 0; i < sample->count; i++)
        sum += sample->value[i];
    return sum;
}

static enum lab_plain plain_of(const struct lab_field_rule *rule, size_t rules, const char *name)
{
    for (size_t i = 0; i < rules; i++) {
        if (strcmp(rule[i].field, name) == 0)
            return rule[i].plain;
    }
    return strcmp(own_rule[0].field, name) == 0 ? own_rule[0].plain : LAB_PLAIN_MEAN;
}

static double plain_value(const struct sample *sample, enum lab_plain plain)
{
    switch (plain) {
    case LAB_PLAIN_LEAST:
        return sample->value[0];
    case LAB_PLAIN_LARGEST:
        return sample->value[sample->count - 1];
    case LAB_PLAIN_SUM:
        return sum_of(sample);
    case LAB_PLAIN_MEAN:
        break;
    }
    return sum_of(sample) / (double)sample->count;
}

static void put(json_t *object, const char *name, const char *suffix, double value)
{
    char *key = lab_heap_format("%s%s", name, suffix);
    json_object_set_new(object, key, lab_number_json(value));
    free(key);
}

static void put_number(json_t *object, const char *name, const struct sample *sample,
                       enum lab_plain plain)
{
    size_t count = sample->count;
    bool whole = count > 0 && sample->missing == 0;
    put(object, name, "", whole ? plain_value(sample, plain) : NAN);
    put(object, name, "_mean", count > 0 ? sum_of(sample) / (double)count : NAN);
    put(object, name, "_least", count > 0 ? sample->value[0] : NAN);
    put(object, name, "_worst", count > 0 ? sample->value[count - 1] : NAN);
    put(object, name, "_p95", count > 0 ? sample->value[(95 * count + 99) / 100 - 1] : NAN);
    if (sample->missing > 0)
        put(object, name, "_missing", (double)sample->missing);
}

/* --- texts ----------------------------------------------------------------------------------- */

static bool is_digest(const char *name)
{
    size_t size = strlen(name);
    return strcmp(name, "digest") == 0 || (size > 7 && strcmp(name + size - 7, "_digest") == 0);
}

/* With the 0 behind each, so that "ab", "c" is not "a", "bc". */
static json_t *digest_of(const json_t *texts)
{
    struct hsay_crypto crypto;
    struct lab_text all;
    uint8_t digest[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    size_t i, size;
    const json_t *text;
    hsay_crypto_sodium(&crypto);
    lab_text_open(&all);
    json_array_foreach(texts, i, text)
        fwrite(json_string_value(text), 1, json_string_length(text) + 1, all.out);
    char *bytes = lab_text_take(&all, &size);
    struct hsay_span part = {(const uint8_t *)bytes, size};
    crypto.ops->hash(crypto.self, digest, sizeof digest, (struct hsay_span){NULL, 0}, &part, 1);
    free(bytes);
    hex_format(hex, digest, sizeof digest);
    return json_string(hex);
}

static bool any_failed(const struct lab_result *run, size_t runs)
{
    for (size_t i = 0; i < runs; i++) {
        if (has_failed(&run[i]))
            return true;
    }
    return false;
}

static json_t *text_list(const struct lab_result *run, size_t runs, const char *name)
{
    json_t *list = json_array();
    for (size_t i = 0; i < runs; i++) {
        const struct lab_field *field = lab_result_field(&run[i], name);
        if (field != NULL && field->text != NULL)
            json_array_append_new(list, json_string(field->text));
    }
    return list;
}

static bool all_same(const json_t *list)
{
    size_t i;
    const json_t *text;
    json_array_foreach(list, i, text)
    {
        if (!json_equal(text, json_array_get(list, 0)))
            return false;
    }
    return true;
}

static void put_text(json_t *object, const char *name, json_t *list)
{
    size_t count = json_array_size(list);
    if (is_digest(name) && count > 1)
        json_object_set_new(object, name, digest_of(list));
    else if (all_same(list))
        json_object_set(object, name, json_array_get(list, 0));
    else
        json_object_set(object, name, list);
    json_decref(list);
}

/* --- both ------------------------------------------------------------------------------------ */

json_t *lab_aggregate(const struct lab_result *run, size_t runs, const struct lab_field_rule *rule,
                      size_t rules)
{
    json_t *object = json_object();
    struct lab_field_names names;
    lab_field_names(&names, run, runs);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.name[i];
        json_t *texts = text_list(run, runs, name);
        if (is_digest(name) && any_failed(run, runs)) {
            json_object_set_new(object, name, json_null());
            json_decref(texts);
            continue;
        }
        if (json_array_size(texts) > 0) {
            put_text(object, name, texts);
            continue;
        }
        json_decref(texts);
        struct sample sample = sample_take(run, runs, name);
        put_number(object, name, &sample, plain_of(rule, rules, name));
        free(sample.value);
    }
    lab_field_names_free(&names);
    return object;
}
