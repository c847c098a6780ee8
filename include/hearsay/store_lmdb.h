/*
 * The store port on LMDB: one environment (a folder) per process, one store per overlay in it.
 *
 * All stores of an environment share one write transaction.  The first put or remove of a loop turn
 * opens it; commit, of any of the stores or of the environment, ends it for all of them.  So:
 *
 *  - what several overlays took in during a turn costs one sync of the disk;
 *  - a span that one store handed out is valid until the next put, remove or commit of *any* of
 * them;
 *  - a commit that fails takes back what all of them put since the last one.
 *
 * A turn that brings more than `turn_changes` changes is committed in pieces, so that memory and
 * map stay bounded; then a failing commit takes back the last piece only.  Who relies on what is in
 * the store after a failed commit asks the store.
 *
 * Durability is LMDB's default: two syncs per commit, nothing lost or torn by a crash or a power
 * cut. LMDB itself has no checksums, so every body is held against its digest when it is read.
 *
 * One thread.  Never fork while an environment is open, and open a folder once: a second opener, in
 * this process or another, is refused.
 */
#ifndef HEARSAY_STORE_LMDB_H
#define HEARSAY_STORE_LMDB_H

#include "hearsay/crypto.h"
#include "hearsay/store.h"

enum {
    HSAY_LMDB_FORMAT = 1, /* other versions of the folder are refused */
    HSAY_LMDB_META_NAME_MAX_BYTES = 64,
    HSAY_LMDB_META_MAX_BYTES = 1 << 20,
};

struct hsay_lmdb;

/* Zero in a field means its default. */
struct hsay_lmdb_options {
    const char *path;       /* the folder; made, with mode 0700, if its parent is there */
    uint64_t map_bytes;     /* address space to begin with, 1 GiB; it grows by doubling */
    uint64_t map_bytes_max; /* the file will not be longer than this; no bound */
    uint32_t overlays_max;  /* 64 */
    uint32_t turn_changes;  /* puts and removes in one transaction, 1,024 */
    bool any_file_system;   /* take network file systems too, where locks and maps may lie */
    /* Called with a sentence when LMDB meets a page that cannot be, which no open looks for in all
     * of a file.  Nothing of the store may be called then; when it returns, the process aborts. */
    void (*on_damage)(const char *why);
};

struct hsay_lmdb_info {
    uint64_t map_bytes;
    uint64_t file_bytes; /* pages in use or to be used again */
};

/*
 * Opens or makes the folder.  On failure *out is NULL and `why` holds a sentence or two that say
 * what is wrong and how to mend it:
 *
 *   HSAY_EINVAL    not a folder, a network file system, or options that make no sense
 *   HSAY_EEXIST    another process has it open
 *   HSAY_EVERSION  made by another version
 *   HSAY_ECORRUPT  damaged, or not a store at all
 *   HSAY_ENOSPC    no space to begin with
 *   HSAY_EIO       the system refused, for one because the folder cannot be written; see errno
 *   HSAY_ENOMEM
 */
int hsay_lmdb_open(struct hsay_lmdb **out, const struct hsay_lmdb_options *options, char *why,
                   size_t why_size);

/* Closes the stores that are still open, too.  What was not committed is lost.  NULL is fine. */
void hsay_lmdb_close(struct hsay_lmdb *env);

/* As commit of a store.  Also ends the turn. */
int hsay_lmdb_commit(struct hsay_lmdb *env);

/* Lets go of the snapshot that reads hold.  To be called once per loop turn that does not commit: a
 * snapshot held for long keeps old pages from being used again, and the file grows. */
void hsay_lmdb_turn_end(struct hsay_lmdb *env);

void hsay_lmdb_info(const struct hsay_lmdb *env, struct hsay_lmdb_info *out);

/* Small things of the application's own, such as the address book, in the same transactions.  A
 * span that get hands out is valid as long as one from a store.  get: HSAY_ENOENT, HSAY_ESTORE.
 * put: as put of a store; HSAY_EINVAL where name or value are longer than the limits above, or name
 * is empty; an empty value takes the name away. */
int hsay_lmdb_meta_get(struct hsay_lmdb *env, const char *name, struct hsay_span *out);
int hsay_lmdb_meta_put(struct hsay_lmdb *env, const char *name, struct hsay_span value);

/*
 * Opens the store of one overlay and reads its indexes into memory: about 95 bytes a bundle, and a
 * second or two per million.  Commits what the environment has open.  quota_bytes bounds the
 * canonical bytes, 0 = no bound; the file takes about 110 bytes a bundle more.  `crypto` must
 * outlive the store.  A bundle whose stored record is damaged is taken away, as if it had never
 * come; *damaged (may be NULL) counts them.
 *
 * HSAY_EEXIST: open already; HSAY_ENOSPC: disk full or overlays_max reached; HSAY_ENOMEM;
 * HSAY_ESTORE.
 */
int hsay_store_lmdb_open(struct hsay_lmdb *env, const struct hsay_key *overlay,
                         uint64_t quota_bytes, const struct hsay_crypto *crypto,
                         struct hsay_store *out, uint64_t *damaged);

/* What it has put and not committed stays in the environment's transaction. */
void hsay_store_lmdb_close(struct hsay_store *store);

#endif
