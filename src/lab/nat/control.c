#include "src/lab/nat/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/error.h"

enum { REQUEST_BYTES = 1024, ANSWER_WAIT_MS = 10000, RETRY_MS = 20 };

/* --- opening --------------------------------------------------------------------------------- */

static bool connect_once(struct natlab_control *control, const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    control->used = 0;
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (control->fd >= 0 && connect(control->fd, (struct sockaddr *)&name, sizeof name) == 0)
        return true;
    if (control->fd >= 0)
        close(control->fd);
    control->fd = -1;
    return false;
}

int natlab_control_open(struct natlab_control *control, const char *path, unsigned wait_ms,
                        struct lab_why *why)
{
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
    for (unsigned waited = 0; !connect_once(control, path); waited += RETRY_MS) {
        if (waited >= wait_ms)
            return lab_why_set(why, HSAY_EIO, "nobody answers at %s: %s", path, strerror(errno));
        nanosleep(&pause, NULL);
    }
    return 0;
}

void natlab_control_close(struct natlab_control *control)
{
    if (control->fd >= 0)
        close(control->fd);
    control->fd = -1;
}

/* --- lines ----------------------------------------------------------------------------------- */

/* Takes the first line out of the buffer; NULL if there is no whole one. */
static json_t *take_line(struct natlab_control *control)
{
    char *end = memchr(control->buffer, '\n', control->used);
    if (end == NULL)
        return NULL;
    size_t size = (size_t)(end - control->buffer);
    json_t *object = json_loadb(control->buffer, size, 0, NULL);
    control->used -= size + 1;
    memmove(control->buffer, end + 1, control->used);
    return object != NULL ? object : json_object();
}

/* False: there will not come more. */
static bool read_some(struct natlab_control *control)
{
    size_t room = sizeof control->buffer - control->used;
    ssize_t got = recv(control->fd, control->buffer + control->used, room, MSG_DONTWAIT);
    if (got > 0)
        control->used += (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

json_t *natlab_control_next(struct natlab_control *control, bool *gone)
{
    json_t *object = take_line(control);
    *gone = false;
    if (object != NULL || control->fd < 0)
        return object;
    *gone = !read_some(control);
    return take_line(control);
}

static json_t *wait_line(struct natlab_control *control)
{
    struct pollfd readable = {.fd = control->fd, .events = POLLIN};
    json_t *object = take_line(control);
    while (object == NULL && poll(&readable, 1, ANSWER_WAIT_MS) > 0 && read_some(control))
        object = take_line(control);
    return object;
}

/* --- requests -------------------------------------------------------------------------------- */

int natlab_control_follow(struct natlab_control *control, const char *request, struct lab_why *why)
{
    char line[REQUEST_BYTES];
    int size = snprintf(line, sizeof line, "%s\n", request);
    if (size < 0 || (size_t)size >= sizeof line ||
        send(control->fd, line, (size_t)size, MSG_NOSIGNAL) != size)
        return lab_why_set(why, HSAY_EIO, "cannot send '%s': %s", request, strerror(errno));
    return 0;
}

/* Lines up to the one that says whether it was done. */
static json_t *gather(struct natlab_control *control, const char *request, struct lab_why *why)
{
    json_t *list = json_array();
    for (;;) {
        json_t *line = wait_line(control);
        const json_t *ok = json_object_get(line, "ok");
        if (line != NULL && ok == NULL) {
            json_array_append_new(list, line);
            continue;
        }
        bool good = json_is_true(ok);
        if (!good) {
            const char *words = json_string_value(json_object_get(line, "message"));
            lab_why_set(why, HSAY_EIO, "'%s': %s", request, words != NULL ? words : "no answer");
            json_decref(list);
        }
        json_decref(line);
        return good ? list : NULL;
    }
}

json_t *natlab_control_ask(struct natlab_control *control, struct lab_why *why, const char *request,
                           ...)
{
    char line[REQUEST_BYTES];
    va_list arguments;
    va_start(arguments, request);
    vsnprintf(line, sizeof line, request, arguments);
    va_end(arguments);
    return natlab_control_follow(control, line, why) == 0 ? gather(control, line, why) : NULL;
}
