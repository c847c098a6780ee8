#include "src/daemon/portmap_request.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#include "hearsay/error.h"

int portmap_wait(const struct portmap_request *request, int fd, uint64_t ms)
{
    struct pollfd ready[2] = {{.fd = fd, .events = POLLIN},
                              {.fd = request->stop_fd, .events = POLLIN}};
    /* No signal comes to this thread, so poll is never cut short. */
    int count = poll(ready, 2, (int)ms);

    if (count < 0 || ready[1].revents) {
        return HSAY_EIO;
    }
    return ready[0].revents != 0;
}

int portmap_fail(struct portmap_grant *grant, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(grant->why, sizeof grant->why, format, arguments);
    va_end(arguments);
    return HSAY_EIO;
}
