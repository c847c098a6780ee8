/* Speaks to a hearsayd over its control socket: a request is a line, the answer lines of JSON. */
#ifndef HEARSAY_LAB_NAT_CONTROL_H
#define HEARSAY_LAB_NAT_CONTROL_H

#include <stdbool.h>

#include <jansson.h>

#include "src/lab/output/heap.h"

enum { NATLAB_CONTROL_BYTES = 65536 };

struct natlab_control {
    int fd;
    size_t used;
    char buffer[NATLAB_CONTROL_BYTES];
};

/* Waits until somebody answers there.  HSAY_EIO and words if that takes longer. */
int natlab_control_open(struct natlab_control *control, const char *path, unsigned wait_ms,
                        struct lab_why *why);
void natlab_control_close(struct natlab_control *control);

/* One line into `request`; the answer is a new list of the objects before the last; NULL and words
 * if it was refused. */
json_t *natlab_control_ask(struct natlab_control *control, struct lab_why *why, const char *request,
                           ...) __attribute__((format(printf, 3, 4)));

/* A request whose answer does not end. */
int natlab_control_follow(struct natlab_control *control, const char *request, struct lab_why *why);

/* The next whole line that has come, as a new object; NULL if there is none, as where nothing was
 * opened yet.  Does not wait.  `gone`: there will not be one. */
json_t *natlab_control_next(struct natlab_control *control, bool *gone);

#endif
