/*
 * Goal of this test: whatever moment a process is killed at, what it called stored is there, whole,
 * when the store is opened again, and of each batch there is all or nothing.
 *
 * A child puts batches and says "stored" through a pipe after each commit; it is killed at random
 * moments.  The control says "stored" before it commits, and must be found out.  This shows that
 * the order of our calls is right; that the order of the disk's writes is right too is LMDB's part,
 * and a power cut is not tried here.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hearsay/error.h"
#include "hearsay/store_lmdb.h"
#include "tests/store/fixture.h"

enum { KILLS = 80, CONTROL_KILLS = 40, BATCH = 7, WAIT_MAX_US = 5000 };

static char path[64];
static struct hsay_lmdb *env;
static struct hsay_store store;

static void bundle_number(struct fixture_bundle *bundle, uint64_t number)
{
    uint64_t state = number << 16;
    fixture_bundle_make(bundle, &state);
}

static bool store_open(void)
{
    struct hsay_key overlay = fixture_author(1);
    struct hsay_lmdb_options options = {.path = path, .map_bytes = 1 << 20, .turn_changes = 64};
    char why[256] = "";
    int rc = hsay_lmdb_open(&env, &options, why, sizeof why);
    if (rc == 0)
        rc = hsay_store_lmdb_open(env, &overlay, 0, fixture_crypto(), &store, NULL);
    if (rc != 0)
        fprintf(stderr, "cannot open: %d %s\n", rc, why);
    return rc == 0;
}

static void store_close(void)
{
    hsay_lmdb_close(env);
    env = NULL;
}

static bool is_held(uint64_t number)
{
    struct fixture_bundle bundle;
    struct hsay_record record;
    bundle_number(&bundle, number);
    int rc = store.ops->get(store.self, &bundle.record.at.digest, &record);
    return rc == 0 && record.bytes.size == bundle.size &&
           memcmp(record.bytes.data, bundle.bytes, bundle.size) == 0;
}

static bool write_batch(uint64_t batch)
{
    for (uint64_t i = 0; i < BATCH; i++) {
        struct fixture_bundle bundle;
        bundle_number(&bundle, batch * BATCH + i);
        int rc = store.ops->put(store.self, fixture_record(&bundle));
        if (rc != 0)
            return false;
    }
    return true;
}

/* The life of the child: batch after batch from `first` on, until it is killed. */
static void child_run(int pipe_end, uint64_t first, bool honest)
{
    bool good = store_open();
    for (uint64_t batch = first; good; batch++) {
        good = write_batch(batch);
        if (!honest) { /* and dawdles, so that the kill finds it in its lie on any machine */
            good = good && write(pipe_end, &batch, sizeof batch) == sizeof batch;
            nanosleep(&(struct timespec){0, 20000000}, NULL);
        }
        good = good && store.ops->commit(store.self) == 0;
        if (honest)
            good = good && write(pipe_end, &batch, sizeof batch) == sizeof batch;
    }
    _exit(1);
}

/* Lets a child live for a moment, every other one from its first batch on, so that there are
 * batches however slow the machine is; the others may die while they open.  Returns the first batch
 * that it did not call stored. */
static uint64_t kill_once(uint64_t first, bool honest, uint64_t *random_state)
{
    int ends[2];
    uint64_t batch, wait_us = fixture_random(random_state) % WAIT_MAX_US;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        child_run(ends[1], first, honest);
    }
    close(ends[1]);

    if (wait_us % 2 == 0 && read(ends[0], &batch, sizeof batch) == sizeof batch)
        assert_int_equal(batch, first++);
    struct timespec wait = {0, (long)(1000 * wait_us)};
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* it did not give up by itself */

    while (read(ends[0], &batch, sizeof batch) == sizeof batch) {
        assert_int_equal(batch, first);
        first++;
    }
    close(ends[0]);
    return first;
}

/* How many bundles that were called stored are missing, and batches that are there in part.  Moves
 * *next behind what is there. */
static uint64_t count_lost(uint64_t checked, uint64_t *next)
{
    uint64_t lost = 0;
    assert_true(store_open());
    for (uint64_t batch = checked; batch <= *next; batch++) {
        uint64_t held = 0;
        for (uint64_t i = 0; i < BATCH; i++)
            held += is_held(batch * BATCH + i);
        if (batch < *next || held % BATCH != 0)
            lost += BATCH - held;
        else if (held == BATCH)
            ++*next; /* committed, but killed before it could say so */
    }
    store_close();
    return lost;
}

static void test_honest(void **state)
{
    (void)state;
    uint64_t seed = 4711, next = 0, said = 0;
    fixture_folder_make(path);
    for (int i = 0; i < KILLS; i++) {
        uint64_t before = next;
        next = kill_once(next, true, &seed);
        said += next - before;
        assert_int_equal(count_lost(before, &next), 0);
    }
    uint64_t whole = next;
    assert_int_equal(count_lost(0, &whole), 0);
    assert_int_equal(whole, next);
    print_message("%d kills, %d batches called stored, 0 lost\n", KILLS, (int)said);
    assert_true(said > KILLS / 4);
    fixture_folder_remove(path);
}

static void test_control_is_found_out(void **state)
{
    (void)state;
    uint64_t seed = 4712, lost = 0, next = 0;
    fixture_folder_make(path);
    for (int i = 0; i < CONTROL_KILLS; i++) {
        uint64_t before = next;
        next = kill_once(next, false, &seed);
        lost += count_lost(before, &next);
    }
    print_message("%d kills of the control, %d bundles lost\n", CONTROL_KILLS, (int)lost);
    assert_true(lost > 0);
    fixture_folder_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_control_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
