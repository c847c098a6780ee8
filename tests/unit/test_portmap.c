/*
 * Goal of this test: only the gateway is believed and only the gateway is asked.  Answers from
 * other senders and to other requests are passed over, a lost request is sent again, waiting ends
 * when it is told to; addresses that a UPnP device names are used only if they are the gateway's;
 * and what the kernel says about routes is read within its bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

/* The daemon is no library, so its parts are taken in as they are. */
#include "src/daemon/clock.c"
#include "src/daemon/gateway.c"
#include "src/daemon/pcp.c"
#include "src/daemon/portmap_pcp.c"
#include "src/daemon/portmap_request.c"
#include "src/daemon/portmap_upnp.c"

/* ---- PCP on loopback ------------------------------------------------------------------------ */

static int socket_at(uint8_t last, struct sockaddr_in *name)
{
    socklen_t size = sizeof *name;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    *name = (struct sockaddr_in){.sin_family = AF_INET};
    name->sin_addr.s_addr = htonl(0x7f000000u | last);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)name, sizeof *name), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)name, &size), 0);
    return fd;
}

static struct portmap_request request_to(uint16_t port, int stop_fd)
{
    return (struct portmap_request){
        .gateway = {.kind = HSAY_ADDR_IP4, .port = port, .byte = {127, 0, 0, 1}},
        .internal = {.kind = HSAY_ADDR_IP4, .port = 6421, .byte = {127, 0, 0, 1}},
        .lifetime_s = 7200,
        .nonce = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
        .stop_fd = stop_fd,
    };
}

struct asking {
    struct portmap_request request;
    struct portmap_grant grant;
    int rc;
};

static void *ask_in_thread(void *arg)
{
    struct asking *asking = arg;

    asking->rc = portmap_pcp(&asking->request, &asking->grant);
    return NULL;
}

/* A grant of the request, with an external port to know it by. */
static void answer_make(uint8_t answer[PCP_MAP_BYTES], const uint8_t asked[PCP_MAP_BYTES],
                        uint16_t port)
{
    static const uint8_t external[4] = {11, 0, 0, 1};

    memcpy(answer, asked, PCP_MAP_BYTES);
    answer[1] |= RESPONSE;
    memset(answer + 8, 0, 16);
    answer[42] = (uint8_t)(port >> 8);
    answer[43] = (uint8_t)port;
    memcpy(answer + 56, external, 4);
}

static void test_wrong_source(void **state)
{
    struct sockaddr_in gateway_name, other_name, client;
    int gateway = socket_at(1, &gateway_name), other = socket_at(2, &other_name);
    struct asking asking = {.request = request_to(ntohs(gateway_name.sin_port), -1)};
    socklen_t size = sizeof client;
    uint8_t asked[PCP_MAP_BYTES], answer[PCP_MAP_BYTES];
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &asking), 0);
    assert_int_equal(recvfrom(gateway, asked, sizeof asked, 0, (struct sockaddr *)&client, &size),
                     PCP_MAP_BYTES);
    /* The right answer from another host, and the gateway's to another request. */
    answer_make(answer, asked, 1111);
    sendto(other, answer, sizeof answer, 0, (struct sockaddr *)&client, size);
    answer_make(answer, asked, 2222);
    answer[24] ^= 1;
    sendto(gateway, answer, sizeof answer, 0, (struct sockaddr *)&client, size);
    /* They have not ended it: the request comes again. */
    assert_int_equal(recv(gateway, asked, sizeof asked, 0), PCP_MAP_BYTES);
    answer_make(answer, asked, 3333);
    sendto(gateway, answer, sizeof answer, 0, (struct sockaddr *)&client, size);
    pthread_join(thread, NULL);
    assert_int_equal(asking.rc, 0);
    assert_int_equal(asking.grant.external.port, 3333);
    assert_int_equal(asking.grant.lifetime_s, 7200);
    close(gateway);
    close(other);
}

static void test_nobody(void **state)
{
    struct sockaddr_in name;
    int fd = socket_at(1, &name);
    struct asking asking = {.request = request_to(ntohs(name.sin_port), -1)};

    (void)state;
    close(fd);
    assert_int_equal(portmap_pcp(&asking.request, &asking.grant), HSAY_EIO);
    assert_string_equal(asking.grant.why, "not spoken");
}

static void test_stop(void **state)
{
    struct sockaddr_in name;
    int gateway = socket_at(1, &name), stop = eventfd(1, EFD_CLOEXEC);
    struct asking asking = {.request = request_to(ntohs(name.sin_port), stop)};
    struct clock clock;
    hsay_time began;

    (void)state;
    clock_init(&clock);
    began = clock_now(&clock).mono;
    assert_int_equal(portmap_pcp(&asking.request, &asking.grant), HSAY_EIO);
    assert_true(hsay_time_ms_between(began, clock_now(&clock).mono) < PORTMAP_WAIT_FIRST_MS);
    assert_string_equal(asking.grant.why, "no answer");
    close(gateway);
    close(stop);
}

/* ---- whose address is it? ------------------------------------------------------------------- */

static void test_url(void **state)
{
    static const struct hsay_addr gateway = {.kind = HSAY_ADDR_IP4, .byte = {192, 168, 7, 1}};
    static const char *const good[] = {"http://192.168.7.1/", "http://192.168.7.1:5000/root.xml"};
    static const char *const bad[] = {
        "",
        "http://192.168.7.1",
        "http://192.168.7.10/",
        "http://192.168.7.1:80@10.0.0.1/",
        "http://192.168.7.1@10.0.0.1/",
        "http://192.168.7.1.example.org/",
        "http://10.0.0.1/192.168.7.1/",
        "https://192.168.7.1/",
        "http://[::1]/",
        "//192.168.7.1/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(url_is_of(good[i], &gateway));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(url_is_of(bad[i], &gateway));
    }
    assert_false(url_is_of(NULL, &gateway));
}

/* ---- what the kernel says ------------------------------------------------------------------- */

/* A default route by 10.0.0.1 with this metric, as it stands behind a message's head. */
static size_t route_make(uint8_t *out, uint32_t metric, bool gateway)
{
    struct rtmsg route = {
        .rtm_family = AF_INET, .rtm_type = RTN_UNICAST, .rtm_table = RT_TABLE_MAIN};
    struct rtattr head = {.rta_len = sizeof head + 4, .rta_type = RTA_PRIORITY};
    static const uint8_t hop[4] = {10, 0, 0, 1};
    size_t used = sizeof route;

    memcpy(out, &route, sizeof route);
    memcpy(out + used, &head, sizeof head);
    memcpy(out + used + sizeof head, &metric, 4);
    used += sizeof head + 4;
    head.rta_type = gateway ? RTA_GATEWAY : RTA_OIF;
    memcpy(out + used, &head, sizeof head);
    memcpy(out + used + sizeof head, hop, 4);
    return used + sizeof head + 4;
}

static void test_routes(void **state)
{
    struct best best = {0};
    uint8_t bytes[64];
    size_t size = route_make(bytes, 100, true);

    (void)state;
    route_look(&best, (struct hsay_span){bytes, size});
    assert_int_equal(best.gateway.kind, HSAY_ADDR_IP4);
    assert_int_equal(best.gateway.byte[0], 10);
    assert_int_equal(best.metric, 100);
    size = route_make(bytes, 200, false);
    route_look(&best, (struct hsay_span){bytes, size});
    assert_int_equal(best.metric, 100);
    /* The best way out is a tunnel: there is no gateway to ask. */
    size = route_make(bytes, 50, false);
    route_look(&best, (struct hsay_span){bytes, size});
    assert_int_equal(best.gateway.kind, HSAY_ADDR_NONE);
    bytes[offsetof(struct rtmsg, rtm_dst_len)] = 24;
    best = (struct best){0};
    route_look(&best, (struct hsay_span){bytes, size});
    assert_false(best.found);
}

/* On the heap and exactly so long, so that a sanitizer sees a byte too many. */
static void test_routes_cut(void **state)
{
    uint8_t bytes[64];
    size_t size = route_make(bytes, 100, true);

    (void)state;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + 1);
        struct best best = {0};

        assert_non_null(copy);
        memcpy(copy + 1, bytes, cut);
        route_look(&best, (struct hsay_span){copy + 1, cut});
        assert_int_equal(best.gateway.kind, HSAY_ADDR_NONE);
        free(copy);
    }
    for (unsigned length = 0; length < 256; length++) {
        struct best best = {0};

        bytes[sizeof(struct rtmsg)] = (uint8_t)length;
        route_look(&best, (struct hsay_span){bytes, size});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_source), cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_stop),         cmocka_unit_test(test_url),
        cmocka_unit_test(test_routes),       cmocka_unit_test(test_routes_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
