/*
 * The overlays that this node has joined, each with its store, in one LMDB folder.
 *
 * STATE/overlays remembers them, and the peers that were named for them while running; one a line,
 * mode 0600 because it holds their secrets, replaced as a whole so that a crash leaves the old or
 * the new one.
 */
#ifndef HEARSAY_DAEMON_OVERLAYS_H
#define HEARSAY_DAEMON_OVERLAYS_H

#include "hearsay/node.h"
#include "hearsay/store_lmdb.h"
#include "src/common/join.h"
#include "src/common/peer_name.h"
#include "src/daemon/conf.h"
#include "src/daemon/guard.h"
#include "src/daemon/marks.h"

struct daemon;

enum { OVERLAY_PEERS_MAX = 64, OVERLAYS_FILE_MAX_BYTES = 4 << 20 };

struct overlay {
    bool used;
    bool synced;
    uint16_t number; /* the node's */
    char name[JOIN_NAME_BYTES];
    struct join join;
    uint64_t quota_bytes;
    struct hsay_overlay_config config;
    struct hsay_store disk;  /* LMDB's port */
    struct hsay_store store; /* the same behind the guard: what the node uses */
    struct guard guard;
    struct mark mark;       /* of our own log */
    struct peer_name *peer; /* named while running */
    size_t peer_count;
};

struct overlays {
    struct hsay_lmdb *lmdb;
    struct guard_door door; /* shut: nothing can be stored for now */
    struct overlay item[CONF_OVERLAYS_MAX];
};

/* Opens the folder STATE/store.  An error of hsay_lmdb_open, with a sentence in `why`. */
int overlays_open(struct daemon *d, char *why, size_t why_size);

/* Joins what the file remembers and what the configuration names.  An error, with a sentence. */
int overlays_load(struct daemon *d, char *why, size_t why_size);

/* Closes the stores; the node must not be used afterwards. */
void overlays_close(struct daemon *d);

/* After HSAY_ESTORE: everything closed and opened again, all overlays joined anew. */
int overlays_reopen(struct daemon *d, char *why, size_t why_size);

/* HSAY_EEXIST: name or key are taken; HSAY_ENOSPC: overlays-max; what the store returns.  The file
 * is written before this returns; HSAY_EIO with errno if it cannot be, and nothing is joined. */
int overlays_join(struct daemon *d, const char *name, const struct join *join,
                  struct overlay **out);

/* Its bundles are removed.  An error of the store: joined no longer, but some are still there. */
int overlays_leave(struct daemon *d, struct overlay *overlay);

/* Remembers a peer, unless it is known.  HSAY_ENOSPC, HSAY_ENOMEM, HSAY_EIO with errno. */
int overlays_remember_peer(struct daemon *d, struct overlay *overlay, const struct peer_name *peer);

/* By name, by key or by the key's first 8 hex digits or more; "-": the only one.  NULL: there is
 * none, or more than one. */
struct overlay *overlays_find(struct daemon *d, const char *word);
struct overlay *overlays_numbered(struct daemon *d, uint16_t number);

/* For each: for (o = NULL; (o = overlays_next(d, o));) */
struct overlay *overlays_next(struct daemon *d, const struct overlay *before);

#endif
