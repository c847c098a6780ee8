#include "src/lab/script/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/names.h"
#include "src/lab/script/reader.h"
#include "src/lab/script/heap.h"

/* --- for all parts of the reader ------------------------------------------------------------- */

void lab_reader_fault(struct lab_reader *reader, const char *format, ...)
{
    char text[LAB_FAULT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    lab_faults_add(reader->faults, &reader->at, "%s", text);
}

bool lab_reader_full(struct lab_reader *reader, size_t count)
{
    if (count < LAB_SCENARIO_ITEMS_MAX)
        return false;
    lab_reader_fault(reader, "more than %d lines of this kind", LAB_SCENARIO_ITEMS_MAX);
    return true;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The description while it grows. */
struct prose {
    char *text;
    size_t size;
    bool paragraph; /* begins before the next word */
};

/* Lines that follow each other make a paragraph. */
static void prose_add(struct prose *prose, const char *text, size_t size)
{
    while (size > 0 && *text == ' ') {
        text++;
        size--;
    }
    while (size > 0 && text[size - 1] == ' ')
        size--;
    if (size == 0) {
        prose->paragraph = true;
        return;
    }
    const char *gap = prose->size == 0 ? "" : prose->paragraph ? "\n\n" : " ";
    size_t gap_size = strlen(gap);
    prose->text = lab_script_realloc(prose->text, prose->size + gap_size + size);
    memcpy(prose->text + prose->size, gap, gap_size);
    memcpy(prose->text + prose->size + gap_size, text, size);
    prose->size += gap_size + size;
    prose->paragraph = false;
}

static void line_read(struct lab_reader *reader, struct prose *prose)
{
    if (reader->size >= 2 && memcmp(reader->line, "##", 2) == 0) {
        /* What is included describes itself to those who run it alone. */
        if (reader->depth == 1)
            prose_add(prose, reader->line + 2, reader->size - 2);
        return;
    }
    if (lab_words_split(&reader->words, reader->line, reader->size, reader->why,
                        sizeof reader->why) != 0)
        lab_reader_fault(reader, "%s", reader->why);
    else if (reader->words.count > 0 && *reader->line == '@')
        lab_statement_action(reader);
    else if (reader->words.count > 0)
        lab_statement_read(reader);
}

static const char *variant_name(const void *list, size_t i)
{
    return ((const struct lab_scenario_variant *)list)[i].name;
}

static void variant_check(struct lab_reader *reader, const char *name)
{
    const struct lab_scenario *s = reader->scenario;
    struct lab_names known = {s->variant, s->variant_count, variant_name};
    if (name == NULL || lab_scenario_variant_find(s, name) < s->variant_count)
        return;
    lab_names_unknown(reader->why, sizeof reader->why, "variant", name, &known);
    lab_reader_fault(reader, "%s", reader->why);
}

/* Variants may be defined behind the results and figures that are about them. */
static void results_check(struct lab_reader *reader)
{
    const struct lab_scenario *s = reader->scenario;
    for (size_t i = 0; i < s->result_count; i++) {
        reader->at = s->result[i].at;
        variant_check(reader, s->result[i].left.variant);
        variant_check(reader, s->result[i].right.variant);
    }
}

static void figures_check(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    for (size_t i = 0; i < s->figure_count; i++) {
        const char *at = s->figure[i].variants;
        reader->at = s->figure[i].at;
        while (*at != 0) {
            size_t size = strcspn(at, ",");
            variant_check(reader, lab_arena_text_part(&s->arena, at, size));
            at += size;
            at += *at == ',';
        }
    }
}

static void base_name(struct lab_scenario *scenario, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = strlen(name);
    const char *dot = strstr(name, ".scenario");
    if (dot != NULL && dot != name && dot[sizeof ".scenario" - 1] == '\0')
        length = (size_t)(dot - name);
    scenario->name = lab_arena_text_part(&scenario->arena, name, length);
}

static void scenario_init(struct lab_scenario *scenario, const struct lab_language *language,
                          const char *name)
{
    *scenario = (struct lab_scenario){.language = language, .description = ""};
    scenario->file =
        lab_arena_alloc(&scenario->arena, LAB_SCENARIO_FILES_MAX * sizeof *scenario->file);
    scenario->variant = lab_script_grow(NULL, 0, sizeof *scenario->variant);
    scenario->variant[scenario->variant_count++] =
        (struct lab_scenario_variant){.name = "main", .help = ""};
    base_name(scenario, name);
}

/* Everything behind the opening of the first file. */
static int all_read(struct lab_reader *reader)
{
    struct prose prose = {0};
    while (lab_source_next(reader))
        line_read(reader, &prose);
    results_check(reader);
    figures_check(reader);
    reader->scenario->description =
        lab_arena_text_part(&reader->scenario->arena, prose.size > 0 ? prose.text : "", prose.size);
    free(prose.text);
    lab_words_free(&reader->words);
    return reader->faults->count == 0 ? 0 : HSAY_EINVAL;
}

int lab_scenario_read(struct lab_scenario *scenario, const struct lab_language *language,
                      const char *path, struct lab_faults *faults)
{
    struct lab_reader reader = {.scenario = scenario, .faults = faults};
    scenario_init(scenario, language, path);
    int rc = lab_source_open(&reader, path);
    return rc != 0 ? rc : all_read(&reader);
}

int lab_scenario_read_text(struct lab_scenario *scenario, const struct lab_language *language,
                           const char *name, const char *path, const char *text, size_t size,
                           struct lab_faults *faults)
{
    struct lab_reader reader = {.scenario = scenario, .faults = faults};
    scenario_init(scenario, language, name);
    int rc = lab_source_open_text(&reader, name, path, text, size);
    return rc != 0 ? rc : all_read(&reader);
}

void lab_scenario_free(struct lab_scenario *scenario)
{
    free(scenario->param);
    free(scenario->set);
    free(scenario->peers);
    free(scenario->variant);
    free(scenario->result);
    free(scenario->sweep);
    free(scenario->figure);
    free(scenario->measure);
    free(scenario->action);
    lab_arena_free(&scenario->arena);
    *scenario = (struct lab_scenario){0};
}

size_t lab_scenario_variant_find(const struct lab_scenario *scenario, const char *name)
{
    size_t i = 0;
    while (i < scenario->variant_count && strcmp(scenario->variant[i].name, name) != 0)
        i++;
    return i;
}

/* ---- the whole text ---- */

struct whole {
    const struct lab_scenario *scenario;
    char *text;
    size_t size;
    size_t next; /* the file that the next `include` read */
};

static void whole_add(struct whole *w, const char *text, size_t size)
{
    memcpy(w->text + w->size, text, size);
    w->size += size;
}

static bool is_include(const char *line, size_t size)
{
    static const char word[] = "include";
    size_t blanks = 0;
    while (blanks < size && (line[blanks] == ' ' || line[blanks] == '\t'))
        blanks++;
    size_t end = blanks + sizeof word - 1;
    return end < size && memcmp(line + blanks, word, sizeof word - 1) == 0 &&
           (line[end] == ' ' || line[end] == '\t');
}

/* What an included file says of itself in ## lines is no part of the description. */
static void whole_line(struct whole *w, const char *line, size_t size, bool included)
{
    if (included && size > 1 && line[0] == '#' && line[1] == '#') {
        line++;
        size--;
    }
    whole_add(w, line, size);
    whole_add(w, "\n", 1);
}

/* Files were read in the order in which their `include` lines stand, so that is how they are found
 * again; the depth is that of the reading, which is bounded. */
static void whole_file(struct whole *w, bool included)
{
    const struct lab_scenario_file *file = &w->scenario->file[w->next++];
    for (size_t at = 0, size; at < file->size; at += size + 1) {
        const char *line = file->text + at;
        const char *newline = memchr(line, '\n', file->size - at);
        size = newline != NULL ? (size_t)(newline - line) : file->size - at;
        if (is_include(line, size) && w->next < w->scenario->file_count)
            whole_file(w, true);
        else
            whole_line(w, line, size, included);
    }
}

const char *lab_scenario_text(struct lab_scenario *scenario)
{
    struct whole w = {.scenario = scenario};
    size_t size = 1;
    for (size_t i = 0; i < scenario->file_count; i++)
        size += scenario->file[i].size + 1;
    w.text = lab_arena_alloc(&scenario->arena, size);
    if (scenario->file_count > 0)
        whole_file(&w, false);
    w.text[w.size] = '\0';
    return w.text;
}
