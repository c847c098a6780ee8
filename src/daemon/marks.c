#include "src/daemon/marks.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "src/common/file.h"
#include "src/common/hex.h"
#include "src/daemon/daemon.h"
#include "src/daemon/log.h"

enum {
    FILE_MAX_BYTES = 1 << 20,
    SEQUENCE_AHEAD = 256, /* one write of the file for so many bundles of ours */
    TIME_AHEAD = 2000,    /* a fifth of what others accept */
};

static void file_path(const struct daemon *d, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/marks", PATH_MAX - 16, d->state);
}

/* "KEY STORE SEQUENCE TIME SEQUENCE_FLOOR TIME_FLOOR" into the mark of that overlay. */
static int line_read(const char *line, struct hsay_key *key, struct mark *mark)
{
    char key_hex[2 * HSAY_KEY_BYTES + 1], store_hex[2 * MARK_STORE_BYTES + 1];
    int end = 0;

    if (sscanf(line, "%64[0-9a-f] %32[0-9a-f] %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%n",
               key_hex, store_hex, &mark->sequence, &mark->time, &mark->sequence_floor,
               &mark->time_floor, &end) != 6 ||
        line[end] || hex_parse(key->byte, sizeof key->byte, key_hex) ||
        hex_parse(mark->store, sizeof mark->store, store_hex)) {
        return HSAY_EBAD;
    }
    mark->known = true;
    return 0;
}

/* The overlay's line, if there is one; `mark` is untouched otherwise. */
static int file_find(const struct daemon *d, const struct hsay_key *overlay, struct mark *mark)
{
    char path[PATH_MAX];
    char *text, *rest, *line;
    size_t size;
    int rc;

    file_path(d, path);
    rc = file_read(path, FILE_MAX_BYTES, &text, &size);
    if (rc) {
        return rc == HSAY_ENOENT ? 0 : rc;
    }
    rest = text;
    while (!rc && (line = strsep(&rest, "\n"))) {
        struct hsay_key key;
        struct mark found;

        if (line[0] == '#' || line[0] == 0) {
            continue;
        }
        rc = line_read(line, &key, &found);
        if (!rc && !memcmp(&key, overlay, sizeof key)) {
            *mark = found;
        }
    }
    free(text);
    return rc;
}

/* Keeps the lines of overlays that are not joined now: they may be joined again. */
static void write_others(const struct daemon *d, FILE *out)
{
    char path[PATH_MAX];
    char *text, *rest, *line;
    size_t size;

    file_path(d, path);
    if (file_read(path, FILE_MAX_BYTES, &text, &size)) {
        return;
    }
    rest = text;
    while ((line = strsep(&rest, "\n"))) {
        struct hsay_key key;
        struct mark mark;
        bool ours = line_read(line, &key, &mark) != 0;

        for (struct overlay *o = NULL; !ours && (o = overlays_next((struct daemon *)d, o));) {
            ours = !memcmp(&key, &o->join.overlay, sizeof key);
        }
        if (!ours) {
            fprintf(out, "%s\n", line);
        }
    }
    free(text);
}

static int file_save(struct daemon *d)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int rc = HSAY_EIO;

    if (!out) {
        return HSAY_EIO;
    }
    fputs("# Written by hearsayd: how far this author's log has got.  Keep it with the key.\n",
          out);
    write_others(d, out);
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        char key[2 * HSAY_KEY_BYTES + 1], store[2 * MARK_STORE_BYTES + 1];

        if (!o->mark.known) {
            continue;
        }
        hex_format(key, o->join.overlay.byte, HSAY_KEY_BYTES);
        hex_format(store, o->mark.store, MARK_STORE_BYTES);
        fprintf(out, "%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", key, store,
                o->mark.sequence, o->mark.time, o->mark.sequence_floor, o->mark.time_floor);
    }
    file_path(d, path);
    if (!fclose(out)) {
        rc = file_write(path, text, size, 0600);
    }
    free(text);
    return rc;
}

/* Where the store's name stands in the store. */
static void name_entry(const struct overlay *overlay, char entry[8 + HSAY_KEY_BYTES + 1])
{
    memcpy(entry, "store-", sizeof "store-");
    hex_format(entry + strlen(entry), overlay->join.overlay.byte, HSAY_KEY_BYTES / 2);
}

/* The store's name; a store without one is new and gets one. */
static int store_name(struct daemon *d, const struct overlay *overlay,
                      uint8_t name[MARK_STORE_BYTES])
{
    char entry[8 + HSAY_KEY_BYTES + 1];
    struct hsay_span have;
    int rc;

    name_entry(overlay, entry);
    rc = hsay_lmdb_meta_get(d->overlays.lmdb, entry, &have);
    if (!rc && have.size == MARK_STORE_BYTES) {
        memcpy(name, have.data, MARK_STORE_BYTES);
        return 0;
    }
    if (rc && rc != HSAY_ENOENT) {
        return rc;
    }
    hsay_sodium_random(name, MARK_STORE_BYTES);
    rc = hsay_lmdb_meta_put(d->overlays.lmdb, entry, (struct hsay_span){name, MARK_STORE_BYTES});
    return rc ? rc : hsay_lmdb_commit(d->overlays.lmdb);
}

/* The mark is of another store than the one we have: go on behind it. */
static void raise_floors(struct overlay *overlay)
{
    struct mark *mark = &overlay->mark;

    mark->sequence_floor = mark->sequence + 1;
    mark->time_floor = mark->time + 1;
    log_warnx("store",
              "%s: this is not the store that we published from; our log goes on with "
              "sequence %" PRIu64,
              overlay->name, mark->sequence_floor);
}

static int load(struct daemon *d, struct overlay *overlay, bool whole)
{
    uint8_t name[MARK_STORE_BYTES];
    int rc = store_name(d, overlay, name);

    memset(&overlay->mark, 0, sizeof overlay->mark);
    if (!rc) {
        rc = file_find(d, &overlay->join.overlay, &overlay->mark);
    }
    if (rc) {
        return rc;
    }
    if (overlay->mark.known && (!whole || memcmp(overlay->mark.store, name, sizeof name))) {
        raise_floors(overlay);
    }
    memcpy(overlay->mark.store, name, sizeof name);
    overlay->mark.loaded = true;
    return 0;
}

void marks_load(struct daemon *d, struct overlay *overlay, bool whole)
{
    int rc = load(d, overlay, whole);

    if (rc) {
        log_warnx("store", "%s: the mark of our log cannot be read or written: %s", overlay->name,
                  hsay_strerror(rc));
    }
}

void marks_forget_store(struct daemon *d, const struct overlay *overlay)
{
    char entry[8 + HSAY_KEY_BYTES + 1];

    name_entry(overlay, entry);
    hsay_lmdb_meta_put(d->overlays.lmdb, entry, (struct hsay_span){NULL, 0});
    hsay_lmdb_commit(d->overlays.lmdb);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

int marks_cover(struct daemon *d, struct overlay *overlay, struct hsay_draft *draft)
{
    struct mark *mark = &overlay->mark, before;
    struct hsay_store_info info;
    struct hsay_key author;
    uint64_t sequence = 0, time;
    int rc = mark->loaded ? 0 : load(d, overlay, false);

    if (rc) {
        return rc;
    }
    before = *mark;
    memcpy(author.byte, d->author_secret + HSAY_SECRET_BYTES - HSAY_KEY_BYTES, sizeof author.byte);
    rc = overlay->store.ops->author_before(overlay->store.self, &author, UINT64_MAX, &sequence,
                                           &time);
    if (rc && rc != HSAY_ENOENT) {
        return rc;
    }
    overlay->store.ops->info(overlay->store.self, &info);
    sequence = larger(sequence + 1, mark->sequence_floor);
    time = larger(info.time_max + 1, mark->time_floor);
    draft->sequence_min = mark->sequence_floor;
    draft->time_min = mark->time_floor;
    if (mark->known && sequence <= mark->sequence && time <= mark->time) {
        return 0;
    }
    mark->known = true;
    mark->sequence = sequence + SEQUENCE_AHEAD;
    mark->time = time + TIME_AHEAD;
    rc = file_save(d);
    if (rc) {
        *mark = before;
    }
    return rc;
}
