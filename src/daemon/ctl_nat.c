/*
 * How others see us: the NAT in front, and why we take it for what we do; who is reached through
 * it.
 */
#include <stdio.h>

#include "nat/addr_class.h"
#include "nat/filter.h"
#include "nat/vote.h"
#include "src/daemon/ctl_conn.h"
#include "src/daemon/json_value.h"

json_t *nat_listen_json(const struct daemon *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < d->udp.socket_count; i++) {
        json_array_append_new(list, json_addr(&d->udp.socket[i].bound));
    }
    return list;
}

static json_t *address_json(const struct hsay_address_status *status)
{
    return json_pack("{s:o, s:s, s:b, s:i, s:s, s:i}", "addr", json_addr(&status->addr), "nat",
                     hsay_nat_name((enum hsay_nat_kind)status->kind), "confirmed",
                     status->confirmed, "votes", status->votes, "filtering",
                     hsay_filter_name((enum hsay_filter_kind)status->filtering), "filtering_votes",
                     status->filtering_groups);
}

json_t *nat_address_json(struct daemon *d, uint8_t family)
{
    struct hsay_address_status status;

    if (hsay_node_address(d->node, clock_now(&d->clock), family, &status)) {
        return json_null();
    }
    return address_json(&status);
}

/* ---- why ------------------------------------------------------------------------------------ */

/* The votes on one family. */
struct tally {
    unsigned votes;
    unsigned agree;     /* see us at the address that is taken for ours */
    unsigned same_host; /* or at least at its host */
};

/* "20.9.0.0/16", "127.0.0.1:6421"; null for one that has no name. */
static json_t *network_json(const struct hsay_vote_status *vote)
{
    struct hsay_addr network = vote->network;
    char host[HSAY_ADDR_TEXT_BYTES], text[HSAY_ADDR_TEXT_BYTES + 8];
    bool ip6 = network.kind == HSAY_ADDR_IP6;
    int size;

    if (network.kind == HSAY_ADDR_NONE || network.port) {
        return json_addr(&network);
    }
    size = hsay_addr_format(host, sizeof host, &network); /* ends with ":0", or with "]:0" */
    snprintf(text, sizeof text, "%.*s/%d", size - (ip6 ? 4 : 2), host + ip6, vote->network_bits);
    return json_string(text);
}

static json_t *votes_json(struct daemon *d, uint8_t family,
                          const struct hsay_address_status *status, struct tally *tally)
{
    struct hsay_now now = clock_now(&d->clock);
    struct hsay_vote_status vote;
    json_t *list = json_array();

    for (size_t i = 0; !hsay_node_vote_at(d->node, now, i, &vote); i++) {
        bool agrees = hsay_addr_equal(&vote.seen, &status->addr);

        if (vote.seen.kind != family) {
            continue;
        }
        tally->votes++;
        tally->agree += agrees;
        tally->same_host += hsay_addr_same_host(&vote.seen, &status->addr);
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:I, s:b}", "network", network_json(&vote),
                                        "addr", json_addr(&vote.seen), "age_seconds",
                                        (json_int_t)(vote.age_ms / 1000), "agrees", agrees));
    }
    return list;
}

static void why(const struct hsay_address_status *status, const struct tally *tally, char *text,
                size_t size)
{
    if (!tally->votes && status->addr.kind == HSAY_ADDR_NONE) {
        snprintf(text, size, "no peer has said yet at which address it sees us");
    } else if (status->addr.kind == HSAY_ADDR_NONE) {
        snprintf(text, size, "%u network groups see us at different hosts; %d must agree",
                 tally->votes, HSAY_VOTE_AGREE_GROUPS);
    } else if (status->kind == HSAY_NAT_PUBLIC) {
        snprintf(text, size,
                 "%u of %u network groups see us where the socket is bound: no NAT in between",
                 tally->agree, tally->votes);
    } else if (status->kind == HSAY_NAT_INDEPENDENT) {
        snprintf(
            text, size,
            "%u of %u network groups see one address, another than the socket's: one mapping for "
            "all destinations, which can be punctured",
            tally->agree, tally->votes);
    } else if (status->kind == HSAY_NAT_SYMMETRIC) {
        snprintf(text, size,
                 "%u network groups see our host, no more than half of them at one port: a "
                 "mapping per destination, which is hard to puncture",
                 tally->same_host);
    } else {
        snprintf(text, size,
                 "%u network group%s told our address; it takes two to tell a port that depends "
                 "on the destination from one that does not",
                 tally->same_host, tally->same_host == 1 ? "" : "s");
    }
}

static void filtering_why(const struct hsay_address_status *status, char *text, size_t size)
{
    unsigned groups = status->filtering_groups, kept_out = status->filtering_signs.kept_out;

    switch (status->filtering) {
    case HSAY_FILTER_NONE:
        snprintf(text, size,
                 "%u network groups came in to which we had not sent: nothing is filtered", groups);
        break;
    case HSAY_FILTER_ADDRESS:
        snprintf(text, size,
                 "%u network groups did not come in before we sent to them, %u did from ports that "
                 "we had not sent to: filtered by address",
                 kept_out, groups);
        break;
    case HSAY_FILTER_PORT:
        snprintf(text, size,
                 "%u network groups did not come in before we sent to them, %u not from other "
                 "ports even then: filtered by address and port",
                 kept_out, groups);
        break;
    case HSAY_FILTER_SOME:
        snprintf(text, size,
                 "%u network groups did not come in before we sent to them: filtered by address, "
                 "or by address and port",
                 kept_out);
        break;
    default:
        snprintf(text, size,
                 "what is filtered has not shown: %u network groups came in unasked, %u did not; "
                 "it takes %d, or as many and none that came in",
                 status->filtering_signs.let_in, kept_out, HSAY_FILTER_AGREE_GROUPS);
    }
}

static json_t *signs_json(const struct hsay_address_status *status)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "let_in", status->filtering_signs.let_in, "other_port",
                     status->filtering_signs.other_port, "kept_out",
                     status->filtering_signs.kept_out, "unheard", status->filtering_signs.unheard);
}

static json_t *family_json(struct daemon *d, uint8_t family)
{
    struct hsay_address_status status = {.addr = {.kind = HSAY_ADDR_NONE}};
    struct hsay_addr bound = udp_local(&d->udp, family);
    struct tally tally = {0};
    char text[256];
    json_t *votes, *object;

    hsay_node_address(d->node, clock_now(&d->clock), family, &status);
    votes = votes_json(d, family, &status, &tally);
    why(&status, &tally, text, sizeof text);
    object = address_json(&status);
    json_object_set_new(object, "bound", json_addr(&bound));
    json_object_set_new(object, "why", json_string(text));
    filtering_why(&status, text, sizeof text);
    json_object_set_new(object, "filtering_why", json_string(text));
    json_object_set_new(object, "filtering_signs", signs_json(&status));
    json_object_set_new(object, "seen", votes);
    return object;
}

/* ---- for how long it keeps mappings ------------------------------------------------------------
 */

/* null for 0, which stands for "not known". */
static json_t *seconds_json(uint32_t ms)
{
    return ms ? json_real(ms / 1000.0) : json_null();
}

static json_t *lifetime_json(struct daemon *d)
{
    const struct hsay_node_stats *stats = hsay_node_stats(d->node);
    struct hsay_lifetime_status status;

    if (hsay_node_lifetime(d->node, clock_now(&d->clock), &status)) {
        return json_null();
    }
    return json_pack("{s:o, s:o, s:o, s:I, s:b, s:o, s:I, s:o}", "at_least_seconds",
                     seconds_json(status.at_least_ms), "below_seconds",
                     seconds_json(status.below_ms), "lone_at_least_seconds",
                     seconds_json(status.lone_at_least_ms), "trials", (json_int_t)status.trials,
                     "measuring", status.measuring, "keep_seconds", seconds_json(status.keep_ms),
                     "paths", (json_int_t)status.paths, "keepalives",
                     json_number(stats->count[HSAY_COUNT_KEEPALIVES_OUT]));
}

static json_t *search_json(const struct daemon *d)
{
    const struct hsay_node_stats *stats = hsay_node_stats(d->node);

    return json_pack("{s:b, s:o, s:o}", "allowed", (int)d->conf.port_search, "begun",
                     json_number(stats->count[HSAY_COUNT_SEARCHES]), "met",
                     json_number(stats->count[HSAY_COUNT_SEARCHES_MET]));
}

/* ---- whom it lets through ------------------------------------------------------------------- */

static json_t *row_json(int mine, int theirs, int family, const uint64_t *count)
{
    json_t *row =
        json_pack("{s:s, s:s, s:s}", "mine", hsay_nat_name((enum hsay_nat_kind)mine), "theirs",
                  hsay_nat_name((enum hsay_nat_kind)theirs), "family", family ? "ip6" : "ip4");
    uint64_t all = count[HSAY_ATTEMPT_CONNECTED] + count[HSAY_ATTEMPT_FAILED];

    for (int i = 0; i < HSAY_ATTEMPT_COUNT; i++) {
        json_object_set_new(row, hsay_attempt_name((enum hsay_attempt)i), json_number(count[i]));
    }
    json_object_set_new(row, "share",
                        json_real((double)count[HSAY_ATTEMPT_CONNECTED] / (double)all));
    return row;
}

json_t *nat_punctures_json(const struct hsay_node_stats *stats)
{
    json_t *list = json_array();

    for (int mine = 0; mine < HSAY_NAT_KINDS; mine++) {
        for (int theirs = 0; theirs < HSAY_NAT_KINDS; theirs++) {
            for (int family = 0; family < 2; family++) {
                const uint64_t *count = stats->attempt[mine][theirs][family];

                if (count[HSAY_ATTEMPT_CONNECTED] + count[HSAY_ATTEMPT_FAILED]) {
                    json_array_append_new(list, row_json(mine, theirs, family, count));
                }
            }
        }
    }
    return list;
}

enum ctl_result ctl_on_nat(struct ctl_conn *conn, const struct request *request)
{
    struct daemon *d = conn->d;
    struct hsay_addr bound = udp_local(&d->udp, HSAY_ADDR_IP4);

    (void)request;
    if (bound.kind == HSAY_ADDR_NONE) {
        bound = udp_local(&d->udp, HSAY_ADDR_IP6);
    }
    ctl_put(conn,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "listen", nat_listen_json(d),
                      "bound", json_addr(&bound), "ip4", family_json(d, HSAY_ADDR_IP4), "ip6",
                      family_json(d, HSAY_ADDR_IP6), "lifetime", lifetime_json(d), "port_mapping",
                      portmap_json(d), "port_search", search_json(d), "punctures",
                      nat_punctures_json(hsay_node_stats(d->node))));
    return CTL_DONE;
}
