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

static bool is_younger(const struct hsay_vote_entry *entry, uint32_t now_s, uint32_t ms)
{
    return entry->group != 0 && now_s - entry->at_s <= ms / 1000;
}

static bool is_alive(const struct hsay_vote_entry *entry, uint32_t now_s)
{
    return is_younger(entry, now_s, HSAY_VOTE_LIFETIME_MS);
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

/* Votes for the address that are not older than that. */
static uint32_t count_for(const struct hsay_vote_table *table, const struct hsay_addr *addr,
                          uint32_t now_s, uint32_t ms)
{
    uint32_t count = 0;

    for (int i = 0; i < table->entry_max; i++) {
        const struct hsay_vote_entry *entry = &table->entry[i];
        count += is_younger(entry, now_s, ms) && hsay_addr_equal(&entry->seen, addr);
    }
    return count;
}

/* Peers that we have lost sight of do not hold us to where they saw us. */
static void confirm(struct hsay_vote_table *table, const struct hsay_addr *seen, uint32_t now_s)
{
    struct hsay_addr *confirmed = confirmed_of(table, seen->kind);
    uint32_t count = count_for(table, seen, now_s, HSAY_VOTE_LIFETIME_MS);

    if (count >= table->agree_groups &&
        count > count_for(table, confirmed, now_s, HSAY_VOTE_DEFENDS_MS) &&
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
    const struct hsay_vote_entry *vote[HSAY_VOTE_TABLE_MAX];
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
        voters->vote[voters->count++] = entry;
    }
}

/* Of a vote at second `at_s`, in whole seconds; the table's clock may have come round. */
static uint32_t age_s(const struct hsay_vote_entry *vote, uint32_t now_s)
{
    return now_s - vote->at_s;
}

/* Those of `from` who see that host, or do not, and whose vote has that age. */
struct section {
    const struct hsay_addr *host;
    uint32_t now_s;
    uint32_t youngest_s, oldest_s;
    bool elsewhere;
};

static void cut(struct electorate *part, const struct electorate *from, const struct section *s)
{
    part->count = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct hsay_vote_entry *vote = from->vote[i];
        uint32_t age = age_s(vote, s->now_s);

        if (hsay_addr_same_host(&vote->seen, s->host) != s->elsewhere && age >= s->youngest_s &&
            age <= s->oldest_s)
            part->vote[part->count++] = vote;
    }
}

static uint32_t count_addr(const struct electorate *voters, const struct hsay_addr *addr)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < voters->count; i++)
        count += hsay_addr_equal(&voters->vote[i]->seen, addr);
    return count;
}

/* How many see the address that most see; which, unless `leader` is NULL. */
static uint32_t most_of(const struct electorate *voters, struct hsay_addr *leader)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < voters->count; i++) {
        uint32_t count = count_addr(voters, &voters->vote[i]->seen);
        if (count > most && leader)
            *leader = voters->vote[i]->seen;
        most = count > most ? count : most;
    }
    return most;
}

static bool is_majority(uint32_t count, const struct electorate *voters)
{
    return 2 * count > voters->count;
}

/* --- kinds ----------------------------------------------------------------------------------- */

/* One mapping at a time.  A box that starts anew, or forgets, gives the next one another port, and
 * then old votes contradict young ones without contradicting themselves.  So it is enough if those
 * that are no older than some vote agree on a port: three of them by majority, or at least two
 * without exception when those before them had a majority for another.  Ports by chance agree once
 * in 2^16. */
static bool is_one_mapping(const struct electorate *voters, const struct hsay_addr *host,
                           uint32_t now_s, uint32_t agree_groups)
{
    struct electorate young, old;

    if (is_majority(most_of(voters, NULL), voters))
        return true;
    for (uint32_t i = 0; i < voters->count; i++) {
        uint32_t edge_s = age_s(voters->vote[i], now_s);
        cut(&young, voters, &(struct section){.host = host, .now_s = now_s, .oldest_s = edge_s});
        cut(&old, voters,
            &(struct section){
                .host = host, .now_s = now_s, .youngest_s = edge_s + 1, .oldest_s = UINT32_MAX});
        uint32_t most = most_of(&young, NULL);
        if (!is_majority(most, &young))
            continue;
        if (most >= agree_groups)
            return true;
        if (most >= 2 && most == young.count && old.count >= 2 &&
            is_majority(most_of(&old, NULL), &old))
            return true;
    }
    return false;
}

/* Two ports at one time, as far as votes come at one time. */
static bool is_split(const struct electorate *voters)
{
    for (uint32_t i = 0; i < voters->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const struct hsay_vote_entry *a = voters->vote[i], *b = voters->vote[k];
            uint32_t apart_s = a->at_s > b->at_s ? a->at_s - b->at_s : b->at_s - a->at_s;
            if (apart_s <= HSAY_VOTE_MOMENT_MS / 1000 && !hsay_addr_equal(&a->seen, &b->seen))
                return true;
        }
    }
    return false;
}

/* voters: those at the host of `addr`.  One voter shows neither. */
static enum hsay_nat_kind kind_of(const struct electorate *voters, const struct hsay_addr *addr,
                                  const struct hsay_addr *bound, uint32_t now_s,
                                  uint32_t agree_groups)
{
    if (addr->kind != HSAY_ADDR_NONE && hsay_addr_equal(addr, bound))
        return HSAY_NAT_PUBLIC;
    if (voters->count < 2)
        return HSAY_NAT_UNKNOWN;
    if (is_one_mapping(voters, addr, now_s, agree_groups))
        return HSAY_NAT_INDEPENDENT;
    return is_split(voters) ? HSAY_NAT_SYMMETRIC : HSAY_NAT_UNKNOWN;
}

/* voters: as above, all of them: one who lies can only deny it. */
static bool is_sequential(const struct electorate *voters)
{
    uint16_t lowest = UINT16_MAX, highest = 0;

    for (uint32_t i = 0; i < voters->count; i++) {
        uint16_t port = voters->vote[i]->seen.port;
        lowest = port < lowest ? port : lowest;
        highest = port > highest ? port : highest;
    }
    return voters->count >= HSAY_VOTE_SEQUENTIAL_MIN && most_of(voters, NULL) == 1 &&
           highest - lowest <= HSAY_VOTE_SEQUENTIAL_SPAN;
}

/* Has a vote against the host come after the last one for it?  In one second: yes. */
static bool is_doubted(const struct electorate *here, const struct electorate *elsewhere,
                       uint32_t now_s)
{
    uint32_t for_s = UINT32_MAX, against_s = UINT32_MAX;

    for (uint32_t i = 0; i < here->count; i++)
        for_s = age_s(here->vote[i], now_s) < for_s ? age_s(here->vote[i], now_s) : for_s;
    for (uint32_t i = 0; i < elsewhere->count; i++) {
        uint32_t age = age_s(elsewhere->vote[i], now_s);
        against_s = age < against_s ? age : against_s;
    }
    return elsewhere->count > 0 && against_s <= for_s;
}

void hsay_vote_result(const struct hsay_vote_table *table, hsay_time now, uint8_t family,
                      const struct hsay_addr *bound, struct hsay_vote_result *result)
{
    const struct hsay_addr *confirmed = &table->confirmed[family == HSAY_ADDR_IP6];
    uint32_t now_s = seconds(now);
    struct electorate voters, here, elsewhere;
    struct section at = {.now_s = now_s, .oldest_s = UINT32_MAX};

    gather(&voters, table, now_s, family);
    *result = (struct hsay_vote_result){.groups = (uint8_t)voters.count};
    at.host = confirmed;
    if (confirmed->kind == HSAY_ADDR_NONE && voters.count > 0)
        at.host = &voters.vote[0]->seen;
    cut(&here, &voters, &at);
    at.elsewhere = true;
    cut(&elsewhere, &voters, &at);
    if (confirmed->kind != HSAY_ADDR_NONE) {
        result->addr = *confirmed;
        result->confirmed = true;
        result->doubted = is_doubted(&here, &elsewhere, now_s);
    } else if (elsewhere.count == 0) {
        most_of(&here, &result->addr);
    } else {
        here.count = 0; /* nobody knows which host is ours */
    }
    result->kind = (uint8_t)kind_of(&here, &result->addr, bound, now_s, table->agree_groups);
    result->sequential = result->kind == HSAY_NAT_SYMMETRIC && is_sequential(&here);
}
