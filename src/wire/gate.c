#include "src/wire/gate.h"

#include <assert.h>
#include <string.h>

#include "src/wire/salted.h"

/* A unit is 1000 thousandths, so that units per second are thousandths per millisecond and a drain
 * is one multiplication.  A burst is clipped to what 32 bits hold in thousandths. */
enum { GATE_UNIT = 1000 };
#define GATE_BURST_MAX (UINT32_MAX / GATE_UNIT)

/* One bucket with the two numbers that rule it. */
struct limit {
    uint32_t per_second;
    uint32_t burst;
};

static struct limit limit_of(const struct hsay_gate *gate, unsigned work, bool node)
{
    const struct hsay_gate_rate *rate = &gate->rate[work];

    return node ? (struct limit){rate->node_per_second, rate->node_burst}
                : (struct limit){rate->group_per_second, rate->group_burst};
}

void hsay_gate_init(struct hsay_gate *gate, struct hsay_gate_bucket *bucket, uint32_t bucket_count,
                    const struct hsay_gate_rate *rate, uint64_t salt)
{
    assert(bucket_count >= 1 && (bucket_count & (bucket_count - 1)) == 0);
    memset(bucket, 0, ((size_t)bucket_count + 1) * sizeof *bucket);
    *gate = (struct hsay_gate){
        .bucket = bucket, .bucket_count = bucket_count, .salt = salt, .rate = rate};
}

static uint32_t bucket_of(const struct hsay_gate *gate, uint64_t group)
{
    uint8_t name[8];

    for (size_t i = 0; i < sizeof name; i++)
        name[i] = (uint8_t)(group >> (56 - 8 * i));
    return (uint32_t)hsay_salted(gate->salt, name, sizeof name) & (gate->bucket_count - 1);
}

static uint32_t milliseconds(hsay_time now)
{
    return (uint32_t)(now.ns / 1000000u);
}

/* What is still in use `elapsed_ms` later.  The clock wraps after 49.7 days; more than half of that
 * is taken for a clock that went back, and gives nothing: a bucket idle for 25 days is a little
 * late in draining, but no jump ever hands out a second burst. */
static uint32_t drained(uint32_t spent, uint32_t elapsed_ms, uint32_t per_second)
{
    if (elapsed_ms > UINT32_MAX / 2)
        return spent;
    uint64_t drain = (uint64_t)elapsed_ms * per_second;
    return drain >= spent ? 0 : spent - (uint32_t)drain;
}

static void refresh(const struct hsay_gate *gate, struct hsay_gate_bucket *bucket, uint32_t now_ms,
                    bool node)
{
    uint32_t elapsed_ms = now_ms - bucket->at_ms;

    for (unsigned i = 0; i < HSAY_GATE_WORK_COUNT; i++)
        bucket->spent[i] =
            drained(bucket->spent[i], elapsed_ms, limit_of(gate, i, node).per_second);
    bucket->at_ms = now_ms;
}

static bool fits(uint32_t spent, uint64_t cost, uint32_t burst)
{
    uint32_t most = burst < GATE_BURST_MAX ? burst : GATE_BURST_MAX;

    return spent + cost <= (uint64_t)most * GATE_UNIT;
}

bool hsay_gate_take(struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work, uint64_t group,
                    uint32_t units)
{
    struct hsay_gate_bucket *own = &gate->bucket[bucket_of(gate, group)];
    struct hsay_gate_bucket *all = &gate->bucket[gate->bucket_count];
    const struct hsay_gate_rate *rate = &gate->rate[work];
    uint64_t cost = (uint64_t)units * GATE_UNIT;

    refresh(gate, own, milliseconds(now), false);
    refresh(gate, all, milliseconds(now), true);
    if (!fits(own->spent[work], cost, rate->group_burst) ||
        !fits(all->spent[work], cost, rate->node_burst))
        return false;
    own->spent[work] += (uint32_t)cost;
    all->spent[work] += (uint32_t)cost;
    return true;
}

static uint32_t overdrawn(uint32_t spent, uint64_t cost)
{
    return cost < UINT32_MAX - spent ? spent + (uint32_t)cost : UINT32_MAX;
}

void hsay_gate_charge(struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work,
                      uint64_t group, uint32_t units)
{
    struct hsay_gate_bucket *own = &gate->bucket[bucket_of(gate, group)];
    struct hsay_gate_bucket *all = &gate->bucket[gate->bucket_count];
    uint64_t cost = (uint64_t)units * GATE_UNIT;

    refresh(gate, own, milliseconds(now), false);
    refresh(gate, all, milliseconds(now), true);
    own->spent[work] = overdrawn(own->spent[work], cost);
    all->spent[work] = overdrawn(all->spent[work], cost);
}

bool hsay_gate_open(const struct hsay_gate *gate, hsay_time now, enum hsay_gate_work work,
                    uint64_t group)
{
    const struct hsay_gate_bucket *own = &gate->bucket[bucket_of(gate, group)];
    const struct hsay_gate_bucket *all = &gate->bucket[gate->bucket_count];
    const struct hsay_gate_rate *rate = &gate->rate[work];
    uint32_t now_ms = milliseconds(now);
    uint32_t own_spent = drained(own->spent[work], now_ms - own->at_ms, rate->group_per_second);
    uint32_t all_spent = drained(all->spent[work], now_ms - all->at_ms, rate->node_per_second);

    return fits(own_spent, GATE_UNIT, rate->group_burst) &&
           fits(all_spent, GATE_UNIT, rate->node_burst);
}
