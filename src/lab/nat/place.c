#include "src/lab/nat/place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hearsay/error.h"

enum { ANGER_BYTES = 700, EXIT_NO_PROGRAM = 127 };

int natlab_place_make(struct natlab_place *place, struct lab_why *why)
{
    if (unshare(CLONE_NEWNET) != 0 || (place->fd = open("/proc/self/ns/net", O_RDONLY)) < 0)
        return lab_why_set(why, HSAY_EIO, "no network namespace: %s", strerror(errno));
    return 0;
}

void natlab_place_enter(const struct natlab_place *place)
{
    int rc = setns(place->fd, CLONE_NEWNET);
    assert(rc == 0); /* we made it, and it is open */
}

/* --- programs -------------------------------------------------------------------------------- */

static int memory_file(const char *text)
{
    int fd = memfd_create("text", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
        lseek(fd, 0, SEEK_SET) != 0) {
        fputs("hearsay-lab: no file in memory\n", stderr);
        abort();
    }
    return fd;
}

/* Never returns: the program, or what the shell says when there is none. */
static _Noreturn void become(const char *const *argv, int in, int out)
{
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(out, STDERR_FILENO) >= 0)
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(EXIT_NO_PROGRAM);
}

static int anger(int out, const char *program, struct lab_why *why)
{
    char text[ANGER_BYTES];
    ssize_t size = pread(out, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : ';';
    return lab_why_set(why, HSAY_EIO, "%s: %s", program, text);
}

/* Until it has ended; `in` and `out` are its. */
static int run(const struct natlab_place *place, const char *const *argv, int in, int out,
               struct lab_why *why)
{
    int status = 0;
    natlab_place_enter(place);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, in, out);
    if (pid < 0)
        return lab_why_set(why, HSAY_EIO, "no process: %s", strerror(errno));
    return waitpid(pid, &status, 0) != pid || status != 0 ? anger(out, argv[0], why) : 0;
}

int natlab_place_feed(const struct natlab_place *place, const char *const *argv, const char *text,
                      struct lab_why *why)
{
    int in = memory_file(text), out = memory_file("");
    int rc = run(place, argv, in, out, why);
    close(in);
    close(out);
    return rc;
}

static char *text_in(int file)
{
    off_t size = lseek(file, 0, SEEK_END);
    char *text = lab_heap_new((size_t)(size > 0 ? size : 0) + 1, 1);
    ssize_t got = size > 0 ? pread(file, text, (size_t)size, 0) : 0;
    text[got > 0 ? got : 0] = '\0';
    return text;
}

int natlab_place_ask(const struct natlab_place *place, const char *const *argv, char **text,
                     struct lab_why *why)
{
    int in = memory_file(""), out = memory_file("");
    int rc = run(place, argv, in, out, why);
    *text = rc == 0 ? text_in(out) : NULL;
    close(in);
    close(out);
    return rc;
}

int natlab_place_start(const struct natlab_place *place, const char *const *argv, const char *log,
                       pid_t *pid, struct lab_why *why)
{
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        return lab_why_set(why, HSAY_EIO, "%s: %s", log, strerror(errno));
    natlab_place_enter(place);
    pid_t child = fork();
    if (child == 0)
        become(argv, in, out);
    close(in);
    close(out);
    if (child < 0)
        return lab_why_set(why, HSAY_EIO, "no process: %s", strerror(errno));
    *pid = child;
    return 0;
}

/* --- what the kernel has there --------------------------------------------------------------- */

int natlab_place_set(const struct natlab_place *place, const char *key, uint64_t number,
                     struct lab_why *why)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/%s", key);
    natlab_place_enter(place);
    FILE *file = fopen(path, "we");
    bool good = file != NULL && fprintf(file, "%llu\n", (unsigned long long)number) > 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? 0 : lab_why_set(why, HSAY_EIO, "cannot set %s: %s", path, strerror(errno));
}

int natlab_place_tun(const struct natlab_place *place, const char *name, int *fd,
                     struct lab_why *why)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    natlab_place_enter(place);
    *fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return lab_why_set(why, HSAY_EIO, "cannot open /dev/net/tun, read and write: %s",
                           strerror(errno));
    if (ioctl(*fd, TUNSETIFF, &request) == 0)
        return 0;
    close(*fd);
    return lab_why_set(why, HSAY_EIO, "cannot make a TUN device: %s", strerror(errno));
}

int natlab_place_udp(const struct natlab_place *place, uint16_t port, int *fd, struct lab_why *why)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    natlab_place_enter(place);
    *fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0 && bind(*fd, (const struct sockaddr *)&name, sizeof name) == 0)
        return 0;
    if (*fd >= 0)
        close(*fd);
    return lab_why_set(why, HSAY_EIO, "no socket at port %u: %s", port, strerror(errno));
}
