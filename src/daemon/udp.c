#include "src/daemon/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "nat/addr_class.h"

/* Room for the answers of several peers at once; the kernel counts about 2.3 kB per datagram. */
enum { SOCKET_BUFFER_BYTES = 4 << 20, SEND_WAIT_MS = 5 };

/* ---- names ---------------------------------------------------------------------------------- */

static socklen_t name_of(union udp_name *name, const struct hsay_addr *addr, bool ip6_socket)
{
    memset(name, 0, sizeof *name);
    if (addr->kind == HSAY_ADDR_IP4 && !ip6_socket) {
        name->ip4.sin_family = AF_INET;
        name->ip4.sin_port = htons(addr->port);
        memcpy(&name->ip4.sin_addr, addr->byte, 4);
        return sizeof name->ip4;
    }
    name->ip6.sin6_family = AF_INET6;
    name->ip6.sin6_port = htons(addr->port);
    if (addr->kind == HSAY_ADDR_IP4) {
        name->ip6.sin6_addr.s6_addr[10] = 0xff;
        name->ip6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(name->ip6.sin6_addr.s6_addr + 12, addr->byte, 4);
    } else {
        memcpy(&name->ip6.sin6_addr, addr->byte, 16);
    }
    return sizeof name->ip6;
}

static struct hsay_addr addr_of(const union udp_name *name)
{
    struct hsay_addr addr = {0};

    if (name->any.sa_family == AF_INET) {
        addr.kind = HSAY_ADDR_IP4;
        addr.port = ntohs(name->ip4.sin_port);
        memcpy(addr.byte, &name->ip4.sin_addr, 4);
    } else if (name->any.sa_family == AF_INET6) {
        addr.kind = HSAY_ADDR_IP6;
        addr.port = ntohs(name->ip6.sin6_port);
        memcpy(addr.byte, &name->ip6.sin6_addr, 16);
    }
    hsay_addr_normalise(&addr);
    return addr;
}

static bool is_any(const struct hsay_addr *addr)
{
    return hsay_addr_class(addr) == HSAY_ADDR_UNSPECIFIED;
}

static bool is_loopback(const struct hsay_addr *addr)
{
    return hsay_addr_class(addr) == HSAY_ADDR_LOOPBACK;
}

/* ---- opening -------------------------------------------------------------------------------- */

/* A larger buffer than users may have is a gift; without it we work all the same. */
static void buffers_set(int fd)
{
    int bytes = SOCKET_BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes)) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
}

/* PROBE sets "don't fragment" and believes no message about a smaller path, which anybody can
 * forge; our datagrams are as small as IPv6 guarantees. */
static void never_fragment(int fd, bool ip6)
{
    int probe4 = IP_PMTUDISC_PROBE;
    int probe6 = IPV6_PMTUDISC_PROBE;

    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe4, sizeof probe4);
    if (ip6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe6, sizeof probe6);
    }
}

static int socket_open(struct udp_socket *out, const struct hsay_addr *addr, bool both)
{
    bool ip6 = addr->kind == HSAY_ADDR_IP6;
    int only_ip6 = !both;
    union udp_name name;
    socklen_t size = name_of(&name, addr, ip6);
    int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return HSAY_EIO;
    }
    if (ip6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_ip6, sizeof only_ip6)) {
        goto err_close;
    }
    buffers_set(fd);
    never_fragment(fd, ip6);
    if (bind(fd, &name.any, size) || getsockname(fd, &name.any, &size)) {
        goto err_close;
    }
    *out = (struct udp_socket){.fd = fd, .bound = addr_of(&name), .both = both};
    return 0;

err_close:;
    int error = errno;

    close(fd);
    errno = error;
    return HSAY_EIO;
}

/* [::] on a machine without IPv6 means 0.0.0.0. */
static bool ip6_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int one_open(struct udp *udp, const struct hsay_addr *wanted, bool alone)
{
    struct hsay_addr addr = *wanted;
    bool both = addr.kind == HSAY_ADDR_IP6 && is_any(&addr) && alone;
    int rc;

    if (addr.port == 0 && udp->socket_count) {
        addr.port = udp->socket[0].bound.port;
    }
    rc = socket_open(&udp->socket[udp->socket_count], &addr, both);
    if (rc && both && ip6_missing(errno)) {
        addr = (struct hsay_addr){.kind = HSAY_ADDR_IP4, .port = addr.port};
        rc = socket_open(&udp->socket[udp->socket_count], &addr, false);
    }
    udp->socket_count += !rc;
    return rc;
}

static void explain(char *why, size_t why_size, const struct hsay_addr *addr)
{
    char text[HSAY_ADDR_TEXT_BYTES];
    const char *mend = "";

    if (errno == EADDRINUSE) {
        mend = "; is another hearsayd running? Choose another port with --listen";
    } else if (errno == EADDRNOTAVAIL) {
        mend = "; this machine has no such address";
    } else if (errno == EACCES) {
        mend = "; ports below 1024 need a privilege, choose another with --listen";
    }
    hsay_addr_format(text, sizeof text, addr);
    snprintf(why, why_size, "cannot listen at %s: %s%s", text, strerror(errno), mend);
}

int udp_open(struct udp *udp, const struct hsay_addr *listen, size_t count, char *why,
             size_t why_size)
{
    bool some_ip4 = false;

    udp->socket_count = 0;
    udp->count = (struct udp_count){0};
    memset(udp->more, 0, sizeof udp->more);
    udp->more_epoll = 0;
    for (size_t i = 0; i < count; i++) {
        some_ip4 = some_ip4 || listen[i].kind == HSAY_ADDR_IP4;
    }
    for (size_t i = 0; i < count; i++) {
        if (one_open(udp, &listen[i], !some_ip4)) {
            explain(why, why_size, &listen[i]);
            udp_close(udp);
            return HSAY_EIO;
        }
    }
    return 0;
}

void udp_close(struct udp *udp)
{
    for (size_t i = 0; i < udp->socket_count; i++) {
        close(udp->socket[i].fd);
    }
    udp->socket_count = 0;
    for (uint16_t number = 1; number <= HSAY_SOCKETS_MAX; number++) {
        udp_more_close(udp, number);
    }
    if (udp->more_epoll > 0) {
        close(udp->more_epoll);
    }
    udp->more_epoll = 0;
}

/* ---- in and out ----------------------------------------------------------------------------- */

static size_t receive(struct udp *udp, int fd, uint16_t number)
{
    int got;

    for (size_t i = 0; i < UDP_BATCH; i++) {
        udp->part[i] = (struct iovec){udp->buffer[i], UDP_BUFFER_BYTES};
        udp->message[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->name[i],
            .msg_namelen = sizeof udp->name[i],
            .msg_iov = &udp->part[i],
            .msg_iovlen = 1,
        };
    }
    got = recvmmsg(fd, udp->message, UDP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        udp->packet[i] = (struct hsay_packet){
            .from = addr_of(&udp->name[i]),
            .bytes = {udp->buffer[i], udp->message[i].msg_len},
            .socket = number,
        };
        udp->count.bytes_in += udp->message[i].msg_len;
    }
    udp->count.datagrams_in += got > 0 ? (uint64_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}

size_t udp_receive(struct udp *udp, size_t socket_index)
{
    return receive(udp, udp->socket[socket_index].fd, 0);
}

size_t udp_receive_more(struct udp *udp)
{
    struct epoll_event ready;
    size_t got = 0;

    while (!got && epoll_wait(udp->more_epoll, &ready, 1, 0) == 1) {
        got = receive(udp, udp->more[ready.data.u32], (uint16_t)ready.data.u32);
    }
    return got;
}

/* The socket that fits best: right family, and loopback to loopback only.  SIZE_MAX: none. */
static size_t socket_for(const struct udp *udp, const struct hsay_addr *to)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < udp->socket_count; i++) {
        const struct udp_socket *candidate = &udp->socket[i];

        if (candidate->bound.kind != to->kind && !(candidate->both && to->kind == HSAY_ADDR_IP4)) {
            continue;
        }
        if (is_loopback(&candidate->bound) == is_loopback(to)) {
            return i;
        }
        if (is_any(&candidate->bound)) {
            best = i;
        }
    }
    return best;
}

/* A further socket at any free port of the host that `from` is bound to. */
static int more_socket(struct udp *udp, const struct udp_socket *from, uint16_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    struct hsay_addr bound = from->bound;
    struct udp_socket opened;

    if (udp->more[number]) {
        return udp->more[number];
    }
    bound.port = 0;
    if (udp->more_epoll <= 0 || socket_open(&opened, &bound, from->both)) {
        return -1;
    }
    if (epoll_ctl(udp->more_epoll, EPOLL_CTL_ADD, opened.fd, &event)) {
        close(opened.fd);
        return -1;
    }
    udp->more[number] = opened.fd;
    return opened.fd;
}

int udp_more_open(struct udp *udp)
{
    udp->more_epoll = epoll_create1(EPOLL_CLOEXEC);
    return udp->more_epoll;
}

void udp_more_close(struct udp *udp, uint16_t number)
{
    if (udp->more[number]) {
        close(udp->more[number]);
    }
    udp->more[number] = 0;
}

/* Sends what stands in udp->message; what the system refuses is passed over. */
static void batch_send(struct udp *udp, int fd, unsigned count)
{
    unsigned done = 0;
    bool waited = false;

    while (done < count) {
        int sent = sendmmsg(fd, udp->message + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent > 0) {
            for (unsigned i = done; i < done + (unsigned)sent; i++) {
                udp->count.bytes_out += udp->part[i].iov_len;
            }
            udp->count.datagrams_out += (unsigned)sent;
            done += (unsigned)sent;
        } else if (errno == EINTR) {
            continue;
        } else if ((errno == EAGAIN || errno == ENOBUFS) && !waited) {
            struct pollfd writable = {.fd = fd, .events = POLLOUT};

            poll(&writable, 1, SEND_WAIT_MS);
            waited = true;
        } else {
            udp->count.refused_out++;
            done++;
        }
    }
}

/* Where a letter leaves; -1: nowhere. */
static int way_of(struct udp *udp, const struct hsay_letter *letter, bool *ip6)
{
    size_t best = socket_for(udp, &letter->to);

    if (best == SIZE_MAX || letter->socket > HSAY_SOCKETS_MAX) {
        return -1;
    }
    *ip6 = udp->socket[best].bound.kind == HSAY_ADDR_IP6;
    return letter->socket ? more_socket(udp, &udp->socket[best], letter->socket)
                          : udp->socket[best].fd;
}

void udp_send(struct udp *udp, const struct hsay_letter *letter, size_t count)
{
    int current = -1;
    unsigned filled = 0;

    for (size_t i = 0; i < count; i++) {
        bool ip6 = false;
        int fd = way_of(udp, &letter[i], &ip6);

        if (fd < 0) {
            udp->count.refused_out++;
            continue;
        }
        if (filled == UDP_BATCH || (filled && fd != current)) {
            batch_send(udp, current, filled);
            filled = 0;
        }
        current = fd;
        udp->part[filled] =
            (struct iovec){(void *)(uintptr_t)letter[i].datagram.data, letter[i].datagram.size};
        udp->message[filled].msg_hdr = (struct msghdr){
            .msg_name = &udp->name[filled],
            .msg_namelen = name_of(&udp->name[filled], &letter[i].to, ip6),
            .msg_iov = &udp->part[filled],
            .msg_iovlen = 1,
        };
        filled++;
    }
    if (filled) {
        batch_send(udp, current, filled);
    }
}

uint64_t udp_overflows(const struct udp *udp)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < udp->socket_count; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t size = sizeof info;

        if (!getsockopt(udp->socket[i].fd, SOL_SOCKET, SO_MEMINFO, info, &size)) {
            sum += info[SK_MEMINFO_DROPS];
        }
    }
    return sum;
}

/* Connecting a datagram socket asks the routing table and sends nothing. */
static bool way_out(struct hsay_addr *addr, bool ip6)
{
    /* Addresses of documentation (RFC 5737, 3849): nobody is there, but the default route is. */
    static const struct hsay_addr far4 = {.kind = HSAY_ADDR_IP4, .port = 9, .byte = {192, 0, 2, 1}};
    static const struct hsay_addr far6 = {
        .kind = HSAY_ADDR_IP6, .port = 9, .byte = {0x20, 1, 0x0d, 0xb8, [15] = 1}};
    union udp_name name;
    socklen_t size = name_of(&name, ip6 ? &far6 : &far4, ip6);
    int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = fd >= 0 && !connect(fd, &name.any, size) && !getsockname(fd, &name.any, &size);

    if (found) {
        *addr = addr_of(&name);
    }
    if (fd >= 0) {
        close(fd);
    }
    return found;
}

struct hsay_addr udp_local(const struct udp *udp, uint8_t family)
{
    struct hsay_addr addr;

    for (size_t i = 0; i < udp->socket_count; i++) {
        const struct udp_socket *one = &udp->socket[i];

        if (one->bound.kind != family && !(one->both && family == HSAY_ADDR_IP4)) {
            continue;
        }
        addr = one->bound;
        if (is_any(&addr) && !way_out(&addr, family == HSAY_ADDR_IP6)) {
            continue;
        }
        addr.port = one->bound.port;
        return addr;
    }
    return (struct hsay_addr){0};
}

bool udp_only_loopback(const struct udp *udp)
{
    for (size_t i = 0; i < udp->socket_count; i++) {
        if (!is_loopback(&udp->socket[i].bound)) {
            return false;
        }
    }
    return true;
}
