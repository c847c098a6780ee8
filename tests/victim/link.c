#include "tests/victim/link.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
    struct iphdr ip;
    struct udphdr udp;
    uint8_t bytes[HSAY_DATAGRAM_MAX_BYTES];
};

bool link_open(struct link *link, const struct hsay_addr *to, uint16_t port)
{
    static const int yes = 1, buffer = 4 << 20;
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    link->to = *to;
    link->count = 0;
    link->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    link->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (link->raw < 0 || link->udp < 0)
        return false;
    setsockopt(link->udp, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    return setsockopt(link->udp, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) == 0 &&
           bind(link->udp, (const struct sockaddr *)&any, sizeof any) == 0;
}

struct datagram *link_next(struct link *link)
{
    if (link->count == LINK_BATCH)
        link_flush(link);
    struct datagram *d = &link->waiting[link->count++];
    d->size = 0;
    return d;
}

/* The kernel fills in what is left out of the header; a UDP checksum of 0 is none. */
static size_t write_packet(struct packet *p, const struct datagram *d, const struct hsay_addr *to)
{
    size_t udp_size = sizeof p->udp + d->size;
    memset(&p->ip, 0, sizeof p->ip);
    p->ip.version = 4;
    p->ip.ihl = 5;
    p->ip.ttl = 64;
    p->ip.protocol = IPPROTO_UDP;
    memcpy(&p->ip.saddr, d->from.byte, 4);
    memcpy(&p->ip.daddr, to->byte, 4);
    p->udp = (struct udphdr){
        .source = htons(d->from.port), .dest = htons(to->port), .len = htons((uint16_t)udp_size)};
    memcpy(p->bytes, d->bytes, d->size);
    return sizeof p->ip + udp_size;
}

static void must_send(int fd, struct mmsghdr *message, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        int sent = sendmmsg(fd, message + done, count - done, 0);
        if (sent < 0) {
            perror("sendmmsg");
            exit(1);
        }
        done += (unsigned)sent;
    }
}

void link_flush(struct link *link)
{
    static struct packet packet[LINK_BATCH];
    struct mmsghdr message[LINK_BATCH];
    struct iovec part[LINK_BATCH];
    struct sockaddr_in to = {.sin_family = AF_INET};
    unsigned count = 0;
    memcpy(&to.sin_addr, link->to.byte, 4);
    for (unsigned i = 0; i < link->count; i++) {
        if (link->waiting[i].size == 0)
            continue;
        part[count] = (struct iovec){&packet[count],
                                     write_packet(&packet[count], &link->waiting[i], &link->to)};
        message[count] = (struct mmsghdr){.msg_hdr = {.msg_name = &to,
                                                      .msg_namelen = sizeof to,
                                                      .msg_iov = &part[count],
                                                      .msg_iovlen = 1}};
        count++;
    }
    link->count = 0;
    must_send(link->raw, message, count);
}

static bool came_to(struct msghdr *message, uint8_t byte[4])
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        struct in_pktinfo info;
        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        memcpy(byte, &info.ipi_addr, 4);
        return true;
    }
    return false;
}

bool link_receive(struct link *link, int wait_ms, struct hsay_addr *at, struct datagram *d)
{
    struct pollfd readable = {.fd = link->udp, .events = POLLIN};
    struct sockaddr_in from;
    union {
        struct cmsghdr head;
        uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    struct iovec part = {d->bytes, sizeof d->bytes};
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (wait_ms > 0)
        poll(&readable, 1, wait_ms);
    ssize_t got = recvmsg(link->udp, &message, MSG_DONTWAIT);
    *at = (struct hsay_addr){.kind = HSAY_ADDR_IP4};
    if (got < 0 || !came_to(&message, at->byte))
        return false;
    d->size = (size_t)got;
    d->from = (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = ntohs(from.sin_port)};
    memcpy(d->from.byte, &from.sin_addr, 4);
    return true;
}
