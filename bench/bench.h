/* What the programs of this folder share: clocks, medians, and how a figure is printed. */
#ifndef HEARSAY_BENCH_BENCH_H
#define HEARSAY_BENCH_BENCH_H

#include <stddef.h>

/* One line `name value unit` on standard output, seen at once. */
void bench_figure(const char *name, double value, const char *unit);

/* A remark for people; bench/run.sh passes it over. */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why and ends the program with exit code 1. */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

double bench_seconds(void);        /* wall clock, monotonic */
double bench_thread_seconds(void); /* CPU time of this thread, user and system */

/* Sorts the values. */
double bench_median(double *values, size_t count);

#endif
