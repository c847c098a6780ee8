/*
 * What runs can give follows from the measures that are named.  Whether they do is another matter:
 * a field may depend on what happens.  So only what no run can have is a mistake here.
 */
#include "src/lab/plan_check.h"

#include <string.h>

#include "hearsay/error.h"
#include "src/lab/measure/measure.h"
#include "src/lab/run.h"
#include "src/lab/script/names.h"

enum { TABLES_MAX = 64, FIELDS_MAX = 512, COLUMNS_MAX = 64, WHY_BYTES = 768 };

/* Names, in an array for lab_names. */
struct list {
    const char **name;
    size_t count, max;
};

struct known {
    struct lab_plan *plan;
    struct lab_faults *faults;
    const char *table[TABLES_MAX], *field[FIELDS_MAX];
    const char *columns[TABLES_MAX]; /* "step,share"; NULL: the fields */
    struct list tables, fields;
};

static const char *name_at(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

static bool has(const struct list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->name[i], name) == 0)
            return true;
    return false;
}

static void add(struct list *list, const char *name)
{
    if (list->count < list->max && !has(list, name))
        list->name[list->count++] = name;
}

/* ---- what there is ---- */

static void add_words(struct list *list, struct lab_arena *arena, const char *words,
                      const char *between)
{
    char *rest = lab_arena_text(arena, words), *name;
    while ((name = strsep(&rest, between)) != NULL)
        add(list, name);
}

static void add_tables(struct known *known, const char *tables)
{
    char *rest = lab_arena_text(&known->plan->arena, tables), *name;
    while ((name = strsep(&rest, " ")) != NULL && known->tables.count < TABLES_MAX) {
        char *columns = strchr(name, ':');
        *columns++ = '\0';
        known->columns[known->tables.count] = columns;
        add(&known->tables, name);
    }
}

static void add_measure(struct known *known, const struct lab_measure_kind *kind)
{
    add_words(&known->fields, &known->plan->arena, kind->fields, " ");
    if (kind->tables != NULL)
        add_tables(known, kind->tables);
}

static bool heals(const struct lab_plan *plan)
{
    for (size_t i = 0; i < plan->settings_count; i++)
        if (lab_settings_number(&plan->settings[i], "heal") > 0)
            return true;
    return false;
}

static void gather(struct known *known)
{
    const struct lab_scenario *s = &known->plan->scenario;
    known->tables = (struct list){known->table, 0, TABLES_MAX};
    known->fields = (struct list){known->field, 0, FIELDS_MAX};
    add(&known->tables, "runs");
    add(&known->tables, "sweep");
    for (size_t i = 0; i < s->measure_count; i++)
        add_measure(known, lab_measures[s->measure[i].verb - s->language->measures.verb]);
    add_words(&known->fields, &known->plan->arena, lab_measures[0]->fields, " ");
    add_words(&known->fields, &known->plan->arena, lab_run_fields, " ");
    if (heals(known->plan))
        add_tables(known, lab_run_tables);
}

/* ---- what is asked for ---- */

static int unknown(struct known *known, const struct lab_script_place *at, const char *what,
                   const char *name, const struct list *list)
{
    char why[WHY_BYTES];
    struct lab_names names = {list->name, list->count, name_at};
    lab_names_unknown(why, sizeof why, what, name, &names);
    lab_faults_add(known->faults, at, "%s", why);
    return HSAY_EINVAL;
}

/* Reasons and invariants are many, and most of them in no run. */
static bool is_field(const struct known *known, const char *name)
{
    return has(&known->fields, name) || strncmp(name, "drop_", 5) == 0 ||
           strncmp(name, "violations_", 11) == 0;
}

/* A field, or what several seeds make of one. */
static bool is_sum(const struct known *known, const char *name)
{
    static const char *const end[] = {"_mean", "_least", "_worst", "_p95", "_missing"};
    char stem[LAB_NAME_BYTES] = "";
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof end / sizeof end[0]; i++) {
        size_t tail = strlen(end[i]);
        if (size <= tail || size - tail >= sizeof stem || strcmp(name + size - tail, end[i]) != 0)
            continue;
        memcpy(stem, name, size - tail);
        return is_field(known, stem);
    }
    return false;
}

static int operand_check(struct known *known, const struct lab_operand *operand,
                         const struct lab_script_place *at)
{
    if (operand->variant == NULL || is_field(known, operand->field) ||
        is_sum(known, operand->field))
        return 0;
    return unknown(known, at, "field", operand->field, &known->fields);
}

/* Any setting may be swept, and then is a column. */
static bool is_column(const struct known *known, const struct list *columns, const char *name)
{
    return has(columns, name) || (columns == &known->fields && is_field(known, name)) ||
           strcmp(name, "variant") == 0 || strcmp(name, "seed") == 0 ||
           lab_settings_find(&known->plan->settings[0], name) != NULL;
}

static int column_check(struct known *known, const struct list *columns, const char *name,
                        const struct lab_scenario_figure *figure)
{
    char what[LAB_NAME_BYTES + 24];
    if (is_column(known, columns, name))
        return 0;
    snprintf(what, sizeof what, "column of %s", figure->table);
    return unknown(known, &figure->at, what, name, columns);
}

/* A distribution is that of x, and of y only where there is no column x. */
static int columns_check(struct known *known, const struct list *columns,
                         const struct lab_scenario_figure *figure)
{
    bool cdf = strcmp(figure->style, "cdf") == 0;
    const char *name[COLUMNS_MAX];
    struct list y = {name, 0, COLUMNS_MAX};
    int rc = column_check(known, columns, figure->by, figure);
    if (!cdf && column_check(known, columns, figure->x, figure) != 0)
        rc = HSAY_EINVAL;
    if (cdf && is_column(known, columns, figure->x))
        return rc;
    add_words(&y, &known->plan->arena, figure->y, ",");
    for (size_t i = 0; i < y.count; i++)
        if (column_check(known, columns, y.name[i], figure) != 0)
            rc = HSAY_EINVAL;
    return rc;
}

static int figure_check(struct known *known, const struct lab_scenario_figure *figure)
{
    const char *name[COLUMNS_MAX];
    struct list columns = {name, 0, COLUMNS_MAX};
    size_t i = 0;
    while (i < known->tables.count && strcmp(known->table[i], figure->table) != 0)
        i++;
    if (i == known->tables.count)
        return unknown(known, &figure->at, "table", figure->table, &known->tables);
    if (known->columns[i] == NULL)
        return columns_check(known, &known->fields, figure);
    add_words(&columns, &known->plan->arena, known->columns[i], ",");
    return columns_check(known, &columns, figure);
}

int lab_plan_check(struct lab_plan *plan, struct lab_faults *faults)
{
    const struct lab_scenario *s = &plan->scenario;
    struct known known = {.plan = plan, .faults = faults};
    int rc = 0;
    gather(&known);
    for (size_t i = 0; i < s->figure_count; i++)
        if (figure_check(&known, &s->figure[i]) != 0)
            rc = HSAY_EINVAL;
    for (size_t i = 0; i < s->result_count; i++)
        if (operand_check(&known, &s->result[i].left, &s->result[i].at) != 0 ||
            (s->result[i].operation != 0 &&
             operand_check(&known, &s->result[i].right, &s->result[i].at) != 0))
            rc = HSAY_EINVAL;
    return rc;
}
