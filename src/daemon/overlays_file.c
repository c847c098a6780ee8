#include "src/daemon/overlays_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/file.h"
#include "src/daemon/daemon.h"

static void file_path(const struct daemon *d, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/overlays", PATH_MAX - 16, d->state);
}

static void write_lines(struct daemon *d, FILE *out)
{
    fputs("# Written by hearsayd: joined overlays and their peers.  Keep it secret.\n", out);
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        char text[PEER_NAME_TEXT_BYTES];
        char join[JOIN_TEXT_BYTES];

        join_format(join, &o->join);
        fprintf(out, "overlay %s %s\n", o->name, join);
        for (size_t i = 0; i < o->peer_count; i++) {
            peer_name_format(text, &o->peer[i]);
            fprintf(out, "peer %s %s\n", o->name, text);
        }
    }
}

int overlays_file_save(struct daemon *d)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int rc = HSAY_EIO;

    file_path(d, path);
    if (!out) {
        return HSAY_EIO;
    }
    write_lines(d, out);
    if (!fclose(out)) {
        rc = file_write(path, text, size, 0600);
    }
    free(text);
    return rc;
}

/* One line of the file: "overlay NAME JOIN" or "peer NAME TEXT". */
static int line_load(struct daemon *d, char *line, const char **what)
{
    char *rest = line;
    const char *word = strsep(&rest, " ");
    const char *name = strsep(&rest, " ");
    struct overlay *overlay;
    struct peer_name peer;
    struct join join;

    *what = "not written by hearsayd";
    if (line[0] == '#' || line[0] == 0) {
        return 0;
    }
    if (!name || !rest || !join_name_ok(name)) {
        return HSAY_EBAD;
    }
    if (!strcmp(word, "peer")) {
        overlay = overlays_find(d, name);
        if (!overlay || peer_name_parse(&peer, rest)) {
            return HSAY_EBAD;
        }
        return overlays_peer_append(overlay, &peer);
    }
    if (strcmp(word, "overlay") || join_parse(&join, rest)) {
        return HSAY_EBAD;
    }
    int rc = overlays_join_unsaved(d, name, &join, &overlay);

    *what = rc == HSAY_ENOSPC ? "more overlays than overlays-max allows" : hsay_strerror(rc);
    return rc;
}

int overlays_file_load(struct daemon *d, char *why, size_t why_size)
{
    char path[PATH_MAX];
    char *text, *rest, *line;
    size_t size;
    unsigned number = 1;
    int rc;

    file_path(d, path);
    rc = file_read(path, OVERLAYS_FILE_MAX_BYTES, &text, &size);
    if (rc) {
        snprintf(why, why_size, "cannot read %s: %s", path,
                 rc == HSAY_EIO ? strerror(errno) : hsay_strerror(rc));
        return rc == HSAY_ENOENT ? 0 : rc;
    }
    rest = text;
    for (; !rc && (line = strsep(&rest, "\n")); number++) {
        const char *what;

        rc = line_load(d, line, &what);
        if (rc) {
            snprintf(why, why_size, "%s:%u: %s", path, number, what);
        }
    }
    free(text);
    return rc;
}
