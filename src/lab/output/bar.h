/* A progress bar on one line of a terminal. */
#ifndef HEARSAY_LAB_BAR_H
#define HEARSAY_LAB_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lab_bar {
    FILE *out; /* NULL: nobody looks */
    uint64_t begun_ns;
    uint64_t shown_ns; /* 0: nothing is shown */
};

struct lab_bar_state {
    size_t done, total;
    double share;      /* of all the work, 0 .. 1 */
    const char *label; /* what is being done */
};

uint64_t lab_bar_clock_ns(void);

/* Shows nothing if `out` is no terminal or `quiet`. */
void lab_bar_init(struct lab_bar *bar, FILE *out, bool quiet);

/* Call as often as you like. */
void lab_bar_show(struct lab_bar *bar, const struct lab_bar_state *state);

/* Leaves an empty line behind, for words to be written there. */
void lab_bar_wipe(struct lab_bar *bar);

/* The line, at most `columns` wide. */
void lab_bar_text(char *text, size_t size, const struct lab_bar_state *state, double elapsed_s,
                  size_t columns);

#endif
