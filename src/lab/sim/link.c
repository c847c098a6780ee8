/*
 * The network's model.  See link.h.
 *
 * All is integers but for the far tail and what is prepared: the common case is two rounds of the
 * generator, a look into a table and a multiplication.  The table is the inverse of the body's
 * distribution, because a normal deviate would cost a logarithm, a root and an exponential for each
 * datagram.
 */
#include "src/lab/sim/link.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"

/* Limits that keep every product below 2^64. */
#define DELAY_MIN_NS UINT64_C(1000)        /* a run steps by the least delay: less is hopeless */
#define DELAY_MAX_NS UINT64_C(60000000000) /* < 2^36 */
#define FACTOR_MAX   (1 << 26)             /* with it < 2^62 */
#define EXCESS_MAX   1000.0                /* of the 99th percentile, in the median's: < 2^26 */
#define BODY_SHARE   0.99
#define NORMAL_P99   2.3263478740408408
#define ONE          UINT64_C(65536)

/* Which part of a datagram's number decides what. */
enum decision {
    DECIDES_BURST = 1,
    DECIDES_LOSS,
    DECIDES_DUPLICATE,
    DECIDES_FIRST,       /* and up: of the first arrival */
    DECIDES_SECOND = 16, /* of the second */
};
enum arrival_decision {
    DECIDES_DELAY,
    DECIDES_REORDER,
    DECIDES_REORDER_BY,
    DECIDES_CORRUPT,
    DECIDES_CORRUPT_HOW,
};

/* One way in ms: half the round trip between data centres of one provider (IBM Cloud), as it
 * published them for late 2025, and 10 ms for the lines at both ends, which is our guess.  Within a
 * region: cities whose round trip is 20 ms.  That table knows no place in Africa. */
enum { WORLD_REGIONS = 7 };
static const uint8_t world_ms[WORLD_REGIONS][WORLD_REGIONS] = {
    {20, 54, 71, 107, 81, 122, 134},  /* Frankfurt */
    {54, 20, 26, 69, 130, 80, 116},   /* Washington */
    {71, 26, 20, 81, 134, 81, 102},   /* Dallas */
    {107, 69, 81, 20, 188, 151, 172}, /* Sao Paulo */
    {81, 130, 134, 188, 20, 60, 72},  /* Chennai */
    {122, 80, 81, 151, 60, 20, 68},   /* Tokyo */
    {134, 116, 102, 172, 72, 68, 20}, /* Sydney */
};
static const char *const world_name[WORLD_REGIONS] = {
    "europe",     "america-east", "america-central", "america-south",
    "asia-south", "asia-east",    "oceania",
};

void lab_link_init(struct lab_link_model *model, uint64_t delay_ns)
{
    *model = (struct lab_link_model){.delay = LAB_DELAY_CONSTANT,
                                     .delay_ns = delay_ns,
                                     .tail_index = 2,
                                     .burst_mean = 1,
                                     .mtu = LAB_LINK_MTU,
                                     .header_bytes = LAB_LINK_HEADER_IP4};
}

void lab_link_world(struct lab_link_model *model)
{
    model->delay = LAB_DELAY_MEASURED;
    model->delay_ns = UINT64_C(100000000);
    model->delay_low_ns = UINT64_C(80000000);
    model->delay_p99_ns = UINT64_C(300000000);
    model->delay_high_ns = UINT64_C(5000000000);
    model->tail_index = 2;
    model->regions = WORLD_REGIONS;
    for (unsigned i = 0; i < WORLD_REGIONS; i++)
        for (unsigned j = 0; j < WORLD_REGIONS; j++)
            model->region_us[i][j] = world_ms[i][j] * UINT32_C(1000);
}

const char *lab_link_region_name(unsigned region)
{
    return region < WORLD_REGIONS ? world_name[region] : NULL;
}

const char *lab_link_loss_name(enum lab_link_loss loss)
{
    static const char *const name[] = {"kept", "chance", "burst", "queue", "mtu"};
    static_assert(sizeof name / sizeof *name == LAB_LINK_LOSSES, "each loss has a name");
    return loss < LAB_LINK_LOSSES ? name[loss] : "unknown";
}

/* --- preparing ------------------------------------------------------------------------------- */

struct complaint {
    char *why;
    size_t size;
    bool made;
};

/* The first one is the one that is told. */
__attribute__((format(printf, 3, 4))) static void want(struct complaint *complaint, bool good,
                                                       const char *format, ...)
{
    if (good || complaint->made)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(complaint->why, complaint->size, format, list);
    va_end(list);
    complaint->made = true;
}

static void want_share(struct complaint *complaint, double share, const char *name)
{
    want(complaint, share >= 0 && share <= 1, "%s must be 0 to 1, not %g", name, share);
}

static void want_range(struct complaint *complaint, const struct lab_link_model *model)
{
    want(complaint, model->delay_low_ns >= DELAY_MIN_NS, "the least delay must be 1 us or more");
    want(complaint, model->delay_high_ns <= DELAY_MAX_NS, "the highest delay must be 60 s or less");
    want(complaint, model->delay_low_ns <= model->delay_high_ns,
         "the least delay is above the highest");
}

static void want_measured(struct complaint *complaint, const struct lab_link_model *model)
{
    want_range(complaint, model);
    want(complaint, model->delay_ns > model->delay_low_ns, "the median is not above the least");
    want(complaint, model->delay_p99_ns > model->delay_ns,
         "the 99th percentile is not above the median");
    want(complaint, model->delay_high_ns >= model->delay_p99_ns,
         "the highest delay is below the 99th percentile");
    want(complaint, model->tail_index > 0, "the tail's index must be above 0");
    if (complaint->made)
        return;
    double ratio = (double)(model->delay_p99_ns - model->delay_low_ns) /
                   (double)(model->delay_ns - model->delay_low_ns);
    want(complaint, ratio <= EXCESS_MAX, "the 99th percentile is too far from the median");
}

static void want_delay(struct complaint *complaint, const struct lab_link_model *model)
{
    switch (model->delay) {
    case LAB_DELAY_CONSTANT:
        want(complaint, model->delay_ns >= DELAY_MIN_NS && model->delay_ns <= DELAY_MAX_NS,
             "the delay must be 1 us to 60 s");
        return;
    case LAB_DELAY_UNIFORM:
        want_range(complaint, model);
        return;
    case LAB_DELAY_MEASURED:
        want_measured(complaint, model);
        return;
    }
    want(complaint, false, "no such kind of delay");
}

static void want_faults(struct complaint *complaint, const struct lab_link_model *model)
{
    want_share(complaint, model->loss, "loss");
    want_share(complaint, model->burst_share, "the share lost in bursts");
    want_share(complaint, model->duplicate, "duplicate");
    want_share(complaint, model->reorder, "reorder");
    want_share(complaint, model->corrupt, "corrupt");
    want(complaint, model->reorder_ns <= DELAY_MAX_NS, "what reorders must be 60 s or less");
    if (!(model->burst_share > 0))
        return;
    /* Of `mean` lost and `mean * (1 - share) / share` kept in turn; at least one is kept. */
    want(complaint, model->burst_mean >= 1, "bursts must be 1 datagram or more");
    want(complaint, model->burst_mean * (1 - model->burst_share) >= model->burst_share,
         "bursts of %g cannot be a share of %g", model->burst_mean, model->burst_share);
}

static void want_line(struct complaint *complaint, const struct lab_link_model *model)
{
    want(complaint, model->regions <= LAB_REGIONS_MAX, "there are %d regions at most",
         LAB_REGIONS_MAX);
    want(complaint, model->queue_bytes <= UINT32_MAX, "the queue must be below 4 GiB");
}

/* p as a share of 2^64, for `draw <= share`; 0 stands for never. */
static uint64_t chance_share(double p)
{
    if (!(p > 0))
        return 0;
    return p < 1 ? (uint64_t)(p * 0x1p63) * 2 | 1 : UINT64_MAX;
}

/* Where the standard normal distribution reaches p, by halving. */
static double normal_quantile(double p)
{
    double low = -9, high = 9;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / sqrt(2)) / 2 < p)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The excess over the least delay is lognormal: its median and its 99th percentile give sigma. */
static void prepare_body(struct lab_link_model *model)
{
    double median = (double)(model->delay_ns - model->delay_low_ns);
    double p99 = (double)(model->delay_p99_ns - model->delay_low_ns);
    double sigma = log(p99 / median) / NORMAL_P99;
    model->prepared.body[0] = 0;
    for (int i = 1; i <= LAB_LINK_BODY_STEPS; i++) {
        double p = BODY_SHARE * i / LAB_LINK_BODY_STEPS;
        model->prepared.body[i] = (uint32_t)lround(exp(sigma * normal_quantile(p)) * (double)ONE);
    }
}

static uint64_t least_ns(const struct lab_link_model *model)
{
    return model->delay == LAB_DELAY_CONSTANT ? model->delay_ns : model->delay_low_ns;
}

static uint64_t middle_ns(const struct lab_link_model *model)
{
    if (model->delay == LAB_DELAY_UNIFORM)
        return (model->delay_low_ns + model->delay_high_ns) / 2;
    return model->delay_ns;
}

static uint64_t stretch(uint64_t delay_ns, uint32_t factor)
{
    return delay_ns * factor / ONE;
}

static void prepare_pair(struct lab_link_model *model, unsigned from, unsigned to,
                         struct complaint *complaint)
{
    struct lab_link_prepared *prepared = &model->prepared;
    uint64_t factor = model->region_us[from][to] * UINT64_C(1000) * ONE / middle_ns(model);
    want(complaint, factor <= FACTOR_MAX, "regions %u and %u are too far apart", from, to);
    if (complaint->made)
        return;
    prepared->factor[from][to] = (uint32_t)factor;
    uint64_t least = stretch(least_ns(model), (uint32_t)factor);
    want(complaint, least >= DELAY_MIN_NS, "regions %u and %u are too near", from, to);
    if (least < prepared->delay_min_ns)
        prepared->delay_min_ns = least;
}

static void prepare_regions(struct lab_link_model *model, struct complaint *complaint)
{
    model->prepared.delay_min_ns = model->regions > 1 ? UINT64_MAX : least_ns(model);
    for (unsigned from = 0; model->regions > 1 && from < model->regions; from++)
        for (unsigned to = 0; to < model->regions; to++)
            prepare_pair(model, from, to, complaint);
}

static void prepare_chances(struct lab_link_model *model)
{
    struct lab_link_prepared *prepared = &model->prepared;
    prepared->loss = chance_share(model->loss);
    prepared->duplicate = chance_share(model->duplicate);
    prepared->reorder = chance_share(model->reorder);
    prepared->corrupt = chance_share(model->corrupt);
    if (!(model->burst_share > 0)) {
        prepared->burst_leave = UINT64_MAX; /* one that another model began is over */
        return;
    }
    double leave = 1 / model->burst_mean;
    prepared->burst_leave = chance_share(leave);
    prepared->burst_enter = chance_share(leave * model->burst_share / (1 - model->burst_share));
}

int lab_link_prepare(struct lab_link_model *model, char *why, size_t why_size)
{
    struct complaint complaint = {why, why_size, false};
    memset(&model->prepared, 0, sizeof model->prepared);
    want_delay(&complaint, model);
    want_faults(&complaint, model);
    want_line(&complaint, model);
    if (!complaint.made)
        prepare_regions(model, &complaint);
    if (complaint.made)
        return HSAY_EINVAL;
    if (model->delay == LAB_DELAY_MEASURED)
        prepare_body(model);
    prepare_chances(model);
    if (model->rate_bytes_s != 0)
        model->prepared.queue_ns = model->queue_bytes * UINT64_C(1000000000) / model->rate_bytes_s;
    model->prepared.done = true;
    return 0;
}

uint64_t lab_link_delay_min(const struct lab_link_model *model)
{
    assert(model->prepared.done);
    return model->prepared.delay_min_ns;
}

/* --- sending --------------------------------------------------------------------------------- */

/* The generator again, from a place of its own for each decision. */
static uint64_t decide(uint64_t datagram, unsigned decision)
{
    struct lab_chance chance = {datagram + decision * UINT64_C(0xd1342543de82ef95)};
    return lab_chance_next(&chance);
}

static bool happens(uint64_t share, uint64_t datagram, unsigned decision)
{
    return share != 0 && decide(datagram, decision) <= share;
}

/* draw * bound / 2^64 */
static uint64_t scaled(uint64_t draw, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)draw * bound) >> 64);
}

/* Pareto: what is left of the probability falls by the power of the excess. */
static uint64_t tail_ns(const struct lab_link_model *model, uint64_t draw)
{
    double left = ((double)(~draw >> 11) + 1) * 0x1p-53 / (1 - BODY_SHARE);
    double p99 = (double)(model->delay_p99_ns - model->delay_low_ns);
    double excess = p99 * pow(left < 1 ? left : 1, -1 / model->tail_index);
    double most = (double)(model->delay_high_ns - model->delay_low_ns);
    return model->delay_low_ns + (uint64_t)(excess < most ? excess : most);
}

static uint64_t measured_ns(const struct lab_link_model *model, uint64_t draw)
{
    const uint32_t *body = model->prepared.body;
    /* steps / 0.99, with 16 bits below the point */
    uint64_t place = scaled(draw, LAB_LINK_BODY_STEPS * ONE * 100 / 99);
    uint64_t step = place / ONE, within = place % ONE;
    if (step >= LAB_LINK_BODY_STEPS)
        return tail_ns(model, draw);
    uint64_t excess = body[step] + (body[step + 1] - body[step]) * within / ONE;
    return model->delay_low_ns + (model->delay_ns - model->delay_low_ns) * excess / ONE;
}

static uint64_t delay_ns(const struct lab_link_model *model, uint64_t draw)
{
    switch (model->delay) {
    case LAB_DELAY_UNIFORM:
        return model->delay_low_ns + scaled(draw, model->delay_high_ns - model->delay_low_ns + 1);
    case LAB_DELAY_MEASURED:
        return measured_ns(model, draw);
    case LAB_DELAY_CONSTANT:
        break;
    }
    return model->delay_ns;
}

/* A queue is as long as the time until it is empty.  An idle line takes whatever comes. */
static bool queue_up(const struct lab_link_model *model, struct lab_link_state *state,
                     uint64_t now_ns, size_t wire_bytes)
{
    if (model->rate_bytes_s == 0) {
        state->free_ns = now_ns;
        return true;
    }
    uint64_t rate = model->rate_bytes_s;
    uint64_t takes_ns = (wire_bytes * UINT64_C(1000000000) + rate - 1) / rate;
    uint64_t waits_ns = state->free_ns > now_ns ? state->free_ns - now_ns : 0;
    if (waits_ns != 0 && waits_ns + takes_ns > model->prepared.queue_ns)
        return false;
    state->free_ns = now_ns + waits_ns + takes_ns;
    return true;
}

static bool in_burst(const struct lab_link_model *model, struct lab_link_state *state,
                     uint64_t datagram)
{
    const struct lab_link_prepared *prepared = &model->prepared;
    uint64_t turns = state->burst ? prepared->burst_leave : prepared->burst_enter;
    state->burst ^= happens(turns, datagram, DECIDES_BURST);
    return state->burst;
}

static enum lab_link_loss lost_to(const struct lab_link_model *model, struct lab_link_state *state,
                                  uint64_t now_ns, uint64_t datagram, size_t bytes)
{
    size_t wire_bytes = bytes + model->header_bytes;
    if (model->mtu != 0 && wire_bytes > model->mtu)
        return LAB_LINK_LOST_MTU;
    if (!queue_up(model, state, now_ns, wire_bytes))
        return LAB_LINK_LOST_QUEUE;
    if (in_burst(model, state, datagram))
        return LAB_LINK_LOST_BURST;
    if (happens(model->prepared.loss, datagram, DECIDES_LOSS))
        return LAB_LINK_LOST_CHANCE;
    return LAB_LINK_KEPT;
}

static void corrupt(struct lab_link_arrival *arrival, uint64_t draw, size_t bytes)
{
    arrival->corrupt_at = (int32_t)scaled(draw, bytes);
    bool one_bit = (draw & 1) != 0;
    uint8_t how = (uint8_t)(draw >> 1);
    arrival->corrupt_mask = (uint8_t)(one_bit ? 1 << how % 8 : 1 + how % 255);
}

static struct lab_link_arrival arrive(const struct lab_link_model *model, uint64_t datagram,
                                      unsigned decisions, uint32_t factor, size_t bytes)
{
    const struct lab_link_prepared *prepared = &model->prepared;
    struct lab_link_arrival arrival = {.corrupt_at = -1};
    arrival.at_ns = delay_ns(model, decide(datagram, decisions + DECIDES_DELAY));
    if (factor != 0)
        arrival.at_ns = stretch(arrival.at_ns, factor);
    if (happens(prepared->reorder, datagram, decisions + DECIDES_REORDER))
        arrival.at_ns +=
            scaled(decide(datagram, decisions + DECIDES_REORDER_BY), model->reorder_ns + 1);
    if (bytes != 0 && happens(prepared->corrupt, datagram, decisions + DECIDES_CORRUPT))
        corrupt(&arrival, decide(datagram, decisions + DECIDES_CORRUPT_HOW), bytes);
    return arrival;
}

unsigned lab_link_send(const struct lab_link_model *model, struct lab_link_state *state,
                       struct lab_chance *chance, uint64_t now_ns, unsigned from_region,
                       unsigned to_region, size_t bytes, struct lab_link_arrival out[2])
{
    assert(model->prepared.done);
    uint64_t datagram = lab_chance_next(chance);
    enum lab_link_loss loss = lost_to(model, state, now_ns, datagram, bytes);
    if (loss != LAB_LINK_KEPT) {
        out[0] = (struct lab_link_arrival){.corrupt_at = -1, .loss = (uint8_t)loss};
        return 0;
    }
    uint32_t factor = 0;
    if (model->regions > 1) {
        assert(from_region < model->regions && to_region < model->regions);
        factor = model->prepared.factor[from_region][to_region];
    }
    out[0] = arrive(model, datagram, DECIDES_FIRST, factor, bytes);
    out[0].at_ns += state->free_ns;
    if (!happens(model->prepared.duplicate, datagram, DECIDES_DUPLICATE))
        return 1;
    out[1] = arrive(model, datagram, DECIDES_SECOND, factor, bytes);
    out[1].at_ns += state->free_ns;
    return 2;
}
