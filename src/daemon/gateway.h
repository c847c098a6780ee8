/*
 * The machine's default gateway, which is the only one that is ever asked for a port.
 *
 * From the kernel by netlink: /proc/net is not there for a service that sees processes alone.
 */
#ifndef HEARSAY_DAEMON_GATEWAY_H
#define HEARSAY_DAEMON_GATEWAY_H

#include "hearsay/types.h"

/* The IPv4 gateway of the main table's default route, the one with the best metric; its port is 0.
 * HSAY_ENOENT if there is none, HSAY_EIO if the kernel does not tell.  Waits for nobody. */
int gateway_find(struct hsay_addr *out);

/* Our address as the gateway sees it; port 0.  Sends nothing.  HSAY_EIO. */
int gateway_local(struct hsay_addr *out, const struct hsay_addr *gateway);

#endif
