/*
 * hearsay, the client of a running hearsayd: a table of verbs, and what turns a command line into
 * the call of one.  The same table makes the usage texts.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"

#define BIT     OPTION_BIT
#define OVERLAY OPTION_BIT(OPT_OVERLAY)

static int verb_help(struct cli *cli);

static const struct verb verb_table[] = {
    {"init", "[DIR]", "make a state folder with keys and a commented configuration",
     BIT(OPT_LISTEN) | BIT(OPT_PEER), 0, 1, verb_init},
    {"overlay new", "NAME", "found an overlay and join it; prints the text that lets others in",
     BIT(OPT_SECRET), 1, 1, verb_overlay_new},
    {"overlay join", "NAME JOIN", "join an overlay; JOIN '-' is read from standard input",
     BIT(OPT_PEER), 2, 2, verb_overlay_join},
    {"overlay leave", "NAME", "leave an overlay; its bundles are removed here", 0, 1, 1,
     verb_overlay_leave},
    {"overlay ls", "", "list the overlays of this node", 0, 0, 0, verb_overlay_ls},
    {"overlay show", "[NAME]", "show one overlay and the text that lets others in", OVERLAY, 0, 1,
     verb_overlay_show},
    {"pub", "[TEXT...]", "publish bundles; prints their ids once they are stored",
     OVERLAY | BIT(OPT_TYPE) | BIT(OPT_EXPIRY) | BIT(OPT_FILE) | BIT(OPT_LINES) | BIT(OPT_QUIET) |
         BIT(OPT_PROGRESS),
     0, SIZE_MAX, verb_pub},
    {"sub", "", "print bundles: those that are held, then those that come",
     OVERLAY | BIT(OPT_COUNT) | BIT(OPT_SECONDS) | BIT(OPT_TYPE) | BIT(OPT_FORMAT) |
         BIT(OPT_SINCE) | BIT(OPT_NEW) | BIT(OPT_HISTORY),
     0, 0, verb_sub},
    {"show", "ID", "show one bundle, its signature checked",
     OVERLAY | BIT(OPT_FORMAT) | BIT(OPT_RAW), 1, 1, verb_show},
    {"status", "", "say how the node is, and why it is not in sync if it is not", 0, 0, 0,
     verb_status},
    {"peers", "", "list the candidates of an overlay", OVERLAY, 0, 0, verb_peers},
    {"peer add", "HOST:PORT[#KEY]", "name a member that the node shall visit", OVERLAY, 1, 1,
     verb_peer_add},
    {"log", "[LEVEL]", "follow the daemon's log", BIT(OPT_COUNT) | BIT(OPT_SECONDS), 0, 1,
     verb_log},
    {"stats", "", "print every counter", 0, 0, 0, verb_stats},
    {"nat", "", "say how others see the node, what NAT is in between, and why we think so",
     BIT(OPT_MATRIX), 0, 0, verb_nat},
    {"doctor", "", "test the node from its socket to its sync; say what to do about each problem",
     0, 0, 0, verb_doctor},
    {"diff", "A B", "compare two running nodes, named by socket or state folder, bundle by bundle",
     OVERLAY, 2, 2, verb_diff},
    {"walk", "", "follow each step: whom, which bucket, which claim, what came",
     OVERLAY | BIT(OPT_TRACE) | BIT(OPT_COUNT) | BIT(OPT_SECONDS), 0, 0, verb_walk},
    {"filter explain", "", "explain in words what the next request would claim", OVERLAY, 0, 0,
     verb_filter_explain},
    {"watch", "[NODE...]", "show nodes side by side as they fill; with -C end when all hold COUNT",
     OVERLAY | BIT(OPT_COUNT) | BIT(OPT_SECONDS) | BIT(OPT_INTERVAL) | BIT(OPT_NOTES) |
         BIT(OPT_PROGRESS),
     0, SIZE_MAX, verb_watch},
    {"wait", "", "wait until the overlay is in sync; exit code 4 if that takes too long",
     OVERLAY | BIT(OPT_SYNCED) | BIT(OPT_SECONDS) | BIT(OPT_PROGRESS), 0, 0, verb_wait},
    {"reload", "", "let the daemon read its configuration again", 0, 0, 0, verb_reload},
    {"stop", "", "end the daemon cleanly", BIT(OPT_SECONDS), 0, 0, verb_stop},
    {"version", "", "print the versions of client and daemon", 0, 0, 0, verb_version},
    {"help", "[VERB]", "print this list, or how one verb is used", 0, 0, 2, verb_help},
};
enum { VERBS = sizeof verb_table / sizeof *verb_table };

static const uint32_t options_of_all =
    BIT(OPT_HELP) | BIT(OPT_SOCKET) | BIT(OPT_STATE) | BIT(OPT_JSON) | BIT(OPT_TSV);

static void usage_all(FILE *to)
{
    fputs("usage: hearsay VERB [OPTION...] [WORD...]\n\n", to);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-15s %s\n", verb_table[i].name, verb_table[i].help);
    fputs("\nEvery verb takes:\n", to);
    options_help(to, options_of_all);
    fputs("\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 time ran out, "
          "5 partly done.\n'hearsay help VERB' tells more, hearsay(1) all.\n",
          to);
}

static void usage_one(FILE *to, const struct verb *verb)
{
    fprintf(to, "usage: hearsay %s%s%s%s\n%s\n", verb->name, verb->options ? " [OPTION...]" : "",
            *verb->usage ? " " : "", verb->usage, verb->help);
    fputc('\n', to);
    options_help(to, verb->options | options_of_all);
}

/* How many of the words name this verb; 0: they do not. */
static size_t names(const struct verb *verb, char **word, size_t words)
{
    const char *second = strchr(verb->name, ' ');
    if (!second)
        return words > 0 && strcmp(word[0], verb->name) == 0;
    size_t first = (size_t)(second - verb->name);
    return words > 1 && strlen(word[0]) == first && !memcmp(word[0], verb->name, first) &&
                   strcmp(word[1], second + 1) == 0
               ? 2
               : 0;
}

static const struct verb *find_verb(char **word, size_t words, size_t *used)
{
    for (size_t i = 0; i < VERBS; i++)
        if ((*used = names(&verb_table[i], word, words)))
            return &verb_table[i];
    return NULL;
}

/* Is it the first word of a verb of two?  Then the second one is wrong or missing. */
static bool is_group(const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < VERBS; i++)
        if (!strncmp(verb_table[i].name, word, size) && verb_table[i].name[size] == ' ')
            return true;
    return false;
}

static int unknown_verb(char **word, size_t words)
{
    bool group = is_group(word[0]);
    if (group && words == 1) {
        fprintf(stderr, "hearsay: '%s' wants a second word:", word[0]);
        size_t size = strlen(word[0]);
        for (size_t i = 0; i < VERBS; i++)
            if (!strncmp(verb_table[i].name, word[0], size) && verb_table[i].name[size] == ' ')
                fprintf(stderr, " %s", verb_table[i].name + size + 1);
        fputc('\n', stderr);
        return EXIT_USAGE;
    }
    char *name = must_print("%s%s%s", word[0], group ? " " : "", group ? word[1] : "");
    struct nearest nearest = {.word = name};
    for (size_t i = 0; i < VERBS; i++)
        nearest_try(&nearest, verb_table[i].name);
    if (nearest.name)
        complain("unknown verb '%s'; did you mean '%s'?", name, nearest.name);
    else
        complain("unknown verb '%s'; 'hearsay help' lists them", name);
    free(name);
    return EXIT_USAGE;
}

static int verb_help(struct cli *cli)
{
    size_t used;
    if (!cli->words) {
        usage_all(stdout);
        return EXIT_DONE;
    }
    const struct verb *verb = find_verb(cli->word, cli->words, &used);
    if (verb) {
        usage_one(stdout, verb);
        return EXIT_DONE;
    }
    if (cli->words > 1 || !is_group(cli->word[0]))
        return unknown_verb(cli->word, cli->words);
    for (size_t i = 0; i < VERBS; i++)
        if (!strncmp(verb_table[i].name, cli->word[0], strlen(cli->word[0])))
            printf("  %-15s %s\n", verb_table[i].name, verb_table[i].help);
    return EXIT_DONE;
}

/* False after a line on stderr: an option that is not for this verb, or too few or many words. */
static bool fits(const struct cli *cli)
{
    const struct verb *verb = cli->verb;
    for (size_t i = 0; i < cli->line.value_count; i++) {
        enum option option = cli->line.value[i].option;
        if ((verb->options | options_of_all) & OPTION_BIT(option))
            continue;
        complain("--%s is not for '%s'; 'hearsay help %s' lists what is", option_spec[option].name,
                 verb->name, verb->name);
        return false;
    }
    if (cli->words >= verb->words_min && cli->words <= verb->words_max)
        return true;
    if (cli->words > verb->words_max)
        complain("'%s' is too much; usage: hearsay %s%s%s", cli->word[verb->words_max], verb->name,
                 *verb->usage ? " " : "", verb->usage);
    else
        complain("something is missing; usage: hearsay %s %s", verb->name, verb->usage);
    return false;
}

static int run(struct cli *cli)
{
    const struct command_line *line = &cli->line;
    size_t used = 0;
    if (!line->word_count) {
        usage_all(options_has(line, OPT_HELP) ? stdout : stderr);
        return options_has(line, OPT_HELP) ? EXIT_DONE : EXIT_USAGE;
    }
    cli->verb = find_verb(line->word, line->word_count, &used);
    if (!cli->verb)
        return unknown_verb(line->word, line->word_count);
    cli->word = line->word + used;
    cli->words = line->word_count - used;
    if (options_has(line, OPT_HELP)) {
        usage_one(stdout, cli->verb);
        return EXIT_DONE;
    }
    if (!fits(cli))
        return EXIT_USAGE;
    out_init(&cli->out, options_has(line, OPT_JSON)  ? OUT_JSON
                        : options_has(line, OPT_TSV) ? OUT_TSV
                                                     : OUT_TEXT);
    return cli->verb->run(cli);
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    setlocale(LC_CTYPE, "");
    int code = options_parse(&cli.line, argc, argv) ? run(&cli) : EXIT_USAGE;
    options_free(&cli.line);
    /* A full disk behind a pipe or a redirection is a failure, too. */
    if ((fflush(stdout) || ferror(stdout)) && code == EXIT_DONE) {
        perror("hearsay: output");
        code = EXIT_FAILED;
    }
    return code;
}
