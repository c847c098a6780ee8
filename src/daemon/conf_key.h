/* The table of keys, for conf.c, which has it, and conf_read.c, which goes through it. */
#ifndef HEARSAY_DAEMON_CONF_KEY_H
#define HEARSAY_DAEMON_CONF_KEY_H

#include "src/daemon/conf.h"

enum conf_type {
    TYPE_BOOL,
    TYPE_BYTES,
    TYPE_MS,
    TYPE_NUMBER,
    TYPE_CHOICE,
    TYPE_TEXT,
    TYPE_LISTEN,
    TYPE_PEER,
    TYPE_JOIN,
};

struct conf_key {
    const char *name; /* NULL ends a table */
    enum conf_type type;
    size_t offset; /* in struct conf, conf_overlay or conf_walk */
    size_t bytes;
    const char *option; /* NULL: in the file alone */
    int64_t low, high;
    const char *const *choice;
    const char *expected;
    bool live; /* a reload can change it */
};

struct conf_section {
    const char *name;
    const struct conf_key *key;
    const struct conf_key *shared; /* keys of struct conf_walk, or NULL */
};
extern const struct conf_section conf_section[]; /* the last has no name */

/* Where a value goes. */
struct conf_place {
    const struct conf_section *section;
    char title[JOIN_NAME_BYTES];
    void *own; /* struct conf or struct conf_overlay */
    struct conf_walk *walk;
};

/* What somebody said, for the sentence when it is wrong. */
struct conf_said {
    const char *where; /* "hearsay.conf:12", "hearsayd", "environment" */
    const char *name;  /* "step", "--step", "HEARSAY_STEP" */
    const char *value;
};

int conf_place_find(struct conf *conf, const char *where, const char *section, const char *title,
                    struct conf_place *out, struct conf_error *error);
int conf_set(struct conf *conf, const struct conf_place *place, const char *name,
             enum conf_level level, const struct conf_said *said, struct conf_error *error);

#endif
