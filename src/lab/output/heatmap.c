/*
 * Heatmaps: each series a panel, each cell a coloured rectangle.  Where an axis has more values
 * than the eye can tell apart they are put into bins of the same width, and a cell is the mean.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/choice.h"
#include "src/lab/output/label.h"
#include "src/lab/output/number.h"
#include "src/lab/output/script.h"

enum {
    BINS_X = 96,
    BINS_Y = 48,
    PANEL_HEIGHT = 360,
    NUMBERS_X = 10, /* cells side by side that have room for their number */
    NUMBERS_Y = 12,
};

/* How one axis is cut: `bins` cells of `width` from `low` on, the first one around it. */
struct axis {
    double low, width;
    int bins;
};

static double value_of(const struct lab_spot *spot, int upright)
{
    return upright ? spot->y : spot->x;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Cells as wide as the least gap between two values, if there are not too many of them. */
static struct axis axis_of(const struct lab_plot *plot, int upright, int bins_max)
{
    struct axis axis = {.width = 1, .bins = 1};
    size_t count = 0, room = 0;
    double *value = NULL, gap = DBL_MAX;
    for (size_t i = 0; i < plot->series_count; i++) {
        for (size_t j = 0; j < plot->series[i].spots; j++) {
            value = lab_heap_grow(value, count, &room, sizeof *value);
            value[count++] = value_of(&plot->series[i].spot[j], upright);
        }
    }
    qsort(value, count, sizeof *value, ascending);
    for (size_t i = 1; i < count; i++) {
        if (value[i] > value[i - 1])
            gap = fmin(gap, value[i] - value[i - 1]);
    }
    axis.low = value[0];
    double span = value[count - 1] - value[0];
    free(value);
    if (span <= 0)
        return axis;
    double cells = floor(span / gap + 1.5);
    axis.bins = cells <= bins_max ? (int)cells : bins_max;
    axis.width = cells <= bins_max ? gap : span / (bins_max - 1);
    return axis;
}

static int bin_of(const struct axis *axis, double value)
{
    int bin = (int)floor((value - axis->low) / axis->width + 0.5);
    return bin < 0 ? 0 : bin >= axis->bins ? axis->bins - 1 : bin;
}

/* The range of colours, one for all panels. */
struct shades {
    double low, high;
};

/* Two digits behind the point are what a cell has room for. */
static void put_number(FILE *out, double value, const struct shades *shades)
{
    char text[LAB_NUMBER_BYTES];
    bool small = fabs(shades->low) < 10 && fabs(shades->high) < 10;
    double part = (value - shades->low) / (shades->high - shades->low);
    fprintf(out, " %s %d", lab_number_text(text, small ? round(value * 100) / 100 : round(value)),
            part > 0.5 ? 0x111111 : 0xffffff);
}

/* Rows of x, y, value, value in words, and a colour for these that shows on that of the cell. */
static void put_cells(FILE *out, const struct lab_series *series, const struct axis *x,
                      const struct axis *y, const struct shades *shades, size_t index)
{
    size_t cells = (size_t)x->bins * (size_t)y->bins;
    double *sum = lab_heap_new(cells, sizeof *sum);
    size_t *count = lab_heap_new(cells, sizeof *count);
    for (size_t i = 0; i < series->spots; i++) {
        const struct lab_spot *spot = &series->spot[i];
        size_t cell = (size_t)bin_of(y, spot->y) * (size_t)x->bins + (size_t)bin_of(x, spot->x);
        sum[cell] += spot->mean;
        count[cell]++;
    }
    fprintf(out, "$data%zu << EOD\n", index);
    for (size_t i = 0; i < cells; i++) {
        if (count[i] == 0)
            continue;
        double mean = sum[i] / (double)count[i];
        fprintf(out, "%.9g %.9g %.9g", x->low + (double)(i % (size_t)x->bins) * x->width,
                y->low + (double)(i / (size_t)x->bins) * y->width, mean);
        put_number(out, mean, shades);
        fputc('\n', out);
    }
    fputs("EOD\n", out);
    free(sum);
    free(count);
}

static void put_names(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    size_t every = plot->categories / 12 + 1;
    fputs("set xtics (", out);
    for (size_t i = 0; i < plot->categories; i += every) {
        char *label = lab_label_of(figure->x_names, plot->category[i]);
        fputs(i > 0 ? ", " : "", out);
        lab_script_text(out, label, 0);
        fprintf(out, " %zu", i);
        free(label);
    }
    fputs(")\n", out);
}

static void put_labels(FILE *out, const struct lab_figure *figure)
{
    const char *comma = strchr(figure->y, ',');
    const char *value = comma != NULL ? comma + 1 : figure->y;
    char *upright = lab_heap_copy_part(figure->y, strcspn(figure->y, ","));
    bool labelled = figure->y_label != NULL && figure->y_label[0] != 0;
    fputs("set ylabel ", out);
    lab_script_text(out, labelled ? figure->y_label : upright, 0);
    /* Beside its numbers the title of the colours would lie on those that are long. */
    char *label = lab_label_of(figure->y_names, value);
    char *title = lab_heap_format("Colour: %s", label);
    fputs("\nset label ", out);
    lab_script_text(out, title, 0);
    fputs(" at graph 1.15, graph 1 right offset 0,0.8\n", out);
    free(title);
    free(label);
    free(upright);
}

static struct shades shades_of(const struct lab_plot *plot)
{
    double low = DBL_MAX, high = -DBL_MAX;
    for (size_t i = 0; i < plot->series_count; i++) {
        for (size_t j = 0; j < plot->series[i].spots; j++) {
            low = fmin(low, plot->series[i].spot[j].mean);
            high = fmax(high, plot->series[i].spot[j].mean);
        }
    }
    if (low > 0 && low < 0.3 * high)
        low = 0;
    return (struct shades){low, high > low ? high : low + 1};
}

static void put_axes(FILE *out, const struct axis *x, const struct axis *y,
                     const struct shades *shades)
{
    fprintf(out, "set xrange [%.9g:%.9g]\nset yrange [%.9g:%.9g]\n", x->low - x->width / 2,
            x->low + ((double)x->bins - 0.5) * x->width, y->low - y->width / 2,
            y->low + ((double)y->bins - 0.5) * y->width);
    fprintf(out, "set cbrange [%.9g:%.9g]\n", shades->low, shades->high);
    fprintf(out, "set style fill solid 1 noborder\nunset key\nunset grid\nset tics out\n"
                 "set palette defined (0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', "
                 "1 '#fde725')\n");
}

static size_t panels_of(const struct lab_plot *plot)
{
    bool few = plot->series_count < LAB_CHOICE_PANELS_MAX;
    return few ? plot->series_count : LAB_CHOICE_PANELS_MAX;
}

static void put_panel(FILE *out, const struct axis *x, const struct axis *y, size_t index)
{
    fprintf(out, "plot $data%zu using 1:2:(%.9g):(%.9g):3 with boxxyerror palette notitle", index,
            x->width / 2, y->width / 2);
    if (x->bins <= NUMBERS_X && y->bins <= NUMBERS_Y)
        fprintf(out,
                ", \\\n  $data%zu using 1:2:4:5 with labels textcolor rgb variable "
                "font 'sans-serif,13' notitle",
                index);
    fputc('\n', out);
}

static void put_panels(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                       const struct axis *x, const struct axis *y)
{
    size_t panels = panels_of(plot);
    if (panels > 1) {
        fprintf(out, "set multiplot layout %zu,1 title ", panels);
        lab_script_text(out, figure->title != NULL ? figure->title : "", LAB_SCRIPT_COLUMNS);
        fputs(" font 'sans-serif,15'\n", out);
    }
    for (size_t i = 0; i < panels; i++) {
        if (panels > 1) {
            fputs("set title ", out);
            lab_script_text(out, plot->series[i].name, 0);
            fputs(" font 'sans-serif,14' offset 0,0.7\n", out);
        }
        put_panel(out, x, y, i);
    }
    if (panels > 1)
        fputs("unset multiplot\n", out);
}

void lab_script_heatmap(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    struct axis x = axis_of(plot, 0, BINS_X), y = axis_of(plot, 1, BINS_Y);
    struct shades shades = shades_of(plot);
    size_t panels = panels_of(plot);
    lab_script_head(out, figure, (int)panels * PANEL_HEIGHT + 20);
    fputs("set title offset 0,0.7\n", out); /* above the words for the colours */
    put_labels(out, figure);
    put_axes(out, &x, &y, &shades);
    if (plot->categories > 0)
        put_names(out, figure, plot);
    else
        lab_script_names(out, 'x', figure->x_names);
    lab_script_names(out, 'y', figure->y_names);
    for (size_t i = 0; i < panels; i++)
        put_cells(out, &plot->series[i], &x, &y, &shades, i);
    put_panels(out, figure, plot, &x, &y);
}
