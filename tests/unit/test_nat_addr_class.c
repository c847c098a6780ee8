/*
 * Goal of this test: no peer outside can name an address that we should not send to, whatever form
 * it writes it in; loopback, LANs and testbeds work all the same; text and groups are exact.
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
#include "nat/addr_class.h"

static uint64_t random_state;

static uint64_t random_next(void)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static struct hsay_addr parsed(const char *text)
{
    struct hsay_addr addr;

    if (hsay_addr_parse(&addr, text) != 0)
        fail_msg("does not parse: %s", text);
    return addr;
}

/* "10.0.0.1" and "fc00::1" with a port. */
static struct hsay_addr host(const char *text, uint16_t port)
{
    char whole[80];

    snprintf(whole, sizeof whole, strchr(text, ':') ? "[%s]:%d" : "%s:%d", text, port);
    return parsed(whole);
}

static struct hsay_addr mapped(struct hsay_addr ip4)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP6, .port = ip4.port};

    addr.byte[10] = addr.byte[11] = 0xff;
    memcpy(addr.byte + 12, ip4.byte, 4);
    return addr;
}

/* --- classes --------------------------------------------------------------------------------- */

/* Both ends of each block and their neighbours outside. */
static const struct {
    const char *host;
    enum hsay_addr_class class;
} classes[] = {
    {"0.0.0.0", HSAY_ADDR_UNSPECIFIED},
    {"0.0.0.1", HSAY_ADDR_RESERVED},
    {"0.255.255.255", HSAY_ADDR_RESERVED},
    {"1.0.0.0", HSAY_ADDR_GLOBAL},
    {"9.255.255.255", HSAY_ADDR_GLOBAL},
    {"10.0.0.0", HSAY_ADDR_PRIVATE},
    {"10.255.255.255", HSAY_ADDR_PRIVATE},
    {"11.0.0.0", HSAY_ADDR_GLOBAL},
    {"100.63.255.255", HSAY_ADDR_GLOBAL},
    {"100.64.0.0", HSAY_ADDR_CARRIER},
    {"100.127.255.255", HSAY_ADDR_CARRIER},
    {"100.128.0.0", HSAY_ADDR_GLOBAL},
    {"126.255.255.255", HSAY_ADDR_GLOBAL},
    {"127.0.0.0", HSAY_ADDR_LOOPBACK},
    {"127.0.0.1", HSAY_ADDR_LOOPBACK},
    {"127.255.255.255", HSAY_ADDR_LOOPBACK},
    {"128.0.0.0", HSAY_ADDR_GLOBAL},
    {"169.253.255.255", HSAY_ADDR_GLOBAL},
    {"169.254.0.0", HSAY_ADDR_LINK_LOCAL},
    {"169.254.255.255", HSAY_ADDR_LINK_LOCAL},
    {"169.255.0.0", HSAY_ADDR_GLOBAL},
    {"172.15.255.255", HSAY_ADDR_GLOBAL},
    {"172.16.0.0", HSAY_ADDR_PRIVATE},
    {"172.31.255.255", HSAY_ADDR_PRIVATE},
    {"172.32.0.0", HSAY_ADDR_GLOBAL},
    {"191.255.255.255", HSAY_ADDR_GLOBAL},
    {"192.0.0.0", HSAY_ADDR_RESERVED},
    {"192.0.0.255", HSAY_ADDR_RESERVED},
    {"192.0.1.0", HSAY_ADDR_GLOBAL},
    {"192.0.2.0", HSAY_ADDR_RESERVED},
    {"192.0.2.255", HSAY_ADDR_RESERVED},
    {"192.0.3.0", HSAY_ADDR_GLOBAL},
    {"192.88.98.255", HSAY_ADDR_GLOBAL},
    {"192.88.99.0", HSAY_ADDR_RESERVED},
    {"192.88.100.0", HSAY_ADDR_GLOBAL},
    {"192.167.255.255", HSAY_ADDR_GLOBAL},
    {"192.168.0.0", HSAY_ADDR_PRIVATE},
    {"192.168.255.255", HSAY_ADDR_PRIVATE},
    {"192.169.0.0", HSAY_ADDR_GLOBAL},
    {"198.17.255.255", HSAY_ADDR_GLOBAL},
    {"198.18.0.0", HSAY_ADDR_RESERVED},
    {"198.19.255.255", HSAY_ADDR_RESERVED},
    {"198.20.0.0", HSAY_ADDR_GLOBAL},
    {"198.51.99.255", HSAY_ADDR_GLOBAL},
    {"198.51.100.0", HSAY_ADDR_RESERVED},
    {"198.51.101.0", HSAY_ADDR_GLOBAL},
    {"203.0.112.255", HSAY_ADDR_GLOBAL},
    {"203.0.113.0", HSAY_ADDR_RESERVED},
    {"203.0.114.0", HSAY_ADDR_GLOBAL},
    {"223.255.255.255", HSAY_ADDR_GLOBAL},
    {"224.0.0.0", HSAY_ADDR_MULTICAST},
    {"239.255.255.255", HSAY_ADDR_MULTICAST},
    {"240.0.0.0", HSAY_ADDR_RESERVED},
    {"255.255.255.254", HSAY_ADDR_RESERVED},
    {"255.255.255.255", HSAY_ADDR_BROADCAST},
    {"::", HSAY_ADDR_UNSPECIFIED},
    {"::1", HSAY_ADDR_LOOPBACK},
    {"::2", HSAY_ADDR_RESERVED},
    {"::127.0.0.1", HSAY_ADDR_RESERVED},
    {"::8.8.8.8", HSAY_ADDR_RESERVED},
    {"64:ff9b::8.8.8.8", HSAY_ADDR_GLOBAL},
    {"64:ff9b::10.0.0.1", HSAY_ADDR_RESERVED},
    {"64:ff9b::127.0.0.1", HSAY_ADDR_RESERVED},
    {"64:ff9b::224.0.0.1", HSAY_ADDR_RESERVED},
    {"64:ff9b:1::8.8.8.8", HSAY_ADDR_RESERVED},
    {"100::1", HSAY_ADDR_RESERVED},
    {"1fff:ffff::1", HSAY_ADDR_RESERVED},
    {"2000::1", HSAY_ADDR_GLOBAL},
    {"2001::1", HSAY_ADDR_RESERVED},
    {"2001:1ff:ffff::1", HSAY_ADDR_RESERVED},
    {"2001:200::1", HSAY_ADDR_GLOBAL},
    {"2001:db7:ffff::1", HSAY_ADDR_GLOBAL},
    {"2001:db8::1", HSAY_ADDR_RESERVED},
    {"2001:db8:ffff::1", HSAY_ADDR_RESERVED},
    {"2001:db9::1", HSAY_ADDR_GLOBAL},
    {"2001:ffff::1", HSAY_ADDR_GLOBAL},
    {"2002::1", HSAY_ADDR_RESERVED},
    {"2002:7f00:1::1", HSAY_ADDR_RESERVED},
    {"2003::1", HSAY_ADDR_GLOBAL},
    {"3ffe::1", HSAY_ADDR_GLOBAL},
    {"3fff::1", HSAY_ADDR_RESERVED},
    {"3fff:fff::1", HSAY_ADDR_RESERVED},
    {"3fff:1000::1", HSAY_ADDR_GLOBAL},
    {"4000::1", HSAY_ADDR_RESERVED},
    {"fbff::1", HSAY_ADDR_RESERVED},
    {"fc00::1", HSAY_ADDR_PRIVATE},
    {"fdff:ffff::1", HSAY_ADDR_PRIVATE},
    {"fe00::1", HSAY_ADDR_RESERVED},
    {"fe7f::1", HSAY_ADDR_RESERVED},
    {"fe80::1", HSAY_ADDR_LINK_LOCAL},
    {"febf::1", HSAY_ADDR_LINK_LOCAL},
    {"fec0::1", HSAY_ADDR_RESERVED},
    {"ff00::1", HSAY_ADDR_MULTICAST},
    {"ff02::1", HSAY_ADDR_MULTICAST},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", HSAY_ADDR_MULTICAST},
};

enum { CLASSES = sizeof classes / sizeof *classes };

static void test_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLASSES; i++) {
        struct hsay_addr addr = host(classes[i].host, 6421);
        if (hsay_addr_class(&addr) != classes[i].class)
            fail_msg("%s is %d", classes[i].host, hsay_addr_class(&addr));
    }
}

static void test_class_of_mapped_is_that_of_ip4(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLASSES; i++) {
        struct hsay_addr addr = host(classes[i].host, 6421);
        if (addr.kind == HSAY_ADDR_IP4) {
            struct hsay_addr in6 = mapped(addr);
            assert_int_equal(hsay_addr_class(&in6), classes[i].class);
        }
    }
}

static void test_class_of_other_kinds(void **state)
{
    (void)state;
    for (int kind = 0; kind < 256; kind++) {
        struct hsay_addr addr = {.kind = (uint8_t)kind, .port = 6421, .byte = {8, 8, 8, 8}};
        enum hsay_addr_class class = hsay_addr_class(&addr);

        if (kind == HSAY_ADDR_HANDLE)
            assert_int_equal(class, HSAY_ADDR_OPAQUE);
        else if (kind != HSAY_ADDR_IP4 && kind != HSAY_ADDR_IP6)
            assert_int_equal(class, HSAY_ADDR_INVALID);
    }
}

static void test_normalise(void **state)
{
    (void)state;
    struct hsay_addr plain = host("192.0.2.7", 6421);
    struct hsay_addr addr = mapped(plain);

    assert_false(hsay_addr_equal(&addr, &plain));
    hsay_addr_normalise(&addr);
    assert_true(hsay_addr_equal(&addr, &plain));

    addr.zero = 3;
    addr.byte[4] = addr.byte[15] = 9;
    hsay_addr_normalise(&addr);
    assert_true(hsay_addr_equal(&addr, &plain));

    addr.kind = 5;
    hsay_addr_normalise(&addr);
    assert_memory_equal(&addr, &(struct hsay_addr){0}, sizeof addr);

    struct hsay_addr ip6 = host("2001:db8::1", 6421), before = ip6;
    hsay_addr_normalise(&ip6);
    assert_true(hsay_addr_equal(&ip6, &before));
}

static void test_equal_and_same_host(void **state)
{
    (void)state;
    struct hsay_addr a = host("192.0.2.1", 1), b = host("192.0.2.1", 2), c = host("192.0.2.2", 1);

    assert_true(hsay_addr_equal(&a, &a));
    assert_false(hsay_addr_equal(&a, &b));
    assert_true(hsay_addr_same_host(&a, &b));
    assert_false(hsay_addr_same_host(&a, &c));
    c = (struct hsay_addr){.kind = HSAY_ADDR_HANDLE, .port = 1, .byte = {192, 0, 2, 1}};
    assert_false(hsay_addr_same_host(&a, &c));
}

/* --- sending --------------------------------------------------------------------------------- */

static struct hsay_addr_policy named_by(const char *introducer)
{
    struct hsay_addr_policy policy = {.own = {host("198.20.0.1", 6421), host("10.0.0.9", 6421)}};

    if (introducer)
        policy.introducer = host(introducer, 6421);
    return policy;
}

/* What a peer on the Internet might name: in plain form, mapped and behind a translator. */
static const char forbidden[] =
    "0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255 10.0.0.0 10.0.0.1 10.0.0.138 10.0.0.255 10.1.1.1 "
    "10.10.10.10 10.42.0.1 10.88.0.1 10.96.0.1 10.96.0.10 10.128.0.1 10.244.0.1 10.255.255.254 "
    "10.255.255.255 100.64.0.0 100.64.0.1 100.100.100.100 100.100.100.200 100.115.92.2 "
    "100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.53 127.0.1.1 127.1.1.1 127.127.127.127 "
    "127.255.255.254 127.255.255.255 169.254.0.0 169.254.0.1 169.254.169.253 169.254.169.254 "
    "169.254.170.2 169.254.255.255 172.16.0.0 172.16.0.1 172.17.0.1 172.17.0.2 172.18.0.1 "
    "172.19.0.1 172.20.10.1 172.24.0.1 172.31.0.2 172.31.255.254 172.31.255.255 192.0.0.0 "
    "192.0.0.1 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.171 192.0.0.192 192.0.0.255 "
    "192.0.2.0 192.0.2.1 192.0.2.255 192.88.99.0 192.88.99.1 192.88.99.255 192.168.0.0 "
    "192.168.0.1 192.168.0.254 192.168.0.255 192.168.1.0 192.168.1.1 192.168.1.254 192.168.1.255 "
    "192.168.2.1 192.168.8.1 192.168.10.1 192.168.43.1 192.168.49.1 192.168.65.2 192.168.99.100 "
    "192.168.100.1 192.168.122.1 192.168.137.1 192.168.178.1 192.168.255.255 198.18.0.0 "
    "198.18.0.1 198.19.0.1 198.19.255.255 198.51.100.0 198.51.100.1 198.51.100.255 203.0.113.0 "
    "203.0.113.1 203.0.113.255 224.0.0.0 224.0.0.1 224.0.0.2 224.0.0.5 224.0.0.9 224.0.0.18 "
    "224.0.0.22 224.0.0.251 224.0.0.252 224.0.1.1 224.0.1.129 224.2.127.254 225.0.0.37 232.0.0.1 "
    "233.252.0.1 234.1.1.1 239.0.0.1 239.192.152.143 239.255.255.250 239.255.255.255 240.0.0.0 "
    "240.0.0.1 247.1.2.3 250.0.0.1 254.255.255.255 255.0.0.0 255.255.0.0 255.255.255.0 "
    "255.255.255.254 255.255.255.255 :: ::1 ::2 ::ffff ::1:0:0 ::0.0.0.1 ::10.0.0.1 ::127.0.0.1 "
    "::192.168.1.1 ::8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 0:1::1 64:ff9b:: 64:ff9b::1 "
    "64:ff9b:1::1 64:ff9b:1::8.8.8.8 64:ff9b:1:ffff::10.0.0.1 64:ff9c::1 100:: 100::1 "
    "100:0:0:1::1 200::1 400::1 1000::1 1fff::1 2001:: 2001::1 "
    "2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:1::2 2001:2::1 2001:3::1 2001:4:112::1 "
    "2001:10::1 2001:1f:ffff::1 2001:20::1 2001:2f:ffff::1 2001:30::1 2001:1ff::1 2001:db8:: "
    "2001:db8::1 2001:db8:0:0:1::1 2001:db8:85a3::8a2e:370:7334 "
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:: 2002::1 2002:0a00:1::1 2002:7f00:1::1 "
    "2002:a00:1:: 2002:a9fe:a9fe::1 2002:c0a8:101::1 2002:e000:1::1 2002:ffff:ffff::1 "
    "2002:808:808::1 3fff:: 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 5f00:ffff::1 6000::1 7fff::1 "
    "8000::1 a000::1 c000::1 e000::1 f000::1 f800::1 fc00:: fc00::1 fc00:1234::1 fd00:: fd00::1 "
    "fd00:ec2::254 fd12:3456:789a::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00::1 fe7f:ffff::1 "
    "fe80:: fe80::1 fe80::5054:ff:fe12:3456 fe90::1 fea0::1 febf:ffff::1 fec0:: fec0::1 "
    "fec0:0:0:ffff::1 feff:ffff::1 ff00:: ff01::1 ff01::2 ff02::1 ff02::2 ff02::5 ff02::c "
    "ff02::fb ff02::1:2 ff02::1:3 ff02::1:ff00:1 ff05::1 ff05::2 ff05::1:3 ff08::1 ff0e::1 "
    "ff0e::c ff12::1 ff15::1 ff1e::1 ff32::1 ff3e::1 ff7e::1 ffff::1";

/* Takes the next of several texts that `divider` divides; false after the last. */
static bool next_text(const char **list, char divider, char text[96])
{
    size_t size = 0;

    if (!*list)
        return false;
    while ((*list)[size] && (*list)[size] != divider)
        size++;
    assert_true(size < 96);
    memcpy(text, *list, size);
    text[size] = '\0';
    *list = (*list)[size] ? *list + size + 1 : NULL;
    return true;
}

static void must_refuse(const struct hsay_addr *addr, const struct hsay_addr_policy *policy)
{
    char text[HSAY_ADDR_TEXT_BYTES];

    if (!hsay_addr_sendable(addr, policy))
        return;
    hsay_addr_format(text, sizeof text, addr);
    fail_msg("would send to %s", text);
}

static void test_nothing_forbidden_is_sent_to(void **state)
{
    (void)state;
    const char *const introducers[] = {"8.8.8.8", "2a00:1450:4001::1"};

    const char *list = forbidden;
    char text[96];

    while (next_text(&list, ' ', text)) {
        for (int from = 0; from < 2; from++) {
            struct hsay_addr_policy policy = named_by(introducers[from]);
            struct hsay_addr addr = host(text, 6421);

            must_refuse(&addr, &policy);
            if (addr.kind != HSAY_ADDR_IP4)
                continue;

            struct hsay_addr in6 = mapped(addr);
            must_refuse(&in6, &policy);
            memcpy(in6.byte, (uint8_t[12]){0x00, 0x64, 0xff, 0x9b}, 12);
            must_refuse(&in6, &policy);
        }
    }
}

static bool in(uint32_t ip, uint32_t first, uint32_t last)
{
    return ip >= first && ip <= last;
}

/* A second opinion, by ranges of numbers. */
static bool is_of_the_world4(const uint8_t *byte)
{
    uint32_t ip =
        (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];

    return ip >= 0x01000000 && ip < 0xe0000000 && !in(ip, 0x0a000000, 0x0affffff) &&
           !in(ip, 0x64400000, 0x647fffff) && !in(ip, 0x7f000000, 0x7fffffff) &&
           !in(ip, 0xa9fe0000, 0xa9feffff) && !in(ip, 0xac100000, 0xac1fffff) &&
           !in(ip, 0xc0000000, 0xc00000ff) && !in(ip, 0xc0000200, 0xc00002ff) &&
           !in(ip, 0xc0586300, 0xc05863ff) && !in(ip, 0xc0a80000, 0xc0a8ffff) &&
           !in(ip, 0xc6120000, 0xc613ffff) && !in(ip, 0xc6336400, 0xc63364ff) &&
           !in(ip, 0xcb007100, 0xcb0071ff);
}

static bool is_of_the_world6(const uint8_t *byte)
{
    uint32_t high =
        (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];

    return in(high, 0x20000000, 0x3fffffff) && !in(high, 0x20010000, 0x200101ff) &&
           high != 0x20010db8 && !in(high, 0x20020000, 0x2002ffff) &&
           !in(high, 0x3fff0000, 0x3fff0fff);
}

static bool is_of_the_world(const struct hsay_addr *addr)
{
    static const uint8_t in6[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};

    if (addr->kind == HSAY_ADDR_IP4)
        return is_of_the_world4(addr->byte);
    if (memcmp(addr->byte, in6, 12) == 0 || memcmp(addr->byte, translated, 12) == 0)
        return is_of_the_world4(addr->byte + 12);
    return is_of_the_world6(addr->byte);
}

/* Half of them are near a block of the table above, where mistakes would be. */
static struct hsay_addr random_addr(void)
{
    uint64_t random = random_next();
    struct hsay_addr addr = host(classes[random % CLASSES].host, 1);

    for (int i = 0; i < 16; i++) {
        uint64_t byte = random_next();
        if (random >> 32 & 1 || (byte >> 8) % 4 == 0)
            addr.byte[i] = (uint8_t)byte;
    }
    if (addr.kind == HSAY_ADDR_IP4 && random >> 33 & 1)
        addr = mapped(addr);
    else
        hsay_addr_normalise(&addr);
    addr.port = (uint16_t)(random >> 40);
    return addr;
}

static void test_random_addresses(void **state)
{
    (void)state;
    struct hsay_addr_policy policy = named_by("8.8.8.8");
    uint32_t sendable = 0;

    random_state = 21;
    for (int i = 0; i < 1000000; i++) {
        struct hsay_addr addr = random_addr();
        bool expected = addr.port >= 1024 && is_of_the_world(&addr);

        if (hsay_addr_sendable(&addr, &policy) != expected)
            fail_msg("address %d is judged wrongly", i);
        sendable += expected;
    }
    assert_in_range(sendable, 300000, 700000); /* both answers were asked for */
}

static void test_scopes(void **state)
{
    (void)state;
    static const char *const member[][2] = {
        {"127.0.0.1", "127.0.0.2"},   {"::1", "127.0.0.1"},         {"10.0.0.1", "192.168.1.1"},
        {"fc00::1", "10.0.0.1"},      {"100.64.0.1", "100.65.0.1"}, {"169.254.0.1", "fe80::1"},
        {"192.0.2.1", "2001:db8::1"},
    };
    enum { SCOPES = sizeof member / sizeof *member };

    for (size_t i = 0; i < SCOPES; i++) {
        for (size_t j = 0; j < SCOPES; j++) {
            struct hsay_addr_policy policy = named_by(member[i][0]);
            struct hsay_addr addr = host(member[j][1], 6421);
            bool same = hsay_addr_class(&policy.introducer) == hsay_addr_class(&addr);

            assert_int_equal(hsay_addr_sendable(&addr, &policy), same);
        }
        /* Our user may name any of them, and each of them may name an address of the world. */
        struct hsay_addr_policy user = named_by(NULL), policy = named_by(member[i][0]);
        struct hsay_addr addr = host(member[i][1], 6421), world = host("8.8.8.8", 6421);
        assert_true(hsay_addr_sendable(&addr, &user));
        assert_true(hsay_addr_sendable(&world, &policy));
    }
}

static void test_never_even_for_our_user_or_in_scope(void **state)
{
    (void)state;
    static const char *const never[] = {"0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        struct hsay_addr addr = host(never[i], 6421);
        struct hsay_addr_policy user = named_by(NULL), same = named_by(never[i]);
        assert_false(hsay_addr_sendable(&addr, &user));
        assert_false(hsay_addr_sendable(&addr, &same));
    }

    struct hsay_addr none = {0};
    struct hsay_addr_policy user = named_by(NULL);
    assert_false(hsay_addr_sendable(&none, &user));
}

static void test_ports(void **state)
{
    (void)state;
    struct hsay_addr_policy heard = named_by("8.8.8.8"), user = named_by(NULL);

    for (uint32_t port = 0; port <= UINT16_MAX; port++) {
        struct hsay_addr addr = host("9.9.9.9", (uint16_t)port);
        heard.low_ports_ok = false;
        assert_int_equal(hsay_addr_sendable(&addr, &heard), port >= 1024);
        heard.low_ports_ok = true;
        assert_int_equal(hsay_addr_sendable(&addr, &heard), port != 0);
        assert_int_equal(hsay_addr_sendable(&addr, &user), port != 0);
    }
}

static void test_own_address(void **state)
{
    (void)state;
    struct hsay_addr_policy policy = named_by("8.8.8.8"), lan = named_by("10.0.0.1");
    struct hsay_addr own = policy.own[0], own_lan = policy.own[1];

    assert_false(hsay_addr_sendable(&own, &policy));
    struct hsay_addr in6 = mapped(own);
    assert_false(hsay_addr_sendable(&in6, &policy));
    own.port++; /* another node behind the same NAT */
    assert_true(hsay_addr_sendable(&own, &policy));

    assert_false(hsay_addr_sendable(&own_lan, &lan));
    own_lan.port++;
    assert_true(hsay_addr_sendable(&own_lan, &lan));
}

static void test_handles(void **state)
{
    (void)state;
    struct hsay_addr handle = {.kind = HSAY_ADDR_HANDLE, .byte = {1}};
    struct hsay_addr other = {.kind = HSAY_ADDR_HANDLE, .byte = {2}};
    struct hsay_addr_policy policy = named_by("8.8.8.8");

    assert_false(hsay_addr_sendable(&handle, &policy));
    policy.introducer = other;
    assert_true(hsay_addr_sendable(&handle, &policy));
    policy.own[1] = handle;
    assert_false(hsay_addr_sendable(&handle, &policy));
}

/* --- groups ---------------------------------------------------------------------------------- */

static void test_groups(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } table[] = {
        {"8.8.1.1:1", "8.8.200.9:2", true},
        {"8.8.1.1:1", "8.9.1.1:1", false},
        {"[2a00:1450:1::1]:1", "[2a00:1450:ffff::9]:2", true},
        {"[2a00:1450::1]:1", "[2a00:1451::1]:1", false},
        {"192.168.1.1:1", "192.168.1.200:2", true},
        {"192.168.1.1:1", "192.168.2.1:1", false},
        {"100.64.1.1:1", "100.64.1.2:2", true},
        {"100.64.1.1:1", "100.64.2.1:1", false},
        {"[fd00:1:2:3::1]:1", "[fd00:1:2:3::2]:2", true},
        {"[fd00:1:2:3::1]:1", "[fd00:1:2:4::1]:1", false},
        {"[fc00:1:2:3::1]:1", "[fd00:1:2:3::1]:1", false},
        {"127.0.0.1:1", "127.0.0.1:2", false},
        {"127.0.0.1:1", "127.0.0.2:1", false},
        {"[::1]:1", "[::1]:2", false},
        {"[::1]:1", "127.0.0.1:1", false},
        {"192.0.2.1:1", "192.0.2.1:2", true},
        {"192.0.2.1:1", "192.0.2.2:1", false},
        {"169.254.0.1:1", "169.254.0.1:2", true},
        {"169.254.0.1:1", "169.254.0.2:1", false},
        {"[fe80::1]:1", "[fe80::1]:2", true},
        {"[fe80::1]:1", "[fe80::2]:1", false},
        {"[::ffff:8.8.1.1]:1", "8.8.2.2:1", true},
        {"handle:00000000000000000000000000000001", "handle:00000000000000000000000000000002",
         false},
        {"handle:00000000000000010000000000000000", "handle:00000000000000020000000000000000",
         false},
        {"handle:00000000000000010000000000000000:1", "handle:00000000000000010000000000000000:2",
         true},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct hsay_addr a = parsed(table[i].a), b = parsed(table[i].b);
        if ((hsay_addr_group(&a) == hsay_addr_group(&b)) != table[i].same)
            fail_msg("%s and %s", table[i].a, table[i].b);
    }
}

/* What a group is called, where it can be. */
static void test_groups_name_their_network(void **state)
{
    static const struct {
        const char *member;
        const char *network; /* NULL: cannot be told */
        int bits;
    } table[] = {
        {"20.9.3.4:6421", "20.9.0.0:0", 16},
        {"192.168.7.9:6421", "192.168.7.0:0", 24},
        {"100.64.3.200:6421", "100.64.3.0:0", 24},
        {"127.0.0.9:6421", "127.0.0.9:6421", 32},
        {"169.254.8.9:6421", "169.254.8.9:0", 32},
        {"198.51.100.7:6421", "198.51.100.7:0", 32},
        {"[2a00:1:2:3::4]:6421", "[2a00:1::]:0", 32},
        {"[fd12:3:4:5:6::7]:6421", "[fd12:3:4:5::]:0", 64},
        {"[::1]:6421", "[::1]:6421", 128},
        {"[fe80::1]:6421", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct hsay_addr member = parsed(table[i].member), network;
        char text[HSAY_ADDR_TEXT_BYTES];
        int bits = hsay_addr_group_network(hsay_addr_group(&member), &network);

        hsay_addr_format(text, sizeof text, &network);
        assert_string_equal(text, table[i].network ? table[i].network : "none");
        assert_int_equal(bits, table[i].bits);
    }
}

static void test_group_is_never_zero(void **state)
{
    (void)state;
    struct hsay_addr none = {0};

    assert_true(hsay_addr_group(&none) != 0);
    for (size_t i = 0; i < CLASSES; i++) {
        struct hsay_addr addr = host(classes[i].host, 0);
        assert_true(hsay_addr_group(&addr) != 0);
    }
}

static void test_groups_of_different_classes_never_meet(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLASSES; i++) {
        for (size_t j = 0; j < CLASSES; j++) {
            struct hsay_addr a = host(classes[i].host, 1), b = host(classes[j].host, 1);
            if (a.kind != b.kind || classes[i].class != classes[j].class)
                assert_true(hsay_addr_group(&a) != hsay_addr_group(&b));
        }
    }
}

/* --- text ------------------------------------------------------------------------------------ */

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } table[] = {
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"192.0.2.1:6421", "192.0.2.1:6421"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"[::]:0", "[::]:0"},
        {"[::1]:1", "[::1]:1"},
        {"[1::]:1", "[1::]:1"},
        {"[2001:DB8:0:0:0:0:0:1]:6421", "[2001:db8::1]:6421"},
        {"[2001:db8::0:1]:6421", "[2001:db8::1]:6421"},
        {"[2001:0db8::0001]:6421", "[2001:db8::1]:6421"},
        {"[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
        {"[2001:db8::1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},
        {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},
        {"[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"},
        {"[0:0:1:0:0:0:0:0]:1", "[0:0:1::]:1"},
        {"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
        {"[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"},
        {"[1:2:3:4:5:6:7:8]:1", "[1:2:3:4:5:6:7:8]:1"},
        {"[1:2:3:4:5:6:1.2.3.4]:1", "[1:2:3:4:5:6:102:304]:1"},
        {"[64:ff9b::1.2.3.4]:1", "[64:ff9b::102:304]:1"},
        {"[::ffff:192.0.2.1]:9", "192.0.2.1:9"},
        {"[::ffff:c000:201]:9", "192.0.2.1:9"},
        {"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
        {"handle:000102030405060708090a0b0c0d0e0f", "handle:000102030405060708090a0b0c0d0e0f"},
        {"handle:FFffFFffFFffFFffFFffFFffFFffFFff:7", "handle:ffffffffffffffffffffffffffffffff:7"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct hsay_addr addr = parsed(table[i].in);
        char text[HSAY_ADDR_TEXT_BYTES];

        assert_int_equal(hsay_addr_format(text, sizeof text, &addr), (int)strlen(table[i].out));
        assert_string_equal(text, table[i].out);
    }
}

static void test_text_that_is_refused(void **state)
{
    (void)state;
    const char *list =
        "|:|:1|1|none|localhost:1|192.0.2.1|192.0.2.1:|192.0.2.1:x|192.0.2.1:65536|"
        "192.0.2.1:99999999999999999999|192.0.2.1:-1|192.0.2.1:+1|192.0.2.1: 1|192.0.2.1:1 |"
        " 192.0.2.1:1|192.0.2.1:01|192.0.2.1:1:1|192.0.2:1|192.0.2.:1|192.0.2.1.1:1|192.0.2.256:1|"
        "192.0.2.01:1|192.0.2.00:1|010.0.0.1:1|0x7f.0.0.1:1|192..2.1:1|.192.0.2.1:1|3221225985:1|"
        "[]:1|[|[:]:1|[:::]:1|[::|[::]|[::]1|[::]:|[::1|::1:1|[1]:1|[1:2]:1|[1:2:3:4:5:6:7]:1|"
        "[1:2:3:4:5:6:7:8:9]:1|[1:2:3:4:5:6:7:8::]:1|[::1:2:3:4:5:6:7:8]:1|[1:2:3:4::5:6:7:8]:1|"
        "[1::2::3]:1|[:1::2]:1|[1::2:]:1|[1:]:1|[12345::]:1|[g::]:1|[fe80::1%eth0]:1|"
        "[fe80::1%2]:1|[192.0.2.1]:1|[::1.2.3]:1|[::1.2.3.4.5]:1|[::1.2.3.256]:1|[::1.2.3.4:5]:1|"
        "[1.2.3.4::]:1|[1.2.3.4:1::]:1|[1:2:3:4:5:6:7:1.2.3.4]:1|[1:2:3:4:5:1.2.3.4]:1|"
        "[::1:2:3:4:5:6:1.2.3.4]:1|[::01.2.3.4]:1|[ ::1]:1|handle:|handle|handle:00|"
        "handle:000102030405060708090a0b0c0d0e0|handle:000102030405060708090a0b0c0d0e0f0|"
        "handle:000102030405060708090a0b0c0d0e0g|handle:000102030405060708090a0b0c0d0e0f:|"
        "handle:000102030405060708090a0b0c0d0e0f:x|Handle:000102030405060708090a0b0c0d0e0f";
    char bad[96];

    while (next_text(&list, '|', bad)) {
        struct hsay_addr addr = {.kind = 77};
        if (hsay_addr_parse(&addr, bad) != HSAY_EBAD)
            fail_msg("was read: %s", bad);
        assert_int_equal(addr.kind, 77);
    }
}

static void test_text_round_trip(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {HSAY_ADDR_IP4, HSAY_ADDR_IP6, HSAY_ADDR_HANDLE};

    random_state = 22;
    for (int i = 0; i < 200000; i++) {
        uint64_t zeroes = random_next();
        struct hsay_addr addr = {.kind = kinds[i % 3], .port = (uint16_t)(zeroes >> 40)}, back;
        char text[HSAY_ADDR_TEXT_BYTES];

        for (int b = 0; b < 16; b++)
            addr.byte[b] = zeroes >> b / 2 & 1 ? 0 : (uint8_t)random_next();
        hsay_addr_normalise(&addr);
        assert_true(hsay_addr_format(text, sizeof text, &addr) > 0);
        assert_int_equal(hsay_addr_parse(&back, text), 0);
        assert_true(hsay_addr_equal(&addr, &back));
    }
}

/* Texts that are wrong in one or two places: nothing to check but that reading stays in bounds,
 * which the sanitizers see, and that what was read is written and read the same. */
static void test_text_of_any_kind(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789abcdefABCDEF::::[[]]....%g ";

    random_state = 23;
    for (int i = 0; i < 300000; i++) {
        struct hsay_addr addr = random_addr(), back;
        char text[HSAY_ADDR_TEXT_BYTES];
        int size = hsay_addr_format(text, sizeof text, &addr);

        for (uint64_t n = random_next() % 3; n > 0; n--)
            text[random_next() % (uint64_t)size] = alphabet[random_next() % (sizeof alphabet - 1)];
        text[(uint64_t)size - random_next() % 2 * (random_next() % (uint64_t)size)] = '\0';

        char *exact = strdup(text);
        if (hsay_addr_parse(&addr, exact) == 0) {
            hsay_addr_format(text, sizeof text, &addr);
            assert_int_equal(hsay_addr_parse(&back, text), 0);
            assert_true(hsay_addr_equal(&addr, &back));
        }
        free(exact);
    }
}

static void test_format_bounds(void **state)
{
    (void)state;
    struct hsay_addr addr = parsed("192.0.2.1:6421"), none = {0}, strange = {.kind = 99};

    for (size_t size = 1; size < 20; size++) {
        bool fits = size >= sizeof "192.0.2.1:6421";
        char text[21];

        memset(text, '#', sizeof text);
        assert_int_equal(hsay_addr_format(text, size, &addr), fits ? 14 : HSAY_ENOSPC);
        assert_string_equal(text, fits ? "192.0.2.1:6421" : "");
        assert_int_equal(text[size], '#');
    }
    assert_int_equal(hsay_addr_format(NULL, 0, &addr), HSAY_ENOSPC);

    char text[HSAY_ADDR_TEXT_BYTES];
    assert_int_equal(hsay_addr_format(text, sizeof text, &none), 4);
    assert_string_equal(text, "none");
    assert_int_equal(hsay_addr_format(text, sizeof text, &strange), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_class_of_mapped_is_that_of_ip4),
        cmocka_unit_test(test_class_of_other_kinds),
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_equal_and_same_host),
        cmocka_unit_test(test_nothing_forbidden_is_sent_to),
        cmocka_unit_test(test_random_addresses),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_never_even_for_our_user_or_in_scope),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_own_address),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_groups_name_their_network),
        cmocka_unit_test(test_group_is_never_zero),
        cmocka_unit_test(test_groups_of_different_classes_never_meet),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_that_is_refused),
        cmocka_unit_test(test_text_round_trip),
        cmocka_unit_test(test_text_of_any_kind),
        cmocka_unit_test(test_format_bounds),
    };

    return cmocka_run_group_tests_name("addr_class", tests, NULL, NULL);
}
