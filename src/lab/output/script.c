/*
 * All data stand in the script, so gnuplot reads no file.  Colours are those of Okabe and Ito that
 * can be told apart by nearly everybody, less their yellow and with a darker sky, so that each
 * shows on white and on black paper alike; marks and dashes differ too.
 */
#include "src/lab/output/script.h"

#include <math.h>
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
    if (figure->style == LAB_STYLE_CDF)
        put_row(out, series->spot[0].x, &before);
    for (size_t i = 0; i < series->spots; i += every) {
        size_t rest = series->spots - i;
        /* A share is that of the last row; steps and lines are averaged. */
        size_t count = rest < every ? rest : every;
        struct lab_spot spot = figure->style == LAB_STYLE_CDF ? series->spot[i + count - 1]
                                                              : merged(&series->spot[i], count);
        if ((figure->style == LAB_STYLE_STEPS && i > 0) || figure->style == LAB_STYLE_CDF)
            put_row(out, spot.x, &before);
        put_row(out, spot.x + offset, &spot);
        before = spot;
    }
    fputs("EOD\n", out);
}

/* --- series ---------------------------------------------------------------------------------- */

/* The names below take their place from the figure, so it grows with them. */
static int height_of(const struct lab_plot *plot)
{
    size_t longest = 0;
    for (size_t i = 0; i < plot->series_count; i++) {
        size_t size = strlen(plot->series[i].name);
        longest = size > longest ? size : longest;
    }
    size_t columns = LAB_SCRIPT_COLUMNS / (longest + 8);
    columns = columns > 0 ? columns : 1;
    return HEIGHT + LEGEND_LINE * (int)((plot->series_count - 1) / columns);
}

static void put_name(FILE *out, const struct lab_plot *plot, size_t index)
{
    if (plot->series_count == 1 && plot->series[0].name[0] == 0) {
        fputs(" notitle", out);
        return;
    }
    fputs(" title ", out);
    lab_script_text(out, plot->series[index].name, 0);
}

static void put_line(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                     size_t i)
{
    const char *c = colour[i % COLOURS];
    bool marked = figure->style == LAB_STYLE_LINES && plot->series[i].spots <= MARKS_MAX;
    if (plot->banded)
        fprintf(out,
                "$data%zu using 1:3:4 with filledcurves fillcolor rgb '%s' "
                "fillstyle transparent solid 0.18 noborder notitle, \\\n  ",
                i, c);
    fprintf(out, "$data%zu using 1:2 with %s linecolor rgb '%s' linewidth 2 dashtype %zu", i,
            marked ? "linespoints" : "lines", c, i / COLOURS + 1);
    if (marked)
        fprintf(out, " pointtype %d pointsize 0.6", mark[i % COLOURS]);
    put_name(out, plot, i);
}

static void put_points(FILE *out, const struct lab_plot *plot, size_t i)
{
    const char *c = colour[i % COLOURS];
    if (plot->banded)
        fprintf(out,
                "$data%zu using 1:2:3:4 with yerrorbars linecolor rgb '%s' pointtype 2 "
                "pointsize 0 notitle, "
                "\\\n  ",
                i, c);
    fprintf(out, "$data%zu using 1:2 with points linecolor rgb '%s' pointtype %d pointsize 0.7", i,
            c, mark[i % COLOURS]);
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

void lab_script(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    if (figure->style == LAB_STYLE_HEATMAP) {
        lab_script_heatmap(out, figure, plot);
        return;
    }
    lab_script_head(out, figure, height_of(plot));
    fputs("set key outside bottom center horizontal Left reverse samplen 2 width 1 height 1\n",
          out);
    lab_script_axes(out, figure, plot);
    fprintf(out, "set boxwidth %.6g absolute\n", 0.92 * bar_width(plot));
    for (size_t i = 0; i < plot->series_count; i++)
        put_data(out, figure, &plot->series[i], i, bar_offset(figure, plot, i));
    for (size_t i = 0; i < plot->series_count; i++) {
        fputs(i == 0 ? "plot " : ", \\\n  ", out);
        if (figure->style == LAB_STYLE_BARS)
            put_bars(out, plot, i);
        else if (figure->style == LAB_STYLE_POINTS)
            put_points(out, plot, i);
        else
            put_line(out, figure, plot, i);
    }
    fputc('\n', out);
}
