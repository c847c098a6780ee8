/* What a run amounts to, and its digest. */
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* the state is on our stack */
#include <xxhash.h>

#include "src/lab/sim/sim.h"

void lab_stats_add(struct hsay_node_stats *sum, const struct hsay_node_stats *part)
{
    for (unsigned i = 0; i < HSAY_COUNTER_COUNT; i++)
        sum->count[i] += part->count[i];
    for (unsigned i = 0; i < HSAY_DROP_COUNT; i++)
        sum->drop[i] += part->drop[i];
    uint64_t *to = &sum->attempt[0][0][0][0];
    const uint64_t *from = &part->attempt[0][0][0][0];
    for (size_t i = 0; i < sizeof sum->attempt / sizeof *to; i++)
        to[i] += from[i];
}

void lab_sim_totals(const struct lab_sim *sim, struct lab_totals *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < sim->config.shards; i++) {
        const struct lab_shard *shard = &sim->shard[i];
        out->events += shard->events;
        out->datagrams += shard->datagrams;
        out->datagram_bytes += shard->datagram_bytes;
        for (unsigned k = 0; k < LAB_LOST_COUNT; k++)
            out->lost[k] += shard->lost[k];
        lab_stats_add(&out->stats, &shard->stats);
        lab_crypto_count_add(&out->crypto, &shard->crypto.count);
    }
    for (uint32_t i = 0; i < sim->host_count && !sim->config.shared_stats; i++)
        if (sim->host[i].node != NULL)
            lab_stats_add(&out->stats, hsay_node_stats(sim->host[i].node));
}

size_t lab_node_bytes(const struct lab_sim *sim)
{
    struct hsay_node_config config = sim->config.node;
    struct hsay_node_stats elsewhere;
    config.stats = sim->config.shared_stats ? &elsewhere : NULL;
    return hsay_node_size(&config);
}

/* Field by field: padding and addresses in memory are no part of a state. */
static void feed(XXH3_state_t *state, uint64_t value)
{
    XXH3_64bits_update(state, &value, sizeof value);
}

static void feed_node(XXH3_state_t *state, const struct lab_sim *sim, const struct lab_host *host)
{
    struct hsay_now now = lab_host_now(sim, host, sim->now_ns);
    struct hsay_peer_status peer;
    struct hsay_overlay_status status;
    feed(state, hsay_node_deadline(host->node).ns);
    hsay_node_overlay_status(host->node, now, 0, &status);
    feed(state, status.sum.count);
    feed(state, status.sum.high);
    feed(state, status.sum.low);
    feed(state, status.missing_estimate);
    feed(state, status.time_limit);
    for (size_t i = 0; hsay_node_peer_at(host->node, now, 0, i, &peer) == 0; i++) {
        XXH3_64bits_update(state, &peer.peer, sizeof peer.peer);
        feed(state, peer.bucket);
        feed(state, peer.age_ms);
        feed(state, peer.asked_ms);
        feed(state, peer.rtt_us);
    }
    if (sim->config.shared_stats)
        return;
    const struct hsay_node_stats *stats = hsay_node_stats(host->node);
    XXH3_64bits_update(state, stats->count, sizeof stats->count);
    XXH3_64bits_update(state, stats->drop, sizeof stats->drop);
    XXH3_64bits_update(state, stats->attempt, sizeof stats->attempt);
}

uint64_t lab_sim_digest(const struct lab_sim *sim)
{
    XXH3_state_t state;
    struct lab_totals totals;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    for (uint32_t i = 0; i < sim->host_count; i++) {
        const struct lab_host *host = &sim->host[i];
        feed(&state, host->flags);
        feed(&state, host->lives);
        feed(&state, host->bytes_out);
        feed(&state, host->bytes_in);
        feed(&state, host->datagrams_in);
        feed(&state, lab_store_count(&host->store));
        if (host->node != NULL)
            feed_node(&state, sim, host);
    }
    lab_sim_totals(sim, &totals);
    feed(&state, totals.datagrams);
    feed(&state, totals.datagram_bytes);
    XXH3_64bits_update(&state, totals.lost, sizeof totals.lost);
    XXH3_64bits_update(&state, &totals.stats, sizeof totals.stats);
    return XXH3_64bits_digest(&state);
}
