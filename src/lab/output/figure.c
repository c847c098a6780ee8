#include "src/lab/output/figure.h"

#include <string.h>

#include "hearsay/error.h"
#include "src/lab/output/number.h"

static const char *const style_name[LAB_STYLE_COUNT] = {
    [LAB_STYLE_LINES] = "lines", [LAB_STYLE_STEPS] = "steps", [LAB_STYLE_POINTS] = "points",
    [LAB_STYLE_BARS] = "bars",   [LAB_STYLE_CDF] = "cdf",     [LAB_STYLE_HEATMAP] = "heatmap",
};

const char *lab_style_name(enum lab_style style)
{
    return style_name[style];
}

int lab_style_find(const char *name, enum lab_style *style)
{
    for (int i = 0; i < LAB_STYLE_COUNT; i++) {
        if (strcmp(style_name[i], name) == 0) {
            *style = (enum lab_style)i;
            return 0;
        }
    }
    return HSAY_ENOENT;
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL && text[0] != 0)
        json_object_set_new(object, key, json_string(text));
}

json_t *lab_figure_json(const struct lab_figure *figure)
{
    json_t *object = json_object();
    put_text(object, "title", figure->title);
    put_text(object, "table", figure->table);
    put_text(object, "style", lab_style_name(figure->style));
    put_text(object, "x", figure->x);
    put_text(object, "x_label", figure->x_label);
    put_text(object, "y", figure->y);
    put_text(object, "y_label", figure->y_label);
    put_text(object, "x_names", figure->x_names);
    put_text(object, "y_names", figure->y_names);
    put_text(object, "by", figure->by);
    put_text(object, "variants", figure->variants);
    if (figure->logx)
        json_object_set_new(object, "logx", json_true());
    if (figure->logy)
        json_object_set_new(object, "logy", json_true());
    if (figure->has_bar)
        json_object_set_new(object, "bar", lab_number_json(figure->bar));
    put_text(object, "bar_text", figure->bar_text);
    if (figure->has_x_max)
        json_object_set_new(object, "x_max", lab_number_json(figure->x_max));
    put_text(object, "note", figure->note);
    return object;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool number_of(const json_t *object, const char *key, double *number)
{
    const json_t *value = json_object_get(object, key);
    *number = json_number_value(value);
    return json_is_number(value);
}

int lab_figure_parse(struct lab_figure *figure, const json_t *object)
{
    *figure = (struct lab_figure){
        .title = text_of(object, "title"),
        .table = text_of(object, "table"),
        .x = text_of(object, "x"),
        .x_label = text_of(object, "x_label"),
        .y = text_of(object, "y"),
        .y_label = text_of(object, "y_label"),
        .x_names = text_of(object, "x_names"),
        .y_names = text_of(object, "y_names"),
        .by = text_of(object, "by"),
        .variants = text_of(object, "variants"),
        .logx = json_is_true(json_object_get(object, "logx")),
        .logy = json_is_true(json_object_get(object, "logy")),
        .bar_text = text_of(object, "bar_text"),
        .note = text_of(object, "note"),
    };
    figure->has_bar = number_of(object, "bar", &figure->bar);
    figure->has_x_max = number_of(object, "x_max", &figure->x_max);
    if (figure->table[0] == 0 || figure->y[0] == 0)
        return HSAY_EBAD;
    return lab_style_find(text_of(object, "style"), &figure->style) == 0 ? 0 : HSAY_EBAD;
}
