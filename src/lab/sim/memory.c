#include "src/lab/sim/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *or_die(void *memory, size_t size)
{
    if (memory != NULL)
        return memory;
    fprintf(stderr, "hearsay-lab: out of memory (wanted %zu bytes more)\n", size);
    exit(1);
}

void *lab_calloc(size_t count, size_t size)
{
    return or_die(calloc(count != 0 ? count : 1, size != 0 ? size : 1), size);
}

void *lab_realloc(void *memory, size_t size)
{
    return or_die(realloc(memory, size != 0 ? size : 1), size);
}
