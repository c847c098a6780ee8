/*
 * diff: the exact missing sets of two running nodes, in both directions.  Each says what it holds,
 * digest by digest in time order, so a merge of the two lists finds what only one has.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"

struct side {
    const char *name;
    json_t *held; /* {"t", "d"}, in order */
    json_t *only;
};

static int load(const struct cli *cli, struct side *side)
{
    struct conn conn;
    char *path = cli_socket_of(cli, side->name);
    int code = cli_connect_to(path, &conn);
    free(path);
    if (code)
        return code;
    conn_ask(&conn, "digests %s", cli_overlay(cli));
    code = cli_rows(&conn, &side->held);
    conn_close(&conn);
    return code;
}

/* Order of a store: time, then digest; lower-case hex sorts as the bytes do. */
static int compare(const json_t *a, const json_t *b)
{
    if (!a || !b)
        return a ? -1 : 1;
    uint64_t time_a = field_number(a, "t"), time_b = field_number(b, "t");
    if (time_a != time_b)
        return time_a < time_b ? -1 : 1;
    return strcmp(field_text(a, "d"), field_text(b, "d"));
}

static void split(struct side *a, struct side *b)
{
    size_t i = 0, j = 0;
    a->only = json_array();
    b->only = json_array();
    while (i < json_array_size(a->held) || j < json_array_size(b->held)) {
        json_t *left = json_array_get(a->held, i), *right = json_array_get(b->held, j);
        int order = compare(left, right);
        if (order < 0)
            json_array_append(a->only, left);
        if (order > 0)
            json_array_append(b->only, right);
        i += order <= 0;
        j += order >= 0;
    }
}

static void print_only(const struct out *out, const struct side *side, char mark)
{
    size_t i;
    json_t *one;
    json_array_foreach(side->only, i, one)
    {
        if (out->form == OUT_TSV)
            printf("%c\t%" PRIu64 "\t%s\n", mark, field_number(one, "t"), field_text(one, "d"));
        else
            printf("%c %10" PRIu64 "  %s\n", mark, field_number(one, "t"), field_text(one, "d"));
    }
}

static void print_sides(const struct side *side)
{
    for (size_t i = 0; i < 2; i++)
        printf("%c %-24s %10s bundles, %s only here\n", i ? '>' : '<', side[i].name,
               out_number(json_array_size(side[i].held)),
               out_number(json_array_size(side[i].only)));
}

static void print(const struct out *out, const struct side *side, bool same)
{
    if (out->form == OUT_JSON) {
        json_t *object =
            json_pack("{s:b, s:{s:s, s:I, s:O}, s:{s:s, s:I, s:O}}", "same", same, "a", "node",
                      side[0].name, "bundles", (json_int_t)json_array_size(side[0].held),
                      "only_here", side[0].only, "b", "node", side[1].name, "bundles",
                      (json_int_t)json_array_size(side[1].held), "only_here", side[1].only);
        out_json(object);
        json_decref(object);
        return;
    }
    if (out->form == OUT_TEXT)
        print_sides(side);
    if (out->form == OUT_TEXT && same)
        puts("the same");
    print_only(out, &side[0], '<');
    print_only(out, &side[1], '>');
}

int verb_diff(struct cli *cli)
{
    struct side side[2] = {{.name = cli->word[0]}, {.name = cli->word[1]}};
    int code = load(cli, &side[0]);
    if (!code)
        code = load(cli, &side[1]);
    if (!code) {
        split(&side[0], &side[1]);
        bool same = !json_array_size(side[0].only) && !json_array_size(side[1].only);
        print(&cli->out, side, same);
        code = same ? EXIT_DONE : EXIT_FAILED;
    }
    for (size_t i = 0; i < 2; i++) {
        json_decref(side[i].held);
        json_decref(side[i].only);
    }
    return code;
}
