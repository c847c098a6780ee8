/*
 * What a node is made of.  Private to src/node; each file there owns the functions on one kind of
 * state, and all of them reach the outside only through send.h and the outbox.
 */
#ifndef HEARSAY_NODE_STATE_H
#define HEARSAY_NODE_STATE_H

#include <assert.h>

#include "hearsay/node.h"
#include "nat/filter.h"
#include "nat/lifetime.h"
#include "nat/puncture.h"
#include "nat/vote.h"
#include "src/sync/answer.h"
#include "src/sync/claim.h"
#include "src/sync/receive.h"
#include "src/sync/rumor.h"
#include "src/walk/book.h"
#include "src/walk/pending.h"
#include "src/walk/walk.h"
#include "src/wire/gate.h"
#include "src/wire/keyring.h"
#include "src/wire/ledger.h"
#include "src/wire/seal.h"
#include "src/wire/token.h"

/*
 * Catching up: what decides when the next request goes out besides the walk's clock, what it
 * claims, and how much it asks for.  Receiver-driven: one request is out at a time, the next goes
 * when its answer is whole.
 */
struct hsay_catchup {
    hsay_time due;    /* ask again then; HSAY_TIME_NEVER: nothing to catch up with */
    uint64_t with;    /* whom to ask, as all peers here by its name (peer.h); 0: whoever suits */
    uint64_t hinted;  /* showed that it holds what we lack, while another was being asked */
    uint64_t richest; /* who held most when we last heard of it, and how much that was */
    uint64_t richest_holds;
    uint64_t outstanding; /* id of the request that is out; 0: none */
    uint64_t behind;      /* bundles that the peer in hand holds more than we, if known */
    int64_t probe_extra;  /* zooming: how many more it holds of the slice and its other half */
    struct hsay_range next_range; /* of the next claim, if next_ranged */
    uint16_t quiet;               /* filter answers in a row that brought nothing */
    uint16_t swept; /* with the peer in hand, of the digest space, in 1/65,536; 0 after a turn */
    uint32_t budget_bytes; /* asked for per request: doubles with answers, halves on much loss */
    uint8_t next_kind;     /* what the next request claims: HSAY_CLAIM_SUM or HSAY_CLAIM_BLOOM */
    bool next_ranged;      /* else of everything, or as the policy chooses */
    bool zooming;          /* in on a difference, by comparing halves */
    bool known_behind;     /* something differs, and no later comparison found all the same */
    bool synced;           /* the last comparison of everything found the same */
    bool levelled;         /* filters brought all that was known to be missing */
    bool brought;          /* something new came since the last step that was hastened for it */
    bool newest_same;      /* the newest were found the same with the peer in hand */
    uint8_t sames;         /* comparisons of everything in a row that found the same */
    uint8_t losses;        /* requests in a row that were not answered */
    uint8_t vain;          /* dialogues in a row that ended different and brought nothing */
    uint8_t hints;         /* others' claims followed in a row since anything new came */
    bool called;           /* `due` is for somebody who claimed that it holds what we lack */
};

/* What is kept of hsay_overlay_config: all but what `keys` follow from. */
struct hsay_overlay_ways {
    struct hsay_store store;
    uint32_t step_ms;
    uint32_t answer_bytes;
    uint32_t answer_bytes_max;
    uint32_t mail_fanout;
    uint32_t wait_ms;
    uint8_t policy;
    bool fixed_step;
    bool pull_only;
    bool no_step;
};

struct hsay_overlay {
    const struct hsay_seal_keys *keys; /* in the node's own_keys, or the caller's */
    struct hsay_overlay_ways config;
    struct hsay_candidates candidates;
    struct hsay_pendings pendings;
    struct hsay_book book;
    struct hsay_rumors rumors;
    struct hsay_window window;
    struct hsay_claims claims;
    struct hsay_catchup catchup;
    hsay_time step_due;
    hsay_time mail_due;
    hsay_time fresh_until; /* walking fast until then: just started, woken, or moved */
    hsay_time contact_at;  /* last answer to a request of ours; ns 0: never */
    uint32_t fresh_gap_ms;
    uint32_t steps;
    uint32_t known; /* candidates at the last step */
    uint8_t stale;  /* steps in a row that found nobody new; stops at the largest */
    bool used;
    uint16_t asking_s;   /* second at which we last began to ask around whether we have moved */
    uint8_t asking_left; /* hasty steps until that is over */
    struct hsay_walk walk;
};

enum hsay_trial_stage {
    HSAY_TRIAL_NONE = 0,
    HSAY_TRIAL_ASKED,
    HSAY_TRIAL_ANSWERED, /* to be asked once more */
    HSAY_TRIAL_ASKED_AGAIN,
    HSAY_TRIAL_SILENT,
    HSAY_TRIAL_PROBED,
};

/* Of nat/lifetime.h, from the socket of its number and one. */
struct hsay_trial {
    struct hsay_peer peer;   /* stays after the end: somebody else is to be next */
    struct hsay_token token; /* that it made for our port */
    uint64_t id;             /* of what was sent last */
    hsay_time due;           /* the next thing, or the end of patience */
    uint16_t port;           /* of ours, as it sees it */
    uint8_t overlay;
    uint8_t stage; /* enum hsay_trial_stage */
    uint8_t probes;
};

/* Ten: a contact in each of the walk's last ten steps, and as many as direct mail goes to. */
enum { HSAY_PATHS_MAX = 10 };

struct hsay_path {
    struct hsay_addr to;
    hsay_time first; /* when we began to watch it: it had been used just then */
    hsay_time sent;  /* when it was used last by us */
    uint8_t overlay;
    bool used;
    bool settled; /* it has been used for longer than NATs wait for a stream */
};

/* Only with sockets to measure from. */
struct hsay_measure {
    struct hsay_lifetime lifetime;
    hsay_time sent; /* anything, to anybody */
    struct hsay_trial trial[HSAY_LIFETIME_TRIALS];
    struct hsay_path path[HSAY_PATHS_MAX];
};

struct hsay_node {
    uint8_t secret[HSAY_KEY_BYTES];
    struct hsay_key key;
    uint8_t token_secret[32];
    struct hsay_rng rng;
    uint8_t overlays_max;
    bool verify_outside;
    uint32_t replay_max;
    struct hsay_crypto crypto;
    struct hsay_gate gate;
    struct hsay_keyring keyring;
    struct hsay_ledger ledger;
    struct hsay_vote_table votes;
    struct hsay_puncture_table punctures;
    struct hsay_addr bound; /* hsay_node_bound */
    uint16_t told[2]; /* what EVENT_ADDRESS said last of IPv4, IPv6, by a hash; 0: nothing yet */
    uint64_t *replay; /* ids answered lately, one place per hash; replay_max of them */
    uint64_t replay_salt;
    struct hsay_overlay *overlay;    /* overlays_max */
    struct hsay_seal_keys *own_keys; /* as many; NULL: they are given */
    struct hsay_node_stats *stats;
    struct hsay_extras *extras; /* NULL: a small node */
};

/* What small nodes do without, so that one pointer is all that it costs them.  Each may lack. */
struct hsay_extras {
    struct hsay_around *around;
    struct hsay_measure *measure; /* NULL: too few sockets for it */
    struct hsay_search *search;   /* NULL: likewise (search.h) */
};

static inline struct hsay_measure *hsay_node_measure(const struct hsay_node *node)
{
    return node->extras != NULL ? node->extras->measure : NULL;
}

static inline struct hsay_search *hsay_node_search(const struct hsay_node *node)
{
    return node->extras != NULL ? node->extras->search : NULL;
}

static_assert((int)HSAY_LIFETIME_TRIALS <= (int)HSAY_SOCKETS_LIFETIME, "one for each trial");

/* One call of the node: what every function below needs, and the packet in hand if there is one. */
struct hsay_call {
    struct hsay_node *node;
    struct hsay_overlay *overlay;
    uint16_t overlay_number;
    struct hsay_now now;
    struct hsay_outbox *out;
    int error; /* first error of our own side */

    uint16_t socket;                    /* that the packet in hand came to */
    struct hsay_peer from;              /* source address and node key of the packet in hand */
    struct hsay_ledger_account account; /* what it may cause */
    const uint8_t *pair_key;            /* 32 bytes: how to seal an answer */
    uint64_t group;                     /* network group of the source */
};

static inline struct hsay_chance hsay_call_chance(struct hsay_call *call)
{
    return (struct hsay_chance){&call->node->rng, &call->node->crypto};
}

/* What we learn of the NAT and the network that we are in, besides the votes. */
struct hsay_around {
    struct hsay_filter filter;
    struct hsay_addr bound_ip6;
};

static inline struct hsay_around *hsay_node_around(const struct hsay_node *node)
{
    return node->extras != NULL ? node->extras->around : NULL;
}

/* What our NAT filters; NULL: it is not to be known. */
static inline struct hsay_filter *hsay_node_filter(const struct hsay_node *node)
{
    struct hsay_around *around = hsay_node_around(node);
    return around != NULL ? &around->filter : NULL;
}

/* Where our socket is, for this family of addresses; a small node has one for all. */
static inline struct hsay_addr *hsay_node_bound(const struct hsay_node *node, uint8_t family)
{
    struct hsay_around *around = hsay_node_around(node);
    return around != NULL && family == HSAY_ADDR_IP6 ? &around->bound_ip6
                                                     : (struct hsay_addr *)&node->bound;
}

static inline void hsay_count(struct hsay_node *node, enum hsay_counter counter, uint64_t n)
{
    node->stats->count[counter] += n;
}

static inline void hsay_drop(struct hsay_node *node, enum hsay_drop reason)
{
    node->stats->drop[reason]++;
}

static inline void hsay_call_failed(struct hsay_call *call, int error)
{
    if (call->error == 0)
        call->error = error;
}

static inline bool hsay_key_is_zero(const struct hsay_key *key)
{
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof key->byte; i++)
        any |= key->byte[i];
    return any == 0;
}

#endif
