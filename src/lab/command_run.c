/* run and sweep: a plan, its runs in processes, the summary, the folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/common/file.h"
#include "src/lab/commands.h"
#include "src/lab/output/folder.h"
#include "src/lab/output/manifest.h"
#include "src/lab/output/summary.h"
#include "src/lab/plan_run.h"

static int complain(const struct lab_why *why)
{
    fprintf(stderr, "hearsay-lab: %s\n", why->text);
    return LAB_EXIT_FAILED;
}

static int complain_errno(const char *path)
{
    fprintf(stderr, "hearsay-lab: %s: %s\n", path, strerror(errno));
    return LAB_EXIT_FAILED;
}

static int show(const struct lab_plan *plan, const struct lab_options *options,
                const struct lab_result *result)
{
    struct lab_why why;
    int rc = LAB_EXIT_DONE;
    json_t *summary = lab_summary_any(&plan->study, result, &why);
    if (summary == NULL)
        return complain(&why);
    if (why.text[0] != '\0')
        rc = complain(&why);
    if (options->out != NULL &&
        lab_folder_write(options->out, &plan->study, result, summary, &why) != 0)
        rc = complain(&why);
    if (!options->json)
        lab_summary_print(stdout, summary);
    /* For programs; on a terminal it would push the table out of sight. */
    if ((options->json || isatty(STDOUT_FILENO) == 0) && lab_summary_line(stdout, summary) != 0)
        rc = LAB_EXIT_FAILED;
    json_decref(summary);
    return rc;
}

/* What lies there is not of these runs, and would be taken for it. */
static void tell_former(const char *path)
{
    json_t *manifest = path != NULL ? lab_manifest_load(path) : NULL;
    if (manifest != NULL)
        fprintf(stderr, "hearsay-lab: %s still holds the result of an earlier run\n", path);
    json_decref(manifest);
}

static int carry_out(struct lab_plan *plan, const struct lab_options *options)
{
    bool whole;
    struct lab_result *result = lab_plan_run(plan, options, &whole);
    if (result == NULL) {
        tell_former(options->out);
        return LAB_EXIT_FAILED;
    }
    int rc = show(plan, options, result);
    lab_plan_drop(plan, result);
    return whole ? rc : LAB_EXIT_FAILED;
}

static int plan_and_run(const struct lab_plan_request *request)
{
    const struct lab_options *options = request->options;
    struct lab_plan plan;
    struct lab_why why;
    int rc = LAB_EXIT_USAGE;
    if (lab_plan_make(&plan, request)) {
        if (options->out != NULL && lab_folder_check(options->out, &why) != 0)
            rc = complain(&why);
        else if (options->events != NULL && file_make_folder(options->events, 0755) != 0 &&
                 errno != EEXIST)
            rc = complain_errno(options->events);
        else
            rc = carry_out(&plan, options);
    }
    lab_plan_free(&plan);
    return rc;
}

int lab_command_run(const struct lab_options *options, int argc, char **argv)
{
    return plan_and_run(&(struct lab_plan_request){.options = options, .argc = argc, .argv = argv});
}

int lab_command_sweep(const struct lab_options *options, int argc, char **argv)
{
    return plan_and_run(
        &(struct lab_plan_request){.options = options, .sweep = true, .argc = argc, .argv = argv});
}
