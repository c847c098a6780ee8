/* How the node syncs: its steps as they happen, and its next claim in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"

/* "slice 3 of 8 of times 1 to 5,200", or a part of that. */
static char *range_in_words(const json_t *range)
{
    uint64_t modulo = field_number(range, "modulo");
    const char *slicing = field_text(range, "slicing");
    const char *low = out_number(field_number(range, "time_low"));
    const char *high = field_number(range, "time_high") >= (UINT64_C(1) << 62) - 1
                           ? "the end"
                           : out_number(field_number(range, "time_high"));
    if (modulo <= 1)
        return must_print("times %s to %s", low, high);
    return must_print("%s%sslice %s of %s, times %s to %s", slicing, *slicing ? " " : "",
                      out_number(field_number(range, "offset") + 1), out_number(modulo), low, high);
}

/* ---- walk --------------------------------------------------------------------------------- */

static void print_step(const json_t *event)
{
    const json_t *claim = json_object_get(event, "claim");
    char *range = range_in_words(claim);
    printf("-> %-21s %-10s %-5s %5s keys in %5s B  wants %-9s %s\n", field_text(event, "peer"),
           field_text(event, "bucket"), field_text(claim, "kind"),
           out_number(field_number(claim, "count")),
           out_number(field_number(claim, "filter_bytes")),
           out_size(field_number(event, "answer_bytes")), range);
    free(range);
}

static void print_answer(const json_t *event)
{
    printf("<- %-21s %-10s %5s bundles, %5s new%s%s, it holds %s%s\n", field_text(event, "peer"),
           out_seconds(field_real(event, "rtt_us") / 1e6),
           out_number(field_number(event, "bundles")), out_number(field_number(event, "new")),
           field_true(event, "more") ? ", more to come" : "",
           field_true(event, "same") ? ", the same" : "",
           out_number(field_number(event, "peer_count")),
           field_true(event, "introduced") ? ", introduced another peer" : "");
}

static void print_event(const struct cli *cli, const json_t *event)
{
    const char *kind = field_text(event, "event");
    if (cli->out.form == OUT_JSON) {
        out_json(event);
        return;
    }
    printf("%9.3f ", field_real(event, "at_seconds"));
    if (strcmp(kind, "step") == 0)
        print_step(event);
    else if (strcmp(kind, "answer") == 0)
        print_answer(event);
    else
        printf("-- %-21s %s\n", field_text(event, "peer"),
               strcmp(kind, "timeout") == 0 ? "did not answer" : kind);
}

static void print_tabs(const json_t *event)
{
    static const char *const field[] = {
        "at_seconds",         "event",           "peer",         "bucket",       "claim.kind",
        "claim.time_low",     "claim.time_high", "claim.modulo", "claim.offset", "claim.count",
        "claim.filter_bytes", "answer_bytes",    "rtt_us",       "bundles",      "new"};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        const json_t *value = field_at(event, field[i]);
        char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
        bool quoted = text && text[0] == '"';
        if (quoted)
            text[strlen(text) - 1] = 0;
        printf("%s%s", i ? "\t" : "", text ? text + quoted : "-");
        free(text);
    }
    putchar('\n');
}

int verb_walk(struct cli *cli)
{
    struct conn conn;
    int code = cli_connect(cli, &conn);
    if (code)
        return code;
    uint64_t deadline = cli_deadline_ms(cli);
    uint64_t left = options_number(&cli->line, OPT_COUNT, UINT64_MAX);
    enum conn_got got = CONN_DONE;
    json_t *event = NULL;
    conn_ask(&conn, "trace %s", cli_overlay(cli));
    while (left && (got = conn_next(&conn, deadline, &event)) == CONN_OBJECT) {
        if (field_at(event, "event")) {
            if (cli->out.form == OUT_TSV)
                print_tabs(event);
            else
                print_event(cli, event);
            left--;
        }
        json_decref(event);
    }
    code = left ? cli_end(got, event) : EXIT_DONE;
    conn_close(&conn);
    return code;
}

/* ---- filter explain ----------------------------------------------------------------------- */

static void explain_range(const json_t *claim)
{
    const json_t *range = json_object_get(claim, "range");
    uint64_t modulo = field_number(range, "modulo");
    const char *low = out_number(field_number(range, "time_low"));
    bool open = field_number(range, "time_high") >= (UINT64_C(1) << 62) - 1;
    const char *high = out_number(field_number(range, "time_high"));
    printf("range       global times %s to %s, both included\n", low,
           open ? "the end of time" : high);
    if (modulo <= 1)
        puts("slicing     none: every bundle of these times");
    else if (strcmp(field_text(range, "slicing"), "time") == 0)
        printf("slicing     by time: those whose (time + %s) is divisible by %s\n",
               out_number(field_number(range, "offset")), out_number(modulo));
    else
        printf("slicing     by digest: part %s of %s equal parts of the digest space\n",
               out_number(field_number(range, "offset") + 1), out_number(modulo));
}

static void explain_filter(const json_t *claim)
{
    uint64_t bytes = field_number(claim, "filter_bytes");
    uint64_t fill = field_number(claim, "fill_permille");
    double positive = field_real(claim, "expected_false_positive_ppm") / 1e4;
    const json_t *salt = field_at(claim, "salt");
    printf("held        %s bundles of ours are in that range, of %s that a filter has room for\n",
           out_number(field_number(claim, "count")), out_number(field_number(claim, "capacity")));
    printf("filter      %s bits in %s bytes, %s hashes a bundle", out_number(bytes * 8),
           out_number(bytes), out_number(field_number(claim, "hashes")));
    if (json_is_string(salt))
        printf(", salt %s (fresh for each claim)\n", json_string_value(salt));
    else
        printf(", salt %016" PRIx64 " (fresh for each claim)\n", field_number(claim, "salt"));
    printf("fill        %" PRIu64 ".%" PRIu64 " %% of the bits are set\n", fill / 10, fill % 10);
    printf("expected    %.3f %% of what we lack looks as if we had it", positive);
    printf("; another salt finds it next time\n");
}

static const char *what_the_peer_does(const char *kind)
{
    if (strcmp(kind, "sum") == 0)
        return "compares its own count and fingerprint of the range: the same, and it says so; "
               "else we ask with a filter";
    if (strcmp(kind, "empty") == 0)
        return "sends whatever it holds of the range, as much as we asked for";
    if (strcmp(kind, "none") == 0)
        return "sends no bundles; it only introduces a peer";
    return "walks its own bundles of the range and sends those that the filter lacks, up to the "
           "bytes we asked for";
}

static void explain(const json_t *claim)
{
    const char *kind = field_text(claim, "kind");
    printf("claim       %s\n", kind);
    if (json_object_get(claim, "range"))
        explain_range(claim);
    if (field_number(claim, "filter_bytes"))
        explain_filter(claim);
    else
        printf("held        %s bundles, fingerprint %s; no filter is sent\n",
               out_number(field_number(claim, "count")), field_text(claim, "fingerprint"));
    printf("the peer    %s\n", what_the_peer_does(kind));
}

int verb_filter_explain(struct cli *cli)
{
    static const struct column column[] = {
        {"kind", "kind", COLUMN_TEXT},
        {"low", "range.time_low", COLUMN_TEXT},
        {"high", "range.time_high", COLUMN_TEXT},
        {"modulo", "range.modulo", COLUMN_TEXT},
        {"offset", "range.offset", COLUMN_TEXT},
        {"slicing", "range.slicing", COLUMN_TEXT},
        {"count", "count", COLUMN_TEXT},
        {"capacity", "capacity", COLUMN_TEXT},
        {"salt", "salt", COLUMN_TEXT},
        {"hashes", "hashes", COLUMN_TEXT},
        {"filter_bytes", "filter_bytes", COLUMN_TEXT},
        {"fill", "fill_permille", COLUMN_TEXT},
        {"false", "expected_false_positive_ppm", COLUMN_TEXT},
        {"fingerprint", "fingerprint", COLUMN_TEXT},
    };
    json_t *claim;
    int code = cli_ask(cli, &claim, "claim %s", cli_overlay(cli));
    if (code)
        return code;
    if (cli->out.form == OUT_TEXT)
        explain(claim);
    else
        out_card(&cli->out, column, sizeof column / sizeof *column, claim);
    json_decref(claim);
    return EXIT_DONE;
}
