/* Goal: a key put is a key found, strangers never push out who is known, and the ring works at any
 * size and clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "src/wire/keyring.h"

static struct hsay_keyring ring;
static struct hsay_keyring_entry entry[64];

static struct hsay_key peer(uint32_t n)
{
    struct hsay_key key = {{(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), 7}};

    return key;
}

static void put(uint8_t overlay, uint32_t n, bool known)
{
    struct hsay_key name = peer(n);
    uint8_t key[32] = {overlay, (uint8_t)n, (uint8_t)(n >> 8), 9};

    hsay_keyring_put(&ring, overlay, &name, key, known);
}

static bool has(uint8_t overlay, uint32_t n)
{
    struct hsay_key name = peer(n);
    const uint8_t expected[32] = {overlay, (uint8_t)n, (uint8_t)(n >> 8), 9};
    const uint8_t *key = hsay_keyring_find(&ring, overlay, &name);

    if (key != NULL)
        assert_memory_equal(key, expected, sizeof expected);
    return key != NULL;
}

static void finds_by_overlay_and_peer(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 64, 1);
    assert_false(has(0, 0));
    put(0, 1, false);
    put(1, 1, true);
    put(1, 2, false);
    assert_true(has(0, 1) && has(1, 1) && has(1, 2));
    assert_false(has(0, 2) || has(2, 1));
}

/* One set of four: what is pushed out is the stranger used longest ago. */
static void strangers_go_oldest_first(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 4, 1);
    for (uint32_t n = 0; n < 4; n++)
        put(0, n, false);
    assert_true(has(0, 0));
    put(0, 10, false);
    assert_false(has(0, 1));
    assert_true(has(0, 10) && has(0, 2));
    put(0, 11, false);
    assert_false(has(0, 3));
    assert_true(has(0, 0) && has(0, 2) && has(0, 10) && has(0, 11));
}

static void strangers_never_displace_the_known(void **state)
{
    unsigned kept = 0;

    (void)state;
    hsay_keyring_init(&ring, entry, 64, 99);
    for (uint32_t n = 0; n < 32; n++)
        put(0, n, true);
    bool before[32];
    for (uint32_t n = 0; n < 32; n++)
        kept += before[n] = has(0, n);
    assert_true(kept >= 24);
    for (uint32_t n = 1000; n < 20000; n++)
        put(0, n, false);
    for (uint32_t n = 0; n < 32; n++)
        assert_int_equal(has(0, n), before[n]);
}

static void the_known_displace_strangers_first(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 4, 1);
    put(0, 0, true);
    put(0, 1, false);
    put(0, 2, true);
    put(0, 3, true);
    put(0, 4, true);
    assert_false(has(0, 1));
    put(0, 5, true);
    assert_false(has(0, 0));
    put(0, 6, false);
    assert_false(has(0, 6));
    assert_true(has(0, 2) && has(0, 3) && has(0, 4) && has(0, 5));
}

static void the_known_stay_known(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 4, 1);
    for (uint32_t n = 0; n < 4; n++)
        put(0, n, n == 0);
    put(0, 0, false);
    put(0, 1, true);
    for (uint32_t n = 10; n < 30; n++)
        put(0, n, false);
    assert_true(has(0, 0) && has(0, 1));
}

static void an_own_key_may_be_put_again(void **state)
{
    struct hsay_key name = peer(3);

    (void)state;
    hsay_keyring_init(&ring, entry, 4, 1);
    put(0, 3, false);
    hsay_keyring_put(&ring, 0, &name, hsay_keyring_find(&ring, 0, &name), true);
    assert_true(has(0, 3));
}

static void an_overlay_is_forgotten_whole(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 64, 5);
    for (uint32_t n = 0; n < 8; n++) {
        put(0, n, true);
        put(1, n, true);
    }
    hsay_keyring_drop(&ring, 1);
    for (uint32_t n = 0; n < 8; n++) {
        assert_true(has(0, n));
        assert_false(has(1, n));
    }
    for (size_t i = 0; i < 64; i++)
        assert_int_not_equal(entry[i].overlay, 1);
}

static void a_ring_without_places_keeps_nothing(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, NULL, 0, 5);
    put(0, 1, true);
    assert_false(has(0, 1));
    hsay_keyring_drop(&ring, 0);
}

static void the_clock_may_wrap(void **state)
{
    (void)state;
    hsay_keyring_init(&ring, entry, 4, 1);
    ring.clock = UINT32_MAX - 2;
    for (uint32_t n = 0; n < 4; n++)
        put(0, n, false);
    assert_true(has(0, 0) && has(0, 1) && has(0, 2) && has(0, 3));
    put(0, 4, false);
    assert_false(has(0, 0));
    assert_true(has(0, 1));
    put(0, 5, false);
    assert_false(has(0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_overlay_and_peer),
        cmocka_unit_test(strangers_go_oldest_first),
        cmocka_unit_test(strangers_never_displace_the_known),
        cmocka_unit_test(the_known_displace_strangers_first),
        cmocka_unit_test(the_known_stay_known),
        cmocka_unit_test(an_own_key_may_be_put_again),
        cmocka_unit_test(an_overlay_is_forgotten_whole),
        cmocka_unit_test(a_ring_without_places_keeps_nothing),
        cmocka_unit_test(the_clock_may_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
