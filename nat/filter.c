/*
 * Voices stand apart by family and by what they show, so that none crowds out another kind; a new
 * one takes the place of the oldest.
 */
#include <string.h>

#include "hearsay/types.h"
#include "nat/addr_class.h"
#include "nat/filter.h"

static uint32_t seconds(hsay_time time)
{
    return (uint32_t)(time.ns / 1000000000u);
}

void hsay_filter_init(struct hsay_filter *filter, hsay_time now)
{
    memset(filter, 0, sizeof *filter);
    filter->since_s = seconds(now);
}

void hsay_filter_blind(struct hsay_filter *filter, hsay_time now)
{
    filter->blind = true;
    filter->blind_s = seconds(now);
}

void hsay_filter_reset(struct hsay_filter *filter)
{
    memset(filter->voice, 0, sizeof filter->voice);
}

/* --- where we sent --------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Whoever makes addresses that share bits makes us blind to some: he may as well be silent. */
static uint64_t hash_of(const struct hsay_addr *addr, bool with_port)
{
    uint64_t x = (uint64_t)addr->kind << 17 ^ (with_port ? UINT64_C(0x10000) | addr->port : 0);

    for (int i = 0; i < 16; i += 4)
        x = mix(x) + ((uint32_t)addr->byte[i] << 24 | (uint32_t)addr->byte[i + 1] << 16 |
                      (uint32_t)addr->byte[i + 2] << 8 | addr->byte[i + 3]);
    return mix(x);
}

enum { BITS = 32 * HSAY_FILTER_WORDS, POSITIONS = 2 };

static uint32_t position(uint64_t hash, unsigned i)
{
    return (uint32_t)(hash >> 32 * i) % BITS;
}

static void put(uint32_t *words, uint64_t hash)
{
    for (unsigned i = 0; i < POSITIONS; i++)
        words[position(hash, i) / 32] |= UINT32_C(1) << position(hash, i) % 32;
}

static bool has(const uint32_t *words, uint64_t hash)
{
    bool all = true;

    for (unsigned i = 0; i < POSITIONS; i++)
        all &= words[position(hash, i) / 32] >> position(hash, i) % 32 & 1;
    return all;
}

/* What is remembered is between one and two times HSAY_FILTER_MEMORY_MS old at most. */
static void turn(struct hsay_filter *filter, hsay_time now)
{
    uint32_t age_s = seconds(now) - filter->since_s;

    if (age_s < HSAY_FILTER_MEMORY_MS / 1000)
        return;
    if (age_s < 2 * HSAY_FILTER_MEMORY_MS / 1000)
        memcpy(filter->sent[1], filter->sent[0], sizeof filter->sent[1]);
    else
        memset(filter->sent[1], 0, sizeof filter->sent[1]);
    memset(filter->sent[0], 0, sizeof filter->sent[0]);
    filter->since_s = seconds(now);
}

static bool is_sent(const struct hsay_filter *filter, uint64_t hash)
{
    return has(filter->sent[0], hash) || has(filter->sent[1], hash);
}

void hsay_filter_on_traffic(struct hsay_filter *filter, hsay_time now, const struct hsay_addr *addr)
{
    turn(filter, now);
    put(filter->sent[0], hash_of(addr, false));
    put(filter->sent[0], hash_of(addr, true));
}

static bool is_blind(struct hsay_filter *filter, hsay_time now)
{
    if (seconds(now) - filter->blind_s >= HSAY_FILTER_MEMORY_MS / 1000)
        filter->blind = false;
    return filter->blind;
}

bool hsay_filter_is_untouched(struct hsay_filter *filter, hsay_time now,
                              const struct hsay_addr *addr)
{
    turn(filter, now);
    return !is_blind(filter, now) && !is_sent(filter, hash_of(addr, false));
}

bool hsay_filter_is_news(struct hsay_filter *filter, hsay_time now, const struct hsay_addr *addr)
{
    turn(filter, now);
    return !is_blind(filter, now) && !is_sent(filter, hash_of(addr, true));
}

/* --- voices ---------------------------------------------------------------------------------- */

static bool is_alive(const struct hsay_filter_voice *voice, uint32_t now_s)
{
    return voice->group != 0 && now_s - voice->at_s <= HSAY_FILTER_LIFETIME_MS / 1000;
}

static uint32_t group_of(const struct hsay_addr *addr)
{
    uint32_t group = (uint32_t)(mix(hsay_addr_group(addr)) >> 32);

    return group ? group : 1;
}

static bool is_ip(const struct hsay_addr *addr)
{
    return addr->kind == HSAY_ADDR_IP4 || addr->kind == HSAY_ADDR_IP6;
}

/* The same pair speaks again, or a new one; half of a pair that has spoken is no voice. */
static void add(struct hsay_filter *filter, hsay_time now, enum hsay_filter_sign sign,
                const struct hsay_addr *peer, uint16_t asker)
{
    struct hsay_filter_voice *voice = filter->voice[peer->kind == HSAY_ADDR_IP6][sign];
    struct hsay_filter_voice new = {group_of(peer), seconds(now), asker};
    struct hsay_filter_voice *place = voice;

    for (int i = 0; i < HSAY_FILTER_VOICES_MAX; i++) {
        struct hsay_filter_voice *v = &voice[i];

        if (!is_alive(v, new.at_s)) {
            v->group = 0;
            place = v;
        } else if (v->group == new.group && v->asker == new.asker) {
            v->at_s = new.at_s;
            return;
        } else if (v->group == new.group || (new.asker != 0 && v->asker == new.asker)) {
            return;
        } else if (place->group != 0 && new.at_s - v->at_s > new.at_s - place->at_s) {
            place = v;
        }
    }
    *place = new;
}

void hsay_filter_on_packet(struct hsay_filter *filter, hsay_time now, const struct hsay_addr *from)
{
    if (!is_ip(from) || !hsay_filter_is_news(filter, now, from))
        return;
    bool untouched = hsay_filter_is_untouched(filter, now, from);
    add(filter, now, untouched ? HSAY_FILTER_LET_IN : HSAY_FILTER_OTHER_PORT, from, 0);
}

void hsay_filter_on_silence(struct hsay_filter *filter, hsay_time now,
                            const struct hsay_filter_silence *silence)
{
    bool too_soon = silence->waited_ms < 2 * silence->rtt_ms + HSAY_FILTER_LATE_MS;

    if (!is_ip(&silence->peer) || silence->asker == 0 ||
        (silence->sign == HSAY_FILTER_KEPT_OUT && too_soon))
        return;
    add(filter, now, (enum hsay_filter_sign)silence->sign, &silence->peer, silence->asker);
}

/* --- the result ------------------------------------------------------------------------------ */

static void decide(struct hsay_filter_result *r, enum hsay_filter_kind kind,
                   enum hsay_filter_sign sign)
{
    r->kind = (uint8_t)kind;
    r->groups = r->signs[sign];
}

void hsay_filter_result(const struct hsay_filter *filter, hsay_time now, uint8_t family,
                        struct hsay_filter_result *result)
{
    memset(result, 0, sizeof *result);
    for (int sign = 0; sign < HSAY_FILTER_SIGNS; sign++)
        for (int i = 0; i < HSAY_FILTER_VOICES_MAX; i++)
            result->signs[sign] +=
                is_alive(&filter->voice[family == HSAY_ADDR_IP6][sign][i], seconds(now));

    const uint8_t *signs = result->signs;
    const uint8_t enough = HSAY_FILTER_AGREE_GROUPS;

    if (signs[HSAY_FILTER_LET_IN] >= enough)
        decide(result, HSAY_FILTER_NONE, HSAY_FILTER_LET_IN);
    else if (signs[HSAY_FILTER_LET_IN] > 0 || signs[HSAY_FILTER_KEPT_OUT] < enough)
        return;
    else if (signs[HSAY_FILTER_OTHER_PORT] >= enough)
        decide(result, HSAY_FILTER_ADDRESS, HSAY_FILTER_OTHER_PORT);
    else if (signs[HSAY_FILTER_OTHER_PORT] == 0 &&
             signs[HSAY_FILTER_UNHEARD] >= HSAY_FILTER_UNHEARD_GROUPS)
        decide(result, HSAY_FILTER_PORT, HSAY_FILTER_UNHEARD);
    else
        decide(result, HSAY_FILTER_SOME, HSAY_FILTER_KEPT_OUT);
}
