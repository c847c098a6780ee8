/*
 * This process holds the sockets on both sides, so that no protocol is needed: what one of them
 * receives shows by its text what it is, and by its source what became of it on the way.
 */
#include "src/lab/nat/prober.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/error.h"

enum {
    OUTSIDE_PORT = 7001, /* and the next */
    INSIDE_PORT = 5001,  /* and those that follow, one for each question of each peer */
    WAIT_MS = 1000,      /* for what must come, more than the way back and forth */
    QUIET_MS = 100,      /* for what should not come, in the same way */
    LOOKS_MAX = 3,       /* a machine that is very busy may be slower than all that */
};

struct prober {
    struct natlab_asker asker;
    int fd[NATLAB_SOCKETS];
};

static void sleep_ms(void *self, unsigned ms)
{
    (void)self;
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static uint64_t clock_ms(void *self)
{
    struct timespec t;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- sockets --------------------------------------------------------------------------------- */

static struct sockaddr_in name_of(const struct hsay_addr *addr)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    memcpy(&name.sin_addr, addr->byte, sizeof name.sin_addr);
    return name;
}

static struct hsay_addr addr_of(const struct sockaddr_in *name)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4, .port = ntohs(name->sin_port)};
    memcpy(addr.byte, &name->sin_addr, sizeof name->sin_addr);
    return addr;
}

static struct hsay_addr addr_at(const char *address, uint16_t port)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4, .port = port};
    inet_pton(AF_INET, address, addr.byte);
    return addr;
}

static int open_one(struct prober *p, unsigned socket, const struct natlab_place *place,
                    const char *address, uint16_t port, struct lab_why *why)
{
    p->asker.address[socket] = addr_at(address, port);
    return natlab_place_udp(place, port, &p->fd[socket], why);
}

static int open_sockets(struct prober *p, const struct natlab_world *world, unsigned number,
                        struct lab_why *why)
{
    const struct natlab_host *host = &world->peer[number];
    unsigned inside_port = INSIDE_PORT + NATLAB_QUESTIONS * number;
    int rc = 0;
    memset(p->fd, -1, sizeof p->fd);
    for (unsigned i = 0; rc == 0 && i < NATLAB_QUESTIONS; i++)
        rc = open_one(p, i, &host->place, host->address, (uint16_t)(inside_port + i), why);
    for (unsigned i = 0; rc == 0 && i < NATLAB_SOCKETS_OUTSIDE; i++)
        rc = open_one(p, NATLAB_QUESTIONS + i, &world->tracker[i / 2].place,
                      world->tracker[i / 2].outside, (uint16_t)(OUTSIDE_PORT + i % 2), why);
    return rc;
}

static void close_sockets(struct prober *p)
{
    for (unsigned i = 0; i < NATLAB_SOCKETS; i++)
        if (p->fd[i] >= 0)
            close(p->fd[i]);
}

/* What a box does not let out may be refused at once: that is an answer, too. */
static void say(void *self, unsigned socket, const struct hsay_addr *to, const char *text)
{
    const struct prober *p = self;
    struct sockaddr_in name = name_of(to);
    ssize_t sent =
        sendto(p->fd[socket], text, strlen(text), 0, (const struct sockaddr *)&name, sizeof name);
    (void)sent;
}

static bool hear(void *self, unsigned socket, const char *text, unsigned wait_ms,
                 struct hsay_addr *from)
{
    const struct prober *p = self;
    struct pollfd readable = {.fd = p->fd[socket], .events = POLLIN};
    while (poll(&readable, 1, (int)wait_ms) > 0) {
        char got[NATLAB_SAYING_BYTES] = "";
        struct sockaddr_in name = {.sin_family = AF_INET};
        socklen_t size = sizeof name;
        if (recvfrom(readable.fd, got, sizeof got - 1, 0, (struct sockaddr *)&name, &size) < 0 ||
            strcmp(got, text) != 0)
            continue;
        *from = addr_of(&name);
        return true;
    }
    return false;
}

/* --- looking --------------------------------------------------------------------------------- */

int natlab_prober_look(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                       const struct natlab_probe *probe, struct lab_why *why)
{
    unsigned way_ms = (unsigned)(lab_link_delay_min(&world->router.link) / 1000000u);
    struct prober p = {.asker = {.wait_ms = WAIT_MS + 4 * way_ms,
                                 .quiet_ms = QUIET_MS + 4 * way_ms,
                                 .say = say,
                                 .hear = hear,
                                 .sleep = sleep_ms,
                                 .clock_ms = clock_ms}};
    p.asker.self = &p;
    int rc = open_sockets(&p, world, number, why);
    if (rc == 0)
        natlab_questions_ask(seen, &p.asker, probe);
    close_sockets(&p);
    return rc;
}

int natlab_prober_complain(const struct natlab_seen *seen, const struct natlab_kind *kind,
                           const struct natlab_probe *probe, struct lab_why *why)
{
    struct lab_nat_kind should = natlab_kind_whole(kind);
    char is[NATLAB_VERDICT_BYTES], wanted[160];
    natlab_questions_words(is, seen, probe);
    natlab_kind_words(wanted, sizeof wanted, &should);
    return lab_why_set(why, HSAY_EBAD, "the box '%s' is not what it should be: %s, not %s%s",
                       kind->name, is, wanted,
                       probe->timer_s != 0 ? "; or its timers are others" : "");
}

int natlab_prober_check(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                        const struct natlab_probe *probe, struct lab_why *why)
{
    const struct natlab_kind *kind = world->peer[number].kind;
    struct lab_nat_kind should = natlab_kind_whole(kind);
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        int rc = natlab_prober_look(seen, world, number, probe, why);
        if (rc != 0 || natlab_questions_fit(seen, &should, probe))
            return rc;
        /* The sockets will have the same ports again, which changes nothing but for mappings that
         * should be of one age. */
        sleep_ms(NULL, (probe->stream_s != 0 ? probe->stream_s : probe->timer_s) * 1000);
    }
    return natlab_prober_complain(seen, kind, probe, why);
}
