/*
 * A NAT, described in the words of RFC 4787: which outside port an inside socket gets (mapping),
 * who may send back to it (filtering), and for how long.
 *
 * A kind is how a model of box behaves and is shared by any number of boxes; a box is one of them
 * with its table.  A box knows nothing of others: for a carrier's NAT around a home's, the caller
 * asks the inner box on the way out and then the outer one with its answer, and on the way in the
 * outer one first.  The inner box's own address is then one inside the outer.  IPv4 only.
 *
 * Where the RFC leaves it open: a filter is one of a mapping, not of the inside socket as a whole
 * (it matters only for mappings that depend on the address); an outside port belongs to one mapping
 * at a time, so Linux, which keeps a port for several destinations, is endpoint-independent with
 * ports kept as long as no two inside sockets want the same one.
 *
 * `flows`, `settling_ns`, `hairpin_open` and `refresh_in` are what Linux does besides: kinds that
 * stand beside a kernel's box have them (src/lab/nat/kind.c).  The others are what surveys tell of
 * boxes in homes.
 */
#ifndef HEARSAY_LAB_NAT_BOX_H
#define HEARSAY_LAB_NAT_BOX_H

#include <stdio.h>

#include "hearsay/types.h"
#include "src/lab/sim/chance.h"
#include "src/lab/sim/nat_table.h"

/* On what a mapping, or the leave to send back, depends besides the inside socket. */
enum lab_nat_rule {
    LAB_NAT_INDEPENDENT, /* endpoint-independent: EIM, EIF */
    LAB_NAT_ADDRESS,     /* address-dependent: ADM, ADF */
    LAB_NAT_PORT,        /* address- and port-dependent: APDM, APDF */
};

/* Which outside port a new mapping gets.  A port that is taken is passed over. */
enum lab_nat_ports {
    LAB_NAT_PORTS_KEPT,       /* the inside socket's own, or if that is taken another in turn */
    LAB_NAT_PORTS_SEQUENTIAL, /* port_step from the one before; the first by chance */
    LAB_NAT_PORTS_RANDOM,
};

struct lab_nat_kind {
    const char *name;
    uint64_t timeout_ns;  /* since the last packet out, or in with refresh_in */
    uint64_t stream_ns;   /* the same once packets went out, back and again; >= timeout_ns */
    uint64_t settling_ns; /* and again no earlier than this after the first; up to 2 s */
    uint8_t mapping;      /* enum lab_nat_rule */
    uint8_t filtering;    /* enum lab_nat_rule */
    uint8_t ports;        /* enum lab_nat_ports */
    bool open;            /* there is no box: nothing below matters, and no box may be made */
    bool blocked;         /* no datagram passes in either direction */
    bool refresh_in;      /* packets that are let in refresh, too (RFC 4787 REQ-6 leaves it open) */
    bool hairpin;         /* inside hosts reach each other by their outside addresses */
    bool hairpin_open;    /* then without a filter: whoever has a mapping is reached */
    bool flows; /* a filter wider than by port only says who may begin, by what went out in the last
                 * timeout_ns; who has begun goes on for as long as there are packets.  Matters for
                 * independent mappings alone */
    bool refuse_new; /* when it is full; else the mapping that was not used longest goes */
    int16_t port_step;
    uint16_t port_low, port_high; /* of the outside ports, both included */
    uint16_t mappings_max;
    uint16_t filters_max; /* destinations remembered, of all mappings; the oldest makes room */
};

struct lab_nat_box {
    const struct lab_nat_kind *kind;
    struct hsay_addr host; /* the box's own, towards the outside; port 0 */
    struct lab_nat_table mapping;
    struct lab_nat_table filter;
    uint16_t port_next; /* to try: of sequential ports, of kept ones that clash; 0: none yet */
};

/* By name: open, full_cone, address_restricted, port_restricted, symmetric, symmetric_sequential,
 * blocked; and MAPPING-FILTERING in the words of Halkes and Pouwelse (2011): EIM-EIF, ADM-APDF and
 * so on, all nine.  NULL: there is none.  The number counts from 0, for lists. */
const struct lab_nat_kind *lab_nat_kind_find(const char *name);
const struct lab_nat_kind *lab_nat_kind_number(unsigned number);

/* `kind` stays the caller's and must outlive the box; so must what it says. */
void lab_nat_box_init(struct lab_nat_box *box, const struct lab_nat_kind *kind,
                      const struct hsay_addr *host);
void lab_nat_box_free(struct lab_nat_box *box);
void lab_nat_flush(struct lab_nat_box *box); /* a reboot: it forgets all */

/* A datagram from inside to the outside: true, and the address as which it leaves.  False: it is
 * dropped.  `now_ns` must not go back, here and below. */
bool lab_nat_out(struct lab_nat_box *box, struct lab_chance *chance, uint64_t now_ns,
                 const struct hsay_addr *inside, const struct hsay_addr *to, struct hsay_addr *as);

/* A datagram from the outside to the box's own address: true, and which inside socket gets it. */
bool lab_nat_in(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *from,
                const struct hsay_addr *to, struct hsay_addr *inside);

/* The same two, were such a datagram to come now; but nothing is begun, prolonged or drawn.  A port
 * that is yet to be drawn by chance is 0: nobody can have opened anything to it. */
bool lab_nat_may_out(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *inside,
                     const struct hsay_addr *to, struct hsay_addr *as);
bool lab_nat_may_in(struct lab_nat_box *box, uint64_t now_ns, const struct hsay_addr *from,
                    const struct hsay_addr *to, struct hsay_addr *inside);

/* How many pairs of a socket inside and one outside it remembers, as far as its kind tells them
 * apart. */
unsigned lab_nat_flows(struct lab_nat_box *box, uint64_t now_ns);

/* Is `to` the box itself, so that a datagram from inside never leaves? */
bool lab_nat_is_own(const struct lab_nat_box *box, const struct hsay_addr *to);

/* Then this one: out and in again.  The socket that gets it sees `as` as the sender. */
bool lab_nat_hairpin(struct lab_nat_box *box, struct lab_chance *chance, uint64_t now_ns,
                     const struct hsay_addr *inside, const struct hsay_addr *to,
                     struct hsay_addr *as, struct hsay_addr *reached);

/* Heap, without the struct itself. */
size_t lab_nat_box_bytes(const struct lab_nat_box *box);

/* For people: one line on a kind; a line on each mapping and filter that is alive. */
void lab_nat_kind_print(FILE *file, const struct lab_nat_kind *kind);
void lab_nat_box_print(FILE *file, struct lab_nat_box *box, uint64_t now_ns);

#endif
