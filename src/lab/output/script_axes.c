/* Around the data: title, labels, ranges, and the line to reach. */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/label.h"
#include "src/lab/output/number.h"
#include "src/lab/output/script.h"

enum {
    WIDTH = 760,
    NAME_COLUMNS = 12, /* of words below the x axis, before they go on in the next line */
};

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

/* Names of two lines need a line that gnuplot does not leave for them. */
static bool names_wrap(const char *names)
{
    struct lab_label label;
    const char *at = names != NULL ? names : "";
    while (lab_label_next(&at, &label)) {
        if (label.text_size > NAME_COLUMNS && memchr(label.text, ' ', label.text_size) != NULL)
            return true;
    }
    return false;
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
    lab_script_text(out, or_else(figure->title, figure->table), LAB_SCRIPT_COLUMNS);
    fputs(" font 'sans-serif,15'\nset xlabel ", out);
    fputs(names_wrap(figure->x_names) ? "\"\\n\" . " : "", out);
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

/* Over less than two decades the powers of ten alone would be one number, or none. */
static void put_log_axis(FILE *out, char axis, double low, double high)
{
    static const double step[] = {1, 2, 5, 3, 4, 7};
    const char *comma = "";
    size_t steps = high > 10 * low ? 3 : sizeof step / sizeof step[0];
    /* A mark at the very end would be lost to the rounding of gnuplot's logarithms. */
    fprintf(out, "set logscale %c\nset %crange [%.12g:%.12g]\n", axis, axis, low * (1 - 1e-9),
            high * (1 + 1e-9));
    if (high > 100 * low)
        return;
    fprintf(out, "set %ctics (", axis);
    for (double decade = pow(10, floor(log10(low))); decade <= high; decade *= 10) {
        for (size_t i = 0; i < steps; i++) {
            double at = step[i] * decade;
            if (at >= low && at <= high) {
                fprintf(out, "%s%.9g", comma, at);
                comma = ", ";
            }
        }
    }
    fputs(")\n", out);
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
        put_log_axis(out, 'y', e.y_low / 1.3, e.y_high * 1.5);
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

void lab_script_names(FILE *out, char axis, const char *names)
{
    struct lab_label label;
    const char *at = names != NULL ? names : "";
    bool any = false;
    while (lab_label_next(&at, &label)) {
        double number;
        char *name = lab_heap_copy_part(label.name, label.name_size);
        char *text = lab_heap_copy_part(label.text, label.text_size);
        if (lab_number_parse(name, &number)) {
            if (any)
                fputs(", ", out);
            else
                fprintf(out, "set %ctics (", axis);
            lab_script_text(out, text, axis == 'x' ? NAME_COLUMNS : 0);
            fprintf(out, " %.9g", number);
            any = true;
        }
        free(name);
        free(text);
    }
    fputs(any ? ")\n" : "", out);
}

static void put_categories(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    char **label = lab_heap_new(plot->categories, sizeof *label);
    size_t longest = 0;
    for (size_t i = 0; i < plot->categories; i++) {
        label[i] = lab_label_of(figure->x_names, plot->category[i]);
        longest = strlen(label[i]) > longest ? strlen(label[i]) : longest;
    }
    bool slant = (longest + 1) * plot->categories > LAB_SCRIPT_COLUMNS;
    fprintf(out, "set grid noxtics\nset xrange [-0.6:%.1f]\nset xtics scale 0 %s(",
            (double)plot->categories - 0.4, slant ? "rotate by -30 " : "");
    for (size_t i = 0; i < plot->categories; i++) {
        fputs(i > 0 ? ", " : "", out);
        lab_script_text(out, label[i], 0);
        fprintf(out, " %zu", i);
        free(label[i]);
    }
    fputs(")\n", out);
    free(label);
}

struct lab_script_range lab_script_x_range(const struct lab_figure *figure,
                                           const struct lab_plot *plot)
{
    struct extent e = extent_of(plot);
    struct lab_script_range range = {e.x_low, e.x_high};
    bool cdf = figure->style == LAB_STYLE_CDF;
    if (cdf && figure->has_bar)
        range.high = fmax(range.high, figure->bar);
    if (!figure->logx && range.low > 0 && (cdf || range.low < 0.2 * range.high))
        range.low = 0;
    /* So that a curve is seen to have come to 1. */
    if (cdf && !figure->logx)
        range.high += 0.05 * (range.high - range.low);
    if (figure->has_x_max)
        range.high = figure->x_max;
    if (range.high <= range.low) {
        double around = range.low != 0 ? 0.1 * fabs(range.low) : 1;
        range = (struct lab_script_range){range.low - around, range.low + around};
    }
    return range;
}

static void put_x_range(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    if (plot->categories > 0) {
        put_categories(out, figure, plot);
        return;
    }
    struct lab_script_range range = lab_script_x_range(figure, plot);
    /* Points on the edge would be cut in half. */
    double air = figure->style == LAB_STYLE_POINTS ? 0.03 * (range.high - range.low) : 0;
    if (figure->logx)
        put_log_axis(out, 'x', range.low, range.high);
    else
        fprintf(out, "set xrange [%.9g:%.9g]\n", range.low - air, range.high + air);
    lab_script_names(out, 'x', figure->x_names);
}

char *lab_script_bar_text(const struct lab_figure *figure)
{
    char number[LAB_NUMBER_BYTES];
    return lab_heap_copy(or_else(figure->bar_text, lab_number_text(number, figure->bar)));
}

static void put_bar(FILE *out, const struct lab_figure *figure)
{
    bool upright = figure->style == LAB_STYLE_CDF;
    if (!figure->has_bar)
        return;
    fprintf(out,
            upright ? "set arrow from first %.9g, graph 0 to first %.9g, graph 1"
                    : "set arrow from graph 0, first %.9g to graph 1, first %.9g",
            figure->bar, figure->bar);
    fputs(" nohead front " LAB_SCRIPT_BAR "\n", out);
}

void lab_script_axes(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    struct extent e = extent_of(plot);
    put_x_range(out, figure, plot);
    put_y_range(out, figure, e);
    put_bar(out, figure);
}
