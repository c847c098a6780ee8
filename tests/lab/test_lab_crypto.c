/* Goal: the laboratory's crypto gives what the real one gives wherever the protocol looks, refuses
 * what it refuses, and a whole world takes the same decisions with either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "src/lab/sim/chance.h"
#include "src/lab/sim/crypto.h"
#include "tests/world/stranger.h"

/* The three ports side by side, and chance. */
struct bench {
    struct lab_crypto_world counted_world, real_world;
    struct lab_crypto counted_crypto, real_crypto;
    struct hsay_crypto counted, real, sodium;
    struct lab_chance chance;
};

static void bench_init(struct bench *b, uint64_t seed)
{
    assert_int_equal(lab_crypto_world_init(&b->counted_world, seed, false), 0);
    assert_int_equal(lab_crypto_world_init(&b->real_world, seed, true), 0);
    lab_crypto_init(&b->counted_crypto, &b->counted_world);
    lab_crypto_init(&b->real_crypto, &b->real_world);
    b->counted = lab_crypto_port(&b->counted_crypto);
    b->real = lab_crypto_port(&b->real_crypto);
    hsay_crypto_sodium(&b->sodium);
    b->chance = lab_chance_stream(seed, LAB_CHANCE_HOST, 0);
}

static void bench_free(struct bench *b)
{
    lab_crypto_world_free(&b->counted_world);
    lab_crypto_world_free(&b->real_world);
}

static void hash(const struct hsay_crypto *port, uint8_t *out, size_t size, struct hsay_span key,
                 const struct hsay_span *parts, size_t part_count)
{
    port->ops->hash(port->self, out, size, key, parts, part_count);
}

static void sign(const struct hsay_crypto *port, uint8_t signature[HSAY_SIGNATURE_BYTES],
                 const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    port->ops->sign(port->self, signature, secret, message);
}

static bool verify(const struct hsay_crypto *port, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                   const struct hsay_key *author, struct hsay_span message)
{
    return port->ops->verify(port->self, signature, author, message);
}

static struct hsay_key node_public(const struct hsay_crypto *port, const uint8_t *secret)
{
    struct hsay_key key;
    port->ops->node_public(port->self, &key, secret);
    return key;
}

static int agree(const struct hsay_crypto *port, uint8_t out[32], const uint8_t *secret,
                 const struct hsay_key *peer)
{
    return port->ops->agree(port->self, out, secret, peer);
}

/* --- hashes and keys ------------------------------------------------------------------------- */

static void hashes_and_node_keys_are_the_real_ones(void **state)
{
    struct bench b;
    uint8_t bytes[700], out[3][64];

    (void)state;
    bench_init(&b, 1);
    for (unsigned round = 0; round < 50; round++) {
        lab_chance_bytes(&b.chance, bytes, sizeof bytes);
        size_t size = 16 + round % 49;
        const struct hsay_span key = {bytes, round % 65};
        const struct hsay_span part[] = {{bytes + 64, round}, {NULL, 0}, {bytes + 200, round * 10}};
        hash(&b.counted, out[0], size, key, part, 3);
        hash(&b.real, out[1], size, key, part, 3);
        hash(&b.sodium, out[2], size, key, part, 3);
        assert_memory_equal(out[0], out[2], size);
        assert_memory_equal(out[1], out[2], size);
        struct hsay_key good = node_public(&b.sodium, bytes);
        struct hsay_key counted = node_public(&b.counted, bytes);
        struct hsay_key real = node_public(&b.real, bytes);
        assert_memory_equal(&counted, &good, sizeof good);
        assert_memory_equal(&real, &good, sizeof good);
    }
    bench_free(&b);
}

/* --- signatures ------------------------------------------------------------------------------ */

struct signed_message {
    uint8_t signature[HSAY_SIGNATURE_BYTES];
    struct hsay_key author;
    uint8_t text[48];
};

/* Asked twice of each: what was answered first must not change what is answered then. */
static bool verdict(const struct bench *b, const struct signed_message *m)
{
    const struct hsay_span text = {m->text, sizeof m->text};
    bool good = verify(&b->sodium, m->signature, &m->author, text);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(verify(&b->counted, m->signature, &m->author, text), good);
        assert_int_equal(verify(&b->real, m->signature, &m->author, text), good);
    }
    return good;
}

static struct signed_message signed_by(struct bench *b, const struct hsay_crypto *port)
{
    struct signed_message m;
    uint8_t seed[32], secret[HSAY_SECRET_BYTES];
    lab_chance_bytes(&b->chance, seed, sizeof seed);
    lab_chance_bytes(&b->chance, m.text, sizeof m.text);
    hsay_sodium_author_from_seed(&m.author, secret, seed);
    sign(port, m.signature, secret, (struct hsay_span){m.text, sizeof m.text});
    return m;
}

static void signatures_are_the_real_ones(void **state)
{
    struct bench b;
    uint8_t secret[HSAY_SECRET_BYTES], text[100], signature[2][HSAY_SIGNATURE_BYTES];
    struct hsay_key author;

    (void)state;
    bench_init(&b, 2);
    hsay_sodium_author(&author, secret);
    for (size_t size = 0; size < sizeof text; size += 7) {
        const struct hsay_span message = {text, size};
        lab_chance_bytes(&b.chance, text, sizeof text);
        sign(&b.counted, signature[0], secret, message);
        sign(&b.sodium, signature[1], secret, message);
        assert_memory_equal(signature[0], signature[1], sizeof signature[0]);
        assert_true(verify(&b.counted, signature[0], &author, message));
    }
    bench_free(&b);
}

/* Made in this world or outside, as it is or with any byte changed. */
static void every_change_to_a_signed_message_is_refused(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 3);
    for (int outside = 0; outside < 2; outside++) {
        struct signed_message m = signed_by(&b, outside ? &b.sodium : &b.counted);
        uint8_t *byte = (uint8_t *)&m;
        if (!outside)
            assert_true(verdict(&b, &m));
        for (size_t i = 0; i < sizeof m; i++) {
            byte[i] ^= (uint8_t)(1 << i % 8);
            assert_false(verdict(&b, &m));
            byte[i] ^= (uint8_t)(1 << i % 8);
        }
        assert_true(verdict(&b, &m));
    }
    bench_free(&b);
}

/* S + L would be a second signature if nobody looked at how S is written. */
static void the_second_form_of_a_signature_is_refused(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct bench b;
    unsigned carry = 0;

    (void)state;
    bench_init(&b, 4);
    struct signed_message m = signed_by(&b, &b.counted);
    for (size_t i = 0; i < sizeof order; i++) {
        carry += (unsigned)m.signature[32 + i] + order[i];
        m.signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(verdict(&b, &m));
    bench_free(&b);
}

/* Points whose eightfold is the neutral one, and writings of y that are not below p. */
static void author_keys_that_are_none_are_refused(void **state)
{
    static const struct hsay_key keys[] = {
        {{0}},
        {{1}},
        {{[31] = 0x80}},
        {{1, [31] = 0x80}},
        {{0xec, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{0xed, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{0xee, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{[0 ... 31] = 0xff}},
        {{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
          0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
          0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}},
    };
    struct bench b;

    (void)state;
    bench_init(&b, 5);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct signed_message m = {.author = keys[i]};
        m.signature[0] = 1; /* R is the neutral element, S is 0: good for any message if allowed */
        assert_false(verdict(&b, &m));
        m = signed_by(&b, &b.counted);
        m.author = keys[i];
        assert_false(verdict(&b, &m));
    }
    bench_free(&b);
}

/* The secret names another public key than its own: what it signs is good for neither. */
static void a_secret_that_lies_signs_nothing_good(void **state)
{
    struct bench b;
    struct signed_message m = {.text = "x"};
    struct hsay_key author[2];
    uint8_t secret[2][HSAY_SECRET_BYTES];

    (void)state;
    bench_init(&b, 6);
    hsay_sodium_author(&author[0], secret[0]);
    hsay_sodium_author(&author[1], secret[1]);
    memcpy(secret[0] + 32, author[1].byte, 32);
    sign(&b.counted, m.signature, secret[0], (struct hsay_span){m.text, sizeof m.text});
    for (int i = 0; i < 2; i++) {
        m.author = author[i];
        assert_false(verdict(&b, &m));
    }
    bench_free(&b);
}

/* --- keys of pairs --------------------------------------------------------------------------- */

struct pair_end {
    uint8_t secret[HSAY_KEY_BYTES];
    struct hsay_key key;
};

/* By the sodium port, the laboratory hears nothing of it. */
static struct pair_end pair_end(struct bench *b, const struct hsay_crypto *port)
{
    struct pair_end end;
    lab_chance_bytes(&b->chance, end.secret, sizeof end.secret);
    end.key = node_public(port, end.secret);
    return end;
}

/* Both ends find the same key, the real one if `real`. */
static void assert_agree(const struct bench *b, const struct pair_end *x, const struct pair_end *y,
                         bool real)
{
    uint8_t one[32], other[32], good[32];
    assert_int_equal(agree(&b->counted, one, x->secret, &y->key), 0);
    assert_int_equal(agree(&b->counted, other, y->secret, &x->key), 0);
    assert_int_equal(agree(&b->sodium, good, x->secret, &y->key), 0);
    assert_memory_equal(one, other, sizeof one);
    assert_int_equal(memcmp(one, good, sizeof one) == 0, real);
}

static void pairs_agree_whoever_is_known(void **state)
{
    struct bench b;
    uint8_t key[3][32];

    (void)state;
    bench_init(&b, 7);
    struct pair_end known[3], stranger[2];
    for (int i = 0; i < 3; i++)
        known[i] = pair_end(&b, &b.counted);
    for (int i = 0; i < 2; i++)
        stranger[i] = pair_end(&b, &b.sodium);
    assert_agree(&b, &known[0], &known[1], false);
    assert_agree(&b, &known[0], &known[0], false);
    assert_agree(&b, &known[0], &stranger[0], true);
    assert_agree(&b, &stranger[1], &stranger[0], true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(agree(&b.counted, key[i], known[i].secret, &known[(i + 1) % 3].key), 0);
    assert_memory_not_equal(key[0], key[1], 32);
    assert_memory_not_equal(key[1], key[2], 32);
    assert_memory_not_equal(key[2], key[0], 32);
    bench_free(&b);
}

/* X25519 looks neither at the highest bit of a key nor at five bits of a secret, so whoever uses
 * that to have two names can be talked to under both. */
static void pairs_agree_under_an_alias(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 8);
    struct pair_end one = pair_end(&b, &b.counted), other = pair_end(&b, &b.counted);
    struct pair_end alias = one;
    alias.key.byte[31] |= 0x80;
    alias.secret[0] ^= 7;
    alias.secret[31] ^= 0xc0;
    assert_agree(&b, &alias, &other, false);
    uint8_t key[2][32];
    assert_int_equal(agree(&b.counted, key[0], other.secret, &one.key), 0);
    assert_int_equal(agree(&b.counted, key[1], other.secret, &alias.key), 0);
    assert_memory_equal(key[0], key[1], 32);
    bench_free(&b);
}

static void keys_of_small_order_are_refused(void **state)
{
    static const struct hsay_key keys[] = {
        {{0}},
        {{1}},
        {{0xec, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{0xed, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{0xee, [1 ... 30] = 0xff, [31] = 0x7f}},
        {{0xed, [1 ... 30] = 0xff, [31] = 0xff}},
        {{1, [31] = 0x80}},
    };
    struct bench b;
    uint8_t out[32];

    (void)state;
    bench_init(&b, 9);
    struct pair_end known = pair_end(&b, &b.counted), stranger = pair_end(&b, &b.sodium);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(agree(&b.sodium, out, known.secret, &keys[i]), HSAY_EBAD);
        assert_int_equal(agree(&b.counted, out, known.secret, &keys[i]), HSAY_EBAD);
        assert_int_equal(agree(&b.counted, out, stranger.secret, &keys[i]), HSAY_EBAD);
        assert_int_equal(agree(&b.real, out, known.secret, &keys[i]), HSAY_EBAD);
    }
    bench_free(&b);
}

enum { MANY = 3000 };

/* Tables grow several times on the way. */
static void many_keys_are_all_remembered(void **state)
{
    struct bench b;
    struct pair_end *end = calloc(MANY, sizeof *end);

    (void)state;
    bench_init(&b, 10);
    lab_crypto_world_reserve(&b.counted_world, 500);
    for (int i = 0; i < MANY; i++)
        end[i] = pair_end(&b, &b.counted);
    for (int i = 0; i < MANY; i++) {
        uint8_t one[32], other[32];
        int k = (i * 7 + 1) % MANY;
        assert_int_equal(agree(&b.counted, one, end[i].secret, &end[k].key), 0);
        assert_int_equal(agree(&b.counted, other, end[k].secret, &end[i].key), 0);
        assert_memory_equal(one, other, sizeof one);
    }
    assert_agree(&b, &end[0], &end[MANY - 1], false);
    free(end);
    bench_free(&b);
}

/* --- seals ----------------------------------------------------------------------------------- */

struct sealing {
    uint8_t key[32];
    uint8_t nonce[HSAY_SEAL_NONCE_BYTES];
    uint8_t header[70];
    uint8_t sealed[40 + HSAY_SEAL_TAG_BYTES];
};

static int open_sealing(const struct hsay_crypto *port, const struct sealing *s, uint8_t *out,
                        size_t header_size, size_t sealed_size)
{
    return port->ops->open(port->self, out, s->key, s->nonce,
                           (struct hsay_span){s->header, header_size},
                           (struct hsay_span){s->sealed, sealed_size});
}

static void a_seal_holds_every_byte(void **state)
{
    struct bench b;
    struct sealing s;
    uint8_t plain[40], out[sizeof s.sealed], *byte = (uint8_t *)&s;
    const struct hsay_span text = {plain, sizeof plain}, header = {s.header, sizeof s.header};

    (void)state;
    bench_init(&b, 11);
    lab_chance_bytes(&b.chance, byte, sizeof s);
    lab_chance_bytes(&b.chance, plain, sizeof plain);
    const struct hsay_crypto *ports[] = {&b.counted, &b.real, &b.sodium};
    for (int p = 0; p < 3; p++) {
        ports[p]->ops->seal(ports[p]->self, s.sealed, s.key, s.nonce, header, text);
        assert_int_equal(open_sealing(ports[p], &s, out, sizeof s.header, sizeof s.sealed), 0);
        assert_memory_equal(out, plain, sizeof plain);
        for (size_t i = 0; i < sizeof s; i++) {
            byte[i] ^= (uint8_t)(1 << i % 8);
            assert_int_equal(open_sealing(ports[p], &s, out, sizeof s.header, sizeof s.sealed),
                             HSAY_EBAD);
            byte[i] ^= (uint8_t)(1 << i % 8);
        }
        for (size_t size = HSAY_SEAL_TAG_BYTES; size < sizeof s.sealed; size++)
            assert_int_equal(open_sealing(ports[p], &s, out, sizeof s.header, size), HSAY_EBAD);
        for (size_t size = 0; size < sizeof s.header; size++)
            assert_int_equal(open_sealing(ports[p], &s, out, size, sizeof s.sealed), HSAY_EBAD);
    }
    bench_free(&b);
}

/* Apart and in place, nothing behind the tag is touched, and the real port writes as much. */
static void seals_of_any_size_open_again(void **state)
{
    struct bench b;
    uint8_t key[32], nonce[HSAY_SEAL_NONCE_BYTES], plain[1500], apart[1600], place[1600];

    (void)state;
    bench_init(&b, 12);
    lab_chance_bytes(&b.chance, key, sizeof key);
    lab_chance_bytes(&b.chance, nonce, sizeof nonce);
    lab_chance_bytes(&b.chance, plain, sizeof plain);
    const struct hsay_crypto *ports[] = {&b.counted, &b.real, &b.sodium};
    for (size_t size = 0; size <= sizeof plain; size += size < 40 ? 1 : 73)
        for (int p = 0; p < 3; p++) {
            const struct hsay_crypto *port = ports[p];
            const struct hsay_span none = {NULL, 0}, text = {plain, size};
            const size_t sealed = size + HSAY_SEAL_TAG_BYTES;
            memset(apart, 0x5a, sizeof apart);
            memset(place, 0x5a, sizeof place);
            memcpy(place, plain, size);
            port->ops->seal(port->self, apart, key, nonce, none, text);
            port->ops->seal(port->self, place, key, nonce, none, (struct hsay_span){place, size});
            assert_memory_equal(apart, place, sizeof apart);
            assert_int_equal(apart[sealed], 0x5a);
            assert_int_equal(port->ops->open(port->self, place, key, nonce, none,
                                             (struct hsay_span){place, sealed}),
                             0);
            assert_memory_equal(place, plain, size);
            assert_int_equal(place[sealed], 0x5a);
        }
    bench_free(&b);
}

/* --- counting -------------------------------------------------------------------------------- */

/* One of each, one of them twice. */
static void ask_all(struct bench *b, const struct hsay_crypto *port)
{
    const uint8_t bytes[64] = "counted";
    const struct hsay_span parts[] = {{bytes, 10}, {bytes, 20}};
    uint8_t out[128];
    struct pair_end end = pair_end(b, port);
    struct signed_message m = signed_by(b, port);
    hash(port, out, 32, (struct hsay_span){bytes, 5}, parts, 2);
    verify(port, m.signature, &m.author, parts[0]);
    verify(port, m.signature, &m.author, (struct hsay_span){m.text, sizeof m.text});
    agree(port, out, end.secret, &end.key);
    port->ops->seal(port->self, out, bytes, bytes, parts[0], parts[1]);
    port->ops->open(port->self, out, bytes, bytes, parts[0], (struct hsay_span){out, 36});
    port->ops->open(port->self, out, bytes, bytes, parts[0], (struct hsay_span){out, 30});
}

static void all_is_counted_alike(void **state)
{
    const struct lab_crypto_count good = {.hash = 1,
                                          .hash_bytes = 35,
                                          .sign = 1,
                                          .verify = 2,
                                          .node_public = 1,
                                          .agree = 1,
                                          .seal = 1,
                                          .open = 2,
                                          .sealed_bytes = 20,
                                          .opened_bytes = 34};
    struct bench b;
    struct lab_crypto_count sum = {0};

    (void)state;
    bench_init(&b, 13);
    ask_all(&b, &b.counted);
    ask_all(&b, &b.real);
    assert_memory_equal(&b.counted_crypto.count, &good, sizeof good);
    assert_memory_equal(&b.real_crypto.count, &good, sizeof good);
    lab_crypto_count_add(&sum, &good);
    lab_crypto_count_add(&sum, &good);
    const uint64_t *one = (const uint64_t *)&good, *two = (const uint64_t *)&sum;
    for (size_t i = 0; i < sizeof good / sizeof *one; i++)
        assert_int_equal(two[i], 2 * one[i]);
    bench_free(&b);
}

/* --- threads --------------------------------------------------------------------------------- */

enum { THREADS = 3, OWN = 300 };

struct shard {
    struct bench *bench;
    uint64_t number;
    struct pair_end first;         /* known before the threads start */
    struct signed_message outside; /* the same one in each */
    bool good;
};

/* New keys and signatures in all threads at once; what was known before is found meanwhile. */
static void *work(void *self)
{
    struct shard *shard = self;
    struct lab_crypto crypto;
    struct bench own = {.chance = lab_chance_stream(14, LAB_CHANCE_HOST, shard->number)};
    lab_crypto_init(&crypto, &shard->bench->counted_world);
    const struct hsay_crypto port = lab_crypto_port(&crypto);
    shard->good = true;
    for (int i = 0; i < OWN; i++) {
        const struct signed_message *m = &shard->outside;
        struct pair_end end = pair_end(&own, &port);
        uint8_t one[32], other[32];
        agree(&port, one, end.secret, &shard->first.key);
        agree(&port, other, shard->first.secret, &end.key);
        shard->good &= memcmp(one, other, sizeof one) == 0;
        struct signed_message made = signed_by(&own, &port);
        shard->good &= verify(&port, made.signature, &made.author,
                              (struct hsay_span){made.text, sizeof made.text});
        shard->good &=
            verify(&port, m->signature, &m->author, (struct hsay_span){m->text, sizeof m->text});
    }
    return NULL;
}

static void threads_share_a_world(void **state)
{
    struct bench b;
    struct shard shard[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    bench_init(&b, 14);
    struct pair_end first = pair_end(&b, &b.counted);
    struct signed_message outside = signed_by(&b, &b.sodium);
    for (uint64_t i = 0; i < THREADS; i++) {
        shard[i] = (struct shard){&b, i + 1, first, outside, false};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &shard[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(shard[i].good);
    }
    bench_free(&b);
}

/* --- a whole world --------------------------------------------------------------------------- */

enum { NODES = 12, PEERS_MAX = 32, KEPT = 16 };
enum { LIAR = 5 }; /* publishes under a public key that is not its own */

struct node_portrait {
    struct hsay_node_stats stats;
    struct hsay_overlay_status status;
    struct hsay_peer_status peer[PEERS_MAX];
    struct hsay_peer book[PEERS_MAX];
    size_t peer_count, book_count;
    uint64_t delivered, repeated, steps;
};

struct portrait {
    struct node_portrait node[NODES];
    uint64_t datagrams, bytes;
    uint64_t traffic; /* a hash of all that is not sealed: when, from, to, size, header */
    uint64_t stranger_packets;
    int answer_type;
};

/* What is on the wire, and some of it kept to be damaged and sent again. */
struct tap {
    struct stranger stranger;
    bool (*stranger_watch)(struct world *, const struct world_flight *, void *user);
    struct hsay_crypto sodium;
    uint8_t traffic[32];
    struct world_flight kept[KEPT];
    uint64_t seen;
};

static bool tap_watch(struct world *w, const struct world_flight *f, void *user)
{
    struct tap *tap = user;
    struct hsay_envelope e;
    assert_int_equal(hsay_envelope_parse(&e, (struct hsay_span){f->bytes, f->size}), 0);
    const struct hsay_span parts[] = {{tap->traffic, sizeof tap->traffic},
                                      {(const uint8_t *)&w->now_ns, sizeof w->now_ns},
                                      {(const uint8_t *)&f->from, sizeof f->from},
                                      {(const uint8_t *)&f->to, sizeof f->to},
                                      {(const uint8_t *)&f->size, sizeof f->size},
                                      e.header};
    hash(&tap->sodium, tap->traffic, sizeof tap->traffic, (struct hsay_span){NULL, 0}, parts, 6);
    if (tap->seen++ % 7 == 0)
        tap->kept[tap->seen / 7 % KEPT] = *f;
    return tap->stranger_watch(w, f, &tap->stranger);
}

/* A stranger whose key the laboratory does not know. */
static void tap_init(struct tap *tap, struct world *w)
{
    const struct hsay_addr addr = {HSAY_ADDR_IP4, 0, 4000, {99, 1, 2, 3}};
    *tap = (struct tap){.seen = 0};
    hsay_crypto_sodium(&tap->sodium);
    stranger_init(&tap->stranger, w, &addr);
    tap->stranger.secret[7] ^= 1;
    tap->stranger.key = node_public(&tap->sodium, tap->stranger.secret);
    tap->stranger_watch = w->watch;
    w->watch = tap_watch;
    w->watch_user = tap;
}

/* Repeats what was seen, as it was or with one bit changed, anywhere. */
static void tap_meddle(struct tap *tap, struct world *w)
{
    for (int i = 0; i < KEPT; i++) {
        struct world_flight *f = &tap->kept[i];
        if (f->size == 0)
            continue;
        if (i % 4 != 0)
            f->bytes[world_chance(w) % f->size] ^= (uint8_t)(1 << i % 8);
        for (unsigned to = 0; to < NODES; to++)
            if (memcmp(&w->node[to].addr, &f->to, sizeof f->to) == 0)
                world_inject(w, &f->from, to, f->bytes, f->size);
    }
}

static void tap_ask(struct tap *tap, unsigned to)
{
    struct hsay_message m = stranger_request(&tap->stranger, 0, 600);
    stranger_send(&tap->stranger, to, &m, &(struct stranger_sealing){.first = true});
}

static void portray_node(struct node_portrait *p, const struct world *w, const struct world_node *n)
{
    p->stats = *hsay_node_stats(n->node);
    assert_int_equal(hsay_node_overlay_status(n->node, world_now(w), 0, &p->status), 0);
    while (p->peer_count < PEERS_MAX &&
           hsay_node_peer_at(n->node, world_now(w), 0, p->peer_count, &p->peer[p->peer_count]) == 0)
        p->peer_count++;
    while (p->book_count < PEERS_MAX &&
           hsay_node_book_at(n->node, 0, p->book_count, &p->book[p->book_count]) == 0)
        p->book_count++;
    p->delivered = n->delivered;
    p->repeated = n->repeated;
    p->steps = n->steps;
}

/* Six minutes of twelve nodes that lose, reorder and repeat datagrams, publish, forget, are lied to
 * and asked by strangers. */
static struct portrait *live(const struct hsay_crypto *crypto, uint64_t seed)
{
    struct portrait *p = calloc(1, sizeof *p);
    struct tap *tap = calloc(1, sizeof *tap);
    struct world w;
    char text[] = "what 0 says";
    world_init(&w, NODES, seed);
    w.crypto = *crypto;
    w.link = (struct world_link){40, 60, 150, 30};
    world_set_secret(&w, seed % 2 != 0 ? "a secret overlay" : "");
    world_start(&w);
    for (unsigned i = 1; i < NODES; i++)
        world_name(&w, i, 0, HSAY_BUCKET_TRUSTED);
    tap_init(tap, &w);
    w.node[LIAR].author_secret[40] ^= 1;
    for (unsigned round = 0; round < 36; round++) {
        text[5] = (char)('0' + round);
        world_publish(&w, round * 5 % NODES, text);
        world_run(&w, 10000);
        tap_meddle(tap, &w);
        tap_ask(tap, round % NODES);
        if (round % 12 == 7) {
            world_restart(&w, 1 + round % 11, round % 24 == 7);
            world_name(&w, 1 + round % 11, 0, HSAY_BUCKET_TRUSTED);
        }
    }
    for (unsigned i = 0; i < NODES; i++)
        portray_node(&p->node[i], &w, &w.node[i]);
    p->datagrams = w.datagrams;
    p->bytes = w.bytes;
    memcpy(&p->traffic, tap->traffic, sizeof p->traffic);
    p->stranger_packets = tap->stranger.got_packets;
    p->answer_type = tap->stranger.answer.type;
    world_free(&w);
    free(tap);
    return p;
}

static void assert_same_peer(const struct hsay_peer *a, const struct hsay_peer *b)
{
    assert_memory_equal(&a->addr, &b->addr, sizeof a->addr);
    assert_memory_equal(&a->key, &b->key, sizeof a->key);
}

static void assert_same_candidate(const struct hsay_peer_status *a,
                                  const struct hsay_peer_status *b)
{
    assert_same_peer(&a->peer, &b->peer);
    assert_int_equal(a->bucket, b->bucket);
    assert_int_equal(a->token, b->token);
    assert_int_equal(a->symmetric, b->symmetric);
    assert_int_equal(a->age_ms, b->age_ms);
    assert_int_equal(a->asked_ms, b->asked_ms);
    assert_int_equal(a->rtt_us, b->rtt_us);
    assert_int_equal(a->timeouts, b->timeouts);
}

static void assert_same_status(const struct hsay_overlay_status *a,
                               const struct hsay_overlay_status *b)
{
    assert_int_equal(a->synced, b->synced);
    assert_int_equal(a->global_time, b->global_time);
    assert_int_equal(a->missing_estimate, b->missing_estimate);
    assert_memory_equal(a->bucket_count, b->bucket_count, sizeof a->bucket_count);
    assert_int_equal(a->last_contact.ns, b->last_contact.ns);
    assert_memory_equal(&a->sum, &b->sum, sizeof a->sum);
    assert_int_equal(a->fingerprint, b->fingerprint);
}

static void assert_same_node(const struct node_portrait *a, const struct node_portrait *b)
{
    assert_memory_equal(&a->stats, &b->stats, sizeof a->stats);
    assert_same_status(&a->status, &b->status);
    assert_int_equal(a->peer_count, b->peer_count);
    for (size_t i = 0; i < a->peer_count; i++)
        assert_same_candidate(&a->peer[i], &b->peer[i]);
    assert_int_equal(a->book_count, b->book_count);
    for (size_t i = 0; i < a->book_count; i++)
        assert_same_peer(&a->book[i], &b->book[i]);
    assert_int_equal(a->delivered, b->delivered);
    assert_int_equal(a->repeated, b->repeated);
    assert_int_equal(a->steps, b->steps);
}

static void assert_same_life(const struct portrait *a, const struct portrait *b)
{
    assert_int_equal(a->datagrams, b->datagrams);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->traffic, b->traffic);
    assert_int_equal(a->stranger_packets, b->stranger_packets);
    assert_int_equal(a->answer_type, b->answer_type);
    for (unsigned i = 0; i < NODES; i++)
        assert_same_node(&a->node[i], &b->node[i]);
}

/* Something happened that could have gone another way. */
static void assert_rich_life(const struct portrait *p)
{
    uint64_t sealed_wrong = 0, signed_wrong = 0, timeouts = 0, peers = 0;
    for (unsigned i = 0; i < NODES; i++) {
        const struct node_portrait *n = &p->node[i];
        sealed_wrong += n->stats.drop[HSAY_DROP_SEAL];
        signed_wrong += n->stats.drop[HSAY_DROP_SIGNATURE];
        timeouts += n->stats.count[HSAY_COUNT_TIMEOUTS];
        peers += n->peer_count;
        assert_true(n->status.sum.count > 20);
    }
    assert_true(sealed_wrong > 50);
    assert_true(signed_wrong > 10);
    assert_true(timeouts > 50);
    assert_true(peers > 4 * NODES);
    assert_true(p->stranger_packets > 10);
    assert_int_equal(p->answer_type, HSAY_MSG_INTRO_RESPONSE);
}

static void a_world_lives_the_same_with_either(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 22; seed++) {
        struct bench b;
        bench_init(&b, seed);
        struct portrait *sodium = live(&b.sodium, seed);
        struct portrait *counted = live(&b.counted, seed);
        struct portrait *real = live(&b.real, seed);
        assert_rich_life(sodium);
        assert_same_life(sodium, counted);
        assert_same_life(sodium, real);
        assert_memory_equal(&b.counted_crypto.count, &b.real_crypto.count,
                            sizeof b.real_crypto.count);
        free(sodium);
        free(counted);
        free(real);
        bench_free(&b);
    }
}

/* The comparison above can fail. */
static void another_seed_is_another_life(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 30);
    struct portrait *one = live(&b.counted, 30), *other = live(&b.counted, 31);
    assert_int_not_equal(one->traffic, other->traffic);
    for (unsigned i = 0; i < NODES; i++)
        assert_memory_not_equal(&one->node[i].stats, &other->node[i].stats,
                                sizeof one->node[i].stats);
    free(one);
    free(other);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_and_node_keys_are_the_real_ones),
        cmocka_unit_test(signatures_are_the_real_ones),
        cmocka_unit_test(every_change_to_a_signed_message_is_refused),
        cmocka_unit_test(the_second_form_of_a_signature_is_refused),
        cmocka_unit_test(author_keys_that_are_none_are_refused),
        cmocka_unit_test(a_secret_that_lies_signs_nothing_good),
        cmocka_unit_test(pairs_agree_whoever_is_known),
        cmocka_unit_test(pairs_agree_under_an_alias),
        cmocka_unit_test(keys_of_small_order_are_refused),
        cmocka_unit_test(many_keys_are_all_remembered),
        cmocka_unit_test(a_seal_holds_every_byte),
        cmocka_unit_test(seals_of_any_size_open_again),
        cmocka_unit_test(all_is_counted_alike),
        cmocka_unit_test(threads_share_a_world),
        cmocka_unit_test(a_world_lives_the_same_with_either),
        cmocka_unit_test(another_seed_is_another_life),
    };
    return cmocka_run_group_tests_name("crypto of the laboratory", tests, NULL, NULL);
}
