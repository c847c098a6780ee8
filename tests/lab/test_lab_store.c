/*
 * Goal of this test: the simulator's store answers the same whether it is in its arrays or in its
 * trees, and the same as the store in memory, to the last count of work; and the depot below it
 * holds each bundle once, whichever thread came first.  (What a store must answer at all is held
 * against a model by the conformance suite.)
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/lab/sim/chance.h"
#include "src/lab/sim/store.h"
#include "tests/store/fixture.h"

enum { BUNDLES = 90, STEPS = 2500, TRIALS = 6 };

/* The same store three times: in arrays, in trees, and the one to compare with. */
struct trio {
    struct lab_depot depot;
    struct lab_store few, many;
    struct hsay_store_mem mem;
    struct hsay_store_mem_fault fault[2];
    struct hsay_store store[3];
};

enum { FEW, MANY, MEM, STORES };

static struct fixture_bundle bundle[BUNDLES];
static struct lab_chance chance;

static uint64_t below(uint64_t bound)
{
    return lab_chance_below(&chance, bound);
}

static void trio_open(struct trio *t, uint64_t quota_bytes)
{
    lab_depot_init(&t->depot, fixture_crypto());
    lab_store_init(&t->few, &t->depot, quota_bytes);
    lab_store_init(&t->many, &t->depot, quota_bytes);
    t->many.few_max = 0;
    t->few.fault = &t->fault[FEW];
    t->many.fault = &t->fault[MANY];
    memset(t->fault, 0, sizeof t->fault);
    hsay_store_mem_init(&t->mem, quota_bytes, fixture_crypto());
    t->store[FEW] = lab_store_port(&t->few);
    t->store[MANY] = lab_store_port(&t->many);
    t->store[MEM] = hsay_store_mem_port(&t->mem);
}

static void trio_close(struct trio *t)
{
    lab_store_free(&t->few);
    lab_store_free(&t->many);
    hsay_store_mem_free(&t->mem);
    lab_depot_free(&t->depot);
}

/* --- one question to all three --------------------------------------------------------------- */

#define ASK(t, rc, call, ...)                                                                      \
    for (int s = 0; s < STORES; s++)                                                               \
    (rc)[s] = (t)->store[s].ops->call((t)->store[s].self, __VA_ARGS__)

static int same_code(const int *rc)
{
    assert_int_equal(rc[FEW], rc[MEM]);
    assert_int_equal(rc[MANY], rc[MEM]);
    return rc[MEM];
}

static void same_record(const struct hsay_record *a, const struct hsay_record *b)
{
    assert_int_equal(a->at.time, b->at.time);
    assert_memory_equal(&a->at.digest, &b->at.digest, sizeof a->at.digest);
    assert_memory_equal(&a->author, &b->author, sizeof a->author);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->expiry_s, b->expiry_s);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->bytes.size, b->bytes.size);
    if (a->bytes.size > 0)
        assert_memory_equal(a->bytes.data, b->bytes.data, a->bytes.size);
}

static void same_records(const struct hsay_record *record)
{
    same_record(&record[FEW], &record[MEM]);
    same_record(&record[MANY], &record[MEM]);
}

static void same_positions(const struct hsay_position *at)
{
    assert_memory_equal(&at[FEW], &at[MEM], sizeof *at);
    assert_memory_equal(&at[MANY], &at[MEM], sizeof *at);
}

static void same_points(struct trio *t)
{
    struct hsay_record record[STORES];
    struct hsay_position at[STORES];
    uint64_t rank[STORES];
    int rc[STORES];
    const struct fixture_bundle *one = &bundle[below(BUNDLES)];
    const struct hsay_digest *digest = &one->record.at.digest;
    ASK(t, rc, get, digest, &record[s]);
    if (same_code(rc) == 0)
        same_records(record);
    ASK(t, rc, find, digest, &at[s]);
    if (same_code(rc) == 0)
        same_positions(at);

    uint64_t head = 0;
    for (int i = 0; i < 8; i++)
        head = head << 8 | digest->byte[i];
    head += below(4) == 0;
    ASK(t, rc, find_short, head, &at[s]);
    if (same_code(rc) == 0)
        same_positions(at);

    uint64_t number = below(BUNDLES);
    ASK(t, rc, at_rank, number, &at[s]);
    if (same_code(rc) == 0)
        same_positions(at);
    ASK(t, rc, rank_of, &one->record.at, &rank[s]);
    same_code(rc);
    assert_int_equal(rank[FEW], rank[MEM]);
    assert_int_equal(rank[MANY], rank[MEM]);
    assert_int_equal(lab_store_holds(&t->few, digest), lab_store_holds(&t->many, digest));
}

static void same_authors(struct trio *t)
{
    struct hsay_record record[STORES];
    uint64_t sequence[STORES], time[STORES];
    int rc[STORES];
    struct hsay_key author = fixture_author(below(7));
    uint64_t bound = below(8) == 0 ? UINT64_MAX : below(42);
    ASK(t, rc, author_before, &author, bound, &sequence[s], &time[s]);
    if (same_code(rc) == 0) {
        assert_int_equal(sequence[FEW], sequence[MEM]);
        assert_int_equal(sequence[MANY], sequence[MEM]);
        assert_int_equal(time[FEW], time[MEM]);
        assert_int_equal(time[MANY], time[MEM]);
    }

    /* all that follow, and once with a digest of somebody else */
    struct hsay_digest after = bundle[below(BUNDLES)].record.at.digest;
    bool with_after = below(2) == 0;
    bound = below(42);
    for (;;) {
        ASK(t, rc, author_next, &author, bound, with_after ? &after : NULL, &record[s]);
        if (same_code(rc) != 0)
            break;
        same_records(record);
        after = record[MEM].at.digest;
        bound = record[MEM].sequence;
        with_after = true;
    }

    uint64_t wall_s = 995 + below(60);
    ASK(t, rc, expired, wall_s, &record[s]);
    if (same_code(rc) == 0)
        same_records(record);
}

static struct hsay_range random_range(void)
{
    static const uint32_t modulo[] = {1, 2, 3, 5, 16, 61, 1000, HSAY_MODULO_MAX};
    struct hsay_range range = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    if (below(3) > 0) {
        range.time_low = below(70);
        range.time_high = below(8) == 0 ? below(70) : range.time_low + below(50);
    }
    range.slicing = (uint8_t)below(3);
    if (range.slicing != HSAY_SLICE_NONE)
        range.modulo = modulo[below(sizeof modulo / sizeof modulo[0])];
    range.offset = (uint32_t)below(range.modulo + (below(50) == 0));
    return range;
}

static void same_sums(struct trio *t)
{
    struct hsay_range range = random_range();
    struct hsay_sum sum[STORES];
    int rc[STORES];
    uint64_t work_max = below(2) == 0 ? below(12) : below(BUNDLES);
    ASK(t, rc, sum, &range, work_max, &sum[s]);
    if (same_code(rc) != 0)
        return;
    assert_memory_equal(&sum[FEW], &sum[MEM], sizeof *sum);
    assert_memory_equal(&sum[MANY], &sum[MEM], sizeof *sum);
}

/* To the end, and once more. */
static void same_walks(struct trio *t)
{
    struct hsay_range range = random_range();
    struct hsay_cursor cursor[STORES];
    struct hsay_position at[STORES];
    struct hsay_record record[STORES];
    int rc[STORES];
    uint32_t work[STORES];
    uint64_t skip = below(3) == 0 ? 0 : lab_chance_next(&chance);
    ASK(t, rc, walk, &range, skip, &cursor[s]);
    for (int ends = same_code(rc) == 0 ? 0 : 2, turns = 0; ends < 2; turns++) {
        assert_true(turns < 4 * BUNDLES);
        bool want_bytes = below(4) == 0;
        work[FEW] = work[MANY] = work[MEM] = (uint32_t)below(6) + 1;
        ASK(t, rc, next, &cursor[s], want_bytes, &work[s], &at[s], &record[s]);
        same_code(rc);
        assert_int_equal(work[FEW], work[MEM]);
        assert_int_equal(work[MANY], work[MEM]);
        assert_int_equal(cursor[FEW].left, cursor[MEM].left);
        assert_int_equal(cursor[MANY].left, cursor[MEM].left);
        if (rc[MEM] == 0) {
            same_positions(at);
            if (want_bytes)
                same_records(record);
        }
        ends += rc[MEM] == HSAY_ENOENT;
    }
}

static void same_info(struct trio *t)
{
    struct hsay_store_info info[STORES];
    for (int s = 0; s < STORES; s++)
        t->store[s].ops->info(t->store[s].self, &info[s]);
    for (int s = FEW; s <= MANY; s++) {
        assert_int_equal(info[s].bundles, info[MEM].bundles);
        assert_int_equal(info[s].bundle_bytes, info[MEM].bundle_bytes);
        assert_int_equal(info[s].quota_bytes, info[MEM].quota_bytes);
        assert_int_equal(info[s].disk_bytes, info[MEM].disk_bytes);
        assert_int_equal(info[s].time_max, info[MEM].time_max);
        assert_int_equal(info[s].full, info[MEM].full);
    }
    assert_int_equal(lab_store_count(&t->few), info[MEM].bundles);
    assert_int_equal(lab_store_count(&t->many), info[MEM].bundles);
}

/* --- changes to all three -------------------------------------------------------------------- */

static void change_bundles(struct trio *t, uint64_t kind)
{
    int rc[STORES];
    struct fixture_bundle *one = &bundle[below(BUNDLES)];
    if (kind < 11)
        ASK(t, rc, put, fixture_record(one));
    else
        ASK(t, rc, remove, &one->record.at.digest);
    same_code(rc);
}

static void change_turn(struct trio *t, uint64_t kind)
{
    int rc[STORES];
    if (kind == 0) {
        assert_int_equal(lab_store_crash(&t->few), 0);
        assert_int_equal(lab_store_crash(&t->many), 0);
        assert_int_equal(hsay_store_mem_crash(&t->mem), 0);
        return;
    }
    if (kind == 1) {
        unsigned countdown = 1 + (unsigned)below(5);
        struct hsay_store_mem_fault fault = {.error = HSAY_ENOSPC};
        *(below(2) == 0 ? &fault.put_countdown : &fault.commit_countdown) = countdown;
        t->fault[FEW] = t->fault[MANY] = t->mem.fault = fault;
    }
    for (int s = 0; s < STORES; s++)
        rc[s] = t->store[s].ops->commit(t->store[s].self);
    same_code(rc);
}

/* Half of the runs stay below the threshold, of the others most cross it. */
static void test_same_answers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct trio t;
        chance = lab_chance_stream(seed, LAB_CHANCE_SCENARIO, 0);
        printf("# seed=%llu\n", (unsigned long long)seed);
        for (size_t i = 0; i < BUNDLES; i++)
            fixture_bundle_make(&bundle[i], &chance.state);
        trio_open(&t, seed % 3 == 0 ? 5000 : 0);
        if (seed % 2 == 0)
            t.few.few_max = 30;
        for (int step = 0; step < STEPS; step++) {
            uint64_t kind = below(20);
            if (kind < 17)
                change_bundles(&t, kind);
            else if (kind < 18)
                change_turn(&t, below(6));
            same_info(&t);
            same_points(&t);
            same_authors(&t);
            same_sums(&t);
            same_walks(&t);
        }
        if (seed % 2 == 1)
            assert_null(t.few.many);
        else if (seed % 3 != 0)
            assert_non_null(t.few.many);
        assert_non_null(t.many.many);
        trio_close(&t);
    }
}

/* --- the store on its own -------------------------------------------------------------------- */

static void test_memory(void **state)
{
    (void)state;
    struct lab_depot depot;
    struct lab_store store;
    size_t list = sizeof(struct lab_few_list);
    chance = lab_chance_stream(3, LAB_CHANCE_SCENARIO, 0);
    lab_depot_init(&depot, NULL);
    lab_store_init(&store, &depot, 0);
    struct hsay_store port = lab_store_port(&store);
    assert_true(sizeof store <= 64);
    assert_int_equal(lab_store_memory(&store), 0);
    for (size_t i = 0; i < BUNDLES; i++) {
        fixture_bundle_make(&bundle[i], &chance.state);
        bundle[i].record.expiry_s = 0;
        assert_int_equal(port.ops->put(port.self, fixture_record(&bundle[i])), 0);
        assert_int_equal(port.ops->commit(port.self), 0);
        if (i == 0)
            assert_int_equal(lab_store_memory(&store), list + 3 * sizeof(uint32_t));
    }
    assert_in_range(lab_store_memory(&store), list + 12 * BUNDLES, list + 18 * BUNDLES);
    lab_store_free(&store);
    assert_int_equal(lab_store_memory(&store), 0);
    assert_int_equal(lab_depot_count(&depot), BUNDLES);
    lab_depot_free(&depot);
}

/* A cursor over arrays is of no use in a tree. */
static void test_cursor_over_the_threshold(void **state)
{
    (void)state;
    struct trio t;
    chance = lab_chance_stream(4, LAB_CHANCE_SCENARIO, 0);
    for (size_t i = 0; i < BUNDLES; i++)
        fixture_bundle_make(&bundle[i], &chance.state);
    for (uint16_t few_max = 0; few_max < 5; few_max++) {
        struct hsay_range all = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
        struct hsay_cursor cursor;
        uint32_t work = 9;
        trio_open(&t, 0);
        t.few.few_max = few_max;
        const struct hsay_store *port = &t.store[FEW];
        for (int i = 0; i < few_max; i++)
            assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[i])), 0);
        assert_int_equal(port->ops->walk(port->self, &all, 0, &cursor), 0);
        assert_null(t.few.many);
        assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[9])), 0);
        assert_non_null(t.few.many);
        assert_int_equal(port->ops->next(port->self, &cursor, false, &work, NULL, NULL),
                         HSAY_EINVAL);
        trio_close(&t);
    }
}

static void test_faults(void **state)
{
    (void)state;
    struct trio t;
    chance = lab_chance_stream(5, LAB_CHANCE_SCENARIO, 0);
    fixture_bundle_make(&bundle[0], &chance.state);
    fixture_bundle_make(&bundle[1], &chance.state);
    trio_open(&t, 0);
    for (int s = FEW; s <= MANY; s++) {
        const struct hsay_store *port = &t.store[s];
        const struct hsay_digest *digest = &bundle[0].record.at.digest;
        t.fault[s] = (struct hsay_store_mem_fault){2, 0, HSAY_ENOSPC};
        assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), 0);
        assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[1])), HSAY_ENOSPC);
        assert_int_equal(port->ops->commit(port->self), 0);
        assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[1])), 0);
        assert_int_equal(port->ops->remove(port->self, digest), 0);
        t.fault[s] = (struct hsay_store_mem_fault){0, 1, HSAY_ESTORE};
        assert_int_equal(port->ops->commit(port->self), HSAY_ESTORE);
        assert_int_equal(port->ops->remove(port->self, digest), HSAY_ESTORE);
        assert_true(lab_store_holds(s == FEW ? &t.few : &t.many, digest));
        assert_int_equal(lab_store_count(s == FEW ? &t.few : &t.many), 1);
    }
    trio_close(&t);
}

/* --- the depot ------------------------------------------------------------------------------- */

static void test_depot_refuses(void **state)
{
    (void)state;
    struct trio t;
    struct hsay_position at;
    chance = lab_chance_stream(6, LAB_CHANCE_SCENARIO, 0);
    fixture_bundle_make(&bundle[0], &chance.state);
    fixture_bundle_make(&bundle[1], &chance.state);
    trio_open(&t, 0);
    const struct hsay_store *port = &t.store[FEW];
    const struct hsay_digest *digest = &bundle[0].record.at.digest;

    /* Bytes that are not what the digest says: as the first, and when the right ones are there. */
    bundle[0].bytes[7] ^= 1;
    assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), HSAY_ECORRUPT);
    assert_int_equal(lab_depot_count(&t.depot), 0);
    assert_int_equal(port->ops->find(port->self, digest, &at), HSAY_ENOENT);
    bundle[0].bytes[7] ^= 1;
    assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), 0);
    port = &t.store[MANY];
    bundle[0].bytes[7] ^= 1;
    assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), HSAY_ECORRUPT);
    bundle[0].bytes[7] ^= 1;
    bundle[0].record.at.time++;
    assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), HSAY_ECORRUPT);
    assert_int_equal(lab_store_count(&t.many), 0);
    bundle[0].record.at.time--;
    assert_int_equal(port->ops->put(port->self, fixture_record(&bundle[0])), 0);
    assert_int_equal(lab_depot_count(&t.depot), 1);
    assert_int_equal(lab_depot_bytes(&t.depot), bundle[0].size);
    trio_close(&t);
}

enum { THREADS = 4, RECORDS = 6000 };

struct worker {
    pthread_t thread;
    struct lab_depot *depot;
    uint64_t stride;
    unsigned failures;
};

/* The record of a number is its number, in several disguises. */
static void numbered(uint64_t number, uint8_t *bytes, struct hsay_record *out)
{
    struct lab_chance stream = lab_chance_stream(7, LAB_CHANCE_MEASURE, number);
    *out = (struct hsay_record){.at = {.time = number}, .sequence = number};
    lab_chance_bytes(&stream, out->at.digest.byte, sizeof out->at.digest.byte);
    out->author = fixture_author(number % 50);
    memset(bytes, (int)(number % 256), 40 + number % 60);
    out->bytes = (struct hsay_span){bytes, 40 + number % 60};
}

/* All records, in an order of each thread's own, each held against what the depot then has. */
static void *work(void *user)
{
    struct worker *me = user;
    uint8_t bytes[100];
    for (uint64_t i = 0; i < RECORDS; i++) {
        uint32_t number = 0, again = 1;
        struct hsay_record record;
        numbered(i * me->stride % RECORDS, bytes, &record);
        me->failures += lab_depot_intern(me->depot, &record, &number) != 0;
        me->failures += lab_depot_find(me->depot, &record.at.digest, &again) != 0;
        const struct hsay_record *held = &lab_depot_at(me->depot, number)->record;
        me->failures += number != again || held->sequence != record.sequence ||
                        held->bytes.data == bytes ||
                        memcmp(held->bytes.data, bytes, record.bytes.size) != 0;
    }
    return NULL;
}

static void test_depot_threads(void **state)
{
    (void)state;
    static const uint64_t stride[THREADS] = {1, 7, RECORDS - 1, 1009}; /* coprime to RECORDS */
    struct worker worker[THREADS];
    struct lab_depot depot;
    lab_depot_init(&depot, NULL);
    for (int i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){.depot = &depot, .stride = stride[i]};
        assert_int_equal(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(worker[i].thread, NULL);
        assert_int_equal(worker[i].failures, 0);
    }
    assert_int_equal(lab_depot_count(&depot), RECORDS);

    /* Each number is one bundle, and all of them are there. */
    uint64_t bytes = 0, numbers = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        numbers += lab_depot_at(&depot, i)->record.sequence;
        bytes += lab_depot_at(&depot, i)->record.bytes.size;
    }
    assert_int_equal(numbers, (uint64_t)RECORDS * (RECORDS - 1) / 2);
    assert_int_equal(bytes, lab_depot_bytes(&depot));
    assert_true(lab_depot_memory(&depot) > bytes);
    lab_depot_free(&depot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_answers),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_cursor_over_the_threshold),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_depot_refuses),
        cmocka_unit_test(test_depot_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
