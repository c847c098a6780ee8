/*
 * What the store on LMDB costs: CPU time of this thread, in microseconds a call.
 *
 * The folder lies below TMPDIR, else /tmp: it should be on a disk such as a node would have, since
 * the kernel's share of a commit is in the figures.  Waiting for the disk is not; store_commit_wall
 * says how long that takes.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "hearsay/crypto_sodium.h"
#include "hearsay/store_lmdb.h"

enum {
    BODY_BYTES = 300,
    BODIES = 100000,
    TURN = 300, /* puts in one commit */
    AUTHORS = 1000,
    MANY = 1000000,
    MANY_BODY_BYTES = 8, /* what is measured there does not read bodies */
    CLAIM_DIGESTS = 900,
    ANSWER_DIGESTS = 4096,
    ROUNDS = 2000,
};

static struct hsay_crypto crypto;
static struct hsay_lmdb *env;
static struct hsay_store store;
static char path[256];
static uint64_t random_state = 1;

static uint64_t random_next(void)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void check(int rc, const char *what)
{
    if (rc != 0)
        bench_fail("%s: error %d", what, rc);
}

static void open_overlay(uint64_t number)
{
    char why[256] = "";
    struct hsay_lmdb_options options = {.path = path};
    struct hsay_key overlay = {{0}};
    memcpy(overlay.byte, &number, sizeof number);
    if (env == NULL && hsay_lmdb_open(&env, &options, why, sizeof why) != 0)
        bench_fail("%s", why);
    check(hsay_store_lmdb_open(env, &overlay, 0, &crypto, &store, NULL), "open");
}

/* Bundle `number`; its body is that number, repeated. */
static void make(struct hsay_record *record, uint64_t *body, size_t size, uint64_t number)
{
    uint8_t id[HSAY_ID_BYTES];
    uint64_t author = number % AUTHORS * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < size / 8; i++)
        body[i] = number;
    memset(record, 0, sizeof *record);
    record->bytes = (struct hsay_span){(const uint8_t *)body, size};
    crypto.ops->hash(crypto.self, id, sizeof id, (struct hsay_span){NULL, 0}, &record->bytes, 1);
    memcpy(record->at.digest.byte, id, HSAY_DIGEST_BYTES);
    memcpy(record->author.byte, &author, sizeof author);
    record->sequence = number / AUTHORS;
}

/* Puts so many bundles, at times that are off from rising order by up to `jitter`.  Returns the CPU
 * seconds of put and commit alone. */
static double fill(uint64_t count, size_t size, uint64_t jitter, double *commit_wall)
{
    static struct hsay_record record[TURN];
    static uint64_t body[TURN][BODY_BYTES / 8 + 1];
    double seconds = 0;
    *commit_wall = 0;
    for (uint64_t i = 0; i < count; i += TURN) {
        uint64_t turn = count - i < TURN ? count - i : TURN;
        for (uint64_t j = 0; j < turn; j++) {
            make(&record[j], body[j], size, i + j);
            record[j].at.time = 1 + i + j + random_next() % jitter;
        }
        double start = bench_thread_seconds();
        for (uint64_t j = 0; j < turn; j++)
            check(store.ops->put(store.self, &record[j]), "put");
        double wall = bench_seconds();
        check(store.ops->commit(store.self), "commit");
        *commit_wall += bench_seconds() - wall;
        seconds += bench_thread_seconds() - start;
    }
    return seconds;
}

static void bench_put(const char *name, uint64_t overlay, uint64_t jitter)
{
    char label[64];
    double wall;
    size_t heap = mallinfo2().uordblks;
    open_overlay(overlay);
    double seconds = fill(BODIES, BODY_BYTES, jitter, &wall);
    bench_figure(name, 1e6 * seconds / BODIES, "us");

    struct hsay_store_info info;
    store.ops->info(store.self, &info);
    snprintf(label, sizeof label, "%s_disk", name);
    bench_figure(label, (double)info.disk_bytes / BODIES, "bytes");
    if (overlay == 1) {
        double commits = (double)BODIES / TURN;
        bench_figure("store_commit_wall_us", 1e6 * wall / commits, "us");
        bench_figure("store_heap_100k", (double)(mallinfo2().uordblks - heap) / 1048576, "MiB");
    }
}

static void bench_get(void)
{
    struct hsay_record record;
    struct hsay_position at;
    double start = bench_thread_seconds();
    for (int i = 0; i < BODIES; i++) {
        check(store.ops->at_rank(store.self, random_next() % BODIES, &at), "at_rank");
        check(store.ops->get(store.self, &at.digest, &record), "get");
    }
    bench_figure("store_get_us", 1e6 * (bench_thread_seconds() - start) / BODIES, "us");
    start = bench_thread_seconds();
    for (int i = 0; i < BODIES; i++) {
        memcpy(at.digest.byte, &(uint64_t){random_next()}, 8);
        if (store.ops->find(store.self, &at.digest, &at) == 0)
            bench_fail("found what is not there");
    }
    bench_figure("store_find_us", 1e6 * (bench_thread_seconds() - start) / BODIES, "us");
    hsay_lmdb_turn_end(env);
}

/* Walks `limit` items at the most; returns how many came. */
static uint64_t walk(const struct hsay_range *range, uint64_t limit, uint64_t *mix)
{
    struct hsay_cursor cursor;
    struct hsay_position at;
    uint32_t work = UINT32_MAX;
    uint64_t count = 0;
    check(store.ops->walk(store.self, range, random_next(), &cursor), "walk");
    while (count < limit && store.ops->next(store.self, &cursor, false, &work, &at, NULL) == 0) {
        *mix ^= at.digest.byte[7];
        count++;
    }
    return count;
}

static void bench_walk(void)
{
    struct hsay_range slice = {0, UINT64_MAX, MANY / CLAIM_DIGESTS, 0, HSAY_SLICE_DIGEST};
    struct hsay_range all = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    uint64_t count = 0, mix = 0;
    double start = bench_thread_seconds();
    for (int i = 0; i < ROUNDS; i++) {
        slice.offset = (uint32_t)(random_next() % slice.modulo);
        count += walk(&slice, MANY, &mix);
    }
    double seconds = bench_thread_seconds() - start;
    bench_figure("store_claim_900_us", 1e6 * seconds / (double)count * CLAIM_DIGESTS, "us");

    start = bench_thread_seconds();
    for (int i = 0; i < ROUNDS; i++)
        count += walk(&all, ANSWER_DIGESTS, &mix);
    bench_figure("store_answer_4096_us", 1e6 * (bench_thread_seconds() - start) / ROUNDS, "us");
    bench_note("%u", (unsigned)(mix + count)); /* so that no walk is optimised away */
}

static void bench_sum(const char *name, uint8_t slicing, uint32_t modulo)
{
    struct hsay_sum sum;
    double start = bench_thread_seconds();
    for (int i = 0; i < 10 * ROUNDS; i++) {
        struct hsay_range range = {0, UINT64_MAX, modulo, 0, slicing};
        range.offset = (uint32_t)(random_next() % modulo);
        if (slicing == HSAY_SLICE_NONE) {
            range.time_low = random_next() % MANY;
            range.time_high = range.time_low + random_next() % MANY;
        }
        check(store.ops->sum(store.self, &range, 0, &sum), name);
    }
    bench_figure(name, 1e6 * (bench_thread_seconds() - start) / (10 * ROUNDS), "us");
}

static void bench_rank(void)
{
    struct hsay_position at;
    uint64_t rank;
    double start = bench_thread_seconds();
    for (int i = 0; i < 10 * ROUNDS; i++)
        check(store.ops->at_rank(store.self, random_next() % MANY, &at), "at_rank");
    bench_figure("store_at_rank_us", 1e6 * (bench_thread_seconds() - start) / (10 * ROUNDS), "us");
    start = bench_thread_seconds();
    for (int i = 0; i < 10 * ROUNDS; i++) {
        at.time = random_next() % MANY;
        check(store.ops->rank_of(store.self, &at, &rank), "rank_of");
    }
    bench_figure("store_rank_of_us", 1e6 * (bench_thread_seconds() - start) / (10 * ROUNDS), "us");
}

static void bench_many(void)
{
    double wall;
    open_overlay(3);
    fill(MANY, MANY_BODY_BYTES, 1000, &wall);
    hsay_store_lmdb_close(&store);
    double start = bench_seconds();
    open_overlay(3);
    bench_figure("store_open_1m_ms", 1e3 * (bench_seconds() - start), "ms");
    bench_walk();
    bench_sum("store_sum_range_us", HSAY_SLICE_NONE, 1);
    bench_sum("store_sum_slice_us", HSAY_SLICE_DIGEST, MANY / CLAIM_DIGESTS);
    bench_rank();
}

static void remove_folder(void)
{
    static const char *const name[] = {"data.mdb", "lock.mdb", "hearsay.lock"};
    char file[300];
    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", path, name[i]);
        unlink(file);
    }
    rmdir(path);
}

int main(void)
{
    const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(path, sizeof path, "%s/hearsay-bench-XXXXXX", base);
    if (hsay_sodium_init() != 0 || mkdtemp(path) == NULL)
        bench_fail("cannot make a folder below %s", base);
    atexit(remove_folder);
    hsay_crypto_sodium(&crypto);

    bench_put("store_put", 1, 1000);
    bench_get();
    bench_put("store_put_any_time", 2, UINT32_MAX);
    bench_many();
    hsay_lmdb_close(env);
    return 0;
}
