/* A hearsayd on one host of the laboratory's world. */
#ifndef HEARSAY_LAB_NAT_NODE_H
#define HEARSAY_LAB_NAT_NODE_H

#include "hearsay/node.h"
#include "src/lab/nat/control.h"
#include "src/lab/nat/world.h"

enum { NATLAB_KEY_TEXT_BYTES = 65, NATLAB_PATH_BYTES = 108 };

/* The same for all nodes. */
struct natlab_program {
    const char *path;
    unsigned step_ms;
    const char *search; /* "yes", "no", or NULL: say nothing about searching ports */
    bool beacons;       /* they look for each other in their LAN */
};

struct natlab_node {
    const char *name;
    const struct natlab_host *host;
    pid_t pid;
    char key[NATLAB_KEY_TEXT_BYTES]; /* in hex */
    char folder[NATLAB_PATH_BYTES];
    struct natlab_control control; /* for requests */
    struct natlab_control trace;   /* follows it, once it has joined */
};

/* `folder` is where all nodes have theirs; the overlay is called "lab" everywhere. */
int natlab_node_start(struct natlab_node *node, const struct natlab_program *program,
                      const char *folder, struct lab_why *why);

/* After all were started, for a start takes a moment. */
int natlab_node_await(struct natlab_node *node, struct lab_why *why);

/* The first makes the overlay, and `join` is what the others enter by. */
enum { NATLAB_JOIN_BYTES = 256 };
int natlab_node_found(struct natlab_node *node, char join[NATLAB_JOIN_BYTES], struct lab_why *why);
int natlab_node_join(struct natlab_node *node, const char *join, struct lab_why *why);

/* Tells it of those peers; it goes to them at once. */
int natlab_node_meet(struct natlab_node *node, const struct natlab_host *host, unsigned hosts,
                     struct lab_why *why);

/* A new list of those that it knows, as the control socket has them; NULL and words. */
json_t *natlab_node_peers(struct natlab_node *node, struct lab_why *why);

/* Publishes a bundle there; its digest in hex.  HSAY_EIO and words. */
enum { NATLAB_DIGEST_TEXT_BYTES = 65 };
int natlab_node_publish(struct natlab_node *node, char digest[NATLAB_DIGEST_TEXT_BYTES],
                        struct lab_why *why);

/* HSAY_EIO and words if it cannot tell. */
int natlab_node_holds(struct natlab_node *node, const char *digest, bool *holds,
                      struct lab_why *why);

/* In which bucket the peer with this key is; HSAY_BUCKET_NONE if the node does not know it, or
 * gives no answer. */
enum hsay_bucket natlab_node_bucket(struct natlab_node *node, const char *key);

/* One of its counters, as `stats` calls it. */
double natlab_node_count(struct natlab_node *node, const char *counter);

#endif
