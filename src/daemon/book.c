#include "src/daemon/book.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/common/file.h"
#include "src/common/hex.h"
#include "src/daemon/daemon.h"
#include "src/daemon/log.h"

enum { FILE_MAX_BYTES = 8 << 20 };

static void file_path(const struct daemon *d, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.*s/peers", PATH_MAX - 16, d->state);
}

/* "KEY ADDR KEY" for this overlay. */
static void line_load(struct daemon *d, struct overlay *overlay, char *line)
{
    const char *key = strsep(&line, " ");
    const char *addr = strsep(&line, " ");
    struct hsay_key of;
    struct hsay_peer peer;

    if (!line || hex_parse(of.byte, sizeof of.byte, key) ||
        memcmp(&of, &overlay->join.overlay, sizeof of) || hsay_addr_parse(&peer.addr, addr) ||
        hex_parse(peer.key.byte, sizeof peer.key.byte, line)) {
        return;
    }
    hsay_node_add_peer(d->node, clock_now(&d->clock), overlay->number, &peer, HSAY_BUCKET_BOOK);
}

void book_load(struct daemon *d, struct overlay *overlay)
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
        line_load(d, overlay, line);
    }
    free(text);
}

static void write_overlay(struct daemon *d, const struct overlay *overlay, FILE *out)
{
    struct hsay_peer peer;
    char of[2 * HSAY_KEY_BYTES + 1], key[2 * HSAY_KEY_BYTES + 1];
    char addr[HSAY_ADDR_TEXT_BYTES];

    hex_format(of, overlay->join.overlay.byte, HSAY_KEY_BYTES);
    for (size_t i = 0; !hsay_node_book_at(d->node, overlay->number, i, &peer); i++) {
        hsay_addr_format(addr, sizeof addr, &peer.addr);
        hex_format(key, peer.key.byte, sizeof peer.key.byte);
        fprintf(out, "%s %s %s\n", of, addr, key);
    }
}

static uint64_t hash_of(const struct daemon *d, const char *text, size_t size)
{
    struct hsay_span none = {0};
    struct hsay_span part = {(const uint8_t *)text, size};
    uint64_t hash[2];

    d->crypto.ops->hash(d->crypto.self, (uint8_t *)hash, sizeof hash, none, &part, 1);
    return hash[0];
}

void book_save(struct daemon *d)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    uint64_t hash;

    if (!out) {
        return;
    }
    for (struct overlay *o = NULL; (o = overlays_next(d, o));) {
        write_overlay(d, o, out);
    }
    if (fclose(out)) {
        free(text);
        return;
    }
    hash = hash_of(d, text, size);
    file_path(d, path);
    if (hash != d->book.saved_hash) {
        if (file_write(path, text, size, 0600)) {
            log_warn("book", "cannot write %s", path);
        } else {
            d->book.saved_hash = hash;
            d->book.has_peers = size > 0;
        }
    }
    free(text);
}
