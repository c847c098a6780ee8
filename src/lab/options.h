/* The command line of hearsay-lab. */
#ifndef HEARSAY_LAB_OPTIONS_H
#define HEARSAY_LAB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { LAB_OPTION_SETS_MAX = 256, LAB_OPTION_ARGS_MAX = 64, LAB_OPTION_VARIANTS_MAX = 256 };

/* Pointers are into argv. */
struct lab_options {
    const char *command;
    const char *arg[LAB_OPTION_ARGS_MAX]; /* what is no option, without the command */
    size_t args;
    const char *key[LAB_OPTION_SETS_MAX]; /* --set KEY=VALUE, --KEY VALUE and --KEY=VALUE */
    const char *value[LAB_OPTION_SETS_MAX];
    size_t sets;
    const char *variant[LAB_OPTION_VARIANTS_MAX]; /* --variant; none: all of them */
    size_t variants;
    const char *out;    /* -o */
    const char *events; /* --events: a folder */
    unsigned jobs;      /* -j; 0: as many as there are cores */
    bool jobs_given, json, quiet, help, version;
    char *owned[LAB_OPTION_SETS_MAX]; /* keys cut from KEY=VALUE */
};

/* False, and a sentence on standard error, if it makes no sense; free in any case. */
bool lab_options_read(struct lab_options *options, int argc, char **argv);

/* What a command may be given besides its words. */
enum {
    LAB_OPTION_SETTINGS = 1,
    LAB_OPTION_VARIANT = 2,
    LAB_OPTION_OUT = 4,
    LAB_OPTION_EVENTS = 8,
    LAB_OPTION_JOBS = 16,
};

/* False, and a sentence: there is something else, of which this command knows nothing. */
bool lab_options_only(const struct lab_options *options, unsigned allowed);
void lab_options_free(struct lab_options *options);

#endif
