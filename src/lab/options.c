#include "src/lab/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool wrong(const char *what, const char *word)
{
    fprintf(stderr, "hearsay-lab: %s '%s'; hearsay-lab --help tells what there is\n", what, word);
    return false;
}

static bool add_set(struct lab_options *o, const char *key, size_t key_size, const char *value)
{
    if (o->sets == LAB_OPTION_SETS_MAX)
        return wrong("too many settings:", key);
    o->owned[o->sets] = strndup(key, key_size);
    o->key[o->sets] = o->owned[o->sets];
    o->value[o->sets++] = value;
    return true;
}

static bool add_pair(struct lab_options *o, const char *pair)
{
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair)
        return wrong("expected KEY=VALUE, not", pair);
    return add_set(o, pair, (size_t)(equals - pair), equals + 1);
}

static bool add_variant(struct lab_options *o, const char *name)
{
    if (o->variants == LAB_OPTION_VARIANTS_MAX)
        return wrong("too many variants:", name);
    o->variant[o->variants++] = name;
    return true;
}

/* A folder or file; "" is none, and would be told of later without its name. */
static bool take_path(const char **path, const char *option, const char *value)
{
    if (*value == '\0') {
        fprintf(stderr, "hearsay-lab: %s is given no name\n", option);
        return false;
    }
    *path = value;
    return true;
}

static bool read_jobs(struct lab_options *o, const char *text)
{
    char *end;
    unsigned long jobs = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || jobs > 1000)
        return wrong("expected a number of processes, not", text);
    o->jobs = (unsigned)jobs;
    o->jobs_given = true;
    return true;
}

/* Those with a value of their own; everything else that begins with -- is a setting. */
static bool take_value(struct lab_options *o, const char *name, const char *value)
{
    if (strcmp(name, "--set") == 0)
        return add_pair(o, value);
    if (strcmp(name, "-o") == 0 || strcmp(name, "--output") == 0)
        return take_path(&o->out, name, value);
    if (strcmp(name, "--events") == 0)
        return take_path(&o->events, name, value);
    if (strcmp(name, "--variant") == 0)
        return add_variant(o, value);
    if (strcmp(name, "-j") == 0 || strcmp(name, "--jobs") == 0)
        return read_jobs(o, value);
    return add_set(o, name + 2, strlen(name + 2), value);
}

static bool *flag_of(struct lab_options *o, const char *word)
{
    if (strcmp(word, "--json") == 0)
        return &o->json;
    if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0)
        return &o->quiet;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return &o->help;
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return &o->version;
    return NULL;
}

static bool take_plain(struct lab_options *o, const char *word)
{
    if (o->command == NULL) {
        o->command = word;
        return true;
    }
    if (o->args == LAB_OPTION_ARGS_MAX)
        return wrong("too many words:", word);
    o->arg[o->args++] = word;
    return true;
}

/* --NAME=VALUE, or -jVALUE. */
static bool take_joined(struct lab_options *o, const char *word, size_t name_size,
                        const char *value)
{
    char *name = strndup(word, name_size);
    bool good =
        flag_of(o, name) == NULL ? take_value(o, name, value) : wrong("takes no value:", word);
    free(name);
    return good;
}

static bool has_letter(const char *word)
{
    return strncmp(word, "-o", 2) == 0 || strncmp(word, "-j", 2) == 0;
}

static bool take(struct lab_options *o, int argc, char **argv, int *at)
{
    const char *word = argv[*at], *equals = strchr(word, '=');
    bool is_long = strncmp(word, "--", 2) == 0 && word[2] != '\0';
    bool *flag = flag_of(o, word);
    if (flag != NULL) {
        *flag = true;
        return true;
    }
    if (word[0] != '-' || word[1] == '\0')
        return take_plain(o, word);
    if (!is_long && !has_letter(word))
        return wrong("unknown option", word);
    if (is_long && equals != NULL)
        return take_joined(o, word, (size_t)(equals - word), equals + 1);
    if (!is_long && word[2] != '\0')
        return take_joined(o, word, 2, word + 2);
    if (*at + 1 == argc)
        return wrong("a value is missing behind", word);
    return take_value(o, word, argv[++*at]);
}

bool lab_options_read(struct lab_options *options, int argc, char **argv)
{
    memset(options, 0, sizeof *options);
    for (int i = 1; i < argc; i++)
        if (!take(options, argc, argv, &i))
            return false;
    return true;
}

bool lab_options_only(const struct lab_options *o, unsigned allowed)
{
    const struct {
        unsigned which;
        const char *what, *given; /* NULL: it is not */
    } known[] = {
        {LAB_OPTION_SETTINGS, "settings", o->sets != 0 ? o->key[0] : NULL},
        {LAB_OPTION_VARIANT, "--variant", o->variants != 0 ? o->variant[0] : NULL},
        {LAB_OPTION_OUT, "-o", o->out},
        {LAB_OPTION_EVENTS, "--events", o->events},
        {LAB_OPTION_JOBS, "-j", o->jobs_given ? "-j" : NULL},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if ((allowed & known[i].which) != 0 || known[i].given == NULL)
            continue;
        fprintf(stderr, "hearsay-lab: %s takes no %s, but is given '%s'\n", o->command,
                known[i].what, known[i].given);
        return false;
    }
    return true;
}

void lab_options_free(struct lab_options *options)
{
    for (size_t i = 0; i < options->sets; i++)
        free(options->owned[i]);
}
