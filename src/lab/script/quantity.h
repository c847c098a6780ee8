/*
 * Quantities as people write them: 500ms, 2h, 64k, 10%, yes.
 */
#ifndef HEARSAY_LAB_QUANTITY_H
#define HEARSAY_LAB_QUANTITY_H

#include <stddef.h>

/* What a text has to be, and what its number then counts. */
enum lab_kind {
    LAB_KIND_TEXT,    /* anything */
    LAB_KIND_WORD,    /* one of a few words */
    LAB_KIND_FLAG,    /* yes no true false on off 1 0: 1 or 0 */
    LAB_KIND_NUMBER,  /* -1.5, 1e-3 */
    LAB_KIND_COUNT,   /* 10, 100k, 1M: a whole number from 0 to 2^53 */
    LAB_KIND_SECONDS, /* 30, 30s, 500ms, 250us, 10ns, 5min, 2h, 7d, 1:30, 1:00:00; 0 to 10^9 */
    LAB_KIND_BYTES,   /* 1200, 64k, 1M (of 1000), 64KiB, 1MiB (of 1024) */
    LAB_KIND_SHARE,   /* 0.1 or 10%: 0 to 1, unless bounds say otherwise */
};

/* 0 and the number (NAN for texts and words), or HSAY_EINVAL and *number left alone. */
int lab_quantity_read(enum lab_kind kind, const char *text, double *number);

/* What was expected, after "expected ": "a time such as 30, 500ms, 5min or 2h". */
const char *lab_quantity_expected(enum lab_kind kind);

/* The kind by its name in a verb's arguments: number, count, seconds...  HSAY_ENOENT if none. */
int lab_quantity_kind(const char *name, size_t length, enum lab_kind *kind);

/* A decimal number at the beginning of a text, which must not be infinite; *rest behind it. */
int lab_quantity_decimal(const char *text, double *number, const char **rest);

#endif
