#include "src/wire/keyring.h"

#include <assert.h>
#include <string.h>

#include "src/wire/salted.h"

enum { KEYRING_WAYS_MAX = 4 };

void hsay_keyring_init(struct hsay_keyring *ring, struct hsay_keyring_entry *entry,
                       uint32_t entry_count, uint64_t salt)
{
    assert(entry_count < KEYRING_WAYS_MAX || entry_count % KEYRING_WAYS_MAX == 0);
    if (entry_count > 0)
        memset(entry, 0, entry_count * sizeof *entry);
    *ring = (struct hsay_keyring){.entry = entry, .entry_count = entry_count, .salt = salt};
}

/* How many places a peer may stand in. */
static uint32_t ways_of(const struct hsay_keyring *ring)
{
    return ring->entry_count < KEYRING_WAYS_MAX ? ring->entry_count : KEYRING_WAYS_MAX;
}

/* The places of a peer, or NULL if nothing is kept. */
static struct hsay_keyring_entry *places_of(const struct hsay_keyring *ring, uint8_t overlay,
                                            const struct hsay_key *peer)
{
    uint8_t name[1 + HSAY_KEY_BYTES];
    uint32_t ways = ways_of(ring);

    if (ways == 0)
        return NULL;
    name[0] = overlay;
    memcpy(name + 1, peer->byte, sizeof peer->byte);
    uint64_t set = hsay_salted(ring->salt, name, sizeof name) % (ring->entry_count / ways);
    return ring->entry + set * ways;
}

static bool is_of(const struct hsay_keyring_entry *entry, uint8_t overlay,
                  const struct hsay_key *peer)
{
    return entry->used != 0 && entry->overlay == overlay &&
           memcmp(entry->peer.byte, peer->byte, sizeof peer->byte) == 0;
}

static struct hsay_keyring_entry *entry_of(const struct hsay_keyring *ring, uint8_t overlay,
                                           const struct hsay_key *peer)
{
    struct hsay_keyring_entry *place = places_of(ring, overlay, peer);

    for (uint32_t i = 0; i < ways_of(ring); i++) {
        if (is_of(&place[i], overlay, peer))
            return &place[i];
    }
    return NULL;
}

/* 0 marks an empty place, so the clock leaves it out. */
static uint32_t tick(struct hsay_keyring *ring)
{
    ring->clock++;
    if (ring->clock == 0)
        ring->clock = 1;
    return ring->clock;
}

const uint8_t *hsay_keyring_find(struct hsay_keyring *ring, uint8_t overlay,
                                 const struct hsay_key *peer)
{
    struct hsay_keyring_entry *entry = entry_of(ring, overlay, peer);

    if (entry == NULL)
        return NULL;
    entry->used = tick(ring);
    return entry->key;
}

/* How gladly a place is given up, by age in ticks, which stays right when the clock wraps. */
static uint64_t worth(const struct hsay_keyring *ring, const struct hsay_keyring_entry *entry)
{
    if (entry->used == 0)
        return 0;
    uint32_t age = ring->clock - entry->used;
    return UINT64_C(1) + (UINT32_MAX - age) + (entry->known ? UINT64_C(1) << 33 : 0);
}

/* An empty place, or the stranger used longest ago, or (for a known peer) the known one used
 * longest ago; NULL for a stranger among none but known peers, who pays an X25519 per packet out of
 * its gate. */
static struct hsay_keyring_entry *place_for(const struct hsay_keyring *ring, uint8_t overlay,
                                            const struct hsay_key *peer, bool known)
{
    struct hsay_keyring_entry *place = places_of(ring, overlay, peer);
    struct hsay_keyring_entry *least = place;

    for (uint32_t i = 1; i < ways_of(ring); i++) {
        if (worth(ring, &place[i]) < worth(ring, least))
            least = &place[i];
    }
    if (least != NULL && least->used != 0 && least->known && !known)
        return NULL;
    return least;
}

void hsay_keyring_put(struct hsay_keyring *ring, uint8_t overlay, const struct hsay_key *peer,
                      const uint8_t key[32], bool known)
{
    struct hsay_keyring_entry *entry = entry_of(ring, overlay, peer);

    if (entry != NULL)
        known = known || entry->known;
    else
        entry = place_for(ring, overlay, peer, known);
    if (entry == NULL)
        return;
    /* `key` may be what find returned, that is this very place. */
    memmove(entry->key, key, sizeof entry->key);
    entry->peer = *peer;
    entry->overlay = overlay;
    entry->known = known;
    entry->used = tick(ring);
}

void hsay_keyring_drop(struct hsay_keyring *ring, uint8_t overlay)
{
    for (uint32_t i = 0; i < ring->entry_count; i++) {
        if (ring->entry[i].overlay == overlay)
            memset(&ring->entry[i], 0, sizeof ring->entry[i]);
    }
}
