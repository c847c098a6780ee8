/*
 * Any sequence of packets, calls, delays and faults: a node keeps what it promises.
 *
 * The input is a script.  A head of HEAD_BYTES chooses the configuration; behind it operations
 * follow, each a byte (modulo their number) and its operands; where the input ends, operands are 0.
 * What is checked after each operation stands in node_rig.h, node_traffic.h and node_held.h.
 *
 * Packets come from sixteen sources of every class of address, each with a key of its own.  The
 * crypto hides nothing (node_clear.h), so the script may answer what the node asks, show tokens
 * that it handed out, and sign for any author.
 *
 * FUZZ_NODE_TRACE=1 prints what happens, for people.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "nat/addr_class.h"
#include "src/sync/bundle.h"
#include "src/wire/pack.h"
#include "tests/fuzz/node_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEAD_BYTES = 12,
    OPERATIONS_MAX = 300,
    SOURCES = 16,
    AUTHORS = 8,               /* the first one is who publishes */
    MORE_THAN_A_FILTER = 1100, /* bundles */
    ROOM = 2 * HSAY_DATAGRAM_MAX_BYTES,
};

struct fuzz {
    const uint8_t *at, *end;
    struct node_rig rig;
    uint64_t serial; /* nonces and ids */
};

/* --- the script ------------------------------------------------------------------------------ */

static uint8_t u8(struct fuzz *f)
{
    return f->at != f->end ? *f->at++ : 0;
}

static uint16_t u16(struct fuzz *f)
{
    uint16_t high = u8(f);
    return (uint16_t)(high << 8 | u8(f));
}

/* Small numbers mostly, and the edges. */
static uint64_t number(struct fuzz *f)
{
    uint8_t n = u8(f);
    if (n < 0xe0)
        return n;
    if (n < 0xf0)
        return (uint64_t)(n & 15) << 8 | u8(f);
    if (n < 0xfe)
        return UINT64_C(1) << (n - 0xe0) * 2;
    return HSAY_TIME_MAX - (n & 1u);
}

/* Up to a datagram of the script itself. */
static struct hsay_span bytes(struct fuzz *f)
{
    size_t size = u16(f) & 0x7ff;
    size_t left = (size_t)(f->end - f->at);
    struct hsay_span s = {f->at, size < left ? size : left};
    if (s.size > HSAY_DATAGRAM_MAX_BYTES + 8)
        s.size = HSAY_DATAGRAM_MAX_BYTES + 8;
    f->at += s.size;
    return s;
}

/* --- who is there ---------------------------------------------------------------------------- */

static const struct hsay_addr bound_private = {HSAY_ADDR_IP4, 0, 6421, {192, 168, 1, 2}};
static const struct hsay_addr bound_public = {HSAY_ADDR_IP4, 0, 6421, {20, 9, 8, 7}};

static const struct hsay_addr sources[SOURCES] = {
    {HSAY_ADDR_IP4, 0, 6421, {20, 1, 3, 4}},
    {HSAY_ADDR_IP4, 0, 6421, {20, 2, 3, 4}},
    {HSAY_ADDR_IP4, 0, 6421, {20, 3, 3, 4}},
    {HSAY_ADDR_IP4, 0, 6421, {20, 4, 3, 4}},
    {HSAY_ADDR_IP4, 0, 7001, {20, 4, 9, 9}}, /* the group of the one above */
    {HSAY_ADDR_IP4, 0, 7002, {20, 9, 8, 7}}, /* our own public host */
    {HSAY_ADDR_IP6, 0, 6421, {0x2a, 0x01, 4, 1, [15] = 1}},
    {HSAY_ADDR_IP6, 0, 6421, {0x2a, 0x02, 4, 1, [15] = 1}},
    {HSAY_ADDR_IP6, 0, 6421, {[10] = 0xff, 0xff, 20, 5, 3, 4}}, /* an IPv4 address in disguise */
    {HSAY_ADDR_IP4, 0, 6421, {192, 168, 1, 3}},
    {HSAY_ADDR_IP4, 0, 6422, {127, 0, 0, 1}},
    {HSAY_ADDR_IP4, 0, 6421, {198, 18, 1, 1}},
    {HSAY_ADDR_IP4, 0, 53, {20, 6, 3, 4}},
    {HSAY_ADDR_IP4, 0, 0, {20, 7, 3, 4}},
    {HSAY_ADDR_HANDLE, 0, 0, {1, 2, 3}},
    {HSAY_ADDR_NONE, 0, 0, {0}}, /* see source_addr */
};

/* Where nobody can be, and ourselves. */
static const struct hsay_addr nowhere[] = {
    {HSAY_ADDR_IP4, 0, 6421, {224, 0, 0, 1}},
    {HSAY_ADDR_IP4, 0, 6421, {255, 255, 255, 255}},
    {HSAY_ADDR_IP4, 0, 6421, {0, 0, 0, 0}},
    {HSAY_ADDR_IP6, 0, 6421, {0xff, 0x02, [15] = 1}},
};

static struct hsay_addr source_addr(const struct fuzz *f, unsigned i, uint8_t variant)
{
    struct hsay_addr addr = sources[i % SOURCES];
    if (i % SOURCES == SOURCES - 1) {
        size_t count = sizeof nowhere / sizeof nowhere[0];
        return variant % (count + 1) == count ? f->rig.traffic.bound
                                              : nowhere[variant % (count + 1)];
    }
    if (variant != 0 && addr.kind != HSAY_ADDR_HANDLE) /* others of the same network group */
        addr.byte[addr.kind == HSAY_ADDR_IP4 ? 3 : 14] ^= variant;
    return addr;
}

static struct hsay_key key_of(unsigned i)
{
    struct hsay_key key;
    for (size_t k = 0; k < sizeof key.byte; k++)
        key.byte[k] = (uint8_t)((i + 1) * 37 + k * (i | 1));
    return key;
}

static void author_of(unsigned i, uint8_t secret[HSAY_SECRET_BYTES])
{
    memset(secret, (int)(0x80 + i % AUTHORS), HSAY_SECRET_BYTES);
}

/* One byte for the source, and one for who it is: usually itself. */
static struct hsay_peer read_peer(struct fuzz *f)
{
    uint8_t where = u8(f);
    uint8_t who = u8(f);
    struct hsay_peer peer = {.addr = source_addr(f, where & 15, (uint8_t)(where >> 4)),
                             .key = key_of(where & 15)};
    if (who == 255)
        peer.key = f->rig.traffic.own;
    else if (who == 254)
        memset(&peer.key, 0, sizeof peer.key);
    else if (who >= 128)
        peer.key = key_of(who & 31);
    return peer;
}

/* --- datagrams ------------------------------------------------------------------------------- */

enum token_mode {
    TOKEN_NONE,
    TOKEN_RIGHT,
    TOKEN_STALE,   /* the first one ever handed out there */
    TOKEN_FOREIGN, /* that of another source */
    TOKEN_JUNK,
    TOKEN_FIRST, /* none, and sealed to the overlay */
    TOKEN_RIGHT_TOO,
    TOKEN_MODES,
};

/* How a message gets to the node. */
struct way {
    struct hsay_peer from;
    unsigned overlay;
    const struct hsay_token *token;
    bool first;
};

static struct way read_way(struct fuzz *f)
{
    static const struct hsay_token junk;
    struct way way = {.from = read_peer(f)};
    uint8_t how = u8(f);
    const struct node_traffic *t = &f->rig.traffic;
    struct hsay_peer plain = way.from;
    hsay_addr_normalise(&plain.addr);
    way.overlay = how >> 7;
    switch (how % TOKEN_MODES) {
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_TOO:
        way.token = node_traffic_token_of(t, &plain, way.overlay, false);
        break;
    case TOKEN_STALE:
        way.token = node_traffic_token_of(t, &plain, way.overlay, true);
        break;
    case TOKEN_FOREIGN:
        way.token = t->token_count != 0 ? &t->token[how % t->token_count].token : NULL;
        break;
    case TOKEN_JUNK:
        way.token = &junk;
        break;
    case TOKEN_FIRST:
        way.first = true;
        break;
    default:
        break;
    }
    return way;
}

/* Seal it and hand it in. */
static void deliver(struct fuzz *f, const struct way *way, struct hsay_span message)
{
    struct node_rig *rig = &f->rig;
    const struct hsay_seal_keys *keys = &rig->traffic.keys[way->overlay];
    uint8_t datagram[ROOM], key[32], nonce[HSAY_NONCE_BYTES] = {0};
    struct hsay_seal_as as = {.keys = keys,
                              .own = &way->from.key,
                              .key = way->first ? keys->first : key,
                              .token = way->token,
                              .first = way->first};
    size_t at = hsay_seal_message_at(&as);
    if (message.size == 0)
        return;
    if (hsay_seal_pair_key(key, &rig->crypto, keys, way->from.key.byte, &way->from.key,
                           &rig->traffic.own) != 0)
        memset(key, 0, sizeof key);
    f->serial++;
    memcpy(nonce, &f->serial, sizeof f->serial);
    memcpy(datagram + at, message.data, message.size);
    size_t size = hsay_seal(datagram, &rig->crypto, &as, nonce, message.size);
    node_rig_packet(rig, &way->from.addr, (struct hsay_span){datagram, size});
}

/* A message with its tail. */
static void deliver_message(struct fuzz *f, const struct way *way, const struct hsay_message *m,
                            struct hsay_span tail)
{
    uint8_t message[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_writer w = hsay_writer(message, sizeof message - HSAY_SEAL_BYTES - 16);
    hsay_message_encode(&w, m);
    hsay_write_bytes(&w, tail.data, tail.size);
    if (!w.bad)
        deliver(f, way, (struct hsay_span){message, hsay_write_size(&w)});
}

/* --- bundles --------------------------------------------------------------------------------- */

enum bundle_bits {
    BUNDLE_BAD = 1 << 3, /* the signature */
    BUNDLE_FAR = 1 << 4, /* its time, from the window's edge to the end of time */
    BUNDLE_LAST = 1 << 5,
    BUNDLE_PARENT = 1 << 6,
    BUNDLE_EXPIRES = 1 << 7,
};

/* What a list is made of: a run of bundles of one author with rising sequence. */
struct run {
    uint8_t what; /* author in the low bits, and enum bundle_bits */
    uint64_t sequence;
    uint64_t time;
    uint8_t content;
    uint8_t count;
    uint16_t payload;
};

static struct run read_run(struct fuzz *f)
{
    struct run run = {.what = u8(f)};
    run.sequence = number(f);
    run.time = number(f);
    run.content = u8(f);
    run.count = u8(f);
    run.payload = (uint16_t)(u8(f) * 4);
    return run;
}

static uint64_t time_of(const struct run *run, unsigned i)
{
    if ((run->what & BUNDLE_FAR) != 0)
        return run->time < 128 ? HSAY_TIME_WINDOW - 64 + run->time + i : HSAY_TIME_MAX - i;
    return run->time + 2 * i;
}

/* The i-th bundle of a run; size 0 if there is none such. */
static struct hsay_span make_bundle(struct fuzz *f, unsigned overlay, const struct run *run,
                                    unsigned i, uint8_t out[HSAY_BUNDLE_MAX_BYTES])
{
    struct node_rig *rig = &f->rig;
    uint8_t secret[HSAY_SECRET_BYTES], payload[HSAY_PAYLOAD_MAX_BYTES + 200];
    struct hsay_id parent = {{run->content}};
    struct hsay_bundle made;
    author_of(run->what, secret);
    memset(payload, run->content, sizeof payload);
    struct hsay_draft draft = {
        .flags = (run->what & BUNDLE_LAST) != 0 ? HSAY_BUNDLE_LAST : HSAY_BUNDLE_FULL,
        .parent_count = (run->what & BUNDLE_PARENT) != 0,
        .parent = &parent,
        .type = run->content,
        .expiry_s = (run->what & BUNDLE_EXPIRES) != 0 ? rig->now.wall_s + run->content / 4u : 0,
        .author_secret = secret,
        .payload = {payload, run->payload},
    };
    struct hsay_bundle_plan plan = {
        .draft = &draft, .sequence = run->sequence + i, .time = time_of(run, i)};
    if (hsay_bundle_make(out, &made, &rig->crypto, &rig->overlay[overlay].config.overlay, &plan) !=
        0)
        return (struct hsay_span){out, 0};
    if ((run->what & BUNDLE_BAD) != 0)
        out[made.bytes.size - HSAY_SIGNATURE_BYTES] |= 1;
    return made.bytes;
}

/* One to four runs as the tail of a message. */
static struct hsay_span read_list(struct fuzz *f, unsigned overlay, uint8_t *out, size_t size)
{
    struct hsay_writer w = hsay_writer(out, size);
    struct hsay_packer packer = {.author_count = 0};
    uint8_t bundle[HSAY_BUNDLE_MAX_BYTES];
    uint8_t runs = u8(f);
    for (unsigned r = 0; r < runs % 5u; r++) {
        struct run run = read_run(f);
        for (unsigned i = 0; i <= run.count % 20u; i++) {
            struct hsay_span made = make_bundle(f, overlay, &run, i, bundle);
            if (made.size == 0 || !hsay_pack_add(&packer, &w, made))
                break;
        }
    }
    if (runs >= 250) { /* no list any more */
        struct hsay_span junk = bytes(f);
        hsay_write_bytes(&w, junk.data, junk.size);
    }
    return (struct hsay_span){out, hsay_write_size(&w)};
}

/* --- operations: packets --------------------------------------------------------------------- */

static void op_raw(struct fuzz *f)
{
    struct hsay_peer from = read_peer(f);
    uint8_t fix = u8(f);
    struct hsay_span junk = bytes(f);
    uint8_t datagram[ROOM];
    if (junk.size != 0)
        memcpy(datagram, junk.data, junk.size);
    if ((fix & 1) != 0 && junk.size > 6) {
        datagram[0] = HSAY_WIRE_VERSION;
        memcpy(datagram + 2, f->rig.traffic.keys[fix >> 7].tag, HSAY_TAG_BYTES);
    }
    node_rig_packet(&f->rig, &from.addr, (struct hsay_span){datagram, junk.size});
}

static void op_message(struct fuzz *f)
{
    struct way way = read_way(f);
    deliver(f, &way, bytes(f));
}

static void read_range(struct fuzz *f, struct hsay_range *range)
{
    range->time_low = number(f);
    range->time_high = range->time_low + number(f);
    if (range->time_high > HSAY_TIME_MAX || range->time_low > HSAY_TIME_MAX)
        range->time_low = 0, range->time_high = HSAY_TIME_MAX;
    range->slicing = u8(f) % 3;
    range->modulo = range->slicing == HSAY_SLICE_NONE ? 1 : 1 + u8(f);
    range->offset = range->slicing == HSAY_SLICE_NONE ? 0 : u8(f) % range->modulo;
}

static void read_claim(struct fuzz *f, struct hsay_claim *claim, uint8_t *bits)
{
    uint8_t kind = u8(f);
    claim->kind = kind % HSAY_CLAIM_KIND_COUNT;
    claim->range = (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
    if ((kind & 0x80) != 0)
        read_range(f, &claim->range);
    claim->count = claim->kind == HSAY_CLAIM_EMPTY ? 0 : number(f);
    claim->fingerprint = u8(f);
    if (claim->kind != HSAY_CLAIM_BLOOM)
        return;
    claim->hashes = (uint8_t)(1 + u8(f) % HSAY_FILTER_HASHES_MAX);
    claim->salt = u8(f);
    claim->bits = (struct hsay_span){bits, HSAY_FILTER_MIN_BYTES + 4u * u8(f)};
    memset(bits, u8(f), claim->bits.size);
}

/* A request that one of our own kind would send, but for its numbers. */
static void op_request(struct fuzz *f)
{
    struct way way = read_way(f);
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    struct hsay_intro_request *r = &m.intro_request;
    uint8_t what = u8(f);
    r->id = (what & 8) != 0 ? 1u + (what >> 4) : ++f->serial << 8 | 1;
    r->flags = what & 7;
    r->to = f->rig.traffic.bound;
    r->global_time = number(f);
    r->answer_bytes = number(f) * 64;
    if (r->answer_bytes > HSAY_TIME_MAX)
        r->answer_bytes = HSAY_TIME_MAX;
    uint8_t newest = u8(f);
    r->newest_count = newest % (HSAY_NEWEST_MAX + 1);
    for (unsigned i = 0; i < r->newest_count; i++)
        r->newest[i] = newest / 16u + i;
    r->padding = u8(f) * 5u;
    read_claim(f, &r->claim, bits);
    deliver_message(f, &way, &m, (struct hsay_span){bits, 0});
}

/* The request to be answered, counted back from the last; NULL if there was none. */
static const struct node_traffic_request *read_request(struct fuzz *f)
{
    const struct node_traffic *t = &f->rig.traffic;
    unsigned kept =
        t->request_count < NODE_TRAFFIC_REQUESTS_MAX ? t->request_count : NODE_TRAFFIC_REQUESTS_MAX;
    unsigned back = u8(f);
    if (kept == 0)
        return NULL;
    return &t->request[(t->request_count - 1 - back % kept) % NODE_TRAFFIC_REQUESTS_MAX];
}

/* The way back of a request; a first contact is answered under some key. */
static struct way way_back(struct fuzz *f, const struct node_traffic_request *r, uint8_t who)
{
    static const struct hsay_key none;
    struct way way = {.from = r->to, .overlay = r->overlay};
    if (memcmp(&r->to.key, &none, sizeof none) == 0 || (who & 0xc0) == 0xc0)
        way.from.key = key_of(who & 31);
    for (unsigned i = 0; i < SOURCES; i++) { /* known sources have their own keys */
        struct hsay_addr addr = source_addr(f, i, 0);
        hsay_addr_normalise(&addr);
        if (who == 0 && hsay_addr_equal(&addr, &r->to.addr) &&
            memcmp(&r->to.key, &none, sizeof none) == 0)
            way.from.key = key_of(i);
    }
    if ((who & 0x20) != 0)
        way.token = node_traffic_token_of(&f->rig.traffic, &way.from, way.overlay, false);
    return way;
}

static void read_introduced(struct fuzz *f, struct hsay_introduced *out)
{
    struct hsay_peer peer = read_peer(f);
    *out = (struct hsay_introduced){.addr = peer.addr, .key = peer.key};
    if (peer.addr.kind == HSAY_ADDR_IP6 && peer.addr.byte[10] == 0xff)
        hsay_addr_normalise(&out->addr);
}

static void fill_response(struct fuzz *f, const struct node_traffic_request *r,
                          struct hsay_intro_response *a)
{
    uint8_t what = u8(f);
    a->id = r->id;
    a->flags = what & 31;
    memset(&a->token, r->to.addr.byte[1] | 1, sizeof a->token);
    a->to = (what & 32) != 0 ? bound_public : source_addr(f, u8(f), 0);
    hsay_addr_normalise(&a->to);
    a->global_time = number(f);
    a->want = u8(f);
    a->datagrams = u8(f) % 4;
    a->count = r->claim.count;
    a->fingerprint = r->claim.fingerprint;
    if ((what & 64) != 0) {
        a->count += number(f);
        a->fingerprint ^= 1;
    }
    if (a->count > HSAY_TIME_MAX)
        a->count = HSAY_TIME_MAX;
    if ((what & 128) != 0)
        read_introduced(f, &a->introduced);
}

static void op_response(struct fuzz *f)
{
    const struct node_traffic_request *r = read_request(f);
    uint8_t list[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    uint8_t who = u8(f);
    if (r == NULL)
        return;
    struct way way = way_back(f, r, who);
    fill_response(f, r, &m.intro_response);
    struct hsay_span tail = read_list(f, way.overlay, list, 1200);
    deliver_message(f, &way, &m, tail);
}

/* The right type, id, address and key; the rest is the script's. */
static void op_response_raw(struct fuzz *f)
{
    const struct node_traffic_request *r = read_request(f);
    uint8_t message[ROOM];
    uint8_t who = u8(f);
    struct hsay_span rest = bytes(f);
    if (r == NULL)
        return;
    struct way way = way_back(f, r, who);
    struct hsay_writer w = hsay_writer(message, sizeof message - HSAY_SEAL_BYTES - 16);
    hsay_write_u8(&w, r->type == HSAY_MSG_FETCH || (who & 1) != 0 ? HSAY_MSG_BUNDLES
                                                                  : HSAY_MSG_INTRO_RESPONSE);
    hsay_write_u64(&w, r->id);
    hsay_write_bytes(&w, rest.data, rest.size);
    deliver(f, &way, (struct hsay_span){message, hsay_write_size(&w)});
}

/* Bundles behind a response, or in answer to a fetch. */
static void op_followers(struct fuzz *f)
{
    const struct node_traffic_request *r = read_request(f);
    uint8_t list[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES};
    uint8_t who = u8(f);
    if (r == NULL)
        return;
    struct way way = way_back(f, r, who);
    m.bundles.id = r->id;
    deliver_message(f, &way, &m, read_list(f, way.overlay, list, 1300));
}

static void op_mail(struct fuzz *f)
{
    uint8_t list[HSAY_DATAGRAM_MAX_BYTES];
    struct way way = read_way(f);
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.flags = HSAY_BUNDLES_MAIL}};
    deliver_message(f, &way, &m, read_list(f, way.overlay, list, 1300));
}

static void op_puncture_request(struct fuzz *f)
{
    struct way way = read_way(f);
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST};
    m.puncture_request.id = ++f->serial;
    read_introduced(f, &m.puncture_request.target);
    if (m.puncture_request.target.addr.kind != HSAY_ADDR_NONE)
        deliver_message(f, &way, &m, (struct hsay_span){f->at, 0});
}

static void op_puncture(struct fuzz *f)
{
    struct way way = read_way(f);
    const struct node_traffic_request *r = read_request(f);
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE, .puncture = {.id = 1}};
    uint8_t port = u8(f);
    if (r != NULL)
        m.puncture.id = r->id;
    if (port != 0) /* a symmetric NAT's choice */
        way.from.addr.port = port == 255 ? 0 : (uint16_t)(port * 29);
    deliver_message(f, &way, &m, (struct hsay_span){f->at, 0});
}

static size_t read_digests(struct fuzz *f, unsigned overlay, struct hsay_digest out[HSAY_FETCH_MAX])
{
    const struct hsay_store *s = &f->rig.overlay[overlay].held.store;
    size_t count = 1 + u8(f) % HSAY_FETCH_MAX;
    unsigned first = u8(f);
    for (size_t i = 0; i < count; i++) {
        struct hsay_position at;
        memset(&out[i], (int)(first + i), sizeof out[i]);
        if (s->ops->at_rank(s->self, first + i, &at) == 0)
            out[i] = at.digest;
    }
    return count;
}

static void op_fetch_request(struct fuzz *f)
{
    struct way way = read_way(f);
    struct hsay_digest digest[HSAY_FETCH_MAX];
    struct hsay_message m = {.type = HSAY_MSG_FETCH};
    m.fetch.id = ++f->serial;
    m.fetch.count = (uint8_t)read_digests(f, way.overlay, digest);
    m.fetch.digests = digest[0].byte;
    m.fetch.padding = u8(f) * 4u;
    deliver_message(f, &way, &m, (struct hsay_span){f->at, 0});
}

static void op_direct_message(struct fuzz *f)
{
    struct way way = read_way(f);
    struct hsay_message m = {.type = HSAY_MSG_DIRECT, .direct = {.type = number(f)}};
    struct hsay_span payload = {(const uint8_t *)"ephemeral", 9};
    deliver_message(f, &way, &m, payload);
}

/* The last packet again, from where it came or from elsewhere. */
static void op_replay(struct fuzz *f)
{
    struct hsay_peer from = read_peer(f);
    const struct node_rig_datagram *d = &f->rig.last;
    uint8_t times = u8(f);
    struct hsay_addr addr = (times & 0x80) != 0 ? from.addr : d->from;
    for (unsigned i = 0; i <= (times & 7u); i++)
        node_rig_packet(&f->rig, &addr, (struct hsay_span){d->bytes, d->size});
}

/* What the node sent comes back to it. */
static void op_reflect(struct fuzz *f)
{
    struct node_rig *rig = &f->rig;
    unsigned back = u8(f);
    if (rig->sent_count == 0)
        return;
    const struct node_rig_datagram *d =
        &rig->sent[(rig->sent_count - 1 - back % NODE_RIG_LETTERS_KEPT) % NODE_RIG_LETTERS_KEPT];
    node_rig_packet(rig, &d->to, (struct hsay_span){d->bytes, d->size});
}

/* --- operations: the application and the world ------------------------------------------------ */

static void op_pass(struct fuzz *f)
{
    static const uint64_t unit_ms[] = {1, 10, 100, 1000, 10000, 60000, 600000, 3600000};
    uint8_t how = u8(f);
    uint64_t count = u8(f);
    if (how % 8 == 7)
        count %= 8;
    node_rig_pass(&f->rig, count * unit_ms[how % 8], (how & 0x80) != 0);
}

static void op_publish(struct fuzz *f)
{
    uint8_t secret[HSAY_SECRET_BYTES], payload[HSAY_PAYLOAD_MAX_BYTES + 200];
    uint8_t what = u8(f);
    unsigned overlay = what >> 7;
    uint8_t content = u8(f);
    size_t size = u8(f) * 4u;
    author_of((what & 64) != 0 ? content : 0, secret);
    memset(payload, content, sizeof payload);
    struct hsay_draft draft = {
        .flags = what & 7, .type = number(f), .author_secret = secret, .payload = {payload, size}};
    if ((what & 8) != 0)
        draft.expiry_s = f->rig.now.wall_s + content;
    for (unsigned i = 0; i <= (what >> 4 & 3u) * 3; i++)
        node_rig_publish(&f->rig, &draft, overlay);
}

static void op_direct(struct fuzz *f)
{
    struct hsay_peer to = read_peer(f);
    uint8_t what = u8(f);
    static const uint8_t payload[HSAY_PAYLOAD_MAX_BYTES + 1];
    size_t size = what == 255 ? sizeof payload : what;
    node_rig_direct(&f->rig, what & 1, (what & 2) != 0 ? NULL : &to,
                    (struct hsay_span){payload, size});
}

static void op_fetch(struct fuzz *f)
{
    struct hsay_digest digest[HSAY_FETCH_MAX];
    unsigned overlay = u8(f) >> 7;
    size_t count = read_digests(f, overlay, digest);
    node_rig_fetch(&f->rig, overlay, digest, count);
}

static void op_add_peer(struct fuzz *f)
{
    struct hsay_peer peer = read_peer(f);
    uint8_t what = u8(f);
    static const uint8_t buckets[] = {HSAY_BUCKET_TRUSTED, HSAY_BUCKET_INTRODUCED, HSAY_BUCKET_BOOK,
                                      HSAY_BUCKET_INTRODUCED};
    if ((what & 4) != 0)
        memset(&peer.key, 0, sizeof peer.key);
    node_rig_add_peer(&f->rig, what >> 7, &peer, buckets[what & 3]);
}

static void op_overlay(struct fuzz *f)
{
    uint8_t what = u8(f);
    if ((what & 1) != 0)
        node_rig_join(&f->rig, what >> 7);
    else
        node_rig_leave(&f->rig, what >> 7);
}

static void op_wake(struct fuzz *f)
{
    uint8_t what = u8(f);
    if (what >= 0xf0)
        node_rig_restart(&f->rig);
    else if (what >= 0xe0) /* the wall clock is set */
        f->rig.now.wall_s = what == 0xe0 ? 0 : 1700000000u + (what & 15u) * 60u;
    else
        node_rig_wake(&f->rig);
}

static void op_fault(struct fuzz *f)
{
    uint8_t what = u8(f);
    static const int errors[] = {HSAY_ENOSPC, HSAY_ESTORE, HSAY_ENOMEM, HSAY_ENOSPC};
    struct hsay_store_mem_fault *fault = &f->rig.overlay[what >> 7].store.fault;
    unsigned countdown = 1u + (what >> 4 & 7u);
    fault->error = errors[what & 3];
    if ((what & 4) != 0)
        fault->commit_countdown = countdown;
    else
        fault->put_countdown = countdown;
}

static void op_squeeze(struct fuzz *f)
{
    struct node_rig_squeeze *s = &f->rig.squeeze;
    s->on = true;
    s->bytes = u16(f) & 0x3fff;
    s->letters = u8(f);
    s->events = u8(f) & 63u;
}

static void op_verdict(struct fuzz *f)
{
    node_rig_verdict(&f->rig, u8(f));
}

static void op_look(struct fuzz *f)
{
    node_rig_look(&f->rig);
}

typedef void operation(struct fuzz *f);

static operation *const operations[] = {
    op_pass,     op_request,       op_response,       op_add_peer,
    op_publish,  op_mail,          op_followers,      op_puncture_request,
    op_puncture, op_fetch_request, op_message,        op_response_raw,
    op_raw,      op_direct,        op_direct_message, op_fetch,
    op_replay,   op_reflect,       op_overlay,        op_wake,
    op_fault,    op_squeeze,       op_verdict,        op_look,
};

/* --- the head -------------------------------------------------------------------------------- */

static void read_node_config(struct fuzz *f)
{
    static const uint16_t candidates[] = {1, 2, 4, 8, 16, 16, 32, 64};
    static const uint16_t pendings[] = {1, 2, 4, 16};
    struct hsay_node_config *c = &f->rig.config;
    uint8_t sizes = u8(f), more = u8(f);
    memset(c, 0, sizeof *c);
    memset(c->node_secret, 0x11, sizeof c->node_secret);
    c->overlays_max = NODE_RIG_OVERLAYS;
    c->candidates_max = candidates[sizes & 7];
    c->pending_max = pendings[sizes >> 3 & 3];
    c->book_max = (sizes & 32) != 0 ? 2 : 16;
    c->rumors_max = (sizes & 64) != 0 ? 2 : 16;
    c->keyring_max = (sizes & 128) != 0 ? 4 : 32;
    c->ledger_max = 1u << (more & 7);
    c->gate_max = (more & 8) != 0 ? 1 : 16;
    c->datagram_bytes =
        (more & 16) != 0 ? HSAY_DATAGRAM_MAX_BYTES : HSAY_DATAGRAM_DEFAULT_BYTES + (more & 32);
    c->verify_outside = (more & 64) != 0;
    f->rig.traffic.bound = (more & 128) != 0 ? bound_public : bound_private;
}

static void read_overlay_config(struct fuzz *f, unsigned i)
{
    static const uint8_t secret[32] = "between us";
    static const uint32_t steps_ms[] = {0, 100, 1000, 20000};
    struct hsay_overlay_config *c = &f->rig.overlay[i].config;
    uint8_t what = u8(f), budget = u8(f);
    memset(c, 0, sizeof *c);
    memset(&c->overlay, 0x22 + (int)i, sizeof c->overlay);
    c->secret = (struct hsay_span){secret, i == 1 ? sizeof secret : 0};
    c->policy = what % 3;
    c->fixed_step = (what & 4) != 0;
    c->pull_only = (what & 8) != 0;
    c->no_step = (what & 16) != 0;
    c->step_ms = steps_ms[what >> 5 & 3];
    c->mail_fanout = (what & 128) != 0 ? 16 : 0;
    c->answer_bytes = (budget & 15) * 1024u;
    c->answer_bytes_max = (budget >> 4) * 1024u;
}

/* Bundles that the first overlay holds from the start. */
static void preload(struct fuzz *f, unsigned count)
{
    struct node_rig_overlay *o = &f->rig.overlay[0];
    uint8_t bundle[HSAY_BUNDLE_MAX_BYTES];
    struct run run = {.what = 7, .sequence = 1, .time = 1, .payload = 8};
    for (unsigned i = 0; i < count; i++) {
        struct hsay_bundle b;
        struct hsay_record record;
        struct hsay_span made = make_bundle(f, 0, &run, i, bundle);
        assert(hsay_bundle_decode(&b, &f->rig.crypto, made) == 0);
        hsay_bundle_record(&b, &record);
        if (o->held.store.ops->put(o->held.store.self, &record) != 0)
            break;
    }
    o->held.store.ops->commit(o->held.store.self);
    node_held_init(&o->held, &o->held.store);
}

static void start(struct fuzz *f)
{
    static const uint64_t starts_ns[] = {UINT64_C(1000000000), 1, UINT64_C(86400000000000),
                                         UINT64_C(1) << 61};
    static const uint8_t preloads[] = {0, 0, 0, 1, 8, 20, 40, 120};
    read_node_config(f);
    read_overlay_config(f, 0);
    read_overlay_config(f, 1);
    uint8_t clock = u8(f), store = u8(f);
    f->rig.now.mono.ns = starts_ns[clock & 3];
    f->rig.now.wall_s = (clock & 4) != 0 ? 0 : 1700000000;
    node_rig_start(&f->rig, (store & 128) != 0 ? 16384 : 0);
    preload(f, (store & 127) == 127 ? MORE_THAN_A_FILTER : preloads[store & 7]);
    node_rig_join(&f->rig, 0);
    f->at = f->at < f->end - 4 ? f->at + 4 : f->end; /* room in the head for more */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz fuzz; /* too large for a stack */
    struct fuzz *f = &fuzz;
    if (size < HEAD_BYTES)
        return 0;
    f->at = data;
    f->end = data + size;
    f->serial = 0;
    f->rig.sent_count = f->rig.turns = f->rig.joins = 0;
    f->rig.last.size = 0;
    start(f);
    for (unsigned i = 0; i < OPERATIONS_MAX && f->at != f->end; i++) {
        if (node_rig_is_spent(&f->rig))
            break;
        operations[u8(f) % (sizeof operations / sizeof operations[0])](f);
    }
    node_rig_free(&f->rig);
    return 0;
}
