/* Goal: an envelope has one form, opens only for those it was sealed for, and not after any change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "hearsay/params.h"
#include "src/wire/seal.h"
#include "tests/vectors/vectors.h"

static struct hsay_crypto crypto;
static struct hsay_seal_keys open_keys, closed_keys;
static uint8_t secret_a[32], secret_b[32];
static struct hsay_key key_a, key_b;

static int set_up(void **state)
{
    struct hsay_key overlay;
    uint8_t secret[32];

    (void)state;
    hsay_crypto_sodium(&crypto);
    vector_copy("derive.hex", "overlay.key", overlay.byte, sizeof overlay.byte);
    vector_copy("derive.hex", "overlay.secret", secret, sizeof secret);
    vector_copy("derive.hex", "node.a.secret", secret_a, sizeof secret_a);
    vector_copy("derive.hex", "node.b.secret", secret_b, sizeof secret_b);
    vector_copy("derive.hex", "node.a.key", key_a.byte, sizeof key_a.byte);
    vector_copy("derive.hex", "node.b.key", key_b.byte, sizeof key_b.byte);
    hsay_seal_derive(&open_keys, &crypto, &overlay, (struct hsay_span){NULL, 0});
    hsay_seal_derive(&closed_keys, &crypto, &overlay, (struct hsay_span){secret, sizeof secret});
    return hsay_sodium_init();
}

static void check_keys(const struct hsay_seal_keys *keys, const char *group)
{
    const struct {
        const char *field;
        const uint8_t *byte;
        size_t size;
    } all[] = {{"bind", keys->bind, 32}, {"tag", keys->tag, 4}, {"first", keys->first, 32}};
    char name[64];

    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s.%s", group, all[i].field);
        struct vector v = vector_get("derive.hex", name);
        assert_int_equal(v.size, all[i].size);
        assert_memory_equal(all[i].byte, v.byte, v.size);
    }
}

static void keys_agree_with_the_vectors(void **state)
{
    struct hsay_key derived;
    uint8_t pair[32], expected[32];

    (void)state;
    check_keys(&open_keys, "open");
    check_keys(&closed_keys, "closed");
    crypto.ops->node_public(crypto.self, &derived, secret_a);
    assert_memory_equal(&derived, &key_a, sizeof derived);

    vector_copy("derive.hex", "open.pair", expected, sizeof expected);
    assert_int_equal(hsay_seal_pair_key(pair, &crypto, &open_keys, secret_a, &key_a, &key_b), 0);
    assert_memory_equal(pair, expected, sizeof pair);
    assert_int_equal(hsay_seal_pair_key(pair, &crypto, &open_keys, secret_b, &key_b, &key_a), 0);
    assert_memory_equal(pair, expected, sizeof pair);
    vector_copy("derive.hex", "closed.pair", expected, sizeof expected);
    assert_int_equal(hsay_seal_pair_key(pair, &crypto, &closed_keys, secret_a, &key_a, &key_b), 0);
    assert_memory_equal(pair, expected, sizeof pair);
}

static void no_key_with_oneself_or_of_small_order(void **state)
{
    struct hsay_key zero = {{0}};
    uint8_t pair[32];

    (void)state;
    assert_int_equal(hsay_seal_pair_key(pair, &crypto, &open_keys, secret_a, &key_a, &key_a),
                     HSAY_EBAD);
    assert_int_equal(hsay_seal_pair_key(pair, &crypto, &open_keys, secret_a, &key_a, &zero),
                     HSAY_EBAD);
}

static struct vector part_of(const char *good, const char *part)
{
    char name[128];

    snprintf(name, sizeof name, "%.*s.%s", (int)(strlen(good) - strlen(".key")), good, part);
    return vector_get("envelope.hex", name);
}

/* Seal the message again, from what the envelope says. */
static void check_sealed_again(const struct vector *datagram, const struct hsay_envelope *envelope,
                               const uint8_t key[32], struct hsay_span message)
{
    uint8_t out[HSAY_DATAGRAM_MAX_BYTES];
    bool closed = memcmp(envelope->tag, closed_keys.tag, sizeof envelope->tag) == 0;
    const struct hsay_seal_as as = {
        .keys = closed ? &closed_keys : &open_keys,
        .own = &envelope->sender,
        .key = key,
        .token = (envelope->flags & HSAY_ENVELOPE_TOKEN) != 0 ? &envelope->token : NULL,
        .first = (envelope->flags & HSAY_ENVELOPE_FIRST) != 0,
    };

    memcpy(out + hsay_seal_message_at(&as), message.data, message.size);
    assert_int_equal(hsay_seal(out, &crypto, &as, envelope->nonce, message.size), datagram->size);
    assert_memory_equal(out, datagram->byte, datagram->size);
}

static void envelopes_agree_with_the_vectors(void **state)
{
    struct vector key;
    size_t seen = 0, checked = 0;

    (void)state;
    while (vector_next("envelope.hex", "good.", &seen, &key)) {
        if (strstr(key.name, ".key") == NULL)
            continue;
        struct vector datagram = part_of(key.name, "datagram"),
                      message = part_of(key.name, "message");
        struct hsay_envelope envelope;
        uint8_t out[HSAY_DATAGRAM_MAX_BYTES];
        struct hsay_span opened;
        assert_int_equal(hsay_envelope_parse(&envelope, vector_span(&datagram)), 0);
        assert_memory_equal(&envelope.sender, &key_a, sizeof key_a);
        assert_int_equal(envelope.header.size + envelope.sealed.size, datagram.size);
        assert_int_equal(hsay_open(out, &opened, &crypto, &envelope, key.byte), 0);
        assert_int_equal(opened.size, message.size);
        assert_memory_equal(opened.data, message.byte, message.size);
        check_sealed_again(&datagram, &envelope, key.byte, opened);
        checked++;
    }
    assert_int_equal(checked, 8);
}

static void bad_envelopes_are_refused(void **state)
{
    struct hsay_envelope envelope;
    struct vector v;
    size_t bad = 0, other = 0;

    (void)state;
    while (vector_next("envelope.hex", "bad.", &bad, &v))
        assert_int_equal(hsay_envelope_parse(&envelope, vector_span(&v)), HSAY_EBAD);
    while (vector_next("envelope.hex", "other.", &other, &v))
        assert_int_equal(hsay_envelope_parse(&envelope, vector_span(&v)), HSAY_EVERSION);
    assert_int_equal(bad, 7);
    assert_int_equal(other, 3);
}

static bool opens(struct hsay_span datagram, const uint8_t key[32])
{
    struct hsay_envelope envelope;
    uint8_t out[HSAY_DATAGRAM_MAX_BYTES];
    struct hsay_span message;

    return hsay_envelope_parse(&envelope, datagram) == 0 &&
           hsay_open(out, &message, &crypto, &envelope, key) == 0;
}

static void no_bit_may_change(void **state)
{
    struct vector key = vector_get("envelope.hex", "good.open.token.key");
    struct vector v = vector_get("envelope.hex", "good.open.token.datagram");

    (void)state;
    assert_true(opens(vector_span(&v), key.byte));
    for (size_t bit = 0; bit < 8 * v.size; bit++) {
        v.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(opens(vector_span(&v), key.byte));
        v.byte[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < v.size; size++)
        assert_false(opens((struct hsay_span){v.byte, size}, key.byte));
}

static void only_its_own_key_opens_it(void **state)
{
    static const char *const names[] = {"open.plain",   "open.token",   "open.first",
                                        "closed.plain", "closed.token", "closed.first"};
    char name[64];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "good.%s.datagram", names[i]);
        struct vector datagram = vector_get("envelope.hex", name);
        for (size_t j = 0; j < 6; j++) {
            snprintf(name, sizeof name, "good.%s.key", names[j]);
            struct vector key = vector_get("envelope.hex", name);
            bool same = i / 3 == j / 3 && (i % 3 == 2) == (j % 3 == 2);
            assert_int_equal(opens(vector_span(&datagram), key.byte), same);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_agree_with_the_vectors),
        cmocka_unit_test(no_key_with_oneself_or_of_small_order),
        cmocka_unit_test(envelopes_agree_with_the_vectors),
        cmocka_unit_test(bad_envelopes_are_refused),
        cmocka_unit_test(no_bit_may_change),
        cmocka_unit_test(only_its_own_key_opens_it),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
