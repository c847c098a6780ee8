/*
 * The counted crypto port.  See crypto.h.
 *
 * The world remembers marks, XXH3 of what they stand for, in tables that threads read without a
 * lock: open addressing, slots that are written once, value before key.  A table that is full
 * three quarters is copied to one of twice the size; the old one stays until the end, since
 * somebody may still be reading it.  A reader that comes too early for an entry takes the real
 * computation, so what is found there saves time and decides nothing; the one exception, node keys
 * that agree, is met by the order of things: nobody has a public key before it was entered.
 *
 * Marks of keys have 64 bits: among a million keys two are alike in one world of forty million, and
 * then share their agreed keys, into which the core hashes the public keys anyway.  A signature's
 * mark has 128, since finding it is a verdict.
 */
#include "src/lab/sim/crypto.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "src/lab/sim/memory.h"

enum { SLOTS_FIRST = 256 };

/* --- tables ---------------------------------------------------------------------------------- */

struct lab_crypto_slots {
    struct lab_crypto_slots *older;
    size_t mask;
    _Atomic uint64_t word[]; /* the key, 0 if free, and the value if there is one */
};

static struct lab_crypto_slots *slots_new(size_t slot_count, size_t width)
{
    struct lab_crypto_slots *slots =
        lab_calloc(1, sizeof *slots + slot_count * width * sizeof slots->word[0]);
    slots->mask = slot_count - 1;
    return slots;
}

/* Where a key is or would be.  Marks are as good as random, so their lowest bits will do. */
static _Atomic uint64_t *slots_find(struct lab_crypto_slots *slots, size_t width, uint64_t key)
{
    for (size_t i = key & slots->mask;; i = (i + 1) & slots->mask) {
        _Atomic uint64_t *slot = &slots->word[i * width];
        uint64_t found = atomic_load_explicit(slot, memory_order_acquire);
        if (found == key || found == 0)
            return slot;
    }
}

static void slots_put(struct lab_crypto_slots *slots, size_t width, uint64_t key, uint64_t value)
{
    _Atomic uint64_t *slot = slots_find(slots, width, key);
    if (width == 2)
        atomic_store_explicit(slot + 1, value, memory_order_relaxed);
    atomic_store_explicit(slot, key, memory_order_release);
}

/* The value of a key; in a set that is the key itself. */
static bool table_get(struct lab_crypto_table *table, uint64_t key, uint64_t *value)
{
    struct lab_crypto_slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    if (slots == NULL)
        return false;
    _Atomic uint64_t *slot = slots_find(slots, table->width, key);
    if (atomic_load_explicit(slot, memory_order_acquire) == 0)
        return false;
    *value = atomic_load_explicit(slot + table->width - 1, memory_order_relaxed);
    return true;
}

/* Room for `count` keys at a load of three quarters, above which searches become long. */
static void table_reserve(struct lab_crypto_table *table, size_t count)
{
    struct lab_crypto_slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
    size_t old_count = old != NULL ? old->mask + 1 : 0;
    size_t new_count = old != NULL ? old_count : SLOTS_FIRST;
    while (4 * count > 3 * new_count)
        new_count *= 2;
    if (new_count == old_count)
        return;
    struct lab_crypto_slots *new = slots_new(new_count, table->width);
    new->older = old;
    for (size_t i = 0; i < old_count; i++) {
        uint64_t key = old->word[i * table->width];
        if (key != 0)
            slots_put(new, table->width, key, old->word[(i + 1) * table->width - 1]);
    }
    atomic_store_explicit(&table->slots, new, memory_order_release);
}

/* The first value of a key stays.  The caller holds the lock. */
static void table_put(struct lab_crypto_table *table, uint64_t key, uint64_t value)
{
    uint64_t known;
    if (table_get(table, key, &known))
        return;
    table_reserve(table, table->count + 1);
    slots_put(atomic_load_explicit(&table->slots, memory_order_relaxed), table->width, key, value);
    table->count++;
}

static void table_init(struct lab_crypto_table *table, size_t width)
{
    atomic_init(&table->slots, NULL);
    table->count = 0;
    table->width = width;
}

static void table_free(struct lab_crypto_table *table)
{
    struct lab_crypto_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    while (slots != NULL) {
        struct lab_crypto_slots *older = slots->older;
        free(slots);
        slots = older;
    }
}

/* --- marks ----------------------------------------------------------------------------------- */

static uint64_t not_free(uint64_t mark)
{
    return mark != 0 ? mark : 1;
}

/* X25519 sets and clears these bits of a secret (RFC 7748, section 5), so secrets that differ in
 * them alone are one. */
static uint64_t mark_of_secret(const struct lab_crypto_world *world,
                               const uint8_t secret[HSAY_KEY_BYTES])
{
    uint8_t used[HSAY_KEY_BYTES];
    memcpy(used, secret, sizeof used);
    used[0] &= 0xf8;
    used[31] = (uint8_t)((used[31] & 0x7f) | 0x40);
    return not_free(XXH3_64bits_withSeed(used, sizeof used, world->seed));
}

/* It ignores the highest bit of a public key: a peer that names itself with that bit set still
 * agrees with us.  (The nineteen other keys with two forms are nobody's.) */
static uint64_t mark_of_public(const struct lab_crypto_world *world, const struct hsay_key *key)
{
    struct hsay_key used = *key;
    used.byte[31] &= 0x7f;
    return not_free(XXH3_64bits_withSeed(used.byte, sizeof used.byte, world->seed));
}

static uint64_t mark_of_author(const struct lab_crypto_world *world,
                               const uint8_t secret[HSAY_SECRET_BYTES])
{
    return not_free(XXH3_64bits_withSeed(secret, HSAY_SECRET_BYTES, world->seed));
}

static XXH128_hash_t mark_of_signature(const struct lab_crypto_world *world,
                                       const uint8_t signature[HSAY_SIGNATURE_BYTES],
                                       const uint8_t author[HSAY_KEY_BYTES],
                                       struct hsay_span message)
{
    struct {
        uint8_t signature[HSAY_SIGNATURE_BYTES];
        uint8_t author[HSAY_KEY_BYTES];
        XXH128_hash_t message;
    } all;
    static_assert(sizeof all == HSAY_SIGNATURE_BYTES + HSAY_KEY_BYTES + 16, "no gaps are hashed");
    memcpy(all.signature, signature, sizeof all.signature);
    memcpy(all.author, author, sizeof all.author);
    all.message = XXH3_128bits_withSeed(message.data, message.size, world->seed);
    XXH128_hash_t mark = XXH3_128bits_withSeed(&all, sizeof all, world->seed);
    mark.low64 = not_free(mark.low64);
    return mark;
}

/* --- what a run has asked for ---------------------------------------------------------------- */

void lab_crypto_count_add(struct lab_crypto_count *sum, const struct lab_crypto_count *part)
{
    sum->hash += part->hash;
    sum->hash_bytes += part->hash_bytes;
    sum->sign += part->sign;
    sum->verify += part->verify;
    sum->node_public += part->node_public;
    sum->agree += part->agree;
    sum->seal += part->seal;
    sum->open += part->open;
    sum->sealed_bytes += part->sealed_bytes;
    sum->opened_bytes += part->opened_bytes;
}

/* --- the port: hashes and signatures --------------------------------------------------------- */

static void lab_hash(void *self, uint8_t *out, size_t out_size, struct hsay_span key,
                     const struct hsay_span *parts, size_t part_count)
{
    struct lab_crypto *crypto = self;
    const struct hsay_crypto *sodium = &crypto->world->sodium;
    crypto->count.hash++;
    crypto->count.hash_bytes += key.size;
    for (size_t i = 0; i < part_count; i++)
        crypto->count.hash_bytes += parts[i].size;
    sodium->ops->hash(sodium->self, out, out_size, key, parts, part_count);
}

static void remember_signature(struct lab_crypto_world *world, XXH128_hash_t mark)
{
    pthread_mutex_lock(&world->lock);
    table_put(&world->signatures, mark.low64, mark.high64);
    pthread_mutex_unlock(&world->lock);
}

/* The public half of a secret may be a lie; then its signatures are not good.  Costs as much as a
 * signature, once per author. */
static bool author_is_true(struct lab_crypto_world *world, const uint8_t secret[HSAY_SECRET_BYTES])
{
    uint64_t mark = mark_of_author(world, secret);
    if (table_get(&world->authors, mark, &mark))
        return true;
    struct hsay_key author;
    uint8_t again[HSAY_SECRET_BYTES];
    hsay_sodium_author_from_seed(&author, again, secret);
    if (memcmp(again, secret, sizeof again) != 0)
        return false;
    pthread_mutex_lock(&world->lock);
    table_put(&world->authors, mark, mark);
    pthread_mutex_unlock(&world->lock);
    return true;
}

static void lab_sign(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                     const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    struct lab_crypto *crypto = self;
    struct lab_crypto_world *world = crypto->world;
    crypto->count.sign++;
    world->sodium.ops->sign(world->sodium.self, signature, secret, message);
    if (!world->real && author_is_true(world, secret))
        remember_signature(world, mark_of_signature(world, signature, secret + 32, message));
}

/* Bytes that follow from author and message, like those of Ed25519, at a hundredth of the cost. */
static void lab_sign_memo(void *self, uint8_t signature[HSAY_SIGNATURE_BYTES],
                          const uint8_t secret[HSAY_SECRET_BYTES], struct hsay_span message)
{
    struct lab_crypto *crypto = self;
    struct lab_crypto_world *world = crypto->world;
    XXH128_canonical_t part[HSAY_SIGNATURE_BYTES / sizeof(XXH128_canonical_t)];
    if (world->real) {
        lab_sign(self, signature, secret, message);
        return;
    }
    static_assert(sizeof part == HSAY_SIGNATURE_BYTES, "four parts are a signature");
    crypto->count.sign++;
    uint64_t seed = mark_of_author(world, secret);
    for (unsigned i = 0; i < sizeof part / sizeof part[0]; i++)
        XXH128_canonicalFromHash(&part[i],
                                 XXH3_128bits_withSeed(message.data, message.size, seed + i));
    memcpy(signature, part, sizeof part);
    remember_signature(world, mark_of_signature(world, signature, secret + 32, message));
}

/* A signature is looked at really once in a world, or never if it was made here. */
static bool lab_verify(void *self, const uint8_t signature[HSAY_SIGNATURE_BYTES],
                       const struct hsay_key *author, struct hsay_span message)
{
    struct lab_crypto *crypto = self;
    struct lab_crypto_world *world = crypto->world;
    const struct hsay_crypto *sodium = &world->sodium;
    crypto->count.verify++;
    if (world->real)
        return sodium->ops->verify(sodium->self, signature, author, message);
    XXH128_hash_t mark = mark_of_signature(world, signature, author->byte, message);
    uint64_t high;
    if (table_get(&world->signatures, mark.low64, &high) && high == mark.high64)
        return true;
    if (!sodium->ops->verify(sodium->self, signature, author, message))
        return false;
    remember_signature(world, mark);
    return true;
}

/* --- the port: keys of pairs ----------------------------------------------------------------- */

static void lab_node_public(void *self, struct hsay_key *out, const uint8_t secret[HSAY_KEY_BYTES])
{
    struct lab_crypto *crypto = self;
    struct lab_crypto_world *world = crypto->world;
    crypto->count.node_public++;
    world->sodium.ops->node_public(world->sodium.self, out, secret);
    if (world->real)
        return;
    uint64_t mark = mark_of_public(world, out);
    pthread_mutex_lock(&world->lock);
    table_put(&world->secrets, mark_of_secret(world, secret), mark);
    table_put(&world->publics, mark, mark);
    pthread_mutex_unlock(&world->lock);
}

/* The same for both sides. */
static void mix_pair(uint8_t out[32], uint64_t seed, uint64_t own, uint64_t peer)
{
    const uint64_t pair[] = {own < peer ? own : peer, own < peer ? peer : own};
    XXH128_canonical_t half[2];
    for (unsigned i = 0; i < 2; i++)
        XXH128_canonicalFromHash(&half[i], XXH3_128bits_withSeed(pair, sizeof pair, seed + i));
    static_assert(sizeof half == 32, "two halves are a key");
    memcpy(out, half, sizeof half);
}

static int lab_agree(void *self, uint8_t out[32], const uint8_t secret[HSAY_KEY_BYTES],
                     const struct hsay_key *peer)
{
    struct lab_crypto *crypto = self;
    struct lab_crypto_world *world = crypto->world;
    uint64_t own, other;
    crypto->count.agree++;
    if (world->real || !table_get(&world->secrets, mark_of_secret(world, secret), &own) ||
        !table_get(&world->publics, mark_of_public(world, peer), &other))
        return world->sodium.ops->agree(world->sodium.self, out, secret, peer);
    mix_pair(out, world->seed, own, other);
    return 0;
}

/* --- the port: seals ------------------------------------------------------------------------- */

static XXH128_canonical_t tag_of(const struct lab_crypto_world *world, const uint8_t key[32],
                                 const uint8_t nonce[HSAY_SEAL_NONCE_BYTES],
                                 struct hsay_span header, struct hsay_span plain)
{
    struct {
        uint8_t key[32];
        uint8_t nonce[HSAY_SEAL_NONCE_BYTES];
        XXH128_canonical_t header;
        XXH128_canonical_t plain;
    } all;
    XXH128_canonical_t tag;
    static_assert(sizeof all == 32 + HSAY_SEAL_NONCE_BYTES + 32, "no gaps are hashed");
    static_assert(sizeof tag == HSAY_SEAL_TAG_BYTES, "a tag is one hash");
    memcpy(all.key, key, sizeof all.key);
    memcpy(all.nonce, nonce, sizeof all.nonce);
    XXH128_canonicalFromHash(&all.header, XXH3_128bits(header.data, header.size));
    XXH128_canonicalFromHash(&all.plain, XXH3_128bits(plain.data, plain.size));
    XXH128_canonicalFromHash(&tag, XXH3_128bits_withSeed(&all, sizeof all, world->seed));
    return tag;
}

static void lab_seal(void *self, uint8_t *out, const uint8_t key[32],
                     const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                     struct hsay_span plain)
{
    struct lab_crypto *crypto = self;
    const struct lab_crypto_world *world = crypto->world;
    crypto->count.seal++;
    crypto->count.sealed_bytes += plain.size;
    if (world->real) {
        world->sodium.ops->seal(world->sodium.self, out, key, nonce, header, plain);
        return;
    }
    XXH128_canonical_t tag = tag_of(world, key, nonce, header, plain);
    if (plain.size != 0)
        memmove(out, plain.data, plain.size);
    memcpy(out + plain.size, &tag, sizeof tag);
}

static int lab_open(void *self, uint8_t *out, const uint8_t key[32],
                    const uint8_t nonce[HSAY_SEAL_NONCE_BYTES], struct hsay_span header,
                    struct hsay_span sealed)
{
    struct lab_crypto *crypto = self;
    const struct lab_crypto_world *world = crypto->world;
    assert(sealed.size >= HSAY_SEAL_TAG_BYTES);
    struct hsay_span plain = {sealed.data, sealed.size - HSAY_SEAL_TAG_BYTES};
    crypto->count.open++;
    crypto->count.opened_bytes += plain.size;
    if (world->real)
        return world->sodium.ops->open(world->sodium.self, out, key, nonce, header, sealed);
    XXH128_canonical_t tag = tag_of(world, key, nonce, header, plain);
    if (memcmp(&tag, sealed.data + plain.size, sizeof tag) != 0)
        return HSAY_EBAD;
    if (plain.size != 0)
        memmove(out, plain.data, plain.size);
    return 0;
}

static const struct hsay_crypto_ops lab_ops = {
    .hash = lab_hash,
    .sign = lab_sign,
    .verify = lab_verify,
    .node_public = lab_node_public,
    .agree = lab_agree,
    .seal = lab_seal,
    .open = lab_open,
};

static const struct hsay_crypto_ops memo_ops = {
    .hash = lab_hash,
    .sign = lab_sign_memo,
    .verify = lab_verify,
    .node_public = lab_node_public,
    .agree = lab_agree,
    .seal = lab_seal,
    .open = lab_open,
};

/* --- life ------------------------------------------------------------------------------------ */

int lab_crypto_world_init(struct lab_crypto_world *world, uint64_t seed, bool real)
{
    *world = (struct lab_crypto_world){.seed = seed, .real = real};
    table_init(&world->secrets, 2);
    table_init(&world->publics, 1);
    table_init(&world->authors, 1);
    table_init(&world->signatures, 2);
    hsay_crypto_sodium(&world->sodium);
    pthread_mutex_init(&world->lock, NULL);
    return hsay_sodium_init();
}

void lab_crypto_world_reserve(struct lab_crypto_world *world, size_t node_keys)
{
    if (world->real)
        return;
    pthread_mutex_lock(&world->lock);
    table_reserve(&world->secrets, node_keys);
    table_reserve(&world->publics, node_keys);
    pthread_mutex_unlock(&world->lock);
}

void lab_crypto_world_free(struct lab_crypto_world *world)
{
    table_free(&world->secrets);
    table_free(&world->publics);
    table_free(&world->authors);
    table_free(&world->signatures);
    pthread_mutex_destroy(&world->lock);
}

void lab_crypto_init(struct lab_crypto *crypto, struct lab_crypto_world *world)
{
    *crypto = (struct lab_crypto){.world = world};
}

struct hsay_crypto lab_crypto_port(struct lab_crypto *crypto)
{
    return (struct hsay_crypto){&lab_ops, crypto};
}

struct hsay_crypto lab_crypto_memo_port(struct lab_crypto *crypto)
{
    return (struct hsay_crypto){&memo_ops, crypto};
}
