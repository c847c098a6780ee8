/*
 * The store port on LMDB: one overlay's tables.  See store_lmdb.h for what it promises.
 *
 * Tables, all keys big-endian so that byte order is number order:
 *
 *   <overlay>/b  time, digest -> head (author, sequence, expiry, flags, check), canonical bytes
 *   <overlay>/a  author, sequence, digest -> time
 *   <overlay>/e  expiry, digest -> time; only bundles that expire
 *
 * Bodies are keyed by time because bundles come roughly in its order: putting in time order costs a
 * fifteenth of putting in the order of hashes.  All other orders are kept in memory (store_index)
 * and rebuilt at opening, which is why no table of digests is written.  No table has duplicate
 * keys: that part of LMDB has had most of its bugs.
 */
#include "src/port/store_lmdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/port/store_lmdb_env.h"

enum {
    BODY_KEY_BYTES = 24,
    AUTHOR_KEY_BYTES = HSAY_KEY_BYTES + 8 + HSAY_DIGEST_BYTES,
    EXPIRY_KEY_BYTES = 8 + HSAY_DIGEST_BYTES,
    HEAD_BYTES = 64,
    HEAD_CHECK_AT = 56, /* the last 8 bytes check the key and the 56 before */
};

/* --- bytes ---------------------------------------------------------------------------------------
 */

static void body_key_write(uint8_t key[BODY_KEY_BYTES], const struct hsay_position *at)
{
    hsay_lmdb_store_be64(key, at->time);
    memcpy(key + 8, at->digest.byte, HSAY_DIGEST_BYTES);
}

static void author_key_write(uint8_t key[AUTHOR_KEY_BYTES], const struct hsay_key *author,
                             uint64_t sequence, const struct hsay_digest *digest)
{
    memcpy(key, author->byte, HSAY_KEY_BYTES);
    hsay_lmdb_store_be64(key + HSAY_KEY_BYTES, sequence);
    if (digest != NULL)
        memcpy(key + HSAY_KEY_BYTES + 8, digest->byte, HSAY_DIGEST_BYTES);
    else
        memset(key + HSAY_KEY_BYTES + 8, 0, HSAY_DIGEST_BYTES);
}

static void expiry_key_write(uint8_t key[EXPIRY_KEY_BYTES], uint64_t expiry_s,
                             const struct hsay_digest *digest)
{
    hsay_lmdb_store_be64(key, expiry_s);
    memcpy(key + 8, digest->byte, HSAY_DIGEST_BYTES);
}

/* Each step is one-to-one in the running value, so no change within 8 bytes goes unseen; others do
 * once in 2^64.  Against disks, not against people: those cannot write here. */
static uint64_t check_mix(uint64_t check, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        check = (check ^ hsay_lmdb_load_be64(bytes + i)) * UINT64_C(0x9e3779b97f4a7c15);
        check ^= check >> 32;
    }
    return check;
}

static uint64_t head_check(const uint8_t key[BODY_KEY_BYTES], const uint8_t *head)
{
    return check_mix(check_mix(0, key, BODY_KEY_BYTES), head, HEAD_CHECK_AT);
}

static void head_write(uint8_t *head, const uint8_t key[BODY_KEY_BYTES],
                       const struct hsay_record *record)
{
    memcpy(head, record->author.byte, HSAY_KEY_BYTES);
    hsay_lmdb_store_be64(head + 32, record->sequence);
    hsay_lmdb_store_be64(head + 40, record->expiry_s);
    hsay_lmdb_store_be64(head + 48, record->flags);
    hsay_lmdb_store_be64(head + HEAD_CHECK_AT, head_check(key, head));
}

/* The record of a stored value, bytes included but not checked.  HSAY_ECORRUPT; out->at is set all
 * the same. */
static int head_read(const struct hsay_position *at, const MDB_val *value, struct hsay_record *out)
{
    uint8_t key[BODY_KEY_BYTES];
    const uint8_t *head = value->mv_data;
    memset(out, 0, sizeof *out);
    out->at = *at;
    body_key_write(key, at);
    if (value->mv_size < HEAD_BYTES ||
        hsay_lmdb_load_be64(head + HEAD_CHECK_AT) != head_check(key, head))
        return HSAY_ECORRUPT;
    memcpy(out->author.byte, head, HSAY_KEY_BYTES);
    out->sequence = hsay_lmdb_load_be64(head + 32);
    out->expiry_s = hsay_lmdb_load_be64(head + 40);
    out->flags = (uint8_t)hsay_lmdb_load_be64(head + 48);
    out->bytes = (struct hsay_span){head + HEAD_BYTES, value->mv_size - HEAD_BYTES};
    return 0;
}

/* --- reading bodies -------------------------------------------------------------------------- */

static int body_check(const struct hsay_lmdb_store *store, const struct hsay_record *record)
{
    uint8_t id[HSAY_ID_BYTES];
    store->crypto->ops->hash(store->crypto->self, id, sizeof id, (struct hsay_span){NULL, 0},
                             &record->bytes, 1);
    return memcmp(id, record->at.digest.byte, HSAY_DIGEST_BYTES) == 0 ? 0 : HSAY_ECORRUPT;
}

/* Head and bytes of what the index says is there; the bytes are not checked. */
static int body_read(struct hsay_lmdb_store *store, const struct hsay_position *at,
                     struct hsay_record *out)
{
    MDB_txn *txn;
    int rc = hsay_lmdb_read_begin(store->env, &txn);
    if (rc != 0)
        return rc;
    uint8_t bytes[BODY_KEY_BYTES];
    body_key_write(bytes, at);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes), value;
    rc = mdb_get(txn, store->body, &key, &value);
    if (rc == MDB_NOTFOUND)
        return HSAY_ECORRUPT;
    return rc != 0 ? HSAY_ESTORE : head_read(at, &value, out);
}

static int body_give(struct hsay_lmdb_store *store, const struct hsay_position *at,
                     struct hsay_record *out)
{
    int rc = body_read(store, at, out);
    return rc != 0 ? rc : body_check(store, out);
}

/* --- put and remove -------------------------------------------------------------------------- */

static void undo_note(struct hsay_lmdb_store *store, const struct hsay_position *at, uint64_t bytes,
                      bool was_put)
{
    store->undo[store->undo_count++] = (struct hsay_lmdb_undo){*at, bytes, was_put};
    store->bundle_bytes += was_put ? bytes : 0 - bytes;
}

static int tables_put(struct hsay_lmdb_store *store, const struct hsay_record *record)
{
    MDB_txn *txn = store->env->write;
    uint8_t body_key[BODY_KEY_BYTES], author_key[AUTHOR_KEY_BYTES], expiry_key[EXPIRY_KEY_BYTES];
    body_key_write(body_key, &record->at);
    author_key_write(author_key, &record->author, record->sequence, &record->at.digest);
    expiry_key_write(expiry_key, record->expiry_s, &record->at.digest);

    MDB_val key = hsay_lmdb_val(body_key, sizeof body_key);
    MDB_val value = hsay_lmdb_val(NULL, HEAD_BYTES + record->bytes.size);
    int rc = mdb_put(txn, store->body, &key, &value, MDB_RESERVE);
    if (rc != 0)
        return rc;
    uint8_t *head = value.mv_data;
    head_write(head, body_key, record);
    if (record->bytes.size > 0)
        memcpy(head + HEAD_BYTES, record->bytes.data, record->bytes.size);

    key = hsay_lmdb_val(author_key, sizeof author_key);
    value = hsay_lmdb_val(body_key, 8);
    rc = mdb_put(txn, store->author, &key, &value, 0);
    if (rc != 0 || record->expiry_s == 0)
        return rc;
    key = hsay_lmdb_val(expiry_key, sizeof expiry_key);
    return mdb_put(txn, store->expiry, &key, &value, 0);
}

/* A damaged head does not tell where the other two tables speak of the bundle.  Those lines stay,
 * and readers pass over lines whose bundle the index does not know. */
static int tables_del(struct hsay_lmdb_store *store, const struct hsay_record *record,
                      bool head_is_good)
{
    MDB_txn *txn = store->env->write;
    uint8_t body_key[BODY_KEY_BYTES], author_key[AUTHOR_KEY_BYTES], expiry_key[EXPIRY_KEY_BYTES];
    body_key_write(body_key, &record->at);
    author_key_write(author_key, &record->author, record->sequence, &record->at.digest);
    expiry_key_write(expiry_key, record->expiry_s, &record->at.digest);

    int rc = hsay_lmdb_line_del(txn, store->body, body_key, sizeof body_key);
    if (rc != 0 || !head_is_good)
        return rc;
    rc = hsay_lmdb_line_del(txn, store->author, author_key, sizeof author_key);
    if (rc != 0 || record->expiry_s == 0)
        return rc;
    return hsay_lmdb_line_del(txn, store->expiry, expiry_key, sizeof expiry_key);
}

static int lmdb_put(void *self, const struct hsay_record *record)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_lmdb *env = store->env;
    struct hsay_position known;
    if (hsay_store_index_find(&store->index, &record->at.digest, &known) == 0)
        return HSAY_EEXIST;
    store->full =
        store->quota_bytes != 0 && (store->bundle_bytes > store->quota_bytes ||
                                    record->bytes.size > store->quota_bytes - store->bundle_bytes);
    if (store->full)
        return HSAY_ENOSPC;

    int rc = hsay_lmdb_change_begin(env, HSAY_LMDB_PUT, 1);
    if (rc != 0) {
        store->full = rc == HSAY_ENOSPC;
        return rc;
    }
    rc = hsay_store_index_add(&store->index, &record->at);
    if (rc != 0)
        return rc;
    undo_note(store, &record->at, record->bytes.size, true);
    rc = tables_put(store, record);
    return rc != 0 ? hsay_lmdb_turn_fail(env, hsay_lmdb_error(rc)) : 0;
}

static int lmdb_remove(void *self, const struct hsay_digest *digest)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_lmdb *env = store->env;
    struct hsay_position at;
    if (hsay_store_index_find(&store->index, digest, &at) != 0)
        return HSAY_ENOENT;
    int rc = hsay_lmdb_change_begin(env, HSAY_LMDB_REMOVE, 1);
    if (rc != 0)
        return rc;
    struct hsay_record record;
    rc = body_read(store, &at, &record);
    if (rc != 0 && rc != HSAY_ECORRUPT)
        return rc;
    bool head_is_good = rc == 0;
    hsay_store_index_drop(&store->index, &at);
    undo_note(store, &at, record.bytes.size, false);
    rc = tables_del(store, &record, head_is_good);
    return rc != 0 ? hsay_lmdb_turn_fail(env, hsay_lmdb_error(rc)) : 0;
}

/* --- what the index answers ------------------------------------------------------------------ */

static int lmdb_find(void *self, const struct hsay_digest *digest, struct hsay_position *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_find(&store->index, digest, out);
}

static int lmdb_find_short(void *self, uint64_t short_digest, struct hsay_position *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_find_short(&store->index, short_digest, out);
}

static int lmdb_sum(void *self, const struct hsay_range *range, uint64_t work_max,
                    struct hsay_sum *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_sum(&store->index, range, work_max, out);
}

static int lmdb_at_rank(void *self, uint64_t rank, struct hsay_position *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_at_rank(&store->index, rank, out);
}

static int lmdb_rank_of(void *self, const struct hsay_position *at, uint64_t *rank)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_rank_of(&store->index, at, rank);
}

static int lmdb_walk(void *self, const struct hsay_range *range, uint64_t skip,
                     struct hsay_cursor *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_walk(&store->index, range, skip, out);
}

/* --- what the tables answer ------------------------------------------------------------------ */

static int lmdb_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_position at;
    if (hsay_store_index_find(&store->index, digest, &at) != 0)
        return HSAY_ENOENT;
    return body_give(store, &at, out);
}

static int lmdb_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                     struct hsay_position *at, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_position here;
    int rc = hsay_store_index_next(&store->index, cursor, work, &here);
    if (rc != 0)
        return rc;
    if (at != NULL)
        *at = here;
    return want_bytes ? body_give(store, &here, out) : 0;
}

/* True if the line of a side table (key ending in a digest, value a time) speaks of a bundle that
 * is there; a damaged one may not. */
static bool line_position(const struct hsay_lmdb_store *store, const MDB_val *key,
                          const MDB_val *value, struct hsay_position *out)
{
    struct hsay_digest digest;
    if (value->mv_size != 8)
        return false;
    const uint8_t *end = (const uint8_t *)key->mv_data + key->mv_size;
    memcpy(digest.byte, end - HSAY_DIGEST_BYTES, HSAY_DIGEST_BYTES);
    return hsay_store_index_find(&store->index, &digest, out) == 0 &&
           out->time == hsay_lmdb_load_be64(value->mv_data);
}

static bool line_is_of(const MDB_val *key, const struct hsay_key *author)
{
    return key->mv_size == AUTHOR_KEY_BYTES && memcmp(key->mv_data, author, sizeof *author) == 0;
}

static uint64_t line_sequence(const MDB_val *key)
{
    return hsay_lmdb_load_be64((const uint8_t *)key->mv_data + HSAY_KEY_BYTES);
}

static int cursor_open(struct hsay_lmdb_store *store, MDB_dbi table, MDB_cursor **cursor)
{
    MDB_txn *txn;
    int rc = hsay_lmdb_read_begin(store->env, &txn);
    return rc != 0 ? rc : hsay_lmdb_error(mdb_cursor_open(txn, table, cursor));
}

static int lmdb_author_next(void *self, const struct hsay_key *author, uint64_t sequence,
                            const struct hsay_digest *after, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    MDB_cursor *cursor;
    int rc = cursor_open(store, store->author, &cursor);
    if (rc != 0)
        return rc;

    uint8_t bytes[AUTHOR_KEY_BYTES];
    author_key_write(bytes, author, sequence, after);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes), value;
    struct hsay_position at;
    bool found = false;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (rc == 0 && after != NULL && key.mv_size == sizeof bytes &&
        memcmp(key.mv_data, bytes, sizeof bytes) == 0)
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    while (rc == 0 && line_is_of(&key, author) && !found) {
        found = line_position(store, &key, &value, &at);
        if (!found)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (!found)
        return rc == 0 ? HSAY_ENOENT : hsay_lmdb_error(rc);
    return body_give(store, &at, out);
}

static int lmdb_author_before(void *self, const struct hsay_key *author, uint64_t below,
                              uint64_t *sequence, uint64_t *time)
{
    struct hsay_lmdb_store *store = self;
    MDB_cursor *cursor;
    int rc = cursor_open(store, store->author, &cursor);
    if (rc != 0)
        return rc;

    uint8_t bytes[AUTHOR_KEY_BYTES];
    author_key_write(bytes, author, below, NULL);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes), value;
    struct hsay_position at;
    bool found = false;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor, &key, &value, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    for (; rc == 0 && line_is_of(&key, author);
         rc = mdb_cursor_get(cursor, &key, &value, MDB_PREV)) {
        if (found && line_sequence(&key) != *sequence)
            break;
        if (!line_position(store, &key, &value, &at))
            continue;
        if (!found || at.time > *time)
            *time = at.time;
        *sequence = line_sequence(&key);
        found = true;
    }
    mdb_cursor_close(cursor);
    if (found)
        return 0;
    return rc == 0 ? HSAY_ENOENT : hsay_lmdb_error(rc);
}

/* A record whose head is damaged is given all the same, as far as it is known: the caller wants to
 * remove it. */
static int lmdb_expired(void *self, uint64_t wall_s, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    MDB_cursor *cursor;
    int rc = cursor_open(store, store->expiry, &cursor);
    if (rc != 0)
        return rc;

    MDB_val key, value;
    struct hsay_position at;
    uint64_t expiry_s = 0;
    bool found = false;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (rc == 0 && !found && key.mv_size == EXPIRY_KEY_BYTES) {
        expiry_s = hsay_lmdb_load_be64(key.mv_data);
        if (expiry_s > wall_s)
            break;
        found = line_position(store, &key, &value, &at);
        if (!found)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (!found)
        return rc == 0 ? HSAY_ENOENT : hsay_lmdb_error(rc);
    rc = body_read(store, &at, out);
    out->expiry_s = expiry_s;
    out->bytes = (struct hsay_span){NULL, 0};
    return rc == HSAY_ECORRUPT ? 0 : rc;
}

static int lmdb_commit(void *self)
{
    struct hsay_lmdb_store *store = self;
    return hsay_lmdb_commit(store->env);
}

static uint64_t table_bytes(MDB_txn *txn, MDB_dbi table)
{
    MDB_stat stat;
    if (mdb_stat(txn, table, &stat) != 0)
        return 0;
    return stat.ms_psize *
           (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
}

static void lmdb_info(void *self, struct hsay_store_info *out)
{
    struct hsay_lmdb_store *store = self;
    MDB_txn *txn;
    *out = (struct hsay_store_info){
        .bundles = hsay_store_index_count(&store->index),
        .bundle_bytes = store->bundle_bytes,
        .quota_bytes = store->quota_bytes,
        .time_max = hsay_store_index_time_max(&store->index),
        .full = store->full,
    };
    if (hsay_lmdb_read_begin(store->env, &txn) == 0)
        out->disk_bytes = table_bytes(txn, store->body) + table_bytes(txn, store->author) +
                          table_bytes(txn, store->expiry);
}

static const struct hsay_store_ops lmdb_ops = {
    .put = lmdb_put,
    .get = lmdb_get,
    .find = lmdb_find,
    .find_short = lmdb_find_short,
    .remove = lmdb_remove,
    .sum = lmdb_sum,
    .at_rank = lmdb_at_rank,
    .rank_of = lmdb_rank_of,
    .walk = lmdb_walk,
    .next = lmdb_next,
    .author_next = lmdb_author_next,
    .author_before = lmdb_author_before,
    .expired = lmdb_expired,
    .commit = lmdb_commit,
    .info = lmdb_info,
};

/* --- opening a store ------------------------------------------------------------------------- */

static int table_open(MDB_txn *txn, const struct hsay_key *overlay, char suffix, unsigned flags,
                      MDB_dbi *table)
{
    char name[2 * HSAY_KEY_BYTES + 3];
    for (size_t i = 0; i < HSAY_KEY_BYTES; i++)
        snprintf(name + 2 * i, 3, "%02x", overlay->byte[i]);
    snprintf(name + sizeof name - 3, 3, "/%c", suffix);
    return mdb_dbi_open(txn, name, flags, table);
}

static int tables_open_in(struct hsay_lmdb_store *store, MDB_txn *txn, unsigned flags)
{
    int rc = table_open(txn, &store->overlay, 'b', flags, &store->body);
    if (rc == 0)
        rc = table_open(txn, &store->overlay, 'a', flags, &store->author);
    if (rc == 0)
        rc = table_open(txn, &store->overlay, 'e', flags, &store->expiry);
    return rc;
}

/* Tables that are there are opened without writing, so that a full disk keeps nobody out. */
static int tables_open(struct hsay_lmdb_store *store)
{
    static const unsigned txn_flags[] = {MDB_RDONLY, 0};
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        MDB_txn *txn;
        rc = mdb_txn_begin(store->env->mdb, NULL, txn_flags[i], &txn);
        if (rc != 0)
            break;
        rc = tables_open_in(store, txn, i == 0 ? 0 : MDB_CREATE);
        if (rc == 0)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
        if (rc != MDB_NOTFOUND)
            break;
    }
    return rc == MDB_DBS_FULL ? HSAY_ENOSPC : hsay_lmdb_error(rc);
}

/* The position that a line of the body table speaks of; false if the line is damaged, or speaks of
 * a bundle that stands elsewhere already. */
static bool line_read(const struct hsay_lmdb_store *store, const MDB_val *key, const MDB_val *value,
                      struct hsay_record *out)
{
    struct hsay_position at, other;
    if (key->mv_size != BODY_KEY_BYTES)
        return false;
    at.time = hsay_lmdb_load_be64(key->mv_data);
    memcpy(at.digest.byte, (const uint8_t *)key->mv_data + 8, HSAY_DIGEST_BYTES);
    return head_read(&at, value, out) == 0 &&
           hsay_store_index_find(&store->index, &at.digest, &other) == HSAY_ENOENT;
}

/* One pass over the bodies, in time order.  What is damaged is left out: it will be fetched anew.
 */
static int index_load(struct hsay_lmdb_store *store, uint64_t *damaged)
{
    MDB_cursor *cursor;
    int rc = cursor_open(store, store->body, &cursor);
    if (rc != 0)
        return rc;
    MDB_val key, value;
    int walk = 0;
    while (rc == 0 && (walk = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        struct hsay_record record;
        if (!line_read(store, &key, &value, &record)) {
            ++*damaged;
            continue;
        }
        rc = hsay_store_index_add(&store->index, &record.at);
        if (rc == 0)
            store->bundle_bytes += record.bytes.size;
    }
    mdb_cursor_close(cursor);
    if (rc == 0 && walk != MDB_NOTFOUND)
        rc = walk == MDB_CORRUPTED || walk == MDB_PAGE_NOTFOUND ? HSAY_ECORRUPT : HSAY_ESTORE;
    return rc;
}

void hsay_lmdb_store_free(struct hsay_lmdb_store *store)
{
    hsay_store_index_free(&store->index);
    free(store->undo);
    free(store);
}

static bool overlay_is_open(const struct hsay_lmdb *env, const struct hsay_key *overlay)
{
    const struct hsay_lmdb_store *store = env->stores;
    while (store != NULL && memcmp(&store->overlay, overlay, sizeof *overlay) != 0)
        store = store->next;
    return store != NULL;
}

int hsay_store_lmdb_open(struct hsay_lmdb *env, const struct hsay_key *overlay,
                         uint64_t quota_bytes, const struct hsay_crypto *crypto,
                         struct hsay_store *out, uint64_t *damaged)
{
    uint64_t damaged_count = 0;
    *out = (struct hsay_store){NULL, NULL};
    if (overlay_is_open(env, overlay))
        return HSAY_EEXIST;
    int rc = hsay_lmdb_commit(env);
    if (rc != 0)
        return rc;

    struct hsay_lmdb_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return HSAY_ENOMEM;
    store->env = env;
    store->overlay = *overlay;
    store->quota_bytes = quota_bytes;
    store->crypto = crypto;
    hsay_store_index_init(&store->index);
    rc = HSAY_ENOMEM;
    store->undo = malloc(env->turn_changes * sizeof *store->undo);
    if (store->undo == NULL)
        goto err;
    rc = hsay_lmdb_map_grow(env);
    if (rc == 0)
        rc = tables_open(store);
    if (rc == 0)
        rc = index_load(store, &damaged_count);
    hsay_lmdb_turn_end(env);
    if (rc != 0)
        goto err;

    store->next = env->stores;
    env->stores = store;
    *out = (struct hsay_store){&lmdb_ops, store};
    if (damaged != NULL)
        *damaged = damaged_count;
    return 0;

err:
    hsay_lmdb_store_free(store);
    return rc;
}

void hsay_store_lmdb_close(struct hsay_store *port)
{
    struct hsay_lmdb_store *store = port->self;
    if (store == NULL)
        return;
    struct hsay_lmdb_store **link = &store->env->stores;
    while (*link != store)
        link = &(*link)->next;
    *link = store->next;
    hsay_lmdb_store_free(store);
    *port = (struct hsay_store){NULL, NULL};
}
