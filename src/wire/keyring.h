/*
 * Keys of pairs, so that X25519 (30 us) is paid once per peer and not per packet.
 *
 * A fixed table in the caller's memory, four places (or all, if there are fewer) to a hash of
 * overlay and peer key (the hash is salted, so that nobody can aim at a set).  A peer that has
 * shown that it can hear us is `known`; keys of strangers never displace one.
 */
#ifndef HEARSAY_WIRE_KEYRING_H
#define HEARSAY_WIRE_KEYRING_H

#include "hearsay/types.h"

struct hsay_keyring_entry {
    struct hsay_key peer;
    uint8_t key[32];
    uint32_t used; /* the ring's clock when last used; 0 = empty */
    uint8_t overlay;
    bool known;
    uint16_t zero;
};

struct hsay_keyring {
    struct hsay_keyring_entry *entry;
    uint32_t entry_count; /* up to 3, or a multiple of 4; 0: nothing is kept */
    uint32_t clock;
    uint64_t salt;
};

void hsay_keyring_init(struct hsay_keyring *ring, struct hsay_keyring_entry *entry,
                       uint32_t entry_count, uint64_t salt);

/* The pair key, or NULL.  Valid until the next put or drop. */
const uint8_t *hsay_keyring_find(struct hsay_keyring *ring, uint8_t overlay,
                                 const struct hsay_key *peer);

/* Keep a key.  A stranger's takes the place of the stranger used longest ago, if there is one; a
 * known peer's, after that, of the known peer used longest ago.  Who was known stays it. */
void hsay_keyring_put(struct hsay_keyring *ring, uint8_t overlay, const struct hsay_key *peer,
                      const uint8_t key[32], bool known);

/* Forget all keys of an overlay that was left. */
void hsay_keyring_drop(struct hsay_keyring *ring, uint8_t overlay);

#endif
