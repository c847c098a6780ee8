/*
 * What the operator wants.  One table (conf_key in conf.c) says for each key of the file in which
 * section it stands, what it may be, which option and which variable of the environment set it too,
 * and whether a reload can change it.
 *
 * Who is heard: option, then environment, then file, then default.  Lists of addresses to listen at
 * replace each other in that order; peers and overlays add up.
 *
 * Pure but for conf_environment: reading files is the caller's.
 */
#ifndef HEARSAY_DAEMON_CONF_H
#define HEARSAY_DAEMON_CONF_H

#include <limits.h>

#include "hearsay/node.h"
#include "src/common/join.h"
#include "src/common/peer_name.h"

enum {
    CONF_LISTEN_MAX = 8,
    CONF_PEERS_MAX = 256,
    CONF_OVERLAYS_MAX = 64,
    CONF_ERROR_BYTES = 1536,
};

enum conf_level { CONF_DEFAULT, CONF_FILE, CONF_ENVIRONMENT, CONF_OPTION };

/* How to walk; -1 where nothing was said. */
struct conf_walk {
    int64_t policy;
    int64_t step_ms;
    int64_t fixed_step;
    int64_t pull_only;
    int64_t answer_bytes;
    int64_t answer_bytes_max;
    int64_t mail_fanout;
};

struct conf_peer {
    char overlay[JOIN_NAME_BYTES]; /* "": all */
    struct peer_name name;
};

struct conf_overlay {
    char name[JOIN_NAME_BYTES];
    char join[JOIN_TEXT_BYTES]; /* "": joined by other means, this only says how to walk it */
    int64_t quota_bytes;        /* -1: as in [store] */
    struct conf_walk walk;
};

/* Numbers are int64_t throughout, so that one table can set and compare them. */
struct conf {
    char state[PATH_MAX];
    char control[PATH_MAX]; /* "": path_control() */
    char control_group[64];
    struct hsay_addr listen[CONF_LISTEN_MAX];
    size_t listen_count;
    enum conf_level listen_level; /* of who filled the list */
    struct conf_peer peer[CONF_PEERS_MAX];
    size_t peer_count;
    struct conf_overlay overlay[CONF_OVERLAYS_MAX];
    size_t overlay_count;
    struct conf_walk walk;
    int64_t lan_beacons;
    int64_t port_mapping; /* enum portmap_mode */
    int64_t port_search;
    int64_t overlays_max;
    int64_t candidates_max;
    int64_t datagram_bytes;
    int64_t quota_bytes;
    int64_t log_level;
    int64_t log_format;
};

/* One sentence: where, what is wrong, how to mend it. */
struct conf_error {
    char text[CONF_ERROR_BYTES];
};

void conf_default(struct conf *conf);

/* All of these: 0, or HSAY_EINVAL with the error said.  file_name is only for that sentence. */
int conf_read(struct conf *conf, const char *file_name, const char *text, size_t size,
              struct conf_error *error);
int conf_environment(struct conf *conf, struct conf_error *error);
int conf_option(struct conf *conf, const char *option, const char *value, struct conf_error *error);

/* The index-th option that conf_option knows, "overlay" not among them; NULL past the last. */
const char *conf_option_at(size_t index);

/* How to walk the overlay of that name. */
void conf_overlay_walk(const struct conf *conf, const char *name, struct hsay_overlay_config *out);
const char *conf_policy_name(uint8_t policy);
const char *conf_log_level_name(int64_t level);
const char *conf_port_mapping_name(int64_t mode);

/* Which keys differ, as "section.key".  Takes over into `conf` what a reload can change. */
enum { CONF_CHANGES_MAX = 32, CONF_CHANGE_BYTES = 96 };
struct conf_changes {
    char changed[CONF_CHANGES_MAX][CONF_CHANGE_BYTES];
    size_t changed_count;
    char restart[CONF_CHANGES_MAX][CONF_CHANGE_BYTES];
    size_t restart_count;
};
void conf_reload(struct conf *conf, const struct conf *wanted, struct conf_changes *changes);

#endif
