#include "src/daemon/ini.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void ini_init(struct ini *ini, const char *text, size_t size)
{
    *ini = (struct ini){.text = text, .size = size};
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Without the blanks at both ends; in place. */
static char *trim(char *text)
{
    size_t length;

    while (blank(*text)) {
        text++;
    }
    length = strlen(text);
    while (length && blank(text[length - 1])) {
        text[--length] = 0;
    }
    return text;
}

static enum ini_kind bad(struct ini_line *out, const char *why)
{
    snprintf(out->value, sizeof out->value, "%s", why);
    return INI_BAD;
}

/* Ends the text where a comment begins: at # or ; in front or after a blank, not inside quotes. */
static void comment_cut(char *text)
{
    bool quoted = false;

    for (char *at = text; *at; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted && (*at == '#' || *at == ';') && (at == text || blank(at[-1]))) {
            *at = 0;
            return;
        }
    }
}

static enum ini_kind section_read(char *text, struct ini_line *out)
{
    char *end = strchr(text, ']');
    char *name, *title;

    if (!end || end[1]) {
        return bad(out, "a section is written [name] or [overlay NAME]");
    }
    *end = 0;
    name = trim(text + 1);
    title = name + strcspn(name, " \t");
    if (*title) {
        *title++ = 0;
        title = trim(title);
    }
    if (!*name) {
        return bad(out, "a section needs a name");
    }
    strcpy(out->name, name);
    strcpy(out->value, title);
    return INI_SECTION;
}

static enum ini_kind pair_read(char *text, struct ini_line *out)
{
    char *equals = strchr(text, '=');
    char *name, *value;
    size_t length;

    if (!equals) {
        return bad(out, "expected `key = value` or `[section]`");
    }
    *equals = 0;
    name = trim(text);
    value = trim(equals + 1);
    if (!*name) {
        return bad(out, "there is no key before the =");
    }
    length = strlen(value);
    if (value[0] == '"') {
        if (length < 2 || strchr(value + 1, '"') != value + length - 1) {
            return bad(out, "the quotes around the value do not match");
        }
        value[length - 1] = 0;
        value++;
    }
    strcpy(out->name, name);
    strcpy(out->value, value);
    return INI_PAIR;
}

/* Copies the next line without its end; false if it is too long or has control characters. */
static bool line_take(struct ini *ini, char line[INI_LINE_BYTES])
{
    const char *start = ini->text + ini->used;
    const char *end = memchr(start, '\n', ini->size - ini->used);
    size_t length = end ? (size_t)(end - start) : ini->size - ini->used;

    ini->used += length + (end ? 1 : 0);
    ini->line++;
    if (length >= INI_LINE_BYTES) {
        return false;
    }
    memcpy(line, start, length);
    line[length] = 0;
    for (size_t i = 0; i < length; i++) {
        if (((unsigned char)line[i] < 32 && !blank(line[i])) || line[i] == 127) {
            return false;
        }
    }
    return true;
}

enum ini_kind ini_next(struct ini *ini, struct ini_line *out)
{
    while (ini->used < ini->size) {
        char line[INI_LINE_BYTES];
        char *text;

        out->name[0] = 0;
        if (!line_take(ini, line)) {
            return bad(out, "the line is over 1,023 bytes long, or has control characters");
        }
        comment_cut(line);
        text = trim(line);
        if (text[0] == '[') {
            return section_read(text, out);
        }
        if (text[0]) {
            return pair_read(text, out);
        }
    }
    return INI_END;
}
