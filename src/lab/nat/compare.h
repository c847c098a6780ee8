/*
 * Two matrices of the same pairs, from two engines: where they agree, and where one does what the
 * other does not.
 *
 * Counts are compared by Fisher's exact test: how likely is it that two samples of one thing differ
 * at least as much?  Where that is less than one in a hundred for any of the counts, the pair
 * differs.  Times differ where the medians are further apart than the wider of the two spreads,
 * from its median to its 99th percentile, and what a machine explains that is busy with many
 * daemons. Where some trials did not connect that percentile is endless, and times are not
 * compared.
 *
 * Of what was held, trials are counted likewise.  The share of seconds is not: a path that is shut
 * now was most likely shut a second ago, so that seconds are no sample.
 */
#ifndef HEARSAY_LAB_NAT_COMPARE_H
#define HEARSAY_LAB_NAT_COMPARE_H

#include "src/lab/nat/matrix.h"

struct natlab_verdict {
    double connected, ever, introduced, mutual; /* that likely; NAN: nothing to compare */
    double throughout, came;                    /* of trials that were held */
    double answered, bundles;                   /* of flushes: within two steps */
    double kept_share;   /* the second's less the first's; NAN: not both have one */
    double milliseconds; /* the second's median less the first's; NAN: not both have one */
    bool counts_agree, kept_agrees, times_agree;
};

struct natlab_comparison {
    const struct natlab_matrix *first, *second; /* of the same pairs */
    struct natlab_verdict pair[NATLAB_PAIRS_MAX];
    unsigned compared, agreed; /* pairs */
};

/* Two-sided: a of a_all here, b of b_all there.  NAN: one of the samples is empty. */
double natlab_compare_counts(unsigned a, unsigned a_all, unsigned b, unsigned b_all);

void natlab_compare(struct natlab_comparison *comparison, const struct natlab_matrix *first,
                    const struct natlab_matrix *second);

void natlab_comparison_print(const struct natlab_comparison *comparison, FILE *out);

/* A new object, with both matrices in it. */
json_t *natlab_comparison_json(const struct natlab_comparison *comparison);

#endif
