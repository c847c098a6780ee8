/* The command line, kept as it was said so that a reload can say it again. */
#ifndef HEARSAY_DAEMON_OPTIONS_H
#define HEARSAY_DAEMON_OPTIONS_H

#include "src/daemon/conf.h"

enum { OPTIONS_SAID_MAX = 512 };

struct options_said {
    const char *name; /* NULL in conf_option's terms: none */
    const char *value;
};

struct options {
    const char *config; /* NULL: the usual place, if there is a file */
    bool check_config;
    bool version;
    bool help;
    struct options_said said[OPTIONS_SAID_MAX];
    size_t said_count;
};

/* HSAY_EINVAL with the error said.  Keeps pointers into argv. */
int options_read(struct options *options, int argc, char **argv, struct conf_error *error);

/* All in its order: default, file, environment, options.  HSAY_EINVAL with the error said. */
int options_conf(const struct options *options, struct conf *conf, struct conf_error *error);

void options_usage(void);

#endif
