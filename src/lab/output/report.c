#include "src/lab/output/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/lab/output/gnuplot.h"
#include "src/lab/output/markup.h"
#include "src/lab/output/report_parts.h"

/* The folder that a file lies in.  free() it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return lab_heap_copy(".");
    return lab_heap_copy_part(path, slash == path ? 1 : (size_t)(slash - path));
}

static void put_contents(FILE *page, const struct lab_finds *finds)
{
    fputs("<nav><ul>\n", page);
    for (size_t i = 0; i < finds->count; i++) {
        const char *name =
            json_string_value(json_object_get(finds->found[i].manifest, "experiment"));
        fprintf(page, "<li><a href=\"#s%zu\">", i + 1);
        lab_markup_put(page, name != NULL ? name : "");
        fputs("</a></li>\n", page);
    }
    fputs("</ul></nav>\n", page);
}

static int put_sections(FILE *page, const struct lab_finds *finds, const char *figures, FILE *log,
                        struct lab_why *why)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < finds->count; i++) {
        struct lab_report_section section = {&finds->found[i], i + 1, figures, log};
        rc = lab_report_section(page, &section, why);
    }
    return rc;
}

static int write_page(const struct lab_report *report, const struct lab_finds *finds,
                      const char *figures, FILE *log, struct lab_why *why)
{
    struct lab_text page;
    size_t size;
    lab_text_open(&page);
    lab_markup_head(page.out, "Hearsay: results of experiments");
    if (finds->count > 1)
        put_contents(page.out, finds);
    int rc = put_sections(page.out, finds, figures, log, why);
    char *words = lab_heap_format("Written by hearsay-lab %s.", report->version);
    lab_markup_tail(page.out, words);
    free(words);
    char *text = lab_text_take(&page, &size);
    if (rc == 0 && file_write(report->out, text, size, 0644) != 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", report->out, strerror(errno));
    free(text);
    return rc;
}

static int write_report(const struct lab_report *report, const struct lab_finds *finds, FILE *log,
                        struct lab_why *why)
{
    char *folder = folder_of(report->out);
    char *figures = lab_heap_format("%s/figures", folder);
    int rc = lab_gnuplot_check(why);
    if (rc == 0 && file_make_folder(figures, 0755) != 0)
        rc = lab_why_set(why, HSAY_EIO, "%s: %s", figures, strerror(errno));
    if (rc == 0)
        rc = write_page(report, finds, figures, log, why);
    free(figures);
    free(folder);
    return rc;
}

int lab_report_write(const struct lab_report *report, struct lab_why *why)
{
    struct lab_finds finds = {0};
    FILE *log = report->log != NULL ? report->log : stderr;
    int rc;
    for (size_t i = 0; i < report->folders; i++)
        lab_report_find(&finds, report->folder[i], log);
    if (finds.count == 0)
        rc = lab_why_set(why, HSAY_ENOENT, "%s: no results of hearsay-lab here",
                         report->folders > 0 ? report->folder[0] : "");
    else
        rc = write_report(report, &finds, log, why);
    lab_report_find_free(&finds);
    return rc;
}
