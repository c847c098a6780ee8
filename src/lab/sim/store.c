/*
 * The simulator's store.  See store.h.
 *
 * Each question goes to one of two orders, which hold depot numbers alone.  Every change is noted
 * as a number until the next commit; the depot forgets nothing, so taking it back needs no copy.
 */
#include "src/lab/sim/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/sim/store_many.h"

enum { UNDO_FIRST = 6 }; /* 32 bytes: most turns bring a bundle or a few */

static_assert(sizeof(struct lab_store) <= 64, "a million of them are made");

struct lab_store_undo {
    uint32_t count;
    uint32_t size;
    uint32_t note[]; /* twice the number, and 1 more if it was put */
};

static const struct hsay_record *record_of(const struct lab_store *store, uint32_t number)
{
    return &lab_depot_at(store->few.depot, number)->record;
}

static int find_number(const struct lab_store *store, const struct hsay_digest *digest,
                       uint32_t *number)
{
    if (store->many != NULL)
        return lab_many_find(store->many, digest, number);
    return lab_few_find(&store->few, digest, number);
}

/* --- changes --------------------------------------------------------------------------------- */

/* From arrays to trees; on failure it stays as it is. */
static int become_many(struct lab_store *store)
{
    struct lab_many *many = malloc(sizeof *many);
    if (many == NULL)
        return HSAY_ENOMEM;
    lab_many_init(many, store->few.depot);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < lab_few_count(&store->few); i++)
        rc = lab_many_add(many, lab_few_number(&store->few, i));
    if (rc != 0) {
        lab_many_free(many);
        free(many);
        return rc;
    }
    /* No cursor over the arrays is taken for one over the trees. */
    many->index.generation += store->few.list == NULL ? 0 : store->few.list->generation;
    lab_few_free(&store->few);
    store->many = many;
    return 0;
}

static int link_bundle(struct lab_store *store, uint32_t number)
{
    int rc = 0;
    if (store->many == NULL && lab_few_count(&store->few) >= store->few_max)
        rc = become_many(store);
    if (rc == 0)
        rc = store->many != NULL ? lab_many_add(store->many, number)
                                 : lab_few_add(&store->few, number);
    if (rc == 0)
        store->bundle_bytes += record_of(store, number)->bytes.size;
    return rc;
}

static void unlink_bundle(struct lab_store *store, uint32_t number)
{
    if (store->many != NULL)
        lab_many_drop(store->many, number);
    else
        lab_few_drop(&store->few, number);
    store->bundle_bytes -= record_of(store, number)->bytes.size;
}

/* Room for one more note, so that noting cannot fail after the change. */
static int undo_reserve(struct lab_store *store)
{
    struct lab_store_undo *undo = store->undo;
    if (undo != NULL && undo->count < undo->size)
        return 0;
    uint32_t count = undo == NULL ? 0 : undo->count;
    uint32_t size = undo == NULL ? UNDO_FIRST : 2 * undo->size;
    undo = realloc(undo, sizeof *undo + size * sizeof undo->note[0]);
    if (undo == NULL)
        return HSAY_ENOMEM;
    undo->count = count;
    undo->size = size;
    store->undo = undo;
    return 0;
}

static void undo_note(struct lab_store *store, uint32_t number, bool was_put)
{
    store->undo->note[store->undo->count++] = 2 * number + was_put;
}

/* A small store keeps nothing for its next turn. */
static void undo_forget(struct lab_store *store)
{
    if (store->undo != NULL && store->many != NULL) {
        store->undo->count = 0;
        return;
    }
    free(store->undo);
    store->undo = NULL;
}

int lab_store_crash(struct lab_store *store)
{
    int rc = 0;
    while (rc == 0 && store->undo != NULL && store->undo->count > 0) {
        uint32_t note = store->undo->note[store->undo->count - 1];
        if (note % 2 == 1)
            unlink_bundle(store, note / 2);
        else
            rc = link_bundle(store, note / 2);
        if (rc == 0)
            store->undo->count--;
    }
    store->broken = rc != 0;
    return store->broken ? HSAY_ESTORE : 0;
}

/* --- the port: changes ----------------------------------------------------------------------- */

static bool fault_is_due(unsigned *countdown)
{
    return *countdown != 0 && --*countdown == 0;
}

static int store_put(void *self, const struct hsay_record *record)
{
    struct lab_store *store = self;
    uint32_t number;
    if (store->broken)
        return HSAY_ESTORE;
    if (find_number(store, &record->at.digest, &number) == 0)
        return HSAY_EEXIST;
    bool fault = store->fault != NULL && fault_is_due(&store->fault->put_countdown);
    bool over =
        store->quota_bytes != 0 && (store->bundle_bytes > store->quota_bytes ||
                                    record->bytes.size > store->quota_bytes - store->bundle_bytes);
    store->full = over || (fault && store->fault->error == HSAY_ENOSPC);
    if (fault || over)
        return fault ? store->fault->error : HSAY_ENOSPC;

    int rc = undo_reserve(store);
    if (rc == 0)
        rc = lab_depot_intern(store->few.depot, record, &number);
    if (rc == 0)
        rc = link_bundle(store, number);
    if (rc == 0)
        undo_note(store, number, true);
    return rc;
}

static int store_remove(void *self, const struct hsay_digest *digest)
{
    struct lab_store *store = self;
    uint32_t number;
    if (store->broken)
        return HSAY_ESTORE;
    if (find_number(store, digest, &number) != 0)
        return HSAY_ENOENT;
    int rc = undo_reserve(store);
    if (rc != 0)
        return rc;
    unlink_bundle(store, number);
    undo_note(store, number, false);
    return 0;
}

static int store_commit(void *self)
{
    struct lab_store *store = self;
    if (store->broken)
        return HSAY_ESTORE;
    if (store->fault != NULL && fault_is_due(&store->fault->commit_countdown)) {
        int rc = lab_store_crash(store);
        if (store->fault->error == HSAY_ESTORE)
            store->broken = true;
        return rc != 0 ? rc : store->fault->error;
    }
    undo_forget(store);
    return 0;
}

/* --- the port: questions --------------------------------------------------------------------- */

static int store_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    struct lab_store *store = self;
    uint32_t number;
    int rc = find_number(store, digest, &number);
    if (rc == 0)
        *out = *record_of(store, number);
    return rc;
}

static int store_find(void *self, const struct hsay_digest *digest, struct hsay_position *out)
{
    struct lab_store *store = self;
    uint32_t number;
    if (store->many != NULL)
        return hsay_store_index_find(&store->many->index, digest, out, NULL);
    int rc = lab_few_find(&store->few, digest, &number);
    if (rc == 0)
        *out = record_of(store, number)->at;
    return rc;
}

static int store_find_short(void *self, uint64_t short_digest, struct hsay_position *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return hsay_store_index_find_short(&store->many->index, short_digest, out);
    return lab_few_find_short(&store->few, short_digest, out);
}

static int store_sum(void *self, const struct hsay_range *range, uint64_t work_max,
                     struct hsay_sum *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return hsay_store_index_sum(&store->many->index, range, work_max, out);
    return lab_few_sum(&store->few, range, work_max, out);
}

static int store_at_rank(void *self, uint64_t rank, struct hsay_position *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return hsay_store_index_at_rank(&store->many->index, rank, out);
    return lab_few_at_rank(&store->few, rank, out);
}

static int store_rank_of(void *self, const struct hsay_position *at, uint64_t *rank)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return hsay_store_index_rank_of(&store->many->index, at, rank);
    return lab_few_rank_of(&store->few, at, rank);
}

static int store_walk(void *self, const struct hsay_range *range, uint64_t skip,
                      struct hsay_cursor *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return hsay_store_index_walk(&store->many->index, range, skip, out);
    return lab_few_walk(&store->few, range, skip, out);
}

/* The trees know positions, so only a wanted body costs a look into the digests. */
static int next_of_many(const struct lab_store *store, struct hsay_cursor *cursor, bool want_bytes,
                        uint32_t *work, struct hsay_position *at, struct hsay_record *out)
{
    struct hsay_position here;
    uint32_t number;
    int rc = hsay_store_index_next(&store->many->index, cursor, work, &here);
    if (rc != 0)
        return rc;
    if (at != NULL)
        *at = here;
    if (!want_bytes)
        return 0;
    rc = lab_many_find(store->many, &here.digest, &number);
    if (rc == 0)
        *out = *record_of(store, number);
    return rc;
}

static int store_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                      struct hsay_position *at, struct hsay_record *out)
{
    struct lab_store *store = self;
    uint32_t number;
    if (store->many != NULL)
        return next_of_many(store, cursor, want_bytes, work, at, out);
    int rc = lab_few_next(&store->few, cursor, work, &number);
    if (rc != 0)
        return rc;
    if (at != NULL)
        *at = record_of(store, number)->at;
    if (want_bytes)
        *out = *record_of(store, number);
    return 0;
}

static int store_author_next(void *self, const struct hsay_key *author, uint64_t sequence,
                             const struct hsay_digest *after, struct hsay_record *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return lab_many_author_next(store->many, author, sequence, after, out);
    return lab_few_author_next(&store->few, author, sequence, after, out);
}

static int store_author_before(void *self, const struct hsay_key *author, uint64_t below,
                               uint64_t *sequence, uint64_t *time)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return lab_many_author_before(store->many, author, below, sequence, time);
    return lab_few_author_before(&store->few, author, below, sequence, time);
}

static int store_expired(void *self, uint64_t wall_s, struct hsay_record *out)
{
    struct lab_store *store = self;
    if (store->many != NULL)
        return lab_many_expired(store->many, wall_s, out);
    return lab_few_expired(&store->few, wall_s, out);
}

static void store_info(void *self, struct hsay_store_info *out)
{
    struct lab_store *store = self;
    uint64_t count = lab_store_count(store);
    struct hsay_position last = {.time = 0};
    if (count > 0)
        store_at_rank(store, count - 1, &last);
    *out = (struct hsay_store_info){
        .bundles = count,
        .bundle_bytes = store->bundle_bytes,
        .quota_bytes = store->quota_bytes,
        .disk_bytes = 0,
        .time_max = last.time,
        .full = store->full,
    };
}

static const struct hsay_store_ops store_ops = {
    .put = store_put,
    .get = store_get,
    .find = store_find,
    .find_short = store_find_short,
    .remove = store_remove,
    .sum = store_sum,
    .at_rank = store_at_rank,
    .rank_of = store_rank_of,
    .walk = store_walk,
    .next = store_next,
    .author_next = store_author_next,
    .author_before = store_author_before,
    .expired = store_expired,
    .commit = store_commit,
    .info = store_info,
};

struct hsay_store lab_store_port(struct lab_store *store)
{
    return (struct hsay_store){&store_ops, store};
}

/* --- for the simulator ----------------------------------------------------------------------- */

uint64_t lab_store_count(const struct lab_store *store)
{
    if (store->many != NULL)
        return hsay_store_index_count(&store->many->index);
    return lab_few_count(&store->few);
}

bool lab_store_holds(const struct lab_store *store, const struct hsay_digest *digest)
{
    uint32_t number;
    return find_number(store, digest, &number) == 0;
}

size_t lab_store_memory(const struct lab_store *store)
{
    size_t bytes = 0;
    if (store->many != NULL)
        bytes += lab_many_memory(store->many);
    bytes += lab_few_memory(&store->few);
    if (store->undo != NULL)
        bytes += sizeof *store->undo + store->undo->size * sizeof store->undo->note[0];
    return bytes;
}

void lab_store_init(struct lab_store *store, struct lab_depot *depot, uint64_t quota_bytes)
{
    *store = (struct lab_store){
        .few.depot = depot,
        .quota_bytes = quota_bytes,
        .few_max = LAB_STORE_FEW_MAX,
    };
}

void lab_store_free(struct lab_store *store)
{
    if (store->many != NULL)
        lab_many_free(store->many);
    free(store->many);
    free(store->undo);
    lab_few_free(&store->few);
    lab_store_init(store, store->few.depot, store->quota_bytes);
}
