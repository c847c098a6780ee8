/* What makes a result one that can be made again: manifest.json. */
#ifndef HEARSAY_LAB_MANIFEST_H
#define HEARSAY_LAB_MANIFEST_H

#include <jansson.h>

#include "src/lab/output/study.h"

#define LAB_MANIFEST_PROGRAM "hearsay-lab"

enum lab_manifest_kind {
    LAB_MANIFEST_RUN,   /* one batch over variants and seeds */
    LAB_MANIFEST_SWEEP, /* over a grid: its points lie in folders below */
    LAB_MANIFEST_POINT, /* one of these */
};

/* A new object; `point` counts for LAB_MANIFEST_POINT alone. */
json_t *lab_manifest(const struct lab_study *study, const struct lab_result *result,
                     enum lab_manifest_kind kind, size_t point);

/* "loss=0.1,nodes=100", a folder's name whatever the values are.  free() it. */
char *lab_manifest_point_name(const struct lab_pairs *point);

/* The manifest of a folder, or a file, or NULL if there is none that this program wrote. */
json_t *lab_manifest_load(const char *folder);
json_t *lab_manifest_read(const char *path);

#endif
