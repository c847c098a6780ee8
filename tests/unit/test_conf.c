/*
 * Goal of this test: values with units, the nearest known word, who goes first, and what a reload
 * takes over; each mistake is told with its place and leaves nothing half done.  The syntax's
 * refusals as users see them are in tests/e2e/daemon_conf.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The daemon is no library, so its pure parts are taken in as they are. */
#include "hearsay/crypto_sodium.h"
#include "src/common/base64.h"
#include "src/daemon/beacon_seal.c"
#include "src/daemon/conf.c"
#include "src/daemon/conf_read.c"
#include "src/daemon/ini.c"
#include "src/daemon/request.c"
#include "src/daemon/value.c"

static struct conf conf, other;
static struct conf_error error;

static int read_text(struct conf *into, const char *text)
{
    error.text[0] = 0;
    return conf_read(into, "test.conf", text, strlen(text), &error);
}

static void assert_bad(const char *text, const char *words)
{
    conf_default(&conf);
    assert_int_equal(read_text(&conf, text), HSAY_EINVAL);
    if (!strstr(error.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, words);
    }
}

/* ---- values --------------------------------------------------------------------------------- */

static void assert_bytes(const char *text, uint64_t want)
{
    uint64_t got = 12345;

    assert_int_equal(value_bytes(&got, text), 0);
    assert_int_equal(got, want);
}

static void test_bytes(void **unused)
{
    static const char *const bad[] = {
        "", "GB", "-1", "1XB", "1.5.5", "99999999999999999999", "1 0", "18446744073709551615TB"};
    uint64_t got = 7;

    (void)unused;
    assert_bytes("0", 0);
    assert_bytes("512", 512);
    assert_bytes("2GB", 2000000000);
    assert_bytes("2 GiB", UINT64_C(2) << 30);
    assert_bytes("1.5k", 1500);
    assert_bytes("0.000001MB", 1);
    assert_bytes("0.0000019MB", 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(value_bytes(&got, bad[i]), HSAY_EBAD);
    }
    assert_int_equal(got, 7);
}

static void test_ms(void **unused)
{
    uint64_t got;

    (void)unused;
    assert_int_equal(value_ms(&got, "5"), 0);
    assert_int_equal(got, 5000);
    assert_int_equal(value_ms(&got, "0.05"), 0);
    assert_int_equal(got, 50);
    assert_int_equal(value_ms(&got, "250ms"), 0);
    assert_int_equal(got, 250);
    assert_int_equal(value_ms(&got, "30d"), 0);
    assert_int_equal(got, UINT64_C(30) * 86400000);
    assert_int_equal(value_ms(&got, "5 parsecs"), HSAY_EBAD);
}

static void test_listen(void **unused)
{
    static const char *const bad[] = {
        "",       "[::]",   "[::]:", "::1:80",    "1.2.3.4", "1.2.3.4:65536", "[1.2.3.4]:1",
        "host:1", "[::1:1", ":1",    "1.2.3.4:-1"};
    struct hsay_addr addr;

    (void)unused;
    assert_int_equal(value_listen(&addr, "127.0.0.1:0"), 0);
    assert_int_equal(addr.kind, HSAY_ADDR_IP4);
    assert_int_equal(addr.port, 0);
    assert_int_equal(addr.byte[0], 127);
    assert_int_equal(value_listen(&addr, "[::1]:6421"), 0);
    assert_int_equal(addr.kind, HSAY_ADDR_IP6);
    assert_int_equal(addr.byte[15], 1);
    assert_int_equal(value_listen(&addr, "7000"), 0);
    assert_int_equal(addr.kind, HSAY_ADDR_IP6);
    assert_int_equal(addr.port, 7000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (value_listen(&addr, bad[i]) != HSAY_EBAD) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

static void test_distance(void **unused)
{
    (void)unused;
    assert_int_equal(value_distance("", ""), 0);
    assert_int_equal(value_distance("peer", "peer"), 0);
    assert_int_equal(value_distance("peeers", "peer"), 2);
    assert_int_equal(value_distance("", "abc"), 3);
    assert_int_equal(value_distance("kitten", "sitting"), 3);
}

/* ---- names of peers, join texts, base64 ----------------------------------------------------- */

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void assert_peer(const char *text, const char *want)
{
    char out[PEER_NAME_TEXT_BYTES];
    struct peer_name name;

    assert_int_equal(peer_name_parse(&name, text), 0);
    peer_name_format(out, &name);
    assert_string_equal(out, want);
}

static void test_peers(void **unused)
{
    static const char *const bad[] = {
        "",
        "host:",
        "host:0",
        "host:65536",
        "host:1:2",
        "::1",
        "[::1",
        "[::1]x",
        "[host]:1",
        "[1.2.3.4]:1",
        "ho st:1",
        "-x:1",
        "host#",
        "host:1#0011",
        "host:1#" HEX64 "0",
        "host:1#" HEX64 "#",
        ":1",
        "a:1\n",
        "host:+1",
        "[]:1",
    };
    struct peer_name name;

    (void)unused;
    assert_peer("host", "host:6421");
    assert_peer("host.example.org:1", "host.example.org:1");
    assert_peer("192.0.2.1:80#" HEX64, "192.0.2.1:80#" HEX64);
    assert_peer("[2001:db8::1]", "[2001:db8::1]:6421");
    assert_peer("host#" HEX64, "host:6421#" HEX64);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (peer_name_parse(&name, bad[i]) != HSAY_EBAD) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
}

static void test_join(void **unused)
{
    static const char *const bad[] = {"",
                                      "hsay1:",
                                      "hsay1:" HEX64 ":",
                                      "hsay2:" HEX64,
                                      "hsay1:" HEX64 ":" HEX64 "0",
                                      "hsay1:" HEX64 "-" HEX64,
                                      "hsay1:g0112233445566778899aabbccddeeff001122334455667788"
                                      "99aabbccddeeff"};
    char out[JOIN_TEXT_BYTES];
    struct join join;

    (void)unused;
    assert_int_equal(join_parse(&join, "hsay1:" HEX64), 0);
    assert_false(join.has_secret);
    join_format(out, &join);
    assert_string_equal(out, "hsay1:" HEX64);
    assert_int_equal(join_parse(&join, "hsay1:" HEX64 ":" HEX64), 0);
    assert_true(join.has_secret);
    join_format(out, &join);
    assert_string_equal(out, "hsay1:" HEX64 ":" HEX64);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(join_parse(&join, bad[i]), HSAY_EBAD);
    }
    assert_true(join_name_ok("a"));
    assert_true(join_name_ok("abcdefg"));
    assert_true(join_name_ok("abcdefg-h"));
    assert_false(join_name_ok("abcdef01"));
    assert_false(join_name_ok("-"));
    assert_false(join_name_ok(""));
    assert_false(join_name_ok("a b"));
}

/* RFC 4648, part 10. */
static void test_base64(void **unused)
{
    static const char *const pair[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    static const char *const bad[] = {
        "Z", "Zg=", "Zh==", "Zg==Zg==", "=g==", "Zm9=", "Z===", "Zg\n="};
    char text[BASE64_TEXT_BYTES(6)];
    uint8_t bytes[6];

    (void)unused;
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        base64_format(text, pair[i][0], strlen(pair[i][0]));
        assert_string_equal(text, pair[i][1]);
        assert_int_equal(base64_parse(bytes, sizeof bytes, text), strlen(pair[i][0]));
        assert_memory_equal(bytes, pair[i][0], strlen(pair[i][0]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(base64_parse(bytes, sizeof bytes, bad[i]), HSAY_EBAD);
    }
    assert_int_equal(base64_parse(bytes, 5, "Zm9vYmFy"), HSAY_ENOSPC);
}

/* ---- the file ------------------------------------------------------------------------------- */

static void test_file(void **unused)
{
    struct hsay_overlay_config walk = {0};

    (void)unused;
    conf_default(&conf);
    assert_int_equal(read_text(&conf, "# all\r\n\n[node]\r\nstep = 2s ; five is too slow\n"
                                      "peer = a:1\npeer=[::1]:2#" HEX64 "\n  [ store ]  \n"
                                      "quota=\"5 MB\"\n[overlay x]\nstep = 100ms\npolicy = paper\n"
                                      "[node]\nanswer-bytes = 5kB"),
                     0);
    assert_int_equal(conf.quota_bytes, 5000000);
    assert_int_equal(conf.peer_count, 2);
    assert_int_equal(conf.overlay_count, 1);
    conf_overlay_walk(&conf, "x", &walk);
    assert_int_equal(walk.step_ms, 100);
    assert_int_equal(walk.policy, HSAY_POLICY_PAPER);
    assert_int_equal(walk.answer_bytes, 5000);
    conf_overlay_walk(&conf, "y", &walk);
    assert_int_equal(walk.step_ms, 2000);
    assert_int_equal(walk.policy, HSAY_POLICY_HEARSAY);
    assert_int_equal(walk.mail_fanout, 0);
}

static void test_mistakes(void **unused)
{
    (void)unused;
    assert_bad("[overlay test]\n\npeeers = a\n",
               "test.conf:3: unknown key 'peeers' in [overlay test]; nearest known: 'peer'");
    assert_bad("[control]\npth = a\n", "nearest known: 'path'");
    assert_bad("[overlays x]\n", "nearest known: [overlay NAME]");
    assert_bad("[log x]\n", "takes no name");
    assert_bad("[node]\nstep = \n", "step '' is not a time");
    assert_bad("[node]\n = 5\n", "no key before the =");
    assert_bad("[]\n", "a section needs a name");
    assert_bad("[node\n", "a section is written");
    assert_bad("[node]\nstate = \x01\n", "control characters");
    assert_bad("[node]\noverlays-max = 65\n", "is not a number from 1 to 64");
    assert_bad("[node]\nlisten=1\nlisten=1\nlisten=1\nlisten=1\nlisten=1\nlisten=1\nlisten=1\n"
               "listen=1\nlisten=1\n",
               "test.conf:10: too many values for 'listen'");
}

static void test_long_line(void **unused)
{
    char text[INI_LINE_BYTES + 20] = "[node]\nstate = ";

    (void)unused;
    memset(text + strlen(text), 'x', sizeof text - strlen(text) - 1);
    assert_bad(text, "test.conf:2: the line is over 1,023 bytes long");
}

static void test_precedence(void **unused)
{
    (void)unused;
    conf_default(&conf);
    assert_int_equal(conf.listen[0].port, HSAY_PORT_DEFAULT);
    assert_int_equal(read_text(&conf, "[node]\nlisten = 127.0.0.1:1\nlisten = 127.0.0.1:2\n"
                                      "peer = a:1\n[log]\nlevel = debug\n"),
                     0);
    assert_int_equal(conf.listen_count, 2);
    setenv("HEARSAY_LISTEN", "127.0.0.1:3  [::1]:4", 1);
    setenv("HEARSAY_LOG_LEVEL", "error", 1);
    setenv("HEARSAY_PEER", "b:1", 1);
    assert_int_equal(conf_environment(&conf, &error), 0);
    assert_int_equal(conf.listen_count, 2);
    assert_int_equal(conf.listen[1].port, 4);
    assert_int_equal(conf.log_level, 0);
    assert_int_equal(conf_option(&conf, "listen", "127.0.0.1:5", &error), 0);
    assert_int_equal(conf_option(&conf, "peer", "c:1", &error), 0);
    assert_int_equal(conf.listen_count, 1);
    assert_int_equal(conf.listen[0].port, 5);
    assert_int_equal(conf.peer_count, 3);
    assert_int_equal(conf_option(&conf, "overlay", "hsay1:" HEX64 "=mine", &error), 0);
    assert_string_equal(conf.overlay[0].name, "mine");
    assert_int_equal(conf_option(&conf, "overlay", "hsay1:" HEX64, &error), 0);
    assert_string_equal(conf.overlay[1].name, "overlay-00112233");
    assert_int_equal(conf_option(&conf, "overlay", "hsay1:1=x", &error), HSAY_EINVAL);
    assert_int_equal(conf_option(&conf, "nothing", "1", &error), HSAY_EINVAL);
    unsetenv("HEARSAY_LISTEN");
    unsetenv("HEARSAY_LOG_LEVEL");
    unsetenv("HEARSAY_PEER");
}

static void test_reload(void **unused)
{
    struct conf_changes changes;

    (void)unused;
    conf_default(&conf);
    conf_default(&other);
    conf_reload(&conf, &other, &changes);
    assert_int_equal(changes.changed_count + changes.restart_count, 0);
    assert_int_equal(read_text(&other, "[node]\npeer = a:1\nstep = 1s\nlisten = 1\n[log]\n"
                                       "level = trace\n[overlay x]\nstep = 1s\n"),
                     0);
    conf_reload(&conf, &other, &changes);
    assert_int_equal(changes.changed_count, 2);
    assert_string_equal(changes.changed[0], "log.level");
    assert_string_equal(changes.changed[1], "node.peer");
    assert_int_equal(changes.restart_count, 3);
    assert_string_equal(changes.restart[0], "node.listen");
    assert_int_equal(conf.log_level, 5);
    assert_int_equal(conf.peer_count, 1);
    assert_int_equal(conf.walk.step_ms, -1);
}

/* ---- requests of the control socket --------------------------------------------------------- */

static void test_request(void **unused)
{
    static const char *const bad[] = {
        "", " ", " a", "a ", "a  b", "a\tb", "a\x7f", "\xc3\xa9", "1 2 3 4 5 6 7 8 9"};
    struct request request;
    uint64_t number;

    (void)unused;
    assert_int_equal(request_parse(&request, "pub - 0 0 5", 11), 0);
    assert_int_equal(request.word_count, 5);
    assert_string_equal(request.word[0], "pub");
    assert_string_equal(request.word[4], "5");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(request_parse(&request, bad[i], strlen(bad[i])), HSAY_EBAD);
    }
    assert_int_equal(request_number("10", 10, &number), 0);
    assert_int_equal(request_number("11", 10, &number), HSAY_EBAD);
    assert_int_equal(request_number("", 10, &number), HSAY_EBAD);
    assert_int_equal(number, 10);
}

/* ---- beacons -------------------------------------------------------------------------------- */

static void test_beacon(void **unused)
{
    struct join join = {.overlay = {{1, 2, 3}}}, closed = join, foreign = {.overlay = {{9}}};
    struct hsay_crypto crypto;
    struct hsay_key key, secret_key, foreign_key;
    uint8_t beacon[BEACON_BYTES];
    uint16_t port = 0;

    (void)unused;
    assert_int_equal(hsay_sodium_init(), 0);
    hsay_crypto_sodium(&crypto);
    closed.has_secret = true;
    beacon_seal_key(&key, &crypto, &join);
    beacon_seal_key(&secret_key, &crypto, &closed);
    beacon_seal_key(&foreign_key, &crypto, &foreign);
    for (size_t i = 0; i < BEACON_ENTRIES; i++) {
        hsay_sodium_random(beacon, sizeof beacon);
        beacon_seal_entry(beacon, i, &crypto, &key, 6421);
        assert_int_equal(beacon_seal_find(beacon, &crypto, &key, &port), 0);
        assert_int_equal(port, 6421);
        assert_int_equal(beacon_seal_find(beacon, &crypto, &secret_key, &port), HSAY_ENOENT);
        assert_int_equal(beacon_seal_find(beacon, &crypto, &foreign_key, &port), HSAY_ENOENT);
        for (size_t bit = 0; bit < 8 * BEACON_ENTRY_BYTES; bit++) {
            uint8_t *byte = &beacon[BEACON_NONCE_BYTES + i * BEACON_ENTRY_BYTES + bit / 8];

            *byte ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(beacon_seal_find(beacon, &crypto, &key, &port), HSAY_ENOENT);
            *byte ^= (uint8_t)(1 << bit % 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),      cmocka_unit_test(test_ms),
        cmocka_unit_test(test_listen),     cmocka_unit_test(test_distance),
        cmocka_unit_test(test_peers),      cmocka_unit_test(test_join),
        cmocka_unit_test(test_base64),     cmocka_unit_test(test_file),
        cmocka_unit_test(test_mistakes),   cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_reload),
        cmocka_unit_test(test_request),    cmocka_unit_test(test_beacon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
