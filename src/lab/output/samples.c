#include "src/lab/output/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/label.h"
#include "src/lab/output/number.h"

enum { COLUMNS_MAX = 16 };

/* Which column of the table is what. */
struct roles {
    int x;
    int y[COLUMNS_MAX]; /* values; of a heatmap the upright axis and the value */
    size_t y_count;
    int seed; /* -1: none */
    int split[COLUMNS_MAX];
    size_t splits;
    int variant;
};

/* --- columns --------------------------------------------------------------------------------- */

static int no_column(const struct lab_figure *figure, const struct lab_csv *csv, const char *name,
                     struct lab_why *why)
{
    struct lab_text text;
    lab_text_open(&text);
    for (size_t i = 0; i < csv->columns; i++)
        fprintf(text.out, "%s%s", i > 0 ? ", " : "", csv->name[i]);
    char *known = lab_text_take(&text, NULL);
    int rc = lab_why_set(why, HSAY_ENOENT, "the table '%s' has no column '%s'; it has: %s",
                         figure->table, name, known);
    free(known);
    return rc;
}

static bool differs(const struct lab_csv *csv, int column)
{
    for (size_t row = 1; row < lab_csv_rows(csv); row++) {
        if (strcmp(lab_csv_cell(csv, row, (size_t)column), lab_csv_cell(csv, 0, (size_t)column)) !=
            0)
            return true;
    }
    return false;
}

static void add_split(struct roles *roles, const struct lab_csv *csv, int column)
{
    for (size_t i = 0; i < roles->splits; i++) {
        if (roles->split[i] == column)
            return;
    }
    if (column != roles->x && roles->splits < COLUMNS_MAX && differs(csv, column))
        roles->split[roles->splits++] = column;
}

static int find_splits(struct roles *roles, const struct lab_figure *figure,
                       const struct lab_csv *csv, struct lab_why *why)
{
    bool by_given = figure->by != NULL && figure->by[0] != 0;
    int by = by_given ? lab_csv_column(csv, figure->by) : roles->variant;
    if (by_given && by < 0)
        return no_column(figure, csv, figure->by, why);
    if (by >= 0)
        add_split(roles, csv, by);
    for (int column = 0; column < roles->seed; column++)
        add_split(roles, csv, column);
    return 0;
}

static int find_values(struct roles *roles, const struct lab_figure *figure,
                       const struct lab_csv *csv, struct lab_why *why)
{
    char *names = lab_heap_copy(figure->y), *rest = names, *name;
    int rc = 0;
    while (rc == 0 && (name = strsep(&rest, ",")) != NULL) {
        int column = lab_csv_column(csv, name);
        if (column < 0)
            rc = no_column(figure, csv, name, why);
        else if (roles->y_count == COLUMNS_MAX)
            rc = lab_why_set(why, HSAY_EINVAL, "more than %d columns", COLUMNS_MAX);
        else
            roles->y[roles->y_count++] = column;
    }
    free(names);
    if (rc == 0 && figure->style == LAB_STYLE_HEATMAP && roles->y_count != 2)
        rc = lab_why_set(why, HSAY_EINVAL, "a heatmap has y=UPRIGHT,VALUE");
    return rc;
}

static int find_roles(struct roles *roles, const struct lab_figure *figure,
                      const struct lab_csv *csv, struct lab_why *why)
{
    const char *x = figure->x != NULL ? figure->x : "";
    *roles = (struct roles){.x = lab_csv_column(csv, x),
                            .seed = lab_csv_column(csv, "seed"),
                            .variant = lab_csv_column(csv, "variant")};
    int rc = 0;
    if (figure->style == LAB_STYLE_CDF && roles->x >= 0)
        roles->y[roles->y_count++] = roles->x;
    else if (figure->style != LAB_STYLE_CDF && roles->x < 0)
        rc = no_column(figure, csv, x, why);
    else
        rc = find_values(roles, figure, csv, why);
    return rc != 0 ? rc : find_splits(roles, figure, csv, why);
}

/* --- names ----------------------------------------------------------------------------------- */

/* "main", or "loss 0.1". */
static void put_split(FILE *out, const struct roles *roles, const struct lab_csv *csv, size_t row,
                      size_t split)
{
    int column = roles->split[split];
    if (column != roles->variant)
        fprintf(out, "%s ", csv->name[column]);
    fputs(lab_csv_cell(csv, row, (size_t)column), out);
}

/* "main"; "" if nothing differs. */
static char *group_name(const struct roles *roles, const struct lab_csv *csv, size_t row)
{
    struct lab_text text;
    lab_text_open(&text);
    if (roles->splits > 0)
        put_split(text.out, roles, csv, row, 0);
    return lab_text_take(&text, NULL);
}

/* What else the series is told apart by: "loss 0.1"; with several values "loss 0.1: share". */
static char *member_name(const struct roles *roles, const struct lab_figure *figure,
                         const struct lab_csv *csv, size_t row, size_t y)
{
    struct lab_text text;
    lab_text_open(&text);
    for (size_t i = 1; i < roles->splits; i++) {
        fputs(i > 1 ? ", " : "", text.out);
        put_split(text.out, roles, csv, row, i);
    }
    if (roles->y_count > 1) {
        char *label = lab_label_of(figure->y_names, csv->name[roles->y[y]]);
        fprintf(text.out, "%s%s", roles->splits > 1 ? ": " : "", label);
        free(label);
    }
    return lab_text_take(&text, NULL);
}

/* "main", "main, loss 0.1", "main: share". */
static char *series_name(const struct roles *roles, const char *group, const char *member)
{
    const char *between = group[0] == 0 || member[0] == 0 ? "" : roles->splits > 1 ? ", " : ": ";
    return lab_heap_format("%s%s%s", group, between, member);
}

/* Texts by number. */
struct tally {
    char **text;
    size_t count, room;
};

/* Takes the text. */
static size_t tally_number(struct tally *tally, char *text)
{
    for (size_t i = 0; i < tally->count; i++) {
        if (strcmp(tally->text[i], text) == 0) {
            free(text);
            return i;
        }
    }
    tally->text = lab_heap_grow(tally->text, tally->count, &tally->room, sizeof *tally->text);
    tally->text[tally->count] = text;
    return tally->count++;
}

static void tally_free(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        free(tally->text[i]);
    free(tally->text);
}

/* The series of these two numbers, or a new one with this name, which is taken. */
static size_t series_of(struct lab_plot *plot, struct lab_series wanted)
{
    for (size_t i = 0; i < plot->series_count; i++) {
        if (plot->series[i].colour == wanted.colour && plot->series[i].dash == wanted.dash) {
            free(wanted.name);
            return i;
        }
    }
    plot->series =
        lab_heap_grow(plot->series, plot->series_count, &plot->series_room, sizeof *plot->series);
    plot->series[plot->series_count] = wanted;
    return plot->series_count++;
}

static double category_of(struct lab_plot *plot, const char *name)
{
    size_t i = 0;
    while (i < plot->categories && strcmp(plot->category[i], name) != 0)
        i++;
    if (i == plot->categories) {
        plot->category =
            lab_heap_grow(plot->category, i, &plot->categories_room, sizeof *plot->category);
        plot->category[plot->categories++] = lab_heap_copy(name);
    }
    return (double)i;
}

static bool is_numeric(const struct lab_csv *csv, int column)
{
    double number;
    for (size_t row = 0; row < lab_csv_rows(csv); row++) {
        const char *cell = lab_csv_cell(csv, row, (size_t)column);
        if (cell[0] != 0 && !lab_number_parse(cell, &number))
            return false;
    }
    return true;
}

/* --- samples --------------------------------------------------------------------------------- */

struct taking {
    struct lab_samples *samples;
    struct lab_plot *plot;
    const struct lab_figure *figure;
    const struct lab_csv *csv;
    struct roles roles;
    struct tally group, member;
    bool named_x;
    size_t last_row, last_series; /* rows of one series mostly follow each other */
    bool has_last;
};

static double number_at(const struct taking *t, size_t row, int column)
{
    double number;
    return lab_number_parse(lab_csv_cell(t->csv, row, (size_t)column), &number) ? number : NAN;
}

static double x_at(struct taking *t, size_t row, size_t y)
{
    if (t->figure->style == LAB_STYLE_CDF)
        return number_at(t, row, t->roles.y[y]);
    if (t->named_x)
        return category_of(t->plot, lab_csv_cell(t->csv, row, (size_t)t->roles.x));
    return number_at(t, row, t->roles.x);
}

static bool can_be_drawn(const struct taking *t, const struct lab_sample *sample)
{
    if (!isfinite(sample->x) || !isfinite(sample->y) || !isfinite(sample->value))
        return false;
    /* A share is of all rows, those beyond the axis too. */
    bool ends = t->figure->has_x_max && t->figure->style != LAB_STYLE_CDF && !t->named_x;
    if (ends && sample->x > t->figure->x_max)
        return false;
    if (t->figure->logx && !t->named_x && sample->x <= 0)
        return false;
    return !t->figure->logy || t->figure->style == LAB_STYLE_CDF || sample->value > 0;
}

static bool like_last(const struct taking *t, size_t row)
{
    for (size_t i = 0; i < t->roles.splits; i++) {
        size_t column = (size_t)t->roles.split[i];
        if (strcmp(lab_csv_cell(t->csv, row, column), lab_csv_cell(t->csv, t->last_row, column)))
            return false;
    }
    return true;
}

static size_t find_series(struct taking *t, size_t row, size_t y)
{
    struct roles naming = t->roles;
    /* A heatmap's two columns are one value. */
    if (t->figure->style == LAB_STYLE_HEATMAP)
        naming.y_count = 1;
    if (!t->has_last || !like_last(t, row)) {
        char *group = group_name(&naming, t->csv, row);
        char *member = member_name(&naming, t->figure, t->csv, row, y);
        char *name = series_name(&naming, group, member);
        size_t colour = tally_number(&t->group, group), dash = tally_number(&t->member, member);
        t->last_series = series_of(t->plot, (struct lab_series){name, colour, dash, NULL, 0, 0});
    }
    t->last_row = row;
    t->has_last = true;
    return t->last_series;
}

/* Rows that have no number, or one that the axis has not, are left out. */
static void take_one(struct taking *t, size_t row, size_t y)
{
    bool heatmap = t->figure->style == LAB_STYLE_HEATMAP;
    struct lab_samples *samples = t->samples;
    struct lab_sample sample = {.x = x_at(t, row, y)};
    sample.y = heatmap ? number_at(t, row, t->roles.y[0]) : 0;
    sample.value = number_at(t, row, t->roles.y[heatmap ? 1 : y]);
    if (t->roles.seed >= 0)
        sample.seed = strtoull(lab_csv_cell(t->csv, row, (size_t)t->roles.seed), NULL, 10);
    if (!can_be_drawn(t, &sample))
        return;
    sample.series = find_series(t, row, y);
    samples->sample = lab_heap_grow(samples->sample, samples->count, &samples->room, sizeof sample);
    samples->sample[samples->count++] = sample;
}

/* In the order of the table, whether they have something to draw or not: so a variant has the same
 * colour in all figures of a result. */
static void number_groups(struct taking *t)
{
    for (size_t row = 0; row < lab_csv_rows(t->csv); row++) {
        if (row == 0 || !like_last(t, row))
            tally_number(&t->group, group_name(&t->roles, t->csv, row));
        t->last_row = row;
    }
}

/* Colours tell more lines apart than dashes do. */
static void prefer_colours(struct lab_plot *plot)
{
    for (size_t i = 1; i < plot->series_count; i++) {
        if (plot->series[i].colour != plot->series[0].colour)
            return;
    }
    for (size_t i = 0; plot->series_count > 1 && i < plot->series_count; i++) {
        plot->series[i].colour = plot->series[i].dash;
        plot->series[i].dash = 0;
    }
}

static void tell_splits(struct lab_plot *plot, const struct roles *roles)
{
    for (size_t i = 0; i < roles->splits; i++) {
        bool variant = roles->split[i] == roles->variant;
        plot->over_variants = plot->over_variants || variant;
        plot->over_points = plot->over_points || (!variant && roles->split[i] < roles->variant);
    }
}

static void take_all(struct taking *t)
{
    size_t passes = t->figure->style == LAB_STYLE_HEATMAP ? 1 : t->roles.y_count;
    number_groups(t);
    for (size_t y = 0; y < passes; y++) {
        t->has_last = false;
        for (size_t row = 0; row < lab_csv_rows(t->csv); row++)
            take_one(t, row, y);
    }
    prefer_colours(t->plot);
    tell_splits(t->plot, &t->roles);
    tally_free(&t->group);
    tally_free(&t->member);
}

int lab_samples_take(struct lab_samples *samples, struct lab_plot *plot,
                     const struct lab_figure *figure, const struct lab_csv *csv,
                     struct lab_why *why)
{
    struct taking t = {.samples = samples, .plot = plot, .figure = figure, .csv = csv};
    int rc = find_roles(&t.roles, figure, csv, why);
    if (rc != 0)
        return rc;
    t.named_x = figure->style != LAB_STYLE_CDF &&
                (figure->style == LAB_STYLE_BARS || !is_numeric(csv, t.roles.x));
    take_all(&t);
    if (samples->count == 0)
        rc = lab_why_set(why, HSAY_EINVAL, "there are no numbers in the columns of the figure");
    return rc;
}
