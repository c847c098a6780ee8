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

/* Where the daemon of that state folder, or of this user if it is NULL, puts its socket. */
static char *socket_in(const char *state)
{
    char path[PATH_MAX];
    return must_print("%s", path_control(path, sizeof path, state) ? "control.sock" : path);
}

char *cli_socket_of(const struct cli *cli, const char *node)
{
    struct stat what;
    if (node)
        return stat(node, &what) == 0 && S_ISDIR(what.st_mode) ? socket_in(node)
                                                               : must_print("%s", node);
    /* HEARSAY_CONTROL is what hearsayd itself reads. */
    const char *variable[] = {getenv("HEARSAY_SOCKET"), getenv("HEARSAY_CONTROL")};
    const char *state = getenv("HEARSAY_STATE");
    const struct option_value *socket = options_find(&cli->line, OPT_SOCKET);
    const struct option_value *folder = options_find(&cli->line, OPT_STATE);
    if (socket)
        return must_print("%s", socket->text);
    if (folder)
        return socket_in(folder->text);
    for (size_t i = 0; i < 2; i++)
        if (variable[i] && *variable[i])
            return must_print("%s", variable[i]);
    return socket_in(state && *state ? state : NULL);
}

/* The command that would make a daemon listen there. */
static char *how_to_start(const char *path)
{
    char *usual = socket_in(NULL), *how;
    const char *slash = strrchr(path, '/');
    char *folder = must_print("%.*s", slash ? (int)(slash - path) : 0, path);
    char *config = must_print("%s/hearsay.conf", folder);
    if (strcmp(path, usual) == 0)
        how = must_print("hearsayd");
    else if (!slash || strcmp(slash, "/control.sock") != 0)
        how = must_print("hearsayd --control %s", path);
    else if (access(config, F_OK) == 0)
        how = must_print("hearsayd --config %s", config);
    else
        how = must_print("hearsayd --state %s", folder);
    free(usual);
    free(folder);
    free(config);
    return how;
}

/* A daemon started there would leave it alone and end. */
static bool is_obstructed(const char *path)
{
    struct stat there;
    return lstat(path, &there) == 0 && !S_ISSOCK(there.st_mode);
}

int cli_try(const char *path, struct conn *conn, char **why)
{
    int number = conn_open(conn, path);
    if (!number)
        return 0;
    if (is_obstructed(path)) {
        *why = must_print("what lies at %s is no control socket", path);
    } else if (number == EACCES || number == EPERM) {
        *why = must_print("may not open %s: it belongs to another user", path);
    } else if (number == ENAMETOOLONG) {
        *why = must_print("the path of the socket is too long: %s", path);
    } else {
        char *how = how_to_start(path);
        *why = must_print("no daemon at %s (%s); start one with '%s'", path, strerror(number), how);
        free(how);
    }
    return number;
}

int cli_connect_to(const char *path, struct conn *conn)
{
    char *why;
    if (!cli_try(path, conn, &why))
        return EXIT_DONE;
    complain("%s", why);
    free(why);
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

int cli_ask(const struct cli *cli, json_t **object, const char *format, ...)
{
    struct conn conn;
    char *request = NULL;
    va_list list;
    *object = NULL;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    va_start(list, format);
    bool made = vasprintf(&request, format, list) >= 0;
    va_end(list);
    if (made)
        conn_ask(&conn, "%s", request);
    code = made ? cli_object(&conn, object) : EXIT_FAILED;
    free(made ? request : NULL);
    conn_close(&conn);
    return code;
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
