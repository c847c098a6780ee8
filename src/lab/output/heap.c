#include "src/lab/output/heap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
    if (memory == NULL) {
        fputs("hearsay-lab: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void *lab_heap_new(size_t count, size_t size)
{
    return need(calloc(count > 0 ? count : 1, size));
}

void *lab_heap_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t wanted = *room < 8 ? 8 : 2 * *room;
    array = need(wanted < SIZE_MAX / size ? realloc(array, wanted * size) : NULL);
    *room = wanted;
    return array;
}

char *lab_heap_copy(const char *text)
{
    return need(strdup(text));
}

char *lab_heap_copy_part(const char *text, size_t size)
{
    return need(strndup(text, size));
}

char *lab_heap_format(const char *format, ...)
{
    va_list arguments;
    char *text;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return need(size < 0 ? NULL : text);
}

void lab_text_open(struct lab_text *text)
{
    *text = (struct lab_text){0};
    text->out = need(open_memstream(&text->text, &text->size));
}

char *lab_text_take(struct lab_text *text, size_t *size)
{
    /* A stream in memory fails for want of memory alone. */
    if (ferror(text->out) != 0 || fclose(text->out) != 0)
        need(NULL);
    if (size != NULL)
        *size = text->size;
    return need(text->text);
}

int lab_why_set(struct lab_why *why, int rc, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    return rc;
}
