/*
 * Puncturing: what it costs to be introduced and to come through NATs, in bytes per host and
 * minute. Counted crypto leaves messages in the clear; of what is sealed for real nothing can be
 * told. `from` (seconds) leaves the beginning out.
 *
 * It is made of four parts, and no byte is in two of them:
 *   asked: puncture-requests, and probes, which ask for a puncture, too
 *   sent:  punctures
 *   told:  what introductions add: to responses the introduced peer, to a stranger's request the
 *          padding that lets it be given one (where a claim for bundles pads, it is not for that)
 *   vain:  requests to introduced peers that were never answered, whole but for that padding
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/measure/measure.h"
#include "src/lab/sim/memory.h"
#include "src/wire/message.h"
#include "src/wire/seal.h"

enum { REQUESTS_MAX = 32 }; /* of a host that may be on their way; more than the core allows */

enum part { ASKED, SENT, TOLD, VAIN, ALL, PARTS };

struct request {
    uint64_t id;
    uint32_t bytes;
};

struct host {
    struct request request[REQUESTS_MAX];
    uint32_t requests;
};

struct puncturing {
    uint64_t from_ns; /* of the simulation's clock */
    uint64_t host_ns; /* that hosts were online since then, until they last left */
    uint64_t bytes[LAB_SHARDS_MAX][PARTS];
    struct host *host;
};

/* ---- letters ---- */

/* False: it is sealed for real. */
static bool read_letter(const struct lab_sim *sim, struct hsay_span datagram,
                        struct hsay_message *message)
{
    struct hsay_envelope envelope;
    if (sim->config.crypto_real || hsay_envelope_parse(&envelope, datagram) != 0 ||
        envelope.sealed.size <= HSAY_SEAL_TAG_BYTES)
        return false;
    struct hsay_span clear = {envelope.sealed.data, envelope.sealed.size - HSAY_SEAL_TAG_BYTES};
    return hsay_message_decode(message, clear) == 0;
}

static size_t introduction_bytes(struct hsay_message *m)
{
    size_t with = hsay_message_size(m);
    m->intro_response.introduced = (struct hsay_introduced){.addr.kind = HSAY_ADDR_NONE};
    return with - hsay_message_size(m);
}

static size_t padding_bytes(const struct hsay_intro_request *r)
{
    bool for_bundles = r->claim.kind == HSAY_CLAIM_EMPTY || r->claim.kind == HSAY_CLAIM_BLOOM;
    return for_bundles ? 0 : r->padding;
}

static size_t on_request(struct host *host, const struct hsay_intro_request *r, size_t bytes)
{
    size_t told = padding_bytes(r);
    host->request[host->requests++ % REQUESTS_MAX] =
        (struct request){r->id, (uint32_t)(bytes - told)};
    return told;
}

static void count(struct puncturing *p, const struct lab_shard *shard, enum part part, size_t bytes)
{
    if (shard->now_ns >= p->from_ns)
        p->bytes[shard->number][part] += bytes;
}

static bool on_send(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter)
{
    struct puncturing *p = self;
    struct hsay_message m;
    size_t bytes = letter->datagram.size;
    count(p, shard, ALL, bytes);
    if (!read_letter(shard->sim, letter->datagram, &m))
        return true;
    if (m.type == HSAY_MSG_PUNCTURE_REQUEST || m.type == HSAY_MSG_PROBE)
        count(p, shard, ASKED, bytes);
    else if (m.type == HSAY_MSG_PUNCTURE)
        count(p, shard, SENT, bytes);
    else if (m.type == HSAY_MSG_INTRO_RESPONSE)
        count(p, shard, TOLD, introduction_bytes(&m));
    else if (m.type == HSAY_MSG_INTRO_REQUEST)
        count(p, shard, TOLD, on_request(&p->host[host], &m.intro_request, bytes));
    return true;
}

static void on_event(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event)
{
    struct puncturing *p = self;
    struct host *h = &p->host[host];
    if (event->kind != HSAY_EVENT_ANSWER || event->bucket != HSAY_BUCKET_INTRODUCED ||
        event->number[HSAY_ANSWER_RESULT] == 0)
        return;
    for (uint32_t i = 0; i < h->requests && i < REQUESTS_MAX; i++)
        if (h->request[i].id == event->number[HSAY_ANSWER_REQUEST_ID])
            count(p, shard, VAIN, h->request[i].bytes);
}

/* ---- the measure ---- */

static void on_life(void *self, struct lab_sim *sim, uint32_t host, bool online)
{
    struct puncturing *p = self;
    uint64_t since = sim->host[host].online_ns;
    since = since > p->from_ns ? since : p->from_ns;
    if (!online && sim->now_ns > since)
        p->host_ns += sim->now_ns - since;
}

static void *puncturing_open(struct lab_sim *sim, const struct lab_measure_args *args)
{
    struct puncturing *p = lab_calloc(1, sizeof *p);
    p->host = lab_calloc(sim->host_count, sizeof *p->host);
    p->from_ns = LAB_START_NS + (uint64_t)(lab_measure_number(args, "from", 0) * 1e9);
    lab_sim_observe(sim,
                    &(struct lab_observer){
                        .self = p, .on_send = on_send, .on_event = on_event, .on_life = on_life});
    return p;
}

static void puncturing_close(void *self, struct lab_sim *sim, struct lab_result *result)
{
    struct puncturing *p = self;
    double sum[PARTS] = {0};
    for (uint32_t i = 0; i < sim->online_count; i++)
        on_life(p, sim, sim->online[i], false);
    for (unsigned s = 0; s < LAB_SHARDS_MAX; s++)
        for (unsigned part = 0; part < PARTS; part++)
            sum[part] += (double)p->bytes[s][part];
    double all = sim->config.crypto_real ? NAN : sum[ASKED] + sum[SENT] + sum[TOLD] + sum[VAIN];
    double minutes = p->host_ns != 0 ? (double)p->host_ns / 60e9 : NAN;
    lab_result_number(result, "puncturing_bytes_minute", all / minutes);
    lab_result_number(result, "puncturing_share", sum[ALL] > 0 ? all / sum[ALL] : NAN);
    lab_result_number(result, "puncturing_asked", sum[ASKED] / minutes);
    lab_result_number(result, "puncturing_sent", sum[SENT] / minutes);
    lab_result_number(result, "puncturing_told", sum[TOLD] / minutes);
    lab_result_number(result, "puncturing_vain", sum[VAIN] / minutes);
    free(p->host);
    free(p);
}

const struct lab_measure_kind lab_measure_puncturing = {
    .name = "puncturing",
    .keys = "from:seconds",
    .help = "bytes per host and minute for introductions and punctures, and what was in vain; "
            "from=SECONDS leaves the beginning out",
    .fields = "puncturing_bytes_minute puncturing_share puncturing_asked puncturing_sent "
              "puncturing_told puncturing_vain",
    .open = puncturing_open,
    .close = puncturing_close,
};
