#include "src/lab/output/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/heap.h"
#include "src/lab/output/number.h"

static const char *const of_the_batch[] = {
    "experiment", "version", "nodes",   "seeds",    "seed_first",  "settings", "point",
    "points",     "command", "machine", "variants", "failed_runs", NULL,
};
static const char *const suffix[] = {"_mean", "_least", "_worst", "_p95", "_missing", NULL};

static const json_t *suffixed(const json_t *object, const char *key, const char *end)
{
    char *name = lab_heap_format("%s%s", key, end);
    const json_t *value = json_object_get(object, name);
    free(name);
    return value;
}

/* "f_mean" belongs to f if both are there, and f has an f_p95, which no run gives by chance. */
static bool belongs_to_another(const json_t *object, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; suffix[i] != NULL; i++) {
        size_t tail = strlen(suffix[i]);
        if (size <= tail || strcmp(key + size - tail, suffix[i]) != 0)
            continue;
        char *stem = lab_heap_copy_part(key, size - tail);
        bool found = json_object_get(object, stem) != NULL && suffixed(object, stem, "_p95");
        free(stem);
        if (found)
            return true;
    }
    return false;
}

bool lab_field_is_plain(const json_t *object, const char *key)
{
    for (size_t i = 0; of_the_batch[i] != NULL; i++) {
        if (strcmp(of_the_batch[i], key) == 0)
            return false;
    }
    return !belongs_to_another(object, key);
}

static const char *number_words(char text[LAB_NUMBER_BYTES], const json_t *value)
{
    return lab_number_text(text, json_is_number(value) ? json_number_value(value) : NAN);
}

char *lab_field_words(const json_t *object, const char *key)
{
    char plain[LAB_NUMBER_BYTES], least[LAB_NUMBER_BYTES], largest[LAB_NUMBER_BYTES];
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return lab_heap_copy(json_string_value(value));
    if (value == NULL)
        return lab_heap_copy("");
    if (json_is_array(value))
        return lab_heap_format("%zu values", json_array_size(value));
    const json_t *low = suffixed(object, key, "_least");
    const json_t *high = suffixed(object, key, "_worst");
    const json_t *without = suffixed(object, key, "_missing");
    number_words(plain, value);
    number_words(least, low);
    number_words(largest, high);
    if (json_is_integer(without))
        return lab_heap_format("%s (%" JSON_INTEGER_FORMAT " without)", plain,
                               json_integer_value(without));
    if (!json_is_number(low) || strcmp(least, largest) == 0)
        return lab_heap_copy(plain);
    return lab_heap_format("%s (%s to %s)", plain, least, largest);
}
