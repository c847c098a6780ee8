/*
 * watch: several nodes side by side as they fill, redrawn on a terminal.  What is drawn goes to
 * stderr; the table at the end goes to stdout, so that a script can have both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "src/cli/cli.h"
#include "src/cli/progress.h"

enum {
    INTERVAL_MS = 250,
    PLAIN_GAP_MS = 2000,
    LAST_LOOK_MS = 2000, /* for a node that is busy at the end */
    NAME_CELLS = 14,
    BAR_CELLS = 24,
    LINE_CELLS = NAME_CELLS + BAR_CELLS + 40,
};

struct node {
    const char *name; /* in argv, or the socket's path */
    char *path;
    struct conn conn;   /* fd < 0: not reachable now */
    bool asked;         /* an answer is due */
    bool fresh;         /* it came after the last ask_all */
    bool seen;          /* was reachable once */
    uint64_t filled_ms; /* since the beginning; CLOCK_NEVER: not yet */
    json_t *row;        /* what is known, as it will stand in the table */
};

struct watch {
    struct cli *cli;
    struct node *node;
    size_t nodes;
    uint64_t begun_ms;
    uint64_t goal; /* bundles; 0: none */
    bool notes;    /* standard input is open and read */
    struct bytes note;
    struct progress progress; /* its form alone is used */
    size_t drawn;             /* lines on the screen that the next drawing replaces */
    uint64_t plain_ms;
};

static double seconds_since(uint64_t begun_ms)
{
    return (double)(clock_ms() - begun_ms) / 1000;
}

/* ---- asking ------------------------------------------------------------------------------- */

static const json_t *pick_overlay(const json_t *status, const char *wish)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(status, "overlays"), i, one)
    {
        const char *key = field_text(one, "key");
        if (!strcmp(wish, "-") || !strcmp(wish, field_text(one, "name")) ||
            (strlen(wish) >= 8 && !strncmp(wish, key, strlen(wish))))
            return one;
    }
    return NULL;
}

static void copy_fields(json_t *row, const json_t *from, const char *const *field)
{
    for (; *field; field++) {
        json_t *value = json_object_get(from, *field);
        if (value)
            json_object_set(row, *field, value);
    }
}

static void on_status(struct watch *watch, struct node *node, const json_t *status)
{
    static const char *const of_node[] = {
        "pid", "uptime_seconds", "datagrams_out", "datagrams_in", "bytes_out", "bytes_in", NULL};
    static const char *const of_overlay[] = {"bundles", "bundle_bytes", "fingerprint",
                                             "synced",  "why",          NULL};
    copy_fields(node->row, status, of_node);
    copy_fields(node->row, pick_overlay(status, cli_overlay(watch->cli)), of_overlay);
    node->fresh = node->seen = true;
    if (watch->goal && node->filled_ms == CLOCK_NEVER &&
        field_number(node->row, "bundles") >= watch->goal) {
        node->filled_ms = clock_ms() - watch->begun_ms;
        json_object_set_new(node->row, "seconds", json_real((double)node->filled_ms / 1000));
    }
}

static void hang_up(struct node *node)
{
    conn_close(&node->conn);
    node->asked = false;
}

static void take(struct watch *watch, struct node *node)
{
    json_t *object;
    enum conn_got got;
    bool open = conn_move(&node->conn);
    while ((got = conn_take(&node->conn, &object)) != CONN_WAIT) {
        if (got == CONN_OBJECT)
            on_status(watch, node, object);
        node->asked = got == CONN_OBJECT;
        json_decref(object);
        open = open && got != CONN_CLOSED;
        if (!open)
            break;
    }
    if (!open)
        hang_up(node);
}

static void ask_all(struct watch *watch)
{
    for (size_t i = 0; i < watch->nodes; i++) {
        struct node *node = &watch->node[i];
        if (node->conn.fd < 0 && conn_open(&node->conn, node->path))
            continue;
        if (node->asked)
            continue;
        conn_ask(&node->conn, "status");
        node->asked = true;
        node->fresh = false;
    }
}

/* ---- drawing ------------------------------------------------------------------------------ */

static uint64_t most_bundles(const struct watch *watch)
{
    uint64_t most = watch->goal;
    for (size_t i = 0; i < watch->nodes; i++)
        if (field_number(watch->node[i].row, "bundles") > most)
            most = field_number(watch->node[i].row, "bundles");
    return most;
}

static const char *state_of(const struct node *node)
{
    if (node->conn.fd < 0)
        return node->seen ? "gone" : "not started";
    if (node->filled_ms != CLOCK_NEVER)
        return out_seconds((double)node->filled_ms / 1000);
    return field_true(node->row, "synced") ? "in sync" : "";
}

/* Lines can be replaced only where all of them are in sight. */
static bool has_room(const struct watch *watch)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
        return true;
    return watch->nodes + 2 <= size.ws_row && size.ws_col >= LINE_CELLS;
}

static void wipe(struct watch *watch)
{
    if (watch->drawn)
        fprintf(stderr, "\033[%zuA\033[J", watch->drawn);
    watch->drawn = 0;
}

static void draw_bars(struct watch *watch)
{
    uint64_t most = most_bundles(watch);
    wipe(watch);
    for (size_t i = 0; i < watch->nodes; i++) {
        const struct node *node = &watch->node[i];
        uint64_t bundles = field_number(node->row, "bundles");
        char bar[BAR_CELLS * 4 + 1];
        progress_bar(bar, BAR_CELLS, bundles, most);
        fprintf(stderr, "%-*.*s %s %9s  out %10s  %s\n", NAME_CELLS, NAME_CELLS, node->name, bar,
                out_number(bundles), out_size(field_number(node->row, "bytes_out")),
                state_of(node));
    }
    watch->drawn = watch->nodes;
}

static void draw_plain(struct watch *watch)
{
    uint64_t least = UINT64_MAX;
    size_t filled = 0, up = 0;
    for (size_t i = 0; i < watch->nodes; i++) {
        const struct node *node = &watch->node[i];
        uint64_t bundles = field_number(node->row, "bundles");
        if (node->conn.fd < 0)
            continue;
        up++;
        filled += node->filled_ms != CLOCK_NEVER;
        least = bundles < least ? bundles : least;
    }
    double now = seconds_since(watch->begun_ms);
    if (watch->progress.form == PROGRESS_JSON)
        fprintf(stderr, "{\"seconds\":%.3f,\"up\":%zu,\"filled\":%zu,\"least\":%" PRIu64 "}\n", now,
                up, filled, up ? least : 0);
    else
        fprintf(stderr, "%6.1f s  %zu of %zu nodes up, %s to %s bundles, %zu hold all\n", now, up,
                watch->nodes, out_number(up ? least : 0), out_number(most_bundles(watch)), filled);
}

static void draw(struct watch *watch)
{
    uint64_t gap = watch->progress.form == PROGRESS_JSON ? 1000 : PLAIN_GAP_MS;
    if (watch->progress.form == PROGRESS_BAR && has_room(watch)) {
        draw_bars(watch);
    } else if (clock_ms() - watch->plain_ms >= gap) {
        watch->plain_ms = clock_ms();
        draw_plain(watch);
    }
}

static void read_notes(struct watch *watch)
{
    const char *line;
    size_t size;
    ssize_t got = read(STDIN_FILENO, bytes_space(&watch->note, 4096), 4096);
    if (got < 0 && errno == EINTR)
        return;
    bytes_grown(&watch->note, got > 0 ? (size_t)got : 0);
    watch->notes = got > 0;
    while (bytes_line(&watch->note, &line, &size)) {
        wipe(watch);
        fprintf(stderr, "%6.1f s  %.*s\n", seconds_since(watch->begun_ms), (int)size, line);
    }
}

/* ---- the loop ----------------------------------------------------------------------------- */

static void turn(struct watch *watch, uint64_t until_ms)
{
    struct pollfd *look = must_alloc(NULL, (watch->nodes + 1) * sizeof *look);
    for (size_t i = 0; i < watch->nodes; i++)
        look[i] = (struct pollfd){.fd = watch->node[i].conn.fd,
                                  .events = conn_events(&watch->node[i].conn)};
    look[watch->nodes] = (struct pollfd){.fd = watch->notes ? STDIN_FILENO : -1, .events = POLLIN};
    if (poll(look, watch->nodes + 1, clock_left_ms(until_ms)) > 0) {
        for (size_t i = 0; i < watch->nodes; i++)
            if (look[i].revents)
                take(watch, &watch->node[i]);
        if (look[watch->nodes].revents)
            read_notes(watch);
    }
    free(look);
}

static bool is_filled(const struct watch *watch)
{
    for (size_t i = 0; i < watch->nodes; i++) {
        const struct node *node = &watch->node[i];
        if (node->conn.fd < 0 || field_number(node->row, "bundles") < watch->goal)
            return false;
    }
    return watch->goal && !watch->notes;
}

/* All counters once more, so that the table shows one instant and not twelve. */
static void look_last(struct watch *watch)
{
    uint64_t until = clock_ms() + LAST_LOOK_MS;
    bool waiting = true;
    for (size_t i = 0; i < watch->nodes; i++)
        watch->node[i].fresh = false;
    ask_all(watch);
    while (waiting && clock_ms() < until) {
        waiting = false;
        for (size_t i = 0; i < watch->nodes; i++)
            waiting |= watch->node[i].conn.fd >= 0 && !watch->node[i].fresh;
        if (waiting)
            turn(watch, until);
    }
}

static int loop(struct watch *watch)
{
    uint64_t deadline = cli_deadline_ms(watch->cli), next = 0;
    uint64_t interval = options_number(&watch->cli->line, OPT_INTERVAL, INTERVAL_MS);
    while (!is_filled(watch) && clock_ms() < deadline) {
        if (clock_ms() >= next) {
            ask_all(watch);
            draw(watch);
            next = clock_ms() + (interval < 20 ? 20 : interval);
        }
        turn(watch, next < deadline ? next : deadline);
    }
    look_last(watch);
    if (watch->progress.form == PROGRESS_BAR && has_room(watch))
        draw_bars(watch);
    return is_filled(watch) || !watch->goal ? EXIT_DONE : EXIT_TIMEOUT;
}

static void print_table(const struct watch *watch)
{
    static const struct column column[] = {
        {"node", "node", COLUMN_TEXT},
        {"bundles", "bundles", COLUMN_NUMBER},
        {"fingerprint", "fingerprint", COLUMN_TEXT},
        {"datagrams out", "datagrams_out", COLUMN_NUMBER},
        {"datagrams in", "datagrams_in", COLUMN_NUMBER},
        {"bytes out", "bytes_out", COLUMN_NUMBER},
        {"bytes in", "bytes_in", COLUMN_NUMBER},
        {"bundle bytes", "bundle_bytes", COLUMN_NUMBER},
        {"seconds", "seconds", COLUMN_TEXT},
    };
    json_t *rows = json_array();
    for (size_t i = 0; i < watch->nodes; i++)
        json_array_append(rows, watch->node[i].row);
    out_table(&watch->cli->out, column, sizeof column / sizeof *column, rows);
    json_decref(rows);
}

static void open_nodes(struct watch *watch)
{
    struct cli *cli = watch->cli;
    watch->nodes = cli->words ? cli->words : 1;
    watch->node = must_alloc(NULL, watch->nodes * sizeof *watch->node);
    for (size_t i = 0; i < watch->nodes; i++) {
        char *path = cli_socket_of(cli, cli->words ? cli->word[i] : NULL);
        const char *slash = strrchr(cli->words ? cli->word[i] : path, '/');
        const char *name = slash && slash[1] ? slash + 1 : cli->words ? cli->word[i] : path;
        watch->node[i] = (struct node){.name = name,
                                       .path = path,
                                       .conn.fd = -1,
                                       .filled_ms = CLOCK_NEVER,
                                       .row = json_pack("{s:s}", "node", name)};
    }
}

int verb_watch(struct cli *cli)
{
    struct watch watch = {.cli = cli,
                          .begun_ms = clock_ms(),
                          .goal = options_number(&cli->line, OPT_COUNT, 0),
                          .notes = options_has(&cli->line, OPT_NOTES)};
    progress_init(&watch.progress, options_text(&cli->line, OPT_PROGRESS, NULL), "bundles");
    watch.plain_ms = watch.begun_ms;
    open_nodes(&watch);
    int code = loop(&watch);
    print_table(&watch);
    for (size_t i = 0; i < watch.nodes; i++) {
        hang_up(&watch.node[i]);
        json_decref(watch.node[i].row);
        free(watch.node[i].path);
    }
    free(watch.node);
    bytes_free(&watch.note);
    return code;
}
