/* The matrix for people and for programs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/lab/nat/matrix.h"
#include "src/lab/output/machine.h"
#include "src/lab/output/number.h"
#include "version.h"

enum { NAME_COLUMNS = 22, CELL_COLUMNS = 12, ABBREVIATED = 11 };

/* --- for people ------------------------------------------------------------------------------ */

static const struct natlab_row *row_at(const struct natlab_matrix *m, unsigned a, unsigned b)
{
    const struct natlab_campaign *c = m->campaign;
    for (unsigned i = 0; i < c->pairs; i++)
        if (c->pair[i].mine == a && c->pair[i].theirs == b)
            return &m->pair[i];
    return NULL;
}

static void print_cell(const struct natlab_row *row, FILE *out)
{
    char text[32] = "";
    if (row != NULL && row->trials > 0)
        snprintf(text, sizeof text, "%.0f %%", 100.0 * row->connected / row->trials);
    fprintf(out, "%*s", CELL_COLUMNS, text);
}

static void print_square(const struct natlab_matrix *m, FILE *out)
{
    const struct natlab_campaign *c = m->campaign;
    fprintf(out, "\nConnected within %u steps:\n%*s", c->steps_max, NAME_COLUMNS, "");
    for (unsigned j = 0; j < c->kinds; j++)
        fprintf(out, "%*.*s", CELL_COLUMNS, ABBREVIATED, c->kind[j]->name);
    for (unsigned i = 0; i < c->kinds; i++) {
        fprintf(out, "\n%-*s", NAME_COLUMNS, c->kind[i]->name);
        for (unsigned j = 0; j < c->kinds; j++)
            print_cell(row_at(m, i, j), out);
    }
    fputc('\n', out);
}

static void print_number(double number, FILE *out)
{
    char text[LAB_NUMBER_BYTES];
    fprintf(out, "%9s", isfinite(number) ? lab_number_text(text, number) : "-");
}

static void print_row(const char *visitor, const char *guest, const struct natlab_row *row,
                      FILE *out)
{
    if (row->trials == 0)
        return;
    fprintf(out, "%-*s%-*s%9u%9u%9u%9u%11.1f", NAME_COLUMNS, visitor, NAME_COLUMNS, guest,
            row->trials, row->introduced, row->connected, row->ever, row->punctures / row->trials);
    print_number(row->steps_median, out);
    print_number(row->steps_p99, out);
    print_number(round(row->milliseconds_median), out);
    print_number(round(row->milliseconds_p99), out);
    fputc('\n', out);
}

static void print_rows(const struct natlab_matrix *m, FILE *out)
{
    const struct natlab_campaign *c = m->campaign;
    fprintf(out, "\n%-*s%-*s%9s%9s%9s%9s%11s%9s%9s%9s%9s\n", NAME_COLUMNS, "visitor", NAME_COLUMNS,
            "guest", "trials", "told", "in time", "ever", "punctures", "steps", "p99", "ms", "p99");
    for (unsigned i = 0; i < c->pairs; i++) {
        const char *mine = c->kind[c->pair[i].mine]->name;
        const char *theirs = c->kind[c->pair[i].theirs]->name;
        if (c->pair[i].mine == c->pair[i].theirs) {
            print_row(mine, theirs, &m->pair[i], out);
            continue;
        }
        print_row(mine, theirs, &m->mine_visits[i], out);
        print_row(theirs, mine, &m->theirs_visits[i], out);
    }
}

static void print_kept(const struct natlab_matrix *m, bool flush, FILE *out)
{
    const struct natlab_campaign *c = m->campaign;
    fprintf(out, "\n%-*s%-*s", NAME_COLUMNS, "mine", NAME_COLUMNS, "theirs");
    natlab_kept_print_head(flush, out);
    for (unsigned i = 0; i < c->pairs; i++) {
        const struct natlab_kept *kept = &m->pair[i].kept;
        if ((flush ? kept->flushes : kept->trials) == 0)
            continue;
        fprintf(out, "%-*s%-*s", NAME_COLUMNS, c->kind[c->pair[i].mine]->name, NAME_COLUMNS,
                c->kind[c->pair[i].theirs]->name);
        natlab_kept_print(kept, flush, out);
    }
}

static void print_tally(const char *which, const struct natlab_tally *tally, FILE *out)
{
    fprintf(out, "\n%u of %u pairs %s connect in 99 %% of the trials, %u within two steps.\n",
            tally->connected, tally->pairs, which, tally->at_once);
}

static bool has_sequential(const struct natlab_campaign *c)
{
    for (unsigned i = 0; i < c->kinds; i++)
        if (c->kind[i]->boxes == 1 && c->kind[i]->box[0].ports == LAB_NAT_PORTS_SEQUENTIAL)
            return true;
    return false;
}

void natlab_matrix_print(const struct natlab_matrix *matrix, FILE *out)
{
    print_square(matrix, out);
    print_rows(matrix, out);
    if (matrix->campaign->each.hold.hold_s > 0)
        print_kept(matrix, false, out);
    if (matrix->campaign->each.hold.flush_s > 0)
        print_kept(matrix, true, out);
    if (matrix->classic.pairs > 0)
        print_tally("of the classic kinds", &matrix->classic, out);
    if (has_sequential(matrix->campaign))
        print_tally("where symmetric ones have ports in sequence", &matrix->sequential, out);
    if (!isnan(matrix->weighted_share))
        fprintf(out,
                "Of two peers by chance, as NATs were in 2011 and none of them blocked: "
                "%.1f %%, within two steps %.1f %%.\n",
                100 * matrix->weighted_share, 100 * matrix->weighted_at_once);
}

/* --- for programs ---------------------------------------------------------------------------- */

static void put(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, lab_number_json(number));
}

static void put_row(json_t *object, const struct natlab_row *row)
{
    put(object, "trials", row->trials);
    put(object, "connected", row->connected);
    put(object, "connected_two_steps", row->at_once);
    put(object, "connected_ever", row->ever);
    put(object, "connected_both_ways", row->mutual);
    put(object, "known_to_trackers", row->known);
    put(object, "introduced", row->introduced);
    put(object, "punctures", row->punctures);
    put(object, "punctures_made", row->punctures_made);
    put(object, "steps_median", row->steps_median);
    put(object, "steps_p99", row->steps_p99);
    put(object, "tries_p99", row->tries_p99);
    put(object, "milliseconds_median", row->milliseconds_median);
    put(object, "milliseconds_p99", row->milliseconds_p99);
    natlab_kept_put(object, &row->kept);
}

static json_t *pairs_json(const struct natlab_matrix *m)
{
    const struct natlab_campaign *c = m->campaign;
    json_t *list = json_array();
    for (unsigned i = 0; i < c->pairs; i++) {
        json_t *object = json_pack("{s:s, s:s}", "mine", c->kind[c->pair[i].mine]->name, "theirs",
                                   c->kind[c->pair[i].theirs]->name);
        put_row(object, &m->pair[i]);
        json_array_append_new(list, object);
    }
    return list;
}

static void append_direction(json_t *list, const char *visitor, const char *guest,
                             const struct natlab_row *row)
{
    json_t *object = json_pack("{s:s, s:s}", "visitor", visitor, "guest", guest);
    put_row(object, row);
    json_array_append_new(list, object);
}

static json_t *directions_json(const struct natlab_matrix *m)
{
    const struct natlab_campaign *c = m->campaign;
    json_t *list = json_array();
    for (unsigned i = 0; i < c->pairs; i++) {
        const char *mine = c->kind[c->pair[i].mine]->name;
        const char *theirs = c->kind[c->pair[i].theirs]->name;
        if (c->pair[i].mine == c->pair[i].theirs)
            continue;
        append_direction(list, mine, theirs, &m->mine_visits[i]);
        append_direction(list, theirs, mine, &m->theirs_visits[i]);
    }
    return list;
}

static json_t *kinds_json(const struct natlab_campaign *c)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < c->kinds; i++) {
        struct lab_nat_kind whole = natlab_kind_whole(c->kind[i]);
        char words[160];
        natlab_kind_words(words, sizeof words, &whole);
        json_t *object = json_pack("{s:s, s:s, s:s}", "name", c->kind[i]->name, "help",
                                   c->kind[i]->help, "verified", words);
        put(object, "timer_s", whole.open ? NAN : (double)whole.timeout_ns / 1e9);
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *settings_json(const struct natlab_campaign *c)
{
    const struct natlab_trial *each = &c->each;
    return json_pack(
        "{s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:b, s:b, s:i}", "trials", (int)c->trials,
        "steps_max", (int)c->steps_max, "step_s", each->program.step_ms / 1e3, "delay_ms",
        (double)each->link.delay_ns / 1e6, "loss", each->link.loss, "patience_s", each->patience_s,
        "hold_s", each->hold.hold_s, "flush_s", each->hold.flush_s, "search",
        each->program.search != NULL ? each->program.search : "as it comes", "punctures",
        !each->no_punctures, "beacons", each->program.beacons, "trackers", NATLAB_TRACKERS);
}

json_t *natlab_matrix_json(const struct natlab_matrix *matrix)
{
    json_t *machine = lab_machine();
    const char *system = json_string_value(json_object_get(machine, "system"));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "experiment", "nat", "engine",
                  matrix->campaign->engine->name, "version", HSAY_VERSION, "kernel",
                  system != NULL ? system : "", "settings", settings_json(matrix->campaign),
                  "kinds", kinds_json(matrix->campaign), "pairs", pairs_json(matrix), "directions",
                  directions_json(matrix));
    put(object, "classic_pairs", matrix->classic.pairs);
    put(object, "connected_pairs", matrix->classic.connected);
    put(object, "connected_pairs_two_steps", matrix->classic.at_once);
    if (has_sequential(matrix->campaign)) {
        put(object, "sequential_pairs", matrix->sequential.pairs);
        put(object, "connected_sequential_pairs", matrix->sequential.connected);
    }
    put(object, "weighted_share", matrix->weighted_share);
    put(object, "weighted_share_two_steps", matrix->weighted_at_once);
    json_object_set_new(object, "machine", machine);
    return object;
}
