#include "src/lab/nat/box.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hearsay/error.h"
#include "src/lab/nat/conntrack.h"

enum {
    SEQUENCE_PORTS = 1000, /* as long as no run opens as many mappings, none is used twice */
    SEQUENCE_LOW = 20000,
    SEQUENCE_SPREAD = 40000,
};

struct rules {
    FILE *out;
    const struct lab_nat_kind *kind;
    const char *outside, *network;
};

/* The maps from what comes in to the inside host that it is for. */
static void write_maps(const struct rules *r)
{
    unsigned seconds = (unsigned)(r->kind->timeout_ns / 1000000000u);
    fprintf(r->out,
            "map opened { type inet_service : ipv4_addr; flags dynamic,timeout; timeout %us; }\n"
            "map admitted { type ipv4_addr . inet_service : ipv4_addr; flags dynamic,timeout;"
            " timeout %us; }\n",
            seconds, seconds);
}

/* To the box itself nobody may speak.  That is more than a firewall: a packet that was let in and
 * found nobody would stay as a flow of its own, and the same flow from inside would have to take
 * another port. */
static void write_input(const struct rules *r)
{
    fputs("chain input { type filter hook input priority 0; policy drop; }\n", r->out);
}

static void write_passing(const struct rules *r)
{
    fputs("chain passing { type filter hook forward priority 0; policy accept;\n", r->out);
    if (r->kind->blocked)
        fputs("meta l4proto udp drop\n", r->out);
    fputs("oifname " NATLAB_OUTSIDE " update @opened { udp sport : ip saddr }\n"
          "oifname " NATLAB_OUTSIDE " update @admitted { ip daddr . udp sport : ip saddr }\n"
          "}\n",
          r->out);
}

static void write_arriving(const struct rules *r)
{
    fputs("chain arriving { type nat hook prerouting priority -100; policy accept;\n", r->out);
    if (r->kind->filtering == LAB_NAT_INDEPENDENT)
        fputs("iifname " NATLAB_OUTSIDE " dnat to udp dport map @opened\n", r->out);
    if (r->kind->filtering == LAB_NAT_ADDRESS)
        fputs("iifname " NATLAB_OUTSIDE " dnat to ip saddr . udp dport map @admitted\n", r->out);
    if (r->kind->hairpin)
        fprintf(r->out, "iifname " NATLAB_INSIDE " ip daddr %s dnat to udp dport map @opened\n",
                r->outside);
    fputs("}\n", r->out);
}

static void write_sequence(const struct rules *r)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned base = SEQUENCE_LOW + (unsigned)(now.tv_nsec / 1000 % SEQUENCE_SPREAD);
    fprintf(r->out,
            "oifname " NATLAB_OUTSIDE " meta l4proto udp snat to %s : numgen inc mod %d"
            " map {",
            r->outside, SEQUENCE_PORTS);
    for (unsigned i = 0; i < SEQUENCE_PORTS; i++)
        fprintf(r->out, "%s %u : %u", i == 0 ? "" : ",", i, base + i);
    fputs(" }\n", r->out);
}

static void write_leaving(const struct rules *r)
{
    fputs("chain leaving { type nat hook postrouting priority 100; policy accept;\n", r->out);
    if (r->kind->hairpin)
        fprintf(r->out, "oifname " NATLAB_INSIDE " ip saddr %s ct status dnat snat to %s\n",
                r->network, r->outside);
    if (r->kind->ports == LAB_NAT_PORTS_SEQUENTIAL)
        write_sequence(r);
    else
        fprintf(r->out, "oifname " NATLAB_OUTSIDE " masquerade%s\n",
                r->kind->ports == LAB_NAT_PORTS_RANDOM ? " fully-random" : "");
    fputs("}\n", r->out);
}

static char *rules_of(const struct lab_nat_kind *kind, const char *outside, const char *network)
{
    struct lab_text text;
    lab_text_open(&text);
    struct rules r = {text.out, kind, outside, network};
    fputs("table ip box {\n", r.out);
    write_maps(&r);
    write_input(&r);
    write_passing(&r);
    write_arriving(&r);
    write_leaving(&r);
    fputs("}\n", r.out);
    return lab_text_take(&text, NULL);
}

static int set_timers(const struct natlab_place *place, const struct lab_nat_kind *kind,
                      struct lab_why *why)
{
    int rc = natlab_place_set(place, "netfilter/nf_conntrack_udp_timeout",
                              kind->timeout_ns / 1000000000u, why);
    if (rc == 0)
        rc = natlab_place_set(place, "netfilter/nf_conntrack_udp_timeout_stream",
                              kind->stream_ns / 1000000000u, why);
    return rc;
}

/* The rules come first: only with them does the kernel track flows, and have timers for them. */
int natlab_box_set_up(const struct natlab_place *place, const struct lab_nat_kind *kind,
                      const char *outside, const char *network, struct lab_why *why)
{
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    char *rules = rules_of(kind, outside, network);
    int rc = natlab_place_feed(place, nft, rules, why);
    free(rules);
    if (rc == 0)
        rc = set_timers(place, kind, why);
    return rc == 0 ? natlab_place_set(place, "ipv4/ip_forward", 1, why) : rc;
}

/* --- forgetting ------------------------------------------------------------------------------ */

/* Those of `before` that are still the same, by the kernel's own numbers. */
static size_t count_same(const struct natlab_flows *before, const struct natlab_flows *now)
{
    size_t same = 0;
    for (size_t i = 0; i < before->count; i++)
        for (size_t j = 0; j < now->count; j++)
            same += before->flow[i].id == now->flow[j].id;
    return same;
}

static int check_forgotten(const struct natlab_place *place, const struct natlab_flows *before,
                           struct lab_why *why)
{
    struct natlab_flows now;
    int rc = natlab_conntrack_list(place, &now, why);
    size_t same = rc == 0 ? count_same(before, &now) : 0;
    natlab_flows_free(&now);
    if (same != 0)
        rc = lab_why_set(why, HSAY_EBAD, "a box was to forget its %zu flows, and still has %zu",
                         before->count, same);
    return rc;
}

int natlab_box_flush(const struct natlab_place *place, unsigned *flows, struct lab_why *why)
{
    static const char *const nft[] = {"nft", "-f", "-", NULL};
    struct natlab_flows before;
    int rc = natlab_conntrack_list(place, &before, why);
    if (rc == 0)
        rc = natlab_place_feed(place, nft, "flush map ip box opened\nflush map ip box admitted\n",
                               why);
    if (rc == 0)
        rc = natlab_conntrack_flush(place, why);
    if (rc == 0)
        rc = check_forgotten(place, &before, why);
    *flows = (unsigned)before.count;
    natlab_flows_free(&before);
    return rc;
}
