/*
 * The store port on LMDB: one overlay's table.  See store_lmdb.h for what it promises.
 *
 * One table per overlay, all numbers big-endian:
 *
 *   arrival -> head (time, digest, author, sequence, expiry, flags, check), canonical bytes
 *
 * Arrival is a running number.  So every put goes to the end of the table, whatever order bundles
 * come in: full pages, written side by side.  Keys in the order of time, and side tables for author
 * and expiry, were tried: a commit of 300 puts then touched up to 900 pages all over the file, and
 * a put cost ten times as much.  All other orders are kept in memory instead and rebuilt at
 * opening, from heads alone.
 *
 * The author index knows an author by the first 8 bytes of the key only; the head says whose a
 * bundle is.  Who makes two keys that begin alike makes only their own look-ups slower.
 */
#include "hearsay/store_lmdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/port/store_lmdb_env.h"

/* Where things are in a head. */
enum {
    HEAD_TIME = 0,
    HEAD_DIGEST = 8,
    HEAD_AUTHOR = 24,
    HEAD_SEQUENCE = 56,
    HEAD_EXPIRY = 64,
    HEAD_FLAGS = 72,
    HEAD_CHECK = 80, /* of the arrival and all before */
    HEAD_BYTES = 88,
};

enum { ARRIVAL_BYTES = 8, DAMAGED_MAX = 256 };

/* --- heads ----------------------------------------------------------------------------------- */

/* Each step is one-to-one in the running value, so no change within 8 bytes goes unseen; others do
 * once in 2^64.  Against disks, not against people: those cannot write here. */
static uint64_t head_check(uint64_t arrival, const uint8_t *head)
{
    uint64_t check = arrival;
    for (size_t i = 0; i < HEAD_CHECK; i += 8) {
        check = (check ^ hsay_lmdb_load_be64(head + i)) * UINT64_C(0x9e3779b97f4a7c15);
        check ^= check >> 32;
    }
    return check;
}

static void head_write(uint8_t *head, uint64_t arrival, const struct hsay_record *record)
{
    hsay_lmdb_store_be64(head + HEAD_TIME, record->at.time);
    memcpy(head + HEAD_DIGEST, record->at.digest.byte, HSAY_DIGEST_BYTES);
    memcpy(head + HEAD_AUTHOR, record->author.byte, HSAY_KEY_BYTES);
    hsay_lmdb_store_be64(head + HEAD_SEQUENCE, record->sequence);
    hsay_lmdb_store_be64(head + HEAD_EXPIRY, record->expiry_s);
    hsay_lmdb_store_be64(head + HEAD_FLAGS, record->flags);
    hsay_lmdb_store_be64(head + HEAD_CHECK, head_check(arrival, head));
}

/* The record of a stored value, its bytes not checked.  HSAY_ECORRUPT; of *out only the size of the
 * bytes is set then. */
static int head_read(uint64_t arrival, const MDB_val *value, struct hsay_record *out)
{
    const uint8_t *head = value->mv_data;
    out->bytes = (struct hsay_span){NULL, 0};
    if (value->mv_size < HEAD_BYTES)
        return HSAY_ECORRUPT;
    out->bytes.size = value->mv_size - HEAD_BYTES;
    if (hsay_lmdb_load_be64(head + HEAD_CHECK) != head_check(arrival, head))
        return HSAY_ECORRUPT;
    out->at.time = hsay_lmdb_load_be64(head + HEAD_TIME);
    memcpy(out->at.digest.byte, head + HEAD_DIGEST, HSAY_DIGEST_BYTES);
    memcpy(out->author.byte, head + HEAD_AUTHOR, HSAY_KEY_BYTES);
    out->sequence = hsay_lmdb_load_be64(head + HEAD_SEQUENCE);
    out->expiry_s = hsay_lmdb_load_be64(head + HEAD_EXPIRY);
    out->flags = (uint8_t)hsay_lmdb_load_be64(head + HEAD_FLAGS);
    out->bytes.data = head + HEAD_BYTES;
    return 0;
}

/* --- the indexes in memory ------------------------------------------------------------------- */

static struct hsay_lmdb_line line_of(const struct hsay_record *record, uint64_t arrival)
{
    return (struct hsay_lmdb_line){
        .at = record->at,
        .arrival = arrival,
        .author_head = hsay_lmdb_load_be64(record->author.byte),
        .sequence = record->sequence,
        .expiry_s = record->expiry_s,
        .bytes = record->bytes.size,
    };
}

static struct hsay_ordset_key author_key(const struct hsay_lmdb_line *line)
{
    return (struct hsay_ordset_key){{line->author_head, line->sequence, line->arrival}};
}

static struct hsay_ordset_key expiry_key(const struct hsay_lmdb_line *line)
{
    const uint8_t *digest = line->at.digest.byte;
    return (struct hsay_ordset_key){
        {line->expiry_s, hsay_lmdb_load_be64(digest), hsay_lmdb_load_be64(digest + 8)}};
}

/* Into every index; on failure into none. */
static int line_add(struct hsay_lmdb_store *store, const struct hsay_lmdb_line *line)
{
    struct hsay_ordset_key by_author = author_key(line), by_expiry = expiry_key(line);
    int rc = hsay_store_index_add(&store->index, &line->at, line->arrival);
    if (rc != 0)
        return rc;
    rc = hsay_ordset_insert(&store->by_author, &by_author, 0);
    if (rc != 0)
        goto err_index;
    if (line->expiry_s != 0)
        rc = hsay_ordset_insert(&store->by_expiry, &by_expiry, 0);
    if (rc != 0)
        goto err_author;
    store->bundle_bytes += line->bytes;
    return 0;

err_author:
    hsay_ordset_delete(&store->by_author, &by_author);
err_index:
    hsay_store_index_drop(&store->index, &line->at);
    return rc;
}

static void line_drop(struct hsay_lmdb_store *store, const struct hsay_lmdb_line *line)
{
    struct hsay_ordset_key by_author = author_key(line), by_expiry = expiry_key(line);
    hsay_store_index_drop(&store->index, &line->at);
    hsay_ordset_delete(&store->by_author, &by_author);
    if (line->expiry_s != 0)
        hsay_ordset_delete(&store->by_expiry, &by_expiry);
    store->bundle_bytes -= line->bytes;
}

static void undo_note(struct hsay_lmdb_store *store, const struct hsay_lmdb_line *line,
                      bool was_put)
{
    store->undo[store->undo_count++] = (struct hsay_lmdb_undo){*line, was_put};
}

int hsay_lmdb_store_roll_back(struct hsay_lmdb_store *store)
{
    int rc = 0;
    while (rc == 0 && store->undo_count > 0) {
        const struct hsay_lmdb_undo *last = &store->undo[--store->undo_count];
        if (last->was_put)
            line_drop(store, &last->line);
        else
            rc = line_add(store, &last->line);
    }
    return rc;
}

/* --- reading bodies -------------------------------------------------------------------------- */

static int body_check(const struct hsay_lmdb_store *store, const struct hsay_record *record)
{
    uint8_t id[HSAY_ID_BYTES];
    store->crypto->ops->hash(store->crypto->self, id, sizeof id, (struct hsay_span){NULL, 0},
                             &record->bytes, 1);
    return memcmp(id, record->at.digest.byte, HSAY_DIGEST_BYTES) == 0 ? 0 : HSAY_ECORRUPT;
}

/* What the table has under this arrival, the bytes not checked.  HSAY_ECORRUPT also if it has
 * nothing: the index said it would. */
static int body_read(struct hsay_lmdb_store *store, uint64_t arrival, struct hsay_record *out)
{
    MDB_txn *txn;
    int rc = hsay_lmdb_read_begin(store->env, &txn);
    if (rc != 0)
        return rc;
    uint8_t bytes[ARRIVAL_BYTES];
    hsay_lmdb_store_be64(bytes, arrival);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes), value;
    rc = mdb_get(txn, store->table, &key, &value);
    if (rc == MDB_NOTFOUND)
        return HSAY_ECORRUPT;
    return rc != 0 ? HSAY_ESTORE : head_read(arrival, &value, out);
}

static int lmdb_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    uint64_t arrival;
    int rc = hsay_store_index_find(&store->index, digest, NULL, &arrival);
    if (rc == 0)
        rc = body_read(store, arrival, out);
    return rc == 0 ? body_check(store, out) : rc;
}

/* --- put and remove -------------------------------------------------------------------------- */

static int table_put(struct hsay_lmdb_store *store, uint64_t arrival,
                     const struct hsay_record *record)
{
    uint8_t bytes[ARRIVAL_BYTES];
    hsay_lmdb_store_be64(bytes, arrival);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes);
    MDB_val value = {.mv_size = HEAD_BYTES + record->bytes.size};
    int rc = mdb_put(store->env->write, store->table, &key, &value, MDB_RESERVE);
    if (rc != 0)
        return rc;
    uint8_t *head = value.mv_data;
    head_write(head, arrival, record);
    if (record->bytes.size > 0)
        memcpy(head + HEAD_BYTES, record->bytes.data, record->bytes.size);
    return 0;
}

static int table_del(struct hsay_lmdb_store *store, MDB_txn *txn, uint64_t arrival)
{
    uint8_t bytes[ARRIVAL_BYTES];
    hsay_lmdb_store_be64(bytes, arrival);
    MDB_val key = hsay_lmdb_val(bytes, sizeof bytes);
    int rc = mdb_del(txn, store->table, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool is_over_quota(const struct hsay_lmdb_store *store, uint64_t bytes)
{
    return store->quota_bytes != 0 && (store->bundle_bytes > store->quota_bytes ||
                                       bytes > store->quota_bytes - store->bundle_bytes);
}

static int lmdb_put(void *self, const struct hsay_record *record)
{
    struct hsay_lmdb_store *store = self;
    if (hsay_store_index_find(&store->index, &record->at.digest, NULL, NULL) == 0)
        return HSAY_EEXIST;
    store->full = is_over_quota(store, record->bytes.size);
    if (store->full)
        return HSAY_ENOSPC;

    int rc = hsay_lmdb_change_begin(store->env, HSAY_LMDB_PUT, 1);
    if (rc != 0) {
        store->full = rc == HSAY_ENOSPC;
        return rc;
    }
    struct hsay_lmdb_line line = line_of(record, store->arrival_next);
    rc = line_add(store, &line);
    if (rc != 0)
        return rc;
    undo_note(store, &line, true);
    rc = table_put(store, line.arrival, record);
    if (rc != 0)
        return hsay_lmdb_turn_fail(store->env, hsay_lmdb_error(rc));
    store->arrival_next++;
    return 0;
}

/* A damaged head does not tell where the author and expiry indexes speak of the bundle.  Those
 * lines stay until the store is opened again; their readers pass over them. */
static int lmdb_remove(void *self, const struct hsay_digest *digest)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_record record = {.flags = 0};
    uint64_t arrival;
    if (hsay_store_index_find(&store->index, digest, &record.at, &arrival) != 0)
        return HSAY_ENOENT;
    int rc = hsay_lmdb_change_begin(store->env, HSAY_LMDB_REMOVE, 1);
    if (rc != 0)
        return rc;
    rc = body_read(store, arrival, &record);
    if (rc != 0 && rc != HSAY_ECORRUPT)
        return rc;
    struct hsay_lmdb_line line = line_of(&record, arrival);
    line_drop(store, &line);
    undo_note(store, &line, false);
    rc = table_del(store, store->env->write, arrival);
    return rc != 0 ? hsay_lmdb_turn_fail(store->env, hsay_lmdb_error(rc)) : 0;
}

/* --- what the index answers ------------------------------------------------------------------ */

static int lmdb_find(void *self, const struct hsay_digest *digest, struct hsay_position *out)
{
    struct hsay_lmdb_store *store = self;
    return hsay_store_index_find(&store->index, digest, out, NULL);
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
    return want_bytes ? lmdb_get(store, &here.digest, out) : 0;
}

/* --- authors and expiry ---------------------------------------------------------------------- */

/* The record that a key of the author index speaks of, if it is there and the author's. */
static int author_read(struct hsay_lmdb_store *store, const struct hsay_ordset_key *key,
                       const struct hsay_key *author, struct hsay_record *out)
{
    int rc = body_read(store, key->word[2], out);
    if (rc == HSAY_ECORRUPT)
        return HSAY_ENOENT;
    if (rc == 0 && memcmp(&out->author, author, sizeof *author) != 0)
        return HSAY_ENOENT;
    return rc;
}

/* Of the slot's bundles the one with the lowest digest past `after`; the place moves behind the
 * slot.  A slot holds one bundle, or two or three when its author cheated. */
static int slot_read(struct hsay_lmdb_store *store, struct hsay_ordset_place *place,
                     const struct hsay_key *author, const struct hsay_digest *after,
                     struct hsay_record *out)
{
    const struct hsay_ordset_key *key = hsay_ordset_at(place);
    uint64_t head = key->word[0], sequence = key->word[1];
    int found = HSAY_ENOENT;
    for (; key != NULL && key->word[0] == head && key->word[1] == sequence;
         hsay_ordset_step(place), key = hsay_ordset_at(place)) {
        struct hsay_record record;
        int rc = author_read(store, key, author, &record);
        if (rc == HSAY_ENOENT)
            continue;
        if (rc != 0)
            return rc;
        const struct hsay_digest *digest = &record.at.digest;
        bool comes = after == NULL || memcmp(digest, after, sizeof *digest) > 0;
        if (comes && (found != 0 || memcmp(digest, &out->at.digest, sizeof *digest) < 0)) {
            *out = record;
            found = 0;
        }
    }
    return found;
}

static int lmdb_author_next(void *self, const struct hsay_key *author, uint64_t sequence,
                            const struct hsay_digest *after, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_ordset_key low = {{hsay_lmdb_load_be64(author->byte), sequence, 0}};
    struct hsay_ordset_place place = hsay_ordset_ceiling(&store->by_author, &low);
    const struct hsay_ordset_key *key;
    int rc = HSAY_ENOENT;
    while (rc == HSAY_ENOENT && (key = hsay_ordset_at(&place)) != NULL &&
           key->word[0] == low.word[0]) {
        bool same = key->word[1] == sequence;
        rc = slot_read(store, &place, author, same ? after : NULL, out);
    }
    return rc == 0 ? body_check(store, out) : rc;
}

static int lmdb_author_before(void *self, const struct hsay_key *author, uint64_t below,
                              uint64_t *sequence, uint64_t *time)
{
    struct hsay_lmdb_store *store = self;
    struct hsay_ordset_key low = {{hsay_lmdb_load_be64(author->byte), below, 0}};
    uint64_t rank = hsay_ordset_seek(&store->by_author, &low).rank;
    bool found = false;
    while (rank-- > 0) {
        struct hsay_ordset_place place = hsay_ordset_select(&store->by_author, rank);
        const struct hsay_ordset_key *key = hsay_ordset_at(&place);
        if (key->word[0] != low.word[0] || (found && key->word[1] != *sequence))
            break;
        struct hsay_record record;
        int rc = author_read(store, key, author, &record);
        if (rc == HSAY_ENOENT)
            continue;
        if (rc != 0)
            return rc;
        if (!found || record.at.time > *time)
            *time = record.at.time;
        *sequence = record.sequence;
        found = true;
    }
    return found ? 0 : HSAY_ENOENT;
}

/* A record whose head is damaged is given all the same, as far as it is known: the caller wants to
 * remove it.  A line that a removed bundle with a damaged head has left behind goes here. */
static int lmdb_expired(void *self, uint64_t wall_s, struct hsay_record *out)
{
    struct hsay_lmdb_store *store = self;
    for (;;) {
        struct hsay_ordset_place place = hsay_ordset_select(&store->by_expiry, 0);
        const struct hsay_ordset_key *first = hsay_ordset_at(&place);
        if (first == NULL || first->word[0] > wall_s)
            return HSAY_ENOENT;
        struct hsay_ordset_key key = *first;
        struct hsay_record known = {.expiry_s = key.word[0]};
        struct hsay_digest digest;
        uint64_t arrival;
        hsay_lmdb_store_be64(digest.byte, key.word[1]);
        hsay_lmdb_store_be64(digest.byte + 8, key.word[2]);
        if (hsay_store_index_find(&store->index, &digest, &known.at, &arrival) != 0) {
            hsay_ordset_delete(&store->by_expiry, &key);
            continue;
        }
        int rc = body_read(store, arrival, out);
        if (rc == HSAY_ECORRUPT)
            *out = known;
        out->bytes = (struct hsay_span){NULL, 0};
        return rc == HSAY_ECORRUPT ? 0 : rc;
    }
}

/* --- the rest of the port -------------------------------------------------------------------- */

static int lmdb_commit(void *self)
{
    struct hsay_lmdb_store *store = self;
    return hsay_lmdb_commit(store->env);
}

static void lmdb_info(void *self, struct hsay_store_info *out)
{
    struct hsay_lmdb_store *store = self;
    MDB_txn *txn;
    MDB_stat stat;
    *out = (struct hsay_store_info){
        .bundles = hsay_store_index_count(&store->index),
        .bundle_bytes = store->bundle_bytes,
        .quota_bytes = store->quota_bytes,
        .time_max = hsay_store_index_time_max(&store->index),
        .full = store->full,
    };
    if (hsay_lmdb_read_begin(store->env, &txn) == 0 && mdb_stat(txn, store->table, &stat) == 0)
        out->disk_bytes = stat.ms_psize * (uint64_t)(stat.ms_branch_pages + stat.ms_leaf_pages +
                                                     stat.ms_overflow_pages);
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

static int table_open_in(struct hsay_lmdb_store *store, MDB_txn *txn, unsigned flags)
{
    char name[2 * HSAY_KEY_BYTES + 1];
    for (size_t i = 0; i < HSAY_KEY_BYTES; i++)
        snprintf(name + 2 * i, 3, "%02x", store->overlay.byte[i]);
    return mdb_dbi_open(txn, name, flags, &store->table);
}

/* A table that is there is opened without writing, so that a full disk keeps nobody out. */
static int table_open(struct hsay_lmdb_store *store)
{
    static const unsigned txn_flags[] = {MDB_RDONLY, 0};
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        MDB_txn *txn;
        rc = mdb_txn_begin(store->env->mdb, NULL, txn_flags[i], &txn);
        if (rc != 0)
            break;
        rc = table_open_in(store, txn, i == 0 ? 0 : MDB_CREATE);
        if (rc == 0)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
        if (rc != MDB_NOTFOUND)
            break;
    }
    return rc == MDB_DBS_FULL ? HSAY_ENOSPC : hsay_lmdb_error(rc);
}

/* What the load found damaged: how many, and the arrivals of the first of them. */
struct damage {
    uint64_t count;
    uint64_t arrival[DAMAGED_MAX];
};

static void damage_note(struct damage *damage, uint64_t arrival)
{
    if (damage->count < DAMAGED_MAX)
        damage->arrival[damage->count] = arrival;
    damage->count++;
}

/* Takes a line of the table into the indexes, or notes that it is damaged. */
static int line_load(struct hsay_lmdb_store *store, const MDB_val *key, const MDB_val *value,
                     struct damage *damage)
{
    struct hsay_record record;
    if (key->mv_size != ARRIVAL_BYTES) {
        damage->count++;
        return 0;
    }
    uint64_t arrival = hsay_lmdb_load_be64(key->mv_data);
    if (head_read(arrival, value, &record) != 0 ||
        hsay_store_index_find(&store->index, &record.at.digest, NULL, NULL) == 0) {
        damage_note(damage, arrival);
        return 0;
    }
    struct hsay_lmdb_line line = line_of(&record, arrival);
    store->arrival_next = arrival + 1; /* not from a damaged line, whose number may be anything */
    return line_add(store, &line);
}

static int index_load(struct hsay_lmdb_store *store, struct damage *damage)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = hsay_lmdb_read_begin(store->env, &txn);
    if (rc == 0)
        rc = hsay_lmdb_error(mdb_cursor_open(txn, store->table, &cursor));
    if (rc != 0)
        return rc;
    int walk = 0;
    while (rc == 0 && (walk = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        rc = line_load(store, &key, &value, damage);
    mdb_cursor_close(cursor);
    hsay_lmdb_turn_end(store->env);
    if (rc == 0 && walk != MDB_NOTFOUND)
        rc = walk == MDB_CORRUPTED || walk == MDB_PAGE_NOTFOUND ? HSAY_ECORRUPT : HSAY_ESTORE;
    return rc;
}

/* Takes damaged lines away, so that they are not counted again at every opening.  Not needed: when
 * the disk is full they stay. */
static void damage_clear(struct hsay_lmdb_store *store, const struct damage *damage)
{
    MDB_txn *txn;
    if (damage->count == 0 || mdb_txn_begin(store->env->mdb, NULL, 0, &txn) != 0)
        return;
    int rc = 0;
    for (uint64_t i = 0; i < damage->count && i < DAMAGED_MAX && rc == 0; i++)
        rc = table_del(store, txn, damage->arrival[i]);
    if (rc == 0)
        (void)mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
}

static bool overlay_is_open(const struct hsay_lmdb *env, const struct hsay_key *overlay)
{
    const struct hsay_lmdb_store *store = env->stores;
    while (store != NULL && memcmp(&store->overlay, overlay, sizeof *overlay) != 0)
        store = store->next;
    return store != NULL;
}

static struct hsay_lmdb_store *store_new(struct hsay_lmdb *env)
{
    struct hsay_lmdb_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->env = env;
    store->undo = malloc(env->turn_changes * sizeof *store->undo);
    hsay_store_index_init(&store->index);
    hsay_ordset_init(&store->by_author, 1, false);
    hsay_ordset_init(&store->by_expiry, 1, false);
    if (store->undo == NULL) {
        free(store);
        return NULL;
    }
    return store;
}

void hsay_lmdb_store_free(struct hsay_lmdb_store *store)
{
    hsay_store_index_free(&store->index);
    hsay_ordset_free(&store->by_author);
    hsay_ordset_free(&store->by_expiry);
    free(store->undo);
    free(store);
}

int hsay_store_lmdb_open(struct hsay_lmdb *env, const struct hsay_key *overlay,
                         uint64_t quota_bytes, const struct hsay_crypto *crypto,
                         struct hsay_store *out, uint64_t *damaged)
{
    struct damage damage = {.count = 0};
    *out = (struct hsay_store){NULL, NULL};
    if (overlay_is_open(env, overlay))
        return HSAY_EEXIST;
    int rc = hsay_lmdb_commit(env);
    if (rc != 0)
        return rc;

    struct hsay_lmdb_store *store = store_new(env);
    if (store == NULL)
        return HSAY_ENOMEM;
    store->overlay = *overlay;
    store->quota_bytes = quota_bytes;
    store->crypto = crypto;
    rc = hsay_lmdb_map_grow(env);
    if (rc == 0)
        rc = table_open(store);
    if (rc == 0)
        rc = index_load(store, &damage);
    if (rc != 0) {
        hsay_lmdb_store_free(store);
        return rc;
    }
    damage_clear(store, &damage);
    store->next = env->stores;
    env->stores = store;
    *out = (struct hsay_store){&lmdb_ops, store};
    if (damaged != NULL)
        *damaged = damage.count;
    return 0;
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
