#include "src/lab/output/choice.h"

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/label.h"

static bool is_listed(const char *list, const char *name)
{
    struct lab_label label;
    while (lab_label_next(&list, &label)) {
        if (label.name_size == strlen(name) && memcmp(label.name, name, label.name_size) == 0)
            return true;
    }
    return false;
}

void lab_choice_keep(struct lab_csv *csv, const char *variants)
{
    int column = lab_csv_column(csv, "variant");
    size_t rows = lab_csv_rows(csv), kept = 0;
    for (size_t row = 0; column >= 0 && row < rows; row++) {
        if (!is_listed(variants, lab_csv_cell(csv, row, (size_t)column)))
            continue;
        memmove(csv->cell + kept * csv->columns, csv->cell + row * csv->columns,
                csv->columns * sizeof *csv->cell);
        kept++;
    }
    if (kept > 0)
        csv->cells = kept * csv->columns;
}

/* How many series the style can show. */
static size_t series_max(const struct lab_figure *figure)
{
    return figure->style == LAB_STYLE_HEATMAP ? LAB_CHOICE_PANELS_MAX : LAB_CHOICE_LINES_MAX;
}

/* What the points of a sweep make too many of, times the variants. */
static bool is_crowded(const struct lab_plot *plot, const struct lab_figure *figure)
{
    return plot->series_count > series_max(figure) && plot->over_points && plot->over_variants;
}

static int make_plain(struct lab_plot *plot, const struct lab_figure *figure, struct lab_csv *csv,
                      struct lab_why *why)
{
    size_t before = plot->series_count;
    const char *plain = lab_csv_cell(csv, 0, (size_t)lab_csv_column(csv, "variant"));
    lab_plot_free(plot);
    lab_choice_keep(csv, plain);
    int rc = lab_plot_make(plot, figure, csv, why);
    if (rc == 0)
        plot->note =
            lab_heap_format("Shown is %s alone: with the other variants there would be "
                            "%zu %s.",
                            plain, before, figure->style == LAB_STYLE_HEATMAP ? "panels" : "lines");
    return rc;
}

static int too_many(struct lab_plot *plot, const struct lab_figure *figure, struct lab_why *why)
{
    size_t count = plot->series_count;
    bool bars = figure->style == LAB_STYLE_BARS;
    if (figure->style == LAB_STYLE_HEATMAP && count > LAB_CHOICE_PANELS_MAX && plot->note == NULL)
        plot->note =
            lab_heap_format("Shown are the first %d of %zu panels.", LAB_CHOICE_PANELS_MAX, count);
    if (figure->style == LAB_STYLE_HEATMAP ||
        count <= (bars ? (size_t)LAB_CHOICE_LINES_MAX : (size_t)LAB_PLOT_SERIES_MAX))
        return 0;
    lab_plot_free(plot);
    return lab_why_set(why, bars ? HSAY_ENOSPC : HSAY_EINVAL, "%zu %s are too many for one figure",
                       count, bars ? "bars side by side" : "lines");
}

int lab_choice_plot(struct lab_plot *plot, const struct lab_figure *figure, struct lab_csv *csv,
                    struct lab_why *why)
{
    if (figure->variants != NULL && figure->variants[0] != 0)
        lab_choice_keep(csv, figure->variants);
    int rc = lab_plot_make(plot, figure, csv, why);
    if (rc == 0 && is_crowded(plot, figure))
        rc = make_plain(plot, figure, csv, why);
    return rc != 0 ? rc : too_many(plot, figure, why);
}
