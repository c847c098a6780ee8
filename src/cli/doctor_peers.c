/* Whom does the node know, who answers, what is in between, and what comes of it? */
#include <inttypes.h>
#include <string.h>

#include "src/cli/doctor.h"
#include "src/cli/out.h"

enum {
    ATTEMPTS_ENOUGH = 10, /* of fewer, a share says nothing */
    /* 70 to 77 % of random pairs were seen to meet; some of those introduced have left. */
    SHARE_LOW_PERCENT = 50,
    SHARE_BAD_PERCENT = 20,
};

/* ---- peers -------------------------------------------------------------------------------- */

/* Of the peers that a person named: how many are known by address, how many answer. */
struct named {
    uint64_t given; /* by name or address */
    uint64_t known;
    uint64_t answered; /* ever */
    uint64_t answers;  /* lately */
    uint64_t others;   /* that were not named */
};

static struct named count_named(const json_t *overlay, const json_t *peers)
{
    struct named n = {.given = field_number(overlay, "named")};
    size_t i;
    json_t *peer;
    json_array_foreach(peers, i, peer)
    {
        bool is_named = strcmp(field_text(peer, "bucket"), "trusted") == 0;
        n.known += is_named;
        n.answered += is_named && json_is_true(json_object_get(peer, "answered"));
        n.answers += is_named && !json_is_null(json_object_get(peer, "age_ms"));
        n.others += !is_named;
    }
    return n;
}

/* Two names may stand for one peer, so this is no more than a warning. */
static void nameless_of(struct doctor *doctor, const char *overlay, const struct named *n)
{
    if (n->known && n->known < n->given)
        doctor_find(doctor, VERDICT_WARNING, "peers",
                    "check the names and the name server; 'hearsay log' says what it answers",
                    "%s: of %s named peers only %s %s an address", overlay, out_number(n->given),
                    out_number(n->known), n->known == 1 ? "has" : "have");
}

static void peers_of(struct doctor *doctor, const json_t *overlay, const json_t *peers)
{
    const char *name = field_text(overlay, "name");
    bool contacted = !json_is_null(json_object_get(overlay, "last_contact_seconds"));
    bool is_stuck = !contacted && strcmp(field_text(overlay, "health"), "problem") == 0;
    struct named n = count_named(overlay, peers);
    if (!n.given && !n.others && !contacted)
        doctor_find(doctor, VERDICT_PROBLEM, "peers",
                    "ask a member for its address: hearsay peer add HOST:PORT",
                    "%s: no peer is known", name);
    else if (n.given && !n.known)
        doctor_find(doctor, contacted ? VERDICT_WARNING : VERDICT_PROBLEM, "peers",
                    "check the names and the name server; 'hearsay log' says what it answers",
                    "%s: of %s named peers none has an address", name, out_number(n.given));
    else if (n.answered && !n.answers)
        doctor_find(doctor, VERDICT_WARNING, "peers",
                    "check that they still run where they were, and the network in between",
                    "%s: of %s named peers %s answered once, but none lately; %s others are known",
                    name, out_number(n.known), out_number(n.answered), out_number(n.others));
    else if (n.known && !n.answers)
        doctor_find(doctor, is_stuck ? VERDICT_PROBLEM : VERDICT_WARNING, "peers",
                    "check that they run, their address and port, and the overlay's secret",
                    "%s: none of %s named peers has answered; %s others are known", name,
                    out_number(n.known), out_number(n.others));
    else if (!n.known)
        doctor_find(doctor, VERDICT_OK, "peers", NULL,
                    "%s: %s peers are known, of whom none was named", name, out_number(n.others));
    else
        doctor_find(doctor, VERDICT_OK, "peers", NULL,
                    "%s: %s of %s named peers have answered lately; %s others are known", name,
                    out_number(n.answers), out_number(n.known), out_number(n.others));
    nameless_of(doctor, name, &n);
}

void doctor_peers(struct doctor *doctor)
{
    const json_t *overlays = json_object_get(doctor->status, "overlays");
    size_t i;
    json_t *overlay;
    if (!json_array_size(overlays))
        doctor_find(doctor, VERDICT_WARNING, "peers",
                    "'hearsay overlay new NAME' founds one, 'hearsay overlay join' enters one",
                    "no overlay was joined, so there is nobody to talk to");
    json_array_foreach(overlays, i, overlay)
        peers_of(doctor, overlay, json_array_get(doctor->peers, i));
}

/* ---- NAT ---------------------------------------------------------------------------------- */

static void nat_of(struct doctor *doctor, const char *name, const json_t *family)
{
    const char *kind = field_text(family, "nat");
    const char *advice = NULL;
    enum verdict verdict = VERDICT_OK;
    if (strcmp(kind, "symmetric") == 0) {
        verdict = VERDICT_WARNING;
        advice = "forward the UDP port in the router, or let it map one (see 'mapping')";
    } else if (strcmp(kind, "unknown") == 0) {
        verdict = VERDICT_WARNING;
        advice = "wait until more peers of other networks have answered";
    }
    doctor_find(doctor, verdict, "nat", advice, "%s %s, %s: %s", name,
                *field_text(family, "addr") ? field_text(family, "addr") : "of no known address",
                kind, field_text(family, "why"));
}

/* Only of timers that make a difference. */
static void lifetime_of(struct doctor *doctor, const json_t *life)
{
    double at_least = field_real(life, "at_least_seconds"),
           below = field_real(life, "below_seconds");
    if (at_least == 0 && below > 0)
        doctor_find(doctor, VERDICT_WARNING, "nat",
                    "let the router keep idle UDP mappings for two minutes or more",
                    "a mapping lives for less than %s: others reach the node only just after it "
                    "has asked them",
                    out_seconds(below));
    else if (field_real(life, "keep_seconds") > 0 && below > 0)
        doctor_find(doctor, VERDICT_OK, "nat", NULL,
                    "a mapping lives for %s to %s; %s paths are kept open, with a datagram each "
                    "when none went for %s",
                    out_seconds(at_least), out_seconds(below),
                    out_number(field_number(life, "paths")),
                    out_seconds(field_real(life, "keep_seconds")));
}

static bool is_used(const json_t *family)
{
    return json_array_size(json_object_get(family, "seen")) || *field_text(family, "addr");
}

/* A family in which nobody answered is none that is used; but one must be, that of the socket. */
void doctor_nat(struct doctor *doctor)
{
    const json_t *ip4 = json_object_get(doctor->nat, "ip4");
    const json_t *ip6 = json_object_get(doctor->nat, "ip6");
    bool neither = !is_used(ip4) && !is_used(ip6);
    bool by_ip6 = field_text(doctor->nat, "bound")[0] == '[';
    if (is_used(ip4) || (neither && !by_ip6))
        nat_of(doctor, "IPv4", ip4);
    if (is_used(ip6) || (neither && by_ip6))
        nat_of(doctor, "IPv6", ip6);
    lifetime_of(doctor, json_object_get(doctor->nat, "lifetime"));
}

/* ---- port mapping ------------------------------------------------------------------------- */

static void mapping_of(struct doctor *doctor, const json_t *port, bool needed)
{
    uint64_t number = field_number(port, "port");
    const char *error = field_text(port, "error");
    if (*field_text(port, "external"))
        doctor_find(doctor, VERDICT_OK, "mapping", NULL, "%s leads to port %" PRIu64 ", by %s",
                    field_text(port, "external"), number, field_text(port, "protocol"));
    else if (!*error)
        doctor_find(doctor, VERDICT_OK, "mapping", NULL, "port %" PRIu64 ": asking the gateway",
                    number);
    else
        doctor_find(doctor, needed ? VERDICT_WARNING : VERDICT_OK, "mapping",
                    needed ? "switch on UPnP, NAT-PMP or PCP in the router, or forward the UDP port"
                           : NULL,
                    "port %" PRIu64 " is not mapped: %s", number, error);
}

void doctor_mapping(struct doctor *doctor)
{
    const json_t *ports = json_object_get(json_object_get(doctor->nat, "port_mapping"), "ports");
    bool off = strcmp(field_text(doctor->nat, "port_mapping.mode"), "no") == 0;
    bool needed = strcmp(field_text(doctor->nat, "ip4.nat"), "symmetric") == 0;
    size_t i;
    json_t *port;
    if (off && needed)
        doctor_find(doctor, VERDICT_WARNING, "mapping", "set 'port-mapping = auto' in hearsay.conf",
                    "the gateway is not asked for a port, which this NAT makes worth it");
    else if (off || !json_array_size(ports))
        doctor_find(doctor, VERDICT_OK, "mapping", NULL, "%s",
                    off ? "switched off" : "there is no port that a gateway could map");
    json_array_foreach(ports, i, port)
    {
        if (!off)
            mapping_of(doctor, port, needed);
    }
}

/* ---- punctures ---------------------------------------------------------------------------- */

void doctor_punctures(struct doctor *doctor)
{
    uint64_t connected = 0, all = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(doctor->nat, "punctures"), i, row)
    {
        connected += field_number(row, "connected");
        all += field_number(row, "connected") + field_number(row, "failed");
    }
    enum verdict verdict = VERDICT_OK;
    if (all >= ATTEMPTS_ENOUGH && connected * 100 < all * SHARE_LOW_PERCENT)
        verdict = connected * 100 < all * SHARE_BAD_PERCENT ? VERDICT_PROBLEM : VERDICT_WARNING;
    doctor_find(doctor, verdict, "punctures",
                verdict != VERDICT_OK
                    ? "forward the UDP port in the router; 'hearsay nat --matrix' shows who fails"
                    : NULL,
                "%s of %s who were introduced have answered%s", out_number(connected),
                out_number(all), all < ATTEMPTS_ENOUGH ? "; too few to tell" : "");
}

/* ---- sync --------------------------------------------------------------------------------- */

/* The daemon's sentence says what to do as well. */
void doctor_sync(struct doctor *doctor)
{
    size_t i;
    json_t *overlay;
    json_array_foreach(json_object_get(doctor->status, "overlays"), i, overlay)
    {
        const char *health = field_text(overlay, "health");
        enum verdict verdict = strcmp(health, "ok") == 0        ? VERDICT_OK
                               : strcmp(health, "problem") == 0 ? VERDICT_PROBLEM
                                                                : VERDICT_WARNING;
        doctor_find(doctor, verdict, "sync", NULL, "%s: %s", field_text(overlay, "name"),
                    field_text(overlay, "why"));
    }
}
