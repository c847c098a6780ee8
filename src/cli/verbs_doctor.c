/* What is wrong with a node, and what to do about it: asks for all, runs the tests, prints. */
#include <stdlib.h>

#include "src/cli/cli.h"
#include "src/cli/doctor.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int ask_peers(struct conn *conn, struct doctor *doctor)
{
    size_t i;
    json_t *overlay, *rows;
    doctor->peers = json_array();
    json_array_foreach(json_object_get(doctor->status, "overlays"), i, overlay)
    {
        conn_ask(conn, "peers %s", field_text(overlay, "key"));
        int code = cli_rows(conn, &rows);
        if (code)
            return code;
        json_array_append_new(doctor->peers, rows);
    }
    return EXIT_DONE;
}

static int ask_all(struct conn *conn, struct doctor *doctor)
{
    conn_ask(conn, "status");
    int code = cli_object(conn, &doctor->status);
    if (!code) {
        conn_ask(conn, "stats");
        code = cli_object(conn, &doctor->stats);
    }
    if (!code) {
        conn_ask(conn, "nat");
        code = cli_object(conn, &doctor->nat);
    }
    return code ? code : ask_peers(conn, doctor);
}

static void run_tests(struct doctor *doctor)
{
    static void (*const test[])(struct doctor *) = {
        doctor_daemon,  doctor_socket,    doctor_clock, doctor_peers, doctor_nat,
        doctor_mapping, doctor_punctures, doctor_store, doctor_quota, doctor_sync,
    };
    for (size_t i = 0; i < COUNT(test); i++)
        test[i](doctor);
}

static void print_findings(const struct out *out, const json_t *findings)
{
    static const struct column column[] = {{"result", "result", COLUMN_TEXT},
                                           {"test", "test", COLUMN_TEXT},
                                           {"message", "message", COLUMN_TEXT},
                                           {"advice", "advice", COLUMN_TEXT}};
    size_t i;
    json_t *one;
    if (out->form != OUT_TEXT) {
        out_table(out, column, COUNT(column), findings);
        return;
    }
    json_array_foreach(findings, i, one)
    {
        printf("%-7s  %-9s  %s\n", field_text(one, "result"), field_text(one, "test"),
               field_text(one, "message"));
        if (*field_text(one, "advice"))
            printf("%-7s  %-9s  -> %s\n", "", "", field_text(one, "advice"));
    }
}

static int examine(const struct cli *cli, struct doctor *doctor)
{
    struct conn conn;
    char *path = cli_socket_of(cli, NULL), *why;
    int code = cli_try(path, &conn, &why) ? EXIT_UNREACHABLE : EXIT_DONE;
    free(path);
    if (code) {
        doctor_find(doctor, VERDICT_PROBLEM, "daemon", NULL, "%s", why);
        free(why);
        return code;
    }
    code = ask_all(&conn, doctor);
    conn_close(&conn);
    if (!code)
        run_tests(doctor);
    return code;
}

int verb_doctor(struct cli *cli)
{
    struct doctor doctor = {.findings = json_array()};
    int code = examine(cli, &doctor);
    print_findings(&cli->out, doctor.findings);
    if (!code && doctor.worst == VERDICT_PROBLEM)
        code = EXIT_FAILED;
    json_decref(doctor.findings);
    json_decref(doctor.status);
    json_decref(doctor.stats);
    json_decref(doctor.nat);
    json_decref(doctor.peers);
    return code;
}
