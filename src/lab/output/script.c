/*
 * All data stand in the script, so gnuplot reads no file.  Colours are those of Okabe and Ito that
 * can be told apart by nearly everybody, less their yellow and with a darker sky, so that each
 * shows on white and on black paper alike; marks differ too.  A colour is a value of what lines are
 * told apart by, a dash is all else: the same variant has one colour at all points of a sweep.
 */
#include "src/lab/output/script.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/number.h"

enum {
    HEIGHT = 430,
    LEGEND_LINE = 21,
    MARKS_MAX = 24,  /* spots in a line that are marked one by one */
    SPOTS_MAX = 800, /* more than there are pixels would only make the file large */
    LABELS_MAX = 10, /* bars with their number above */
};

static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73",
                                     "#cc79a7", "#8c6d1f", "#3d9bd1"};
static const int mark[] = {7, 5, 9, 13, 11, 15};
static const char *const dash[] = {"solid",     "(9,4)",         "(2,3)",
                                   "(9,3,2,3)", "(9,3,2,3,2,3)", "(18,5)"};
enum { DASHES = sizeof dash / sizeof dash[0] };
enum { COLOURS = sizeof colour / sizeof colour[0] };

/* --- data ------------------------------------------------------------------------------------ */

/* `every` neighbours made one, so that what is drawn stays small. */
static struct lab_spot merged(const struct lab_spot *spot, size_t count)
{
    struct lab_spot all = spot[0];
    double mean = 0;
    for (size_t i = 0; i < count; i++) {
        mean += spot[i].mean / (double)count;
        all.least = fmin(all.least, spot[i].least);
        all.largest = fmax(all.largest, spot[i].largest);
    }
    all.mean = mean;
    return all;
}

static void put_row(FILE *out, double x, const struct lab_spot *spot)
{
    char text[LAB_NUMBER_BYTES];
    fprintf(out, "%.9g %.9g %.9g %.9g %s\n", x, spot->mean, spot->least, spot->largest,
            lab_number_text(text, spot->mean));
}

/* A line of its own for each style is drawn from the same rows: x, mean, least, largest, mean in
 * words.  Steps are rows, too, so that their bands have steps. */
static void put_data(FILE *out, const struct lab_figure *figure, const struct lab_series *series,
                     size_t index, double offset)
{
    size_t every = series->spots / SPOTS_MAX + 1;
    struct lab_spot before = {0};
    fprintf(out, "$data%zu << EOD\n", index);
    for (size_t i = 0; i < series->spots; i += every) {
        size_t rest = series->spots - i;
        struct lab_spot spot = merged(&series->spot[i], rest < every ? rest : every);
        if (figure->style == LAB_STYLE_STEPS && i > 0)
            put_row(out, spot.x, &before);
        put_row(out, spot.x + offset, &spot);
        before = spot;
    }
    fputs("EOD\n", out);
}

/* The same for shares: none lie before the axis begins, and all of them before it ends.  Of shares
 * that are put together the last one counts. */
static void put_shares(FILE *out, const struct lab_series *series, struct lab_script_range axis,
                       size_t index)
{
    size_t every = series->spots / SPOTS_MAX + 1;
    struct lab_spot before = {0};
    fprintf(out, "$data%zu << EOD\n", index);
    put_row(out, fmin(axis.low, series->spot[0].x), &before);
    for (size_t i = 0; i < series->spots; i += every) {
        size_t last = i + every - 1 < series->spots ? i + every - 1 : series->spots - 1;
        put_row(out, series->spot[last].x, &before);
        before = series->spot[last];
        put_row(out, before.x, &before);
    }
    put_row(out, fmax(axis.high, before.x), &before);
    fputs("EOD\n", out);
}

/* --- series ---------------------------------------------------------------------------------- */

static bool is_named(const struct lab_plot *plot)
{
    return plot->series_count > 1 || plot->series[0].name[0] != 0;
}

/* The names below take their place from the figure, so it grows with them. */
static int height_of(const struct lab_figure *figure, const struct lab_plot *plot)
{
    size_t longest = 0, names = is_named(plot) ? plot->series_count : 0;
    for (size_t i = 0; i < plot->series_count; i++) {
        size_t size = strlen(plot->series[i].name);
        longest = size > longest ? size : longest;
    }
    if (figure->has_bar) {
        char *text = lab_script_bar_text(figure);
        longest = strlen(text) > longest ? strlen(text) : longest;
        names++;
        free(text);
    }
    size_t columns = LAB_SCRIPT_COLUMNS / (longest + 9);
    columns = columns > 0 ? columns : 1;
    return HEIGHT + (names > 0 ? LEGEND_LINE * (int)((names - 1) / columns) : 0);
}

static void put_name(FILE *out, const struct lab_plot *plot, size_t index)
{
    if (!is_named(plot)) {
        fputs(" notitle", out);
        return;
    }
    fputs(" title ", out);
    lab_script_text(out, plot->series[index].name, 0);
}

static const char *colour_of(const struct lab_series *series)
{
    return colour[series->colour % COLOURS];
}

/* Where colours begin again, dashes go on. */
static const char *dash_of(const struct lab_series *series)
{
    return dash[(series->dash + series->colour / COLOURS) % DASHES];
}

static int mark_of(const struct lab_series *series)
{
    return mark[(series->colour + series->dash) % (sizeof mark / sizeof mark[0])];
}

static void put_line(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                     size_t i)
{
    const struct lab_series *series = &plot->series[i];
    const char *c = colour_of(series);
    bool marked = figure->style == LAB_STYLE_LINES && series->spots <= MARKS_MAX;
    if (plot->banded)
        fprintf(out,
                "$data%zu using 1:3:4 with filledcurves fillcolor rgb '%s' "
                "fillstyle transparent solid 0.18 noborder notitle, \\\n  ",
                i, c);
    fprintf(out, "$data%zu using 1:2 with %s linecolor rgb '%s' linewidth 2 dashtype %s", i,
            marked ? "linespoints" : "lines", c, dash_of(series));
    if (marked)
        fprintf(out, " pointtype %d pointsize 0.6", mark_of(series));
    put_name(out, plot, i);
}

static void put_points(FILE *out, const struct lab_plot *plot, size_t i)
{
    const char *c = colour_of(&plot->series[i]);
    if (plot->banded)
        fprintf(out,
                "$data%zu using 1:2:3:4 with yerrorbars linecolor rgb '%s' pointtype 2 "
                "pointsize 0 notitle, "
                "\\\n  ",
                i, c);
    fprintf(out, "$data%zu using 1:2 with points linecolor rgb '%s' pointtype %d pointsize 0.7", i,
            c, mark_of(&plot->series[i]));
    put_name(out, plot, i);
}

static void put_bars(FILE *out, const struct lab_plot *plot, size_t i)
{
    fprintf(out, "$data%zu using 1:2 with boxes fillcolor rgb '%s' fillstyle solid 0.8 noborder", i,
            colour[i % COLOURS]);
    put_name(out, plot, i);
    if (plot->banded)
        fprintf(out,
                ", \\\n  $data%zu using 1:2:3:4 with yerrorbars linecolor 'black' linewidth 1 "
                "pointtype 2 pointsize 0 notitle",
                i);
    if (plot->categories * plot->series_count <= LABELS_MAX)
        fprintf(out,
                ", \\\n  $data%zu using 1:4:5 with labels "
                "offset 0,0.7 font 'sans-serif,12' notitle",
                i);
}

/* Bars of several series stand side by side over their name. */
static double bar_width(const struct lab_plot *plot)
{
    return 0.8 / (double)plot->series_count;
}

static double bar_offset(const struct lab_figure *figure, const struct lab_plot *plot, size_t i)
{
    if (figure->style != LAB_STYLE_BARS)
        return 0;
    return ((double)i - ((double)plot->series_count - 1) / 2) * bar_width(plot);
}

static void put_series(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                       size_t i)
{
    if (figure->style == LAB_STYLE_BARS)
        put_bars(out, plot, i);
    else if (figure->style == LAB_STYLE_POINTS)
        put_points(out, plot, i);
    else
        put_line(out, figure, plot, i);
}

/* Among the names: within the figure its words would lie on the lines.  Only the name of it is
 * wanted here, so what is plotted is nothing. */
static void put_bar_name(FILE *out, const struct lab_figure *figure)
{
    char *text = lab_script_bar_text(figure);
    if (figure->has_bar) {
        fputs(", \\\n  NaN with lines " LAB_SCRIPT_BAR " title ", out);
        lab_script_text(out, text, 0);
    }
    free(text);
}

void lab_script(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    if (figure->style == LAB_STYLE_HEATMAP) {
        lab_script_heatmap(out, figure, plot);
        return;
    }
    lab_script_head(out, figure, height_of(figure, plot));
    fputs("set key outside bottom center horizontal Left reverse samplen 3 width 1 height 1\n",
          out);
    lab_script_axes(out, figure, plot);
    fprintf(out, "set boxwidth %.6g absolute\n", 0.92 * bar_width(plot));
    for (size_t i = 0; i < plot->series_count; i++) {
        if (figure->style == LAB_STYLE_CDF)
            put_shares(out, &plot->series[i], lab_script_x_range(figure, plot), i);
        else
            put_data(out, figure, &plot->series[i], i, bar_offset(figure, plot, i));
    }
    for (size_t i = 0; i < plot->series_count; i++) {
        fputs(i == 0 ? "plot " : ", \\\n  ", out);
        put_series(out, figure, plot, i);
    }
    put_bar_name(out, figure);
    fputc('\n', out);
}
