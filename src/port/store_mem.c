/*
 * A store in memory.  See store_mem.h.
 *
 * A body is one piece of heap: record, links, bytes.  The index has it by time and by digest, a
 * skip list by (author, sequence, digest), and an ordered set by expiry.  Every change is noted in
 * an undo list until the next commit: bodies that were removed live until then, so taking a change
 * back needs no copy.
 */
#include "src/port/store_mem.h"

#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"

enum { UNDO_FIRST = 64 };

struct hsay_store_mem_body {
    struct hsay_record record; /* bytes points behind the links */
    unsigned levels;
    struct hsay_store_mem_body *author_next[];
};

struct hsay_store_mem_undo {
    struct hsay_store_mem_body *body;
    bool was_put;
};

/* --- by author ------------------------------------------------------------------------------- */

/* Where an author's slot is in the skip list; a NULL digest stands before all others. */
struct author_key {
    const struct hsay_key *author;
    uint64_t sequence;
    const struct hsay_digest *digest;
};

static int author_compare(const struct hsay_record *record, const struct author_key *key)
{
    int order = memcmp(&record->author, key->author, sizeof record->author);
    if (order != 0)
        return order;
    if (record->sequence != key->sequence)
        return record->sequence < key->sequence ? -1 : 1;
    if (key->digest == NULL)
        return 1;
    return memcmp(&record->at.digest, key->digest, sizeof *key->digest);
}

/* The last body before the key on each level, as the link that leads on from it.  Returns it for
 * level 0, NULL if the key comes before all. */
static struct hsay_store_mem_body *author_search(struct hsay_store_mem *mem,
                                                 const struct author_key *key,
                                                 struct hsay_store_mem_body ***link)
{
    struct hsay_store_mem_body *before = NULL;
    for (unsigned level = HSAY_STORE_MEM_LEVELS; level-- > 0;) {
        struct hsay_store_mem_body **at =
            before == NULL ? &mem->author_head[level] : &before->author_next[level];
        while (*at != NULL && author_compare(&(*at)->record, key) < 0) {
            before = *at;
            at = &before->author_next[level];
        }
        link[level] = at;
    }
    return before;
}

static struct author_key author_key_of(const struct hsay_store_mem_body *body)
{
    const struct hsay_record *record = &body->record;
    return (struct author_key){&record->author, record->sequence, &record->at.digest};
}

static void author_add(struct hsay_store_mem *mem, struct hsay_store_mem_body *body)
{
    struct hsay_store_mem_body **link[HSAY_STORE_MEM_LEVELS];
    struct author_key key = author_key_of(body);
    author_search(mem, &key, link);
    for (unsigned level = 0; level < body->levels; level++) {
        body->author_next[level] = *link[level];
        *link[level] = body;
    }
}

static void author_drop(struct hsay_store_mem *mem, const struct hsay_store_mem_body *body)
{
    struct hsay_store_mem_body **link[HSAY_STORE_MEM_LEVELS];
    struct author_key key = author_key_of(body);
    author_search(mem, &key, link);
    for (unsigned level = 0; level < body->levels; level++)
        *link[level] = body->author_next[level];
}

/* --- bodies ---------------------------------------------------------------------------------- */

static struct hsay_store_mem_body *body_find(const struct hsay_store_mem *mem,
                                             const struct hsay_digest *digest)
{
    uint64_t mark;
    if (hsay_store_index_find(&mem->index, digest, NULL, &mark) != 0)
        return NULL;
    return (struct hsay_store_mem_body *)(uintptr_t)mark;
}

static uint64_t load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

static struct hsay_ordset_key expiry_key(const struct hsay_record *record)
{
    const uint8_t *digest = record->at.digest.byte;
    return (struct hsay_ordset_key){{record->expiry_s, load_be64(digest), load_be64(digest + 8)}};
}

/* One level in four goes on to the next; counted from a running number, so that nobody chooses how
 * high a body stands and two runs are the same. */
static unsigned levels_of(uint64_t serial)
{
    uint64_t mixed = (serial + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    mixed ^= mixed >> 32;
    unsigned levels = 1;
    for (; levels < HSAY_STORE_MEM_LEVELS && mixed % 4 == 0; mixed /= 4)
        levels++;
    return levels;
}

static struct hsay_store_mem_body *body_new(const struct hsay_record *record, uint64_t serial)
{
    unsigned levels = levels_of(serial);
    size_t links = levels * sizeof(struct hsay_store_mem_body *);
    struct hsay_store_mem_body *body = malloc(sizeof *body + links + record->bytes.size);
    if (body == NULL)
        return NULL;
    uint8_t *bytes = (uint8_t *)body + sizeof *body + links;
    if (record->bytes.size > 0)
        memcpy(bytes, record->bytes.data, record->bytes.size);
    body->record = *record;
    body->record.bytes.data = bytes;
    body->levels = levels;
    return body;
}

/* Hangs a body into every order; on failure into none. */
static int body_link(struct hsay_store_mem *mem, struct hsay_store_mem_body *body)
{
    const struct hsay_record *record = &body->record;
    int rc = hsay_store_index_add(&mem->index, &record->at, (uintptr_t)body);
    if (rc != 0)
        return rc;
    if (record->expiry_s != 0) {
        struct hsay_ordset_key key = expiry_key(record);
        rc = hsay_ordset_insert(&mem->by_expiry, &key, 0);
        if (rc != 0)
            goto err_index;
    }
    author_add(mem, body);
    mem->bundle_bytes += record->bytes.size;
    return 0;

err_index:
    hsay_store_index_drop(&mem->index, &record->at);
    return rc;
}

static void body_unlink(struct hsay_store_mem *mem, struct hsay_store_mem_body *body)
{
    const struct hsay_record *record = &body->record;
    author_drop(mem, body);
    if (record->expiry_s != 0) {
        struct hsay_ordset_key key = expiry_key(record);
        hsay_ordset_delete(&mem->by_expiry, &key);
    }
    hsay_store_index_drop(&mem->index, &record->at);
    mem->bundle_bytes -= record->bytes.size;
}

static int body_check(const struct hsay_store_mem *mem, const struct hsay_store_mem_body *body)
{
    if (mem->crypto == NULL)
        return 0;
    uint8_t id[HSAY_ID_BYTES];
    mem->crypto->ops->hash(mem->crypto->self, id, sizeof id, (struct hsay_span){NULL, 0},
                           &body->record.bytes, 1);
    return memcmp(id, &body->record.at.digest, HSAY_DIGEST_BYTES) == 0 ? 0 : HSAY_ECORRUPT;
}

static int body_give(const struct hsay_store_mem *mem, const struct hsay_store_mem_body *body,
                     struct hsay_record *out)
{
    int rc = body_check(mem, body);
    if (rc == 0)
        *out = body->record;
    return rc;
}

/* --- undo ------------------------------------------------------------------------------------ */

/* Room for one more note, so that noting cannot fail after the change. */
static int undo_reserve(struct hsay_store_mem *mem)
{
    if (mem->undo_count < mem->undo_size)
        return 0;
    uint64_t size = mem->undo_size == 0 ? UNDO_FIRST : 2 * mem->undo_size;
    struct hsay_store_mem_undo *undo = realloc(mem->undo, size * sizeof *undo);
    if (undo == NULL)
        return HSAY_ENOMEM;
    mem->undo = undo;
    mem->undo_size = size;
    return 0;
}

static void undo_note(struct hsay_store_mem *mem, struct hsay_store_mem_body *body, bool was_put)
{
    mem->undo[mem->undo_count++] = (struct hsay_store_mem_undo){body, was_put};
}

static void undo_forget(struct hsay_store_mem *mem)
{
    for (uint64_t i = 0; i < mem->undo_count; i++) {
        if (!mem->undo[i].was_put)
            free(mem->undo[i].body);
    }
    mem->undo_count = 0;
}

int hsay_store_mem_crash(struct hsay_store_mem *mem)
{
    int rc = 0;
    while (rc == 0 && mem->undo_count > 0) {
        struct hsay_store_mem_undo last = mem->undo[mem->undo_count - 1];
        if (last.was_put) {
            body_unlink(mem, last.body);
            free(last.body);
        } else {
            rc = body_link(mem, last.body);
        }
        if (rc == 0)
            mem->undo_count--;
    }
    mem->broken = rc != 0;
    return mem->broken ? HSAY_ESTORE : 0;
}

/* --- the port -------------------------------------------------------------------------------- */

static bool fault_is_due(unsigned *countdown)
{
    return *countdown != 0 && --*countdown == 0;
}

static int mem_put(void *self, const struct hsay_record *record)
{
    struct hsay_store_mem *mem = self;
    if (mem->broken)
        return HSAY_ESTORE;
    if (body_find(mem, &record->at.digest) != NULL)
        return HSAY_EEXIST;
    bool fault = fault_is_due(&mem->fault.put_countdown);
    bool over =
        mem->quota_bytes != 0 && (mem->bundle_bytes > mem->quota_bytes ||
                                  record->bytes.size > mem->quota_bytes - mem->bundle_bytes);
    mem->full = over || (fault && mem->fault.error == HSAY_ENOSPC);
    if (fault || over)
        return fault ? mem->fault.error : HSAY_ENOSPC;

    int rc = undo_reserve(mem);
    if (rc != 0)
        return rc;
    struct hsay_store_mem_body *body = body_new(record, mem->serial);
    if (body == NULL)
        return HSAY_ENOMEM;
    rc = body_link(mem, body);
    if (rc != 0) {
        free(body);
        return rc;
    }
    mem->serial++;
    undo_note(mem, body, true);
    return 0;
}

static int mem_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    struct hsay_store_mem *mem = self;
    const struct hsay_store_mem_body *body = body_find(mem, digest);
    return body == NULL ? HSAY_ENOENT : body_give(mem, body, out);
}

static int mem_find(void *self, const struct hsay_digest *digest, struct hsay_position *out)
{
    struct hsay_store_mem *mem = self;
    const struct hsay_store_mem_body *body = body_find(mem, digest);
    if (body == NULL)
        return HSAY_ENOENT;
    *out = body->record.at;
    return 0;
}

static int mem_find_short(void *self, uint64_t short_digest, struct hsay_position *out)
{
    struct hsay_store_mem *mem = self;
    return hsay_store_index_find_short(&mem->index, short_digest, out);
}

static int mem_remove(void *self, const struct hsay_digest *digest)
{
    struct hsay_store_mem *mem = self;
    if (mem->broken)
        return HSAY_ESTORE;
    struct hsay_store_mem_body *body = body_find(mem, digest);
    if (body == NULL)
        return HSAY_ENOENT;
    int rc = undo_reserve(mem);
    if (rc != 0)
        return rc;
    body_unlink(mem, body);
    undo_note(mem, body, false);
    return 0;
}

static int mem_sum(void *self, const struct hsay_range *range, uint64_t work_max,
                   struct hsay_sum *out)
{
    struct hsay_store_mem *mem = self;
    return hsay_store_index_sum(&mem->index, range, work_max, out);
}

static int mem_at_rank(void *self, uint64_t rank, struct hsay_position *out)
{
    struct hsay_store_mem *mem = self;
    return hsay_store_index_at_rank(&mem->index, rank, out);
}

static int mem_rank_of(void *self, const struct hsay_position *at, uint64_t *rank)
{
    struct hsay_store_mem *mem = self;
    return hsay_store_index_rank_of(&mem->index, at, rank);
}

static int mem_walk(void *self, const struct hsay_range *range, uint64_t skip,
                    struct hsay_cursor *out)
{
    struct hsay_store_mem *mem = self;
    return hsay_store_index_walk(&mem->index, range, skip, out);
}

static int mem_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                    struct hsay_position *at, struct hsay_record *out)
{
    struct hsay_store_mem *mem = self;
    struct hsay_position here;
    int rc = hsay_store_index_next(&mem->index, cursor, work, &here);
    if (rc != 0)
        return rc;
    if (at != NULL)
        *at = here;
    return want_bytes ? mem_get(self, &here.digest, out) : 0;
}

static int mem_author_next(void *self, const struct hsay_key *author, uint64_t sequence,
                           const struct hsay_digest *after, struct hsay_record *out)
{
    struct hsay_store_mem *mem = self;
    struct hsay_store_mem_body **link[HSAY_STORE_MEM_LEVELS];
    struct author_key key = {author, sequence, after};
    author_search(mem, &key, link);
    const struct hsay_store_mem_body *body = *link[0];
    if (body != NULL && after != NULL && author_compare(&body->record, &key) == 0)
        body = body->author_next[0];
    if (body == NULL || memcmp(&body->record.author, author, sizeof *author) != 0)
        return HSAY_ENOENT;
    return body_give(mem, body, out);
}

static int mem_author_before(void *self, const struct hsay_key *author, uint64_t below,
                             uint64_t *sequence, uint64_t *time)
{
    struct hsay_store_mem *mem = self;
    struct hsay_store_mem_body **link[HSAY_STORE_MEM_LEVELS];
    struct author_key key = {author, below, NULL};
    const struct hsay_store_mem_body *last = author_search(mem, &key, link);
    if (last == NULL || memcmp(&last->record.author, author, sizeof *author) != 0)
        return HSAY_ENOENT;

    *sequence = last->record.sequence;
    *time = last->record.at.time;
    key.sequence = *sequence;
    author_search(mem, &key, link);
    for (const struct hsay_store_mem_body *body = *link[0]; body != last;
         body = body->author_next[0]) {
        if (body->record.at.time > *time)
            *time = body->record.at.time;
    }
    return 0;
}

static int mem_expired(void *self, uint64_t wall_s, struct hsay_record *out)
{
    struct hsay_store_mem *mem = self;
    struct hsay_ordset_place place = hsay_ordset_select(&mem->by_expiry, 0);
    const struct hsay_ordset_key *key = hsay_ordset_at(&place);
    if (key == NULL || key->word[0] > wall_s)
        return HSAY_ENOENT;
    struct hsay_digest digest;
    for (int i = 0; i < HSAY_DIGEST_BYTES; i++)
        digest.byte[i] = (uint8_t)(key->word[1 + i / 8] >> (56 - 8 * (i % 8)));
    *out = body_find(mem, &digest)->record;
    out->bytes = (struct hsay_span){NULL, 0};
    return 0;
}

static int mem_commit(void *self)
{
    struct hsay_store_mem *mem = self;
    if (mem->broken)
        return HSAY_ESTORE;
    if (fault_is_due(&mem->fault.commit_countdown)) {
        int rc = hsay_store_mem_crash(mem);
        if (mem->fault.error == HSAY_ESTORE)
            mem->broken = true;
        return rc != 0 ? rc : mem->fault.error;
    }
    undo_forget(mem);
    return 0;
}

static void mem_info(void *self, struct hsay_store_info *out)
{
    struct hsay_store_mem *mem = self;
    *out = (struct hsay_store_info){
        .bundles = hsay_store_index_count(&mem->index),
        .bundle_bytes = mem->bundle_bytes,
        .quota_bytes = mem->quota_bytes,
        .disk_bytes = 0,
        .time_max = hsay_store_index_time_max(&mem->index),
        .full = mem->full,
    };
}

static const struct hsay_store_ops mem_ops = {
    .put = mem_put,
    .get = mem_get,
    .find = mem_find,
    .find_short = mem_find_short,
    .remove = mem_remove,
    .sum = mem_sum,
    .at_rank = mem_at_rank,
    .rank_of = mem_rank_of,
    .walk = mem_walk,
    .next = mem_next,
    .author_next = mem_author_next,
    .author_before = mem_author_before,
    .expired = mem_expired,
    .commit = mem_commit,
    .info = mem_info,
};

struct hsay_store hsay_store_mem_port(struct hsay_store_mem *mem)
{
    return (struct hsay_store){&mem_ops, mem};
}

int hsay_store_mem_damage(struct hsay_store_mem *mem, const struct hsay_digest *digest)
{
    struct hsay_store_mem_body *body = body_find(mem, digest);
    if (body == NULL || body->record.bytes.size == 0)
        return HSAY_ENOENT;
    uint8_t *links = (uint8_t *)body + sizeof *body;
    links[body->levels * sizeof body->author_next[0]] ^= 1;
    return 0;
}

/* --- life ------------------------------------------------------------------------------------ */

void hsay_store_mem_init(struct hsay_store_mem *mem, uint64_t quota_bytes,
                         const struct hsay_crypto *crypto)
{
    memset(mem, 0, sizeof *mem);
    hsay_store_index_init(&mem->index);
    hsay_ordset_init(&mem->by_expiry, 1, false);
    mem->quota_bytes = quota_bytes;
    mem->crypto = crypto;
}

void hsay_store_mem_free(struct hsay_store_mem *mem)
{
    undo_forget(mem);
    free(mem->undo);
    struct hsay_store_mem_body *body = mem->author_head[0], *next;
    for (; body != NULL; body = next) {
        next = body->author_next[0];
        free(body);
    }
    hsay_ordset_free(&mem->by_expiry);
    hsay_store_index_free(&mem->index);
    hsay_store_mem_init(mem, mem->quota_bytes, mem->crypto);
}

int hsay_store_mem_open(struct hsay_store *out, uint64_t quota_bytes,
                        const struct hsay_crypto *crypto)
{
    struct hsay_store_mem *mem = malloc(sizeof *mem);
    *out = (struct hsay_store){NULL, NULL};
    if (mem == NULL)
        return HSAY_ENOMEM;
    hsay_store_mem_init(mem, quota_bytes, crypto);
    *out = hsay_store_mem_port(mem);
    return 0;
}

void hsay_store_mem_close(struct hsay_store *store)
{
    if (store->self != NULL) {
        hsay_store_mem_free(store->self);
        free(store->self);
    }
    *store = (struct hsay_store){NULL, NULL};
}
