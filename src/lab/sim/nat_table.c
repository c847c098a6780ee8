#include "src/lab/sim/nat_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/memory.h"

enum {
    SIZE_FIRST = 4, /* most boxes have one socket behind them */
    TICK_BITS = 24, /* 2^24 ns are 16.8 ms, and 256 of them 4.3 s */
};

static_assert(sizeof(struct lab_nat_entry) == 32, "a million hosts have dozens each");

void lab_nat_table_init(struct lab_nat_table *table, bool by_port)
{
    *table = (struct lab_nat_table){.free = LAB_NAT_NONE,
                                    .oldest = {LAB_NAT_NONE, LAB_NAT_NONE},
                                    .newest = {LAB_NAT_NONE, LAB_NAT_NONE},
                                    .by_port = by_port};
}

void lab_nat_table_free(struct lab_nat_table *table)
{
    free(table->entry);
    free(table->head);
    free(table->port_head);
    uint64_t settling_ns = table->settling_ns;
    lab_nat_table_init(table, table->by_port);
    table->settling_ns = settling_ns;
}

/* --- by hash --------------------------------------------------------------------------------- */

static uint16_t *head_of(const struct lab_nat_table *table, const struct lab_nat_key *key)
{
    uint64_t ports = (uint64_t)key->near_port << 16 | key->far_port;
    uint64_t mixed = (uint64_t)key->near_ip << 32 | key->far_ip;
    mixed = (mixed ^ ports * UINT64_C(0xd6e8feb86659fd93)) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->head[(mixed >> 40) & (table->heads - 1)];
}

static uint16_t *port_head_of(const struct lab_nat_table *table, uint16_t port)
{
    return &table->port_head[port & (table->heads - 1)];
}

static bool same_key(const struct lab_nat_key *a, const struct lab_nat_key *b)
{
    return a->near_ip == b->near_ip && a->far_ip == b->far_ip && a->near_port == b->near_port &&
           a->far_port == b->far_port;
}

uint16_t lab_nat_table_find(const struct lab_nat_table *table, const struct lab_nat_key *key)
{
    if (table->count == 0)
        return LAB_NAT_NONE;
    uint16_t at = *head_of(table, key);
    while (at != LAB_NAT_NONE && !same_key(&table->entry[at].key, key))
        at = table->entry[at].next;
    return at;
}

uint16_t lab_nat_table_find_port(const struct lab_nat_table *table, uint16_t port)
{
    assert(table->by_port);
    if (table->count == 0)
        return LAB_NAT_NONE;
    uint16_t at = *port_head_of(table, port);
    while (at != LAB_NAT_NONE && table->entry[at].port != port)
        at = table->entry[at].port_next;
    return at;
}

static void hash_link(struct lab_nat_table *table, uint16_t at)
{
    struct lab_nat_entry *entry = &table->entry[at];
    uint16_t *head = head_of(table, &entry->key);
    entry->next = *head;
    *head = at;
    if (!table->by_port)
        return;
    head = port_head_of(table, entry->port);
    entry->port_next = *head;
    *head = at;
}

static void hash_unlink(struct lab_nat_table *table, uint16_t at)
{
    const struct lab_nat_entry *entry = &table->entry[at];
    uint16_t *link = head_of(table, &entry->key);
    while (*link != at)
        link = &table->entry[*link].next;
    *link = entry->next;
    if (!table->by_port)
        return;
    link = port_head_of(table, entry->port);
    while (*link != at)
        link = &table->entry[*link].port_next;
    *link = entry->port_next;
}

static void clear_heads(struct lab_nat_table *table)
{
    for (uint32_t i = 0; i < table->heads; i++) {
        table->head[i] = LAB_NAT_NONE;
        if (table->by_port)
            table->port_head[i] = LAB_NAT_NONE;
    }
}

/* Only when all places are taken, so every one of them is hung up again. */
static void grow(struct lab_nat_table *table)
{
    table->heads = table->heads != 0 ? 2 * table->heads : SIZE_FIRST;
    table->size = table->heads < LAB_NAT_TABLE_MAX ? table->heads : LAB_NAT_TABLE_MAX;
    table->entry = lab_realloc(table->entry, table->size * sizeof *table->entry);
    table->head = lab_realloc(table->head, table->heads * sizeof *table->head);
    if (table->by_port)
        table->port_head = lab_realloc(table->port_head, table->heads * sizeof *table->port_head);
    clear_heads(table);
    for (uint32_t i = 0; i < table->count; i++)
        hash_link(table, (uint16_t)i);
}

/* --- by age ---------------------------------------------------------------------------------- */

static unsigned timer_of(const struct lab_nat_entry *entry)
{
    return entry->talk == LAB_NAT_STREAM;
}

static void age_link(struct lab_nat_table *table, uint16_t at)
{
    struct lab_nat_entry *entry = &table->entry[at];
    uint16_t *oldest = &table->oldest[timer_of(entry)], *newest = &table->newest[timer_of(entry)];
    entry->older = *newest;
    entry->newer = LAB_NAT_NONE;
    *(*newest != LAB_NAT_NONE ? &table->entry[*newest].newer : oldest) = at;
    *newest = at;
}

static void age_unlink(struct lab_nat_table *table, uint16_t at)
{
    const struct lab_nat_entry *entry = &table->entry[at];
    unsigned timer = timer_of(entry);
    uint16_t older = entry->older, newer = entry->newer;
    *(older != LAB_NAT_NONE ? &table->entry[older].newer : &table->oldest[timer]) = newer;
    *(newer != LAB_NAT_NONE ? &table->entry[newer].older : &table->newest[timer]) = older;
}

uint16_t lab_nat_table_oldest(const struct lab_nat_table *table)
{
    uint16_t asked = table->oldest[0], stream = table->oldest[1];
    if (asked == LAB_NAT_NONE || stream == LAB_NAT_NONE)
        return asked == LAB_NAT_NONE ? stream : asked;
    return table->entry[stream].used_ns < table->entry[asked].used_ns ? stream : asked;
}

static uint8_t tick_of(uint64_t now_ns)
{
    return (uint8_t)(now_ns >> TICK_BITS);
}

/* Asked whenever it is used, so that its clock cannot have gone round unseen: one that has not yet
 * settled was made less than 2 s before it was last used, and that was less than 2 s ago. */
static bool is_settled(const struct lab_nat_table *table, const struct lab_nat_entry *entry,
                       uint64_t now_ns)
{
    uint64_t ticks = (uint8_t)(tick_of(now_ns) - entry->born);
    return entry->settled || now_ns - entry->used_ns >= table->settling_ns ||
           ticks << TICK_BITS >= table->settling_ns;
}

void lab_nat_table_refresh(struct lab_nat_table *table, uint16_t at, uint64_t now_ns)
{
    age_unlink(table, at);
    struct lab_nat_entry *entry = &table->entry[at];
    entry->settled = is_settled(table, entry, now_ns);
    entry->used_ns = now_ns;
    if (entry->talk == LAB_NAT_ANSWERED && entry->settled)
        entry->talk = LAB_NAT_STREAM;
    age_link(table, at);
}

void lab_nat_table_answered(struct lab_nat_table *table, uint16_t at)
{
    struct lab_nat_entry *entry = &table->entry[at];
    if (entry->talk == LAB_NAT_ASKED)
        entry->talk = LAB_NAT_ANSWERED;
}

static void expire_timer(struct lab_nat_table *table, unsigned timer, uint64_t now_ns,
                         uint64_t timeout_ns)
{
    for (uint16_t at; (at = table->oldest[timer]) != LAB_NAT_NONE;) {
        assert(now_ns >= table->entry[at].used_ns);
        if (now_ns - table->entry[at].used_ns < timeout_ns)
            return;
        lab_nat_table_remove(table, at);
    }
}

void lab_nat_table_expire(struct lab_nat_table *table, uint64_t now_ns, uint64_t timeout_ns,
                          uint64_t stream_ns)
{
    expire_timer(table, 0, now_ns, timeout_ns);
    expire_timer(table, 1, now_ns, stream_ns);
}

/* --- entries --------------------------------------------------------------------------------- */

static uint16_t place_take(struct lab_nat_table *table)
{
    uint16_t at = table->free;
    if (at != LAB_NAT_NONE) {
        table->free = table->entry[at].next;
        return at;
    }
    if (table->begun == table->size)
        grow(table);
    return (uint16_t)table->begun++;
}

uint16_t lab_nat_table_add(struct lab_nat_table *table, const struct lab_nat_key *key,
                           uint16_t port, uint64_t now_ns)
{
    assert(table->count < LAB_NAT_TABLE_MAX);
    uint16_t at = place_take(table);
    table->entry[at] = (struct lab_nat_entry){
        .used_ns = now_ns, .key = *key, .port = port, .born = tick_of(now_ns)};
    table->count++;
    hash_link(table, at);
    age_link(table, at);
    return at;
}

void lab_nat_table_remove(struct lab_nat_table *table, uint16_t at)
{
    hash_unlink(table, at);
    age_unlink(table, at);
    table->entry[at].next = table->free;
    table->free = at;
    table->count--;
}

size_t lab_nat_table_bytes(const struct lab_nat_table *table)
{
    size_t heads = table->heads * (table->by_port ? 2 : 1);
    return table->size * sizeof *table->entry + heads * sizeof *table->head;
}
