/*
 * The crypto port of the laboratory: the real one, or one that is counted and costs little.
 *
 * Most of a simulation's time would go into X25519, Ed25519 and XChaCha20, whose results nobody in
 * a simulation can tell from others of the same size.  So the counted port computes only what the
 * protocol can see: hashes, signatures and public keys are the real ones, byte for byte; verdicts
 * on signatures and seals are those that the real one would give; shared keys and sealed bytes are
 * not.  Since the core decides nothing by the latter two, a run takes the same decisions with
 * either port: tests/lab/test_lab_crypto.c holds them against each other.
 *
 * A forger in a simulation has to stay honest in this: it may draw any bytes, change, cut, repeat
 * and sign what it likes, and read what is not sealed for it no more than in reality.  The seal is
 * XXH3, which holds against chance and not against who takes XXH3 apart.
 */
#ifndef HEARSAY_LAB_CRYPTO_H
#define HEARSAY_LAB_CRYPTO_H

#include <pthread.h>

#include "hearsay/crypto.h"

/* What a run has asked of the port: the same numbers for either kind, and for any number of
 * threads. */
struct lab_crypto_count {
    uint64_t hash;
    uint64_t hash_bytes; /* key and parts */
    uint64_t sign;
    uint64_t verify;
    uint64_t node_public;
    uint64_t agree;
    uint64_t seal;
    uint64_t open;
    uint64_t sealed_bytes; /* of plain text, that is without the tags */
    uint64_t opened_bytes; /* likewise, refused ones included */
};

struct lab_crypto_slots;

/* A set of 64-bit numbers (width 1), or a map from such to such (width 2), that only grows. */
struct lab_crypto_table {
    _Atomic(struct lab_crypto_slots *) slots;
    size_t count; /* of the writers, who hold the world's lock */
    size_t width;
};

/* What is known in one simulation: 32 to 64 bytes for each node key, 21 to 43 for each signature,
 * and as much again for tables that were outgrown.  Not to be moved once it is in use. */
struct lab_crypto_world {
    struct hsay_crypto sodium;
    uint64_t seed;
    bool real;
    pthread_mutex_t lock;
    struct lab_crypto_table secrets; /* of node keys: the mark of a secret -> of its public key */
    struct lab_crypto_table publics; /* marks of their public keys */
    struct lab_crypto_table authors; /* marks of author secrets that are what they say */
    struct lab_crypto_table signatures; /* marks of good signatures, halved */
};

/* The port of one thread: hosts that are given it belong to that thread. */
struct lab_crypto {
    struct lab_crypto_world *world;
    struct lab_crypto_count count;
};

/* `seed` is the run's; `real` computes everything.  HSAY_EIO: no libsodium. */
int lab_crypto_world_init(struct lab_crypto_world *world, uint64_t seed, bool real);
void lab_crypto_world_free(struct lab_crypto_world *world);

/* That many node keys will come: nothing is outgrown on the way.  Not needed, but saves memory. */
void lab_crypto_world_reserve(struct lab_crypto_world *world, size_t node_keys);

/* `world` must outlive it.  Any number may share a world, each on a thread of its own.  The counts
 * begin at 0 and may be read and set between calls. */
void lab_crypto_init(struct lab_crypto *crypto, struct lab_crypto_world *world);

/* For nodes and stores; `crypto` must outlive them.  A secret goes to node_public before anybody
 * hears of its public key (hsay_node_init does so), or never: two keys agree cheaply if both are
 * known to the world, else really, and both sides must find the same. */
struct hsay_crypto lab_crypto_port(struct lab_crypto *crypto);

/* The same, but its signatures are remembered as good instead of computed, where the port is the
 * counted one: for histories of a million bundles, of which no more is asked than that they verify.
 * What is signed like this has other bytes than with the real port, and so another id. */
struct hsay_crypto lab_crypto_memo_port(struct lab_crypto *crypto);

void lab_crypto_count_add(struct lab_crypto_count *sum, const struct lab_crypto_count *part);

#endif
