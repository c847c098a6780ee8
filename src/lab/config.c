#include "src/lab/config.h"

#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"

const struct lab_setting_rule lab_config_rules[] = {
    {"seed", "1", LAB_KIND_COUNT, 0, LAB_SEED_MAX, NULL, "what all chance of a run follows from"},
    {"seeds", "1", LAB_KIND_COUNT, 1, 1e6, NULL, "runs, with this many seeds from `seed` on"},
    {"nodes", "100", LAB_KIND_COUNT, 1, 2e6, NULL, "honest hosts"},
    {"duration", "300", LAB_KIND_SECONDS, 0, 0, NULL, "simulated time of a run"},
    {"step", "5", LAB_KIND_SECONDS, 0.05, 3600, NULL, "time between the steps of a walk"},
    {"policy", "hearsay", LAB_KIND_WORD, 0, 0, "hearsay paper code2019",
     "how peers and ranges are chosen"},
    {"ranges", "policy", LAB_KIND_WORD, 0, 0, "policy modulo pivot sweep",
     "which range a filter has: as the policy says, or one rule alone"},
    {"push", "yes", LAB_KIND_FLAG, 0, 0, NULL, "direct mail and rumors; no: claims alone"},
    {"fixed_step", "no", LAB_KIND_FLAG, 0, 0, NULL, "never a step before its time"},
    {"fanout", "0", LAB_KIND_COUNT, 0, 64, NULL,
     "peers that a new bundle is mailed to; 0: default"},
    {"answer", "0", LAB_KIND_BYTES, 0, 1 << 20, NULL, "bundles asked for per request; 0: default"},
    {"tables", "small", LAB_KIND_WORD, 0, 0, "small medium daemon",
     "sizes of a node's tables: within 3 KB, 8 KB, or as hearsayd has them"},
    {"sockets", "0", LAB_KIND_COUNT, 0, HSAY_SOCKETS_MAX, NULL,
     "that a host can open besides its own: 8 to measure how long its NAT keeps mappings, and keep "
     "paths; 264 to search for ports as well"},
    {"crypto", "counted", LAB_KIND_WORD, 0, 0, "counted real",
     "compute what decisions depend on, or all"},
    {"check", "auto", LAB_KIND_WORD, 0, 0, "auto all sampled off",
     "hosts whose invariants are checked: all of up to 5,000, or all, a thousand, none"},
    {"threads", "1", LAB_KIND_COUNT, 1, LAB_SHARDS_MAX, NULL, "of one run; the result is the same"},
    {"shared_stats", "yes", LAB_KIND_FLAG, 0, 0, NULL,
     "core counters of all hosts in one place, which saves 400 bytes for each"},
    {"networks", "50000", LAB_KIND_COUNT, 1, 65536, NULL, "/16 networks that hosts live in"},
    {"bootstrap", "trackers", LAB_KIND_WORD, 0, 0, "trackers random",
     "whom a host knows when it goes online: the first hosts, or others drawn at random"},
    {"trackers", "1", LAB_KIND_COUNT, 0, 1000, NULL, "how many of these"},
    {"join", "5", LAB_KIND_SECONDS, 0, 0, NULL, "time over which hosts go online at the start"},
    {"quota", "0", LAB_KIND_BYTES, 0, 0, NULL, "bytes of bundles that a store takes; 0: any"},
    {"payload", "100", LAB_KIND_BYTES, 0, HSAY_PAYLOAD_MAX_BYTES, NULL, "bytes of a publication"},

    {"delay", "uniform", LAB_KIND_WORD, 0, 0, "constant uniform measured regions",
     "how delays are distributed"},
    {"delay_low", "10ms", LAB_KIND_SECONDS, 0.0001, 10, NULL,
     "one way: the constant, the least, or the hard minimum"},
    {"delay_mid", "40ms", LAB_KIND_SECONDS, 0.0001, 10, NULL, "median, of `measured`"},
    {"delay_high", "90ms", LAB_KIND_SECONDS, 0.0001, 60, NULL,
     "the most of `uniform`, the 99th percentile of `measured`"},
    {"loss", "0", LAB_KIND_SHARE, 0, 1, NULL, "datagrams lost"},
    {"burst", "1", LAB_KIND_NUMBER, 1, 1000, NULL, "mean number of losses in a row"},
    {"duplicate", "0", LAB_KIND_SHARE, 0, 1, NULL, "datagrams that come twice"},
    {"reorder", "0", LAB_KIND_SHARE, 0, 1, NULL, "datagrams that take longer than those behind"},
    {"reorder_by", "100ms", LAB_KIND_SECONDS, 0, 60, NULL, "how much longer, at most"},
    {"corrupt", "0", LAB_KIND_SHARE, 0, 1, NULL, "datagrams with a byte changed"},
    {"rate", "0", LAB_KIND_BYTES, 0, 0, NULL, "bytes per second of an uplink; 0: any"},
    {"queue", "64k", LAB_KIND_BYTES, 0, 0, NULL, "bytes that wait for the uplink"},
    {"datagram", "0", LAB_KIND_BYTES, 0, HSAY_DATAGRAM_MAX_BYTES, NULL,
     "largest that a node sends; 0: default"},
    {"mtu", "1500", LAB_KIND_BYTES, 576, 65535, NULL, "largest packet, headers included"},

    {"nat", "open", LAB_KIND_TEXT, 0, 0, NULL,
     "population of NATs: open, halkes2011, cellular2016, or kind:share,..."},
    {"puncture", "yes", LAB_KIND_FLAG, 0, 0, NULL,
     "no: no puncture leaves its host, for a control run"},
    {"search", "no", LAB_KIND_FLAG, 0, 0, NULL,
     "hosts can open 256 more ports each, and search for ports that no puncture finds"},
    {"lan", "1", LAB_KIND_COUNT, 1, 200, NULL, "hosts behind one home's NAT"},

    {"churn", "off", LAB_KIND_WORD, 0, 0, "off exponential fixed weibull pattern",
     "how long hosts stay online"},
    {"session", "30min", LAB_KIND_SECONDS, 0.001, 0, NULL, "mean time online"},
    {"absence", "30", LAB_KIND_SECONDS, 0.001, 0, NULL, "mean time off"},
    {"shape", "0.5", LAB_KIND_NUMBER, 0.1, 10, NULL, "of the Weibull distribution"},
    {"pattern", "", LAB_KIND_TEXT, 0, 0, NULL,
     "file of the pattern: host, seconds on, seconds off"},
    {"churn_from", "0", LAB_KIND_SECONDS, 0, 0, NULL, "when hosts begin to leave"},
    {"churn_until", "0", LAB_KIND_SECONDS, 0, 0, NULL, "when all come back to stay; 0: never"},
    {"rejoin", "store", LAB_KIND_WORD, 0, 0, "store empty",
     "what a host has when it comes back: what it had committed, or nothing"},
    {"rejoin_address", "new", LAB_KIND_WORD, 0, 0, "new same", "and where it is"},

    {"crash", "0", LAB_KIND_SHARE, 0, 1, NULL,
     "calls that end in a crash before what they changed is committed; the host starts again"},
    {"commit_fail", "0", LAB_KIND_SHARE, 0, 1, NULL, "commits that the disk refuses"},
    {"put_fail", "0", LAB_KIND_SHARE, 0, 1, NULL, "bundles that the disk refuses"},
    {"clock_jump", "0", LAB_KIND_SECONDS, 0, 0, NULL,
     "mean time between jumps of a host's clock; 0: none"},
    {"clock_jump_max", "1h", LAB_KIND_SECONDS, 1, 0, NULL, "the furthest that it jumps ahead"},
    {"full", "0", LAB_KIND_SHARE, 0, 1, NULL, "hosts whose store is full early"},
    {"full_bytes", "1k", LAB_KIND_BYTES, 1, 0, NULL, "what such a store takes"},
    {"fault_from", "0", LAB_KIND_SECONDS, 0, 0, NULL, "when these faults begin"},
    {"fault_until", "0", LAB_KIND_SECONDS, 0, 0, NULL, "when they are over; 0: never"},
    {"heal", "0", LAB_KIND_SECONDS, 0, 0, NULL,
     "when all that goes wrong is over, and hosts must come to hold the same; 0: never"},
    {"heal_steps", "0", LAB_KIND_NUMBER, 0, 0, NULL,
     "steps that they have for that; 0: worked out from what there is"},

    {"attackers", "0", LAB_KIND_COUNT, 0, 1e6, NULL,
     "peers that an attacker pretends to be, each with an address of its own; 0: nobody attacks"},
    {"attacker_networks", "4", LAB_KIND_COUNT, 1, LAB_CROWD_NETWORKS_MAX, NULL,
     "/16 networks that these addresses are in"},
    {"attacker_machines", "0", LAB_KIND_COUNT, 0, 1e6, NULL,
     "machines that the attackers share, by ports; 0: one for each"},
    {"attack", "eclipse", LAB_KIND_WORD, 0, 0, "eclipse echo bait relay flood",
     "what they say: that they hold nothing, the same, very much; or they give what honest hosts "
     "hold; flood: they ask, and never answer"},
    {"attack_pace", "2", LAB_KIND_NUMBER, 0, 1000, NULL,
     "requests per second that each victim gets from all of them together"},
    {"attack_from", "0", LAB_KIND_SECONDS, 0, 0, NULL, "when they appear"},
    {"victims", "10", LAB_KIND_COUNT, 0, 2e6, NULL,
     "honest hosts that they ask, the last ones; 0: all but trackers"},
};
const size_t lab_config_rule_count = sizeof lab_config_rules / sizeof lab_config_rules[0];

uint64_t lab_config_ns(const struct lab_settings *settings, const char *key)
{
    return (uint64_t)(lab_settings_number(settings, key) * 1e9);
}

static uint32_t count_of(const struct lab_settings *settings, const char *key)
{
    return (uint32_t)lab_settings_number(settings, key);
}

static void read_tables(const struct lab_settings *settings, struct hsay_node_config *node)
{
    enum { SMALL, MEDIUM, DAEMON };
    node->overlays_max = 1;
    node->keys_given = true;
    if (lab_settings_choice(settings, "tables") == SMALL) { /* as node.h recommends */
        node->candidates_max = 12;
        node->ways_max = 1;
        node->pending_max = 3;
        node->book_max = 1;
        node->rumors_max = 3;
        node->wants_max = 2;
        node->voices_max = 3;
        node->votes_max = 3;
        node->punctures_max = 8;
        node->keyring_max = 1;
        node->ledger_max = 8;
        node->gate_max = 1;
        node->replay_max = 4;
        node->no_filtering = true;
    } else if (lab_settings_choice(settings, "tables") == MEDIUM) {
        node->candidates_max = 32;
        node->pending_max = 8;
        node->book_max = 16;
        node->rumors_max = 16;
        node->keyring_max = 32;
        node->ledger_max = 32;
        node->gate_max = 32;
    }
}

static void read_overlay(const struct lab_settings *settings, struct hsay_overlay_config *overlay)
{
    overlay->policy = (uint8_t)lab_settings_choice(settings, "policy");
    overlay->ranges = (uint8_t)lab_settings_choice(settings, "ranges");
    overlay->pull_only = !lab_settings_flag(settings, "push");
    overlay->fixed_step = lab_settings_flag(settings, "fixed_step");
    overlay->mail_fanout = count_of(settings, "fanout");
    overlay->answer_bytes = count_of(settings, "answer");
    if (lab_settings_choice(settings, "tables") == 0)
        overlay->wait_ms = 1000; /* three requests are soon all out */
    overlay->step_ms = (uint32_t)(lab_settings_number(settings, "step") * 1e3);
}

static uint64_t ns_of(const struct lab_settings *settings, const char *key)
{
    return lab_config_ns(settings, key);
}

static void read_delay(const struct lab_settings *settings, struct lab_link_model *link)
{
    enum { CONSTANT, UNIFORM, MEASURED, REGIONS };
    unsigned kind = lab_settings_choice(settings, "delay");
    lab_link_init(link, ns_of(settings, "delay_mid"));
    if (kind == REGIONS) {
        lab_link_world(link);
        return;
    }
    link->delay = kind == CONSTANT  ? LAB_DELAY_CONSTANT
                  : kind == UNIFORM ? LAB_DELAY_UNIFORM
                                    : LAB_DELAY_MEASURED;
    link->delay_low_ns = ns_of(settings, "delay_low");
    if (kind == CONSTANT)
        link->delay_ns = link->delay_low_ns;
    link->delay_high_ns = ns_of(settings, "delay_high");
    if (kind == MEASURED) {
        link->delay_p99_ns = link->delay_high_ns;
        link->delay_high_ns = 20 * link->delay_p99_ns; /* where the tail is cut */
        link->tail_index = 2;
    }
}

int lab_config_link(const struct lab_settings *settings, struct lab_link_model *link, char *why,
                    size_t why_size)
{
    read_delay(settings, link);
    double loss = lab_settings_number(settings, "loss");
    double burst = lab_settings_number(settings, "burst");
    if (burst > 1) {
        link->burst_share = loss;
        link->burst_mean = burst;
    } else {
        link->loss = loss;
    }
    link->duplicate = lab_settings_number(settings, "duplicate");
    link->reorder = lab_settings_number(settings, "reorder");
    link->reorder_ns = ns_of(settings, "reorder_by");
    link->corrupt = lab_settings_number(settings, "corrupt");
    link->rate_bytes_s = (uint64_t)lab_settings_number(settings, "rate");
    link->queue_bytes = (uint64_t)lab_settings_number(settings, "queue");
    link->mtu = count_of(settings, "mtu");
    return lab_link_prepare(link, why, why_size);
}

void lab_config_churn(const struct lab_settings *settings, struct lab_churn_config *churn)
{
    *churn = (struct lab_churn_config){
        .kind = (enum lab_churn_kind)lab_settings_choice(settings, "churn"),
        .session_s = lab_settings_number(settings, "session"),
        .absence_s = lab_settings_number(settings, "absence"),
        .shape = lab_settings_number(settings, "shape"),
        .pattern = lab_settings_text(settings, "pattern"),
        .from_ns = ns_of(settings, "churn_from"),
        .until_ns = ns_of(settings, "churn_until"),
        .how = {.keep_store = lab_settings_choice(settings, "rejoin") == 0,
                .keep_addr = lab_settings_choice(settings, "rejoin_address") == 1},
    };
}

void lab_config_attack(const struct lab_settings *settings, struct lab_attack_config *attack)
{
    *attack = (struct lab_attack_config){
        .kind = (enum lab_attack_kind)lab_settings_choice(settings, "attack"),
        .members = count_of(settings, "attackers"),
        .machines = count_of(settings, "attacker_machines"),
        .networks = count_of(settings, "attacker_networks"),
        .victims = count_of(settings, "victims"),
        .pace = lab_settings_number(settings, "attack_pace"),
        .from_ns = ns_of(settings, "attack_from"),
    };
}

void lab_config_fault(const struct lab_settings *settings, struct lab_fault_config *fault)
{
    *fault = (struct lab_fault_config){
        .crash = lab_settings_number(settings, "crash"),
        .commit_fail = lab_settings_number(settings, "commit_fail"),
        .put_fail = lab_settings_number(settings, "put_fail"),
        .clock_jump_s = lab_settings_number(settings, "clock_jump"),
        .clock_jump_max = lab_settings_number(settings, "clock_jump_max"),
        .full = lab_settings_number(settings, "full"),
        .full_bytes = (uint64_t)lab_settings_number(settings, "full_bytes"),
        .from_ns = ns_of(settings, "fault_from"),
        .until_ns = ns_of(settings, "fault_until"),
    };
}

/* What is wrong although each setting by itself is right. */
static bool fits(const struct lab_settings *settings, const struct lab_sim_config *config,
                 char *why, size_t why_size)
{
    struct lab_churn_config churn;
    uint64_t places = (uint64_t)config->networks * LAB_NETWORK_HOSTS;
    if (config->trackers > config->nodes) {
        snprintf(why, why_size, "%u trackers, but only %u nodes", config->trackers, config->nodes);
        return false;
    }
    if (config->nodes > places) {
        snprintf(why, why_size, "no room for %u nodes: networks=%u takes %llu", config->nodes,
                 config->networks, (unsigned long long)places);
        return false;
    }
    lab_config_churn(settings, &churn);
    return lab_churn_check(&churn, config->nodes, why, why_size);
}

int lab_config_read(const struct lab_settings *settings, uint64_t seed, struct lab_sim_config *out,
                    char *why, size_t why_size)
{
    memset(out, 0, sizeof *out);
    out->seed = seed;
    out->nodes = count_of(settings, "nodes");
    out->shards = count_of(settings, "threads");
    out->crypto_real = lab_settings_choice(settings, "crypto") == 1;
    out->shared_stats = lab_settings_flag(settings, "shared_stats");
    out->networks = count_of(settings, "networks");
    out->bootstrap = (enum lab_bootstrap)lab_settings_choice(settings, "bootstrap");
    out->trackers = count_of(settings, "trackers");
    out->lan_hosts = count_of(settings, "lan");
    out->quota_bytes = (uint64_t)lab_settings_number(settings, "quota");
    read_tables(settings, &out->node);
    out->node.sockets_max = (uint16_t)count_of(settings, "sockets");
    out->node.datagram_bytes = count_of(settings, "datagram");
    out->node.sockets_max = lab_settings_flag(settings, "search") ? HSAY_SOCKETS_MAX : 0;
    read_overlay(settings, &out->overlay);
    out->tracker_node = (struct hsay_node_config){.overlays_max = 1,
                                                  .candidates_max = 512,
                                                  .pending_max = 64,
                                                  .keyring_max = 2048,
                                                  .datagram_bytes = out->node.datagram_bytes};
    if (out->node.datagram_bytes != 0 && out->node.datagram_bytes < HSAY_DATAGRAM_DEFAULT_BYTES) {
        snprintf(why, why_size, "datagram is %u, but goes from %u to %u, or is 0 for the default",
                 (unsigned)out->node.datagram_bytes, (unsigned)HSAY_DATAGRAM_DEFAULT_BYTES,
                 (unsigned)HSAY_DATAGRAM_MAX_BYTES);
        return HSAY_EINVAL;
    }
    if (!fits(settings, out, why, why_size))
        return HSAY_EINVAL;
    struct lab_attack_config attack;
    lab_config_attack(settings, &attack);
    out->extra = attack.members != 0;
    if (lab_attack_check(&attack, why, why_size) != 0)
        return HSAY_EINVAL;
    if (lab_population_parse(&out->population, lab_settings_text(settings, "nat"), why, why_size) !=
        0)
        return HSAY_EINVAL;
    return lab_config_link(settings, &out->link, why, why_size);
}
