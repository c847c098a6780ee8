/*
 * Real hearsayd processes on 127.0.0.1 for the figures: start, ask over the control socket, stop.
 *
 * Everything lies in one temporary folder, which goes when the program ends; so does every process,
 * however the program ends.  All calls end the program with a reason when something fails.
 */
#ifndef HEARSAY_BENCH_DAEMON_H
#define HEARSAY_BENCH_DAEMON_H

#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "hearsay/types.h"

enum { DAEMON_OPTIONS_MAX = 16 };

struct daemon_process {
    char state[PATH_MAX];
    char control[PATH_MAX];
    char address[128]; /* 127.0.0.1:PORT; known once it has answered */
    pid_t pid;
    double started; /* bench_seconds() at its start */
    int socket;
    char *buffer;
    size_t buffer_used, buffer_size;
};

struct daemon_setup {
    const char *name;                       /* of its state folder */
    const char *config;                     /* text of a configuration file, or NULL */
    const char *option[DAEMON_OPTIONS_MAX]; /* more of the command line, NULL ends */
};

/* Starts it with the state that it has, without waiting. */
void daemon_start(struct daemon_process *d, const struct daemon_setup *setup);

/* Waits until it answers. */
void daemon_await(struct daemon_process *d);

/* One request; the last object before the verdict, or NULL if there is none.  The caller's. */
json_t *daemon_ask(struct daemon_process *d, const char *request);

/* As above, each object handed on as it comes. */
void daemon_ask_each(struct daemon_process *d, const char *request,
                     void (*each)(const json_t *object, void *user), void *user);

/* A number of the object that `request` is answered with. */
double daemon_number(struct daemon_process *d, const char *request, const char *field);

/* Publishes payloads at overlay "bench", many requests on the way at once.  Returns the canonical
 * bytes of all. */
double daemon_publish(struct daemon_process *d, const struct hsay_span *payload, size_t count);

/* Founds overlay "bench" and returns the text to join it by; the caller's. */
char *daemon_found(struct daemon_process *d);

/* Asks for the sum of overlay "bench": how many, and the fingerprint in `fingerprint`. */
uint64_t daemon_held(struct daemon_process *d, char fingerprint[64]);

double daemon_cpu_seconds(const struct daemon_process *d); /* user and system, all threads */
double daemon_rss_mib(const struct daemon_process *d); /* without what lies in its store folder */

void daemon_stop(struct daemon_process *d);

#endif
