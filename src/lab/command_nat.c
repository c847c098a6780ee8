/* nat: two peers behind real NATs of each kind, and whether they meet. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearsay/params.h"
#include "src/common/file.h"
#include "src/lab/commands.h"
#include "src/lab/nat/compare.h"
#include "src/lab/output/heap.h"
#include "src/lab/output/number.h"

enum {
    PATH_BYTES = 4096,
    FOLDER_BYTES_MAX = 80,
    STEPS_MAX = 6,
    STEPS_MAX_NO_SEARCH = 2,
    PATIENCE_STEPS = 6,
    PATIENCE_MIN_S =
        30, /* a search for ports takes 20, and begins when the nodes know themselves */
    SIMULATED_MIN = 100, /* of each pair, to compare with: they are cheap, and tell more */
};

struct request {
    struct natlab_campaign campaign;
    const char *kinds;
    double trials, step_s, delay_ms, loss_percent, patience_s, hold_s, steps, seed;
    double flush_s;
    const char *search, *punctures, *beacons, *daemon, *flush_of, *engine, *timers;
    char daemon_path[PATH_BYTES];
};

/* --- the command line ------------------------------------------------------------------------ */

static const char usage[] =
    "usage: hearsay-lab nat [OPTION...]\n\n"
    "  --kinds A,B...       what peers are behind; open,full_cone,address_restricted,\n"
    "                       port_restricted,symmetric; there are also:\n";

static const char usage_more[] =
    "  --trials N           of each pair (10); 0: look into the boxes, and no more\n"
    "  --search yes|no      whether nodes search for ports; as they do by themselves\n"
    "  --steps N            that a pair may take to count as connected (6, with --search no 2):\n"
    "                       introductions, and requests of one to the other\n"
    "  --step SECONDS       the nodes' step (5)\n"
    "  --patience SECONDS   until a trial is given up (six steps; at least 30 unless\n"
    "                       --search no)\n"
    "  --hold SECONDS       go on for so long after they have met, and see whether the path stays "
    "(0)\n"
    "  --flush SECONDS      of that, until the boxes forget all that they know; then tell how soon "
    "the\n                       two find together again\n"
    "  --flush-of WHOSE     both, visitor or guest: whose boxes (both)\n"
    "  --delay MS           each way (20)\n"
    "  --loss PERCENT       of the datagrams (0)\n"
    "  --punctures yes|no   no: they do not leave their host, for comparison (yes)\n"
    "  --beacons yes|no     no: nodes do not look for each other in their LAN (yes)\n"
    "  --seed N             of the losses, and of all chance in the simulator (1)\n"
    "  --engine ENGINE      what plays the trials: kernel, simulator, or both, and compare "
    "(kernel)\n"
    "  --timers yes|no      look into boxes with short timers, too, which takes 20 s (no)\n"
    "  --daemon FILE        the hearsayd to run; the one beside this program\n"
    "  --events DIR         write there what the two did in each trial\n"
    "  -j N                 trials at once; six for each core\n"
    "  --json, --quiet\n";

static void print_usage(FILE *out)
{
    const struct natlab_kind *kind;
    fputs(usage, out);
    for (size_t i = 0; (kind = natlab_kind_number(i)) != NULL; i++)
        if (!kind->classic)
            fprintf(out, "                         %-22s%s\n", kind->name, kind->help);
    fputs(usage_more, out);
}

struct option {
    const char *key;
    const char **text; /* or */
    double *number;
    double least, most;
    bool whole;
};

static bool take_value(const struct option *option, const char *value)
{
    if (option->text != NULL) {
        *option->text = value;
        return true;
    }
    if (lab_number_parse(value, option->number) && *option->number >= option->least &&
        *option->number <= option->most &&
        (!option->whole || *option->number == trunc(*option->number)))
        return true;
    fprintf(stderr, "hearsay-lab: --%s takes a %snumber from %g to %g, not '%s'\n", option->key,
            option->whole ? "whole " : "", option->least, option->most, value);
    return false;
}

static bool take_option(struct request *r, const char *key, const char *value)
{
    const struct option known[] = {
        {.key = "kinds", .text = &r->kinds},
        {.key = "trials", .number = &r->trials, .most = 100000, .whole = true},
        {.key = "search", .text = &r->search},
        {.key = "steps", .number = &r->steps, .least = 1, .most = 1000, .whole = true},
        {.key = "step", .number = &r->step_s, .least = 0.05, .most = 60},
        {.key = "patience", .number = &r->patience_s, .least = 0.1, .most = 3600},
        {.key = "hold", .number = &r->hold_s, .most = 86400},
        {.key = "delay", .number = &r->delay_ms, .least = 0.1, .most = 2000},
        {.key = "loss", .number = &r->loss_percent, .most = 100},
        {.key = "punctures", .text = &r->punctures},
        {.key = "seed", .number = &r->seed, .most = 1e15, .whole = true},
        {.key = "daemon", .text = &r->daemon},
        {.key = "flush", .number = &r->flush_s, .least = 0.1, .most = 86400},
        {.key = "flush-of", .text = &r->flush_of},
        {.key = "engine", .text = &r->engine},
        {.key = "timers", .text = &r->timers},
        {.key = "beacons", .text = &r->beacons},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].key, key) == 0)
            return take_value(&known[i], value);
    fprintf(stderr, "hearsay-lab: nat has no option '--%s'\n", key);
    return false;
}

static bool take_options(struct request *r, const struct lab_options *options)
{
    for (size_t i = 0; i < options->sets; i++)
        if (!take_option(r, options->key[i], options->value[i]))
            return false;
    if (options->args != 0)
        fprintf(stderr, "hearsay-lab: nat takes options alone, not '%s'\n", options->arg[0]);
    return options->args == 0 &&
           lab_options_only(options, LAB_OPTION_SETTINGS | LAB_OPTION_EVENTS | LAB_OPTION_JOBS);
}

static bool is_engine(const char *word)
{
    if (strcmp(word, "kernel") == 0 || strcmp(word, "simulator") == 0 || strcmp(word, "both") == 0)
        return true;
    fprintf(stderr, "hearsay-lab: --engine is kernel, simulator or both, not '%s'\n", word);
    return false;
}

static bool is_yes_or_no(const char *key, const char *word)
{
    if (word == NULL || strcmp(word, "yes") == 0 || strcmp(word, "no") == 0)
        return true;
    fprintf(stderr, "hearsay-lab: --%s is yes or no, not '%s'\n", key, word);
    return false;
}

/* Paths can be lost only where they were. */
static bool is_flush(const struct request *r)
{
    static const char *const whose[] = {"both", "visitor", "guest"};
    bool known = r->flush_of == NULL;
    for (size_t i = 0; !known && i < sizeof whose / sizeof whose[0]; i++)
        known = strcmp(whose[i], r->flush_of) == 0;
    if (!known)
        fprintf(stderr, "hearsay-lab: --flush-of is both, visitor or guest, not '%s'\n",
                r->flush_of);
    else if (r->flush_of != NULL && r->flush_s == 0)
        fputs("hearsay-lab: --flush-of does nothing without --flush\n", stderr);
    else if (r->flush_s > 0 && r->flush_s >= r->hold_s)
        fputs("hearsay-lab: --flush is a moment within --hold\n", stderr);
    else
        return true;
    return false;
}

/* --- what follows from it -------------------------------------------------------------------- */

static bool take_kind(struct natlab_campaign *c, const char *name)
{
    const struct natlab_kind *kind = natlab_kind_find(name);
    if (kind == NULL || c->kinds == NATLAB_KINDS_MAX) {
        fprintf(stderr, "hearsay-lab: %s '%s'\n",
                kind == NULL ? "there is no NAT called" : "too many kinds, at", name);
        return false;
    }
    for (unsigned i = 0; i < c->kinds; i++)
        if (c->kind[i] == kind)
            return true;
    c->kind[c->kinds++] = kind;
    return true;
}

static bool take_kinds(struct natlab_campaign *c, const char *names)
{
    bool good = true;
    while (good) {
        size_t size = strcspn(names, ",");
        char *name = lab_heap_copy_part(names, size);
        good = take_kind(c, name);
        free(name);
        if (names[size] == '\0')
            break;
        names += size + 1;
    }
    return good;
}

/* Built, it lies beside this program; installed, in sbin. */
static bool find_daemon(struct request *r)
{
    static const char *const place[] = {"hearsayd", "../sbin/hearsayd"};
    char self[PATH_BYTES / 2];
    if (r->daemon != NULL)
        return true;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash != NULL && i < sizeof place / sizeof place[0]; i++) {
        snprintf(r->daemon_path, sizeof r->daemon_path, "%.*s/%s", (int)(slash - self), self,
                 place[i]);
        if (access(r->daemon_path, X_OK) == 0) {
            r->daemon = r->daemon_path;
            return true;
        }
    }
    fputs("hearsay-lab: no hearsayd beside this program; say --daemon FILE\n", stderr);
    return false;
}

static bool make_link(const struct request *r, struct lab_link_model *link)
{
    char why[256];
    lab_link_init(link, (uint64_t)(r->delay_ms * 1e6));
    link->loss = r->loss_percent / 100;
    if (lab_link_prepare(link, why, sizeof why) == 0)
        return true;
    fprintf(stderr, "hearsay-lab: %s\n", why);
    return false;
}

static bool is_yes(const char *word)
{
    return word != NULL && strcmp(word, "yes") == 0;
}

static bool needs_kernel(const struct request *r)
{
    return strcmp(r->engine, "simulator") != 0;
}

static void fill_campaign(struct request *r, const struct lab_options *options, char **argv)
{
    struct natlab_campaign *c = &r->campaign;
    bool searches = r->search == NULL || is_yes(r->search);
    unsigned steps = searches ? STEPS_MAX : STEPS_MAX_NO_SEARCH;
    double patience_s = fmax(PATIENCE_STEPS * r->step_s, searches ? PATIENCE_MIN_S : 0);
    c->engine = needs_kernel(r) ? &natlab_engine_kernel : &natlab_engine_simulator;
    c->timers = is_yes(r->timers);
    c->trials = (unsigned)r->trials;
    c->steps_max = r->steps > 0 ? (unsigned)r->steps : steps;
    c->at_once = options->jobs;
    c->quiet = options->quiet;
    c->seed = (uint64_t)r->seed;
    c->events = options->events;
    c->words = argv;
    c->each.program = (struct natlab_program){.step_ms = (unsigned)(r->step_s * 1e3),
                                              .search = r->search,
                                              .beacons = r->beacons == NULL || is_yes(r->beacons)};
    c->each.patience_s = r->patience_s > 0 ? r->patience_s : patience_s;
    c->each.hold = (struct natlab_hold_plan){
        .hold_s = r->hold_s,
        .flush_s = r->flush_s,
        .flush = {r->flush_of == NULL || strcmp(r->flush_of, "guest") != 0,
                  r->flush_of == NULL || strcmp(r->flush_of, "visitor") != 0},
    };
    c->each.no_punctures = r->punctures != NULL && !is_yes(r->punctures);
    natlab_campaign_pair_up(c);
}

static bool understand(struct request *r, const struct lab_options *options, char **argv)
{
    *r = (struct request){
        .kinds = "open,full_cone,address_restricted,port_restricted,symmetric",
        .trials = 10,
        .step_s = HSAY_STEP_MS / 1e3,
        .delay_ms = 20,
        .seed = 1,
        .engine = "kernel",
    };
    if (!take_options(r, options) || !is_engine(r->engine) || !is_yes_or_no("search", r->search) ||
        !is_yes_or_no("punctures", r->punctures) || !is_yes_or_no("beacons", r->beacons) ||
        !is_yes_or_no("timers", r->timers) || !is_flush(r) || !take_kinds(&r->campaign, r->kinds) ||
        !make_link(r, &r->campaign.each.link))
        return false;
    fill_campaign(r, options, argv);
    return true;
}

/* --- doing it -------------------------------------------------------------------------------- */

static bool dump(json_t *object, bool json)
{
    if (!json)
        putchar('\n');
    bool good = json_dumpf(object, stdout, LAB_JSON_FORM | JSON_COMPACT) == 0 &&
                putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(object);
    return good;
}

/* What some trials failed to do, the others have still shown.  False: there is nothing to show. */
static bool play(const struct natlab_campaign *c, struct natlab_matrix *matrix, bool json, int *rc)
{
    size_t jobs = natlab_campaign_jobs(c);
    if (!natlab_campaign_look(c, json ? stderr : stdout)) {
        *rc = LAB_EXIT_FAILED;
        return false;
    }
    if (jobs == 0) { /* programs want to know what the boxes are all the same */
        natlab_matrix_fill(matrix, c, NULL);
        return json;
    }
    struct lab_result *result = lab_heap_new(jobs, sizeof *result);
    for (size_t i = 0; i < jobs; i++)
        lab_result_init(&result[i]);
    enum lab_batch_end end = natlab_campaign_run(c, result);
    if (end != LAB_BATCH_DONE)
        *rc = LAB_EXIT_FAILED;
    if (end != LAB_BATCH_STOPPED)
        natlab_matrix_fill(matrix, c, result);
    for (size_t i = 0; i < jobs; i++)
        lab_result_free(&result[i]);
    free(result);
    return end != LAB_BATCH_STOPPED;
}

static int play_one(const struct natlab_campaign *c, bool json)
{
    struct natlab_matrix *matrix = lab_heap_new(1, sizeof *matrix);
    int rc = LAB_EXIT_DONE;
    if (play(c, matrix, json, &rc)) {
        if (!json)
            natlab_matrix_print(matrix, stdout);
        if (!dump(natlab_matrix_json(matrix), json))
            rc = LAB_EXIT_FAILED;
    }
    free(matrix);
    return rc;
}

static int play_both(const struct natlab_campaign *kernel, bool json)
{
    struct natlab_campaign *simulated = lab_heap_new(1, sizeof *simulated);
    struct natlab_matrix *matrix = lab_heap_new(2, sizeof *matrix);
    struct natlab_comparison *comparison = lab_heap_new(1, sizeof *comparison);
    int rc = LAB_EXIT_DONE;
    *simulated = *kernel;
    simulated->engine = &natlab_engine_simulator;
    simulated->events = NULL; /* the files would have the same names */
    if (kernel->trials != 0 && kernel->trials < SIMULATED_MIN)
        simulated->trials = SIMULATED_MIN;
    bool shown = play(kernel, &matrix[0], json, &rc);
    if (play(simulated, &matrix[1], json, &rc) && shown) {
        natlab_compare(comparison, &matrix[0], &matrix[1]);
        if (!json)
            natlab_comparison_print(comparison, stdout);
        if (!dump(natlab_comparison_json(comparison), json))
            rc = LAB_EXIT_FAILED;
    }
    free(comparison);
    free(matrix);
    free(simulated);
    return rc;
}

/* Programs of the system's administrator are not in every user's path. */
static void widen_path(void)
{
    const char *path = getenv("PATH");
    char *wide = lab_heap_format("%s:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", wide, 1);
    free(wide);
}

/* The daemon, and a folder for the nodes. */
static int prepare_kernel(struct request *r)
{
    char *folder = lab_heap_format("%s/hearsay-nat.XXXXXX",
                                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    int rc = LAB_EXIT_FAILED;
    widen_path();
    if (!find_daemon(r))
        rc = LAB_EXIT_FAILED;
    else if (strlen(folder) > FOLDER_BYTES_MAX) /* the paths of sockets are short */
        fprintf(stderr, "hearsay-lab: the path in TMPDIR is too long\n");
    else if (mkdtemp(folder) == NULL)
        fprintf(stderr, "hearsay-lab: %s: %s\n", folder, strerror(errno));
    else
        rc = LAB_EXIT_DONE;
    r->campaign.each.program.path = r->daemon;
    r->campaign.each.folder = folder;
    return rc;
}

static int prepare(struct request *r)
{
    const char *events = r->campaign.events;
    if (events != NULL && file_make_folder(events, 0755) != 0) {
        fprintf(stderr, "hearsay-lab: %s: %s\n", events, strerror(errno));
        return LAB_EXIT_FAILED;
    }
    return needs_kernel(r) ? prepare_kernel(r) : LAB_EXIT_DONE;
}

static int carry_out(const struct request *r, bool json)
{
    bool both = strcmp(r->engine, "both") == 0;
    int rc = both ? play_both(&r->campaign, json) : play_one(&r->campaign, json);
    if (r->campaign.each.folder != NULL)
        rmdir(r->campaign.each.folder);
    return rc;
}

int lab_command_nat(const struct lab_options *options, int argc, char **argv)
{
    (void)argc;
    if (options->help) {
        print_usage(stdout);
        return LAB_EXIT_DONE;
    }
    struct request *r = lab_heap_new(1, sizeof *r);
    int rc = LAB_EXIT_USAGE;
    if (!understand(r, options, argv))
        print_usage(stderr);
    else if ((rc = prepare(r)) == LAB_EXIT_DONE)
        rc = carry_out(r, options->json);
    free((void *)(uintptr_t)r->campaign.each.folder);
    free(r);
    return rc;
}
