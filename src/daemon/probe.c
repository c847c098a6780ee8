#include "src/daemon/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/daemon/daemon.h"
#include "src/port/store_lmdb_check.h"

enum {
    /* Reading takes a hundredth of it; a disk that is slower than this is of no use to us. */
    LIMIT_MIN_S = 10,
    LIMIT_BYTES_PER_S = 20 << 20,
    CHILD_DAMAGED = 99,
};

static void on_damage(const char *why)
{
    (void)why;
    _exit(CHILD_DAMAGED);
}

/* It may die in any way, and silently: without a word, a core, or a handler of ours or of a
 * sanitizer, and not later than the parent. */
static void child_prepare(unsigned limit_s)
{
    static const int deadly[] = {SIGSEGV, SIGBUS,  SIGABRT, SIGFPE,
                                 SIGILL,  SIGALRM, SIGTERM, SIGINT};
    const struct rlimit none = {0, 0};
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sigset_t all;

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        signal(deadly[i], SIG_DFL);
    }
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    if (quiet < 0 || dup2(quiet, STDERR_FILENO) < 0) {
        close(STDERR_FILENO);
    }
    alarm(limit_s);
}

/* What opening itself refuses, it refuses to the parent as well, with a better sentence. */
static _Noreturn void child_run(const char *path)
{
    struct hsay_lmdb_options options = {
        .path = path, .overlays_max = CONF_OVERLAYS_MAX, .on_damage = on_damage};
    struct hsay_lmdb *lmdb;
    char why[PATH_MAX + 512];
    int rc = hsay_lmdb_open(&lmdb, &options, why, sizeof why);

    if (!rc) {
        rc = hsay_lmdb_check(lmdb);
        if (rc == HSAY_ECORRUPT) {
            _exit(CHILD_DAMAGED);
        }
        hsay_lmdb_close(lmdb);
    }
    _exit(0);
}

static int damaged(const char *path, int ended)
{
    const char *how = "a page cannot be what it says";

    if (WIFSIGNALED(ended)) {
        how = WTERMSIG(ended) == SIGALRM ? "reading it does not come to an end"
                                         : "its pages point to where nothing is";
    }
    log_errorx("store",
               "the store in %s is damaged (%s); move the folder away and start with an empty "
               "one: peers will bring the bundles back",
               path, how);
    return EXIT_STATUS_FAILED;
}

/* By whoever stops us too, or for want of memory: no word about the store. */
static bool killed_from_outside(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGKILL;
}

int probe_store(struct daemon *d)
{
    char path[PATH_MAX], file[PATH_MAX];
    struct stat status;
    int ended = 0;
    pid_t child;

    snprintf(path, sizeof path, "%.*s/store", PATH_MAX - 32, d->state);
    snprintf(file, sizeof file, "%.*s/store/data.mdb", PATH_MAX - 32, d->state);
    if (stat(file, &status) || !status.st_size) {
        return 0;
    }
    child = fork();
    if (!child) {
        child_prepare(LIMIT_MIN_S + (unsigned)(status.st_size / LIMIT_BYTES_PER_S));
        child_run(path);
    }
    if (child < 0) {
        log_warn("store", "cannot look through the store beforehand");
        return 0;
    }
    while (waitpid(child, &ended, 0) < 0) {
        if (errno != EINTR) {
            return 0;
        }
    }
    if (WIFSIGNALED(ended) && killed_from_outside(WTERMSIG(ended))) {
        log_errorx("store", "stopped while looking through the store in %s; start again", path);
        return EXIT_STATUS_FAILED;
    }
    return ended ? damaged(path, ended) : 0;
}
