#include "src/daemon/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "hearsay/crypto_sodium.h"
#include "src/common/file.h"
#include "src/common/keyfile.h"
#include "src/common/path.h"
#include "src/daemon/daemon.h"

static int state_path(struct daemon *d)
{
    char chosen[PATH_MAX];

    snprintf(chosen, sizeof chosen, "%s", d->conf.state);
    if (!chosen[0] && path_state(chosen, sizeof chosen)) {
        log_errorx("state", "no home folder to keep state in; choose a folder with --state");
        return EXIT_STATUS_USAGE;
    }
    if (file_make_folder(chosen, 0700) || !realpath(chosen, d->state)) {
        log_error("state", "cannot make the state folder %s; choose another with --state", chosen);
        return EXIT_STATUS_FAILED;
    }
    return 0;
}

static void lock_holder(int fd, char holder[16])
{
    ssize_t got = pread(fd, holder, 15, 0);

    holder[got > 0 ? got : 0] = 0;
    holder[strspn(holder, "0123456789")] = 0;
}

int start_state(struct daemon *d)
{
    char path[PATH_MAX];
    char holder[16];
    int status = state_path(d);

    if (status) {
        return status;
    }
    snprintf(path, sizeof path, "%.*s/lock", PATH_MAX - 16, d->state);
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (d->lock_fd < 0) {
        log_error("state",
                  "cannot write in the state folder %s; give it to the user that hearsayd "
                  "runs as, or choose another with --state",
                  d->state);
        return EXIT_STATUS_FAILED;
    }
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB)) {
        lock_holder(d->lock_fd, holder);
        log_errorx("state",
                   "another hearsayd (process %s) uses the state folder %s; stop it, or "
                   "choose another folder with --state",
                   holder[0] ? holder : "unknown", d->state);
        return EXIT_STATUS_BUSY;
    }
    /* On a full disk the number is missing, and the lock holds all the same. */
    if (ftruncate(d->lock_fd, 0) || dprintf(d->lock_fd, "%d\n", (int)getpid()) < 0) {
        log_warn("state", "cannot write %s", path);
    }
    return 0;
}

void start_unlock(struct daemon *d)
{
    if (d->lock_fd > 0) {
        close(d->lock_fd);
        d->lock_fd = 0;
    }
}

static int key_complain(const char *path, int rc)
{
    switch (rc) {
    case HSAY_EBAD:
        log_errorx("keys",
                   "%s is damaged: it must be one line of 64 hex digits; restore it, or "
                   "remove it to become somebody else",
                   path);
        break;
    case HSAY_EINVAL:
        log_errorx("keys", "%s can be read by others; `chmod 600 %s`, and consider it known", path,
                   path);
        break;
    default:
        log_error("keys", "cannot read or make %s", path);
        break;
    }
    return EXIT_STATUS_FAILED;
}

static int key_load(const struct daemon *d, const char *name, unsigned char secret[32], bool *made)
{
    char path[PATH_MAX];
    int rc;

    snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - 32, d->state, name);
    rc = keyfile_read(path, secret);
    *made = rc == HSAY_ENOENT;
    if (*made) {
        hsay_sodium_random(secret, 32);
        rc = keyfile_write(path, secret);
        if (!rc) {
            log_notice("keys", "made %s", path);
        }
    }
    return rc ? key_complain(path, rc) : 0;
}

int start_keys(struct daemon *d, unsigned char node_secret[32])
{
    unsigned char seed[32];
    bool new_author;
    int status;

    if (hsay_sodium_init()) {
        log_errorx("keys", "this system gives no random numbers");
        return EXIT_STATUS_FAILED;
    }
    hsay_crypto_sodium(&d->crypto);
    status = key_load(d, "node.key", node_secret, &d->first_life);
    if (!status) {
        status = key_load(d, "author.key", seed, &new_author);
    }
    if (!status) {
        hsay_sodium_author_from_seed(&d->author, d->author_secret, seed);
        hsay_sodium_wipe(seed, sizeof seed);
    }
    return status;
}
