#include "src/lab/script/heap.h"

#include <stdio.h>
#include <stdlib.h>

static void *or_die(void *memory, size_t size)
{
    if (memory != NULL)
        return memory;
    fprintf(stderr, "hearsay-lab: out of memory (wanted %zu bytes more)\n", size);
    exit(EXIT_FAILURE);
}

void *lab_script_calloc(size_t count, size_t size)
{
    return or_die(calloc(count != 0 ? count : 1, size != 0 ? size : 1), size);
}

void *lab_script_realloc(void *memory, size_t size)
{
    return or_die(realloc(memory, size != 0 ? size : 1), size);
}

void *lab_script_grow(void *list, size_t count, size_t item_bytes)
{
    if ((count & (count - 1)) != 0)
        return list;
    return lab_script_realloc(list, (count != 0 ? 2 * count : 1) * item_bytes);
}
