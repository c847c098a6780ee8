/*
 * Where things lie when nobody says otherwise.  The daemon and its client must agree on this, so
 * that `hearsay` finds the socket of the `hearsayd` that the same user started.
 *
 *            root                           anybody else
 *  config    /etc/hearsay/hearsay.conf      $XDG_CONFIG_HOME/hearsay/hearsay.conf   (~/.config)
 *  state     /var/lib/hearsay               $XDG_STATE_HOME/hearsay (~/.local/state) control
 * /run/hearsay/control.sock      $XDG_RUNTIME_DIR/hearsay/control.sock, else STATE/control.sock
 *
 * A service manager's $CONFIGURATION_DIRECTORY, $STATE_DIRECTORY and $RUNTIME_DIRECTORY come first.
 * All return 0, or HSAY_ENOSPC when the result does not fit or HSAY_ENOENT when there is no home to
 * start from.
 */
#ifndef HEARSAY_COMMON_PATH_H
#define HEARSAY_COMMON_PATH_H

#include <stddef.h>

int path_config(char *path, size_t size);
int path_state(char *path, size_t size);

/* Where the control socket is: in the state folder `state` if that is one that the user chose, else
 * (NULL, or what path_state gives) where the system keeps such things. */
int path_control(char *path, size_t size, const char *state);

#endif
