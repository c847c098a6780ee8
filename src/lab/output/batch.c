/*
 * The parent forks, waits and reaps.  It holds back the signals it cares for and takes them one by
 * one with sigtimedwait, so there is no handler and no state outside of struct herd.  A child
 * leaves its result in a file in memory that it got from the parent: no pipe that could fill, and
 * no disk.
 */
#include "src/lab/output/batch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/lab/output/bar.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/machine.h"

enum {
    LABEL_BYTES = 256,
    TICK_MS = 200,
    MERCY_TICKS = 10, /* between asking a child to end and making it */
    EXIT_TOLD = 1,    /* the child left a result that tells why it failed */
};

struct child {
    pid_t pid; /* 0: a free place */
    int fd;
    size_t job;
    uint64_t begun_ns;
};

struct herd {
    const struct lab_batch *batch;
    struct lab_result *result;
    struct child *child;
    size_t children;
    size_t next, done;
    bool failed, stopped;
    FILE *log;
    struct lab_bar bar;
    atomic_uint *share_ppm;
    sigset_t signals, before;
};

void lab_job_progress(const struct lab_job *job, double share)
{
    if (share >= 0 && share <= 1)
        atomic_store_explicit(job->share_ppm, (unsigned)(share * 1e6), memory_order_relaxed);
}

/* --- a child --------------------------------------------------------------------------------- */

static _Noreturn void child_main(struct herd *herd, size_t number, int fd, pid_t parent)
{
    struct lab_job job = {number, &herd->share_ppm[number]};
    struct lab_result result;
    /* Nobody waits for the children of a parent that was killed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_TOLD);
    sigprocmask(SIG_SETMASK, &herd->before, NULL);
    lab_result_init(&result);
    int rc = herd->batch->run(&job, &result, herd->batch->user);
    if (lab_result_save(&result, fd) != 0)
        abort();
    lab_result_free(&result);
    fflush(NULL);
    _exit(rc == 0 ? 0 : EXIT_TOLD);
}

static struct child *free_place(struct herd *herd)
{
    for (size_t i = 0; i < herd->children; i++) {
        if (herd->child[i].pid == 0)
            return &herd->child[i];
    }
    return NULL;
}

static int start_one(struct herd *herd, struct child *child)
{
    int fd = memfd_create("result", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    /* What lies in a buffer of stdio would be written by both. */
    fflush(NULL);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_main(herd, herd->next, fd, parent);
    if (pid < 0) {
        close(fd);
        return -1;
    }
    *child = (struct child){pid, fd, herd->next++, lab_bar_clock_ns()};
    return 0;
}

static void start_some(struct herd *herd)
{
    struct child *child;
    while (!herd->stopped && herd->next < herd->batch->jobs && (child = free_place(herd)) != NULL) {
        if (start_one(herd, child) != 0) {
            lab_bar_wipe(&herd->bar);
            fprintf(herd->log, "hearsay-lab: no process for a run: %s\n", strerror(errno));
            herd->failed = true;
            herd->stopped = true;
        }
    }
}

/* --- its end --------------------------------------------------------------------------------- */

static void reason(char *text, size_t size, int status, const struct lab_result *result)
{
    const struct lab_field *error = lab_result_field(result, "error");
    if (WIFSIGNALED(status))
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) == EXIT_TOLD && error != NULL && error->text != NULL)
        snprintf(text, size, "%s", error->text);
    else
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
}

static void tell_failure(struct herd *herd, const struct child *child, int status)
{
    char label[LABEL_BYTES] = "", why[1024];
    const struct lab_batch *batch = herd->batch;
    batch->label(child->job, label, sizeof label, batch->user);
    reason(why, sizeof why, status, &herd->result[child->job]);
    lab_bar_wipe(&herd->bar);
    fprintf(herd->log, "hearsay-lab: %s: %s\n  version %s, again: ", label, why, batch->version);
    batch->replay(child->job, herd->log, batch->user);
    fputc('\n', herd->log);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void note_cost(struct lab_result *result, const struct child *child,
                      const struct rusage *usage)
{
    lab_result_number(result, "wall_seconds", (double)(lab_bar_clock_ns() - child->begun_ns) / 1e9);
    lab_result_number(result, "cpu_seconds",
                      seconds_of(usage->ru_utime) + seconds_of(usage->ru_stime));
    lab_result_number(result, "peak_gib", (double)usage->ru_maxrss / 0x1p20);
}

static void end_one(struct herd *herd, struct child *child, int status, const struct rusage *usage)
{
    struct lab_result *result = &herd->result[child->job];
    bool whole = WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_TOLD &&
                 lab_result_load(result, child->fd) == 0;
    bool good = whole && WEXITSTATUS(status) == 0;
    close(child->fd);
    if (!good && !herd->stopped) {
        tell_failure(herd, child, status);
        herd->failed = true;
    }
    if (good)
        note_cost(result, child, usage);
    atomic_store(&herd->share_ppm[child->job], 1000000);
    child->pid = 0;
    herd->done++;
}

/* Asks for each pid by itself: other children of this process are none of our business. */
static size_t reap(struct herd *herd)
{
    size_t living = 0;
    for (size_t i = 0; i < herd->children; i++) {
        struct child *child = &herd->child[i];
        struct rusage usage;
        int status;
        if (child->pid == 0)
            continue;
        if (wait4(child->pid, &status, WNOHANG, &usage) == child->pid)
            end_one(herd, child, status, &usage);
        else
            living++;
    }
    return living;
}

static void signal_all(const struct herd *herd, int signal_number)
{
    for (size_t i = 0; i < herd->children; i++) {
        if (herd->child[i].pid > 0)
            kill(herd->child[i].pid, signal_number);
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

/* The run that began last is the one to name: it stays longest. */
static const struct child *newest(const struct herd *herd)
{
    const struct child *found = NULL;
    for (size_t i = 0; i < herd->children; i++) {
        const struct child *child = &herd->child[i];
        if (child->pid != 0 && (found == NULL || child->job > found->job))
            found = child;
    }
    return found;
}

static void show(struct herd *herd)
{
    char label[LABEL_BYTES] = "";
    const struct child *child = newest(herd);
    double sum = 0;
    if (herd->bar.out == NULL)
        return;
    for (size_t i = 0; i < herd->batch->jobs; i++)
        sum += atomic_load_explicit(&herd->share_ppm[i], memory_order_relaxed) / 1e6;
    if (child != NULL)
        herd->batch->label(child->job, label, sizeof label, herd->batch->user);
    lab_bar_show(&herd->bar, &(struct lab_bar_state){.done = herd->done,
                                                     .total = herd->batch->jobs,
                                                     .share = sum / (double)herd->batch->jobs,
                                                     .label = label});
}

/* Until a signal comes or a tick is over.  True if it was one that asks us to stop. */
static bool wait_a_tick(const struct herd *herd)
{
    struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    int number = sigtimedwait(&herd->signals, NULL, &tick);
    return number > 0 && number != SIGCHLD;
}

static void work(struct herd *herd)
{
    unsigned ticks = 0;
    start_some(herd);
    while (reap(herd) > 0 || (!herd->stopped && herd->next < herd->batch->jobs)) {
        start_some(herd);
        show(herd);
        if (wait_a_tick(herd))
            herd->stopped = true;
        if (herd->stopped)
            signal_all(herd, ticks++ < MERCY_TICKS ? SIGTERM : SIGKILL);
    }
    lab_bar_wipe(&herd->bar);
}

/* A signal that is ignored stays so, as nohup wishes; but children that nobody waits for would be
 * lost to us. */
static void block_signals(struct herd *herd)
{
    static const int asks_to_stop[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&herd->signals);
    signal(SIGCHLD, SIG_DFL);
    sigaddset(&herd->signals, SIGCHLD);
    for (size_t i = 0; i < sizeof asks_to_stop / sizeof asks_to_stop[0]; i++) {
        struct sigaction now;
        if (sigaction(asks_to_stop[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&herd->signals, asks_to_stop[i]);
    }
    sigprocmask(SIG_BLOCK, &herd->signals, &herd->before);
}

enum lab_batch_end lab_batch_run(const struct lab_batch *batch, struct lab_result *result)
{
    size_t shared = (batch->jobs + 1) * sizeof(atomic_uint);
    struct herd herd = {.batch = batch, .result = result};
    herd.log = batch->log != NULL ? batch->log : stderr;
    herd.share_ppm = mmap(NULL, shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (herd.share_ppm == MAP_FAILED) {
        fprintf(herd.log, "hearsay-lab: no memory to share: %s\n", strerror(errno));
        return LAB_BATCH_FAILED;
    }
    herd.children = batch->at_once > 0 ? batch->at_once : lab_machine_cores();
    herd.child = lab_heap_new(herd.children, sizeof *herd.child);
    lab_bar_init(&herd.bar, herd.log, batch->quiet);

    block_signals(&herd);
    work(&herd);
    sigprocmask(SIG_SETMASK, &herd.before, NULL);

    free(herd.child);
    munmap(herd.share_ppm, shared);
    if (herd.failed)
        return LAB_BATCH_FAILED;
    return herd.stopped ? LAB_BATCH_STOPPED : LAB_BATCH_DONE;
}
