#include "src/common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hearsay/error.h"

static int close_keeping_errno(int fd, int rc)
{
    int error = errno;

    if (close(fd) && !rc) {
        return HSAY_EIO;
    }
    errno = error;
    return rc;
}

static int read_all(int fd, char *bytes, size_t size, size_t *used)
{
    *used = 0;
    while (*used < size) {
        ssize_t got = read(fd, bytes + *used, size - *used);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return HSAY_EIO;
        }
        if (got == 0) {
            break;
        }
        *used += (size_t)got;
    }
    return 0;
}

int file_read(const char *path, size_t size_max, char **text, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes;
    int rc;

    if (fd < 0) {
        return errno == ENOENT ? HSAY_ENOENT : HSAY_EIO;
    }
    /* One more than allowed, so that a file that is too large is noticed. */
    bytes = malloc(size_max + 2);
    rc = bytes ? read_all(fd, bytes, size_max + 1, size) : HSAY_EIO;
    if (!rc && *size > size_max) {
        rc = HSAY_ENOSPC;
    }
    rc = close_keeping_errno(fd, rc);
    if (rc) {
        free(bytes);
        return rc;
    }
    bytes[*size] = 0;
    *text = bytes;
    return 0;
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t put = write(fd, bytes, size);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return HSAY_EIO;
        }
        bytes += put;
        size -= (size_t)put;
    }
    return 0;
}

/* A rename is durable when the folder is. */
static int folder_sync(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int fd;

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return HSAY_EIO;
    }
    return close_keeping_errno(fd, fsync(fd) ? HSAY_EIO : 0);
}

int file_write(const char *path, const void *bytes, size_t size, mode_t mode)
{
    char temporary[PATH_MAX];
    int fd, rc;

    if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return HSAY_EIO;
    }
    /* A file left by a crash may have another mode, that others can read. */
    unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return HSAY_EIO;
    }
    rc = write_all(fd, bytes, size);
    if (!rc && fsync(fd)) {
        rc = HSAY_EIO;
    }
    rc = close_keeping_errno(fd, rc);
    if (!rc && rename(temporary, path)) {
        rc = HSAY_EIO;
    }
    if (rc) {
        int error = errno;

        unlink(temporary);
        errno = error;
        return rc;
    }
    return folder_sync(path);
}

int file_make_folder(const char *path, mode_t mode)
{
    char part[PATH_MAX];
    struct stat info;

    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return HSAY_EIO;
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) && errno != EEXIST) {
            return HSAY_EIO;
        }
        *slash = '/';
    }
    if (mkdir(part, mode) && errno != EEXIST) {
        return HSAY_EIO;
    }
    if (stat(part, &info)) {
        return HSAY_EIO;
    }
    if (!S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        return HSAY_EIO;
    }
    return 0;
}
