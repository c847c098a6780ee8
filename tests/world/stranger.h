/*
 * Somebody outside: makes any datagram by hand, with a node key of its own, and counts what comes
 * back to its address.
 */
#ifndef HEARSAY_TESTS_STRANGER_H
#define HEARSAY_TESTS_STRANGER_H

#include "src/wire/message.h"
#include "src/wire/seal.h"
#include "tests/world/world.h"

struct stranger {
    struct world *world;
    struct hsay_addr addr;
    uint16_t socket; /* of the node, that its datagrams come to */
    uint8_t secret[HSAY_KEY_BYTES];
    struct hsay_key key;
    struct hsay_seal_keys keys;
    uint64_t sent_bytes, sent_packets;
    uint64_t got_bytes, got_packets; /* from anybody */
    uint8_t last[HSAY_DATAGRAM_MAX_BYTES];
    size_t last_size;
    struct hsay_message answer; /* the last message that could be opened */
    uint8_t answer_bytes[HSAY_DATAGRAM_MAX_BYTES];
};

/* Becomes the world's watcher. */
void stranger_init(struct stranger *s, struct world *w, const struct hsay_addr *addr);

/* Of several, the watcher of the world has to tell each what comes to it. */
void stranger_take(struct stranger *s, const struct world_flight *f);

struct stranger_sealing {
    bool first;                     /* to the overlay instead of the node's key */
    const struct hsay_token *token; /* shown, or NULL */
    size_t tail_size;               /* bytes of `tail` behind the message */
    const uint8_t *tail;
};

/* Seal a message for node `to` and let it arrive at once.  The datagram stays in s->last. */
void stranger_send(struct stranger *s, unsigned to, const struct hsay_message *m,
                   const struct stranger_sealing *how);

/* A datagram as it is. */
void stranger_send_raw(struct stranger *s, unsigned to, const void *bytes, size_t size);

/* A well-made introduction-request of about `bytes` on the wire. */
struct hsay_message stranger_request(struct stranger *s, uint8_t claim_kind, size_t bytes);

#endif
