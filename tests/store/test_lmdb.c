/*
 * Goal of this test: what the store on LMDB does when the disk, the folder or a neighbour does not
 * play along, and that what was committed is there afterwards.
 *
 * liblmdb's calls of write and sync come through here, so that each of them can fail in turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include "hearsay/error.h"
#include "hearsay/store_lmdb.h"
#include "src/port/store_lmdb_env.h"
#include "tests/store/fixture.h"

enum { BUNDLES = 300, NOBODY = 65534 };

/* --- faults ---------------------------------------------------------------------------------- */

static struct {
    unsigned countdown; /* 1: the next call fails, and only that one */
    int error;
    bool head; /* counts only the writes that make a commit valid: those on a synchronous file */
} fault;

static bool fault_is_due(int fd)
{
    if (fault.head && (fcntl(fd, F_GETFL) & O_DSYNC) == 0)
        return false;
    if (fault.countdown == 0 || --fault.countdown > 0)
        return false;
    errno = fault.error;
    return true;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return fault_is_due(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return fault_is_due(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}

int fdatasync(int fd)
{
    return fault_is_due(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* --- a store to play with -------------------------------------------------------------------- */

static struct fixture_bundle bundle[BUNDLES];
static char path[64];
static char why[256];
static struct hsay_lmdb *env;
static struct hsay_store store;
static uint64_t damaged;

static int open_with(struct hsay_lmdb_options options)
{
    struct hsay_key overlay = fixture_author(1);
    options.path = path;
    why[0] = '\0';
    int rc = hsay_lmdb_open(&env, &options, why, sizeof why);
    if (rc != 0)
        return rc;
    return hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &store, &damaged);
}

static int open_plainly(void)
{
    return open_with((struct hsay_lmdb_options){.map_bytes = 0});
}

static int set_up(void **state)
{
    (void)state;
    uint64_t random_state = 31;
    for (size_t i = 0; i < BUNDLES; i++)
        fixture_bundle_make(&bundle[i], &random_state);
    fixture_folder_make(path);
    memset(&fault, 0, sizeof fault);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hsay_lmdb_close(env);
    env = NULL;
    fixture_folder_remove(path);
    return 0;
}

static int put(size_t i)
{
    return store.ops->put(store.self, fixture_record(&bundle[i]));
}

static int get(size_t i)
{
    struct hsay_record record;
    return store.ops->get(store.self, &bundle[i].record.at.digest, &record);
}

static void put_commit(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(put(i), 0);
    assert_int_equal(store.ops->commit(store.self), 0);
}

static void expect_held(size_t from, size_t to, int want)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(get(i), want);
}

static uint64_t count(void)
{
    struct hsay_store_info info;
    store.ops->info(store.self, &info);
    return info.bundles;
}

static void reopen(void)
{
    hsay_lmdb_close(env);
    assert_int_equal(open_plainly(), 0);
}

static void expect_sentence(const char *word)
{
    if (strstr(why, word) == NULL || strstr(why, path) == NULL)
        fail_msg("the sentence should name the folder and say \"%s\": %s", word, why);
}

/* --- what stays ------------------------------------------------------------------------------ */

static void test_reopen(void **state)
{
    (void)state;
    assert_int_equal(open_plainly(), 0);
    put_commit(0, 100);
    assert_int_equal(store.ops->remove(store.self, &bundle[0].record.at.digest), 0);
    assert_int_equal(hsay_lmdb_commit(env), 0);
    assert_int_equal(put(200), 0);
    expect_held(200, 201, 0);
    reopen();
    assert_int_equal(damaged, 0);
    assert_int_equal(count(), 99);
    expect_held(0, 1, HSAY_ENOENT);
    expect_held(1, 100, 0);
    expect_held(200, 201, HSAY_ENOENT);
}

static void test_meta(void **state)
{
    (void)state;
    static uint8_t book[9000];
    struct hsay_span span;
    char name[HSAY_LMDB_META_NAME_MAX_BYTES + 2];
    memset(book, 7, sizeof book);
    assert_int_equal(open_plainly(), 0);
    assert_int_equal(hsay_lmdb_meta_get(env, "book", &span), HSAY_ENOENT);
    assert_int_equal(hsay_lmdb_meta_put(env, "book", (struct hsay_span){book, sizeof book}), 0);
    assert_int_equal(hsay_lmdb_commit(env), 0);
    assert_int_equal(hsay_lmdb_meta_put(env, "book", (struct hsay_span){book, 1}), 0);
    assert_int_equal(hsay_lmdb_meta_get(env, "book", &span), 0);
    assert_int_equal(span.size, 1);
    reopen(); /* the second one was never committed */
    assert_int_equal(hsay_lmdb_meta_get(env, "book", &span), 0);
    assert_int_equal(span.size, sizeof book);
    assert_memory_equal(span.data, book, sizeof book);
    assert_int_equal(hsay_lmdb_meta_put(env, "book", (struct hsay_span){NULL, 0}), 0);
    assert_int_equal(hsay_lmdb_meta_get(env, "book", &span), HSAY_ENOENT);

    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    span = (struct hsay_span){book, 1};
    assert_int_equal(hsay_lmdb_meta_put(env, name, span), HSAY_EINVAL);
    assert_int_equal(hsay_lmdb_meta_put(env, "", span), HSAY_EINVAL);
    assert_int_equal(hsay_lmdb_meta_put(env, name + 1, span), 0);
    span.size = HSAY_LMDB_META_MAX_BYTES + 1;
    assert_int_equal(hsay_lmdb_meta_put(env, "book", span), HSAY_EINVAL);
}

/* One transaction for all: what one commits is committed for the other. */
static void test_two_overlays(void **state)
{
    (void)state;
    struct hsay_key overlay = fixture_author(2);
    struct hsay_store other, again;
    assert_int_equal(open_plainly(), 0);
    assert_int_equal(hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &other, NULL), 0);
    assert_int_equal(hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &again, NULL),
                     HSAY_EEXIST);
    assert_int_equal(put(0), 0);
    assert_int_equal(other.ops->put(other.self, fixture_record(&bundle[0])), 0);
    assert_int_equal(other.ops->put(other.self, fixture_record(&bundle[1])), 0);
    assert_int_equal(other.ops->commit(other.self), 0);
    expect_held(1, 2, HSAY_ENOENT);

    assert_int_equal(put(2), 0);
    assert_int_equal(other.ops->put(other.self, fixture_record(&bundle[3])), 0);
    fault.countdown = 1;
    fault.error = ENOSPC;
    assert_int_equal(store.ops->commit(store.self), HSAY_ENOSPC);
    assert_int_equal(get(2), HSAY_ENOENT);
    struct hsay_position at;
    assert_int_equal(other.ops->find(other.self, &bundle[3].record.at.digest, &at), HSAY_ENOENT);
    hsay_store_lmdb_close(&other);
    assert_int_equal(hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &other, NULL), 0);
    assert_int_equal(other.ops->find(other.self, &bundle[1].record.at.digest, &at), 0);
    assert_int_equal(other.ops->find(other.self, &bundle[3].record.at.digest, &at), HSAY_ENOENT);
    reopen();
    assert_int_equal(count(), 1);
}

static void test_too_many_overlays(void **state)
{
    (void)state;
    struct hsay_store other;
    assert_int_equal(open_with((struct hsay_lmdb_options){.overlays_max = 2}), 0);
    struct hsay_key overlay = fixture_author(2);
    assert_int_equal(hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &other, NULL), 0);
    overlay = fixture_author(3);
    assert_int_equal(hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &other, NULL),
                     HSAY_ENOSPC);
    put_commit(0, 10);
}

/* --- who is let in --------------------------------------------------------------------------- */

/* Runs the body in a child; 0 if it returned true. */
static int in_child(bool (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(body() ? 0 : 1);
    int status;
    waitpid(child, &status, 0);
    return status;
}

static bool child_is_refused(void)
{
    struct hsay_lmdb *second;
    struct hsay_lmdb_options options = {.path = path};
    char number[32];
    snprintf(number, sizeof number, "(%ld)", (long)getppid());
    return hsay_lmdb_open(&second, &options, why, sizeof why) == HSAY_EEXIST && second == NULL &&
           strstr(why, "in use by another process") != NULL && strstr(why, number) != NULL;
}

static void test_second_opener(void **state)
{
    (void)state;
    struct hsay_lmdb *second;
    struct hsay_lmdb_options options = {.path = path};
    assert_int_equal(open_plainly(), 0);
    put_commit(0, 10);
    assert_int_equal(in_child(child_is_refused), 0);
    assert_int_equal(hsay_lmdb_open(&second, &options, why, sizeof why), HSAY_EEXIST);
    assert_null(second);
    put_commit(10, 20); /* the first goes on undisturbed */
    reopen();
    assert_int_equal(count(), 20);
}

static bool child_cannot_write(void)
{
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return false;
    return open_plainly() == HSAY_EIO && strstr(why, "cannot write") != NULL;
}

static void test_folder_not_writable(void **state)
{
    (void)state;
    assert_int_equal(chmod(path, 0555), 0);
    assert_int_equal(in_child(child_cannot_write), 0);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(open_plainly(), 0); /* control: it was only the right that was missing */
}

static void test_no_folder(void **state)
{
    (void)state;
    char whole[64];
    memcpy(whole, path, sizeof whole);
    snprintf(path + strlen(path), 16, "/file");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(open_plainly(), HSAY_EINVAL);
    expect_sentence("not a folder");
    snprintf(path + strlen(path) - 5, 16, "/a/b");
    assert_int_equal(open_plainly(), HSAY_EIO);
    expect_sentence("cannot make");
    memcpy(path, whole, sizeof whole);
    assert_int_equal(hsay_lmdb_open(&env, &(struct hsay_lmdb_options){.path = ""}, why, sizeof why),
                     HSAY_EINVAL);
    assert_int_equal(open_plainly(), 0);

    assert_true(hsay_lmdb_is_remote(0x6969));
    assert_true(hsay_lmdb_is_remote(UINT64_C(0xffffffffff534d42))); /* f_type is signed here */
    assert_false(hsay_lmdb_is_remote(0xef53));                      /* ext4 */
}

/* Does something to the file with LMDB itself, past the store. */
static void raw_put(const char *table, const char *key, const uint8_t *value, size_t size)
{
    MDB_env *raw;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val k = {strlen(key), (void *)(uintptr_t)key}, v = {size, (void *)(uintptr_t)value};
    assert_int_equal(mdb_env_create(&raw), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw, 4), 0);
    assert_int_equal(mdb_env_open(raw, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(raw);
}

static void test_other_version(void **state)
{
    (void)state;
    static const uint8_t newer[8] = {0, 0, 0, 0, 0, 0, 0, HSAY_LMDB_FORMAT + 1};
    static const uint8_t ours[8] = {0, 0, 0, 0, 0, 0, 0, HSAY_LMDB_FORMAT};
    assert_int_equal(open_plainly(), 0);
    put_commit(0, 10);
    hsay_lmdb_close(env);
    raw_put("hearsay", "format", newer, sizeof newer);
    assert_int_equal(open_plainly(), HSAY_EVERSION);
    expect_sentence("format 2");
    raw_put("hearsay", "format", ours, sizeof ours); /* control: nothing else was touched */
    assert_int_equal(open_plainly(), 0);
    assert_int_equal(count(), 10);
}

static void test_not_a_store(void **state)
{
    (void)state;
    raw_put("something", "else", (const uint8_t *)"x", 1);
    assert_int_equal(open_plainly(), HSAY_ECORRUPT);
    expect_sentence("not a store");
}

static char *file_name(void)
{
    static char name[96];
    snprintf(name, sizeof name, "%s/data.mdb", path);
    return name;
}

static void test_garbage(void **state)
{
    (void)state;
    static uint8_t garbage[65536];
    memset(garbage, 0x5a, sizeof garbage);
    int fd = open(file_name(), O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, garbage, sizeof garbage), sizeof garbage);
    close(fd);
    assert_int_equal(open_plainly(), HSAY_ECORRUPT);
    expect_sentence("damaged");
}

/* Wherever a copy was cut short, the store opens, or says that it is damaged; it never dies. */
static void test_cut_short(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(open_plainly(), 0);
    put_commit(0, BUNDLES);
    hsay_lmdb_close(env);
    env = NULL;
    assert_int_equal(stat(file_name(), &status), 0);
    size_t refused = 0;
    for (off_t size = status.st_size - 4096; size >= 4096; size -= 8192) {
        assert_int_equal(truncate(file_name(), size), 0);
        int rc = open_plainly();
        refused += rc != 0;
        assert_true(rc == 0 || rc == HSAY_ECORRUPT || rc == HSAY_EIO || rc == HSAY_ESTORE);
        hsay_lmdb_close(env);
        env = NULL;
    }
    assert_true(refused > 0);
}

/* --- damage ---------------------------------------------------------------------------------- */

/* Turns over one bit of the file, `at` bytes from where these bytes are found. */
static void file_damage(const uint8_t *bytes, size_t size, long at)
{
    struct stat status;
    int fd = open(file_name(), O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    uint8_t *file = malloc((size_t)status.st_size);
    assert_non_null(file);
    assert_int_equal(pread(fd, file, (size_t)status.st_size, 0), status.st_size);
    size_t found = 0;
    for (uint8_t *end = file + status.st_size, *from = file;
         (from = memmem(from, (size_t)(end - from), bytes, size)) != NULL; from++) {
        uint8_t bad = from[at] ^ 4;
        assert_int_equal(syscall(SYS_pwrite64, fd, &bad, 1, from + at - file), 1);
        found++;
    }
    assert_true(found > 0);
    free(file);
    close(fd);
}

static void test_damaged_body(void **state)
{
    (void)state;
    assert_int_equal(open_plainly(), 0);
    put_commit(0, 50);
    hsay_lmdb_close(env);
    file_damage(bundle[7].bytes, bundle[7].size, 3);
    assert_int_equal(open_plainly(), 0);
    assert_int_equal(damaged, 0); /* bodies are not read at opening */
    expect_held(0, 7, 0);         /* control */
    expect_held(7, 8, HSAY_ECORRUPT);
    expect_held(8, 50, 0);

    /* A walk names the damaged one and goes on. */
    struct hsay_range range = {0, UINT64_MAX, 1, 0, HSAY_SLICE_NONE};
    struct hsay_cursor cursor;
    struct hsay_record record;
    struct hsay_position at;
    uint32_t work = 0;
    size_t good = 0, bad = 0;
    assert_int_equal(store.ops->walk(store.self, &range, 0, &cursor), 0);
    for (int rc = 0; rc != HSAY_ENOENT;) {
        rc = store.ops->next(store.self, &cursor, true, &work, &at, &record);
        good += rc == 0;
        bad += rc == HSAY_ECORRUPT;
        if (rc == HSAY_ECORRUPT)
            assert_memory_equal(&at.digest, &bundle[7].record.at.digest, sizeof at.digest);
    }
    assert_int_equal(good, 49);
    assert_int_equal(bad, 1);

    assert_int_equal(store.ops->remove(store.self, &bundle[7].record.at.digest), 0);
    assert_int_equal(store.ops->commit(store.self), 0);
    put_commit(7, 8);
    expect_held(0, 50, 0);
}

/* The record beside the bytes: the bundle is missing until it is put anew. */
static void test_damaged_head(void **state)
{
    (void)state;
    struct hsay_record record;
    bundle[7].record.expiry_s = 100;
    for (long at = -88; at < 0; at += 9) {
        assert_int_equal(open_plainly(), 0);
        if (get(0) != 0)
            put_commit(0, 50);
        hsay_lmdb_close(env);
        file_damage(bundle[7].bytes, bundle[7].size, at);
        assert_int_equal(open_plainly(), 0);
        assert_int_equal(damaged, 1);
        assert_int_equal(count(), 49);
        reopen(); /* the damaged line is gone */
        assert_int_equal(damaged, 0);
        assert_int_equal(count(), 49);
        expect_held(7, 8, HSAY_ENOENT);
        assert_int_equal(store.ops->expired(store.self, 100, &record), HSAY_ENOENT);
        int rc = store.ops->author_next(store.self, &bundle[7].record.author, 0, NULL, &record);
        while (rc == 0) {
            assert_memory_not_equal(&record.at.digest, &bundle[7].record.at.digest,
                                    sizeof record.at.digest);
            rc = store.ops->author_next(store.self, &record.author, record.sequence,
                                        &record.at.digest, &record);
        }
        assert_int_equal(rc, HSAY_ENOENT);
        put_commit(7, 8);
        expect_held(0, 50, 0);
        assert_int_equal(store.ops->expired(store.self, 100, &record), 0);
        reopen();
        assert_int_equal(damaged, 0);
        assert_int_equal(count(), 50);
        hsay_lmdb_close(env);
        env = NULL;
    }
}

/* Damaged while it is open: it can still be removed, and what is left of it disturbs nobody. */
static void test_damaged_while_open(void **state)
{
    (void)state;
    struct hsay_record record;
    bundle[7].record.expiry_s = 100;
    assert_int_equal(open_plainly(), 0);
    put_commit(0, 50);
    file_damage(bundle[7].bytes, bundle[7].size, -60);
    expect_held(7, 8, HSAY_ECORRUPT);
    assert_int_equal(store.ops->expired(store.self, 100, &record), 0);
    assert_memory_equal(&record.at, &bundle[7].record.at, sizeof record.at);
    struct hsay_store_info before, after;
    store.ops->info(store.self, &before);
    assert_int_equal(store.ops->remove(store.self, &record.at.digest), 0);
    store.ops->info(store.self, &after);
    assert_int_equal(before.bundle_bytes - after.bundle_bytes, bundle[7].size);
    assert_int_equal(store.ops->expired(store.self, 100, &record), HSAY_ENOENT);
    assert_int_equal(store.ops->commit(store.self), 0);
    assert_int_equal(count(), 49);
    put_commit(7, 8);
    expect_held(0, 50, 0);
}

/* --- space ----------------------------------------------------------------------------------- */

/* A map that must grow many times, in turns that are longer than it has room for. */
static void test_map_grows(void **state)
{
    (void)state;
    uint64_t random_state = 8;
    struct hsay_lmdb_info before, after;
    assert_int_equal(open_with((struct hsay_lmdb_options){.map_bytes = 65536, .turn_changes = 4}),
                     0);
    hsay_lmdb_info(env, &before);
    for (int i = 0; i < 6000; i++) {
        fixture_bundle_make(&bundle[0], &random_state);
        assert_int_equal(put(0), 0);
        assert_int_equal(get(0), 0);
        if (i % 100 == 99)
            assert_int_equal(store.ops->commit(store.self), 0);
    }
    hsay_lmdb_info(env, &after);
    assert_true(before.map_bytes <= 2 << 20);
    assert_true(after.map_bytes >= 4 << 20);
    assert_true(after.file_bytes <= after.map_bytes);
    reopen();
    assert_int_equal(count(), 6000);
}

static int put_new(uint64_t *random_state, uint64_t time)
{
    fixture_bundle_make(&bundle[0], random_state);
    bundle[0].record.at.time = time;
    return put(0);
}

/* At the bound of the file puts are refused, removes go on, and new for the oldest works for ever.
 */
static void test_map_bound(void **state)
{
    (void)state;
    uint64_t random_state = 9, time = 0, refused = 0;
    assert_int_equal(open_with((struct hsay_lmdb_options){
                         .map_bytes = 65536, .map_bytes_max = 3 << 20, .turn_changes = 16}),
                     0);
    while (put_new(&random_state, ++time) == 0 && time < 20000) {
        if (time % 10 == 0)
            assert_int_equal(store.ops->commit(store.self), 0);
    }
    assert_in_range(time, 1500, 19999);
    assert_int_equal(put_new(&random_state, time), HSAY_ENOSPC);
    assert_int_equal(store.ops->commit(store.self), 0);
    assert_int_equal(count(), time - 1);

    uint64_t held = count(), lowest = held;
    for (int turn = 0; turn < 1000; turn++) {
        struct hsay_position oldest;
        for (int i = 0; i < 6; i++, held--) {
            assert_int_equal(store.ops->at_rank(store.self, 0, &oldest), 0);
            assert_int_equal(store.ops->remove(store.self, &oldest.digest), 0);
        }
        for (int i = 0; i < 6; i++) {
            int rc = put_new(&random_state, ++time);
            assert_true(rc == 0 || rc == HSAY_ENOSPC);
            refused += rc != 0;
            held += rc == 0;
        }
        assert_int_equal(store.ops->commit(store.self), 0);
        lowest = held < lowest ? held : lowest;
    }
    struct hsay_lmdb_info info;
    hsay_lmdb_info(env, &info);
    assert_true(info.map_bytes <= 3 << 20);
    print_message("6000 more at the bound: %d refused, never fewer than %d held\n", (int)refused,
                  (int)lowest);
    assert_true(refused < 1500 && lowest > 1000);
    assert_int_equal(count(), held);
    reopen();
    assert_int_equal(count(), held);
}

static void test_disk_full(void **state)
{
    (void)state;
    if (geteuid() != 0 || mount("tmpfs", path, "tmpfs", 0, "size=1m") != 0) {
        print_message("skipped: a small tmpfs can only be mounted by root\n");
        skip();
    }
    uint64_t random_state = 10;
    size_t committed = 0, pending = 0;
    int rc = open_plainly();
    while (rc == 0 && committed < 20000) {
        fixture_bundle_make(&bundle[0], &random_state);
        rc = put(0);
        pending++;
        if (rc == 0 && pending == 20) {
            rc = store.ops->commit(store.self);
            committed += rc == 0 ? pending : 0;
            pending = 0;
        }
    }
    uint64_t held = count();
    int last = get(0); /* of the commit that failed */
    struct hsay_store_info info;
    store.ops->info(store.self, &info);
    assert_int_equal(rc, HSAY_ENOSPC);
    assert_true(committed > 200);
    assert_int_equal(held, committed);
    assert_int_equal(last, HSAY_ENOENT);
    assert_true(info.full);

    /* Still full: reads go on, a commit fails again.  With space it goes on by itself. */
    struct hsay_position at;
    struct hsay_record record;
    assert_int_equal(store.ops->at_rank(store.self, 5, &at), 0);
    assert_int_equal(store.ops->get(store.self, &at.digest, &record), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(put((size_t)i), 0);
    assert_int_equal(store.ops->commit(store.self), HSAY_ENOSPC);
    assert_int_equal(mount("tmpfs", path, "tmpfs", MS_REMOUNT, "size=4m"), 0);
    put_commit(0, 100);
    assert_int_equal(count(), committed + 100);
    reopen();
    assert_int_equal(count(), committed + 100);
    expect_held(0, 100, 0);
    hsay_lmdb_close(env);
    env = NULL;
    umount2(path, MNT_DETACH);
}

/* Every write and every sync of a commit fails once.  What was committed before stays; what was in
 * this commit is gone; and the store works on.  Only when the head could not be written it says
 * that it is broken, and works on when it is opened anew. */
static void fail_each(int error, bool head)
{
    size_t committed = 20;
    unsigned n = 1, came = 1;
    assert_int_equal(open_plainly(), 0);
    put_commit(0, committed);
    for (; came != 0; n++) {
        for (size_t i = committed; i < committed + 8; i++)
            assert_int_equal(put(i), 0);
        assert_int_equal(store.ops->remove(store.self, &bundle[0].record.at.digest), 0);
        fault.error = error;
        fault.head = head;
        fault.countdown = n;
        int rc = store.ops->commit(store.self);
        came = fault.countdown == 0;
        fault.countdown = 0;
        assert_int_equal(rc == 0, !came); /* control: all of them have had their turn */
        if (!came)
            break;
        if (head)
            assert_int_equal(rc, HSAY_ESTORE);
        assert_int_equal(count(), committed);
        if (rc == HSAY_ESTORE) {
            assert_int_equal(put(200), HSAY_ESTORE);
            assert_int_equal(store.ops->commit(store.self), HSAY_ESTORE);
        } else {
            assert_int_equal(rc, HSAY_ENOSPC);
            put_commit(committed, committed + 2);
            committed += 2;
        }
        reopen();
        assert_int_equal(count(), committed);
        expect_held(0, committed, 0);
        expect_held(committed, committed + 8, HSAY_ENOENT);
    }
    assert_true(n >= (head ? 2 : 5)); /* two writes, a sync and the head at the least */
    reopen();
    assert_int_equal(count(), committed + 7);
}

static void test_each_write_fails_eio(void **state)
{
    (void)state;
    fail_each(EIO, false);
}

static void test_each_write_fails_enospc(void **state)
{
    (void)state;
    fail_each(ENOSPC, false);
}

static void test_head_write_fails(void **state)
{
    (void)state;
    fail_each(EIO, true);
}

/* A turn so long that it is committed in pieces, one of which fails: the turn is refused from there
 * on, its commit says so, and then all goes on. */
static void test_piece_fails(void **state)
{
    (void)state;
    assert_int_equal(open_with((struct hsay_lmdb_options){.turn_changes = 10}), 0);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(put(i), 0);
    fault.error = ENOSPC;
    fault.countdown = 1;
    for (size_t i = 15; i < 20; i++)
        assert_int_equal(put(i), 0);
    assert_int_equal(fault.countdown, 1);
    for (size_t i = 20; i < 25; i++)
        assert_int_equal(put(i), HSAY_ENOSPC);
    assert_int_equal(fault.countdown, 0);
    assert_int_equal(store.ops->commit(store.self), HSAY_ENOSPC);
    assert_int_equal(count(), 10); /* the piece before is durable */
    put_commit(10, 60);
    reopen();
    assert_int_equal(count(), 60);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_reopen),
        TEST(test_meta),
        TEST(test_two_overlays),
        TEST(test_too_many_overlays),
        TEST(test_second_opener),
        TEST(test_folder_not_writable),
        TEST(test_no_folder),
        TEST(test_other_version),
        TEST(test_not_a_store),
        TEST(test_garbage),
        TEST(test_cut_short),
        TEST(test_damaged_body),
        TEST(test_damaged_head),
        TEST(test_damaged_while_open),
        TEST(test_map_grows),
        TEST(test_map_bound),
        TEST(test_disk_full),
        TEST(test_each_write_fails_eio),
        TEST(test_each_write_fails_enospc),
        TEST(test_head_write_fails),
        TEST(test_piece_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
