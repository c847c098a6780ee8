/*
 * The numbers of the protocol, with their reasons.  Unit last in each name.
 */
#ifndef HEARSAY_PARAMS_H
#define HEARSAY_PARAMS_H

enum {
    HSAY_WIRE_VERSION = 1,
    HSAY_BUNDLE_VERSION = 1,
    HSAY_PORT_DEFAULT = 6421, /* the port of Dispersy's trackers */

    /* Datagrams.  1,232 = IPv6 minimum of 1,280 - 40 (IPv6) - 8 (UDP); 1,452 = 1,500 - 40 - 8. */
    HSAY_DATAGRAM_DEFAULT_BYTES = 1232,
    HSAY_DATAGRAM_MAX_BYTES = 1452,

    /* Bundles.  The largest must fit a sealed datagram of the default size together with the fields
     * of an introduction-response, so that even a stranger can be given one. */
    HSAY_PAYLOAD_MAX_BYTES = 900,
    HSAY_PARENTS_MAX = 4,
    HSAY_BUNDLE_MAX_BYTES = 1040, /* static_assert in src/sync/bundle.c: header, parents (at most 4,
                                   * then the payload is bounded by this), payload, signature */

    /* Filters: k = 7 is optimal for 1 %; more than 16 is work without use, 60 % fill is 31 standard
     * deviations above the 51.7 % of an honest filter. */
    HSAY_FILTER_HASHES = 7,
    HSAY_FILTER_HASHES_MAX = 16,
    HSAY_FILTER_FILL_MAX_PERMILLE = 600,
    HSAY_FILTER_MIN_BYTES = 8,
    HSAY_FILTER_MAX_BYTES = 1375, /* 11,000 bits: more than any datagram leaves */
    HSAY_MODULO_MAX = 65536,
    HSAY_ANSWER_WORK_MAX = 4096, /* digests looked at for one answer */
    HSAY_NEWEST_MAX = 8, /* short digests of newest bundles in a request (rumor mongering) */

    /* Lamport time: how far ahead of what we know a bundle may be, and how fast that bound moves.
     */
    HSAY_TIME_WINDOW = 10000,
    HSAY_TIME_WINDOW_STEP_MS = 5000,

    /* Requests and tokens. */
    HSAY_REQUEST_LIFETIME_MS = 10000,
    HSAY_TOKEN_EPOCH_MS = 120000, /* the epoch before is still good: a token lives 120 to 240 s */

    /* Candidates.  57.5 s: half a step short of the minute after which the commonest NAT mappings
     * end; 27.5 s: the same for an introduction, whose puncture opened a hole for half a minute. */
    HSAY_CONTACTED_LIFETIME_MS = 57500,
    HSAY_REQUESTED_LIFETIME_MS = 57500,
    HSAY_INTRODUCED_LIFETIME_MS = 27500,
    /* Whom anybody can reach needs no hole.  Twice 57.5 s: when it is visited, those through whom
     * we know it have been forgotten, so that three who know each other are rare. */
    HSAY_INTRODUCED_PUBLIC_LIFETIME_MS = 115000,
    HSAY_WALK_AGAIN_MS = 27500,
    HSAY_STEP_MS = 5000,

    /* Puncturing: one per target and 5 s, three to a target that never sent us a packet, twenty a
     * second in all; obeyed only from peers that we contacted or answered within a minute. */
    HSAY_PUNCTURE_GAP_MS = 5000,
    HSAY_PUNCTURE_UNANSWERED_MAX = 3,
    HSAY_PUNCTURE_PER_SECOND_MAX = 20,
    HSAY_PUNCTURE_OBEY_MS = 60000,

    /* First contacts: packets within an hour to an address that never answers, whoever names it. */
    HSAY_SILENT_PACKETS_MAX = 3,
    HSAY_SILENT_PERIOD_MS = 3600000,

    HSAY_MAIL_FANOUT = 10, /* direct mail: Dispersy's node_count */
};

#define HSAY_TIME_MAX                                                                              \
    ((UINT64_C(1) << 62) - 1) /* largest global time, sequence, expiry: a varint */

#endif
