/*
 * A vote is an entry with the group it came from.  `confirmed` is only ever written by the vote
 * that confirms, so what was settled stays settled when the table empties or fills with noise.
 */
#include <assert.h>
#include <string.h>

#include "hearsay/error.h"
#include "hearsay/types.h"
#include "nat/addr_class.h"
#include "nat/vote.h"

static uint32_t seconds(hsay_time time)
{
    return (uint32_t)(time.ns / 1000000000u);
}

static bool is_alive(const struct hsay_vote_entry *entry, uint32_t now_s)
{
    return entry->group != 0 && now_s - entry->at_s <= HSAY_VOTE_LIFETIME_MS / 1000;
}

static bool is_ip(const struct hsay_addr *addr)
{
    return addr->kind == HSAY_ADDR_IP4 || addr->kind == HSAY_ADDR_IP6;
}

static struct hsay_addr *confirmed_of(struct hsay_vote_table *table, uint8_t family)
{
    return &table->confirmed[family == HSAY_ADDR_IP6];
}

void hsay_vote_init(struct hsay_vote_table *table, struct hsay_vote_entry *entry, uint8_t entry_max,
                    uint8_t agree_groups)
{
    assert(entry_max >= 1 && entry_max <= HSAY_VOTE_TABLE_MAX);
    assert(agree_groups >= 1 && agree_groups <= entry_max);
    memset(entry, 0, entry_max * sizeof *entry);
    *table = (struct hsay_vote_table){
        .entry = entry, .entry_max = entry_max, .agree_groups = agree_groups};
}

void hsay_vote_reset(struct hsay_vote_table *table)
{
    hsay_vote_init(table, table->entry, table->entry_max, table->agree_groups);
}

/* --- counting -------------------------------------------------------------------------------- */

static bool is_vote(const struct hsay_vote *vote)
{
    enum hsay_addr_class class = hsay_addr_class(&vote->seen);

    return vote->contacted && is_ip(&vote->seen) && vote->voter.kind == vote->seen.kind &&
           vote->seen.port != 0 && class >= HSAY_ADDR_LOOPBACK &&
           hsay_addr_class(&vote->voter) == class;
}

/* Dead before living, narrow before wide, old before new. */
static bool is_worth_less(const struct hsay_vote_entry *a, const struct hsay_vote_entry *b,
                          uint32_t now_s)
{
    bool alive_a = is_alive(a, now_s);
    enum hsay_addr_class class_a = hsay_addr_class(&a->seen);
    enum hsay_addr_class class_b = hsay_addr_class(&b->seen);

    if (alive_a != is_alive(b, now_s))
        return !alive_a;
    if (class_a != class_b)
        return class_a < class_b;
    return now_s - a->at_s > now_s - b->at_s;
}

static struct hsay_vote_entry *entry_for(struct hsay_vote_table *table, uint64_t group,
                                         uint32_t now_s)
{
    struct hsay_vote_entry *worst = &table->entry[0];

    for (int i = 0; i < table->entry_max; i++) {
        struct hsay_vote_entry *entry = &table->entry[i];
        if (entry->group == group)
            return entry;
        if (is_worth_less(entry, worst, now_s))
            worst = entry;
    }
    return worst;
}

static uint32_t count_for(const struct hsay_vote_table *table, const struct hsay_addr *addr,
                          uint32_t now_s)
{
    uint32_t count = 0;

    for (int i = 0; i < table->entry_max; i++) {
        const struct hsay_vote_entry *entry = &table->entry[i];
        count += is_alive(entry, now_s) && hsay_addr_equal(&entry->seen, addr);
    }
    return count;
}

static void confirm(struct hsay_vote_table *table, const struct hsay_addr *seen, uint32_t now_s)
{
    struct hsay_addr *confirmed = confirmed_of(table, seen->kind);
    uint32_t count = count_for(table, seen, now_s);

    if (count >= table->agree_groups && count > count_for(table, confirmed, now_s) &&
        hsay_addr_class(seen) >= hsay_addr_class(confirmed))
        *confirmed = *seen;
}

int hsay_vote_add(struct hsay_vote_table *table, hsay_time now, const struct hsay_vote *vote)
{
    struct hsay_vote plain = *vote;

    hsay_addr_normalise(&plain.voter);
    hsay_addr_normalise(&plain.seen);
    if (!is_vote(&plain))
        return HSAY_EINVAL;

    uint32_t now_s = seconds(now);
    uint64_t group = hsay_addr_group(&plain.voter);

    *entry_for(table, group, now_s) = (struct hsay_vote_entry){group, plain.seen, now_s};
    if (!hsay_addr_equal(confirmed_of(table, plain.seen.kind), &plain.seen))
        confirm(table, &plain.seen, now_s);
    return 0;
}

const struct hsay_vote_entry *hsay_vote_at(const struct hsay_vote_table *table, hsay_time now,
                                           size_t index)
{
    for (int i = 0; i < table->entry_max; i++) {
        if (is_alive(&table->entry[i], seconds(now)) && index-- == 0)
            return &table->entry[i];
    }
    return NULL;
}

/* --- the result ------------------------------------------------------------------------------ */

/* The living votes of one family and the widest class among them. */
struct electorate {
    const struct hsay_addr *seen[HSAY_VOTE_TABLE_MAX];
    uint32_t count;
};

static void gather(struct electorate *voters, const struct hsay_vote_table *table, uint32_t now_s,
                   uint8_t family)
{
    enum hsay_addr_class widest = HSAY_ADDR_INVALID;

    voters->count = 0;
    for (int i = 0; i < table->entry_max; i++) {
        const struct hsay_vote_entry *entry = &table->entry[i];
        enum hsay_addr_class class = hsay_addr_class(&entry->seen);

        if (!is_alive(entry, now_s) || entry->seen.kind != family || class < widest)
            continue;
        if (class > widest)
            voters->count = 0;
        widest = class;
        voters->seen[voters->count++] = &entry->seen;
    }
}

static uint32_t count_host(const struct electorate *voters, const struct hsay_addr *addr)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < voters->count; i++)
        count += hsay_addr_same_host(voters->seen[i], addr);
    return count;
}

static uint32_t count_addr(const struct electorate *voters, const struct hsay_addr *addr)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < voters->count; i++)
        count += hsay_addr_equal(voters->seen[i], addr);
    return count;
}

/* The port of `host` that most voters saw; NULL if nobody saw that host. */
static const struct hsay_addr *leader_at(const struct electorate *voters,
                                         const struct hsay_addr *host)
{
    const struct hsay_addr *leader = NULL;
    uint32_t most = 0;

    for (uint32_t i = 0; i < voters->count; i++) {
        uint32_t count = count_addr(voters, voters->seen[i]);
        if (hsay_addr_same_host(voters->seen[i], host) && count > most) {
            leader = voters->seen[i];
            most = count;
        }
    }
    return leader;
}

/* One port for more than half of those who see our host, or not.  One voter shows neither. */
static enum hsay_nat_kind kind_of(const struct electorate *voters, const struct hsay_addr *addr,
                                  const struct hsay_addr *bound)
{
    const struct hsay_addr *leader = leader_at(voters, addr);
    uint32_t host_count = count_host(voters, addr);

    if (addr->kind != HSAY_ADDR_NONE && hsay_addr_equal(addr, bound))
        return HSAY_NAT_PUBLIC;
    if (!leader || host_count < 2)
        return HSAY_NAT_UNKNOWN;
    return 2 * count_addr(voters, leader) > host_count ? HSAY_NAT_INDEPENDENT : HSAY_NAT_SYMMETRIC;
}

/* All voters who see our host count: one who lies can only deny it. */
static bool is_sequential(const struct electorate *voters, const struct hsay_addr *addr)
{
    uint16_t lowest = UINT16_MAX, highest = 0;
    uint32_t count = 0;

    for (uint32_t i = 0; i < voters->count; i++) {
        const struct hsay_addr *seen = voters->seen[i];
        if (!hsay_addr_same_host(seen, addr))
            continue;
        if (count_addr(voters, seen) > 1)
            return false;
        lowest = seen->port < lowest ? seen->port : lowest;
        highest = seen->port > highest ? seen->port : highest;
        count++;
    }
    return count >= HSAY_VOTE_SEQUENTIAL_MIN && highest - lowest <= HSAY_VOTE_SEQUENTIAL_SPAN;
}

void hsay_vote_result(const struct hsay_vote_table *table, hsay_time now, uint8_t family,
                      const struct hsay_addr *bound, struct hsay_vote_result *result)
{
    const struct hsay_addr *confirmed = &table->confirmed[family == HSAY_ADDR_IP6];
    struct electorate voters;

    gather(&voters, table, seconds(now), family);
    *result = (struct hsay_vote_result){.groups = (uint8_t)voters.count};
    if (confirmed->kind != HSAY_ADDR_NONE) {
        result->addr = *confirmed;
        result->confirmed = true;
    } else if (voters.count > 0 && count_host(&voters, voters.seen[0]) == voters.count) {
        result->addr = *leader_at(&voters, voters.seen[0]);
    }
    result->kind = (uint8_t)kind_of(&voters, &result->addr, bound);
    result->sequential =
        result->kind == HSAY_NAT_SYMMETRIC && is_sequential(&voters, &result->addr);
}
