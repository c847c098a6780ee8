/*
 * A Hearsay node: the protocol without socket, clock, file, heap or thread.
 *
 * The caller tells a node what happened (a packet came, time passed, the application publishes) and
 * finds what is to be done in an outbox that it owns.  One loop turn is:
 *
 *     read datagrams -> hsay_node_on_packet for each -> store commit -> send the outbox
 *     -> sleep until hsay_node_deadline -> hsay_node_on_time
 *
 * The commit stands before the sending: then no bundle leaves that a crash could take back, and no
 * filter claims one.  A commit that fails takes bundles back: throw the outbox's letters and its
 * HSAY_EVENT_BUNDLE events away, and tell publishers so.  Peers offer the others' bundles again.
 *
 * Threads: a node, its outbox and its stores belong to one thread at a time; two nodes share
 * nothing that they were not given.  No call blocks, allocates, or calls back; none keeps a pointer
 * into its arguments, but for `memory`, what `crypto` points to, `stats`, and the store and given
 * keys of an overlay.  Pointers must not be NULL where nothing is said of it.  A bad packet is not
 * an error: it is counted under a drop reason.
 *
 * The manual, with an example: libhearsay(3).  The protocol: PROTOCOL.md, hearsay-wire(7).  The
 * design: Zeilemaker, Schoon, Pouwelse, "Dispersy Bundle Synchronization", TU Delft PDS-2013-002.
 */
#ifndef HEARSAY_NODE_H
#define HEARSAY_NODE_H

#include "hearsay/crypto.h"
#include "hearsay/error.h"
#include "hearsay/params.h"
#include "hearsay/store.h"
#include "hearsay/types.h"

struct hsay_node; /* lives in memory that the caller gives; hsay_node_size tells how much */

/* ---- the outbox --------------------------------------------------------------------------- */

/* What happened, in order, and the fields that say more; all other fields are zero.  `overlay` is
 * set in each. */
enum hsay_event_kind {
    HSAY_EVENT_BUNDLE = 1, /* a bundle was stored: bytes for hsay_bundle_decode, or empty
                            * if the outbox had no room; position, author, own; peer if not own */
    HSAY_EVENT_DIRECT,     /* an ephemeral message came: peer, number[0] = type, bytes = payload */
    HSAY_EVENT_STEP,       /* a request was sent: peer, bucket; number[]: enum hsay_step_number */
    HSAY_EVENT_ANSWER,     /* its answer came, or did not: peer, bucket; number[]: enum
                            * hsay_answer_number */
    HSAY_EVENT_ADDRESS,    /* what others say our address is has changed: peer.addr */
    HSAY_EVENT_SYNCED,     /* number[0] = 1: in sync as far as we can tell; 0: behind */
    HSAY_EVENT_VERIFY,     /* only with verify_outside: hsay_bundle_verify the bundle in bytes, then
                            * tell     hsay_node_on_verdict; peer, author */
    HSAY_EVENT_FORK, /* two bundles in one slot of an author, or times that fall: position is that
                      * of the second, whose own HSAY_EVENT_BUNDLE follows; author */
};

/* number[] of HSAY_EVENT_STEP: the claim and what was asked with it. */
enum hsay_step_number {
    HSAY_STEP_CLAIM_KIND, /* 0 none, 1 sum, 2 filter, 3 empty */
    HSAY_STEP_TIME_LOW,
    HSAY_STEP_TIME_HIGH,
    HSAY_STEP_MODULO,
    HSAY_STEP_OFFSET,
    HSAY_STEP_CLAIM_COUNT, /* bundles that we hold of the range */
    HSAY_STEP_FILTER_BYTES,
    HSAY_STEP_ANSWER_BYTES, /* that we are ready to receive */
    HSAY_STEP_REQUEST_ID,   /* the answer's HSAY_ANSWER_REQUEST_ID */
    HSAY_NUMBER_COUNT,
};

/* number[] of HSAY_EVENT_ANSWER.  RESULT: 0 answered, 1 timed out. */
enum hsay_answer_number {
    HSAY_ANSWER_RESULT,
    HSAY_ANSWER_RTT_US,     /* 0 after a time-out */
    HSAY_ANSWER_BUNDLES,    /* bundles that came with it, duplicates included */
    HSAY_ANSWER_NEW,        /* of these, new to us */
    HSAY_ANSWER_MORE,       /* 1: the peer has more of the range than it gave */
    HSAY_ANSWER_SAME,       /* 1: the peer holds the same of the range */
    HSAY_ANSWER_PEER_COUNT, /* bundles that the peer holds of the range */
    HSAY_ANSWER_INTRODUCED, /* 1: it introduced somebody */
    HSAY_ANSWER_REQUEST_ID,
};

struct hsay_peer {
    struct hsay_addr addr;
    struct hsay_key key; /* all zero: not known yet */
};

struct hsay_event {
    uint8_t kind;   /* enum hsay_event_kind */
    uint8_t bucket; /* enum hsay_bucket */
    bool own;
    uint16_t overlay;
    struct hsay_peer peer;
    struct hsay_position position;
    struct hsay_key author;
    uint64_t number[HSAY_NUMBER_COUNT];
    struct hsay_span bytes; /* in the outbox; valid until hsay_outbox_clear */
};

struct hsay_letter {
    struct hsay_addr to;
    struct hsay_span datagram; /* in the outbox; valid until hsay_outbox_clear */
    uint16_t socket;           /* 0: the one that peers know us by; see sockets_max */
};

/* Filled by a node, emptied by the caller.  All memory is the caller's; the counts begin at 0.  A
 * call appends, so one outbox may take several calls before it is drained.  It may serve many nodes
 * of one thread, but is to be drained between them: a letter does not say whose it is.  A call that
 * finds too little room sends and tells less (it counts HSAY_DROP_OUTBOX); it never overruns. */
struct hsay_outbox {
    uint8_t *bytes;
    size_t bytes_size;
    size_t bytes_used;
    struct hsay_letter *letter;
    size_t letter_max;
    size_t letter_count;
    struct hsay_event *event;
    size_t event_max;
    size_t event_count;
};

/* Parts of what hsay_node_outbox_need computes. */
enum {
    HSAY_CALL_LETTERS_EXTRA = 40, /* response, puncture request, mail, wanted bundles */
    HSAY_CALL_EVENTS_MAX = 48, /* a datagram holds at most 17 bundles; each may prove a fork, too */
    HSAY_CALL_EVENTS_EXTRA = 8, /* besides two for each request that may be out */
};
/* The most that one call can put into an outbox. */
struct hsay_outbox_need {
    size_t bytes;
    size_t letters;
    size_t events;
};

/* Empties it; what its letters and events pointed to is gone. */
void hsay_outbox_clear(struct hsay_outbox *outbox);

/* True if one more call surely finds room. */
bool hsay_outbox_has_room(const struct hsay_outbox *outbox, const struct hsay_outbox_need *need);

/* ---- configuration ------------------------------------------------------------------------ */

enum hsay_policy {
    HSAY_POLICY_HEARSAY = 0,
    HSAY_POLICY_PAPER, /* PDS-2013-002: 1 / 49.5 / 24.75 / 24.75, oldest first, modulo and pivot */
    HSAY_POLICY_CODE2019, /* the last released code: 47.5 / 47.5 / 5, "largest" pivot */
};

/* How the range of a filter is chosen where all does not fit one. */
enum hsay_ranges {
    HSAY_RANGES_POLICY = 0, /* as the policy has it */
    HSAY_RANGES_MODULO,     /* every n-th global time, with an offset drawn at random */
    HSAY_RANGES_PIVOT,      /* beside a time drawn from an exponential distribution */
    HSAY_RANGES_SWEEP,      /* slices of the digest space in turn */
};

enum hsay_bucket {
    HSAY_BUCKET_NONE = 0,
    HSAY_BUCKET_TRUSTED,    /* named by the operator */
    HSAY_BUCKET_CONTACTED,  /* answered a request of ours */
    HSAY_BUCKET_REQUESTED,  /* sent us a request */
    HSAY_BUCKET_INTRODUCED, /* a peer told us of it, or it punctured towards us */
    HSAY_BUCKET_BOOK,       /* answered us once, from the address book */
    HSAY_BUCKET_COUNT,
};

struct hsay_node_stats; /* below */

/* 256: Tailscale's figure for the side that opens ports, of which a NAT has 64,512 to give. */
enum {
    HSAY_SOCKETS_LIFETIME = 8,
    HSAY_SOCKETS_SEARCH = 256,
    HSAY_SOCKETS_MAX = HSAY_SOCKETS_LIFETIME + HSAY_SOCKETS_SEARCH,
};

/* Zero in any field but the secret means its default.
 *
 * What takes how much memory, in bytes: a node 432 and 1,232 for its counters; an overlay 400 and
 * 100 for its keys, and in it a candidate 96, a second address 44, a request 128 and 8 for each of
 * the (at most 8) rumors that it names, an entry of the book 56, a rumor 24, a want 16, a voice 16;
 * of what all overlays share a vote 32, a target of punctures 8, a key of the ring 72, an entry of
 * the ledger 8, a bucket of the gate 20 (and one for the node), an answered request 8.
 *
 * For simulations of a million nodes, one takes no more than 3,072 bytes with one overlay, 12
 * candidates, 1 second address, 3 requests, 1 entry of the book, 3 rumors, 2 wants, 3 voices, 3
 * votes, 8 targets, 1 key, 8 entries of the ledger, 1 bucket and 4 answered requests, and with
 * `stats`, `no_filtering` and `keys_given`.  Three requests are few: let wait_ms be 1000, or lost
 * datagrams hold up the rest.  And 8 entries allow for 24 datagrams an hour to addresses that never
 * answer: where many peers are gone, ledger_max matters first. */
struct hsay_node_config {
    uint8_t node_secret[HSAY_KEY_BYTES]; /* X25519; copied into the node's memory */
    uint16_t overlays_max;               /* default 4, at most 255 */
    uint16_t candidates_max;             /* per overlay; default 64 */
    uint16_t ways_max; /* per overlay: of whom a second address is kept; default candidates_max */
    uint16_t pending_max; /* per overlay; default 16 */
    uint16_t book_max;    /* per overlay; default 256 */
    uint16_t rumors_max;  /* per overlay; default 64 */
    uint16_t wants_max;   /* per overlay; rumors asked for lately; default 16 */
    uint16_t voices_max;  /* per overlay; network groups that bound global time; 3 to 8 (default) */
    uint16_t votes_max;   /* network groups that tell our address; 3 to 12 (default) */
    uint16_t punctures_max;  /* targets, of which a fifth a second can be served; default 32 */
    uint32_t keyring_max;    /* up to 3, or a multiple of 4; default 1024 */
    uint32_t ledger_max;     /* power of two; default 1024 */
    uint32_t gate_max;       /* power of two; default 256 */
    uint32_t replay_max;     /* requests answered lately; default gate_max */
    uint32_t datagram_bytes; /* largest sent: HSAY_DATAGRAM_DEFAULT_BYTES (default) to
                              * HSAY_DATAGRAM_MAX_BYTES */
    uint16_t sockets_max; /* default 0.  How many sockets the caller can open besides the ordinary
                           * one, at any free port of the same host, when a letter names them: 1 ..
                           * sockets_max.  Measuring how long a NAT keeps mappings takes the first
                           * HSAY_SOCKETS_LIFETIME, a search for ports HSAY_SOCKETS_SEARCH more */
    bool verify_outside;  /* others' signatures are checked by the caller: HSAY_EVENT_VERIFY */
    struct hsay_node_stats *stats; /* where to count, to be zeroed by the caller; must outlive the
                                    * node, and may serve others of its thread.  Default: inside */
    bool lived_before; /* a node may have sent from here lately, we do not know to whom: what its
                        * NAT lets in shows nothing for five minutes */
    bool no_filtering; /* not to learn what our NAT filters, which takes 1.3 kB */
    bool keys_given;   /* no room for what hsay_overlay_config.keys brings: it must be there then */
};

/* How an overlay is walked and synced.  Zero means default. */
struct hsay_overlay_config {
    struct hsay_key overlay; /* Ed25519 public key that names it */
    struct hsay_span secret; /* empty: open to all who know the key; else 32 bytes; copied */
    const struct hsay_seal_keys *keys; /* hsay_overlay_keys of these two, for who has them; only
                                        * with keys_given they must live until hsay_node_leave */
    struct hsay_store store;           /* of this overlay alone; in use until hsay_node_leave */
    uint8_t policy;                    /* enum hsay_policy */
    uint8_t ranges;                    /* enum hsay_ranges: one rule alone, for experiments */
    bool fixed_step;                   /* never step before time: for experiments */
    bool pull_only;                    /* no direct mail, no rumors: claims alone */
    bool no_step;                      /* never walk by itself (a test drives it) */
    uint32_t step_ms;                  /* default HSAY_STEP_MS; lifetimes scale with it below 5 s */
    uint32_t answer_bytes;             /* bundles asked for per request at most; default 65536 */
    uint32_t answer_bytes_max;         /* bundles given per request at most; default 65536 */
    uint32_t mail_fanout;              /* default HSAY_MAIL_FANOUT */
    uint32_t wait_ms; /* for an answer; default, and at most, HSAY_REQUEST_LIFETIME_MS.  Who waits
                       * less for what is lost needs less of pending_max */
};

/* Replaces each field that is 0 by its default, for who wants to see them (zero the struct first);
 * node_init does so by itself. */
void hsay_node_config_default(struct hsay_node_config *config);

/* ---- life --------------------------------------------------------------------------------- */

/* Bytes of memory that a node of this configuration needs, aligned as for any type (as malloc
 * does). */
size_t hsay_node_size(const struct hsay_node_config *config);

/* `memory` has hsay_node_size bytes and belongs to the node until the caller drops it (there is
 * nothing to close; it holds secrets, so wipe it before it is freed).  `crypto` is copied; what it
 * points to must outlive the node.  `seed` is the only source of chance: unpredictable, and never
 * the same twice with one node_secret.  HSAY_EINVAL: a limit of hsay_node_config. */
int hsay_node_init(void *memory, const struct hsay_node_config *config,
                   const struct hsay_crypto *crypto, const uint8_t seed[32], struct hsay_now now,
                   struct hsay_node **out);

/* The number of the overlay, 0 .. overlays_max - 1, in *overlay: the lowest that is free.  Its
 * first step is due at once.  What the store already holds is told by no event: the application
 * reads it from the store.  HSAY_EEXIST: joined already; HSAY_ENOSPC: no place left; HSAY_EINVAL:
 * no such policy or ranges, no store, too long a wait, a secret of another size, or no keys with
 * keys_given.
 */
int hsay_node_join(struct hsay_node *node, struct hsay_now now,
                   const struct hsay_overlay_config *config, uint16_t *overlay);

/* For who starts many nodes in one overlay: they take no room in each, and no time.  HSAY_EINVAL:
 * the secret has neither 0 nor 32 bytes. */
int hsay_overlay_keys(struct hsay_seal_keys *keys, const struct hsay_crypto *crypto,
                      const struct hsay_key *overlay, struct hsay_span secret);

/* Candidates and address book are forgotten; the store is not touched and may be closed.
 * HSAY_ENOENT. */
int hsay_node_leave(struct hsay_node *node, uint16_t overlay);

/* Name a peer (the operator did, or the address book, or a beacon in the LAN).  The key may be
 * zero: not known.  bucket: HSAY_BUCKET_TRUSTED, _INTRODUCED or _BOOK.  HSAY_ENOENT: no such
 * overlay; HSAY_EINVAL: nothing can be sent to this address, or it is our own, or the key is;
 * HSAY_ENOSPC: the table is full of better ones. */
int hsay_node_add_peer(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                       const struct hsay_peer *peer, enum hsay_bucket bucket);

/* Our own address as the socket has it (bound, and if known in the LAN); for IPv4 and for IPv6
 * if there are two (a node with no_filtering keeps the one that was said last).  NONE: unknown. */
void hsay_node_set_local(struct hsay_node *node, const struct hsay_addr *bound);

/* The machine slept or changed its network: walk at once, as after a start, and ask anew what our
 * address is. */
void hsay_node_wake(struct hsay_node *node, struct hsay_now now);

/* What an outbox must have room for before any call.  Depends on datagram_bytes and the largest
 * answer_bytes_max of the overlays joined, so ask again after hsay_node_join.  With defaults: 360
 * KiB, 279 letters, 48 events. */
void hsay_node_outbox_need(const struct hsay_node *node, struct hsay_outbox_need *need);

/* ---- inputs ------------------------------------------------------------------------------- */

struct hsay_packet {
    struct hsay_addr from;
    struct hsay_span bytes; /* needs to live only for the call */
    uint16_t socket;        /* that it came to, as in hsay_letter */
};

/* 0, or the first error of our own side, all of them from the store: HSAY_ENOSPC and HSAY_ENOMEM (a
 * bundle could not be stored; syncing goes on), HSAY_ECORRUPT (one could not be read), HSAY_ESTORE.
 * The outbox is to be drained all the same. */
int hsay_node_on_packet(struct hsay_node *node, struct hsay_now now,
                        const struct hsay_packet *packet, struct hsay_outbox *out);

/* Does what is due, for as many overlays as the outbox has room for; earlier than the deadline it
 * does nothing.  Errors as above. */
int hsay_node_on_time(struct hsay_node *node, struct hsay_now now, struct hsay_outbox *out);

/* When hsay_node_on_time wants to be called next; HSAY_TIME_NEVER if nothing is due.  Any other
 * call may change it. */
hsay_time hsay_node_deadline(const struct hsay_node *node);

/* Is this socket (1 .. sockets_max) of use to the node now?  One that is not may be closed, and is
 * opened anew when a letter names it; ask now and then. */
bool hsay_node_uses_socket(const struct hsay_node *node, struct hsay_now now, uint16_t socket);

enum hsay_bundle_flag {
    HSAY_BUNDLE_FULL = 0,         /* distribution, two bits: kept and synced */
    HSAY_BUNDLE_LAST = 1,         /* the newest of an author and type counts; kept like the rest */
    HSAY_BUNDLE_DISTRIBUTION = 3, /* mask; 2 and 3 are not used by version 1 */
    HSAY_BUNDLE_CAUSAL = 1 << 2,  /* deliver after its parents: a mark for the application, which
                                   * is told of bundles in the order in which they come */
};

/* What an application wants to say.  Pointers need to live only for the call. */
struct hsay_draft {
    uint16_t overlay;
    uint8_t flags; /* enum hsay_bundle_flag */
    uint8_t parent_count;
    uint64_t type;                /* the application's; up to HSAY_TIME_MAX */
    uint64_t expiry_s;            /* seconds since 1970-01-01 UTC; 0: never */
    const struct hsay_id *parent; /* parent_count of them */
    const uint8_t *author_secret; /* HSAY_SECRET_BYTES, Ed25519; any number of authors may use one
                                   * node, but one author only one node at a time */
    struct hsay_span payload;     /* at most HSAY_PAYLOAD_MAX_BYTES, less with many parents */

    /* The sequence and global time to have at least; 0: what follows from the store.  For who keeps
     * a mark of the author's log apart from the store: a store that was lost and is empty again
     * would begin anew at sequence 1, and two bundles with one sequence are held against their
     * author.  HSAY_EBUDGET while time_min is beyond what others would accept. */
    uint64_t sequence_min;
    uint64_t time_min;
};

/* Signs, stores and (unless pull_only) mails 10 ms later.  The id goes to *id; an event tells of
 * the bundle, with `own`.  It is durable after the store's next commit.  HSAY_EINVAL: too large, a
 * bad field, expired, or the author's log is forked; HSAY_ENOENT: no such overlay; HSAY_EBUDGET:
 * our global time is at its limit for some seconds; HSAY_ENOSPC, HSAY_ENOMEM, HSAY_ECORRUPT,
 * HSAY_ESTORE: the store.  On failure nothing was published. */
int hsay_node_on_publish(struct hsay_node *node, struct hsay_now now,
                         const struct hsay_draft *draft, struct hsay_id *id,
                         struct hsay_outbox *out);

/* Send an ephemeral message to peers of the overlay that are reachable now, at most 16 drawn at
 * random, or to `to` alone; NULL: to all of these.  Returns how many it went to, 0 included;
 * whether it came, nobody tells.  payload: at most HSAY_PAYLOAD_MAX_BYTES; type: up to
 * HSAY_TIME_MAX.  HSAY_EINVAL; HSAY_ENOENT: no such overlay, or `to` is no candidate. */
int hsay_node_on_direct(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                        const struct hsay_peer *to, uint64_t type, struct hsay_span payload,
                        struct hsay_outbox *out);

/* The verdict on a bundle of an HSAY_EVENT_VERIFY, in any order, from the node's thread: `from` and
 * `bundle` are (copies of) peer and bytes of the event.  A bundle that is never judged is offered
 * again.  HSAY_ENOENT: no such overlay; the store's errors. */
int hsay_node_on_verdict(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                         const struct hsay_peer *from, struct hsay_span bundle, bool good,
                         struct hsay_outbox *out);

/* Ask a peer, which the node chooses, for bundles by digest, 1 to 48 of them.  What comes is told
 * as HSAY_EVENT_BUNDLE; what the peer lacks, nobody tells.  HSAY_EINVAL: count; HSAY_ENOENT: no
 * such overlay; HSAY_EBUDGET: nobody can be asked now. */
int hsay_node_on_fetch(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                       const struct hsay_digest *digest, size_t count, struct hsay_outbox *out);

/* ---- what a node can tell ----------------------------------------------------------------- */

/* Why a packet or bundle was refused.  Order: from cheap to dear, as they are checked. */
enum hsay_drop {
    HSAY_DROP_LENGTH,
    HSAY_DROP_VERSION,
    HSAY_DROP_OVERLAY,   /* unknown overlay tag */
    HSAY_DROP_SELF,      /* from us, or so it says; or from where nobody can be (port 0 ...) */
    HSAY_DROP_RATE,      /* too many packets without a token from this network group */
    HSAY_DROP_TOKEN,     /* a token was shown that we did not make, or too long ago */
    HSAY_DROP_AGREE,     /* no budget for a stranger's key */
    HSAY_DROP_SEAL,      /* not sealed for us */
    HSAY_DROP_DECODE,    /* sealed well, but no message */
    HSAY_DROP_FIRST,     /* sealed to the overlay, but no introduction-request */
    HSAY_DROP_REPLAY,    /* a request id answered before */
    HSAY_DROP_UNASKED,   /* an answer, puncture or mail that nothing entitles the sender to */
    HSAY_DROP_PUNCTURE,  /* a puncture request that may not be obeyed */
    HSAY_DROP_INTRO,     /* an introduction that was not asked for, or to where we never send */
    HSAY_DROP_PLACE,     /* an address in our LAN, told by somebody outside */
    HSAY_DROP_CLAIM,     /* a filter over the bounds: fill, work */
    HSAY_DROP_LEDGER,    /* we would have had to send more than the ledger allows */
    HSAY_DROP_OUTBOX,    /* the outbox had no room */
    HSAY_DROP_DUPLICATE, /* a bundle we hold */
    HSAY_DROP_BUNDLE,    /* no canonical encoding */
    HSAY_DROP_EXPIRED,
    HSAY_DROP_WINDOW, /* global time too far ahead */
    HSAY_DROP_SIGNATURE,
    HSAY_DROP_FORGER, /* no budget for signatures from this network group */
    HSAY_DROP_FORK,   /* a third bundle in one slot, or one above a proven fork */
    HSAY_DROP_ORDER,  /* time does not rise with the author's sequence */
    HSAY_DROP_FULL,   /* the store refused it */
    HSAY_DROP_COUNT,
};

/* Names for logs and metrics: lower case, static, fixed for ever; "unknown" past the end. */
const char *hsay_drop_name(enum hsay_drop drop);       /* "token" */
const char *hsay_bucket_name(enum hsay_bucket bucket); /* "contacted" */

enum hsay_counter {
    HSAY_COUNT_PACKETS_IN,
    HSAY_COUNT_PACKETS_OUT,
    HSAY_COUNT_BYTES_IN,
    HSAY_COUNT_BYTES_OUT,
    HSAY_COUNT_STEPS,          /* introduction-requests sent */
    HSAY_COUNT_ANSWERED,       /* of these, answered */
    HSAY_COUNT_TIMEOUTS,       /* not answered in time */
    HSAY_COUNT_REQUESTS,       /* introduction-requests answered by us */
    HSAY_COUNT_INTRODUCED_IN,  /* introductions received */
    HSAY_COUNT_INTRODUCED_OUT, /* and given */
    HSAY_COUNT_PUNCTURES_ASKED,
    HSAY_COUNT_PUNCTURES_OUT,
    HSAY_COUNT_PUNCTURES_IN,
    HSAY_COUNT_BUNDLES_OUT, /* copies sent */
    HSAY_COUNT_BUNDLES_IN,  /* copies received */
    HSAY_COUNT_BUNDLES_NEW, /* stored for the first time, own ones not counted */
    HSAY_COUNT_BUNDLES_OWN,
    HSAY_COUNT_BUNDLE_BYTES_OUT, /* canonical bytes of copies sent */
    HSAY_COUNT_BUNDLE_BYTES_IN,
    HSAY_COUNT_MAIL_OUT, /* of the copies sent, by direct mail or wanted rumor */
    HSAY_COUNT_CLAIMS_SUM,
    HSAY_COUNT_CLAIMS_FILTER,
    HSAY_COUNT_SAME,           /* answers that found nothing to do */
    HSAY_COUNT_AGREEMENTS,     /* X25519 computed */
    HSAY_COUNT_VERIFIED,       /* signatures checked */
    HSAY_COUNT_WAYS_TRIED,     /* second addresses of peers asked, besides what the walk asks */
    HSAY_COUNT_WAYS_FOUND,     /* of these, answered */
    HSAY_COUNT_PROBES_OUT,     /* questions and probes that measure for how long mappings live */
    HSAY_COUNT_KEEPALIVES_OUT, /* sent for nothing but to keep mappings */
    HSAY_COUNT_SEARCHES,       /* for ports, begun */
    HSAY_COUNT_SEARCHES_MET,   /* of these, that met whom they were for */
    HSAY_COUNTER_COUNT,
};
const char *hsay_counter_name(enum hsay_counter counter); /* "packets_in" */

/* How an attempt ended to reach somebody whom a peer had introduced and asked to puncture. */
enum hsay_attempt {
    HSAY_ATTEMPT_CONNECTED, /* it answered */
    HSAY_ATTEMPT_FAILED,    /* it did not, in time */
    HSAY_ATTEMPT_PUNCTURED, /* of both: its puncture had come to us by then */
    HSAY_ATTEMPT_COUNT,
};
const char *hsay_attempt_name(enum hsay_attempt outcome); /* "connected" */
const char *hsay_nat_name(enum hsay_nat_kind kind);       /* "symmetric" */
const char *hsay_filter_name(enum hsay_filter_kind kind); /* "address" */

/* Valid as long as the node, or what it was given to count in; read it between calls.  Counters
 * never go back. */
struct hsay_node_stats {
    uint64_t count[HSAY_COUNTER_COUNT];
    uint64_t drop[HSAY_DROP_COUNT];

    /* By our own NAT as we knew it at the end of the attempt, that of the other, the family (0:
     * IPv4, 1: IPv6) and the outcome.  The other's is what it says of itself when it answers, else
     * what the introduction said; nobody says "independent", which is counted as unknown.
     *
     * An attempt is the first request to somebody of whom only an introduction is known, by a peer
     * of another network group: one who never answered us, and never showed that it hears us.  It
     * counts once, even if the puncture corrects the port and it is asked there anew. */
    uint64_t attempt[HSAY_NAT_KINDS][HSAY_NAT_KINDS][2][HSAY_ATTEMPT_COUNT];
};
const struct hsay_node_stats *hsay_node_stats(const struct hsay_node *node);

/* Our X25519 public key, by which peers know this node.  Valid as long as the node. */
const struct hsay_key *hsay_node_key(const struct hsay_node *node);

struct hsay_overlay_status {
    struct hsay_key overlay;
    bool synced;               /* the last full comparison found nothing missing */
    bool ever_contacted;       /* a request of ours was answered */
    uint64_t global_time;      /* highest held */
    uint64_t time_limit;       /* highest acceptable now */
    uint64_t missing_estimate; /* bundles that some peer holds more than we do, at most */
    uint16_t bucket_count[HSAY_BUCKET_COUNT];
    hsay_time last_contact; /* last answer to a request of ours; only if ever_contacted */
    struct hsay_store_info store;
    struct hsay_sum sum;  /* of all that is held */
    uint64_t fingerprint; /* of that sum, as it goes over the wire */
};
/* HSAY_ENOENT, or what the store's sum returns. */
int hsay_node_overlay_status(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                             struct hsay_overlay_status *out);

struct hsay_peer_status {
    struct hsay_peer peer;
    uint8_t bucket;    /* enum hsay_bucket */
    bool token;        /* we hold a token for it */
    bool symmetric;    /* its NAT maps each destination to a port of its own */
    bool answered;     /* it has answered us, however long ago */
    uint64_t age_ms;   /* since it was last heard of in the way of its bucket; as below */
    uint64_t asked_ms; /* since we last asked it; UINT64_MAX: never */
    uint32_t rtt_us;   /* 0: not known */
    uint32_t timeouts; /* in a row */
};
/* The `index`-th candidate of an overlay, in no order; valid until the next call that is told
 * something.  HSAY_ENOENT past the last, or no such overlay. */
int hsay_node_peer_at(const struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                      size_t index, struct hsay_peer_status *out);

/* The `index`-th entry of the address book: peers that answered us, newest first.  To be kept over
 * a restart and given back by hsay_node_add_peer as HSAY_BUCKET_BOOK.  HSAY_ENOENT as above. */
int hsay_node_book_at(const struct hsay_node *node, uint16_t overlay, size_t index,
                      struct hsay_peer *out);

/* What others say our address is.  family: HSAY_ADDR_IP4 or HSAY_ADDR_IP6.  HSAY_ENOENT when nobody
 * said anything. */
struct hsay_address_status {
    struct hsay_addr addr;
    uint8_t kind;   /* enum hsay_nat_kind */
    bool confirmed; /* enough network groups agree */
    uint16_t votes; /* network groups that said something */

    /* What comes through, as it has shown in the last ten minutes; see nat/filter.h. */
    uint8_t filtering;        /* enum hsay_filter_kind */
    uint8_t filtering_groups; /* network groups that show it */
    struct {
        uint8_t let_in;     /* network groups of peers that came in without having been sent to */
        uint8_t other_port; /* that came in from another port than was sent to */
        uint8_t kept_out;   /* whose puncture did not come in before we sent to them */
        uint8_t unheard;    /* behind a symmetric NAT, that did not come in though we sent there */
    } filtering_signs;
};
int hsay_node_address(const struct hsay_node *node, struct hsay_now now, uint8_t family,
                      struct hsay_address_status *out);

/* The `index`-th vote on our address, in no order: a peer of that network group, whom we asked, saw
 * us there.  HSAY_ENOENT past the last.  See nat/vote.h for what follows from them. */
struct hsay_vote_status {
    struct hsay_addr network; /* the group, as its first address; NONE if that can not be told */
    uint8_t network_bits;     /* that its members have in common; the port, too, if it is not 0 */
    struct hsay_addr seen;
    uint64_t age_ms;
};
int hsay_node_vote_at(const struct hsay_node *node, struct hsay_now now, size_t index,
                      struct hsay_vote_status *out);

/* For how long the NAT in front of us keeps a mapping that carried something both ways, when
 * nothing goes through it; measured on our own paths, a minute or two after the first contact with
 * a peer that anybody can reach, and every twenty minutes.  HSAY_ENOENT: sockets_max is below
 * HSAY_SOCKETS_LIFETIME. */
struct hsay_lifetime_status {
    uint32_t at_least_ms;      /* one lived through such a silence; 0: not known */
    uint32_t below_ms;         /* and none of two through such a one; 0: not known */
    uint32_t lone_at_least_ms; /* as at_least_ms, of one that carried a lone question and its
                                * answer: 0, 28 s or 58 s */
    uint32_t trials;           /* that told something, since the start or hsay_node_wake */
    uint32_t keep_ms; /* a path through which we send nothing for so long gets a datagram; 0: no
                       * need, or no use */
    uint16_t paths;   /* that are watched for that */
    bool measuring;
};
int hsay_node_lifetime(const struct hsay_node *node, struct hsay_now now,
                       struct hsay_lifetime_status *out);

/* A claim such as the next request could carry, for people who want to look at one.  Changes
 * nothing.  `bits` has HSAY_FILTER_MAX_BYTES and must live as long as the claim's span is read.
 * HSAY_ENOENT, or what the store returns. */
struct hsay_claim_status {
    uint8_t kind; /* as HSAY_STEP_CLAIM_KIND */
    uint8_t hashes;
    struct hsay_range range;
    uint64_t count;
    uint64_t fingerprint;
    uint64_t salt;
    struct hsay_span bits;
};
int hsay_node_claim_preview(struct hsay_node *node, struct hsay_now now, uint16_t overlay,
                            uint8_t *bits, struct hsay_claim_status *out);

/* ---- the library -------------------------------------------------------------------------- */

/* Rises when a call, a field or a value goes away or changes its meaning.  A program whose
 * HSAY_API_VERSION is not what hsay_api_version returns was compiled for another library. */
enum { HSAY_API_VERSION = 1 };
int hsay_api_version(void);

#endif
