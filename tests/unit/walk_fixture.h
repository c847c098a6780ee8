/*
 * What the tests of src/walk share: a table with a clock, peers by number, and a stand-in for the
 * hash, so that they need no cryptographic library and run at the speed of the walk itself.
 */
#ifndef HEARSAY_TESTS_WALK_FIXTURE_H
#define HEARSAY_TESTS_WALK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nat/addr_class.h"
#include "src/walk/peer.h"
#include "src/walk/walk.h"

enum { TABLE_MAX = 64 };

static const struct hsay_walk_times default_times = {
    .contacted_ms = HSAY_CONTACTED_LIFETIME_MS,
    .requested_ms = HSAY_REQUESTED_LIFETIME_MS,
    .introduced_ms = HSAY_INTRODUCED_LIFETIME_MS,
    .introduced_public_ms = HSAY_INTRODUCED_PUBLIC_LIFETIME_MS,
    .again_ms = HSAY_WALK_AGAIN_MS,
};

static inline void standin_absorb(uint64_t *state, struct hsay_span span)
{
    for (size_t i = 0; i < span.size; i++)
        *state = (*state ^ span.data[i]) * UINT64_C(0x100000001b3);
    *state = hsay_peer_mix(*state + span.size);
}

/* No cryptography: spreads well, and that is all the walk asks of it. */
static inline void standin_hash(void *self, uint8_t *out, size_t out_size, struct hsay_span key,
                                const struct hsay_span *parts, size_t part_count)
{
    uint64_t state = UINT64_C(0xcbf29ce484222325);

    (void)self;
    standin_absorb(&state, key);
    for (size_t i = 0; i < part_count; i++)
        standin_absorb(&state, parts[i]);
    for (size_t i = 0; i < out_size; i++) {
        if (i % 8 == 0)
            state += UINT64_C(0x9e3779b97f4a7c15);
        out[i] = (uint8_t)(hsay_peer_mix(state) >> (i % 8 * 8));
    }
}

static const struct hsay_crypto_ops standin_ops = {.hash = standin_hash};
static const struct hsay_crypto standin_crypto = {.ops = &standin_ops};

struct world {
    struct hsay_candidate entry[TABLE_MAX];
    struct hsay_candidate_way way[TABLE_MAX];
    struct hsay_candidates table;
    struct hsay_walk walk;
    struct hsay_rng rng;
    struct hsay_chance chance;
    hsay_time now;
};

static inline void world_init_size(struct world *w, uint64_t seed, uint16_t entry_max)
{
    uint8_t bytes[32] = {0};

    memcpy(bytes, &seed, sizeof seed);
    memset(w, 0, sizeof *w);
    hsay_candidates_init(&w->table, w->entry, entry_max, w->way, entry_max, &default_times);
    hsay_rng_init(&w->rng, bytes);
    w->chance = (struct hsay_chance){.rng = &w->rng, .crypto = &standin_crypto};
    w->now = (hsay_time){UINT64_C(1000000000)};
}

static inline void world_init(struct world *w, uint64_t seed)
{
    world_init_size(w, seed, TABLE_MAX);
}

static inline void world_pass(struct world *w, uint64_t ms)
{
    w->now = hsay_time_add_ms(w->now, ms);
}

static inline uint64_t world_below(struct world *w, uint64_t bound)
{
    return hsay_rng_below(&w->rng, &standin_crypto, bound);
}

static inline struct hsay_addr ip4(uint32_t ip, uint16_t port)
{
    struct hsay_addr addr = {.kind = HSAY_ADDR_IP4, .port = port};

    for (size_t i = 0; i < 4; i++)
        addr.byte[i] = (uint8_t)(ip >> (24 - 8 * i));
    return addr;
}

static inline struct hsay_key key_of(uint32_t number)
{
    struct hsay_key key = {{0}};

    memcpy(key.byte, &number, sizeof number);
    key.byte[31] = number != 0;
    return key;
}

/* Peer `number` of network group `group`, a /16 from 20.0 on. */
static inline struct hsay_peer peer_in(uint32_t group, uint32_t number)
{
    return (struct hsay_peer){
        .addr = ip4((20u << 24) + (group << 16) + (number & 0xffff), 7000),
        .key = key_of(number),
    };
}

/* Peer `number`, alone in its group. */
static inline struct hsay_peer peer_alone(uint32_t number)
{
    return peer_in(number, number);
}

static inline struct hsay_candidate *answer(struct world *w, const struct hsay_peer *peer)
{
    const struct hsay_token token = {{7}};

    return hsay_candidate_on_answer(&w->table, w->now, peer, &token);
}

static inline struct hsay_candidate *introduce(struct world *w, const struct hsay_peer *peer,
                                               const struct hsay_peer *introducer)
{
    struct hsay_introduced introduced = {.addr = peer->addr, .key = peer->key};

    return hsay_candidate_on_introduced(&w->table, w->now, &introduced, &introducer->addr);
}

static inline struct hsay_candidate *request(struct world *w, const struct hsay_peer *peer)
{
    return hsay_candidate_on_request(&w->table, w->now, peer, true);
}

/* As a request is: it brings a token. */
static inline struct hsay_candidate *visited_by(struct world *w, const struct hsay_peer *peer)
{
    const struct hsay_token token = {{8}};
    struct hsay_candidate *c = request(w, peer);

    if (c != NULL)
        hsay_candidate_on_token(c, &token);
    return c;
}

static inline enum hsay_bucket bucket_of(struct world *w, const struct hsay_peer *peer)
{
    struct hsay_candidate *c = hsay_candidate_find(&w->table, peer);

    return c == NULL ? HSAY_BUCKET_NONE : hsay_candidate_bucket(&w->table, c, w->now);
}

static inline uint16_t count_in(struct world *w, enum hsay_bucket bucket)
{
    uint16_t count[HSAY_BUCKET_COUNT];

    hsay_candidates_count(&w->table, w->now, count);
    return count[bucket];
}

#endif
