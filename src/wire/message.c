/*
 * One reader, one writer and one size per kind of field; a message is a list of them, and a table
 * names its three functions.  Readers never look at the error in between: a value that is wrong
 * sets the reader's own flag, and hsay_message_decode asks once.
 */
#include "src/wire/message.h"

#include <assert.h>

#include "hearsay/error.h"

enum {
    EXTENSION_PADDING = 0,
    EXTENSION_MUST_KNOW = 0x80, /* set in tags that must not be ignored */
    EXTENSION_HEAD_BYTES = 3,   /* tag, size */
    PADDING_MAX = EXTENSION_HEAD_BYTES + UINT16_MAX,

    REQUEST_FLAGS = HSAY_REQUEST_INTRODUCE,
    RESPONSE_FLAGS = HSAY_RESPONSE_MORE | HSAY_RESPONSE_SAME | HSAY_RESPONSE_REFUSED,
    BUNDLES_FLAGS = HSAY_BUNDLES_MAIL | HSAY_BUNDLES_LAST,
};

static_assert(HSAY_NEWEST_MAX <= 16, "one bit of `want` for each");

static void require(struct hsay_reader *r, bool good)
{
    if (!good)
        r->bad = true;
}

static uint8_t read_flags(struct hsay_reader *r, unsigned known)
{
    uint8_t flags = hsay_read_u8(r);

    require(r, (flags & ~known) == 0);
    return flags;
}

static struct hsay_span read_rest(struct hsay_reader *r)
{
    return hsay_read_span(r, hsay_read_left(r));
}

/* --- addresses ----------------------------------------------------------------------- */

static size_t addr_bytes(uint8_t kind)
{
    return kind == HSAY_ADDR_NONE ? 0 : kind == HSAY_ADDR_IP4 ? 4 : 16;
}

static size_t addr_size(const struct hsay_addr *addr)
{
    return addr->kind == HSAY_ADDR_NONE ? 1 : 3 + addr_bytes(addr->kind);
}

void hsay_write_addr(struct hsay_writer *w, const struct hsay_addr *addr)
{
    hsay_write_u8(w, addr->kind);
    if (addr->kind == HSAY_ADDR_NONE)
        return;
    hsay_write_u16(w, addr->port);
    hsay_write_bytes(w, addr->byte, addr_bytes(addr->kind));
}

/* ::ffff:0:0/96 is an IPv4 address in other clothes.  It would be a second encoding of the same
 * place, and the usual way around filters that know addresses by their family. */
static bool is_mapped(const struct hsay_addr *addr)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return addr->kind == HSAY_ADDR_IP6 && memcmp(addr->byte, prefix, sizeof prefix) == 0;
}

void hsay_read_addr(struct hsay_reader *r, struct hsay_addr *addr)
{
    memset(addr, 0, sizeof *addr);
    uint8_t kind = hsay_read_u8(r);
    require(r, kind == HSAY_ADDR_NONE || kind == HSAY_ADDR_IP4 || kind == HSAY_ADDR_IP6 ||
                   kind == HSAY_ADDR_HANDLE);
    if (r->bad || kind == HSAY_ADDR_NONE)
        return;
    addr->kind = kind;
    addr->port = hsay_read_u16(r);
    hsay_read_bytes(r, addr->byte, addr_bytes(kind));
    require(r, !is_mapped(addr));
}

static size_t introduced_size(const struct hsay_introduced *peer)
{
    if (peer->addr.kind == HSAY_ADDR_NONE)
        return addr_size(&peer->addr);
    return addr_size(&peer->addr) + addr_size(&peer->lan) + HSAY_KEY_BYTES + 1;
}

static void write_introduced(struct hsay_writer *w, const struct hsay_introduced *peer)
{
    hsay_write_addr(w, &peer->addr);
    if (peer->addr.kind == HSAY_ADDR_NONE)
        return;
    hsay_write_addr(w, &peer->lan);
    hsay_write_bytes(w, peer->key.byte, sizeof peer->key.byte);
    hsay_write_u8(w, peer->nat);
}

static void read_introduced(struct hsay_reader *r, struct hsay_introduced *peer)
{
    hsay_read_addr(r, &peer->addr);
    if (peer->addr.kind == HSAY_ADDR_NONE)
        return;
    hsay_read_addr(r, &peer->lan);
    hsay_read_bytes(r, peer->key.byte, sizeof peer->key.byte);
    peer->nat = read_flags(r, HSAY_NAT_FLAGS);
}

/* --- extensions ---------------------------------------------------------------------- */

/* 1 and 2 can not be expressed; they become 3 in encode and in size alike. */
static size_t padding_size(size_t padding)
{
    return padding == 0 || padding >= EXTENSION_HEAD_BYTES ? padding : EXTENSION_HEAD_BYTES;
}

size_t hsay_message_padding(size_t size, size_t aim)
{
    return size + EXTENSION_HEAD_BYTES <= aim ? aim - size : 0;
}

static void write_zeros(struct hsay_writer *w, size_t size)
{
    if (w->bad || size > hsay_write_left(w)) {
        w->bad = true;
        return;
    }
    memset(w->at, 0, size);
    w->at += size;
}

static void write_extensions(struct hsay_writer *w, size_t padding)
{
    size_t size = padding_size(padding);

    hsay_write_u8(w, size > 0);
    if (size == 0)
        return;
    if (size > PADDING_MAX) {
        w->bad = true;
        return;
    }
    hsay_write_u8(w, EXTENSION_PADDING);
    hsay_write_u16(w, (uint16_t)(size - EXTENSION_HEAD_BYTES));
    write_zeros(w, size - EXTENSION_HEAD_BYTES);
}

static bool all_zero(struct hsay_span s)
{
    uint8_t any = 0;

    for (size_t i = 0; i < s.size; i++)
        any |= s.data[i];
    return any == 0;
}

/* Tags rise, so that none comes twice and a list has one order.  Returns the bytes of padding. */
static size_t read_extensions(struct hsay_reader *r)
{
    int last = -1;
    size_t padding = 0;

    for (uint8_t left = hsay_read_u8(r); left > 0 && !r->bad; left--) {
        uint8_t tag = hsay_read_u8(r);
        struct hsay_span value = hsay_read_span(r, hsay_read_u16(r));
        require(r, tag > last && (tag & EXTENSION_MUST_KNOW) == 0);
        if (tag == EXTENSION_PADDING) {
            require(r, all_zero(value));
            padding = EXTENSION_HEAD_BYTES + value.size;
        }
        last = tag;
    }
    return padding;
}

/* --- claims -------------------------------------------------------------------------- */

static size_t claim_size(const struct hsay_claim *claim)
{
    size_t size = 1;

    if (claim->kind == HSAY_CLAIM_NONE)
        return size;
    size += hsay_varint_size(claim->range.time_low) + hsay_varint_size(claim->range.time_high);
    size += 1 + 4 + 4 + hsay_varint_size(claim->count) + 8;
    if (claim->kind == HSAY_CLAIM_BLOOM)
        size += 1 + 8 + 2 + claim->bits.size;
    return size;
}

static void write_range(struct hsay_writer *w, const struct hsay_range *range)
{
    hsay_write_varint(w, range->time_low);
    hsay_write_varint(w, range->time_high);
    hsay_write_u8(w, range->slicing);
    hsay_write_u32(w, range->modulo);
    hsay_write_u32(w, range->offset);
}

static void write_claim(struct hsay_writer *w, const struct hsay_claim *claim)
{
    hsay_write_u8(w, claim->kind);
    if (claim->kind == HSAY_CLAIM_NONE)
        return;
    write_range(w, &claim->range);
    hsay_write_varint(w, claim->count);
    hsay_write_u64(w, claim->fingerprint);
    if (claim->kind != HSAY_CLAIM_BLOOM)
        return;
    assert(claim->bits.size <= HSAY_FILTER_MAX_BYTES);
    hsay_write_u8(w, claim->hashes);
    hsay_write_u64(w, claim->salt);
    hsay_write_u16(w, (uint16_t)claim->bits.size);
    hsay_write_bytes(w, claim->bits.data, claim->bits.size);
}

static void read_range(struct hsay_reader *r, struct hsay_range *range)
{
    range->time_low = hsay_read_varint(r);
    range->time_high = hsay_read_varint(r);
    range->slicing = hsay_read_u8(r);
    range->modulo = hsay_read_u32(r);
    range->offset = hsay_read_u32(r);
    require(r, range->time_low <= range->time_high);
    require(r, range->slicing <= HSAY_SLICE_TIME);
    require(r, range->modulo <= HSAY_MODULO_MAX && range->offset < range->modulo);
    require(r, range->slicing != HSAY_SLICE_NONE || range->modulo == 1);
}

static void read_filter(struct hsay_reader *r, struct hsay_claim *claim)
{
    claim->hashes = hsay_read_u8(r);
    claim->salt = hsay_read_u64(r);
    uint16_t size = hsay_read_u16(r);
    claim->bits = hsay_read_span(r, size);
    require(r, claim->hashes >= 1 && claim->hashes <= HSAY_FILTER_HASHES_MAX);
    require(r, size >= HSAY_FILTER_MIN_BYTES && size <= HSAY_FILTER_MAX_BYTES);
}

static void read_claim(struct hsay_reader *r, struct hsay_claim *claim)
{
    claim->kind = hsay_read_u8(r);
    require(r, claim->kind < HSAY_CLAIM_KIND_COUNT);
    if (r->bad || claim->kind == HSAY_CLAIM_NONE)
        return;
    read_range(r, &claim->range);
    claim->count = hsay_read_varint(r);
    claim->fingerprint = hsay_read_u64(r);
    require(r, claim->kind != HSAY_CLAIM_EMPTY || claim->count == 0);
    if (claim->kind == HSAY_CLAIM_BLOOM)
        read_filter(r, claim);
}

/* --- introduction-request ------------------------------------------------------------ */

static size_t size_intro_request(const struct hsay_message *m)
{
    const struct hsay_intro_request *q = &m->intro_request;

    return 8 + 1 + 1 + HSAY_TOKEN_BYTES + addr_size(&q->to) + addr_size(&q->lan) +
           hsay_varint_size(q->global_time) + hsay_varint_size(q->answer_bytes) + 1 +
           8 * (size_t)q->newest_count + claim_size(&q->claim) + 1 + padding_size(q->padding);
}

static void write_intro_request(struct hsay_writer *w, const struct hsay_message *m)
{
    const struct hsay_intro_request *q = &m->intro_request;

    assert(q->newest_count <= HSAY_NEWEST_MAX);
    hsay_write_u64(w, q->id);
    hsay_write_u8(w, q->flags);
    hsay_write_u8(w, q->nat);
    hsay_write_bytes(w, q->token.byte, sizeof q->token.byte);
    hsay_write_addr(w, &q->to);
    hsay_write_addr(w, &q->lan);
    hsay_write_varint(w, q->global_time);
    hsay_write_varint(w, q->answer_bytes);
    hsay_write_u8(w, q->newest_count);
    for (size_t i = 0; i < q->newest_count; i++)
        hsay_write_u64(w, q->newest[i]);
    write_claim(w, &q->claim);
    write_extensions(w, q->padding);
}

static void read_newest(struct hsay_reader *r, struct hsay_intro_request *q)
{
    uint8_t count = hsay_read_u8(r);

    require(r, count <= HSAY_NEWEST_MAX);
    if (r->bad)
        return;
    for (size_t i = 0; i < count; i++)
        q->newest[i] = hsay_read_u64(r);
    q->newest_count = count;
}

static void read_intro_request(struct hsay_reader *r, struct hsay_message *m)
{
    struct hsay_intro_request *q = &m->intro_request;

    q->id = hsay_read_u64(r);
    q->flags = read_flags(r, REQUEST_FLAGS);
    q->nat = read_flags(r, HSAY_NAT_FLAGS);
    hsay_read_bytes(r, q->token.byte, sizeof q->token.byte);
    hsay_read_addr(r, &q->to);
    hsay_read_addr(r, &q->lan);
    q->global_time = hsay_read_varint(r);
    q->answer_bytes = hsay_read_varint(r);
    read_newest(r, q);
    read_claim(r, &q->claim);
    q->padding = read_extensions(r);
    require(r, q->id != 0);
}

/* --- introduction-response ----------------------------------------------------------- */

static size_t size_intro_response(const struct hsay_message *m)
{
    const struct hsay_intro_response *a = &m->intro_response;

    return 8 + 1 + 1 + HSAY_TOKEN_BYTES + addr_size(&a->to) + hsay_varint_size(a->global_time) + 2 +
           1 + hsay_varint_size(a->count) + 8 + introduced_size(&a->introduced) + 1;
}

static void write_intro_response(struct hsay_writer *w, const struct hsay_message *m)
{
    const struct hsay_intro_response *a = &m->intro_response;

    hsay_write_u64(w, a->id);
    hsay_write_u8(w, a->flags);
    hsay_write_u8(w, a->nat);
    hsay_write_bytes(w, a->token.byte, sizeof a->token.byte);
    hsay_write_addr(w, &a->to);
    hsay_write_varint(w, a->global_time);
    hsay_write_u16(w, a->want);
    hsay_write_u8(w, a->datagrams);
    hsay_write_varint(w, a->count);
    hsay_write_u64(w, a->fingerprint);
    write_introduced(w, &a->introduced);
    write_extensions(w, 0);
}

static void read_intro_response(struct hsay_reader *r, struct hsay_message *m)
{
    struct hsay_intro_response *a = &m->intro_response;

    a->id = hsay_read_u64(r);
    a->flags = read_flags(r, RESPONSE_FLAGS);
    a->nat = read_flags(r, HSAY_NAT_FLAGS);
    hsay_read_bytes(r, a->token.byte, sizeof a->token.byte);
    hsay_read_addr(r, &a->to);
    a->global_time = hsay_read_varint(r);
    a->want = hsay_read_u16(r);
    a->datagrams = hsay_read_u8(r);
    a->count = hsay_read_varint(r);
    a->fingerprint = hsay_read_u64(r);
    read_introduced(r, &a->introduced);
    read_extensions(r);
    a->bundles = read_rest(r);
}

/* --- puncture-request, puncture, probe ----------------------------------------------- */

static size_t size_puncture_request(const struct hsay_message *m)
{
    return 8 + introduced_size(&m->puncture_request.target) + 1;
}

static void write_puncture_request(struct hsay_writer *w, const struct hsay_message *m)
{
    hsay_write_u64(w, m->puncture_request.id);
    write_introduced(w, &m->puncture_request.target);
    write_extensions(w, 0);
}

static void read_puncture_request(struct hsay_reader *r, struct hsay_message *m)
{
    m->puncture_request.id = hsay_read_u64(r);
    read_introduced(r, &m->puncture_request.target);
    read_extensions(r);
    require(r, m->puncture_request.target.addr.kind != HSAY_ADDR_NONE);
}

static size_t size_puncture(const struct hsay_message *m)
{
    (void)m;
    return 8 + HSAY_TOKEN_BYTES + 1;
}

static void write_puncture(struct hsay_writer *w, const struct hsay_message *m)
{
    hsay_write_u64(w, m->puncture.id);
    hsay_write_bytes(w, m->puncture.token.byte, sizeof m->puncture.token.byte);
    write_extensions(w, 0);
}

static void read_puncture(struct hsay_reader *r, struct hsay_message *m)
{
    m->puncture.id = hsay_read_u64(r);
    hsay_read_bytes(r, m->puncture.token.byte, sizeof m->puncture.token.byte);
    read_extensions(r);
}

static size_t size_probe(const struct hsay_message *m)
{
    (void)m;
    return 8 + 2 + HSAY_TOKEN_BYTES + 1;
}

static void write_probe(struct hsay_writer *w, const struct hsay_message *m)
{
    hsay_write_u64(w, m->probe.id);
    hsay_write_u16(w, m->probe.port);
    hsay_write_bytes(w, m->probe.token.byte, sizeof m->probe.token.byte);
    write_extensions(w, 0);
}

static void read_probe(struct hsay_reader *r, struct hsay_message *m)
{
    m->probe.id = hsay_read_u64(r);
    m->probe.port = hsay_read_u16(r);
    hsay_read_bytes(r, m->probe.token.byte, sizeof m->probe.token.byte);
    read_extensions(r);
    require(r, m->probe.id != 0 && m->probe.port != 0);
}

/* --- bundles, fetch, direct ---------------------------------------------------------- */

static size_t size_bundles(const struct hsay_message *m)
{
    (void)m;
    return 8 + 1 + 1;
}

static void write_bundles(struct hsay_writer *w, const struct hsay_message *m)
{
    hsay_write_u64(w, m->bundles.id);
    hsay_write_u8(w, m->bundles.flags);
    write_extensions(w, 0);
}

static void read_bundles(struct hsay_reader *r, struct hsay_message *m)
{
    struct hsay_bundles *b = &m->bundles;

    b->id = hsay_read_u64(r);
    b->flags = read_flags(r, BUNDLES_FLAGS);
    read_extensions(r);
    b->bundles = read_rest(r);
    require(r, (b->id == 0) == ((b->flags & HSAY_BUNDLES_MAIL) != 0));
}

static size_t size_fetch(const struct hsay_message *m)
{
    return 8 + 1 + (size_t)m->fetch.count * HSAY_DIGEST_BYTES + 1 + padding_size(m->fetch.padding);
}

static void write_fetch(struct hsay_writer *w, const struct hsay_message *m)
{
    const struct hsay_fetch *f = &m->fetch;

    assert(f->count >= 1 && f->count <= HSAY_FETCH_MAX);
    hsay_write_u64(w, f->id);
    hsay_write_u8(w, f->count);
    hsay_write_bytes(w, f->digests, (size_t)f->count * HSAY_DIGEST_BYTES);
    write_extensions(w, f->padding);
}

static void read_fetch(struct hsay_reader *r, struct hsay_message *m)
{
    struct hsay_fetch *f = &m->fetch;

    f->id = hsay_read_u64(r);
    f->count = hsay_read_u8(r);
    f->digests = hsay_read_span(r, (size_t)f->count * HSAY_DIGEST_BYTES).data;
    f->padding = read_extensions(r);
    require(r, f->id != 0 && f->count >= 1 && f->count <= HSAY_FETCH_MAX);
}

static size_t size_direct(const struct hsay_message *m)
{
    return hsay_varint_size(m->direct.type) + 1;
}

static void write_direct(struct hsay_writer *w, const struct hsay_message *m)
{
    hsay_write_varint(w, m->direct.type);
    write_extensions(w, 0);
}

static void read_direct(struct hsay_reader *r, struct hsay_message *m)
{
    m->direct.type = hsay_read_varint(r);
    read_extensions(r);
    m->direct.payload = read_rest(r);
}

/* --- all ----------------------------------------------------------------------------- */

static const struct kind {
    void (*read)(struct hsay_reader *r, struct hsay_message *m);
    void (*write)(struct hsay_writer *w, const struct hsay_message *m);
    size_t (*size)(const struct hsay_message *m);
} kinds[HSAY_MSG_TYPE_COUNT] = {
    [HSAY_MSG_INTRO_REQUEST] = {read_intro_request, write_intro_request, size_intro_request},
    [HSAY_MSG_INTRO_RESPONSE] = {read_intro_response, write_intro_response, size_intro_response},
    [HSAY_MSG_PUNCTURE_REQUEST] = {read_puncture_request, write_puncture_request,
                                   size_puncture_request},
    [HSAY_MSG_PUNCTURE] = {read_puncture, write_puncture, size_puncture},
    [HSAY_MSG_BUNDLES] = {read_bundles, write_bundles, size_bundles},
    [HSAY_MSG_FETCH] = {read_fetch, write_fetch, size_fetch},
    [HSAY_MSG_DIRECT] = {read_direct, write_direct, size_direct},
    [HSAY_MSG_PROBE] = {read_probe, write_probe, size_probe},
};

static bool type_known(uint8_t type)
{
    return type > HSAY_MSG_NONE && type < HSAY_MSG_TYPE_COUNT;
}

int hsay_message_decode(struct hsay_message *out, struct hsay_span bytes)
{
    struct hsay_reader r = hsay_reader(bytes);
    uint8_t type = hsay_read_u8(&r);

    memset(out, 0, sizeof *out);
    if (r.bad || !type_known(type))
        return HSAY_EBAD;
    out->type = type;
    kinds[type].read(&r, out);
    return hsay_read_done(&r) ? 0 : HSAY_EBAD;
}

void hsay_message_encode(struct hsay_writer *w, const struct hsay_message *message)
{
    assert(type_known(message->type));
    hsay_write_u8(w, message->type);
    kinds[message->type].write(w, message);
}

size_t hsay_message_size(const struct hsay_message *message)
{
    assert(type_known(message->type));
    return 1 + kinds[message->type].size(message);
}
