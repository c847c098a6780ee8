/*
 * Goal of this test: every answer of the order-statistic tree is the one that a sorted array gives,
 * whatever the order of inserts and deletes, and running out of memory changes nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hearsay/error.h"
#include "src/port/ordset.h"

enum { MODEL_MAX = 20000 };

struct model {
    struct hsay_ordset_key key[MODEL_MAX];
    size_t count;
};

static struct model model;
static struct hsay_ordset set;
static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int key_compare(const struct hsay_ordset_key *a, const struct hsay_ordset_key *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    }
    return 0;
}

/* Any function of the key will do. */
static uint64_t key_value(const struct hsay_ordset_key *key)
{
    return key->word[0] * 3 + key->word[1] * 5 + key->word[2] * 7;
}

static size_t model_rank(const struct hsay_ordset_key *key)
{
    size_t low = 0, high = model.count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (key_compare(&model.key[mid], key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool model_has(const struct hsay_ordset_key *key)
{
    size_t at = model_rank(key);
    return at < model.count && key_compare(&model.key[at], key) == 0;
}

static void model_toggle(const struct hsay_ordset_key *key)
{
    size_t at = model_rank(key);
    size_t bytes = sizeof model.key[0];
    if (at < model.count && key_compare(&model.key[at], key) == 0) {
        model.count--;
        memmove(&model.key[at], &model.key[at + 1], (model.count - at) * bytes);
    } else {
        memmove(&model.key[at + 1], &model.key[at], (model.count - at) * bytes);
        model.key[at] = *key;
        model.count++;
    }
}

static struct hsay_sum model_sum(size_t from, size_t to)
{
    struct hsay_sum sum = {0, 0, 0};
    for (size_t i = from; i < to; i++) {
        uint64_t low = model.key[i].word[set.digest_word + 1];
        sum.count++;
        sum.low += low;
        sum.high += model.key[i].word[set.digest_word] + (sum.low < low);
    }
    return sum;
}

/* Few different first words, so that ties are common and the tree is tall where it is narrow. */
static struct hsay_ordset_key random_key(uint64_t spread)
{
    struct hsay_ordset_key key = {{random_next() % spread, random_next(), random_next()}};
    if (random_next() % 4 == 0)
        key.word[1] = random_next() % 3;
    if (random_next() % 4 == 0)
        key.word[2] = random_next() % 3;
    return key;
}

static void check_answers(void)
{
    assert_true(hsay_ordset_is_sound(&set));
    assert_int_equal(set.total.count, model.count);

    struct hsay_ordset_key zero = {{0, 0, 0}};
    struct hsay_ordset_place place = hsay_ordset_seek(&set, &zero);
    for (size_t i = 0; i < model.count; i++) {
        assert_non_null(hsay_ordset_at(&place));
        assert_int_equal(place.rank, i);
        assert_int_equal(key_compare(hsay_ordset_at(&place), &model.key[i]), 0);
        if (set.has_values)
            assert_int_equal(hsay_ordset_value(&place), key_value(&model.key[i]));
        hsay_ordset_step(&place);
    }
    assert_null(hsay_ordset_at(&place));
    assert_null(hsay_ordset_at(&(struct hsay_ordset_place){NULL, 0, 0}));

    for (int i = 0; i < 50; i++) {
        struct hsay_ordset_key low = random_key(100), high = random_key(100);
        if (model.count > 0 && i % 2 == 0)
            low = model.key[random_next() % model.count];
        size_t rank_low = model_rank(&low), rank_high = model_rank(&high);
        assert_int_equal(hsay_ordset_seek(&set, &low).rank, rank_low);
        assert_int_equal(hsay_ordset_contains(&set, &low), model_has(&low));
        place = hsay_ordset_seek(&set, &low);
        struct hsay_ordset_place ceiling = hsay_ordset_ceiling(&set, &low);
        assert_ptr_equal(hsay_ordset_at(&ceiling), hsay_ordset_at(&place));

        struct hsay_sum want = model_sum(rank_low, rank_high < rank_low ? rank_low : rank_high);
        struct hsay_sum got = hsay_ordset_sum(&set, &low, &high);
        assert_memory_equal(&got, &want, sizeof got);
        want = model_sum(rank_low, model.count);
        got = hsay_ordset_sum(&set, &low, NULL);
        assert_memory_equal(&got, &want, sizeof got);

        size_t rank = random_next() % (model.count + 2);
        place = hsay_ordset_select(&set, rank);
        if (rank < model.count)
            assert_int_equal(key_compare(hsay_ordset_at(&place), &model.key[rank]), 0);
        else
            assert_null(hsay_ordset_at(&place));
    }
}

static void fill_and_drain(uint64_t seed, unsigned digest_word, size_t size)
{
    random_state = seed;
    model.count = 0;
    hsay_ordset_init(&set, digest_word, size % 2 == 0);
    check_answers();
    for (int wave = 0; wave < 3; wave++) {
        while (model.count < size) {
            struct hsay_ordset_key key = random_key(100);
            assert_int_equal(hsay_ordset_insert(&set, &key, key_value(&key)),
                             model_has(&key) ? HSAY_EEXIST : 0);
            if (!model_has(&key))
                model_toggle(&key);
        }
        check_answers();
        size_t left = wave == 2 ? 0 : size / 10;
        while (model.count > left) {
            struct hsay_ordset_key key = random_key(100);
            if (random_next() % 8 != 0)
                key = model.key[random_next() % model.count];
            assert_int_equal(hsay_ordset_delete(&set, &key), model_has(&key) ? 0 : HSAY_ENOENT);
            if (model_has(&key))
                model_toggle(&key);
            if (model.count == size / 2)
                check_answers();
        }
        check_answers();
    }
    assert_int_equal(set.node_bytes, 0);
}

static void test_random(void **state)
{
    (void)state;
    static const size_t size[] = {1, 4, 84, 85, 200, 1501, 7000};
    for (uint64_t i = 0; i < sizeof size / sizeof size[0]; i++)
        fill_and_drain(i + 1, i % 2, size[i]);
}

/* Rising, falling and alternating keys, taken away from the front, the back and the middle. */
static void test_orders(void **state)
{
    (void)state;
    enum { COUNT = 7000 };
    for (unsigned order = 0; order < 9; order++) {
        random_state = order;
        model.count = 0;
        hsay_ordset_init(&set, 1, order % 2 == 0);
        for (uint64_t i = 0; i < COUNT; i++) {
            uint64_t first = order % 3 == 0 ? i : order % 3 == 1 ? COUNT - i : i ^ (i & 1) * 8191;
            struct hsay_ordset_key key = {{first, random_next(), 7}};
            assert_int_equal(hsay_ordset_insert(&set, &key, key_value(&key)), 0);
            model_toggle(&key);
        }
        check_answers();
        while (model.count > 0) {
            size_t at = order / 3 == 0 ? 0 : order / 3 == 1 ? model.count - 1 : model.count / 2;
            struct hsay_ordset_key key = model.key[at];
            assert_int_equal(hsay_ordset_delete(&set, &key), 0);
            model_toggle(&key);
            if (model.count % 1999 == 0)
                check_answers();
        }
        check_answers();
        hsay_ordset_free(&set);
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    random_state = 77;
    model.count = 0;
    hsay_ordset_init(&set, 0, false);
    size_t refused = 0;
    while (model.count < 9000) {
        struct hsay_ordset_key key = random_key(1u << 20);
        if (model.count % 2 == 0)
            key.word[0] = model.count << 20; /* rising keys split at the end */
        if (model_has(&key))
            continue;
        hsay_ordset_fail_alloc(1 + (unsigned)(random_next() % 2));
        int rc = hsay_ordset_insert(&set, &key, key_value(&key));
        hsay_ordset_fail_alloc(0);
        if (rc != 0) {
            assert_int_equal(rc, HSAY_ENOMEM);
            assert_false(hsay_ordset_contains(&set, &key));
            assert_int_equal(set.total.count, model.count);
            if (refused++ % 10 == 0)
                check_answers();
            assert_int_equal(hsay_ordset_insert(&set, &key, key_value(&key)), 0);
        }
        model_toggle(&key);
    }
    assert_true(refused > 40);
    check_answers();
    hsay_ordset_free(&set);
    assert_int_equal(set.node_bytes, 0);
}

/* The memory that the header promises. */
static void test_fill(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    for (int rising = 0; rising < 2; rising++) {
        random_state = 5;
        hsay_ordset_init(&set, 0, false);
        for (uint64_t i = 0; i < COUNT; i++) {
            struct hsay_ordset_key key = {{rising ? i : random_next(), random_next(), 0}};
            assert_int_equal(hsay_ordset_insert(&set, &key, key_value(&key)), 0);
        }
        assert_in_range(set.node_bytes, 24 * COUNT, (rising ? 26 : 32) * COUNT);
        hsay_ordset_free(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
