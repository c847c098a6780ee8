/* What a campaign's trials add up to: a row for each pair, and what is said of all of them. */
#ifndef HEARSAY_LAB_NAT_MATRIX_H
#define HEARSAY_LAB_NAT_MATRIX_H

#include <jansson.h>

#include "src/lab/nat/campaign.h"
#include "src/lab/nat/kept.h"

/* One pair, or one direction of it.  A trial that did not connect has endlessly many steps and
 * milliseconds: a percentile that falls on one is endless, too. */
struct natlab_row {
    unsigned trials; /* that came to an end */
    unsigned known, introduced, mutual;
    unsigned connected; /* within the campaign's steps */
    unsigned at_once;   /* within two: without a search for ports */
    unsigned ever;      /* in the end */
    double punctures, punctures_made;
    struct natlab_kept kept;
    double steps_median, steps_p99, tries_p99;
    double milliseconds_median, milliseconds_p99;
};

/* Pairs, and how many of them connect in 99 % of the trials. */
struct natlab_tally {
    unsigned pairs;
    unsigned connected; /* within the campaign's steps */
    unsigned at_once;   /* within two */
};

struct natlab_matrix {
    const struct natlab_campaign *campaign;
    struct natlab_row pair[NATLAB_PAIRS_MAX];
    struct natlab_row mine_visits[NATLAB_PAIRS_MAX];
    struct natlab_row theirs_visits[NATLAB_PAIRS_MAX];
    /* Of the five classic kinds, those in the campaign; and of these, and a symmetric one with
     * ports in sequence in place of the one with ports by chance. */
    struct natlab_tally classic, sequential;
    /* Of random pairs as the NATs were in 2011, within the campaign's steps and within two; NAN:
     * some pair lacks. */
    double weighted_share, weighted_at_once;
};

/* result[jobs]; NULL if there are none. */
void natlab_matrix_fill(struct natlab_matrix *matrix, const struct natlab_campaign *campaign,
                        const struct lab_result *result);

void natlab_matrix_print(const struct natlab_matrix *matrix, FILE *out);

/* A new object. */
json_t *natlab_matrix_json(const struct natlab_matrix *matrix);

#endif
