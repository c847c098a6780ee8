/*
 * hearsay-lab: Hearsay's nodes in virtual time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/lab/commands.h"
#include "version.h"

struct command {
    const char *name, *args, *help;
    int (*run)(const struct lab_options *options, int argc, char **argv);
    bool helps; /* by itself */
};

static const struct command commands[] = {
    {"list", "[NAME]", "the experiments there are, or all about one", lab_command_list, false},
    {"run", "NAME|FILE", "run an experiment", lab_command_run, false},
    {"sweep", "NAME|FILE [KEY=V1,V2...]", "run it over a grid", lab_command_sweep, false},
    {"fuzz", "[FILE]", "small runs with all that can go wrong, drawn from seeds", lab_command_fuzz,
     false},
    {"report", "DIR...", "draw the figures of results into one page", lab_command_report, false},
    {"redo", "MANIFEST", "run again what made a result, and compare", lab_command_redo, false},
    {"nat", "", "two peers behind real NATs of each kind", lab_command_nat, true},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *out)
{
    fputs("usage: hearsay-lab COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s%-26s%s\n", commands[i].name, commands[i].args, commands[i].help);
    fputs("\n  --set KEY=VALUE, --KEY VALUE   a setting of the run; `list` shows them\n"
          "  --variant NAME                 only this variant of the experiment\n"
          "  -o DIR                         write results there\n"
          "  --events DIR                   write the events of each run there\n"
          "  -j N                           processes at once; all cores\n"
          "  --json                         one JSON object and nothing else\n"
          "  --quiet                        no progress bar\n"
          "  --help, --version\n\nhearsay-lab(1) tells the rest.\n",
          out);
}

static const struct command *find_command(const struct lab_options *options)
{
    for (size_t i = 0; options->command != NULL && i < COMMANDS; i++)
        if (strcmp(commands[i].name, options->command) == 0)
            return &commands[i];
    return NULL;
}

static int run_command(const struct lab_options *options, int argc, char **argv)
{
    const struct command *command = find_command(options);
    if (command != NULL)
        return command->run(options, argc, argv);
    fprintf(stderr, "hearsay-lab: unknown command '%s'; hearsay-lab --help lists them\n",
            options->command);
    return LAB_EXIT_USAGE;
}

static int obey(const struct lab_options *options, int argc, char **argv)
{
    if (options->version) {
        printf("hearsay-lab %s\n", HSAY_VERSION);
        return LAB_EXIT_DONE;
    }
    const struct command *command = find_command(options);
    bool helps = command != NULL && command->helps;
    if ((options->help && !helps) || options->command == NULL) {
        usage(options->help ? stdout : stderr);
        return options->help ? LAB_EXIT_DONE : LAB_EXIT_USAGE;
    }
    return run_command(options, argc, argv);
}

int main(int argc, char **argv)
{
    struct lab_options options;
    int rc = LAB_EXIT_USAGE;
    if (lab_options_read(&options, argc, argv))
        rc = obey(&options, argc, argv);
    lab_options_free(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) { /* a full disk, most often */
        fprintf(stderr, "hearsay-lab: standard output: %s\n", strerror(errno));
        rc = rc == LAB_EXIT_DONE ? LAB_EXIT_FAILED : rc;
    }
    return rc;
}
