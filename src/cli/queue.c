#include "src/cli/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/bytes.h"

void queue_add(struct queue *queue, const char *data, size_t size)
{
    assert(queue->count < QUEUE_MAX);
    struct queue_item item = {must_alloc(NULL, size), size};
    if (size)
        memcpy(item.data, data, size);
    queue->item[(queue->first + queue->count++) % QUEUE_MAX] = item;
}

struct queue_item queue_take(struct queue *queue)
{
    assert(queue->count > 0);
    struct queue_item item = queue->item[queue->first];
    queue->first = (queue->first + 1) % QUEUE_MAX;
    queue->count--;
    return item;
}

void queue_clear(struct queue *queue)
{
    while (queue->count)
        free(queue_take(queue).data);
}
