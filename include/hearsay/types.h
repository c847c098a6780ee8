/*
 * Values that every part shares.  All are plain data: copy them freely, they own nothing.
 */
#ifndef HEARSAY_TYPES_H
#define HEARSAY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A monotonic instant.  Only differences mean anything; a struct, so that a number is no time. */
typedef struct hsay_time {
    uint64_t ns;
} hsay_time;

/* What the caller tells each call: both clocks, read once.  mono must not go back and is not 0,
 * which stands for "never"; it should count while the machine sleeps (CLOCK_BOOTTIME).  Only the
 * expiry of bundles looks at wall_s (seconds since 1970-01-01 UTC); 0 means "not known": then
 * nothing expires. */
struct hsay_now {
    hsay_time mono;
    uint64_t wall_s;
};

#define HSAY_TIME_NEVER ((hsay_time){UINT64_MAX})

static inline hsay_time hsay_time_add_ms(hsay_time t, uint64_t ms)
{
    return (hsay_time){t.ns + ms * 1000000u};
}
static inline bool hsay_time_before(hsay_time a, hsay_time b)
{
    return a.ns < b.ns;
}
static inline hsay_time hsay_time_min(hsay_time a, hsay_time b)
{
    return a.ns < b.ns ? a : b;
}
/* Whole milliseconds from `from` to `to`; 0 when `to` is not later. */
static inline uint64_t hsay_time_ms_between(hsay_time from, hsay_time to)
{
    return to.ns > from.ns ? (to.ns - from.ns) / 1000000u : 0;
}

/* Bytes that belong to somebody else; each header says until when they live. */
struct hsay_span {
    const uint8_t *data;
    size_t size;
};

enum {
    HSAY_KEY_BYTES = 32,       /* Ed25519 and X25519 public keys, X25519 secrets */
    HSAY_SECRET_BYTES = 64,    /* Ed25519 secret key as libsodium keeps it: seed and public key */
    HSAY_SIGNATURE_BYTES = 64, /* RFC 8032 */
    HSAY_ID_BYTES = 32,        /* BLAKE2b-256 (RFC 7693) of a bundle's canonical bytes */
    HSAY_DIGEST_BYTES = 16,    /* the first half of the id: what stores and filters work on */
    HSAY_TOKEN_BYTES = 16,
    HSAY_TAG_BYTES = 4, /* of an overlay, in the clear */
};

struct hsay_key {
    uint8_t byte[HSAY_KEY_BYTES];
};
struct hsay_id {
    uint8_t byte[HSAY_ID_BYTES];
};
struct hsay_digest {
    uint8_t byte[HSAY_DIGEST_BYTES];
};
struct hsay_token {
    uint8_t byte[HSAY_TOKEN_BYTES];
};

/* What follows from an overlay's public key and its secret, by hsay_overlay_keys alone.  To be kept
 * as the secret is. */
struct hsay_seal_keys {
    struct hsay_key overlay;
    uint8_t tag[HSAY_TAG_BYTES];
    uint8_t bind[32];
    uint8_t first[32];
};

/* Where a datagram comes from or goes to.  The core compares handles, it never looks inside. */
enum hsay_addr_kind {
    HSAY_ADDR_NONE = 0,
    HSAY_ADDR_IP4 = 4, /* byte[0..3], network order */
    HSAY_ADDR_IP6 = 6, /* byte[0..15], network order */
    HSAY_ADDR_HANDLE =
        8, /* any other transport: 16 bytes that mean something to the caller alone */
};
struct hsay_addr {
    uint8_t kind;     /* enum hsay_addr_kind */
    uint8_t zero;     /* keeps comparisons by memcmp exact; always 0 */
    uint16_t port;    /* host order */
    uint8_t byte[16]; /* unused tail is zero */
};

/* What stands between a node and the others.  Values may go on the wire: fixed for ever. */
enum hsay_nat_kind {
    HSAY_NAT_UNKNOWN = 0,
    HSAY_NAT_PUBLIC = 1,      /* seen at the address that we are bound to: no NAT */
    HSAY_NAT_INDEPENDENT = 2, /* one port for all destinations: can be punctured */
    HSAY_NAT_SYMMETRIC = 3, /* a port per destination: what one peer saw is of no use to another */
};
enum { HSAY_NAT_KINDS = 4 };

/* What a node says of its NAT, and what is said of it to those whom it is introduced to.  Bits of
 * one byte on the wire. */
enum hsay_nat_flag {
    HSAY_NAT_IS_PUBLIC = 1 << 0,     /* it believes that anybody can reach it */
    HSAY_NAT_IS_SYMMETRIC = 1 << 1,  /* each destination sees a port of its own */
    HSAY_NAT_IS_SEQUENTIAL = 1 << 2, /* and these count up, so that the next can be guessed */
    HSAY_NAT_SEARCHES = 1 << 3,      /* it agrees to a search for ports (nat/search.h) */
    HSAY_NAT_FLAGS = 15,
};

/* Whom it lets in, whatever it maps. */
enum hsay_filter_kind {
    HSAY_FILTER_UNKNOWN = 0,
    HSAY_FILTER_NONE,    /* whoever knows the port: endpoint-independent, or nothing is there */
    HSAY_FILTER_ADDRESS, /* hosts that were sent to, from any port */
    HSAY_FILTER_PORT,    /* addresses that were sent to */
    HSAY_FILTER_SOME,    /* one of these two */
};
enum { HSAY_FILTER_KINDS = 5 };

/* Where a bundle stands in the order of a store: Lamport time, then digest. */
struct hsay_position {
    uint64_t time;
    struct hsay_digest digest;
};

/* A set of bundles that a claim speaks of.  Both time edges are closed. */
enum hsay_slicing {
    HSAY_SLICE_NONE = 0,   /* every bundle of the time range; modulo 1, offset 0 */
    HSAY_SLICE_DIGEST = 1, /* floor(first 8 digest bytes, big-endian, * modulo / 2^64) == offset */
    HSAY_SLICE_TIME = 2,   /* (time + offset) mod modulo == 0: Dispersy's rule, policy `paper` */
};
struct hsay_range {
    uint64_t time_low;
    uint64_t time_high;
    uint32_t modulo; /* 1 .. HSAY_MODULO_MAX */
    uint32_t offset; /* < modulo */
    uint8_t slicing; /* enum hsay_slicing */
};

/* What a set of bundles adds up to: how many, and the sum modulo 2^128 of their digests read as
 * big-endian numbers.  A sum, because an exclusive-or of as many digests as it has bits can be
 * forged by linear algebra. */
struct hsay_sum {
    uint64_t count;
    uint64_t high;
    uint64_t low;
};

#endif
