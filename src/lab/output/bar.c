#include "src/lab/output/bar.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    GAP_MS = 100, /* quicker than this the eye sees no difference */
    CELLS = 24,
    LINE_BYTES = 256,
};

/* An estimate from less than this is a guess. */
#define SHARE_LEAST 0.005

uint64_t lab_bar_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void lab_bar_init(struct lab_bar *bar, FILE *out, bool quiet)
{
    bool shown = !quiet && isatty(fileno(out)) == 1;
    *bar = (struct lab_bar){.out = shown ? out : NULL, .begun_ns = lab_bar_clock_ns()};
}

static void duration(char text[16], double seconds)
{
    if (seconds < 90)
        snprintf(text, 16, "%.0f s", seconds);
    else if (seconds < 90 * 60)
        snprintf(text, 16, "%.0f min", seconds / 60);
    else
        snprintf(text, 16, "%.1f h", seconds < 3.6e6 ? seconds / 3600 : 999);
}

void lab_bar_text(char *text, size_t size, const struct lab_bar_state *state, double elapsed_s,
                  size_t columns)
{
    double share = state->share < 0 ? 0 : state->share > 1 ? 1 : state->share;
    size_t full = (size_t)(share * CELLS);
    char cells[CELLS + 1], elapsed[16], left[16] = "";
    memset(cells, '#', full);
    memset(cells + full, '.', CELLS - full);
    cells[CELLS] = 0;
    duration(elapsed, elapsed_s);
    if (share >= SHARE_LEAST && share < 1)
        duration(left, elapsed_s * (1 - share) / share);
    snprintf(text, size, "[%s] %zu/%zu %3.0f%%  %s%s%s%s  %s", cells, state->done, state->total,
             share * 100, elapsed, left[0] != 0 ? ", " : "", left, left[0] != 0 ? " left" : "",
             state->label);
    if (columns > 0 && columns < size)
        text[columns] = 0;
}

static size_t columns_of(FILE *out)
{
    struct winsize window = {0};
    if (ioctl(fileno(out), TIOCGWINSZ, &window) != 0 || window.ws_col == 0)
        return 79;
    return window.ws_col - 1;
}

void lab_bar_show(struct lab_bar *bar, const struct lab_bar_state *state)
{
    char text[LINE_BYTES];
    uint64_t now = lab_bar_clock_ns();
    if (bar->out == NULL || now - bar->begun_ns < GAP_MS * UINT64_C(1000000) ||
        now - bar->shown_ns < GAP_MS * UINT64_C(1000000))
        return;
    lab_bar_text(text, sizeof text, state, (double)(now - bar->begun_ns) / 1e9,
                 columns_of(bar->out));
    fprintf(bar->out, "\r\033[K%s", text);
    fflush(bar->out);
    bar->shown_ns = now;
}

void lab_bar_wipe(struct lab_bar *bar)
{
    if (bar->out != NULL && bar->shown_ns != 0) {
        fputs("\r\033[K", bar->out);
        fflush(bar->out);
    }
    bar->shown_ns = 0;
}
