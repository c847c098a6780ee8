/* Goal: the crypto port does what the standards say, and refuses the keys and signatures that the
 * protocol relies on being refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "tests/vectors/vectors.h"

static struct hsay_crypto crypto;

static int set_up(void **state)
{
    (void)state;
    hsay_crypto_sodium(&crypto);
    return hsay_sodium_init();
}

static struct vector of(const char *group, const char *field)
{
    char name[64];

    snprintf(name, sizeof name, "%s.%s", group, field);
    return vector_get("crypto.hex", name);
}

static void signs_as_rfc_8032(void **state)
{
    static const char *const groups[] = {"ed25519.1", "ed25519.2", "ed25519.3"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct vector seed = of(groups[i], "seed"), key = of(groups[i], "key");
        struct vector message = of(groups[i], "message"), good = of(groups[i], "signature");
        struct hsay_key author;
        uint8_t secret[HSAY_SECRET_BYTES], signature[HSAY_SIGNATURE_BYTES];
        hsay_sodium_author_from_seed(&author, secret, seed.byte);
        assert_memory_equal(author.byte, key.byte, sizeof author.byte);
        assert_memory_equal(secret + 32, key.byte, 32);
        crypto.ops->sign(crypto.self, signature, secret, vector_span(&message));
        assert_memory_equal(signature, good.byte, sizeof signature);
        assert_true(crypto.ops->verify(crypto.self, signature, &author, vector_span(&message)));
        signature[i * 20] ^= 1;
        assert_false(crypto.ops->verify(crypto.self, signature, &author, vector_span(&message)));
    }
}

/* S + L is a second signature for the same message if nobody looks; then a bundle would have two
 * ids. */
static void refuses_a_second_form_of_a_signature(void **state)
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct vector key = of("ed25519.2", "key"), message = of("ed25519.2", "message");
    struct vector signature = of("ed25519.2", "signature");
    struct hsay_key author;
    unsigned carry = 0;

    (void)state;
    memcpy(author.byte, key.byte, sizeof author.byte);
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature.byte[32 + i] + order[i];
        signature.byte[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(crypto.ops->verify(crypto.self, signature.byte, &author, vector_span(&message)));
}

/* With the neutral element as key and as R, and S = 0, every message would verify. */
static void refuses_an_author_key_of_small_order(void **state)
{
    struct hsay_key author = {{1}};
    uint8_t signature[HSAY_SIGNATURE_BYTES] = {1};
    const uint8_t text[] = {'x'};

    (void)state;
    assert_false(crypto.ops->verify(crypto.self, signature, &author, (struct hsay_span){text, 1}));
}

static void agrees_as_rfc_7748(void **state)
{
    static const char *const groups[] = {"x25519.1", "x25519.2"};
    struct hsay_key peer;
    uint8_t shared[32];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct vector scalar = of(groups[i], "scalar"), point = of(groups[i], "point");
        struct vector good = of(groups[i], "shared");
        memcpy(peer.byte, point.byte, sizeof peer.byte);
        assert_int_equal(crypto.ops->agree(crypto.self, shared, scalar.byte, &peer), 0);
        assert_memory_equal(shared, good.byte, sizeof shared);
    }
    struct vector alice = of("x25519", "alice.secret"), bob = of("x25519", "bob.key");
    struct vector key = of("x25519", "alice.key"), good = of("x25519", "alice_bob");
    struct hsay_key own;
    crypto.ops->node_public(crypto.self, &own, alice.byte);
    assert_memory_equal(own.byte, key.byte, sizeof own.byte);
    memcpy(peer.byte, bob.byte, sizeof peer.byte);
    assert_int_equal(crypto.ops->agree(crypto.self, shared, alice.byte, &peer), 0);
    assert_memory_equal(shared, good.byte, sizeof shared);
}

static void refuses_a_node_key_of_small_order(void **state)
{
    struct vector secret = of("x25519", "alice.secret");
    uint8_t shared[32];

    (void)state;
    for (uint8_t u = 0; u < 2; u++) {
        struct hsay_key peer = {{u}};
        assert_int_equal(crypto.ops->agree(crypto.self, shared, secret.byte, &peer), HSAY_EBAD);
    }
}

static void seals_as_the_xchacha_draft(void **state)
{
    struct vector key = of("xchacha", "key"), nonce = of("xchacha", "nonce");
    struct vector header = of("xchacha", "header"), plain = of("xchacha", "plain");
    struct vector good = of("xchacha", "sealed");
    uint8_t out[256], back[256];

    (void)state;
    crypto.ops->seal(crypto.self, out, key.byte, nonce.byte, vector_span(&header),
                     vector_span(&plain));
    assert_memory_equal(out, good.byte, good.size);
    memcpy(out, plain.byte, plain.size);
    crypto.ops->seal(crypto.self, out, key.byte, nonce.byte, vector_span(&header),
                     (struct hsay_span){out, plain.size});
    assert_memory_equal(out, good.byte, good.size);
    assert_int_equal(crypto.ops->open(crypto.self, back, key.byte, nonce.byte, vector_span(&header),
                                      vector_span(&good)),
                     0);
    assert_memory_equal(back, plain.byte, plain.size);
    header.byte[0] ^= 1;
    assert_int_equal(crypto.ops->open(crypto.self, back, key.byte, nonce.byte, vector_span(&header),
                                      vector_span(&good)),
                     HSAY_EBAD);
}

static void hashes_as_rfc_7693_in_any_parts(void **state)
{
    struct vector message = of("blake2b", "message"), good = of("blake2b", "512");
    struct vector key = of("blake2b", "key"), keyed = of("blake2b", "keyed.512");
    const struct hsay_span none = {NULL, 0};
    uint8_t out[64];

    (void)state;
    for (size_t cut = 0; cut <= message.size; cut++) {
        const struct hsay_span part[] = {
            {message.byte, cut}, none, {message.byte + cut, message.size - cut}};
        crypto.ops->hash(crypto.self, out, sizeof out, none, part, 3);
        assert_memory_equal(out, good.byte, sizeof out);
    }
    crypto.ops->hash(crypto.self, out, sizeof out, vector_span(&key), NULL, 0);
    assert_memory_equal(out, keyed.byte, sizeof out);
}

static void fresh_keys_differ_and_fit(void **state)
{
    struct hsay_key author[2], node[2], derived;
    uint8_t author_secret[HSAY_SECRET_BYTES], node_secret[HSAY_KEY_BYTES], zeros[32] = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        hsay_sodium_author(&author[i], author_secret);
        hsay_sodium_node(&node[i], node_secret);
    }
    assert_memory_not_equal(&author[0], &author[1], sizeof author[0]);
    assert_memory_not_equal(&node[0], &node[1], sizeof node[0]);
    assert_memory_equal(author_secret + 32, author[1].byte, 32);
    crypto.ops->node_public(crypto.self, &derived, node_secret);
    assert_memory_equal(&derived, &node[1], sizeof derived);
    hsay_sodium_wipe(node_secret, sizeof node_secret);
    assert_memory_equal(node_secret, zeros, sizeof zeros);
    hsay_sodium_random(node_secret, sizeof node_secret);
    assert_memory_not_equal(node_secret, zeros, sizeof zeros);
}

static void errors_have_words(void **state)
{
    (void)state;
    for (int error = 3; error > -40; error--) {
        const char *text = hsay_strerror(error);
        assert_non_null(text);
        assert_true(strlen(text) > 5 && text[strlen(text) - 1] != '.');
    }
    assert_string_not_equal(hsay_strerror(HSAY_ENOMEM), hsay_strerror(HSAY_ENOMEM - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_as_rfc_8032),
        cmocka_unit_test(refuses_a_second_form_of_a_signature),
        cmocka_unit_test(refuses_an_author_key_of_small_order),
        cmocka_unit_test(agrees_as_rfc_7748),
        cmocka_unit_test(refuses_a_node_key_of_small_order),
        cmocka_unit_test(seals_as_the_xchacha_draft),
        cmocka_unit_test(hashes_as_rfc_7693_in_any_parts),
        cmocka_unit_test(fresh_keys_differ_and_fit),
        cmocka_unit_test(errors_have_words),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
