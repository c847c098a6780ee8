/* Overlays and their peers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"
#include "src/common/join.h"
#include "src/common/peer_name.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool good_name(const char *name)
{
    if (join_name_ok(name))
        return true;
    complain("'%s' is no name for an overlay: 1 to 63 letters, digits, '.', '_', '-', "
             "and not 8 or more hex digits alone",
             name);
    return false;
}

static bool good_peer(const char *text)
{
    struct peer_name name;
    if (!peer_name_parse(&name, text))
        return true;
    complain("'%s' is no peer; it looks like HOST:PORT or HOST:PORT#KEY", text);
    return false;
}

int verb_overlay_new(struct cli *cli)
{
    json_t *made;
    if (!good_name(cli->word[0]))
        return EXIT_USAGE;
    int code = cli_ask(cli, &made, "overlay-new %s%s", cli->word[0],
                       options_has(&cli->line, OPT_SECRET) ? " secret" : "");
    if (code)
        return code;
    static const struct column column[] = {
        {"name", "name", COLUMN_TEXT}, {"key", "key", COLUMN_TEXT}, {"join", "join", COLUMN_TEXT}};
    out_card(&cli->out, column, COUNT(column), made);
    if (cli->out.form == OUT_TEXT)
        printf("\nOthers enter with\n  hearsay overlay join %s '%s' --peer THIS-HOST:PORT\n",
               field_text(made, "name"), field_text(made, "join"));
    json_decref(made);
    return EXIT_DONE;
}

/* The join text may come from standard input, because command lines are seen by every user. */
static char *read_join(const char *word)
{
    char line[JOIN_TEXT_BYTES + 2];
    if (strcmp(word, "-") != 0)
        return must_print("%s", word);
    if (!fgets(line, sizeof line, stdin))
        line[0] = 0;
    line[strcspn(line, " \r\n")] = 0;
    return must_print("%s", line);
}

static int add_peers(struct cli *cli, const char *overlay)
{
    for (size_t i = 0; i < cli->line.value_count; i++) {
        const struct option_value *value = &cli->line.value[i];
        if (value->option != OPT_PEER)
            continue;
        int code = cli_do(cli, "peer-add %s %s", overlay, value->text);
        if (code)
            return code;
    }
    return EXIT_DONE;
}

static int join(struct cli *cli, const char *text)
{
    json_t *joined;
    int code = cli_ask(cli, &joined, "overlay-join %s %s", cli->word[0], text);
    if (code)
        return code;
    code = add_peers(cli, cli->word[0]);
    static const struct column column[] = {{"name", "name", COLUMN_TEXT},
                                           {"key", "key", COLUMN_TEXT}};
    out_card(&cli->out, column, COUNT(column), joined);
    json_decref(joined);
    /* Joined it is; only the peers are not all named. */
    return code ? EXIT_PARTLY : EXIT_DONE;
}

int verb_overlay_join(struct cli *cli)
{
    struct join parsed;
    if (!good_name(cli->word[0]))
        return EXIT_USAGE;
    for (size_t i = 0; i < cli->line.value_count; i++)
        if (cli->line.value[i].option == OPT_PEER && !good_peer(cli->line.value[i].text))
            return EXIT_USAGE;
    char *text = read_join(cli->word[1]);
    int code = EXIT_USAGE;
    if (join_parse(&parsed, text))
        complain("'%s' is no join text; it looks like hsay1:KEY or hsay1:KEY:SECRET", text);
    else
        code = join(cli, text);
    free(text);
    return code;
}

int verb_overlay_leave(struct cli *cli)
{
    int code = cli_do(cli, "overlay-leave %s", cli->word[0]);
    if (!code && cli->out.form == OUT_TEXT)
        printf("left %s\n", cli->word[0]);
    else if (!code && cli->out.form == OUT_JSON)
        puts("{\"ok\":true}");
    return code;
}

/* One request whose rows are a table. */
static int list(struct cli *cli, const char *request, const struct column *column, size_t columns,
                const char *if_none)
{
    struct conn conn;
    json_t *rows;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    conn_ask(&conn, "%s", request);
    code = cli_rows(&conn, &rows);
    conn_close(&conn);
    if (code)
        return code;
    out_table(&cli->out, column, columns, rows);
    if (!json_array_size(rows) && cli->out.form == OUT_TEXT)
        puts(if_none);
    json_decref(rows);
    return EXIT_DONE;
}

int verb_overlay_ls(struct cli *cli)
{
    static const struct column column[] = {
        {"name", "name", COLUMN_TEXT},
        {"key", "key", COLUMN_SHORT},
        {"secret", "secret", COLUMN_YES},
        {"bundles", "bundles", COLUMN_NUMBER},
        {"size", "bundle_bytes", COLUMN_BYTES},
        {"time", "global_time", COLUMN_NUMBER},
        {"fingerprint", "fingerprint", COLUMN_TEXT},
        {"synced", "synced", COLUMN_YES},
    };
    return list(cli, "overlays", column, COUNT(column),
                "no overlays; 'hearsay overlay new NAME' founds one");
}

int verb_overlay_show(struct cli *cli)
{
    static const struct column column[] = {
        {"name", "name", COLUMN_TEXT},
        {"key", "key", COLUMN_TEXT},
        {"join", "join", COLUMN_TEXT},
        {"policy", "policy", COLUMN_TEXT},
        {"secret", "secret", COLUMN_YES},
        {"bundles", "bundles", COLUMN_NUMBER},
        {"bundle bytes", "bundle_bytes", COLUMN_BYTES},
        {"quota", "quota_bytes", COLUMN_BYTES},
        {"full", "full", COLUMN_YES},
        {"global time", "global_time", COLUMN_NUMBER},
        {"fingerprint", "fingerprint", COLUMN_TEXT},
        {"synced", "synced", COLUMN_YES},
        {"why", "why", COLUMN_TEXT},
        {"missing", "missing_estimate", COLUMN_NUMBER},
        {"trusted", "peers.trusted", COLUMN_NUMBER},
        {"contacted", "peers.contacted", COLUMN_NUMBER},
        {"requested us", "peers.requested", COLUMN_NUMBER},
        {"introduced", "peers.introduced", COLUMN_NUMBER},
        {"address book", "peers.book", COLUMN_NUMBER},
        {"last contact", "last_contact_seconds", COLUMN_SECONDS},
    };
    json_t *overlay;
    int code =
        cli_ask(cli, &overlay, "overlay-show %s", cli->words ? cli->word[0] : cli_overlay(cli));
    if (code)
        return code;
    out_card(&cli->out, column, COUNT(column), overlay);
    json_decref(overlay);
    return EXIT_DONE;
}

int verb_peers(struct cli *cli)
{
    static const struct column column[] = {
        {"address", "addr", COLUMN_TEXT},        {"key", "key", COLUMN_SHORT},
        {"bucket", "bucket", COLUMN_TEXT},       {"heard", "age_ms", COLUMN_MS},
        {"asked", "asked_ms", COLUMN_MS},        {"round trip", "rtt_us", COLUMN_US},
        {"timeouts", "timeouts", COLUMN_NUMBER}, {"token", "token", COLUMN_YES},
        {"symmetric", "symmetric", COLUMN_YES},
    };
    char *request = must_print("peers %s", cli_overlay(cli));
    int code = list(cli, request, column, COUNT(column),
                    "no candidates; 'hearsay peer add HOST:PORT' names one");
    free(request);
    return code;
}

int verb_peer_add(struct cli *cli)
{
    if (!good_peer(cli->word[0]))
        return EXIT_USAGE;
    int code = cli_do(cli, "peer-add %s %s", cli_overlay(cli), cli->word[0]);
    if (!code && cli->out.form == OUT_TEXT)
        printf("added %s\n", cli->word[0]);
    else if (!code && cli->out.form == OUT_JSON)
        puts("{\"ok\":true}");
    return code;
}
