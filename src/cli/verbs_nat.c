/* How others see the node, and which of those that were introduced to it it has reached. */
#include "src/cli/cli.h"
#include "src/cli/mapping.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- who sees us where -------------------------------------------------------------------- */

static const struct {
    const char *field;
    const char *name;
} families[] = {{"ip4", "IPv4"}, {"ip6", "IPv6"}};

static void print_family(const json_t *family, const char *name)
{
    const char *addr = field_text(family, "addr");
    printf("%-11s %s%s, NAT %s\n", name, *addr ? addr : "no address known",
           !*addr                            ? ""
           : field_true(family, "confirmed") ? ", confirmed"
                                             : ", not confirmed",
           field_text(family, "nat"));
    printf("            %s\n", field_text(family, "why"));
    if (*addr)
        printf("            %s\n", field_text(family, "filtering_why"));
}

/* Nothing where nothing was measured, and nothing is about to be: no NAT, or nobody to ask. */
static void print_lifetime(const json_t *nat)
{
    const json_t *life = json_object_get(nat, "lifetime");
    double at_least = field_real(life, "at_least_seconds"),
           below = field_real(life, "below_seconds");
    double keep = field_real(life, "keep_seconds");
    uint64_t trials = field_number(life, "trials");
    bool measuring = field_true(life, "measuring");
    if (!trials && !measuring)
        return;
    printf("lifetime    ");
    if (at_least > 0)
        printf("a mapping lives for at least %s%s", out_seconds(at_least), below > 0 ? "" : ", ");
    if (below > 0)
        printf("%s less than %s, ", at_least > 0 ? " and" : "a mapping lives for",
               out_seconds(below));
    printf("%s trials%s\n", out_number(trials), measuring ? ", measuring" : "");
    if (keep > 0)
        printf("            %s paths are kept open, with a datagram when none went for %s; %s so "
               "far\n",
               out_number(field_number(life, "paths")), out_seconds(keep),
               out_number(field_number(life, "keepalives")));
}

static void print_search(const json_t *nat)
{
    uint64_t begun = field_number(nat, "port_search.begun");
    if (begun)
        printf("searches    %s for ports, with peers that no puncture reaches; %s met\n",
               out_number(begun), out_number(field_number(nat, "port_search.met")));
}

static void print_votes(const struct out *out, const json_t *nat)
{
    static const struct column column[] = {
        {"network", "network", COLUMN_TEXT},
        {"sees us at", "addr", COLUMN_TEXT},
        {"ago", "age_seconds", COLUMN_SECONDS},
        {"agrees", "agrees", COLUMN_YES},
    };
    json_t *rows = json_array();
    for (size_t i = 0; i < COUNT(families); i++)
        json_array_extend(rows, json_object_get(json_object_get(nat, families[i].field), "seen"));
    if (json_array_size(rows))
        putchar('\n');
    out_table(out, column, COUNT(column), rows);
    json_decref(rows);
}

static void print_text(const struct out *out, const json_t *nat)
{
    const char *ip4 = field_text(nat, "ip4.bound"), *ip6 = field_text(nat, "ip6.bound");
    if (*ip4 || *ip6)
        printf("bound       %s%s%s\n", ip4, *ip4 && *ip6 ? ", " : "", ip6);
    else
        puts("bound       to no address that others could reach");
    mapping_print(nat);
    for (size_t i = 0; i < COUNT(families); i++)
        print_family(json_object_get(nat, families[i].field), families[i].name);
    print_lifetime(nat);
    print_search(nat);
    print_votes(out, nat);
}

static void print_tabs(const struct out *out, const json_t *nat)
{
    static const struct column column[] = {
        {"family", "family", COLUMN_TEXT},       {"address", "addr", COLUMN_TEXT},
        {"confirmed", "confirmed", COLUMN_YES},  {"NAT", "nat", COLUMN_TEXT},
        {"votes", "votes", COLUMN_NUMBER},       {"why", "why", COLUMN_TEXT},
        {"filtering", "filtering", COLUMN_TEXT},
    };
    for (size_t i = 0; i < COUNT(families); i++) {
        json_t *row = json_copy(json_object_get(nat, families[i].field));
        json_object_set_new(row, "family", json_string(families[i].field));
        out_card(out, column, COUNT(column), row);
        json_decref(row);
    }
}

/* ---- whom we reached ---------------------------------------------------------------------- */

static json_t *sum_of(const json_t *rows)
{
    static const char *const outcome[] = {"connected", "failed", "punctured"};
    uint64_t sum[COUNT(outcome)] = {0};
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        for (size_t k = 0; k < COUNT(outcome); k++)
            sum[k] += field_number(row, outcome[k]);
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:f}", "mine", "all", "theirs", "all",
                     "family", "all", outcome[0], (json_int_t)sum[0], outcome[1],
                     (json_int_t)sum[1], outcome[2], (json_int_t)sum[2], "share",
                     (double)sum[0] / (double)(sum[0] + sum[1]));
}

static void print_matrix(const struct out *out, json_t *rows)
{
    static const struct column column[] = {
        {"mine", "mine", COLUMN_TEXT},
        {"theirs", "theirs", COLUMN_TEXT},
        {"family", "family", COLUMN_TEXT},
        {"connected", "connected", COLUMN_NUMBER},
        {"failed", "failed", COLUMN_NUMBER},
        {"share", "share", COLUMN_SHARE},
        {"punctured", "punctured", COLUMN_NUMBER},
    };
    bool none = !json_array_size(rows);
    if (out->form == OUT_TEXT && none)
        puts("nobody who was introduced has been asked yet");
    else if (out->form == OUT_TEXT)
        json_array_append_new(rows, sum_of(rows));
    out_table(out, column, COUNT(column), rows);
}

int verb_nat(struct cli *cli)
{
    json_t *nat;
    int code = cli_ask(cli, &nat, "nat");
    if (code)
        return code;
    if (options_has(&cli->line, OPT_MATRIX))
        print_matrix(&cli->out, json_object_get(nat, "punctures"));
    else if (cli->out.form == OUT_JSON)
        out_json(nat);
    else if (cli->out.form == OUT_TSV)
        print_tabs(&cli->out, nat);
    else
        print_text(&cli->out, nat);
    json_decref(nat);
    return EXIT_DONE;
}
