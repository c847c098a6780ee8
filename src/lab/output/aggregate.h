/*
 * Several seeds of one variant made into one set of fields.
 *
 * A number f becomes f, f_mean, f_least, f_worst (the largest) and f_p95 (the value that 95 % of
 * the seeds do not exceed).  The plain f is the mean unless a rule says otherwise.  A seed without
 * the field does not count; a seed in which it has no value (null) makes the plain f null and is
 * counted in f_missing, while the others are over the seeds that have one: "when did all have it"
 * must not look good because it never happened.  The same holds for a seed that has failed, which
 * has the text "error" and nothing else; there is no digest of the others then.
 *
 * A text that is the same in all seeds stays; a digest ("digest", "..._digest") becomes the digest
 * of the digests in the order of the seeds; of other texts there is a list.
 */
#ifndef HEARSAY_LAB_AGGREGATE_H
#define HEARSAY_LAB_AGGREGATE_H

#include <jansson.h>

#include "src/lab/output/study.h"

/* run[runs], in the order of the seeds, runs >= 1.  The new object has the fields in the order in
 * which they were given first. */
json_t *lab_aggregate(const struct lab_result *run, size_t runs, const struct lab_field_rule *rule,
                      size_t rules);

/* The names that are fields of some run, in that order; as long as the runs. */
struct lab_field_names {
    const char **name;
    size_t count, room;
};
void lab_field_names(struct lab_field_names *names, const struct lab_result *run, size_t runs);
void lab_field_names_free(struct lab_field_names *names);

#endif
