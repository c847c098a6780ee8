#include "bench/crowd.h"

#include <assert.h>
#include <string.h>

#include "bench/bench.h"
#include "src/wire/cursor.h"

/* version, flags, author, type, sequence, time, expiry, parents, payload size, payload, signature
 */
size_t crowd_payload(size_t canonical_bytes, uint64_t sequence, uint64_t time)
{
    size_t fixed = 1 + 1 + HSAY_KEY_BYTES + 1 + hsay_varint_size(sequence) +
                   hsay_varint_size(time) + 1 + 1 + HSAY_SIGNATURE_BYTES;
    assert(canonical_bytes > fixed);
    size_t rest = canonical_bytes - fixed;
    size_t payload = rest - 1;
    while (hsay_varint_size(payload) + payload > rest)
        payload--;
    return payload;
}

void crowd_publish(struct world *w, unsigned node, size_t canonical_bytes, uint64_t sequence)
{
    char payload[HSAY_PAYLOAD_MAX_BYTES + 1];
    size_t size = crowd_payload(canonical_bytes, sequence, sequence);
    for (size_t i = 0; i < size; i++)
        payload[i] = (char)('a' + world_chance(w) % 26);
    payload[size] = 0;
    world_publish(w, node, payload);
}

static void check_size(struct world *w, const struct crowd *crowd)
{
    struct hsay_overlay_status s;
    hsay_node_overlay_status(w->node[crowd->author].node, world_now(w), 0, &s);
    if (s.store.bundles != crowd->bundles ||
        s.store.bundle_bytes != crowd->bundles * crowd->canonical_bytes)
        bench_fail("%u bundles should have %zu bytes each, and have %.1f", crowd->bundles,
                   crowd->canonical_bytes, (double)s.store.bundle_bytes / (double)s.store.bundles);
}

void crowd_start(struct world *w, const struct crowd *crowd)
{
    world_init(w, crowd->nodes, crowd->seed);
    w->link.delay_ms = crowd->delay_ms;
    w->node_config = (struct hsay_node_config){.overlays_max = 1, .sockets_max = crowd->sockets};
    w->overlay_config = crowd->overlay;
    world_start(w);
    for (unsigned i = 0; i < crowd->bundles; i++)
        crowd_publish(w, crowd->author, crowd->canonical_bytes, i + 1);
    check_size(w, crowd);
    for (unsigned i = 0; i < crowd->nodes; i++)
        if (i != crowd->tracker)
            world_name(w, i, crowd->tracker, HSAY_BUCKET_TRUSTED);
}
