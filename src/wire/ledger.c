#include "src/wire/ledger.h"

#include <assert.h>
#include <string.h>

#include "hearsay/params.h"
#include "nat/addr_class.h"
#include "src/wire/salted.h"

enum {
    LEDGER_ANSWERS = 2, /* datagrams that a stranger's packet may cause */
    LEDGER_WAYS = 8,    /* places that one address may stand in: what a call looks at, at most */
    LEDGER_PERIOD_S = HSAY_SILENT_PERIOD_MS / 1000,
    LEDGER_PUNCTURES = HSAY_SILENT_PACKETS_MAX - 1,
};

#define SINCE_S_MASK ((UINT32_C(1) << 28) - 1)

static_assert(HSAY_SILENT_PACKETS_MAX <= 3, "two bits");

/* The places that an address may stand in. */
struct set {
    struct hsay_ledger_entry *place;
    uint32_t count;
    uint32_t tag; /* of the address; never 0 */
};

void hsay_ledger_init(struct hsay_ledger *ledger, struct hsay_ledger_entry *entry,
                      uint32_t entry_count, uint32_t datagram_bytes, uint64_t salt)
{
    assert((entry_count & (entry_count - 1)) == 0);
    assert(datagram_bytes <= HSAY_DATAGRAM_MAX_BYTES);
    if (entry_count > 0)
        memset(entry, 0, entry_count * sizeof *entry);
    *ledger = (struct hsay_ledger){
        .entry = entry, .entry_count = entry_count, .datagram_bytes = datagram_bytes, .salt = salt};
}

struct hsay_ledger_account hsay_ledger_account(size_t bytes, bool validated)
{
    return (struct hsay_ledger_account){
        .validated = validated,
        .credit_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX,
        .credit_packets = LEDGER_ANSWERS,
    };
}

static struct set set_of(const struct hsay_ledger *ledger, const struct hsay_addr *addr)
{
    uint8_t name[3 + sizeof addr->byte] = {addr->kind, (uint8_t)(addr->port >> 8),
                                           (uint8_t)addr->port};
    uint32_t ways = ledger->entry_count < LEDGER_WAYS ? ledger->entry_count : LEDGER_WAYS;

    if (ways == 0)
        return (struct set){NULL, 0, 0};
    memcpy(name + 3, addr->byte, sizeof addr->byte);
    uint64_t hash = hsay_salted(ledger->salt, name, sizeof name);
    uint32_t tag = (uint32_t)(hash >> 32);
    return (struct set){.place = ledger->entry + (hash & (ledger->entry_count / ways - 1)) * ways,
                        .count = ways,
                        .tag = tag != 0 ? tag : 1};
}

static uint32_t age_s(const struct hsay_ledger_entry *entry, uint32_t now_s)
{
    return (now_s - entry->since_s) & SINCE_S_MASK;
}

/* Whole seconds are floors, hence > and not >=: never early. */
static bool is_free(const struct hsay_ledger_entry *entry, uint32_t now_s)
{
    return entry->packets == 0 || age_s(entry, now_s) > LEDGER_PERIOD_S;
}

/* Does a give way before b?  Free ones first, then those with the fewest packets, then the oldest.
 */
static bool gives_way(const struct hsay_ledger_entry *a, const struct hsay_ledger_entry *b,
                      uint32_t now_s)
{
    if (is_free(a, now_s) || is_free(b, now_s))
        return !is_free(b, now_s);
    return a->packets != b->packets ? a->packets < b->packets : age_s(a, now_s) > age_s(b, now_s);
}

/* Where an address would stand after one more packet: which place, and what would be in it. */
struct plan {
    struct hsay_ledger_entry *place;
    uint8_t packets; /* before the new one */
    uint8_t inherited;
};

/* Whoever was pushed out within the period left its count as `inherited` somewhere in this set, at
 * a place that lives longer than its packets count; so the largest of them bounds what any address
 * without a place of its own may have got. */
static struct plan plan_for(struct set set, uint32_t now_s)
{
    struct plan plan = {set.place, 0, 0};

    for (uint32_t i = 0; i < set.count; i++) {
        struct hsay_ledger_entry *place = &set.place[i];
        if (gives_way(place, plan.place, now_s))
            plan.place = place;
        if (is_free(place, now_s))
            continue;
        if (place->tag == set.tag)
            return (struct plan){place, place->packets, place->inherited};
        if (place->inherited > plan.inherited)
            plan.inherited = place->inherited;
    }
    if (!is_free(plan.place, now_s) && plan.place->packets > plan.inherited)
        plan.inherited = plan.place->packets;
    plan.packets = plan.inherited;
    return plan;
}

static bool pass_silent(struct hsay_ledger *ledger, hsay_time now, const struct hsay_addr *to,
                        uint8_t packets_max)
{
    uint32_t now_s = (uint32_t)(now.ns / 1000000000u);
    struct set set = set_of(ledger, to);

    if (set.count == 0)
        return false;
    struct plan plan = plan_for(set, now_s);
    if (plan.packets >= packets_max)
        return false;
    *plan.place = (struct hsay_ledger_entry){
        .tag = set.tag,
        .since_s = now_s & SINCE_S_MASK,
        .packets = (plan.packets + 1u) & 3u,
        .inherited = plan.inherited & 3u,
    };
    return true;
}

/* Nothing is charged yet when this is false. */
bool hsay_ledger_charge(struct hsay_ledger_account *account, size_t bytes)
{
    if (account->validated)
        return true;
    if (account->credit_packets == 0 || account->credit_bytes < bytes)
        return false;
    account->credit_packets--;
    account->credit_bytes -= (uint32_t)bytes;
    return true;
}

static bool pass_search(struct hsay_ledger_search *search, const struct hsay_addr *to, size_t bytes)
{
    if (search == NULL || search->packets == 0 || bytes > HSAY_LEDGER_SEARCH_BYTES_MAX ||
        !hsay_addr_same_host(&search->host, to))
        return false;
    search->packets--;
    return true;
}

static bool pass_class(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                       const struct hsay_addr *to, struct hsay_ledger_account *account,
                       size_t bytes)
{
    switch (class) {
    case HSAY_SEND_ANSWER:
        assert(account != NULL);
        return hsay_ledger_charge(account, bytes);
    case HSAY_SEND_KNOWN:
    case HSAY_SEND_NAMED:
        return true;
    case HSAY_SEND_REQUEST:
        return pass_silent(ledger, now, to, HSAY_SILENT_PACKETS_MAX);
    case HSAY_SEND_PUNCTURE:
        return pass_silent(ledger, now, to, LEDGER_PUNCTURES);
    case HSAY_SEND_SEARCH:
        return pass_search(ledger->search, to, bytes);
    }
    return false;
}

/* Twice as many may begin around the end of a period, and no more. */
static bool has_search_left(struct hsay_ledger_search *search, hsay_time now)
{
    if (hsay_time_ms_between(search->begun_from, now) > HSAY_SILENT_PERIOD_MS) {
        search->begun = 0;
        search->begun_from = now;
    }
    return search->begun < HSAY_LEDGER_SEARCHES_MAX;
}

bool hsay_ledger_search(struct hsay_ledger *ledger, hsay_time now, const struct hsay_addr *peer,
                        uint32_t packets)
{
    struct hsay_ledger_search *search = ledger->search;
    struct hsay_addr host = *peer;

    if (search == NULL || !has_search_left(search, now))
        return false;
    host.port = 0; /* to which nothing is sent: the host's own account */
    if (!pass_silent(ledger, now, &host, 1))
        return false;
    search->host = host;
    search->packets = packets;
    search->begun++;
    return true;
}

bool hsay_ledger_pass(struct hsay_ledger *ledger, hsay_time now, enum hsay_send_class class,
                      const struct hsay_addr *to, struct hsay_ledger_account *account, size_t bytes)
{
    if (to->kind == HSAY_ADDR_NONE || bytes > ledger->datagram_bytes)
        return false;
    return pass_class(ledger, now, class, to, account, bytes);
}

size_t hsay_ledger_room(const struct hsay_ledger *ledger, const struct hsay_ledger_account *account)
{
    if (account->validated)
        return ledger->datagram_bytes;
    if (account->credit_packets == 0)
        return 0;
    return account->credit_bytes < ledger->datagram_bytes ? account->credit_bytes
                                                          : ledger->datagram_bytes;
}

/* What the place inherited stays, under no name: it is the account of those who were pushed out. */
void hsay_ledger_heard(struct hsay_ledger *ledger, const struct hsay_addr *from)
{
    struct set set = set_of(ledger, from);

    for (uint32_t i = 0; i < set.count; i++) {
        struct hsay_ledger_entry *place = &set.place[i];
        if (place->packets == 0 || place->tag != set.tag)
            continue;
        place->tag = 0;
        place->packets = place->inherited;
    }
}
