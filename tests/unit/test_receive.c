/* Goal: what is held follows from what ever arrived and not from its order, and nothing costs a
 * signature that can be refused without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "src/sync/receive.h"
#include "tests/store/fixture.h"
#include "tests/unit/sync_fixture.h"

enum { POOL_MAX = 40 };

static const struct hsay_key overlay = {{7}};
static const struct hsay_now now = {{UINT64_C(9000000000)}, 1000};

/* One node, and a pool of bundles. */
struct fixture {
    struct sync_crypto crypto;
    struct hsay_store_mem mem;
    struct hsay_store store;
    struct hsay_window window;
    struct hsay_window_voice voice[HSAY_WINDOW_SETTLES];
    struct hsay_receiver receiver;
    enum hsay_drop drop;
    int error;
};

static void node_init(struct fixture *f)
{
    sync_crypto_init(&f->crypto);
    hsay_store_mem_init(&f->mem, 0, &f->crypto.port);
    f->store = hsay_store_mem_port(&f->mem);
    hsay_window_init(&f->window, f->voice, HSAY_WINDOW_SETTLES, now.mono, 0);
    f->receiver = (struct hsay_receiver){&f->store, &f->crypto.port, &overlay, &f->window};
    f->error = 0;
    f->drop = HSAY_DROP_COUNT;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    node_init(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hsay_store_mem_free(&f->mem);
    free(f);
    return 0;
}

/* As a node does it. */
static enum hsay_received receive(struct fixture *f, struct hsay_span bytes)
{
    struct hsay_bundle b;
    enum hsay_received r = hsay_receive_check(&f->receiver, now, bytes, &b, &f->drop, &f->error);
    if (r != HSAY_RECEIVED_UNCHECKED)
        return r;
    if (!hsay_bundle_verify(&b, &f->crypto.port, &overlay)) {
        f->drop = HSAY_DROP_SIGNATURE;
        return HSAY_RECEIVED_DROPPED;
    }
    return hsay_receive_store(&f->receiver, now, &b, &f->drop, &f->error);
}

static enum hsay_received give(struct fixture *f, const struct sync_plan *plan)
{
    struct sync_bundle bundle;
    sync_bundle_make(&bundle, &f->crypto.port, &overlay, plan);
    return receive(f, bundle.b.bytes);
}

static void assert_dropped(struct fixture *f, const struct sync_plan *plan, enum hsay_drop why)
{
    unsigned verified = f->crypto.verified;
    assert_int_equal(give(f, plan), HSAY_RECEIVED_DROPPED);
    assert_int_equal(f->drop, why);
    assert_int_equal(f->crypto.verified, verified);
}

static uint64_t held(const struct fixture *f)
{
    struct hsay_store_info info;
    f->store.ops->info(f->store.self, &info);
    return info.bundles;
}

/* ---- refusals that cost no signature ------------------------------------------------------------
 */

static void cheap_refusals_cost_no_signature(void **state)
{
    struct fixture *f = *state;
    struct sync_bundle bundle;
    const struct sync_plan good = {.author = 1, .sequence = 1, .time = 5};
    assert_int_equal(give(f, &good), HSAY_RECEIVED_NEW);
    assert_int_equal(f->crypto.verified, 1);
    assert_dropped(f, &good, HSAY_DROP_DUPLICATE);
    assert_dropped(f, &(struct sync_plan){1, 2, 10001, 0, 0}, HSAY_DROP_WINDOW);
    assert_dropped(f, &(struct sync_plan){1, 2, 6, 999, 0}, HSAY_DROP_EXPIRED);
    assert_dropped(f, &(struct sync_plan){1, 2, 6, 1000, 0}, HSAY_DROP_EXPIRED);

    sync_bundle_make(&bundle, &f->crypto.port, &overlay, &good);
    bundle.bytes[0] = 9;
    assert_int_equal(receive(f, bundle.b.bytes), HSAY_RECEIVED_DROPPED);
    assert_int_equal(f->drop, HSAY_DROP_VERSION);
    bundle.bytes[0] = 1;
    bundle.b.bytes.size--;
    assert_int_equal(receive(f, bundle.b.bytes), HSAY_RECEIVED_DROPPED);
    assert_int_equal(f->drop, HSAY_DROP_BUNDLE);
    assert_int_equal(f->crypto.verified, 1);

    sync_bundle_make(&bundle, &f->crypto.port, &overlay, &(struct sync_plan){2, 1, 5, 0, 0});
    bundle.bytes[bundle.b.bytes.size - 1] ^= 1;
    assert_int_equal(receive(f, bundle.b.bytes), HSAY_RECEIVED_DROPPED);
    assert_int_equal(f->drop, HSAY_DROP_SIGNATURE);
    assert_int_equal(held(f), 1);
}

static void no_wall_clock_no_expiry(void **state)
{
    struct fixture *f = *state;
    struct sync_bundle bundle;
    struct hsay_bundle b;
    const struct hsay_now unknown = {now.mono, 0};
    sync_bundle_make(&bundle, &f->crypto.port, &overlay, &(struct sync_plan){1, 1, 5, 1, 0});
    assert_int_equal(
        hsay_receive_check(&f->receiver, unknown, bundle.b.bytes, &b, &f->drop, &f->error),
        HSAY_RECEIVED_UNCHECKED);
}

/* Two copies of one bundle at the verifier at once: the second verdict finds it held. */
static void a_late_verdict_finds_the_duplicate(void **state)
{
    struct fixture *f = *state;
    struct sync_bundle bundle;
    sync_bundle_make(&bundle, &f->crypto.port, &overlay, &(struct sync_plan){1, 1, 5, 0, 0});
    assert_int_equal(hsay_receive_store(&f->receiver, now, &bundle.b, &f->drop, &f->error),
                     HSAY_RECEIVED_NEW);
    assert_int_equal(hsay_receive_store(&f->receiver, now, &bundle.b, &f->drop, &f->error),
                     HSAY_RECEIVED_DROPPED);
    assert_int_equal(f->drop, HSAY_DROP_DUPLICATE);
}

static void a_full_store_changes_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(give(f, &(struct sync_plan){1, 1, 5, 0, 0}), HSAY_RECEIVED_NEW);
    assert_int_equal(give(f, &(struct sync_plan){1, 3, 8, 0, 0}), HSAY_RECEIVED_NEW);
    f->mem.fault.put_countdown = 1;
    f->mem.fault.error = HSAY_ENOSPC;
    assert_int_equal(give(f, &(struct sync_plan){1, 1, 5, 0, 1}), HSAY_RECEIVED_FAILED);
    assert_int_equal(f->error, HSAY_ENOSPC);
    assert_int_equal(held(f), 2);
}

static void over_quota_costs_no_signature(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(give(f, &(struct sync_plan){1, 1, 5, 0, 0}), HSAY_RECEIVED_NEW);
    f->mem.quota_bytes = f->mem.bundle_bytes + 1;
    assert_int_equal(give(f, &(struct sync_plan){1, 2, 6, 0, 0}), HSAY_RECEIVED_FAILED);
    unsigned verified = f->crypto.verified;
    assert_int_equal(give(f, &(struct sync_plan){1, 2, 6, 0, 0}), HSAY_RECEIVED_FAILED);
    assert_int_equal(f->error, HSAY_ENOSPC);
    assert_int_equal(f->crypto.verified, verified);
    f->mem.quota_bytes = 2 * f->mem.bundle_bytes;
    assert_int_equal(give(f, &(struct sync_plan){1, 2, 6, 0, 0}), HSAY_RECEIVED_NEW);
}

/* ---- slots, one by one ------------------------------------------------------------------------
 */

static void gaps_fill_in_any_order(void **state)
{
    struct fixture *f = *state;
    static const unsigned sequence[] = {5, 1, 3, 4, 2};
    for (size_t i = 0; i < 5; i++) {
        const struct sync_plan plan = {
            .author = 1, .sequence = sequence[i], .time = 10 * sequence[i]};
        assert_int_equal(give(f, &plan), HSAY_RECEIVED_NEW);
    }
    assert_int_equal(held(f), 5);
    assert_int_equal(f->window.own, 50);
}

static void a_fork_ends_its_author(void **state)
{
    struct fixture *f = *state;
    for (unsigned s = 1; s <= 9; s++)
        assert_int_equal(give(f, &(struct sync_plan){1, s, 10 * s, 0, 0}), HSAY_RECEIVED_NEW);
    assert_int_equal(give(f, &(struct sync_plan){2, 1, 7, 0, 0}), HSAY_RECEIVED_NEW);
    assert_int_equal(give(f, &(struct sync_plan){1, 4, 41, 0, 1}), HSAY_RECEIVED_FORK);
    assert_int_equal(held(f), 6); /* 1 2 3, 4 twice, and the other author's */
    assert_dropped(f, &(struct sync_plan){1, 5, 50, 0, 0}, HSAY_DROP_FORK);
    assert_dropped(f, &(struct sync_plan){1, 100, 9000, 0, 0}, HSAY_DROP_FORK);
    for (unsigned variant = 2; variant < 200; variant++)
        give(f, &(struct sync_plan){1, 4, 40 + variant % 3, 0, variant});
    assert_int_equal(held(f), 6);
    /* only variants with a lower digest than both of the proof were worth a signature: about 2 ln n
     */
    assert_true(f->crypto.verified < 11 + 40);

    /* An older fork takes its place. */
    assert_int_equal(give(f, &(struct sync_plan){1, 2, 20, 0, 1}), HSAY_RECEIVED_FORK);
    assert_int_equal(held(f), 4);
}

static void the_first_backdated_bundle_is_proof(void **state)
{
    struct fixture *f = *state;
    give(f, &(struct sync_plan){1, 1, 100, 0, 0});
    give(f, &(struct sync_plan){1, 2, 200, 0, 0});
    assert_int_equal(give(f, &(struct sync_plan){1, 3, 200, 0, 0}), HSAY_RECEIVED_FORK);
    assert_dropped(f, &(struct sync_plan){1, 4, 300, 0, 0}, HSAY_DROP_ORDER);
    assert_dropped(f, &(struct sync_plan){1, 5, 2, 0, 0}, HSAY_DROP_ORDER);
    assert_int_equal(held(f), 3);
}

static void a_predecessor_that_comes_late_removes_what_it_contradicts(void **state)
{
    struct fixture *f = *state;
    give(f, &(struct sync_plan){1, 4, 40, 0, 0});
    give(f, &(struct sync_plan){1, 5, 50, 0, 0});
    give(f, &(struct sync_plan){1, 6, 60, 0, 0});
    assert_int_equal(give(f, &(struct sync_plan){1, 2, 45, 0, 0}), HSAY_RECEIVED_FORK);
    assert_int_equal(held(f), 2); /* 2, and 4 that cannot stand after it */
    assert_int_equal(give(f, &(struct sync_plan){1, 3, 46, 0, 0}), HSAY_RECEIVED_NEW);
    assert_int_equal(give(f, &(struct sync_plan){1, 1, 44, 0, 0}), HSAY_RECEIVED_NEW);
    assert_int_equal(held(f), 4);
    assert_int_equal(give(f, &(struct sync_plan){1, 4, 41, 0, 3}), HSAY_RECEIVED_FORK);
    assert_int_equal(held(f), 5);
}

/* ---- any order --------------------------------------------------------------------------------
 */

struct pool {
    struct sync_bundle bundle[POOL_MAX];
    size_t count;
};

/* Few slots and few times, so that contradictions of all kinds meet. */
static void pool_make(struct pool *pool, const struct hsay_crypto *crypto, uint64_t *random)
{
    pool->count = 2 + fixture_random(random) % (POOL_MAX - 2);
    unsigned slots = 1 + (unsigned)(fixture_random(random) % 12);
    unsigned wild = (unsigned)(fixture_random(random) % 8);
    for (size_t i = 0; i < pool->count; i++) {
        uint64_t sequence = 1 + fixture_random(random) % slots;
        uint64_t time = 10 * sequence;
        if (fixture_random(random) % 8 < wild)
            time = 1 + fixture_random(random) % (10 * slots);
        const struct sync_plan plan = {
            .author = (unsigned)(fixture_random(random) % 2),
            .sequence = sequence,
            .time = time,
            .payload = (unsigned)(fixture_random(random) % 3 == 0 ? i : 0),
        };
        sync_bundle_make(&pool->bundle[i], crypto, &overlay, &plan);
    }
}

static void shuffle(struct pool *pool, size_t *order, uint64_t *random)
{
    for (size_t i = 0; i < pool->count; i++)
        order[i] = i;
    for (size_t i = pool->count; i > 1; i--) {
        size_t j = fixture_random(random) % i, kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static struct hsay_sum sum_of(const struct hsay_store *store)
{
    const struct hsay_range all = {.time_high = HSAY_TIME_MAX, .modulo = 1};
    struct hsay_sum sum;
    assert_int_equal(store->ops->sum(store->self, &all, UINT64_MAX, &sum), HSAY_OK);
    return sum;
}

static bool same_slot(const struct hsay_bundle *a, const struct hsay_bundle *b)
{
    return memcmp(&a->author, &b->author, sizeof a->author) == 0 && a->sequence == b->sequence;
}

static bool contradicts(const struct hsay_bundle *a, const struct hsay_bundle *b)
{
    if (memcmp(&a->digest, &b->digest, sizeof a->digest) == 0)
        return false;
    return same_slot(a, b) || (memcmp(&a->author, &b->author, sizeof a->author) == 0 &&
                               a->sequence < b->sequence && a->time >= b->time);
}

/* The first slot at which the author of `b` contradicts itself in this pool. */
static uint64_t first_contradiction(const struct pool *pool, const struct hsay_bundle *b)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < pool->count; i++) {
        const struct hsay_bundle *x = &pool->bundle[i].b;
        for (size_t j = 0; j < pool->count; j++) {
            bool same_author = memcmp(&x->author, &b->author, sizeof x->author) == 0;
            if (same_author && x->sequence < first && contradicts(&pool->bundle[j].b, x))
                first = x->sequence;
        }
    }
    return first;
}

/* What receive.h says, from the whole pool at once. */
static bool should_be_held(const struct pool *pool, const struct hsay_bundle *b)
{
    uint64_t first = first_contradiction(pool, b);
    if (b->sequence != first)
        return b->sequence < first;
    struct hsay_digest lower[POOL_MAX];
    size_t count = 0;
    for (size_t i = 0; i < pool->count; i++) {
        const struct hsay_bundle *x = &pool->bundle[i].b;
        if (!same_slot(x, b) || memcmp(&x->digest, &b->digest, sizeof x->digest) >= 0)
            continue;
        bool seen = false;
        for (size_t j = 0; j < count; j++)
            seen |= memcmp(&lower[j], &x->digest, sizeof lower[j]) == 0;
        if (!seen)
            lower[count++] = x->digest;
    }
    return count < 2;
}

static void assert_holds_what_it_should(const struct fixture *f, const struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct hsay_position at;
        const struct hsay_bundle *b = &pool->bundle[i].b;
        bool is_held = f->store.ops->find(f->store.self, &b->digest, &at) == HSAY_OK;
        assert_int_equal(is_held, should_be_held(pool, b));
    }
}

static void any_order_gives_the_same(void **state)
{
    uint64_t random = 77;
    unsigned proofs = 0;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct sync_crypto crypto;
        struct pool pool;
        struct hsay_sum first = {0, 0, 0};
        sync_crypto_init(&crypto);
        pool_make(&pool, &crypto.port, &random);
        for (int permutation = 0; permutation < 12; permutation++) {
            struct fixture f;
            size_t order[POOL_MAX];
            node_init(&f);
            shuffle(&pool, order, &random);
            for (size_t i = 0; i < pool.count; i++)
                proofs += receive(&f, pool.bundle[order[i]].b.bytes) == HSAY_RECEIVED_FORK;
            struct hsay_sum sum = sum_of(&f.store);
            if (permutation == 0) {
                assert_holds_what_it_should(&f, &pool);
                first = sum;
            }
            assert_memory_equal(&sum, &first, sizeof sum);
            /* what was refused stays refused */
            for (size_t i = 0; i < pool.count; i++)
                assert_int_equal(receive(&f, pool.bundle[i].b.bytes), HSAY_RECEIVED_DROPPED);
            hsay_store_mem_free(&f.mem);
        }
    }
    assert_true(proofs > 1000);
}

/* ---- our own ----------------------------------------------------------------------------------
 */

static void own_bundles_take_the_next_slot(void **state)
{
    struct fixture *f = *state;
    uint8_t secret[HSAY_SECRET_BYTES];
    struct hsay_key author;
    uint64_t sequence, time;
    sync_author(secret, &author, 1);
    assert_int_equal(hsay_receive_next_slot(&f->receiver, &author, &sequence, &time), HSAY_OK);
    assert_int_equal(sequence, 1);
    assert_int_equal(time, 1);
    give(f, &(struct sync_plan){2, 1, 700, 0, 0});
    give(f, &(struct sync_plan){1, 1, 30, 0, 0});
    give(f, &(struct sync_plan){1, 2, 31, 0, 0});
    assert_int_equal(hsay_receive_next_slot(&f->receiver, &author, &sequence, &time), HSAY_OK);
    assert_int_equal(sequence, 3);
    assert_int_equal(time, 701);
    assert_int_equal(give(f, &(struct sync_plan){1, sequence, time, 0, 0}), HSAY_RECEIVED_NEW);

    give(f,
         &(struct sync_plan){2, 2, 10000, 0, 0}); /* at the bound: others would refuse the next */
    assert_int_equal(hsay_receive_next_slot(&f->receiver, &author, &sequence, &time), HSAY_EBUDGET);
    hsay_window_limit(&f->window, hsay_time_add_ms(now.mono, HSAY_TIME_WINDOW_STEP_MS));
    assert_int_equal(hsay_receive_next_slot(&f->receiver, &author, &sequence, &time), HSAY_OK);
    assert_int_equal(time, 10001);

    give(f, &(struct sync_plan){1, 3, 702, 0, 1}); /* somebody else uses our key */
    assert_int_equal(hsay_receive_next_slot(&f->receiver, &author, &sequence, &time), HSAY_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cheap_refusals_cost_no_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_wall_clock_no_expiry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_late_verdict_finds_the_duplicate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_store_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_quota_costs_no_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gaps_fill_in_any_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fork_ends_its_author, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_backdated_bundle_is_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_predecessor_that_comes_late_removes_what_it_contradicts,
                                        set_up, tear_down),
        cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test_setup_teardown(own_bundles_take_the_next_slot, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
