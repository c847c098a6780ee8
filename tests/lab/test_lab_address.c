/* Goal: every address of the simulated internet is global, is given once, lies in the networks that
 * were asked for, and leads to who has it now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "nat/addr_class.h"
#include "src/lab/sim/address.h"

static uint32_t network_of(const struct hsay_addr *addr)
{
    return (uint32_t)addr->byte[0] << 8 | addr->byte[1];
}

static uint32_t ip_of(const struct hsay_addr *addr)
{
    return network_of(addr) << 16 | (uint32_t)addr->byte[2] << 8 | addr->byte[3];
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t distinct(uint32_t *number, size_t count)
{
    qsort(number, count, sizeof *number, by_number);
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += i == 0 || number[i] != number[i - 1];
    return n;
}

/* Gives out so many and looks at each; the owners are their turns. */
static void check_giving(uint32_t networks, uint32_t count, uint32_t want_networks)
{
    struct lab_addresses all;
    uint32_t *ip = calloc(count, sizeof *ip), *network = calloc(count, sizeof *network);
    assert_true(ip != NULL && network != NULL);
    lab_addresses_init(&all, networks);
    for (uint32_t i = 0; i < count; i++) {
        struct hsay_addr addr = lab_address_give(&all, i);
        assert_int_equal(hsay_addr_class(&addr), HSAY_ADDR_GLOBAL);
        ip[i] = ip_of(&addr);
        network[i] = network_of(&addr);
        addr.port = (uint16_t)(i + 1); /* a port says nothing about who it is */
        assert_int_equal(lab_address_owner(&all, &addr), i);
    }
    assert_int_equal(distinct(ip, count), count);
    assert_int_equal(distinct(network, count), want_networks);
    lab_addresses_free(&all);
    free(ip);
    free(network);
}

static void one_network(void **state)
{
    (void)state;
    check_giving(1, 60000, 1);
}

static void few_networks(void **state)
{
    (void)state;
    check_giving(7, 5000, 7);
}

/* More are asked for than there are: all that are global are used. */
static void all_networks(void **state)
{
    (void)state;
    struct lab_addresses all;
    lab_addresses_init(&all, 65536);
    assert_in_range(all.network_count, 56000, 57000);
    uint32_t networks = all.network_count;
    lab_addresses_free(&all);
    check_giving(65536, networks + 1000, networks);
}

/* Neighbours stand in networks far from each other. */
static void neighbours_are_apart(void **state)
{
    (void)state;
    struct lab_addresses all;
    lab_addresses_init(&all, 50000);
    uint32_t before = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        struct hsay_addr addr = lab_address_give(&all, i);
        uint32_t now = network_of(&addr);
        assert_true(i == 0 || (now > before ? now - before : before - now) > 1000);
        before = now;
    }
    lab_addresses_free(&all);
}

static void nobody_has_it(void **state)
{
    (void)state;
    struct lab_addresses all;
    struct hsay_addr none = {0}, six = {.kind = HSAY_ADDR_IP6, .byte = {32, 1}}, elsewhere;
    lab_addresses_init(&all, 3);
    assert_int_equal(hsay_addr_parse(&elsewhere, "8.8.8.8:53"), 0);
    assert_int_equal(lab_address_owner(&all, &elsewhere), LAB_NOBODY); /* nobody has any */
    struct hsay_addr addr = lab_address_give(&all, 5);
    assert_int_equal(lab_address_owner(&all, &elsewhere), LAB_NOBODY);
    assert_int_equal(lab_address_owner(&all, &none), LAB_NOBODY);
    assert_int_equal(lab_address_owner(&all, &six), LAB_NOBODY);
    assert_int_equal(lab_address_owner(&all, &addr), 5);
    lab_address_take(&all, &addr);
    assert_int_equal(lab_address_owner(&all, &addr), LAB_NOBODY);
    lab_address_take(&all, &addr);
    lab_address_take(&all, &elsewhere); /* changes nothing */
    lab_addresses_free(&all);
}

static void special_ones_are_left_out(void **state)
{
    (void)state;
    struct lab_addresses all;
    lab_addresses_init(&all, 65536);
    for (uint32_t n = 0; n < all.network_all; n++)
        if (all.network[n] == (198u << 8 | 51))
            all.network[0] = all.network[n]; /* documentation lives in 198.51.100/24 */
    all.network_count = 1;
    for (uint32_t i = 0; i < LAB_NETWORK_HOSTS; i++) {
        struct hsay_addr addr = lab_address_give(&all, i);
        assert_int_equal(network_of(&addr), 198u << 8 | 51);
        assert_int_equal(hsay_addr_class(&addr), HSAY_ADDR_GLOBAL);
    }
    lab_addresses_free(&all);
}

/* A host that moves ten thousand times: no address comes twice, and each old one leads nowhere. */
static void used_once(void **state)
{
    (void)state;
    enum { MOVES = 10000 };
    struct lab_addresses all;
    uint32_t *ip = calloc(MOVES, sizeof *ip);
    assert_non_null(ip);
    lab_addresses_init(&all, 2);
    struct hsay_addr still = lab_address_give(&all, 1), moving = {0};
    for (uint32_t i = 0; i < MOVES; i++) {
        struct hsay_addr old = moving;
        if (i != 0)
            lab_address_take(&all, &moving);
        moving = lab_address_give(&all, 2);
        ip[i] = ip_of(&moving);
        assert_int_equal(lab_address_owner(&all, &moving), 2);
        assert_int_equal(lab_address_owner(&all, &still), 1);
        assert_int_equal(i == 0 ? LAB_NOBODY : lab_address_owner(&all, &old), LAB_NOBODY);
    }
    assert_int_equal(distinct(ip, MOVES), MOVES);
    lab_addresses_free(&all);
    free(ip);
}

/* In a small world that somebody moves about in for long, old addresses come again; those that are
 * in use do not. */
static void used_again(void **state)
{
    (void)state;
    enum { STILL = 100, MOVES = 200000 };
    struct lab_addresses all;
    struct hsay_addr still[STILL], moving = {0};
    lab_addresses_init(&all, 1);
    for (uint32_t i = 0; i < STILL; i++)
        still[i] = lab_address_give(&all, i);
    for (uint32_t i = 0; i < MOVES; i++) {
        if (i != 0)
            lab_address_take(&all, &moving);
        moving = lab_address_give(&all, STILL);
    }
    assert_int_equal(lab_address_owner(&all, &moving), STILL);
    for (uint32_t i = 0; i < STILL; i++)
        assert_int_equal(lab_address_owner(&all, &still[i]), i);
    assert_true(all.place_count <= 65536);
    lab_addresses_free(&all);
}

/* An attacker's few networks, among those that everybody's addresses come from. */
static void in_a_certain_network(void **state)
{
    (void)state;
    enum { EACH = 500 };
    struct lab_addresses all;
    uint32_t ip[2 * EACH];
    lab_addresses_init(&all, 4);
    struct hsay_addr first = lab_address_give_in(&all, 0, 2);
    for (uint32_t i = 0; i < EACH; i++) {
        struct hsay_addr own = lab_address_give_in(&all, 100 + i, 2);
        assert_int_equal(network_of(&own), network_of(&first));
        assert_int_equal(hsay_addr_class(&own), HSAY_ADDR_GLOBAL);
        assert_int_equal(lab_address_owner(&all, &own), 100 + i);
        struct hsay_addr others = lab_address_give(&all, 10000 + i);
        assert_int_equal(lab_address_owner(&all, &others), 10000 + i);
        ip[2 * i] = ip_of(&own);
        ip[2 * i + 1] = ip_of(&others);
    }
    assert_int_equal(distinct(ip, (size_t)2 * EACH), 2 * EACH);
    struct hsay_addr apart = lab_address_give_in(&all, 7, 3);
    assert_int_not_equal(network_of(&apart), network_of(&first));
    for (uint32_t n = 0; n < all.network_count; n++) /* hosts live elsewhere */
        assert_int_not_equal(all.network[n], network_of(&apart));
    lab_addresses_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_network),
        cmocka_unit_test(few_networks),
        cmocka_unit_test(all_networks),
        cmocka_unit_test(neighbours_are_apart),
        cmocka_unit_test(nobody_has_it),
        cmocka_unit_test(special_ones_are_left_out),
        cmocka_unit_test(used_once),
        cmocka_unit_test(used_again),
        cmocka_unit_test(in_a_certain_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
