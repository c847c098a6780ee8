/*
 * One loop: read what devices have, put each packet among those on their way, write those that have
 * arrived.  On their way are few, some tens at most, so a list without order is searched for the
 * next.
 */
#include "src/lab/nat/router.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/error.h"

enum {
    PACKET_BYTES = 2048, /* the devices' MTU is 1,500 */
    ON_THE_WAY_MAX = 1024,
    READS_MAX = 64, /* of one device in a row */
    IP_HEADER_MIN = 20,
    IP_PROTOCOL_AT = 9,
    IP_FROM_AT = 12,
    IP_TO_AT = 16,
    UDP_HEADER_BYTES = 8,
    UDP = 17,
};

struct packet {
    uint64_t due_ns;
    int fd;
    size_t size;
    uint8_t bytes[PACKET_BYTES];
};

struct internet {
    const struct natlab_router *router;
    struct lab_link_state line[NATLAB_PORTS_MAX];
    struct lab_chance chance;
    struct packet way[ON_THE_WAY_MAX];
    size_t count;
};

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- one packet ------------------------------------------------------------------------------ */

static const struct natlab_port *port_of(const struct natlab_router *router, const uint8_t *addr)
{
    for (unsigned i = 0; i < router->ports; i++)
        if (memcmp(router->port[i].addr, addr, 4) == 0)
            return &router->port[i];
    return NULL;
}

/* Bytes behind the headers; 0 if it is not UDP. */
static size_t udp_bytes(const uint8_t *packet, size_t size)
{
    size_t headers = (packet[0] & 15u) * 4u + UDP_HEADER_BYTES;
    return packet[IP_PROTOCOL_AT] == UDP && size > headers ? size - headers : 0;
}

static bool is_puncture(const struct natlab_port *from, const struct natlab_port *to,
                        size_t payload)
{
    return from->peer && to->peer && payload != 0 && payload <= NATLAB_PUNCTURE_BYTES_MAX;
}

static unsigned draw(struct internet *net, unsigned from, size_t payload,
                     struct lab_link_arrival arrival[2])
{
    const struct lab_link_model *link = &net->router->link;
    uint64_t now = clock_ns();
    if (atomic_load(&net->router->traffic->lossless)) {
        arrival[0] = (struct lab_link_arrival){.at_ns = now + lab_link_delay_min(link)};
        return 1;
    }
    return lab_link_send(link, &net->line[from], &net->chance, now, 0, 0, payload, arrival);
}

static void carry(struct internet *net, const struct natlab_port *to, const uint8_t *bytes,
                  size_t size, uint64_t due_ns)
{
    if (net->count == ON_THE_WAY_MAX) {
        atomic_fetch_add(&net->router->traffic->lost, 1);
        return;
    }
    struct packet *p = &net->way[net->count++];
    p->due_ns = due_ns;
    p->fd = to->fd;
    p->size = size;
    memcpy(p->bytes, bytes, size);
    atomic_fetch_add(&net->router->traffic->carried, 1);
}

/* IPv6 has no addresses here: its neighbour discovery speaks to nobody. */
static void take(struct internet *net, unsigned from, const uint8_t *bytes, size_t size)
{
    const struct natlab_router *router = net->router;
    struct lab_link_arrival arrival[2];
    if (size < IP_HEADER_MIN || bytes[0] >> 4 != 4)
        return;
    const struct natlab_port *to = port_of(router, bytes + IP_TO_AT);
    size_t payload = udp_bytes(bytes, size);
    if (to == NULL) {
        atomic_fetch_add(&router->traffic->to_nobody, 1);
        return;
    }
    if (is_puncture(&router->port[from], to, payload))
        atomic_fetch_add(&router->traffic->punctures, 1);
    unsigned copies = draw(net, from, payload, arrival);
    if (copies == 0)
        atomic_fetch_add(&router->traffic->lost, 1);
    for (unsigned i = 0; i < copies; i++)
        carry(net, to, bytes, size, arrival[i].at_ns);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void read_device(struct internet *net, unsigned from)
{
    uint8_t bytes[PACKET_BYTES];
    for (unsigned i = 0; i < READS_MAX; i++) {
        ssize_t size = read(net->router->port[from].fd, bytes, sizeof bytes);
        if (size <= 0)
            return;
        take(net, from, bytes, (size_t)size);
    }
}

/* A device that refuses a packet has lost it, as a full queue would. */
static void deliver(struct internet *net, uint64_t now)
{
    for (size_t i = 0; i < net->count;) {
        struct packet *p = &net->way[i];
        if (p->due_ns > now) {
            i++;
            continue;
        }
        if (write(p->fd, p->bytes, p->size) < 0)
            atomic_fetch_add(&net->router->traffic->lost, 1);
        net->count--;
        if (i != net->count)
            *p = net->way[net->count];
    }
}

static uint64_t next_due(const struct internet *net)
{
    uint64_t due = UINT64_MAX;
    for (size_t i = 0; i < net->count; i++)
        if (net->way[i].due_ns < due)
            due = net->way[i].due_ns;
    return due;
}

static void wait_for_work(const struct internet *net, struct pollfd *device)
{
    uint64_t due = next_due(net), now = clock_ns();
    uint64_t left = due > now ? due - now : 0;
    struct timespec until = {.tv_sec = (time_t)(left / 1000000000u),
                             .tv_nsec = (long)(left % 1000000000u)};
    ppoll(device, net->router->ports, due == UINT64_MAX ? NULL : &until, NULL);
}

static _Noreturn void run(const struct natlab_router *router)
{
    static struct internet net;
    struct pollfd device[NATLAB_PORTS_MAX];
    net.router = router;
    net.chance = lab_chance_stream(router->seed, LAB_CHANCE_LINK, 0);
    for (unsigned i = 0; i < router->ports; i++)
        device[i] = (struct pollfd){.fd = router->port[i].fd, .events = POLLIN};
    for (;;) {
        wait_for_work(&net, device);
        for (unsigned i = 0; i < router->ports; i++)
            if ((device[i].revents & POLLIN) != 0)
                read_device(&net, i);
        deliver(&net, clock_ns());
    }
}

int natlab_router_start(const struct natlab_router *router, pid_t *pid, struct lab_why *why)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        run(router);
    }
    if (child < 0)
        return lab_why_set(why, HSAY_EIO, "no process: %s", strerror(errno));
    *pid = child;
    return 0;
}
