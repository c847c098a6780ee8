/* The `figure` lines of a scenario.  See scenario.h. */
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/script/heap.h"
#include "src/lab/script/names.h"
#include "src/lab/script/reader.h"

/* What has been read of a figure so far. */
struct drawing {
    struct lab_reader *reader;
    struct lab_scenario_figure figure;
    unsigned long seen; /* one bit per key */
};

static const char *text_part(const struct drawing *drawing, const char *text, size_t length)
{
    return lab_arena_text_part(&drawing->reader->scenario->arena, text, length);
}

static int name_read(const struct drawing *drawing, const char *text, size_t length,
                     const char **name)
{
    *name = text_part(drawing, text, length);
    if (lab_name_ok(*name))
        return 0;
    lab_reader_fault(drawing->reader, "'%.63s' is no name of a table or a column", *name);
    return HSAY_EINVAL;
}

/* What stands behind the first colon; "" without one. */
static const char *label_read(const struct drawing *drawing, const char *text)
{
    const char *colon = strchr(text, ':');
    return colon != NULL ? text_part(drawing, colon + 1, strlen(colon + 1)) : "";
}

static int read_table(struct drawing *drawing, const char *value)
{
    return name_read(drawing, value, strlen(value), &drawing->figure.table);
}

static int read_x(struct drawing *drawing, const char *value)
{
    drawing->figure.x_label = label_read(drawing, value);
    return name_read(drawing, value, strcspn(value, ":"), &drawing->figure.x);
}

static int read_y(struct drawing *drawing, const char *value)
{
    struct lab_scenario_figure *figure = &drawing->figure;
    size_t length = strcspn(value, ":");
    figure->y = text_part(drawing, value, length);
    figure->y_label = label_read(drawing, value);
    for (size_t at = 0; at <= length;) {
        const char *name;
        size_t column = strcspn(value + at, ",:");
        if (name_read(drawing, value + at, column, &name) != 0)
            return HSAY_EINVAL;
        at += column + 1;
    }
    return 0;
}

/* "1=no NAT,2=full cone" */
static int names_read(const struct drawing *drawing, const char *value, const char **names)
{
    for (const char *at = value; *at != 0;) {
        size_t size = strcspn(at, ",");
        if (memchr(at, '=', size) == NULL || *at == '=') {
            lab_reader_fault(drawing->reader, "'%.*s': expected \"VALUE=WORDS,VALUE=WORDS\"",
                             (int)(size < 60 ? size : 60), at);
            return HSAY_EINVAL;
        }
        at += size;
        at += *at == ',';
    }
    *names = text_part(drawing, value, strlen(value));
    return 0;
}

static int read_x_names(struct drawing *drawing, const char *value)
{
    return names_read(drawing, value, &drawing->figure.x_names);
}

static int read_y_names(struct drawing *drawing, const char *value)
{
    return names_read(drawing, value, &drawing->figure.y_names);
}

/* Whether there are such variants is known at the end of the scenario. */
static int read_variants(struct drawing *drawing, const char *value)
{
    drawing->figure.variants = text_part(drawing, value, strlen(value));
    return 0;
}

static int read_by(struct drawing *drawing, const char *value)
{
    return name_read(drawing, value, strlen(value), &drawing->figure.by);
}

static int read_style(struct drawing *drawing, const char *value)
{
    static const char styles[] = "lines steps points bars cdf heatmap";
    struct lab_reader *reader = drawing->reader;
    drawing->figure.style = text_part(drawing, value, strlen(value));
    if (lab_names_in_words(styles, value, strlen(value)))
        return 0;
    lab_names_unknown_word(reader->why, sizeof reader->why, "style", value, styles);
    lab_reader_fault(reader, "%s", reader->why);
    return HSAY_EINVAL;
}

static int read_bar(struct drawing *drawing, const char *value)
{
    const char *end;
    if (lab_quantity_decimal(value, &drawing->figure.bar, &end) != 0 ||
        (*end != ':' && *end != 0)) {
        lab_reader_fault(drawing->reader, "bar=%.60s: expected bar=NUMBER:\"text\"", value);
        return HSAY_EINVAL;
    }
    drawing->figure.has_bar = true;
    drawing->figure.bar_text = label_read(drawing, value);
    return 0;
}

static int read_x_max(struct drawing *drawing, const char *value)
{
    if (lab_quantity_read(LAB_KIND_NUMBER, value, &drawing->figure.x_max) != 0) {
        lab_reader_fault(drawing->reader, "xmax=%.60s: expected a number", value);
        return HSAY_EINVAL;
    }
    drawing->figure.has_x_max = true;
    return 0;
}

static int read_note(struct drawing *drawing, const char *value)
{
    drawing->figure.note = text_part(drawing, value, strlen(value));
    return 0;
}

static int read_log_x(struct drawing *drawing, const char *value)
{
    (void)value;
    drawing->figure.log_x = true;
    return 0;
}

static int read_log_y(struct drawing *drawing, const char *value)
{
    (void)value;
    drawing->figure.log_y = true;
    return 0;
}

static const struct {
    const char *name; /* with = if a value belongs to it */
    int (*read)(struct drawing *drawing, const char *value);
} part[] = {
    {"table=", read_table},
    {"x=", read_x},
    {"y=", read_y},
    {"xnames=", read_x_names},
    {"ynames=", read_y_names},
    {"by=", read_by},
    {"variants=", read_variants},
    {"style=", read_style},
    {"bar=", read_bar},
    {"xmax=", read_x_max},
    {"note=", read_note},
    {"logx", read_log_x},
    {"logy", read_log_y},
};

static const char parts[] =
    "table= x= y= xnames= ynames= by= variants= style= bar= xmax= note= logx logy";

static int part_read(struct drawing *drawing, const struct lab_word *word)
{
    struct lab_reader *reader = drawing->reader;
    char name[LAB_NAME_BYTES];
    size_t length;
    const char *value = lab_word_pair(word, &length);
    if (value == NULL)
        length = strlen(word->text);
    snprintf(name, sizeof name, "%.*s%s", (int)(length < 60 ? length : 60), word->text,
             value != NULL ? "=" : "");
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        bool valued = strchr(part[i].name, '=') != NULL;
        if (strcmp(part[i].name, name) != 0 || valued != (value != NULL))
            continue;
        if ((drawing->seen >> i & 1) != 0) {
            lab_reader_fault(reader, "%s is given twice", name);
            return HSAY_EINVAL;
        }
        drawing->seen |= 1UL << i;
        return part[i].read(drawing, value);
    }
    lab_names_unknown_word(reader->why, sizeof reader->why, "part of a figure", name, parts);
    lab_reader_fault(reader, "%s", reader->why);
    return HSAY_EINVAL;
}

void lab_statement_figure(struct lab_reader *reader)
{
    struct lab_scenario *s = reader->scenario;
    const struct lab_words *words = &reader->words;
    struct drawing drawing = {.reader = reader};
    if (lab_reader_full(reader, s->figure_count))
        return;
    drawing.figure = (struct lab_scenario_figure){.x_names = "",
                                                  .y_names = "",
                                                  .by = "variant",
                                                  .variants = "",
                                                  .style = "lines",
                                                  .bar_text = "",
                                                  .note = "",
                                                  .at = reader->at};
    drawing.figure.title = lab_arena_text(&s->arena, words->word[1].text);
    for (size_t i = 2; i < words->count; i++) {
        if (part_read(&drawing, &words->word[i]) != 0)
            return;
    }
    if (drawing.figure.table == NULL || drawing.figure.x == NULL || drawing.figure.y == NULL) {
        lab_reader_fault(reader, "a figure needs table=, x= and y=");
        return;
    }
    s->figure = lab_script_grow(s->figure, s->figure_count, sizeof *s->figure);
    s->figure[s->figure_count++] = drawing.figure;
}
