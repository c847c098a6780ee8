#include "src/node/memory.h"

#include <stdalign.h>
#include <stddef.h>

static void default_u16(uint16_t *field, uint16_t value)
{
    if (*field == 0)
        *field = value;
}

static void default_u32(uint32_t *field, uint32_t value)
{
    if (*field == 0)
        *field = value;
}

void hsay_node_config_default(struct hsay_node_config *c)
{
    default_u16(&c->overlays_max, 4);
    default_u16(&c->candidates_max, 64);
    default_u16(&c->ways_max, c->candidates_max);
    default_u16(&c->pending_max, 16);
    default_u16(&c->book_max, 256);
    default_u16(&c->rumors_max, 64);
    default_u16(&c->wants_max, 16);
    default_u16(&c->voices_max, HSAY_WINDOW_VOICES_MAX);
    default_u16(&c->votes_max, HSAY_VOTE_TABLE_MAX);
    default_u16(&c->punctures_max, 32);
    default_u32(&c->keyring_max, 1024);
    default_u32(&c->ledger_max, 1024);
    default_u32(&c->gate_max, 256);
    default_u32(&c->replay_max, c->gate_max);
    default_u32(&c->datagram_bytes, HSAY_DATAGRAM_DEFAULT_BYTES);
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool is_within(uint32_t n, uint32_t least, uint32_t most)
{
    return least <= n && n <= most;
}

bool hsay_memory_config_is_good(const struct hsay_node_config *c)
{
    return is_within(c->overlays_max, 1, UINT8_MAX) && c->ways_max <= c->candidates_max &&
           is_within(c->voices_max, HSAY_WINDOW_SETTLES, HSAY_WINDOW_VOICES_MAX) &&
           is_within(c->votes_max, HSAY_VOTE_AGREE_GROUPS, HSAY_VOTE_TABLE_MAX) &&
           c->sockets_max <= HSAY_SOCKETS_MAX && (c->keyring_max < 4 || c->keyring_max % 4 == 0) &&
           is_power_of_two(c->ledger_max) && is_power_of_two(c->gate_max) &&
           is_within(c->datagram_bytes, HSAY_DATAGRAM_DEFAULT_BYTES, HSAY_DATAGRAM_MAX_BYTES);
}

/* ---- one block, cut up in this order ---- */

struct carving {
    uint8_t *base; /* NULL: only measure */
    size_t used;
};

static size_t aligned(size_t size, size_t align)
{
    return (size + align - 1) / align * align;
}

static void *carve(struct carving *c, size_t count, size_t size, size_t align)
{
    size_t at = aligned(c->used, align);
    c->used = at + count * size;
    return c->base != NULL ? c->base + at : NULL;
}
#define CARVE(carving, count, type) carve(carving, count, sizeof(type), alignof(type))

uint8_t hsay_memory_newest_max(const struct hsay_node_config *config)
{
    return config->rumors_max < HSAY_NEWEST_MAX ? (uint8_t)config->rumors_max : HSAY_NEWEST_MAX;
}

static void carve_extras(struct carving *c, const struct hsay_node_config *config,
                         struct hsay_memory *m)
{
    bool around = !config->no_filtering;
    bool measure = config->sockets_max >= HSAY_SOCKETS_LIFETIME;
    bool search = config->sockets_max >= HSAY_SOCKETS_MAX;
    m->extras = around || measure || search ? CARVE(c, 1, struct hsay_extras) : NULL;
    m->part.around = around ? CARVE(c, 1, struct hsay_around) : NULL;
    m->part.measure = measure ? CARVE(c, 1, struct hsay_measure) : NULL;
    m->part.search = search ? CARVE(c, 1, struct hsay_search) : NULL;
}

size_t hsay_memory_carve(struct hsay_memory *m, const struct hsay_node_config *config, void *memory)
{
    struct carving c = {memory, 0};
    size_t overlays = config->overlays_max;
    m->node = CARVE(&c, 1, struct hsay_node);
    m->overlay = CARVE(&c, overlays, struct hsay_overlay);
    m->stats = config->stats;
    if (m->stats == NULL)
        m->stats = CARVE(&c, 1, struct hsay_node_stats);
    m->keys = config->keys_given ? NULL : CARVE(&c, overlays, struct hsay_seal_keys);
    m->vote = CARVE(&c, config->votes_max, struct hsay_vote_entry);
    m->replay = CARVE(&c, config->replay_max, uint64_t);
    m->pending = CARVE(&c, overlays * config->pending_max, struct hsay_pending);
    m->newest =
        CARVE(&c, overlays * config->pending_max * hsay_memory_newest_max(config), uint64_t);
    m->rumor = CARVE(&c, overlays * config->rumors_max, struct hsay_rumor);
    m->want = CARVE(&c, overlays * config->wants_max, struct hsay_want);
    m->voice = CARVE(&c, overlays * config->voices_max, struct hsay_window_voice);
    m->candidate = CARVE(&c, overlays * config->candidates_max, struct hsay_candidate);
    m->way = CARVE(&c, overlays * config->ways_max, struct hsay_candidate_way);
    m->book = CARVE(&c, overlays * config->book_max, struct hsay_book_entry);
    m->keyring = CARVE(&c, config->keyring_max, struct hsay_keyring_entry);
    m->ledger = CARVE(&c, config->ledger_max, struct hsay_ledger_entry);
    m->puncture = CARVE(&c, config->punctures_max, struct hsay_puncture_entry);
    m->gate = CARVE(&c, (size_t)config->gate_max + 1, struct hsay_gate_bucket);
    carve_extras(&c, config, m);
    return aligned(c.used, alignof(max_align_t)); /* so that nodes may stand in a row */
}

size_t hsay_node_size(const struct hsay_node_config *given)
{
    struct hsay_node_config config = *given;
    struct hsay_memory m;
    hsay_node_config_default(&config);
    return hsay_memory_carve(&m, &config, NULL);
}
