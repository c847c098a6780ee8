/*
 * The LMDB environment: folder, lock, version, transactions, map.  See store_lmdb.h.
 *
 * The table "hearsay" holds "format" -> version, and "m/" name -> the daemon's own things.
 *
 * The map.  LMDB cannot grow its map inside a transaction, and one that has hit the end of the map
 * can only be thrown away.  So before a transaction begins the map is made large enough for
 * `turn_changes` changes at the most pages that a change can take, and a turn that goes on longer
 * is committed in pieces.  Address space costs nothing; only map_bytes_max makes it scarce.
 *
 * A commit that fails leaves the disk as it was.  The indexes in memory follow by undo lists.
 */
#include "src/port/store_lmdb_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hearsay/error.h"

enum {
    /* A tree is at most 6 deep; a change copies its path and may split or join each node of it
     * once, and the pages that this frees must be listed: 2 * 6 + 1 and some. */
    CHANGE_PAGES = 16,
    TURN_CHANGES = 1024,
    OVERLAYS_MAX = 64,
    RESERVE_DIVISOR = 20,   /* with a bounded map, a twentieth is kept for removes */
    MAP_UNIT_BYTES = 65536, /* the map is a multiple of this, whatever the page size */
};

#define MAP_BYTES_DEFAULT (UINT64_C(1) << 30)

/* --- errors ---------------------------------------------------------------------------------- */

int hsay_lmdb_error(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return 0;
    case MDB_NOTFOUND:
        return HSAY_ENOENT;
    case ENOMEM:
        return HSAY_ENOMEM;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EIO: /* LMDB reports a short write, which is what a full disk does, as EIO */
        return HSAY_ENOSPC;
    default:
        return HSAY_ESTORE;
    }
}

__attribute__((format(printf, 4, 5))) static int fail(char *why, size_t why_size, int error,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (why_size > 0)
        vsnprintf(why, why_size, format, arguments);
    va_end(arguments);
    return error;
}

/* --- transactions ---------------------------------------------------------------------------- */

/* Every store as it was at the last commit.  Putting back what was removed may take memory; without
 * it index and disk would differ, and nothing more can be promised. */
static void env_roll_back(struct hsay_lmdb *env)
{
    for (struct hsay_lmdb_store *store = env->stores; store != NULL; store = store->next) {
        store->full = true;
        if (hsay_lmdb_store_roll_back(store) != 0)
            env->broken = true;
    }
}

void hsay_lmdb_turn_end(struct hsay_lmdb *env)
{
    if (env->read_active)
        mdb_txn_reset(env->read);
    env->read_active = false;
}

int hsay_lmdb_read_begin(struct hsay_lmdb *env, MDB_txn **txn)
{
    int rc = 0;
    if (env->write != NULL) {
        *txn = env->write;
        return 0;
    }
    if (!env->read_active) {
        if (env->read == NULL)
            rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &env->read);
        else
            rc = mdb_txn_renew(env->read);
        if (rc != 0)
            return hsay_lmdb_error(rc);
        env->read_active = true;
    }
    *txn = env->read;
    return 0;
}

/* After a write that failed: a file whose head could not be written is of no more use to LMDB. */
static void env_probe(struct hsay_lmdb *env)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(env->mdb, NULL, 0, &txn);
    if (rc == 0)
        mdb_txn_abort(txn);
    else if (rc == MDB_PANIC)
        env->broken = true;
}

/* The turn is thrown away in the middle; its commit will say so. */
int hsay_lmdb_turn_fail(struct hsay_lmdb *env, int error)
{
    if (env->write != NULL)
        mdb_txn_abort(env->write);
    env->write = NULL;
    env_roll_back(env);
    env_probe(env);
    env->turn_error = env->broken ? HSAY_ESTORE : HSAY_ENOSPC;
    return env->broken ? HSAY_ESTORE : error;
}

static int write_commit(struct hsay_lmdb *env)
{
    if (env->write == NULL)
        return 0;
    MDB_txn *txn = env->write;
    env->write = NULL;
    int rc = hsay_lmdb_error(mdb_txn_commit(txn));
    if (rc != 0) {
        env_roll_back(env);
        env_probe(env);
        return env->broken ? HSAY_ESTORE : HSAY_ENOSPC;
    }
    for (struct hsay_lmdb_store *store = env->stores; store != NULL; store = store->next)
        store->undo_count = 0;
    return 0;
}

int hsay_lmdb_commit(struct hsay_lmdb *env)
{
    hsay_lmdb_turn_end(env);
    int rc = env->turn_error != 0 ? env->turn_error : write_commit(env);
    env->turn_error = 0;
    return env->broken ? HSAY_ESTORE : rc;
}

/* --- room in the map ------------------------------------------------------------------------- */

static uint64_t pages_used(const struct hsay_lmdb *env)
{
    MDB_envinfo info;
    mdb_env_info(env->mdb, &info);
    return (uint64_t)info.me_last_pgno + 1;
}

static uint64_t pages_free(const struct hsay_lmdb *env)
{
    uint64_t all = env->map_bytes / env->page_bytes, used = pages_used(env);
    return all > used ? all - used : 0;
}

/* LMDB gives up the old map before it asks for the new one, so whether the system would grant it is
 * asked first. */
static bool map_would_fit(uint64_t bytes)
{
    if (bytes > SIZE_MAX)
        return false;
    void *map =
        mmap(NULL, (size_t)bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return false;
    munmap(map, (size_t)bytes);
    return true;
}

/* Doubles the map until a full turn fits in what is free, and a quarter of the map besides.  There
 * must be no transaction. */
int hsay_lmdb_map_grow(struct hsay_lmdb *env)
{
    uint64_t turn_bytes = env->turn_changes * CHANGE_PAGES * env->page_bytes;
    uint64_t used_bytes = pages_used(env) * env->page_bytes;
    uint64_t bytes = env->map_bytes;
    while (bytes < used_bytes + turn_bytes || bytes - used_bytes < bytes / 4)
        bytes *= 2;
    if (env->map_bytes_max != 0 && bytes > env->map_bytes_max)
        bytes = env->map_bytes_max;
    if (bytes <= env->map_bytes || !map_would_fit(bytes))
        return 0; /* then the turn has what there is */

    hsay_lmdb_turn_end(env);
    int rc = mdb_env_set_mapsize(env->mdb, (size_t)bytes);
    if (rc != 0) {
        env->broken = true;
        return HSAY_ESTORE;
    }
    env->map_bytes = bytes;
    return 0;
}

/* Pages that earlier transactions gave back, from LMDB's own table of them (number 0): each value
 * is a list that begins with its length.  The next transaction may not yet use those of the last.
 */
static uint64_t pages_reusable(struct hsay_lmdb *env)
{
    MDB_envinfo info;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t pages = 0;
    if (hsay_lmdb_read_begin(env, &txn) != 0 || mdb_cursor_open(txn, 0, &cursor) != 0)
        return 0;
    mdb_env_info(env->mdb, &info);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t txn_id, count;
        memcpy(&txn_id, key.mv_data, sizeof txn_id);
        memcpy(&count, value.mv_data, sizeof count);
        if (txn_id < info.me_last_txnid)
            pages += count;
    }
    mdb_cursor_close(cursor);
    hsay_lmdb_turn_end(env);
    return pages;
}

/* How many changes the next transaction can take for sure.  The lists of free pages are only read
 * when the map may not grow any further. */
static void room_measure(struct hsay_lmdb *env)
{
    uint64_t reserve_pages = 0;
    uint64_t pages = pages_free(env);
    if (pages / CHANGE_PAGES < env->turn_changes) {
        pages += pages_reusable(env);
        reserve_pages = env->map_bytes / env->page_bytes / RESERVE_DIVISOR;
    }
    uint64_t put_pages = pages > reserve_pages ? pages - reserve_pages : 0;
    env->changes = 0;
    env->changes_max = pages / CHANGE_PAGES;
    env->puts_max = put_pages / CHANGE_PAGES;
    if (env->changes_max > env->turn_changes)
        env->changes_max = env->turn_changes;
    if (env->puts_max > env->turn_changes)
        env->puts_max = env->turn_changes;
}

static int write_begin(struct hsay_lmdb *env)
{
    hsay_lmdb_turn_end(env);
    int rc = hsay_lmdb_map_grow(env);
    if (rc != 0)
        return rc;
    room_measure(env);
    rc = mdb_txn_begin(env->mdb, NULL, 0, &env->write);
    if (rc != 0) {
        env->write = NULL;
        env->broken = env->broken || rc == MDB_PANIC;
    }
    return hsay_lmdb_error(rc);
}

/* With nothing changed yet, a transaction without room for what is asked has none at all. */
int hsay_lmdb_change_begin(struct hsay_lmdb *env, enum hsay_lmdb_change change, uint64_t count)
{
    if (env->broken)
        return HSAY_ESTORE;
    if (env->turn_error != 0)
        return env->turn_error;

    for (int attempt = 0; attempt < 2; attempt++) {
        if (env->write == NULL) {
            int rc = write_begin(env);
            if (rc != 0)
                return rc;
        }
        uint64_t max = change == HSAY_LMDB_PUT ? env->puts_max : env->changes_max;
        if (env->changes + count <= max) {
            env->changes += count;
            return 0;
        }
        if (env->changes == 0)
            break;
        int rc = write_commit(env);
        if (rc != 0) {
            env->turn_error = rc;
            return rc;
        }
    }
    return HSAY_ENOSPC;
}

/* --- the daemon's own things ----------------------------------------------------------------- */

enum { META_KEY_BYTES = 2 + HSAY_LMDB_META_NAME_MAX_BYTES + 1 };

static int meta_key(char key[META_KEY_BYTES], const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > HSAY_LMDB_META_NAME_MAX_BYTES)
        return HSAY_EINVAL;
    snprintf(key, META_KEY_BYTES, "m/%s", name);
    return 0;
}

int hsay_lmdb_meta_get(struct hsay_lmdb *env, const char *name, struct hsay_span *out)
{
    char bytes[META_KEY_BYTES];
    MDB_txn *txn;
    int rc = meta_key(bytes, name);
    if (rc == 0)
        rc = hsay_lmdb_read_begin(env, &txn);
    if (rc != 0)
        return rc;
    MDB_val key = hsay_lmdb_val(bytes, strlen(bytes)), value;
    rc = hsay_lmdb_error(mdb_get(txn, env->meta, &key, &value));
    if (rc == 0)
        *out = (struct hsay_span){value.mv_data, value.mv_size};
    return rc;
}

int hsay_lmdb_meta_put(struct hsay_lmdb *env, const char *name, struct hsay_span value)
{
    char bytes[META_KEY_BYTES];
    int rc = meta_key(bytes, name);
    if (rc == 0 && value.size > HSAY_LMDB_META_MAX_BYTES)
        rc = HSAY_EINVAL;
    enum hsay_lmdb_change change = value.size == 0 ? HSAY_LMDB_REMOVE : HSAY_LMDB_PUT;
    if (rc == 0)
        rc = hsay_lmdb_change_begin(env, change,
                                    1 + value.size / (CHANGE_PAGES / 2 * env->page_bytes));
    if (rc != 0)
        return rc;
    MDB_val key = hsay_lmdb_val(bytes, strlen(bytes)), data = hsay_lmdb_val(value.data, value.size);
    if (change == HSAY_LMDB_REMOVE)
        rc = mdb_del(env->write, env->meta, &key, NULL);
    else
        rc = mdb_put(env->write, env->meta, &key, &data, 0);
    if (rc == MDB_NOTFOUND)
        return 0;
    return rc != 0 ? hsay_lmdb_turn_fail(env, hsay_lmdb_error(rc)) : 0;
}

void hsay_lmdb_info(const struct hsay_lmdb *env, struct hsay_lmdb_info *out)
{
    out->map_bytes = env->map_bytes;
    out->file_bytes = pages_used(env) * env->page_bytes;
}

/* --- opening the folder ---------------------------------------------------------------------- */

bool hsay_lmdb_is_remote(uint64_t file_system_type)
{
    static const uint32_t remote[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x01021997, /* 9P */
        0x65735546, /* FUSE: sshfs and its kin, which cannot be told from local ones */
        0x5346414f, /* AFS */
        0x00c36400, /* Ceph */
        0x73757245, /* Coda */
        0x7461636f, /* OCFS2 */
        0x01161970, /* GFS2 */
        0x0bd00bd0, /* Lustre */
    };
    for (size_t i = 0; i < sizeof remote / sizeof remote[0]; i++) {
        if ((uint32_t)file_system_type == remote[i])
            return true;
    }
    return false;
}

static int folder_check(const struct hsay_lmdb_options *options, char *why, size_t why_size)
{
    struct stat status;
    struct statfs file_system;
    if (mkdir(options->path, 0700) != 0 && errno != EEXIST)
        return fail(why, why_size, HSAY_EIO,
                    "cannot make the store folder %s: %s; make it by hand, or name another",
                    options->path, strerror(errno));
    if (stat(options->path, &status) != 0 || statfs(options->path, &file_system) != 0)
        return fail(why, why_size, HSAY_EIO, "cannot look at the store folder %s: %s",
                    options->path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return fail(why, why_size, HSAY_EINVAL,
                    "%s is not a folder; move the file away, or name another place for the store",
                    options->path);
    if (!options->any_file_system && hsay_lmdb_is_remote((uint64_t)file_system.f_type))
        return fail(why, why_size, HSAY_EINVAL,
                    "the store folder %s is on a network file system, where it could be damaged; "
                    "put it on a disk of this machine",
                    options->path);
    return 0;
}

/* Our own lock besides LMDB's: that one would let a second process in.  The holder's number is in
 * the file, for the sentence only. */
static int folder_lock(struct hsay_lmdb *env, const char *path, char *why, size_t why_size)
{
    char name[4096], holder[24] = "";
    snprintf(name, sizeof name, "%s/hearsay.lock", path);
    env->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (env->lock_fd < 0)
        return fail(why, why_size, HSAY_EIO,
                    "cannot write in the store folder %s: %s; give its owner, the user of this "
                    "program, the right to write in it",
                    path, strerror(errno));
    if (flock(env->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = pread(env->lock_fd, holder, sizeof holder - 1, 0);
        holder[size > 0 ? size : 0] = '\0';
        return fail(why, why_size, HSAY_EEXIST,
                    "the store folder %s is in use by another process (%s); stop that one, or give "
                    "this one a folder of its own",
                    path, holder[0] != '\0' ? holder : "number not known");
    }
    int size = snprintf(holder, sizeof holder, "%ld", (long)getpid());
    if (ftruncate(env->lock_fd, 0) != 0 || pwrite(env->lock_fd, holder, (size_t)size, 0) != size)
        holder[0] = '\0'; /* a full disk: the lock holds all the same */
    return 0;
}

#define DAMAGED                                                                                    \
    "the store in %s is damaged (%s); move the folder away and start with an empty one: peers "    \
    "will bring the bundles back"

static int mdb_failed(int rc, const char *path, char *why, size_t why_size)
{
    switch (rc) {
    case MDB_VERSION_MISMATCH:
        return fail(
            why, why_size, HSAY_EVERSION,
            "the store in %s was made by another version of LMDB; use that version, or move "
            "the folder away and start with an empty one",
            path);
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return fail(why, why_size, HSAY_ECORRUPT, DAMAGED, path, mdb_strerror(rc));
    case ENOSPC:
    case EDQUOT:
    case MDB_MAP_FULL:
        return fail(why, why_size, HSAY_ENOSPC, "there is no space for a store in %s: %s", path,
                    mdb_strerror(rc));
    default:
        errno = rc > 0 ? rc : EIO;
        return fail(why, why_size, rc == ENOMEM ? HSAY_ENOMEM : HSAY_EIO,
                    "cannot open the store in %s: %s", path, mdb_strerror(rc));
    }
}

/* A file shorter than it says kills the process at the first touch of what is missing.  LMDB leaves
 * it so when the last pages were given back before they were ever written; a copy cut short looks
 * the same.  Filled up with nothing, the one is whole and the other is found out as damaged. */
static int file_check(struct hsay_lmdb *env, const char *path, char *why, size_t why_size)
{
    struct stat status;
    mdb_filehandle_t fd;
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_get_fd(env->mdb, &fd);
    mdb_env_info(env->mdb, &info);
    mdb_env_stat(env->mdb, &stat);
    env->page_bytes = stat.ms_psize;
    env->map_bytes = info.me_mapsize;
    off_t file_bytes = (off_t)(pages_used(env) * env->page_bytes);
    if (fstat(fd, &status) != 0 || (status.st_size < file_bytes && ftruncate(fd, file_bytes) != 0))
        return mdb_failed(errno, path, why, why_size);
    return 0;
}

static int version_refuse(uint64_t version, const char *path, char *why, size_t why_size)
{
    return fail(why, why_size, HSAY_EVERSION,
                "the store in %s has format %llu and this program knows format %d; use the program "
                "that made it, or move the folder away and start with an empty one",
                path, (unsigned long long)version, HSAY_LMDB_FORMAT);
}

/* Reads the version, or writes it where the file is new.  A file with tables but without ours was
 * made by something else. */
static int version_check(struct hsay_lmdb *env, const char *path, char *why, size_t why_size)
{
    MDB_txn *txn;
    MDB_val key = hsay_lmdb_val("format", 6), value;
    uint8_t version[8];
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return mdb_failed(rc, path, why, why_size);
    MDB_stat stat = {0};
    mdb_env_stat(env->mdb, &stat);
    rc = mdb_dbi_open(txn, "hearsay", 0, &env->meta);
    if (rc == 0)
        rc = mdb_get(txn, env->meta, &key, &value);
    if (rc == 0) {
        uint64_t found = value.mv_size == sizeof version ? hsay_lmdb_load_be64(value.mv_data) : 0;
        rc = mdb_txn_commit(txn); /* which also keeps the handle of the table */
        if (rc == 0 && found != HSAY_LMDB_FORMAT)
            return version_refuse(found, path, why, why_size);
        return rc == 0 ? 0 : mdb_failed(rc, path, why, why_size);
    }
    mdb_txn_abort(txn);
    if (rc != MDB_NOTFOUND)
        return mdb_failed(rc, path, why, why_size);
    if (stat.ms_entries > 0)
        return fail(why, why_size, HSAY_ECORRUPT,
                    "the LMDB file in %s is not a store of this program, or is damaged; move the "
                    "folder away, or name another",
                    path);

    hsay_lmdb_store_be64(version, HSAY_LMDB_FORMAT);
    value = hsay_lmdb_val(version, sizeof version);
    rc = mdb_txn_begin(env->mdb, NULL, 0, &txn);
    if (rc != 0)
        return mdb_failed(rc, path, why, why_size);
    rc = mdb_dbi_open(txn, "hearsay", MDB_CREATE, &env->meta);
    if (rc == 0)
        rc = mdb_put(txn, env->meta, &key, &value, 0);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return rc == 0 ? 0 : mdb_failed(rc, path, why, why_size);
}

/* The names of new files are durable only when the folder is. */
static void folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* LMDB asserts what it takes for granted of its pages. */
static void damaged(MDB_env *mdb, const char *what)
{
    const struct hsay_lmdb *env = mdb_env_get_userctx(mdb);
    const char *path = "?";
    char why[1024];
    if (env == NULL || env->on_damage == NULL)
        return;
    mdb_env_get_path(mdb, &path);
    snprintf(why, sizeof why, DAMAGED, path, what);
    env->on_damage(why);
}

static int env_open(struct hsay_lmdb *env, const struct hsay_lmdb_options *options, char *why,
                    size_t why_size)
{
    uint32_t overlays_max = options->overlays_max != 0 ? options->overlays_max : OVERLAYS_MAX;
    uint64_t map_bytes = options->map_bytes != 0 ? options->map_bytes : MAP_BYTES_DEFAULT;
    if (env->map_bytes_max != 0 && map_bytes > env->map_bytes_max)
        map_bytes = env->map_bytes_max;
    map_bytes = (map_bytes + MAP_UNIT_BYTES - 1) / MAP_UNIT_BYTES * MAP_UNIT_BYTES;
    int rc = mdb_env_create(&env->mdb);
    if (rc == 0)
        rc = mdb_env_set_userctx(env->mdb, env);
    if (rc == 0)
        rc = mdb_env_set_assert(env->mdb, damaged);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(env->mdb, overlays_max + 1);
    if (rc == 0)
        rc = mdb_env_set_mapsize(env->mdb, (size_t)map_bytes);
    if (rc == 0)
        rc = mdb_env_open(env->mdb, options->path, MDB_NOTLS, 0600);
    if (rc != 0)
        return mdb_failed(rc, options->path, why, why_size);
    int dead;
    mdb_reader_check(env->mdb, &dead);
    return 0;
}

int hsay_lmdb_open(struct hsay_lmdb **out, const struct hsay_lmdb_options *options, char *why,
                   size_t why_size)
{
    *out = NULL;
    if (options->path == NULL || options->path[0] == '\0')
        return fail(why, why_size, HSAY_EINVAL, "no folder was named for the store");
    struct hsay_lmdb *env = calloc(1, sizeof *env);
    if (env == NULL)
        return fail(why, why_size, HSAY_ENOMEM, "no memory to open the store");
    env->lock_fd = -1;
    env->on_damage = options->on_damage;
    env->map_bytes_max = options->map_bytes_max / MAP_UNIT_BYTES * MAP_UNIT_BYTES;
    env->turn_changes = options->turn_changes != 0 ? options->turn_changes : TURN_CHANGES;

    int rc = folder_check(options, why, why_size);
    if (rc == 0)
        rc = folder_lock(env, options->path, why, why_size);
    if (rc == 0)
        rc = env_open(env, options, why, why_size);
    if (rc == 0)
        rc = file_check(env, options->path, why, why_size);
    if (rc == 0)
        rc = version_check(env, options->path, why, why_size);
    if (rc != 0) {
        int saved = errno;
        hsay_lmdb_close(env);
        errno = saved;
        return rc;
    }
    folder_sync(options->path);
    *out = env;
    return 0;
}

void hsay_lmdb_close(struct hsay_lmdb *env)
{
    if (env == NULL)
        return;
    for (struct hsay_lmdb_store *store = env->stores, *next; store != NULL; store = next) {
        next = store->next;
        hsay_lmdb_store_free(store);
    }
    if (env->write != NULL)
        mdb_txn_abort(env->write);
    if (env->read != NULL)
        mdb_txn_abort(env->read);
    if (env->mdb != NULL)
        mdb_env_close(env->mdb);
    if (env->lock_fd >= 0)
        close(env->lock_fd);
    free(env);
}
