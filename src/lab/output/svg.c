/*
 * One pass over tags.  What gnuplot writes is regular enough: no '>' within a value, no comments,
 * no other markup than tags.  Groups that hold nothing are most of the file; they are taken out by
 * going back to where their tag began.
 */
#include "src/lab/output/svg.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/output/heap.h"
#include "src/lab/output/markup.h"

/* One attribute of a tag, as it lies in the text. */
struct attribute {
    const char *name, *value;
    int name_size, value_size;
};

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The next one before `end`, or NULL. */
static const char *next_attribute(const char *at, const char *end, struct attribute *out)
{
    at = skip_space(at);
    out->name = at;
    while (at < end && *at != '=' && *at != '/' && !isspace((unsigned char)*at))
        at++;
    out->name_size = (int)(at - out->name);
    at = skip_space(at);
    if (at >= end || *at != '=')
        return NULL;
    at = skip_space(at + 1);
    char quote = *at;
    if (quote != '"' && quote != '\'')
        return NULL;
    out->value = ++at;
    while (at < end && *at != quote)
        at++;
    out->value_size = (int)(at - out->value);
    return at < end ? at + 1 : NULL;
}

static bool is(const char *text, int size, const char *word)
{
    return strlen(word) == (size_t)size && memcmp(text, word, (size_t)size) == 0;
}

static bool name_is(const struct attribute *a, const char *word)
{
    return is(a->name, a->name_size, word);
}

static bool value_is(const struct attribute *a, const char *word)
{
    return is(a->value, a->value_size, word);
}

/* gnuplot sets `color` for its own marks; ours is the page's, but where it is a real colour. */
static bool is_dropped(const struct attribute *a)
{
    if (name_is(a, "color"))
        return value_is(a, "black") || value_is(a, "white") || value_is(a, "gray");
    return name_is(a, "class") || name_is(a, "stroke-linecap") || name_is(a, "stroke-linejoin") ||
           (name_is(a, "font-family") && value_is(a, "sans-serif"));
}

static void put_value(FILE *out, const struct attribute *a, const struct lab_svg *how)
{
    bool paint = name_is(a, "stroke") || name_is(a, "fill");
    if (name_is(a, "id"))
        fprintf(out, "%s%.*s", how->prefix, a->value_size, a->value);
    else if (a->value_size > 0 && a->value[0] == '#' && !paint)
        fprintf(out, "#%s%.*s", how->prefix, a->value_size - 1, a->value + 1);
    else if (a->value_size > 5 && strncmp(a->value, "url(#", 5) == 0)
        fprintf(out, "url(#%s%.*s", how->prefix, a->value_size - 5, a->value + 5);
    else if (paint && (value_is(a, "black") || value_is(a, "rgb(  0,   0,   0)")))
        fputs("currentColor", out);
    else
        fprintf(out, "%.*s", a->value_size, a->value);
}

static void put_attribute(FILE *out, const struct attribute *a, const struct lab_svg *how)
{
    if (is_dropped(a))
        return;
    if (name_is(a, "xlink:href"))
        fputs(" href=\"", out);
    else
        fprintf(out, " %.*s=\"", a->name_size, a->name);
    put_value(out, a, how);
    fputc('"', out);
}

/* The grid is drawn faintly in whatever colour the ink has. */
static bool is_grid(const char *tag, const char *end)
{
    const char *class = strstr(tag, "class=\"gridline\"");
    return class != NULL && class < end;
}

/* gnuplot wipes out a place for a mark in white, whatever the paper is; and a mark of no size is
 * one that some programs choke on. */
static bool is_invisible(const char *tag, const char *end)
{
    struct attribute a;
    const char *at = tag + strlen("<use");
    if (strncmp(tag, "<use ", 5) != 0)
        return false;
    while ((at = next_attribute(at, end, &a)) != NULL) {
        bool wiping = name_is(&a, "color") && value_is(&a, "white");
        if (wiping || (name_is(&a, "transform") && a.value_size > 11 &&
                       is(a.value + a.value_size - 11, 11, "scale(0.00)")))
            return true;
    }
    return false;
}

static void put_tag(FILE *out, const char *tag, const char *end, const struct lab_svg *how)
{
    const char *at = tag + 1;
    bool grid = is_grid(tag, end);
    struct attribute a;
    at += strcspn(at, " \t\r\n/>");
    fprintf(out, "%.*s", (int)(at - tag), tag);
    while ((at = next_attribute(at, end, &a)) != NULL) {
        if (!grid || (!name_is(&a, "stroke") && !name_is(&a, "stroke-dasharray")))
            put_attribute(out, &a, how);
    }
    if (grid)
        fputs(" stroke=\"currentColor\" stroke-opacity=\"0.16\"", out);
    fputs(end[-1] == '/' ? "/>" : ">", out);
}

static void put_root(FILE *out, const char *tag, const char *end, const struct lab_svg *how)
{
    const char *at = tag + strlen("<svg");
    struct attribute a, box = {0};
    while ((at = next_attribute(at, end, &a)) != NULL) {
        if (name_is(&a, "viewBox"))
            box = a;
    }
    fputs("<svg", out);
    if (how->alone)
        fputs(" xmlns=\"http://www.w3.org/2000/svg\" style=\"background:#fff;color:#222\"", out);
    fprintf(out, " viewBox=\"%.*s\" role=\"img\" font-family=\"sans-serif\" aria-label=\"",
            box.value_size, box.value != NULL ? box.value : "");
    lab_markup_put(out, how->label);
    fputs("\">", out);
    /* Not every program that shows SVG knows what `background` is. */
    if (how->alone)
        fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>", out);
}

/* Elements that nothing needs, with all that is in them. */
static const char *skip_element(const char *tag)
{
    static const char *const name[] = {"title", "desc", "filter"};
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        size_t size = strlen(name[i]);
        if (strncmp(tag + 1, name[i], size) != 0 || strchr(" >", tag[1 + size]) == NULL)
            continue;
        char *close = lab_heap_format("</%s>", name[i]);
        const char *found = strstr(tag, close);
        const char *end = found != NULL ? found + strlen(close) : NULL;
        free(close);
        return end;
    }
    return NULL;
}

struct pass {
    struct lab_text out;
    const struct lab_svg *how;
    long open_at; /* where a <g> began that nothing has been written into; -1: none */
    bool in_svg;
};

static void pass_tag(struct pass *pass, const char *tag, const char *end)
{
    FILE *out = pass->out.out;
    if (strncmp(tag, "</g>", 4) == 0 && pass->open_at >= 0) {
        fseek(out, pass->open_at, SEEK_SET);
        pass->open_at = -1;
        return;
    }
    pass->open_at = strncmp(tag, "<g", 2) == 0 && strchr(" >\n", tag[2]) ? ftell(out) : -1;
    if (strncmp(tag, "<svg", 4) == 0) {
        put_root(out, tag, end, pass->how);
        pass->in_svg = true;
    } else if (pass->in_svg && tag[1] == '/') {
        fprintf(out, "%.*s", (int)(end - tag + 1), tag);
    } else if (pass->in_svg && !is_invisible(tag, end)) {
        put_tag(out, tag, end, pass->how);
    }
}

/* Blanks between tags are left out; within a text they stay. */
static const char *pass_text(struct pass *pass, const char *at)
{
    size_t size = strcspn(at, "<");
    const char *word = skip_space(at);
    if (word < at + size && pass->in_svg) {
        fwrite(at, 1, size, pass->out.out);
        pass->open_at = -1;
    }
    return at + size;
}

char *lab_svg_clean(const char *text, const struct lab_svg *how)
{
    struct pass pass = {.how = how, .open_at = -1};
    const char *at = text;
    lab_text_open(&pass.out);
    while (*at != 0) {
        if (*at != '<') {
            at = pass_text(&pass, at);
            continue;
        }
        const char *skipped = skip_element(at);
        const char *end = strchr(at, '>');
        if (end == NULL)
            break;
        if (skipped == NULL)
            pass_tag(&pass, at, end);
        at = skipped != NULL ? skipped : end + 1;
    }
    return lab_text_take(&pass.out, NULL);
}
