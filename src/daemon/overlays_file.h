/*
 * STATE/overlays, line by line:
 *
 *     overlay NAME JOIN
 *     peer NAME HOST:PORT[#KEY]
 *
 * For overlays.c, which also has the two calls that reading the file needs.
 */
#ifndef HEARSAY_DAEMON_OVERLAYS_FILE_H
#define HEARSAY_DAEMON_OVERLAYS_FILE_H

#include "src/daemon/overlays.h"

/* HSAY_EIO with errno. */
int overlays_file_save(struct daemon *d);

/* Joins what it names.  An error, with a sentence in `why`; that there is no file is none. */
int overlays_file_load(struct daemon *d, char *why, size_t why_size);

int overlays_join_unsaved(struct daemon *d, const char *name, const struct join *join,
                          struct overlay **out);
int overlays_peer_append(struct overlay *overlay, const struct peer_name *peer);

#endif
