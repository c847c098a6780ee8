/*
 * What kind of address this is, whether we may send to it, and who counts as one voice with whom.
 *
 * Addresses come from the network, so nothing here asserts about them: an address of unknown kind
 * is of class HSAY_ADDR_INVALID.  All functions are pure; they read and write only what they are
 * given.  Except where stated, pass addresses through hsay_addr_normalise first, once, where they
 * enter the program.
 */
#ifndef HEARSAY_ADDR_CLASS_H
#define HEARSAY_ADDR_CLASS_H

#include "hearsay/types.h"

/* From narrow to wide, which the votes on our own address rely on. */
enum hsay_addr_class {
    HSAY_ADDR_INVALID = 0, /* no address, or a kind we do not know */
    HSAY_ADDR_UNSPECIFIED, /* 0.0.0.0, :: */
    HSAY_ADDR_MULTICAST,
    HSAY_ADDR_BROADCAST,  /* 255.255.255.255; that of a subnet cannot be told without its mask, so
                           * sockets must never be given SO_BROADCAST: the kernel refuses it then */
    HSAY_ADDR_LOOPBACK,   /* 127/8, ::1 */
    HSAY_ADDR_LINK_LOCAL, /* 169.254/16, fe80::/10 */
    HSAY_ADDR_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, fc00::/7 */
    HSAY_ADDR_CARRIER,    /* 100.64/10: between a provider and its NAT (RFC 6598) */
    HSAY_ADDR_RESERVED,   /* documentation, benchmarks, tunnels given up, never assigned: martian */
    HSAY_ADDR_OPAQUE,     /* HSAY_ADDR_HANDLE: another transport */
    HSAY_ADDR_GLOBAL,
    HSAY_ADDR_CLASS_COUNT
};

/* What else than the address itself decides whether we send to it. */
struct hsay_addr_policy {
    struct hsay_addr introducer; /* the *observed* address of whoever named it; HSAY_ADDR_NONE if
                                  * that was our user: then any class passes that can be sent to */
    struct hsay_addr own[3];     /* our own addresses as far as we know; HSAY_ADDR_NONE if unused */
    bool low_ports_ok;           /* heard ports below 1024 belong to services, not to peers */
};

enum {
    HSAY_ADDR_TEXT_BYTES = 48, /* "[" 39 "]:65535" and the final 0 */
    HSAY_ADDR_PORT_HEARD_MIN = 1024,
};

/* IPv4-mapped IPv6 becomes IPv4; bytes that the kind does not use become 0; an unknown kind becomes
 * HSAY_ADDR_NONE.  Afterwards equal addresses are equal bytes. */
void hsay_addr_normalise(struct hsay_addr *addr);

/* Of any address, normalised or not. */
enum hsay_addr_class hsay_addr_class(const struct hsay_addr *addr);

/* An address that means something only near whoever has it: of its host, its link, its site, or
 * between its provider and the provider's NAT. */
bool hsay_addr_is_local(const struct hsay_addr *addr);

bool hsay_addr_equal(const struct hsay_addr *a, const struct hsay_addr *b);
bool hsay_addr_same_host(const struct hsay_addr *a, const struct hsay_addr *b); /* not the port */

/* Addresses that count as one voice have the same number; never 0.  Where an address is dear, the
 * network: IPv4 /16, IPv6 /32.  Private: /24, IPv6 /64, the usual subnet.  Loopback: each port, as
 * any number of honest nodes may run on one host and whoever is on it needs no flood to harm us.
 * Link-local and reserved (laboratories): the host.  Handles: all 16 bytes. */
uint64_t hsay_addr_group(const struct hsay_addr *addr);

/* The first address of a group, as far as the number tells it, and how many bits its members have
 * in common; in loopback they have the port, too.  NONE and 0 of what does not fit a number:
 * handles, and hosts of IPv6 that are no network. */
uint8_t hsay_addr_group_network(uint64_t group, struct hsay_addr *network);

/* Never: unspecified, multicast, broadcast, port 0, our own address; heard ports below 1024.
 * Global: yes.  Any other class: only if the introducer is of the same class itself, so that
 * loopback, LANs and testbeds (which number their internet from reserved addresses) work and a
 * peer outside can never make us send inside. */
bool hsay_addr_sendable(const struct hsay_addr *addr, const struct hsay_addr_policy *policy);

/* "192.0.2.1:6421", "[2001:db8::1]:6421" (RFC 5952), "handle:" and 32 hex digits (":port" after it
 * if the port is not 0), "none".  Always ends with 0.  Returns the length without it, or
 * HSAY_ENOSPC if `size` is too small, when `text` is "" (HSAY_ADDR_TEXT_BYTES always suffices). */
int hsay_addr_format(char *text, size_t size, const struct hsay_addr *addr);

/* The inverse, normalised: numbers only, the port is required (but for a handle), no name is looked
 * up, no leading zeros.  HSAY_EBAD, and `addr` untouched, for anything else. */
int hsay_addr_parse(struct hsay_addr *addr, const char *text);

#endif
