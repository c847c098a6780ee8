#include "src/lab/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hearsay/error.h"
#include "src/lab/actions.h"
#include "src/lab/config.h"
#include "src/lab/draws.h"
#include "src/lab/heal.h"
#include "src/lab/events.h"
#include "src/lab/measure/measure.h"
#include "src/lab/sim/control.h"

enum { MEASURES_MAX = 16, PROGRESS_PARTS = 200 };

const char lab_run_fields[] =
    "digest simulated_seconds unpublished node_bytes host_bytes wall_seconds cpu_seconds peak_gib "
    "violations turns checked_hosts violation attacker_requests attacker_answers "
    "attacker_introductions attacker_bundles crashes commits_failed puts_failed clock_jumps "
    "heal_steps heal_bound";
const char lab_run_tables[] = "healing:step,least,mean";

/* The measures that are taken in one run. */
struct taken {
    const struct lab_measure_kind *kind[MEASURES_MAX];
    void *self[MEASURES_MAX];
    size_t count;
};

static void take(struct lab_run *run, struct taken *taken, unsigned kind,
                 const struct lab_measure_args *args)
{
    for (size_t i = 0; i < taken->count; i++)
        if (taken->kind[i] == lab_measures[kind])
            return;
    if (taken->count == MEASURES_MAX)
        return;
    taken->kind[taken->count] = lab_measures[kind];
    taken->self[taken->count++] = lab_measures[kind]->open(run->sim, args);
}

/* Traffic is always measured, last of all. */
static void open_measures(struct lab_run *run, struct taken *taken)
{
    for (size_t i = 0; i < run->timeline.measure_count; i++) {
        const struct lab_action *line = &run->timeline.measure[i];
        struct lab_measure_args args = {.duration_ns = run->duration_ns};
        for (unsigned k = line->word_count;
             k < line->arg_count && args.count < LAB_MEASURE_ARGS_MAX; k++) {
            args.key[args.count] = line->arg[k].key;
            args.number[args.count] = line->arg[k].number;
            args.value[args.count++] = line->arg[k].text;
        }
        take(run, taken, line->verb_index, &args);
    }
    take(run, taken, 0, &(struct lab_measure_args){.duration_ns = run->duration_ns});
}

static void close_measures(struct lab_run *run, struct taken *taken)
{
    for (size_t i = 0; i < taken->count; i++)
        taken->kind[i]->close(taken->self[i], run->sim, run->result);
}

static void elapse(struct lab_run *run)
{
    for (unsigned part = 1; part <= PROGRESS_PARTS && !run->sim->stopped; part++) {
        lab_sim_run_until(run->sim, run->duration_ns / PROGRESS_PARTS * part);
        if (run->progress != NULL)
            run->progress(run->progress_self, (double)part / PROGRESS_PARTS);
    }
    lab_sim_run_until(run->sim, run->duration_ns);
}

static void write_digest(struct lab_run *run)
{
    char digest[20];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)lab_sim_digest(run->sim));
    lab_result_text(run->result, "digest", digest);
    lab_result_number(run->result, "simulated_seconds", (double)lab_sim_elapsed_ns(run->sim) / 1e9);
    lab_result_number(run->result, "unpublished", (double)run->unpublished);
    lab_result_number(run->result, "node_bytes", (double)lab_node_bytes(run->sim));
    lab_result_number(run->result, "host_bytes", (double)sizeof(struct lab_host));
}

static int fail(struct lab_run *run, const char *why)
{
    lab_result_text(run->result, "error", why);
    return -1;
}

/* A broken invariant fails the run. */
static int write_violations(struct lab_run *run)
{
    uint64_t broken = lab_invariants_violations(run->invariants, LAB_INVARIANT_COUNT);
    lab_result_number(run->result, "violations", run->invariants != NULL ? (double)broken : NAN);
    lab_result_number(run->result, "turns", (double)lab_invariants_turns(run->invariants));
    lab_result_number(run->result, "checked_hosts", (double)lab_invariants_hosts(run->invariants));
    for (unsigned i = 0; i < LAB_INVARIANT_COUNT && broken != 0; i++) {
        uint64_t own = lab_invariants_violations(run->invariants, (enum lab_invariant)i);
        char field[40];
        snprintf(field, sizeof field, "violations_%s", lab_invariant_name((enum lab_invariant)i));
        if (own != 0)
            lab_result_number(run->result, field, (double)own);
    }
    if (broken == 0)
        return 0;
    lab_result_text(run->result, "violation", lab_invariants_first(run->invariants));
    return fail(run, lab_invariants_first(run->invariants));
}

/* Who takes part in a run besides the hosts. */
struct cast {
    struct lab_fault *fault;
    struct lab_heal *heal;
    struct lab_attack *attack;
    struct lab_control *control; /* NULL: nothing is held back */
    struct lab_events *events;   /* NULL: nobody wants them */
    struct taken taken;
};

static struct lab_heal *new_heal(struct lab_run *run, struct lab_fault *fault,
                                 const struct lab_churn_config *churn)
{
    struct lab_heal_config config = {
        .at_ns = lab_config_ns(run->settings, "heal"),
        .steps = lab_settings_number(run->settings, "heal_steps"),
        .fault = fault,
        .how = churn->how,
        .invariants = run->invariants,
    };
    return lab_heal_new(run->sim, &config);
}

/* False and a sentence in `why`: a file that the run wants cannot be had. */
static bool cast_enter(struct cast *cast, struct lab_run *run, const char *events, char *why,
                       size_t why_size)
{
    struct lab_churn_config churn;
    struct lab_fault_config fault;
    struct lab_attack_config attack;
    lab_config_churn(run->settings, &churn);
    lab_config_fault(run->settings, &fault);
    lab_config_attack(run->settings, &attack);
    if (churn.until_ns == 0)
        churn.until_ns = lab_config_ns(run->settings, "heal");
    run->churn = lab_churn_new(run->sim, &churn, why, why_size);
    if (run->churn == NULL)
        return false;
    cast->fault = lab_fault_new(run->sim, &fault);
    run->invariants =
        lab_invariants_new(run->sim, (enum lab_check)lab_settings_choice(run->settings, "check"));
    cast->heal = new_heal(run, cast->fault, &churn);
    cast->events = events != NULL ? lab_events_open(run->sim, events, why, why_size) : NULL;
    if (events != NULL && cast->events == NULL)
        return false;
    cast->attack = lab_attack_new(run->sim, &attack);
    if (!lab_settings_flag(run->settings, "puncture"))
        cast->control = lab_control_unpunctured(run->sim);
    open_measures(run, &cast->taken);
    return true;
}

static void write_faults(struct lab_run *run, const struct lab_fault *fault,
                         const struct lab_heal *heal)
{
    lab_heal_write(heal, run->result);
    if (fault == NULL)
        return;
    struct lab_fault_count count = lab_fault_count(fault);
    lab_result_number(run->result, "crashes", (double)count.crashes);
    lab_result_number(run->result, "commits_failed", (double)count.commits);
    lab_result_number(run->result, "puts_failed", (double)count.puts);
    lab_result_number(run->result, "clock_jumps", (double)count.jumps);
}

static void write_attack(struct lab_run *run, const struct lab_attack *attack)
{
    if (attack == NULL)
        return;
    const struct lab_attack_count *count = lab_attack_count(attack);
    lab_result_number(run->result, "attacker_requests", (double)(count->asked + count->shown));
    lab_result_number(run->result, "attacker_answers", (double)count->answers);
    lab_result_number(run->result, "attacker_introductions", (double)count->introductions);
    lab_result_number(run->result, "attacker_bundles", (double)count->bundles);
}

/* What they have to say; false: not all events could be written. */
static bool cast_leave(struct cast *cast, struct lab_run *run)
{
    close_measures(run, &cast->taken);
    write_attack(run, cast->attack);
    lab_attack_free(cast->attack);
    lab_control_free(cast->control);
    write_digest(run);
    write_faults(run, cast->fault, cast->heal);
    lab_heal_free(cast->heal);
    lab_fault_free(cast->fault);
    lab_churn_free(run->churn);
    return cast->events == NULL || lab_events_close(cast->events);
}

static int live(struct lab_run *run, const struct lab_run_request *request)
{
    struct cast cast = {0};
    char why[256];
    if (!cast_enter(&cast, run, request->events, why, sizeof why))
        return fail(run, why);
    lab_actions_plan(run);
    elapse(run);
    lab_heal_run(cast.heal);
    const char *unhealed = lab_heal_failure(cast.heal);
    snprintf(why, sizeof why, "%s", unhealed != NULL ? unhealed : "");
    bool written = cast_leave(&cast, run);
    lab_invariants_finish(run->invariants);
    int rc = write_violations(run);
    lab_invariants_free(run->invariants);
    if (rc == 0 && why[0] != '\0')
        rc = fail(run, why);
    if (rc == 0 && run->unmet != 0)
        rc = fail(run, run->first_unmet);
    return rc == 0 && !written ? fail(run, "not all events could be written") : rc;
}

int lab_run(const struct lab_scenario *scenario, const struct lab_settings *settings,
            const struct lab_run_request *request, struct lab_result *result)
{
    struct lab_run run = {.settings = settings,
                          .result = result,
                          .duration_ns = lab_config_ns(settings, "duration"),
                          .progress = request->progress,
                          .progress_self = request->progress_self};
    struct lab_sim_config config;
    struct lab_faults faults = {0};
    char why[256];
    int rc = -1;
    if (lab_config_read(settings, request->seed, &config, why, sizeof why) != 0)
        return fail(&run, why);
    struct lab_draws draws = {.seed = request->seed};
    struct lab_timeline_config when = {
        .nodes = config.nodes,
        .end_ns = run.duration_ns,
        .draw = lab_draws_port(&draws),
    };
    if (lab_timeline_make(&run.timeline, scenario, settings, &when, &faults) != 0) {
        fail(&run, faults.text[0]);
    } else {
        run.sim = lab_sim_new(&config);
        rc = live(&run, request);
        lab_sim_free(run.sim);
    }
    lab_timeline_free(&run.timeline);
    lab_faults_free(&faults);
    return rc;
}
