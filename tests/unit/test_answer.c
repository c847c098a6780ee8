/* Goal: an answer is what the range has and the filter lacks, each once, from anywhere, and costs
 * no more than it may, whatever the claim says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/answer.h"
#include "src/sync/claim.h"
#include "src/sync/rumor.h"
#include "tests/store/fixture.h"
#include "tests/unit/sync_fixture.h"

enum { ITEMS_MAX = 20000 };

/* A store that counts what it is made to look at. */
struct fixture {
    struct hsay_store_mem mem;
    struct hsay_store inner;
    struct hsay_store store;
    struct hsay_store_ops ops;
    uint64_t looked;
    uint64_t bodies;
    struct hsay_position *at;
    size_t count;
    struct hsay_rng rng;
    uint64_t random;
    uint8_t bits[HSAY_FILTER_MAX_BYTES];
};
static struct fixture f;

static int counting_next(void *self, struct hsay_cursor *cursor, bool want_bytes, uint32_t *work,
                         struct hsay_position *at, struct hsay_record *out)
{
    uint32_t before = *work;
    (void)self;
    int rc = f.inner.ops->next(f.inner.self, cursor, want_bytes, work, at, out);
    f.looked += before - *work + (rc == HSAY_OK);
    return rc;
}

static int counting_get(void *self, const struct hsay_digest *digest, struct hsay_record *out)
{
    (void)self;
    f.bodies++;
    return f.inner.ops->get(f.inner.self, digest, out);
}

static void fixture_open(const struct hsay_crypto *crypto)
{
    memset(&f, 0, sizeof f);
    f.at = malloc(ITEMS_MAX * sizeof *f.at);
    assert_non_null(f.at);
    hsay_store_mem_init(&f.mem, 0, crypto);
    f.inner = hsay_store_mem_port(&f.mem);
    f.ops = *f.inner.ops;
    f.ops.next = counting_next;
    f.ops.get = counting_get;
    f.store = (struct hsay_store){&f.ops, f.inner.self};
    sync_rng(&f.rng, 5);
    f.random = 11;
}

static void add(const struct hsay_record *record)
{
    sync_put(&f.store, record);
    assert_true(f.count < ITEMS_MAX);
    f.at[f.count++] = record->at;
}

/* `each` bundles at each of the times 1 .. times. */
static void fill(size_t times, size_t each)
{
    for (size_t i = 0; i < times * each; i++) {
        struct hsay_record record = sync_record(&f.random, 1 + i / each, 100);
        add(&record);
    }
}

static void fixture_close(void)
{
    hsay_store_mem_free(&f.mem);
    free(f.at);
}

static const struct hsay_range everything = {.time_high = HSAY_TIME_MAX, .modulo = 1};

static struct hsay_claim empty_claim(const struct hsay_range *range)
{
    struct hsay_sum none = {0, 0, 0};
    return (struct hsay_claim){
        .kind = HSAY_CLAIM_EMPTY,
        .range = *range,
        .fingerprint = hsay_claim_fingerprint(fixture_crypto(), &none),
    };
}

/* A claim whose filter has every bundle of the fixture whose number is a multiple of `step`. */
static struct hsay_claim filter_claim(const struct hsay_range *range, size_t step)
{
    struct hsay_bloom bloom;
    struct hsay_claim claim = {
        .kind = HSAY_CLAIM_BLOOM,
        .hashes = 7,
        .range = *range,
        .salt = fixture_random(&f.random),
        .bits = {f.bits, 1100},
    };
    assert_int_equal(hsay_bloom_init(&bloom, f.bits, 1100, 7, claim.salt), HSAY_OK);
    for (size_t i = 0; i < f.count; i += step)
        hsay_bloom_add(&bloom, &f.at[i].digest);
    return claim;
}

static int begin(struct hsay_answer *answer, const struct hsay_claim *claim)
{
    return hsay_answer_begin(answer, &f.store, &f.rng, fixture_crypto(), claim, HSAY_TIME_MAX,
                             1000);
}

/* ---- what is given ------------------------------------------------------------------------------
 */

static bool in_range(const struct hsay_range *range, const struct hsay_position *at)
{
    if (at->time < range->time_low || at->time > range->time_high)
        return false;
    if (range->slicing == HSAY_SLICE_TIME)
        return (at->time + range->offset) % range->modulo == 0;
    unsigned __int128 product = (unsigned __int128)hsay_digest_short(&at->digest) * range->modulo;
    return range->slicing == HSAY_SLICE_NONE || (uint32_t)(product >> 64) == range->offset;
}

static size_t number_of(const struct hsay_digest *digest)
{
    size_t i = 0;
    while (i < f.count && memcmp(&f.at[i].digest, digest, sizeof *digest) != 0)
        i++;
    assert_true(i < f.count);
    return i;
}

static void assert_gives_what_is_lacking(const struct hsay_claim *claim)
{
    struct hsay_answer answer;
    struct hsay_record record;
    bool *given = calloc(f.count, sizeof *given);
    assert_non_null(given);
    assert_int_equal(begin(&answer, claim), HSAY_OK);
    int rc;
    while ((rc = hsay_answer_next(&answer, &record)) == HSAY_OK) {
        size_t i = number_of(&record.at.digest);
        assert_false(given[i]);
        assert_int_equal(record.bytes.size, 100);
        given[i] = true;
    }
    assert_int_equal(rc, HSAY_ENOENT);
    assert_false(answer.more);
    for (size_t i = 0; i < f.count; i++) {
        bool has = answer.filtered && hsay_bloom_has(&answer.filter, &f.at[i].digest);
        assert_int_equal(given[i], in_range(&claim->range, &f.at[i]) && !has);
    }
    free(given);
}

static void gives_what_is_lacking_and_each_once(void **state)
{
    (void)state;
    fixture_open(NULL);
    fill(300, 3);
    for (int round = 0; round < 60; round++) {
        struct hsay_range range = everything;
        range.slicing = (uint8_t)(round % 3);
        if (round % 2) {
            range.time_low = fixture_random(&f.random) % 300;
            range.time_high = range.time_low + fixture_random(&f.random) % 200;
        }
        if (range.slicing != HSAY_SLICE_NONE) {
            range.modulo = (uint32_t)(1 + fixture_random(&f.random) % 9);
            range.offset = (uint32_t)(fixture_random(&f.random) % range.modulo);
        }
        struct hsay_claim claim = empty_claim(&range);
        assert_gives_what_is_lacking(&claim);
        claim = filter_claim(&range, 2);
        assert_gives_what_is_lacking(&claim);
    }
    assert_true(f.bodies < f.looked); /* bodies are read for what is given alone */
    fixture_close();
}

static struct hsay_sum sum_of_all(void)
{
    struct hsay_sum sum;
    assert_int_equal(f.store.ops->sum(f.store.self, &everything, UINT64_MAX, &sum), HSAY_OK);
    return sum;
}

static void sums_draw_nothing_and_equal_sums_are_the_same(void **state)
{
    struct hsay_answer answer;
    struct hsay_record record;
    (void)state;
    fixture_open(NULL);
    fill(50, 1);
    struct hsay_sum all = sum_of_all();
    for (unsigned kind = 0; kind < HSAY_CLAIM_KIND_COUNT; kind++) {
        for (unsigned lie = 0; lie < 3; lie++) {
            struct hsay_claim claim = filter_claim(&everything, 7);
            claim.kind = (uint8_t)kind;
            claim.count = all.count - (lie == 1);
            claim.fingerprint = hsay_claim_fingerprint(fixture_crypto(), &all) + (lie == 2);
            assert_int_equal(begin(&answer, &claim), HSAY_OK);
            bool same = kind != HSAY_CLAIM_NONE && lie == 0;
            bool draws = (kind == HSAY_CLAIM_BLOOM || kind == HSAY_CLAIM_EMPTY) && !same;
            assert_int_equal(answer.same, same);
            assert_int_equal(answer.draws, draws);
            assert_int_equal(answer.sum.count, kind == HSAY_CLAIM_NONE ? 0 : 50);
            assert_int_equal(hsay_answer_next(&answer, &record) == HSAY_OK, draws);
        }
    }
    fixture_close();
}

static void nothing_to_give_is_the_same_as_nothing(void **state)
{
    struct hsay_answer answer;
    struct hsay_record record;
    (void)state;
    fixture_open(NULL);
    struct hsay_claim claim = empty_claim(&everything);
    assert_int_equal(begin(&answer, &claim), HSAY_OK);
    assert_true(answer.same);
    assert_int_equal(hsay_answer_next(&answer, &record), HSAY_ENOENT);
    fixture_close();
}

static void refuses_a_filter_that_is_too_full(void **state)
{
    struct hsay_answer answer;
    (void)state;
    fixture_open(NULL);
    fill(50, 1);
    struct hsay_claim claim = filter_claim(&everything, 1);
    memset(f.bits, 0xff, sizeof f.bits);
    assert_int_equal(begin(&answer, &claim), HSAY_EBAD);
    assert_int_equal(f.looked, 0);
    fixture_close();
}

/* What the asker would refuse, and what is damaged here, is left out. */
static void gives_only_what_can_be_taken(void **state)
{
    static const struct hsay_key overlay;
    struct sync_crypto crypto;
    struct hsay_answer answer;
    struct hsay_record record;
    uint64_t times = 0;
    (void)state;
    sync_crypto_init(&crypto);
    fixture_open(&crypto.port);
    for (unsigned i = 0; i < 10; i++) {
        struct sync_bundle bundle;
        const struct sync_plan plan = {.author = i,
                                       .sequence = 1,
                                       .time = i + 1,
                                       .expiry_s = i == 3   ? 999
                                                   : i == 4 ? 1000
                                                   : i == 5 ? 1001
                                                            : 0};
        sync_bundle_make(&bundle, &crypto.port, &overlay, &plan);
        hsay_bundle_record(&bundle.b, &record);
        add(&record);
    }
    assert_int_equal(hsay_store_mem_damage(&f.mem, &f.at[0].digest), HSAY_OK);
    struct hsay_claim claim = empty_claim(&everything);
    assert_int_equal(hsay_answer_begin(&answer, &f.store, &f.rng, &crypto.port, &claim, 8, 1000),
                     HSAY_OK);
    while (hsay_answer_next(&answer, &record) == HSAY_OK)
        times |= UINT64_C(1) << record.at.time;
    assert_int_equal(times, 0x1cc); /* not 1; 4 and 5 are expired; not 9 and 10 */
    fixture_close();
}

/* The filter has every second of ours; the asker says that it holds so many in all. */
static void tells_what_the_asker_has_more(void **state)
{
    struct hsay_answer answer;
    struct hsay_record record;
    (void)state;
    fixture_open(NULL);
    fill(600, 1);
    struct hsay_claim claim = filter_claim(&everything, 2);
    for (claim.count = 0; claim.count < 1000; claim.count += 100) {
        assert_int_equal(begin(&answer, &claim), HSAY_OK);
        while (hsay_answer_next(&answer, &record) == HSAY_OK)
            continue;
        uint64_t lacking = hsay_answer_lacking(&answer);
        assert_in_range(lacking, claim.count > 310 ? claim.count - 310 : 0,
                        claim.count > 300 ? claim.count - 300 : 0);
    }
    struct hsay_sum all = sum_of_all();
    claim.count = all.count;
    claim.fingerprint = hsay_claim_fingerprint(fixture_crypto(), &all);
    assert_int_equal(begin(&answer, &claim), HSAY_OK);
    assert_int_equal(hsay_answer_lacking(&answer), 0);
    claim.kind = HSAY_CLAIM_SUM;
    claim.count = all.count + 17;
    assert_int_equal(begin(&answer, &claim), HSAY_OK);
    assert_int_equal(hsay_answer_lacking(&answer), 17);
    fixture_close();
}

/* ---- in which order ----------------------------------------------------------------------------
 */

static void starts_anywhere_and_often_at_the_newest(void **state)
{
    unsigned newest = 0, quarter[4] = {0};
    (void)state;
    fixture_open(NULL);
    fill(2000, 1);
    struct hsay_claim claim = empty_claim(&everything);
    for (int i = 0; i < 4000; i++) {
        struct hsay_answer answer;
        struct hsay_record record;
        assert_int_equal(begin(&answer, &claim), HSAY_OK);
        assert_int_equal(hsay_answer_next(&answer, &record), HSAY_OK);
        if (record.at.time == 2000 - 64 + 1)
            newest++;
        else
            quarter[(record.at.time - 1) / 500]++;
    }
    assert_in_range(newest, 900, 1100);
    for (int i = 0; i < 4; i++)
        assert_in_range(quarter[i], 670, 830);
    fixture_close();
}

static void slices_start_anywhere(void **state)
{
    (void)state;
    fixture_open(NULL);
    fill(2000, 1);
    for (uint8_t slicing = HSAY_SLICE_DIGEST; slicing <= HSAY_SLICE_TIME; slicing++) {
        struct hsay_range range = everything;
        unsigned first_half = 0;
        range.slicing = slicing;
        range.modulo = 4;
        struct hsay_claim claim = empty_claim(&range);
        for (int i = 0; i < 1000; i++) {
            struct hsay_answer answer;
            struct hsay_record record;
            assert_int_equal(begin(&answer, &claim), HSAY_OK);
            assert_int_equal(hsay_answer_next(&answer, &record), HSAY_OK);
            first_half +=
                slicing == HSAY_SLICE_TIME ? record.at.time <= 1000 : record.at.digest.byte[0] < 32;
        }
        assert_in_range(first_half, 420, 580);
    }
    fixture_close();
}

static void what_had_no_room_comes_next(void **state)
{
    struct hsay_answer answer;
    struct hsay_record record, again;
    unsigned given = 0;
    (void)state;
    fixture_open(NULL);
    fill(90, 1);
    struct hsay_claim claim = empty_claim(&everything);
    assert_int_equal(begin(&answer, &claim), HSAY_OK);
    while (hsay_answer_next(&answer, &record) == HSAY_OK) {
        assert_false(answer.more);
        if (given % 10 == 3) {
            hsay_answer_back(&answer, &record);
            assert_true(answer.more);
            assert_int_equal(hsay_answer_next(&answer, &again), HSAY_OK);
            assert_memory_equal(&again.at, &record.at, sizeof again.at);
        }
        given++;
    }
    assert_int_equal(given, 90);
    assert_false(answer.more);
    fixture_close();
}

/* ---- what it costs -----------------------------------------------------------------------------
 */

static uint64_t draw_all(const struct hsay_claim *claim, struct hsay_answer *answer)
{
    struct hsay_record record;
    uint64_t given = 0;
    f.looked = 0;
    assert_int_equal(begin(answer, claim), HSAY_OK);
    while (hsay_answer_next(answer, &record) == HSAY_OK)
        given++;
    assert_true(f.looked <= HSAY_ANSWER_WORK_MAX);
    assert_int_equal(hsay_answer_next(answer, &record), HSAY_ENOENT);
    return given;
}

static void work_is_bounded_and_the_rest_is_more(void **state)
{
    struct hsay_answer answer;
    (void)state;
    fixture_open(NULL);
    fill(400, 50);
    struct hsay_claim claim = empty_claim(&everything);
    assert_int_equal(draw_all(&claim, &answer), HSAY_ANSWER_WORK_MAX);
    assert_true(answer.more);
    assert_int_equal(answer.sum.count, 20000);

    struct hsay_range range = everything;
    range.slicing = HSAY_SLICE_TIME;
    range.modulo = 399;
    range.offset = 398; /* time 1 and 400: at both ends */
    claim = empty_claim(&range);
    assert_int_equal(draw_all(&claim, &answer), 100);
    fixture_close();
}

/* Ranges that no index has: their sums are too dear, and what they draw is bounded. */
static void hostile_ranges_are_answered_within_bounds(void **state)
{
    struct hsay_answer answer;
    (void)state;
    fixture_open(NULL);
    fill(400, 50);
    struct hsay_range range = everything;
    range.slicing = HSAY_SLICE_DIGEST;
    range.modulo = 2;
    range.time_low = 2;
    struct hsay_claim claim = empty_claim(&range);
    uint64_t given = draw_all(&claim, &answer);
    assert_in_range(given, 1000, HSAY_ANSWER_WORK_MAX);
    assert_true(answer.more);
    assert_false(answer.same);
    assert_int_equal(answer.sum.count, 0);
    assert_int_equal(answer.fingerprint, 0);
    assert_int_equal(hsay_answer_lacking(&answer), 0);

    /* A filter that has it all: looked at, nothing to give. */
    claim = filter_claim(&everything, 40);
    draw_all(&claim, &answer);
    for (uint64_t i = 0; i < 2000; i++) {
        range.slicing = (uint8_t)(fixture_random(&f.random) % 3);
        range.modulo = range.slicing == HSAY_SLICE_NONE
                           ? 1
                           : (uint32_t)(1 + fixture_random(&f.random) % HSAY_MODULO_MAX);
        range.offset = (uint32_t)(fixture_random(&f.random) % range.modulo);
        range.time_low = fixture_random(&f.random) >> (2 + fixture_random(&f.random) % 62);
        range.time_high = range.time_low + (HSAY_TIME_MAX - range.time_low) / (1 + i * i);
        claim = empty_claim(&range);
        draw_all(&claim, &answer);
    }
    fixture_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_is_lacking_and_each_once),
        cmocka_unit_test(sums_draw_nothing_and_equal_sums_are_the_same),
        cmocka_unit_test(nothing_to_give_is_the_same_as_nothing),
        cmocka_unit_test(refuses_a_filter_that_is_too_full),
        cmocka_unit_test(gives_only_what_can_be_taken),
        cmocka_unit_test(tells_what_the_asker_has_more),
        cmocka_unit_test(starts_anywhere_and_often_at_the_newest),
        cmocka_unit_test(slices_start_anywhere),
        cmocka_unit_test(what_had_no_room_comes_next),
        cmocka_unit_test(work_is_bounded_and_the_rest_is_more),
        cmocka_unit_test(hostile_ranges_are_answered_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
