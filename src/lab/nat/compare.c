#include "src/lab/nat/compare.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/lab/output/number.h"
#include "version.h"

#define UNLIKELY 0.01

/* The kernel's trials have up to twenty daemons on a core, and what wakes one of them late wakes
 * its peer late. */
enum { BUSY_MS = 40, NAME_COLUMNS = 22 };

/* --- counts ---------------------------------------------------------------------------------- */

static double log_choose(unsigned all, unsigned some)
{
    return lgamma(all + 1.0) - lgamma(some + 1.0) - lgamma(all - some + 1.0);
}

double natlab_compare_counts(unsigned a, unsigned a_all, unsigned b, unsigned b_all)
{
    unsigned all = a_all + b_all, some = a + b;
    unsigned least = some > b_all ? some - b_all : 0, most = some < a_all ? some : a_all;
    double sum = 0;
    if (a_all == 0 || b_all == 0)
        return NAN;
    double seen = log_choose(a_all, a) + log_choose(b_all, b) - log_choose(all, some);
    for (unsigned i = least; i <= most; i++) {
        double here = log_choose(a_all, i) + log_choose(b_all, some - i) - log_choose(all, some);
        if (here <= seen + 1e-9) /* as rounded: what is equally likely counts */
            sum += exp(here);
    }
    return fmin(sum, 1);
}

static bool is_likely(double chance)
{
    return isnan(chance) || chance >= UNLIKELY;
}

/* --- a pair ---------------------------------------------------------------------------------- */

static bool both_have(double a, double b)
{
    return isfinite(a) && isfinite(b);
}

/* Endless where not all connect: then a median moves with how many did. */
static double spread(const struct natlab_row *row)
{
    return row->milliseconds_p99 - row->milliseconds_median;
}

/* What is endless for one alone is a matter of counts. */
static bool times_agree(const struct natlab_row *a, const struct natlab_row *b)
{
    double apart = fabs(a->milliseconds_median - b->milliseconds_median);
    return !both_have(a->milliseconds_median, b->milliseconds_median) ||
           apart <= BUSY_MS + fmax(spread(a), spread(b));
}

static bool counts_agree(const struct natlab_verdict *v)
{
    return is_likely(v->connected) && is_likely(v->ever) && is_likely(v->introduced) &&
           is_likely(v->mutual);
}

static void judge_kept(struct natlab_verdict *v, const struct natlab_kept *a,
                       const struct natlab_kept *b)
{
    unsigned n = a->flushes, m = b->flushes;
    v->throughout = natlab_compare_counts(a->throughout, a->trials, b->throughout, b->trials);
    v->came = natlab_compare_counts((unsigned)a->came, (unsigned)a->tried, (unsigned)b->came,
                                    (unsigned)b->tried);
    v->answered = natlab_compare_counts(a->answered_in_time, n, b->answered_in_time, m);
    v->bundles = natlab_compare_counts(a->bundles_in_time, n, b->bundles_in_time, m);
    v->kept_share = natlab_kept_share(b) - natlab_kept_share(a);
    v->kept_agrees = is_likely(v->throughout) && is_likely(v->came) && is_likely(v->answered) &&
                     is_likely(v->bundles);
}

static struct natlab_verdict judge(const struct natlab_row *a, const struct natlab_row *b)
{
    unsigned n = a->trials, m = b->trials;
    struct natlab_verdict v = {
        .connected = natlab_compare_counts(a->connected, n, b->connected, m),
        .ever = natlab_compare_counts(a->ever, n, b->ever, m),
        .introduced = natlab_compare_counts(a->introduced, n, b->introduced, m),
        .mutual = natlab_compare_counts(a->mutual, n, b->mutual, m),
        .milliseconds = NAN,
        .times_agree = times_agree(a, b),
    };
    if (both_have(a->milliseconds_median, b->milliseconds_median))
        v.milliseconds = b->milliseconds_median - a->milliseconds_median;
    v.counts_agree = counts_agree(&v);
    judge_kept(&v, &a->kept, &b->kept);
    return v;
}

static bool agrees(const struct natlab_verdict *v)
{
    return v->counts_agree && v->kept_agrees && v->times_agree;
}

void natlab_compare(struct natlab_comparison *comparison, const struct natlab_matrix *first,
                    const struct natlab_matrix *second)
{
    unsigned pairs = first->campaign->pairs;
    assert(pairs == second->campaign->pairs);
    memset(comparison, 0, sizeof *comparison);
    comparison->first = first;
    comparison->second = second;
    for (unsigned i = 0; i < pairs; i++) {
        comparison->pair[i] = judge(&first->pair[i], &second->pair[i]);
        if (first->pair[i].trials == 0 || second->pair[i].trials == 0)
            continue;
        comparison->compared++;
        comparison->agreed += agrees(&comparison->pair[i]);
    }
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_number(double number, FILE *out)
{
    char text[LAB_NUMBER_BYTES];
    fprintf(out, "%6s", isfinite(number) ? lab_number_text(text, round(number)) : "-");
}

static void print_counts(const struct natlab_row *row, FILE *out)
{
    fprintf(out, " |%5u%6u%6u%6u", row->introduced, row->connected, row->ever, row->mutual);
    print_number(row->steps_median, out);
    print_number(row->milliseconds_median, out);
}

static const char *word_for(const struct natlab_verdict *v)
{
    return agrees(v)          ? "agree"
           : !v->counts_agree ? "differ"
           : !v->kept_agrees  ? "kept differs"
                              : "times differ";
}

static void print_share(double part, double whole, FILE *out)
{
    if (whole > 0)
        fprintf(out, "%6.1f", 100 * part / whole);
    else
        fprintf(out, "%6s", "-");
}

static void print_kept_of(const struct natlab_kept *kept, FILE *out)
{
    fprintf(out, " |");
    print_share(kept->open, kept->looks, out);
    print_share(kept->throughout, kept->trials, out);
    print_share(kept->came, kept->tried, out);
    print_share(kept->answered_in_time, kept->flushes, out);
    print_share(kept->bundles_in_time, kept->flushes, out);
}

static void print_pair(const struct natlab_campaign *c, unsigned pair, FILE *out)
{
    fprintf(out, "%-*s%-*s", NAME_COLUMNS, c->kind[c->pair[pair].mine]->name, NAME_COLUMNS,
            c->kind[c->pair[pair].theirs]->name);
}

static void print_kept(const struct natlab_comparison *comparison, FILE *out)
{
    const struct natlab_campaign *c = comparison->first->campaign;
    static const char columns[] = " |  open   all   end answ.  bun.";
    fprintf(out,
            "\nIn percent: seconds open; trials open throughout, and at the end; after a flush, "
            "answers and\nbundles within two steps\n%*s%s%s\n",
            2 * NAME_COLUMNS, "", columns, columns);
    for (unsigned i = 0; i < c->pairs; i++) {
        const struct natlab_verdict *v = &comparison->pair[i];
        print_pair(c, i, out);
        print_kept_of(&comparison->first->pair[i].kept, out);
        print_kept_of(&comparison->second->pair[i].kept, out);
        fprintf(out, " | %s\n", v->kept_agrees ? "agree" : "differ");
    }
}

void natlab_comparison_print(const struct natlab_comparison *comparison, FILE *out)
{
    const struct natlab_campaign *c = comparison->first->campaign;
    static const char columns[] = " | told  time  ever  both steps    ms";
    const struct natlab_campaign *other = comparison->second->campaign;
    fprintf(out, "\nOf %u trials of the %s | of %u of the %s\n%*s%s%s\n", c->trials,
            c->engine->name, other->trials, other->engine->name, 2 * NAME_COLUMNS, "", columns,
            columns);
    for (unsigned i = 0; i < c->pairs; i++) {
        print_pair(c, i, out);
        print_counts(&comparison->first->pair[i], out);
        print_counts(&comparison->second->pair[i], out);
        fprintf(out, " | %s\n", word_for(&comparison->pair[i]));
    }
    if (c->each.hold.hold_s > 0)
        print_kept(comparison, out);
    fprintf(out, "\n%u of %u pairs agree.\n", comparison->agreed, comparison->compared);
}

/* --- for programs ---------------------------------------------------------------------------- */

static void put(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, lab_number_json(number));
}

static json_t *verdict_json(const struct natlab_campaign *c, unsigned pair,
                            const struct natlab_verdict *v)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "mine", c->kind[c->pair[pair].mine]->name, "theirs",
                  c->kind[c->pair[pair].theirs]->name, "verdict", word_for(v));
    put(object, "p_connected", v->connected);
    put(object, "p_connected_ever", v->ever);
    put(object, "p_connected_both_ways", v->mutual);
    put(object, "p_introduced", v->introduced);
    put(object, "p_kept_throughout", v->throughout);
    put(object, "p_kept_end", v->came);
    put(object, "p_flush_answered", v->answered);
    put(object, "p_flush_bundle", v->bundles);
    put(object, "kept_share_apart", v->kept_share);
    put(object, "milliseconds_apart", v->milliseconds);
    return object;
}

json_t *natlab_comparison_json(const struct natlab_comparison *comparison)
{
    const struct natlab_campaign *c = comparison->first->campaign;
    json_t *list = json_array();
    for (unsigned i = 0; i < c->pairs; i++)
        json_array_append_new(list, verdict_json(c, i, &comparison->pair[i]));
    json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "experiment", "nat", "engine", "both",
                               "version", HSAY_VERSION, "comparison", list);
    put(object, "pairs_compared", comparison->compared);
    put(object, "pairs_agreed", comparison->agreed);
    json_object_set_new(object, c->engine->name, natlab_matrix_json(comparison->first));
    json_object_set_new(object, comparison->second->campaign->engine->name,
                        natlab_matrix_json(comparison->second));
    return object;
}
