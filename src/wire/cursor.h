/*
 * Bounded reading and writing with a sticky error: read or write every field, ask once at the end.
 * Integers are big-endian; varints are those of RFC 9000 section 16 in their shortest form only, so
 * that a value has one encoding (a longer form is an error).
 */
#ifndef HEARSAY_WIRE_CURSOR_H
#define HEARSAY_WIRE_CURSOR_H

#include <string.h>

#include "hearsay/types.h"

struct hsay_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

struct hsay_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool bad;
};

static inline struct hsay_reader hsay_reader(struct hsay_span s)
{
    return (struct hsay_reader){s.data, s.data + s.size, false};
}

static inline size_t hsay_read_left(const struct hsay_reader *r)
{
    return (size_t)(r->end - r->at);
}

/* True if nothing failed and nothing is left over. */
static inline bool hsay_read_done(const struct hsay_reader *r)
{
    return !r->bad && r->at == r->end;
}

/* `size` bytes, or an empty span and the sticky error. */
static inline struct hsay_span hsay_read_span(struct hsay_reader *r, size_t size)
{
    if (r->bad || size > hsay_read_left(r)) {
        r->bad = true;
        return (struct hsay_span){r->at, 0};
    }
    struct hsay_span s = {r->at, size};
    r->at += size;
    return s;
}

static inline void hsay_read_bytes(struct hsay_reader *r, void *out, size_t size)
{
    struct hsay_span s = hsay_read_span(r, size);
    if (s.size == size)
        memcpy(out, s.data, size);
    else
        memset(out, 0, size);
}

static inline uint64_t hsay_read_be(struct hsay_reader *r, size_t size)
{
    struct hsay_span s = hsay_read_span(r, size);
    uint64_t v = 0;
    for (size_t i = 0; i < s.size; i++)
        v = v << 8 | s.data[i];
    return v;
}

static inline uint8_t hsay_read_u8(struct hsay_reader *r)
{
    return (uint8_t)hsay_read_be(r, 1);
}
static inline uint16_t hsay_read_u16(struct hsay_reader *r)
{
    return (uint16_t)hsay_read_be(r, 2);
}
static inline uint32_t hsay_read_u32(struct hsay_reader *r)
{
    return (uint32_t)hsay_read_be(r, 4);
}
static inline uint64_t hsay_read_u64(struct hsay_reader *r)
{
    return hsay_read_be(r, 8);
}

/* Bytes of the shortest varint for v, which must be at most HSAY_TIME_MAX. */
static inline size_t hsay_varint_size(uint64_t v)
{
    return v < 64 ? 1 : v < 16384 ? 2 : v < 1073741824 ? 4 : 8;
}

static inline uint64_t hsay_read_varint(struct hsay_reader *r)
{
    if (r->bad || r->at == r->end) {
        r->bad = true;
        return 0;
    }
    size_t size = (size_t)1 << (*r->at >> 6);
    uint64_t v = hsay_read_be(r, size) & (UINT64_MAX >> (66 - 8 * size));
    if (!r->bad && hsay_varint_size(v) != size)
        r->bad = true;
    return r->bad ? 0 : v;
}

static inline struct hsay_writer hsay_writer(uint8_t *out, size_t size)
{
    return (struct hsay_writer){out, out, out + size, false};
}

static inline size_t hsay_write_left(const struct hsay_writer *w)
{
    return (size_t)(w->end - w->at);
}
static inline size_t hsay_write_size(const struct hsay_writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline void hsay_write_bytes(struct hsay_writer *w, const void *bytes, size_t size)
{
    if (w->bad || size > hsay_write_left(w)) {
        w->bad = true;
        return;
    }
    if (size != 0)
        memcpy(w->at, bytes, size);
    w->at += size;
}

static inline void hsay_write_be(struct hsay_writer *w, uint64_t v, size_t size)
{
    if (w->bad || size > hsay_write_left(w)) {
        w->bad = true;
        return;
    }
    for (size_t i = 0; i < size; i++)
        w->at[i] = (uint8_t)(v >> (8 * (size - 1 - i)));
    w->at += size;
}

static inline void hsay_write_u8(struct hsay_writer *w, uint8_t v)
{
    hsay_write_be(w, v, 1);
}
static inline void hsay_write_u16(struct hsay_writer *w, uint16_t v)
{
    hsay_write_be(w, v, 2);
}
static inline void hsay_write_u32(struct hsay_writer *w, uint32_t v)
{
    hsay_write_be(w, v, 4);
}
static inline void hsay_write_u64(struct hsay_writer *w, uint64_t v)
{
    hsay_write_be(w, v, 8);
}

static inline void hsay_write_varint(struct hsay_writer *w, uint64_t v)
{
    size_t size = hsay_varint_size(v);
    uint64_t prefix = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    if (v >> 62 != 0)
        w->bad = true;
    hsay_write_be(w, v | prefix << (8 * size - 2), size);
}

#endif
