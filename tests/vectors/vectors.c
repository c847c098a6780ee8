#include "tests/vectors/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2 * VECTOR_MAX_BYTES + 128 };

static _Noreturn void give_up(const char *file, const char *what)
{
    fprintf(stderr, "tests/vectors/%s: %s\n", file, what);
    exit(1);
}

static FILE *open_file(const char *file)
{
    char path[128];

    snprintf(path, sizeof path, "tests/vectors/%s", file);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        give_up(file, "cannot be opened; tests run from the top folder");
    return f;
}

static size_t unhex(const char *file, const char *text, uint8_t *out)
{
    size_t size = 0;
    unsigned byte;
    int used;

    for (; *text != '\0' && *text != '\n'; text += 2) {
        if (sscanf(text, "%2x%n", &byte, &used) != 1 || used != 2 || size == VECTOR_MAX_BYTES)
            give_up(file, text);
        out[size++] = (uint8_t)byte;
    }
    return size;
}

/* The next vector of an open file; false at its end. */
static bool read_line(const char *file, FILE *f, struct vector *out)
{
    static char line[LINE_MAX_BYTES];

    while (fgets(line, sizeof line, f) != NULL) {
        char *equals = strstr(line, " =");
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (equals == NULL || equals - line >= (long)sizeof out->name)
            give_up(file, line);
        memset(out->name, 0, sizeof out->name);
        memcpy(out->name, line, (size_t)(equals - line));
        equals += 2;
        out->size = unhex(file, equals + strspn(equals, " "), out->byte);
        return true;
    }
    return false;
}

struct vector vector_get(const char *file, const char *name)
{
    static struct vector v;
    FILE *f = open_file(file);
    bool found = false;

    while (!found && read_line(file, f, &v))
        found = strcmp(v.name, name) == 0;
    fclose(f);
    if (!found)
        give_up(file, name);
    return v;
}

void vector_copy(const char *file, const char *name, void *out, size_t size)
{
    struct vector v = vector_get(file, name);

    if (v.size != size)
        give_up(file, name);
    memcpy(out, v.byte, size);
}

bool vector_next(const char *file, const char *prefix, size_t *index, struct vector *out)
{
    FILE *f = open_file(file);
    size_t seen = 0;
    bool found = false;

    while (!found && read_line(file, f, out)) {
        if (strncmp(out->name, prefix, strlen(prefix)) == 0)
            found = seen++ == *index;
    }
    fclose(f);
    *index += found;
    return found;
}
