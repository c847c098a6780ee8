/* Goal: a lot holds what the answer draws, each bundle once, within the bounds, and those of one
 * author stand together, behind those of authors with more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "src/node/lot.h"
#include "src/wire/pack.h"
#include "tests/store/fixture.h"
#include "tests/unit/sync_fixture.h"

enum { BUNDLES = 300, BUNDLE_BYTES = 200, AUTHORS = 40 };

static struct hsay_store_mem mem;
static struct hsay_store store;

static unsigned place_of(const uint8_t *bytes)
{
    return (unsigned)bytes[BUNDLE_BYTES - 2] << 8 | bytes[BUNDLE_BYTES - 1];
}

/* One author has a third of them, forty share the rest. */
static int open_store(void **state)
{
    uint64_t random = 1;
    (void)state;
    hsay_store_mem_init(&mem, 0, NULL);
    store = hsay_store_mem_port(&mem);
    for (unsigned i = 0; i < BUNDLES; i++) {
        uint8_t bytes[BUNDLE_BYTES] = {0};
        struct hsay_record record = sync_record(&random, i + 1, BUNDLE_BYTES);
        unsigned author = i % 3 == 0 ? 0 : (unsigned)(fixture_random(&random) % AUTHORS);
        memset(bytes + HSAY_BUNDLE_AUTHOR_AT, 0x11 + (int)author, HSAY_KEY_BYTES);
        bytes[BUNDLE_BYTES - 2] = (uint8_t)(i >> 8);
        bytes[BUNDLE_BYTES - 1] = (uint8_t)i;
        record.bytes.data = bytes;
        sync_put(&store, &record);
    }
    return 0;
}

static int close_store(void **state)
{
    (void)state;
    hsay_store_mem_free(&mem);
    return 0;
}

static void ask_for_all(struct hsay_answer *answer)
{
    static struct hsay_rng rng;
    const struct hsay_claim claim = {
        .kind = HSAY_CLAIM_EMPTY,
        .range = {.time_high = HSAY_TIME_MAX, .modulo = 1},
    };
    sync_rng(&rng, 1);
    assert_int_equal(
        hsay_answer_begin(answer, &store, &rng, fixture_crypto(), &claim, HSAY_TIME_MAX, 0), 0);
}

/* Each author's stand in one row, and rows do not grow. */
static void expect_order(const struct hsay_lot *lot)
{
    for (unsigned first = 0, past, before = HSAY_LOT_MAX; first < lot->past; first = past) {
        for (past = first; past < lot->past && lot->item[past].author == lot->item[first].author;)
            past++;
        assert_int_equal(lot->item[first].mates, past - first);
        assert_true(past - first <= before);
        before = past - first;
        for (unsigned i = past; i < lot->past; i++)
            assert_true(lot->item[i].author != lot->item[first].author);
    }
}

static void all_come_once(void **state)
{
    (void)state;
    struct hsay_answer answer;
    struct hsay_lot lot = {.first = 0};
    bool seen[BUNDLES + 1] = {false};
    unsigned count = 0;
    ask_for_all(&answer);
    for (;;) {
        assert_false(hsay_lot_draw(&lot, &answer, HSAY_LOT_MAX, UINT64_MAX));
        if (lot.past == 0)
            break;
        expect_order(&lot);
        for (; lot.first < lot.past; lot.first++, count++) {
            const struct hsay_lot_item *item = &lot.item[lot.first];
            unsigned number = place_of(item->bytes);
            assert_int_equal(item->size, BUNDLE_BYTES);
            assert_false(seen[number]);
            seen[number] = true;
        }
    }
    assert_int_equal(count, BUNDLES);
    assert_false(answer.more);
}

static void no_more_than_wanted(void **state)
{
    (void)state;
    struct hsay_answer answer;
    struct hsay_lot lot = {.first = 0};
    ask_for_all(&answer);
    assert_false(hsay_lot_draw(&lot, &answer, 1, UINT64_MAX));
    assert_int_equal(lot.past, 1);
    lot.first = 1;
    assert_false(hsay_lot_draw(&lot, &answer, 7, 7 * BUNDLE_BYTES));
    assert_int_equal(lot.past, 7);
    assert_false(answer.more);
}

/* What the budget has no room for is left for the next request, and said to be there. */
static void no_more_than_the_budget(void **state)
{
    (void)state;
    struct hsay_answer answer;
    struct hsay_lot lot = {.first = 0};
    ask_for_all(&answer);
    assert_true(hsay_lot_draw(&lot, &answer, HSAY_LOT_MAX, 10 * BUNDLE_BYTES + 1));
    assert_int_equal(lot.past, 10);
    assert_true(answer.more);
    lot.first = lot.past;
    assert_true(hsay_lot_draw(&lot, &answer, HSAY_LOT_MAX, BUNDLE_BYTES - 1));
    assert_int_equal(lot.past, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_once),
        cmocka_unit_test(no_more_than_wanted),
        cmocka_unit_test(no_more_than_the_budget),
    };
    return cmocka_run_group_tests(tests, open_store, close_store);
}
