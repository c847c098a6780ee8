/*
 * What a stranger's address gets per byte that it sent: bytes and packets of all nodes together,
 * the worst of all message types and forms.  A small overlay in virtual time with introductions to
 * give; each stranger has an address of its own in a network group of its own, never answers and
 * never shows a token that was made for it, as whoever forges its source address.  What nodes send
 * it within five minutes counts, whatever the reason.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "src/wire/message.h"
#include "src/wire/pack.h"
#include "src/wire/seal.h"

enum {
    NODES = 6,
    BUNDLES = 300,
    STRANGERS_MAX = 1024,
    FIRST_ADDRESS = 400, /* of world_addr: above those of the nodes */
    SETTLE_MS = 60000,
    BETWEEN_MS = 500,
    AFTER_MS = 300000,
    REPEATS = 25,
};

struct stranger {
    struct hsay_addr addr;
    uint8_t secret[HSAY_KEY_BYTES];
    struct hsay_key key;
    char form[64];
    double sent_bytes, sent_packets;
    double got_bytes, got_packets;
    uint8_t last[HSAY_DATAGRAM_MAX_BYTES]; /* that it got */
    size_t last_size;
};

struct field {
    struct world w;
    struct hsay_seal_keys keys;
    struct stranger stranger[STRANGERS_MAX];
    unsigned count;
    unsigned addresses; /* given out since the start of the program */
    struct hsay_digest held[8];
    uint8_t bundle[HSAY_BUNDLE_MAX_BYTES]; /* one that all hold */
    size_t bundle_size;
};

/* How a datagram is sealed. */
enum sealing {
    SEAL_FIRST,       /* to the overlay */
    SEAL_PAIR,        /* to the node's key */
    SEAL_WRONG_TOKEN, /* to the node's key, with a made-up token */
    SEAL_STOLEN,      /* with a token made for another address */
};

static struct field field;
static struct hsay_token stolen;

/* ---- strangers ---- */

static bool watch(struct world *w, const struct world_flight *f, void *user)
{
    struct field *x = user;
    (void)w;
    for (unsigned i = 0; i < x->count; i++) {
        struct stranger *s = &x->stranger[i];
        if (memcmp(&s->addr, &f->to, sizeof s->addr) != 0)
            continue;
        s->got_bytes += f->size;
        s->got_packets++;
        memcpy(s->last, f->bytes, f->size);
        s->last_size = f->size;
    }
    return true;
}

static void chance_fill(struct field *x, void *out, size_t size)
{
    uint8_t *at = out;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)world_chance(&x->w);
}

static struct stranger *come(struct field *x, const char *form)
{
    if (x->count == STRANGERS_MAX)
        bench_fail("more strangers than places");
    struct stranger *s = &x->stranger[x->count++];
    memset(s, 0, sizeof *s);
    s->addr = world_addr(FIRST_ADDRESS + x->addresses++);
    chance_fill(x, s->secret, sizeof s->secret);
    x->w.crypto.ops->node_public(x->w.crypto.self, &s->key, s->secret);
    snprintf(s->form, sizeof s->form, "%s", form);
    return s;
}

static void throw_at(struct field *x, struct stranger *s, unsigned node, const uint8_t *bytes,
                     size_t size)
{
    s->sent_bytes += (double)size;
    s->sent_packets++;
    world_inject(&x->w, &s->addr, node, bytes, size);
}

/* ---- datagrams ---- */

struct parcel {
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
    size_t size;
};

static void pair_key(struct field *x, const struct stranger *s, unsigned node, uint8_t out[32])
{
    const struct hsay_key *peer = hsay_node_key(x->w.node[node].node);
    if (hsay_seal_pair_key(out, &x->w.crypto, &x->keys, s->secret, &s->key, peer) != 0)
        bench_fail("no pair key");
}

/* `tail` follows the message, for those that have one. */
static void pack(struct field *x, const struct stranger *s, unsigned node, enum sealing sealing,
                 const struct hsay_message *m, struct hsay_span tail, struct parcel *out)
{
    uint8_t key[32], nonce[HSAY_NONCE_BYTES];
    struct hsay_token made_up;
    struct hsay_seal_as as = {.keys = &x->keys, .own = &s->key, .key = key};
    pair_key(x, s, node, key);
    chance_fill(x, nonce, sizeof nonce);
    chance_fill(x, &made_up, sizeof made_up);
    if (sealing == SEAL_FIRST) {
        as.first = true;
        as.key = x->keys.first;
    }
    if (sealing == SEAL_WRONG_TOKEN)
        as.token = &made_up;
    if (sealing == SEAL_STOLEN)
        as.token = &stolen;
    size_t at = hsay_seal_message_at(&as);
    struct hsay_writer w =
        hsay_writer(out->bytes + at, HSAY_DATAGRAM_DEFAULT_BYTES - at - HSAY_SEAL_TAG_BYTES);
    hsay_message_encode(&w, m);
    hsay_write_bytes(&w, tail.data, tail.size);
    if (w.bad)
        bench_fail("a message too large for a datagram");
    out->size = hsay_seal(out->bytes, &x->w.crypto, &as, nonce, hsay_write_size(&w));
}

struct request_form {
    uint8_t claim;
    uint8_t flags;
    uint8_t newest;
    uint16_t filter_bytes;
    uint16_t datagram_bytes; /* padded to this, if it is larger */
};

static void write_request(struct field *x, const struct request_form *form, unsigned node,
                          size_t around, uint8_t *bits, struct hsay_message *m)
{
    struct hsay_intro_request *r = &m->intro_request;
    memset(m, 0, sizeof *m);
    m->type = HSAY_MSG_INTRO_REQUEST;
    chance_fill(x, &r->id, sizeof r->id);
    r->flags = form->flags;
    r->to = x->w.node[node].addr;
    r->answer_bytes = 65536;
    r->newest_count = form->newest;
    chance_fill(x, r->newest, sizeof r->newest);
    r->claim.kind = form->claim;
    r->claim.range = (struct hsay_range){.time_high = HSAY_TIME_MAX, .modulo = 1};
    if (form->claim == HSAY_CLAIM_BLOOM) {
        memset(bits, 0, form->filter_bytes);
        r->claim.count = 1;
        r->claim.hashes = HSAY_FILTER_HASHES;
        r->claim.bits = (struct hsay_span){bits, form->filter_bytes};
    }
    size_t size = hsay_message_size(m) + around;
    if (form->datagram_bytes >= size + 3)
        r->padding = form->datagram_bytes - size;
}

static void pack_request(struct field *x, const struct stranger *s, unsigned node,
                         enum sealing sealing, const struct request_form *form, struct parcel *out)
{
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
    struct hsay_message m;
    bool token = sealing == SEAL_WRONG_TOKEN || sealing == SEAL_STOLEN;
    size_t around = HSAY_SEAL_BYTES + (token ? HSAY_TOKEN_BYTES : 0);
    write_request(x, form, node, around, bits, &m);
    pack(x, s, node, sealing, &m, (struct hsay_span){NULL, 0}, out);
}

/* ---- the overlay ---- */

static void learn_bundles(struct field *x)
{
    struct hsay_store store = hsay_store_mem_port(&x->w.node[1].store);
    for (unsigned i = 0; i < sizeof x->held / sizeof x->held[0]; i++) {
        struct hsay_position at;
        if (store.ops->at_rank(store.self, i, &at) != 0)
            bench_fail("the overlay holds nothing");
        x->held[i] = at.digest;
    }
    struct hsay_record record;
    if (store.ops->get(store.self, &x->held[0], &record) != 0)
        bench_fail("a bundle that is not there");
    memcpy(x->bundle, record.bytes.data, record.bytes.size);
    x->bundle_size = record.bytes.size;
}

static void start(struct field *x, uint64_t seed)
{
    unsigned addresses = x->addresses;
    struct crowd crowd = {.nodes = NODES,
                          .author = 1,
                          .bundles = BUNDLES,
                          .canonical_bytes = 300,
                          .delay_ms = 20,
                          .seed = seed};
    memset(x, 0, sizeof *x);
    x->addresses = addresses;
    crowd_start(&x->w, &crowd);
    hsay_seal_derive(&x->keys, &x->w.crypto, &x->w.overlay, (struct hsay_span){NULL, 0});
    if (world_run_until_same(&x->w, BUNDLES, 60000) == UINT64_MAX)
        bench_fail("the overlay does not sync");
    world_run(&x->w, SETTLE_MS);
    learn_bundles(x);
    x->w.watch = watch;
    x->w.watch_user = x;
}

/* ---- kinds of strangers ---- */

/* 0: not padded. */
static const uint16_t sizes[] = {0, 150, 200, 250, 280, 320, 400, 600, 900, 1232};
enum { SIZE_STEP = 16 };

static void try_requests(struct field *x, enum sealing sealing, uint8_t claim)
{
    static const char *const claims[] = {"none", "sum", "bloom", "empty"};
    static const uint8_t flag_sets[] = {0, HSAY_REQUEST_INTRODUCE, HSAY_REQUEST_INTRODUCE};
    for (unsigned f = 0; f < sizeof flag_sets; f++)
        for (uint16_t size = 6 * SIZE_STEP; size <= HSAY_DATAGRAM_DEFAULT_BYTES;
             size += SIZE_STEP) {
            struct request_form form = {.claim = claim,
                                        .flags = flag_sets[f],
                                        .newest = size % 3 == 2 ? HSAY_NEWEST_MAX : 0,
                                        .filter_bytes = size % 64 != 0 ? 8 : 16,
                                        .datagram_bytes = size};
            char text[64];
            struct parcel parcel;
            snprintf(text, sizeof text, "claim %s, flags %u, padded to %u", claims[claim],
                     flag_sets[f], size);
            struct stranger *s = come(x, text);
            unsigned node = (unsigned)(world_chance(&x->w) % NODES);
            pack_request(x, s, node, sealing, &form, &parcel);
            throw_at(x, s, node, parcel.bytes, parcel.size);
            world_run(&x->w, BETWEEN_MS);
        }
}

static void try_all_claims(struct field *x, enum sealing sealing)
{
    for (uint8_t claim = 0; claim < HSAY_CLAIM_KIND_COUNT; claim++)
        try_requests(x, sealing, claim);
}

static void try_first(struct field *x)
{
    try_all_claims(x, SEAL_FIRST);
}

static void try_paired(struct field *x)
{
    try_all_claims(x, SEAL_PAIR);
}

static void try_wrong_token(struct field *x)
{
    try_all_claims(x, SEAL_WRONG_TOKEN);
}

/* The token in the answer to a first contact, shown from another address by the same key. */
static void steal_token(struct field *x, struct stranger *s, unsigned node)
{
    struct request_form form = {.claim = HSAY_CLAIM_NONE, .datagram_bytes = 400};
    struct parcel parcel;
    struct hsay_envelope envelope;
    struct hsay_span message;
    struct hsay_message m;
    uint8_t plain[HSAY_DATAGRAM_MAX_BYTES], key[32];
    pack_request(x, s, node, SEAL_FIRST, &form, &parcel);
    throw_at(x, s, node, parcel.bytes, parcel.size);
    pair_key(x, s, node, key);
    if (hsay_envelope_parse(&envelope, (struct hsay_span){s->last, s->last_size}) != 0 ||
        hsay_open(plain, &message, &x->w.crypto, &envelope, key) != 0 ||
        hsay_message_decode(&m, message) != 0 || m.type != HSAY_MSG_INTRO_RESPONSE)
        bench_fail("a first contact was not answered");
    stolen = m.intro_response.token;
}

static void try_stolen_token(struct field *x)
{
    struct request_form form = {.claim = HSAY_CLAIM_EMPTY, .flags = HSAY_REQUEST_INTRODUCE};
    for (unsigned node = 0; node < NODES; node++) {
        struct parcel parcel;
        struct stranger *thief = come(x, "thief");
        steal_token(x, thief, node);
        struct stranger *s = come(x, "a token made for another address");
        memcpy(s->secret, thief->secret, sizeof s->secret);
        s->key = thief->key;
        pack_request(x, s, node, SEAL_STOLEN, &form, &parcel);
        throw_at(x, s, node, parcel.bytes, parcel.size);
        world_run(&x->w, BETWEEN_MS);
    }
}

static void try_replays(struct field *x)
{
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct request_form form = {
            .claim = HSAY_CLAIM_EMPTY, .flags = HSAY_REQUEST_INTRODUCE, .datagram_bytes = sizes[i]};
        struct parcel parcel;
        struct stranger *s = come(x, "the same request again and again, to all nodes");
        pack_request(x, s, 0, SEAL_FIRST, &form, &parcel);
        for (unsigned n = 0; n < REPEATS; n++) {
            throw_at(x, s, n % NODES, parcel.bytes, parcel.size);
            world_run(&x->w, 100);
        }
    }
}

/* New requests all the time, from one address, to all nodes. */
static void try_floods(struct field *x)
{
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct request_form form = {
            .claim = HSAY_CLAIM_EMPTY, .flags = HSAY_REQUEST_INTRODUCE, .datagram_bytes = sizes[i]};
        struct parcel parcel;
        struct stranger *s = come(x, "new requests again and again, to all nodes");
        for (unsigned n = 0; n < 4 * REPEATS; n++) {
            pack_request(x, s, n % NODES, n % 2 ? SEAL_FIRST : SEAL_PAIR, &form, &parcel);
            throw_at(x, s, n % NODES, parcel.bytes, parcel.size);
            world_run(&x->w, 50);
        }
    }
}

/* One message to each node, under each seal. */
static void try_message(struct field *x, const char *form, const struct hsay_message *m,
                        struct hsay_span tail)
{
    for (unsigned node = 0; node < NODES; node++)
        for (enum sealing sealing = SEAL_FIRST; sealing <= SEAL_WRONG_TOKEN; sealing++) {
            struct parcel parcel;
            struct stranger *s = come(x, form);
            pack(x, s, node, sealing, m, tail, &parcel);
            throw_at(x, s, node, parcel.bytes, parcel.size);
            throw_at(x, s, node, parcel.bytes, parcel.size);
            world_run(&x->w, BETWEEN_MS);
        }
}

static const struct hsay_span no_tail = {NULL, 0};

static void try_fetch(struct field *x)
{
    struct hsay_message m = {.type = HSAY_MSG_FETCH,
                             .fetch = {.id = 77, .count = 8, .digests = x->held[0].byte}};
    try_message(x, "fetch of 8", &m, no_tail);
    m.fetch.count = 1;
    try_message(x, "fetch of 1", &m, no_tail);
    m.fetch.padding = 800;
    try_message(x, "fetch of 1, padded", &m, no_tail);
}

static void try_bundles(struct field *x)
{
    uint8_t list[HSAY_BUNDLE_MAX_BYTES + 64];
    struct hsay_packer packer = {.author_count = 0};
    struct hsay_writer w = hsay_writer(list, sizeof list);
    hsay_pack_add(&packer, &w, (struct hsay_span){x->bundle, x->bundle_size});
    struct hsay_span tail = {list, hsay_write_size(&w)};
    struct hsay_message m = {.type = HSAY_MSG_BUNDLES, .bundles = {.flags = HSAY_BUNDLES_MAIL}};
    try_message(x, "mail", &m, tail);
    m.bundles = (struct hsay_bundles){.id = 99};
    try_message(x, "bundles that nobody asked for", &m, tail);
}

static void try_response(struct field *x)
{
    struct hsay_message m = {.type = HSAY_MSG_INTRO_RESPONSE};
    m.intro_response.id = 5;
    m.intro_response.to = x->w.node[0].addr;
    m.intro_response.want = 0xff;
    m.intro_response.introduced.addr = world_addr(FIRST_ADDRESS);
    try_message(x, "response that nobody asked for", &m, no_tail);
}

static void try_puncture(struct field *x)
{
    struct hsay_message m = {.type = HSAY_MSG_PUNCTURE, .puncture = {.id = 5}};
    try_message(x, "puncture", &m, no_tail);
}

/* The target is an address that did nothing; what it gets counts for who named it. */
static void try_puncture_request(struct field *x)
{
    for (unsigned node = 0; node < NODES; node++) {
        struct parcel parcel;
        struct hsay_message m = {.type = HSAY_MSG_PUNCTURE_REQUEST, .puncture_request = {.id = 5}};
        struct stranger *victim = come(x, "named in a puncture-request");
        m.puncture_request.target.addr = victim->addr;
        m.puncture_request.target.key = victim->key;
        struct stranger *s = come(x, "sends a puncture-request");
        pack(x, s, node, SEAL_PAIR, &m, no_tail, &parcel);
        throw_at(x, s, node, parcel.bytes, parcel.size);
        victim->sent_bytes = (double)parcel.size;
        victim->sent_packets = 1;
        m.puncture_request.target.addr = s->addr;
        m.puncture_request.target.key = s->key;
        pack(x, s, node, SEAL_PAIR, &m, no_tail, &parcel);
        throw_at(x, s, node, parcel.bytes, parcel.size);
        world_run(&x->w, BETWEEN_MS);
    }
}

static void try_direct(struct field *x)
{
    struct hsay_message m = {.type = HSAY_MSG_DIRECT, .direct = {.type = 1}};
    try_message(x, "direct", &m, (struct hsay_span){(const uint8_t *)"hello", 5});
}

/* Bytes of chance, alone and behind a header that is right. */
static void try_junk(struct field *x)
{
    for (size_t size = 1; size <= HSAY_DATAGRAM_DEFAULT_BYTES; size += 61) {
        uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
        struct stranger *s = come(x, "junk");
        for (unsigned node = 0; node < NODES; node++) {
            chance_fill(x, bytes, size);
            throw_at(x, s, node, bytes, size);
            if (size < HSAY_SEAL_BYTES)
                continue;
            bytes[0] = HSAY_WIRE_VERSION;
            bytes[1] = node % 2 ? HSAY_ENVELOPE_FIRST : 0;
            memcpy(bytes + 2, x->keys.tag, HSAY_TAG_BYTES);
            throw_at(x, s, node, bytes, size);
        }
    }
}

struct kind {
    const char *name;
    void (*run)(struct field *x);
};

static const struct kind kinds[] = {
    {"first", try_first},
    {"paired", try_paired},
    {"wrong_token", try_wrong_token},
    {"stolen_token", try_stolen_token},
    {"replay", try_replays},
    {"flood", try_floods},
    {"fetch", try_fetch},
    {"bundles", try_bundles},
    {"response", try_response},
    {"puncture", try_puncture},
    {"puncture_request", try_puncture_request},
    {"direct", try_direct},
    {"junk", try_junk},
};

struct worst {
    double bytes, packets;
    const struct stranger *by;
};

static void judge(const struct field *x, struct worst *worst)
{
    for (unsigned i = 0; i < x->count; i++) {
        const struct stranger *s = &x->stranger[i];
        double bytes = s->got_bytes / s->sent_bytes, packets = s->got_packets / s->sent_packets;
        if (bytes > worst->bytes) {
            worst->bytes = bytes;
            worst->by = s;
        }
        if (packets > worst->packets)
            worst->packets = packets;
    }
}

static void report(const struct kind *kind, const struct worst *worst)
{
    char name[96];
    snprintf(name, sizeof name, "stranger_%s_bytes_ratio", kind->name);
    bench_figure(name, worst->bytes, "x");
    snprintf(name, sizeof name, "stranger_%s_packets_ratio", kind->name);
    bench_figure(name, worst->packets, "x");
    if (worst->by != NULL)
        bench_note("worst of %s: %s: sent %.0f bytes in %.0f packets, got %.0f in %.0f", kind->name,
                   worst->by->form, worst->by->sent_bytes, worst->by->sent_packets,
                   worst->by->got_bytes, worst->by->got_packets);
}

int main(void)
{
    struct worst all = {0};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct worst worst = {0};
        start(&field, 100 + i);
        kinds[i].run(&field);
        world_run(&field.w, AFTER_MS);
        judge(&field, &worst);
        report(&kinds[i], &worst);
        all.bytes = worst.bytes > all.bytes ? worst.bytes : all.bytes;
        all.packets = worst.packets > all.packets ? worst.packets : all.packets;
        world_free(&field.w);
    }
    bench_note("seeds 100 to %u, %d nodes", 99 + (unsigned)(sizeof kinds / sizeof kinds[0]), NODES);
    bench_figure("stranger_bytes_ratio", all.bytes, "x");
    bench_figure("stranger_packets_ratio", all.packets, "x");
    return 0;
}
