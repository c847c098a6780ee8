/* Goal: a token is good for one address, key and overlay, for two epochs, and can not be guessed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/params.h"
#include "src/wire/rng.h"
#include "src/wire/token.h"
#include "tests/vectors/vectors.h"

static struct hsay_crypto crypto;
static uint8_t secret[32];
static struct hsay_token_scope scope;

static int set_up(void **state)
{
    (void)state;
    hsay_crypto_sodium(&crypto);
    vector_copy("derive.hex", "token.secret", secret, sizeof secret);
    scope = (struct hsay_token_scope){
        .addr = {.kind = HSAY_ADDR_IP4, .port = 6421, .byte = {192, 0, 2, 1}}};
    vector_copy("derive.hex", "node.a.key", scope.node.byte, sizeof scope.node.byte);
    vector_copy("derive.hex", "open.tag", scope.tag, sizeof scope.tag);
    return hsay_sodium_init();
}

static hsay_time epoch(uint64_t n)
{
    return hsay_time_add_ms((hsay_time){0}, n * HSAY_TOKEN_EPOCH_MS);
}

static void agrees_with_the_vectors(void **state)
{
    struct hsay_token token, expected;

    (void)state;
    hsay_token_make(&token, &crypto, secret, epoch(0), &scope);
    vector_copy("derive.hex", "token.ip4.epoch0", expected.byte, sizeof expected.byte);
    assert_memory_equal(&token, &expected, sizeof token);
    hsay_token_make(&token, &crypto, secret, (hsay_time){epoch(8).ns - 1}, &scope);
    vector_copy("derive.hex", "token.ip4.epoch7", expected.byte, sizeof expected.byte);
    assert_memory_equal(&token, &expected, sizeof token);

    struct hsay_token_scope six = scope;
    six.addr.kind = HSAY_ADDR_IP6;
    for (uint8_t i = 0; i < 16; i++)
        six.addr.byte[i] = (uint8_t)(0x20 + i);
    hsay_token_make(&token, &crypto, secret, epoch(8), &six);
    vector_copy("derive.hex", "token.ip6.epoch8", expected.byte, sizeof expected.byte);
    assert_memory_equal(&token, &expected, sizeof token);
}

static void lives_for_two_epochs(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 5; n++) {
        struct hsay_token token;
        hsay_token_make(&token, &crypto, secret, epoch(n), &scope);
        assert_true(hsay_token_good(&token, &crypto, secret, epoch(n), &scope));
        hsay_time last = {epoch(n + 2).ns - 1};
        assert_true(hsay_token_good(&token, &crypto, secret, last, &scope));
        for (uint64_t later = 2; later < 7; later++)
            assert_false(hsay_token_good(&token, &crypto, secret, epoch(n + later), &scope));
        for (uint64_t earlier = 1; earlier <= n; earlier++)
            assert_false(hsay_token_good(&token, &crypto, secret, epoch(n - earlier), &scope));
    }
}

static void is_bound_to_every_byte_of_its_scope(void **state)
{
    struct hsay_token token;
    uint8_t *byte = (uint8_t *)&scope;

    (void)state;
    hsay_token_make(&token, &crypto, secret, epoch(3), &scope);
    for (size_t i = 0; i < sizeof scope; i++) {
        if (i == offsetof(struct hsay_addr, zero))
            continue;
        byte[i] ^= 0x10;
        assert_false(hsay_token_good(&token, &crypto, secret, epoch(3), &scope));
        byte[i] ^= 0x10;
    }
    secret[31] ^= 1;
    assert_false(hsay_token_good(&token, &crypto, secret, epoch(3), &scope));
    secret[31] ^= 1;
    assert_true(hsay_token_good(&token, &crypto, secret, epoch(3), &scope));
}

static void every_bit_counts(void **state)
{
    struct hsay_token token;

    (void)state;
    hsay_token_make(&token, &crypto, secret, epoch(3), &scope);
    for (size_t bit = 0; bit < 8 * sizeof token.byte; bit++) {
        token.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(hsay_token_good(&token, &crypto, secret, epoch(3), &scope));
        token.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void none_of_many_guesses_is_good(void **state)
{
    struct hsay_rng rng;
    struct hsay_token token;

    (void)state;
    hsay_rng_init(&rng, secret);
    for (int n = 0; n < 300000; n++) {
        hsay_rng_bytes(&rng, &crypto, token.byte, sizeof token.byte);
        assert_false(hsay_token_good(&token, &crypto, secret, epoch(3), &scope));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_vectors),
        cmocka_unit_test(lives_for_two_epochs),
        cmocka_unit_test(is_bound_to_every_byte_of_its_scope),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(none_of_many_guesses_is_good),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
