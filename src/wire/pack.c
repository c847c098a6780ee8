#include "src/wire/pack.h"

#include "hearsay/error.h"
#include "hearsay/params.h"

#include <assert.h>

enum {
    /* The shortest thing that can be taken apart: version, flags, author. */
    PACK_BUNDLE_MIN = HSAY_BUNDLE_AUTHOR_AT + HSAY_KEY_BYTES,
    PACK_REST_MAX = HSAY_BUNDLE_MAX_BYTES - HSAY_KEY_BYTES, /* a bundle without its author */
};

/* 1 .. author_count, or 0. */
static uint8_t number_of(const struct hsay_packer *packer, const uint8_t *author)
{
    for (uint8_t i = 0; i < packer->author_count; i++) {
        if (memcmp(packer->author[i].byte, author, HSAY_KEY_BYTES) == 0)
            return (uint8_t)(i + 1);
    }
    return 0;
}

/* Keys past the last place have no number: each of their bundles carries the key. */
static void remember(struct hsay_packer *packer, const uint8_t *author)
{
    if (packer->author_count < HSAY_PACK_AUTHORS_MAX)
        memcpy(packer->author[packer->author_count++].byte, author, HSAY_KEY_BYTES);
}

bool hsay_pack_add(struct hsay_packer *packer, struct hsay_writer *w, struct hsay_span bundle)
{
    assert(bundle.size >= PACK_BUNDLE_MIN && bundle.size <= HSAY_BUNDLE_MAX_BYTES);
    const uint8_t *author = bundle.data + HSAY_BUNDLE_AUTHOR_AT;
    uint8_t number = number_of(packer, author);
    size_t size = bundle.size + 1 - (number != 0 ? (size_t)HSAY_KEY_BYTES : 0);

    if (w->bad || hsay_varint_size(size) + size > hsay_write_left(w))
        return false;
    hsay_write_varint(w, size);
    hsay_write_u8(w, number);
    if (number == 0) {
        hsay_write_bytes(w, author, HSAY_KEY_BYTES);
        remember(packer, author);
    }
    hsay_write_bytes(w, bundle.data, HSAY_BUNDLE_AUTHOR_AT);
    hsay_write_bytes(w, author + HSAY_KEY_BYTES, bundle.size - PACK_BUNDLE_MIN);
    return true;
}

/* The author of the item that `r` stands in, or NULL. */
static const uint8_t *read_author(struct hsay_packer *packer, struct hsay_reader *r)
{
    uint8_t number = hsay_read_u8(r);

    if (r->bad || number > packer->author_count)
        return NULL;
    if (number != 0)
        return packer->author[number - 1].byte;
    struct hsay_span key = hsay_read_span(r, HSAY_KEY_BYTES);
    /* A key that has a number must be named by it: one list, one encoding. */
    if (r->bad || number_of(packer, key.data) != 0)
        return NULL;
    remember(packer, key.data);
    return key.data;
}

int hsay_pack_next(struct hsay_packer *packer, struct hsay_reader *r, uint8_t *out,
                   struct hsay_span *bundle)
{
    if (!r->bad && hsay_read_left(r) == 0)
        return HSAY_ENOENT;
    uint64_t size = hsay_read_varint(r);
    if (size > hsay_read_left(r))
        r->bad = true;
    struct hsay_span whole = hsay_read_span(r, r->bad ? 0 : (size_t)size);
    struct hsay_reader item = hsay_reader(whole);
    const uint8_t *author = read_author(packer, &item);
    size_t rest = hsay_read_left(&item);

    if (r->bad || author == NULL || rest < HSAY_BUNDLE_AUTHOR_AT || rest > PACK_REST_MAX) {
        r->bad = true;
        return HSAY_EBAD;
    }
    struct hsay_writer w = hsay_writer(out, HSAY_BUNDLE_MAX_BYTES);
    struct hsay_span front = hsay_read_span(&item, HSAY_BUNDLE_AUTHOR_AT);
    struct hsay_span back = hsay_read_span(&item, hsay_read_left(&item));
    hsay_write_bytes(&w, front.data, front.size);
    hsay_write_bytes(&w, author, HSAY_KEY_BYTES);
    hsay_write_bytes(&w, back.data, back.size);
    assert(!w.bad && !item.bad);
    *bundle = (struct hsay_span){out, hsay_write_size(&w)};
    return 0;
}
