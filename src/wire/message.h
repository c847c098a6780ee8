/*
 * Every message, its layout and its limits; encode and decode, no state.  PROTOCOL.md beside this
 * file is the same in prose.  Decoding is total: any bytes give a message or HSAY_EBAD.
 *
 * A message is: type (u8), its fixed fields, extensions, then (where stated) a tail that runs to
 * the end.  Extensions are how later versions add fields: u8 count, then per extension u8 tag, u16
 * size, bytes; tags rise.  Tags with the top bit clear may be ignored; an unknown tag with the top
 * bit set refuses the message.  Version 1 defines none but padding (tag 0, zeros).
 *
 * Addresses: u8 kind (0, 4, 6, 8), then u16 port and 4 or 16 bytes; kind 0 has nothing behind it.
 * An IPv4 address in IPv6 form (::ffff:0:0/96) is refused: it has an encoding of its own.
 */
#ifndef HEARSAY_WIRE_MESSAGE_H
#define HEARSAY_WIRE_MESSAGE_H

#include "hearsay/params.h"
#include "src/wire/cursor.h"

enum hsay_message_type {
    HSAY_MSG_NONE = 0,
    HSAY_MSG_INTRO_REQUEST = 1,
    HSAY_MSG_INTRO_RESPONSE = 2,
    HSAY_MSG_PUNCTURE_REQUEST = 3,
    HSAY_MSG_PUNCTURE = 4,
    HSAY_MSG_BUNDLES = 5,
    HSAY_MSG_FETCH = 6,
    HSAY_MSG_DIRECT = 7,
    HSAY_MSG_PROBE = 8,
    HSAY_MSG_TYPE_COUNT,
};

enum hsay_claim_kind {
    HSAY_CLAIM_NONE = 0,   /* nothing is said and nothing is asked: a walk for discovery only */
    HSAY_CLAIM_SUM = 1,    /* count and fingerprint of the range: "same?"; draws no bundles */
    HSAY_CLAIM_BLOOM = 2,  /* that, and a filter: draws what it lacks */
    HSAY_CLAIM_EMPTY = 3,  /* we hold nothing of the range (count 0): draws anything in it */
    HSAY_CLAIM_KIND_COUNT, /* room for a difference sketch */
};

/* "In this range I hold these."  What lies outside the range is not missing.
 *   u8 kind; if not NONE: varint time_low, varint time_high, u8 slicing, u32 modulo, u32 offset,
 *   varint count, u64 fingerprint; if BLOOM: u8 hashes, u64 salt, u16 size, bits. */
struct hsay_claim {
    uint8_t kind;
    uint8_t hashes;
    struct hsay_range range;
    uint64_t count;
    uint64_t fingerprint; /* hsay_claim_fingerprint of the sum */
    uint64_t salt;
    struct hsay_span bits; /* points into the message */
};

enum hsay_request_flag {
    HSAY_REQUEST_INTRODUCE = 1 << 0, /* we would like to be introduced to somebody */
};

/* Only requests (this, and fetch) are answered.
 *   u64 id, u8 flags, u8 nat, token, addr to, addr lan, varint global_time, varint answer_bytes,
 *   u8 newest_count, u64 each, claim, extensions */
struct hsay_intro_request {
    uint64_t id; /* random, never 0 */
    uint8_t flags;
    uint8_t nat;             /* enum hsay_nat_flag: ours, towards the receiver's family */
    struct hsay_token token; /* for the receiver, to show to us; zero: its key is not known */
    struct hsay_addr to;     /* the address this was sent to: the receiver's as we see it */
    struct hsay_addr lan;    /* NONE unless the receiver shares our public address */
    uint64_t global_time;
    uint64_t answer_bytes; /* of bundles, at most; 0 asks for no bundles */
    uint8_t newest_count;
    uint64_t newest[HSAY_NEWEST_MAX]; /* first 8 digest bytes of our newest bundles */
    struct hsay_claim claim;
    size_t padding; /* bytes of padding to add (0, or at least 3: 1 and 2 count as 3) */
};

enum hsay_response_flag {
    HSAY_RESPONSE_MORE = 1 << 0,    /* the budget cut the answer: there is more in the range */
    HSAY_RESPONSE_SAME = 1 << 1,    /* count and fingerprint of the range are ours too */
    HSAY_RESPONSE_REFUSED = 1 << 2, /* the claim was not answered: too busy, or over a bound */
};

/* A peer that the answerer has heard from, lately.  As a field: addr, and if not NONE: addr lan,
 * key, u8 nat. */
struct hsay_introduced {
    struct hsay_addr addr;
    struct hsay_addr lan;
    struct hsay_key key;
    uint8_t nat; /* enum hsay_nat_flag, as it says of itself */
};

/*   u64 id, u8 flags, u8 nat, token, addr to, varint global_time, u16 want, u8 datagrams,
 *   varint count, u64 fingerprint, introduced, extensions, tail: bundles (pack.h) */
struct hsay_intro_response {
    uint64_t id;
    uint8_t flags;
    uint8_t nat;             /* as in the request */
    struct hsay_token token; /* to be shown in the next request from the same address */
    struct hsay_addr to;     /* the address that the request came from: your address as I see it */
    uint64_t global_time;
    uint16_t want;     /* bit i: send me newest[i] */
    uint8_t datagrams; /* bundles messages with this id that follow */
    uint64_t count;    /* of the claim's range, at the answerer */
    uint64_t fingerprint;
    struct hsay_introduced introduced;
    struct hsay_span bundles; /* points into the message */
};

/* "Please send a puncture to this peer, whom I just introduced to you."
 *   u64 id (of the peer's request), addr target (the source address that the asker saw),
 *   addr lan, key, u8 nat, extensions */
struct hsay_puncture_request {
    uint64_t id;
    struct hsay_introduced target;
};

enum { HSAY_PUNCTURE_MESSAGE_BYTES = 1 + 8 + HSAY_TOKEN_BYTES + 1 }; /* type first */

/*   u64 id, token, extensions */
struct hsay_puncture {
    uint64_t id;
    struct hsay_token token; /* for the receiver, to show when it asks us */
};

enum hsay_bundles_flag {
    HSAY_BUNDLES_MAIL = 1 << 0, /* not asked for: direct mail, or what a `want` named; then and only
                                 * then id is 0 */
    HSAY_BUNDLES_LAST = 1 << 1, /* the last datagram of this answer */
};

/*   u64 id (of the request it answers; 0 for mail), u8 flags, extensions, tail: bundles */
struct hsay_bundles {
    uint64_t id;
    uint8_t flags;
    struct hsay_span bundles;
};

enum { HSAY_FETCH_MAX = 48 };

/*   u64 id (never 0), u8 count, digests, extensions.  Answered with bundles messages. */
struct hsay_fetch {
    uint64_t id;
    uint8_t count;
    const uint8_t *digests; /* count * HSAY_DIGEST_BYTES, in the message */
    size_t padding;
};

/* Ephemeral: to who is reachable now; in no store, no filter.
 *   varint type, extensions, tail: payload */
struct hsay_direct {
    uint64_t type;
    struct hsay_span payload;
};

/* "Please send a puncture with this id to that port of mine."  Only if the token is one that the
 * receiver made for the port: then it is no third party's (binding lifetime discovery, RFC 5780).
 *   u64 id, u16 port, token, extensions */
struct hsay_probe {
    uint64_t id;   /* never 0 */
    uint16_t port; /* never 0 */
    struct hsay_token token;
};

struct hsay_message {
    uint8_t type; /* enum hsay_message_type */
    union {
        struct hsay_intro_request intro_request;
        struct hsay_intro_response intro_response;
        struct hsay_puncture_request puncture_request;
        struct hsay_puncture puncture;
        struct hsay_bundles bundles;
        struct hsay_fetch fetch;
        struct hsay_direct direct;
        struct hsay_probe probe;
    };
};

/* Decode exactly: left-over bytes are a refusal.  Checked here, so that no handler need: kinds and
 * flags known, low <= high <= HSAY_TIME_MAX, 1 <= modulo <= HSAY_MODULO_MAX, offset < modulo,
 * slicing NONE only with modulo 1, 1 <= hashes <= HSAY_FILTER_HASHES_MAX, filter sizes in bounds,
 * newest_count and fetch count in bounds and not 0 for fetch, ids not 0 in what is answered, a
 * puncture's target not NONE.  Spans point into `bytes`.  HSAY_EBAD: *out is then undefined. */
int hsay_message_decode(struct hsay_message *out, struct hsay_span bytes);

/* Encode; w->bad if it does not fit.  For messages with a tail (response, bundles, direct) the
 * caller appends the tail behind.  The spans inside must not overlap the writer's room. */
void hsay_message_encode(struct hsay_writer *w, const struct hsay_message *message);

/* Bytes that hsay_message_encode will write. */
size_t hsay_message_size(const struct hsay_message *message);

/* The padding with which a message of `size` without any has `aim` bytes; 0 if it is as long, or if
 * no padding is as small. */
size_t hsay_message_padding(size_t size, size_t aim);

/* An address as a field; also used inside the address book. */
void hsay_write_addr(struct hsay_writer *w, const struct hsay_addr *addr);
void hsay_read_addr(struct hsay_reader *r, struct hsay_addr *addr);

#endif
