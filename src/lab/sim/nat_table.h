/*
 * What a NAT remembers: entries that are found by key (and by port), and die of age.
 *
 * An entry is 32 bytes and stands in two orders by age, one for each timer: the oldest of each is
 * the next to die, so throwing out the dead costs only the dead.  At most 65,535 entries.
 */
#ifndef HEARSAY_LAB_NAT_TABLE_H
#define HEARSAY_LAB_NAT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LAB_NAT_TABLE_MAX = 65535, LAB_NAT_NONE = 65535 };

/* Endpoints inside and outside; what does not matter is 0. */
struct lab_nat_key {
    uint32_t near_ip, far_ip;
    uint16_t near_port, far_port;
};

/* Of both timers the short one holds until packets went both ways: out, back, and again; the last
 * of these no earlier than the table's settling_ns after the first. */
enum lab_nat_talk { LAB_NAT_ASKED, LAB_NAT_ANSWERED, LAB_NAT_STREAM };
#define LAB_NAT_SETTLING_MAX_NS UINT64_C(2000000000)

struct lab_nat_entry {
    uint64_t used_ns;
    struct lab_nat_key key;
    uint16_t port;            /* the box's, if the table is by port */
    uint16_t next, port_next; /* of the same hash; of free ones */
    uint16_t older, newer;
    uint8_t talk : 2;    /* enum lab_nat_talk */
    uint8_t settled : 1; /* settling_ns have passed since it was made */
    uint8_t born;        /* when that was, on a clock that goes round in 4.3 s */
};

struct lab_nat_table {
    struct lab_nat_entry *entry;
    uint16_t *head;                     /* by the key's hash; heads is a power of two */
    uint16_t *port_head;                /* by port; NULL if it is not by port */
    uint32_t size, heads, begun, count; /* entries that have a place, were ever used, are used */
    uint16_t free;
    uint16_t oldest[2], newest[2]; /* without and with LAB_NAT_STREAM */
    uint64_t settling_ns;          /* 0 at first; up to LAB_NAT_SETTLING_MAX_NS */
    bool by_port;
};

void lab_nat_table_init(struct lab_nat_table *table, bool by_port);
void lab_nat_table_free(struct lab_nat_table *table); /* may be used again, empty */

/* LAB_NAT_NONE: there is none. */
uint16_t lab_nat_table_find(const struct lab_nat_table *table, const struct lab_nat_key *key);
uint16_t lab_nat_table_find_port(const struct lab_nat_table *table, uint16_t port);
uint16_t lab_nat_table_oldest(const struct lab_nat_table *table);

/* The key, and the port in a table by port, must be new; count must be below LAB_NAT_TABLE_MAX. */
uint16_t lab_nat_table_add(struct lab_nat_table *table, const struct lab_nat_key *key,
                           uint16_t port, uint64_t now_ns);
void lab_nat_table_remove(struct lab_nat_table *table, uint16_t at);

/* Its time starts anew; if it was answered, from now on with the long timer. */
void lab_nat_table_refresh(struct lab_nat_table *table, uint16_t at, uint64_t now_ns);
void lab_nat_table_answered(struct lab_nat_table *table, uint16_t at);

/* Removes what is as old as its timer. */
void lab_nat_table_expire(struct lab_nat_table *table, uint64_t now_ns, uint64_t timeout_ns,
                          uint64_t stream_ns);

size_t lab_nat_table_bytes(const struct lab_nat_table *table);

#endif
