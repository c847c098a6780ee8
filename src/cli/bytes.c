#include "src/cli/bytes.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *must_alloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory) {
        fputs("hearsay: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

char *must_print(const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    int size = vasprintf(&text, format, list);
    va_end(list);
    if (size < 0) {
        fputs("hearsay: out of memory\n", stderr);
        exit(1);
    }
    return text;
}

char *bytes_space(struct bytes *bytes, size_t size)
{
    if (bytes->start + bytes->size + size > bytes->room) {
        /* Moving to the front costs no more than the growing it saves. */
        if (bytes->start)
            memmove(bytes->data, bytes->data + bytes->start, bytes->size);
        bytes->start = 0;
        if (bytes->size + size > bytes->room) {
            bytes->room = (bytes->size + size) * 2;
            bytes->data = must_alloc(bytes->data, bytes->room);
        }
    }
    return bytes->data + bytes->start + bytes->size;
}

void bytes_grown(struct bytes *bytes, size_t size)
{
    bytes->size += size;
}

void bytes_add(struct bytes *bytes, const void *data, size_t size)
{
    if (!size)
        return;
    memcpy(bytes_space(bytes, size), data, size);
    bytes_grown(bytes, size);
}

void bytes_skip(struct bytes *bytes, size_t size)
{
    bytes->start += size;
    bytes->size -= size;
    bytes->looked -= bytes->looked < size ? bytes->looked : size;
    if (!bytes->size)
        bytes->start = 0;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

bool bytes_line(struct bytes *bytes, const char **line, size_t *size)
{
    if (!bytes->size)
        return false;
    const char *from = bytes->data + bytes->start;
    const char *end = memchr(from + bytes->looked, '\n', bytes->size - bytes->looked);
    if (!end) {
        bytes->looked = bytes->size;
        return false;
    }
    *line = from;
    *size = (size_t)(end - from);
    bytes_skip(bytes, *size + 1);
    return true;
}

uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int clock_left_ms(uint64_t deadline_ms)
{
    if (deadline_ms == CLOCK_NEVER)
        return -1;
    uint64_t now = clock_ms();
    uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}
