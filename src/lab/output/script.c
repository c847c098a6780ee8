/*
 * All data stand in the script, so gnuplot reads no file.  Colours are those of Okabe and Ito that
 * can be told apart by nearly everybody, less their yellow and with a darker sky, so that each
 * shows on white and on black paper alike; marks and dashes differ too.
 */
#include "src/lab/output/script.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "src/lab/output/number.h"

enum {
    WIDTH = 760,
    HEIGHT = 430,
    TITLE_COLUMNS = 84,
    MARKS_MAX = 24,  /* spots in a line that are marked one by one */
    SPOTS_MAX = 800, /* more than there are pixels would only make the file large */
    LABELS_MAX = 16, /* bars with their number above */
};

static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73",
                                     "#cc79a7", "#8c6d1f", "#3d9bd1"};
static const int mark[] = {7, 5, 9, 13, 11, 15};
enum { COLOURS = sizeof colour / sizeof colour[0] };

void lab_script_text(FILE *out, const char *text, size_t columns)
{
    size_t used = 0;
    fputc('"', out);
    for (; *text != 0; text++, used++) {
        if (columns > 0 && *text == ' ' && used + strcspn(text + 1, " ") >= columns) {
            fputs("\\n", out);
            used = 0;
        } else if (*text == '`') {
            fputc('\'', out); /* would run a command */
        } else if (iscntrl((unsigned char)*text)) {
            fputc(' ', out);
        } else {
            if (*text == '"' || *text == '\\')
                fputc('\\', out);
            fputc(*text, out);
        }
    }
    fputc('"', out);
}

static const char *or_else(const char *text, const char *other)
{
    return text != NULL && text[0] != 0 ? text : other != NULL ? other : "";
}

void lab_script_head(FILE *out, const struct lab_figure *figure, int height)
{
    fprintf(out,
            "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,14'\n"
            "set encoding utf8\n"
            "set border 3 linewidth 0.8\n"
            "set tics nomirror scale 0.6\n"
            "set format \"%%.8g\"\n"
            "set grid linecolor 'gray' linetype 1 linewidth 0.8\n"
            "set title ",
            WIDTH, height);
    lab_script_text(out, or_else(figure->title, figure->table), TITLE_COLUMNS);
    fputs(" font 'sans-serif,15'\nset xlabel ", out);
    lab_script_text(out, or_else(figure->x_label, or_else(figure->x, figure->y)), 0);
    fputs("\nset ylabel ", out);
    lab_script_text(
        out,
        or_else(figure->y_label, figure->style == LAB_STYLE_CDF ? "share at most x" : figure->y),
        0);
    fputc('\n', out);
}

/* --- axes ------------------------------------------------------------------------------------ */

struct extent {
    double x_low, x_high, y_low, y_high;
};

static struct extent extent_of(const struct lab_plot *plot)
{
    struct extent e = {DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX};
    for (size_t i = 0; i < plot->series_count; i++) {
        for (size_t j = 0; j < plot->series[i].spots; j++) {
            const struct lab_spot *spot = &plot->series[i].spot[j];
            e.x_low = fmin(e.x_low, spot->x);
            e.x_high = fmax(e.x_high, spot->x);
            e.y_low = fmin(e.y_low, spot->least);
            e.y_high = fmax(e.y_high, spot->largest);
        }
    }
    return e;
}

/* From 0 where that is not far, with a little air above; the bar is always to be seen. */
static void put_y_range(FILE *out, const struct lab_figure *figure, struct extent e)
{
    if (figure->style == LAB_STYLE_CDF) {
        fputs("set yrange [0:1.02]\n", out);
        return;
    }
    if (figure->has_bar && (!figure->logy || figure->bar > 0)) {
        e.y_low = fmin(e.y_low, figure->bar);
        e.y_high = fmax(e.y_high, figure->bar);
    }
    if (figure->logy) {
        fprintf(out, "set logscale y\nset yrange [%.9g:%.9g]\n", e.y_low / 1.3, e.y_high * 1.5);
        return;
    }
    if (figure->style == LAB_STYLE_BARS || (e.y_low > 0 && e.y_low < 0.7 * e.y_high))
        e.y_low = fmin(e.y_low, 0);
    if (e.y_high < 0 && figure->style == LAB_STYLE_BARS)
        e.y_high = 0;
    double air = 0.08 * (e.y_high - e.y_low);
    if (air <= 0)
        air = e.y_high != 0 ? 0.1 * fabs(e.y_high) : 1;
    fprintf(out, "set yrange [%.9g:%.9g]\n", e.y_low < 0 || e.y_low > 0 ? e.y_low - air : 0.0,
            e.y_high + air);
}

static void put_categories(FILE *out, const struct lab_plot *plot)
{
    size_t width = 0;
    for (size_t i = 0; i < plot->categories; i++)
        width += strlen(plot->category[i]) + 2;
    fprintf(out, "set grid noxtics\nset xrange [-0.6:%.1f]\nset xtics %s(",
            (double)plot->categories - 0.4, width > TITLE_COLUMNS ? "rotate by -30 " : "");
    for (size_t i = 0; i < plot->categories; i++) {
        fputs(i > 0 ? ", " : "", out);
        lab_script_text(out, plot->category[i], 0);
        fprintf(out, " %zu", i);
    }
    fputs(")\n", out);
}

static void put_x_range(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                        struct extent e)
{
    if (plot->categories > 0) {
        put_categories(out, plot);
        return;
    }
    if (figure->has_x_max)
        e.x_high = figure->x_max;
    if (figure->style == LAB_STYLE_CDF && figure->has_bar && !figure->has_x_max)
        e.x_high = fmax(e.x_high, figure->bar);
    if (figure->logx)
        fputs("set logscale x\n", out);
    else if (e.x_low > 0 && e.x_low < 0.2 * e.x_high)
        e.x_low = 0;
    if (e.x_high <= e.x_low)
        e.x_high = e.x_low + (e.x_low != 0 ? 0.1 * fabs(e.x_low) : 1);
    fprintf(out, "set xrange [%.9g:%.9g]\n", e.x_low, e.x_high);
}

static void put_bar(FILE *out, const struct lab_figure *figure, const struct extent *e)
{
    char number[LAB_NUMBER_BYTES];
    if (!figure->has_bar)
        return;
    bool upright = figure->style == LAB_STYLE_CDF;
    bool left = upright && figure->bar > (e->x_low + e->x_high) / 2;
    const char *text = or_else(figure->bar_text, lab_number_text(number, figure->bar));
    fprintf(out,
            upright ? "set arrow from first %.9g, graph 0 to first %.9g, graph 1"
                    : "set arrow from graph 0, first %.9g to graph 1, first %.9g",
            figure->bar, figure->bar);
    fputs(" nohead front dashtype (6,4) linewidth 1.2 linecolor 'black'\nset label ", out);
    lab_script_text(out, text, 0);
    if (upright)
        fprintf(out, " at first %.9g, graph 0.05 %s offset %s,0 front\n", figure->bar,
                left ? "right" : "left", left ? "-0.6" : "0.6");
    else
        fprintf(out, " at graph 0.995, first %.9g right offset 0,0.6 front\n", figure->bar);
}

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
    fprintf(out, "%.9g %.9g %.9g %.9g\n", x, spot->mean, spot->least, spot->largest);
}

/* A line of its own for each style is drawn from the same rows: x, mean, least, largest.  Steps are
 * rows, too, so that their bands have steps. */
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

static void put_name(FILE *out, const struct lab_plot *plot, size_t index)
{
    if (plot->series_count == 1 && plot->series[0].name[0] == 0) {
        fputs(" notitle", out);
        return;
    }
    fputs(" title ", out);
    lab_script_text(out, or_else(plot->series[index].name, "all"), 0);
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
                "$data%zu using 1:2:3:4 with yerrorbars linecolor rgb '%s' pointtype 0 notitle, "
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
                "pointtype 0 notitle",
                i);
    if (plot->categories * plot->series_count <= LABELS_MAX)
        fprintf(out,
                ", \\\n  $data%zu using 1:4:(sprintf(\"%%.4g\", $2)) with labels "
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
    struct extent e = extent_of(plot);
    lab_script_head(out, figure, HEIGHT);
    fputs("set key outside top left horizontal Left reverse samplen 2 width 1\n", out);
    put_x_range(out, figure, plot, e);
    put_y_range(out, figure, e);
    put_bar(out, figure, &e);
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
