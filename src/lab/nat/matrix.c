#include "src/lab/nat/matrix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/sim/population.h"

enum { CONNECTED_PERCENT = 99, STEPS_AT_ONCE = 2 };

/* --- one row --------------------------------------------------------------------------------- */

/* The trials that a row is about. */
struct pick {
    const struct natlab_campaign *campaign;
    const struct lab_result *result;
    unsigned pair;
    bool mine, theirs; /* as visitors */
};

static double field(const struct lab_result *result, const char *name)
{
    const struct lab_field *f = lab_result_field(result, name);
    return f != NULL ? f->number : NAN;
}

static bool is_picked(const struct pick *pick, size_t job)
{
    bool mine = natlab_campaign_is_mine(pick->campaign, job);
    return natlab_campaign_pair(pick->campaign, job) == pick->pair &&
           (mine ? pick->mine : pick->theirs) && !isnan(field(&pick->result[job], "connected"));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The least value that so many percent do not exceed, of all, or of those where `given` is not 0.
 */
static double percentile(const struct pick *pick, const char *name, const char *given,
                         unsigned percent)
{
    size_t jobs = natlab_campaign_jobs(pick->campaign), count = 0;
    double *value = lab_heap_new(jobs, sizeof *value);
    for (size_t job = 0; job < jobs; job++)
        if (is_picked(pick, job) && (given == NULL || field(&pick->result[job], given) > 0))
            value[count++] = field(&pick->result[job], name);
    qsort(value, count, sizeof *value, compare);
    size_t rank = (count * percent + 99) / 100;
    double found = count > 0 ? value[rank > 0 ? rank - 1 : 0] : NAN;
    free(value);
    return found;
}

static void add(struct natlab_row *row, const struct lab_result *result, unsigned steps_max)
{
    row->trials++;
    row->known += field(result, "known") != 0;
    row->introduced += field(result, "introduced") != 0;
    row->mutual += field(result, "mutual") != 0;
    row->connected += field(result, "steps") <= steps_max;
    row->at_once += field(result, "steps") <= STEPS_AT_ONCE;
    row->ever += field(result, "connected") != 0;
    row->punctures += field(result, "punctures");
    row->punctures_made += field(result, "punctures_made");
    natlab_kept_add(&row->kept, result);
}

static struct natlab_row row_of(const struct pick *pick)
{
    struct natlab_percentile list[NATLAB_KEPT_PERCENTILES];
    struct natlab_row row = {.trials = 0};
    for (size_t job = 0; job < natlab_campaign_jobs(pick->campaign); job++)
        if (is_picked(pick, job))
            add(&row, &pick->result[job], pick->campaign->steps_max);
    row.steps_median = percentile(pick, "steps", NULL, 50);
    row.steps_p99 = percentile(pick, "steps", NULL, 99);
    row.tries_p99 = percentile(pick, "tries", NULL, 99);
    row.milliseconds_median = percentile(pick, "milliseconds", NULL, 50);
    row.milliseconds_p99 = percentile(pick, "milliseconds", NULL, 99);
    natlab_kept_percentiles(&row.kept, list);
    for (size_t i = 0; i < NATLAB_KEPT_PERCENTILES; i++)
        *list[i].to = percentile(pick, list[i].field, list[i].given, 99);
    return row;
}

/* --- all of them ----------------------------------------------------------------------------- */

static bool is_enough(unsigned connected, unsigned trials)
{
    return trials > 0 && connected * 100 >= trials * CONNECTED_PERCENT;
}

static bool is_classic(const struct natlab_kind *kind)
{
    return kind->classic;
}

static bool is_of_sequential(const struct natlab_kind *kind)
{
    return (kind->classic && kind->box[0].ports != LAB_NAT_PORTS_RANDOM) ||
           (kind->boxes == 1 && kind->box[0].ports == LAB_NAT_PORTS_SEQUENTIAL);
}

static struct natlab_tally count_pairs(const struct natlab_matrix *m,
                                       bool (*is_of)(const struct natlab_kind *kind))
{
    const struct natlab_campaign *c = m->campaign;
    struct natlab_tally tally = {.pairs = 0};
    for (unsigned i = 0; i < c->pairs; i++) {
        const struct natlab_row *row = &m->pair[i];
        if (!is_of(c->kind[c->pair[i].mine]) || !is_of(c->kind[c->pair[i].theirs]))
            continue;
        tally.pairs++;
        tally.connected += is_enough(row->connected, row->trials);
        tally.at_once += is_enough(row->at_once, row->trials);
    }
    return tally;
}

/* The kind of the campaign that does what this one of the population does; -1: there is none. */
static int counterpart(const struct natlab_campaign *c, const struct lab_nat_kind *of)
{
    for (unsigned i = 0; i < c->kinds; i++) {
        const struct lab_nat_kind *box = &c->kind[i]->box[0];
        if (c->kind[i]->classic && c->kind[i]->boxes == 1 && box->mapping == of->mapping &&
            box->filtering == of->filtering)
            return (int)i;
    }
    return -1;
}

static double pair_share(const struct natlab_matrix *m, int a, int b, bool at_once)
{
    const struct natlab_campaign *c = m->campaign;
    for (unsigned i = 0; i < c->pairs; i++) {
        bool is_it = ((int)c->pair[i].mine == a && (int)c->pair[i].theirs == b) ||
                     ((int)c->pair[i].mine == b && (int)c->pair[i].theirs == a);
        if (is_it && m->pair[i].trials > 0)
            return (double)(at_once ? m->pair[i].at_once : m->pair[i].connected) /
                   m->pair[i].trials;
    }
    return NAN;
}

/* Two peers by chance, of those that are not blocked. */
static double weigh(const struct natlab_matrix *m, bool at_once)
{
    struct lab_population population;
    char why[256];
    double sum = 0, all = 0;
    if (lab_population_parse(&population, "halkes2011", why, sizeof why) != 0)
        return NAN;
    const struct lab_nat_side *home = &population.home;
    for (unsigned i = 0; i < home->part_count; i++)
        for (unsigned j = 0; j < home->part_count; j++) {
            const struct lab_nat_part *a = &home->part[i], *b = &home->part[j];
            if (a->kind->blocked || b->kind->blocked)
                continue;
            sum += a->share * b->share *
                   pair_share(m, counterpart(m->campaign, a->kind),
                              counterpart(m->campaign, b->kind), at_once);
            all += a->share * b->share;
        }
    return sum / all;
}

void natlab_matrix_fill(struct natlab_matrix *matrix, const struct natlab_campaign *campaign,
                        const struct lab_result *result)
{
    memset(matrix, 0, sizeof *matrix);
    matrix->campaign = campaign;
    for (unsigned i = 0; i < campaign->pairs; i++) {
        struct pick pick = {campaign, result, i, true, true};
        matrix->pair[i] = row_of(&pick);
        pick.theirs = false;
        matrix->mine_visits[i] = row_of(&pick);
        pick.mine = false;
        pick.theirs = true;
        matrix->theirs_visits[i] = row_of(&pick);
    }
    matrix->classic = count_pairs(matrix, is_classic);
    matrix->sequential = count_pairs(matrix, is_of_sequential);
    matrix->weighted_share = weigh(matrix, false);
    matrix->weighted_at_once = weigh(matrix, true);
}
