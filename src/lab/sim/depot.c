/*
 * One table for all threads.  See depot.h for what it promises.
 *
 * Nearly every call finds what it looks for, so that way takes no lock: an open table of numbers,
 * read by atomic loads.  Who adds a bundle holds the lock, writes the bundle first and its slot
 * last, so that a number that can be seen stands for a whole bundle.  A table that gets too full is
 * copied into one of twice the size; the old one stays until the depot is freed, because somebody
 * may be reading it (all old ones together are smaller than the present one).  Who finds nothing in
 * an old table asks again under the lock.
 *
 * Bundles stand in chunks that never move, each twice as large as the one before, so a small run
 * takes little and a number leads to its bundle by one shift.
 */
#include "src/lab/sim/depot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "hearsay/error.h"

enum {
    TABLE_FIRST = 1024, /* slots; a power of two, like all later sizes */
    BLOCK_BYTES = 1 << 18,
    NUMBERS = 0x7ffffe00, /* all places of all chunks: FIRST * (2^CHUNKS - 1) */
};

static_assert(NUMBERS == LAB_DEPOT_CHUNK_FIRST * ((INT64_C(1) << LAB_DEPOT_CHUNKS) - 1),
              "the chunks hold what the numbers name");

struct lab_depot_table {
    struct lab_depot_table *older;
    uint32_t mask;
    _Atomic uint32_t slot[]; /* number + 1; 0 is empty */
};

struct lab_depot_block {
    struct lab_depot_block *older;
    size_t used;
    size_t size;
    uint8_t byte[];
};

/* Digests are uniform already: their first bytes need no hashing. */
static uint32_t digest_hash(const struct hsay_digest *digest)
{
    uint64_t head;
    memcpy(&head, digest->byte, sizeof head);
    return (uint32_t)(head ^ head >> 32);
}

static bool table_find(const struct lab_depot *depot, const struct lab_depot_table *table,
                       const struct hsay_digest *digest, uint32_t *number)
{
    if (table == NULL)
        return false;
    for (uint32_t i = digest_hash(digest) & table->mask;; i = (i + 1) & table->mask) {
        uint32_t held = atomic_load_explicit(&table->slot[i], memory_order_acquire);
        if (held == 0)
            return false;
        const struct hsay_record *record = &lab_depot_at(depot, held - 1)->record;
        if (memcmp(&record->at.digest, digest, sizeof *digest) == 0) {
            *number = held - 1;
            return true;
        }
    }
}

static void table_add(struct lab_depot_table *table, const struct hsay_digest *digest,
                      uint32_t number)
{
    uint32_t i = digest_hash(digest) & table->mask;
    while (atomic_load_explicit(&table->slot[i], memory_order_relaxed) != 0)
        i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slot[i], number + 1, memory_order_release);
}

/* --- under the lock -------------------------------------------------------------------------- */

static void *depot_alloc(struct lab_depot *depot, size_t size)
{
    void *memory = calloc(1, size);
    if (memory != NULL)
        depot->memory_bytes += size;
    return memory;
}

/* Room for one more in the table, which stays at most half full. */
static int table_reserve(struct lab_depot *depot)
{
    struct lab_depot_table *old = atomic_load_explicit(&depot->table, memory_order_relaxed);
    uint64_t slots = old == NULL ? 0 : (uint64_t)old->mask + 1;
    if (depot->count < slots / 2)
        return 0;
    slots = slots == 0 ? TABLE_FIRST : 2 * slots;
    struct lab_depot_table *table =
        depot_alloc(depot, sizeof *table + slots * sizeof table->slot[0]);
    if (table == NULL)
        return HSAY_ENOMEM;
    table->older = old;
    table->mask = (uint32_t)(slots - 1);
    for (uint32_t number = 0; number < depot->count; number++)
        table_add(table, &lab_depot_at(depot, number)->record.at.digest, number);
    atomic_store_explicit(&depot->table, table, memory_order_release);
    return 0;
}

/* Makes the chunks that have the place of the next number. */
static int place_reserve(struct lab_depot *depot)
{
    if (depot->count == NUMBERS)
        return HSAY_ENOMEM;
    unsigned chunk = lab_depot_place(depot->count).chunk;
    size_t size = (size_t)LAB_DEPOT_CHUNK_FIRST << chunk;
    if (depot->bundle[chunk] == NULL)
        depot->bundle[chunk] = depot_alloc(depot, size * sizeof *depot->bundle[chunk]);
    if (depot->key[chunk] == NULL)
        depot->key[chunk] = depot_alloc(depot, size * sizeof *depot->key[chunk]);
    return depot->bundle[chunk] == NULL || depot->key[chunk] == NULL ? HSAY_ENOMEM : 0;
}

/* A copy of these bytes, good for ever; NULL if there is no memory. */
static const uint8_t *body_keep(struct lab_depot *depot, const struct hsay_span *bytes)
{
    struct lab_depot_block *block = depot->block;
    if (block == NULL || block->size - block->used < bytes->size) {
        size_t size = bytes->size > BLOCK_BYTES ? bytes->size : BLOCK_BYTES;
        block = depot_alloc(depot, sizeof *block + size);
        if (block == NULL)
            return NULL;
        block->size = size;
        block->older = depot->block;
        depot->block = block;
    }
    uint8_t *copy = block->byte + block->used;
    if (bytes->size > 0)
        memcpy(copy, bytes->data, bytes->size);
    block->used += bytes->size;
    return copy;
}

static uint64_t load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

static int add(struct lab_depot *depot, const struct hsay_record *record, uint32_t *number)
{
    int rc = table_reserve(depot);
    if (rc == 0)
        rc = place_reserve(depot);
    if (rc != 0)
        return rc;
    const uint8_t *bytes = body_keep(depot, &record->bytes);
    if (bytes == NULL)
        return HSAY_ENOMEM;

    struct lab_depot_place place = lab_depot_place(depot->count);
    struct lab_depot_bundle *bundle = &depot->bundle[place.chunk][place.index];
    const struct hsay_position *at = &record->at;
    bundle->record = *record;
    bundle->record.bytes.data = bytes;
    bundle->author_hash = XXH3_64bits(&record->author, sizeof record->author);
    depot->key[place.chunk][place.index] = (struct lab_depot_key){
        at->time, load_be64(at->digest.byte), load_be64(at->digest.byte + 8)};
    *number = depot->count++;
    depot->bytes += record->bytes.size;
    table_add(depot->table, &at->digest, *number);
    return 0;
}

/* --- for all --------------------------------------------------------------------------------- */

static bool is_same(const struct hsay_record *a, const struct hsay_record *b)
{
    return a->at.time == b->at.time && a->sequence == b->sequence && a->expiry_s == b->expiry_s &&
           a->flags == b->flags && memcmp(&a->author, &b->author, sizeof a->author) == 0 &&
           a->bytes.size == b->bytes.size &&
           (a->bytes.size == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0);
}

static int check_id(const struct lab_depot *depot, const struct hsay_record *record)
{
    if (depot->crypto == NULL)
        return 0;
    uint8_t id[HSAY_ID_BYTES];
    depot->crypto->ops->hash(depot->crypto->self, id, sizeof id, (struct hsay_span){NULL, 0},
                             &record->bytes, 1);
    return memcmp(id, &record->at.digest, HSAY_DIGEST_BYTES) == 0 ? 0 : HSAY_ECORRUPT;
}

int lab_depot_find(const struct lab_depot *depot, const struct hsay_digest *digest,
                   uint32_t *number)
{
    const struct lab_depot_table *table = atomic_load_explicit(&depot->table, memory_order_acquire);
    return table_find(depot, table, digest, number) ? 0 : HSAY_ENOENT;
}

int lab_depot_intern(struct lab_depot *depot, const struct hsay_record *record, uint32_t *number)
{
    uint32_t held;
    if (lab_depot_find(depot, &record->at.digest, &held) != 0) {
        int rc = check_id(depot, record);
        if (rc != 0)
            return rc;
        pthread_mutex_lock(&depot->lock);
        /* somebody may have been quicker */
        if (lab_depot_find(depot, &record->at.digest, &held) != 0)
            rc = add(depot, record, &held);
        pthread_mutex_unlock(&depot->lock);
        if (rc != 0)
            return rc;
    }
    if (!is_same(&lab_depot_at(depot, held)->record, record))
        return HSAY_ECORRUPT;
    *number = held;
    return 0;
}

uint64_t lab_depot_count(const struct lab_depot *depot)
{
    return depot->count;
}

uint64_t lab_depot_bytes(const struct lab_depot *depot)
{
    return depot->bytes;
}

uint64_t lab_depot_memory(const struct lab_depot *depot)
{
    return depot->memory_bytes;
}

void lab_depot_init(struct lab_depot *depot, const struct hsay_crypto *crypto)
{
    memset(depot, 0, sizeof *depot);
    depot->crypto = crypto;
    pthread_mutex_init(&depot->lock, NULL);
}

void lab_depot_free(struct lab_depot *depot)
{
    struct lab_depot_table *table = depot->table, *older_table;
    for (; table != NULL; table = older_table) {
        older_table = table->older;
        free(table);
    }
    struct lab_depot_block *block = depot->block, *older_block;
    for (; block != NULL; block = older_block) {
        older_block = block->older;
        free(block);
    }
    for (int i = 0; i < LAB_DEPOT_CHUNKS; i++) {
        free(depot->bundle[i]);
        free(depot->key[i]);
    }
    pthread_mutex_destroy(&depot->lock);
    memset(depot, 0, sizeof *depot);
}
