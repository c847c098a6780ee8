/*
 * Chance for the laboratory: streams that follow from one seed.
 *
 * Every host, link and decision of a scenario has a stream of its own, made from the run's seed and
 * a number, so that what one of them draws changes nothing for the others: two runs that differ in
 * the loss rate have the same churn.  The core draws from its own generator (src/wire/rng.h), which
 * each host seeds from its stream.  The generator is splitmix64 (Steele, Lea, Flood 2014).
 */
#ifndef HEARSAY_LAB_CHANCE_H
#define HEARSAY_LAB_CHANCE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct lab_chance {
    uint64_t state;
};

/* What a stream is for; each purpose and number has a stream of its own. */
enum lab_chance_purpose {
    LAB_CHANCE_HOST = 1, /* keys and seeds of a host: number is the host */
    LAB_CHANCE_LINK,     /* what happens to the datagrams that a host sends */
    LAB_CHANCE_CHURN,
    LAB_CHANCE_SCENARIO,
    LAB_CHANCE_FAULT,
    LAB_CHANCE_NAT,
    LAB_CHANCE_ATTACK,
    LAB_CHANCE_MEASURE,
    LAB_CHANCE_SWARM,
};

static inline uint64_t lab_chance_next(struct lab_chance *chance)
{
    uint64_t z = (chance->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct lab_chance lab_chance_stream(uint64_t seed, enum lab_chance_purpose purpose,
                                                  uint64_t number)
{
    struct lab_chance chance = {seed};
    chance.state = lab_chance_next(&chance) ^ ((uint64_t)purpose << 56) ^ number;
    chance.state = lab_chance_next(&chance);
    return chance;
}

/* Uniform in 0 .. bound - 1; bound >= 1. */
static inline uint64_t lab_chance_below(struct lab_chance *chance, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)lab_chance_next(chance) * bound) >> 64);
}

/* Uniform in [0, 1). */
static inline double lab_chance_unit(struct lab_chance *chance)
{
    return (double)(lab_chance_next(chance) >> 11) * 0x1p-53;
}

/* Exponential with this mean. */
static inline double lab_chance_exponential(struct lab_chance *chance, double mean)
{
    return -mean * log1p(-lab_chance_unit(chance));
}

static inline void lab_chance_bytes(struct lab_chance *chance, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(lab_chance_next(chance) >> 32);
}

#endif
