#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hearsay/error.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/number.h"
#include "src/lab/output/report_parts.h"

enum { LEVELS_BELOW = 2 };

/* True if there is a manifest, so that nothing is looked for below. */
static bool add(struct lab_finds *finds, const char *folder, FILE *log)
{
    json_t *manifest = lab_manifest_load(folder);
    if (manifest == NULL)
        return false;
    char *path = lab_heap_format("%s/result.json", folder);
    json_t *summary = json_load_file(path, 0, NULL);
    free(path);
    if (summary == NULL) {
        fprintf(log, "hearsay-lab: %s: was not finished, and is left out\n", folder);
        json_decref(manifest);
        return true;
    }
    finds->found = lab_heap_grow(finds->found, finds->count, &finds->room, sizeof *finds->found);
    finds->found[finds->count++] = (struct lab_found){lab_heap_copy(folder), manifest, summary};
    return true;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A list of folders that grows while it is gone through: each is below one before it. */
struct queue {
    char **folder;
    int *level;
    size_t count, room, level_room;
};

static void queue_add(struct queue *queue, char *folder, int level)
{
    queue->folder = lab_heap_grow(queue->folder, queue->count, &queue->room, sizeof *queue->folder);
    queue->level =
        lab_heap_grow(queue->level, queue->count, &queue->level_room, sizeof *queue->level);
    queue->folder[queue->count] = folder;
    queue->level[queue->count++] = level;
}

static void queue_add_below(struct queue *queue, size_t index)
{
    struct dirent **entry;
    int count = scandir(queue->folder[index], &entry, visible, alphasort);
    for (int i = 0; i < count; i++) {
        struct stat info;
        char *path = lab_heap_format("%s/%s", queue->folder[index], entry[i]->d_name);
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            queue_add(queue, path, queue->level[index] + 1);
        else
            free(path);
        free(entry[i]);
    }
    if (count >= 0)
        free(entry);
}

void lab_report_find(struct lab_finds *finds, const char *folder, FILE *log)
{
    struct queue queue = {0};
    queue_add(&queue, lab_heap_copy(folder), 0);
    for (size_t i = 0; i < queue.count; i++) {
        if (!add(finds, queue.folder[i], log) && queue.level[i] < LEVELS_BELOW)
            queue_add_below(&queue, i);
    }
    for (size_t i = 0; i < queue.count; i++)
        free(queue.folder[i]);
    free(queue.folder);
    free(queue.level);
}

void lab_report_find_free(struct lab_finds *finds)
{
    for (size_t i = 0; i < finds->count; i++) {
        free(finds->found[i].folder);
        json_decref(finds->found[i].manifest);
        json_decref(finds->found[i].summary);
    }
    free(finds->found);
    *finds = (struct lab_finds){0};
}

/* --- tables ---------------------------------------------------------------------------------- */

/* A setting as it was written: the text, or the number. */
static char *setting_text(const json_t *value)
{
    if (json_is_string(value))
        return lab_heap_copy(json_string_value(value));
    char *text = json_dumps(value, JSON_ENCODE_ANY | LAB_JSON_FORM);
    return text != NULL ? text : lab_heap_copy("");
}

static int add_point(struct lab_csv *csv, const char *path, const json_t *settings,
                     struct lab_why *why)
{
    size_t room = json_object_size(settings), keys = 0;
    const char **key = lab_heap_new(room, sizeof *key), *name;
    char **value = lab_heap_new(room, sizeof *value);
    json_t *each;
    json_object_foreach((json_t *)settings, name, each)
    {
        key[keys] = name;
        value[keys++] = setting_text(each);
    }
    struct lab_csv_front front = {key, (const char *const *)value, keys};
    int rc = lab_csv_read(csv, path, &front, why);
    /* The cells point at the values: they live as long as the table. */
    for (size_t i = 0; i < keys; i++) {
        csv->text = lab_heap_grow(csv->text, csv->texts, &csv->texts_room, sizeof *csv->text);
        csv->text[csv->texts++] = value[i];
    }
    free(key);
    free(value);
    return rc;
}

static int read_points(const struct lab_found *found, const char *table, struct lab_csv *csv,
                       struct lab_why *why)
{
    json_t *points = json_object_get(found->manifest, "points"), *point;
    size_t i;
    json_array_foreach(points, i, point)
    {
        const char *folder = json_string_value(json_object_get(point, "folder"));
        char *path = lab_heap_format("%s/%s/tables/%s.csv", found->folder,
                                     folder != NULL ? folder : "", table);
        int rc = add_point(csv, path, json_object_get(point, "settings"), why);
        free(path);
        /* Not every point need have it. */
        if (rc != 0 && rc != HSAY_ENOENT)
            return rc;
    }
    return csv->columns > 0 ? 0 : HSAY_ENOENT;
}

int lab_report_table(const struct lab_found *found, const char *table, struct lab_csv *csv,
                     struct lab_why *why)
{
    const char *kind = json_string_value(json_object_get(found->manifest, "kind"));
    bool sweep = kind != NULL && strcmp(kind, "sweep") == 0;
    bool of_sweep = strcmp(table, "sweep") == 0;
    if (strchr(table, '/') != NULL)
        return lab_why_set(why, HSAY_ENOENT, "'%s' is no name of a table", table);
    if (of_sweep && !sweep)
        return lab_why_set(why, HSAY_ENOENT, "only a sweep has it");
    if (sweep && !of_sweep)
        return read_points(found, table, csv, why);
    char *path = lab_heap_format(of_sweep ? "%s/%s.csv" : "%s/tables/%s.csv", found->folder, table);
    int rc = lab_csv_read(csv, path, NULL, why);
    free(path);
    return rc;
}
