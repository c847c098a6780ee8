/* What the holds of a campaign's trials add up to, for one row of the matrix. */
#ifndef HEARSAY_LAB_NAT_KEPT_H
#define HEARSAY_LAB_NAT_KEPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "src/lab/output/result.h"

struct natlab_kept {
    unsigned trials; /* that met, were held, and whose paths could be looked at */
    double looks, open, unknown, whole, tried, came, doubted, answers, losses;
    unsigned throughout;                  /* trials in which both paths were open at each look */
    double shut_longest_s, gap_longest_s; /* of all trials */
    double shut_p99_s;                    /* of the trials' longest */
    unsigned flushes;                     /* trials with one */
    double flows, flush_looks, shut;
    unsigned answered_in_time, bundles_in_time; /* of the flushes: within NATLAB_FLUSH_STEPS */
    double answer_steps_worst, bundle_steps_worst, bundle_ms_worst;
    double answer_steps_sum, bundle_steps_sum;
    double answer_steps_p99, bundle_steps_p99, bundle_ms_p99;
};

enum { NATLAB_FLUSH_STEPS = 2 };

void natlab_kept_add(struct natlab_kept *kept, const struct lab_result *result);

/* Percentiles cannot be added up: whoever has all trials fills them in, by the names of results'
 * fields. */
struct natlab_percentile {
    const char *field, *given; /* counted where `given` is not 0 */
    double *to;
};
enum { NATLAB_KEPT_PERCENTILES = 4 };
void natlab_kept_percentiles(struct natlab_kept *kept,
                             struct natlab_percentile list[NATLAB_KEPT_PERCENTILES]);

/* NAN: nothing was held. */
double natlab_kept_share(const struct natlab_kept *kept);

void natlab_kept_put(json_t *object, const struct natlab_kept *kept);

/* One line of a table, and the line above it; `flush` is another table. */
void natlab_kept_print_head(bool flush, FILE *out);
void natlab_kept_print(const struct natlab_kept *kept, bool flush, FILE *out);

#endif
