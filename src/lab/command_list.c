/* list: what can be run, and how. */
#include <stdio.h>
#include <string.h>

#include "src/lab/actions.h"
#include "src/lab/commands.h"
#include "src/lab/config.h"
#include "src/lab/measure/measure.h"
#include "src/lab/plan.h"
#include "src/lab/run.h"
#include "src/lab/script/embedded.h"

static void print_first_line(const char *text)
{
    printf("%.*s\n", (int)strcspn(text, "\n"), text);
}

static void list_experiments(void)
{
    puts("Experiments:");
    for (size_t i = 0; i < lab_embedded_count; i++) {
        struct lab_scenario scenario;
        struct lab_faults faults = {0};
        printf("  %-14s", lab_embedded_table[i].name);
        if (lab_scenario_read(&scenario, lab_plan_language(), lab_embedded_table[i].name,
                              &faults) == 0)
            print_first_line(scenario.description);
        else
            puts("(cannot be read)");
        lab_scenario_free(&scenario);
        lab_faults_free(&faults);
    }
}

static void list_settings(const struct lab_settings *settings)
{
    puts("\nSettings (--set KEY=VALUE or --KEY VALUE):");
    for (size_t i = 0; i < settings->count; i++) {
        const struct lab_setting *s = &settings->entry[i];
        printf("  %-18s %-11s %s", s->rule->key, s->text[0] != '\0' ? s->text : "-", s->rule->help);
        if (s->rule->words != NULL)
            printf(" (%s)", s->rule->words);
        putchar('\n');
    }
}

static void list_verbs(const char *title, const struct lab_verbs *verbs)
{
    char text[256];
    printf("\n%s:\n", title);
    for (size_t i = 0; i < verbs->count; i++) {
        lab_verb_usage(&verbs->verb[i], text, sizeof text);
        printf("  %s\n      %s\n", text, verbs->verb[i].help);
    }
}

/* Their names, and behind them a line for each that the scenario has words for. */
static void list_variants(const struct lab_scenario *scenario)
{
    for (size_t i = 1; i < scenario->variant_count; i++)
        printf("%s%s", i == 1 ? "\nVariants: main, " : ", ", scenario->variant[i].name);
    puts("");
    for (size_t i = 0; i < scenario->variant_count; i++) {
        if (scenario->variant[i].help[0] != 0)
            printf("  %-20s %s\n", scenario->variant[i].name, scenario->variant[i].help);
    }
}

/* With a new line where the old one is full. */
static void list_words(const char *title, const char *words)
{
    enum { WIDTH = 96 };
    int used = printf("      %s", title);
    for (size_t size; words != NULL && *words != '\0'; words += size) {
        words += strspn(words, " ");
        size = strcspn(words, " ");
        if (used + 1 + (int)size > WIDTH)
            used = printf("\n         ") - 1;
        used += printf(" %.*s", (int)size, words);
    }
    putchar('\n');
}

static void list_measures(void)
{
    char text[256];
    puts("\nMeasures, and the fields and tables that they give:");
    for (size_t i = 0; i < lab_measure_count; i++) {
        lab_verb_usage(&lab_plan_language()->measures.verb[i], text, sizeof text);
        printf("  %s\n      %s\n", text, lab_measures[i]->help);
        list_words("fields:", lab_measures[i]->fields);
        if (lab_measures[i]->tables != NULL)
            list_words("tables:", lab_measures[i]->tables);
    }
    puts("\nWhat every run may have besides:");
    list_words("fields:", lab_run_fields);
    list_words("tables:", lab_run_tables);
}

static int list_one(const char *name)
{
    struct lab_scenario scenario;
    struct lab_faults faults = {0};
    struct lab_settings settings;
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    bool good = lab_scenario_read(&scenario, lab_plan_language(), name, &faults) == 0 &&
                lab_scenario_declare(&scenario, &settings, &faults) == 0;
    if (good) {
        printf("%s\n\n%s\n", scenario.name, scenario.description);
        list_variants(&scenario);
        list_settings(&settings);
    } else {
        lab_faults_print(&faults, stderr);
    }
    lab_faults_free(&faults);
    lab_settings_free(&settings);
    lab_scenario_free(&scenario);
    return good ? LAB_EXIT_DONE : LAB_EXIT_USAGE;
}

int lab_command_list(const struct lab_options *options, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (!lab_options_only(options, 0))
        return LAB_EXIT_USAGE;
    if (options->args != 0)
        return list_one(options->arg[0]);
    struct lab_settings settings;
    lab_settings_init(&settings, lab_config_rules, lab_config_rule_count);
    list_experiments();
    list_settings(&settings);
    list_verbs("Actions of a scenario", &lab_plan_language()->actions);
    list_measures();
    lab_settings_free(&settings);
    return LAB_EXIT_DONE;
}
