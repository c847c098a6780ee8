#include "src/lab/nat/campaign.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/lab/nat/sim_trial.h"
#include "src/lab/output/machine.h"
#include "src/lab/output/shell.h"
#include "version.h"

const struct natlab_engine natlab_engine_kernel = {
    .name = "kernel",
    .run = natlab_trial_run,
    .look = natlab_trial_look,
};
const struct natlab_engine natlab_engine_simulator = {
    .name = "simulator",
    .run = natlab_sim_trial_run,
    .look = natlab_sim_trial_look,
};

enum {
    /* A trial sleeps most of the time; but twenty hearsayd that start at once take a core for two
     * seconds, and what they do then is slower than what is measured. */
    TRIALS_PER_CORE = 6,
};

/* --- pairs ----------------------------------------------------------------------------------- */

static bool can_meet(const struct natlab_campaign *c, unsigned i, unsigned j)
{
    return i == j || (!c->kind[i]->shared && !c->kind[j]->shared);
}

void natlab_campaign_pair_up(struct natlab_campaign *campaign)
{
    campaign->pairs = 0;
    for (unsigned i = 0; i < campaign->kinds; i++)
        for (unsigned j = i; j < campaign->kinds; j++)
            if (can_meet(campaign, i, j))
                campaign->pair[campaign->pairs++] = (struct natlab_pair){i, j};
}

size_t natlab_campaign_jobs(const struct natlab_campaign *campaign)
{
    return (size_t)campaign->pairs * campaign->trials;
}

/* One trial of each pair before the second of any: what disturbs the machine disturbs all alike. */
unsigned natlab_campaign_pair(const struct natlab_campaign *campaign, size_t job)
{
    return (unsigned)(job % campaign->pairs);
}

static unsigned round_of(const struct natlab_campaign *campaign, size_t job)
{
    return (unsigned)(job / campaign->pairs);
}

bool natlab_campaign_is_mine(const struct natlab_campaign *campaign, size_t job)
{
    return round_of(campaign, job) % 2 == 0;
}

static unsigned at_once(const struct natlab_campaign *campaign)
{
    unsigned per_core = campaign->engine == &natlab_engine_kernel ? TRIALS_PER_CORE : 1;
    return campaign->at_once != 0 ? campaign->at_once : per_core * lab_machine_cores();
}

/* --- looking at boxes ------------------------------------------------------------------------ */

static int fail(struct lab_result *out, const struct lab_why *why)
{
    lab_result_text(out, "error", why->text);
    return 1;
}

/* What a box does depends on no link, and timers are told best over a short way. */
static struct lab_link_model short_way(void)
{
    struct lab_link_model link;
    char why[128];
    lab_link_init(&link, 1000000);
    int rc = lab_link_prepare(&link, why, sizeof why);
    assert(rc == 0); /* as it comes */
    (void)rc;
    return link;
}

static int look_job(const struct lab_job *job, struct lab_result *out, void *user)
{
    const struct natlab_campaign *campaign = user;
    struct natlab_kind hurried = natlab_kind_hurried(campaign->kind[job->number]);
    struct natlab_trial trial = campaign->each;
    struct natlab_seen seen;
    struct lab_why why;
    char words[NATLAB_VERDICT_BYTES];
    trial.link = short_way();
    trial.visitor = trial.guest = campaign->timers ? &hurried : campaign->kind[job->number];
    if (campaign->engine->look(&trial, &seen, &why) != 0)
        return fail(out, &why);
    struct lab_nat_kind should = natlab_kind_whole(trial.visitor);
    struct natlab_probe probe = natlab_probe_thorough(&should, NATLAB_TIMER_SHORT_S);
    natlab_questions_words(words, &seen, &probe);
    lab_result_text(out, "words", words);
    return 0;
}

static void look_label(size_t job, char *text, size_t size, void *user)
{
    const struct natlab_campaign *campaign = user;
    snprintf(text, size, "looking at '%s'", campaign->kind[job]->name);
}

static void replay(size_t job, FILE *out, void *user)
{
    const struct natlab_campaign *campaign = user;
    (void)job; /* chance in the kernel and in the nodes has no seed: all of it, then */
    fputs("hearsay-lab", out);
    for (char **word = campaign->words + 1; *word != NULL; word++)
        lab_shell_put(out, *word);
}

static void tell_kind(const struct natlab_kind *kind, const struct lab_result *result, FILE *log)
{
    const struct lab_field *words = lab_result_field(result, "words");
    if (words != NULL)
        fprintf(log, "  %-22s%s\n", kind->name, words->text);
}

bool natlab_campaign_look(const struct natlab_campaign *campaign, FILE *log)
{
    struct lab_result result[NATLAB_KINDS_MAX];
    const struct lab_batch batch = {
        .jobs = campaign->kinds,
        .at_once = at_once(campaign),
        .quiet = campaign->quiet,
        .run = look_job,
        .label = look_label,
        .replay = replay,
        .version = HSAY_VERSION,
        .user = (void *)(uintptr_t)campaign,
    };
    for (unsigned i = 0; i < campaign->kinds; i++)
        lab_result_init(&result[i]);
    bool good = lab_batch_run(&batch, result) == LAB_BATCH_DONE;
    if (good)
        fprintf(log, "The %s's boxes, as they were found to be:\n", campaign->engine->name);
    for (unsigned i = 0; i < campaign->kinds; i++) {
        if (good)
            tell_kind(campaign->kind[i], &result[i], log);
        lab_result_free(&result[i]);
    }
    return good;
}

/* --- trials ---------------------------------------------------------------------------------- */

static const struct natlab_kind *visitor_of(const struct natlab_campaign *c, size_t job)
{
    struct natlab_pair pair = c->pair[natlab_campaign_pair(c, job)];
    return c->kind[natlab_campaign_is_mine(c, job) ? pair.mine : pair.theirs];
}

static const struct natlab_kind *guest_of(const struct natlab_campaign *c, size_t job)
{
    struct natlab_pair pair = c->pair[natlab_campaign_pair(c, job)];
    return c->kind[natlab_campaign_is_mine(c, job) ? pair.theirs : pair.mine];
}

static void trial_label(size_t job, char *text, size_t size, void *user)
{
    const struct natlab_campaign *campaign = user;
    snprintf(text, size, "%s to %s, %u", visitor_of(campaign, job)->name,
             guest_of(campaign, job)->name, round_of(campaign, job) + 1);
}

static void put_outcome(struct lab_result *out, const struct natlab_outcome *o)
{
    lab_result_number(out, "known", o->known);
    lab_result_number(out, "introduced", o->introduced);
    lab_result_number(out, "connected", o->connected);
    lab_result_number(out, "mutual", o->mutual);
    lab_result_number(out, "tries", o->tries);
    lab_result_number(out, "steps", o->connected ? (double)o->steps : INFINITY);
    lab_result_number(out, "walked", o->walked);
    lab_result_number(out, "milliseconds", o->connected ? o->milliseconds : INFINITY);
    lab_result_number(out, "punctures", o->punctures);
    lab_result_number(out, "punctures_made", o->punctures_made);
    natlab_held_put(out, &o->held);
}

static char *events_path(const struct natlab_campaign *campaign, size_t job)
{
    return lab_heap_format("%s/%s-%s-%u.jsonl", campaign->events, visitor_of(campaign, job)->name,
                           guest_of(campaign, job)->name, round_of(campaign, job) + 1);
}

static int trial_job(const struct lab_job *job, struct lab_result *out, void *user)
{
    const struct natlab_campaign *campaign = user;
    struct natlab_trial trial = campaign->each;
    struct natlab_outcome outcome;
    struct lab_why why;
    char *events = campaign->events != NULL ? events_path(campaign, job->number) : NULL;
    trial.visitor = visitor_of(campaign, job->number);
    trial.guest = guest_of(campaign, job->number);
    trial.seed = campaign->seed + job->number;
    trial.events = events;
    int rc = campaign->engine->run(&trial, &outcome, &why);
    free(events);
    if (rc != 0)
        return fail(out, &why);
    put_outcome(out, &outcome);
    return 0;
}

enum lab_batch_end natlab_campaign_run(const struct natlab_campaign *campaign,
                                       struct lab_result *result)
{
    const struct lab_batch batch = {
        .jobs = natlab_campaign_jobs(campaign),
        .at_once = at_once(campaign),
        .quiet = campaign->quiet,
        .run = trial_job,
        .label = trial_label,
        .replay = replay,
        .version = HSAY_VERSION,
        .user = (void *)(uintptr_t)campaign,
    };
    return lab_batch_run(&batch, result);
}
