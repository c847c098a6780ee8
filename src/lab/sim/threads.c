#include "src/lab/sim/threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "src/lab/sim/memory.h"

struct worker {
    struct lab_threads *threads;
    struct lab_shard *shard;
    pthread_t thread;
};

struct lab_threads {
    struct lab_sim *sim;
    lab_shard_run run;
    unsigned count;
    struct worker worker[LAB_SHARDS_MAX];
    pthread_barrier_t begin, end;
    uint64_t end_ns;
    bool over;
};

static void *work(void *self)
{
    struct worker *w = self;
    for (;;) {
        pthread_barrier_wait(&w->threads->begin);
        if (w->threads->over)
            return NULL;
        w->threads->run(w->shard, w->threads->end_ns);
        pthread_barrier_wait(&w->threads->end);
    }
}

struct lab_threads *lab_threads_new(struct lab_sim *sim, lab_shard_run run)
{
    struct lab_threads *threads = lab_calloc(1, sizeof *threads);
    threads->sim = sim;
    threads->run = run;
    threads->count = sim->config.shards;
    if (threads->count == 1)
        return threads;
    pthread_barrier_init(&threads->begin, NULL, threads->count);
    pthread_barrier_init(&threads->end, NULL, threads->count);
    for (unsigned i = 1; i < threads->count; i++) {
        threads->worker[i] = (struct worker){.threads = threads, .shard = &sim->shard[i]};
        if (pthread_create(&threads->worker[i].thread, NULL, work, &threads->worker[i]) != 0) {
            fputs("hearsay-lab: no thread to be had\n", stderr);
            exit(1);
        }
    }
    return threads;
}

void lab_threads_free(struct lab_threads *threads)
{
    if (threads->count > 1) {
        threads->over = true;
        pthread_barrier_wait(&threads->begin);
        for (unsigned i = 1; i < threads->count; i++)
            pthread_join(threads->worker[i].thread, NULL);
        pthread_barrier_destroy(&threads->begin);
        pthread_barrier_destroy(&threads->end);
    }
    free(threads);
}

void lab_threads_run(struct lab_threads *threads, uint64_t end_ns)
{
    threads->end_ns = end_ns;
    if (threads->count > 1)
        pthread_barrier_wait(&threads->begin);
    threads->run(&threads->sim->shard[0], end_ns);
    if (threads->count > 1)
        pthread_barrier_wait(&threads->end);
}
