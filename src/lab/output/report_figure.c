#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/lab/output/choice.h"
#include "src/lab/output/gnuplot.h"
#include "src/lab/output/markup.h"
#include "src/lab/output/report_parts.h"
#include "src/lab/output/script.h"
#include "src/lab/output/svg.h"

/* Numbers of more than this are for the file beside the page. */
enum { INLINE_BYTES_MAX = 256 << 10 };

struct drawing {
    char *svg; /* as gnuplot made it */
    char *csv;
    char *note; /* what is not shown; NULL: nothing */
};

static int draw(struct drawing *drawing, const struct lab_report_figure *drawn,
                struct lab_csv *table, struct lab_why *why)
{
    struct lab_plot plot;
    struct lab_text script, csv;
    int rc = lab_choice_plot(&plot, drawn->figure, table, why);
    if (rc != 0)
        return rc;
    lab_text_open(&csv);
    lab_plot_csv(csv.out, drawn->figure, &plot);
    drawing->csv = lab_text_take(&csv, NULL);
    lab_text_open(&script);
    lab_script(script.out, drawn->figure, &plot);
    char *text = lab_text_take(&script, NULL);
    rc = lab_gnuplot_run(text, &drawing->svg, why);
    free(text);
    drawing->note = plot.note;
    plot.note = NULL;
    lab_plot_free(&plot);
    return rc;
}

static int write_file(const struct lab_report_figure *drawn, const char *end, const char *text,
                      struct lab_why *why)
{
    char *path = lab_heap_format("%s/%s.%s", drawn->folder, drawn->name, end);
    int rc = file_write(path, text, strlen(text), 0644);
    if (rc != 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", path, strerror(errno));
    free(path);
    return rc;
}

static char *cleaned(const struct lab_report_figure *drawn, const char *svg, bool alone)
{
    char *prefix = lab_heap_format("f%s-", drawn->name);
    char *text = lab_svg_clean(
        svg, &(struct lab_svg){.prefix = prefix, .label = drawn->figure->title, .alone = alone});
    free(prefix);
    return text;
}

static void put_page(FILE *page, const struct lab_report_figure *drawn,
                     const struct drawing *drawing)
{
    char *svg = cleaned(drawn, drawing->svg, false);
    const char *note = drawn->figure->note;
    fprintf(page, "<figure>\n%s\n<figcaption>", svg);
    lab_markup_put(page, note);
    if (drawing->note != NULL) {
        fputs(note[0] != 0 ? " " : "", page);
        note = drawing->note;
        lab_markup_put(page, note);
    }
    if (strlen(drawing->csv) <= INLINE_BYTES_MAX) {
        fprintf(page, "%s<a class=\"get\" download=\"%s.csv\" href=\"data:text/csv,",
                note[0] != 0 ? " " : "", drawn->name);
        lab_markup_percent(page, drawing->csv);
        fputs("\">The numbers</a>", page);
    }
    fputs("</figcaption>\n</figure>\n", page);
    free(svg);
}

int lab_report_figure(FILE *page, const struct lab_report_figure *drawn, struct lab_why *why)
{
    struct drawing drawing = {0};
    struct lab_csv table;
    lab_csv_init(&table);
    int rc = lab_report_table(drawn->found, drawn->figure->table, &table, why);
    if (rc == 0)
        rc = draw(&drawing, drawn, &table, why);
    if (rc == 0)
        rc = write_file(drawn, "csv", drawing.csv, why);
    if (rc == 0) {
        char *alone = cleaned(drawn, drawing.svg, true);
        rc = write_file(drawn, "svg", alone, why);
        free(alone);
    }
    if (rc == 0)
        put_page(page, drawn, &drawing);
    free(drawing.svg);
    free(drawing.csv);
    free(drawing.note);
    lab_csv_free(&table);
    return rc;
}
