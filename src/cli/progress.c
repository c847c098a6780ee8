#include "src/cli/progress.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/bytes.h"
#include "src/cli/out.h"

enum {
    BAR_GAP_MS = 100, /* quicker than this the eye sees no difference */
    JSON_GAP_MS = 1000,
    BAR_CELLS = 30,
};

void progress_init(struct progress *progress, const char *wish, const char *unit)
{
    *progress = (struct progress){.unit = unit, .begun_ms = clock_ms()};
    if (wish)
        progress->form = strcmp(wish, "json") == 0 ? PROGRESS_JSON : PROGRESS_NONE;
    else if (isatty(STDERR_FILENO))
        progress->form = PROGRESS_BAR;
    /* What is done before the first gap is over needs no bar. */
    progress->shown_ms = progress->begun_ms;
}

void progress_bar(char *text, size_t cells, uint64_t done, uint64_t total)
{
    static const char *const eighth[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bool fine = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    uint64_t eighths = total ? (done < total ? done : total) * cells * 8 / total : 0;
    size_t full = (size_t)(eighths / 8), used = full;
    *text = 0;
    for (size_t i = 0; i < full; i++)
        strcat(text, fine ? "█" : "#");
    if (fine && eighths % 8) {
        strcat(text, eighth[eighths % 8]);
        used++;
    }
    for (size_t i = used; i < cells; i++)
        strcat(text, fine ? " " : ".");
}

static void draw(const struct progress *progress, uint64_t done, uint64_t total, double seconds)
{
    char bar[BAR_CELLS * 4 + 1];
    double rate = seconds > 0 ? (double)done / seconds : 0;
    progress_bar(bar, BAR_CELLS, done, total);
    if (total)
        fprintf(stderr, "\r\033[K%s %3" PRIu64 "%%  %s of %s %s  %s/s", bar, done * 100 / total,
                out_number(done), out_number(total), progress->unit, out_number((uint64_t)rate));
    else
        fprintf(stderr, "\r\033[K%s %s  %s/s", out_number(done), progress->unit,
                out_number((uint64_t)rate));
    if (total > done && rate > 0)
        fprintf(stderr, "  %s left", out_seconds((double)(total - done) / rate));
}

static void show(struct progress *progress, uint64_t done, uint64_t total, uint64_t now)
{
    double seconds = (double)(now - progress->begun_ms) / 1000;
    progress->shown_ms = now;
    if (progress->form == PROGRESS_BAR) {
        draw(progress, done, total, seconds);
        return;
    }
    json_t *object = json_pack("{s:I, s:I, s:s, s:f}", "done", (json_int_t)done, "total",
                               (json_int_t)total, "unit", progress->unit, "seconds", seconds);
    if (!total)
        json_object_set_new(object, "total", json_null());
    json_dumpf(object, stderr, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fputc('\n', stderr);
    json_decref(object);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    uint64_t now = clock_ms();
    uint64_t gap = progress->form == PROGRESS_BAR ? BAR_GAP_MS : JSON_GAP_MS;
    if (progress->form != PROGRESS_NONE && now - progress->shown_ms >= gap)
        show(progress, done, total, now);
}

void progress_wipe(const struct progress *progress)
{
    if (progress->form == PROGRESS_BAR && progress->shown_ms != progress->begun_ms)
        fputs("\r\033[K", stderr);
}

void progress_end(struct progress *progress, uint64_t done, uint64_t total)
{
    if (progress->form == PROGRESS_JSON)
        show(progress, done, total, clock_ms());
    progress_wipe(progress);
}
