#include "src/lab/output/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hearsay/error.h"

extern char **environ;

/* Files in memory for the three streams: no pipe can fill, and nothing is left lying about. */
struct streams {
    int in, out, err;
};

static int make_stream(const char *text)
{
    int fd = memfd_create("gnuplot", MFD_CLOEXEC);
    size_t size = strlen(text);
    while (fd >= 0 && size > 0) {
        ssize_t put = write(fd, text, size);
        if (put < 0) {
            close(fd);
            return -1;
        }
        text += put;
        size -= (size_t)put;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static void streams_close(const struct streams *streams)
{
    const int fd[] = {streams->in, streams->out, streams->err};
    for (size_t i = 0; i < sizeof fd / sizeof fd[0]; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
    }
}

static char *stream_text(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char *text = lab_heap_new(size > 0 ? (size_t)size + 1 : 1, 1);
    ssize_t used = 0, got;
    while (used < size && (got = pread(fd, text + used, (size_t)(size - used), used)) > 0)
        used += got;
    return text;
}

static int spawn(pid_t *pid, char *const argv[], const struct streams *streams)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, streams->in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, streams->out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, streams->err, STDERR_FILENO);
    int error = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int missing(struct lab_why *why)
{
    return lab_why_set(why, HSAY_ENOENT,
                       "the figures are drawn by gnuplot, which is not there: install gnuplot "
                       "(Debian and Ubuntu: gnuplot-nox)");
}

/* Its first line of complaint that is no echo of the script nor a mark under it. */
static int complaint(int fd, struct lab_why *why)
{
    char *text = stream_text(fd), *rest = text, *line, *found = NULL;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (strstr(line, "line ") != NULL && strchr(line, ':') != NULL)
            found = line;
    }
    int rc = lab_why_set(why, HSAY_EBAD, "gnuplot failed: %.600s", found != NULL ? found : text);
    free(text);
    return rc;
}

static int run_in(const struct streams *streams, char *const argv[], char **out,
                  struct lab_why *why)
{
    pid_t pid, ended;
    int status = 0;
    int error = spawn(&pid, argv, streams);
    if (error == ENOENT)
        return missing(why);
    if (error != 0)
        return lab_why_set(why, HSAY_EIO, "gnuplot: %s", strerror(error));
    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    if (ended != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return complaint(streams->err, why);
    *out = stream_text(streams->out);
    return 0;
}

static int run(const char *script, char *const argv[], char **out, struct lab_why *why)
{
    struct streams streams = {make_stream(script), make_stream(""), make_stream("")};
    int rc;
    if (streams.in < 0 || streams.out < 0 || streams.err < 0)
        rc = lab_why_set(why, HSAY_EIO, "no file in memory: %s", strerror(errno));
    else
        rc = run_in(&streams, argv, out, why);
    streams_close(&streams);
    return rc;
}

int lab_gnuplot_check(struct lab_why *why)
{
    char *const argv[] = {(char[]){"gnuplot"}, (char[]){"--version"}, NULL};
    char *version = NULL;
    int rc = run("", argv, &version, why);
    free(version);
    return rc;
}

int lab_gnuplot_run(const char *script, char **out, struct lab_why *why)
{
    /* Without the user's own settings: the same figure on every machine. */
    char *const argv[] = {(char[]){"gnuplot"}, (char[]){"--default-settings"}, (char[]){"-"}, NULL};
    return run(script, argv, out, why);
}
