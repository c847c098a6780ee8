/*
 * The limits on punctures.  A table of tags instead of addresses: 8 bytes a target, and two targets
 * that share a tag (one pair in 2^32) only share their limits.
 */
#include <assert.h>
#include <string.h>

#include "hearsay/params.h"
#include "hearsay/types.h"
#include "nat/addr_class.h"
#include "nat/puncture.h"

enum {
    /* A burst of 10 and 10 per second after it are never more than 20 in any one second. */
    BURST = HSAY_PUNCTURE_PER_SECOND_MAX / 2,
    EVERY_MS = 1000 / (HSAY_PUNCTURE_PER_SECOND_MAX - BURST),
};

#define AT_MS_MASK ((UINT32_C(1) << 30) - 1)

static_assert(HSAY_PUNCTURE_UNANSWERED_MAX <= 3, "two bits");
static_assert(HSAY_SILENT_PERIOD_MS < 1 << 29, "30 bits of milliseconds");

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t tag_of(const struct hsay_puncture_table *table, const struct hsay_addr *addr)
{
    uint64_t x = table->salt ^ (uint64_t)addr->kind << 16 ^ addr->port;

    for (int i = 0; i < 16; i += 4)
        x = mix(x) + ((uint32_t)addr->byte[i] << 24 | (uint32_t)addr->byte[i + 1] << 16 |
                      (uint32_t)addr->byte[i + 2] << 8 | addr->byte[i + 3]);

    uint32_t tag = (uint32_t)(mix(x) >> 32);

    return tag ? tag : 1;
}

void hsay_puncture_init(struct hsay_puncture_table *table, struct hsay_puncture_entry *entry,
                        uint16_t entry_max, uint64_t salt)
{
    memset(entry, 0, entry_max * sizeof *entry);
    *table = (struct hsay_puncture_table){.entry = entry, .entry_max = entry_max, .salt = salt};
}

static uint32_t at_ms(hsay_time time)
{
    return (uint32_t)(time.ns / 1000000u) & AT_MS_MASK;
}

static uint32_t age_ms(const struct hsay_puncture_entry *entry, hsay_time now)
{
    return (at_ms(now) - entry->at_ms) & AT_MS_MASK;
}

static struct hsay_puncture_entry *find(struct hsay_puncture_table *table, uint32_t tag)
{
    for (int i = 0; i < table->entry_max; i++) {
        if (table->entry[i].tag == tag)
            return &table->entry[i];
    }
    return NULL;
}

static bool is_free(const struct hsay_puncture_entry *entry, hsay_time now)
{
    return entry->tag == 0 || age_ms(entry, now) >= HSAY_SILENT_PERIOD_MS;
}

/* What can be forgotten: nothing within the gap; those that answer before those that are silent,
 * then the oldest.  NULL if none. */
static struct hsay_puncture_entry *slot_for_new(struct hsay_puncture_table *table, hsay_time now)
{
    struct hsay_puncture_entry *best = NULL;

    for (int i = 0; i < table->entry_max; i++) {
        struct hsay_puncture_entry *entry = &table->entry[i];

        if (is_free(entry, now))
            return entry;
        if (age_ms(entry, now) < HSAY_PUNCTURE_GAP_MS)
            continue;
        if (!best || entry->unanswered < best->unanswered ||
            (entry->unanswered == best->unanswered && age_ms(entry, now) > age_ms(best, now)))
            best = entry;
    }
    return best;
}

/* The moment at which the allowance would be whole again after one more; whole is BURST. */
static hsay_time full_after_one(const struct hsay_puncture_table *table, hsay_time now)
{
    hsay_time from = hsay_time_before(table->full_at, now) ? now : table->full_at;

    return hsay_time_add_ms(from, EVERY_MS);
}

static bool is_asker_known(const struct hsay_puncture_ask *ask, hsay_time now)
{
    return ask->asker_at.ns != HSAY_TIME_NEVER.ns &&
           hsay_time_ms_between(ask->asker_at, now) <= HSAY_PUNCTURE_OBEY_MS;
}

enum hsay_puncture_verdict hsay_puncture_try(struct hsay_puncture_table *table, hsay_time now,
                                             const struct hsay_puncture_ask *ask)
{
    struct hsay_addr target = ask->target;

    hsay_addr_normalise(&target);
    if (!is_asker_known(ask, now))
        return HSAY_PUNCTURE_STRANGER;
    if (!hsay_addr_sendable(&target, &ask->policy))
        return HSAY_PUNCTURE_TARGET;

    uint32_t tag = tag_of(table, &target);
    struct hsay_puncture_entry *entry = find(table, tag);
    hsay_time full_at = full_after_one(table, now);
    uint32_t unanswered = 0;

    if (entry && !is_free(entry, now)) {
        if (age_ms(entry, now) < HSAY_PUNCTURE_GAP_MS)
            return HSAY_PUNCTURE_GAP;
        if (entry->unanswered >= HSAY_PUNCTURE_UNANSWERED_MAX)
            return HSAY_PUNCTURE_SILENT;
        unanswered = entry->unanswered;
    }
    if (!entry)
        entry = slot_for_new(table, now);
    if (!entry || hsay_time_before(hsay_time_add_ms(now, BURST * EVERY_MS), full_at))
        return HSAY_PUNCTURE_RATE;
    table->full_at = full_at;
    entry->tag = tag;
    entry->at_ms = at_ms(now) & AT_MS_MASK;
    entry->unanswered = (unanswered + 1) & 3u;
    return HSAY_PUNCTURE_OK;
}

void hsay_puncture_on_packet(struct hsay_puncture_table *table, const struct hsay_addr *from)
{
    struct hsay_addr plain = *from;

    hsay_addr_normalise(&plain);

    struct hsay_puncture_entry *entry = find(table, tag_of(table, &plain));

    if (entry)
        entry->unanswered = 0;
}

bool hsay_puncture_pair_works(uint8_t a, uint8_t b, bool same_host)
{
    const uint8_t guessed = HSAY_NAT_IS_SEQUENTIAL | HSAY_NAT_SEARCHES;

    return same_host || (a & b & HSAY_NAT_IS_SYMMETRIC) == 0 || (a & b & guessed) == guessed;
}
