/* The lines of a scenario out of its files, one after the other.  See reader.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/embedded.h"
#include "src/lab/script/names.h"
#include "src/lab/script/reader.h"
#include "src/lab/script/heap.h"

static const char suffix[] = ".scenario";

/* --- files ----------------------------------------------------------------------------------- */

/* A file on disk, or one that is part of the program. */
struct found {
    const char *name, *path, *text;
    size_t size;
};

/* All of a stream; HSAY_ENOSPC if it is longer than a scenario may be. */
static int stream_read(FILE *stream, struct lab_arena *arena, struct found *found)
{
    size_t room = 1 << 16, size = 0;
    char *bytes = lab_script_realloc(NULL, room);
    for (size_t got; (got = fread(bytes + size, 1, room - size, stream)) > 0;) {
        size += got;
        if (size == room && room <= LAB_SCENARIO_FILE_BYTES)
            bytes = lab_script_realloc(bytes, room *= 2);
    }
    int rc = size > LAB_SCENARIO_FILE_BYTES ? HSAY_ENOSPC : 0;
    if (ferror(stream)) /* a folder does not stand in the way of a shipped one with its name */
        rc = errno == EISDIR ? HSAY_ENOENT : HSAY_EIO;
    if (rc == 0) {
        found->text = lab_arena_text_part(arena, bytes, size);
        found->size = size;
    }
    free(bytes);
    return rc;
}

static int file_read(const char *path, struct lab_arena *arena, struct found *found)
{
    FILE *stream = fopen(path, "rbe");
    if (stream == NULL)
        return errno == ENOENT || errno == ENOTDIR ? HSAY_ENOENT : HSAY_EIO;
    int rc = stream_read(stream, arena, found);
    fclose(stream);
    if (rc == 0)
        found->name = found->path = lab_arena_text(arena, path);
    return rc;
}

static int shipped_read(const char *name, struct lab_arena *arena, struct found *found)
{
    const struct lab_embedded *embedded = lab_embedded_find(name);
    char file[LAB_NAME_BYTES + sizeof suffix];
    if (embedded == NULL)
        return HSAY_ENOENT;
    snprintf(file, sizeof file, "%s%s", embedded->name, suffix);
    *found = (struct found){lab_arena_text(arena, file), NULL, embedded->text, embedded->size};
    return 0;
}

/* The file, the file with .scenario behind its name, the shipped one. */
static int any_read(const char *folder, int folder_length, const char *name,
                    struct lab_arena *arena, struct found *found)
{
    char path[PATH_MAX];
    int rc = HSAY_ENOENT;
    for (unsigned i = 0; i < 2 && rc == HSAY_ENOENT && folder != NULL; i++) {
        int length = snprintf(path, sizeof path, "%.*s%s%s", name[0] == '/' ? 0 : folder_length,
                              folder, name, i == 0 ? "" : suffix);
        if (length > 0 && (size_t)length < sizeof path)
            rc = file_read(path, arena, found);
    }
    return rc == HSAY_ENOENT ? shipped_read(name, arena, found) : rc;
}

static const char *embedded_name(const void *list, size_t i)
{
    return ((const struct lab_embedded *)list)[i].name;
}

static void missing(struct lab_reader *reader, const char *name, int rc)
{
    struct lab_names known = {lab_embedded_table, lab_embedded_count, embedded_name};
    if (rc == HSAY_ENOSPC) {
        lab_reader_fault(reader, "%s is over %d bytes long", name, LAB_SCENARIO_FILE_BYTES);
    } else if (rc == HSAY_EIO) {
        lab_reader_fault(reader, "%s can not be read: %s", name, strerror(errno));
    } else {
        lab_names_unknown(reader->why, sizeof reader->why, "scenario", name, &known);
        lab_reader_fault(reader, "no such file, and %s", reader->why);
    }
}

/* --- the stack of files ---------------------------------------------------------------------- */

/* The same file by another name is the same. */
static const char *identity_of(struct lab_arena *arena, const struct found *found)
{
    char *real = found->path != NULL ? realpath(found->path, NULL) : NULL;
    const char *identity = lab_arena_text(arena, real != NULL ? real : found->name);
    free(real);
    return identity;
}

/* Whether the file may be read here; a fault if not. */
static bool allowed(struct lab_reader *reader, const struct found *found, const char *identity)
{
    for (unsigned i = 0; i < reader->depth; i++) {
        if (strcmp(reader->source[i].identity, identity) == 0) {
            lab_reader_fault(reader, "%s would include itself", found->name);
            return false;
        }
    }
    if (reader->depth == LAB_SCENARIO_DEPTH_MAX)
        lab_reader_fault(reader, "files include each other more than %d deep",
                         LAB_SCENARIO_DEPTH_MAX);
    else if (reader->scenario->file_count == LAB_SCENARIO_FILES_MAX)
        lab_reader_fault(reader, "more than %d files are included", LAB_SCENARIO_FILES_MAX);
    else
        return true;
    return false;
}

static int push(struct lab_reader *reader, const struct found *found)
{
    struct lab_scenario *scenario = reader->scenario;
    const char *identity = identity_of(&scenario->arena, found);
    if (!allowed(reader, found, identity))
        return HSAY_EINVAL;
    struct lab_scenario_file *file = &scenario->file[scenario->file_count++];
    *file = (struct lab_scenario_file){found->name, found->text, found->size};
    reader->source[reader->depth++] =
        (struct lab_source){.file = file, .identity = identity, .path = found->path};
    return 0;
}

int lab_source_open(struct lab_reader *reader, const char *path)
{
    struct found found = {0};
    reader->at = (struct lab_script_place){lab_arena_text(&reader->scenario->arena, path), 0};
    int rc = any_read("", 0, path, &reader->scenario->arena, &found);
    if (rc == 0)
        return push(reader, &found);
    missing(reader, path, rc);
    return rc == HSAY_ENOENT ? HSAY_ENOENT : HSAY_EIO;
}

int lab_source_open_text(struct lab_reader *reader, const char *name, const char *path,
                         const char *text, size_t size)
{
    struct lab_arena *arena = &reader->scenario->arena;
    struct found found = {.size = size};
    found.name = lab_arena_text(arena, name);
    found.path = path != NULL ? lab_arena_text(arena, path) : NULL;
    found.text = lab_arena_text_part(arena, text, size);
    reader->at = (struct lab_script_place){found.name, 0};
    if (size <= LAB_SCENARIO_FILE_BYTES)
        return push(reader, &found);
    missing(reader, name, HSAY_ENOSPC);
    return HSAY_EIO;
}

void lab_source_include(struct lab_reader *reader, const char *name)
{
    const char *path = reader->source[reader->depth - 1].path;
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    struct found found = {0};
    int rc = any_read(path, slash != NULL ? (int)(slash + 1 - path) : 0, name,
                      &reader->scenario->arena, &found);
    if (rc != 0)
        missing(reader, name, rc);
    else
        (void)push(reader, &found);
}

/* --- lines ----------------------------------------------------------------------------------- */

/* How many bytes a letter in UTF-8 has, 0 if it is none. */
static size_t letter_bytes(const unsigned char *at, size_t left)
{
    size_t size = at[0] < 0x80                     ? 1
                  : at[0] >= 0xc2 && at[0] <= 0xdf ? 2
                  : at[0] >= 0xe0 && at[0] <= 0xef ? 3
                  : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4
                                                   : 0;
    if (size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Too long a form, a surrogate, or beyond the last letter. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90))
        return 0;
    return size;
}

/* What stands in a scenario ends up in reports, which have to be text. */
static bool line_ok(struct lab_reader *reader)
{
    const unsigned char *at = (const unsigned char *)reader->line;
    for (size_t i = 0, size; i < reader->size; i += size) {
        size = letter_bytes(at + i, reader->size - i);
        if (size == 0) {
            lab_reader_fault(reader, "byte %zu of the line is not UTF-8", i + 1);
            return false;
        }
        if ((at[i] < 32 && at[i] != '\t') || at[i] == 127) {
            lab_reader_fault(reader, "byte %zu of the line is a control character", i + 1);
            return false;
        }
    }
    return true;
}

static void line_take(struct lab_reader *reader, struct lab_source *source)
{
    const char *start = source->file->text + source->used;
    size_t left = source->file->size - source->used;
    const char *end = memchr(start, '\n', left);
    size_t size = end != NULL ? (size_t)(end - start) : left;

    source->used += size + (end != NULL);
    source->line++;
    if (size > 0 && start[size - 1] == '\r')
        size--;
    while (size > 0 && (*start == ' ' || *start == '\t')) {
        start++;
        size--;
    }
    reader->at = (struct lab_script_place){source->file->name, source->line};
    reader->line = start;
    reader->size = size;
}

bool lab_source_next(struct lab_reader *reader)
{
    while (reader->depth > 0 && reader->faults->more == 0) {
        struct lab_source *source = &reader->source[reader->depth - 1];
        if (source->used == source->file->size) {
            reader->depth--;
            continue;
        }
        line_take(reader, source);
        if (line_ok(reader))
            return true;
    }
    return false;
}
