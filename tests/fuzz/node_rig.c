#include "tests/fuzz/node_rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "nat/addr_class.h"
#include "src/sync/bundle.h"
#include "tests/fuzz/node_clear.h"

enum {
    TURNS_MAX = 1500,       /* of one run */
    TURNS_AT_ONCE_MAX = 64, /* then the machine sleeps for the rest */
};

#define MS UINT64_C(1000000)

/* --- the outbox ------------------------------------------------------------------------------ */

static void outbox_free(struct hsay_outbox *out)
{
    free(out->bytes);
    free(out->letter);
    free(out->event);
    memset(out, 0, sizeof *out);
}

/* Each array as large as it says, so that a sanitizer sees the first element too many. */
static void outbox_make(struct hsay_outbox *out, const struct hsay_outbox_need *need)
{
    outbox_free(out);
    out->bytes = malloc(need->bytes);
    out->bytes_size = need->bytes;
    out->letter = malloc(need->letters * sizeof *out->letter);
    out->letter_max = need->letters;
    out->event = malloc(need->events * sizeof *out->event);
    out->event_max = need->events;
    assert(out->bytes != NULL && out->letter != NULL && out->event != NULL);
}

/* All that a call needs, and exactly that; or less, if the script says so. */
static void outbox_prepare(struct node_rig *rig)
{
    struct hsay_outbox_need need;
    hsay_node_outbox_need(rig->node, &need);
    if (rig->squeeze.on) {
        need.bytes = rig->squeeze.bytes < need.bytes ? rig->squeeze.bytes : need.bytes;
        need.letters = rig->squeeze.letters < need.letters ? rig->squeeze.letters : need.letters;
        need.events = rig->squeeze.events < need.events ? rig->squeeze.events : need.events;
    }
    if (rig->out.bytes_size != need.bytes || rig->out.letter_max != need.letters ||
        rig->out.event_max != need.events)
        outbox_make(&rig->out, &need);
    hsay_outbox_clear(&rig->out);
}

static bool is_inside(const struct hsay_outbox *out, struct hsay_span s)
{
    return s.size == 0 || (s.data >= out->bytes && s.data + s.size <= out->bytes + out->bytes_used);
}

static void check_apart(const struct hsay_outbox *out, size_t i, size_t j)
{
    struct hsay_span a = out->letter[i].datagram, b = out->letter[j].datagram;
    assert(a.data + a.size <= b.data || b.data + b.size <= a.data);
}

static void check_outbox(const struct hsay_outbox *out)
{
    assert(out->bytes_used <= out->bytes_size);
    assert(out->letter_count <= out->letter_max && out->event_count <= out->event_max);
    for (size_t i = 0; i < out->letter_count; i++) {
        assert(out->letter[i].datagram.size != 0 && is_inside(out, out->letter[i].datagram));
        for (size_t j = 0; j < i && j < 8; j++)
            check_apart(out, i, j);
    }
    for (size_t i = 0; i < out->event_count; i++)
        assert(is_inside(out, out->event[i].bytes));
}

/* --- counters -------------------------------------------------------------------------------- */

static uint64_t counted(const struct node_rig *rig, enum hsay_counter counter)
{
    return hsay_node_stats(rig->node)->count[counter] - rig->before.count[counter];
}

static uint64_t dropped(const struct node_rig *rig, enum hsay_drop reason)
{
    return hsay_node_stats(rig->node)->drop[reason] - rig->before.drop[reason];
}

static uint64_t dropped_in_all(const struct node_rig *rig)
{
    uint64_t sum = 0;
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        sum += dropped(rig, (enum hsay_drop)d);
    return sum;
}

/* Never back, and what went out is what the outbox holds. */
static void check_counters(const struct node_rig *rig)
{
    uint64_t bytes = 0, requests = 0;
    for (int c = 0; c < HSAY_COUNTER_COUNT; c++)
        assert(counted(rig, (enum hsay_counter)c) < UINT64_C(1) << 32);
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        assert(dropped(rig, (enum hsay_drop)d) < UINT64_C(1) << 32);
    for (size_t i = 0; i < rig->out.letter_count; i++) {
        struct hsay_envelope e;
        struct hsay_message m;
        node_traffic_read(&rig->traffic, rig->out.letter[i].datagram, &e, &m);
        requests += m.type == HSAY_MSG_INTRO_REQUEST;
        bytes += rig->out.letter[i].datagram.size;
    }
    assert(counted(rig, HSAY_COUNT_PACKETS_OUT) == rig->out.letter_count);
    assert(counted(rig, HSAY_COUNT_BYTES_OUT) == bytes);
    assert(counted(rig, HSAY_COUNT_STEPS) == requests);
}

/* --- around a call --------------------------------------------------------------------------- */

static struct node_rig_overlay *overlay_at(struct node_rig *rig, uint16_t number)
{
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++)
        if (rig->overlay[i].joined && rig->overlay[i].number == number)
            return &rig->overlay[i];
    return NULL;
}

static void keep_verdict(struct node_rig *rig, const struct hsay_event *e)
{
    if (rig->verdict_count == NODE_RIG_VERDICTS_MAX || e->bytes.size == 0)
        return;
    struct node_rig_verdict *v = &rig->verdict[rig->verdict_count++];
    v->from = e->peer;
    v->overlay = e->overlay;
    v->size = e->bytes.size;
    memcpy(v->bytes, e->bytes.data, v->size);
}

static void take_events(struct node_rig *rig)
{
    for (size_t i = 0; i < rig->out.event_count; i++) {
        const struct hsay_event *e = &rig->out.event[i];
        struct node_rig_overlay *o = overlay_at(rig, e->overlay);
        assert(o != NULL);
        if (e->kind == HSAY_EVENT_BUNDLE)
            node_held_on_bundle(&o->held, e, &rig->crypto, &o->config.overlay);
        else if (e->kind == HSAY_EVENT_VERIFY)
            keep_verdict(rig, e);
        else
            assert(e->kind >= HSAY_EVENT_DIRECT && e->kind <= HSAY_EVENT_FORK);
    }
}

static void check_peers(struct node_rig *rig)
{
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        struct hsay_peer_status peer;
        if (rig->overlay[i].joined)
            assert(hsay_node_peer_at(rig->node, rig->now, rig->overlay[i].number,
                                     rig->config.candidates_max, &peer) == HSAY_ENOENT);
    }
}

static void check_stores(struct node_rig *rig, bool time)
{
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        struct node_rig_overlay *o = &rig->overlay[i];
        const struct node_held_excuse excuse = {
            .deaf = rig->squeeze.on,
            .time = time,
            .wall_s = rig->now.wall_s,
            .out = &rig->out,
            .overlay = o->joined ? o->number : UINT16_MAX,
        };
        node_held_check(&o->held, &excuse);
    }
}

static void keep_letters(struct node_rig *rig)
{
    for (size_t i = 0; i < rig->out.letter_count && i < NODE_RIG_LETTERS_KEPT; i++) {
        const struct hsay_letter *l = &rig->out.letter[i];
        struct node_rig_datagram *d = &rig->sent[rig->sent_count++ % NODE_RIG_LETTERS_KEPT];
        d->to = l->to;
        d->size = l->datagram.size;
        memcpy(d->bytes, l->datagram.data, l->datagram.size);
    }
}

/* A store that is broken is closed and opened again, which takes leaving and joining. */
static void reopen(struct node_rig *rig, unsigned overlay)
{
    struct node_rig_overlay *o = &rig->overlay[overlay];
    bool joined = o->joined;
    if (joined)
        node_rig_leave(rig, overlay);
    o->store.broken = false;
    if (joined)
        node_rig_join(rig, overlay);
}

/* The end of a turn: false if nothing may leave. */
static bool commit(struct node_rig *rig)
{
    bool committed = true;
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        struct node_rig_overlay *o = &rig->overlay[i];
        const struct hsay_store *store = &o->held.store;
        if (store->ops->commit(store->self) == 0)
            continue;
        committed = false;
        node_held_on_rollback(&o->held);
        if (o->store.broken)
            reopen(rig, i);
    }
    return committed;
}

static void before_call(struct node_rig *rig)
{
    outbox_prepare(rig);
    rig->before = *hsay_node_stats(rig->node);
}

/* For people: what went in and what came out. */
static void trace(const struct node_rig *rig, const struct node_traffic_packet *in)
{
    char text[HSAY_ADDR_TEXT_BYTES];
    if (getenv("FUZZ_NODE_TRACE") == NULL)
        return;
    fprintf(stderr, "%llu ms:", (unsigned long long)(rig->now.mono.ns / MS));
    if (in != NULL) {
        hsay_addr_format(text, sizeof text, &in->from);
        fprintf(stderr, " %zu bytes from %s, type %u%s%s%s;", in->size, text, in->message.type,
                in->well_formed ? "" : " (bad)", in->token_good ? ", token" : "",
                in->answers ? ", answer" : "");
    }
    for (size_t i = 0; i < rig->out.letter_count; i++) {
        const struct hsay_letter *l = &rig->out.letter[i];
        struct hsay_envelope e;
        struct hsay_message m = {.type = 0};
        node_traffic_read(&rig->traffic, l->datagram, &e, &m);
        hsay_addr_format(text, sizeof text, &l->to);
        fprintf(stderr, " type %u, %zu bytes, to %s;", m.type, l->datagram.size, text);
    }
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        if (dropped(rig, (enum hsay_drop)d) != 0)
            fprintf(stderr, " drop %s", hsay_drop_name((enum hsay_drop)d));
    fprintf(stderr, " %zu events\n", rig->out.event_count);
}

/* Everything that holds after any call.  `in`: the packet in hand, or NULL. */
static void after_call(struct node_rig *rig, const struct node_traffic_packet *in, bool time)
{
    trace(rig, in);
    check_outbox(&rig->out);
    assert(rig->squeeze.on || dropped(rig, HSAY_DROP_OUTBOX) == 0);
    node_traffic_check(&rig->traffic, rig->now.mono, in, counted(rig, HSAY_COUNT_ANSWERED) != 0,
                       &rig->out);
    check_counters(rig);
    take_events(rig);
    check_peers(rig);
    check_stores(rig, time);
    keep_letters(rig);
    if (commit(rig))
        node_traffic_left(&rig->traffic, rig->now.mono, in, &rig->out);
    memset(&rig->squeeze, 0, sizeof rig->squeeze);
}

/* --- packets --------------------------------------------------------------------------------- */

/* What of the node's state a stranger must not change.  `but`: it punctures, which tells of itself
 * that its mapping is open. */
struct picture {
    uint64_t peers;
    uint64_t deadline_ns;
    uint64_t stored;
};

static void mix_in(uint64_t *sum, const void *bytes, size_t size)
{
    uint8_t out[16];
    uint64_t word;
    struct hsay_crypto crypto = node_clear_crypto();
    const struct hsay_span part = {bytes, size};
    crypto.ops->hash(crypto.self, out, sizeof out, (struct hsay_span){NULL, 0}, &part, 1);
    memcpy(&word, out, sizeof word);
    *sum = *sum * UINT64_C(0x9e3779b97f4a7c15) + word;
}

static void mix_overlay(struct node_rig *rig, const struct node_rig_overlay *o,
                        const struct hsay_peer *but, struct picture *p)
{
    struct hsay_peer_status peer;
    struct hsay_peer old;
    struct hsay_store_info info;
    for (size_t i = 0; hsay_node_peer_at(rig->node, rig->now, o->number, i, &peer) == 0; i++)
        if (but == NULL || (memcmp(&peer.peer.key, &but->key, sizeof but->key) != 0 &&
                            memcmp(&peer.peer.addr, &but->addr, sizeof but->addr) != 0))
            mix_in(&p->peers, &peer, sizeof peer);
    for (size_t i = 0; hsay_node_book_at(rig->node, o->number, i, &old) == 0; i++)
        mix_in(&p->peers, &old, sizeof old);
    o->held.store.ops->info(o->held.store.self, &info);
    p->stored += info.bundles;
}

static struct picture take_picture(struct node_rig *rig, const struct hsay_peer *but)
{
    struct picture p = {.deadline_ns = hsay_node_deadline(rig->node).ns};
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++)
        if (rig->overlay[i].joined)
            mix_overlay(rig, &rig->overlay[i], but, &p);
    return p;
}

static void check_unchanged(const struct node_rig *rig, const struct picture *before,
                            const struct picture *after)
{
    assert(before->peers == after->peers);
    assert(before->deadline_ns == after->deadline_ns);
    assert(before->stored == after->stored);
    assert(rig->out.event_count == 0);
}

void node_rig_packet(struct node_rig *rig, const struct hsay_addr *from, struct hsay_span bytes)
{
    struct node_traffic_packet *in = &rig->in;
    /* A copy of exactly its size, for the sanitizer's sake, and kept to be sent again. */
    uint8_t *copy = malloc(bytes.size + 1);
    assert(copy != NULL && bytes.size <= sizeof rig->last.bytes);
    if (bytes.size != 0) {
        memcpy(copy + 1, bytes.data, bytes.size);
        memmove(rig->last.bytes, bytes.data, bytes.size);
    }
    rig->last.from = *from;
    rig->last.size = bytes.size;

    const struct hsay_packet packet = {*from, {copy + 1, bytes.size}, 0};
    node_traffic_parse(&rig->traffic, rig->now.mono, &packet, in);
    bool punctures = in->well_formed && in->message.type == HSAY_MSG_PUNCTURE;
    const struct hsay_peer puncturer = {in->from, in->key};
    const struct hsay_peer *but = punctures ? &puncturer : NULL;
    struct picture picture = {0};
    if (in->stranger)
        picture = take_picture(rig, but);
    before_call(rig);
    hsay_node_on_packet(rig->node, rig->now, &packet, &rig->out);
    free(copy);
    assert(counted(rig, HSAY_COUNT_PACKETS_IN) == 1);
    assert(counted(rig, HSAY_COUNT_BYTES_IN) == bytes.size);
    assert(in->well_formed || dropped_in_all(rig) != 0);
    if (in->stranger) {
        struct picture now = take_picture(rig, but);
        check_unchanged(rig, &picture, &now);
    }
    after_call(rig, in, false);
}

/* --- other calls ----------------------------------------------------------------------------- */

void node_rig_publish(struct node_rig *rig, struct hsay_draft *draft, unsigned overlay)
{
    struct hsay_id id;
    draft->overlay = rig->overlay[overlay].number;
    before_call(rig);
    int rc = hsay_node_on_publish(rig->node, rig->now, draft, &id, &rig->out);
    assert(counted(rig, HSAY_COUNT_BUNDLES_OWN) == (rc == 0));
    after_call(rig, NULL, false);
}

void node_rig_direct(struct node_rig *rig, unsigned overlay, const struct hsay_peer *to,
                     struct hsay_span payload)
{
    before_call(rig);
    int sent = hsay_node_on_direct(rig->node, rig->now, rig->overlay[overlay].number, to, 7,
                                   payload, &rig->out);
    assert(sent < 0 || (size_t)sent == rig->out.letter_count);
    after_call(rig, NULL, false);
}

void node_rig_fetch(struct node_rig *rig, unsigned overlay, const struct hsay_digest *digest,
                    size_t count)
{
    before_call(rig);
    int rc = hsay_node_on_fetch(rig->node, rig->now, rig->overlay[overlay].number, digest, count,
                                &rig->out);
    assert(rig->out.letter_count == (rc == 0));
    after_call(rig, NULL, false);
}

void node_rig_add_peer(struct node_rig *rig, unsigned overlay, const struct hsay_peer *peer,
                       enum hsay_bucket bucket)
{
    uint16_t number = rig->overlay[overlay].number;
    if (hsay_node_add_peer(rig->node, rig->now, number, peer, bucket) == 0)
        node_traffic_named(&rig->traffic, &peer->addr, bucket != HSAY_BUCKET_INTRODUCED);
    check_peers(rig);
}

void node_rig_wake(struct node_rig *rig)
{
    hsay_node_wake(rig->node, rig->now);
}

void node_rig_verdict(struct node_rig *rig, unsigned back)
{
    struct hsay_bundle b;
    if (rig->verdict_count == 0)
        return;
    struct node_rig_verdict *at = &rig->verdict[rig->verdict_count - 1 - back % rig->verdict_count];
    struct node_rig_verdict v = *at;
    *at = rig->verdict[--rig->verdict_count];
    const struct node_rig_overlay *o = overlay_at(rig, v.overlay);
    struct hsay_span bytes = {v.bytes, v.size};
    bool good = o != NULL && hsay_bundle_decode(&b, &rig->crypto, bytes) == 0 &&
                hsay_bundle_verify(&b, &rig->crypto, &o->config.overlay);
    before_call(rig);
    hsay_node_on_verdict(rig->node, rig->now, v.overlay, &v.from, bytes, good, &rig->out);
    after_call(rig, NULL, false);
}

/* --- time ------------------------------------------------------------------------------------ */

static void turn(struct node_rig *rig)
{
    bool due = hsay_node_deadline(rig->node).ns <= rig->now.mono.ns;
    bool squeezed = rig->squeeze.on;
    before_call(rig);
    struct hsay_outbox_need need;
    hsay_node_outbox_need(rig->node, &need);
    bool room = hsay_outbox_has_room(&rig->out, &need);
    hsay_node_on_time(rig->node, rig->now, &rig->out);
    if (!due || !room)
        assert(rig->out.letter_count == 0 && rig->out.event_count == 0);
    after_call(rig, NULL, true);
    rig->turns++;
    assert(room || squeezed);
}

/* What is due is done by one call; by one per overlay, as each may take all the room there is.  A
 * call that found no room comes before them, and a store that broke makes its overlay due again. */
static void settle(struct node_rig *rig)
{
    unsigned joins = rig->joins;
    turn(rig);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS + rig->joins - joins; i++)
        if (hsay_node_deadline(rig->node).ns <= rig->now.mono.ns)
            turn(rig);
    assert(hsay_node_deadline(rig->node).ns > rig->now.mono.ns);
}

static void set_time(struct node_rig *rig, uint64_t ns)
{
    uint64_t seconds = ns / (1000 * MS) - rig->now.mono.ns / (1000 * MS);
    rig->now.mono.ns = ns;
    if (rig->now.wall_s != 0)
        rig->now.wall_s += seconds;
}

void node_rig_pass(struct node_rig *rig, uint64_t ms, bool asleep)
{
    uint64_t until = rig->now.mono.ns + ms * MS;
    for (unsigned i = 0; i < TURNS_AT_ONCE_MAX && !asleep && !node_rig_is_spent(rig); i++) {
        uint64_t due = hsay_node_deadline(rig->node).ns;
        if (due > until)
            break;
        if (due > rig->now.mono.ns)
            set_time(rig, due);
        settle(rig);
    }
    set_time(rig, until);
    if (!asleep)
        settle(rig);
}

/* --- what it tells --------------------------------------------------------------------------- */

static void look_at(struct node_rig *rig, const struct node_rig_overlay *o)
{
    struct hsay_overlay_status status;
    struct hsay_claim_status claim;
    uint8_t *bits = malloc(HSAY_FILTER_MAX_BYTES);
    assert(bits != NULL);
    assert(hsay_node_overlay_status(rig->node, rig->now, o->number, &status) == 0);
    assert(status.sum.count == status.store.bundles);
    assert(hsay_node_claim_preview(rig->node, rig->now, o->number, bits, &claim) == 0);
    assert(claim.bits.size <= HSAY_FILTER_MAX_BYTES);
    free(bits);
}

void node_rig_look(struct node_rig *rig)
{
    struct hsay_address_status address;
    struct picture before = take_picture(rig, NULL);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++)
        if (rig->overlay[i].joined)
            look_at(rig, &rig->overlay[i]);
    hsay_node_address(rig->node, rig->now, HSAY_ADDR_IP4, &address);
    hsay_node_address(rig->node, rig->now, HSAY_ADDR_IP6, &address);
    struct picture after = take_picture(rig, NULL);
    assert(memcmp(&before, &after, sizeof before) == 0);
}

/* --- life ------------------------------------------------------------------------------------ */

bool node_rig_is_spent(const struct node_rig *rig)
{
    bool full = rig->traffic.full || rig->turns >= TURNS_MAX;
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++)
        full = full || rig->overlay[i].held.full;
    return full;
}

void node_rig_join(struct node_rig *rig, unsigned overlay)
{
    struct node_rig_overlay *o = &rig->overlay[overlay];
    struct hsay_overlay_config config = o->config;
    config.store = o->held.store;
    int rc = hsay_node_join(rig->node, rig->now, &config, &o->number);
    assert(rc == (o->joined ? HSAY_EEXIST : 0));
    o->joined = true;
    rig->joins++;
    rig->traffic.joined[overlay] = true;
}

void node_rig_leave(struct node_rig *rig, unsigned overlay)
{
    struct node_rig_overlay *o = &rig->overlay[overlay];
    assert(hsay_node_leave(rig->node, o->number) == (o->joined ? 0 : HSAY_ENOENT));
    o->joined = false;
    o->number = UINT16_MAX;
    rig->traffic.joined[overlay] = false;
    rig->verdict_count = 0;
}

static void make_node(struct node_rig *rig)
{
    uint8_t seed[32] = {(uint8_t)rig->joins, (uint8_t)(rig->joins >> 8)};
    free(rig->memory);
    rig->memory = malloc(hsay_node_size(&rig->config));
    assert(rig->memory != NULL);
    int rc = hsay_node_init(rig->memory, &rig->config, &rig->crypto, seed, rig->now, &rig->node);
    assert(rc == 0);
    hsay_node_set_local(rig->node, &rig->traffic.bound);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        rig->overlay[i].joined = rig->traffic.joined[i] = false;
        rig->overlay[i].number = UINT16_MAX;
    }
    rig->traffic.own = *hsay_node_key(rig->node);
    rig->verdict_count = 0;
}

void node_rig_start(struct node_rig *rig, uint64_t quota_bytes)
{
    rig->crypto = node_clear_crypto();
    rig->traffic.crypto = &rig->crypto;
    rig->traffic.datagram_bytes = rig->config.datagram_bytes;
    node_traffic_forget(&rig->traffic);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        struct node_rig_overlay *o = &rig->overlay[i];
        hsay_store_mem_init(&o->store, quota_bytes, &rig->crypto);
        struct hsay_store store = hsay_store_mem_port(&o->store);
        node_held_init(&o->held, &store);
        hsay_seal_derive(&rig->traffic.keys[i], &rig->crypto, &o->config.overlay, o->config.secret);
    }
    make_node(rig);
}

void node_rig_restart(struct node_rig *rig)
{
    bool joined[NODE_RIG_OVERLAYS];
    node_traffic_forget(&rig->traffic);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        joined[i] = rig->overlay[i].joined;
        hsay_store_mem_crash(&rig->overlay[i].store);
        node_held_on_rollback(&rig->overlay[i].held);
    }
    make_node(rig);
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++)
        if (joined[i])
            node_rig_join(rig, i);
}

void node_rig_free(struct node_rig *rig)
{
    for (unsigned i = 0; i < NODE_RIG_OVERLAYS; i++) {
        struct node_rig_overlay *o = &rig->overlay[i];
        node_held_verify(&o->held, &rig->crypto, &o->config.overlay);
        hsay_store_mem_free(&o->store);
    }
    free(rig->memory);
    rig->memory = NULL;
    outbox_free(&rig->out);
}
