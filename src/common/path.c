#include "src/common/path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearsay/error.h"

/* A variable that is empty is as good as none (XDG base directories say so). */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

static int join_two(char *path, size_t size, const char *folder, const char *rest)
{
    int length = snprintf(path, size, "%s%s", folder, rest);

    return length < 0 || (size_t)length >= size ? HSAY_ENOSPC : 0;
}

static int below_home(char *path, size_t size, const char *variable, const char *usual,
                      const char *rest)
{
    char folder[PATH_MAX];

    if (environment(variable)) {
        return join_two(path, size, environment(variable), rest);
    }
    if (!environment("HOME")) {
        return HSAY_ENOENT;
    }
    if (join_two(folder, sizeof folder, environment("HOME"), usual)) {
        return HSAY_ENOSPC;
    }
    return join_two(path, size, folder, rest);
}

int path_config(char *path, size_t size)
{
    if (environment("CONFIGURATION_DIRECTORY")) {
        return join_two(path, size, environment("CONFIGURATION_DIRECTORY"), "/hearsay.conf");
    }
    if (geteuid() == 0) {
        return join_two(path, size, "/etc", "/hearsay/hearsay.conf");
    }
    return below_home(path, size, "XDG_CONFIG_HOME", "/.config", "/hearsay/hearsay.conf");
}

int path_state(char *path, size_t size)
{
    if (environment("STATE_DIRECTORY")) {
        return join_two(path, size, environment("STATE_DIRECTORY"), "");
    }
    if (geteuid() == 0) {
        return join_two(path, size, "/var/lib", "/hearsay");
    }
    return below_home(path, size, "XDG_STATE_HOME", "/.local/state", "/hearsay");
}

int path_control(char *path, size_t size, const char *state)
{
    char usual[PATH_MAX];
    int rc = path_state(usual, sizeof usual);

    if (state && (rc || strcmp(state, usual) != 0)) {
        return join_two(path, size, state, "/control.sock");
    }
    if (environment("RUNTIME_DIRECTORY")) {
        return join_two(path, size, environment("RUNTIME_DIRECTORY"), "/control.sock");
    }
    if (geteuid() == 0) {
        return join_two(path, size, "/run", "/hearsay/control.sock");
    }
    if (environment("XDG_RUNTIME_DIR")) {
        return join_two(path, size, environment("XDG_RUNTIME_DIR"), "/hearsay/control.sock");
    }
    return rc ? rc : join_two(path, size, usual, "/control.sock");
}
