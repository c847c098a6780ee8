/*
 * Peers that a person named: given to the node at once if they are numbers, else when a name server
 * has answered.  A name that cannot be resolved is asked for again, after 5 s and then ever later,
 * up to 10 minutes; one that could, every half hour, because what it stands for may move.
 */
#ifndef HEARSAY_DAEMON_NAMES_H
#define HEARSAY_DAEMON_NAMES_H

#include "src/common/peer_name.h"
#include "src/daemon/overlays.h"

enum { NAMES_MAX = 512 };

struct names_entry {
    bool used;
    bool asking;
    uint32_t generation; /* tells a late answer from one to this entry's question */
    struct hsay_key overlay;
    struct peer_name peer;
    hsay_time due;
    uint32_t wait_ms;
};

struct names {
    struct names_entry *entry; /* NAMES_MAX, made with the first name */
    struct loop_timer *timer;
};

int names_open(struct daemon *d); /* HSAY_ENOMEM */
void names_close(struct daemon *d);

/* HSAY_ENOSPC: too many; HSAY_EINVAL: nobody can send to that address. */
int names_add(struct daemon *d, struct overlay *overlay, const struct peer_name *peer);

/* The peers of the configuration that are meant for this overlay, and those it remembers. */
void names_add_known(struct daemon *d, struct overlay *overlay);

void names_forget(struct daemon *d, const struct overlay *overlay);

/* How many peers this overlay was told, for those who ask why it does not sync. */
size_t names_count(struct daemon *d, const struct overlay *overlay);

#endif
