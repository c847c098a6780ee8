#include "src/lab/output/plot.h"

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/number.h"
#include "src/lab/output/samples.h"

static int order(double a, double b)
{
    return (a > b) - (a < b);
}

static int by_series_x_seed(const void *a, const void *b)
{
    const struct lab_sample *x = a, *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->x != y->x)
        return order(x->x, y->x);
    if (x->y != y->y)
        return order(x->y, y->y);
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static void add_spot(struct lab_series *series, struct lab_spot spot)
{
    series->spot = lab_heap_grow(series->spot, series->spots, &series->room, sizeof spot);
    series->spot[series->spots++] = spot;
}

static bool same_spot(const struct lab_sample *a, const struct lab_sample *b)
{
    return a->series == b->series && a->x == b->x && a->y == b->y;
}

/* The mean of the rows of one seed; *index goes behind them. */
static double seed_mean(const struct lab_samples *samples, size_t *index)
{
    const struct lab_sample *first = &samples->sample[*index];
    double sum = 0;
    size_t count = 0;
    for (; *index < samples->count; ++*index, count++) {
        const struct lab_sample *sample = &samples->sample[*index];
        if (!same_spot(sample, first) || sample->seed != first->seed)
            break;
        sum += sample->value;
    }
    return sum / (double)count;
}

static void make_spots(struct lab_plot *plot, const struct lab_samples *samples)
{
    for (size_t i = 0; i < samples->count;) {
        const struct lab_sample *first = &samples->sample[i];
        struct lab_spot spot = {.x = first->x, .y = first->y};
        double sum = 0;
        while (i < samples->count && same_spot(&samples->sample[i], first)) {
            double mean = seed_mean(samples, &i);
            spot.least = spot.seeds == 0 || mean < spot.least ? mean : spot.least;
            spot.largest = spot.seeds == 0 || mean > spot.largest ? mean : spot.largest;
            sum += mean;
            spot.seeds++;
        }
        spot.mean = sum / (double)spot.seeds;
        plot->banded = plot->banded || spot.seeds > 1;
        add_spot(&plot->series[first->series], spot);
    }
}

/* Each row is one step up; of equal values the last one counts. */
static void make_shares(struct lab_plot *plot, const struct lab_samples *samples)
{
    for (size_t i = 0; i < samples->count;) {
        size_t series = samples->sample[i].series, end = i;
        while (end < samples->count && samples->sample[end].series == series)
            end++;
        for (size_t j = i; j < end; j++) {
            double share = (double)(j - i + 1) / (double)(end - i);
            double x = samples->sample[j].x;
            if (j + 1 == end || samples->sample[j + 1].x != x)
                add_spot(&plot->series[series], (struct lab_spot){x, 0, share, share, share, 1});
        }
        i = end;
    }
}

int lab_plot_make(struct lab_plot *plot, const struct lab_figure *figure, const struct lab_csv *csv,
                  struct lab_why *why)
{
    struct lab_samples samples = {0};
    *plot = (struct lab_plot){0};
    int rc = lab_samples_take(&samples, plot, figure, csv, why);
    if (rc == 0) {
        qsort(samples.sample, samples.count, sizeof *samples.sample, by_series_x_seed);
        if (figure->style == LAB_STYLE_CDF)
            make_shares(plot, &samples);
        else
            make_spots(plot, &samples);
    } else {
        lab_plot_free(plot);
    }
    free(samples.sample);
    return rc;
}

void lab_plot_free(struct lab_plot *plot)
{
    for (size_t i = 0; i < plot->series_count; i++) {
        free(plot->series[i].name);
        free(plot->series[i].spot);
    }
    for (size_t i = 0; i < plot->categories; i++)
        free(plot->category[i]);
    free(plot->series);
    free(plot->category);
    free(plot->note);
    *plot = (struct lab_plot){0};
}

static void put_number(FILE *out, double number)
{
    char text[LAB_NUMBER_BYTES];
    fprintf(out, ",%s", lab_number_csv(text, number));
}

static void put_spot(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot,
                     const struct lab_series *series, const struct lab_spot *spot)
{
    lab_csv_put(out, series->name);
    if (plot->categories > 0) {
        fputc(',', out);
        lab_csv_put(out, plot->category[(size_t)spot->x]);
    } else {
        put_number(out, spot->x);
    }
    if (figure->style == LAB_STYLE_HEATMAP)
        put_number(out, spot->y);
    put_number(out, spot->mean);
    put_number(out, spot->least);
    put_number(out, spot->largest);
    fprintf(out, ",%zu\n", spot->seeds);
}

void lab_plot_csv(FILE *out, const struct lab_figure *figure, const struct lab_plot *plot)
{
    bool heatmap = figure->style == LAB_STYLE_HEATMAP;
    bool has_x = figure->x != NULL && figure->x[0] != 0;
    fputs("series,", out);
    lab_csv_put(out, has_x ? figure->x : figure->y);
    if (heatmap) {
        char *upright = lab_heap_copy_part(figure->y, strcspn(figure->y, ","));
        fputc(',', out);
        lab_csv_put(out, upright);
        free(upright);
    }
    fputs(figure->style == LAB_STYLE_CDF ? ",share,share_least,share_largest,seeds\n"
                                         : ",mean,least,largest,seeds\n",
          out);
    for (size_t i = 0; i < plot->series_count; i++) {
        for (size_t j = 0; j < plot->series[i].spots; j++)
            put_spot(out, figure, plot, &plot->series[i], &plot->series[i].spot[j]);
    }
}
