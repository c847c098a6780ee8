#include "src/daemon/portmap_work.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/crypto_sodium.h"

struct portmap_work {
    pthread_t thread;
    pthread_mutex_t mutex; /* around all below but the descriptors, and what the thread has alone */
    pthread_cond_t changed;
    struct portmap_job job;
    struct portmap_answer answer;
    bool has_job, has_answer;
    bool busy; /* a job is there or being done, or its answer waits */
    bool ending, ended;
    int answer_fd;
    int stop_fd;
    struct portmap_asker asker; /* the thread's own */
};

/* ---- the thread ----------------------------------------------------------------------------- */

/* The next job to `job`; false at the end. */
static bool job_wait(struct portmap_work *work, struct portmap_job *job)
{
    bool has;

    pthread_mutex_lock(&work->mutex);
    while (!work->has_job && !work->ending) {
        pthread_cond_wait(&work->changed, &work->mutex);
    }
    has = work->has_job && !work->ending;
    *job = work->job;
    work->has_job = false;
    pthread_mutex_unlock(&work->mutex);
    return has;
}

static void answer_put(struct portmap_work *work, const struct portmap_answer *answer)
{
    pthread_mutex_lock(&work->mutex);
    work->answer = *answer;
    work->has_answer = true;
    pthread_mutex_unlock(&work->mutex);
    eventfd_write(work->answer_fd, 1);
}

static void *run(void *arg)
{
    struct portmap_work *work = arg;
    struct portmap_answer answer;
    struct portmap_job job;

    while (job_wait(work, &job)) {
        portmap_ask(&work->asker, &job, &answer);
        answer_put(work, &answer);
    }
    portmap_ask_end(&work->asker);
    pthread_mutex_lock(&work->mutex);
    work->ended = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->mutex);
    return NULL;
}

/* ---- start and end -------------------------------------------------------------------------- */

/* The condition waits by the clock that nobody sets. */
static int condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t how;
    int rc = pthread_condattr_init(&how);

    if (!rc) {
        rc = pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        rc = rc ? rc : pthread_cond_init(condition, &how);
        pthread_condattr_destroy(&how);
    }
    return rc;
}

/* Signals are for the loop's thread: this one begins with all of them blocked. */
static int thread_start(struct portmap_work *work)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&work->thread, NULL, run, work);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct portmap_work *portmap_work_start(void)
{
    struct portmap_work *work = calloc(1, sizeof *work);

    if (!work) {
        return NULL;
    }
    hsay_sodium_random(work->asker.nonce, sizeof work->asker.nonce);
    work->answer_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    work->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    work->asker.stop_fd = work->stop_fd;
    if (work->answer_fd < 0 || work->stop_fd < 0 || pthread_mutex_init(&work->mutex, NULL)) {
        goto err_fds;
    }
    if (condition_init(&work->changed)) {
        goto err_mutex;
    }
    if (thread_start(work)) {
        goto err_condition;
    }
    return work;

err_condition:
    pthread_cond_destroy(&work->changed);
err_mutex:
    pthread_mutex_destroy(&work->mutex);
err_fds:
    close(work->answer_fd);
    close(work->stop_fd);
    free(work);
    return NULL;
}

static bool ended_in_time(struct portmap_work *work)
{
    struct timespec end;
    bool ended;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PORTMAP_END_MS / 1000;
    pthread_mutex_lock(&work->mutex);
    work->ending = true;
    pthread_cond_broadcast(&work->changed);
    while (!work->ended && !pthread_cond_timedwait(&work->changed, &work->mutex, &end)) {
        /* woken for another reason */
    }
    ended = work->ended;
    pthread_mutex_unlock(&work->mutex);
    return ended;
}

void portmap_work_end(struct portmap_work *work)
{
    if (!work) {
        return;
    }
    eventfd_write(work->stop_fd, 1);
    if (!ended_in_time(work)) {
        pthread_detach(work->thread); /* it still uses `work` */
        return;
    }
    pthread_join(work->thread, NULL);
    pthread_cond_destroy(&work->changed);
    pthread_mutex_destroy(&work->mutex);
    close(work->answer_fd);
    close(work->stop_fd);
    free(work);
}

/* ---- jobs and answers ----------------------------------------------------------------------- */

int portmap_work_fd(const struct portmap_work *work)
{
    return work->answer_fd;
}

void portmap_work_ask(struct portmap_work *work, const struct portmap_job *job)
{
    pthread_mutex_lock(&work->mutex);
    assert(!work->busy);
    work->job = *job;
    work->has_job = work->busy = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->mutex);
}

bool portmap_work_take(struct portmap_work *work, struct portmap_answer *answer)
{
    eventfd_t junk;
    bool has;

    eventfd_read(work->answer_fd, &junk);
    pthread_mutex_lock(&work->mutex);
    has = work->has_answer;
    if (has) {
        *answer = work->answer;
        work->has_answer = work->busy = false;
    }
    pthread_mutex_unlock(&work->mutex);
    return has;
}
