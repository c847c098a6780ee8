#include "src/lab/nat/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hearsay/error.h"

enum { REPLY_BYTES = 65536 };

struct request {
    struct nlmsghdr head;
    struct nfgenmsg family;
};

/* --- attributes ------------------------------------------------------------------------------ */

/* What lies in an attribute, or in a message behind its headers. */
struct part {
    const uint8_t *data;
    size_t size;
};

/* The one of this type within; no data: there is none. */
static struct part part_of(struct part whole, unsigned type)
{
    struct nlattr head;
    while (whole.size >= sizeof head) {
        memcpy(&head, whole.data, sizeof head);
        if (head.nla_len < sizeof head || head.nla_len > whole.size)
            break;
        if ((head.nla_type & NLA_TYPE_MASK) == type)
            return (struct part){whole.data + sizeof head, head.nla_len - sizeof head};
        size_t step = (head.nla_len + NLA_ALIGNTO - 1u) / NLA_ALIGNTO * NLA_ALIGNTO;
        if (step > whole.size)
            break;
        whole.data += step;
        whole.size -= step;
    }
    return (struct part){NULL, 0};
}

/* False: it is not there, or of another size. */
static bool take(struct part whole, unsigned type, void *value, size_t size)
{
    struct part part = part_of(whole, type);
    if (part.size != size)
        return false;
    memcpy(value, part.data, size);
    return true;
}

static bool take_tuple(struct part tuple, struct natlab_end *from, struct natlab_end *to)
{
    struct part ip = part_of(tuple, CTA_TUPLE_IP), proto = part_of(tuple, CTA_TUPLE_PROTO);
    uint8_t number;
    return take(proto, CTA_PROTO_NUM, &number, sizeof number) && number == IPPROTO_UDP &&
           take(ip, CTA_IP_V4_SRC, &from->addr, sizeof from->addr) &&
           take(ip, CTA_IP_V4_DST, &to->addr, sizeof to->addr) &&
           take(proto, CTA_PROTO_SRC_PORT, &from->port, sizeof from->port) &&
           take(proto, CTA_PROTO_DST_PORT, &to->port, sizeof to->port);
}

static bool take_flow(struct part whole, struct natlab_flow *flow)
{
    return take(whole, CTA_ID, &flow->id, sizeof flow->id) &&
           take_tuple(part_of(whole, CTA_TUPLE_ORIG), &flow->from, &flow->to) &&
           take_tuple(part_of(whole, CTA_TUPLE_REPLY), &flow->back_from, &flow->back_to);
}

/* --- asking the kernel ----------------------------------------------------------------------- */

static int ask(const struct natlab_place *place, unsigned type, unsigned flags, int *fd,
               struct lab_why *why)
{
    struct request request = {
        .head = {.nlmsg_len = sizeof request,
                 .nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type),
                 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)},
        .family = {.nfgen_family = AF_INET, .version = NFNETLINK_V0},
    };
    natlab_place_enter(place);
    *fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (*fd >= 0 && send(*fd, &request, sizeof request, 0) == (ssize_t)sizeof request)
        return 0;
    int rc = lab_why_set(why, HSAY_EIO, "no word with the kernel on flows: %s", strerror(errno));
    if (*fd >= 0)
        close(*fd);
    return rc;
}

static int error_of(const struct nlmsghdr *head, struct lab_why *why)
{
    const struct nlmsgerr *error = (const struct nlmsgerr *)(const void *)(head + 1);
    if (error->error == 0)
        return 0;
    return lab_why_set(why, HSAY_EIO, "the kernel and its flows: %s", strerror(-error->error));
}

static void keep(struct natlab_flows *flows, size_t *room, const struct nlmsghdr *head)
{
    const size_t headers = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    struct natlab_flow flow;
    struct part whole = {(const uint8_t *)head + headers, head->nlmsg_len - headers};
    if (head->nlmsg_len < headers || !take_flow(whole, &flow))
        return;
    flows->flow = lab_heap_grow(flows->flow, flows->count, room, sizeof *flows->flow);
    flows->flow[flows->count++] = flow;
}

/* Until the kernel says that this was all.  `flows` may be NULL: then there are none. */
static int hear(int fd, struct natlab_flows *flows, struct lab_why *why)
{
    static _Alignas(struct nlmsghdr) uint8_t reply[REPLY_BYTES];
    size_t room = 0;
    for (;;) {
        ssize_t got = recv(fd, reply, sizeof reply, 0);
        if (got <= 0)
            return lab_why_set(why, HSAY_EIO, "no flows from the kernel: %s", strerror(errno));
        size_t left = (size_t)got;
        for (const struct nlmsghdr *head = (const void *)reply; NLMSG_OK(head, left);
             head = NLMSG_NEXT(head, left)) {
            if (head->nlmsg_type == NLMSG_ERROR)
                return error_of(head, why);
            if (head->nlmsg_type == NLMSG_DONE)
                return 0;
            if (flows != NULL)
                keep(flows, &room, head);
        }
    }
}

int natlab_conntrack_list(const struct natlab_place *place, struct natlab_flows *flows,
                          struct lab_why *why)
{
    int fd;
    *flows = (struct natlab_flows){NULL, 0};
    int rc = ask(place, IPCTNL_MSG_CT_GET, NLM_F_DUMP, &fd, why);
    if (rc != 0)
        return rc;
    rc = hear(fd, flows, why);
    close(fd);
    return rc;
}

void natlab_flows_free(struct natlab_flows *flows)
{
    free(flows->flow);
    *flows = (struct natlab_flows){NULL, 0};
}

/* A request to delete that names no flow means all of them. */
int natlab_conntrack_flush(const struct natlab_place *place, struct lab_why *why)
{
    int fd;
    int rc = ask(place, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, &fd, why);
    if (rc != 0)
        return rc;
    rc = hear(fd, NULL, why);
    close(fd);
    return rc;
}
