/*
 * This process holds the sockets on both sides, so that no protocol is needed: what one of them
 * receives shows by its text what it is, and by its source what became of it on the way.
 *
 * Each question has a socket of its own inside, for the answer to one would spoil the next: who was
 * sent to once is let in from then on.
 */
#include "src/lab/nat/prober.h"

#include <arpa/inet.h>
#include <assert.h>
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
    TEXT_BYTES = 16,
};

/* What is asked by which socket inside. */
enum question {
    ASK_MAPPING,
    ASK_FILTERING,
    ASK_HAIRPIN,
    ASK_EARLY,
    ASK_LATE,
    QUESTIONS,
};

struct prober {
    const struct natlab_host *host;
    const struct natlab_host *tracker;
    uint16_t inside_port; /* of the first question */
    unsigned wait_ms, quiet_ms;
    int inside[QUESTIONS];
    int outside[2][2]; /* by host and port */
};

static void sleep_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* --- sockets --------------------------------------------------------------------------------- */

static int open_sockets(struct prober *p, struct lab_why *why)
{
    int rc = 0;
    memset(p->inside, -1, sizeof p->inside);
    memset(p->outside, -1, sizeof p->outside);
    for (unsigned i = 0; rc == 0 && i < QUESTIONS; i++)
        rc = natlab_place_udp(&p->host->place, (uint16_t)(p->inside_port + i), &p->inside[i], why);
    for (unsigned i = 0; rc == 0 && i < 4; i++)
        rc = natlab_place_udp(&p->tracker[i / 2].place, (uint16_t)(OUTSIDE_PORT + i % 2),
                              &p->outside[i / 2][i % 2], why);
    return rc;
}

static void close_sockets(struct prober *p)
{
    for (unsigned i = 0; i < QUESTIONS; i++)
        if (p->inside[i] >= 0)
            close(p->inside[i]);
    for (unsigned i = 0; i < 4; i++)
        if (p->outside[i / 2][i % 2] >= 0)
            close(p->outside[i / 2][i % 2]);
}

static struct sockaddr_in name_of(const char *address, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &name.sin_addr);
    return name;
}

static struct sockaddr_in outside_name(const struct prober *p, unsigned host, unsigned port)
{
    return name_of(p->tracker[host].outside, (uint16_t)(OUTSIDE_PORT + port));
}

/* What a box does not let out may be refused at once: that is an answer, too. */
static void say(int fd, const struct sockaddr_in *to, const char *text)
{
    ssize_t sent = sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof *to);
    (void)sent;
}

/* True if a datagram with this text comes within so long; others that come before are passed over.
 */
static bool hear(int fd, const char *text, unsigned wait_ms, struct sockaddr_in *from)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (poll(&readable, 1, (int)wait_ms) > 0) {
        char got[TEXT_BYTES] = "";
        socklen_t size = sizeof *from;
        if (recvfrom(fd, got, sizeof got - 1, 0, (struct sockaddr *)from, &size) >= 0 &&
            strcmp(got, text) == 0)
            return true;
    }
    return false;
}

/* As which address the inside socket appears at one outside; false: nothing comes through. */
static bool appears(const struct prober *p, enum question which, struct sockaddr_in *as)
{
    struct sockaddr_in to = outside_name(p, 0, 0);
    char text[TEXT_BYTES];
    snprintf(text, sizeof text, "begin %d", which);
    say(p->inside[which], &to, text);
    return hear(p->outside[0][0], text, p->wait_ms, as);
}

/* --- mapping --------------------------------------------------------------------------------- */

static bool is_same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* Ports that were chosen one after the other, none further from the one before than `most`. */
static bool is_sequence(const struct sockaddr_in as[2][2], int most)
{
    for (unsigned i = 1; i < 4; i++) {
        int gap = ntohs(as[i / 2][i % 2].sin_port) - ntohs(as[(i - 1) / 2][(i - 1) % 2].sin_port);
        if (gap < 1 || gap > most)
            return false;
    }
    return true;
}

static uint8_t ports_of(const struct sockaddr_in as[2][2], uint16_t inside, uint8_t mapping)
{
    if (ntohs(as[0][0].sin_port) == inside && mapping == LAB_NAT_INDEPENDENT)
        return LAB_NAT_PORTS_KEPT;
    return is_sequence(as, 2) ? LAB_NAT_PORTS_SEQUENTIAL : LAB_NAT_PORTS_RANDOM;
}

/* To each of the four, one after the other.  False: none of them heard anything. */
static bool look_at_mapping(const struct prober *p, struct lab_nat_kind *box)
{
    uint16_t inside = (uint16_t)(p->inside_port + ASK_MAPPING);
    struct sockaddr_in as[2][2], own = name_of(p->host->address, inside);
    memset(as, 0, sizeof as);
    for (unsigned i = 0; i < 4; i++) {
        struct sockaddr_in to = outside_name(p, i / 2, i % 2);
        char text[TEXT_BYTES];
        snprintf(text, sizeof text, "map %u", i);
        say(p->inside[ASK_MAPPING], &to, text);
        if (!hear(p->outside[i / 2][i % 2], text, p->wait_ms, &as[i / 2][i % 2]))
            return false;
    }
    bool ports_alike = is_same(&as[0][0], &as[0][1]) && is_same(&as[1][0], &as[1][1]);
    bool hosts_alike = is_same(&as[0][0], &as[1][0]);
    box->mapping = !ports_alike  ? LAB_NAT_PORT
                   : hosts_alike ? LAB_NAT_INDEPENDENT
                                 : LAB_NAT_ADDRESS;
    box->ports = ports_of(as, inside, box->mapping);
    box->open = hosts_alike && is_same(&as[0][0], &own);
    return true;
}

/* --- filtering ------------------------------------------------------------------------------- */

/* One was sent to: who else may send back?  False: not even that one. */
static bool look_at_filtering(const struct prober *p, struct lab_nat_kind *box)
{
    struct sockaddr_in as, from;
    int in = p->inside[ASK_FILTERING];
    if (!appears(p, ASK_FILTERING, &as))
        return false;
    say(p->outside[1][0], &as, "other host");
    say(p->outside[0][1], &as, "other port");
    say(p->outside[0][0], &as, "same");
    /* In the order in which they were sent; those that are left out took longer than that. */
    bool host = hear(in, "other host", p->quiet_ms, &from);
    say(p->outside[0][1], &as, "again port");
    bool port = hear(in, "again port", p->quiet_ms, &from);
    say(p->outside[0][0], &as, "again");
    if (!hear(in, "again", p->wait_ms, &from))
        return false;
    box->filtering = host ? LAB_NAT_INDEPENDENT : port ? LAB_NAT_ADDRESS : LAB_NAT_PORT;
    return true;
}

/* --- hairpin --------------------------------------------------------------------------------- */

/* Two sockets of one host, each sending to what the other looks like from outside; twice, for a
 * filter may have to be opened. */
static bool look_at_hairpin(const struct prober *p)
{
    struct sockaddr_in one, other, from;
    int a = p->inside[ASK_HAIRPIN], b = p->inside[ASK_MAPPING];
    if (!appears(p, ASK_HAIRPIN, &one) || !appears(p, ASK_MAPPING, &other))
        return false;
    say(a, &other, "pin 1");
    say(b, &one, "pin 2");
    say(a, &other, "pin 3");
    return hear(a, "pin 2", p->quiet_ms, &from) || hear(b, "pin 3", p->quiet_ms, &from);
}

/* --- the timer ------------------------------------------------------------------------------- */

/* Two mappings of one age: the first is tried when it should still be there, the second when it
 * should be gone.  Trying one prolongs it, so that each has one try. */
static bool look_at_timer(const struct prober *p, unsigned timer_s)
{
    struct sockaddr_in early, late, from;
    if (!appears(p, ASK_EARLY, &early) || !appears(p, ASK_LATE, &late))
        return false;
    sleep_ms(timer_s * 1000 - 2500);
    say(p->outside[0][0], &early, "early");
    bool kept = hear(p->inside[ASK_EARLY], "early", 500, &from);
    sleep_ms(4500);
    say(p->outside[0][0], &late, "late");
    return kept && !hear(p->inside[ASK_LATE], "late", 500, &from);
}

/* --- all questions --------------------------------------------------------------------------- */

static void look(const struct prober *p, const struct natlab_probe *probe, struct natlab_seen *seen)
{
    memset(seen, 0, sizeof *seen);
    if (!look_at_mapping(p, &seen->box) || !look_at_filtering(p, &seen->box)) {
        seen->box = (struct lab_nat_kind){.blocked = true};
        return;
    }
    if (probe->hairpin && !seen->box.open)
        seen->box.hairpin = look_at_hairpin(p);
    if (probe->timer_s != 0)
        seen->forgets = look_at_timer(p, probe->timer_s);
}

int natlab_prober_look(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                       const struct natlab_probe *probe, struct lab_why *why)
{
    unsigned way_ms = (unsigned)(lab_link_delay_min(&world->router.link) / 1000000u);
    struct prober p = {
        .host = &world->peer[number],
        .tracker = world->tracker,
        .inside_port = (uint16_t)(INSIDE_PORT + QUESTIONS * number),
        .wait_ms = WAIT_MS + 4 * way_ms,
        .quiet_ms = QUIET_MS + 4 * way_ms,
    };
    int rc = open_sockets(&p, why);
    if (rc == 0)
        look(&p, probe, seen);
    close_sockets(&p);
    return rc;
}

static bool is_as_it_should(const struct natlab_seen *seen, const struct lab_nat_kind *should,
                            const struct natlab_probe *probe)
{
    const struct lab_nat_kind *box = &seen->box;
    if (should->blocked || should->open)
        return box->blocked == should->blocked && box->open == should->open;
    return !box->blocked && !box->open && box->mapping == should->mapping &&
           box->filtering == should->filtering && box->ports == should->ports &&
           (!probe->hairpin || box->hairpin == should->hairpin) &&
           (probe->timer_s == 0 || seen->forgets);
}

static int complain(const struct natlab_seen *seen, const struct natlab_kind *kind,
                    const struct lab_nat_kind *should, const struct natlab_probe *probe,
                    struct lab_why *why)
{
    char is[160], wanted[160];
    natlab_kind_words(is, sizeof is, &seen->box);
    natlab_kind_words(wanted, sizeof wanted, should);
    return lab_why_set(why, HSAY_EBAD, "the box '%s' is not what it should be: %s, not %s%s",
                       kind->name, is, wanted,
                       probe->timer_s != 0 && !seen->forgets ? "; or its timer is another" : "");
}

int natlab_prober_check(struct natlab_seen *seen, const struct natlab_world *world, unsigned number,
                        const struct natlab_probe *probe, struct lab_why *why)
{
    const struct natlab_kind *kind = world->peer[number].kind;
    struct lab_nat_kind should = natlab_kind_whole(kind);
    for (unsigned i = 0; i < LOOKS_MAX; i++) {
        int rc = natlab_prober_look(seen, world, number, probe, why);
        if (rc != 0 || is_as_it_should(seen, &should, probe))
            return rc;
        /* The sockets will have the same ports again, which changes nothing but for mappings that
         * should be of one age. */
        sleep_ms(probe->timer_s * 1000);
    }
    return complain(seen, kind, &should, probe, why);
}
