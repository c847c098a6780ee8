/*
 * What each verb is given, and the few things that all verbs do.
 */
#ifndef HEARSAY_CLI_CLI_H
#define HEARSAY_CLI_CLI_H

#include "src/cli/conn.h"
#include "src/cli/options.h"
#include "src/cli/out.h"

/* Exit codes; those of the daemon's error objects are the same. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_TIMEOUT = 4,
    EXIT_PARTLY = 5,
};

struct cli {
    const struct verb *verb;
    struct command_line line;
    char **word; /* those after the verb, NULL at the end */
    size_t words;
    struct out out;
};

struct verb {
    const char *name;  /* one or two words */
    const char *usage; /* what follows the name, without the options */
    const char *help;  /* one line */
    uint32_t options;  /* besides those that every verb takes */
    size_t words_min;
    size_t words_max;
    int (*run)(struct cli *cli); /* returns the exit code */
};

/* One line on stderr: "hearsay: ...". */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* What -o says, else HEARSAY_OVERLAY, else "-": the only one. */
const char *cli_overlay(const struct cli *cli);

/* The socket of a node that is named by its socket, by its state folder, or by nothing (NULL).  The
 * text is the caller's. */
char *cli_socket_of(const struct cli *cli, const char *node);

/* 0, or the errno that says why not; *why is a sentence then, with how to start a daemon.  The text
 * is the caller's. */
int cli_try(const char *path, struct conn *conn, char **why);

/* EXIT_DONE, or EXIT_UNREACHABLE after saying which socket and how to start a daemon. */
int cli_connect(const struct cli *cli, struct conn *conn);
int cli_connect_to(const char *path, struct conn *conn);

/* The exit code that the end of an answer means, after one line on stderr if it is bad.  Takes
 * `object` away. */
int cli_end(enum conn_got got, json_t *object);

/* Wait for the answer to one request: all its objects in an array, or the first alone (which must
 * be there).  They are NULL unless EXIT_DONE is returned. */
int cli_rows(struct conn *conn, json_t **rows);
int cli_object(struct conn *conn, json_t **object);

/* One request on a connection of its own, and its object. */
int cli_ask(const struct cli *cli, json_t **object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The whole of a request on a connection of its own, with nothing to print. */
__attribute__((format(printf, 2, 3))) int cli_do(const struct cli *cli, const char *format, ...);

/* When -W runs out. */
uint64_t cli_deadline_ms(const struct cli *cli);

int verb_init(struct cli *cli);
int verb_overlay_new(struct cli *cli);
int verb_overlay_join(struct cli *cli);
int verb_overlay_leave(struct cli *cli);
int verb_overlay_ls(struct cli *cli);
int verb_overlay_show(struct cli *cli);
int verb_peers(struct cli *cli);
int verb_peer_add(struct cli *cli);
int verb_pub(struct cli *cli);
int verb_sub(struct cli *cli);
int verb_show(struct cli *cli);
int verb_status(struct cli *cli);
int verb_stats(struct cli *cli);
int verb_nat(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_log(struct cli *cli);
int verb_version(struct cli *cli);
int verb_reload(struct cli *cli);
int verb_stop(struct cli *cli);
int verb_wait(struct cli *cli);
int verb_diff(struct cli *cli);
int verb_walk(struct cli *cli);
int verb_filter_explain(struct cli *cli);
int verb_watch(struct cli *cli);

#endif
