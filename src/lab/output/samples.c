#include "src/lab/output/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
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

/* "main", or "loss 0.1, main"; with several values "main: share". */
static char *series_name(const struct roles *roles, const struct lab_csv *csv, size_t row, size_t y)
{
    struct lab_text text;
    lab_text_open(&text);
    for (size_t i = 0; i < roles->splits; i++) {
        int column = roles->split[i];
        fputs(i > 0 ? ", " : "", text.out);
        if (column != roles->variant)
            fprintf(text.out, "%s ", csv->name[column]);
        fputs(lab_csv_cell(csv, row, (size_t)column), text.out);
    }
    if (roles->y_count > 1)
        fprintf(text.out, "%s%s", roles->splits > 0 ? ": " : "", csv->name[roles->y[y]]);
    return lab_text_take(&text, NULL);
}

/* Takes the name. */
static int series_of(struct lab_plot *plot, char *name, size_t *index, struct lab_why *why)
{
    for (*index = 0; *index < plot->series_count; ++*index) {
        if (strcmp(plot->series[*index].name, name) == 0) {
            free(name);
            return 0;
        }
    }
    plot->series =
        lab_heap_grow(plot->series, plot->series_count, &plot->series_room, sizeof *plot->series);
    plot->series[plot->series_count++] = (struct lab_series){.name = name};
    if (plot->series_count <= LAB_PLOT_SERIES_MAX)
        return 0;
    return lab_why_set(why, HSAY_EINVAL, "more than %d series", LAB_PLOT_SERIES_MAX);
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
    if (t->figure->has_x_max && !t->named_x && sample->x > t->figure->x_max)
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

static int find_series(struct taking *t, size_t row, size_t y, size_t *series, struct lab_why *why)
{
    struct roles naming = t->roles;
    int rc = 0;
    /* A heatmap's two columns are one value. */
    if (t->figure->style == LAB_STYLE_HEATMAP)
        naming.y_count = 1;
    if (!t->has_last || !like_last(t, row))
        rc = series_of(t->plot, series_name(&naming, t->csv, row, y), &t->last_series, why);
    t->last_row = row;
    t->has_last = true;
    *series = t->last_series;
    return rc;
}

/* Rows that have no number, or one that the axis has not, are left out. */
static int take_one(struct taking *t, size_t row, size_t y, struct lab_why *why)
{
    bool heatmap = t->figure->style == LAB_STYLE_HEATMAP;
    struct lab_samples *samples = t->samples;
    struct lab_sample sample = {.x = x_at(t, row, y)};
    sample.y = heatmap ? number_at(t, row, t->roles.y[0]) : 0;
    sample.value = number_at(t, row, t->roles.y[heatmap ? 1 : y]);
    if (t->roles.seed >= 0)
        sample.seed = strtoull(lab_csv_cell(t->csv, row, (size_t)t->roles.seed), NULL, 10);
    if (!can_be_drawn(t, &sample))
        return 0;
    int rc = find_series(t, row, y, &sample.series, why);
    samples->sample = lab_heap_grow(samples->sample, samples->count, &samples->room, sizeof sample);
    samples->sample[samples->count++] = sample;
    return rc;
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
    size_t passes = figure->style == LAB_STYLE_HEATMAP ? 1 : t.roles.y_count;
    for (size_t y = 0; y < passes; y++) {
        t.has_last = false;
        for (size_t row = 0; rc == 0 && row < lab_csv_rows(csv); row++)
            rc = take_one(&t, row, y, why);
    }
    if (rc == 0 && samples->count == 0)
        rc = lab_why_set(why, HSAY_EINVAL, "there are no numbers in the columns of the figure");
    return rc;
}
