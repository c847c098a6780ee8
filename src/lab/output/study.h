/*
 * A study: an experiment with its variants, seeds and, in a sweep, the points of a grid.  All that
 * the output needs to know, in plain words: whoever reads scenarios and settings fills this in.
 * Everything pointed to is the caller's and must live as long as the study is used.
 */
#ifndef HEARSAY_LAB_STUDY_H
#define HEARSAY_LAB_STUDY_H

#include <stddef.h>
#include <stdint.h>

#include "src/lab/output/figure.h"
#include "src/lab/output/result.h"

struct lab_pair {
    const char *key;
    const char *value; /* as it is written on a command line */
};

struct lab_pairs {
    const struct lab_pair *pair;
    size_t count;
};

struct lab_variant {
    const char *name;
    const char *help;          /* what it is, in words; NULL or "": none */
    struct lab_pairs settings; /* on top of the study's */
};

/* A field of the final object: left, or left `op` right.  An operand is "variant.field" or a
 * number; op is one of "+-*" "/", or 0 when left stands alone. */
struct lab_derived {
    const char *field;
    const char *left;
    const char *right;
    char op;
    const char *place; /* "file:line" of who wants it; NULL: nobody knows */
};

/* What the plain name of a field stands for when there are several seeds. */
enum lab_plain {
    LAB_PLAIN_MEAN,
    LAB_PLAIN_LEAST,
    LAB_PLAIN_LARGEST,
    LAB_PLAIN_SUM,
};

struct lab_field_rule {
    const char *field;
    enum lab_plain plain;
};

struct lab_study {
    const char *experiment;
    const char *description; /* a paragraph; NULL: none */
    const char *scenario;    /* the whole text with what it includes; NULL: none */
    const char *version;
    const char *command; /* what was typed */
    uint64_t nodes;
    unsigned threads;                  /* of one run */
    struct lab_pairs settings;         /* of the plain variant */
    struct lab_pairs given;            /* of these, what the user said */
    const struct lab_variant *variant; /* the first is the plain one */
    size_t variants;
    const uint64_t *seed;
    size_t seeds;
    const struct lab_pairs *point; /* of a sweep, each with the same keys */
    size_t points;                 /* 0: no sweep */
    const struct lab_derived *derived;
    size_t derived_count;
    const struct lab_field_rule *rule;
    size_t rules;
    const struct lab_figure *figure;
    size_t figures;
};

/* Runs are numbered by point, then variant, then seed; this is the order of their results. */
size_t lab_study_runs(const struct lab_study *study);

struct lab_place {
    size_t point, variant, seed; /* indexes */
};
struct lab_place lab_study_place(const struct lab_study *study, size_t run);
size_t lab_study_run(const struct lab_study *study, struct lab_place place);

/* "main", or "main, loss=0.1" in a sweep.  free() it. */
char *lab_study_name(const struct lab_study *study, struct lab_place place);

#endif
