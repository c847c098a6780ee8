#include "src/lab/script/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/script/heap.h"

/* Large enough that few are needed, small enough that many scenarios may be open. */
enum { CHUNK_BYTES = 1 << 14 };

struct lab_arena_chunk {
    struct lab_arena_chunk *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

static struct lab_arena_chunk *chunk_new(size_t size)
{
    size_t data = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    struct lab_arena_chunk *chunk = lab_script_calloc(1, sizeof *chunk + data);
    chunk->size = data;
    return chunk;
}

/* Something large gets a chunk of its own behind the first, which may still have room. */
static struct lab_arena_chunk *chunk_for(struct lab_arena *arena, size_t size)
{
    struct lab_arena_chunk *first = arena->chunk;
    if (first != NULL && first->size - first->used >= size)
        return first;
    struct lab_arena_chunk *chunk = chunk_new(size);
    if (first != NULL && size > CHUNK_BYTES / 4) {
        chunk->next = first->next;
        first->next = chunk;
    } else {
        chunk->next = first;
        arena->chunk = chunk;
    }
    return chunk;
}

void *lab_arena_alloc(struct lab_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    assert(size <= SIZE_MAX / 4);
    size = (size + align - 1) / align * align;
    struct lab_arena_chunk *chunk = chunk_for(arena, size);
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    arena->bytes += size;
    return memory;
}

void *lab_arena_copy(struct lab_arena *arena, const void *data, size_t size)
{
    if (size == 0)
        return NULL;
    return memcpy(lab_arena_alloc(arena, size), data, size);
}

char *lab_arena_text_part(struct lab_arena *arena, const char *text, size_t length)
{
    char *copy = lab_arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *lab_arena_text(struct lab_arena *arena, const char *text)
{
    return lab_arena_text_part(arena, text, strlen(text));
}

void lab_arena_free(struct lab_arena *arena)
{
    while (arena->chunk != NULL) {
        struct lab_arena_chunk *chunk = arena->chunk;
        arena->chunk = chunk->next;
        free(chunk);
    }
    *arena = (struct lab_arena){0};
}
