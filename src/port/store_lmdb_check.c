/*
 * What LMDB takes for granted, looked at beforehand: that each table has as many entries as its
 * head says, in rising order, with values inside the file; that a value with pages of its own has
 * as many as it needs (a removal gives back as many as the first of them says); and that the lists
 * of free pages name pages of the file, each list in falling order (what is written next goes
 * there).
 *
 * It costs one look at each page but those in the middle of long values.
 */
#include "src/port/store_lmdb_check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hearsay/error.h"
#include "src/port/store_lmdb_env.h"

enum {
    FREE_TABLE = 0,    /* LMDB's own number for it */
    FREE_PAGE_MIN = 2, /* 0 and 1 are the heads of the file */
    NAME_BYTES_MAX = 2 * HSAY_KEY_BYTES,
    /* A page's head as LMDB 0.9 writes it: number, padding, flags, count of pages. */
    PAGE_FLAGS = sizeof(size_t) + 2,
    PAGE_COUNT = sizeof(size_t) + 4,
    PAGE_HEAD_BYTES = sizeof(size_t) + 8,
    PAGE_IS_LONG = 0x04,
};

struct table {
    const struct hsay_lmdb *env;
    MDB_txn *txn;
    MDB_dbi number;
    uint64_t page_last;
    int (*entry)(const struct table *table, const MDB_val *key, const MDB_val *value);
};

/* Only a value with pages of its own begins right behind a page's head.  Where pages are larger
 * than the system's, memory does not tell where they begin. */
static bool value_is_long(const struct hsay_lmdb *env, const MDB_val *value)
{
    return env->page_bytes <= (uint64_t)sysconf(_SC_PAGESIZE) &&
           (uintptr_t)value->mv_data % env->page_bytes == PAGE_HEAD_BYTES;
}

static int value_check(const struct table *table, const MDB_val *value)
{
    const uint8_t *byte = value->mv_data;
    uint16_t flags;
    uint32_t count;
    if (value->mv_size / table->env->page_bytes > table->page_last)
        return HSAY_ECORRUPT;
    if (value->mv_size > 0)
        (void)*(const volatile uint8_t *)&byte[value->mv_size - 1]; /* is there such a byte? */
    if (!value_is_long(table->env, value))
        return 0;
    memcpy(&flags, byte - PAGE_HEAD_BYTES + PAGE_FLAGS, sizeof flags);
    memcpy(&count, byte - PAGE_HEAD_BYTES + PAGE_COUNT, sizeof count);
    uint64_t need = (PAGE_HEAD_BYTES + value->mv_size - 1) / table->env->page_bytes + 1;
    return flags == PAGE_IS_LONG && count >= need && count <= table->page_last ? 0 : HSAY_ECORRUPT;
}

static int entries_walk(const struct table *table, MDB_cursor *cursor, uint64_t count)
{
    MDB_val key, value, before = {0};
    uint64_t seen = 0;
    int walk, rc = 0;
    while (rc == 0 && (walk = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if (seen++ == count || (seen > 1 && mdb_cmp(table->txn, table->number, &before, &key) >= 0))
            return HSAY_ECORRUPT;
        before = key;
        rc = value_check(table, &value);
        if (rc == 0 && table->entry != NULL)
            rc = table->entry(table, &key, &value);
    }
    if (rc != 0)
        return rc;
    return walk == MDB_NOTFOUND && seen == count ? 0 : HSAY_ECORRUPT;
}

static int table_walk(const struct table *table)
{
    MDB_stat stat;
    MDB_cursor *cursor;
    unsigned flags = 0;
    int rc = mdb_stat(table->txn, table->number, &stat);
    if (rc == 0 && table->number != FREE_TABLE)
        rc = mdb_dbi_flags(table->txn, table->number, &flags);
    if (rc == 0 && flags != 0)
        return HSAY_ECORRUPT; /* we make none with any */
    if (rc == 0)
        rc = mdb_cursor_open(table->txn, table->number, &cursor);
    if (rc != 0)
        return hsay_lmdb_error(rc);
    rc = entries_walk(table, cursor, stat.ms_entries);
    mdb_cursor_close(cursor);
    return rc;
}

/* A list of free pages: their count, then their numbers from the last to the first. */
static int free_list(const struct table *table, const MDB_val *key, const MDB_val *value)
{
    const uint8_t *byte = value->mv_data;
    size_t count, page, before = (size_t)table->page_last + 1;
    if (key->mv_size != sizeof(size_t) || value->mv_size < sizeof count)
        return HSAY_ECORRUPT;
    memcpy(&count, byte, sizeof count);
    if (count > value->mv_size / sizeof page - 1)
        return HSAY_ECORRUPT;
    for (size_t i = 1; i <= count; i++) {
        memcpy(&page, byte + i * sizeof page, sizeof page);
        if (page < FREE_PAGE_MIN || page >= before)
            return HSAY_ECORRUPT;
        before = page;
    }
    return 0;
}

/* A transaction of its own for each table: its end gives the number back, of which there are few.
 */
static int named_table(const struct table *names, const MDB_val *key, const MDB_val *value)
{
    struct table table = *names;
    char name[NAME_BYTES_MAX + 1];
    (void)value;
    if (key->mv_size == 0 || key->mv_size > NAME_BYTES_MAX)
        return HSAY_ECORRUPT;
    memcpy(name, key->mv_data, key->mv_size);
    name[key->mv_size] = '\0';
    table.entry = NULL;
    int rc = mdb_txn_begin(names->env->mdb, NULL, MDB_RDONLY, &table.txn);
    if (rc != 0)
        return hsay_lmdb_error(rc);
    rc = mdb_dbi_open(table.txn, name, 0, &table.number);
    if (rc == 0)
        rc = table_walk(&table);
    else
        rc = rc == ENOMEM ? HSAY_ENOMEM : HSAY_ECORRUPT;
    mdb_txn_abort(table.txn);
    return rc;
}

int hsay_lmdb_check(struct hsay_lmdb *env)
{
    struct table table = {.env = env, .number = FREE_TABLE, .entry = free_list};
    MDB_envinfo info;
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &table.txn);
    if (rc != 0)
        return hsay_lmdb_error(rc);
    mdb_env_info(env->mdb, &info);
    table.page_last = info.me_last_pgno;
    rc = table_walk(&table);
    if (rc == 0)
        rc = hsay_lmdb_error(mdb_dbi_open(table.txn, NULL, 0, &table.number));
    if (rc == 0) {
        table.entry = named_table;
        rc = table_walk(&table);
    }
    mdb_txn_abort(table.txn);
    return rc;
}
