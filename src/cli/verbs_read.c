/* Bundles on their way to a person or a program: sub and show. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"
#include "src/cli/format.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What `tsv` has is all on one line, so its payload is in hex. */
static const char tsv_format[] = "%i\\t%a\\t%q\\t%t\\t%T\\t%e\\t%x\\n";

static void print_bundle(const struct cli *cli, const char *format, const json_t *bundle)
{
    if (cli->out.form == OUT_JSON)
        out_json(bundle);
    else
        format_print(&cli->out, format, bundle);
}

/* What to print of each: -F with its newline added, or the form's usual. */
static char *read_format(const struct cli *cli, const char *usual)
{
    const char *wish = options_text(&cli->line, OPT_FORMAT, NULL);
    if (!wish)
        return must_print("%s", cli->out.form == OUT_TSV ? tsv_format : usual);
    return format_check(wish) ? must_print("%s\\n", wish) : NULL;
}

static int follow(struct cli *cli, struct conn *conn, const char *format)
{
    uint64_t deadline = cli_deadline_ms(cli);
    uint64_t left = options_number(&cli->line, OPT_COUNT, UINT64_MAX);
    enum conn_got got = CONN_DONE;
    json_t *bundle = NULL;
    while (left && (got = conn_next(conn, deadline, &bundle)) == CONN_OBJECT) {
        /* The line between history and what follows is no bundle. */
        if (!json_object_get(bundle, "following")) {
            print_bundle(cli, format, bundle);
            left--;
        }
        json_decref(bundle);
    }
    return left ? cli_end(got, bundle) : EXIT_DONE;
}

int verb_sub(struct cli *cli)
{
    const struct command_line *line = &cli->line;
    const struct option_value *type = options_find(line, OPT_TYPE);
    bool new_only = options_has(line, OPT_NEW), held_only = options_has(line, OPT_HISTORY);
    if (new_only && (held_only || options_has(line, OPT_SINCE))) {
        complain("--new leaves the history out; --history and --since want it");
        return EXIT_USAGE;
    }
    char *format = read_format(cli, "%p\\n");
    if (!format)
        return EXIT_USAGE;
    struct conn conn;
    int code = cli_connect(cli, &conn);
    if (!code) {
        conn_ask(&conn, "sub %s %" PRIu64 " %d %s", cli_overlay(cli),
                 new_only ? 0 : options_number(line, OPT_SINCE, 1), !held_only,
                 type ? type->text : "-");
        code = follow(cli, &conn, format);
        conn_close(&conn);
    }
    free(format);
    return code;
}

static void print_parents(const json_t *bundle)
{
    size_t i;
    json_t *parent;
    json_array_foreach(json_object_get(bundle, "parents"), i, parent)
        printf("parent       %s\n", json_string_value(parent) ? json_string_value(parent) : "?");
}

static void print_card(const struct cli *cli, const json_t *bundle)
{
    static const struct column column[] = {
        {"id", "id", COLUMN_TEXT},
        {"author", "author", COLUMN_TEXT},
        {"sequence", "sequence", COLUMN_NUMBER},
        {"global time", "global_time", COLUMN_NUMBER},
        {"type", "type", COLUMN_TEXT},
        {"flags", "flags", COLUMN_TEXT},
        {"bytes", "bytes", COLUMN_NUMBER},
        {"signature", "signature_good", COLUMN_YES},
    };
    size_t size;
    char *payload = format_payload(bundle, &size);
    out_card(&cli->out, column, COUNT(column), bundle);
    if (field_number(bundle, "expiry_s"))
        printf("expires      %" PRIu64 " (Unix seconds)\n", field_number(bundle, "expiry_s"));
    print_parents(bundle);
    printf("payload      %zu bytes\n", size);
    out_foreign(&cli->out, payload, size);
    putchar('\n');
    free(payload);
}

int verb_show(struct cli *cli)
{
    bool raw = options_has(&cli->line, OPT_RAW), formed = options_has(&cli->line, OPT_FORMAT);
    struct conn conn;
    json_t *bundle;
    char *format = read_format(cli, "");
    if (!format)
        return EXIT_USAGE;
    int code = cli_connect(cli, &conn);
    if (!code) {
        conn_ask(&conn, "show %s %s", cli_overlay(cli), cli->word[0]);
        code = cli_object(&conn, &bundle);
        conn_close(&conn);
    }
    if (!code && raw) {
        size_t size;
        char *payload = format_payload(bundle, &size);
        fwrite(payload, 1, size, stdout);
        free(payload);
    } else if (!code && cli->out.form == OUT_TEXT && !formed) {
        print_card(cli, bundle);
    } else if (!code) {
        print_bundle(cli, format, bundle);
    }
    if (!code)
        json_decref(bundle);
    free(format);
    return code;
}
