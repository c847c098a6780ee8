#include "src/cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/bytes.h"

const struct option_spec option_spec[OPTIONS] = {
    [OPT_HELP] = {'h', "help", NULL, OPTION_FLAG, "say how the verb is used"},
    [OPT_SOCKET] = {'s', "socket", "PATH", OPTION_TEXT, "control socket of the node"},
    [OPT_STATE] = {0, "state", "DIR", OPTION_TEXT, "state folder of the node"},
    [OPT_JSON] = {0, "json", NULL, OPTION_FLAG, "JSON, one object a line"},
    [OPT_TSV] = {0, "tsv", NULL, OPTION_FLAG, "columns separated by tabs, plain numbers"},
    [OPT_OVERLAY] = {'o', "overlay", "NAME", OPTION_TEXT,
                     "overlay by name or key; needed when there are several"},
    [OPT_PROGRESS] = {0, "progress", "FORM", OPTION_TEXT, "'json' or 'none' instead of a bar"},
    [OPT_COUNT] = {'C', "count", "COUNT", OPTION_NUMBER, "end after so many"},
    [OPT_SECONDS] = {'W', "seconds", "SECONDS", OPTION_SECONDS,
                     "end after this time, with exit code 4"},
    [OPT_INTERVAL] = {'i', "interval", "SECONDS", OPTION_SECONDS, "look this often"},
    [OPT_TYPE] = {'t', "type", "TYPE", OPTION_NUMBER, "the application's number for a kind"},
    [OPT_EXPIRY] = {'e', "expires", "SECONDS", OPTION_NUMBER,
                    "seconds from now until every node forgets it"},
    [OPT_FILE] = {'f', "file", "FILE", OPTION_TEXT, "read from FILE; '-' is standard input"},
    [OPT_LINES] = {'l', "lines", NULL, OPTION_FLAG, "a bundle per line that is not empty"},
    [OPT_QUIET] = {'q', "quiet", NULL, OPTION_FLAG, "print no ids"},
    [OPT_FORMAT] = {'F', "format", "FORMAT", OPTION_TEXT, "what to print of each bundle"},
    [OPT_SINCE] = {0, "since", "TIME", OPTION_NUMBER, "history from this global time on"},
    [OPT_NEW] = {'n', "new", NULL, OPTION_FLAG, "no history, only what comes from now on"},
    [OPT_HISTORY] = {'H', "history", NULL, OPTION_FLAG, "only what is held now, then end"},
    [OPT_RAW] = {0, "raw", NULL, OPTION_FLAG, "the payload alone, byte by byte"},
    [OPT_SECRET] = {0, "secret", NULL, OPTION_FLAG, "only those who have the join text may enter"},
    [OPT_PEER] = {'p', "peer", "HOST:PORT[#KEY]", OPTION_TEXT,
                  "a member to begin with; repeatable"},
    [OPT_LISTEN] = {0, "listen", "ADDRESS", OPTION_TEXT, "UDP address for the configuration"},
    [OPT_TRACE] = {0, "trace", NULL, OPTION_FLAG, "follow each step"},
    [OPT_SYNCED] = {0, "synced", NULL, OPTION_FLAG, "wait until in sync"},
    [OPT_NOTES] = {0, "notes", NULL, OPTION_FLAG, "show lines of standard input above the nodes"},
    [OPT_MATRIX] = {0, "matrix", NULL, OPTION_FLAG, "whom we reached of those introduced, by kind"},
};

/* Levenshtein's distance; words longer than this are like no name we have. */
enum { WORD_MAX = 32 };
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], a_size = strlen(a), b_size = strlen(b);
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= b_size; i++)
        row[i] = i;
    for (size_t i = 1; i <= a_size; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < step ? change : step;
        }
    }
    return row[b_size];
}

void nearest_try(struct nearest *nearest, const char *name)
{
    size_t size = strlen(nearest->word);
    size_t far = strncmp(nearest->word, name, size) == 0 ? 1 : distance(nearest->word, name);
    /* A third of the letters may be wrong, and one always. */
    if (far > 1 + size / 3 || (nearest->name && far >= nearest->distance))
        return;
    nearest->name = name;
    nearest->distance = far;
}

bool options_read_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return false;
    *number = value;
    return true;
}

static bool read_seconds(const char *text, uint64_t *ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e9)
        return false;
    *ms = (uint64_t)(seconds * 1000);
    return true;
}

static bool add_value(struct command_line *line, enum option option, const char *text)
{
    struct option_value value = {.option = option, .text = text};
    enum option_kind kind = option_spec[option].kind;
    if ((kind == OPTION_NUMBER && !options_read_number(text, &value.number)) ||
        (kind == OPTION_SECONDS && !read_seconds(text, &value.number))) {
        fprintf(stderr, "hearsay: --%s wants a number, not '%s'\n", option_spec[option].name, text);
        return false;
    }
    line->value[line->value_count++] = value;
    return true;
}

static enum option find_name(const char *name, size_t size)
{
    for (enum option i = 0; i < OPTIONS; i++)
        if (strlen(option_spec[i].name) == size && !memcmp(option_spec[i].name, name, size))
            return i;
    return OPTIONS;
}

static enum option find_letter(char letter)
{
    for (enum option i = 0; i < OPTIONS; i++)
        if (option_spec[i].letter && option_spec[i].letter == letter)
            return i;
    return OPTIONS;
}

static bool unknown_name(const char *name, size_t size)
{
    char word[WORD_MAX + 1] = "";
    memcpy(word, name, size < WORD_MAX ? size : WORD_MAX);
    struct nearest nearest = {.word = word};
    for (enum option i = 0; i < OPTIONS; i++)
        nearest_try(&nearest, option_spec[i].name);
    fprintf(stderr, "hearsay: unknown option --%.*s%s%s%s\n", (int)size, name,
            nearest.name ? "; did you mean --" : "", nearest.name ? nearest.name : "",
            nearest.name ? "?" : "; 'hearsay help' lists what there is");
    return false;
}

/* The value that an option wants: what follows it in its own word, or the next word. */
static bool take_value(struct command_line *line, enum option option, const char *inside,
                       char **argv, int *at)
{
    const struct option_spec *spec = &option_spec[option];
    if (spec->kind == OPTION_FLAG)
        return add_value(line, option, NULL);
    if (!inside)
        inside = argv[++*at];
    if (inside)
        return add_value(line, option, inside);
    fprintf(stderr, "hearsay: --%s wants %s\n", spec->name, spec->value);
    return false;
}

static bool take_name(struct command_line *line, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    enum option option = find_name(name, size);
    if (option == OPTIONS)
        return unknown_name(name, size);
    if (equals && option_spec[option].kind == OPTION_FLAG) {
        fprintf(stderr, "hearsay: --%s takes no value\n", option_spec[option].name);
        return false;
    }
    return take_value(line, option, equals ? equals + 1 : NULL, argv, at);
}

static bool take_letters(struct command_line *line, char **argv, int *at)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        enum option option = find_letter(*letter);
        if (option == OPTIONS) {
            fprintf(stderr, "hearsay: unknown option -%c; 'hearsay help' lists what there is\n",
                    *letter);
            return false;
        }
        if (option_spec[option].kind != OPTION_FLAG)
            return take_value(line, option, letter[1] ? letter + 1 : NULL, argv, at);
        add_value(line, option, NULL);
    }
    return true;
}

bool options_parse(struct command_line *line, int argc, char **argv)
{
    /* A word can hold as many options as it has letters. */
    size_t letters = 1;
    for (int i = 1; i < argc; i++)
        letters += strlen(argv[i]);
    *line = (struct command_line){0};
    line->value = must_alloc(NULL, letters * sizeof *line->value);
    line->word = must_alloc(NULL, ((size_t)argc + 1) * sizeof *line->word);

    bool only_words = false, good = true;
    for (int i = 1; i < argc && good; i++) {
        if (only_words || argv[i][0] != '-' || !argv[i][1])
            line->word[line->word_count++] = argv[i];
        else if (!strcmp(argv[i], "--"))
            only_words = true;
        else if (argv[i][1] == '-')
            good = take_name(line, argv, &i);
        else
            good = take_letters(line, argv, &i);
    }
    line->word[line->word_count] = NULL;
    return good;
}

void options_free(struct command_line *line)
{
    free(line->value);
    free(line->word);
}

const struct option_value *options_find(const struct command_line *line, enum option option)
{
    const struct option_value *found = NULL;
    for (size_t i = 0; i < line->value_count; i++)
        if (line->value[i].option == option)
            found = &line->value[i];
    return found;
}

bool options_has(const struct command_line *line, enum option option)
{
    return options_find(line, option) != NULL;
}

uint64_t options_number(const struct command_line *line, enum option option, uint64_t otherwise)
{
    const struct option_value *value = options_find(line, option);
    return value ? value->number : otherwise;
}

const char *options_text(const struct command_line *line, enum option option, const char *otherwise)
{
    const struct option_value *value = options_find(line, option);
    return value ? value->text : otherwise;
}

void options_help(FILE *to, uint32_t set)
{
    for (enum option i = 0; i < OPTIONS; i++) {
        const struct option_spec *spec = &option_spec[i];
        if (!(set & OPTION_BIT(i)))
            continue;
        char name[48];
        snprintf(name, sizeof name, "--%s%s%s", spec->name, spec->value ? " " : "",
                 spec->value ? spec->value : "");
        char letter[4] = {'-', spec->letter, ',', 0};
        fprintf(to, "  %-3s %-24s %s\n", spec->letter ? letter : "", name, spec->help);
    }
}
