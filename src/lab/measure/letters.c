/*
 * Letters: bytes of all hosts by kind of message, per host and second.  Counted crypto leaves
 * messages in the clear; what is sealed for real counts as `sealed`.  `from` (seconds) leaves the
 * beginning out.
 *
 * overhead: bytes sent for each byte of a bundle that came to a host that lacked it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"
#include "src/wire/message.h"
#include "src/wire/seal.h"

static const char *const names[HSAY_MSG_TYPE_COUNT] = {
    [HSAY_MSG_NONE] = "sealed",
    [HSAY_MSG_INTRO_REQUEST] = "request",
    [HSAY_MSG_INTRO_RESPONSE] = "response",
    [HSAY_MSG_PUNCTURE_REQUEST] = "puncture_request",
    [HSAY_MSG_PUNCTURE] = "puncture",
    [HSAY_MSG_BUNDLES] = "bundles",
    [HSAY_MSG_FETCH] = "fetch",
    [HSAY_MSG_DIRECT] = "direct",
    [HSAY_MSG_PROBE] = "probe",
};

struct tally {
    uint64_t count[HSAY_MSG_TYPE_COUNT], bytes[HSAY_MSG_TYPE_COUNT];
    uint64_t bundles, bundle_bytes; /* that hosts lacked */
};

struct letters {
    uint64_t from_ns; /* of the simulation's clock */
    uint64_t host_ns; /* that hosts were online since then, until they last left */
    struct tally shard[LAB_SHARDS_MAX];
};

static unsigned type_of(const struct lab_sim *sim, struct hsay_span datagram)
{
    struct hsay_envelope envelope;
    if (sim->config.crypto_real || hsay_envelope_parse(&envelope, datagram) != 0 ||
        envelope.sealed.size <= HSAY_SEAL_TAG_BYTES)
        return HSAY_MSG_NONE;
    unsigned type = envelope.sealed.data[0];
    return type < HSAY_MSG_TYPE_COUNT ? type : HSAY_MSG_NONE;
}

static bool on_send(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter)
{
    struct letters *l = self;
    (void)host;
    if (shard->now_ns >= l->from_ns) {
        unsigned type = type_of(shard->sim, letter->datagram);
        l->shard[shard->number].count[type]++;
        l->shard[shard->number].bytes[type] += letter->datagram.size;
    }
    return true;
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct letters *l = self;
    (void)host;
    if (event->kind != HSAY_EVENT_BUNDLE || event->own || shard->now_ns < l->from_ns)
        return;
    l->shard[shard->number].bundles++;
    l->shard[shard->number].bundle_bytes += event->bytes.size;
}

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct letters *l = self;
    uint64_t since = sim->host[host].online_ns;
    since = since > l->from_ns ? since : l->from_ns;
    if (!online && sim->now_ns > since)
        l->host_ns += sim->now_ns - since;
}

static void *letters_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct letters *l = lab_calloc(1, sizeof *l);
    l->from_ns = LAB_START_NS + (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    lab_sim_observe(sim,
                    &(struct lab_observer){
                        .self = l, .on_send = on_send, .on_event = on_event, .on_life = on_life});
    return l;
}

static void write_kind(struct lab_result *result, const char *name, double bytes, double count)
{
    char field[48];
    snprintf(field, sizeof field, "%s_bytes", name);
    lab_result_number(result, field, bytes);
    snprintf(field, sizeof field, "%s_letters", name);
    lab_result_number(result, field, count);
}

static struct tally sum_of(const struct letters *l)
{
    struct tally sum = {0};
    for (unsigned s = 0; s < LAB_SHARDS_MAX; s++) {
        for (unsigned type = 0; type < HSAY_MSG_TYPE_COUNT; type++) {
            sum.count[type] += l->shard[s].count[type];
            sum.bytes[type] += l->shard[s].bytes[type];
        }
        sum.bundles += l->shard[s].bundles;
        sum.bundle_bytes += l->shard[s].bundle_bytes;
    }
    return sum;
}

static void letters_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct letters *l = self;
    struct tally sum = sum_of(l);
    for (uint32_t i = 0; i < sim->online_count; i++)
        on_life(l, sim, sim->online[i], false);
    double host_s = l->host_ns != 0 ? (double)l->host_ns / 1e9 : 1, all = 0;
    for (unsigned type = 0; type < HSAY_MSG_TYPE_COUNT; type++) {
        all += (double)sum.bytes[type];
        write_kind(result, names[type], (double)sum.bytes[type] / host_s,
                   (double)sum.count[type] / host_s);
    }
    lab_result_number(result, "sent_bytes", all / host_s);
    lab_result_number(result, "bundles_per_host_second", (double)sum.bundles / host_s);
    lab_result_number(result, "overhead",
                      sum.bundle_bytes != 0 ? all / (double)sum.bundle_bytes : NAN);
    free(l);
}

const struct lab_measure_kind lab_measure_letters = {
    .name = "letters",
    .keys = "from:seconds",
    .help = "bytes per host and second by kind of message; from=SECONDS leaves the beginning out",
    .fields =
        "request_bytes response_bytes puncture_request_bytes puncture_bytes "
        "bundles_bytes fetch_bytes direct_bytes probe_bytes sealed_bytes request_letters "
        "response_letters puncture_request_letters puncture_letters "
        "bundles_letters fetch_letters direct_letters probe_letters sealed_letters sent_bytes "
        "bundles_per_host_second "
        "overhead",
    .open = letters_open,
    .close = letters_close,
};
