#include "tests/world/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"

enum { OUT_BYTES = 1 << 20, OUT_LETTERS = 1024, OUT_EVENTS = 512 };

uint64_t world_chance(struct world *w) /* splitmix64 */
{
    uint64_t z = (w->chance += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void chance_bytes(struct world *w, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)world_chance(w);
}

/* Each node in a network group of its own, as on the open internet. */
struct hsay_addr world_addr(unsigned i)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .port = 6421};
    a.byte[0] = (uint8_t)(20 + i / 200);
    a.byte[1] = (uint8_t)(1 + i % 200);
    a.byte[2] = 3;
    a.byte[3] = 4;
    return a;
}

struct hsay_now world_now(const struct world *w)
{
    return (struct hsay_now){{w->now_ns}, w->wall_s};
}

void world_init(struct world *w, unsigned nodes, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    assert(hsay_sodium_init() == 0);
    hsay_crypto_sodium(&w->crypto);
    w->chance = seed;
    w->now_ns = UINT64_C(1000000000);
    w->wall_s = 1700000000;
    w->link.delay_ms = 20;
    w->node_count = nodes;
    w->node = calloc(nodes, sizeof *w->node);
    chance_bytes(w, w->overlay.byte, sizeof w->overlay.byte);
    w->node_config = (struct hsay_node_config){.overlays_max = 1,
                                               .candidates_max = 32,
                                               .book_max = 32,
                                               .keyring_max = 64,
                                               .ledger_max = 64,
                                               .gate_max = 64};
    w->out = (struct hsay_outbox){.bytes = malloc(OUT_BYTES),
                                  .bytes_size = OUT_BYTES,
                                  .letter = calloc(OUT_LETTERS, sizeof(struct hsay_letter)),
                                  .letter_max = OUT_LETTERS,
                                  .event = calloc(OUT_EVENTS, sizeof(struct hsay_event)),
                                  .event_max = OUT_EVENTS};
}

static void start_node(struct world *w, struct world_node *n)
{
    struct hsay_node_config config = w->node_config;
    struct hsay_overlay_config overlay = w->overlay_config;
    uint8_t seed[32];
    uint16_t number;
    chance_bytes(w, config.node_secret, sizeof config.node_secret);
    chance_bytes(w, seed, sizeof seed);
    n->memory = realloc(n->memory, hsay_node_size(&config));
    int rc = hsay_node_init(n->memory, &config, &w->crypto, seed, world_now(w), &n->node);
    assert(rc == 0);
    overlay.overlay = w->overlay;
    overlay.secret = (struct hsay_span){w->secret, w->secret_size};
    overlay.store = hsay_store_mem_port(&n->store);
    rc = hsay_node_join(n->node, world_now(w), &overlay, &number);
    assert(rc == 0 && number == 0);
    n->online = true;
}

void world_start(struct world *w)
{
    for (unsigned i = 0; i < w->node_count; i++) {
        struct world_node *n = &w->node[i];
        struct hsay_key author;
        uint8_t seed[32];
        chance_bytes(w, seed, sizeof seed);
        hsay_sodium_author_from_seed(&author, n->author_secret, seed);
        hsay_store_mem_init(&n->store, 0, &w->crypto);
        n->addr = world_addr(i);
        start_node(w, n);
    }
}

void world_free(struct world *w)
{
    for (unsigned i = 0; i < w->node_count; i++) {
        hsay_store_mem_free(&w->node[i].store);
        free(w->node[i].memory);
        free(w->node[i].seen);
    }
    for (size_t i = 0; i < w->heap_count; i++)
        free(w->heap[i]);
    free(w->heap);
    free(w->node);
    free(w->out.bytes);
    free(w->out.letter);
    free(w->out.event);
}

struct hsay_addr world_addr6(unsigned i)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP6, .port = 6421};
    a.byte[0] = 0x2a;
    a.byte[1] = (uint8_t)(i + 1);
    a.byte[15] = 1;
    return a;
}

/* Which address of node `i` a peer of this family sees. */
static struct hsay_addr address_towards(const struct world *w, unsigned i, uint8_t family)
{
    bool second = w->second_family && i == 0 && family == HSAY_ADDR_IP6;
    return second ? world_addr6(0) : w->node[i].addr;
}

/* A node's sockets have the ports from its own on.  False: it has none at this address. */
static bool is_at(const struct world *w, unsigned i, const struct hsay_addr *addr, uint16_t *socket)
{
    struct hsay_addr own = address_towards(w, i, addr->kind);
    *socket = (uint16_t)(addr->port - own.port);
    own.port = addr->port;
    return *socket <= w->node_config.sockets_max && memcmp(&own, addr, sizeof own) == 0;
}

/* ---- the network: a heap of datagrams by time of arrival ---- */

static bool earlier(const struct world_flight *a, const struct world_flight *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void heap_push(struct world *w, struct world_flight *f)
{
    if (w->heap_count == w->heap_max) {
        w->heap_max = w->heap_max != 0 ? 2 * w->heap_max : 64;
        w->heap = realloc(w->heap, w->heap_max * sizeof *w->heap);
    }
    size_t i = w->heap_count++;
    for (; i != 0 && earlier(f, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = f;
}

static struct world_flight *heap_pop(struct world *w)
{
    struct world_flight *top = w->heap[0];
    struct world_flight *last = w->heap[--w->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < w->heap_count; i = child) {
        if (child + 1 < w->heap_count && earlier(w->heap[child + 1], w->heap[child]))
            child++;
        if (!earlier(w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
    }
    if (w->heap_count != 0)
        w->heap[i] = last;
    return top;
}

static void fly(struct world *w, const struct world_flight *model)
{
    struct world_flight *f = malloc(sizeof *f);
    *f = *model;
    uint64_t jitter = w->link.jitter_ms != 0 ? world_chance(w) % (w->link.jitter_ms * 1000u) : 0;
    f->at_ns = w->now_ns + w->link.delay_ms * UINT64_C(1000000) + jitter * 1000;
    f->number = w->numbers++;
    heap_push(w, f);
}

static void send_letter(struct world *w, const struct hsay_addr *from, const struct hsay_letter *l)
{
    struct world_flight f = {
        .from = *from, .to = l->to, .size = (uint16_t)l->datagram.size, .socket = l->socket};
    assert(l->datagram.size != 0 && l->datagram.size <= sizeof f.bytes);
    memcpy(f.bytes, l->datagram.data, l->datagram.size);
    w->datagrams++;
    w->bytes += l->datagram.size;
    if (w->watch != NULL && !w->watch(w, &f, w->watch_user))
        return;
    f.from.port = (uint16_t)(f.from.port + f.socket);
    if (world_chance(w) % 1000 < w->link.loss_permille)
        return;
    fly(w, &f);
    if (world_chance(w) % 1000 < w->link.duplicate_permille)
        fly(w, &f);
}

static void note_delivery(struct world_node *n, const struct hsay_event *e)
{
    n->delivered++;
    for (size_t i = 0; i < n->seen_count; i++)
        if (memcmp(&n->seen[i], &e->position.digest, sizeof n->seen[i]) == 0) {
            n->repeated++;
            return;
        }
    if (n->seen_count == n->seen_max) {
        n->seen_max = n->seen_max != 0 ? 2 * n->seen_max : 256;
        n->seen = realloc(n->seen, n->seen_max * sizeof *n->seen);
    }
    n->seen[n->seen_count++] = e->position.digest;
}

static void trace(const struct world *w, const struct hsay_event *e)
{
    const uint64_t *n = e->number;
    printf("# %llu ms: ", (unsigned long long)(w->now_ns / 1000000));
    if (e->kind == HSAY_EVENT_STEP)
        printf("step to %u.%u (%s) claim %llu of %llu, modulo %llu\n", e->peer.addr.byte[0],
               e->peer.addr.byte[1], hsay_bucket_name((enum hsay_bucket)e->bucket),
               (unsigned long long)n[HSAY_STEP_CLAIM_KIND],
               (unsigned long long)n[HSAY_STEP_CLAIM_COUNT],
               (unsigned long long)n[HSAY_STEP_MODULO]);
    else
        printf("%s of %u.%u: %llu bundles, %llu new, more %llu, same %llu, holds %llu\n",
               n[HSAY_ANSWER_RESULT] != 0 ? "silence" : "answer", e->peer.addr.byte[0],
               e->peer.addr.byte[1], (unsigned long long)n[HSAY_ANSWER_BUNDLES],
               (unsigned long long)n[HSAY_ANSWER_NEW], (unsigned long long)n[HSAY_ANSWER_MORE],
               (unsigned long long)n[HSAY_ANSWER_SAME],
               (unsigned long long)n[HSAY_ANSWER_PEER_COUNT]);
}

/* The end of a loop turn: commit, send, deliver. */
void world_drain(struct world *w, unsigned i)
{
    struct world_node *n = &w->node[i];
    if (w->verdict != NULL)
        w->verdict(w, i, w->verdict_user);
    struct hsay_store store = hsay_store_mem_port(&n->store);
    bool committed = store.ops->commit(store.self) == 0;
    for (size_t k = 0; committed && k < w->out.letter_count; k++) {
        struct hsay_addr from = address_towards(w, i, w->out.letter[k].to.kind);
        send_letter(w, &from, &w->out.letter[k]);
    }
    for (size_t k = 0; k < w->out.event_count; k++) {
        const struct hsay_event *e = &w->out.event[k];
        if (e->kind == HSAY_EVENT_BUNDLE)
            note_delivery(n, e);
        n->direct += e->kind == HSAY_EVENT_DIRECT;
        n->steps += e->kind == HSAY_EVENT_STEP;
        if (w->traced == n && (e->kind == HSAY_EVENT_STEP || e->kind == HSAY_EVENT_ANSWER))
            trace(w, e);
    }
    hsay_outbox_clear(&w->out);
}

void world_inject_at(struct world *w, const struct hsay_addr *from, unsigned to, uint16_t socket,
                     const void *bytes, size_t size)
{
    struct world_node *n = &w->node[to];
    struct hsay_packet packet = {*from, {bytes, size}, socket};
    hsay_node_on_packet(n->node, world_now(w), &packet, &w->out);
    world_drain(w, to);
}

void world_inject(struct world *w, const struct hsay_addr *from, unsigned to, const void *bytes,
                  size_t size)
{
    world_inject_at(w, from, to, 0, bytes, size);
}

static void arrive(struct world *w, struct world_flight *f)
{
    uint16_t socket;
    for (unsigned i = 0; i < w->node_count; i++)
        if (w->node[i].online && is_at(w, i, &f->to, &socket))
            world_inject_at(w, &f->from, i, socket, f->bytes, f->size);
    free(f);
}

/* ---- time ---- */

static void set_time(struct world *w, uint64_t ns)
{
    w->wall_s += ns / 1000000000u - w->now_ns / 1000000000u;
    w->now_ns = ns;
}

/* The next thing happens, if it does before `end_ns`. */
static bool advance(struct world *w, uint64_t end_ns)
{
    uint64_t at = w->heap_count != 0 ? w->heap[0]->at_ns : UINT64_MAX;
    struct world_node *who = NULL;
    for (unsigned i = 0; i < w->node_count; i++) {
        struct world_node *n = &w->node[i];
        uint64_t due = n->online ? hsay_node_deadline(n->node).ns : UINT64_MAX;
        if (due < at) {
            at = due;
            who = n;
        }
    }
    if (at > end_ns)
        return false;
    set_time(w, at > w->now_ns ? at : w->now_ns);
    if (who == NULL) {
        arrive(w, heap_pop(w));
        return true;
    }
    hsay_node_on_time(who->node, world_now(w), &w->out);
    assert(hsay_node_deadline(who->node).ns > w->now_ns);
    world_drain(w, (unsigned)(who - w->node));
    return true;
}

void world_run(struct world *w, uint64_t ms)
{
    uint64_t end = w->now_ns + ms * 1000000u;
    while (advance(w, end))
        continue;
    set_time(w, end);
}

bool world_same(struct world *w, uint64_t bundles)
{
    struct hsay_overlay_status first = {0}, s;
    bool any = false;
    for (unsigned i = 0; i < w->node_count; i++) {
        if (!w->node[i].online)
            continue;
        hsay_node_overlay_status(w->node[i].node, world_now(w), 0, &s);
        if (s.sum.count < bundles || (any && s.fingerprint != first.fingerprint))
            return false;
        if (!any)
            first = s;
        any = true;
    }
    return true;
}

uint64_t world_run_until_same(struct world *w, uint64_t bundles, uint64_t ms)
{
    uint64_t start = w->now_ns, end = start + ms * 1000000u;
    while (!world_same(w, bundles)) {
        uint64_t slice = w->now_ns + 5000000u;
        if (slice > end)
            return UINT64_MAX;
        while (advance(w, slice))
            continue;
        set_time(w, slice);
    }
    return (w->now_ns - start) / 1000000u;
}

void world_name(struct world *w, unsigned i, unsigned j, enum hsay_bucket bucket)
{
    struct hsay_peer peer = {.addr = address_towards(w, j, w->node[i].addr.kind)};
    int rc = hsay_node_add_peer(w->node[i].node, world_now(w), 0, &peer, bucket);
    assert(rc == 0);
}

void world_restart(struct world *w, unsigned i, bool wiped)
{
    struct world_node *n = &w->node[i];
    if (wiped) {
        hsay_store_mem_free(&n->store);
        n->seen_count = 0; /* the application lost its memory, too */
    } else {
        hsay_store_mem_crash(&n->store);
    }
    start_node(w, n);
}

struct hsay_id world_publish(struct world *w, unsigned i, const char *payload)
{
    struct world_node *n = &w->node[i];
    struct hsay_draft draft = {.author_secret = n->author_secret,
                               .payload = {(const uint8_t *)payload, strlen(payload)}};
    struct hsay_id id;
    int rc = hsay_node_on_publish(n->node, world_now(w), &draft, &id, &w->out);
    assert(rc == 0);
    world_drain(w, i);
    return id;
}

void world_set_secret(struct world *w, const char *text)
{
    w->secret_size = text[0] != '\0' ? sizeof w->secret : 0;
    memset(w->secret, 0, sizeof w->secret);
    memcpy(w->secret, text, strnlen(text, sizeof w->secret));
}

void world_print(struct world *w, unsigned i)
{
    const struct hsay_node_stats *stats = hsay_node_stats(w->node[i].node);
    struct hsay_overlay_status s;
    hsay_node_overlay_status(w->node[i].node, world_now(w), 0, &s);
    printf("# node %u at %llu ms: %llu bundles, %s, behind %llu;", i,
           (unsigned long long)(w->now_ns / 1000000), (unsigned long long)s.sum.count,
           s.synced ? "synced" : "not synced", (unsigned long long)s.missing_estimate);
    for (int b = 1; b < HSAY_BUCKET_COUNT; b++)
        printf(" %s %u", hsay_bucket_name((enum hsay_bucket)b), s.bucket_count[b]);
    for (int c = 0; c < HSAY_COUNTER_COUNT; c++)
        if (stats->count[c] != 0)
            printf(" %s %llu", hsay_counter_name((enum hsay_counter)c),
                   (unsigned long long)stats->count[c]);
    for (int d = 0; d < HSAY_DROP_COUNT; d++)
        if (stats->drop[d] != 0)
            printf(" drop.%s %llu", hsay_drop_name((enum hsay_drop)d),
                   (unsigned long long)stats->drop[d]);
    printf("\n");
}
