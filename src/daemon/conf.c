#include "src/daemon/conf.h"

#include <stdio.h>
#include <string.h>

#include "src/daemon/value.h"
#include "src/daemon/conf_key.h"

static const char *const policies[] = {"hearsay", "paper", "code2019", NULL};
static const char *const levels[] = {"error", "warning", "notice", "info", "debug", "trace", NULL};
static const char *const formats[] = {"text", "json", "journal", NULL};

/* In the order of enum portmap_mode; the first is the default. */
static const char *const mappings[] = {"auto", "no", "pcp", "nat-pmp", "upnp", NULL};

static const char yes_or_no[] = "yes or no";
static const char an_answer[] = "a size from 1kB to 16MB, like 64kB";
static const char a_quota[] = "a size like 2GB, or 0 for no bound";
static const char a_peer[] = "HOST:PORT or HOST:PORT#KEY, IPv6 addresses in brackets";

#define QUOTA_MAX          (INT64_C(1) << 46)
#define FIELD(type, field) .offset = offsetof(type, field), .bytes = sizeof((type *)0)->field

/* In [node] for every overlay, in [overlay NAME] for one. */
static const struct conf_key walk_key[] = {
    {"policy", TYPE_CHOICE, FIELD(struct conf_walk, policy), .option = "policy", .choice = policies,
     .expected = "hearsay, paper or code2019"},
    {"step", TYPE_MS, FIELD(struct conf_walk, step_ms), .option = "step", .low = 50,
     .high = 3600000, .expected = "a time from 0.05 to 3600 seconds, like 5s or 500ms"},
    {"fixed-step", TYPE_BOOL, FIELD(struct conf_walk, fixed_step), .expected = yes_or_no},
    {"pull-only", TYPE_BOOL, FIELD(struct conf_walk, pull_only), .expected = yes_or_no},
    {"answer-bytes", TYPE_BYTES, FIELD(struct conf_walk, answer_bytes), .low = 1000,
     .high = 16000000, .expected = an_answer},
    {"answer-bytes-max", TYPE_BYTES, FIELD(struct conf_walk, answer_bytes_max), .low = 1000,
     .high = 16000000, .expected = an_answer},
    {"mail-fanout", TYPE_NUMBER, FIELD(struct conf_walk, mail_fanout), .low = 1, .high = 64,
     .expected = "a number from 1 to 64"},
    {0},
};

static const struct conf_key node_key[] = {
    {"state", TYPE_TEXT, FIELD(struct conf, state), .option = "state", .expected = "a folder"},
    {"listen", TYPE_LISTEN, FIELD(struct conf, listen), .option = "listen",
     .expected = "ADDR:PORT, like [::]:6421 or 127.0.0.1:0"},
    {"peer", TYPE_PEER, FIELD(struct conf, peer), .option = "peer", .live = true,
     .expected = a_peer},
    {"lan-beacons", TYPE_BOOL, FIELD(struct conf, lan_beacons), .option = "lan-beacons",
     .live = true, .expected = yes_or_no},
    {"port-mapping", TYPE_CHOICE, FIELD(struct conf, port_mapping), .option = "port-mapping",
     .choice = mappings, .live = true, .expected = "auto, no, pcp, nat-pmp or upnp"},
    {"port-search", TYPE_BOOL, FIELD(struct conf, port_search), .option = "port-search",
     .expected = yes_or_no},
    {"overlays-max", TYPE_NUMBER, FIELD(struct conf, overlays_max), .low = 1,
     .high = CONF_OVERLAYS_MAX, .expected = "a number from 1 to 64"},
    {"candidates-max", TYPE_NUMBER, FIELD(struct conf, candidates_max), .low = 8, .high = 4096,
     .expected = "a number from 8 to 4096"},
    {"datagram-bytes", TYPE_BYTES, FIELD(struct conf, datagram_bytes),
     .low = HSAY_DATAGRAM_DEFAULT_BYTES, .high = HSAY_DATAGRAM_MAX_BYTES,
     .expected = "a size from 1232 to 1452 bytes"},
    {0},
};

static const struct conf_key store_key[] = {
    {"quota", TYPE_BYTES, FIELD(struct conf, quota_bytes), .option = "quota", .low = 0,
     .high = QUOTA_MAX, .expected = a_quota},
    {0},
};

static const struct conf_key control_key[] = {
    {"path", TYPE_TEXT, FIELD(struct conf, control), .option = "control",
     .expected = "the path of a socket, up to 107 bytes"},
    {"group", TYPE_TEXT, FIELD(struct conf, control_group), .expected = "the name of a group"},
    {0},
};

static const struct conf_key log_key[] = {
    {"level", TYPE_CHOICE, FIELD(struct conf, log_level), .option = "log-level", .choice = levels,
     .live = true, .expected = "error, warning, notice, info, debug or trace"},
    {"format", TYPE_CHOICE, FIELD(struct conf, log_format), .option = "log-format",
     .choice = formats, .live = true, .expected = "text, json or journal"},
    {0},
};

static const struct conf_key overlay_key[] = {
    {"join", TYPE_JOIN, FIELD(struct conf_overlay, join),
     .expected = "the text that `hearsay overlay show` prints, hsay1:KEY or hsay1:KEY:SECRET"},
    {"peer", TYPE_PEER, FIELD(struct conf, peer), .live = true, .expected = a_peer},
    {"quota", TYPE_BYTES, FIELD(struct conf_overlay, quota_bytes), .low = 0, .high = QUOTA_MAX,
     .expected = a_quota},
    {0},
};

const struct conf_section conf_section[] = {
    {"node", node_key, walk_key},       {"store", store_key, NULL},
    {"control", control_key, NULL},     {"log", log_key, NULL},
    {"overlay", overlay_key, walk_key}, {0},
};

void conf_default(struct conf *conf)
{
    static const struct conf_walk unsaid = {-1, -1, -1, -1, -1, -1, -1};

    *conf = (struct conf){
        .listen = {{.kind = HSAY_ADDR_IP6, .port = HSAY_PORT_DEFAULT}},
        .listen_count = 1,
        .walk = unsaid,
        .lan_beacons = 1,
        .port_search = 1,
        .overlays_max = 16,
        .candidates_max = 64,
        .datagram_bytes = HSAY_DATAGRAM_DEFAULT_BYTES,
        .quota_bytes = 1000000000, /* a relay that was left alone must not fill its disk */
        .log_level = 2,            /* notice */
    };
}

/* ---- finding the nearest -------------------------------------------------------------------- */

struct nearest {
    const char *name;
    unsigned distance;
};

static void nearest_offer(struct nearest *best, const char *name, const char *wanted)
{
    unsigned distance = value_distance(name, wanted);

    if (!best->name || distance < best->distance) {
        *best = (struct nearest){name, distance};
    }
}

static void nearest_of_keys(struct nearest *best, const struct conf_key *key, const char *wanted)
{
    for (; key && key->name; key++) {
        nearest_offer(best, key->name, wanted);
    }
}

static int unknown_section(const char *where, const char *name, struct conf_error *error)
{
    struct nearest best = {0};

    for (const struct conf_section *section = conf_section; section->name; section++) {
        nearest_offer(&best, section->name, name);
    }
    snprintf(error->text, sizeof error->text, "%s: unknown section [%.100s]; nearest known: [%s%s]",
             where, name, best.name, strcmp(best.name, "overlay") ? "" : " NAME");
    return HSAY_EINVAL;
}

static int unknown_key(const char *where, const struct conf_place *place, const char *name,
                       struct conf_error *error)
{
    struct nearest best = {0};
    const struct conf_section *home = place->section;

    nearest_of_keys(&best, home->key, name);
    nearest_of_keys(&best, home->shared, name);
    snprintf(error->text, sizeof error->text,
             "%s: unknown key '%.100s' in [%s%s%s]; nearest known: '%s'", where, name, home->name,
             place->title[0] ? " " : "", place->title, best.name);
    return HSAY_EINVAL;
}

/* ---- setting one ---------------------------------------------------------------------------- */

static const struct conf_key *key_find(const struct conf_key *key, const char *name)
{
    for (; key && key->name; key++) {
        if (!strcmp(key->name, name)) {
            return key;
        }
    }
    return NULL;
}

/* The overlay of that name, made if need be; NULL when there are too many. */
static struct conf_overlay *overlay_of(struct conf *conf, const char *name)
{
    static const struct conf_walk unsaid = {-1, -1, -1, -1, -1, -1, -1};
    struct conf_overlay *overlay = conf->overlay;

    for (; overlay < conf->overlay + conf->overlay_count; overlay++) {
        if (!strcmp(overlay->name, name)) {
            return overlay;
        }
    }
    if (conf->overlay_count == CONF_OVERLAYS_MAX) {
        return NULL;
    }
    conf->overlay_count++;
    *overlay = (struct conf_overlay){.quota_bytes = -1, .walk = unsaid};
    snprintf(overlay->name, sizeof overlay->name, "%s", name);
    return overlay;
}

int conf_place_find(struct conf *conf, const char *where, const char *section, const char *title,
                    struct conf_place *out, struct conf_error *error)
{
    const struct conf_section *home = conf_section;

    while (home->name && strcmp(home->name, section)) {
        home++;
    }
    if (!home->name) {
        return unknown_section(where, section, error);
    }
    *out = (struct conf_place){.section = home, .own = conf, .walk = &conf->walk};
    if (strcmp(section, "overlay")) {
        if (title[0]) {
            snprintf(error->text, sizeof error->text, "%s: section [%s] takes no name", where,
                     section);
            return HSAY_EINVAL;
        }
        return 0;
    }
    if (!join_name_ok(title)) {
        snprintf(error->text, sizeof error->text,
                 "%s: [overlay NAME] needs a name of 1 to 63 letters, digits, '.', '_', '-'; "
                 "8 or more hex digits alone would be taken for a key",
                 where);
        return HSAY_EINVAL;
    }
    out->own = overlay_of(conf, title);
    if (!out->own) {
        snprintf(error->text, sizeof error->text, "%s: more than %d overlays", where,
                 CONF_OVERLAYS_MAX);
        return HSAY_EINVAL;
    }
    out->walk = &((struct conf_overlay *)out->own)->walk;
    snprintf(out->title, sizeof out->title, "%s", title);
    return 0;
}

static int number_set(int64_t *field, const struct conf_key *key, const char *value)
{
    uint64_t number;
    int rc = key->type == TYPE_BYTES ? value_bytes(&number, value)
             : key->type == TYPE_MS  ? value_ms(&number, value)
                                     : value_number(&number, value);

    if (rc || number > INT64_MAX || (int64_t)number < key->low || (int64_t)number > key->high) {
        return HSAY_EBAD;
    }
    *field = (int64_t)number;
    return 0;
}

static int choice_set(int64_t *field, const struct conf_key *key, const char *value)
{
    for (int64_t i = 0; key->choice[i]; i++) {
        if (!strcmp(key->choice[i], value)) {
            *field = i;
            return 0;
        }
    }
    return HSAY_EBAD;
}

static int bool_set(int64_t *field, const char *value)
{
    bool yes;

    if (value_bool(&yes, value)) {
        return HSAY_EBAD;
    }
    *field = yes;
    return 0;
}

static int text_set(char *field, size_t bytes, const char *value)
{
    size_t length = strlen(value);

    if (length == 0 || length >= bytes) {
        return HSAY_EBAD;
    }
    memset(field, 0, bytes); /* a reload compares whole fields */
    memcpy(field, value, length);
    return 0;
}

static int join_set(char *field, size_t bytes, const char *value)
{
    struct join join;

    return join_parse(&join, value) ? HSAY_EBAD : text_set(field, bytes, value);
}

/* A list said by somebody who goes first replaces what others said. */
static int listen_add(struct conf *conf, enum conf_level level, const char *value)
{
    struct hsay_addr addr;

    if (value_listen(&addr, value)) {
        return HSAY_EBAD;
    }
    if (level > conf->listen_level) {
        memset(conf->listen, 0, sizeof conf->listen);
        conf->listen_count = 0;
        conf->listen_level = level;
    }
    if (conf->listen_count == CONF_LISTEN_MAX) {
        return HSAY_ENOSPC;
    }
    conf->listen[conf->listen_count++] = addr;
    return 0;
}

static int peer_add(struct conf *conf, const char *overlay, const char *value)
{
    struct conf_peer *peer = &conf->peer[conf->peer_count];

    if (conf->peer_count == CONF_PEERS_MAX) {
        return HSAY_ENOSPC;
    }
    if (peer_name_parse(&peer->name, value)) {
        return HSAY_EBAD;
    }
    snprintf(peer->overlay, sizeof peer->overlay, "%s", overlay);
    conf->peer_count++;
    return 0;
}

static int key_set(struct conf *conf, const struct conf_place *place, const struct conf_key *key,
                   enum conf_level level, const char *value)
{
    void *base = key >= walk_key && key < walk_key + sizeof walk_key / sizeof walk_key[0]
                     ? (void *)place->walk
                     : place->own;
    void *field = (char *)base + key->offset;

    switch (key->type) {
    case TYPE_BOOL:
        return bool_set(field, value);
    case TYPE_CHOICE:
        return choice_set(field, key, value);
    case TYPE_BYTES:
    case TYPE_MS:
    case TYPE_NUMBER:
        return number_set(field, key, value);
    case TYPE_TEXT:
        return text_set(field, key->bytes, value);
    case TYPE_JOIN:
        return join_set(field, key->bytes, value);
    case TYPE_LISTEN:
        return listen_add(conf, level, value);
    case TYPE_PEER:
        return peer_add(conf, place->title, value);
    }
    return HSAY_EINVAL;
}

int conf_set(struct conf *conf, const struct conf_place *place, const char *name,
             enum conf_level level, const struct conf_said *said, struct conf_error *error)
{
    const struct conf_key *key = key_find(place->section->key, name);
    int rc;

    if (!key) {
        key = key_find(place->section->shared, name);
    }
    if (!key) {
        return unknown_key(said->where, place, name, error);
    }
    rc = key_set(conf, place, key, level, said->value);
    if (!rc) {
        return 0;
    }
    if (rc == HSAY_ENOSPC) {
        snprintf(error->text, sizeof error->text, "%s: too many values for '%s'", said->where,
                 said->name);
    } else {
        /* A join text holds a secret, which does not belong in a log. */
        snprintf(error->text, sizeof error->text, "%s: %s %s%.200s%s is not %s", said->where,
                 said->name, key->type == TYPE_JOIN ? "" : "'",
                 key->type == TYPE_JOIN ? "value" : said->value, key->type == TYPE_JOIN ? "" : "'",
                 key->expected);
    }
    return HSAY_EINVAL;
}

/* ---- what it means -------------------------------------------------------------------------- */

const char *conf_policy_name(uint8_t policy)
{
    return policy < sizeof policies / sizeof policies[0] - 1 ? policies[policy] : "unknown";
}

const char *conf_log_level_name(int64_t level)
{
    return levels[level];
}

const char *conf_port_mapping_name(int64_t mode)
{
    return mappings[mode];
}

/* The overlay's own word, else that of all, else 0, which the core takes for its default. */
static uint32_t said(int64_t own, int64_t all)
{
    return (uint32_t)(own >= 0 ? own : all >= 0 ? all : 0);
}

void conf_overlay_walk(const struct conf *conf, const char *name, struct hsay_overlay_config *out)
{
    const struct conf_walk *all = &conf->walk;
    const struct conf_walk *own = all;

    for (size_t i = 0; i < conf->overlay_count; i++) {
        if (!strcmp(conf->overlay[i].name, name)) {
            own = &conf->overlay[i].walk;
        }
    }
    out->policy = (uint8_t)said(own->policy, all->policy);
    out->step_ms = said(own->step_ms, all->step_ms);
    out->fixed_step = said(own->fixed_step, all->fixed_step);
    out->pull_only = said(own->pull_only, all->pull_only);
    out->answer_bytes = said(own->answer_bytes, all->answer_bytes);
    out->answer_bytes_max = said(own->answer_bytes_max, all->answer_bytes_max);
    out->mail_fanout = said(own->mail_fanout, all->mail_fanout);
}
