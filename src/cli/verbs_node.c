/* The node as a whole: how it is, what it counts, what it logs, and its end. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"
#include "src/cli/mapping.h"
#include "src/cli/progress.h"
#include "version.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- status ------------------------------------------------------------------------------- */

static void print_listen(const json_t *status)
{
    const json_t *listen = json_object_get(status, "listen");
    size_t i;
    json_t *one;
    printf("listens     ");
    json_array_foreach(listen, i, one)
    {
        const char *text = json_string_value(one);
        printf("%s%s", i ? ", " : "", text ? text : "?");
    }
    const char *name;
    json_object_foreach(json_object_get(status, "address"), name, one)
    {
        const char *text = json_is_object(one) ? field_text(one, "addr") : json_string_value(one);
        const char *nat = field_text(one, "nat");
        if (text && *text)
            printf("; others see %s%s%s", text, *nat ? ", NAT " : "", nat);
    }
    putchar('\n');
}

static void print_node(const json_t *status)
{
    printf("hearsayd    %s, up %s, pid %" PRIu64 "\n", field_text(status, "version"),
           out_seconds(field_real(status, "uptime_seconds")), field_number(status, "pid"));
    printf("node key    %s\n", field_text(status, "node_key"));
    printf("author key  %s\n", field_text(status, "author_key"));
    print_listen(status);
    mapping_print(status);
    printf("traffic     in %s in %s datagrams, out %s in %s datagrams\n",
           out_size(field_number(status, "bytes_in")),
           out_number(field_number(status, "datagrams_in")),
           out_size(field_number(status, "bytes_out")),
           out_number(field_number(status, "datagrams_out")));
    printf("store       %s, %s on disk%s%s\n", field_text(status, "store.path"),
           out_size(field_number(status, "store.disk_bytes")),
           field_true(status, "store.full") ? ", FULL" : "",
           field_true(status, "store.read_only") ? ", READ-ONLY" : "");
}

int verb_status(struct cli *cli)
{
    static const struct column column[] = {
        {"overlay", "name", COLUMN_TEXT},
        {"bundles", "bundles", COLUMN_NUMBER},
        {"missing", "missing_estimate", COLUMN_NUMBER},
        {"trusted", "peers.trusted", COLUMN_NUMBER},
        {"contacted", "peers.contacted", COLUMN_NUMBER},
        {"requested", "peers.requested", COLUMN_NUMBER},
        {"introduced", "peers.introduced", COLUMN_NUMBER},
        {"fingerprint", "fingerprint", COLUMN_TEXT},
        {"state", "why", COLUMN_TEXT},
    };
    json_t *status;
    int code = cli_ask(cli, &status, "status");
    if (code)
        return code;
    const json_t *overlays = json_object_get(status, "overlays");
    if (cli->out.form == OUT_JSON) {
        out_json(status);
    } else {
        if (cli->out.form == OUT_TEXT)
            print_node(status);
        if (cli->out.form == OUT_TEXT && json_array_size(overlays))
            putchar('\n');
        out_table(&cli->out, column, COUNT(column), overlays);
        if (cli->out.form == OUT_TEXT && !json_array_size(overlays))
            puts("overlays    none; 'hearsay overlay new NAME' founds one");
    }
    json_decref(status);
    return EXIT_DONE;
}

/* ---- stats -------------------------------------------------------------------------------- */

/* An attempt's counters have no names but what they are of. */
static void add_punctures(json_t *rows, const json_t *punctures)
{
    static const char *const outcome[] = {"connected", "failed", "punctured"};
    size_t i;
    json_t *row;
    json_array_foreach(punctures, i, row)
    {
        for (size_t k = 0; k < COUNT(outcome); k++) {
            char *name =
                must_print("%s_%s_%s_%s", field_text(row, "mine"), field_text(row, "theirs"),
                           field_text(row, "family"), outcome[k]);
            json_array_append_new(rows, json_pack("{s:s, s:s, s:O}", "group", "punctures", "name",
                                                  name, "value", field_at(row, outcome[k])));
            free(name);
        }
    }
}

static void add_rows(json_t *rows, const char *group, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) json_array_append_new(
        rows, json_pack("{s:s, s:s, s:O}", "group", group, "name", name, "value", value));
}

int verb_stats(struct cli *cli)
{
    static const struct column column[] = {{"group", "group", COLUMN_TEXT},
                                           {"name", "name", COLUMN_TEXT},
                                           {"value", "value", COLUMN_NUMBER}};
    json_t *stats;
    int code = cli_ask(cli, &stats, "stats");
    if (code)
        return code;
    if (cli->out.form == OUT_JSON) {
        out_json(stats);
    } else {
        json_t *rows = json_array();
        const char *group;
        json_t *object;
        json_object_foreach(stats, group, object)
        {
            if (json_is_array(object))
                add_punctures(rows, object);
            else
                add_rows(rows, group, object);
        }
        out_table(&cli->out, column, COUNT(column), rows);
        json_decref(rows);
    }
    json_decref(stats);
    return EXIT_DONE;
}

/* ---- log ---------------------------------------------------------------------------------- */

static void print_log(const struct cli *cli, const json_t *line)
{
    const char *separator = cli->out.form == OUT_TSV ? "\t" : " ";
    const char *message = field_text(line, "message");
    if (cli->out.form == OUT_JSON) {
        out_json(line);
        return;
    }
    printf("%s%s%-7s%s%-7s%s", field_text(line, "time"), separator, field_text(line, "level"),
           separator, field_text(line, "topic"), separator);
    out_foreign(&cli->out, message, strlen(message));
    putchar('\n');
}

int verb_log(struct cli *cli)
{
    static const char *const level[] = {"error", "warning", "notice", "info", "debug", "trace"};
    const char *wish = cli->words ? cli->word[0] : "info";
    struct nearest nearest = {.word = wish};
    for (size_t i = 0; i < COUNT(level); i++)
        nearest_try(&nearest, level[i]);
    if (!nearest.name || strcmp(nearest.name, wish) != 0) {
        complain("'%s' is no level; there are error, warning, notice, info, debug, trace", wish);
        return EXIT_USAGE;
    }
    struct conn conn;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    uint64_t deadline = cli_deadline_ms(cli);
    uint64_t left = options_number(&cli->line, OPT_COUNT, UINT64_MAX);
    enum conn_got got = CONN_DONE;
    json_t *line = NULL;
    conn_ask(&conn, "log %s", wish);
    while (left && (got = conn_next(&conn, deadline, &line)) == CONN_OBJECT) {
        print_log(cli, line);
        json_decref(line);
        left--;
    }
    code = left ? cli_end(got, line) : EXIT_DONE;
    conn_close(&conn);
    return code;
}

/* ---- version, reload, stop ---------------------------------------------------------------- */

int verb_version(struct cli *cli)
{
    struct conn conn;
    json_t *daemon = NULL;
    char *path = cli_socket_of(cli, NULL);
    /* No daemon is no failure here: the client's own version is an answer. */
    if (!conn_open(&conn, path)) {
        conn_ask(&conn, "version");
        if (cli_object(&conn, &daemon))
            daemon = NULL;
        conn_close(&conn);
    }
    if (cli->out.form == OUT_JSON) {
        json_t *both = json_pack("{s:s, s:O?}", "client", HSAY_VERSION, "daemon", daemon);
        out_json(both);
        json_decref(both);
    } else if (cli->out.form == OUT_TSV) {
        printf("%s\t%s\n", HSAY_VERSION, daemon ? field_text(daemon, "version") : "-");
    } else {
        printf("hearsay %s\n", HSAY_VERSION);
        if (daemon)
            printf("hearsayd %s, pid %" PRIu64 ", up %s\n", field_text(daemon, "version"),
                   field_number(daemon, "pid"), out_seconds(field_real(daemon, "uptime_seconds")));
        else
            printf("no hearsayd at %s\n", path);
    }
    json_decref(daemon);
    free(path);
    return EXIT_DONE;
}

static void print_keys(const char *heading, const json_t *keys)
{
    size_t i;
    json_t *key;
    if (!json_array_size(keys))
        return;
    printf("%s:", heading);
    json_array_foreach(keys, i, key)
        printf(" %s", json_string_value(key) ? json_string_value(key) : "?");
    putchar('\n');
}

int verb_reload(struct cli *cli)
{
    json_t *result;
    int code = cli_ask(cli, &result, "reload");
    if (code)
        return code;
    const json_t *changed = json_object_get(result, "changed");
    const json_t *restart = json_object_get(result, "restart_needed");
    if (cli->out.form == OUT_JSON) {
        out_json(result);
    } else {
        print_keys("changed", changed);
        print_keys("restart needed for", restart);
        if (!json_array_size(changed) && !json_array_size(restart))
            puts("nothing has changed");
    }
    json_decref(result);
    return EXIT_DONE;
}

/* The daemon answers before it has closed its store; it is over when the connection is. */
int verb_stop(struct cli *cli)
{
    struct conn conn;
    json_t *rows, *line;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    uint64_t deadline = cli_deadline_ms(cli);
    conn_ask(&conn, "stop");
    code = cli_rows(&conn, &rows);
    json_decref(rows);
    if (!code && conn_next(&conn, deadline, &line) != CONN_CLOSED)
        code = EXIT_TIMEOUT;
    conn_close(&conn);
    if (!code && cli->out.form == OUT_TEXT)
        puts("stopped");
    else if (!code && cli->out.form == OUT_JSON)
        puts("{\"ok\":true}");
    return code;
}

/* ---- wait --------------------------------------------------------------------------------- */

enum { LOOK_AGAIN_MS = 250 };

/* Draws how far the overlay is; the bar's own connection, so that the answer is not held up. */
static void show_far(struct conn *look, struct progress *progress, const char *overlay)
{
    json_t *now = NULL;
    conn_ask(look, "overlay-show %s", overlay);
    if (cli_object(look, &now))
        return;
    uint64_t held = field_number(now, "bundles");
    progress_show(progress, held, held + field_number(now, "missing_estimate"));
    json_decref(now);
}

static enum conn_got await(struct cli *cli, struct conn *conn, struct conn *look, json_t **object)
{
    struct progress progress;
    uint64_t deadline = cli_deadline_ms(cli);
    enum conn_got got;
    progress_init(&progress, options_text(&cli->line, OPT_PROGRESS, NULL), "bundles");
    for (;;) {
        uint64_t next = progress.form == PROGRESS_NONE ? deadline : clock_ms() + LOOK_AGAIN_MS;
        got = conn_next(conn, next < deadline ? next : deadline, object);
        if (got != CONN_TIMEOUT || clock_ms() >= deadline)
            break;
        show_far(look, &progress, cli_overlay(cli));
    }
    progress_end(&progress, 0, 0);
    return got;
}

int verb_wait(struct cli *cli)
{
    struct conn conn, look;
    json_t *object = NULL;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    code = cli_connect(cli, &look);
    if (code) {
        conn_close(&conn);
        return code;
    }
    /* A second more than ours: the daemon's own limit is only there for clients that vanish. */
    uint64_t limit = options_number(&cli->line, OPT_SECONDS, UINT64_C(31536000000));
    conn_ask(&conn, "wait %s %llu", cli_overlay(cli), (unsigned long long)(limit / 1000 + 1));
    enum conn_got got = await(cli, &conn, &look, &object);
    if (got == CONN_OBJECT) {
        json_decref(object);
        got = conn_next(&conn, CLOCK_NEVER, &object);
    }
    code = cli_end(got, object);
    if (got == CONN_TIMEOUT)
        complain("not in sync after %s", out_seconds((double)limit / 1000));
    else if (!code && cli->out.form == OUT_TEXT)
        puts("in sync");
    else if (!code && cli->out.form == OUT_JSON)
        puts("{\"synced\":true}");
    conn_close(&look);
    conn_close(&conn);
    return code;
}
