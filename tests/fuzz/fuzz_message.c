/* Any bytes are a message or a refusal; what is a message encodes to the same bytes, but for
 * extensions that it ignored. */
#include <assert.h>
#include <string.h>

#include "src/wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hsay_span tail_of(const struct hsay_message *m)
{
    switch (m->type) {
    case HSAY_MSG_INTRO_RESPONSE:
        return m->intro_response.bundles;
    case HSAY_MSG_BUNDLES:
        return m->bundles.bundles;
    case HSAY_MSG_DIRECT:
        return m->direct.payload;
    default:
        return (struct hsay_span){NULL, 0};
    }
}

static size_t padding_of(const struct hsay_message *m)
{
    switch (m->type) {
    case HSAY_MSG_INTRO_REQUEST:
        return m->intro_request.padding;
    case HSAY_MSG_FETCH:
        return m->fetch.padding;
    default:
        return 0;
    }
}

static size_t encode(uint8_t *out, size_t room, const struct hsay_message *m)
{
    struct hsay_writer w = hsay_writer(out, room);
    struct hsay_span tail = tail_of(m);

    hsay_message_encode(&w, m);
    assert(!w.bad && hsay_write_size(&w) == hsay_message_size(m));
    hsay_write_bytes(&w, tail.data, tail.size);
    assert(!w.bad);
    return hsay_write_size(&w);
}

/* Everything in front of the number of extensions has one form; so has the rest, unless an
 * extension was ignored, and then the shorter form stays as it is. */
static void check(const struct hsay_message *m, const uint8_t *data, size_t size)
{
    static uint8_t first[1 << 17], second[1 << 17];
    size_t front = hsay_message_size(m) - padding_of(m) - 1;
    size_t first_size = encode(first, sizeof first, m);
    struct hsay_message again;

    assert(first_size <= size && memcmp(first, data, front) == 0);
    if (data[front] == (padding_of(m) > 0)) {
        assert(first_size == size && memcmp(first, data, size) == 0);
        return;
    }
    assert(first_size < size);
    assert(hsay_message_decode(&again, (struct hsay_span){first, first_size}) == 0);
    assert(encode(second, sizeof second, &again) == first_size);
    assert(memcmp(first, second, first_size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hsay_message m;

    if (size <= UINT16_MAX && hsay_message_decode(&m, (struct hsay_span){data, size}) == 0)
        check(&m, data, size);
    return 0;
}
