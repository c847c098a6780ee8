/*
 * Goal of this test: each backend of the store port says at every moment what an array of bundles
 * would say.  The same body runs over all backends; seeds are fixed, and a failure names its seed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "hearsay/store_lmdb.h"
#include "src/lab/sim/store.h"
#include "src/port/store_mem.h"
#include "tests/store/fixture.h"

__extension__ typedef unsigned __int128 u128;

enum { BUNDLES = 400, STEPS = 1500, QUOTA_BYTES = 40000 };

struct backend {
    struct hsay_store store;
    const char *name;
    void (*open)(struct backend *, uint64_t quota_bytes);
    void (*close)(struct backend *);
    void (*crash)(struct backend *); /* what was not committed is lost */
    int (*commit_badly)(struct backend *);
    uint64_t quota_bytes;
    struct hsay_store_mem mem;
    struct hsay_lmdb *env;
    char path[64];
    struct lab_depot depot;
    struct lab_store lab;
    uint16_t few_max; /* how many bundles the simulator's store has in arrays */
};

static struct fixture_bundle bundle[BUNDLES];
static size_t bundle_count;
static uint64_t seed, random_state;

static uint64_t chance(uint64_t below)
{
    return fixture_random(&random_state) % below;
}

/* --- backends -------------------------------------------------------------------------------- */

static void mem_open(struct backend *b, uint64_t quota_bytes)
{
    hsay_store_mem_init(&b->mem, quota_bytes, fixture_crypto());
    b->store = hsay_store_mem_port(&b->mem);
}

static void mem_close(struct backend *b)
{
    hsay_store_mem_free(&b->mem);
}

static void mem_crash(struct backend *b)
{
    assert_int_equal(hsay_store_mem_crash(&b->mem), 0);
}

static int mem_commit_badly(struct backend *b)
{
    b->mem.fault = (struct hsay_store_mem_fault){0, 1, HSAY_ENOSPC};
    return b->store.ops->commit(b->store.self);
}

static void lmdb_open_again(struct backend *b)
{
    char why[256] = "";
    struct hsay_key overlay = fixture_author(99);
    uint64_t damaged;
    struct hsay_lmdb_options options = {.path = b->path, .map_bytes = 1 << 20, .turn_changes = 600};
    if (hsay_lmdb_open(&b->env, &options, why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(hsay_store_lmdb_open(b->env, &overlay, b->quota_bytes, fixture_crypto(),
                                          &b->store, &damaged),
                     0);
    assert_int_equal(damaged, 0);
}

static void lmdb_open(struct backend *b, uint64_t quota_bytes)
{
    fixture_folder_make(b->path);
    b->quota_bytes = quota_bytes;
    lmdb_open_again(b);
}

static void lmdb_close(struct backend *b)
{
    hsay_lmdb_close(b->env);
    fixture_folder_remove(b->path);
}

static void lmdb_crash(struct backend *b)
{
    hsay_lmdb_close(b->env);
    lmdb_open_again(b);
}

/* No write to any file succeeds, as on a full disk. */
static int lmdb_commit_badly(struct backend *b)
{
    struct rlimit old, none;
    getrlimit(RLIMIT_FSIZE, &old);
    none = old;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &none);
    int rc = b->store.ops->commit(b->store.self);
    setrlimit(RLIMIT_FSIZE, &old);
    return rc;
}

/* Bodies are not checked: one test makes digests of its own. */
static void lab_open(struct backend *b, uint64_t quota_bytes)
{
    lab_depot_init(&b->depot, NULL);
    lab_store_init(&b->lab, &b->depot, quota_bytes);
    b->lab.few_max = b->few_max;
    b->store = lab_store_port(&b->lab);
}

static void lab_close(struct backend *b)
{
    lab_store_free(&b->lab);
    lab_depot_free(&b->depot);
}

static void lab_crash(struct backend *b)
{
    assert_int_equal(lab_store_crash(&b->lab), 0);
}

static int lab_commit_badly(struct backend *b)
{
    struct hsay_store_mem_fault fault = {0, 1, HSAY_ENOSPC};
    b->lab.fault = &fault;
    int rc = b->store.ops->commit(b->store.self);
    b->lab.fault = NULL;
    return rc;
}

enum { MEM, LMDB, LAB_MANY, LAB_FEW };

static struct backend backends[] = {
    [MEM] = {.name = "mem",
             .open = mem_open,
             .close = mem_close,
             .crash = mem_crash,
             .commit_badly = mem_commit_badly},
    [LMDB] = {.name = "lmdb",
              .open = lmdb_open,
              .close = lmdb_close,
              .crash = lmdb_crash,
              .commit_badly = lmdb_commit_badly},
    [LAB_MANY] = {.name = "lab in trees",
                  .open = lab_open,
                  .close = lab_close,
                  .crash = lab_crash,
                  .commit_badly = lab_commit_badly,
                  .few_max = 30},
    [LAB_FEW] = {.name = "lab in arrays",
                 .open = lab_open,
                 .close = lab_close,
                 .crash = lab_crash,
                 .commit_badly = lab_commit_badly,
                 .few_max = LAB_STORE_FEW_MAX},
};

/* --- the model ------------------------------------------------------------------------------- */

static uint64_t digest_head(const struct hsay_position *at)
{
    uint64_t head = 0;
    for (int i = 0; i < 8; i++)
        head = head << 8 | at->digest.byte[i];
    return head;
}

static int position_compare(const struct hsay_position *a, const struct hsay_position *b)
{
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return memcmp(&a->digest, &b->digest, sizeof a->digest);
}

static bool in_range(const struct hsay_range *range, const struct hsay_position *at)
{
    if (at->time < range->time_low || at->time > range->time_high)
        return false;
    if (range->slicing == HSAY_SLICE_DIGEST)
        return (uint64_t)((u128)digest_head(at) * range->modulo >> 64) == range->offset;
    if (range->slicing == HSAY_SLICE_TIME)
        return (uint64_t)(((u128)at->time + range->offset) % range->modulo) == 0;
    return true;
}

static uint8_t sort_slicing;

static int sort_compare(const void *left, const void *right)
{
    const struct hsay_position *a = left, *b = right;
    if (sort_slicing == HSAY_SLICE_DIGEST)
        return memcmp(&a->digest, &b->digest, sizeof a->digest);
    return position_compare(a, b);
}

/* The held bundles of a range, in the order of its walk. */
static size_t model_walk(const struct hsay_range *range, struct hsay_position *out)
{
    size_t count = 0;
    for (size_t i = 0; i < bundle_count; i++) {
        if (bundle[i].held && in_range(range, &bundle[i].record.at))
            out[count++] = bundle[i].record.at;
    }
    sort_slicing = range->slicing;
    qsort(out, count, sizeof *out, sort_compare);
    return count;
}

static struct hsay_sum model_sum(const struct hsay_position *at, size_t count)
{
    struct hsay_sum sum = {count, 0, 0};
    for (size_t i = 0; i < count; i++) {
        u128 all = (u128)sum.high << 64 | sum.low, one = 0;
        for (int j = 0; j < HSAY_DIGEST_BYTES; j++)
            one = one << 8 | at[i].digest.byte[j];
        all += one;
        sum.high = (uint64_t)(all >> 64);
        sum.low = (uint64_t)all;
    }
    return sum;
}

static struct fixture_bundle *model_find(const struct hsay_digest *digest)
{
    for (size_t i = 0; i < bundle_count; i++) {
        if (memcmp(&bundle[i].record.at.digest, digest, sizeof *digest) == 0)
            return &bundle[i];
    }
    return NULL;
}

static uint64_t model_bytes(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < bundle_count; i++)
        bytes += bundle[i].held ? bundle[i].size : 0;
    return bytes;
}

/* --- checks ---------------------------------------------------------------------------------- */

static void check_record(const struct hsay_record *got, const struct hsay_position *at,
                         bool with_bytes)
{
    const struct fixture_bundle *want = model_find(&at->digest);
    assert_non_null(want);
    assert_true(want->held);
    assert_int_equal(position_compare(&got->at, &want->record.at), 0);
    assert_memory_equal(&got->author, &want->record.author, sizeof got->author);
    assert_int_equal(got->sequence, want->record.sequence);
    assert_int_equal(got->expiry_s, want->record.expiry_s);
    assert_int_equal(got->flags, want->record.flags);
    assert_int_equal(got->bytes.size, with_bytes ? want->size : 0);
    if (with_bytes)
        assert_memory_equal(got->bytes.data, want->bytes, want->size);
}

static void check_points(const struct backend *b)
{
    const struct hsay_store_ops *ops = b->store.ops;
    void *self = b->store.self;
    struct hsay_position order[BUNDLES], at;
    struct hsay_range all = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    size_t count = model_walk(&all, order);
    struct hsay_record record;

    for (size_t i = 0; i < bundle_count; i++) {
        const struct hsay_digest *digest = &bundle[i].record.at.digest;
        int want = bundle[i].held ? 0 : HSAY_ENOENT;
        assert_int_equal(ops->find(self, digest, &at), want);
        assert_int_equal(ops->get(self, digest, &record), want);
        if (want != 0)
            continue;
        assert_int_equal(position_compare(&at, &bundle[i].record.at), 0);
        check_record(&record, &at, true);
        assert_int_equal(ops->find_short(self, digest_head(&at), &at), 0);
        assert_int_equal(position_compare(&at, &bundle[i].record.at), 0);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t rank;
        assert_int_equal(ops->at_rank(self, i, &at), 0);
        assert_int_equal(position_compare(&at, &order[i]), 0);
        assert_int_equal(ops->rank_of(self, &order[i], &rank), 0);
        assert_int_equal(rank, i);
    }
    assert_int_equal(ops->at_rank(self, count, &at), HSAY_ENOENT);

    struct hsay_store_info info;
    ops->info(self, &info);
    assert_int_equal(info.bundles, count);
    assert_int_equal(info.bundle_bytes, model_bytes());
    assert_int_equal(info.time_max, count == 0 ? 0 : order[count - 1].time);
}

/* All of a walk, with a budget of `budget` misses at a time; counts the misses. */
static size_t walk_all(const struct backend *b, const struct hsay_range *range, uint64_t skip,
                       uint32_t budget, bool want_bytes, struct hsay_position *out)
{
    struct hsay_cursor cursor;
    struct hsay_record record;
    size_t count = 0, resumed = 0;
    uint32_t work = budget;
    assert_int_equal(b->store.ops->walk(b->store.self, range, skip, &cursor), 0);
    for (;;) {
        uint64_t left = cursor.left;
        int rc = b->store.ops->next(b->store.self, &cursor, want_bytes, &work, &out[count],
                                    want_bytes ? &record : NULL);
        if (rc == HSAY_ENOENT)
            break;
        if (rc == HSAY_EBUDGET) {
            assert_int_equal(work, 0);
            assert_true(++resumed <= BUNDLES);
            work = budget;
            continue;
        }
        assert_int_equal(rc, 0);
        assert_true(work <= budget);
        assert_true(cursor.left == UINT64_MAX ? left == UINT64_MAX : cursor.left == left - 1);
        if (want_bytes)
            check_record(&record, &out[count], true);
        assert_true(++count <= BUNDLES);
    }
    assert_int_equal(cursor.left, 0);
    return count;
}

/* Each item exactly once, in the order of the model but for where it begins. */
static size_t check_walk(const struct backend *b, const struct hsay_range *range)
{
    struct hsay_position want[BUNDLES + 1], got[BUNDLES + 1];
    size_t count = model_walk(range, want);
    uint64_t skip = chance(3) == 0 ? 0 : fixture_random(&random_state);
    bool known = range->slicing == HSAY_SLICE_NONE;
    size_t got_count = walk_all(b, range, skip, 1 + (uint32_t)chance(30), chance(8) == 0, got);
    assert_int_equal(got_count, count);
    if (count > 0) {
        size_t first = 0;
        while (first < count && position_compare(&want[first], &got[0]) != 0)
            first++;
        if (known || skip == 0)
            assert_int_equal(first, skip % count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(position_compare(&want[(first + i) % count], &got[i]), 0);
    }

    struct hsay_sum sum, sum_want = model_sum(want, count);
    assert_int_equal(b->store.ops->sum(b->store.self, range, BUNDLES * 4, &sum), 0);
    assert_memory_equal(&sum, &sum_want, sizeof sum);
    if (known)
        assert_int_equal(b->store.ops->sum(b->store.self, range, 0, &sum), 0);
    return count;
}

static struct hsay_range random_times(void)
{
    struct hsay_range range = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    if (chance(3) > 0) {
        range.time_low = chance(70);
        range.time_high = chance(8) == 0 ? chance(70) : range.time_low + chance(50);
    }
    return range;
}

/* The slices of every modulo are disjoint and their union is the range. */
static void check_slices(const struct backend *b)
{
    static const uint32_t modulo[] = {1, 2, 3, 7, 16, 61, 100};
    for (int i = 0; i < 4; i++) {
        struct hsay_range range = random_times();
        size_t whole = check_walk(b, &range);
        for (uint8_t slicing = HSAY_SLICE_DIGEST; slicing <= HSAY_SLICE_TIME; slicing++) {
            range.slicing = slicing;
            range.modulo = modulo[chance(sizeof modulo / sizeof modulo[0])];
            size_t parts = 0;
            for (range.offset = 0; range.offset < range.modulo; range.offset++)
                parts += check_walk(b, &range);
            assert_int_equal(parts, whole);
        }
        range.modulo = HSAY_MODULO_MAX - (uint32_t)chance(2);
        for (int j = 0; j < 6; j++) {
            range.slicing = (uint8_t)(HSAY_SLICE_DIGEST + chance(2));
            range.offset = (uint32_t)chance(range.modulo);
            if (bundle_count > 0 && range.slicing == HSAY_SLICE_DIGEST)
                range.offset =
                    (uint32_t)((u128)digest_head(&bundle[chance(bundle_count)].record.at) *
                                   range.modulo >>
                               64);
            check_walk(b, &range);
        }
    }
}

static int author_compare(const struct hsay_record *a, const struct hsay_record *b)
{
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return memcmp(&a->at.digest, &b->at.digest, sizeof a->at.digest);
}

static void check_author(const struct backend *b, const struct hsay_key *author)
{
    size_t want = 0, got = 0;
    for (size_t i = 0; i < bundle_count; i++)
        want += bundle[i].held && memcmp(&bundle[i].record.author, author, sizeof *author) == 0;

    struct hsay_record record, last = {.sequence = 0};
    uint64_t sequence, time, last_time = 0;
    int rc = b->store.ops->author_next(b->store.self, author, 0, NULL, &record);
    while (rc == 0) {
        assert_memory_equal(&record.author, author, sizeof *author);
        check_record(&record, &record.at, true);
        bool same = got > 0 && record.sequence == last.sequence;
        int before =
            b->store.ops->author_before(b->store.self, author, record.sequence, &sequence, &time);
        if (got > 0)
            assert_true(author_compare(&last, &record) < 0);
        if (got > 0 && !same) {
            assert_int_equal(before, 0);
            assert_int_equal(sequence, last.sequence);
            assert_int_equal(time, last_time);
        }
        last_time = same && last_time > record.at.time ? last_time : record.at.time;
        last = record;
        got++;
        rc = b->store.ops->author_next(b->store.self, author, last.sequence, &last.at.digest,
                                       &record);
    }
    assert_int_equal(rc, HSAY_ENOENT);
    assert_int_equal(got, want);
    rc = b->store.ops->author_before(b->store.self, author, UINT64_MAX, &sequence, &time);
    assert_int_equal(rc, want == 0 ? HSAY_ENOENT : 0);
    if (want > 0) {
        assert_int_equal(sequence, last.sequence);
        assert_int_equal(time, last_time);
    }
    assert_int_equal(b->store.ops->author_before(b->store.self, author, 0, &sequence, &time),
                     HSAY_ENOENT);
}

static void check_expired(const struct backend *b)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < bundle_count; i++) {
        uint64_t expiry_s = bundle[i].record.expiry_s;
        if (bundle[i].held && expiry_s != 0 && expiry_s < lowest)
            lowest = expiry_s;
    }
    struct hsay_record record;
    assert_int_equal(b->store.ops->expired(b->store.self, 999, &record), HSAY_ENOENT);
    if (lowest == UINT64_MAX) {
        assert_int_equal(b->store.ops->expired(b->store.self, UINT64_MAX, &record), HSAY_ENOENT);
        return;
    }
    assert_int_equal(b->store.ops->expired(b->store.self, lowest - 1, &record), HSAY_ENOENT);
    assert_int_equal(b->store.ops->expired(b->store.self, lowest, &record), 0);
    assert_int_equal(record.expiry_s, lowest);
    check_record(&record, &record.at, false);
}

static void check_all(const struct backend *b)
{
    check_points(b);
    check_slices(b);
    for (uint64_t i = 0; i < 7; i++) {
        struct hsay_key author = fixture_author(i);
        check_author(b, &author);
    }
    check_expired(b);
}

/* --- the suite ------------------------------------------------------------------------------- */

static void step_put(struct backend *b)
{
    struct fixture_bundle *one = &bundle[chance(bundle_count)];
    if (bundle_count < BUNDLES && chance(2) == 0) {
        one = &bundle[bundle_count++];
        fixture_bundle_make(one, &random_state);
    }
    int want = one->held ? HSAY_EEXIST : 0;
    if (want == 0 && b->quota_bytes != 0 && model_bytes() + one->size > b->quota_bytes)
        want = HSAY_ENOSPC;
    assert_int_equal(b->store.ops->put(b->store.self, fixture_record(one)), want);
    if (want == 0)
        one->held = true;

    struct hsay_store_info info;
    b->store.ops->info(b->store.self, &info);
    if (want != HSAY_EEXIST)
        assert_int_equal(info.full, want == HSAY_ENOSPC);
}

static void step_remove(struct backend *b)
{
    struct fixture_bundle *one = &bundle[chance(bundle_count)];
    assert_int_equal(b->store.ops->remove(b->store.self, &one->record.at.digest),
                     one->held ? 0 : HSAY_ENOENT);
    one->held = false;
}

static void step_expire(struct backend *b)
{
    struct hsay_record record;
    uint64_t wall_s = 1000 + chance(50);
    while (b->store.ops->expired(b->store.self, wall_s, &record) == 0) {
        assert_in_range(record.expiry_s, 1, wall_s);
        struct fixture_bundle *one = model_find(&record.at.digest);
        assert_non_null(one);
        assert_true(one->held);
        assert_int_equal(b->store.ops->remove(b->store.self, &record.at.digest), 0);
        one->held = false;
    }
    for (size_t i = 0; i < bundle_count; i++)
        assert_false(bundle[i].held && bundle[i].record.expiry_s != 0 &&
                     bundle[i].record.expiry_s <= wall_s);
}

static bool model_is_dirty(void)
{
    for (size_t i = 0; i < bundle_count; i++) {
        if (bundle[i].held != bundle[i].committed)
            return true;
    }
    return false;
}

static void step_end(struct backend *b)
{
    uint64_t kind = chance(10);
    if (kind < 7) {
        assert_int_equal(b->store.ops->commit(b->store.self), 0);
        for (size_t i = 0; i < bundle_count; i++)
            bundle[i].committed = bundle[i].held;
        return;
    }
    if (kind == 7)
        b->crash(b);
    else if (model_is_dirty())
        assert_int_equal(b->commit_badly(b), HSAY_ENOSPC);
    else
        return;
    for (size_t i = 0; i < bundle_count; i++)
        bundle[i].held = bundle[i].committed;
}

static void run(struct backend *b, uint64_t run_seed, uint64_t quota_bytes)
{
    seed = random_state = run_seed;
    printf("%s seed=%llu\n", b->name, (unsigned long long)seed);
    fflush(stdout);
    b->open(b, quota_bytes);
    b->quota_bytes = quota_bytes;
    bundle_count = 0;
    check_all(b); /* an empty store */
    bundle_count = 1;
    fixture_bundle_make(&bundle[0], &random_state);
    for (int step = 0; step < STEPS; step++) {
        uint64_t kind = chance(100);
        if (kind < 70)
            step_put(b);
        else if (kind < 90)
            step_remove(b);
        else if (kind < 91)
            step_expire(b);
        else
            step_end(b);
        if (step % 60 == 59)
            check_all(b);
    }
    b->close(b);
}

static void test_model(void **state)
{
    static const uint64_t seeds[] = {1, 2, 3, 1202, 77001};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++)
        run(*state, seeds[i], i % 2 == 0 ? 0 : QUOTA_BYTES);
}

/* Digests and times on the very edges, which hashes and clocks never hit.  Bodies are not read. */
static void test_slice_edges(void **state)
{
    struct backend *b = *state;
    static const uint32_t modulo[] = {2, 3, 7, 1000, 65535, 65536};
    random_state = 9;
    b->open(b, 0);
    bundle_count = 0;
    for (size_t i = 0; i < sizeof modulo / sizeof modulo[0]; i++) {
        for (uint32_t j = 0; j < 12; j++) {
            uint32_t offset = j < 4 ? j % modulo[i] : modulo[i] - 1 - j % modulo[i];
            uint64_t head = (uint64_t)((((u128)offset << 64) + modulo[i] - 1) / modulo[i]) - j % 2;
            struct fixture_bundle *one = &bundle[bundle_count++];
            fixture_bundle_make(one, &random_state);
            for (int k = 0; k < 8; k++)
                one->record.at.digest.byte[k] = (uint8_t)(head >> (56 - 8 * k));
            if (j % 3 == 0)
                one->record.at.time = UINT64_MAX - one->record.at.time;
            assert_int_equal(b->store.ops->put(b->store.self, fixture_record(one)), 0);
            one->held = true;
        }
    }
    for (size_t i = 0; i < sizeof modulo / sizeof modulo[0]; i++) {
        struct hsay_range range = {0, UINT64_MAX, modulo[i], 0, HSAY_SLICE_DIGEST};
        for (size_t j = 0; j < bundle_count; j++) {
            struct hsay_position want[BUNDLES], got[BUNDLES];
            range.offset = (uint32_t)((u128)digest_head(&bundle[j].record.at) * modulo[i] >> 64);
            size_t count = model_walk(&range, want);
            assert_int_equal(walk_all(b, &range, 0, 0, false, got), count);
            assert_memory_equal(got, want, count * sizeof got[0]);
            struct hsay_sum sum, sum_want = model_sum(want, count);
            assert_int_equal(b->store.ops->sum(b->store.self, &range, 0, &sum), 0);
            assert_memory_equal(&sum, &sum_want, sizeof sum);
        }
        range.slicing = HSAY_SLICE_TIME;
        for (range.offset = 0; range.offset < 60 && range.offset < range.modulo; range.offset++) {
            struct hsay_position want[BUNDLES], got[BUNDLES];
            size_t count = model_walk(&range, want);
            assert_int_equal(walk_all(b, &range, 0, 9, false, got), count);
            assert_memory_equal(got, want, count * sizeof got[0]);
        }
    }
    b->close(b);
}

/* What is refused, and work that is bounded. */
static void test_bounds(void **state)
{
    struct backend *b = *state;
    random_state = 4;
    b->open(b, 0);
    bundle_count = 0;
    while (bundle_count < 200) {
        struct fixture_bundle *one = &bundle[bundle_count++];
        fixture_bundle_make(one, &random_state);
        one->record.at.time = 100 + bundle_count;
        assert_int_equal(b->store.ops->put(b->store.self, fixture_record(one)), 0);
    }
    static const struct hsay_range bad[] = {
        {0, UINT64_MAX, 0, 0, HSAY_SLICE_DIGEST},
        {0, UINT64_MAX, 3, 3, HSAY_SLICE_DIGEST},
        {0, UINT64_MAX, 0, 0, HSAY_SLICE_TIME},
        {0, UINT64_MAX, 65537, 0, HSAY_SLICE_TIME},
        {0, UINT64_MAX, 1, 0, 3},
    };
    struct hsay_cursor cursor;
    struct hsay_sum sum;
    struct hsay_position at;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(b->store.ops->walk(b->store.self, &bad[i], 0, &cursor), HSAY_EINVAL);
        assert_int_equal(b->store.ops->sum(b->store.self, &bad[i], 9, &sum), HSAY_EINVAL);
    }

    /* A slice that the time range leaves nothing of: 99 or so items are passed over. */
    struct hsay_range cut = {500, 600, 2, 0, HSAY_SLICE_DIGEST};
    uint32_t work = 10;
    assert_int_equal(b->store.ops->walk(b->store.self, &cut, 3, &cursor), 0);
    assert_int_equal(b->store.ops->next(b->store.self, &cursor, false, &work, &at, NULL),
                     HSAY_EBUDGET);
    assert_int_equal(work, 0);
    work = 1000;
    assert_int_equal(b->store.ops->next(b->store.self, &cursor, false, &work, &at, NULL),
                     HSAY_ENOENT);
    assert_in_range(work, 850, 950);
    assert_int_equal(b->store.ops->sum(b->store.self, &cut, 0, &sum), 0);
    cut.time_low = 102;
    assert_int_equal(b->store.ops->sum(b->store.self, &cut, 50, &sum), HSAY_EBUDGET);
    assert_int_equal(b->store.ops->sum(b->store.self, &cut, 150, &sum), 0);

    /* Leaps: one in 50 times fits, and a miss is passed over with all up to the next. */
    struct hsay_range leaps = {0, UINT64_MAX, 50, 0, HSAY_SLICE_TIME};
    work = 6;
    assert_int_equal(b->store.ops->walk(b->store.self, &leaps, 0, &cursor), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(b->store.ops->next(b->store.self, &cursor, false, &work, &at, NULL), 0);
        assert_int_equal(at.time, 150 + 50 * i);
    }
    assert_int_equal(b->store.ops->next(b->store.self, &cursor, false, &work, &at, NULL),
                     HSAY_ENOENT);
    assert_int_equal(b->store.ops->sum(b->store.self, &leaps, 8, &sum), 0);
    assert_int_equal(sum.count, 4);
    assert_int_equal(b->store.ops->sum(b->store.self, &leaps, 6, &sum), HSAY_EBUDGET);

    /* A cursor does not outlive a change. */
    assert_int_equal(b->store.ops->walk(b->store.self, &leaps, 0, &cursor), 0);
    assert_int_equal(b->store.ops->remove(b->store.self, &bundle[7].record.at.digest), 0);
    assert_int_equal(b->store.ops->next(b->store.self, &cursor, false, &work, &at, NULL),
                     HSAY_EINVAL);
    b->close(b);
}

/* An index without memory refuses the put, and nothing has changed. */
static void test_out_of_memory(void **state)
{
    struct backend *b = *state;
    size_t refused = 0;
    random_state = 5;
    b->open(b, 0);
    bundle_count = 0;
    while (bundle_count < BUNDLES) {
        struct fixture_bundle *one = &bundle[bundle_count++];
        fixture_bundle_make(one, &random_state);
        for (unsigned countdown = 1; !one->held; countdown++) {
            hsay_ordset_fail_alloc(countdown);
            int rc = b->store.ops->put(b->store.self, fixture_record(one));
            hsay_ordset_fail_alloc(0);
            assert_true(rc == 0 || rc == HSAY_ENOMEM);
            one->held = rc == 0;
            if (rc != 0 && refused++ % 4 == 0)
                check_all(b);
        }
    }
    assert_true(refused > 8);
    check_all(b);
    assert_int_equal(b->store.ops->commit(b->store.self), 0);
    b->crash(b);
    check_all(b);
    b->close(b);
}

/* What the store in memory does on demand. */
static void test_mem_faults(void **state)
{
    struct backend *b = *state;
    struct hsay_record record;
    random_state = 6;
    b->open(b, 0);
    fixture_bundle_make(&bundle[0], &random_state);
    fixture_bundle_make(&bundle[1], &random_state);
    b->mem.fault = (struct hsay_store_mem_fault){2, 0, HSAY_ENOSPC};
    assert_int_equal(b->store.ops->put(b->store.self, fixture_record(&bundle[0])), 0);
    assert_int_equal(b->store.ops->put(b->store.self, fixture_record(&bundle[1])), HSAY_ENOSPC);
    assert_int_equal(b->store.ops->put(b->store.self, fixture_record(&bundle[1])), 0);
    assert_int_equal(b->store.ops->commit(b->store.self), 0);

    const struct hsay_digest *digest = &bundle[0].record.at.digest;
    assert_int_equal(hsay_store_mem_damage(&b->mem, digest), 0);
    assert_int_equal(b->store.ops->get(b->store.self, digest, &record), HSAY_ECORRUPT);
    assert_int_equal(b->store.ops->get(b->store.self, &bundle[1].record.at.digest, &record), 0);

    b->mem.fault = (struct hsay_store_mem_fault){0, 1, HSAY_ESTORE};
    assert_int_equal(b->store.ops->commit(b->store.self), HSAY_ESTORE);
    assert_int_equal(b->store.ops->remove(b->store.self, digest), HSAY_ESTORE);
    b->close(b);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_model, &backends[MEM]),
        cmocka_unit_test_prestate(test_model, &backends[LMDB]),
        cmocka_unit_test_prestate(test_model, &backends[LAB_MANY]),
        cmocka_unit_test_prestate(test_model, &backends[LAB_FEW]),
        cmocka_unit_test_prestate(test_slice_edges, &backends[MEM]),
        cmocka_unit_test_prestate(test_slice_edges, &backends[LMDB]),
        cmocka_unit_test_prestate(test_slice_edges, &backends[LAB_MANY]),
        cmocka_unit_test_prestate(test_slice_edges, &backends[LAB_FEW]),
        cmocka_unit_test_prestate(test_bounds, &backends[MEM]),
        cmocka_unit_test_prestate(test_bounds, &backends[LMDB]),
        cmocka_unit_test_prestate(test_bounds, &backends[LAB_MANY]),
        cmocka_unit_test_prestate(test_bounds, &backends[LAB_FEW]),
        cmocka_unit_test_prestate(test_out_of_memory, &backends[MEM]),
        cmocka_unit_test_prestate(test_out_of_memory, &backends[LMDB]),
        cmocka_unit_test_prestate(test_out_of_memory, &backends[LAB_MANY]),
        cmocka_unit_test_prestate(test_mem_faults, &backends[MEM]),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
