/*
 * Two forks: the caller unshares, which puts not itself but its children into the new process
 * namespace; the first of them is its process number 1, with whose end the kernel kills all others.
 * That one in turn dies with the caller, by the signal that a parent's death sends.
 *
 * A change of credentials, which unsharing users is, forgets that signal: it is asked for again.
 */
#include "src/lab/nat/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hearsay/error.h"

enum { NAMESPACES = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS };

/* What the inside leaves behind. */
struct report {
    int rc;
    struct lab_why why;
};

void *natlab_cage_share(size_t size)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        fputs("hearsay-lab: no memory to share\n", stderr);
        abort();
    }
    return shared;
}

/* --- going in -------------------------------------------------------------------------------- */

static int put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return HSAY_EIO;
    ssize_t done = write(fd, text, strlen(text));
    close(fd);
    return done == (ssize_t)strlen(text) ? 0 : HSAY_EIO;
}

static int put_id(const char *path, unsigned outside)
{
    char line[64];
    snprintf(line, sizeof line, "0 %u 1\n", outside);
    return put(path, line);
}

#define HINT                                                                                       \
    "user namespaces may be off (sysctl user.max_user_namespaces, "                                \
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or this is " \
    "a container that may not administer the system"

/* Inside we are root, which outside is still who we are. */
static int map_users(uid_t uid, gid_t gid, struct lab_why *why)
{
    if (put("/proc/self/setgroups", "deny") == 0 && put_id("/proc/self/uid_map", uid) == 0 &&
        put_id("/proc/self/gid_map", gid) == 0)
        return 0;
    return lab_why_set(why, HSAY_EIO, "cannot map users: %s; " HINT, strerror(errno));
}

static int unshare_all(struct lab_why *why)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | NAMESPACES) == 0)
        return map_users(uid, gid, why);
    if (unshare(NAMESPACES) == 0) /* root needs no users of its own */
        return 0;
    return lab_why_set(why, HSAY_EIO, "cannot make namespaces: %s; " HINT, strerror(errno));
}

static void die_with_parent(int alive)
{
    struct pollfd parent = {.fd = alive};
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (poll(&parent, 1, 0) > 0) /* the other end of the pipe is closed: too late for the signal */
        _exit(1);
}

static int mount_folder(const char *folder, struct lab_why *why)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") != 0)
        return lab_why_set(why, HSAY_EIO, "cannot mount in a namespace: %s; " HINT,
                           strerror(errno));
    return 0;
}

static _Noreturn void first_process(const struct natlab_cage *cage, struct report *report,
                                    int alive)
{
    die_with_parent(alive);
    report->rc = mount_folder(cage->folder, &report->why);
    if (report->rc == 0)
        report->rc = cage->inside(cage->user, &report->why);
    fflush(NULL);
    _exit(0);
}

/* --- waiting outside ------------------------------------------------------------------------- */

static int await(pid_t pid, const struct report *report, struct lab_why *why)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        return lab_why_set(why, HSAY_EIO, "the first process of the namespace died: %s",
                           strsignal(WTERMSIG(status)));
    if (report->rc != 0)
        *why = report->why;
    return report->rc;
}

int natlab_cage_run(const struct natlab_cage *cage, struct lab_why *why)
{
    int alive[2];
    pid_t parent = getppid();
    int rc = unshare_all(why);
    if (rc != 0)
        return rc;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent || pipe2(alive, O_CLOEXEC) != 0)
        return lab_why_set(why, HSAY_EIO, "cannot begin: %s", strerror(errno));
    struct report *report = natlab_cage_share(sizeof *report);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(alive[1]);
        first_process(cage, report, alive[0]);
    }
    close(alive[0]);
    if (pid < 0)
        rc = lab_why_set(why, HSAY_EIO, "no process: %s", strerror(errno));
    else
        rc = await(pid, report, why);
    close(alive[1]);
    munmap(report, sizeof *report);
    return rc;
}
