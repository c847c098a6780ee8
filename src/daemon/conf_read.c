/* Where settings come from: the file, the environment, options; and what a reload makes of them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/hex.h"
#include "src/daemon/conf_key.h"
#include "src/daemon/ini.h"

/* ---- the file ------------------------------------------------------------------------------- */

int conf_read(struct conf *conf, const char *file_name, const char *text, size_t size,
              struct conf_error *error)
{
    struct ini ini;
    struct ini_line line;
    struct conf_place place = {0};
    enum ini_kind kind;
    int rc = 0;

    ini_init(&ini, text, size);
    while (!rc && (kind = ini_next(&ini, &line)) != INI_END) {
        char where[300];

        snprintf(where, sizeof where, "%.255s:%u", file_name, ini.line);
        if (kind == INI_SECTION) {
            rc = conf_place_find(conf, where, line.name, line.value, &place, error);
        } else if (kind == INI_BAD) {
            snprintf(error->text, sizeof error->text, "%s: %s", where, line.value);
            rc = HSAY_EINVAL;
        } else if (!place.section) {
            snprintf(error->text, sizeof error->text,
                     "%s: '%.100s' stands before the first section; begin with [node]", where,
                     line.name);
            rc = HSAY_EINVAL;
        } else {
            struct conf_said said = {where, line.name, line.value};

            rc = conf_set(conf, &place, line.name, CONF_FILE, &said, error);
        }
    }
    return rc;
}

/* ---- options and environment ---------------------------------------------------------------- */

/* The index-th key that has an option, and its section. */
static const struct conf_key *optional_key(size_t index, const struct conf_section **section)
{
    for (*section = conf_section; (*section)->name; ++*section) {
        const struct conf_key *table[] = {(*section)->key, (*section)->shared};

        if (!strcmp((*section)->name, "overlay")) {
            continue;
        }
        for (size_t i = 0; i < 2; i++) {
            for (const struct conf_key *key = table[i]; key && key->name; key++) {
                if (key->option && index-- == 0) {
                    return key;
                }
            }
        }
    }
    return NULL;
}

const char *conf_option_at(size_t index)
{
    const struct conf_section *section;
    const struct conf_key *key = optional_key(index, &section);

    return key ? key->option : NULL;
}

/* "JOIN" or "JOIN=name". */
static int overlay_said(struct conf *conf, enum conf_level level, const struct conf_said *said,
                        struct conf_error *error)
{
    char text[JOIN_TEXT_BYTES + JOIN_NAME_BYTES];
    char name[JOIN_NAME_BYTES];
    struct conf_place place;
    struct conf_said part = {said->where, said->name, text};
    struct join join;
    char *equals;
    int rc;

    snprintf(text, sizeof text, "%s", said->value);
    equals = strchr(text, '=');
    if (equals) {
        *equals = 0;
        snprintf(name, sizeof name, "%s", equals + 1);
    } else if (!join_parse(&join, text)) {
        char digits[9];

        hex_format(digits, join.overlay.byte, 4);
        snprintf(name, sizeof name, "overlay-%s", digits);
    } else {
        strcpy(name, "overlay");
    }
    rc = conf_place_find(conf, said->where, "overlay", name, &place, error);
    return rc ? rc : conf_set(conf, &place, "join", level, &part, error);
}

static int option_set(struct conf *conf, const char *option, enum conf_level level,
                      const struct conf_said *said, struct conf_error *error)
{
    const struct conf_section *section;
    const struct conf_key *key;

    if (!strcmp(option, "overlay")) {
        return overlay_said(conf, level, said, error);
    }
    for (size_t i = 0; (key = optional_key(i, &section)); i++) {
        struct conf_place place;

        if (strcmp(key->option, option)) {
            continue;
        }
        return conf_place_find(conf, said->where, section->name, "", &place, error)
                   ? HSAY_EINVAL
                   : conf_set(conf, &place, key->name, level, said, error);
    }
    snprintf(error->text, sizeof error->text, "%s: there is no %s", said->where, said->name);
    return HSAY_EINVAL;
}

int conf_option(struct conf *conf, const char *option, const char *value, struct conf_error *error)
{
    char name[64];
    struct conf_said said = {"hearsayd", name, value};

    snprintf(name, sizeof name, "--%s", option);
    return option_set(conf, option, CONF_OPTION, &said, error);
}

/* "log-level" -> "HEARSAY_LOG_LEVEL" */
static void variable_name(char name[64], const char *option)
{
    size_t used = (size_t)snprintf(name, 64, "HEARSAY_");

    for (; *option && used < 63; option++) {
        name[used++] = *option == '-' ? '_' : (char)toupper((unsigned char)*option);
    }
    name[used] = 0;
}

/* Lists have their values one after the other, with blanks between. */
static int variable_read(struct conf *conf, const char *option, struct conf_error *error)
{
    char name[64];
    char word[PATH_MAX];
    const char *value;
    bool list = !strcmp(option, "listen") || !strcmp(option, "peer") || !strcmp(option, "overlay");

    variable_name(name, option);
    value = getenv(name);
    while (value && *value) {
        size_t length = list ? strcspn(value, " ") : strlen(value);
        struct conf_said said = {"environment", name, word};

        snprintf(word, sizeof word, "%.*s", (int)(length < PATH_MAX ? length : PATH_MAX - 1),
                 value);
        if (length && option_set(conf, option, CONF_ENVIRONMENT, &said, error)) {
            return HSAY_EINVAL;
        }
        value += length;
        value += strspn(value, " ");
    }
    return 0;
}

int conf_environment(struct conf *conf, struct conf_error *error)
{
    const char *option;

    for (size_t i = 0; (option = conf_option_at(i)); i++) {
        if (variable_read(conf, option, error)) {
            return HSAY_EINVAL;
        }
    }
    return variable_read(conf, "overlay", error);
}

/* ---- reload --------------------------------------------------------------------------------- */

static void note(char list[][CONF_CHANGE_BYTES], size_t *count, const char *section,
                 const char *key)
{
    if (*count < CONF_CHANGES_MAX) {
        snprintf(list[(*count)++], CONF_CHANGE_BYTES, "%s.%s", section, key);
    }
}

/* Compares one table of keys at two bases; takes over what can be. */
static void compare(const struct conf_key *key, const char *section, void *ours, const void *wanted,
                    struct conf_changes *changes)
{
    for (; key && key->name; key++) {
        void *field = (char *)ours + key->offset;
        const void *other = (const char *)wanted + key->offset;

        if (key->type == TYPE_PEER || !memcmp(field, other, key->bytes)) {
            continue;
        }
        if (key->live) {
            memcpy(field, other, key->bytes);
            note(changes->changed, &changes->changed_count, section, key->name);
        } else {
            note(changes->restart, &changes->restart_count, section, key->name);
        }
    }
}

static void compare_overlays(struct conf *conf, const struct conf *wanted,
                             struct conf_changes *changes)
{
    const struct conf_section *section = conf_section;

    while (strcmp(section->name, "overlay")) {
        section++;
    }
    for (size_t i = 0; i < wanted->overlay_count; i++) {
        char name[JOIN_NAME_BYTES + 10];
        size_t j = 0;

        snprintf(name, sizeof name, "overlay %s", wanted->overlay[i].name);
        while (j < conf->overlay_count && strcmp(conf->overlay[j].name, wanted->overlay[i].name)) {
            j++;
        }
        if (j == conf->overlay_count) {
            note(changes->restart, &changes->restart_count, "overlay", wanted->overlay[i].name);
            continue;
        }
        compare(section->key, name, &conf->overlay[j], &wanted->overlay[i], changes);
        compare(section->shared, name, &conf->overlay[j].walk, &wanted->overlay[i].walk, changes);
    }
}

void conf_reload(struct conf *conf, const struct conf *wanted, struct conf_changes *changes)
{
    *changes = (struct conf_changes){0};
    for (const struct conf_section *section = conf_section; section->name; section++) {
        if (strcmp(section->name, "overlay")) {
            compare(section->key, section->name, conf, wanted, changes);
            compare(section->shared, section->name, &conf->walk, &wanted->walk, changes);
        }
    }
    compare_overlays(conf, wanted, changes);
    if (conf->peer_count != wanted->peer_count ||
        memcmp(conf->peer, wanted->peer, sizeof conf->peer)) {
        memcpy(conf->peer, wanted->peer, sizeof conf->peer);
        conf->peer_count = wanted->peer_count;
        note(changes->changed, &changes->changed_count, "node", "peer");
    }
}
