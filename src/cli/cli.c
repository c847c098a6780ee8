#include "src/cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/common/path.h"

void complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fflush(stdout);
    fputs("hearsay: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

const char *cli_overlay(const struct cli *cli)
{
    const char *name = options_text(&cli->line, OPT_OVERLAY, getenv("HEARSAY_OVERLAY"));
    return name && *name ? name : "-";
}

static char *socket_in(const char *state)
{
    size_t size = strlen(state);
    return must_print("%s%scontrol.sock", state, size && state[size - 1] == '/' ? "" : "/");
}

/* Where a daemon of this user puts its socket when nobody says. */
static char *default_socket(const char *state)
{
    char path[PATH_MAX];
    return must_print("%s", path_control(path, sizeof path, state) ? "control.sock" : path);
}

static char *socket_of_environment(void)
{
    const char *socket = getenv("HEARSAY_SOCKET"), *state = getenv("HEARSAY_STATE");
    if (!socket || !*socket)
        socket = getenv("HEARSAY_CONTROL"); /* what hearsayd itself reads */
    if (socket && *socket)
        return must_print("%s", socket);
    if (!state || !*state)
        return default_socket(NULL);
    char *path = socket_in(state);
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return default_socket(state);
}

char *cli_socket_of(const struct cli *cli, const char *node)
{
    struct stat what;
    if (node)
        return stat(node, &what) == 0 && S_ISDIR(what.st_mode) ? socket_in(node)
                                                               : must_print("%s", node);
    const struct option_value *socket = options_find(&cli->line, OPT_SOCKET);
    const struct option_value *state = options_find(&cli->line, OPT_STATE);
    if (socket)
        return must_print("%s", socket->text);
    return state ? socket_in(state->text) : socket_of_environment();
}

/* The command that would make a daemon listen there. */
static char *how_to_start(const char *path)
{
    char *usual = default_socket(NULL), *config = NULL;
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) : 0;
    config = must_print("%.*s/hearsay.conf", folder, path);
    bool has_config = slash && access(config, F_OK) == 0;
    char *how = strcmp(path, usual) == 0 ? must_print("hearsayd")
                : has_config             ? must_print("hearsayd --config %s", config)
                                         : must_print("hearsayd --state DIR --control %s", path);
    free(usual);
    free(config);
    return how;
}

int cli_connect_to(const char *path, struct conn *conn)
{
    int why = conn_open(conn, path);
    if (!why)
        return EXIT_DONE;
    if (why == EACCES || why == EPERM) {
        complain("may not open %s: it belongs to another user", path);
    } else if (why == ENAMETOOLONG) {
        complain("the path of the socket is too long: %s", path);
    } else {
        char *how = how_to_start(path);
        complain("no daemon at %s (%s); start one with '%s'", path, strerror(why), how);
        free(how);
    }
    return EXIT_UNREACHABLE;
}

int cli_connect(const struct cli *cli, struct conn *conn)
{
    char *path = cli_socket_of(cli, NULL);
    int code = cli_connect_to(path, conn);
    free(path);
    return code;
}

int cli_end(enum conn_got got, json_t *object)
{
    int code = EXIT_DONE;
    if (got == CONN_REFUSED) {
        const char *message = field_text(object, "message");
        code = (int)field_number(object, "exit");
        code = code >= EXIT_FAILED && code <= EXIT_PARTLY ? code : EXIT_FAILED;
        complain("%s", *message ? message : field_text(object, "error"));
    } else if (got == CONN_TIMEOUT) {
        code = EXIT_TIMEOUT;
    } else if (got != CONN_DONE) {
        complain("the daemon closed the connection");
        code = EXIT_FAILED;
    }
    json_decref(object);
    return code;
}

int cli_rows(struct conn *conn, json_t **rows)
{
    json_t *object;
    enum conn_got got;
    *rows = json_array();
    while ((got = conn_next(conn, CLOCK_NEVER, &object)) == CONN_OBJECT)
        json_array_append_new(*rows, object);
    int code = cli_end(got, object);
    if (code) {
        json_decref(*rows);
        *rows = NULL;
    }
    return code;
}

int cli_object(struct conn *conn, json_t **object)
{
    json_t *rows;
    *object = NULL;
    int code = cli_rows(conn, &rows);
    if (code)
        return code;
    *object = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    if (*object)
        return EXIT_DONE;
    complain("the daemon gave an empty answer");
    return EXIT_FAILED;
}

int cli_do(const struct cli *cli, const char *format, ...)
{
    struct conn conn;
    json_t *rows;
    char *request;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    va_list list;
    va_start(list, format);
    if (vasprintf(&request, format, list) < 0)
        request = NULL;
    va_end(list);
    conn_ask(&conn, "%s", request ? request : "");
    free(request);
    code = cli_rows(&conn, &rows);
    json_decref(rows);
    conn_close(&conn);
    return code;
}

uint64_t cli_deadline_ms(const struct cli *cli)
{
    const struct option_value *limit = options_find(&cli->line, OPT_SECONDS);
    return limit ? clock_ms() + limit->number : CLOCK_NEVER;
}
