/*
 * The tests of `hearsay doctor`: each looks at what the daemon said of itself and writes a finding
 * for each thing it looked at.  They stand in the order in which they stand in each other's way.
 */
#ifndef HEARSAY_CLI_DOCTOR_H
#define HEARSAY_CLI_DOCTOR_H

#include <jansson.h>

enum verdict { VERDICT_OK, VERDICT_WARNING, VERDICT_PROBLEM };

struct doctor {
    json_t *findings; /* objects: result, test, message, advice (null: nothing to do) */
    enum verdict worst;

    /* The daemon's answers to these requests. */
    json_t *status;
    json_t *stats;
    json_t *nat;
    json_t *peers; /* an array for each overlay, in the order of status */
};

/* advice: what to do, or NULL; the format makes the message. */
__attribute__((format(printf, 5, 6))) void doctor_find(struct doctor *doctor, enum verdict verdict,
                                                       const char *test, const char *advice,
                                                       const char *format, ...);

/* The program itself, and what the system gives it (doctor_node.c). */
void doctor_daemon(struct doctor *doctor);
void doctor_socket(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);
void doctor_store(struct doctor *doctor);
void doctor_quota(struct doctor *doctor);

/* The others (doctor_peers.c). */
void doctor_peers(struct doctor *doctor);
void doctor_nat(struct doctor *doctor);
void doctor_mapping(struct doctor *doctor);
void doctor_punctures(struct doctor *doctor);
void doctor_sync(struct doctor *doctor);

#endif
