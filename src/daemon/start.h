/* What must be there before the loop can turn: folder, lock, keys.  Each returns an exit status
 * and, unless that is 0, has logged one line that says what is wrong and how to mend it. */
#ifndef HEARSAY_DAEMON_START_H
#define HEARSAY_DAEMON_START_H

struct daemon;

/* The state folder, made if need be, and locked so that no second daemon uses it. */
int start_state(struct daemon *d);

/* STATE/node.key and STATE/author.key, made at the first start. */
int start_keys(struct daemon *d, unsigned char node_secret[32]);

void start_unlock(struct daemon *d);

#endif
