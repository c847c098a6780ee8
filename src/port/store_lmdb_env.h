/*
 * What store_lmdb.c and store_lmdb_env.c share: the environment, its transactions, and what of a
 * store has to follow when a transaction is lost.  Not for others.
 */
#ifndef HEARSAY_STORE_LMDB_ENV_H
#define HEARSAY_STORE_LMDB_ENV_H

#include <lmdb.h>

#include "hearsay/store_lmdb.h"
#include "src/port/store_index.h"

/* What an index line of a store is made of, so that it can be taken away and put back. */
struct hsay_lmdb_line {
    struct hsay_position at;
    uint64_t arrival;
    uint64_t author_head; /* first 8 bytes of the author's key, big-endian */
    uint64_t sequence;
    uint64_t expiry_s;
    uint64_t bytes; /* canonical ones */
};

struct hsay_lmdb_undo {
    struct hsay_lmdb_line line;
    bool was_put;
};

struct hsay_lmdb_store {
    struct hsay_lmdb *env;
    struct hsay_lmdb_store *next;
    struct hsay_key overlay;
    const struct hsay_crypto *crypto;
    struct hsay_store_index index; /* marks are arrivals */
    struct hsay_ordset by_author;  /* author head, sequence, arrival */
    struct hsay_ordset by_expiry;  /* expiry, digest; only bundles that expire */
    struct hsay_lmdb_undo *undo;   /* room for env->turn_changes */
    uint64_t undo_count;
    uint64_t arrival_next;
    uint64_t quota_bytes;
    uint64_t bundle_bytes;
    MDB_dbi table;
    bool full;
};

struct hsay_lmdb {
    MDB_env *mdb;
    void (*on_damage)(const char *why);
    MDB_txn *write; /* NULL between turns */
    MDB_txn *read;  /* made once, then reset and renewed */
    MDB_dbi meta;
    struct hsay_lmdb_store *stores;
    uint64_t map_bytes;
    uint64_t map_bytes_max;
    uint64_t page_bytes;
    uint64_t turn_changes;
    uint64_t changes;     /* in this transaction */
    uint64_t changes_max; /* that this transaction has room for */
    uint64_t puts_max;    /* the same less the reserve for removes */
    int turn_error;       /* the turn was thrown away; the next commit says so */
    int lock_fd;
    bool read_active;
    bool broken;
};

static inline uint64_t hsay_lmdb_load_be64(const uint8_t *byte)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | byte[i];
    return value;
}

static inline void hsay_lmdb_store_be64(uint8_t *byte, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        byte[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* LMDB wants writable pointers even for what it only reads. */
static inline MDB_val hsay_lmdb_val(const void *data, size_t size)
{
    return (MDB_val){.mv_size = size, .mv_data = (void *)(uintptr_t)data};
}

/* True for the f_type of statfs(2) that stands for a file system of another machine. */
bool hsay_lmdb_is_remote(uint64_t file_system_type);

/* Our error for one of LMDB's or the system's. */
int hsay_lmdb_error(int rc);

/* The transaction to read in: the one that writes, or a snapshot that lasts until the turn ends. */
int hsay_lmdb_read_begin(struct hsay_lmdb *env, MDB_txn **txn);

enum hsay_lmdb_change { HSAY_LMDB_PUT, HSAY_LMDB_REMOVE };

/* Makes sure that env->write is there and has room for so many more changes. */
int hsay_lmdb_change_begin(struct hsay_lmdb *env, enum hsay_lmdb_change change, uint64_t count);

/* A change has failed in the middle: the turn is thrown away, all stores go back to the last
 * commit, and the next commit will say so.  Returns what the change is to return. */
int hsay_lmdb_turn_fail(struct hsay_lmdb *env, int error);

/* Room for a full turn, if the map may grow.  There must be no transaction. */
int hsay_lmdb_map_grow(struct hsay_lmdb *env);

/* In store_lmdb.c: gives a store's memory back; it is in no list. */
void hsay_lmdb_store_free(struct hsay_lmdb_store *store);

/* In store_lmdb.c: the store's indexes as they were at the last commit.  HSAY_ENOMEM: they are not.
 */
int hsay_lmdb_store_roll_back(struct hsay_lmdb_store *store);

#endif
