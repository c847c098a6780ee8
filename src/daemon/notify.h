/*
 * Tells a service manager how we are, over the socket that it names in $NOTIFY_SOCKET.  Without one
 * every call does nothing.  By hand, because libsystemd is larger than all else together.
 */
#ifndef HEARSAY_DAEMON_NOTIFY_H
#define HEARSAY_DAEMON_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; several are parted by newlines. */
void notify_send(const char *text);

/* How often WATCHDOG=1 is due: half of what the manager allows; 0: it does not ask. */
uint64_t notify_watchdog_ms(void);

#endif
