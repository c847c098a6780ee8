#include "bench/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

enum { DAEMONS_MAX = 64, START_SECONDS = 20, ON_THE_WAY = 64 };

static char folder[256];
static pid_t running[DAEMONS_MAX];
static pid_t owner;

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* ---- nothing is left behind ---- */

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
    (void)s, (void)flag, (void)ftw;
    return remove(path);
}

static void clean_up(void)
{
    if (getpid() != owner)
        return;
    for (unsigned i = 0; i < DAEMONS_MAX; i++)
        if (running[i] != 0) {
            kill(running[i], SIGKILL);
            waitpid(running[i], NULL, 0);
            running[i] = 0;
        }
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_signal(int number)
{
    exit(128 + number);
}

static void make_folder(void)
{
    const char *temporary = getenv("TMPDIR");
    if (owner != 0)
        return;
    owner = getpid();
    snprintf(folder, sizeof folder, "%s/hearsay-bench.XXXXXX", temporary ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL)
        bench_fail("no folder at %s: %s", folder, strerror(errno));
    atexit(clean_up);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- processes ---- */

static void write_config(const struct daemon_process *d, const char *text, char *path)
{
    snprintf(path, PATH_MAX, "%.*s/bench.conf", PATH_MAX - 32, d->state);
    FILE *f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        bench_fail("can not write %s", path);
}

static _Noreturn void become_daemon(const struct daemon_process *d, char **argv)
{
    char log[PATH_MAX];
    snprintf(log, sizeof log, "%.*s/log", PATH_MAX - 32, d->state);
    int out = open(log, O_CREAT | O_APPEND | O_WRONLY, 0600);
    int none = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(none, 0);
    dup2(out, 1);
    dup2(out, 2);
    execv(argv[0], argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

void daemon_start(struct daemon_process *d, const struct daemon_setup *setup)
{
    const char *build = getenv("B");
    char program[PATH_MAX], config[PATH_MAX];
    char *argv[32 + DAEMON_OPTIONS_MAX];
    unsigned argc = 0, place = 0;
    make_folder();
    memset(d, 0, sizeof *d);
    d->socket = -1;
    snprintf(program, sizeof program, "%s/hearsayd", build ? build : "build");
    snprintf(d->state, sizeof d->state, "%s/%s", folder, setup->name);
    snprintf(d->control, sizeof d->control, "%s/%s.sock", folder, setup->name);
    mkdir(d->state, 0700);
    char *const always[] = {program,    "--state",     d->state,        "--control", d->control,
                            "--listen", "127.0.0.1:0", "--lan-beacons", "no",        "--quota",
                            "0"};
    for (; argc < sizeof always / sizeof always[0]; argc++)
        argv[argc] = always[argc];
    if (setup->config != NULL) {
        write_config(d, setup->config, config);
        argv[argc++] = "--config";
        argv[argc++] = config;
    }
    for (unsigned i = 0; i < DAEMON_OPTIONS_MAX && setup->option[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)setup->option[i];
    argv[argc] = NULL;
    while (place < DAEMONS_MAX && running[place] != 0)
        place++;
    if (place == DAEMONS_MAX)
        bench_fail("more than %d daemons", DAEMONS_MAX);
    d->started = bench_seconds();
    d->pid = fork();
    if (d->pid < 0)
        bench_fail("fork: %s", strerror(errno));
    if (d->pid == 0)
        become_daemon(d, argv);
    running[place] = d->pid;
}

static void tell_log(const struct daemon_process *d)
{
    char path[PATH_MAX], line[512];
    snprintf(path, sizeof path, "%.*s/log", PATH_MAX - 32, d->state);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        fputs(line, stderr);
    if (f != NULL)
        fclose(f);
}

static void forget(pid_t pid)
{
    for (unsigned i = 0; i < DAEMONS_MAX; i++)
        if (running[i] == pid)
            running[i] = 0;
}

static bool try_connect(struct daemon_process *d)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(d->control) >= sizeof at.sun_path)
        bench_fail("the path %s is too long for a socket", d->control);
    memcpy(at.sun_path, d->control, strlen(d->control));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s, (struct sockaddr *)&at, sizeof at) != 0) {
        close(s);
        return false;
    }
    d->socket = s;
    return true;
}

void daemon_await(struct daemon_process *d)
{
    while (!try_connect(d)) {
        if (waitpid(d->pid, NULL, WNOHANG) == d->pid) {
            forget(d->pid);
            tell_log(d);
            bench_fail("hearsayd ended at its start");
        }
        if (bench_seconds() > d->started + START_SECONDS)
            bench_fail("hearsayd does not answer");
        pause_ms(2);
    }
    json_t *status = daemon_ask(d, "status");
    const char *address = json_string_value(json_array_get(json_object_get(status, "listen"), 0));
    if (address == NULL)
        bench_fail("hearsayd does not say where it listens");
    snprintf(d->address, sizeof d->address, "%s", address);
    json_decref(status);
}

void daemon_stop(struct daemon_process *d)
{
    if (d->socket >= 0)
        close(d->socket);
    kill(d->pid, SIGTERM);
    waitpid(d->pid, NULL, 0);
    forget(d->pid);
    free(d->buffer);
    memset(d, 0, sizeof *d);
}

/* ---- asking ---- */

static void send_all(struct daemon_process *d, const void *bytes, size_t size)
{
    for (const char *at = bytes; size != 0;) {
        ssize_t n = write(d->socket, at, size);
        if (n <= 0)
            bench_fail("the control socket takes nothing: %s", strerror(errno));
        at += n;
        size -= (size_t)n;
    }
}

/* The next line of the answer, parsed. */
static json_t *read_object(struct daemon_process *d)
{
    char *end;
    while (d->buffer_used == 0 || (end = memchr(d->buffer, '\n', d->buffer_used)) == NULL) {
        if (d->buffer_used == d->buffer_size) {
            d->buffer_size = d->buffer_size != 0 ? 2 * d->buffer_size : 65536;
            d->buffer = realloc(d->buffer, d->buffer_size);
        }
        ssize_t n = read(d->socket, d->buffer + d->buffer_used, d->buffer_size - d->buffer_used);
        if (n <= 0) {
            tell_log(d);
            bench_fail("hearsayd closed the control socket");
        }
        d->buffer_used += (size_t)n;
    }
    size_t size = (size_t)(end - d->buffer);
    json_t *object = json_loadb(d->buffer, size, 0, NULL);
    if (object == NULL)
        bench_fail("hearsayd said what is no JSON: %.*s", (int)size, d->buffer);
    d->buffer_used -= size + 1;
    memmove(d->buffer, end + 1, d->buffer_used);
    return object;
}

/* Objects up to the verdict, which must be good. */
static void read_answer(struct daemon_process *d, void (*each)(const json_t *, void *), void *user)
{
    for (;;) {
        json_t *object = read_object(d);
        const json_t *ok = json_object_get(object, "ok");
        if (ok == NULL)
            each(object, user);
        else if (!json_is_true(ok))
            bench_fail("hearsayd: %s", json_string_value(json_object_get(object, "message")));
        json_decref(object);
        if (ok != NULL)
            return;
    }
}

void daemon_ask_each(struct daemon_process *d, const char *request,
                     void (*each)(const json_t *object, void *user), void *user)
{
    send_all(d, request, strlen(request));
    send_all(d, "\n", 1);
    read_answer(d, each, user);
}

static void keep_last(const json_t *object, void *user)
{
    json_t **last = user;
    json_decref(*last);
    *last = json_deep_copy(object);
}

json_t *daemon_ask(struct daemon_process *d, const char *request)
{
    json_t *last = NULL;
    daemon_ask_each(d, request, keep_last, &last);
    return last;
}

double daemon_number(struct daemon_process *d, const char *request, const char *field)
{
    json_t *object = daemon_ask(d, request);
    const json_t *value = json_object_get(object, field);
    if (!json_is_number(value))
        bench_fail("`%s` is not answered with %s", request, field);
    double number = json_number_value(value);
    json_decref(object);
    return number;
}

char *daemon_found(struct daemon_process *d)
{
    json_t *object = daemon_ask(d, "overlay-new bench");
    const char *join = json_string_value(json_object_get(object, "join"));
    if (join == NULL)
        bench_fail("no overlay was founded");
    char *copy = strdup(join);
    json_decref(object);
    return copy;
}

uint64_t daemon_held(struct daemon_process *d, char fingerprint[64])
{
    json_t *object = daemon_ask(d, "sum bench");
    json_t *print = json_object_get(object, "fingerprint");
    char *text = json_dumps(print, JSON_ENCODE_ANY);
    uint64_t count = (uint64_t)json_integer_value(json_object_get(object, "count"));
    if (fingerprint != NULL)
        snprintf(fingerprint, 64, "%s", text != NULL ? text : "");
    free(text);
    json_decref(object);
    return count;
}

static void add_bytes(const json_t *object, void *user)
{
    *(double *)user += json_number_value(json_object_get(object, "bytes"));
}

double daemon_publish(struct daemon_process *d, const struct hsay_span *payload, size_t count)
{
    double bytes = 0;
    size_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        char line[64];
        int size = snprintf(line, sizeof line, "pub bench 0 0 %zu\n", payload[i].size);
        send_all(d, line, (size_t)size);
        send_all(d, payload[i].data, payload[i].size);
        if (i - answered == ON_THE_WAY) {
            read_answer(d, add_bytes, &bytes);
            answered++;
        }
    }
    for (; answered < count; answered++)
        read_answer(d, add_bytes, &bytes);
    return bytes;
}

/* ---- what it costs ---- */

double daemon_cpu_seconds(const struct daemon_process *d)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(d->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        bench_fail("no CPU time of process %d", (int)d->pid);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double daemon_rss_mib(const struct daemon_process *d)
{
    char path[64], line[PATH_MAX + 256], store[PATH_MAX];
    double kib = 0, value;
    bool counts = false;
    unsigned long from, to;
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)d->pid);
    snprintf(store, sizeof store, "%.*s/store/", PATH_MAX - 32, d->state);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        bench_fail("can not read %s", path);
    while (fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            counts = strstr(line, store) == NULL;
        else if (counts && sscanf(line, "Rss: %lf kB", &value) == 1)
            kib += value;
    fclose(f);
    return kib / 1024;
}
