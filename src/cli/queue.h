/* Copies of bodies, first in, first out. */
#ifndef HEARSAY_CLI_QUEUE_H
#define HEARSAY_CLI_QUEUE_H

#include <stddef.h>

enum { QUEUE_MAX = 1024 };

struct queue_item {
    char *data;
    size_t size;
};

struct queue {
    struct queue_item item[QUEUE_MAX];
    size_t first;
    size_t count;
};

/* There must be room, and there must be one. */
void queue_add(struct queue *queue, const char *data, size_t size);
struct queue_item queue_take(struct queue *queue); /* free() its data */
void queue_clear(struct queue *queue);

#endif
