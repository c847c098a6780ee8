#include "src/node/outbox.h"

#include <assert.h>
#include <string.h>

void hsay_outbox_clear(struct hsay_outbox *out)
{
    out->bytes_used = 0;
    out->letter_count = 0;
    out->event_count = 0;
}

bool hsay_outbox_has_room(const struct hsay_outbox *out, const struct hsay_outbox_need *need)
{
    return out->bytes_size - out->bytes_used >= need->bytes &&
           out->letter_max - out->letter_count >= need->letters &&
           out->event_max - out->event_count >= need->events;
}

uint8_t *hsay_outbox_reserve(struct hsay_outbox *out, size_t bytes)
{
    if (out->letter_count == out->letter_max || out->bytes_size - out->bytes_used < bytes)
        return NULL;
    uint8_t *room = out->bytes + out->bytes_used;
    out->bytes_used += bytes;
    return room;
}

void hsay_outbox_trim(struct hsay_outbox *out, const uint8_t *room, size_t used)
{
    size_t at = (size_t)(room - out->bytes);
    assert(at + used <= out->bytes_used);
    out->bytes_used = at + used;
}

void hsay_outbox_post(struct hsay_outbox *out, const struct hsay_letter *letter)
{
    assert(out->letter_count < out->letter_max);
    out->letter[out->letter_count++] = *letter;
}

struct hsay_event *hsay_outbox_event(struct hsay_outbox *out, enum hsay_event_kind kind,
                                     uint16_t overlay)
{
    if (out->event_count == out->event_max)
        return NULL;
    struct hsay_event *event = &out->event[out->event_count++];
    memset(event, 0, sizeof *event);
    event->kind = (uint8_t)kind;
    event->overlay = overlay;
    return event;
}

struct hsay_span hsay_outbox_copy(struct hsay_outbox *out, struct hsay_span bytes)
{
    if (out->bytes_size - out->bytes_used < bytes.size)
        return (struct hsay_span){out->bytes, 0};
    uint8_t *copy = out->bytes + out->bytes_used;
    if (bytes.size != 0)
        memcpy(copy, bytes.data, bytes.size);
    out->bytes_used += bytes.size;
    return (struct hsay_span){copy, bytes.size};
}
