/*
 * The simulator: many hosts, one core, virtual time.
 *
 * A host is what a machine is to the daemon: a node of the core in its memory, a store, a socket's
 * address, a clock.  Hosts touch each other only by datagrams, and every datagram takes at least
 * the link model's least delay.  So time runs in windows of that length, within which shards of
 * hosts run on threads of their own; what a scenario does to the world (hosts coming and going,
 * publications, partitions) is done between windows, by one thread.  Events of one host are in
 * order of (time, source, number at the source); the result is the same for any number of threads.
 *
 * One way of data:   wheel -> host (core) -> outbox -> net (NAT, partition, link) -> wheel
 *
 * Whoever wants to know or to meddle registers an observer.  All memory is heap; a run that gets
 * none ends the program.
 */
#ifndef HEARSAY_LAB_SIM_H
#define HEARSAY_LAB_SIM_H

#include "hearsay/node.h"
#include "src/lab/sim/address.h"
#include "src/lab/sim/chance.h"
#include "src/lab/sim/crypto.h"
#include "src/lab/sim/depot.h"
#include "src/lab/sim/link.h"
#include "src/lab/sim/nat_box.h"
#include "src/lab/sim/population.h"
#include "src/lab/sim/store.h"
#include "src/lab/sim/wheel.h"

enum { LAB_SHARDS_MAX = 16, LAB_NS_PER_MS = 1000000, LAB_PORT = HSAY_PORT_DEFAULT };
#define LAB_NS_PER_S UINT64_C(1000000000)

/* How hosts come to know others when they go online. */
enum lab_bootstrap {
    LAB_BOOTSTRAP_TRACKERS = 0, /* the first hosts are named to all others, as trusted */
    LAB_BOOTSTRAP_RANDOM,       /* some hosts drawn at random stand in the address book */
    LAB_BOOTSTRAP_NONE,         /* somebody else tells them: lab_host_name */
};

/* Where hosts live in a run that says it, instead of drawing it from a population. */
struct lab_dwelling {
    struct lab_nat_draw behind; /* no two dwellings share a box */
    uint32_t hosts;             /* that live there, with consecutive numbers; one, if in the open */
    uint16_t port;              /* of the first one's node; the next one's is one more */
    bool apart;                 /* inside, they cannot reach each other directly */
};

struct lab_sim_config {
    uint64_t seed;
    uint32_t nodes;    /* honest hosts, 0 .. nodes - 1 */
    uint32_t extra;    /* hosts after these, for attackers: they run no node */
    unsigned shards;   /* threads, 1 .. LAB_SHARDS_MAX */
    bool crypto_real;  /* else counted: same sizes, same decisions, little work */
    bool shared_stats; /* core counters per shard, not per host: 400 bytes less for each */
    uint32_t networks; /* that the hosts' addresses lie in */
    struct hsay_node_config node;         /* template: the secret is drawn per host */
    struct hsay_node_config tracker_node; /* of the trackers, which know more peers */
    struct hsay_overlay_config overlay;   /* template: store is each host's own */
    struct lab_link_model link;
    struct lab_population population;
    uint32_t lan_hosts;                  /* that share a home's NAT; 0 and 1: one */
    const struct lab_dwelling *dwelling; /* of all hosts after the trackers, in order, instead of
                                          * these two; needed until lab_sim_new returns */
    bool no_beacons;                     /* who shares a home is not told of the others there */
    enum lab_bootstrap bootstrap;
    uint32_t trackers;    /* how many, or how many at random */
    uint64_t quota_bytes; /* per store; 0: none */
};

enum lab_host_flag {
    LAB_HOST_ONLINE = 1 << 0,
    LAB_HOST_EXTRA = 1 << 1,  /* no node: an observer answers for it */
    LAB_HOST_MARKED = 1 << 2, /* for whoever needs a mark: victims, measured ones */
};

struct lab_host {
    struct hsay_node *node;      /* NULL while it is off */
    void *memory;                /* where it lives */
    struct lab_saved_book *book; /* while it is off: its address book */
    struct lab_store store;
    struct lab_chance chance; /* of its datagrams' ways */
    struct lab_link_state link;
    struct hsay_addr addr; /* of its socket: inside its NAT if it has one */
    uint32_t box;          /* its NAT: number + 1; 0: none */
    uint32_t serial;       /* events that it caused */
    uint32_t timer;        /* number of the one that counts */
    uint32_t lives;        /* times it went online */
    uint32_t wipes;        /* times it came back without its store: who it is */
    uint64_t timer_ns;     /* when that one happens; UINT64_MAX: none set */
    uint64_t online_ns;    /* since when it is on */
    uint64_t skew_ns;      /* its clock is ahead of the world's by this */
    uint64_t bytes_out, bytes_in;
    uint32_t datagrams_out, datagrams_in;
    uint32_t published;
    uint8_t flags; /* enum lab_host_flag */
    uint8_t region;
    uint8_t side; /* of a partition */
    uint8_t shard;
};

/* A home's NAT, or a carrier's around some of those. */
struct lab_site {
    struct lab_nat_box box;
    struct lab_nat_kind kind; /* what box.kind points to */
    struct lab_chance chance;
    struct hsay_addr outside; /* the box's own address: public, or inside its carrier's */
    uint32_t parent;          /* number + 1; 0: outside is public */
    uint32_t *home; /* of a carrier: numbers of the homes behind it; NULL: this is a home */
    uint32_t first_host;
    uint32_t inside_count; /* hosts or homes */
    bool apart;            /* its hosts reach each other only by the outside, if at all */
};

struct lab_datagram {
    struct lab_event event;
    struct hsay_addr from, to;
    uint32_t sender; /* host */
    uint16_t size;
    uint8_t bytes[];
};

enum lab_loss {
    LAB_LOST_LINK,  /* the link model's chance */
    LAB_LOST_QUEUE, /* its queue was full */
    LAB_LOST_MTU,
    LAB_LOST_PARTITION,
    LAB_LOST_NAT_OUT, /* blocked, or no mapping to be had */
    LAB_LOST_NAT_IN,  /* filtered */
    LAB_LOST_NOBODY,  /* no host has the address, or it is off */
    LAB_LOST_COUNT,
};
const char *lab_loss_name(enum lab_loss loss);

struct lab_sim;

/* One thread's part of the world. */
struct lab_shard {
    struct lab_sim *sim;
    unsigned number;
    uint64_t now_ns;
    struct lab_wheel wheel;
    struct lab_crypto crypto;
    struct hsay_crypto crypto_port;
    struct hsay_outbox out;
    struct hsay_node_stats stats;           /* of its hosts, with shared_stats */
    struct lab_event *sent[LAB_SHARDS_MAX]; /* to hosts of others, until the window ends */
    uint64_t events, datagrams, datagram_bytes;
    uint64_t lost[LAB_LOST_COUNT];
    uint64_t drop_early;
};

/* What a call of a core was, for observers. */
enum lab_call_kind { LAB_CALL_PACKET, LAB_CALL_TIME, LAB_CALL_PUBLISH, LAB_CALL_OTHER };
struct lab_call {
    enum lab_call_kind kind;
    uint32_t host;
    const struct hsay_packet *packet; /* of LAB_CALL_PACKET */
    int result;                       /* what the core returned */
    const struct hsay_outbox *out;    /* what it wants done; the store is not yet committed */
};

/* How the turn that a call began came to its end. */
enum lab_turn_end {
    LAB_TURN_COMMITTED, /* and its letters are under way */
    LAB_TURN_REFUSED,   /* the store could not commit: nothing was sent */
    LAB_TURN_CRASHED,   /* the host died before the commit, and has not started again */
};

/* Functions may be NULL.  Those with a shard run in its thread: they may touch the state of the
 * host in question and of the shard, or what they protect themselves; the sum of what several
 * threads wrote must not depend on their order. */
struct lab_observer {
    void *self;
    void (*on_call)(void *self, struct lab_shard *shard, const struct lab_call *call);
    void (*on_event)(void *self, struct lab_shard *shard, uint32_t host,
                     const struct hsay_event *event); /* after the commit */
    /* Before the NAT and the link; false: it goes no further. */
    bool (*on_send)(void *self, struct lab_shard *shard, uint32_t host,
                    const struct hsay_letter *letter);
    /* A datagram reaches a host without a node. */
    void (*on_extra)(void *self, struct lab_shard *shard, uint32_t host,
                     const struct lab_datagram *datagram);
    /* After a call and before its commit: true and the host crashes now (what was not committed is
     * lost, letters are not sent); it starts again at once with its store. */
    bool (*crash)(void *self, struct lab_shard *shard, uint32_t host);
    /* The call is over; its outbox is as it was, the store as it will be found by the next. */
    void (*on_turn)(void *self, struct lab_shard *shard, const struct lab_call *call,
                    enum lab_turn_end end);
    /* A host went online or off.  No thread is running. */
    void (*on_life)(void *self, struct lab_sim *sim, uint32_t host, bool online);
};
enum { LAB_OBSERVERS_MAX = 16 };

/* Something that happens to the world between windows. */
typedef void (*lab_deed)(struct lab_sim *sim, void *self, uint64_t number);

struct lab_sim {
    struct lab_sim_config config;
    uint64_t now_ns; /* where all shards stand when none is running */
    uint64_t window_ns;
    struct lab_host *host;
    uint32_t host_count;
    struct lab_site *site;
    uint32_t site_count, site_max;
    struct lab_addresses addresses;
    struct lab_depot depot;
    struct lab_crypto_world crypto;
    struct hsay_key overlay;
    struct hsay_seal_keys keys; /* what follows from it, for all nodes */
    struct lab_shard *shard;
    struct lab_agenda *agenda;
    struct lab_threads *threads;
    struct lab_observer observer[LAB_OBSERVERS_MAX];
    unsigned observer_count;
    uint32_t *online; /* hosts that are, in no order of meaning, and where each stands */
    uint32_t *online_at;
    uint32_t online_count;
    bool partitioned[8][8]; /* from side, to side: nothing passes */
    bool stopped;
    uint64_t windows;
};

/* Time begins at 1 s: 0 means "never" to the core.  Wall clock 2023-11-14. */
#define LAB_START_NS     LAB_NS_PER_S
#define LAB_START_WALL_S UINT64_C(1700000000)

/* `config` is copied.  No host is online. */
struct lab_sim *lab_sim_new(const struct lab_sim_config *config);
void lab_sim_free(struct lab_sim *sim);

/* Until this much time has passed since the start, or lab_sim_stop was called in a deed. */
void lab_sim_run_until(struct lab_sim *sim, uint64_t elapsed_ns);
void lab_sim_stop(struct lab_sim *sim);
static inline uint64_t lab_sim_elapsed_ns(const struct lab_sim *sim)
{
    return sim->now_ns - LAB_START_NS;
}

/* Do it when this much time has passed since the start (at once, if it has); deeds of one instant
 * in the order in which they were asked for. */
void lab_sim_at(struct lab_sim *sim, uint64_t elapsed_ns, lab_deed deed, void *self,
                uint64_t number);

void lab_sim_observe(struct lab_sim *sim, const struct lab_observer *observer);

/* ---- what deeds do (no thread is running) ---- */

/* Links are like this from now on; the model is prepared. */
void lab_sim_relink(struct lab_sim *sim, const struct lab_link_model *link);

/* keep_store: what was committed is still there; keep_addr: as is the address (a new one on the
 * first start; a tracker keeps its own in any case, since it is known by nothing else).  A host
 * without its store is a new node: its key is new, too. */
struct lab_return {
    bool keep_store;
    bool keep_addr;
};
void lab_host_start(struct lab_sim *sim, uint32_t host, const struct lab_return *how);
void lab_host_stop(struct lab_sim *sim, uint32_t host);

/* Its machine's clock is ahead from now on, as after a sleep. */
void lab_host_skew(struct lab_sim *sim, uint32_t host, uint64_t ahead_ns);

/* Each host is one author.  0; what hsay_node_on_publish returns; or HSAY_ESTORE: it could not be
 * made durable, and is gone.  id may be NULL. */
int lab_host_publish(struct lab_sim *sim, uint32_t host, struct hsay_span payload, uint64_t type,
                     struct hsay_id *id);

/* `i` is told of `j`, by the address that the world sees (zero key). */
int lab_host_name(struct lab_sim *sim, uint32_t i, uint32_t j, enum hsay_bucket bucket);

/* The address by which others reach it, if anybody can: that of its outermost NAT. */
struct hsay_addr lab_host_public(const struct lab_sim *sim, uint32_t host);

struct hsay_now lab_host_now(const struct lab_sim *sim, const struct lab_host *host,
                             uint64_t now_ns);

/* A datagram from a host without a node, or a forged one: `from` may be any address; it goes
 * through no NAT of the sender.  May be called by observers of the sender's shard. */
void lab_net_forge(struct lab_shard *shard, uint32_t sender, const struct hsay_addr *from,
                   const struct hsay_addr *to, struct hsay_span bytes);

static inline bool lab_host_is_online(const struct lab_host *host)
{
    return (host->flags & LAB_HOST_ONLINE) != 0;
}

/* Named to all others when they start. */
static inline bool lab_host_is_tracker(const struct lab_sim *sim, uint32_t host)
{
    return sim->config.bootstrap == LAB_BOOTSTRAP_TRACKERS && host < sim->config.trackers;
}

/* The tables that its node has. */
const struct hsay_node_config *lab_host_config(const struct lab_sim *sim, uint32_t host);

/* What the node of a host that is no tracker takes, without its store. */
size_t lab_node_bytes(const struct lab_sim *sim);

/* A host that is online, drawn from `chance`; LAB_NOBODY if there is none. */
uint32_t lab_sim_any(const struct lab_sim *sim, struct lab_chance *chance);

/* ---- what a run amounts to ---- */

struct lab_totals {
    uint64_t events, datagrams, datagram_bytes;
    uint64_t lost[LAB_LOST_COUNT];
    struct hsay_node_stats stats; /* of all that ever lived */
    struct lab_crypto_count crypto;
};
void lab_sim_totals(const struct lab_sim *sim, struct lab_totals *out);
void lab_stats_add(struct hsay_node_stats *sum, const struct hsay_node_stats *part);

/* Of the state of all nodes: candidates, counters, sums of stores, bytes.  Equal runs have equal
 * digests, in any process and with any number of threads. */
uint64_t lab_sim_digest(const struct lab_sim *sim);

#endif
