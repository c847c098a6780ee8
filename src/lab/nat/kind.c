#include "src/lab/nat/kind.h"

#include <stdio.h>
#include <string.h>

#define SECONDS(s) ((uint64_t)(s)*1000000000u)

/* What Linux does in each kind (nf_conntrack_proto_udp.c, nf_nat_core.c): packets in prolong a flow
 * as well as packets out; one is a stream once it was answered and is more than 2 s old; who has
 * the right to begin is asked at the beginning alone; ports by chance are from this range.  The
 * other numbers are more than a trial needs. */
#define LINUX                                                                                      \
    .refresh_in = true, .settling_ns = SECONDS(2), .flows = true, .hairpin_open = true,            \
    .port_low = 1024, .port_high = 65535, .mappings_max = 4096, .filters_max = 4096

/* Halkes and Pouwelse (2011) found two large groups: a minute after one request and its reply, and
 * three once some packets went both ways. */
#define USUAL    .timeout_ns = SECONDS(60), .stream_ns = SECONDS(180), LINUX
#define TIMER(s) .timeout_ns = SECONDS(s), .stream_ns = SECONDS(s), LINUX

#define FULL_CONE          .mapping = LAB_NAT_INDEPENDENT, .filtering = LAB_NAT_INDEPENDENT
#define ADDRESS_RESTRICTED .mapping = LAB_NAT_INDEPENDENT, .filtering = LAB_NAT_ADDRESS
#define PORT_RESTRICTED    .mapping = LAB_NAT_INDEPENDENT, .filtering = LAB_NAT_PORT
#define SYMMETRIC          .mapping = LAB_NAT_PORT, .filtering = LAB_NAT_PORT

static const struct natlab_kind kinds[] = {
    {.name = "open", .help = "no box at all", .classic = true},
    {
        .name = "full_cone",
        .help = "whoever knows the port may send to it",
        .boxes = 1,
        .box = {{FULL_CONE, USUAL}},
        .classic = true,
    },
    {
        .name = "address_restricted",
        .help = "who was sent to may send back, from any port",
        .boxes = 1,
        .box = {{ADDRESS_RESTRICTED, USUAL}},
        .classic = true,
    },
    {
        .name = "port_restricted",
        .help = "who was sent to may send back",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, USUAL}},
        .classic = true,
    },
    {
        .name = "symmetric",
        .help = "a port by chance for each destination",
        .boxes = 1,
        .box = {{SYMMETRIC, .ports = LAB_NAT_PORTS_RANDOM, USUAL}},
        .classic = true,
    },
    {
        .name = "symmetric_sequential",
        .help = "the next port for each destination",
        .boxes = 1,
        .box = {{SYMMETRIC, .ports = LAB_NAT_PORTS_SEQUENTIAL, .port_step = 1, USUAL}},
    },
    {
        .name = "carrier",
        .help = "a carrier's port-restricted box around that of a home",
        .boxes = 2,
        .box = {{PORT_RESTRICTED, USUAL}, {PORT_RESTRICTED, USUAL}},
    },
    {
        .name = "carrier_symmetric",
        .help = "a carrier's symmetric box around a port-restricted one of a home",
        .boxes = 2,
        .box = {{PORT_RESTRICTED, USUAL}, {SYMMETRIC, .ports = LAB_NAT_PORTS_RANDOM, USUAL}},
    },
    {
        .name = "same_lan",
        .help = "both behind one port-restricted box, in one LAN, without hairpin",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, USUAL}},
        .shared = true,
    },
    {
        .name = "same_hairpin",
        .help = "both behind one port-restricted box that hairpins, kept apart inside",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, .hairpin = true, USUAL}},
        .shared = true,
        .apart = true,
    },
    {
        .name = "same_home",
        .help = "both behind one port-restricted box that hairpins, in one LAN",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, .hairpin = true, USUAL}},
        .shared = true,
    },
    {
        .name = "blocked",
        .help = "no UDP at all",
        .boxes = 1,
        .box = {{.blocked = true, PORT_RESTRICTED, USUAL}},
    },
    {
        .name = "short_10",
        .help = "port-restricted, forgets after 10 s",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, TIMER(10)}},
    },
    {
        .name = "short_30",
        .help = "port-restricted, forgets after 30 s",
        .boxes = 1,
        .box = {{PORT_RESTRICTED, TIMER(30)}},
    },
};

const struct natlab_kind *natlab_kind_number(size_t number)
{
    return number < sizeof kinds / sizeof kinds[0] ? &kinds[number] : NULL;
}

const struct natlab_kind *natlab_kind_find(const char *name)
{
    const struct natlab_kind *kind;
    for (size_t i = 0; (kind = natlab_kind_number(i)) != NULL; i++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

/* Far enough from each other, and from two seconds, for each to be told from the others. */
struct natlab_kind natlab_kind_hurried(const struct natlab_kind *kind)
{
    struct natlab_kind hurried = *kind;
    for (unsigned i = 0; i < kind->boxes; i++) {
        struct lab_nat_kind *box = &hurried.box[i];
        if (box->stream_ns <= SECONDS(NATLAB_TIMER_SHORT_S))
            continue;
        box->stream_ns = box->stream_ns > box->timeout_ns ? SECONDS(14) : SECONDS(6);
        box->timeout_ns = SECONDS(6);
    }
    return hurried;
}

static uint8_t stricter(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* Sequential ports of one box are by chance once another chooses by chance, and ports are kept only
 * where all keep them: the order of the enum. */
static void join(struct lab_nat_kind *whole, const struct lab_nat_kind *box)
{
    whole->mapping = stricter(whole->mapping, box->mapping);
    whole->filtering = stricter(whole->filtering, box->filtering);
    whole->ports = stricter(whole->ports, box->ports);
    whole->blocked |= box->blocked;
    whole->hairpin = box->hairpin; /* that of the outermost */
    if (box->timeout_ns < whole->timeout_ns)
        whole->timeout_ns = box->timeout_ns;
    if (box->stream_ns < whole->stream_ns)
        whole->stream_ns = box->stream_ns;
}

struct lab_nat_kind natlab_kind_whole(const struct natlab_kind *kind)
{
    struct lab_nat_kind whole = {.open = true};
    if (kind->boxes == 0)
        return whole;
    whole = kind->box[0];
    for (unsigned i = 1; i < kind->boxes; i++)
        join(&whole, &kind->box[i]);
    return whole;
}

void natlab_kind_words(char *text, size_t size, const struct lab_nat_kind *box)
{
    static const char *const mapping[] = {"one mapping for all", "a mapping per address",
                                          "a mapping per destination"};
    static const char *const filter[] = {"lets all in", "filters by address",
                                         "filters by address and port"};
    static const char *const ports[] = {"ports kept", "ports in sequence", "ports by chance"};
    if (box->open)
        snprintf(text, size, "no box");
    else if (box->blocked)
        snprintf(text, size, "lets nothing through");
    else
        snprintf(text, size, "%s, %s, %s%s", mapping[box->mapping], filter[box->filtering],
                 ports[box->ports], box->hairpin ? ", hairpins" : "");
}
