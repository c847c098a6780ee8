/*
 * Introduction-requests answered per second, against a plain loop that does for each of them one
 * receive, one open, one seal and one send and nothing else, over the same sockets of the loopback.
 *
 * Sixteen known peers, each with a socket and a token of its own, ask in turn.  A round: the peers
 * send a batch, which waits in the socket's buffer; then the server works it off, and only that is
 * timed; then the peers take the answers out.  The two servers take turns on the same batches, in
 * one thread, and the clock is the thread's CPU time, so that neighbours of this machine disturb
 * little.  The plain loop seals answers of the same size as the node's.
 *
 * The node's loop is the daemon's without the event library: recvmmsg, hsay_node_on_packet for
 * each, commit, sendmmsg.  In sync the requests carry count and fingerprint of all that is held.
 * The second set of figures is for requests with a full filter in sync, the third for a full filter
 * of a set that differs from what the node holds though nothing is to be given: the whole range is
 * walked and each digest looked up in the filter.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/crowd.h"
#include "bloom/bloom.h"
#include "hearsay/crypto_sodium.h"
#include "src/sync/claim.h"
#include "src/wire/seal.h"

enum {
    PEERS = 16,
    BATCH = 64, /* 64 full datagrams fit a default socket buffer as Linux counts */
    PER_PEER = BATCH / PEERS,
    ROUNDS = 1001,
    WARM_UP = 50,
    BUNDLES = 850, /* what a full filter of one request holds */
    CANONICAL_BYTES = 300,
    CLOCK_STEP_MS = 10,
};

struct peer {
    int socket;
    struct hsay_addr addr;
    uint8_t secret[HSAY_KEY_BYTES];
    struct hsay_key key;
    uint8_t pair_key[32];
    struct hsay_token token;
};

/* Room for a batch of datagrams and what the system calls want to know of it. */
struct batch {
    uint8_t bytes[BATCH][HSAY_DATAGRAM_MAX_BYTES];
    struct sockaddr_in from[BATCH];
    struct iovec part[2 * BATCH];
    struct mmsghdr message[2 * BATCH];
    unsigned count;
};

struct server {
    int socket;
    struct sockaddr_in at;
    struct hsay_node *node;
    struct hsay_store_mem store;
    struct hsay_outbox out;
    struct hsay_seal_keys keys;
    struct hsay_addr addr;
};

static struct hsay_crypto crypto;
static struct peer peers[PEERS];
static struct server server;
static struct batch inbox;
static uint64_t chance = 20130711;

static void fill_random(void *out, size_t size)
{
    uint8_t *at = out;
    for (size_t i = 0; i < size; i++) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at[i] = (uint8_t)(chance >> 56);
    }
}

/* The node's clock stands still while it works and goes on by as much as its budgets for hungry
 * peers need to be full again: they are no part of what is measured. */
static uint64_t clock_ms = 1000;

static struct hsay_now now(void)
{
    return (struct hsay_now){{clock_ms * 1000000}, 1700000000};
}

/* ---- sockets ---- */

static int open_socket(struct sockaddr_in *at)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof *at;
    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (s < 0 || bind(s, (struct sockaddr *)at, sizeof *at) != 0 ||
        getsockname(s, (struct sockaddr *)at, &size) != 0)
        bench_fail("no socket on the loopback");
    return s;
}

static struct hsay_addr addr_of(const struct sockaddr_in *at)
{
    struct hsay_addr a = {.kind = HSAY_ADDR_IP4, .port = ntohs(at->sin_port)};
    memcpy(a.byte, &at->sin_addr, 4);
    return a;
}

static struct sockaddr_in sockaddr_of(const struct hsay_addr *a)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&at.sin_addr, a->byte, 4);
    return at;
}

/* ---- the node ---- */

static void start_node(void)
{
    struct hsay_node_config config = {.overlays_max = 1};
    struct hsay_overlay_config overlay = {.no_step = true};
    struct hsay_outbox_need need;
    uint8_t seed[32];
    uint16_t number;
    fill_random(config.node_secret, sizeof config.node_secret);
    fill_random(seed, sizeof seed);
    fill_random(&overlay.overlay, sizeof overlay.overlay);
    hsay_store_mem_init(&server.store, 0, &crypto);
    overlay.store = hsay_store_mem_port(&server.store);
    if (hsay_node_init(malloc(hsay_node_size(&config)), &config, &crypto, seed, now(),
                       &server.node) != 0 ||
        hsay_node_join(server.node, now(), &overlay, &number) != 0)
        bench_fail("no node");
    hsay_node_outbox_need(server.node, &need);
    server.out =
        (struct hsay_outbox){.bytes = malloc(2 * need.bytes),
                             .bytes_size = 2 * need.bytes,
                             .letter = calloc(2 * need.letters, sizeof(struct hsay_letter)),
                             .letter_max = 2 * need.letters,
                             .event = calloc(2 * need.events, sizeof(struct hsay_event)),
                             .event_max = 2 * need.events};
    hsay_seal_derive(&server.keys, &crypto, &overlay.overlay, (struct hsay_span){NULL, 0});
    server.socket = open_socket(&server.at);
    server.addr = addr_of(&server.at);
}

static void publish(void)
{
    uint8_t payload[HSAY_PAYLOAD_MAX_BYTES], seed[32], secret[HSAY_SECRET_BYTES];
    struct hsay_key author;
    fill_random(seed, sizeof seed);
    hsay_sodium_author_from_seed(&author, secret, seed);
    for (uint64_t i = 1; i <= BUNDLES; i++) {
        size_t size = crowd_payload(CANONICAL_BYTES, i, i);
        struct hsay_id id;
        fill_random(payload, size);
        struct hsay_draft draft = {.author_secret = secret, .payload = {payload, size}};
        if (hsay_node_on_publish(server.node, now(), &draft, &id, &server.out) != 0)
            bench_fail("a bundle was refused");
        hsay_outbox_clear(&server.out);
    }
}

static void post_letters(void)
{
    static struct mmsghdr message[1024];
    static struct iovec part[1024];
    static struct sockaddr_in to[1024];
    size_t count = server.out.letter_count;
    for (size_t i = 0; i < count; i++) {
        const struct hsay_letter *l = &server.out.letter[i];
        part[i] = (struct iovec){(void *)(uintptr_t)l->datagram.data, l->datagram.size};
        to[i] = sockaddr_of(&l->to);
        message[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &to[i],
                                                  .msg_namelen = sizeof to[i],
                                                  .msg_iov = &part[i],
                                                  .msg_iovlen = 1}};
    }
    for (size_t sent = 0; sent < count;) {
        int n = sendmmsg(server.socket, message + sent, (unsigned)(count - sent), 0);
        if (n <= 0)
            bench_fail("sendmmsg");
        sent += (size_t)n;
    }
    hsay_outbox_clear(&server.out);
}

static void serve_as_node(void)
{
    struct hsay_store store = hsay_store_mem_port(&server.store);
    for (unsigned i = 0; i < BATCH; i++) {
        inbox.part[i] = (struct iovec){inbox.bytes[i], sizeof inbox.bytes[i]};
        inbox.message[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &inbox.from[i],
                                                        .msg_namelen = sizeof inbox.from[i],
                                                        .msg_iov = &inbox.part[i],
                                                        .msg_iovlen = 1}};
    }
    clock_ms += CLOCK_STEP_MS;
    int got = recvmmsg(server.socket, inbox.message, BATCH, MSG_DONTWAIT, NULL);
    struct hsay_now t = now();
    struct hsay_outbox_need need;
    hsay_node_outbox_need(server.node, &need);
    for (int i = 0; i < got; i++) {
        struct hsay_packet packet = {
            addr_of(&inbox.from[i]), {inbox.bytes[i], inbox.message[i].msg_len}, 0};
        hsay_node_on_packet(server.node, t, &packet, &server.out);
        if (!hsay_outbox_has_room(&server.out, &need))
            post_letters();
    }
    if (!hsay_time_before(t.mono, hsay_node_deadline(server.node)))
        hsay_node_on_time(server.node, t, &server.out);
    store.ops->commit(store.self);
    post_letters();
}

/* ---- the plain loop ---- */

static size_t answer_bytes; /* of one of the node's answers */

static const struct peer *peer_at(const struct sockaddr_in *from)
{
    static const struct peer *by_port[65536];
    if (by_port[ntohs(peers[0].addr.port)] == NULL)
        for (unsigned i = 0; i < PEERS; i++)
            by_port[ntohs(peers[i].addr.port)] = &peers[i];
    return by_port[from->sin_port];
}

static void serve_plainly(void)
{
    const size_t head = HSAY_HEADER_BYTES;
    for (unsigned i = 0; i < BATCH; i++) {
        uint8_t in[HSAY_DATAGRAM_MAX_BYTES], plain[HSAY_DATAGRAM_MAX_BYTES];
        uint8_t out[HSAY_DATAGRAM_MAX_BYTES], nonce[HSAY_SEAL_NONCE_BYTES] = {0};
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        ssize_t got = recvfrom(server.socket, in, sizeof in, MSG_DONTWAIT, (struct sockaddr *)&from,
                               &from_size);
        const struct peer *p = peer_at(&from);
        size_t at = head + HSAY_TOKEN_BYTES;
        if (got < (ssize_t)at || p == NULL)
            bench_fail("the plain loop got no request");
        memcpy(nonce, in + 38, HSAY_NONCE_BYTES);
        if (crypto.ops->open(crypto.self, plain, p->pair_key, nonce, (struct hsay_span){in, at},
                             (struct hsay_span){in + at, (size_t)got - at}) != 0)
            bench_fail("the plain loop can not open a request");
        nonce[0]++;
        memcpy(out, in, head);
        crypto.ops->seal(crypto.self, out + head, p->pair_key, nonce, (struct hsay_span){out, head},
                         (struct hsay_span){plain, answer_bytes - head - HSAY_SEAL_TAG_BYTES});
        if (sendto(server.socket, out, answer_bytes, 0, (struct sockaddr *)&from, from_size) < 0)
            bench_fail("sendto");
    }
}

/* ---- the peers ---- */

static struct hsay_claim claim_sum, claim_full, claim_other;
static uint8_t full_bits[HSAY_FILTER_MAX_BYTES];

static size_t write_request(const struct peer *p, const struct hsay_claim *claim,
                            const struct hsay_token *token, uint8_t *out)
{
    uint8_t nonce[HSAY_NONCE_BYTES];
    struct hsay_message m = {.type = HSAY_MSG_INTRO_REQUEST};
    struct hsay_seal_as as = {
        .keys = &server.keys, .own = &p->key, .key = p->pair_key, .token = token};
    struct hsay_intro_request *r = &m.intro_request;
    fill_random(&r->id, sizeof r->id);
    fill_random(nonce, sizeof nonce);
    r->to = server.addr;
    r->global_time = BUNDLES;
    r->answer_bytes = 1000;
    r->claim = *claim;
    size_t at = hsay_seal_message_at(&as);
    struct hsay_writer w =
        hsay_writer(out + at, HSAY_DATAGRAM_DEFAULT_BYTES - at - HSAY_SEAL_TAG_BYTES);
    hsay_message_encode(&w, &m);
    if (w.bad)
        bench_fail("a request too large for a datagram");
    return hsay_seal(out, &crypto, &as, nonce, hsay_write_size(&w));
}

static void send_request(const struct peer *p, const struct hsay_claim *claim,
                         const struct hsay_token *token)
{
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
    size_t size = write_request(p, claim, token, bytes);
    if (sendto(p->socket, bytes, size, 0, (struct sockaddr *)&server.at, sizeof server.at) < 0)
        bench_fail("sendto");
}

/* The next answer that came for this peer; size 0: none. */
static size_t take_answer(const struct peer *p, struct hsay_message *m)
{
    static uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES], plain[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_envelope envelope;
    struct hsay_span message;
    ssize_t got = recv(p->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0)
        return 0;
    if (m != NULL && (hsay_envelope_parse(&envelope, (struct hsay_span){bytes, (size_t)got}) != 0 ||
                      hsay_open(plain, &message, &crypto, &envelope, p->pair_key) != 0 ||
                      hsay_message_decode(m, message) != 0 || m->type != HSAY_MSG_INTRO_RESPONSE))
        bench_fail("the node's answer can not be read");
    return (size_t)got;
}

static unsigned take_answers(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < PEERS; i++)
        while (take_answer(&peers[i], NULL) != 0)
            count++;
    return count;
}

static void ask_batch(const struct hsay_claim *claim)
{
    for (unsigned n = 0; n < PER_PEER; n++)
        for (unsigned i = 0; i < PEERS; i++)
            send_request(&peers[i], claim, &peers[i].token);
}

static void start_peers(void)
{
    const struct hsay_key *node = hsay_node_key(server.node);
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer *p = &peers[i];
        struct sockaddr_in at;
        struct hsay_message m;
        p->socket = open_socket(&at);
        p->addr = addr_of(&at);
        fill_random(p->secret, sizeof p->secret);
        crypto.ops->node_public(crypto.self, &p->key, p->secret);
        if (hsay_seal_pair_key(p->pair_key, &crypto, &server.keys, p->secret, &p->key, node) != 0)
            bench_fail("no pair key");
        send_request(p, &claim_full, NULL);
        serve_as_node();
        if (take_answer(p, &m) == 0)
            bench_fail("a first contact was not answered");
        p->token = m.intro_response.token;
    }
}

static void make_claims(void)
{
    struct hsay_store store = hsay_store_mem_port(&server.store);
    struct hsay_rng rng;
    struct hsay_claims claims;
    uint8_t seed[32] = {1};
    struct hsay_claim_want want = {.kind = HSAY_CLAIM_SUM, .room_bytes = 1120};
    hsay_rng_init(&rng, seed);
    hsay_claims_init(&claims, HSAY_POLICY_HEARSAY);
    if (hsay_claim_make(&claims, &store, &rng, &crypto, &want, NULL, &claim_sum) != 0)
        bench_fail("no claim");
    want.kind = HSAY_CLAIM_BLOOM;
    if (hsay_claim_make(&claims, &store, &rng, &crypto, &want, full_bits, &claim_full) != 0)
        bench_fail("no claim");
    if (claim_sum.kind != HSAY_CLAIM_SUM || claim_full.kind != HSAY_CLAIM_BLOOM ||
        claim_full.count != BUNDLES)
        bench_fail("a filter of one request holds less than %d", BUNDLES);
    claim_other = claim_full;
    claim_other.fingerprint++;
}

/* ---- measuring ---- */

struct rate {
    double node_us, plain_us; /* CPU per request */
    size_t request_bytes;
};

static void learn_sizes(const struct hsay_claim *claim, struct rate *rate)
{
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_message m;
    rate->request_bytes = write_request(&peers[0], claim, &peers[0].token, bytes);
    send_request(&peers[0], claim, &peers[0].token);
    serve_as_node();
    answer_bytes = take_answer(&peers[0], &m);
    if (answer_bytes == 0)
        bench_fail("a known peer was not answered");
}

static double time_batch(const struct hsay_claim *claim, void (*serve)(void))
{
    ask_batch(claim);
    double start = bench_thread_seconds();
    serve();
    double spent = bench_thread_seconds() - start;
    unsigned answered = take_answers();
    if (answered != BATCH)
        bench_fail("%u of %d requests were answered", answered, BATCH);
    return spent * 1e6 / BATCH;
}

static struct rate measure(const struct hsay_claim *claim)
{
    static double node_us[ROUNDS], plain_us[ROUNDS];
    struct rate rate;
    learn_sizes(claim, &rate);
    for (unsigned i = 0; i < WARM_UP; i++) {
        time_batch(claim, serve_as_node);
        time_batch(claim, serve_plainly);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        node_us[i] = time_batch(claim, serve_as_node);
        plain_us[i] = time_batch(claim, serve_plainly);
    }
    rate.node_us = bench_median(node_us, ROUNDS);
    rate.plain_us = bench_median(plain_us, ROUNDS);
    return rate;
}

static void report(const char *prefix, const struct rate *rate)
{
    char name[64];
    bench_note("%s: requests of %zu bytes, answers of %zu", prefix, rate->request_bytes,
               answer_bytes);
    snprintf(name, sizeof name, "%s_rate_ratio", prefix);
    bench_figure(name, rate->plain_us / rate->node_us, "x");
    snprintf(name, sizeof name, "%s_rate", prefix);
    bench_figure(name, 1e6 / rate->node_us, "1/s");
    snprintf(name, sizeof name, "%s_plain_rate", prefix);
    bench_figure(name, 1e6 / rate->plain_us, "1/s");
}

int main(void)
{
    if (hsay_sodium_init() != 0)
        bench_fail("no source of chance");
    hsay_crypto_sodium(&crypto);
    start_node();
    publish();
    make_claims();
    start_peers();
    struct rate rate = measure(&claim_sum);
    report("request", &rate);
    rate = measure(&claim_full);
    report("request_full_filter", &rate);
    rate = measure(&claim_other);
    report("request_walked_filter", &rate);
    return 0;
}
