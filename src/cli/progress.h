/*
 * How far long work is, on stderr: a bar on a terminal, a line of JSON a second with
 * --progress=json, else nothing.
 */
#ifndef HEARSAY_CLI_PROGRESS_H
#define HEARSAY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum progress_form { PROGRESS_NONE, PROGRESS_BAR, PROGRESS_JSON };

struct progress {
    enum progress_form form;
    const char *unit; /* "bundles" */
    uint64_t begun_ms;
    uint64_t shown_ms;
};

/* `wish` is what --progress says, or NULL. */
void progress_init(struct progress *progress, const char *wish, const char *unit);

/* Call as often as you like; total 0: not known. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total);

/* Wipes the bar away, so that what follows stands at the left edge. */
void progress_wipe(const struct progress *progress);

/* The last state, and no bar any more. */
void progress_end(struct progress *progress, uint64_t done, uint64_t total);

/* A bar of `cells` columns, in eighths where the terminal speaks UTF-8; `text` holds 4 * cells + 1.
 */
void progress_bar(char *text, size_t cells, uint64_t done, uint64_t total);

#endif
