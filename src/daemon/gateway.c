#include "src/daemon/gateway.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hearsay/error.h"

/* What the kernel answers is never longer than this a datagram (NLMSG_GOODSIZE is 8 KiB). */
enum { DUMP_BYTES = 16384 };

/* The best default route so far.  One without a gateway, as into a tunnel, counts too: then there
 * is nobody to ask, whatever a worse route says. */
struct best {
    struct hsay_addr gateway;
    uint32_t metric;
    bool found;
};

/* ---- lists of things with a length in front ------------------------------------------------- */

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3; /* NLMSG_ALIGN and RTA_ALIGN, which are for ints */
}

/* Takes away `size` bytes that were looked at, and the gap behind them. */
static void pass_over(struct hsay_span *rest, size_t size)
{
    size_t step = aligned(size) < rest->size ? aligned(size) : rest->size;

    *rest = (struct hsay_span){rest->data + step, rest->size - step};
}

/* The next attribute and what it holds; false after the last. */
static bool attr_next(struct hsay_span *rest, uint16_t *type, struct hsay_span *value)
{
    struct rtattr head;

    if (rest->size < sizeof head) {
        return false;
    }
    memcpy(&head, rest->data, sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > rest->size) {
        return false;
    }
    *type = head.rta_type;
    *value = (struct hsay_span){rest->data + sizeof head, head.rta_len - sizeof head};
    pass_over(rest, head.rta_len);
    return true;
}

/* The next message and what stands behind its head; false after the last. */
static bool message_next(struct hsay_span *rest, uint16_t *type, struct hsay_span *body)
{
    struct nlmsghdr head;

    if (rest->size < sizeof head) {
        return false;
    }
    memcpy(&head, rest->data, sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest->size) {
        return false;
    }
    *type = head.nlmsg_type;
    *body = (struct hsay_span){rest->data + sizeof head, head.nlmsg_len - sizeof head};
    pass_over(rest, head.nlmsg_len);
    return true;
}

/* ---- one route ------------------------------------------------------------------------------ */

static void gateway_set(struct best *found, struct hsay_span value)
{
    if (value.size == 4) {
        found->gateway = (struct hsay_addr){.kind = HSAY_ADDR_IP4};
        memcpy(found->gateway.byte, value.data, 4);
    }
}

/* The first of several hops, as the kernel takes each for some of the traffic. */
static void hop_look(struct best *found, struct hsay_span hops)
{
    struct hsay_span attrs, value;
    struct rtnexthop hop;
    uint16_t type;

    if (hops.size < sizeof hop) {
        return;
    }
    memcpy(&hop, hops.data, sizeof hop);
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > hops.size) {
        return;
    }
    attrs = (struct hsay_span){hops.data + sizeof hop, hop.rtnh_len - sizeof hop};
    while (attr_next(&attrs, &type, &value)) {
        if (type == RTA_GATEWAY) {
            gateway_set(found, value);
        }
    }
}

static void attrs_look(struct best *found, struct hsay_span attrs)
{
    struct hsay_span value;
    uint16_t type;

    while (attr_next(&attrs, &type, &value)) {
        if (type == RTA_GATEWAY) {
            gateway_set(found, value);
        } else if (type == RTA_PRIORITY && value.size == sizeof found->metric) {
            memcpy(&found->metric, value.data, sizeof found->metric);
        } else if (type == RTA_MULTIPATH) {
            hop_look(found, value);
        }
    }
}

static void route_look(struct best *best, struct hsay_span body)
{
    struct best found = {.found = true};
    struct rtmsg route;

    if (body.size < sizeof route) {
        return;
    }
    memcpy(&route, body.data, sizeof route);
    if (route.rtm_family != AF_INET || route.rtm_dst_len || route.rtm_type != RTN_UNICAST ||
        route.rtm_table != RT_TABLE_MAIN) {
        return;
    }
    pass_over(&body, sizeof route);
    attrs_look(&found, body);
    if (!best->found || found.metric < best->metric) {
        *best = found;
    }
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool dump_ask(int fd)
{
    struct {
        struct nlmsghdr head;
        struct rtmsg route;
    } ask = {
        .head = {.nlmsg_len = sizeof ask,
                 .nlmsg_type = RTM_GETROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .route = {.rtm_family = AF_INET},
    };

    return send(fd, &ask, sizeof ask, 0) == (ssize_t)sizeof ask;
}

/* Netlink answers before send returns, so this waits for nobody.  False when it has broken off. */
static bool dump_read(int fd, struct best *best)
{
    uint8_t bytes[DUMP_BYTES];
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        struct hsay_span rest = {bytes, (size_t)got}, body;
        uint16_t type;

        while (message_next(&rest, &type, &body)) {
            if (type == NLMSG_DONE || type == NLMSG_ERROR) {
                return type == NLMSG_DONE;
            }
            if (type == RTM_NEWROUTE) {
                route_look(best, body);
            }
        }
    }
    return false;
}

int gateway_find(struct hsay_addr *out)
{
    struct best best = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool good;

    if (fd < 0) {
        return HSAY_EIO;
    }
    good = dump_ask(fd) && dump_read(fd, &best);
    close(fd);
    if (!good) {
        return HSAY_EIO;
    }
    *out = best.gateway;
    return best.gateway.kind ? 0 : HSAY_ENOENT;
}

int gateway_local(struct hsay_addr *out, const struct hsay_addr *gateway)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
    socklen_t size = sizeof name;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = HSAY_EIO;

    if (fd < 0) {
        return rc;
    }
    memcpy(&name.sin_addr, gateway->byte, 4);
    if (!connect(fd, (const struct sockaddr *)&name, sizeof name) &&
        !getsockname(fd, (struct sockaddr *)&name, &size)) {
        *out = (struct hsay_addr){.kind = HSAY_ADDR_IP4};
        memcpy(out->byte, &name.sin_addr, 4);
        rc = 0;
    }
    close(fd);
    return rc;
}
